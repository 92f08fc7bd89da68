"""Print the time and the ten slowest tests of each tier; fail on a skip that is not accepted.

    python .ci/tests.py JUNIT_XML...

A gate that skips what it is there for passes on a machine that lacks a piece, and nobody sees it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

ACCEPTED = {
    r"no GPU here": shutil.which("nvidia-smi") is None,
    r"root may (list every folder|read everything)": os.geteuid() == 0,
    r"the real data are not here: set UNITALK_TEST_DATA": "UNITALK_TEST_DATA" not in os.environ,
}
"""Reasons, as regular expressions, and whether this machine may give them."""


def reason(skipped: ET.Element) -> str:
    """Why a test was skipped; where a whole file was, pytest has the reason in the text alone."""
    whole_file = re.search(r"Skipped: (.*)['\"]\)$", skipped.text or "", re.DOTALL)
    return whole_file[1] if whole_file else skipped.get("message", "")


def took(case: ET.Element) -> float:
    """The seconds of a test, its fixtures included."""
    return float(case.get("time", "0"))


def judge(report: Path) -> bool:
    """Print what a tier took, its slowest tests, and what it skipped; whether that is accepted."""
    root = ET.parse(report).getroot()
    cases = list(root.iter("testcase"))
    skipped = Counter(reason(skip) for case in cases if (skip := case.find("skipped")) is not None)
    refused = 0
    for why, count in skipped.items():
        accepted = any(here and re.fullmatch(known, why) for known, here in ACCEPTED.items())
        refused += 0 if accepted else count
        print(f"{count} skipped{'' if accepted else ', REFUSED'}: {why}")
    ran = len(cases) - skipped.total()
    seconds = sum(float(suite.get("time", "0")) for suite in root.iter("testsuite"))
    print(
        f"{report.stem}: {ran:,} tests ran in {seconds:.0f} s, "
        f"{skipped.total():,} were skipped, {refused:,} of these refused"
    )
    for case in sorted(cases, key=took, reverse=True)[:10]:
        print(f"{took(case):8.1f} s  {case.get('classname')}::{case.get('name')}")
    return bool(ran) and not refused


def main(reports: list[Path]) -> int:
    """Judge the report of each tier; 1 when one skipped what must run, or ran nothing."""
    accepted = [judge(report) for report in reports]
    return 0 if all(accepted) else 1


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]]))

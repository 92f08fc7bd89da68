"""Fail when a test was skipped for a reason that the gate does not accept, and name the slowest.

    python .ci/skips.py JUNIT_XML

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


def main(report: Path) -> int:
    """Print what was skipped; 1 when something was that must not be, or when no test ran."""
    cases = [case for _, case in ET.iterparse(report) if case.tag == "testcase"]
    skipped = Counter(reason(skip) for case in cases if (skip := case.find("skipped")) is not None)
    refused = 0
    for why, count in skipped.items():
        accepted = any(here and re.fullmatch(known, why) for known, here in ACCEPTED.items())
        refused += 0 if accepted else count
        print(f"{count} skipped{'' if accepted else ', REFUSED'}: {why}")
    ran = len(cases) - skipped.total()
    print(f"{ran:,} tests ran, {skipped.total():,} were skipped, {refused:,} of these refused")
    return 1 if refused or not ran else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

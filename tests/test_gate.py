"""The gate refuses a run that skipped what it is there for, and says what the tests took."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

JUDGE = Path(__file__).resolve().parents[1] / ".ci/tests.py"

WHOLE_FILE = "import pytest\npytest.importorskip('selenium_of_nobody', reason='no browser: {0}')\n"
ONE_MARK = "import pytest\n\n@pytest.mark.skipif(True, reason='{0}')\ndef test_one():\n    pass\n"
IN_A_TEST = "import pytest\n\ndef test_one():\n    pytest.skip('{0}')\n"


def judged(folder: Path, files: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run test files with pytest, and let the gate's script judge the run."""
    for number, text in enumerate(files):
        (folder / f"test_{number}.py").write_text(text, encoding="utf-8")
    report = folder / "report.xml"
    plain = ["-p", "no:randomly", "-p", "no:cacheprovider", "-c", folder / "none.ini"]
    (folder / "none.ini").write_text("[pytest]\n", encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "pytest", *plain, folder, f"--junitxml={report}"],
        check=False, capture_output=True,
    )  # fmt: skip
    return subprocess.run(
        [sys.executable, JUDGE, report], check=False, capture_output=True, text=True,
        env={"PATH": "/usr/bin:/bin", **environment},
    )  # fmt: skip


RAN = "def test_ran():\n    pass\n"


def test_a_skip_for_an_unknown_reason_fails_however_it_is_made(tmp_path):
    ways = [way.format(f"no {n}") for n, way in enumerate((WHOLE_FILE, ONE_MARK, IN_A_TEST))]
    found = judged(tmp_path, [RAN, *ways])
    assert found.returncode == 1
    assert "report: 1 tests ran in" in found.stdout
    assert "3 were skipped, 3 of these refused" in found.stdout
    assert "test_0::test_ran" in re.findall(r"\d s  (.*)", found.stdout)
    assert re.findall(r"1 skipped, REFUSED: (.*)", found.stdout) == [
        "no browser: no 0",
        "no 1",
        "no 2",
    ]


def test_absent_data_are_accepted_only_where_none_are_said_to_be_there(tmp_path):
    files = [RAN, ONE_MARK.format("the real data are not here: set UNITALK_TEST_DATA")]
    assert judged(tmp_path, files).returncode == 0
    assert judged(tmp_path, files, UNITALK_TEST_DATA=str(tmp_path)).returncode == 1


def test_a_run_of_nothing_fails(tmp_path):
    assert judged(tmp_path, ["x = 1\n"]).returncode == 1

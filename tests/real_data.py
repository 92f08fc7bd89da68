"""The real annotations, videos and weights: too large, or not ours, to be in this repository.

They are in the folder that the variable `UNITALK_TEST_DATA` names. A test that needs one of them
skips where it is absent, and says whether all of them are, or only this one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("UNITALK_TEST_DATA") or "UNITALK_TEST_DATA is not set")

ASW = DATA / "asw/asw-dev-val.tar.xz"
GRID = DATA / "grid/swwp2s.mpg"
LIGHT_ASD = DATA / "light-asd/pretrain_AVA_CVPR.model"
LR_ASD = DATA / "lr-asd/pretrain_AVA.model"


def absent(path: Path) -> str | None:
    """Why a file cannot be used; None where it is there."""
    if path.is_file():
        return None
    if not DATA.is_dir():
        return "the real data are not here: set UNITALK_TEST_DATA"
    return f"UNITALK_TEST_DATA lacks {path.relative_to(DATA)}"


def needs(path: Path) -> pytest.MarkDecorator:
    """Skip a test where a file is absent."""
    reason = absent(path)
    return pytest.mark.skipif(reason is not None, reason=reason or "")


def make_asw(folder: Path) -> None:
    """Write the annotations as this program reads them, and a model's scores of them."""
    script = CHECKOUT / "benchmarks/asw_to_csv.py"
    ran = subprocess.run(
        [sys.executable, script, ASW, folder], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "461,486 faces of 8,159 tracks\n"

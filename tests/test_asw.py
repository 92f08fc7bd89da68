"""Real annotations: ASW's 159 development and validation videos, a synthetic model scored on them.

The files are not in this repository. They are looked for in `../shared/data/asw/`, or where
`UNITALK_TEST_DATA` says.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
from reference import area_fast, ranked

import unitalk

CHECKOUT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("UNITALK_TEST_DATA", CHECKOUT.parent / "shared/data"))
ARCHIVE = DATA / "asw/asw-dev-val.tar.xz"

pytestmark = pytest.mark.skipif(
    not ARCHIVE.is_file(), reason="ASW's annotations are not here (see this file's first lines)"
)


@pytest.fixture(scope="module")
def asw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("asw")
    script = CHECKOUT / "benchmarks/asw_to_csv.py"
    ran = subprocess.run(
        [sys.executable, script, ARCHIVE, folder], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "461,486 faces of 8,159 tracks\n"
    return folder / "groundtruth.csv", folder / "predictions.csv"


def test_the_rows_are_those_that_the_dataset_reports(asw):
    """The development and the validation set, as counted in the dataset itself."""
    result = unitalk.evaluate(*asw)
    assert result.faces == 276_477 + 185_009
    assert result.positives == 122_506 + 72_965
    assert result.tracks == 4_676 + 3_483
    assert result.videos == 159


def test_the_score_is_the_independent_implementations_whatever_the_order(asw):
    groundtruth, predictions = asw
    with predictions.open(newline="") as file:
        score = {(r["entity_id"], float(r["frame_timestamp"])): float(r["score"])
                 for r in csv.DictReader(file)}  # fmt: skip
    with groundtruth.open(newline="") as file:
        rows = list(csv.DictReader(file))
    scores = [score[row["entity_id"], float(row["frame_timestamp"])] for row in rows]
    labels = [row["label"] == "SPEAKING_AUDIBLE" for row in rows]
    wanted = area_fast(ranked(labels, scores))
    assert 0.5 < wanted < 0.99
    result = unitalk.evaluate(groundtruth, predictions)
    assert result.ties == 0
    assert result.warnings == ()
    assert result.average_precision == pytest.approx(wanted, abs=1e-12)
    # The predictions are shuffled; in the ground truth's order they get the same in every digit.
    frame = unitalk.read_predictions(predictions).sample(frac=1, random_state=5)
    again = unitalk.evaluate(unitalk.read_groundtruth(groundtruth), frame)
    assert again.average_precision == result.average_precision
    assert again.signature == result.signature


def test_boxes_beyond_the_frame_are_valid_data(asw):
    """ASW's frames are padded: boxes run from -0.081 to 1.137."""
    frame = unitalk.read_groundtruth(asw[0])
    boxes = frame[[name for name in frame.columns if name.startswith("entity_box")]]
    assert round(boxes.min().min(), 3) == -0.081
    assert boxes.max().max() > 1

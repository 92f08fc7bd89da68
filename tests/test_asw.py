"""Real annotations: ASW's 159 development and validation videos, scored by a synthetic model."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import pytest
from conftest import exhaustive, made_once
from real_data import ASW, make_asw, needs
from reference import area_fast, ranked

import unitalk
from unitalk import EvaluateOptions

# A process of its own in between, small and with one child: what a test's process starts is counted
# together with all that it started before, and begins with that process's own memory.
RUN_AND_TELL_MEMORY = """
import pathlib, resource, subprocess, sys
subprocess.run(sys.argv[2:], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
pathlib.Path(sys.argv[1]).write_text(str(used))
"""

pytestmark = needs(ASW)


@pytest.fixture(scope="module")
def asw(tmp_path_factory):
    folder = made_once(tmp_path_factory, "asw", make_asw)
    return folder / "groundtruth.csv", folder / "predictions.csv"


def test_the_rows_are_those_that_the_dataset_reports(asw):
    """The development and the validation set, as counted in the dataset itself."""
    result = unitalk.evaluate(*asw)
    assert result.faces == 276_477 + 185_009
    assert result.positives == 122_506 + 72_965
    assert result.tracks == 4_676 + 3_483
    assert result.videos == 159


def test_the_parts_are_those_that_the_dataset_reports(asw):
    """Tracks, boxes and positives of the two parts, as the dataset's own lists count them."""
    splits = asw[0].with_name("splits.csv")
    result = unitalk.evaluate(*asw, by="category", options=EvaluateOptions(categories=splits))
    assert {
        group.by.get("category"): (group.tracks, group.faces, group.positives)
        for group in result.groups[:-1]
    } == {"dev": (4_676, 276_477, 122_506), "val": (3_483, 185_009, 72_965)}


@exhaustive
def test_all_breakdowns_with_intervals_and_the_page(asw, tmp_path):
    """Every breakdown that applies, 1,000 resamples of each, and the page, in bounded memory."""
    pytest.importorskip("resource", reason="only POSIX counts a process's memory")
    command = [
        sys.executable, "-c", RUN_AND_TELL_MEMORY, tmp_path / "memory.txt",
        sys.executable, "-m", "unitalk", "eval", "-g", asw[0], "-p", asw[1], "--by", "all",
        "--categories", asw[0].with_name("splits.csv"), "--ci", "--ci-unit", "track", "--metrics",
        "--report", tmp_path / "report.html", "--format", "json",
    ]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(ran.stdout)
    assert ran.stderr == ""
    assert found["resamples"]["count"] == 1000
    names = list(dict.fromkeys("".join(group["by"]) for group in found["groups"]))
    assert names == ["category", "faces", "track-length", "crowded", "video", ""]
    for name in names[:-1]:
        cells = [group for group in found["groups"] if name in group["by"]]
        for count in ("faces", "positives"):
            assert sum(cell[count] for cell in cells) == found[count]
    low, high = found["interval"]
    assert low < found["average_precision"] < high < low + 0.01
    assert (tmp_path / "report.html").stat().st_size < 2_000_000
    assert int((tmp_path / "memory.txt").read_text()) < 800_000  # kilobytes


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

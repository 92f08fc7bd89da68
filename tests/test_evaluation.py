"""Joining and scoring files: what is refused, what cannot matter, and what the number is."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from build import HEADER, face, write_csv
from conftest import one_in, slow
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference import area_fast, ranked

import unitalk
from unitalk.score import evaluate, reference_score

EIGHT = HEADER.split(",")[:8]


def draw(rng: random.Random, count: int, *, videos: int = 3) -> tuple[list, list[float]]:
    """Some faces in some tracks, and scores without ties that lean towards the truth."""
    rows, scores = [], []
    for number in range(count):
        video = f"video{number % videos:06d}"
        speaking = int(rng.random() < 0.4) if number > 1 else number
        rows.append(face(video, repr(round(number * 0.04, 2)), f"{video}:{number % 5}", speaking))
        scores.append(rng.gauss(speaking, 1.0))
    assert len(set(scores)) == count
    return rows, scores


def predictions(rows, scores, *, label="SPEAKING_AUDIBLE") -> list[list[str]]:
    return [[*row[:6], label, row[7], repr(score)] for row, score in zip(rows, scores, strict=True)]


@pytest.fixture
def good(tmp_path):
    rows, scores = draw(random.Random(1), 120)
    groundtruth = write_csv(tmp_path / "groundtruth.csv", rows)
    predicted = write_csv(
        tmp_path / "predictions.csv", predictions(rows, scores), ",".join([*EIGHT, "score"])
    )
    return groundtruth, predicted, rows, scores


def expected(rows, scores) -> float:
    return area_fast(ranked([row[6] == "SPEAKING_AUDIBLE" for row in rows], scores))


@slow
@pytest.mark.parametrize("block", one_in(4, range(20)))
def test_200_random_inputs_in_three_header_styles_and_two_orders(tmp_path, block):
    """Against the independent implementation in tests/reference.py, to 1e-12."""
    for number in range(10):
        rng = random.Random(1000 * block + number)
        rows, scores = draw(rng, rng.randint(3, 200))
        wanted = expected(rows, scores)
        shuffle = rng.sample(range(len(rows)), len(rows))
        columns = [*EIGHT, "score"]
        mixed = rng.sample(columns, len(columns))
        for turn, order in enumerate((range(len(rows)), shuffle)):
            predicted = predictions([rows[i] for i in order], [scores[i] for i in order])
            styles = {
                "header": (predicted, ",".join(columns)),
                "none": (predicted, None),
                "mixed": (
                    [[row[columns.index(name)] for name in mixed] for row in predicted],
                    ",".join(mixed),
                ),
            }
            judged = list(styles)[(number + turn) % 3]  # it takes longest
            for name, (body, header) in styles.items():
                truth = write_csv(
                    tmp_path / "g.csv",
                    rows if name != "none" else [row[:8] for row in rows],
                    HEADER if name != "none" else None,
                )
                guess = write_csv(tmp_path / "p.csv", body, header)
                result = evaluate(truth, guess)
                assert result.average_precision == pytest.approx(wanted, abs=1e-12)
                assert result.ties == 0
                assert result.reference_interval == (
                    result.average_precision,
                    result.average_precision,
                )
                if name == judged:
                    assert reference_score(truth, guess) == pytest.approx(wanted, abs=1e-12)


def test_what_the_result_says(good):
    groundtruth, predicted, rows, scores = good
    result = evaluate(groundtruth, predicted)
    positives = sum(row[6] == "SPEAKING_AUDIBLE" for row in rows)
    assert (result.faces, result.tracks, result.videos) == (120, 15, 3)
    assert result.positives == positives
    assert result.prior == positives / 120
    assert (result.missing, result.extra, result.warnings) == (0, 0, ())
    assert 0 < result.chance_interval[0] < result.chance_interval[1] < result.average_precision
    assert result.inputs == {
        "groundtruth": "header in line 1, 10 columns",
        "predictions": "header in line 1, 9 columns",
    }
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["schema_version"] == 1


@slow
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_an_increasing_map_of_scores_matters(good, random_):
    groundtruth, predicted, _, _ = good
    truth, guess = pd.read_csv(groundtruth), pd.read_csv(predicted)
    guess["score"] = guess["score"].round(1)  # with ties, so that order could matter
    plain = evaluate(truth, guess).to_dict()
    orders = [random_.sample(range(len(truth)), len(truth)) for _ in range(2)]
    shuffled = evaluate(truth.iloc[orders[0]], guess.iloc[orders[1]]).to_dict()
    assert shuffled == plain
    mapped = evaluate(truth, guess.assign(score=np.exp(guess["score"]))).to_dict()
    assert mapped == plain


# ------------------------------------------------------------------------------ coverage


def test_wrong_ids_are_refused_with_the_ids_named(good, tmp_path):
    """The reference compares row counts and then drops what does not match, without a word."""
    groundtruth, _, rows, scores = good
    wrong = predictions(rows, scores)
    for row in wrong[:40]:
        row[7] = row[7].replace(":", "_")
    path = write_csv(tmp_path / "wrong.csv", wrong, None)
    with pytest.raises(unitalk.CoverageError) as caught:
        evaluate(groundtruth, path)
    message = caught.value.message
    assert "80 of 120 faces match" in message
    # The first 40 rows go round 3 videos and 5 numbers: all 15 pairs.
    assert "40 faces have no prediction, of 15 tracks: video000000:0, video000001:1" in message
    assert f"the first: video000000:0 at 0 s ({groundtruth}:2)" in message
    assert "40 predictions have no face in the ground truth, of 15 tracks: video0000" in message
    assert f"the first: video000000_0 at 0 s ({path}:1)" in message
    assert caught.value.exit_code == 3
    assert "`partial=True`" in caught.value.hint


def test_partial_scores_what_matches_and_says_so_everywhere(good, tmp_path):
    groundtruth, _, rows, scores = good
    kept = predictions(rows, scores)[30:]
    extra = [*kept[0][:7], "stranger:0", "0.5"]
    path = write_csv(tmp_path / "some.csv", [*kept, extra], None)
    result = evaluate(groundtruth, path, partial=True)
    assert (result.faces, result.missing, result.extra) == (90, 30, 1)
    assert result.average_precision == pytest.approx(expected(rows[30:], scores[30:]), abs=1e-12)
    assert result.warnings[:2] == (
        "partial: 30 faces have no prediction and were left out; this number is not that of the "
        "whole ground truth",
        "partial: 1 predictions have no face and were left out",
    )
    assert "|partial:-30+1|" in result.signature


def test_a_face_that_is_there_twice_is_named_with_both_lines(good, tmp_path):
    groundtruth, predicted, rows, scores = good
    body = predictions(rows, scores)
    path = write_csv(tmp_path / "twice.csv", [*body, body[4]], ",".join([*EIGHT, "score"]))
    where = f"{path}:6 and {path}:122"
    with pytest.raises(unitalk.DataError, match="1 faces are there twice") as caught:
        evaluate(groundtruth, path, partial=True)
    assert where in caught.value.message
    doubled = write_csv(tmp_path / "g2.csv", [*rows, rows[0]])
    with pytest.raises(unitalk.DataError, match=r"video000000:0 at 0 s \(.*g2.csv:2 and .*:122\)"):
        evaluate(doubled, predicted)


# ------------------------------------------------------------------------------ boxes


@pytest.mark.parametrize(("edge", "fine"), [("0.10000001", True), ("0.1000002", False)])
def test_boxes_are_compared_with_a_relative_tolerance_of_one_millionth(tmp_path, edge, fine):
    rows = [face("v", "0.08", "v:0", 0), face("v", "0.12", "v:0", 1)]
    groundtruth = write_csv(tmp_path / "g.csv", rows)
    guess = predictions(rows, [0.1, 0.9])
    guess[1][2] = edge
    path = write_csv(tmp_path / "p.csv", guess, None)
    if fine:
        assert evaluate(groundtruth, path).average_precision == 1.0
        return
    with pytest.raises(unitalk.DataError, match="1 of 2 boxes differ") as caught:
        evaluate(groundtruth, path)
    assert f"{path}:2: v:0 at 0.12 s: 0.1 0.2 0.3 0.45 is annotated" in caught.value.message


# ------------------------------------------------------------------------------ trouble


def test_a_constant_score_gets_the_prior_whatever_the_order_of_rows(good, tmp_path):
    """On a file sorted by label the reference prints 100.00 % for a constant."""
    _, _, rows, _ = good
    positives = sum(row[6] == "SPEAKING_AUDIBLE" for row in rows)
    for name, ordered in (
        ("positives_first", sorted(rows, key=lambda row: row[6], reverse=True)),
        ("negatives_first", sorted(rows, key=lambda row: row[6])),
        ("as_is", rows),
    ):
        groundtruth = write_csv(tmp_path / f"{name}.csv", ordered)
        path = write_csv(tmp_path / "p.csv", predictions(ordered, [0.5] * 120), None)
        result = evaluate(groundtruth, path)
        assert result.average_precision == pytest.approx(positives / 120, abs=1e-15)
        assert result.ties == 120
        assert result.reference_interval == pytest.approx((positives / 120, 1.0), abs=1e-15)
        assert any("within noise of the prior" in text for text in result.warnings)
        assert any("to 100.00 % by row order" in text for text in result.warnings)


def test_scores_that_know_nothing_are_called_noise_and_good_ones_are_not(good):
    groundtruth, predicted, _, _ = good
    guess = pd.read_csv(predicted)
    truth = pd.read_csv(groundtruth)
    guess["score"] = np.random.default_rng(0).random(len(guess))
    assert "within noise of the prior" in evaluate(truth, guess).warnings[0]
    guess["score"] = -(truth["label_id"] + np.linspace(0, 0.1, len(truth)))
    warning = evaluate(truth, guess).warnings[0]
    assert warning.startswith("below the prior")
    assert "are the scores inverted?" in warning


def test_labels_in_predictions_may_be_anything_and_are_counted(good, tmp_path):
    groundtruth, predicted, rows, scores = good
    plain = evaluate(groundtruth, predicted)
    copied = [[*row[:8], repr(score)] for row, score in zip(rows, scores, strict=True)]
    negatives = sum(row[6] != "SPEAKING_AUDIBLE" for row in rows)
    result = evaluate(groundtruth, write_csv(tmp_path / "p.csv", copied, None))
    assert result.average_precision == plain.average_precision
    assert f"{negatives:,} predicted rows have another label" in result.warnings[0]


def test_avas_third_label_and_other_spellings(tmp_path):
    rows = [face("v", f"{i / 25:.2f}", "v:0", 0)[:8] for i in range(3)]
    for row, label in zip(
        rows,
        ["SPEAKING_AND_AUDIBLE", "SPEAKING_BUT_NOT_AUDIBLE", "SPEAKING_NOT_AUDIBLE"],
        strict=True,
    ):
        row[6] = label
    groundtruth = write_csv(tmp_path / "g.csv", rows, None)
    path = write_csv(tmp_path / "p.csv", predictions(rows, [0.1, 0.2, 0.3]), None)
    result = evaluate(groundtruth, path)
    assert result.positives == 1
    assert result.average_precision == pytest.approx(1 / 3, abs=1e-15)  # it is ranked last of three


@pytest.mark.parametrize(
    ("labels", "why"), [([0, 0], "no face is"), ([1, 1], "every face is"), ([0], "no face is")]
)
def test_one_class_has_no_number(run, tmp_path, labels, why):
    rows = [face("v", f"{i / 25:.2f}", "v:0", label) for i, label in enumerate(labels)]
    groundtruth = write_csv(tmp_path / "g.csv", rows)
    path = write_csv(tmp_path / "p.csv", predictions(rows, [0.1, 0.2][: len(rows)]), None)
    ran = run("eval", "-g", groundtruth, "-p", path, "--format", "json")
    found = json.loads(ran.stdout)
    assert found["average_precision"] is None
    assert found["reference_interval"] is None
    assert why in found["undefined"]
    assert ran.code == 3
    assert run("eval", "-g", groundtruth, "-p", path).stdout.startswith(
        "average precision: undefined ("
    )


def test_frames_and_files_give_the_same_result(good):
    groundtruth, predicted, _, _ = good
    from_files = evaluate(groundtruth, predicted).to_dict()
    frames = evaluate(
        unitalk.read_groundtruth(groundtruth), unitalk.read_predictions(predicted)
    ).to_dict()
    assert frames.pop("inputs") == {"groundtruth": "a frame", "predictions": "a frame"}
    from_files.pop("inputs")
    assert frames == from_files


# ------------------------------------------------------------------------------ the reference


@slow
def test_the_tools_line_is_the_references(good):
    groundtruth, predicted, rows, scores = good
    ran = subprocess.run(
        [sys.executable, "tool/get_ava_active_speaker_performance.py", "-g", groundtruth, "-p",
         predicted, "-v"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stdout == f"average precision: {100 * expected(rows, scores):2.2f}%\n"
    # TalkNet and LoCoNet read the number out of the line like this.
    assert float(ran.stdout.split(" ")[2][:5]) == pytest.approx(
        100 * expected(rows, scores), abs=0.01
    )


def test_the_tool_resolves_ties_as_pandas_does(good, tmp_path):
    groundtruth, _, rows, scores = good
    coarse = [round(score) for score in scores]
    shuffled = random.Random(9).sample(range(120), 120)
    body = predictions([rows[i] for i in shuffled], [coarse[i] for i in shuffled])
    path = write_csv(tmp_path / "p.csv", body, None)
    # pandas itself, on the ground truth's row order, says how the tied rows come to stand.
    frame = pd.DataFrame({"score": [float(score) for score in coarse]})
    order = frame.sort_values(by="score", ascending=False).index
    wanted = area_fast([rows[i][6] == "SPEAKING_AUDIBLE" for i in order])
    assert reference_score(groundtruth, path) == pytest.approx(wanted, abs=1e-12)
    low, high = evaluate(groundtruth, path).reference_interval
    assert low < wanted < high


@slow
def test_the_tool_passes_on_what_is_wrong(good, tmp_path):
    groundtruth, _, rows, scores = good
    path = write_csv(tmp_path / "p.csv", predictions(rows, scores)[:50], None)
    ran = subprocess.run(
        [sys.executable, "tool/get_ava_active_speaker_performance.py", "-g", groundtruth, "-p",
         path],
        capture_output=True, text=True, check=False, env={**os.environ},
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (3, "")
    assert "50 of 120 faces match" in ran.stderr


# ------------------------------------------------------------------------------ the command line


def test_the_first_line_of_text_is_the_references(run, good):
    groundtruth, predicted, rows, scores = good
    ran = run("eval", "-g", groundtruth, "-p", predicted)
    lines = ran.stdout.splitlines()
    positives = sum(row[6] == "SPEAKING_AUDIBLE" for row in rows)
    assert lines[0] == f"average precision: {100 * expected(rows, scores):.2f}%"
    assert [line.split() for line in lines[1:6]] == [
        ["faces", "120"],
        ["tracks", "15"],
        ["videos", "3"],
        ["positives", str(positives)],
        ["prior", f"{100 * positives / 120:.2f}%"],
    ]
    assert (ran.code, ran.stderr) == (0, "")


def test_output_never_goes_over_an_input(run, good):
    groundtruth, predicted, _, _ = good
    before = predicted.read_bytes()
    ran = run("eval", "-g", groundtruth, "-p", predicted, "-o", predicted)
    assert ran.code == 2
    assert "would write over an input" in ran.stderr
    assert predicted.read_bytes() == before


@slow
def test_one_of_the_files_may_be_stdin_but_not_both(good):
    groundtruth, predicted, rows, scores = good
    command = [sys.executable, "-m", "unitalk", "eval", "-g", groundtruth, "-p", "-"]
    ran = subprocess.run(command, input=predicted.read_bytes(), capture_output=True, check=True)
    assert ran.stdout.decode().startswith(f"average precision: {100 * expected(rows, scores):.2f}%")
    both = [sys.executable, "-m", "unitalk", "eval", "-g", "-", "-p", "-"]
    ran = subprocess.run(both, input=b"", capture_output=True, check=False)
    assert ran.returncode == 2
    assert b"cannot both come from stdin" in ran.stderr

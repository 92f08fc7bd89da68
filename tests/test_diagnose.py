"""Good predictions broken in one way: the diagnosis names that way, and nothing else."""

from __future__ import annotations

import io
import json
import re
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from conftest import exhaustive, one_in
from real_data import ASW, CHECKOUT, needs
from reference import area_fast, ranked

from unitalk import evaluate
from unitalk.errors import DataError, UsageError
from unitalk.score.diagnose import Diagnosis, Finding, diagnose
from unitalk.score.diagnose.order import check_order
from unitalk.score.diagnose.pairing import NOBODY, pair, repeated
from unitalk.score.diagnose.score_values import Scored, Worth, measure, opposite
from unitalk.score.diagnose.search import CHECKS

BOX = ["entity_box_x1", "entity_box_y1", "entity_box_x2", "entity_box_y2"]
VIDEOS = ["xY_3-aQ9zZk", "-Bc_d0w1Kkq", "mmO4-b_7Pe2", "A1a_Zzz-9rT", "QQ-_11abcDE"]
"""In no sorted order, with the signs that ids of videos have; so are their tracks, 0 to 11."""


# ------------------------------------------------------------------------------ good data


@dataclass(frozen=True)
class Data:
    """Ground truth, good predictions in its order, and what these score (independently)."""

    truth: pd.DataFrame
    guess: pd.DataFrame
    area: float


def draw(seed: int = 7) -> Data:
    """Five videos of twelve tracks at 25 fps, which overlap in time; a model that is often right.

    Tracks are 20 to 60 faces long. Speaking comes in runs; the scores lean towards it, and no two
    are equal.
    """
    random = np.random.default_rng(seed)
    rows = []
    for video in VIDEOS:
        for number in random.permutation(12):
            start, length = int(random.integers(3, 200)), int(random.integers(20, 61))
            x, y = random.uniform(0.05, 0.6, 2)
            speaks = bool(random.integers(2))
            for index in range(length):
                speaks ^= random.random() < 0.06
                box = np.array([x, y, x + 0.15, y + 0.25])
                box = np.round(box + random.normal(0, 0.004, 4), 6)
                label = "SPEAKING_AUDIBLE" if speaks else "NOT_SPEAKING"
                time = round((start + index) * 0.04, 2)
                rows.append([video, time, *box, label, f"{video}:{number}"])
    truth = pd.DataFrame(rows, columns=["video_id", "frame_timestamp", *BOX, "label", "entity_id"])
    speaking = truth["label"] == "SPEAKING_AUDIBLE"
    logits = 2.0 * speaking - 1 + random.normal(0, 0.9, len(truth))
    guess = truth.assign(label="SPEAKING_AUDIBLE", score=1 / (1 + np.exp(-logits)))
    return Data(truth, guess, area_of(truth, guess["score"]))


def area_of(truth: pd.DataFrame, scores) -> float:
    return area_fast(ranked((truth["label"] == "SPEAKING_AUDIBLE").tolist(), list(scores)))


@pytest.fixture(scope="module")
def data() -> Data:
    return draw()


def found(diagnosis: Diagnosis, check: str) -> Finding:
    (finding,) = [finding for finding in diagnosis.findings if finding.check == check]
    return finding


def only_problem(diagnosis: Diagnosis, check: str) -> Finding:
    """The one problem of a diagnosis, which is that of this check."""
    assert [finding.check for finding in diagnosis.problems] == [check]
    assert diagnosis.problems[0].advice
    return diagnosis.problems[0]


def after(finding: Finding, predictions: pd.DataFrame) -> pd.DataFrame:
    """What the lines of pandas that a finding gives make of the predictions."""
    assert finding.code
    space = {"predictions": predictions.copy()}
    exec(finding.code, space)
    return space["predictions"]


def percent(share: float) -> str:
    return f"{100 * share:.2f} %"


# ------------------------------------------------------------------------------ nothing is wrong


def test_good_predictions_have_no_problem(data):
    diagnosis = diagnose(data.truth, data.guess)
    assert diagnosis.problems == ()
    assert [finding.check for finding in diagnosis.findings] == list(CHECKS)
    assert {finding.status for finding in diagnosis.findings} == {"ok"}
    said = found(diagnosis, "result").what
    assert f"average precision {percent(data.area)} of {len(data.truth):,} faces" in said
    assert f"prior {percent((data.truth['label'] == 'SPEAKING_AUDIBLE').mean())}" in said


def test_files_are_as_good_as_frames(data, tmp_path):
    truth, guess = tmp_path / "g.csv", tmp_path / "p.csv"
    data.truth.to_csv(truth, index=False)
    data.guess.sample(frac=1, random_state=3).to_csv(guess, index=False, header=False)
    diagnosis = diagnose(truth, str(guess))
    assert diagnosis.problems == ()
    said = found(diagnosis, "file").what
    assert "header in line 1, 8 columns" in said
    assert "no header, 9 columns" in said


def test_predictions_need_neither_boxes_nor_labels_nor_videos(data):
    diagnosis = diagnose(data.truth, data.guess[["frame_timestamp", "entity_id", "score"]])
    assert diagnosis.problems == ()
    assert "have none" in found(diagnosis, "boxes").what


def test_the_json_has_everything_and_survives(data):
    diagnosis = diagnose(data.truth, data.guess.assign(score=0.25))
    result = json.loads(json.dumps(diagnosis.to_dict(), allow_nan=False))
    assert result["schema_version"] == 1
    assert result["problems"] == ["scores"]
    assert [finding["check"] for finding in result["findings"]] == list(CHECKS)
    scores = result["findings"][CHECKS.index("scores")]
    assert set(scores) == {"check", "status", "what", "examples", "advice", "code"}
    notes = [finding for finding in diagnosis.findings if finding.status == "note"]
    assert result["warnings"] == [f"{finding.check}: {finding.what}" for finding in notes]
    assert notes  # the result at chance is one


def test_twice_the_same_is_the_same(data):
    assert diagnose(data.truth, data.guess) == diagnose(data.truth, data.guess)


# ------------------------------------------------------------------------------ the file


def write(tmp_path, name: str, text: str) -> str:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return str(tmp_path / name)


def test_a_file_that_is_no_csv_is_a_finding_and_the_rest_is_skipped(data, tmp_path):
    broken = write(tmp_path, "p.csv", "entity_id\tscore\nv:0\t1\n")
    diagnosis = diagnose(data.truth, broken)
    assert "p.csv:1" in only_problem(diagnosis, "file").what
    skipped = [finding for finding in diagnosis.findings if finding.check != "file"]
    assert {finding.status for finding in skipped} == {"note"}
    assert all("not checked: the predictions cannot be read" in f.what for f in skipped)


def test_ground_truth_that_cannot_be_read_leaves_what_rests_on_the_predictions(data, tmp_path):
    broken = write(tmp_path, "g.csv", "a,b\n1,2\n")
    diagnosis = diagnose(broken, data.guess.assign(score=0.5))
    assert [finding.check for finding in diagnosis.problems] == ["file", "scores"]
    assert "every score is 0.5" in found(diagnosis, "scores").what
    assert found(diagnosis, "coverage").what == "not checked: the ground truth cannot be read"


def test_both_files_may_be_broken(tmp_path):
    one, two = write(tmp_path, "g.csv", "a,b\n"), write(tmp_path, "p.csv", "c\n")
    said = only_problem(diagnose(one, two), "file").what
    assert "g.csv:1" in said
    assert "p.csv:1" in said


def test_a_missing_file_is_wrong_usage(data, tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        diagnose(data.truth, tmp_path / "nothing.csv")
    with pytest.raises(UsageError, match="both come from stdin"):
        diagnose("-", "-")


def test_stdin_is_read_once_however_often_it_is_looked_at(data, monkeypatch):
    """A score that is none sends the reader through the file column by column."""
    text = data.guess.to_csv(index=False).encode().replace(b"SPEAKING_AUDIBLE", b"TALKING", 1)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert "TALKING" in only_problem(diagnose(data.truth, "-"), "labels").examples[0]


@pytest.mark.parametrize(
    ("column", "value", "check"),
    [("score", "nan", "scores"), ("label", "talks", "labels"), ("entity_box_x1", "left", "boxes"),
     ("frame_timestamp", "-0.04", "times")],
)  # fmt: skip
def test_a_cell_that_breaks_the_schema_is_the_problem_of_its_column_alone(
    data, tmp_path, column, value, check
):
    broken = data.guess.astype({column: object})
    broken.loc[5, column] = value
    broken.to_csv(tmp_path / "p.csv", index=False)
    finding = only_problem(diagnose(data.truth, tmp_path / "p.csv"), check)
    # Row 5 of the frame is line 7 of the file: the header is line 1.
    assert any(f"p.csv:7: column {column}: {value!r}" in text for text in finding.examples)


def test_the_checks_beside_a_broken_column_still_run(data):
    broken = data.guess.assign(score=data.guess["score"].where(data.guess.index != 9))
    diagnosis = diagnose(data.truth, broken[broken["entity_id"] != f"{VIDEOS[0]}:3"])
    assert [finding.check for finding in diagnosis.problems] == ["coverage", "scores"]
    assert found(diagnosis, "boxes").status == "ok"
    assert "not checked" in found(diagnosis, "order").what


# ------------------------------------------------------------------------------ coverage


def test_one_track_missing_is_named(data):
    gone = f"{VIDEOS[1]}:4"
    size = int((data.truth["entity_id"] == gone).sum())
    diagnosis = diagnose(data.truth, data.guess[data.guess["entity_id"] != gone])
    said = only_problem(diagnosis, "coverage").what
    assert said == f"1 of 60 tracks has no prediction: {gone}, {size} faces"


def test_a_video_missing_is_named_once_and_not_by_its_tracks(data):
    size = int((data.truth["video_id"] == VIDEOS[2]).sum())
    diagnosis = diagnose(data.truth, data.guess[data.guess["video_id"] != VIDEOS[2]])
    said = only_problem(diagnosis, "coverage").what
    assert said == f"1 of 5 videos has no prediction: {VIDEOS[2]}, {size:,} faces"


SMALL = """video_id,frame_timestamp,entity_box_x1,entity_box_y1,entity_box_x2,entity_box_y2,label,entity_id
v,0.04,0.1,0.1,0.2,0.3,SPEAKING_AUDIBLE,v:0
v,0.08,0.1,0.1,0.2,0.3,NOT_SPEAKING,v:0
v,0.12,0.1,0.1,0.2,0.3,NOT_SPEAKING,v:0
v,0.08,0.5,0.1,0.6,0.3,SPEAKING_AUDIBLE,v:1
w,1.00,0.5,0.1,0.6,0.3,NOT_SPEAKING,w:0
"""  # noqa: E501


def small(tmp_path, *rows: str) -> Diagnosis:
    """Diagnose a few predictions, each "entity time score", against the five faces of SMALL."""
    truth = write(tmp_path, "g.csv", SMALL)
    lines = [",".join([text.split()[1], text.split()[0], text.split()[2]]) for text in rows]
    text = "\n".join(["frame_timestamp,entity_id,score", *lines]) + "\n"
    return diagnose(truth, write(tmp_path, "p.csv", text))


def test_missing_and_extra_faces_by_hand(tmp_path):
    """What SMALL has, what the predictions have, and what comes of it.

    face      v:0 .04  v:0 .08  v:0 .12  v:1 .08  w:0 1.00  x:9 .04
    truth        x        x        x        x        x         -
    predicted    x        -        x        -        -         x
    missing               1 face           track    video
    extra                                                    1 face
    line                  g:3              g:5      g:6       p:4
    """
    finding = only_problem(
        small(tmp_path, "v:0 0.04 0.9", "v:0 0.12 0.2", "x:9 0.04 0.5"), "coverage"
    )
    assert finding.what == (
        "1 of 2 videos has no prediction: w, 1 face; "
        "1 of 3 tracks has no prediction: v:1, 1 face; "
        "1 of 5 faces has no prediction, of 1 track: v:0, 1 face; "
        "1 prediction is for no face of the ground truth, of 1 track: x:9, 1 face"
    )
    places = [text.replace(str(tmp_path), "") for text in finding.examples]
    assert places == [
        "/g.csv:3: v:0 at 0.08 s",
        "/g.csv:5: v:1 at 0.08 s",
        "/p.csv:4: x:9 at 0.04 s",
    ]


def test_a_face_at_a_time_that_nothing_explains_is_told_by_coverage(tmp_path):
    rows = ["v:0 0.04 .9", "v:0 0.0953 .3", "v:0 0.12 .2", "v:1 0.08 .8", "w:0 1 .1"]
    diagnosis = small(tmp_path, *rows)
    said = only_problem(diagnosis, "coverage").what
    assert "1 of 5 faces has no prediction, of 1 track: v:0" in said
    assert "1 prediction is for no face" in said
    assert "the first: v:0 at 0.0953 s" in found(diagnosis, "times").what
    assert found(diagnosis, "times").status == "note"


def test_predictions_for_something_else_altogether(data):
    other = data.guess.assign(entity_id="zz" + data.guess["entity_id"].str[2:] + "9")
    diagnosis = diagnose(data.truth, other)
    said = only_problem(diagnosis, "coverage")
    assert said.what.startswith(f"not one of the {len(other):,} predictions is for one of the")
    assert "another split" in said.advice
    assert found(diagnosis, "ids").status == "note"


# ------------------------------------------------------------------------------ duplicates


def test_duplicates_by_hand(tmp_path):
    """The second and the sixth row of the predictions (lines 3 and 7) are for one face."""
    rows = ["v:0 0.04 .9", "v:0 0.08 .3", "v:0 0.12 .2", "v:1 0.08 .8", "w:0 1 .1", "v:0 0.0800 .4"]
    finding = only_problem(small(tmp_path, *rows), "duplicates")
    assert finding.what == (
        "1 prediction is for a face that has one already; 1 of them with another score"
    )
    assert finding.examples == (f"{tmp_path}/p.csv:3 and {tmp_path}/p.csv:7: v:0 at 0.08 s",)


def test_a_file_that_was_written_twice_is_mended_by_the_line_that_is_given(data):
    twice = pd.concat([data.guess, data.guess], ignore_index=True)
    finding = only_problem(diagnose(data.truth, twice), "duplicates")
    assert f"{len(data.guess):,} predictions are for a face" in finding.what
    assert finding.what.endswith("each with the same label, box and score")
    assert diagnose(data.truth, after(finding, twice)).problems == ()


def test_duplicates_in_the_ground_truth_are_the_ground_truths(data):
    twice = pd.concat([data.truth, data.truth[:2]], ignore_index=True)
    finding = only_problem(diagnose(twice, data.guess), "duplicates")
    assert finding.what.startswith("2 faces of the ground truth are there more than once")
    assert f"row {len(data.truth)}:" in finding.examples[0]


ORDERS = {
    "label by label": lambda frame, count: frame,
    "face by face": lambda frame, count: frame.iloc[np.argsort(np.arange(len(frame)) % count)],
    "in any order": lambda frame, count: frame.sample(frac=1, random_state=3),
}


@pytest.mark.parametrize("labels", [
    ["NOT_SPEAKING", "SPEAKING_AUDIBLE"],
    ["SPEAKING_AUDIBLE", "NOT_SPEAKING", "SPEAKING_NOT_AUDIBLE"],
])  # fmt: skip
@pytest.mark.parametrize("order", one_in(3, ORDERS))
def test_of_one_row_for_each_label_those_of_speaking_are_kept(sample, tmp_path, run, order, labels):
    """86.67 % is what the README's second command prints of these predictions as they are."""
    truth = sample / "csv" / "val_orig.csv"
    guess = pd.read_csv(sample / "predictions.csv")
    said = {"SPEAKING_AUDIBLE": guess["score"], "NOT_SPEAKING": 1 - guess["score"],
            "SPEAKING_NOT_AUDIBLE": guess["score"] / 3}  # fmt: skip
    rows = pd.concat([guess.assign(label=label, score=said[label]) for label in labels])
    rows = ORDERS[order](rows, len(guess))
    rows.to_csv(tmp_path / "p.csv", index=False)
    asked = ["-g", truth, "-p", tmp_path / "p.csv"]
    for verb in ("eval", "diagnose"):
        ran = run(verb, *asked)
        assert ran.code == 3
        text = " ".join((ran.stdout + ran.stderr).split())
        assert "one row for each label: keep those of SPEAKING_AUDIBLE" in text
    diagnosis = diagnose(truth, tmp_path / "p.csv")
    finding = only_problem(diagnosis, "duplicates")
    # What comes behind it is said of the rows that are kept.
    assert "average precision 86.67 % of 3,077 faces" in found(diagnosis, "result").what
    first = next(line for line in ran.stdout.splitlines() if line.startswith("    predictions"))
    assert first.strip() == finding.code
    kept = after(finding, pd.read_csv(tmp_path / "p.csv"))
    kept.to_csv(tmp_path / "kept.csv", index=False)
    assert "86.67" in run("eval", "-g", truth, "-p", tmp_path / "kept.csv").stdout


def test_a_line_that_would_take_a_faces_only_row_is_not_given(data):
    """Some faces have one row for each label, and others only that of another label."""
    twice = pd.concat([data.guess, data.guess[:9].assign(label="NOT_SPEAKING", score=0.0)])
    assert only_problem(diagnose(data.truth, twice), "duplicates").code
    lone = twice.reset_index(drop=True)
    lone.loc[20, "label"] = "NOT_SPEAKING"
    finding = found(diagnose(data.truth, lone), "duplicates")
    assert finding.advice == "one row for each label: keep those of SPEAKING_AUDIBLE"
    assert finding.code is None


SAME, OWN = "each with the same label, box and score", "give each track an entity_id of its own"
DOUBLES = {
    "copies": ({}, SAME, "keep one row for each face"),
    "scores": ({"score": 0.123}, "5 of them with another score",
               "keep the row with the right score for each face"),
    "boxes": ({BOX[2]: 0.99}, "5 of them with another box", OWN),
    "both": ({BOX[2]: 0.99, "score": 0.123},
             "5 of them with another box, 5 of them with another score", OWN),
    "labels": ({"label": "NOT_SPEAKING"}, "5 of them with another label",
               "one row for each label: keep those of SPEAKING_AUDIBLE"),
}  # fmt: skip


@pytest.mark.parametrize("name", DOUBLES)
def test_what_differs_between_two_rows_of_a_face_is_said_and_decides_what_to_do(data, name):
    change, words, advice = DOUBLES[name]
    guess = pd.concat([data.guess, data.guess[40:45].assign(**change)], ignore_index=True)
    finding = found(diagnose(data.truth, guess), "duplicates")
    assert words in finding.what
    assert finding.advice == advice
    assert (finding.code is not None) == (name in {"copies", "labels"})
    with pytest.raises(DataError, match="5 faces are there twice") as caught:
        evaluate(data.truth, guess)
    assert words in caught.value.message
    assert caught.value.hint == finding.advice
    if finding.code:
        result = evaluate(data.truth, after(finding, guess))
        assert result.average_precision == pytest.approx(data.area)


@pytest.mark.parametrize(("change", "advice"), [
    ({}, "keep one row for each face"),
    ({"label": "NOT_SPEAKING"}, "keep the row with the right label for each face"),
    ({"entity_box_y1": 0.011}, "give each track an entity_id of its own"),
])  # fmt: skip
def test_what_differs_between_two_rows_of_the_ground_truth(data, change, advice):
    speaking = data.truth[data.truth["label"] == "SPEAKING_AUDIBLE"][:4]
    truth = pd.concat([data.truth, speaking.assign(**change)], ignore_index=True)
    finding = only_problem(diagnose(truth, data.guess), "duplicates")
    assert finding.advice == f"in the ground truth, {advice}"
    with pytest.raises(DataError, match="4 faces are there twice") as caught:
        evaluate(truth, data.guess)
    assert caught.value.hint == advice


# ------------------------------------------------------------------------------ times

TIMES = {
    "are rounded to 1 decimal": lambda t: t.round(1),
    "are rounded to whole seconds": lambda t: t.round(0),
    "are cut off after 1 decimal": lambda t: np.floor(t * 10 + 1e-9) / 10,
    "are in milliseconds; seconds are wanted": lambda t: (t * 1000).round(),
    "are shifted: 0.04 s too late (one frame at 25 fps)": lambda t: t + 0.04,
    "are shifted: 0.08 s too early (2 frames at 25 fps)": lambda t: t - 0.08,
    "are shifted: 100 s too late (2500 frames at 25 fps)": lambda t: t + 100,
    "are numbers of frames, 25 a second, from 0 on": lambda t: (t * 25).round(),
    "are numbers of frames, 25 a second, from 1 on": lambda t: (t * 25).round() + 1,
    "are numbers of frames, 30 a second, from 0 on": lambda t: (t * 30).round(),
}


@pytest.mark.parametrize("words", TIMES)
def test_times_that_were_changed(data, words):
    change = TIMES[words]
    broken = data.guess.assign(frame_timestamp=change(data.guess["frame_timestamp"]))
    diagnosis = diagnose(data.truth, broken)
    finding = only_problem(diagnosis, "times")
    assert words in finding.what
    # Counted as the reader would: faces whose time is another one, by more than a millisecond.
    differ = (broken["frame_timestamp"] - data.truth["frame_timestamp"]).abs() > 0.0011
    assert finding.what.startswith(f"{differ.sum():,} predictions of 60 tracks are at times")
    # Every face was found all the same, and its score with it.
    assert f"average precision {percent(data.area)} of" in found(diagnosis, "result").what
    first = int(np.flatnonzero(differ)[0])
    said, true = broken["frame_timestamp"][first], data.truth["frame_timestamp"][first]
    assert finding.examples[0].endswith(f"row {first}: {said:g} where the face is at {true:g} s")


@pytest.mark.parametrize(
    "words", [w for w in TIMES if "shifted" in w or "milli" in w or "25 a second" in w]
)
def test_the_line_that_is_given_restores_the_times(data, words):
    broken = data.guess.assign(frame_timestamp=TIMES[words](data.guess["frame_timestamp"]))
    mended = after(only_problem(diagnose(data.truth, broken), "times"), broken)
    np.testing.assert_allclose(mended["frame_timestamp"], data.truth["frame_timestamp"], atol=1e-9)


def test_times_with_three_decimals_that_were_rounded_to_two(data):
    finer = data.truth.assign(frame_timestamp=(data.truth["frame_timestamp"] / 29.97 * 25).round(3))
    broken = data.guess.assign(frame_timestamp=finer["frame_timestamp"].round(2))
    assert "are rounded to 2 decimals" in only_problem(diagnose(finer, broken), "times").what


@pytest.mark.parametrize("unit", ["seconds", "faces"])
def test_times_that_count_from_the_start_of_each_track(data, unit):
    groups = data.guess.groupby("entity_id", sort=False)
    start = groups["frame_timestamp"].transform("min")
    times = data.guess["frame_timestamp"] - start if unit == "seconds" else groups.cumcount()
    words = {"seconds": "count from the start of each track", "faces": "number the faces of each"}
    diagnosis = diagnose(data.truth, data.guess.assign(frame_timestamp=times.astype(float)))
    finding = only_problem(diagnosis, "times")
    assert words[unit] in finding.what
    assert percent(data.area) in found(diagnosis, "result").what


def test_a_shift_in_one_video_and_a_face_missing_there_are_two_problems(data):
    inside = data.guess["video_id"] == VIDEOS[3]
    broken = data.guess.assign(frame_timestamp=data.guess["frame_timestamp"] + 0.04 * inside)
    gone = int(np.flatnonzero(inside)[5])
    diagnosis = diagnose(data.truth, broken.drop(index=gone))
    assert [finding.check for finding in diagnosis.problems] == ["times", "coverage"]
    assert "shifted: 0.04 s too late" in found(diagnosis, "times").what
    entity = data.truth["entity_id"][gone]
    assert found(diagnosis, "coverage").what == (
        f"1 of {len(data.truth):,} faces has no prediction, of 1 track: {entity}, 1 face"
    )


# ------------------------------------------------------------------------------ ids

IDS = {
    "have `_` for `:`": lambda f: f["entity_id"].str.replace(":", "_"),
    "have `-` for `:`": lambda f: f["entity_id"].str.replace(":", "-"),
    "have `.` for `:`": lambda f: f["entity_id"].str.replace(":", "."),
    "have `%3A` for `:`": lambda f: f["entity_id"].str.replace(":", "%3A"),
    "have the wide colon": lambda f: f["entity_id"].str.replace(":", "\uff1a"),
    "have a path before them": lambda f: "clips/val/" + f["entity_id"],
    "have a file's extension": lambda f: f["entity_id"] + ".wav",
    "have blanks at their ends": lambda f: f["entity_id"] + " ",
    "lack the video's id": lambda f: f["entity_id"].str.split(":").str[1],
    "are instance_ids": lambda f: f["entity_id"] + ":" + (f.index % 3).astype(str),
    "have a path before them and have a file's extension and have `_` for `:`":
        lambda f: "a\\b/" + f["entity_id"].str.replace(":", "_") + ".mp4",
}  # fmt: skip


@pytest.mark.parametrize("words", IDS)
def test_ids_in_another_spelling(data, words):
    broken = data.guess.assign(entity_id=IDS[words](data.guess))
    diagnosis = diagnose(data.truth, broken)
    finding = only_problem(diagnosis, "ids")
    count = len(broken[["video_id", "entity_id"]].drop_duplicates())
    assert finding.what.startswith(f"{count} of {count} ids in the predictions {words}")
    # By its escape, as the wide colon is hardly told from the other.
    said = f"row 0: {broken['entity_id'][0]!a} is {data.truth['entity_id'][0]!r}"
    assert finding.examples[0].endswith(said)
    assert percent(data.area) in found(diagnosis, "result").what
    pd.testing.assert_series_equal(after(finding, broken)["entity_id"], data.guess["entity_id"])


def test_ids_that_a_file_may_not_have_are_read_all_the_same(data, tmp_path):
    """A path is no id, so the schema refuses the column; the check looks at it nevertheless."""
    data.guess.assign(entity_id="val/" + data.guess["entity_id"]).to_csv(
        tmp_path / "p.csv", index=False
    )
    finding = only_problem(diagnose(data.truth, tmp_path / "p.csv"), "ids")
    assert "have a path before them" in finding.what
    assert finding.examples[0].startswith(
        f"{tmp_path}/p.csv:2: 'val/{data.truth['entity_id'][0]}' is"
    )


def test_ids_in_small_letters_or_with_noughts_have_no_line_but_are_found(data):
    names = data.guess["entity_id"]
    padded = names.str.split(":").str[0] + ":" + names.str.split(":").str[1].str.zfill(5)
    for broken in (names.str.lower(), padded):
        finding = only_problem(diagnose(data.truth, data.guess.assign(entity_id=broken)), "ids")
        assert "differ in capitals or punctuation" in finding.what
        assert finding.code is None


def test_only_some_ids_misspelt(data):
    wrong = data.guess["video_id"] == VIDEOS[0]
    names = data.guess["entity_id"]
    broken = data.guess.assign(entity_id=names.where(~wrong, names.str.replace(":", "_")))
    finding = only_problem(diagnose(data.truth, broken), "ids")
    assert finding.what == (
        f"12 of 60 ids in the predictions have `_` for `:` ({wrong.sum()} faces)"
    )
    # The line leaves the right ones alone, though videos' ids have `_` in them.
    assert after(finding, broken)["entity_id"].equals(names)


def test_an_id_that_is_refused_and_belongs_to_nothing(data):
    broken = data.guess.assign(entity_id=data.guess["entity_id"].replace(f"{VIDEOS[0]}:1", 'a"b'))
    diagnosis = diagnose(data.truth, broken)
    assert [finding.check for finding in diagnosis.problems] == ["ids", "coverage"]
    assert "entity_id" in found(diagnosis, "ids").what


def test_an_unknown_track_is_not_taken_for_one_that_is_there(data):
    """`v_0` beside `v:0` is one track too many, and no misspelling."""
    extra = data.guess[:3].assign(entity_id=f"{VIDEOS[0]}_0")
    diagnosis = diagnose(data.truth, pd.concat([data.guess, extra], ignore_index=True))
    said = only_problem(diagnosis, "coverage").what
    assert said == (
        f"3 predictions are for no face of the ground truth, of 1 track: {VIDEOS[0]}_0, 3 faces"
    )
    assert found(diagnosis, "ids").what.startswith("1 of 61 ids in the predictions are not")


# ------------------------------------------------------------------------------ boxes


def with_boxes(data: Data, boxes: np.ndarray) -> pd.DataFrame:
    return data.guess.assign(**dict(zip(BOX, boxes.T, strict=True)))


BOXES = {
    "they look like pixels of a frame of 1280 x 720;": lambda b: b * [1280, 720, 1280, 720],
    "they look like pixels of a frame of 1920 x 1080;":
        lambda b: np.floor(b * [1920, 1080, 1920, 1080]),
    "they look like pixels of a frame of 640 x 360;": lambda b: np.rint(b * [640, 360, 640, 360]),
    "they look like x, y, width, height":
        lambda b: np.c_[b[:, 0], b[:, 1], b[:, 2] - b[:, 0], b[:, 3] - b[:, 1]],
    "they look like centre x, centre y, width, height":
        lambda b: np.c_[
            (b[:, :2] + b[:, 2:]) / 2, b[:, 2] - b[:, 0], b[:, 3] - b[:, 1]],
    "they look like y1, x1, y2, x2": lambda b: b[:, [1, 0, 3, 2]],
    "they look like x1, x2, y1, y2": lambda b: b[:, [0, 2, 1, 3]],
    "they look like x2, y2, x1, y1": lambda b: b[:, [2, 3, 0, 1]],
    "pixels of a frame of 1280 x 720, as x, y, width, height":
        lambda b: np.rint(
            np.c_[b[:, 0], b[:, 1], b[:, 2] - b[:, 0], b[:, 3] - b[:, 1]]
            * [1280, 720, 1280, 720]),
    "they are rounded to 2 decimals": lambda b: b.round(2),
    "they are rounded to 4 decimals": lambda b: b.round(4),
    "all of them are 0 0 1 1": lambda b: np.tile([0.0, 0, 1, 1], (len(b), 1)),
    "by 0.3 at most, in no way known": lambda b: b + np.array([0.3, 0, 0, 0.1]),
}  # fmt: skip


@pytest.mark.parametrize("words", BOXES)
def test_boxes_that_are_not_the_ground_truths(data, words):
    broken = with_boxes(data, BOXES[words](data.truth[BOX].to_numpy()))
    finding = only_problem(diagnose(data.truth, broken), "boxes")
    assert words in finding.what
    ours = " ".join(f"{edge:g}" for edge in data.truth[BOX].iloc[0])
    assert finding.examples[0].endswith(f"where the face is in {ours}")


def test_pixels_of_videos_of_several_sizes(data):
    """Three videos of 1280 x 720 and two of 640 x 480: the more frequent size comes first."""
    wide = data.truth["video_id"].isin(VIDEOS[:3]).to_numpy()[:, None]
    scale = np.where(wide, [1280, 720, 1280, 720], [640, 480, 640, 480])
    broken = with_boxes(data, np.rint(data.truth[BOX].to_numpy() * scale))
    said = only_problem(diagnose(data.truth, broken), "boxes").what
    assert "pixels of frames of 1280 x 720, 640 x 480; 0 to 1 is wanted" in said


def test_one_box_that_differs_is_counted_and_the_last_digit_is_not(data):
    boxes = data.truth[BOX].to_numpy().copy()
    broken = with_boxes(data, boxes * (1 + 9e-7))  # a millionth of the edge is allowed
    assert diagnose(data.truth, broken).problems == ()
    boxes[17, 2] += 0.0701
    finding = only_problem(diagnose(data.truth, with_boxes(data, boxes)), "boxes")
    assert finding.what.startswith(f"1 of {len(boxes):,} boxes differ")
    assert "by 0.0701 at most" in finding.what
    assert " row 17: " in finding.examples[0]


# ------------------------------------------------------------------------------ labels


def test_labels_that_are_mixed(data):
    guessed = np.where(data.guess["score"] > 0.7, "SPEAKING_AUDIBLE", "NOT_SPEAKING")
    speaking = int((guessed == "SPEAKING_AUDIBLE").sum())
    finding = only_problem(diagnose(data.truth, data.guess.assign(label=guessed)), "labels")
    assert finding.what == (
        f"the predictions' labels are mixed: {speaking:,} SPEAKING_AUDIBLE, "
        f"{len(guessed) - speaking:,} NOT_SPEAKING; the reference fails on them or drops rows"
    )
    mended = after(finding, data.guess.assign(label=guessed))
    assert mended["label"].eq("SPEAKING_AUDIBLE").all()
    assert mended["score"].equals(data.guess["score"])


def test_the_ground_truths_own_labels_are_recognised(data):
    finding = only_problem(diagnose(data.truth, data.guess.assign(label=data.truth["label"])),
                           "labels")  # fmt: skip
    assert "they are the ground truth's own" in finding.what


@pytest.mark.parametrize("logits", [False, True])
def test_scores_of_the_label_that_was_guessed_are_turned_round(data, logits):
    """A program that writes how sure it is of its guess: .9 for not speaking is .1 for speaking."""
    score = data.guess["score"].to_numpy()
    speaks = score > 0.5
    sure = np.where(speaks, score, 1 - score)
    if logits:
        sure = np.log(sure / (1 - sure))
    label = np.where(speaks, "SPEAKING_AUDIBLE", "NOT_SPEAKING")
    broken = data.guess.assign(label=label, score=sure)
    finding = only_problem(diagnose(data.truth, broken), "labels")
    before = area_of(data.truth, sure)
    assert f"they get {percent(data.area)} instead of {percent(before)}" in finding.what
    assert area_of(data.truth, after(finding, broken)["score"]) == pytest.approx(data.area)


def test_the_opposite_of_a_score():
    assert opposite(np.array([0.0, 0.25, 1.0])).tolist() == [1.0, 0.75, 0.0]
    assert opposite(np.array([-2.0, 0.25, 3.0])).tolist() == [2.0, -0.25, -3.0]


def test_labels_that_are_empty_are_worth_a_note(data):
    diagnosis = diagnose(data.truth, data.guess.assign(label=""))
    assert diagnosis.problems == ()
    assert found(diagnosis, "labels").status == "note"
    some = data.guess["label"].where(data.guess.index >= 4, "")
    finding = only_problem(diagnose(data.truth, data.guess.assign(label=some)), "labels")
    assert f"{len(some) - 4:,} SPEAKING_AUDIBLE, 4 nothing" in finding.what


@pytest.mark.parametrize(
    ("label", "words"),
    [("SPEAKING_AUDIBLE", "is labelled SPEAKING_AUDIBLE"),
     ("NOT_SPEAKING", "is labelled not SPEAKING_AUDIBLE"),
     ("SPEAKING_NOT_AUDIBLE", "is labelled not SPEAKING_AUDIBLE")],
)  # fmt: skip
def test_ground_truth_of_one_class(data, label, words):
    diagnosis = diagnose(data.truth.assign(label=label), data.guess)
    finding = only_problem(diagnosis, "labels")
    assert words in finding.what
    assert "AVA's test split" in finding.advice
    assert "not checked" in found(diagnosis, "result").what


# ------------------------------------------------------------------------------ scores


def test_a_constant_score(data):
    diagnosis = diagnose(data.truth, data.guess.assign(score=0.5))
    prior = (data.truth["label"] == "SPEAKING_AUDIBLE").mean()
    said = only_problem(diagnosis, "scores").what
    assert said == f"every score is 0.5: average precision can only be the prior, {percent(prior)}"


def test_decisions_instead_of_scores(data):
    hard = (data.guess["score"] > 0.5).astype(float)
    said = only_problem(diagnose(data.truth, data.guess.assign(score=hard)), "scores").what
    assert said.startswith("there are only two scores, 0 and 1:")


def test_scores_that_are_upside_down(data):
    broken = data.guess.assign(score=1 - data.guess["score"])
    finding = only_problem(diagnose(data.truth, broken), "scores")
    before = area_of(data.truth, broken["score"])
    assert (
        f"turned round they get {percent(data.area)} instead of {percent(before)}" in finding.what
    )
    assert area_of(data.truth, after(finding, broken)["score"]) == pytest.approx(data.area)


def test_scores_with_one_decimal(data):
    """The interval is that of all orders of tied rows: negatives first, and positives first."""
    broken = data.guess.assign(score=data.guess["score"].round(1))
    finding = only_problem(diagnose(data.truth, broken), "scores")
    speaking = (data.truth["label"] == "SPEAKING_AUDIBLE").to_numpy()
    worst = area_of(data.truth, broken["score"] - 1e-6 * speaking)
    best = area_of(data.truth, broken["score"] + 1e-6 * speaking)
    assert f"anything from {percent(worst)} to {percent(best)}" in finding.what
    assert "100.00 % of the faces share their score with another one, written with 1 decimal" in (
        finding.what
    )
    lowest, highest = (broken["score"] == 0).mean(), (broken["score"] == 1).mean()
    assert f"({percent(lowest)} have the lowest, {percent(highest)} the highest)" in finding.what


def test_scores_that_are_saturated_by_four_decimals(data):
    """Logits 8 times as large, through a sigmoid and `%.4f`: most scores are 0.0000 or 1.0000."""
    logits = np.log(data.guess["score"] / (1 - data.guess["score"])) * 8
    text = [f"{1 / (1 + np.exp(-x)):.4f}" for x in logits]
    finding = only_problem(diagnose(data.truth, data.guess.assign(score=text)), "scores")
    ones = sum(value == "1.0000" for value in text) / len(text)
    assert f"{percent(ones)} the highest" in finding.what
    assert "written with 4 decimals" in finding.what
    assert "logits" in finding.advice


def test_ties_that_move_the_last_printed_digits_are_a_note(data):
    """Logits with two decimals: what the reference prints hangs on luck, but by little."""
    logits = np.log(data.guess["score"] / (1 - data.guess["score"])).round(2)
    speaking = (data.truth["label"] == "SPEAKING_AUDIBLE").to_numpy()
    worst, best = (area_of(data.truth, logits + sign * 1e-6 * speaking) for sign in (-1, 1))
    assert 0.5e-4 < best - worst < 1e-3  # what the test is about
    diagnosis = diagnose(data.truth, data.guess.assign(score=logits))
    assert diagnosis.problems == ()
    assert found(diagnosis, "scores").status == "note"
    assert f"from {percent(worst)} to {percent(best)}" in found(diagnosis, "scores").what


def test_noise_is_a_note_that_names_no_cause(data):
    noise = np.random.default_rng(1).random(len(data.guess))
    assert area_of(data.truth, noise) <= chance(data.truth, noise)[1]  # what the test is about
    diagnosis = diagnose(data.truth, data.guess.assign(score=noise))
    assert diagnosis.problems == ()
    assert found(diagnosis, "result").status == "note"
    assert "say nothing about these faces" in found(diagnosis, "result").what
    assert "black crops" in found(diagnosis, "result").advice


def chance(truth: pd.DataFrame, scores) -> tuple[float, float]:
    """The interval from its definition: scores on faces 1/21, 2/21, ... 20/21 further on."""
    frame = truth.assign(score=scores)
    frame["track"] = pd.factorize(frame["entity_id"])[0]
    frame = frame.sort_values(["track", "frame_timestamp"])
    n = len(frame)
    labels = (frame["label"] == "SPEAKING_AUDIBLE").to_numpy()
    areas = [
        area_fast(ranked(np.roll(labels, n * k // 21).tolist(), frame["score"].tolist()))
        for k in range(1, 21)
    ]
    return min(areas), max(areas)


def test_the_chance_that_is_told_is_the_definitions(data):
    low, high = chance(data.truth, data.guess["score"])
    said = found(diagnose(data.truth, data.guess), "result").what
    assert said.endswith(f"{percent(low)} to {percent(high)}")


def test_a_leap_is_beyond_luck():
    """Chance reaches .50, from .46: twice its width is .08, so .58 is needed; never under .05 more.

    area .45, chance .46 to .50    -> above .50 + .08 = .58
    area .70, chance .46 to .50    -> above .70 + .08 = .78
    area .45, chance .49 to .50    -> above .50 + .05 = .55
    """
    for area, low, needed in ((0.45, 0.46, 0.58), (0.7, 0.46, 0.78), (0.45, 0.49, 0.55)):
        worth = Worth(area=area, best=area, chance=(low, 0.5), prior=0.4, rows=100)
        assert not worth.leaps_to(needed - 0.001)
        assert worth.leaps_to(needed + 0.001)


def test_the_worth_of_one_class_is_unknown():
    rows = np.arange(4)
    assert measure(np.array([True] * 4), np.arange(4.0), rows) is None
    assert measure(np.array([False] * 4), np.arange(4.0), rows) is None


# ------------------------------------------------------------------------------ order


def tracks_of(truth: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(truth["entity_id"]))


def rows_in(truth: pd.DataFrame, tracks: list[str]) -> np.ndarray:
    """The rows of some tracks, one track after the other, each in the file's order."""
    return np.concatenate([np.flatnonzero(truth["entity_id"] == track) for track in tracks])


def number(track: str) -> int:
    return int(track.split(":")[1])


def video(track: str) -> str:
    return track.split(":", maxsplit=1)[0]


LOADERS = {
    "tracks sorted by id as text": lambda t, size: sorted(t),
    "tracks sorted by id, numbers as numbers": lambda t, size: sorted(
        t, key=lambda x: [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", x)]
    ),
    "tracks sorted by id without regard to capitals": lambda t, size: sorted(t, key=str.lower),
    "videos sorted by id, tracks as in the file": lambda t, size: sorted(t, key=video),
    "videos as in the file, tracks sorted as text": lambda t, size: sorted(
        t, key=lambda x: (VIDEOS.index(video(x)), x)
    ),
    "tracks sorted by length": lambda t, size: sorted(t, key=lambda x: size[x]),
    "tracks sorted by length, longest first": lambda t, size: sorted(t, key=lambda x: -size[x]),
    "tracks sorted by length, longest first, then by id downwards": lambda t, size: sorted(
        t, key=lambda x: (size[x], x), reverse=True
    ),
    "tracks in the reverse order": lambda t, size: t[::-1],
    "tracks sorted by id, backwards": lambda t, size: sorted(t, reverse=True),
    "tracks moved up by one": lambda t, size: [*t[1:], t[0]],
    "tracks moved down by one": lambda t, size: [t[-1], *t[:-1]],
}
"""How a loader file came to its order, in plain Python."""


@pytest.mark.parametrize("name", LOADERS)
def test_a_misordered_loader_file_is_named(data, name):
    """A model scores the tracks of a loader file; row i of the csv gets the ith score."""
    size = data.truth["entity_id"].value_counts()
    order = rows_in(data.truth, LOADERS[name](tracks_of(data.truth), size))
    pasted = data.guess["score"].to_numpy()[order]
    before = area_of(data.truth, pasted)
    assert before < data.area - 0.2  # it hurts
    diagnosis = diagnose(data.truth, data.guess.assign(score=pasted))
    finding = only_problem(diagnosis, "order")
    assert f"made for {name}" in finding.what
    assert "written to the rows as they stand" in finding.what
    assert f"they get {percent(data.area)} instead of {percent(before)}" in finding.what
    assert 'groupby("entity_id", sort=False)' in finding.advice


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize(
    ("keys", "cause"),
    [(["entity_id", "frame_timestamp"], 'groupby("entity_id")'),
     (["video_id", "frame_timestamp", "entity_id"], "frame by frame"),
     (["frame_timestamp", "entity_id"], "frame by frame")],
)  # fmt: skip
def test_sorted_rows_are_put_back_by_the_lines_that_are_given(data, keys, cause, inverse):
    order = data.truth.sort_values(keys, kind="stable").index
    broken = data.guess.copy()
    if inverse:  # made for the rows as they stand, written to the sorted ones
        broken.loc[order, "score"] = data.guess["score"].to_numpy()
    else:
        broken["score"] = data.guess["score"].to_numpy()[order]
    finding = only_problem(diagnose(data.truth, broken), "order")
    assert cause in finding.what
    assert after(finding, broken)["score"].equals(data.guess["score"])


def test_ground_truth_by_frame_and_a_loader_that_takes_tracks_whole(data):
    """`groupby(sort=False)` on rows that go by frame: whole tracks, by first appearance."""
    rank = data.truth["video_id"].map(VIDEOS.index)
    by_frame = data.truth.assign(rank=rank).sort_values(
        ["rank", "frame_timestamp"], kind="stable"
    ).index  # fmt: skip
    truth = data.truth.loc[by_frame].reset_index(drop=True)
    guess = data.guess.loc[by_frame].reset_index(drop=True)
    order = rows_in(truth, tracks_of(truth))
    finding = only_problem(
        diagnose(truth, guess.assign(score=guess["score"].to_numpy()[order])), "order"
    )
    assert "made for tracks one after the other" in finding.what
    assert percent(data.area) in finding.what


@pytest.mark.parametrize("shift", [1, -1])
def test_scores_that_slipped_by_one_row(data, shift):
    """Labels that change at every other face make one row matter."""
    truth = data.truth.assign(
        label=np.where(np.random.default_rng(4).random(len(data.truth)) < 0.5,
                       "SPEAKING_AUDIBLE", "NOT_SPEAKING")
    )  # fmt: skip
    speaking = truth["label"] == "SPEAKING_AUDIBLE"
    score = speaking + np.random.default_rng(5).normal(0, 0.3, len(truth))
    broken = data.guess.assign(score=np.roll(score, shift))
    said = only_problem(diagnose(truth, broken), "order").what
    assert "by one" in said
    assert "header line" in said
    assert f"they get {percent(area_of(truth, score))} instead" in said


def test_tracks_scored_from_their_end(data):
    backwards = np.concatenate(
        [np.flatnonzero(data.truth["entity_id"] == t)[::-1] for t in tracks_of(data.truth)]
    )
    pasted = data.guess["score"].to_numpy()[backwards]
    said = only_problem(diagnose(data.truth, data.guess.assign(score=pasted)), "order").what
    assert "each track from its end to its start" in said


def test_rows_that_were_shuffled_with_their_scores_after_they_were_misordered(data):
    """The file's own order says nothing then; the ground truth's still does."""
    order = rows_in(data.truth, sorted(tracks_of(data.truth)))
    pasted = data.guess.assign(score=data.guess["score"].to_numpy()[order])
    finding = only_problem(diagnose(data.truth, pasted.sample(frac=1, random_state=2)), "order")
    assert "made for tracks sorted by id as text" in finding.what
    assert "written to the ground truth's rows" in finding.what
    assert finding.code is None  # sorting the predictions would not do it


def test_rows_that_were_shuffled_without_their_scores(data):
    shuffled = data.guess.sample(frac=1, random_state=8)
    broken = shuffled.assign(score=data.guess["score"].to_numpy())
    finding = only_problem(diagnose(data.truth, broken), "order")
    assert "made for the ground truth's rows and written to the rows as they stand" in finding.what
    assert "without their scores" in finding.what


def test_shuffled_rows_with_their_scores_are_fine(data):
    assert diagnose(data.truth, data.guess.sample(frac=1, random_state=8)).problems == ()


def noise_of(kind: str, truth: pd.DataFrame, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    if kind == "rows":
        return random.random(len(truth))
    if kind == "tracks":
        codes = pd.factorize(truth["entity_id"])[0]
        return random.normal(size=codes.max() + 1)[codes] + 0.01 * random.normal(size=len(truth))
    if kind == "smooth":
        return np.convolve(random.normal(size=len(truth) + 24), np.ones(25) / 25, "valid")
    speaking = truth["label"] == "SPEAKING_AUDIBLE"
    return 0.5 * speaking.to_numpy() + random.normal(size=len(truth))  # weak


@pytest.mark.parametrize("kind", one_in(2, ["rows", "tracks", "smooth", "weak"]))
def test_no_noise_looks_misordered_or_upside_down(kind):
    """Many draws of labels and of scores that have little or nothing to do with them."""
    for seed in range(15):
        drawn = draw(seed % 5).truth
        scores = noise_of(kind, drawn, seed)
        labels = (drawn["label"] == "SPEAKING_AUDIBLE").to_numpy()
        tracks, names = pd.factorize(drawn["entity_id"])
        videos, titles = pd.factorize(drawn["video_id"])
        scored = Scored(
            tracks=tracks.astype(np.int32), names=list(names), videos=videos.astype(np.int32),
            titles=list(titles), moments=(drawn["frame_timestamp"] * 1000).round().astype(int),
            places=np.arange(len(drawn)), labels=labels, scores=scores,
        )  # fmt: skip
        worth = measure(labels, scores, scored.by_track())
        assert worth is not None
        assert check_order(scored, worth).status != "problem", (kind, seed)
        assert not worth.leaps_to(area_of(drawn, -scores)), (kind, seed)


def test_few_tracks_are_not_judged(data):
    few = data.truth["entity_id"].isin(tracks_of(data.truth)[:4])
    diagnosis = diagnose(data.truth[few], data.guess[few])
    assert diagnosis.problems == ()
    assert "fewer than 5 tracks" in found(diagnosis, "order").what


# ------------------------------------------------------------------------------ pairs


def test_pairs_by_hand():
    """Keys of four faces and of five predictions; 7 is predicted twice, and no face is 5.

    row          0   1   2   3   4
    faces        7   3   9   4
    predictions  3   7   5   7   4
    partner      1   0   -   -   3
    """
    partners, repeats = pair(np.array([7, 3, 9, 4]), np.array([3, 7, 5, 7, 4]))
    assert partners.tolist() == [1, 0, NOBODY, NOBODY, 3]
    assert repeats.tolist() == [False, False, False, True, False]


def test_pairs_in_the_same_order_are_the_rows_themselves():
    partners, repeats = pair(np.array([3, 4, 8]), np.array([3, 4, 8]))
    assert partners.tolist() == [0, 1, 2]
    assert not repeats.any()


def test_what_is_repeated_has_one_further_up():
    assert repeated(np.array([5, 1, 5, 5, 1])).tolist() == [False, False, True, True, True]


# ------------------------------------------------------------------------------ several at once


def test_causes_together_are_named_apart(data):
    """Ids with `_`, times in milliseconds, one track missing, pixels, and labels mixed."""
    broken = with_boxes(data, data.truth[BOX].to_numpy() * [1280, 720, 1280, 720]).assign(
        entity_id=data.guess["entity_id"].str.replace(":", "_"),
        frame_timestamp=(data.guess["frame_timestamp"] * 1000).round(),
        label=data.truth["label"],
    )
    gone = data.guess["entity_id"] == f"{VIDEOS[4]}:7"
    diagnosis = diagnose(data.truth, broken[~gone])
    assert [finding.check for finding in diagnosis.problems] == [
        "ids", "times", "coverage", "boxes", "labels",
    ]  # fmt: skip
    assert "have `_` for `:`" in found(diagnosis, "ids").what
    assert "in milliseconds" in found(diagnosis, "times").what
    assert "1 of 60 tracks has no prediction" in found(diagnosis, "coverage").what
    assert "1280 x 720" in found(diagnosis, "boxes").what
    expected = area_of(data.truth[~gone], data.guess["score"][~gone])
    assert f"average precision {percent(expected)}" in found(diagnosis, "result").what


# ------------------------------------------------------------------------------ real annotations


@exhaustive
@needs(ASW)
def test_a_misordered_loader_file_of_real_annotations():
    """Twenty-five of ASW's videos, in the archive's order, and a loader file made with groupby."""
    sys.path.insert(0, str(CHECKOUT / "benchmarks"))
    try:
        import asw_to_csv
    finally:
        sys.path.pop(0)
    faces, videos = [], set()
    for row in asw_to_csv.rows(ASW):
        videos.add(row[0])
        if len(videos) > 25:
            break
        faces.append(row[:8])
    # The archive has the videos in the order of their ids; the published list has not.
    truth = pd.DataFrame(faces, columns=["video_id", "frame_timestamp", *BOX, "label", "entity_id"])
    shuffled = np.random.default_rng(0).permutation(sorted(set(truth["video_id"])))
    truth = pd.concat([truth[truth["video_id"] == v] for v in shuffled], ignore_index=True)
    logits = asw_to_csv.scores((truth["label"] == "SPEAKING_AUDIBLE").to_numpy(), seed=0)
    guess = truth.assign(label="SPEAKING_AUDIBLE", score=logits)
    assert diagnose(truth, guess).problems == ()
    loader = pd.concat([group for _, group in truth.groupby("entity_id")]).index
    pasted = guess.assign(score=logits[loader])
    finding = only_problem(diagnose(truth, pasted), "order")
    good, bad = area_of(truth, logits), area_of(truth, logits[loader])
    assert bad < good - 0.4
    assert f"they get {percent(good)} instead of {percent(bad)}" in finding.what
    assert "groupby" in finding.what
    assert after(finding, pasted)["score"].equals(guess["score"])

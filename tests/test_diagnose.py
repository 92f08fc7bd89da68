"""`diagnose` accuses no healthy predictions, and says what is missing, double or unreadable.

What may have happened to ids, times, boxes and scores is in `test_diagnose_causes`.
"""

from __future__ import annotations

import io
import json
import random
import sys

import numpy as np
import pandas as pd
import pytest
from diagnosed import (
    BOX,
    KEY,
    SPEAKING,
    VIDEOS,
    Data,
    after,
    checks,
    draw,
    found,
    only_problem,
    percent,
)

from unitalk import Diagnosis, diagnose, evaluate
from unitalk.errors import DataError, UsageError
from unitalk.score.diagnose import CHECKS


@pytest.fixture(scope="module")
def data() -> Data:
    return draw()


def write(folder, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


# ------------------------------------------------------------------------------ nothing is wrong


def test_good_predictions_have_no_problem(data):
    diagnosis = diagnose(data.truth, data.guess)
    assert [finding.check for finding in diagnosis.findings] == list(CHECKS)
    assert {finding.status for finding in diagnosis.findings} == {"ok"}
    said = found(diagnosis, "result").what
    assert f"average precision {percent(data.area)} of {len(data.truth):,} faces" in said
    assert f"prior {percent((data.truth['label'] == SPEAKING).mean())}" in said
    assert diagnosis == diagnose(data.truth, data.guess)


def test_neither_boxes_nor_labels_nor_videos_nor_an_order_is_needed(data):
    few = data.guess[["frame_timestamp", "entity_id", "score"]].sample(frac=1, random_state=8)
    diagnosis = diagnose(data.truth, few)
    assert diagnosis.problems == ()
    assert percent(data.area) in found(diagnosis, "result").what


def synthetic(seed, *, videos, tracks, skill, bias=0.0, flip=0.05, prior=0.5):
    """Ground truth and a model: `skill` is what speaking adds, `bias` what the track does."""
    rng = np.random.default_rng(seed)
    rows = []
    for video in rng.integers(10**9, size=videos):
        for track in rng.permutation(tracks):
            lean, state = bias * rng.normal(), rng.random() < prior
            for index in range(int(rng.integers(15, 50))):
                state = rng.random() < prior if rng.random() < flip else state
                quiet = "SPEAKING_NOT_AUDIBLE" if rng.random() < 0.1 else "NOT_SPEAKING"
                score = skill * state + lean + 0.5 * rng.normal()
                rows.append((f"v{video}", index / 25, SPEAKING if state else quiet,
                             f"v{video}:{track}", score))  # fmt: skip
    columns = ["video_id", "frame_timestamp", "label", "entity_id", "score"]
    frame = pd.DataFrame(rows, columns=columns).assign(
        **dict(zip(BOX, (0.1, 0.1, 0.2, 0.3), strict=True))
    )
    return frame.drop(columns="score"), frame[[*KEY, "score"]]


WEAK = {
    "barely above the prior": {"videos": 5, "tracks": 6, "skill": 0.05},
    "noise": {"videos": 5, "tracks": 6, "skill": 0.0},
    "noise with a lean per track": {"videos": 4, "tracks": 6, "skill": 0.0, "bias": 3.0},
    "a lean per track": {"videos": 5, "tracks": 6, "skill": 0.3, "bias": 3.0},
    "one video": {"videos": 1, "tracks": 8, "skill": 1.0},
    "two tracks": {"videos": 1, "tracks": 2, "skill": 1.0},
    "five tracks, labels that never change": {
        "videos": 1, "tracks": 5, "skill": 0.0, "bias": 2.0, "flip": 0.0},
    "rare speech": {"videos": 4, "tracks": 6, "skill": 0.0, "bias": 2.0, "prior": 0.15},
    "one track per video": {"videos": 12, "tracks": 1, "skill": 0.0, "bias": 2.0, "flip": 0.01},
    "worse than chance by luck": {"videos": 1, "tracks": 6, "skill": -0.2, "bias": 2.0},
}  # fmt: skip


@pytest.mark.parametrize("name", WEAK)
def test_weak_and_tiny_and_leaning_models_are_not_accused(name):
    """Three labels as AVA has them; what has no positive or no negative is not data."""
    for seed in range(5):
        truth, guess = synthetic(seed, **WEAK[name])
        if truth["label"].eq(SPEAKING).nunique() == 2:
            assert checks(diagnose(truth, guess)) == [], seed


@pytest.mark.parametrize("seed", range(2))
def test_tracks_in_no_order_at_all_have_no_cause(data, seed):
    """A loader shuffled at random cannot be undone, and no order may be named for it."""
    groups = data.guess.groupby("entity_id", sort=False)["score"]
    tracks = np.random.default_rng(seed).permutation(data.guess["entity_id"].unique())
    score = np.concatenate([groups.get_group(track) for track in tracks])
    diagnosis = diagnose(data.truth, data.guess.assign(score=score))
    assert diagnosis.problems == ()
    assert "black crops" in found(diagnosis, "result").advice


def test_any_increasing_scale_is_fine(data):
    logit = np.log(data.guess["score"] / (1 - data.guess["score"]))
    for score in (logit, logit * 1e300, data.guess["score"].astype("float32") * 100):
        assert diagnose(data.truth, data.guess.assign(score=score)).problems == ()


def test_the_json_has_everything(data):
    diagnosis = diagnose(data.truth, data.guess.assign(score=0.25))
    result = json.loads(json.dumps(diagnosis.to_dict(), allow_nan=False))
    assert result["schema_version"] == 1
    assert result["problems"] == ["scores"]
    assert [finding["check"] for finding in result["findings"]] == list(CHECKS)
    assert set(result["findings"][0]) == {
        "check", "status", "what", "examples", "advice", "code"
    }  # fmt: skip
    notes = [finding for finding in diagnosis.findings if finding.status == "note"]
    assert result["warnings"] == [f"{finding.check}: {finding.what}" for finding in notes]
    assert notes  # the result at chance is one


# ------------------------------------------------------------------------------ the files


def test_a_file_that_is_not_csv_is_a_finding_and_the_rest_is_skipped(data, tmp_path):
    broken = write(tmp_path, "p.csv", "entity_id\tscore\nv:0\t1\n")
    diagnosis = diagnose(data.truth, broken)
    assert "p.csv:1" in only_problem(diagnosis, "file").what
    skipped = [finding for finding in diagnosis.findings if finding.check != "file"]
    assert {finding.status for finding in skipped} == {"note"}
    assert all(f.what.startswith("not checked") for f in skipped)


def test_ground_truth_that_cannot_be_read_leaves_what_rests_on_the_predictions(data, tmp_path):
    broken = write(tmp_path, "g.csv", "a,b\n1,2\n")
    diagnosis = diagnose(broken, data.guess.assign(score=0.5))
    assert checks(diagnosis) == ["file", "scores"]
    said = only_problem(diagnose(broken, write(tmp_path, "p.csv", "c\n")), "file").what
    assert "g.csv:1" in said
    assert "p.csv:1" in said


def test_a_missing_file_is_wrong_usage(data, tmp_path):
    with pytest.raises(UsageError, match=r"nothing\.csv"):
        diagnose(data.truth, tmp_path / "nothing.csv")
    with pytest.raises(UsageError, match="stdin"):
        diagnose("-", "-")


def test_stdin_is_read_once_however_often_it_is_looked_at(data, monkeypatch):
    """A label that is unknown sends the reader through the file column by column."""
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
    broken.loc[0, "label"] = "NOT_SPEAKING"
    diagnosis = diagnose(data.truth, broken[broken["entity_id"] != f"{VIDEOS[0]}:3"])
    assert checks(diagnosis) == ["coverage", "labels", "scores"]
    assert found(diagnosis, "boxes").status == "ok"
    assert "not checked" in found(diagnosis, "order").what


def test_a_frame_of_anything_is_a_finding(data):
    odd = {
        "score": [pd.Series([object()] * len(data.guess)), np.inf, None, "x"],
        "frame_timestamp": [pd.to_timedelta(data.guess["frame_timestamp"], unit="s"), -1.0, 1e9],
        "entity_id": [None, "", " a", "a/b"],
        "label": [1, "speaking", True],
    }
    where = {"score": "scores", "frame_timestamp": "times", "entity_id": "ids", "label": "labels"}
    for column, values in odd.items():
        for value in values:
            assert where[column] in checks(
                diagnose(data.truth, data.guess.assign(**{column: value}))
            )


def test_a_column_that_evaluate_does_not_read_is_a_note(data, tmp_path):
    data.guess.assign(video_id=" v").to_csv(tmp_path / "p.csv", index=False)
    diagnosis = diagnose(data.truth, tmp_path / "p.csv")
    assert diagnosis.problems == ()
    assert found(diagnosis, "file").status == "note"


@pytest.mark.parametrize("change", [
    lambda frame: frame.rename(columns=str.upper),
    lambda frame: frame.rename(columns={"score": "confidence"}),
    lambda frame: pd.concat([frame[:9], pd.DataFrame([frame.columns], columns=frame.columns)]),
])  # fmt: skip
def test_a_column_by_another_name_and_a_header_among_the_rows_are_the_files(data, tmp_path, change):
    change(data.guess).to_csv(tmp_path / "p.csv", index=False)
    finding = only_problem(diagnose(data.truth, tmp_path / "p.csv"), "file")
    assert any(word in f"{finding.what}{finding.advice}" for word in ("column", "header"))


@pytest.mark.parametrize("id_", [b"\xff\xfe:1", b"caf\xe9:1"])
def test_ids_in_another_encoding_are_a_problem(data, tmp_path, id_):
    (tmp_path / "p.csv").write_bytes(b"entity_id,frame_timestamp,score\n" + id_ + b",0.1,2\n")
    assert "ids" in checks(diagnose(data.truth, tmp_path / "p.csv"))


def test_a_long_cell_does_not_hide_what_is_wrong(data, tmp_path):
    """An encoder's features longer than 131,072 characters, and a face that is not there.

    The fast reader skips the features; the message about the face then looks for its line.
    """
    guess = data.guess[["video_id", *KEY[::-1], "score"]].iloc[1:]
    features = ["[0.25]"] * len(guess)
    features[1] = "[" + "0.25, " * 30_000 + "0]"
    strange = guess["entity_id"].where(guess.index != guess.index[-1], "nobody:0")
    form = guess.drop(columns="score").assign(
        entity_id=strange, number=1, no=0.0, yes=guess["score"], features=features
    )
    form.to_csv(tmp_path / "p.csv", index=False, header=False)
    diagnosis = diagnose(data.truth, tmp_path / "p.csv")
    assert f"row {len(form) - 1}: nobody:0" in found(diagnosis, "coverage").examples[-1]
    assert "logit" in found(diagnosis, "file").what


def junk() -> dict[str, bytes]:
    """Files that are wrong, small versions of the large among them."""
    text = draw().guess.head(200).to_csv(index=False)
    good = text.encode()
    head = good.partition(b"\n")[0]
    return {
        "empty": b"",
        "zeros": bytes(1000),
        "binary": random.Random(5).randbytes(5000),
        "header only": head + b"\n",
        "a cell of megabytes": b"entity_id,frame_timestamp,score\n" + b"x" * 3_000_000 + b",1,2\n",
        "many columns": b",".join(b"c%d" % i for i in range(2_000)) + b"\n",
        "cut off": good[: len(good) // 2],
        "utf-16": text.encode("utf-16"),
        "a huge time": b"entity_id,frame_timestamp,score\na:1,1e300,2\n",
        "a line end in an id": b'entity_id,frame_timestamp,score\n"a\n:1",1,2\n',
    }


@pytest.mark.parametrize("name", junk())
def test_no_file_gives_a_traceback(data, tmp_path, name):
    (tmp_path / "bad.csv").write_bytes(junk()[name])
    for files in ((data.truth, tmp_path / "bad.csv"), (tmp_path / "bad.csv", data.guess)):
        diagnosis = diagnose(*files)
        assert diagnosis.problems
        assert [finding.check for finding in diagnosis.findings] == list(CHECKS)


def test_a_folder_of_one_file_per_video(data, tmp_path):
    """Places are named by the file that the row is in, from its own first line."""
    (tmp_path / "pred").mkdir()
    for video, rows in data.guess.groupby("video_id", sort=False):
        label = "NOT_SPEAKING" if video == VIDEOS[3] else SPEAKING
        ids = "x/" + rows["entity_id"]  # an id that the schema refuses is read all the same
        rows.assign(label=label, entity_id=ids).to_csv(
            tmp_path / f"pred/{video}.csv", index=False
        )  # fmt: skip
    diagnosis = diagnose(data.truth, tmp_path / "pred")
    assert checks(diagnosis) == ["ids", "labels"]
    said = found(diagnosis, "labels").examples[0]
    assert said == f"{tmp_path}/pred/{VIDEOS[3]}.csv:2: NOT_SPEAKING"


def test_a_folder_with_a_broken_cell_and_one_with_ground_truth_in_it(data, tmp_path):
    (tmp_path / "pred").mkdir()
    for video, rows in data.guess.groupby("video_id", sort=False):
        text = rows.to_csv(index=False)
        write(tmp_path / "pred", f"{video}.csv",
              text.replace(SPEAKING, "YES", 1) if video == VIDEOS[2] else text)  # fmt: skip
    said = only_problem(diagnose(data.truth, tmp_path / "pred"), "labels")
    assert any(f"{VIDEOS[2]}.csv:2: column label: 'YES'" in text for text in said.examples)
    data.truth.to_csv(tmp_path / "pred/val_orig.csv", index=False)
    finding = found(diagnose(data.truth, tmp_path / "pred"), "file")
    assert finding.status == "problem"
    assert any("val_orig.csv:1" in text for text in finding.examples)


# ------------------------------------------------------------------------------ coverage


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
    assert finding.what.split("; ") == [
        "1 of 2 videos has no prediction: w, 1 face",
        "1 of 3 tracks has no prediction: v:1, 1 face",
        "1 of 5 faces has no prediction, of 1 track: v:0, 1 face",
        "1 prediction is for no face of the ground truth, of 1 track: x:9, 1 face",
    ]
    places = [text.replace(str(tmp_path), "") for text in finding.examples]
    assert places == [
        "/g.csv:3: v:0 at 0.08 s",
        "/g.csv:5: v:1 at 0.08 s",
        "/p.csv:4: x:9 at 0.04 s",
    ]


def test_a_face_at_a_time_that_nothing_explains_is_the_coverages(tmp_path):
    rows = ["v:0 0.04 .9", "v:0 0.0953 .3", "v:0 0.12 .2", "v:1 0.08 .8", "w:0 1 .1"]
    diagnosis = small(tmp_path, *rows)
    said = only_problem(diagnosis, "coverage").what
    assert "1 of 5 faces has no prediction, of 1 track: v:0" in said
    assert "1 prediction is for no face" in said
    assert found(diagnosis, "times").status == "note"
    assert "v:0 at 0.0953 s" in found(diagnosis, "times").what


def test_predictions_for_something_else_altogether(data):
    other = data.guess.assign(entity_id="zz" + data.guess["entity_id"].str[2:] + "9")
    diagnosis = diagnose(data.truth, other)
    said = only_problem(diagnosis, "coverage")
    assert said.what.startswith(f"not one of the {len(other):,} predictions is for one of the")
    assert "another split" in said.advice
    assert found(diagnosis, "ids").status == "note"


def test_faces_of_one_class_that_match_have_no_result(data):
    """The ground truth has both, but only speaking faces have a prediction."""
    only = data.guess[data.truth["label"] == SPEAKING]
    diagnosis = diagnose(data.truth, only)
    assert checks(diagnosis) == ["coverage"]
    assert "not checked" in found(diagnosis, "result").what


def test_what_is_said_does_not_depend_on_the_order_of_the_rows(data):
    broken = data.guess.drop(index=[5, 6, 400]).assign(label=data.truth["label"])
    one, two = (diagnose(data.truth, frame) for frame in (broken, broken.sample(frac=1)))
    for check in set(CHECKS) - {"order"}:
        assert found(one, check).what == found(two, check).what


# ------------------------------------------------------------------------------ duplicates


def test_duplicates_by_hand(tmp_path):
    """The second and the sixth row of the predictions (lines 3 and 7) are for one face."""
    rows = ["v:0 0.04 .9", "v:0 0.08 .3", "v:0 0.12 .2", "v:1 0.08 .8", "w:0 1 .1", "v:0 0.0800 .4"]
    finding = only_problem(small(tmp_path, *rows), "duplicates")
    assert finding.what.startswith("1 prediction is for a face that has one already;")
    assert finding.examples == (f"{tmp_path}/p.csv:3 and {tmp_path}/p.csv:7: v:0 at 0.08 s",)


def test_a_file_that_was_written_twice_is_mended_by_the_line_that_is_given(data):
    twice = pd.concat([data.guess, data.guess], ignore_index=True)
    finding = only_problem(diagnose(data.truth, twice), "duplicates")
    assert f"{len(data.guess):,} predictions are for a face" in finding.what
    assert diagnose(data.truth, after(finding, twice)).problems == ()
    # A tenth of a millisecond apart is one face for us and two rows for `drop_duplicates`.
    apart = twice.assign(frame_timestamp=twice["frame_timestamp"] + 0.0001 * (twice.index < 2))
    assert only_problem(diagnose(data.truth, apart), "duplicates").code is None


ORDERS = {
    "label by label": lambda frame, count: frame,
    "face by face": lambda frame, count: frame.iloc[np.argsort(np.arange(len(frame)) % count)],
    "in any order": lambda frame, count: frame.sample(frac=1, random_state=3),
}


@pytest.mark.parametrize(("order", "labels"), [
    ("label by label", ["NOT_SPEAKING", SPEAKING]),
    ("face by face", [SPEAKING, "NOT_SPEAKING", "SPEAKING_NOT_AUDIBLE"]),
    ("in any order", [SPEAKING, "NOT_SPEAKING"]),
])  # fmt: skip
def test_of_one_row_for_each_label_those_of_speaking_are_kept(data, order, labels):
    score = data.guess["score"]
    said = {SPEAKING: score, "NOT_SPEAKING": 1 - score, "SPEAKING_NOT_AUDIBLE": score / 3}
    rows = pd.concat([data.guess.assign(label=label, score=said[label]) for label in labels])
    rows = ORDERS[order](rows, len(data.guess))
    with pytest.raises(DataError) as caught:
        evaluate(data.truth, rows)
    diagnosis = diagnose(data.truth, rows)
    finding = only_problem(diagnosis, "duplicates")
    assert finding.advice == caught.value.hint
    assert "keep those of SPEAKING_AUDIBLE" in finding.advice
    # What comes behind it is said of the rows that are kept.
    assert f"average precision {percent(data.area)}" in found(diagnosis, "result").what
    kept = evaluate(data.truth, after(finding, rows))
    assert kept.average_precision == pytest.approx(data.area)


def test_a_line_that_would_take_a_faces_only_row_is_not_given(data):
    """Some faces have one row for each label, and others only that of another label."""
    twice = pd.concat([data.guess, data.guess[:9].assign(label="NOT_SPEAKING", score=0.0)])
    assert only_problem(diagnose(data.truth, twice), "duplicates").code
    lone = twice.reset_index(drop=True)
    lone.loc[20, "label"] = "NOT_SPEAKING"
    assert found(diagnose(data.truth, lone), "duplicates").code is None


@pytest.mark.parametrize(("change", "words", "advice"), [
    ({}, "each with the same label, box and score", "one row for each face"),
    ({"score": 0.123}, "5 of them with another score", "the right score"),
    ({BOX[2]: 0.99}, "5 of them with another box", "an entity_id of its own"),
])  # fmt: skip
def test_what_differs_between_two_rows_of_a_face_decides_what_to_do(data, change, words, advice):
    guess = pd.concat([data.guess, data.guess[40:45].assign(**change)], ignore_index=True)
    finding = found(diagnose(data.truth, guess), "duplicates")
    assert words in finding.what
    assert advice in finding.advice
    assert (finding.code is not None) == (not change)
    with pytest.raises(DataError) as caught:
        evaluate(data.truth, guess)
    assert caught.value.hint == finding.advice


def test_duplicates_in_the_ground_truth_are_the_ground_truths(data):
    twice = pd.concat([data.truth, data.truth[:2]], ignore_index=True)
    finding = only_problem(diagnose(twice, data.guess), "duplicates")
    assert finding.what.startswith("2 faces of the ground truth are there more than once")
    assert f"row {len(data.truth)}:" in finding.examples[0]
    assert finding.advice.startswith("in the ground truth, ")


# ------------------------------------------------------------------------------ by eye


def six(scores: list[float], labels: list[str] | None = None) -> Diagnosis:
    """Six faces of two tracks, speaking, not, speaking, not, not, speaking, and some scores."""
    truth = pd.DataFrame({
        "video_id": "v", "frame_timestamp": [0.0, 0.04, 0.08, 0.0, 0.04, 0.08],
        **dict.fromkeys(BOX, 0.1),
        "label": [("NOT_SPEAKING", SPEAKING)[s] for s in (1, 0, 1, 0, 0, 1)],
        "entity_id": ["v:0"] * 3 + ["v:1"] * 3,
    })  # fmt: skip
    return diagnose(truth, truth.assign(score=scores, label=labels or SPEAKING))


def test_a_result_that_can_be_checked_by_eye():
    """Three of six faces speak, so the prior is 50 %.

    score      .9   .8   .7   .6   .5   .4
    speaking    x    -    x    -    -    x
    precision 1/1       2/3            3/6     area = (1 + 2/3 + 1/2) / 3 = 13/18 = 72.22 %
    """
    said = found(six([0.9, 0.8, 0.7, 0.6, 0.5, 0.4]), "result").what
    assert said.startswith("average precision 72.22 % of 6 faces, prior 50.00 %;")


def test_ties_that_can_be_checked_by_eye():
    """The first four faces share .8: two of them speak, and the last face is the third.

    rows                      -  -  x  x       x       the others first
    precision                      2/4     (.5 .4) 3/6
    envelope                     1/2 1/2          1/2     area = 1/2 = 50.00 %
    rows                      x  x  -  -       x       the speaking ones first
    precision                1/1 2/2           3/6        area = (1 + 1 + 1/2) / 3 = 83.33 %
    """
    finding = only_problem(six([0.8, 0.8, 0.8, 0.8, 0.5, 0.4]), "scores")
    assert "50.00 % to 83.33 %" in finding.what
    # Four of the six are tied; one has the lowest score, four have the highest.
    for number in ("66.67 % of the faces", "1 decimal", "16.67 % have", "66.67 % the highest"):
        assert number in finding.what
    third = 1 / 3
    assert "decimal" not in only_problem(six([third, third, third, third, 0.2, 0.1]), "scores").what
    # Ties among faces of one class are harmless: no order of rows changes anything.
    assert six([0.9, 0.1, 0.9, 0.1, 0.2, 0.9]).problems == ()


def test_the_labels_that_are_there_are_counted_by_kind():
    labels = [SPEAKING, "NOT_SPEAKING", "SPEAKING_NOT_AUDIBLE", "", "", "NOT_SPEAKING"]
    finding = only_problem(six([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], labels), "labels")
    assert "1 SPEAKING_NOT_AUDIBLE, 1 SPEAKING_AUDIBLE, 2 NOT_SPEAKING, 2 nothing" in finding.what
    assert finding.examples == (
        "the frame of predictions row 1: NOT_SPEAKING",
        "the frame of predictions row 2: SPEAKING_NOT_AUDIBLE",
    )
    every = six([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], ["NOT_SPEAKING"] * 6)
    assert "6 NOT_SPEAKING" in only_problem(every, "labels").what
    spelled = six([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], ["SPEAKING_AND_AUDIBLE"] * 6)
    assert found(spelled, "labels").status == "ok"

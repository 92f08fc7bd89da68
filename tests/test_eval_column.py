"""The column eval: a face whose mark is 0 leaves the score, and nothing else changes."""

from __future__ import annotations

import pandas as pd
import pytest
from build import HEADER, face, write_csv
from conftest import slow
from hypothesis import given as drawn
from hypothesis import strategies as st
from reference import area_fast, ranked

import unitalk
from unitalk import (
    CoverageError,
    DataError,
    SchemaError,
    compare,
    evaluate,
)

WITH = HEADER + ",eval"
TIMES = ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
LABELS = [0, 1, 1, 0, 1, 0]
MARKS = [0, 1, 1, 1, 1, 0]
SCORES = [9.0, 4.0, 2.0, 3.0, 1.0, 8.0]
# By score, of those that count: 1 (4.0), 0 (3.0), 1 (2.0), 1 (1.0). Precision 1, 1/2, 2/3, 3/4,
# brought from the right to 1, 3/4, 3/4, 3/4; a third of the recall each but for the 0.
AREA = (1 + 3 / 4 + 3 / 4) / 3


def rows(labels=LABELS, video="v", track="v:0"):
    return [face(video, t, track, label) for t, label in zip(TIMES, labels, strict=True)]


def marked(path, marks=MARKS, **options):
    cells = [[*row, str(mark)] for row, mark in zip(rows(**options), marks, strict=True)]
    return write_csv(path, cells, WITH)


def predicted(path, times=TIMES, scores=SCORES, *, track="v:0"):
    cells = [[track, time, repr(score)] for time, score in zip(times, scores, strict=True)]
    return write_csv(path, cells, "entity_id,frame_timestamp,score")


@pytest.fixture
def given(tmp_path):
    return marked(tmp_path / "g.csv"), predicted(tmp_path / "p.csv")


# ------------------------------------------------------------------------------ the number


def test_faces_marked_0_leave_the_score(given):
    found = evaluate(*given)
    assert found.average_precision == pytest.approx(AREA, abs=1e-15)
    assert (found.faces, found.positives, found.left_out) == (4, 3, 2)
    assert (found.missing, found.extra) == (0, 0)
    assert "|eval:-2|unitalk:" in found.signature
    assert found.to_dict()["left_out"] == 2
    assert not any("partial" in text for text in found.warnings)


@slow
def test_it_is_the_number_of_ground_truth_that_never_had_them(given, tmp_path):
    kept = [row for row, mark in zip(rows(), MARKS, strict=True) if mark]
    without = write_csv(tmp_path / "without.csv", kept)
    few = predicted(tmp_path / "few.csv", TIMES[1:5], SCORES[1:5])
    options = unitalk.EvaluateOptions(ci_unit="track", metrics=True)
    one = evaluate(*given, ci=100, options=options)
    other = evaluate(without, few, ci=100, options=options)
    assert one.average_precision == other.average_precision
    assert one.interval == other.interval
    assert one.metrics == other.metrics
    assert one.chance_interval == other.chance_interval
    assert one.signature.replace("eval:-2|", "") == other.signature


def test_a_face_marked_0_needs_no_prediction(given, tmp_path):
    few = predicted(tmp_path / "few.csv", TIMES[1:5], SCORES[1:5])
    some = predicted(tmp_path / "some.csv", TIMES[:5], SCORES[:5])
    wanted = evaluate(*given)
    for predictions in (few, some):
        found = evaluate(given[0], predictions)
        assert found.average_precision == wanted.average_precision
        assert found.signature == wanted.signature
        assert (found.missing, found.extra, found.left_out) == (0, 0, 2)


@slow
@drawn(
    st.lists(
        st.tuples(st.booleans(), st.booleans(), st.booleans(), st.integers(0, 10**6)),
        min_size=2, max_size=40, unique_by=lambda one: one[3],
    )
)  # fmt: skip
def test_any_marks_give_the_independent_number(faces):
    """Of (speaks, counts, has a prediction, score); a face that counts must have one."""
    faces = [(speaks, counts, has or counts, score) for speaks, counts, has, score in faces]
    counted = [(speaks, score) for speaks, counts, _, score in faces if counts]
    labels = [speaks for speaks, _ in counted]
    if not any(labels) or all(labels):
        return
    times = [0.04 * place for place in range(len(faces))]
    truth = pd.DataFrame({
        "video_id": "v", "frame_timestamp": times, "entity_box_x1": 0.1, "entity_box_y1": 0.1,
        "entity_box_x2": 0.2, "entity_box_y2": 0.2,
        "label": ["SPEAKING_AUDIBLE" if one[0] else "NOT_SPEAKING" for one in faces],
        "entity_id": "v:0", "eval": [int(one[1]) for one in faces],
    })  # fmt: skip
    predictions = pd.DataFrame({"entity_id": "v:0", "frame_timestamp": times,
                                "score": [float(one[3]) for one in faces]})  # fmt: skip
    predictions = predictions[[one[2] for one in faces]]
    found = evaluate(truth, predictions)
    wanted = area_fast(ranked(labels, [float(score) for _, score in counted]))
    assert found.average_precision == pytest.approx(wanted, abs=1e-12)
    assert found.left_out == len(faces) - len(counted)


def test_where_all_are_1_nothing_is_said_of_it(tmp_path, given):
    ones = evaluate(marked(tmp_path / "ones.csv", [1] * 6), given[1])
    plain = evaluate(write_csv(tmp_path / "plain.csv", rows()), given[1])
    assert ones.signature == plain.signature
    assert "eval" not in plain.signature
    assert ones.left_out == plain.left_out == 0
    assert ones.average_precision == plain.average_precision


def test_company_is_counted_before_anything_is_left_out(tmp_path):
    """A second face at 0.2 s and 0.4 s, marked 0 and speaking: the first still has company."""
    cells = [[*row, str(mark)] for row, mark in zip(rows(), MARKS, strict=True)]
    cells += [[*face("v", time, "v:1", 1), "0"] for time in ("0.2", "0.4")]
    truth = write_csv(tmp_path / "g.csv", cells, WITH)
    found = evaluate(truth, predicted(tmp_path / "p.csv"), by="faces")
    assert {g.by.get("faces"): g.faces for g in found.groups} == {"1": 2, "2": 2, None: 4}
    crowded = evaluate(truth, predicted(tmp_path / "p.csv"), by="crowded")
    assert {g.by.get("crowded"): g.faces for g in crowded.groups} == {"yes": 2, "no": 2, None: 4}
    assert found.tracks == 1  # the other track has no face that counts
    assert evaluate(truth, predicted(tmp_path / "p.csv"), by="all").left_out == 4


# ------------------------------------------------------------------------------ coverage


def test_a_missing_face_that_counts_is_missing(given, tmp_path):
    few = predicted(tmp_path / "few.csv", TIMES[2:], SCORES[2:])
    with pytest.raises(CoverageError) as error:
        evaluate(given[0], few)
    said = error.value.message
    assert "3 of 4 faces with eval 1 match" in said
    assert "1 faces with eval 1 have no prediction, of 1 tracks: v:0" in said
    assert "v:0 at 0.2 s" in said
    found = evaluate(given[0], few, partial=True)
    assert (found.faces, found.missing, found.left_out, found.extra) == (3, 1, 2, 0)
    assert "|eval:-2|partial:-1+0|" in found.signature


def test_ground_truth_of_which_nothing_counts_is_refused(given, tmp_path):
    nothing = marked(tmp_path / "none.csv", [0] * 6)
    with pytest.raises(DataError, match="eval is 0 for every face"):
        evaluate(nothing, given[1])


def test_several_systems_are_compared_on_what_counts(given, tmp_path):
    other = predicted(tmp_path / "other.csv", TIMES[1:], [1.0, 2.0, 3.0, 4.0, 5.0])
    found = compare(given[0], {"one": given[1], "other": other})
    assert [(one.faces, one.left_out, one.missing) for one in found.systems] == [(4, 2, 0)] * 2
    # By score: 1 (4.0), 0 (3.0), 1 (2.0), 1 (1.0) are the same labels.
    assert found.systems[1].average_precision == pytest.approx(AREA, abs=1e-15)
    few = predicted(tmp_path / "few.csv", TIMES[2:], SCORES[2:])
    partial = compare(given[0], {"one": given[1], "few": few}, partial=True)
    assert [(one.faces, one.left_out, one.missing) for one in partial.systems] == [
        (3, 2, 0), (3, 2, 1),
    ]  # fmt: skip


# ------------------------------------------------------------------------------ reading


def test_the_column_is_read_and_checked(tmp_path):
    path = marked(tmp_path / "g.csv")
    frame = unitalk.read_groundtruth(path)
    assert [*frame.columns] == WITH.split(",")
    assert frame["eval"].tolist() == [str(mark) for mark in MARKS]
    path.write_text(path.read_text().replace(":0,1\n", ":0,2\n", 1))
    with pytest.raises(SchemaError, match="g.csv:3: column eval: '2' is none of 0, 1"):
        unitalk.read_groundtruth(path)
    with pytest.raises(SchemaError, match="column eval"):
        evaluate(frame.assign(eval=0.5), predicted(tmp_path / "p.csv"))
    path.write_text(WITH + ",eval\n" + ",".join([*rows()[0], "1", "1"]) + "\n")
    with pytest.raises(SchemaError, match="the header has 'eval' twice"):
        unitalk.read_groundtruth(path)


def test_a_folder_has_the_column_in_all_of_its_files_or_in_none(tmp_path):
    folder = tmp_path / "folder"
    marked(folder / "a.csv")
    predictions = [[f"{v}:0", t, repr(s)] for v in "vw" for t, s in zip(TIMES, SCORES, strict=True)]
    scores = write_csv(tmp_path / "p.csv", predictions, "entity_id,frame_timestamp,score")
    write_csv(folder / "b.csv", rows(video="w", track="w:0"))
    with pytest.raises(SchemaError, match="1 of 2 files have the column 'eval'"):
        evaluate(folder, scores)
    marked(folder / "b.csv", video="w", track="w:0")
    assert evaluate(folder, scores).left_out == 4


@pytest.mark.parametrize("header", [True, False])
def test_ground_truth_without_labels_is_refused_in_words(given, tmp_path, run, header):
    cells = [[*row[:6], "", *row[7:8]] for row in rows()]
    path = write_csv(tmp_path / "test.csv", cells, ",".join(HEADER.split(",")[:8]) * header)
    ran = run("eval", "-g", path, "-p", given[1])
    assert ran.code == 3
    assert ran.stdout == ""
    assert ran.stderr == (
        f"unitalk: {path}: not one face has a label: this split is unlabelled, as AVA's test "
        "split is\n  -> it can be predicted, and not scored: take ground truth with labels, such "
        "as val\n"
    )
    frame = pd.read_csv(path, header=0 if header else None, names=HEADER.split(",")[:8])
    with pytest.raises(SchemaError, match="not one face has a label"):
        evaluate(frame, given[1])
    path.write_text(path.read_text().replace(",0.45,,", ",0.45,NOT_SPEAKING,", 1))
    with pytest.raises(SchemaError, match="5 problems in the ground truth"):
        evaluate(path, given[1])

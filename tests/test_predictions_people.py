"""Predictions as people have them: what models' own scripts write, and folders of a file a video.

The forms are those that the scripts were read to write: TalkNet-ASD's talkNet.py (Light-ASD,
LR-ASD and LoCoNet have the same lines), active-speakers-context's ASC_forward.py and
STE_forward.py with their postprocessing, and ASDNet's main.py.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import os

import numpy as np
import pandas as pd
import pytest
from build import HEADER, face, write_csv
from hypothesis import given, settings
from hypothesis import strategies as st

import unitalk
from unitalk import schema

TEN = HEADER.split(",")
SPEAKING = [1, 0, 1, 0, 0, 1]
SCORES = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
AP = 13 / 18
"""From the highest score: speaking, not, speaking, not, not, speaking: precision 1/1, 2/3, 3/6 at
the three positives, none above one to its left: (1 + 2/3 + 1/2) / 3 = 13/18."""


def rows_of(video="v", speaking=SPEAKING) -> list[list[str]]:
    return [face(video, f"{i / 25:.2f}", f"{video}:0", label) for i, label in enumerate(speaking)]


def submitted(rows, scores=SCORES, label="SPEAKING_AUDIBLE") -> list[list[str]]:
    """The nine cells of a file of predictions."""
    return [[*row[:6], label, row[7], repr(s)] for row, s in zip(rows, scores, strict=True)]


def write(path, rows, header=None, end="\r\n"):
    """A csv file as Python's writer leaves it when nobody says otherwise: \\r\\n, few quotes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        csv.writer(file, lineterminator=end).writerows([*([header] if header else []), *rows])
    return path


def load(path, kind="predictions", **options) -> schema.Faces:
    return schema.load(path, kind, **options)


def listed(faces: schema.Faces, column: str) -> list:
    return faces.table[column].to_pylist()


@pytest.fixture
def truth(tmp_path):
    return write_csv(tmp_path / "g.csv", rows_of())


# ------------------------------------------------------------------------------ TalkNet and its kin


def val_res(groundtruth, scores) -> pd.DataFrame:
    """What `evaluate_network` makes of `val_orig.csv`: a score behind, one label in, two out."""
    result = pd.read_csv(groundtruth)
    lines = groundtruth.read_text().splitlines()[1:]
    result["score"] = pd.Series([np.float32(score) for score in scores])
    result["label"] = pd.Series(["SPEAKING_AUDIBLE" for _ in lines])
    return result.drop(columns=["label_id", "instance_id"])


def test_talknets_val_res(tmp_path, truth):
    val_res(truth, SCORES).to_csv(tmp_path / "val_res.csv", index=False)
    assert (
        (tmp_path / "val_res.csv")
        .read_text()
        .startswith(
            "video_id,frame_timestamp,entity_box_x1,entity_box_y1,entity_box_x2,entity_box_y2,"
            "label,entity_id,score\nv,0.0,0.1,0.2,0.3,0.45,SPEAKING_AUDIBLE,v:0,0.9\n"
        )
    )
    result = unitalk.evaluate(truth, tmp_path / "val_res.csv")
    assert result.average_precision == pytest.approx(AP, abs=1e-15)


@pytest.mark.parametrize("labelled", [0, 3])
def test_a_label_that_is_empty_says_nothing_and_is_no_error(tmp_path, truth, labelled):
    """A series shorter than the frame leaves holes, which pandas writes as empty cells."""
    frame = val_res(truth, SCORES)
    frame["label"] = pd.Series(["SPEAKING_AUDIBLE"] * labelled, dtype=object)
    frame.to_csv(tmp_path / "val_res.csv", index=False)
    labels = ["SPEAKING_AUDIBLE"] * labelled + [""] * (6 - labelled)
    assert listed(load(tmp_path / "val_res.csv"), "label") == labels
    for given_ in (tmp_path / "val_res.csv", frame, frame.astype({"label": "category"})):
        result = unitalk.evaluate(truth, given_)
        assert result.average_precision == pytest.approx(AP, abs=1e-15)
        assert not [said for said in result.warnings if "label" in said]


@pytest.mark.parametrize("label", ["SPEAKING", "speaking_audible", " ", "nan", "1"])
def test_a_label_that_is_none_is_an_error_in_predictions_too(tmp_path, label):
    rows = submitted(rows_of())
    rows[2][6] = label
    with pytest.raises(unitalk.SchemaError) as caught:
        load(write(tmp_path / "p.csv", rows, schema.PREDICTION_COLUMNS))
    assert caught.value.count == 1
    assert caught.value.problems[0].startswith(f"{tmp_path}/p.csv:4: column label: {label!r} is no")


# ------------------------------------------------------------------------------ ASC and ASDNet


LOGITS = [("-3.0", "0.5"), ("1.5", "2.0"), ("-1.0", "1.0"), ("0.0", "-2.0")]
WANTED = [3.5, 0.5, 2.0, -2.0]
"""Two logits a face, the second that of speaking; the score is their difference::

    time   not    speaking  score  label         by the second logit alone
    0.00  -3.0    0.5        3.5   speaking      third
    0.04   1.5    2.0        0.5   not           first
    0.08  -1.0    1.0        2.0   speaking      second
    0.12   0.0   -2.0       -2.0   not           fourth

From the highest: speaking, speaking, not, not, which is 100 %; by the second logit alone it would
be not, speaking, speaking, not: (2/3 + 2/3) / 2 = 66.67 %.
"""


def asc_forward(rows, logits) -> list[list[str]]:
    """ASC_forward.py and ASDNet's tm_isrm: entity, time, both logits."""
    return [[row[7], row[1], *both] for row, both in zip(rows, logits, strict=True)]


def ste_forward(rows, logits) -> list[list[str]]:
    """STE_forward.py and ASDNet's av_enc: video, time, entity, label, both logits, features."""
    return [
        [row[0], row[1], row[7], f"{float(row[8])}", *both, str([0.25, -1.5e-05, 3.0])]
        for row, both in zip(rows, logits, strict=True)
    ]


FORWARD = pytest.mark.parametrize("form", [asc_forward, ste_forward])


@FORWARD
def test_what_the_networks_write_is_scored_by_the_difference_of_the_logits(tmp_path, form):
    rows = rows_of(speaking=[1, 0, 1, 0])
    truth = write_csv(tmp_path / "g.csv", rows)
    path = write(tmp_path / "forward" / "v.csv", form(rows, LOGITS))
    faces = load(path)
    assert listed(faces, "score") == WANTED
    assert listed(faces, "entity_id") == ["v:0"] * 4
    assert faces.milliseconds().tolist() == [0, 40, 80, 120]
    assert set(faces.table.column_names) <= {*TEN, "score"}
    assert load(path, columns=["entity_id", "label"]).table.column_names == ["entity_id"]
    assert unitalk.evaluate(truth, path).average_precision == 1.0
    assert unitalk.evaluate(truth, path.parent).average_precision == 1.0


@given(st.lists(st.tuples(st.floats(-15, 15), st.floats(-15, 15)), min_size=1, max_size=8))
@settings(max_examples=15)
def test_the_difference_is_the_log_odds_of_the_softmax(logits):
    """ASC's postprocessing takes p = e^b / (e^a + e^b), of which log(p / (1 - p)) is b - a."""
    rows = rows_of(speaking=[1] * len(logits))
    text = io.StringIO()
    csv.writer(text).writerows(asc_forward(rows, [(repr(a), repr(b)) for a, b in logits]))
    source = schema.Source("-", stdin=io.BytesIO(text.getvalue().encode()))
    for (a, b), score in zip(logits, listed(load(source), "score"), strict=True):
        total = math.exp(a) + math.exp(b)
        odds = math.log(math.exp(b) / total) - math.log(math.exp(a) / total)
        assert score == pytest.approx(odds, abs=1e-9)


@FORWARD
def test_one_wrong_logit_is_named(tmp_path, form):
    logits = [*LOGITS[:2], ("nan", "1.0"), ("0.0", "high")]
    path = write(tmp_path / "v.csv", form(rows_of(speaking=[1, 0, 1, 0]), logits))
    with pytest.raises(unitalk.SchemaError) as caught:
        load(path)
    assert list(caught.value.problems) == [
        f"{path}:3: column logit of not speaking: 'nan' is not a finite number",
        f"{path}:4: column logit of speaking: 'high' is not a number",
    ]


@pytest.mark.parametrize(
    "row",
    [
        ["v", "0.04", "v:0", "0.5"],  # video, time, entity, score: a header would say so
        ["v:0", "0.04", "0.5", "SPEAKING_AUDIBLE"],
        ["v:0", "frame 1", "0.5", "0.6"],
        ["v", "0.04", "v:0", "1.0", "0.1", "0.9", "0.7"],  # no list of features at its end
        ["v", "0.04", "v:0", "1.0", "0.1", "high", "[0.7]"],
        ["v:0", "0.04", "0.5"],
        ["v:0", "0.04", "0.1", "0.2", "0.5"],
    ],
)
def test_what_could_be_something_else_is_not_guessed(tmp_path, row):
    with pytest.raises(unitalk.SchemaError) as caught:
        load(write(tmp_path / "p.csv", [row, row]))
    assert "p.csv:1: neither a header nor a row of predictions" in caught.value.message
    assert "8 or 9 or 11 columns" in caught.value.hint
    assert "a first line, such as frame_timestamp,entity_id,score" in caught.value.hint


# ------------------------------------------------------------------------------ fewer columns


@pytest.mark.parametrize(
    "columns",
    [
        ["entity_id", "frame_timestamp", "score"],
        ["score", "video_id", "frame_timestamp", "entity_id"],
        ["frame_timestamp", "entity_id", "label", "score", "remark"],
    ],
)
def test_the_key_and_a_score_are_enough(tmp_path, truth, columns):
    names = [*schema.PREDICTION_COLUMNS, "remark"]
    rows = [[[*row, "x"][names.index(c)] for c in columns] for row in submitted(rows_of())]
    path = write(tmp_path / "p.csv", rows, columns)
    assert unitalk.evaluate(truth, path).average_precision == pytest.approx(AP, abs=1e-15)
    assert list(unitalk.read_predictions(path)) == [n for n in (*TEN, "score") if n in columns]
    frame = pd.read_csv(path)
    assert unitalk.evaluate(truth, frame).average_precision == pytest.approx(AP, abs=1e-15)


@pytest.mark.parametrize(
    ("kind", "absent", "told"),
    [
        ("predictions", ["entity_id"], "'entity_id'"),
        ("predictions", ["frame_timestamp", "video_id"], "'frame_timestamp'"),
        ("predictions", ["score"], "'score': this looks like ground truth"),
        ("predictions", ["score", "entity_id"], "'entity_id', 'score'"),
        ("predictions", ["entity_box_y2"], "'entity_box_y2'"),
        ("predictions", ["entity_box_x1", "entity_box_y1", "score"],
         "'entity_box_x1', 'entity_box_y1', 'score'"),
        ("groundtruth", ["video_id"], "'video_id'"),
        ("groundtruth", ["label"], "'label'"),
        ("groundtruth", list(schema.BOX), ", ".join(map(repr, schema.BOX))),
    ],
)  # fmt: skip
def test_what_a_header_lacks_is_told(tmp_path, kind, absent, told):
    names = [*schema.PREDICTION_COLUMNS]
    kept = [name for name in names if name not in absent]
    rows = [[row[names.index(name)] for name in kept] for row in submitted(rows_of())]
    path = write(tmp_path / "p.csv", rows, kept)
    with pytest.raises(unitalk.SchemaError) as caught:
        load(path, kind)
    assert caught.value.message == f"{path}:1: the header lacks {told}"
    with pytest.raises(unitalk.SchemaError) as caught:
        schema.from_frame(pd.read_csv(path), kind)
    assert caught.value.message.endswith(f" lacks {told}")


# ------------------------------------------------------------------------------ folders


@pytest.fixture
def folder(tmp_path):
    """Three videos, a file each, in three forms: with a header, without one, packed."""
    made = tmp_path / "predictions"
    write(made / "b.csv", submitted(rows_of("b")), schema.PREDICTION_COLUMNS, end="\n")
    write(made / "a.csv", submitted(rows_of("a")))
    write(made / "c.csv", submitted(rows_of("c")), [f" {c} " for c in schema.PREDICTION_COLUMNS])
    (made / "c.csv.gz").write_bytes(gzip.compress((made / "c.csv").read_bytes()))
    (made / "c.csv").unlink()
    return made


def test_each_row_is_found_in_its_own_file(folder):
    """a.csv has no header, so its row 0 is line 1; rows 6 and 12 are in line 2 of b and c."""
    faces = load(folder)
    assert faces.where([17, 0, 6, 5, 12]) == [
        f"{folder}/c.csv.gz:7", f"{folder}/a.csv:1", f"{folder}/b.csv:2", f"{folder}/a.csv:6",
        f"{folder}/c.csv.gz:2",
    ]  # fmt: skip
    assert faces.where([]) == []
    assert [file.rows for file in faces.files] == [6, 6, 6]


def test_a_folder_is_scored_against_a_folder(folder, tmp_path):
    """UniTalk's `csv/val`: ten columns, no header; the same six faces thrice, so the same area."""
    for name in "abc":
        write_csv(tmp_path / "csv" / "val" / f"{name}.csv", rows_of(name), None)
    result = unitalk.evaluate(tmp_path / "csv" / "val", folder)
    assert result.average_precision == pytest.approx(AP, abs=1e-15)
    assert (result.faces, result.videos, result.missing) == (18, 3, 0)
    (folder / "b.csv").unlink()
    with pytest.raises(unitalk.CoverageError, match="6 faces have no prediction") as caught:
        unitalk.evaluate(tmp_path / "csv" / "val", folder)
    assert f"b:0 at 0 s ({tmp_path}/csv/val/b.csv:1)" in caught.value.message


def test_a_video_that_is_there_under_two_names_is_told_with_both_lines(folder, tmp_path):
    """As when ASC's `<video>-activespeaker.csv` and `<video>.csv` lie in one folder."""
    for name in "abc":
        write_csv(tmp_path / "gt" / f"{name}.csv", rows_of(name), None)
    write(folder / "a-activespeaker.csv", submitted(rows_of("a")))
    with pytest.raises(unitalk.DataError, match="6 faces are there twice") as caught:
        unitalk.evaluate(tmp_path / "gt", folder)
    twice = f"({folder}/a-activespeaker.csv:1 and {folder}/a.csv:1)"
    assert f"a:0 at 0 s {twice}" in caught.value.message


def test_only_what_is_a_csv_file_of_the_folder_itself_is_read(folder):
    (folder / "._a.csv").write_bytes(b"\0\5\x16\7 what macOS leaves")
    (folder / ".hidden.csv").write_text("nothing")
    (folder / "README.txt").write_text("nothing")
    (folder / "a.csv~").write_text("nothing")
    (folder / "csv").write_text("nothing")
    (folder / "old.csv").mkdir()
    write(folder / "old.csv" / "d.csv", submitted(rows_of("d")))
    os.link(folder / "a.csv", folder / "Z.CSV")
    names = [os.path.basename(file.source.name) for file in load(folder).files]
    assert names == ["Z.CSV", "a.csv", "b.csv", "c.csv.gz"]


def test_a_folder_without_csv_files_is_a_usage_error(tmp_path):
    (tmp_path / "data" / "csv").mkdir(parents=True)
    write_csv(tmp_path / "data" / "csv" / "val_orig.csv", rows_of())
    with pytest.raises(unitalk.UsageError, match="data is a folder without csv files") as caught:
        load(tmp_path / "data")
    assert caught.value.exit_code == 2
    assert "csv files of its videos" in caught.value.hint


def test_a_dash_is_stdin_even_where_a_folder_is_called_so(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "-").mkdir()
    content = (folder / "a.csv").read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert load("-").where([0]) == ["<stdin>:1"]


def test_of_files_with_different_columns_the_shared_ones_are_read(folder):
    """c has no video and no boxes, d no label either; labels that one file lacks are none."""
    (folder / "c.csv.gz").unlink()
    columns = ["score", "frame_timestamp", "label", "entity_id"]
    write(folder / "c.csv", [["0.5", "0.04", "", "c:0"]], columns)
    assert load(folder).table.column_names == ["frame_timestamp", "label", "entity_id", "score"]
    write(folder / "d.csv", [["0.75", "0.04", "d:0"]], ["score", "frame_timestamp", "entity_id"])
    faces = load(folder)
    assert faces.table.column_names == ["frame_timestamp", "entity_id", "score"]
    assert listed(faces, "score")[-2:] == [0.5, 0.75]
    wanted = load(folder, columns=["score", "label", "entity_id"])
    assert wanted.table.column_names == ["entity_id", "score"]


def test_logits_and_scores_are_not_ranked_together(folder):
    write(folder / "d.csv", asc_forward(rows_of("d", [1]), [("0.25", "1.0")]))
    with pytest.raises(unitalk.SchemaError, match=r"1 of 4 files have two logits.*d\.csv"):
        load(folder)
    assert len(load(folder, columns=["entity_id"])) > 0  # only of scores is it a question


@pytest.mark.parametrize("numbers", [("0.3", "{}"), ("{}", "0.3"), ("0.3", "{}.0")])
def test_a_score_beside_its_label_is_not_two_logits(tmp_path, numbers):
    """`entity, time, score, label` without a header: label - score would be perfect."""
    rows = [[f"v:{k}", "0.04", *(number.format(k % 2) for number in numbers)] for k in range(4)]
    write(tmp_path / "p.csv", rows)
    with pytest.raises(unitalk.SchemaError, match="as a label is") as caught:
        load(tmp_path / "p.csv")
    assert "entity_id,frame_timestamp,score,label" in caught.value.hint


def test_a_header_within_the_file_is_told(tmp_path):
    text = "entity_id,frame_timestamp,score\nv:0,0.04,1\n"
    (tmp_path / "p.csv").write_text(2 * text)
    with pytest.raises(unitalk.SchemaError) as caught:
        load(tmp_path / "p.csv")
    assert caught.value.problems == (
        f"{tmp_path}/p.csv:3: the header again: were several files joined?",
    )


def test_wrong_files_are_told_together_in_their_order(folder):
    """b has 12 wrong cells, c no score in its header, d nothing in it: 12 + 1 + 1."""
    rows = [[*row[:1], "soon", *row[2:8], "high"] for row in submitted(rows_of("b"))]
    write(folder / "b.csv", rows, schema.PREDICTION_COLUMNS)
    (folder / "c.csv.gz").unlink()
    write_csv(folder / "c.csv", rows_of("c"))
    (folder / "d.csv").write_text("")
    with pytest.raises(unitalk.SchemaError) as caught:
        load(folder)
    error = caught.value
    assert error.message.startswith(f"{folder}: 14 problems in 3 of 4 files\n  ")
    assert error.message.endswith("\n  and 4 more")
    assert (error.count, len(error.problems)) == (14, 10)
    assert error.problems[0] == (
        f"{folder}/b.csv:2: column frame_timestamp: 'soon' is not a number"
    )
    (folder / "b.csv").unlink()
    with pytest.raises(unitalk.SchemaError) as caught:
        load(folder)
    assert list(caught.value.problems) == [
        f"{folder}/c.csv:1: the header lacks 'score': this looks like ground truth",
        f"{folder}/d.csv: the file is empty",
    ]
    assert caught.value.message.startswith(f"{folder}: 2 problems in 2 of 3 files")


# ------------------------------------------------------------------------------ any split of a file


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.booleans(), st.booleans(), st.sampled_from(["\n", "\r\n"])),
        min_size=1, max_size=5,
    ),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_a_folder_is_its_files_one_after_the_other(tmp_path_factory, pieces, rng):
    """However a file is cut into pieces, and whatever the form of each: the same faces."""
    root = tmp_path_factory.mktemp("d")
    rows, places = [], []
    for number, (count, header, packed, end) in enumerate(pieces):
        own = []
        for index in range(count):
            entity = f"é{rng.randrange(3)}:{rng.randrange(4)}"
            label = rng.choice(["SPEAKING_AUDIBLE", "", "NOT_SPEAKING", "SPEAKING_NOT_AUDIBLE"])
            seconds = f"{rng.randrange(10**6) / 100:.2f}"
            score = repr(rng.uniform(-9, 9))
            own.append(["v", seconds, "0.1", "0.2", "0.3", "0.4", label, entity, score])
            places.append((f"{root}/d/{number}.csv{'.gz' * packed}", index + 1 + header))
        path = write(
            root / "d" / f"{number}.csv", own, schema.PREDICTION_COLUMNS if header else None, end
        )
        if packed:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
        rows += own
    faces, whole = load(root / "d"), load(write(root / "whole.csv", rows))
    assert faces.table.column_names == whole.table.column_names
    for place, name in enumerate(schema.PREDICTION_COLUMNS):
        texts = [row[place] for row in rows]
        wanted = list(map(float, texts)) if name in {*TEN[1:6], "score"} else texts
        assert listed(faces, name) == listed(whole, name) == wanted
    codes, names = faces.codes("entity_id")
    assert [names[code] for code in codes] == [row[7] for row in rows]
    assert faces.numbers("score", 1, 3).tolist() == [float(row[8]) for row in rows[1:4]]
    asked = [rng.randrange(len(rows)) for _ in range(4)]
    assert faces.where(asked) == ["{}:{}".format(*places[row]) for row in asked]

"""Reading csv files as people have them, and saying where they are wrong."""

from __future__ import annotations

import gzip
import io
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from build import HEADER, face, write_csv
from conftest import one_in

import unitalk
from unitalk import schema
from unitalk.schema.columns import wrong_with

ROWS = [
    face("v", "0.04", "v:0", 0),
    face("v", "0.4", "v:0", 1, 1),
    face("-w", "12", "-w:0", 1),
]
PREDICTED = [[*row[:8], score] for row, score in zip(ROWS, ["0.25", "1e-3", "-7"], strict=True)]
PREDICTION_HEADER = ",".join([*HEADER.split(",")[:8], "score"])


def text_of(rows, header=HEADER, end="\n") -> str:
    return end.join([*([header] if header else []), *(",".join(row) for row in rows)]) + end


def read(tmp_path, content: bytes | str, kind="groundtruth", name="file.csv") -> pd.DataFrame:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return (unitalk.read_groundtruth if kind == "groundtruth" else unitalk.read_predictions)(path)


def assert_is_rows(frame: pd.DataFrame, columns: int = 10) -> None:
    assert list(frame.columns) == HEADER.split(",")[:columns]
    assert frame["video_id"].tolist() == ["v", "v", "-w"]
    assert frame["frame_timestamp"].tolist() == [0.04, 0.4, 12.0]
    assert frame["entity_box_y2"].tolist() == [0.45] * 3
    assert frame["label"].tolist() == ["NOT_SPEAKING", "SPEAKING_AUDIBLE", "SPEAKING_AUDIBLE"]
    assert frame["entity_id"].tolist() == ["v:0", "v:0", "-w:0"]


def test_the_columns_are_the_published_ones():
    assert ",".join(schema.COLUMNS) == HEADER
    assert schema.COLUMNS[:8] == schema.AVA_COLUMNS
    assert (*schema.AVA_COLUMNS, "score") == schema.PREDICTION_COLUMNS
    assert (*schema.COLUMNS, "eval") == schema.EVAL_COLUMNS
    assert set(schema.DESCRIPTION) == {*schema.EVAL_COLUMNS, "score"}


@pytest.mark.parametrize(
    "content",
    [
        text_of(ROWS),
        text_of(ROWS, None),
        text_of(ROWS, end="\r\n"),
        "\ufeff" + text_of(ROWS),
        "\ufeff" + text_of(ROWS, None),
        text_of(ROWS)[:-1],
        "\n\n" + text_of(ROWS).replace("\n", "\n\n"),
        text_of([[f'"{cell}"' for cell in row] for row in ROWS]),
        text_of(ROWS, HEADER.replace(",", " , ")),
    ],
    ids=["plain", "headerless", "crlf", "bom", "bom headerless", "no last newline", "blank lines",
         "quoted", "blanks in the header"],
)  # fmt: skip
def test_every_form_of_the_same_rows(tmp_path, content):
    assert_is_rows(read(tmp_path, content))
    packed = gzip.compress(content.encode())
    assert_is_rows(read(tmp_path, packed, name="file.csv.gz"))
    assert_is_rows(read(tmp_path, packed, name="misnamed.csv"))


def test_stdin_is_read_once_and_may_be_packed():
    for content in (text_of(ROWS).encode(), gzip.compress(text_of(ROWS).encode())):
        source = schema.Source("-", stdin=io.BytesIO(content))
        faces = schema.load(source, "groundtruth")
        assert (faces.name, len(faces)) == ("<stdin>", 3)
        assert faces.where([0, 2]) == ["<stdin>:2", "<stdin>:4"]


# ------------------------------------------------------------------------------ what is wrong


def problems(tmp_path, content, kind="groundtruth") -> unitalk.SchemaError:
    with pytest.raises(unitalk.SchemaError) as caught:
        read(tmp_path, content, kind)
    assert caught.value.exit_code == 3
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        (1, "soon", "is not a number"),
        (1, "", "is not a number"),
        (1, "1_000", "is not a number"),
        (1, "-0.04", "is a negative time"),
        (1, "1e9", "is a time of more than 46 days"),
        (2, "nan", "is not a finite number"),
        (2, "inf", "is not a finite number"),
        (2, "1e999", "is not a finite number"),
        (6, "SPEAKING", "is none of NOT_SPEAKING, SPEAKING_AUDIBLE, SPEAKING_NOT_AUDIBLE"),
        (7, "", "is not an id: it is empty"),
        (7, " v:0", "is not an id: it begins with a blank"),
        (0, "v\u00a0", "is not an id: it ends with a blank"),
        (7, "../../etc", "is not an id: it contains a slash"),
        (9, "v:0:\\0", "is not an id: it contains a backslash"),
        (8, "3", "is none of 0, 1, 2"),
    ],
)
def test_a_wrong_cell_is_named_by_file_line_column_and_value(tmp_path, column, value, reason):
    rows = [list(row) for row in ROWS]
    rows[1][column] = value
    name = HEADER.split(",")[column]
    for header, line in ((HEADER, 3), (None, 2)):
        error = problems(tmp_path, text_of(rows, header))
        assert error.count == 1
        place = f"{tmp_path}/file.csv:{line}: column {name}: {value!r} "
        assert error.problems[0].startswith(place)
        assert reason in error.problems[0]


def test_the_rule_that_an_id_breaks_is_named():
    """Over all that Python calls blank and all that Arrow refuses, at each place of an id."""
    blanks = [chr(n) for n in range(sys.maxunicode + 1) if chr(n).isspace()] + ["\ufeff"]
    for blank in blanks:
        assert wrong_with("entity_id", f"{blank}a", "faces") == (
            "is not an id: it begins with a blank"
        )
        assert wrong_with("entity_id", f"a{blank}", "faces") == "is not an id: it ends with a blank"
    for mark, name in {
        ",": "a comma", '"': "a quotation mark", "/": "a slash", "\\": "a backslash",
        "\n": "a line break", "\r": "a line break", "\t": "a tab", "\0": "a NUL character",
    }.items():  # fmt: skip
        assert wrong_with("video_id", f"a{mark}b", "faces") == f"is not an id: it contains {name}"
        assert not schema.faces.are_ids(pa.array([f"a{mark}b"]))
    for sound in ("a b", "a:b", "-a", ".a", "a\u200bb", "'a'", "7", "#"):
        assert wrong_with("entity_id", sound, "faces") is None


def test_lines_are_counted_as_an_editor_counts_them(tmp_path):
    rows = [list(row) for row in ROWS]
    rows[2][1] = "late"
    error = problems(tmp_path, "\n\n" + text_of(rows).replace("\n", "\r\n\r\n"))
    # Two empty lines, the header in line 3, and an empty line after each: 3, 5, 7, 9.
    assert error.problems[0].startswith(f"{tmp_path}/file.csv:9: column frame_timestamp: 'late'")


@pytest.mark.parametrize(
    ("content", "kind", "message", "hint"),
    [
        ("", "groundtruth", "the file is empty", "ground truth is wanted"),
        (text_of(ROWS).encode("utf-16"), "groundtruth", "is UTF-16 text", ""),
        (HEADER + "\n", "groundtruth", "there is a header and not one row", ""),
        (HEADER, "groundtruth", "there is a header and not one row", ""),
        ("a,b,c\n1,2,3\n", "groundtruth", "neither a header nor a row", "8 or 10 columns"),
        ("v:0\t3\t25.0\t[0, 1]\t7\n", "groundtruth", "2 cells", "TalkNet loader file"),
        ("v;0.04;0\n", "groundtruth", "1 cells", "semicolons"),
        (
            text_of(ROWS, HEADER.replace("entity_id", "entity")),
            "groundtruth", "header lacks 'entity_id', but has 'entity'",
                "rename 'entity' to 'entity_id'",
        ),
        (
            text_of(ROWS, HEADER.replace("instance_id", "label")),
            "groundtruth", "has 'label' twice", "a name of its own",
        ),
        (text_of(ROWS), "predictions", "lacks 'score': this looks like ground truth", "label may"),
        (
            text_of([row[:8] for row in ROWS], None),
            "predictions", "no column 'score': this looks like ground truth", "wrong way round",
        ),
        (text_of(ROWS, None), "predictions", "neither a header nor", "8 or 9 or 11 columns"),
    ],
)  # fmt: skip
def test_a_file_in_no_known_form(tmp_path, content, kind, message, hint):
    error = problems(tmp_path, content, kind)
    assert message in error.message
    assert hint in error.hint


def test_trailing_commas_of_a_spreadsheet_are_columns_without_a_name(tmp_path):
    rows = [[*row, "", ""] for row in ROWS]
    assert_is_rows(read(tmp_path, text_of(rows, HEADER + ",,")))
    head, batches = schema.read_text(write_csv(tmp_path / "a.csv", rows, HEADER + ",,"))
    assert schema.write_text(tmp_path / "b.csv", head.columns, batches) == 3
    assert (tmp_path / "b.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(unitalk.UsageError, match="does not exist"):
        unitalk.read_groundtruth(tmp_path / "none.csv")
    with pytest.raises(unitalk.UsageError, match="is a folder"):
        unitalk.read_groundtruth(tmp_path)


# ------------------------------------------------------------------------------ names of columns

OTHER_NAMES = {
    "video_id": ["video", "clip_id", "Video ID", "vdeo_id"],
    "frame_timestamp": ["time", "timestamp", "t", "seconds", "frame_timestmap", "Frame-Timestamp"],
    "entity_box_x1": ["x1", "bbox_x1", "xmin", "left"],
    "entity_box_y2": ["y2", "box_y2", "ymax", "bottom"],
    "label": ["labels", "class", "Label"],
    "entity_id": ["entity", "track_id", "track", "person_id", "EntityID"],
    "score": ["pred", "prob", "probability", "conf", "positive_score", "y_score", "scroe", "Score"],
}


@pytest.mark.parametrize(("wanted", "name"), one_in(3, [
    (wanted, name) for wanted, names in OTHER_NAMES.items() for name in names
]))  # fmt: skip
def test_a_column_under_another_name_is_named_and_renaming_it_is_enough(tmp_path, wanted, name):
    kind = "predictions" if wanted in {"score", "entity_id", "frame_timestamp"} else "groundtruth"
    columns = [*HEADER.split(",")[:8], "score", "remark"]
    header = ",".join(name if column == wanted else column for column in columns)
    content = text_of([[*row, "x"] for row in PREDICTED], header)
    error = problems(tmp_path, content, kind)
    assert error.message == f"{tmp_path}/file.csv:1: the header lacks {wanted!r}, but has {name!r}"
    assert error.hint == f"rename {name!r} to {wanted!r}"
    frame = pd.read_csv(tmp_path / "file.csv")
    with pytest.raises(unitalk.SchemaError, match=f"lacks {wanted!r}, but has {name!r}") as caught:
        schema.from_frame(frame, kind)
    assert caught.value.hint == error.hint
    obeyed = frame.rename(columns={name: wanted})
    assert len(schema.from_frame(obeyed, kind)) == len(read(tmp_path, obeyed.to_csv(), kind)) == 3


def test_several_columns_under_other_names_even_when_no_known_one_is_there(tmp_path):
    names = dict(zip(HEADER.split(",")[:8], ["clip", "time", "left", "top", "right", "bottom",
                                             "class", "track"], strict=True))  # fmt: skip
    for kept in ("", "label", "entity_id"):
        own = {name: name if name == kept else other for name, other in names.items()}
        error = problems(tmp_path, text_of([row[:8] for row in ROWS], ",".join(own.values())))
        for name, other in own.items():
            assert (f"{other!r} to {name!r}" in error.hint) == (name != kept)
    error = problems(tmp_path, "id,sec,conf\nv:0,0.04,0.5\n", "predictions")
    assert error.hint == "rename 'sec' to 'frame_timestamp', 'conf' to 'score'; " + (
        "predictions have the columns frame_timestamp, entity_id, score; "
        "video_id, all four of entity_box_* and label may be there"
    )


@pytest.mark.parametrize(
    ("header", "row", "said", "hint"),
    [
        # Two that may be it; none whose name says so; and what a name says against the cell.
        ("pred,prob", "1,0.5", "lacks 'score', but has 'pred', 'prob'",
         "rename 'pred' or 'prob' to 'score'"),
        ("fps", "25", "lacks 'score', and has 'fps'", "rename the column of the scores to 'score'"),
        ("pred,fps", "yes,25", "lacks 'score', and has 'fps'", "column of the scores"),
        ("pred,prob", "SPEAKING,0.5", "lacks 'score', but has 'prob'", "rename 'prob' to 'score'"),
        ("prediction", "yes", "lacks 'score', and has 'prediction'", "predictions have the"),
    ],
)  # fmt: skip
def test_which_column_is_the_score_is_not_guessed(tmp_path, header, row, said, hint):
    content = f"entity_id,frame_timestamp,{header}\nv:0,0.04,{row}\n"
    error = problems(tmp_path, content, "predictions")
    assert error.message.endswith(said)
    assert hint in error.hint


# ------------------------------------------------------------------------------ frames


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="entity_id"), "lacks 'entity_id'"),
        (lambda f: f.assign(frame_timestamp=[0.04, np.nan, 1]), "frame_timestamp"),
        (lambda f: f.assign(entity_box_x1="left"), "could not convert"),
        (lambda f: f.assign(label="TALKING"), "unknown label 'TALKING'"),
        (lambda f: f.iloc[:0], "has no rows"),
        (lambda f: f.assign(entity_id=["v:0", "v:0", "w,0"]), "row 2: 'w,0' is not an id: it cont"),
        (lambda f: f.assign(frame_timestamp=[0, -0.5, 1]), "row 1: '-0.5' is a negative time"),
        (lambda f: f.assign(entity_box_y1=[0, 0, np.nan]), "entity_box_y1, row 2: the value is mi"),
    ],
)
def test_a_frame_that_breaks_the_schema(tmp_path, change, message):
    frame = pd.read_csv(write_csv(tmp_path / "g.csv", ROWS))
    with pytest.raises(unitalk.SchemaError, match=message):
        schema.from_frame(change(frame), "groundtruth")


# ------------------------------------------------------------------------------ text


@pytest.mark.parametrize("value", ["x", "-1"])
def test_text_is_looked_at_where_file_names_are_made_of_it(tmp_path, value):
    source = write_csv(tmp_path / "a.csv", [*ROWS, face("v", value, "v:0", 0)])
    with pytest.raises(unitalk.SchemaError, match=r"a.csv:5: column frame_timestamp"):
        list(schema.read_text(source)[1])
    source = write_csv(tmp_path / "c.csv", [*ROWS, face("v", "1", "../v", 0)])
    with pytest.raises(unitalk.SchemaError, match=r"c.csv:5: column entity_id"):
        list(schema.read_text(source)[1])

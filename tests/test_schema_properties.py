"""Reading csv files: whatever a file holds, it is read exactly or refused at the right cell.

The oracle is Python's own csv module, `float`, and the rules written down once more below.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import os
import re

import pytest
from build import HEADER, face, write_csv
from hypothesis import example, given, settings
from hypothesis import strategies as st

import unitalk
from unitalk import schema

TEN = HEADER.split(",")
NUMBERS = set(TEN[1:6]) | {"score"}
SPELLINGS = {
    "SPEAKING_AUDIBLE": "SPEAKING_AUDIBLE",
    "SPEAKING_AND_AUDIBLE": "SPEAKING_AUDIBLE",
    "NOT_SPEAKING": "NOT_SPEAKING",
    "SPEAKING_NOT_AUDIBLE": "SPEAKING_NOT_AUDIBLE",
    "SPEAKING_BUT_NOT_AUDIBLE": "SPEAKING_NOT_AUDIBLE",
}
PREDICTED = {**SPELLINGS, "": ""}  # a prediction may leave its label empty
# A number as both Arrow and Python read one: blanks around it, a sign, ASCII digits, an exponent.
NUMBER = re.compile(r"[ \t]*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[ \t]*", re.ASCII)

# ------------------------------------------------------------------------------ files that are fine

ids = st.text(alphabet="abXY019_-.:;|#%'é中ß😀 ", min_size=1, max_size=12).filter(
    lambda text: text == text.strip()
)
floats = st.floats(allow_nan=False, allow_infinity=False)
times = st.floats(0, 3_999_999)


def spelled(numbers):
    """Numbers as people and programs write them."""
    forms = ["{!r}", "{:.3f}", "{:e}", "{:.17g}", " {!r}", "{!r}\t", "00{:.2f}"]
    return st.builds(lambda form, number: form.format(number), st.sampled_from(forms), numbers)


cells = {
    "frame_timestamp": spelled(times),
    "label": st.sampled_from(sorted(SPELLINGS)),
    "label_id": st.sampled_from("012"),
    "score": spelled(floats).filter(lambda text: not text.startswith("00-")),
    "remark": st.text(alphabet="ab, \"'\n;", max_size=6),
    **dict.fromkeys(("video_id", "entity_id", "instance_id"), ids),
    **{name: spelled(st.floats(0, 1)) for name in TEN[2:6]},
}


@st.composite
def files(draw) -> tuple[str, list[str], list[list[str]], bytes]:
    """(kind, columns, rows, bytes): the bytes are one of the many ways to write the rows."""
    kind = draw(st.sampled_from(["groundtruth", "predictions"]))
    has_header = draw(st.booleans())
    if has_header:
        wanted = TEN[:8]
        if kind == "predictions":
            some = draw(st.tuples(*[st.booleans()] * 3))
            may = zip(some, [["video_id"], TEN[2:6], ["label"]], strict=True)
            there = [name for drawn, names in may if drawn for name in names]
            wanted = ["frame_timestamp", "entity_id", "score", *there]
        more = draw(st.lists(st.sampled_from(["label_id", "instance_id", "remark"]), unique=True))
        columns = draw(st.permutations([*wanted, *more]))
    else:
        forms = {
            "groundtruth": [TEN[:8], TEN],
            "predictions": [
                [*TEN[:8], "score"], [*TEN[:6], "entity_id", "score"], [*TEN, "score"],
            ],
        }  # fmt: skip
        columns = draw(st.sampled_from(forms[kind]))
    own = cells if kind == "groundtruth" else {**cells, "label": st.sampled_from(sorted(PREDICTED))}
    rows = draw(st.lists(st.tuples(*(own[name] for name in columns)), min_size=1, max_size=6))
    text = io.StringIO()
    end = draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\r\n\r\n"]))
    # Python's writer leaves a \n bare where lines end in \r alone.
    ways = [csv.QUOTE_ALL] if end == "\r" else [csv.QUOTE_MINIMAL, csv.QUOTE_ALL]
    writer = csv.writer(text, lineterminator=end, quoting=draw(st.sampled_from(ways)))
    if has_header:
        blank = draw(st.sampled_from(["", " "]))
        writer.writerow([f"{blank}{name}{blank}" for name in columns])
    writer.writerows(rows)
    content = draw(st.sampled_from(["", "\ufeff", "\ufeff\r\n", "\n\n"])) + text.getvalue()
    if draw(st.booleans()):
        content = content.rstrip("\r\n")
    packed = gzip.compress(content.encode(), 1) if draw(st.booleans()) else content.encode()
    return kind, list(columns), [list(row) for row in rows], packed


def converter(name: str):
    """What makes of a cell's text the value that is read."""
    return float if name in NUMBERS else PREDICTED.__getitem__ if name == "label" else str


def load(content: bytes, kind="groundtruth", **options) -> schema.Faces:
    return schema.load(schema.Source("-", stdin=io.BytesIO(content)), kind, **options)


@settings(max_examples=100, deadline=None)
@given(files())
def test_every_file_is_read_exactly(file):
    kind, columns, rows, content = file
    faces = load(content, kind)
    assert faces.table.column_names == [name for name in (*TEN, "score") if name in columns]
    for name in faces.table.column_names:
        texts = [row[columns.index(name)] for row in rows]
        assert faces.table[name].to_pylist() == list(map(converter(name), texts))


# ------------------------------------------------------------------------------ one wrong cell


def wrong(name: str, text: str) -> bool:
    """The rules of the schema, once more."""
    if any("\udc80" <= letter <= "\udcff" for letter in text):  # bytes that are not UTF-8
        return True
    if name in NUMBERS:
        if not NUMBER.fullmatch(text) or not math.isfinite(float(text)):
            return True
        return name == "frame_timestamp" and not 0 <= float(text) < 4_000_000
    if name == "label":
        return text not in SPELLINGS
    if name == "label_id":
        return text not in {"0", "1", "2"}
    # Ids are names of files and cells without quotes; \ufeff is a byte-order mark out of place.
    ends = text != text.strip().strip("\ufeff")
    return ends or not text or bool(set(text) & set(',"/\\\r\n\t\0'))


SUSPECT_NUMBERS = [
    "", " ", "soon", "nan", "NaN", "-nan", "NA", "null", "None", "inf", "-inf", "+Infinity", "iNf",
    " inf ", "1_000", "_1", "0x1p3", "0x10", "1e", "e1", "0.1e+", "1e400", "-1e400", "1e-400",
    "1e99999999999999999999", "0e999999", "4.9e-324", "1d5", "1f", "1e5L", "1 2", "--1", "+-1",
    "1.2.3", "1.", ".5", "-.5", "+1.5", ".", "-", "\u22120.5", "1\u2212", "0.5\x00", "\x00", "50%",
    "3999999.9999", "4000000", "-0", "-0.0001", "-1e-400", "True", "0.5\udcff", "\udcff",
    "0.30000000000000004", "123456789012345678901234567890", "2.2250738585072011e-308",
    # Python, C, and Microsoft's C write what is no number in their own ways.
    "nAN", "+nan", " nan", "nan ", "nan(1)", "-nan(ind)", "-nan(snan)",
    "\u0661.5", "\uff11", "\u00a01", "1\u3000", "\x0b1", "1\x0c",
]  # fmt: skip
SUSPECT_TEXTS = [
    "", " ", " v", "v ", 'v"0', "v/0", "v\\0", "v\t0", "v\x00", "v\udcff", "é中", "nan", "NA",
    "'v'", "None", "0", "1", "2", "3", "1.0", " 1", "01", "True", "a b", "-v", "..", "SPEAKING",
    "speaking_audible", " SPEAKING_AUDIBLE", "SPEAKING_AND_AUDIBLE", "SPEAKING_AUDIBLE ",
    # What Excel and web pages leave, and the byte-order mark of a second file.
    "\u00a0v", "v\u00a0", "\u3000v", "v\u2009", "v\x0b", "\x85v", "\ufeffv",
]  # fmt: skip
suspects = st.one_of(
    st.sampled_from(SUSPECT_NUMBERS),
    st.sampled_from(SUSPECT_TEXTS),
    st.text(alphabet="0123456789.eE+- \t_if", max_size=7),
)


def lines_with(column: int, row: int, text: str, *, header: bool) -> tuple[list[list[str]], bytes]:
    rows = [face("v", f"{i / 25:.2f}", f"v:{i % 2}", i % 2) for i in range(4)]
    rows[row][column] = text
    top = [TEN] if header else []
    body = "\n".join(",".join(cells) for cells in [*top, *rows]) + "\n"
    return rows, body.encode("utf-8", "surrogateescape")


def check(column: int, row: int, text: str, header: bool) -> None:
    """Either it is read as `float` reads it, or exactly this cell is refused."""
    rows, content = lines_with(column, row, text, header=header)
    name = TEN[column]
    # Without quotes at its start a cell is its text, for every reader.
    if wrong(name, text):
        with pytest.raises(unitalk.SchemaError) as caught:
            load(content)
        assert caught.value.count == len(caught.value.problems) == 1
        place = f"<stdin>:{row + 1 + header}: column {name}: "
        assert caught.value.problems[0].startswith(place)
    else:
        got = load(content).table[name].to_pylist()
        texts = [cells[column] for cells in rows]
        convert = converter(name)
        assert got == [convert(text) for text in texts]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 9), st.integers(1, 3), suspects, st.booleans())
def test_a_suspect_cell_is_read_exactly_or_refused_by_name(column, row, text, header):
    check(column, row, text, header)


@pytest.mark.parametrize("column", [1, 2, 7])
def test_every_suspect_text_once(column):
    """A time, an edge of a box, a track's id."""
    for text in SUSPECT_TEXTS if column == 7 else SUSPECT_NUMBERS:
        check(column, 2, text, header=True)


# ------------------------------------------------------------------------------ many, and structure


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(0, 29)), st.sets(st.integers(0, 29)), st.booleans())
def test_every_problem_is_counted_and_the_first_ten_stand_in_file_order(times_, widths, header):
    rows = [face("v", f"{i / 25:.2f}", "v:0", i % 2) for i in range(30)]
    if not header:  # the first row decides how many cells a row has
        widths = widths - {0}
    expected = []
    for index in sorted(times_ | widths):
        line = index + 1 + header
        if index in widths:
            rows[index] += ["more"] * (1 + index % 3)
            expected.append(f"<stdin>:{line}: {len(rows[index])} cells where 10 are expected")
        else:
            rows[index][1] = "soon"
            expected.append(f"<stdin>:{line}: column frame_timestamp: 'soon' is not a number")
    content = ("\r\n".join(map(",".join, [*([TEN] * header), *rows]))).encode()
    if not expected:
        assert len(load(content)) == 30
        return
    with pytest.raises(unitalk.SchemaError) as caught:
        load(content)
    assert caught.value.count == len(expected)
    assert list(caught.value.problems) == expected[:10]


BASE = (HEADER + ",remark\n" + "\n".join(
    ",".join([*face("v", f"{i / 25:.2f}", f"v:{i % 2}", i % 2), '"x y"']) for i in range(3)
) + "\n")  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(BASE) - 1), st.sampled_from(["insert", "replace", "delete"]),
            st.sampled_from(['"', '""', ",", "\n", "\r", " ", "\0", "é"]),
        ),
        min_size=1, max_size=4,
    )
)  # fmt: skip
@example([(len(BASE) - 1, "delete", "")])
def test_stray_quotes_commas_and_line_ends_never_move_a_cell(edits):
    """Whatever is accepted is what Python's csv module sees in the same bytes."""
    text = list(BASE)
    for place, how, letter in edits:
        start = min(place, len(text) - 1)
        text[start : start + (how != "insert")] = [] if how == "delete" else list(letter)
    content = "".join(text)
    try:
        faces = load(content.encode())
    except unitalk.SchemaError:
        return
    rows = [row for row in csv.reader(io.StringIO(content, newline="")) if row]
    names = [cell.strip() for cell in rows[0]]
    assert len(faces) == len(rows) - 1
    for name in faces.table.column_names:
        place = names.index(name)
        convert = converter(name)
        assert faces.table[name].to_pylist() == [convert(row[place]) for row in rows[1:]]


def test_a_long_file_may_have_line_ends_in_a_quoted_remark():
    row = [*face("v", "0.04", "v:0", 1), '"late\nor not\nor so"']
    count = (3 << 19) // len(",".join(row))
    content = HEADER + ",remark\n" + (",".join(row) + "\n") * count
    assert len(load(content.encode())) == count


def test_only_what_is_asked_for_is_looked_at():
    """Laziness is the contract: a column that nobody asked for may hold anything but a newline."""
    _, content = lines_with(1, 2, "soon", header=True)
    faces = load(content, columns=["entity_id", "label"])
    assert faces.table.column_names == ["label", "entity_id"]
    with pytest.raises(unitalk.SchemaError, match="column frame_timestamp: 'soon'"):
        load(content, columns=["frame_timestamp"])
    # The number of cells is a matter of the row, not of a column.
    with pytest.raises(unitalk.SchemaError, match="<stdin>:3: 11 cells"):
        load(lines_with(9, 1, "a,b", header=True)[1], columns=["label"])


# ------------------------------------------------------------------------------ damaged files


@pytest.mark.parametrize(
    "content",
    [
        b"\0" * 200_000,
        ('"' + HEADER + "\n" + "v,1\n" * 50_000).encode(),
        b"\x1f\x8brubbish that is no gzip",
        b"\x1f\x8b",
        gzip.compress(BASE.encode())[:20] + b"\xff" * 40,
    ],
    ids=["zeros", "a quote that is never closed", "not gzip", "gzip of two bytes", "damaged"],
)
def test_a_file_that_is_no_csv_at_all_is_a_schema_error(content):
    """A checkpoint given as -p, a download that broke off."""
    with pytest.raises(unitalk.SchemaError):
        load(content)


def test_every_cut_of_a_gzip_is_a_schema_error():
    packed = gzip.compress(BASE.encode())
    for end in range(2, len(packed), 7):
        with pytest.raises(unitalk.SchemaError):
            load(packed[:end])


def test_a_file_name_that_is_not_utf8(tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xe9t\xe9.csv")
    with open(path, "w") as file:
        file.write(BASE)
    assert len(unitalk.read_groundtruth(path)) == 3


# ------------------------------------------------------------------------------ text, unharmed

plain = st.text(alphabet="ab 019.;'é中|", max_size=6)


def copy(source, target) -> int:
    head, batches = schema.read_text(source)
    return schema.write_text(target, head.columns, batches)


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(st.tuples(times.map("{:.2f}".format), ids, plain, plain), min_size=1))
def test_text_goes_through_unchanged(tmp_path_factory, rows):
    """Labels, boxes and further columns are carried as they are; nothing becomes a number."""
    folder = tmp_path_factory.mktemp("text")
    body = [["v", time, *[box] * 4, "any label", entity, "x", "y", remark]
            for time, entity, box, remark in rows]  # fmt: skip
    source = write_csv(folder / "a.csv", body, HEADER + ",remark")
    assert copy(source, folder / "b.csv") == len(rows)
    assert (folder / "b.csv").read_bytes() == source.read_bytes()
    assert copy(folder / "b.csv", folder / "c.csv") == len(rows)


@pytest.mark.parametrize("remark", ["late, or not", '5" screen', "two\nlines"])
def test_text_that_needs_quotes_gets_them(tmp_path, remark):
    header = [*TEN, "remark, or none"]
    rows = [[*face("v", "0.40", "v:0", 1), remark], [*face("v", "0.44", "v:0", 0), "plain"]]
    with open(tmp_path / "a.csv", "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    assert copy(tmp_path / "a.csv", tmp_path / "b.csv") == 2
    with open(tmp_path / "b.csv", newline="") as file:
        assert list(csv.reader(file)) == [header, *rows]


def test_what_text_carries_unseen_is_not_blamed_when_something_else_is_wrong(tmp_path):
    rows = [face("v", time, "v:0", 1) for time in ("0.04", "soon", "0.12")]
    rows[0][6], rows[0][3] = "any label", "no number"
    source = write_csv(tmp_path / "a.csv", [rows[0], rows[2]])
    assert copy(source, tmp_path / "b.csv") == 2
    with pytest.raises(unitalk.SchemaError) as caught:
        copy(write_csv(tmp_path / "c.csv", rows), tmp_path / "d.csv")
    assert caught.value.count == 1
    assert "c.csv:3: column frame_timestamp: 'soon'" in caught.value.problems[0]

"""The csv schema: columns, labels, keys; the one reader of ground truth and of predictions.

No other module spells a column's name or a label. A row is a *face*; its key is
(`entity_id`, `frame_timestamp` in whole milliseconds), never its position and never a float's text.

Reading takes two ways. The fast one gives the file to Arrow's reader with the types below and looks
at what it made of it column by column. Whatever is wrong there sends the file down the slow way,
`_problems`, which walks it line by line and says where and what, for the first ten and the count.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from unitalk.errors import EXAMPLES, SchemaError, UsageError
from unitalk.fsops import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt
    import pandas as pd

VIDEO = "video_id"
TIME = "frame_timestamp"
BOX = ("entity_box_x1", "entity_box_y1", "entity_box_x2", "entity_box_y2")
LABEL = "label"
ENTITY = "entity_id"
LABEL_ID = "label_id"
INSTANCE = "instance_id"
SCORE = "score"

AVA_COLUMNS = (VIDEO, TIME, *BOX, LABEL, ENTITY)
"""The eight columns of AVA-ActiveSpeaker's annotation."""
COLUMNS = (*AVA_COLUMNS, LABEL_ID, INSTANCE)
"""The ten columns of UniTalk."""
PREDICTION_COLUMNS = (*AVA_COLUMNS, SCORE)
"""The nine columns of a file of predictions."""

SPEAKING = "SPEAKING_AUDIBLE"
NOT_AUDIBLE = "SPEAKING_NOT_AUDIBLE"
NOT_SPEAKING = "NOT_SPEAKING"
LABEL_IDS = {NOT_SPEAKING: 0, SPEAKING: 1, NOT_AUDIBLE: 2}
"""Each label's `label_id`; only 1 is a positive."""
LABEL_SPELLINGS = {
    **{label: label for label in LABEL_IDS},
    # AVA's documentation writes these for what AVA's files call the above.
    "SPEAKING_AND_AUDIBLE": SPEAKING,
    "SPEAKING_BUT_NOT_AUDIBLE": NOT_AUDIBLE,
}

DESCRIPTION = {
    VIDEO: ("text", "the video's id"),
    TIME: ("seconds", "when the face is seen; compared in whole milliseconds"),
    BOX[0]: ("0..1", "left edge of the face's box, relative to the frame's width"),
    BOX[1]: ("0..1", "top edge, relative to the frame's height"),
    BOX[2]: ("0..1", "right edge"),
    BOX[3]: ("0..1", "bottom edge"),
    LABEL: ("text", f"{SPEAKING}, {NOT_SPEAKING}, or AVA's {NOT_AUDIBLE} (not a positive)"),
    ENTITY: ("text", "the track's id; the faces of one person in one stretch of the video"),
    LABEL_ID: ("0, 1, 2", "1 for a positive, 0 not speaking, 2 speaking but not audible"),
    INSTANCE: ("text", "the track's id and a number that grows at each change of label"),
    SCORE: ("number", f"how much the model takes the face for {SPEAKING}; any finite number"),
}
"""Each column's unit and meaning; the README's table is made from it."""

Kind = Literal["groundtruth", "predictions"]
_KIND_NAME: dict[Kind, str] = {"groundtruth": "ground truth", "predictions": "predictions"}
# A file without a header is known by how many cells a row has.
_HEADERLESS: dict[Kind, dict[int, tuple[str, ...]]] = {
    "groundtruth": {len(AVA_COLUMNS): AVA_COLUMNS, len(COLUMNS): COLUMNS},
    "predictions": {
        len(AVA_COLUMNS): (VIDEO, TIME, *BOX, ENTITY, SCORE),
        len(PREDICTION_COLUMNS): PREDICTION_COLUMNS,
        len(COLUMNS) + 1: (*COLUMNS, SCORE),
    },
}
_REQUIRED: dict[Kind, tuple[str, ...]] = {
    "groundtruth": AVA_COLUMNS,
    "predictions": (VIDEO, TIME, *BOX, ENTITY, SCORE),
}
_NUMBERS = frozenset({TIME, *BOX, SCORE})
_IDS = frozenset({VIDEO, ENTITY, INSTANCE})

# An id is a name of files and a cell without quotes: not empty, no blank at its ends, no separator.
_NO_ID = r"""^$|^\s|\s$|[,"/\\\r\n\t\x00]"""

# Spellings that a reader takes for a missing or unbounded number; each is a problem here.
_NOT_NUMBERS = [
    "", "nan", "NaN", "NAN", "-nan", "-NaN", "null", "NULL", "None", "none", "NA", "N/A", "n/a",
    "inf", "Inf", "INF", "+inf", "-inf", "-Inf", "-INF", "infinity", "Infinity", "-infinity",
    "-Infinity",
]  # fmt: skip
_GZIP = b"\x1f\x8b"
_BLOCK = 4 << 20  # of 0.25 to 16 MiB the fastest on two cores, and small enough to stay in memory
MAX_SECONDS = 4_000_000.0
"""Times lie below this (46 days), so that a time in milliseconds fits into 32 bits of a key."""


# ------------------------------------------------------------------------------ where it comes from


class Source:
    """A csv file as named on a command line: a path, a `.gz`, or `-` for stdin (read once)."""

    def __init__(self, name: str | Path, *, stdin: IO[bytes] | None = None) -> None:
        self.name = str(name)
        self._bytes: bytes | None = None
        if self.name == "-":
            self.name = "<stdin>"
            self._bytes = (sys.stdin.buffer if stdin is None else stdin).read()
        elif not Path(name).is_file():
            what = "is a folder" if Path(name).is_dir() else "does not exist"
            raise UsageError(f"{self.name} {what}", hint="give a csv file, or - for stdin")

    def open(self) -> IO[bytes]:
        """Open it from the start, unpacked."""
        if self._bytes is not None:
            raw: IO[bytes] = io.BytesIO(self._bytes)
            packed = self._bytes.startswith(_GZIP)
            return cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw
        with open(self.name, "rb") as file:
            packed = file.read(2) == _GZIP
        return cast("IO[bytes]", gzip.open(self.name)) if packed else open(self.name, "rb")

    def open_arrow(self) -> IO[bytes]:
        """Open it for Arrow: a plain file goes there by its name, without Python in between."""
        opened = self.open()
        if isinstance(opened, io.BufferedReader):
            opened.close()
            return cast("IO[bytes]", pa.OSFile(self.name, "rb"))
        return opened

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Walk the rows that are not empty, each with the number of the line that it ends on."""
        with self.open() as raw:
            text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline="")
            reader = csv.reader(text)
            for cells in reader:
                if cells:
                    yield reader.line_num, cells


@dataclass(frozen=True, slots=True)
class Head:
    """What stands at the top of a csv file, decided by its content.

    Attributes:
        columns: the name of each cell of a row.
        header_line: the line that names them, or 0 when no line does.
    """

    columns: tuple[str, ...]
    header_line: int

    def describe(self) -> str:
        """One clause for the reader."""
        what = f"header in line {self.header_line}" if self.header_line else "no header"
        return f"{what}, {len(self.columns)} columns"


def read_head(source: Source, kind: Kind) -> Head:
    """Find out whether a file has a header, and which column is which.

    The first row is a header when one of its cells is the name of a column. Without one, the
    number of cells says which of the known forms it is.

    Raises:
        SchemaError: it is empty, or in no known form.
    """
    line, cells = next(source.rows(), (0, []))
    if not cells:
        raise SchemaError(
            f"{source.name}: the file is empty", hint=f"a file of {_KIND_NAME[kind]} is wanted"
        )
    names = tuple(cell.strip() for cell in cells)
    if {*COLUMNS, SCORE} & set(names):
        return _check_header(source, kind, Head(names, line))
    form = _HEADERLESS[kind].get(len(names))
    if form is None:
        raise _unknown_form(source, kind, line, cells)
    if kind == "predictions" and len(names) in _HEADERLESS["groundtruth"]:
        # Ground truth given as predictions has a label where the entity should be.
        label = names[AVA_COLUMNS.index(LABEL)] if form[-2] == ENTITY else ""
        if label in LABEL_SPELLINGS:
            raise SchemaError(
                f"{source.name}:{line}: no column {SCORE!r}: this looks like ground truth",
                hint="are -g and -p the wrong way round?",
            )
    return Head(form, 0)


def _check_header(source: Source, kind: Kind, head: Head) -> Head:
    where = f"{source.name}:{head.header_line}"
    missing = [name for name in _REQUIRED[kind] if name not in head.columns]
    if missing:
        also = ": this looks like ground truth" if missing == [SCORE] else ""
        raise SchemaError(
            f"{where}: the header lacks {', '.join(map(repr, missing))}{also}",
            hint=f"{_KIND_NAME[kind]} have the columns {', '.join(_REQUIRED[kind])}"
            + (f", and {LABEL} may be there" if kind == "predictions" else ""),
        )
    twice = sorted({name for name in head.columns if head.columns.count(name) > 1})
    if twice:
        raise SchemaError(
            f"{where}: the header has {', '.join(map(repr, twice))} twice",
            hint="give every column a name of its own",
        )
    return head


def _unknown_form(source: Source, kind: Kind, line: int, cells: list[str]) -> SchemaError:
    forms = " or ".join(str(count) for count in _HEADERLESS[kind])
    if "\t" in cells[0]:
        hint = "its cells are separated by tabs (a TalkNet loader file?); commas are wanted"
    elif ";" in cells[0]:
        hint = "its cells are separated by semicolons; commas are wanted"
    else:
        hint = f"without a header, {_KIND_NAME[kind]} have {forms} columns"
    return SchemaError(
        f"{source.name}:{line}: neither a header nor a row of {_KIND_NAME[kind]}: "
        f"{len(cells)} cells, the first {cells[0][:60]!r}",
        hint=hint,
    )


# ------------------------------------------------------------------------------ the table


@dataclass(frozen=True, slots=True)
class Faces:
    """The faces of one file or frame, by column, in the order of its rows.

    Attributes:
        name: where they come from, for messages.
        table: Arrow columns: ids and labels as dictionaries of text (one dictionary a column),
            numbers as float64.
        head: what stood at the top of the file; None for a frame.
        source: the file, for finding lines; None for a frame.
    """

    name: str
    table: pa.Table
    head: Head | None = None
    source: Source | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return self.table.num_rows

    def codes(self, column: str) -> tuple[npt.NDArray[np.int32], list[str]]:
        """A text column as (the index of each row's text, the texts)."""
        chunks = _dictionary_chunks(self.table[column])
        indices = np.concatenate([as_numpy(chunk.indices) for chunk in chunks])
        return indices, _texts(self.table[column])

    def numbers(self, column: str, start: int = 0, count: int | None = None) -> npt.NDArray[Any]:
        """A piece of a column of numbers, or all of it."""
        chunks = self.table[column].slice(start, count).chunks
        return np.concatenate([as_numpy(chunk) for chunk in chunks])

    def milliseconds(self) -> npt.NDArray[np.int64]:
        """The time of each face."""
        result = np.empty(len(self), np.int64)
        start = 0
        for chunk in self.table[TIME].chunks:  # piece by piece, so that no temporary is large
            end = start + len(chunk)
            result[start:end] = np.rint(as_numpy(chunk) * 1000)
            start = end
        return result

    def where(self, rows: Sequence[int]) -> list[str]:
        """Name rows as a person finds them: `file:line`, or `name row n` for a frame."""
        if self.source is None:
            return [f"{self.name} row {row}" for row in rows]
        wanted = set(rows)
        first = 1 if self.head is not None and self.head.header_line else 0
        lines: dict[int, int] = {}
        for index, (line, _) in enumerate(self.source.rows(), -first):
            if index in wanted:
                lines[index] = line
                if len(lines) == len(wanted):
                    break
        return [f"{self.name}:{lines[row]}" for row in rows]

    def to_frame(self) -> pd.DataFrame:
        """The faces as a pandas frame: texts as categories, numbers as float64."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame


def read_groundtruth(path: str | Path, *, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a file of ground truth into a pandas frame.

    Header or none, `.csv` or `.csv.gz`, `-` for stdin; labels in AVA's other spelling are brought
    to the usual one.

    Args:
        path: the file.
        columns: which to read; default: all that the schema knows and the file has.

    Raises:
        SchemaError: the file breaks the schema; every problem is counted, the first ten are told.
    """
    return load(Source(path), "groundtruth", columns=columns).to_frame()


def read_predictions(path: str | Path, *, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a file of predictions into a pandas frame; as `read_groundtruth`, `label` optional.

    Raises:
        SchemaError: the file breaks the schema; every problem is counted, the first ten are told.
    """
    return load(Source(path), "predictions", columns=columns).to_frame()


def load(source: Source, kind: Kind, *, columns: Sequence[str] | None = None) -> Faces:
    """Read and check a csv file; the columns not asked for are not even converted.

    Raises:
        SchemaError: the file breaks the schema.
    """
    head = read_head(source, kind)
    present = [name for name in (*COLUMNS, SCORE) if name in head.columns]
    wanted = present if columns is None else [name for name in present if name in columns]
    try:
        with source.open_arrow() as raw:
            table = pyarrow.csv.read_csv(
                raw,
                read_options=_read_options(head),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types={name: _type_of(name) for name in wanted},
                    include_columns=wanted,
                    null_values=_NOT_NUMBERS,
                    strings_can_be_null=False,
                ),
            )
        table = _normalise_labels(table.unify_dictionaries())
    except (pa.ArrowInvalid, UnicodeDecodeError, OSError, EOFError) as error:
        raise _explain(source, kind, head, wanted, str(error)) from error
    if table.num_rows == 0:
        raise SchemaError(
            f"{source.name}: there is a header and not one row",
            hint=f"a file of {_KIND_NAME[kind]} is wanted",
        )
    if not _is_sound(table):
        raise _explain(source, kind, head, wanted, "a value is out of range")
    return Faces(source.name, table, head, source)


def from_frame(frame: pd.DataFrame, kind: Kind) -> Faces:
    """Take faces from a pandas frame that has the schema's columns.

    Raises:
        SchemaError: a column is missing, or a value breaks the schema.
    """
    name = f"the frame of {_KIND_NAME[kind]}"
    missing = [column for column in _REQUIRED[kind] if column not in frame.columns]
    if missing:
        raise SchemaError(
            f"{name} lacks {', '.join(map(repr, missing))}",
            hint=f"{_KIND_NAME[kind]} have the columns {', '.join(_REQUIRED[kind])}",
        )
    present = [column for column in (*COLUMNS, SCORE) if column in frame.columns]
    try:
        table = pa.table({column: _column_of(frame, column) for column in present})
        table = _normalise_labels(table)
    except (pa.ArrowInvalid, TypeError, ValueError) as error:
        raise SchemaError(
            f"{name}: {error}", hint="numbers as floats, ids and labels as text"
        ) from error
    if len(frame) == 0:
        raise SchemaError(f"{name} has no rows", hint="give a frame with one row a face")
    if not _is_sound(table):
        bad = [c for c in present if c in _NUMBERS and not _is_sound_number(table, c)]
        raise SchemaError(
            f"{name} has "
            + (f"values out of range in {', '.join(bad)}" if bad else "no sound row"),
            hint="numbers must be finite, times not negative, ids not empty",
        )
    return Faces(name, table)


def _column_of(frame: pd.DataFrame, column: str) -> pa.Array[Any]:
    if column in _NUMBERS:
        return pa.array(frame[column].astype("float64"), from_pandas=True)
    return pa.array(frame[column].astype(str)).dictionary_encode()


def as_numpy(array: pa.Array[Any]) -> npt.NDArray[Any]:
    """Numbers without a hole as numpy, without a copy; Arrow's own `to_numpy` imports pandas."""
    return np.from_dlpack(array)


def _dictionary_chunks(column: pa.ChunkedArray[Any]) -> list[pa.DictionaryArray[Any, Any]]:
    return cast("list[pa.DictionaryArray[Any, Any]]", column.chunks)


def _dictionary(column: pa.ChunkedArray[Any]) -> pa.Array[Any]:
    return _dictionary_chunks(column)[0].dictionary


def _texts(column: pa.ChunkedArray[Any]) -> list[str]:
    """The texts that a dictionary column holds; its chunks share one dictionary."""
    return cast("list[str]", _dictionary(column).to_pylist())


def _read_options(head: Head) -> pyarrow.csv.ReadOptions:
    return pyarrow.csv.ReadOptions(
        column_names=list(head.columns), skip_rows=head.header_line, block_size=_BLOCK
    )


def _type_of(column: str) -> pa.DataType:
    if column in _NUMBERS:
        return pa.float64()
    # label_id too is read as text: it is checked by value, and few texts are dear to nobody.
    return pa.dictionary(pa.int32(), pa.string())


def _normalise_labels(table: pa.Table) -> pa.Table:
    """Bring AVA's other spellings to the usual ones.

    Raises:
        ArrowInvalid: a label is none of them.
    """
    if LABEL not in table.column_names or table.num_rows == 0:
        return table
    found = _texts(table[LABEL])
    unknown = [text for text in found if text not in LABEL_SPELLINGS]
    if unknown:
        raise pa.ArrowInvalid(f"unknown label {unknown[0]!r}")
    if all(LABEL_SPELLINGS[text] == text for text in found):
        return table
    usual = sorted({LABEL_SPELLINGS[text] for text in found})
    move = np.array([usual.index(LABEL_SPELLINGS[text]) for text in found], np.int32)
    chunks = [
        pa.DictionaryArray.from_arrays(move[as_numpy(chunk.indices)], pa.array(usual))
        for chunk in _dictionary_chunks(table[LABEL])
    ]
    index = table.column_names.index(LABEL)
    return table.set_column(index, LABEL, pa.chunked_array(chunks))


def _is_sound(table: pa.Table) -> bool:
    """Look at whole columns: no hole, no infinity, no negative time, no id that is none."""
    for name in table.column_names:
        if name in _NUMBERS:
            if not _is_sound_number(table, name):
                return False
            continue
        if name in _IDS and not _are_ids(_dictionary(table[name])):
            return False
        if name == LABEL_ID and not set(_texts(table[name])) <= {"0", "1", "2"}:
            return False
    return True


def _is_sound_number(table: pa.Table, name: str) -> bool:
    column = table[name]
    if column.null_count:
        return False
    limits = pc.min_max(column)
    low, high = limits["min"].as_py(), limits["max"].as_py()
    if not (math.isfinite(low) and math.isfinite(high)):
        return False
    return name != TIME or (low >= 0 and high < MAX_SECONDS)


def _are_ids(texts: pa.Array[Any]) -> bool:
    return not pc.any(pc.match_substring_regex(texts, _NO_ID)).as_py()


# ------------------------------------------------------------------------------ what is wrong


def _explain(
    source: Source, kind: Kind, head: Head, wanted: Sequence[str], reason: str
) -> SchemaError:
    """Walk a file that the fast way refused, and say what is wrong with it, line by line."""
    shown: list[str] = []
    count = 0
    try:
        for problem in _problems(source, head, wanted):
            count += 1
            if count <= EXAMPLES:
                shown.append(problem)
    except (OSError, EOFError, csv.Error) as error:
        count += 1
        shown.append(f"{source.name}: cannot be read to its end: {error}")
    if not count:
        shown, count = [f"{source.name}: {reason}"], 1
    rest = f"\n  and {count - len(shown):,} more" if count > len(shown) else ""
    noun = "problem" if count == 1 else "problems"
    return SchemaError(
        f"{source.name}: {count:,} {noun} in the {_KIND_NAME[kind]}\n  "
        + "\n  ".join(shown)
        + rest,
        hint="correct these rows and run the command again; the file has "
        + (
            head.describe() if head.header_line else f"{head.describe()}: {', '.join(head.columns)}"
        ),
        problems=shown,
        count=count,
    )


def _problems(source: Source, head: Head, wanted: Sequence[str]) -> Iterator[str]:
    places = [(head.columns.index(name), name) for name in wanted]
    width = len(head.columns)
    for line, cells in source.rows():
        if line <= head.header_line:
            continue
        if len(cells) != width:
            yield f"{source.name}:{line}: {len(cells)} cells where {width} are expected"
            continue
        for place, name in places:
            wrong = _wrong_with(name, cells[place])
            if wrong:
                yield f"{source.name}:{line}: column {name}: {cells[place][:60]!r} {wrong}"


def _wrong_with(name: str, text: str) -> str | None:
    """What is wrong with one cell, or None."""
    if "\ufffd" in text:
        return "is not UTF-8 text"
    if name in _NUMBERS:
        return _wrong_with_number(name, text)
    if name == LABEL and text not in LABEL_SPELLINGS:
        return f"is none of {', '.join(LABEL_IDS)}"
    if name == LABEL_ID and text not in {"0", "1", "2"}:
        return "is none of 0, 1, 2"
    if name in _IDS and re.search(_NO_ID, text):
        return "is not an id: empty, or with spaces at its ends, commas, quotes or separators"
    return None


def _wrong_with_number(name: str, text: str) -> str | None:
    if "_" in text:  # Python would read 1_000 as a thousand
        return "is not a number"
    try:
        number = float(text)
    except ValueError:
        return "is not a number"
    if not math.isfinite(number):
        return "is not a finite number"
    if name == TIME and number < 0:
        return "is a negative time"
    if name == TIME and number >= MAX_SECONDS:
        return "is a time of more than 46 days; seconds are wanted"
    return None


# ------------------------------------------------------------------------------ text, unharmed


def read_text(path: Path) -> tuple[Head, Iterator[pa.RecordBatch]]:
    """Read ground truth as text, in batches: what is written back is what was read.

    Returns:
        The head, and batches in which every column is text; the columns are the file's own.

    Raises:
        SchemaError: the file has no known form; while reading: a row breaks the schema.
    """
    source = Source(path)
    head = read_head(source, "groundtruth")
    return head, _text_batches(source, head)


def _text_batches(source: Source, head: Head) -> Iterator[pa.RecordBatch]:
    known = [name for name in COLUMNS if name in head.columns]
    try:
        with (
            source.open_arrow() as raw,
            pyarrow.csv.open_csv(
                raw,
                read_options=_read_options(head),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(head.columns, pa.string()),
                    strings_can_be_null=False,
                ),
            ) as reader,
        ):
            for batch in reader:
                _check_text(batch)
                yield batch
    except (pa.ArrowInvalid, UnicodeDecodeError, OSError, EOFError) as error:
        raise _explain(source, "groundtruth", head, known, str(error)) from error


def _check_text(batch: pa.RecordBatch) -> None:
    """Look at what file names are made of; the rest is carried as it is.

    Raises:
        ArrowInvalid: a time is no time, or an id is none.
    """
    if not batch.num_rows:
        return
    seconds = as_numpy(pc.cast(batch[TIME], pa.float64()))
    if not ((seconds >= 0) & (seconds < MAX_SECONDS)).all():  # not a number is neither
        raise pa.ArrowInvalid("a time is out of range")
    for name in (VIDEO, ENTITY):
        if not _are_ids(pc.unique(batch[name])):
            raise pa.ArrowInvalid("an id is none")


def write_text(path: Path, columns: Sequence[str], batches: Iterable[pa.RecordBatch]) -> int:
    """Write batches of text as a csv file with a header, atomically; returns the rows written."""
    rows = 0
    with atomic_write(path, "wb") as file:
        file.write((",".join(columns) + "\n").encode())
        for batch in batches:
            append_text(file, batch)
            rows += batch.num_rows
    return rows


def append_text(file: IO[bytes], batch: pa.RecordBatch) -> None:
    """Append the rows of a batch of text to an open file, without quotes."""
    pyarrow.csv.write_csv(
        batch,
        file,
        pyarrow.csv.WriteOptions(include_header=False, quoting_style="none"),
    )

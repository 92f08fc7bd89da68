"""Faces by column: read from a file or taken from a frame, and looked at.

Reading takes two ways. The fast one gives the file to Arrow's reader with the types below and looks
at what it made of it column by column. Whatever is wrong there sends the file down the slow way,
`problems.explain`, which walks it line by line and says where and what.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from unitalk.errors import SchemaError
from unitalk.schema.columns import (
    COLUMNS,
    IDS,
    KIND_NAME,
    LABEL,
    LABEL_ID,
    LABEL_SPELLINGS,
    MAX_SECONDS,
    NO_ID,
    NUMBERS,
    REQUIRED,
    SCORE,
    TIME,
    Kind,
)
from unitalk.schema.problems import explain
from unitalk.schema.source import Head, Source, read_head

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd

REFUSED = (pa.ArrowInvalid, UnicodeDecodeError, OSError, EOFError, zlib.error)
"""What the fast way raises; the slow way then says what it means."""

_BLOCK = 1 << 20  # of 0.25 to 16 MiB the fastest on two cores, if not by much


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
        table = _read(source, head, wanted)
    except REFUSED as error:
        explained = explain(source, kind, head, wanted)
        if explained is not None:
            raise explained from error
        # Nothing is wrong but a line end within quotes, which lay on the edge of two blocks.
        table = _read(source, head, wanted, newlines_in_values=True)
    return Faces(source.name, table, head, source)


def _read(
    source: Source, head: Head, wanted: Sequence[str], *, newlines_in_values: bool = False
) -> pa.Table:
    """Read a file the fast way.

    Raises:
        REFUSED: something is wrong.
    """
    with source.open_arrow() as raw:
        table = pyarrow.csv.read_csv(
            raw,
            read_options=read_options(head),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=newlines_in_values),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={name: _type_of(name) for name in wanted},
                include_columns=list(wanted),
                null_values=[],
                strings_can_be_null=False,
            ),
        )
    table = _normalise_labels(table.unify_dictionaries())
    if not table.num_rows or _unsound(table):
        raise pa.ArrowInvalid("a value is out of range, or there is none")
    return table


def from_frame(frame: pd.DataFrame, kind: Kind, *, columns: Sequence[str] | None = None) -> Faces:
    """Take faces from a pandas frame that has the schema's columns; it is not changed.

    Raises:
        SchemaError: a column is missing or there twice, or a value breaks the schema.
    """
    name = f"the frame of {KIND_NAME[kind]}"
    missing = [column for column in REQUIRED[kind] if column not in frame.columns]
    if missing:
        raise SchemaError(
            f"{name} lacks {', '.join(map(repr, missing))}",
            hint=f"{KIND_NAME[kind]} have the columns {', '.join(REQUIRED[kind])}",
        )
    if not len(frame):
        raise SchemaError(f"{name} has no rows", hint="give a frame with one row a face")
    known = [column for column in (*COLUMNS, SCORE) if column in frame.columns]
    wanted = known if columns is None else [column for column in known if column in columns]
    try:
        table = pa.table({column: _column_of(frame, column) for column in wanted})
        table = _normalise_labels(table)
        unsound = _unsound(table)
    except (pa.ArrowInvalid, TypeError, ValueError) as error:
        raise SchemaError(
            f"{name}: {error}", hint="numbers as floats, ids and labels as text"
        ) from error
    if unsound:
        raise SchemaError(
            f"{name}: column {', '.join(unsound)}: a value is missing or out of range",
            hint="numbers must be finite, times not negative, ids without blanks or separators",
        )
    return Faces(name, table)


def _column_of(frame: pd.DataFrame, column: str) -> pa.Array[Any]:
    """One column as Arrow has it.

    Raises:
        ValueError: the frame has it twice, or a text is missing.
    """
    values = frame[column]
    if values.ndim > 1:
        raise ValueError(f"column {column} is there twice")
    if column in NUMBERS:
        return pa.array(values.astype("float64"), from_pandas=True)
    holes = values.isna().to_numpy()
    if holes.any():
        raise ValueError(
            f"column {column}: {holes.sum():,} values are missing, the first in row "
            f"{holes.argmax()}"
        )
    return pa.array(values.astype(str)).dictionary_encode()


# ------------------------------------------------------------------------------ Arrow's columns


def as_numpy(array: pa.Array[Any]) -> npt.NDArray[Any]:
    """Numbers without a hole as numpy, without a copy; Arrow's own `to_numpy` imports pandas."""
    return np.from_dlpack(array)


def read_options(head: Head) -> pyarrow.csv.ReadOptions:
    """How Arrow is told where the rows begin and what the cells are."""
    return pyarrow.csv.ReadOptions(
        column_names=list(head.columns), skip_rows=head.header_line, block_size=_BLOCK
    )


def are_ids(texts: pa.Array[Any]) -> bool:
    """Whether every text can be an id."""
    return not pc.any(pc.match_substring_regex(texts, NO_ID)).as_py()


def _dictionary_chunks(column: pa.ChunkedArray[Any]) -> list[pa.DictionaryArray[Any, Any]]:
    return cast("list[pa.DictionaryArray[Any, Any]]", column.chunks)


def _dictionary(column: pa.ChunkedArray[Any]) -> pa.Array[Any]:
    return _dictionary_chunks(column)[0].dictionary


def _texts(column: pa.ChunkedArray[Any]) -> list[str]:
    """The texts that a dictionary column holds; its chunks share one dictionary."""
    return cast("list[str]", _dictionary(column).to_pylist())


def _type_of(column: str) -> pa.DataType:
    if column in NUMBERS:
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


def _unsound(table: pa.Table) -> list[str]:
    """Name the columns with a hole, an infinity, a negative time, an id that is none."""
    return [name for name in table.column_names if not _is_sound(table, name)]


def _is_sound(table: pa.Table, name: str) -> bool:
    if name in NUMBERS:
        return _is_sound_number(table, name)
    if name in IDS:
        return are_ids(_dictionary(table[name]))
    return name != LABEL_ID or set(_texts(table[name])) <= {"0", "1", "2"}


def _is_sound_number(table: pa.Table, name: str) -> bool:
    column = table[name]
    if column.null_count or not pc.all(pc.is_finite(column)).as_py():
        return False
    if name != TIME:
        return True
    limits = pc.min_max(column)
    low, high = limits["min"].as_py(), limits["max"].as_py()
    return bool(low >= 0 and high < MAX_SECONDS)

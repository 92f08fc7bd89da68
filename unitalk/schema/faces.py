"""Read faces by column from a file or a frame, and check them.

A file is read in one of two ways. The fast one gives it to Arrow's reader with the types below and
checks the result column by column. If anything is wrong, the slow one, `problems.explain`, walks
the file line by line and says what is wrong and where.
"""

from __future__ import annotations

import contextlib
import csv
import os
import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from unitalk.errors import SchemaError
from unitalk.files import disk_boundary
from unitalk.schema.columns import (
    ENTITY,
    EVAL,
    IDS,
    KIND_NAME,
    LABEL,
    LOGITS,
    MARKS,
    MAX_SECONDS,
    NO_ID,
    NUMBERS,
    SCORE,
    SPELLINGS,
    TIME,
    UNLABELLED,
    Kind,
    known_columns,
    lacking,
    marks_of,
    shown,
    wrong_with,
)
from unitalk.schema.csv_source import Head, Source, read_head, sources_in
from unitalk.schema.foreign_columns import missing_columns
from unitalk.schema.problems import explain, together

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd

REFUSED = (pa.ArrowInvalid, UnicodeDecodeError, OSError, EOFError, zlib.error)
"""What the fast way raises; the slow way then explains it."""

_BLOCK = 1 << 20  # of 0.25 to 16 MiB the fastest on two cores, if not by much


@dataclass(frozen=True, slots=True)
class File:
    """One file that faces were read from.

    Attributes:
        source: the file, for finding lines.
        head: what stood at its top.
        rows: how many faces are of it.
    """

    source: Source
    head: Head
    rows: int

    def lines(self, wanted: Collection[int]) -> dict[int, str]:
        """Find rows of the file: each one's number -> `file:line`."""
        found: dict[int, str] = {}
        first = 1 if self.head.header_line else 0
        # Arrow skips cells that are too long for Python's reader; then rows are counted alone.
        with contextlib.suppress(csv.Error):
            for index, (line, _) in enumerate(self.source.rows(), -first):
                if len(found) == len(wanted):
                    break
                if index in wanted:
                    found[index] = f"{self.source.name}:{line}"
        return {index: f"{self.source.name} row {index}" for index in wanted} | found


@dataclass(frozen=True, slots=True)
class Faces:
    """The faces of a file, of a folder's files or of a frame, by column, in the order of its rows.

    Attributes:
        name: where they come from, for messages.
        table: Arrow columns: ids and labels as dictionaries of text (one dictionary a column),
            numbers as float64.
        files: what they were read from, in the order of the rows; empty for a frame.
    """

    name: str
    table: pa.Table
    files: tuple[File, ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        return self.table.num_rows

    def describe(self) -> str:
        """One clause about the form that they came in."""
        forms = Counter(file.head.describe() for file in self.files)
        if len(self.files) <= 1:
            return next(iter(forms), "a frame")
        if len(forms) == 1:
            return f"{len(self.files):,} files: {next(iter(forms))}"
        kinds = "; ".join(f"{count:,} with {form}" for form, count in forms.most_common())
        return f"{len(self.files):,} files: {kinds}"

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

    def scored(self) -> npt.NDArray[np.bool_] | None:
        """[faces] Which ones count in a score; None when all do, as in a file that does not say."""
        if EVAL not in self.table.column_names:
            return None
        codes, texts = self.codes(EVAL)
        scored: npt.NDArray[np.bool_] = np.array([text == "1" for text in texts])[codes]
        return None if scored.all() else scored

    def where(self, rows: Sequence[int]) -> list[str]:
        """Name rows as a person finds them: `file:line`, or `name row n` for a frame."""
        if not self.files:
            return [f"{self.name} row {row}" for row in rows]
        found: dict[int, str] = {}
        start = 0
        for file in self.files:
            own = {row - start for row in rows if start <= row < start + file.rows}
            found |= {start + row: line for row, line in (file.lines(own) if own else {}).items()}
            start += file.rows
        return [found[row] for row in rows]

    def to_frame(self) -> pd.DataFrame:
        """The faces as a pandas frame: texts as categories, numbers as float64."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame


@disk_boundary("path")
def read_groundtruth(path: str | Path, *, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a file of ground truth, or a folder of one csv file a video, into a pandas frame.

    Header or none, `.csv` or `.csv.gz`, `-` for stdin; labels in AVA's other spelling are brought
    to the usual one. Of a folder, the columns are those that all of its files have.

    Args:
        path: the file or the folder.
        columns: which to read; default: all that the schema knows and the file has.

    Raises:
        SchemaError: a file breaks the schema; every problem is counted, the first ten are told.
        UsageError: there is no such file, or none in the folder.
    """
    return load(path, "groundtruth", columns=columns).to_frame()


@disk_boundary("path")
def read_predictions(path: str | Path, *, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a file of predictions, or a folder of one csv file a video, into a pandas frame.

    As `read_groundtruth`; needed are only the time, the entity and the score, and a label may be
    empty. What ASC's and ASDNet's networks write has two logits a face instead of a score, which
    becomes the second less the first.

    Raises:
        SchemaError: a file breaks the schema; every problem is counted, the first ten are told.
        UsageError: there is no such file, or none in the folder.
    """
    return load(path, "predictions", columns=columns).to_frame()


def load(given: str | Path | Source, kind: Kind, *, columns: Sequence[str] | None = None) -> Faces:
    """Read and check a csv file or those in a folder; columns not asked for are not converted.

    Raises:
        SchemaError: a file breaks the schema.
        UsageError: there is no such file, or none in the folder.
    """
    if isinstance(given, Source):
        return _load_file(given, kind, columns)
    if str(given) != "-" and os.path.isdir(given):
        return _load_folder(given, kind, columns)
    return _load_file(Source(given), kind, columns)


def load_split(given: str | Path, *, columns: Sequence[str] | None = None) -> Faces:
    """Read the rows of a split: ground truth, or a file without one label, as AVA's test split.

    Raises:
        SchemaError: a file breaks the schema, or only some of its faces have a label.
        UsageError: there is no such file, or none in the folder.
    """
    if str(given) != "-" and os.path.isdir(given):
        return _load_folder(given, "groundtruth", columns)
    source = Source(given)
    try:
        return _load_file(source, "groundtruth", columns)
    except UnlabelledError:
        return _load_file(source, "faces", columns)


class UnlabelledError(SchemaError):
    """Ground truth of which not one face has a label."""


def _load_folder(folder: str | Path, kind: Kind, columns: Sequence[str] | None) -> Faces:
    sources = sources_in(folder)
    loaded: list[Faces] = []
    errors: list[SchemaError] = []
    for source in sources:
        try:
            loaded.append(_load_file(source, kind, columns))
        except SchemaError as error:
            errors.append(error)
    if errors:
        raise together(str(folder), len(sources), errors)
    with_logits = [faces.name for faces in loaded if faces.files[0].head.has_logits]
    if 0 < len(with_logits) < len(loaded) and (columns is None or SCORE in columns):
        raise SchemaError(
            f"{folder}: {len(with_logits):,} of {len(loaded):,} files have two logits a face, the "
            f"first is {with_logits[0]}; the others have scores, which are on another scale",
            hint="give the output of one program",
        )
    marked = sum(EVAL in faces.files[0].head.columns for faces in loaded)
    if 0 < marked < len(loaded) and kind != "predictions" and (columns is None or EVAL in columns):
        raise SchemaError(
            f"{folder}: {marked:,} of {len(loaded):,} files have the column {EVAL!r}, which says "
            "which faces count, and the others have not",
            hint="write it in all of the files, or in none",
        )
    tables = [faces.table for faces in loaded]
    shared = set.intersection(*(set(table.column_names) for table in tables))
    names = [name for name in tables[0].column_names if name in shared]
    table = pa.concat_tables([table.select(names) for table in tables]).unify_dictionaries()
    return Faces(str(folder), table, tuple(file for faces in loaded for file in faces.files))


def _load_file(source: Source, kind: Kind, columns: Sequence[str] | None) -> Faces:
    head = read_head(source, kind)
    known = [n for n in known_columns(kind) if columns is None or n in columns]
    wanted = [name for name in known if name in head.columns]
    if SCORE in known and head.has_logits:
        wanted += LOGITS
    if not wanted:  # Arrow would take that for all
        raise SchemaError(
            f"{source.name}: has none of {', '.join(columns or known)}",
            hint=f"the file has {head.describe()}: {', '.join(head.columns)}",
        )
    try:
        table = _read(source, kind, head, wanted)
    except REFUSED as error:
        explained = explain(source, kind, head, wanted)
        if explained is not None:
            raise explained from error
        # Nothing is wrong but a line end within quotes, which lay on the edge of two blocks.
        table = _read(source, kind, head, wanted, newlines_in_values=True)
    return Faces(source.name, _with_score(source.name, table), (File(source, head, len(table)),))


def _read(
    source: Source,
    kind: Kind,
    head: Head,
    wanted: Sequence[str],
    *,
    newlines_in_values: bool = False,
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
    table = _normalise_labels(source.name, table.unify_dictionaries(), kind)
    if not table.num_rows or _unsound(table, kind):
        raise pa.ArrowInvalid("a value is out of range, or there is none")
    return table


def from_frame(frame: pd.DataFrame, kind: Kind, *, columns: Sequence[str] | None = None) -> Faces:
    """Take faces from a pandas frame that has the schema's columns; it is not changed.

    Raises:
        SchemaError: a column is missing or there twice, or a value breaks the schema.
    """
    name = f"the frame of {KIND_NAME[kind]}"
    missing = lacking(frame.columns, kind)
    if missing:
        names = [str(column) for column in frame.columns]
        cells = [str(cell) for cell in frame.iloc[0]] if len(frame) else [""] * len(names)
        said, hint = missing_columns(missing, dict(zip(names, cells, strict=True)), kind)
        raise SchemaError(f"{name} {said}", hint=hint)
    if not len(frame):
        raise SchemaError(f"{name} has no rows", hint="give a frame with one row a face")
    known = [column for column in known_columns(kind) if column in frame.columns]
    wanted = known if columns is None else [column for column in known if column in columns]
    try:
        table = pa.table({column: _column_of(frame, column, kind) for column in wanted})
        table = _normalise_labels(name, table, kind)
        unsound = _unsound(table, kind)
    except (pa.ArrowInvalid, TypeError, ValueError) as error:
        raise SchemaError(
            f"{name}: {error}", hint="numbers as floats, ids and labels as text"
        ) from error
    if unsound:
        wrong = [_first_wrong(table, column, kind) for column in unsound]
        raise SchemaError(
            f"{name}: {'; '.join(wrong)}",
            hint="numbers must be finite, times not negative, ids without blanks or separators",
        )
    return Faces(name, table)


def _column_of(frame: pd.DataFrame, column: str, kind: Kind) -> pa.Array[Any]:
    """One column as Arrow has it; no label is an empty one, where there may be none.

    Raises:
        ValueError: the frame has it twice, or a text is missing.
    """
    values = frame[column]
    if values.ndim > 1:
        raise ValueError(f"column {column} is there twice")
    if column in NUMBERS:
        return pa.array(values.astype("float64"), from_pandas=True)
    holes = values.isna().to_numpy()
    # Where not one is there, `_normalise_labels` says what that means.
    if holes.any() and column == LABEL and (UNLABELLED in SPELLINGS[kind] or holes.all()):
        values = values.astype(object).where(~holes, UNLABELLED)
    elif holes.any():
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
    # What is a mark is read as text too: it is checked by value, and few texts are dear to nobody.
    return pa.dictionary(pa.int32(), pa.string())


def _with_score(name: str, table: pa.Table) -> pa.Table:
    """Make the score of the logits, where a table has these.

    Raises:
        SchemaError: one of them is a label.
    """
    if LOGITS[0] not in table.column_names:
        return table
    no, yes = (np.concatenate([as_numpy(chunk) for chunk in table[name].chunks]) for name in LOGITS)
    for logits in (no, yes):
        # A score beside its label would be perfect.
        if logits.min() == 0 and logits.max() == 1 and bool(np.isin(logits, (0, 1)).all()):
            raise SchemaError(
                f"{name}: without a header, the last two numbers of a row would be the two logits "
                "of ASC's output, and one is always 0 or 1, as a label is",
                hint=f"name the columns in a first line, such as {ENTITY},{TIME},{SCORE},{LABEL}",
            )
    with np.errstate(over="ignore"):
        score = np.nan_to_num(yes - no)  # beyond the largest number: the largest
    return table.drop_columns(list(LOGITS)).append_column(SCORE, pa.array(score))


def _normalise_labels(name: str, table: pa.Table, kind: Kind) -> pa.Table:
    """Bring AVA's other spellings to the usual ones.

    Raises:
        ArrowInvalid: a label is none of them.
        SchemaError: no face has a label, and they are wanted.
    """
    if LABEL not in table.column_names or table.num_rows == 0:
        return table
    spellings = SPELLINGS[kind]
    found = _texts(table[LABEL])
    if kind == "groundtruth" and found == [UNLABELLED]:
        raise _without_labels(name)
    unknown = [text for text in found if text not in spellings]
    if unknown:
        raise pa.ArrowInvalid(f"unknown label {unknown[0]!r}")
    if all(spellings[text] == text for text in found):
        return table
    usual = sorted({spellings[text] for text in found})
    move = np.array([usual.index(spellings[text]) for text in found], np.int32)
    chunks = [
        pa.DictionaryArray.from_arrays(move[as_numpy(chunk.indices)], pa.array(usual))
        for chunk in _dictionary_chunks(table[LABEL])
    ]
    index = table.column_names.index(LABEL)
    return table.set_column(index, LABEL, pa.chunked_array(chunks))


def _without_labels(name: str) -> UnlabelledError:
    return UnlabelledError(
        f"{name}: not one face has a label: this split is unlabelled, as AVA's test split is",
        hint="it can be predicted, and not scored: take ground truth with labels, such as val",
    )


def _unsound(table: pa.Table, kind: Kind) -> list[str]:
    """Name the columns with a hole, an infinity, a negative time, an id that is none."""
    return [name for name in table.column_names if not _is_sound(table, name, kind)]


def _first_wrong(table: pa.Table, column: str, kind: Kind) -> str:
    """The first value of an unsound column, and what is wrong with it."""
    for row, value in enumerate(table[column].to_pylist()):
        if value is None:
            return f"column {column}, row {row}: the value is missing"
        if clause := wrong_with(column, str(value), kind):
            return f"column {column}, row {row}: {shown(str(value))} {clause}"
    return f"column {column} breaks the schema"


def _is_sound(table: pa.Table, name: str, kind: Kind) -> bool:
    if name in NUMBERS:
        return _is_sound_number(table, name)
    if name in IDS:
        return are_ids(_dictionary(table[name]))
    return name not in MARKS or set(_texts(table[name])) <= set(marks_of(name, kind))


def _is_sound_number(table: pa.Table, name: str) -> bool:
    column = table[name]
    if column.null_count or not pc.all(pc.is_finite(column)).as_py():
        return False
    if name != TIME:
        return True
    limits = pc.min_max(column)
    low, high = limits["min"].as_py(), limits["max"].as_py()
    return bool(low >= 0 and high < MAX_SECONDS)

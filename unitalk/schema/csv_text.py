"""Read and write rows as text: every cell is written as it was read."""

from __future__ import annotations

import csv
import io
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from unitalk.errors import SchemaError
from unitalk.files import atomic_write
from unitalk.schema.columns import ENTITY, MAX_SECONDS, TIME, VIDEO, Kind
from unitalk.schema.csv_source import Head, Source, read_head
from unitalk.schema.faces import REFUSED, are_ids, as_numpy, read_options
from unitalk.schema.problems import explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

_LOOKED_AT = (VIDEO, TIME, ENTITY)  # these make up file names; the others are only copied


def read_text(
    path: Path, *, only_keys: bool = False, kind: Kind = "groundtruth"
) -> tuple[Head, Iterator[pa.RecordBatch]]:
    """Read ground truth as text, in batches.

    Args:
        path: the csv file.
        only_keys: read only the columns that make up file names.
        kind: `faces` where labels may be missing.

    Returns:
        The head, and batches in which every column is text; the columns are the file's own, or
        video, time and entity.

    Raises:
        SchemaError: the file has no known form; while reading: a row breaks the schema.
    """
    source = Source(path)
    head = read_head(source, kind)
    return head, _batches(source, head, _LOOKED_AT if only_keys else ())


def _batches(source: Source, head: Head, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    try:
        with (
            source.open_arrow() as raw,
            pyarrow.csv.open_csv(
                raw,
                read_options=read_options(head),
                parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(head.columns, pa.string()),
                    include_columns=list(columns),  # none means all
                    strings_can_be_null=False,
                ),
            ) as reader,
        ):
            for batch in reader:
                _check(batch)
                yield batch
    except REFUSED as error:
        explained = explain(source, "groundtruth", head, _LOOKED_AT)
        raise explained or SchemaError(
            f"{source.name}: {error}", hint="look for quotes that are not closed"
        ) from error


def _check(batch: pa.RecordBatch) -> None:
    """Check the columns that make up file names.

    Raises:
        ArrowInvalid: a time or an id is not valid.
    """
    seconds = seconds_of(batch)
    if not ((seconds >= 0) & (seconds < MAX_SECONDS)).all():  # not a number is neither
        raise pa.ArrowInvalid("a time is out of range")
    for name in (VIDEO, ENTITY):
        if not are_ids(pc.unique(batch[name])):
            raise pa.ArrowInvalid("an id is none")


def seconds_of(batch: pa.RecordBatch) -> npt.NDArray[np.float64]:
    """The times of a batch of text as numbers."""
    return as_numpy(pc.cast(pc.utf8_trim(batch[TIME], " \t"), pa.float64()))


def text_column(
    texts: Sequence[str], indices: npt.NDArray[np.int32] | None = None
) -> pa.StringArray:
    """Texts as a column, or the texts at some indices; `pa.array` would import pandas."""
    encoded = [text.encode() for text in texts]
    ends = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum([len(text) for text in encoded], out=ends[1:])
    buffers = (pa.py_buffer(ends.data), pa.py_buffer(b"".join(encoded)))
    column = pa.StringArray.from_buffers(len(encoded), *buffers)
    if indices is None:
        return column
    taken = pa.Array.from_buffers(pa.int32(), len(indices), [None, pa.py_buffer(indices.data)])
    return column.take(taken)


def write_text(path: Path, columns: Sequence[str], batches: Iterable[pa.RecordBatch]) -> int:
    """Write batches of text as a csv file with a header, atomically; returns the rows written."""
    rows = 0
    with atomic_write(path, "wb") as file:
        _write_quoted(file, [columns])
        for batch in batches:
            append_text(file, batch)
            rows += batch.num_rows
    return rows


def append_text(file: IO[bytes], batch: pa.RecordBatch) -> None:
    """Append the rows of a batch of text to an open file; quotes only around what needs them."""
    plain = io.BytesIO()
    try:
        pyarrow.csv.write_csv(
            batch,
            plain,
            pyarrow.csv.WriteOptions(include_header=False, quoting_style="none"),
        )
    except pa.ArrowInvalid:  # Arrow would put quotes around every cell, or around none
        _write_quoted(file, zip(*(column.to_pylist() for column in batch.columns), strict=True))
    else:
        file.write(plain.getbuffer())


def _write_quoted(file: IO[bytes], rows: Iterable[Sequence[Any]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    file.write(text.getvalue().encode())

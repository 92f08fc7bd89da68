"""One shard as a Parquet file, one row a track; crops and sound as they are in their files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from unitalk import schema
from unitalk.formats.shard_record import Form, Record
from unitalk.layout import face_name

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterable

    Row = dict[str, Any]
    Compression = Literal["gzip", "brotli", "lz4", "zstd", "snappy", "none"]

IMAGES, AUDIO, BOXES = "images", "audio", "boxes"

FILE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""A file within a table, as Hugging Face's readers know it."""

ROW_GROUP = 16_000_000
"""Bytes of files in a row group: what a reader must hold at once."""


def columns(audio: pa.DataType) -> dict[str, pa.DataType]:
    """The columns of a table of tracks, whose sound may be in one form or another."""
    return {
        schema.ENTITY: pa.string(),
        schema.VIDEO: pa.string(),
        IMAGES: pa.list_(FILE),
        AUDIO: audio,
        schema.TIME: pa.list_(pa.float64()),
        schema.LABEL_ID: pa.list_(pa.int64()),
        BOXES: pa.list_(pa.list_(pa.float64())),
    }


def write_table(
    file: io.RawIOBase,
    records: Iterable[Record],
    *,
    form: pa.Schema,
    audio: Callable[[Record], object],
    compression: dict[str, Compression],
    row_group: int = ROW_GROUP,
) -> None:
    """Write tracks as a table whose row groups are a few tracks each.

    Args:
        file: where to.
        records: the tracks.
        form: the table's columns, and what is said of them.
        audio: gives a track's sound as `form` has it.
        compression: of those columns that are compressed; jpgs would only be slower.
        row_group: a row group ends with the track that brings its files to so many bytes.
    """
    with pq.ParquetWriter(
        pa.PythonFile(file, mode="w"),
        form,
        compression=compression,
        use_dictionary=False,
        write_statistics=[schema.ENTITY, schema.VIDEO],
    ) as writer:
        rows: list[Row] = []
        size = 0
        for record in records:
            rows.append(_row(record, audio(record)))
            size += record.size
            if size >= row_group:
                writer.write_table(pa.Table.from_pylist(rows, form))
                rows, size = [], 0
        if rows:
            writer.write_table(pa.Table.from_pylist(rows, form))


def _row(record: Record, audio: object) -> Row:
    track = record.track
    times = track.frame_timestamp.tolist()
    return {
        schema.ENTITY: track.entity_id,
        schema.VIDEO: track.video_id,
        IMAGES: [
            {"bytes": jpg, "path": face_name(seconds)}
            for jpg, seconds in zip(record.jpgs, times, strict=True)
        ],
        AUDIO: audio,
        schema.TIME: times,
        schema.LABEL_ID: track.label_id.tolist(),
        BOXES: track.boxes.tolist(),
    }


def write_parquet(
    file: io.RawIOBase, records: Iterable[Record], *, row_group: int = ROW_GROUP
) -> None:
    """Write tracks as a table whose sound is a wav file's bytes."""
    form = pa.schema(columns(FILE))
    write_table(file, records, form=form, audio=_wav, compression={}, row_group=row_group)


def _wav(record: Record) -> dict[str, Any]:
    return {"bytes": record.wav, "path": f"{record.track.entity_id}.wav"}


PARQUET = Form(name="parquet", version=1, folder="", suffix=".parquet", write=write_parquet)

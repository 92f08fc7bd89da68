"""The rows of a split in the order that loaders of scores by position need."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from unitalk import schema
from unitalk.formats.loaders import check_columns, shared_id
from unitalk.schema.face_names import FaceNames
from unitalk.schema.frame_rate import frame_rates
from unitalk.schema.split_rows import SplitRows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    import numpy.typing as npt

    from unitalk.layout import Split
    from unitalk.schema.split_rows import Track

    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

_READ = [schema.VIDEO, schema.TIME, schema.ENTITY, schema.LABEL, schema.LABEL_ID]


class PositionalRows:
    """The rows of one split as these loaders need them: track after track, each in time order.

    Args:
        path: the split's csv.
        split: the split.
        reader: the loader's name, for messages.

    Raises:
        SchemaError: the csv breaks the schema or lacks a column.
        LayoutError: two videos have tracks of one id.
    """

    def __init__(self, path: Path, split: Split, reader: str) -> None:
        self.path = path
        self.split = split
        self._head = schema.read_head(schema.Source(path), "groundtruth")
        check_columns(path, self._head, reader)
        faces = schema.load(path, "groundtruth")
        faces = replace(faces, table=faces.table.select(_READ))
        self.rows = SplitRows(split=split, path=str(path), faces=faces)
        self._names = FaceNames(self.rows)
        seen: dict[str, str] = {}
        for track in self.tracks:
            if seen.setdefault(track.entity, track.video) != track.video:
                raise shared_id(path, seen[track.entity], track.video, track.entity, "the form")

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def tracks(self) -> list[Track]:
        """The tracks, in the order in which they first occur."""
        return self.rows.tracks

    @property
    def in_order(self) -> bool:
        """Whether scores given back by position find their rows in the csv as it is."""
        # The loader skips the first line.
        return self.rows.table.order is None and bool(self._head.header_line)

    def names(self, track: Track) -> tuple[str, ...]:
        """The names of a track's crops, in time order."""
        return tuple(self._names.ours(track.start, track.stop))

    @cached_property
    def rates(self) -> dict[str, float]:
        """Each video's frames a second."""
        table, (videos, names) = self.rows.table, self.rows.video
        rates = frame_rates(self.seconds, table.starts, videos[table.heads], len(names))
        return dict(zip(names, rates.tolist(), strict=True))

    @cached_property
    def seconds(self) -> npt.NDArray[np.float64]:
        """[places] the times, in the order of tracks and time."""
        return self.rows.table.ordered(self.rows.faces.numbers(schema.TIME))

    @cached_property
    def _positive(self) -> npt.NDArray[np.int8]:
        """[places] 1 for a face that speaks audibly; loaders know two classes."""
        codes, texts = self.rows.faces.codes(schema.LABEL_ID)
        speaking = str(schema.LABEL_IDS[schema.SPEAKING])
        positive = np.array([text == speaking for text in texts], np.int8)[codes]
        return self.rows.table.ordered(positive)

    def kept(self, left_out: Mapping[str, Collection[int]]) -> Bools:
        """[places] whether the loader has a crop, from the faces of each track that lack one."""
        kept = np.ones(len(self), bool)
        for track in self.tracks:
            if own := left_out[track.entity]:
                kept[track.start + np.array(own)] = False
        return kept

    def of_track(self, track: Track, kept: Bools) -> tuple[list[float], list[int]]:
        """The times and the labels of the kept faces of a track, in time order."""
        own = slice(track.start, track.stop)
        return self.seconds[own][kept[own]].tolist(), self._positive[own][kept[own]].tolist()

    def kept_tracks(self, kept: Bools) -> Iterator[Track]:
        """The tracks of which a face is kept."""
        return (track for track in self.tracks if kept[track.start : track.stop].any())

    def write(self, path: Path, kept: Bools) -> None:
        """Write the kept rows in the loader's order; cells keep their text."""
        head, batches = schema.read_text(self.path)
        wanted = self.rows.table.rows()[kept]
        chosen = _some(batches, wanted) if self.in_order else _in_order(batches, wanted)
        schema.write_text(path, head.columns, chosen)


def _some(batches: Iterator[pa.RecordBatch], wanted: Ints) -> Iterator[pa.RecordBatch]:
    """Rows by their ascending numbers."""
    start = 0
    for batch in batches:
        stop = start + batch.num_rows
        low, high = np.searchsorted(wanted, (start, stop))
        yield batch.take(_numbers(wanted[low:high] - start))
        start = stop


def _in_order(batches: Iterator[pa.RecordBatch], wanted: Ints) -> Iterator[pa.RecordBatch]:
    """Rows by their numbers, in any order: all of them are in memory."""
    yield from pa.Table.from_batches(list(batches)).take(_numbers(wanted)).to_batches()


def _numbers(values: Ints) -> pa.Array[Any]:
    """Numbers as a column; `pa.array` would import pandas."""
    buffer = pa.py_buffer(np.ascontiguousarray(values, np.int64).data)
    return pa.Array.from_buffers(pa.int64(), len(values), [None, buffer])

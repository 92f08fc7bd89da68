"""A split's rows as a loader wants them that gives its scores back by position.

TalkNet's `evaluate_network` collects the scores of one track after the other, in the order of the
loader's csv, and sets them beside the rows of the split's csv, the first score to the first row. So
the rows of a track must stand together and in time order, and no row may lack its crop.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from unitalk import schema
from unitalk.dataset.convert.refusals import check_columns, same_id
from unitalk.dataset.verify.file_names import FaceNames
from unitalk.dataset.verify.row_groups import Rows
from unitalk.schema.frame_rate import frame_rates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy.typing as npt

    from unitalk.dataset.convert.loader_files import TrackFiles
    from unitalk.dataset.verify.row_groups import Track
    from unitalk.layout import Split

    Ints = npt.NDArray[np.int64]


class SplitRows:
    """The rows of one split, its tracks as they first come, each in time order.

    Args:
        path: the split's csv.
        split: the split.
        reader: whose loader it is for, for messages.

    Raises:
        SchemaError: the csv breaks the schema or lacks a column.
        LayoutError: two videos have tracks of one id.
    """

    def __init__(self, path: Path, split: Split, reader: str) -> None:
        self.path = path
        self.split = split
        self._head = schema.read_head(schema.Source(path), "groundtruth")
        check_columns(path, self._head, reader)
        self._rows = Rows(split=split, path=str(path), faces=schema.load(path, "groundtruth"))
        self._names = FaceNames(self._rows, None)
        seen: dict[str, str] = {}
        for track in self.tracks:
            if seen.setdefault(track.entity, track.video) != track.video:
                raise same_id(path, seen[track.entity], track.video, track.entity, "the form")

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def tracks(self) -> list[Track]:
        """The tracks, as they first come."""
        return self._rows.tracks

    @property
    def in_order(self) -> bool:
        """Whether scores given back by position find their rows in the csv as it is."""
        # The loader skips the first line.
        return self._rows.table.order is None and bool(self._head.header_line)

    def names(self, track: Track) -> tuple[str, ...]:
        """The names of a track's crops, in time order."""
        return tuple(self._names.ours(track.start, track.stop))

    @cached_property
    def rates(self) -> dict[str, float]:
        """Each video's frames a second."""
        table, (videos, names) = self._rows.table, self._rows.video
        rates = frame_rates(
            table.ordered(self._seconds), table.starts, videos[table.heads], len(names)
        )
        return dict(zip(names, rates.tolist(), strict=True))

    @cached_property
    def _positive(self) -> npt.NDArray[np.int8]:
        """[rows] 1 where somebody is seen and heard speaking; loaders know two classes."""
        codes, texts = self._rows.faces.codes(schema.LABEL_ID)
        speaking = str(schema.LABEL_IDS[schema.SPEAKING])
        return np.array([text == speaking for text in texts], np.int8)[codes]

    @cached_property
    def _seconds(self) -> npt.NDArray[np.float64]:
        return self._rows.faces.numbers(schema.TIME)

    def kept(self, files: Mapping[str, TrackFiles]) -> npt.NDArray[np.bool_]:
        """[rows, in the order of tracks and time] whether the loader has a crop for it."""
        kept = np.ones(len(self), bool)
        for track in self.tracks:
            left_out = files[track.entity].left_out
            if left_out:
                kept[track.start + np.array(left_out)] = False
        return kept

    def of_track(self, track: Track, kept: npt.NDArray[np.bool_]) -> tuple[list[float], list[int]]:
        """The times and the labels of what is kept of a track, in time order."""
        own = self._rows.table.rows(slice(track.start, track.stop))[kept[track.start : track.stop]]
        return self._seconds[own].tolist(), self._positive[own].tolist()

    def write(self, path: Path, kept: npt.NDArray[np.bool_]) -> None:
        """Write what is kept, in the loader's order; every cell's text as it was."""
        head, batches = schema.read_text(self.path)
        wanted = self._rows.table.rows()[kept]
        chosen = _some(batches, wanted) if self.in_order else _in_order(batches, wanted)
        schema.write_text(path, head.columns, chosen)


def _some(batches: Iterator[pa.RecordBatch], wanted: Ints) -> Iterator[pa.RecordBatch]:
    """Rows by their numbers, which grow."""
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

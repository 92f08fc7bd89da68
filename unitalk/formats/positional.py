"""The files of loaders that give scores back by position: TalkNet's, and those that grew from it.

::

    clips_videos/<split>/<11 characters>/<entity_id>/*.jpg   sorted by the numbers of the names
    clips_audios/<split>/<11 characters>/<entity_id>.wav
    csv/<split>_orig.csv                                     with a header

The 11 characters are the first of the track's id. TalkNet's `evaluate_network` collects the scores
of one track after the other, in the order of the loader's csv, and sets them beside the rows of the
split's csv, the first score beside the first row. So the rows of a track must stand together and in
time order, and no row may lack its crop.
"""

from __future__ import annotations

import math
import os
import re
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from unitalk import schema
from unitalk.formats.loaders import check_columns, shared_id
from unitalk.layout import Layout, face_name, face_seconds
from unitalk.schema.face_names import FaceNames
from unitalk.schema.frame_rate import frame_rates
from unitalk.schema.split_rows import SplitRows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from unitalk.layout import Split
    from unitalk.schema.split_rows import Track

    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

_VIDEO_LETTERS = 11
_PATTERN = re.compile(r"[*?[]")
_READ = [schema.VIDEO, schema.TIME, schema.ENTITY, schema.LABEL, schema.LABEL_ID]


# ------------------------------------------------------------------------------ files


def video_folder(entity: str) -> str:
    """The name of the folder in which loaders look for a track."""
    return entity[:_VIDEO_LETTERS]


def track_folder(root: Path, split: str, entity: str) -> Path:
    """The folder of a track's crops."""
    return Layout(root).track(split, video_folder(entity), entity)


def wav_path(root: Path, split: str, entity: str) -> Path:
    """The wav of a track."""
    return Layout(root).audio(split, video_folder(entity), entity)


def beside(csv: Path, ending: str) -> Path:
    """The path of another table of a split, beside its csv."""
    return csv.with_name(csv.name.removesuffix("_orig.csv") + ending)


def list_crops(folder: str | Path) -> list[str]:
    """List a track's crops as a loader does: `*.jpg`, sorted by the number of the name.

    The loader stops at a name that is not a number; here such names come last. It gives the folder
    to `glob`, which finds nothing where the track's id is itself a pattern.
    """
    if _PATTERN.search(os.path.basename(folder)):
        return []
    try:
        with os.scandir(folder) as listing:
            names = [entry.name for entry in listing]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(
        (name for name in names if name.endswith(".jpg") and not name.startswith(".")), key=_number
    )


def _number(name: str) -> tuple[float, str]:
    try:
        number = float(name.removesuffix(".jpg"))
    except ValueError:
        number = math.inf
    return (number if math.isfinite(number) else math.inf), name


def by_time(names: Sequence[str]) -> list[str]:
    """Crops' names as we would have written them; the loader reads numbers of any digits."""
    seconds = map(face_seconds, names)
    return [n if s is None else face_name(s) for n, s in zip(names, seconds, strict=True)]


def misnamed(there: Sequence[str], wanted: Sequence[str], *, exact: bool) -> str | None:
    """Say how a track's crops differ from those of its rows; None if they do not.

    Args:
        there: the names that the loader finds, in its order.
        wanted: [rows] the names that we would have written.
        exact: whether the loader opens names with two decimals and no others.
    """
    if list(there) == list(wanted):
        return None
    ours = by_time(there)
    if ours == list(wanted):
        odd = next(name for name, want in zip(there, wanted, strict=True) if name != want)
        return f"{odd} is no name with two decimals" if exact else None
    more, less = sorted(set(ours) - set(wanted)), sorted(set(wanted) - set(ours))
    if more or less:
        return f"{less[0]} is missing" if less else f"{more[0]} has no row"
    return f"{len(there):,} crops for {len(wanted):,} rows"


# ------------------------------------------------------------------------------ rows


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

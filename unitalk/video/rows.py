"""Which faces are wanted: the csv files of the splits, and each video's rows."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unitalk import schema
from unitalk.errors import DataError, UsageError, examples
from unitalk.layout import SPLITS, Layout
from unitalk.reading.rows import read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from unitalk.layout import Split
    from unitalk.reading.rows import Rows


def find_csvs(source: Path, splits: Sequence[Split] = ()) -> dict[Split, Path]:
    """Find the csv file of each split.

    Args:
        source: a dataset; a folder with `<split>_orig.csv`; or one csv file, whose split is a word
            of its name, or the one that is given.
        splits: which are wanted; default: all that are found.

    Raises:
        LayoutError: the folder is no dataset, or lacks a wanted split.
        UsageError: it is not there, or it cannot be seen which split a file is of.
    """
    if source.is_dir():
        flat = {split: source / Layout(source).csv(split).name for split in SPLITS}
        there = {split: path for split, path in flat.items() if path.is_file()}
        if there and set(splits) <= set(there):
            return {s: path for s, path in there.items() if not splits or s in splits}
        layout = Layout(source)
        return {s: layout.csv(s) for s in SPLITS if s in layout.require_splits(tuple(splits))}
    if not source.is_file():
        raise UsageError(f"{source} is not there", hint="give a csv file, or a dataset's folder")
    words = re.split(r"[^a-z]+", source.name.lower())
    own = set(splits) or {split for split in SPLITS if split in words}
    if len(own) != 1:
        raise UsageError(f"which split are the rows of {source}?", hint="give one --split")
    return {own.pop(): source}


class Wanted(NamedTuple):
    """The faces of one video.

    Attributes:
        split: the video's.
        video: its id.
        entities: the ids of its tracks.
        starts: [tracks + 1] where each track's rows begin; theirs are in the order of time.
        seconds: [rows] float64.
        boxes: [rows, 4] float64, relative to the frame.
    """

    split: Split
    video: str
    entities: tuple[str, ...]
    starts: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.float64]
    boxes: npt.NDArray[np.float64]

    def track_of(self, row: int) -> int:
        """The number of the track that a row is of."""
        return int(np.searchsorted(self.starts, row, side="right")) - 1

    def name(self, rows: Sequence[int]) -> list[str]:
        """Name faces for a message, in the order of their rows."""
        return [
            f"{self.entities[self.track_of(row)]} at {self.seconds[row]:.2f} s"
            for row in sorted(rows)
        ]

    def digest(self) -> str:
        """A hash of all that decides which pixels are cut."""
        found = hashlib.sha256("\n".join(self.entities).encode())
        for array in (self.starts, self.seconds, self.boxes):
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()


@dataclass(frozen=True, slots=True)
class SplitRows:
    """The faces of one split, video after video."""

    rows: Rows
    tracks: dict[str, list[int]]

    @classmethod
    def read(cls, path: Path, split: Split, videos: Sequence[str]) -> SplitRows:
        """Read the faces of a split, or only those of some videos.

        Raises:
            SchemaError: the file breaks the schema.
            DataError: a track has two rows at one time.
        """
        rows = read_rows(path, split, frozenset(videos) or None)
        tracks: dict[str, list[int]] = {}
        for number, video in enumerate(rows.videos):
            tracks.setdefault(video, []).append(number)
        return cls(rows, tracks)

    def counts(self) -> dict[str, int]:
        """The number of videos, tracks and faces."""
        rows = self.rows
        return {
            "videos": len(self.tracks),
            "tracks": len(rows.entities),
            "faces": len(rows.seconds),
        }

    def faces_of(self, video: str) -> int:
        """The number of faces of one video."""
        return int(np.diff(self.rows.starts)[self.tracks[video]].sum())

    def __iter__(self) -> Iterator[Wanted]:
        for video in self.tracks:
            yield self.of(video)

    def of(self, video: str) -> Wanted:
        """The faces of one video."""
        rows, own = self.rows, self.tracks[video]
        pieces = [np.arange(rows.starts[n], rows.starts[n + 1]) for n in own]
        place = np.concatenate(pieces)
        return Wanted(
            split=rows.split,
            video=video,
            entities=tuple(rows.entities[n] for n in own),
            starts=np.cumsum([0, *map(len, pieces)]).astype(np.int64),
            seconds=rows.seconds[place],
            boxes=rows.boxes[place],
        )


def check_videos(source: str, found: Mapping[Split, SplitRows], videos: Sequence[str]) -> None:
    """Look whether there are rows of every wanted video.

    Raises:
        DataError: there are none of one.
    """
    there = {video for split in found.values() for video in split.tracks}
    absent = [video for video in dict.fromkeys(videos) if video not in there]
    if absent or not there:
        raise DataError(
            f"{source} has no rows of {examples(absent) or 'any video'}",
            hint="look at the ids: case and dashes count",
        )


def copy_csv(source: Path, destination: Path, videos: Sequence[str]) -> None:
    """Write the rows of some videos, or all, with every cell's text as it is, under a header."""
    head, batches = schema.read_text(source, kind="faces")
    wanted = schema.text_column(videos)

    def chosen() -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield batch.filter(pc.is_in(batch[schema.VIDEO], wanted)) if videos else batch

    schema.write_text(destination, head.columns, chosen())

"""Find the csv files of the splits and read which faces to cut out of each video."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unitalk import schema
from unitalk.errors import DataError, UsageError, examples
from unitalk.files import sha256
from unitalk.layout import SPLITS, Layout, splits_named
from unitalk.media.tracks.track_rows import read_rows
from unitalk.schema.csv_source import sources_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from unitalk.layout import Split
    from unitalk.media.tracks.track_rows import Rows


def find_csvs(source: Path, splits: Sequence[Split] = ()) -> dict[Split, Path]:
    """Find the csv file of each split.

    Args:
        source: a dataset; a folder with `<split>_orig.csv`; or one csv file, or a folder of them,
            whose split is a word in its name, or the given one.
        splits: the wanted splits; default: all that are found.

    Returns:
        A csv file, or a folder of them, for each split.

    Raises:
        LayoutError: the dataset lacks a wanted split.
        UsageError: the source does not exist, or the split of its files is unknown.
    """
    if not source.exists():
        raise UsageError(
            f"{source} does not exist", hint="give a csv file, a folder of them, or a dataset"
        )
    layout = Layout(source)
    flat = {split: source / layout.csv(split).name for split in SPLITS}
    there = {split: path for split, path in flat.items() if path.is_file()}
    if there and set(splits) <= set(there):
        return {s: path for s, path in there.items() if not splits or s in splits}
    if source.is_dir() and (layout.looks_like_one() or not any(source.glob("*.csv*"))):
        return {s: layout.csv(s) for s in SPLITS if s in layout.require_splits(tuple(splits))}
    named = splits_named(source.resolve().name)
    if not named and source.is_dir():
        named = tuple({split for path in source.iterdir() for split in splits_named(path.name)})
    own = set(splits or named)
    if len(own) != 1:
        raise UsageError(
            f"it cannot be seen which split the rows of {source} are of",
            hint="name one with `splits`",
        )
    (split,) = own
    if named and set(named) != own and (source.is_dir() or split not in named):
        raise UsageError(
            f"{source} has rows of {' and '.join(sorted(named))} by its names, and not of {split} "
            "alone",
            hint=f"give the csv files of {split} alone, under names that say no other split",
        )
    return {split: source}


class Wanted(NamedTuple):
    """The faces of one video.

    Attributes:
        split: the video's split.
        video: its id.
        entities: the ids of its tracks.
        starts: [tracks + 1] where each track's rows begin; they are in the order of time.
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
        """The number of a row's track."""
        return int(np.searchsorted(self.starts, row, side="right")) - 1

    def name(self, rows: Sequence[int]) -> list[str]:
        """Name faces for a message, in the order of their rows."""
        return [
            f"{self.entities[self.track_of(row)]} at {self.seconds[row]:.2f} s"
            for row in sorted(rows)
        ]

    def digest(self) -> str:
        """A hash of everything that decides which pixels are cut."""
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

    def places_of(self, video: str) -> npt.NDArray[np.int64]:
        """The row of the csv, from 0, of each of a video's faces, in the order of `of`."""
        return np.concatenate([self.rows.places(number) for number in self.tracks[video]])

    def of(self, video: str) -> Wanted:
        """The faces of one video."""
        rows, own = self.rows, self.tracks[video]
        pieces = [slice(rows.starts[n], rows.starts[n + 1]) for n in own]
        lengths = np.diff(rows.starts)[own]
        return Wanted(
            split=rows.split,
            video=video,
            entities=tuple(rows.entities[n] for n in own),
            starts=np.append(0, np.cumsum(lengths)).astype(np.int64),
            seconds=np.concatenate([rows.seconds[piece] for piece in pieces]),
            boxes=np.concatenate([rows.boxes[piece] for piece in pieces]),
        )


def check_videos(source: str, found: Mapping[Split, SplitRows], videos: Sequence[str]) -> None:
    """Check that every wanted video has rows.

    Raises:
        DataError: one has none.
    """
    there = {video for split in found.values() for video in split.tracks}
    absent = [video for video in dict.fromkeys(videos) if video not in there]
    if absent or not there:
        raise DataError(
            f"{source} has no rows of {examples(absent) or 'any video'}",
            hint="look at the ids: case and dashes count",
        )


def csv_sha256(source: Path) -> str:
    """The hash of a csv file, or of the names and hashes of the csv files in a folder."""
    if source.is_file():
        return sha256(source)
    files = [(path.name, sha256(path)) for path in _files(source)]
    return hashlib.sha256(repr(files).encode()).hexdigest()


def _files(source: Path) -> list[Path]:
    """A csv file, or the csv files in a folder."""
    return [source] if source.is_file() else [Path(one.name) for one in sources_in(source)]


def copy_csv(source: Path, destination: Path, videos: Sequence[str]) -> None:
    """Write the rows of some videos, or of all, in the ten columns; the text of cells is kept."""
    columns, batches = read_complete(source)
    schema.write_text(destination, columns, choose(batches, videos))


def choose(batches: Iterable[pa.RecordBatch], videos: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of some videos, or of all where none is named."""
    wanted = schema.text_column(videos)
    for batch in batches:
        yield batch.filter(pc.is_in(batch[schema.VIDEO], wanted)) if videos else batch


def read_complete(source: Path) -> tuple[Sequence[str], Iterator[pa.RecordBatch]]:
    """Read a csv file, or those in a folder, as text with all of the ten columns.

    A complete file is read in batches. Missing columns are derived from the others, which takes
    all rows at once.
    """
    read = [schema.read_text(path, kind="faces") for path in _files(source)]
    heads = [head.columns for head, _ in read]
    if all(columns == heads[0] for columns in heads) and set(schema.COLUMNS) <= set(heads[0]):
        return heads[0], (batch for _, batches in read for batch in batches)
    shared = [name for name in heads[0] if all(name in columns for columns in heads)]
    rows = pa.Table.from_batches([b.select(shared) for _, batches in read for b in batches])
    rows = rows.combine_chunks()
    given = {name: cast("pa.StringArray", rows[name].chunk(0)) for name in shared}
    batch = pa.RecordBatch.from_pydict(schema.complete(given))
    return batch.schema.names, iter([batch])

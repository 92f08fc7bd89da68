"""A dataset's tracks as a sequence that makes each one when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, overload

import numpy as np

from unitalk.catalog import video_list
from unitalk.errors import DataError, UsageError, examples
from unitalk.executor import open_executor
from unitalk.files import disk_boundary
from unitalk.layout import SPLITS, Layout, Split
from unitalk.media.tracks.dataset_rows import DatasetRows
from unitalk.media.tracks.media_files import SOURCES, Source
from unitalk.media.tracks.track import GRAY_SIZE, Track

if TYPE_CHECKING:
    import numpy.typing as npt

    from unitalk.media.tracks.torch_dataset import TrackDataset

T = TypeVar("T")


@disk_boundary("root")
def tracks(
    root: str | Path,
    *,
    split: Split | Iterable[Split] | None = None,
    videos: str | Path | Iterable[str] | None = None,
    source: Source = "auto",
) -> Tracks:
    """Open a dataset's tracks: reads the csv files, but no face and no sound.

    Args:
        root: a dataset, made by this program or by the original scripts.
        split: a split, or several; default: all that are present.
        videos: only the tracks of these: a category's name, a file of ids or links, or the ids
            themselves; default: all.
        source: where face crops and sounds are read from: the dataset's `folders`; its `archives`,
            as a `Selection` of `archives_only` keeps them; or by `auto` each video's folder where
            there is one, else its archive.

    Returns:
        The tracks, split after split, in the order in which they first occur in the csv.

    Raises:
        UsageError: a split, a source or the list of videos is unknown.
        LayoutError: the folder is not a dataset, or lacks the split.
        SchemaError: a csv file breaks the schema.
        DataError: a video has no rows, or a face has two.
    """
    if source not in SOURCES:
        raise UsageError(f"unknown source {source!r}", hint=f"give one of {', '.join(SOURCES)}")
    splits = () if split is None else (split,) if isinstance(split, str) else tuple(split)
    unknown = [name for name in splits if name not in SPLITS]
    if unknown:
        raise UsageError(
            f"unknown split {examples(map(repr, unknown))}", hint=f"give one of {', '.join(SPLITS)}"
        )
    root = Path(root).absolute()  # a process that it travels to may be in another folder
    wanted = None if videos is None else video_list.resolve_list(videos)
    rows = DatasetRows(root, Layout(root).require_splits(splits), wanted, source)
    return Tracks(rows, np.arange(rows.count))


class Tracks(Sequence[Track]):
    """Some of a dataset's tracks, each made when it is asked for.

    A slice, or a list of numbers given to `pick`, is a `Tracks` too. It can be pickled for the
    workers of a loader: the pickle has the dataset's path and the tracks' numbers, and the csv
    files are read again where it arrives.

    Args:
        rows: the dataset.
        which: [tracks] their numbers in it.
    """

    def __init__(self, rows: DatasetRows, which: npt.NDArray[np.int64]) -> None:
        self._rows = rows
        self._which = which

    def __len__(self) -> int:
        return len(self._which)

    @overload
    def __getitem__(self, index: int) -> Track: ...
    @overload
    def __getitem__(self, index: slice) -> Tracks: ...
    def __getitem__(self, index: int | slice) -> Track | Tracks:
        """The track of a number, or the tracks of a slice."""
        if isinstance(index, slice):
            return Tracks(self._rows, self._which[index])
        return self._rows.track(int(self._which[index]))

    def __repr__(self) -> str:
        return f"<{len(self):,} tracks with {self.faces:,} faces of {self._rows.root}>"

    @property
    def faces(self) -> int:
        """How many faces the tracks have."""
        return int(self.lengths.sum())

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """How many faces each track has, [tracks]."""
        return self._rows.lengths[self._which]

    @property
    def frame_rates(self) -> npt.NDArray[np.float64]:
        """Each track's frames per second, [tracks]: its video's, by the times of its faces."""
        return self._rows.frame_rates[self._which]

    @property
    def videos(self) -> list[str]:
        """Each track's video, [tracks]."""
        return [self._rows.videos[number] for number in self._which.tolist()]

    @property
    def places(self) -> npt.NDArray[np.int64]:
        """Which row of its split's csv each face is, from 0: [faces], track after track."""
        pieces = [self._rows.places(number) for number in self._which.tolist()]
        return np.concatenate(pieces) if pieces else np.empty(0, np.int64)

    def pick(self, numbers: Iterable[int]) -> Tracks:
        """The tracks of some numbers, in their order: a shuffle, a batch, a worker's share."""
        return Tracks(self._rows, self._which[np.fromiter(numbers, np.int64)])

    def find(self, entity_id: str) -> Track:
        """The track of an id.

        Raises:
            DataError: no track here has it, or more than one does, in two splits or videos.
        """
        found = [number for number in self._rows.find(entity_id) if number in self._which]
        if len(found) == 1:
            return self._rows.track(found[0])
        if not found:
            raise DataError(
                f"there is no track {entity_id!r} among these {len(self):,}",
                hint="a track's id is its entity_id in the csv, such as "
                f"{examples([self[0].entity_id] if len(self) else [])}",
            )
        where = (f"{track.split} {track.video_id}" for track in map(self._rows.track, found))
        raise DataError(
            f"{len(found)} tracks have the id {entity_id!r}: in {examples(where)}",
            hint="open one split, or one video",
        )

    def stream(self, read: Callable[[Track], T], *, jobs: int | None = None) -> Iterator[T]:
        """Call a function with each track, several at a time; yields in the tracks' order.

        In processes, as the decoders hold Python's lock so often that threads gain nothing. What
        `read` returns travels between them, so the smaller the better. Call this below
        `if __name__ == "__main__":`, as with all processes that Python starts.

        Args:
            read: `Track.gray`, or a function of a module.
            jobs: how many processes; 1 is this one; default: one per processor.

        Raises:
            UsageError: `jobs` is less than 1.
        """
        with open_executor(jobs=jobs) as executor:
            yield from executor.run(read, self)

    def to_torch(self, *, size: int = GRAY_SIZE, rate: int = 16_000) -> TrackDataset:
        """Make a PyTorch data set of the tracks, whose items are records of tensors.

        Args:
            size: the side of a gray crop in pixels.
            rate: samples a second that each sound must have.

        Raises:
            MissingExtraError: PyTorch is not installed.
        """
        from unitalk.media.tracks.torch_dataset import TrackDataset

        return TrackDataset(self, size=size, rate=rate)

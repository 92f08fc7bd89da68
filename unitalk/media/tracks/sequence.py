"""A dataset's tracks as a sequence that makes each one when it is asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np

from unitalk.catalog import video_list
from unitalk.errors import DataError, UsageError, examples
from unitalk.executor import open_executor
from unitalk.files import disk_boundary
from unitalk.layout import SPLITS, Layout, Split
from unitalk.media.tracks.file_source import open_media
from unitalk.media.tracks.media_files import SOURCES, Source
from unitalk.media.tracks.track import GRAY_SIZE, Track
from unitalk.media.tracks.track_rows import read_rows

if TYPE_CHECKING:
    import numpy.typing as npt

    from unitalk.media.tracks.media_files import Media
    from unitalk.media.tracks.torch_dataset import TrackDataset
    from unitalk.media.tracks.track_rows import Rows

T = TypeVar("T")


@disk_boundary("root")
def tracks(
    root: str | Path,
    *,
    split: Split | Iterable[Split] | None = None,
    videos: str | Path | Iterable[str] | None = None,
    source: Source = "auto",
) -> Tracks:
    """Open a dataset's tracks: the csv files are read, and no face and no sound.

    Args:
        root: a dataset, made by this program or by the original scripts.
        split: a split, or several; default: all that are present.
        videos: only the tracks of these: a category's name, a file of ids or links, or the ids
            themselves; default: all.
        source: where face crops and sounds are read from: the dataset's `folders`; its `archives`,
            as a `Selection` of `archives_only` keeps them; or by `auto` each video's folder where
            there is one, else its archive.

    Returns:
        The tracks, split after split, in the order in which they first stand in the csv.

    Raises:
        UsageError: a split, a source or the list of videos is unknown.
        LayoutError: the folder is no dataset, or lacks the split.
        SchemaError: a csv file breaks the schema.
        DataError: there are no rows of a video, or two of a face.
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
    book = _Book(root, Layout(root).require_splits(splits), _wanted(videos), source)
    return Tracks(book, np.arange(book.count))


def _wanted(videos: str | Path | Iterable[str] | None) -> tuple[str, ...] | None:
    if videos is None:
        return None
    if isinstance(videos, (str, Path)):
        return video_list.resolve_list(videos)
    wanted = tuple(dict.fromkeys(videos))
    if not wanted:
        raise UsageError("the list of videos is empty", hint="give ids, a file or a category")
    return wanted


class Tracks(Sequence[Track]):
    """Some of a dataset's tracks, each made when it is asked for.

    A slice, or a list of numbers given to `pick`, is again a `Tracks`. It can be pickled, for the
    workers of a loader: what travels is where the dataset is and which tracks are meant, and the
    csv files are read again where it arrives.

    Args:
        book: the dataset.
        which: [tracks] their numbers in it.
    """

    def __init__(self, book: _Book, which: npt.NDArray[np.int64]) -> None:
        self._book = book
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
            return Tracks(self._book, self._which[index])
        return self._book.track(int(self._which[index]))

    def __repr__(self) -> str:
        return f"<{len(self):,} tracks with {self.faces:,} faces of {self._book.root}>"

    @property
    def faces(self) -> int:
        """How many faces the tracks have."""
        return int(self.lengths.sum())

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """How many faces each track has, [tracks]."""
        return self._book.lengths[self._which]

    @property
    def frame_rates(self) -> npt.NDArray[np.float64]:
        """How many frames a second each track's video has, [tracks], by the times of its faces."""
        return self._book.frame_rates[self._which]

    @property
    def videos(self) -> list[str]:
        """Each track's video, [tracks]."""
        return [self._book.videos[number] for number in self._which.tolist()]

    @property
    def places(self) -> npt.NDArray[np.int64]:
        """Which row of its split's csv each face is, from 0: [faces], track after track."""
        pieces = [self._book.places(number) for number in self._which.tolist()]
        return np.concatenate(pieces) if pieces else np.empty(0, np.int64)

    def pick(self, numbers: Iterable[int]) -> Tracks:
        """The tracks of some numbers, in their order; an own shuffle, a batch, a worker's share."""
        return Tracks(self._book, self._which[np.fromiter(numbers, np.int64)])

    def find(self, entity_id: str) -> Track:
        """The track of an id.

        Raises:
            DataError: there is none here, or more than one: in two splits or videos.
        """
        found = [number for number in self._book.find(entity_id) if number in self._which]
        if len(found) == 1:
            return self._book.track(found[0])
        if not found:
            raise DataError(
                f"there is no track {entity_id!r} among these {len(self):,}",
                hint="a track's id is its entity_id in the csv, such as "
                f"{examples([self[0].entity_id] if len(self) else [])}",
            )
        where = (f"{track.split} {track.video_id}" for track in map(self._book.track, found))
        raise DataError(
            f"{len(found)} tracks have the id {entity_id!r}: in {examples(where)}",
            hint="open one split, or one video",
        )

    def stream(self, read: Callable[[Track], T], *, jobs: int | None = None) -> Iterator[T]:
        """Do something with each track, several at a time; the results come in the tracks' order.

        In processes, as the decoders hold Python's lock so often that threads gain nothing. What
        `read` returns travels between them, so the less it is the better. A script that calls this
        does it below `if __name__ == "__main__":`, as with all processes that Python starts.

        Args:
            read: what to do: `Track.gray`, or a function of a module.
            jobs: how many processes; 1 is this one; default: one a processor.

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


class _Book:
    """A dataset's rows and media; opened again where it arrives in another process.

    Args:
        root: the dataset.
        splits: which to open.
        videos: the videos to keep; None keeps all.
        source: where media are read from.
        stamps: the sizes and times of the csv files, when they must be those of before.
    """

    def __init__(
        self,
        root: Path,
        splits: tuple[Split, ...],
        videos: tuple[str, ...] | None,
        source: Source,
        stamps: tuple[tuple[int, int], ...] | None = None,
    ) -> None:
        self.root = root
        self._recipe = (root, splits, videos, source)
        paths = [Layout(root).csv(split) for split in splits]
        self._stamps = tuple((s.st_size, s.st_mtime_ns) for s in (path.stat() for path in paths))
        if stamps not in {None, self._stamps}:
            raise DataError(
                f"{root}: its csv files were changed after the tracks were opened",
                hint="open them again",
            )
        kept = None if videos is None else set(videos)
        self._parts = [
            read_rows(path, split, kept) for path, split in zip(paths, splits, strict=True)
        ]
        self._check_videos(videos)
        self._firsts = np.cumsum([0, *(len(rows.entities) for rows in self._parts)]).tolist()
        self.count = self._firsts[-1]
        self.lengths = np.concatenate([np.diff(rows.starts) for rows in self._parts])
        self._numbers: dict[str, tuple[int, ...]] = {}
        for first, rows in zip(self._firsts, self._parts, strict=False):
            for number, entity in enumerate(rows.entities, first):
                self._numbers[entity] = (*self._numbers.get(entity, ()), number)
        self._media: Media = open_media(root, source)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Book, (*self._recipe, self._stamps)

    def find(self, entity_id: str) -> tuple[int, ...]:
        """The numbers of the tracks with an id."""
        return self._numbers.get(entity_id, ())

    @cached_property
    def frame_rates(self) -> npt.NDArray[np.float64]:
        """See `Tracks.frame_rates`; of all tracks."""
        return np.concatenate([rows.frame_rates() for rows in self._parts])

    @cached_property
    def videos(self) -> list[str]:
        """The video of each track."""
        return [video for rows in self._parts for video in rows.videos]

    def places(self, number: int) -> npt.NDArray[np.int64]:
        """See `Tracks.places`; of one track."""
        rows, place = self._find(number)
        return rows.places(place)

    def _find(self, number: int) -> tuple[Rows, int]:
        """The split of a track, and its number there."""
        part = bisect_right(self._firsts, number) - 1
        return self._parts[part], number - self._firsts[part]

    def track(self, number: int) -> Track:
        """Make the track of a number."""
        rows, place = self._find(number)
        own = slice(rows.starts[place], rows.starts[place + 1])
        entity = rows.entities[place]
        other = entity.replace(":", "_")
        return Track(
            split=rows.split,
            video_id=rows.videos[place],
            entity_id=entity,
            frame_timestamp=rows.seconds[own],
            label_id=rows.labels[own].astype(np.int64),
            boxes=rows.boxes[own],
            scored=rows.scored[own],
            _media=self._media,
            _taken=(other,) if other != entity and other in self._numbers else (),
        )

    def _check_videos(self, videos: tuple[str, ...] | None) -> None:
        """Look for videos that were asked for and have no row.

        Raises:
            DataError: there are some.
        """
        there = {video for rows in self._parts for video in rows.videos}
        absent = [video for video in videos or () if video not in there]
        if absent:
            splits = " and ".join(rows.split for rows in self._parts)
            raise DataError(
                f"{self.root} has no rows of {len(absent):,} of the videos in {splits}: "
                f"{examples(absent)}",
                hint="look at the ids, or give the split of these videos",
            )

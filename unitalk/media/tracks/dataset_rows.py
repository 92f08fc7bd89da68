"""The rows of a dataset's splits as tracks, and what reads their media."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk.errors import DataError, examples
from unitalk.layout import Layout
from unitalk.media.tracks.file_source import open_media
from unitalk.media.tracks.track import Track
from unitalk.media.tracks.track_rows import read_rows

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from unitalk.layout import Split
    from unitalk.media.tracks.media_files import Source
    from unitalk.media.tracks.track_rows import Rows


class DatasetRows:
    """The rows of a dataset's splits, and what reads its media; in another process, opened again.

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
        self._media = open_media(root, source)

    def __reduce__(self) -> tuple[Any, ...]:
        return DatasetRows, (*self._recipe, self._stamps)

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
        """Refuse videos that have no row."""
        there = {video for rows in self._parts for video in rows.videos}
        absent = [video for video in videos or () if video not in there]
        if absent:
            splits = " and ".join(rows.split for rows in self._parts)
            raise DataError(
                f"{self.root} has no rows of {len(absent):,} of the videos in {splits}: "
                f"{examples(absent)}",
                hint="look at the ids, or give the split of these videos",
            )

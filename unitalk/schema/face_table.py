"""Group the faces of a file by track and time, in arrays and with no object per face.

Two times of one track are one time when their whole milliseconds are equal. `FaceTable` has the
order of the rows and what follows from it. Where tracks of two files are compared, a track and a
time are packed into one number, the key, and `KeyIndex` looks rows up by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

import numpy as np

from unitalk.schema.face_names import hundredths_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Codes = npt.NDArray[np.integer[Any]]
    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

T = TypeVar("T", bound=np.generic)

GAP = 201
"""Milliseconds: a longer step within a track is a gap.

UniTalk's tracks are made of detections, and its authors fill gaps of up to 0.2 s (5 frames); the
one more is for times that are rounded.
"""

NOBODY = -1
"""The row of a key that no row has."""

_TIME_BITS = 32
_TIME_MASK = (1 << _TIME_BITS) - 1
_NEAR = 0.0101  # seconds; times further apart never share a file name, which has hundredths
_PIECE = 1 << 16  # rows compared at a time, so that temporaries stay in the cache

# ------------------------------------------------------------------------------ keys


def pack(tracks: Codes, milliseconds: Codes) -> Ints:
    """Pack track and time into one key; in one track, a later time has a larger key.

    Args:
        tracks: [rows] below 2 ** 31; a negative number is an unknown track.
        milliseconds: [rows] below 2 ** 32, as all times below `MAX_SECONDS` are.
    """
    keys = tracks.astype(np.int64)
    keys <<= _TIME_BITS
    keys += milliseconds
    return keys


def unpack_times(keys: Ints) -> Ints:
    """The milliseconds of keys."""
    return keys & _TIME_MASK


def unpack_tracks(keys: Ints) -> Ints:
    """The tracks of keys."""
    return keys >> _TIME_BITS


def ascend(keys: Ints) -> bool:
    """Whether every key is larger than the one before it."""
    return bool(np.all(keys[1:] > keys[:-1]))


class KeyIndex(NamedTuple):
    """Keys in ascending order, to look rows up.

    Attributes:
        order: [rows] the row of each; rows with equal keys keep their order.
        keys: [rows] ascending.
    """

    order: Ints
    keys: Ints

    @classmethod
    def of(cls, keys: Ints) -> KeyIndex:
        """Sort keys."""
        order = np.argsort(keys, kind="stable")
        return cls(order, keys[order])

    def find(self, keys: Ints) -> Ints:
        """The first row with each of some keys, or NOBODY."""
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[place] == keys, self.order[place], NOBODY)

    def repeats(self) -> tuple[Ints, Ints]:
        """The rows with the key of an earlier row, by key; and the first row with each one's."""
        twice = np.flatnonzero(self.keys[1:] == self.keys[:-1]) + 1
        first = np.searchsorted(self.keys, self.keys[twice])
        return self.order[twice], self.order[first]


# ------------------------------------------------------------------------------ rows of one file


@dataclass(frozen=True, eq=False)
class FaceTable:
    """The rows of a file by track and time.

    A *row* is a position in the file, a *place* one in the order of tracks and times. Tracks are
    numbered in the order in which they first occur in the file.

    Attributes:
        track: [rows] the track of each row.
        times: [rows] whole milliseconds or seconds.
        heads: [tracks] the first row of each track in the file.
        order: [places] the row at each place; rows of one time keep the order of the file. None
            where that is the order of the file.
        starts: [tracks + 1] the place where each track begins, and the number of rows.
    """

    track: npt.NDArray[np.int32]
    times: npt.NDArray[Any]
    heads: Ints
    order: Ints | None
    starts: Ints

    @classmethod
    def of(cls, times: npt.NDArray[Any], entity: Codes, video: Codes | None = None) -> Self:
        """Group rows by `entity_id`, and by video too where there are videos.

        Args:
            times: [rows] whole milliseconds or seconds.
            entity: [rows] a number from 0 for each row's `entity_id`.
            video: [rows] a number from 0 for each row's video.
        """
        if video is not None and first_stray(entity, video) is not None:
            pairs = video.astype(np.int64) * (int(entity.max()) + 1) + entity
            entity = np.unique(pairs, return_inverse=True)[1]
        track, heads, runs = _number(entity)
        starts = np.append(0, np.cumsum(np.bincount(track, minlength=len(heads)))).astype(np.int64)
        falls = (times[1:] < times[:-1]) & (track[1:] == track[:-1])
        in_order = runs == len(heads) and not falls.any()
        order = None if in_order else _sort(track, times)
        return cls(track, times, heads, order, starts)

    def __len__(self) -> int:
        return len(self.track)

    def rows(self, places: slice | Ints = slice(None)) -> Ints:
        """The rows at some places, or at all."""
        if self.order is not None:
            return self.order[places]
        if isinstance(places, slice):
            return np.arange(*places.indices(len(self)))
        return places

    def ordered(self, values: npt.NDArray[T]) -> npt.NDArray[T]:
        """A column of the file in the order of tracks and times; no copy where it has it."""
        return values if self.order is None else values[self.order]

    @property
    def inside(self) -> Bools:
        """[places - 1] Whether the next place is of the same track."""
        result = np.ones(max(len(self) - 1, 0), np.bool_)
        result[self.starts[1:-1] - 1] = False
        return result

    def gaps(self) -> tuple[Ints, Ints]:
        """The places behind gaps, and the milliseconds since the face before each."""
        times = self.ordered(self.times)
        whole = times if times.dtype.kind == "i" else np.rint(times * 1000).astype(np.int64)
        steps = np.diff(whole)
        places = np.flatnonzero(self.inside & (steps > GAP)) + 1
        return places, steps[places - 1]

    def clashes(self, seconds: Floats) -> tuple[Ints, Ints]:
        """Find faces that cannot be told from the face before them in their track.

        Args:
            seconds: [rows] their times.

        Returns:
            The places of faces with the time of the one before, and of others whose crop has the
            file name of the one before.
        """
        seconds = self.ordered(seconds)
        close = np.flatnonzero(self.inside & (np.diff(seconds) < _NEAR)) + 1
        later, earlier = seconds[close], seconds[close - 1]
        twice = np.rint(later * 1000) == np.rint(earlier * 1000)
        near = ~twice & (hundredths_of(later) == hundredths_of(earlier))
        return close[twice], close[near]

    @cached_property
    def apart(self) -> Ints:
        """The row at which a track resumes after another one, once per track; ascending."""
        runs = np.flatnonzero(np.diff(self.track)) + 1
        rows = runs[self.heads[self.track[runs]] != runs]
        return _once_per_track(rows, self.track)

    @cached_property
    def unordered(self) -> Ints:
        """The first row that is earlier than the one before it in its track; ascending."""
        if self.order is None:
            return np.empty(0, np.int64)
        together = np.argsort(self.track, kind="stable")
        times, track = self.times[together], self.track[together]
        falls = (times[1:] < times[:-1]) & (track[1:] == track[:-1])
        return _once_per_track(together[1:][falls], self.track)


def first_stray(tracks: Codes, videos: Codes) -> int | None:
    """The first row whose track has another video in its last row, or None.

    Args:
        tracks: [rows] a number from 0 for each row's track.
        videos: [rows] a number for each row's video.
    """
    of_track = np.empty(int(tracks.max(initial=0)) + 1, videos.dtype)
    of_track[tracks] = videos
    for start in range(0, len(tracks), _PIECE):
        piece = slice(start, start + _PIECE)
        strays = np.flatnonzero(of_track[tracks[piece]] != videos[piece])
        if len(strays):
            return start + int(strays[0])
    return None


def _number(codes: Codes) -> tuple[npt.NDArray[np.int32], Ints, int]:
    """Number codes in the order in which they first occur.

    Returns:
        [rows] the numbers; the first row of each; and how many runs of one code there are.
    """
    changes = np.ones(len(codes), np.bool_)
    changes[1:] = codes[1:] != codes[:-1]
    begins = np.flatnonzero(changes)
    runs = codes[begins]
    first = np.full(int(runs.max(initial=-1)) + 1, len(codes), np.int64)
    first[runs[::-1]] = begins[::-1]  # of several the last that is written: the first one
    by_first = np.argsort(first, kind="stable")
    heads = first[by_first]
    heads = heads[heads < len(codes)]
    number = np.empty(len(first), np.int32)
    number[by_first] = np.arange(len(first))
    track = np.repeat(number[runs], np.diff(np.append(begins, len(codes))))
    return track, heads, len(runs)


def _sort(track: npt.NDArray[np.int32], times: npt.NDArray[Any]) -> Ints:
    if times.dtype.kind == "i":  # one sort, which takes half the time of two
        return np.argsort(pack(track, times), kind="stable")
    return np.lexsort((times, track))


def _once_per_track(rows: Ints, track: npt.NDArray[np.int32]) -> Ints:
    _, first = np.unique(track[rows], return_index=True)
    return np.sort(rows[first])

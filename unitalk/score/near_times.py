"""Find the face that a slightly different time means, and print times.

Two times of one track are equal when their whole milliseconds are: `0.12`, `0.120` and `0.1200004`.
That leaves some predictions without a face, such as those with rounded times at 29.97 frames per
second. Each of these is for the only face of its track within `REACH`. Where two faces are within
reach of one prediction, or a face has another prediction, the pair is ambiguous and none is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unitalk.schema.face_table import NOBODY, KeyIndex

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

REACH = 0.001 + 1e-9
"""Seconds between a prediction and its face: a millisecond, inclusive.

A float64 below `schema.MAX_SECONDS` is off by up to 2**-32 s, and the difference of two by 5e-10 s.
The nanosecond is more than that, so that what is 1 ms apart on paper is within reach.
"""

_STEPS = 2  # two times a millisecond apart can be 0.5 -> 0 and 1.5 -> 2 in whole milliseconds
_DECIMALS = range(6, 17)
_FAITHFUL = 0.1  # of a difference, which rounding may take away when it is printed


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearby:
    """The faces within reach of some predictions.

    Attributes:
        faces: [rows] a row of the ground truth, or NOBODY.
        several: [rows] whether there is more than one.
        shared: [rows] whether that face has another prediction, or another one within reach.
    """

    faces: Integers
    several: Bools
    shared: Bools

    @property
    def certain(self) -> Bools:
        """[rows] Whether there is one face, and no other prediction for it."""
        result: Bools = (self.faces != NOBODY) & ~self.several & ~self.shared
        return result


def nearby(keys: Integers, seconds: Floats, taken: Bools, asked: Integers, at: Floats) -> Nearby:
    """Find the faces within reach of predictions without a face.

    Args:
        keys: [faces] track and whole milliseconds in one number; larger is later in the same track.
        seconds: [faces] the times themselves.
        taken: [faces] whether a face has a prediction already.
        asked: [rows] keys of the predictions.
        at: [rows] seconds of the predictions.
    """
    index = KeyIndex.of(keys)
    faces = np.full(len(asked), NOBODY, np.int64)
    count = np.zeros(len(asked), np.int64)
    for step in range(-_STEPS, _STEPS + 1):
        face = index.find(asked + step)
        there = (face != NOBODY) & (np.abs(seconds[face] - at) <= REACH)
        faces[there] = face[there]
        count += there
    found = np.flatnonzero(faces != NOBODY)
    others = np.bincount(faces[found], minlength=len(keys)) > 1
    shared = np.zeros(len(asked), np.bool_)
    shared[found] = taken[faces[found]] | others[faces[found]]
    return Nearby(faces=faces, several=count > 1, shared=shared)


def in_seconds(*times: float) -> list[str]:
    """Times as text: at most six decimals, and more only where two times would look the same."""
    distinct = np.unique(times)
    gap = float(np.diff(distinct).min()) if len(distinct) > 1 else np.inf
    for decimals in _DECIMALS:
        off = max(abs(round(time, decimals) - time) for time in times)
        if off <= _FAITHFUL * gap:
            return [_plain(time, decimals) for time in times]
    return [repr(float(time)) for time in times]


def _plain(time: float, decimals: int) -> str:
    text = f"{time:.{decimals}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text

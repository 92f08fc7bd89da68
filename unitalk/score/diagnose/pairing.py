"""Which prediction is for which face, by track and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unitalk.score.near_times import NOBODY, nearby

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

_TIME_BITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Which row of the ground truth each prediction is for.

    Attributes:
        partners: [predictions] row of the ground truth, or NOBODY.
        holders: [predictions] for a prediction whose face has another one, the row of that; else
            NOBODY.
        unused: [predictions] True for a repeat whose label says that its score is not that of
            speaking, where the face has one that is.
        tracks: [predictions] the track of each, as an index into `names`.
        names: the ground truth's ids, and behind them ids that it does not have.
        guessed: [predictions] True where another face of the track would do as well.
    """

    partners: Integers
    holders: Integers
    unused: Bools
    tracks: Integers
    names: list[str]
    guessed: Bools

    @property
    def repeats(self) -> Bools:
        """[predictions] Whether its face has another one."""
        result: Bools = self.holders != NOBODY
        return result


def keys_of(tracks: npt.NDArray[np.integer], milliseconds: Integers) -> Integers:
    """Track and time in one number; larger is later in the same track."""
    return (tracks.astype(np.int64) << _TIME_BITS) + milliseconds


def pair(truth: Integers, keys: Integers) -> tuple[Integers, Bools]:
    """Find each prediction's face by key.

    Args:
        truth: [faces] keys of the ground truth; of equal ones the first counts.
        keys: [predictions].

    Returns:
        Partners and repeats, as `Pairing` has them; of equal predictions the first has the face.
    """
    if np.array_equal(truth, keys) and bool(np.all(keys[1:] > keys[:-1])):
        return np.arange(len(keys)), np.zeros(len(keys), np.bool_)
    order = np.argsort(truth, kind="stable")
    ascending = truth[order]
    place = np.minimum(np.searchsorted(ascending, keys), len(order) - 1)
    repeats = repeated(keys)
    there = (ascending[place] == keys) & ~repeats
    return np.where(there, order[place], NOBODY), repeats


def pair_times(
    truth: Integers, true: Floats, keys: Integers, said: Floats
) -> tuple[Integers, Integers]:
    """Find each prediction's face as `match` does: by key, or else the only one within reach.

    Args:
        truth: [faces] keys of the ground truth; those of unknown tracks are larger.
        true: [faces] seconds.
        keys: [predictions].
        said: [predictions] seconds.

    Returns:
        Partners and holders, as `Pairing` has them.
    """
    partners, repeats = pair(truth, keys)
    holders = np.full(len(keys), NOBODY, np.int64)
    left = np.flatnonzero((partners == NOBODY) & ~repeats)
    if len(left):
        holder = np.full(len(truth), NOBODY, np.int64)
        found = np.flatnonzero(partners != NOBODY)
        holder[partners[found]] = found
        near = nearby(truth, true, holder != NOBODY, keys[left], said[left])
        one = (near.faces != NOBODY) & ~near.several
        rows, faces = left[one][::-1], near.faces[one][::-1]
        free = holder[faces] == NOBODY
        holder[faces[free]] = rows[free]  # of several the last that is written: the file's first
        has = holder[faces] == rows
        partners[rows[has]] = faces[has]
        holders[rows[~has]] = holder[faces[~has]]
    again = np.flatnonzero(repeats)
    if len(again):
        first = first_with(keys, again)
        holders[again] = np.where(partners[first] != NOBODY, first, holders[first])
    return partners, holders


def repeated(keys: Integers) -> Bools:
    """Which rows have the key of a row further up."""
    order = np.argsort(keys, kind="stable")
    ascending = keys[order]
    result = np.zeros(len(keys), np.bool_)
    result[order[1:]] = ascending[1:] == ascending[:-1]
    return result


def first_with(keys: Integers, rows: Integers) -> Integers:
    """The first row with the same key as each of some rows."""
    order = np.argsort(keys, kind="stable")
    return order[np.searchsorted(keys[order], keys[rows])]

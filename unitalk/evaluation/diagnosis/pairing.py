"""Which prediction is for which face, by track and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

NOBODY = -1
"""The partner of a prediction that is for no face."""

_TIME_BITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Which row of the ground truth each prediction is for.

    Attributes:
        partners: [predictions] row of the ground truth, or NOBODY.
        repeats: [predictions] True for a prediction whose face has one further up.
        tracks: [predictions] the track of each, as an index into `names`.
        names: the ground truth's ids, and behind them ids that it does not have.
        guessed: [predictions] True where another face of the track would do as well.
    """

    partners: Integers
    repeats: Bools
    tracks: Integers
    names: list[str]
    guessed: Bools


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

"""Which prediction is for which face, by track and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unitalk.schema.face_table import NOBODY, KeyIndex
from unitalk.score.near_times import nearby

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]


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
        names: the ground truth's ids, followed by ids that it does not have.
        guessed: [predictions] True where another face of the track would do as well.
    """

    partners: Integers
    holders: Integers
    unused: Bools
    tracks: Integers
    names: list[str]
    guessed: Bools

    @property
    def found(self) -> Integers:
        """The predictions that are for a face."""
        return np.flatnonzero(self.partners != NOBODY)

    @property
    def repeats(self) -> Bools:
        """[predictions] Whether its face has another one."""
        result: Bools = self.holders != NOBODY
        return result


def pair(truth: Integers, true: Floats, keys: Integers, said: Floats) -> tuple[Integers, Integers]:
    """Find each prediction's face as `match` does: by key, or else the only one within reach.

    Args:
        truth: [faces] keys of the ground truth; of equal ones the first counts.
        true: [faces] seconds.
        keys: [predictions]; those of unknown tracks are larger than all of the ground truth's.
        said: [predictions] seconds.

    Returns:
        Partners and holders, as `Pairing` has them; of several predictions the first has the face.
    """
    partners = KeyIndex.of(truth).find(keys)
    left = np.flatnonzero(partners == NOBODY)
    near = nearby(truth, true, np.zeros(len(truth), np.bool_), keys[left], said[left])
    partners[left] = np.where(near.several, NOBODY, near.faces)
    again, first = KeyIndex.of(partners).repeats()
    known = partners[again] != NOBODY
    holders = np.full(len(keys), NOBODY, np.int64)
    holders[again[known]] = first[known]
    partners[again] = NOBODY
    return partners, holders

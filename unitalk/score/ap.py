"""Average precision on arrays: arithmetic that never sees a file or a face.

The definition is the one of AVA-ActiveSpeaker (Roth et al., ICASSP 2020), which is that of the
PASCAL VOC development kit: precision is made monotone from the right, and the area is the sum of
precision times the increments of recall. What the reference leaves open is closed here: rows that
share a score are one step, so that their order cannot matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

CHANCE_SHIFTS = 20
"""How many misalignments the chance interval is taken over: one in 21 by luck, about 5 %."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The distinct scores that at least one positive has, from the highest down.

    A score that only negatives have needs no entry: precision falls there, so it neither gains
    recall nor lifts the envelope.

    Attributes:
        positives: [steps] positives with this score or a higher one.
        rows: [steps] rows with this score or a higher one.
        above: [steps] rows with a higher score.
        ties: how many rows share their score with another row.
    """

    positives: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    above: npt.NDArray[np.int64]
    ties: int


def rank(labels: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]) -> Ranking:
    """Sort rows into steps of equal score.

    Positives and negatives are sorted apart, so that bare numbers are sorted and no index of rows:
    numpy does that several times as fast.

    Args:
        labels: [rows] True for a positive.
        scores: [rows] finite.
    """
    high, low = scores[labels], scores[~labels]
    high.sort()
    low.sort()
    is_first = np.append(True, high[1:] != high[:-1])[: len(high)]  # of its step
    steps = high[is_first]
    below = np.searchsorted(low, steps)
    meets = low[np.minimum(below, len(low) - 1)] == steps if len(low) else np.array([])
    not_above = np.searchsorted(low, steps, "right") if meets.any() else below
    # Counted from the lowest score up until here; from the highest down from here on.
    positives = len(high) - np.flatnonzero(is_first)[::-1]
    gains = np.diff(positives, prepend=0)
    rows = positives + (len(low) - below)[::-1]
    above = positives - gains + (len(low) - not_above)[::-1]
    return Ranking(positives, rows, above, _count_ties(rows - above, low, steps))


def _count_ties(
    sizes: npt.NDArray[np.int64], low: npt.NDArray[np.float64], steps: npt.NDArray[np.float64]
) -> int:
    """Count the rows that are not alone with their score.

    Args:
        sizes: [steps] rows of each step.
        low: the negatives' scores, ascending.
        steps: [steps] the positives' distinct scores.
    """
    shared = int(sizes[sizes > 1].sum())
    same = low[1:] == low[:-1]
    if same.any():  # negatives among themselves, where no positive has their score
        alike = low[np.append(same, False) | np.append(False, same)]
        shared += int(np.count_nonzero(~np.isin(alike, steps)))
    return shared


def average_precision(ranking: Ranking) -> float | None:
    """The area under the precision-recall curve with VOC's envelope; None without a positive.

    For one constant score it is the share of positives; without ties it is the reference's number.
    """
    return _area(ranking.positives, ranking.rows)


def best_case(ranking: Ranking) -> float | None:
    """The area if the positives of every step came before its negatives.

    The reference sorts without a rule for ties, so its number lies anywhere between
    `average_precision` (all negatives of each step first: the worst order, because precision only
    grows along the step's positives and ends at the step's own) and this.
    """
    gains = np.diff(ranking.positives, prepend=0)
    return _area(ranking.positives, ranking.above + gains)


def _area(positives: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> float | None:
    """Sum envelope times gain of recall over steps that all gain some."""
    if not len(positives):
        return None
    precision = positives / rows
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(envelope * np.diff(positives, prepend=0)) / positives[-1])


def chance_interval(
    labels: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]
) -> tuple[float, float] | None:
    """The lowest and highest area that these scores get on faces that they do not belong to.

    The scores are moved along the faces, all together, by 20 distances spread over the whole. That
    keeps how scores and labels hang together within a track, which a shuffle of the rows would
    destroy, and breaks only what a model is for.

    Args:
        labels: [rows] in an order that keeps tracks and time together.
        scores: [rows] in the same order.

    Returns:
        None without a positive, or with fewer than two rows.
    """
    areas = [
        average_precision(rank(np.roll(labels, shift), scores))
        for shift in {len(scores) * k // (CHANCE_SHIFTS + 1) for k in range(CHANCE_SHIFTS + 1)}
        if shift
    ]
    known = [area for area in areas if area is not None]
    return (min(known), max(known)) if known else None


def reference_area(labels_in_order: npt.NDArray[np.bool_]) -> float | None:
    """The reference's own sum over rows in an order already decided; None without a positive.

    Args:
        labels_in_order: [rows] True for a positive, from the highest score down.
    """
    rows = np.flatnonzero(labels_in_order) + 1
    return _area(np.arange(1, len(rows) + 1), rows)

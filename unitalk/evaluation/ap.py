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

    Args:
        labels: [rows] True for a positive.
        scores: [rows] finite.
    """
    order = np.argsort(scores)[::-1]
    descending = scores[order]
    is_last = descending[1:] != descending[:-1]  # of its step; the last row of all is one too
    found = labels[order]
    del order, descending
    if is_last.all():  # no ties, which is most files: a step is a row
        above = np.flatnonzero(found)
        return Ranking(np.arange(1, len(above) + 1), above + 1, above, 0)
    return _steps(found, np.append(np.flatnonzero(is_last), len(found) - 1))


def _steps(found: npt.NDArray[np.bool_], ends: npt.NDArray[np.int64]) -> Ranking:
    """Count within steps.

    Args:
        found: [rows] True for a positive, from the highest score down.
        ends: [steps] the last row of each step.
    """
    positives = np.cumsum(found, dtype=np.int64)[ends]
    sizes = np.diff(ends, prepend=-1)
    gaining = np.flatnonzero(np.diff(positives, prepend=0))
    rows = ends[gaining] + 1
    return Ranking(positives[gaining], rows, rows - sizes[gaining], int(sizes[sizes > 1].sum()))


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
    order = np.argsort(scores)[::-1]
    descending = scores[order]
    ends = np.append(np.flatnonzero(descending[1:] != descending[:-1]), len(scores) - 1)
    areas = []
    for shift in sorted({len(scores) * k // (CHANCE_SHIFTS + 1) for k in range(CHANCE_SHIFTS + 1)}):
        if shift:
            steps = _steps(np.roll(labels, shift)[order], ends)
            areas.append(average_precision(steps))
    known = [area for area in areas if area is not None]
    return (min(known), max(known)) if known else None


def reference_area(labels_in_order: npt.NDArray[np.bool_]) -> float | None:
    """The reference's own sum over rows in an order already decided; None without a positive.

    Args:
        labels_in_order: [rows] True for a positive, from the highest score down.
    """
    return average_precision(_steps(labels_in_order, np.arange(len(labels_in_order))))

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
    """The distinct scores from the highest down, and what stands at or above each.

    Attributes:
        positives: [steps] positives with this score or a higher one.
        rows: [steps] rows with this score or a higher one.
        ties: how many rows share their score with another row.
    """

    positives: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    ties: int


def rank(labels: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]) -> Ranking:
    """Sort rows into steps of equal score.

    Args:
        labels: [rows] True for a positive.
        scores: [rows] finite.
    """
    order = np.argsort(scores)[::-1]
    descending = scores[order]
    # The last row of each step; the last of all is one too.
    ends = np.append(np.flatnonzero(descending[1:] != descending[:-1]), len(scores) - 1)
    del descending
    positives = np.cumsum(labels[order], dtype=np.int64)[ends]
    del order
    ends += 1
    sizes = np.diff(ends, prepend=0)
    return Ranking(positives, ends, int(sizes[sizes > 1].sum()))


def average_precision(ranking: Ranking) -> float | None:
    """The area under the precision-recall curve with VOC's envelope; None without a positive.

    For one constant score it is the share of positives; without ties it is the reference's number.
    """
    return _area(ranking, ranking.rows)


def best_case(ranking: Ranking) -> float | None:
    """The area if the positives of every step came before its negatives.

    The reference sorts without a rule for ties, so its number lies anywhere between
    `average_precision` (all negatives of each step first: the worst order, because precision only
    grows along the step's positives and ends at the step's own) and this.
    """
    gains = np.diff(ranking.positives, prepend=0)
    before = ranking.rows - np.diff(ranking.rows, prepend=0)
    return _area(ranking, before + gains)


def _area(ranking: Ranking, rows: npt.NDArray[np.int64]) -> float | None:
    """Sum envelope times gain over the steps that gain something.

    Steps without a positive have a lower precision than the step above them, so they neither gain
    nor lift the envelope.
    """
    gains = np.diff(ranking.positives, prepend=0)
    gaining = np.flatnonzero(gains)
    if not len(gaining):
        return None
    positives = ranking.positives[gaining]
    precision = positives / rows[gaining]
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(envelope * gains[gaining]) / positives[-1])


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
            moved = np.roll(labels, shift)
            areas.append(_area(Ranking(np.cumsum(moved[order])[ends], ends + 1, 0), ends + 1))
    known = [area for area in areas if area is not None]
    return (min(known), max(known)) if known else None


def reference_area(labels_in_order: npt.NDArray[np.bool_]) -> float | None:
    """The reference's own sum over rows in an order already decided; None without a positive.

    Args:
        labels_in_order: [rows] True for a positive, from the highest score down.
    """
    rows = np.arange(1, len(labels_in_order) + 1)
    return _area(Ranking(np.cumsum(labels_in_order), rows, 0), rows)

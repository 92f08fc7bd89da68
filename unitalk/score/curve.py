"""Precision-recall curves and score histograms, on arrays: what plots are drawn from.

Two lines are called the precision-recall curve, and people mistake one for the other: the raw
precision at each threshold, and its envelope, which is what AVA's AP integrates. Both are here,
under names of their own.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unitalk.errors import UsageError
from unitalk.report import Report

if TYPE_CHECKING:
    import numpy.typing as npt

TOLERANCE = 0.001
"""How far thinning may move a line, as a share of the axes: a pixel in a thousand."""

_COLUMNS = 4096
_OUTLIERS = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve(Report):
    """A precision-recall curve, a point for each distinct score, from the highest score down.

    Recall never falls from point to point and ends at 1. Draw the raw precision as straight lines
    between the points. Draw the envelope as steps: from the point before (from recall 0 for the
    first) up to a point it has that point's value. The area below those steps is AVA's AP, to
    within the thinning.

    Attributes:
        recall: [points] share of the positives at or above the score.
        precision: [points] share of positives among the faces at or above the score: the raw curve.
        envelope: [points] the highest precision at this recall or a higher one.
        threshold: [points] the score.
    """

    recall: npt.NDArray[np.float64]
    precision: npt.NDArray[np.float64]
    envelope: npt.NDArray[np.float64]
    threshold: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram(Report):
    """How the scores of positives and of negatives are spread.

    Attributes:
        edges: [bins + 1] a score on an inner edge is in the bin above it.
        positives: [bins] how many; the first and the last bin hold the outliers too.
        negatives: [bins] how many.
    """

    edges: npt.NDArray[np.float64]
    positives: npt.NDArray[np.int64]
    negatives: npt.NDArray[np.int64]


def curve(
    labels: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64], *, points: int = 1000
) -> Curve | None:
    """Work out the curve and leave out the points that nobody would miss; None without a positive.

    What is kept is exact, the envelope too: it is that of all points. Points are left out as long
    as neither line moves by more than `TOLERANCE`; when that leaves more than `points`, those that
    matter most are kept.

    Args:
        labels: [rows] True for a positive.
        scores: [rows] finite.
        points: how many points to keep at most.

    Raises:
        UsageError: `points` is below two.
    """
    if points < 2:  # noqa: PLR2004 - a line has two ends
        raise UsageError(f"points must be at least 2 (got {points})", hint="keep at least 2")
    if not labels.any():
        return None
    order = np.argsort(scores)[::-1]
    ranked = scores[order]
    # The last row of each run of equal scores: tied rows are one step, whatever their order.
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    hits = np.cumsum(labels[order])[ends]
    recall, precision = hits / hits[-1], hits / (ends + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    kept = _columns(recall, precision)
    kept = kept[_simplified(recall[kept], precision[kept], envelope[kept], points)]
    return Curve(
        recall=recall[kept],
        precision=precision[kept],
        envelope=envelope[kept],
        threshold=ranked[ends[kept]],
    )


def _columns(
    recall: npt.NDArray[np.float64], precision: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Choose the first, last, lowest and highest point of each of 4,096 slices of recall.

    That draws the same line at this width (M4: Jugel et al., PVLDB 7(10), 2014), and bounds the
    work that follows, however many rows there are.

    Returns:
        [at most 4 * 4096] indices, ascending.
    """
    if len(recall) <= 4 * _COLUMNS:
        return np.arange(len(recall))
    column = (recall * _COLUMNS).astype(np.int64)
    first = np.flatnonzero(np.append(True, column[1:] != column[:-1]))
    last = np.append(first[1:], len(recall)) - 1
    by_precision = np.lexsort((precision, column))
    return np.unique(np.concatenate([first, last, by_precision[first], by_precision[last]]))


def _simplified(
    recall: npt.NDArray[np.float64],
    precision: npt.NDArray[np.float64],
    envelope: npt.NDArray[np.float64],
    points: int,
) -> npt.NDArray[np.int64]:
    """Add the point that is farthest from what is drawn so far, until none is far.

    This is the method of Douglas and Peucker (Cartographica 10(2), 1973), the worst place first,
    so that it can stop at a number of points.

    Returns:
        Indices, ascending, the first and the last among them.
    """
    line = np.stack([recall, precision, envelope])
    last = len(recall) - 1
    kept = {0, last}
    waiting = [(*_farthest(line, 0, last), 0, last)]
    while waiting and len(kept) < points:
        closeness, middle, start, end = heapq.heappop(waiting)
        if -closeness <= TOLERANCE:
            break
        kept.add(middle)
        for part in ((start, middle), (middle, end)):
            heapq.heappush(waiting, (*_farthest(line, *part), *part))
    return np.array(sorted(kept))


def _farthest(line: npt.NDArray[np.float64], start: int, end: int) -> tuple[float, int]:
    """Find the point between two kept ones that lies farthest from what is drawn between them.

    Returns:
        Less its distance (a heap gives the smallest first), and its index.
    """
    if end - start <= 1:
        return 0.0, start
    recall, precision, envelope = line[:, start + 1 : end]
    since, above = recall - line[0, start], precision - line[1, start]
    # The raw curve: the distance from the straight line between the ends. Both ends are one place
    # only where all between them is there too: negatives above every positive.
    along, up = line[:2, end] - line[:2, start]
    length = along * along + up * up
    share = np.clip((since * along + above * up) / (length or 1.0), 0.0, 1.0)
    raw = np.hypot(since - share * along, above - share * up)
    # The envelope's step falls at the first end: a point is as far from it as it lies beyond that
    # end, or as it stands above the step, whichever is less.
    stepped = np.minimum(envelope - line[2, end], since)
    distance = raw + stepped  # of points that one line needs as much, the one that both need
    middle = int(np.argmax(distance))
    return -float(distance[middle]), start + 1 + middle


def histogram(
    labels: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64], *, bins: int = 40
) -> Histogram:
    """Count scores by label in bins of equal width.

    The range is 0 to 1 when all scores lie there. Otherwise it goes from the 0.1th to the 99.9th
    percentile (the nearest score), so that a few extreme logits do not squeeze the rest into one
    bin; they are counted in the bins at the ends.

    Args:
        labels: [rows] True for a positive.
        scores: [rows] finite.
        bins: how many.

    Raises:
        UsageError: `bins` is below one.
    """
    if bins < 1:
        raise UsageError(f"bins must be at least 1 (got {bins})", hint="ask for at least 1")
    low, high = _span(scores)
    # Halves, because the whole of a range may be too large for a number.
    edges = 2 * np.linspace(low / 2, high / 2, bins + 1)
    place = np.searchsorted(edges[1:-1], scores, "right")
    return Histogram(
        edges=edges,
        positives=np.bincount(place[labels], minlength=bins),
        negatives=np.bincount(place[~labels], minlength=bins),
    )


def _span(scores: npt.NDArray[np.float64]) -> tuple[float, float]:
    if np.all((scores >= 0) & (scores <= 1)):
        return 0.0, 1.0
    low, high = np.quantile(scores, [_OUTLIERS, 1 - _OUTLIERS], method="nearest").tolist()
    if low == high:  # a constant score, but for outliers
        around = max(0.5, abs(low) * 1e-6)
        return low - around, high + around
    return low, high

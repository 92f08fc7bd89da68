"""Intervals and p-values for average precision, from resampling whole videos or tracks.

Faces of one video are not independent, so the unit that is resampled is the video (or the track).
The method was chosen by simulation (`interval_coverage.py`, `p_values.py` in `benchmarks/`): with
twenty videos nominal 95 % percentile intervals hold the truth in 87 to 91 %, with three in 63 to
70 %; those of a delete-one jackknife, Student's t on the log-odds, in 93 to 97 % of either. Tracks
as units ask another question, these videos again with other tracks: where videos differ, such an
interval holds the truth about other videos in 60 to 90 %. P-values are nearly uniform, a little
small: below .05 in 5.4 to 6.8 % of the data sets without a difference.

* Resamples: all units but one, each left out once (Tukey, Ann. Math. Statist. 29:614, 1958). With
  more units than resamples are asked for, units are dealt at random into that many lots, and each
  lot is left out once (the delete-a-group jackknife; Kott, J. Official Statistics 17:521, 2001).
* Log-odds, because average precision ends at 1 and its errors are skewed there (Miller, Biometrika
  61:1, 1974, on transformations; Boyd, Eng and Page, ECML PKDD 2013, for this very
  number). So an interval never leaves 0 to 1.
* Systems are paired: each resample leaves out the same units for all of them.

Nothing is binned: each resample gets its exact average precision.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

METHOD = "jackknife-t"
"""What a signature calls the method."""

RESAMPLES = 1000
"""How many are drawn where nobody says how many."""

P_FLOOR = 1e-12
"""No smaller p-value is reported: no experiment is free of assumptions to that degree."""

_NO_SPREAD = 1e-10  # log-odds that differ by less between resamples differ by rounding

# The tables in which resamples are taken, as measured: larger ones leave the cache, smaller ones
# spend more time between numpy's loops than in them.
_LANES, _COLUMNS = 16, 512
_CELLS = 1 << 16  # of one kind
_ONE = np.int32(1)  # of the tables' own type, which numpy subtracts several times as fast


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampling:
    """How intervals are made.

    Attributes:
        resamples: at most so many; with fewer units there is one a unit.
        seed: which units are left out together where there are more units than resamples; without
            effect where there are not.
        confidence: 0 to 1, how often an interval is to hold the truth.

    Raises:
        UsageError: fewer than two resamples, a negative seed, or a confidence that is not between
            0 and 1.
    """

    resamples: int = RESAMPLES
    seed: int = 0
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if self.resamples < 2:  # noqa: PLR2004
            raise UsageError(
                f"an interval needs at least 2 resamples (got {self.resamples})",
                hint="give 1000; with fewer videos than that, each is left out once",
            )
        if self.seed < 0:
            raise UsageError(f"the seed is {self.seed}", hint="give a whole number from 0 up")
        if not 0 < self.confidence < 1:
            raise UsageError(
                f"the confidence is {self.confidence}", hint="give a share, for instance 0.95"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A system against the baseline, on the same faces.

    Interval and p-value agree: at 95 %, the interval holds 0 exactly where the p-value is over .05.

    Attributes:
        value: average precision, less the baseline's.
        interval: (low, high), within -1 to 1; None when it cannot be told.
        p_value: two-sided, of no difference; None when there is no interval. Never 0.
    """

    value: float
    interval: tuple[float, float] | None
    p_value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What resampling says about one system.

    Attributes:
        average_precision: of all faces; None without a positive or without a negative.
        interval: (low, high), within 0 to 1 and around the number; None when it cannot be told:
            the number is undefined, or undefined without one of the resampled units (it rests on
            that one), or the same without any of them.
        resamples: how many were taken, 0 when none could be.
        difference: from the baseline; None for the baseline itself, and without a number.
    """

    average_precision: float | None
    interval: tuple[float, float] | None
    resamples: int
    difference: Difference | None


def estimate(
    labels: npt.NDArray[np.bool_],
    systems: Sequence[npt.NDArray[np.float64]],
    units: npt.NDArray[np.integer[Any]],
    resampling: Resampling | None = None,
) -> tuple[Estimate, ...]:
    """Give each system's average precision an interval, and compare all with the first.

    Args:
        labels: [rows] True for a positive.
        systems: the scores of each, [rows], finite; the first is the baseline.
        units: [rows] a number for the video or track of each row, in an order that does not depend
            on that of the rows; numbers may be missing.
        resampling: default: 1000, seed 0, 95 %.

    Returns:
        One estimate a system, in their order.
    """
    resampling = resampling or Resampling()
    lots, count = _deal(units, resampling)
    positives = np.bincount(lots[labels], minlength=count)
    negatives = np.bincount(lots, minlength=count) - positives
    if not positives.any() or not negatives.any():
        nothing = Estimate(average_precision=None, interval=None, resamples=0, difference=None)
        return (nothing,) * len(systems)
    areas = np.array([_leave_out(labels, scores, lots, count) for scores in systems])
    # Without one of the lots, would there still be both?
    if min(np.count_nonzero(positives), np.count_nonzero(negatives)) == 1:
        odds, count = None, 0
    else:
        odds = _log_odds(areas, int(positives.sum()))

    def one(number: int) -> Estimate:
        pair = [0, number]
        return Estimate(
            average_precision=float(areas[number, 0]),
            interval=None if odds is None else _interval(odds[number], resampling),
            resamples=count,
            difference=_compare(areas[pair, 0], None if odds is None else odds[pair], resampling)
            if number
            else None,
        )

    return tuple(one(number) for number in range(len(systems)))


def _deal(
    units: npt.NDArray[np.integer[Any]], resampling: Resampling
) -> tuple[npt.NDArray[np.int64], int]:
    """Number the lots that are left out one after the other: [rows] and how many there are."""
    present = np.bincount(units) > 0
    found = int(np.count_nonzero(present))
    lots = np.arange(found)
    if found > resampling.resamples:
        lots %= resampling.resamples
        lots = np.random.default_rng(resampling.seed).permutation(lots)
    codes = np.zeros(len(present), np.int64)
    codes[present] = lots
    return codes[units], min(found, resampling.resamples)


def _leave_out(
    labels: npt.NDArray[np.bool_],
    scores: npt.NDArray[np.float64],
    lots: npt.NDArray[np.int64],
    count: int,
) -> npt.NDArray[np.float64]:
    """Return the average precision of all rows, then that without each of the lots: [1 + lots].

    Steps of rows are counted once; a resample takes its own rows off the counts. Some resamples at
    a time go through some steps at a time, from the lowest scores up, in tables that fit a core's
    cache: [lanes, kinds, resamples, columns]. A column's lanes are steps that follow each other,
    and the next column goes on where they end; so a sum or a maximum along the steps is taken lane
    by lane, many columns at once, which is several times as fast as one number after the other.
    The kinds are positives and all rows. 0 where no positive is left.
    """
    steps = _steps(labels, scores)
    size = int(steps.max()) + 1
    columns = min(-(-size // _LANES), _COLUMNS)
    block = _LANES * columns
    blocks = -(-size // block)
    width = min(count + 1, _CELLS // block)
    batches = -(-(count + 1) // width)
    whole = _by_kind(labels, steps, blocks * block).reshape(2, blocks, columns, _LANES, 1)
    whole = np.ascontiguousarray(whole.transpose(1, 3, 0, 4, 2))
    lots = lots + 1  # the first resample leaves out nothing
    out = _by_kind(labels, lots, batches * width)
    rest = whole.sum(axis=(0, 1, 3, 4), dtype=np.int32)[:, np.newaxis] - out

    # Rows that are taken off the same table stand together.
    table = lots // width * blocks + steps // block
    order = np.argsort(table.astype(np.min_scalar_type(batches * blocks)), kind="stable")
    begins = np.concatenate([[0], np.cumsum(np.bincount(table, minlength=batches * blocks))])
    lane, column = steps[order] % _LANES, steps[order] % block // _LANES
    cells = (lane.astype(np.int64) * 2 * width + lots[order] % width) * columns + column
    positive = labels[order]

    areas = np.zeros(batches * width)
    for batch in range(batches):
        own = slice(batch * width, (batch + 1) * width)
        above, best = rest[:, own], np.zeros(width)
        for number in range(blocks):
            at = batch * blocks + number
            rows = slice(begins[at], begins[at + 1])
            left = np.repeat(whole[number], width, axis=2)
            flat = left.reshape(-1)
            np.subtract.at(flat, cells[rows][positive[rows]], _ONE)
            np.subtract.at(flat, cells[rows] + width * columns, _ONE)
            gained, above, best = _climb(left, above, best)
            areas[own] += gained
    areas /= np.maximum(rest[0], 1)
    return areas[: count + 1]


def _by_kind(
    labels: npt.NDArray[np.bool_], codes: npt.NDArray[np.integer[Any]], size: int
) -> npt.NDArray[np.int32]:
    """Count the positives, and all rows, of each code: [2, size]."""
    counts = [np.bincount(some, minlength=size) for some in (codes[labels], codes)]
    return np.array(counts, np.int32)


def _steps(labels: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """Cut rows into steps, numbered from the lowest scores up: [rows].

    From the highest score down, a step is negatives and then positives. Precision falls along the
    negatives and grows along the positives, so that the envelope over a step's positives is decided
    at its end, whoever is left out. Within one score negatives come first: then its positives get
    the precision of the whole score, as `ap` has it.
    """
    order = np.argsort(scores)  # in which order equal scores stand does not matter below
    ascending, positive = scores[order], labels[order]
    starts = np.flatnonzero(np.append(True, ascending[1:] != ascending[:-1]))
    has_positive = np.logical_or.reduceat(positive, starts)
    has_negative = ~np.logical_and.reduceat(positive, starts)
    begins = np.zeros(len(order), np.int32)
    begins[starts[1:]] = has_negative[:-1] & has_positive[1:]
    steps = np.empty(len(order), np.int32)
    steps[order] = np.cumsum(begins, dtype=np.int32)
    return steps


def _climb(
    left: npt.NDArray[np.int32], above: npt.NDArray[np.int32], best: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """Add up envelope times positives over some steps of some resamples.

    Args:
        left: [lanes, kinds, resamples, columns] positives and rows in each step; may be 0.
        above: [kinds, resamples] positives and rows in these steps and in all that are higher.
        best: [resamples] the highest precision of the lower steps.

    Returns:
        The sum for each resample, and what `above` and `best` are for the next steps.
    """
    inside = left.sum(axis=0, dtype=np.int32)
    after = above[..., np.newaxis] - np.cumsum(inside, axis=-1, dtype=np.int32)
    counts = np.empty_like(left)  # in each step and in all that are higher
    np.add(after, inside, out=counts[0])
    for lane in range(1, len(left)):
        np.subtract(counts[lane - 1], left[lane - 1], out=counts[lane])
    positives, rows = counts[:, 0], counts[:, 1]
    if not after[1, :, -1].all():  # else no step is without rows
        np.maximum(rows, 1, out=rows)
    precision = positives / rows
    columns = np.concatenate([best[:, np.newaxis], precision.max(axis=0)], axis=-1)
    np.maximum.accumulate(columns, axis=-1, out=columns)
    envelope = columns[:, :-1]  # before the first lane
    for lane in precision:
        envelope = np.maximum(envelope, lane, out=lane)
    precision *= left[:, 0]
    return precision.sum(axis=(0, 2)), after[..., -1], columns[:, -1]


def _log_odds(areas: npt.NDArray[np.float64], positives: int) -> npt.NDArray[np.float64]:
    """Log-odds of average precisions, finite where one is 1.

    With P positives, the number next to 1 is 1 - 1 / (P (P + 1)), where a single negative stands
    above the last positive. A perfect one is taken to lie halfway between that and 1.
    """
    defect = np.maximum(1 - areas, 0.5 / (positives * (positives + 1)))
    return np.log1p(-defect) - np.log(defect)


def _probability(odds: float) -> float:
    return 0.5 * (1 + math.tanh(0.5 * odds))  # unlike 1 / (1 + exp(-x)), never overflows


def _spread(odds: npt.NDArray[np.float64]) -> float:
    """The jackknife's standard error of log-odds: of all rows first, then without each lot."""
    left, count = odds[1:], len(odds) - 1
    return math.sqrt((count - 1) / count * float(np.sum((left - left.mean()) ** 2)))


def _interval(odds: npt.NDArray[np.float64], resampling: Resampling) -> tuple[float, float] | None:
    spread = _spread(odds)
    if spread < _NO_SPREAD:
        return None
    reach = quantile(resampling.confidence, len(odds) - 2) * spread
    return _probability(odds[0] - reach), _probability(odds[0] + reach)


def _compare(
    areas: npt.NDArray[np.float64], odds: npt.NDArray[np.float64] | None, resampling: Resampling
) -> Difference:
    """Compare two systems: the paired jackknife's t test of their log-odds.

    (Dorfman, Berbaum and Metz, Investigative Radiology 27:723, 1992, test areas under ROC curves
    with the jackknife's pseudovalues.)

    Args:
        areas: [2] of the baseline and of the other, of all rows.
        odds: [2, 1 + lots] their log-odds; None where they rest on one lot.
        resampling: for the confidence.
    """
    value = float(areas[1] - areas[0])
    if odds is None:
        return Difference(value=value, interval=None, p_value=None)
    apart = odds[1] - odds[0]
    spread = _spread(apart)
    if spread < _NO_SPREAD:
        same = not apart.any()  # a system against itself, or against its scores on another scale
        return Difference(
            value=value, interval=(0.0, 0.0) if same else None, p_value=1.0 if same else None
        )
    degrees = apart.size - 2
    return Difference(
        value=value,
        interval=_span(odds.mean(axis=0), apart, quantile(resampling.confidence, degrees)),
        p_value=max(outside(abs(float(apart[0])) / spread, degrees), P_FLOOR),
    )


def _span(
    middle: npt.NDArray[np.float64], apart: npt.NDArray[np.float64], reach: float
) -> tuple[float, float]:
    """The least and the largest difference of two systems that the resamples bear out.

    Where the two log-odds may lie is an ellipse, `reach` standard errors around the ones found; how
    much a distance in log-odds is worth depends on where both lie, which is uncertain too. The
    ellipse meets the line of equal systems exactly where the t test does not reject that they are.

    Args:
        middle: [1 + lots] mean of both log-odds, of all rows first.
        apart: [1 + lots] the other's log-odds, less the baseline's.
        reach: in standard errors.
    """
    wide, long = reach * _spread(middle), reach * _spread(apart)
    lean = (middle[1:] - middle[1:].mean()) @ (apart[1:] - apart[1:].mean())
    lean *= (apart.size - 2) / (apart.size - 1) * reach**2
    turned = math.acos(min(max(lean / (wide * long), -1.0), 1.0)) if wide else 0.0

    def difference(angles: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        centre = middle[0] + wide * np.cos(angles - turned)
        half = (apart[0] + long * np.cos(angles)) / 2
        gap: npt.NDArray[np.float64] = np.tanh((centre + half) / 2) - np.tanh((centre - half) / 2)
        return 0.5 * gap

    ends = []
    for sign in (-1, 1):
        angle, around = math.pi, math.pi
        for _ in range(4):  # each time on a grid 360 times as fine
            angles = angle + around * np.linspace(-1, 1, 721)
            angle = float(angles[np.argmax(sign * difference(angles))])
            around /= 360
        ends.append(float(difference(np.array([angle]))[0]))
    return ends[0], ends[1]


def outside(t: float, degrees: int) -> float:
    """Return the probability that Student's t lies further from 0 than `t`, which is 0 or more."""
    from scipy.special import stdtr  # type: ignore[import-untyped]  # 0.15 s: only for intervals

    return 2 * float(stdtr(degrees, -t))


def quantile(confidence: float, degrees: int) -> float:
    """Return the t between whose negative and itself Student's t lies with this probability."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, (1 + confidence) / 2))

"""Numbers beside AP, on arrays: arithmetic that never sees a file or a face.

scikit-learn counts and sums where it can; what it does not have is worked out here from its counts.
A number that the labels do not define is None: with one class only, a curve has no area, and a
share of nothing is no share.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk.errors import UsageError
from unitalk.report import Report

if TYPE_CHECKING:
    import numpy.typing as npt

DESCRIPTIONS = {
    "roc_auc": "area under the ROC curve: how often a positive scores above a negative, a tie "
    "counting half",
    "sklearn_average_precision": "average precision as scikit-learn defines it: steps at the "
    "distinct scores, without AVA's envelope, so at most AVA's",
    "best_f1": "the highest F1 that any threshold reaches, chosen on these very labels",
    "best_f1_threshold": "the highest threshold that reaches it",
    "threshold": "a score at or above it counts as speaking: the one given, else 0.5 when all "
    "scores lie in [0, 1], else 0",
    "f1": "F1 at the threshold",
    "accuracy": "share of faces on the right side of the threshold",
    "precision": "share of positives among the faces at or above the threshold",
    "recall": "share of the positives at or above the threshold",
    "equal_error_rate": "where the ROC's straight lines cross equal shares of false alarms and "
    "misses",
    "false_alarms_at_90_recall": "negatives at or above the highest threshold that finds 90 % of "
    "the positives",
    "false_alarm_rate_at_90_recall": "the same as a share of the negatives",
    "expected_calibration_error": "how far scores are from the share of positives among faces of "
    "such scores: 15 bins of equal width; only for scores in [0, 1]",
}
"""What each number of `Metrics` means, in one line, as documentation and text output show it."""

_CALIBRATION_BINS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics(Report):
    """Numbers beside AP; `DESCRIPTIONS` says what each is, None that the labels do not define it.

    Shares and areas are 0 to 1. What depends on both classes is None where one of them is missing;
    recall needs a positive only, accuracy and the calibration error any face. Precision is None
    too where no face reaches the threshold; F1 is 0 there, because positives were missed.
    """

    roc_auc: float | None = None
    sklearn_average_precision: float | None = None
    best_f1: float | None = None
    best_f1_threshold: float | None = None
    threshold: float
    f1: float | None
    accuracy: float | None
    precision: float | None
    recall: float | None
    equal_error_rate: float | None = None
    false_alarms_at_90_recall: int | None = None
    false_alarm_rate_at_90_recall: float | None = None
    expected_calibration_error: float | None


@dataclass(frozen=True, slots=True)
class _Counts:
    """What lies at or above each distinct score, from the highest down.

    Attributes:
        scores: [steps] the first is infinite: above all faces.
        hits: [steps] positives there.
        false_alarms: [steps] negatives there.
    """

    scores: npt.NDArray[np.float64]
    hits: npt.NDArray[np.int64]
    false_alarms: npt.NDArray[np.int64]


def metrics(
    labels: npt.NDArray[np.bool_],
    scores: npt.NDArray[np.float64],
    *,
    threshold: float | None = None,
) -> Metrics:
    """Work out every number of `Metrics`, to the last bit whatever the order of the rows.

    Args:
        labels: [rows] True for a positive.
        scores: [rows] finite.
        threshold: a score at or above it counts as speaking; default: 0.5 when all scores lie in
            [0, 1], as probabilities do, else 0, where logits change sides.

    Raises:
        UsageError: the threshold is not a finite number.
    """
    if threshold is not None and not math.isfinite(threshold):
        raise UsageError(
            f"the threshold is {threshold}, which no score can reach or miss",
            hint="give a finite number",
        )
    scores = scores + 0.0  # no -0, which would be a threshold or not by the order of the rows
    are_shares = bool(np.all((scores >= 0) & (scores <= 1)))
    if threshold is None:
        threshold = 0.5 if are_shares else 0.0
    return Metrics(
        **_over_all_thresholds(labels, scores),
        threshold=float(threshold),
        **_at_threshold(labels, scores, threshold),
        expected_calibration_error=_calibration_error(labels, scores) if are_shares else None,
    )


def _over_all_thresholds(
    labels: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]
) -> dict[str, Any]:
    """What depends on the order of the scores alone; needs both classes."""
    positives = int(np.count_nonzero(labels))
    negatives = len(labels) - positives
    if not positives or not negatives:
        return {}
    from sklearn.metrics import (  # type: ignore[import-untyped]
        average_precision_score,
        roc_auc_score,
        roc_curve,
    )

    # scikit-learn finds distinct scores by their differences, which may be too large for a number.
    with np.errstate(over="ignore"):
        area = float(roc_auc_score(labels, scores))
        stepwise = float(average_precision_score(labels, scores))
        false_rate, hit_rate, steps = roc_curve(labels, scores, drop_intermediate=False)
    counts = _Counts(steps, _counted(hit_rate, positives), _counted(false_rate, negatives))
    best_f1, best_f1_threshold = _best_f1(counts, positives)
    # Whole numbers, so that no rounding moves the step where 90 % are found.
    at_90 = int(np.searchsorted(10 * counts.hits, 9 * positives))
    false_alarms = int(counts.false_alarms[at_90])
    return {
        "roc_auc": area,
        "sklearn_average_precision": stepwise,
        "best_f1": best_f1,
        "best_f1_threshold": best_f1_threshold,
        "equal_error_rate": _equal_error_rate(counts, positives, negatives),
        "false_alarms_at_90_recall": false_alarms,
        "false_alarm_rate_at_90_recall": false_alarms / negatives,
    }


def _counted(shares: npt.NDArray[np.float64], whole: int) -> npt.NDArray[np.int64]:
    """Turn shares back into the counts that they were divided from."""
    return np.rint(shares * whole).astype(np.int64)


def _best_f1(counts: _Counts, positives: int) -> tuple[float, float]:
    """F1 = 2 hits / (faces called speaking + positives); of equal ones the highest threshold."""
    called = counts.hits + counts.false_alarms
    f1 = 2 * counts.hits / (called + positives)
    best = int(np.argmax(f1))
    return float(f1[best]), float(counts.scores[best])


def _equal_error_rate(counts: _Counts, positives: int, negatives: int) -> float:
    """The share of false alarms where the ROC, its points joined by straight lines, equals misses.

    This is the ROC itself, on which tied scores are one straight line, not its convex hull.
    """
    # Share of false alarms less share of misses, times positives times negatives: whole numbers,
    # and growing at every step from below zero to above.
    surplus = (
        counts.false_alarms * positives + counts.hits * negatives - np.int64(positives) * negatives
    )
    after = int(np.searchsorted(surplus, 0))
    before = after - 1
    part = -surplus[before] / (surplus[after] - surplus[before])
    gained = counts.false_alarms[after] - counts.false_alarms[before]
    return float((counts.false_alarms[before] + part * gained) / negatives)


def _at_threshold(
    labels: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64], threshold: float
) -> dict[str, Any]:
    called = scores >= threshold
    faces, positives = len(labels), int(np.count_nonzero(labels))
    calls, hits = int(np.count_nonzero(called)), int(np.count_nonzero(called & labels))
    right = hits + faces - calls - positives + hits
    has_both = 0 < positives < faces
    return {
        "f1": 2 * hits / (calls + positives) if has_both else None,
        "accuracy": right / faces if faces else None,
        "precision": hits / calls if has_both and calls else None,
        "recall": hits / positives if positives else None,
    }


def _calibration_error(
    labels: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]
) -> float | None:
    """Expected calibration error (Guo et al., ICML 2017, section 2), of the class speaking.

    The mean over faces of how far the mean score of their bin is from its share of positives. The
    paper bins the confidence of whichever class is predicted; here a score is the probability of
    speaking, so that a low one is held to its word as well. A score on an edge belongs to the bin
    above it; the last bin has both its edges.
    """
    if not len(scores):
        return None
    inner = np.arange(1, _CALIBRATION_BINS) / _CALIBRATION_BINS
    bins = np.searchsorted(inner, scores, "right")
    # A bin's faces times the gap between its two means is the gap between its two sums; summed
    # without rounding, so that the order of the faces decides no digit.
    off = scores - labels
    gaps = [abs(math.fsum(off[bins == bin_].tolist())) for bin_ in range(_CALIBRATION_BINS)]
    return math.fsum(gaps) / len(scores)

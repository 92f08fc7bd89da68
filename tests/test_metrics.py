"""The numbers beside AP, against hand calculation and slow implementations in exact fractions."""

from __future__ import annotations

import dataclasses
import json
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import unitalk
from unitalk.score import ap
from unitalk.score.metrics import DESCRIPTIONS, Metrics, metrics


def ours(labels, scores, **options) -> Metrics:
    return metrics(np.array(labels, bool), np.array(scores, float), **options)


EIGHT = ([0, 1, 1, 0, 1, 0, 1, 0], [0.9, 0.8, 0.7, 0.7, 0.6, 0.5, 0.3, 0.1])
"""Eight faces, four of them speaking; two of them share .7 and are one step.

score          .9    .8   .7 .7   .6    .5    .3    .1
speaking        -     x    x -     x     -     x     -
hits            0     1     2      3     3     4     4
false alarms    1     1     2      2     3     3     4
precision      0/1   1/2   2/4    3/5   3/6   4/7   4/8
F1             0/5   2/6   4/8    6/9   6/10  8/11  8/12
"""


# ------------------------------------------------------------------------------ by hand


def test_eight_faces_by_hand():
    """Each number of `EIGHT`, read off the table above.

    ROC: negatives that each positive is above: .8 of 3, .7 of 2 and half of one, .6 of 2, .3 of 1:
    8.5 of the 4 x 4 pairs. scikit-learn's AP: each positive adds a quarter of the precision at its
    own step: (1/2 + 1/2 + 3/5 + 4/7) / 4 = 19/35. At .7 two of four negatives are called and two of
    four positives missed. Nine tenths of four positives are all four: at .3, below 3 negatives.
    """
    result = ours(*EIGHT)
    assert result.roc_auc == pytest.approx(8.5 / 16, abs=1e-15)
    assert result.sklearn_average_precision == pytest.approx(19 / 35, abs=1e-15)
    assert (result.best_f1, result.best_f1_threshold) == (pytest.approx(8 / 11, abs=1e-15), 0.3)
    assert result.equal_error_rate == 1 / 2
    assert result.false_alarms_at_90_recall == 3
    assert isinstance(result.false_alarms_at_90_recall, int)
    assert result.false_alarm_rate_at_90_recall == 3 / 4


def test_of_equal_f1_the_highest_threshold_counts():
    """The first and the last step share the best.

    score      4    3    2    1
    speaking   x    -    -    x
    F1        2/3  2/4  2/5  4/6
    """
    result = ours([1, 0, 0, 1], [4, 3, 2, 1])
    assert result.best_f1 == pytest.approx(2 / 3, abs=1e-15)
    assert result.best_f1_threshold == 4


def test_a_score_at_the_threshold_counts_as_speaking():
    """All scores of `EIGHT` lie in [0, 1], so the threshold is .5, and the face at .5 is above it.

    Six called, three of them rightly: precision 3/6, recall 3/4, F1 6/10; right are those three and
    the face at .1: 4 of 8. At .51 five are called: precision 3/5, F1 6/9, right 5 of 8.
    """
    result = ours(*EIGHT)
    assert result.threshold == 0.5
    assert result.precision == 3 / 6
    assert result.recall == 3 / 4
    assert result.f1 == 6 / 10
    assert result.accuracy == 4 / 8
    above = ours(*EIGHT, threshold=0.51)
    assert above.threshold == 0.51
    assert (above.precision, above.recall, above.accuracy) == (3 / 5, 3 / 4, 5 / 8)
    assert above.f1 == pytest.approx(6 / 9, abs=1e-15)


def test_logits_change_sides_at_zero():
    """score 2 x, 0 -, -1 x: at 0 one of two is right, of two positives one is found."""
    result = ours([1, 0, 1], [2, 0, -1])
    assert result.threshold == 0
    assert (result.precision, result.recall, result.accuracy) == (1 / 2, 1 / 2, 1 / 3)
    assert ours([1, 0], [1.0, 0.0]).threshold == 0.5  # both ends belong to [0, 1]
    assert ours([1, 0], [1.0, -1e-9]).threshold == 0
    assert ours([1, 0], [1 + 1e-9, 0]).threshold == 0


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), float("-inf")])
def test_a_threshold_that_is_no_number(threshold):
    with pytest.raises(unitalk.UsageError, match=f"the threshold is {threshold}") as caught:
        ours(*EIGHT, threshold=threshold)
    assert caught.value.hint == "give a finite number"


def test_nobody_above_the_threshold():
    """No face is called: a share of nothing is no precision; F1 is 0, because four were missed."""
    result = ours(*EIGHT, threshold=2)
    assert result.precision is None
    assert (result.recall, result.f1, result.accuracy) == (0, 0, 4 / 8)


def test_the_equal_error_rate_between_two_points():
    """From the point (no false alarm, 1 of 2 missed) a straight line leads to (all, none missed):
    false alarms t, misses (1 - t) / 2, which meet at t = 1/3.

    score            3     2 2 2
    speaking         x     x - -
    false alarms    0/2     2/2
    misses          1/2     0/2
    """
    result = ours([1, 1, 0, 0], [3, 2, 2, 2])
    assert result.equal_error_rate == pytest.approx(1 / 3, abs=1e-15)


def test_the_equal_error_rate_at_the_ends():
    assert ours([1, 1, 0], [3, 2, 1]).equal_error_rate == 0
    assert ours([0, 0, 1], [3, 2, 1]).equal_error_rate == 1
    assert ours([0, 1, 1], [7, 7, 7]).equal_error_rate == 1 / 2  # a constant score: by chance


@pytest.mark.parametrize("tens", [1, 3, 7, 29])
def test_nine_of_ten_are_90_percent(tens):
    """9 of 10 positives (27 of 30, ...) are above both negatives, the rest below: no rounding may
    ask for one more.
    """
    labels = [1] * 9 * tens + [0, 0] + [1] * tens
    result = ours(labels, range(len(labels), 0, -1))
    assert result.false_alarms_at_90_recall == 0
    labels[9 * tens - 1], labels[9 * tens] = 0, 1  # one negative above the last of them
    assert ours(labels, range(len(labels), 0, -1)).false_alarms_at_90_recall == 1


def test_the_calibration_error_by_eye():
    """Three of the fifteen bins have faces; 1 belongs to the last.

    bin              [0, 1/15)   [7/15, 8/15)   [14/15, 1]
    scores            .05  .06        .5         .95  1
    speaking           -    x          x          x   -
    mean score          .055          .5           .975
    share of x          1/2           1            1/2
    gap x faces      .445 x 2      .5 x 1       .475 x 2      (.89 + .5 + .95) / 5 = .468
    """
    result = ours([0, 1, 1, 1, 0], [0.05, 0.06, 0.5, 0.95, 1.0])
    assert result.expected_calibration_error == pytest.approx(0.468, abs=1e-12)


def test_a_score_on_an_edge_is_in_the_bin_above():
    """Apart the gaps are .06 and 14/15, and half their sum counts; in one bin they would cancel."""
    result = ours([0, 1], [0.06, 1 / 15])
    assert result.expected_calibration_error == pytest.approx((0.06 + 14 / 15) / 2, abs=1e-12)


def test_calibration_needs_probabilities():
    assert ours([0, 1], [0.0, 1.0]).expected_calibration_error == 0
    assert ours([0, 1], [0.0, 1.5]).expected_calibration_error is None
    assert ours([0, 1], [-0.5, 1.0]).expected_calibration_error is None


# ------------------------------------------------------------------------------ what is undefined

BOTH_CLASSES = {
    "roc_auc",
    "sklearn_average_precision",
    "best_f1",
    "best_f1_threshold",
    "f1",
    "precision",
    "equal_error_rate",
    "false_alarms_at_90_recall",
    "false_alarm_rate_at_90_recall",
}


def undefined(result: Metrics) -> set[str]:
    return {name for name, value in result.to_dict().items() if value is None}


def test_without_a_positive():
    """Scores .2 and .6 of two negatives: one is wrong at .5; both are too high by their size."""
    result = ours([0, 0], [0.2, 0.6])
    assert undefined(result) == BOTH_CLASSES | {"recall"}
    assert result.accuracy == 1 / 2
    assert result.expected_calibration_error == pytest.approx(0.4, abs=1e-12)


def test_without_a_negative():
    result = ours([1, 1], [0.2, 0.6])
    assert undefined(result) == BOTH_CLASSES
    assert (result.accuracy, result.recall) == (1 / 2, 1 / 2)


# ------------------------------------------------------------------------------ slow and exact


def steps(labels, scores) -> list[tuple[float, int, int]]:
    """Each distinct score from the highest down, with hits and false alarms at or above it."""
    rows = list(zip(labels, scores, strict=True))
    return [
        (
            step,
            sum(1 for label, score in rows if score >= step and label),
            sum(1 for label, score in rows if score >= step and not label),
        )
        for step in sorted(set(scores), reverse=True)
    ]


def slow_auc(labels, scores) -> Fraction:
    high = [s for label, s in zip(labels, scores, strict=True) if label]
    low = [s for label, s in zip(labels, scores, strict=True) if not label]
    won = sum(2 * (h > n) + (h == n) for h in high for n in low)
    return Fraction(won, 2 * len(high) * len(low))


def slow_average_precision(labels, scores) -> Fraction:
    total, before = Fraction(0), 0
    for _, hits, false_alarms in steps(labels, scores):
        total += Fraction(hits - before, sum(labels)) * Fraction(hits, hits + false_alarms)
        before = hits
    return total


def slow_best_f1(labels, scores) -> tuple[Fraction, float]:
    found = []
    for step, hits, false_alarms in steps(labels, scores):
        if hits:
            precision, recall = Fraction(hits, hits + false_alarms), Fraction(hits, sum(labels))
            found.append((2 * precision * recall / (precision + recall), step))
    return max(found)


def slow_equal_error_rate(labels, scores) -> Fraction:
    """Where y = 1 - x cuts the polygon of the ROC's points, which begins at (0, 0)."""
    positives, negatives = sum(labels), len(labels) - sum(labels)
    points = [(Fraction(0), Fraction(0))]
    points += [
        (Fraction(false_alarms, negatives), Fraction(hits, positives))
        for _, hits, false_alarms in steps(labels, scores)
    ]
    for (x1, y1), (x2, y2) in pairwise(points):
        if x1 + y1 <= 1 <= x2 + y2:
            return x1 + (x2 - x1) * (1 - x1 - y1) / (x2 + y2 - x1 - y1)
    raise AssertionError("the polygon ends at (1, 1)")


def slow_false_alarms(labels, scores) -> int:
    return next(
        false_alarms
        for _, hits, false_alarms in steps(labels, scores)
        if Fraction(hits, sum(labels)) >= Fraction(9, 10)
    )


def slow_calibration_error(labels, scores) -> float:
    total = 0.0
    for number in range(15):
        held = [
            (label, score)
            for label, score in zip(labels, scores, strict=True)
            if number / 15 <= score < (number + 1) / 15 or (number == 14 and score == 1)
        ]
        if held:
            confidence = sum(score for _, score in held) / len(held)
            share = sum(label for label, _ in held) / len(held)
            total += len(held) / len(labels) * abs(confidence - share)
    return total


@st.composite
def faces(draw, scores):
    """Up to 40 faces with both classes; scores of few digits, so that many are tied."""
    rows = draw(st.lists(st.tuples(st.booleans(), scores), max_size=38))
    rows += [(True, draw(scores)), (False, draw(scores))]
    return [int(label) for label, _ in rows], [float(score) for _, score in rows]


logits = st.integers(-6, 6).map(lambda whole: whole / 2)
shares = st.integers(0, 30).map(lambda whole: whole / 30)  # every edge of the bins among them


@settings(max_examples=50)
@given(faces(logits | shares))
def test_what_depends_on_the_order_of_scores(rows):
    labels, scores = rows
    result = ours(labels, scores)
    close = {"abs": 1e-12}
    assert result.roc_auc == pytest.approx(float(slow_auc(*rows)), **close)
    assert result.sklearn_average_precision == pytest.approx(
        float(slow_average_precision(*rows)), **close
    )
    avas = ap.average_precision(ap.rank(np.array(labels, bool), np.array(scores)))
    assert result.sklearn_average_precision <= avas + 1e-12  # it has no envelope
    f1, threshold = slow_best_f1(*rows)
    assert result.best_f1 == pytest.approx(float(f1), **close)
    assert result.best_f1_threshold == threshold
    assert result.equal_error_rate == pytest.approx(float(slow_equal_error_rate(*rows)), **close)
    false_alarms = slow_false_alarms(*rows)
    assert result.false_alarms_at_90_recall == false_alarms
    assert result.false_alarm_rate_at_90_recall == false_alarms / labels.count(0)


@settings(max_examples=50)
@given(faces(logits), st.integers(-7, 7).map(lambda whole: whole / 2))
def test_what_depends_on_the_threshold(rows, threshold):
    result = ours(*rows, threshold=threshold)
    pairs = [(bool(label), score >= threshold) for label, score in zip(*rows, strict=True)]
    hits, called = pairs.count((True, True)), sum(call for _, call in pairs)
    assert result.accuracy == sum(label == call for label, call in pairs) / len(pairs)
    assert result.recall == hits / sum(label for label, _ in pairs)
    if not called:
        assert (result.precision, result.f1) == (None, 0)
        return
    assert result.precision == hits / called
    if hits:
        harmonic = 2 / (1 / result.precision + 1 / result.recall)
        assert result.f1 == pytest.approx(harmonic, abs=1e-12)
    else:
        assert result.f1 == 0


@settings(max_examples=50)
@given(faces(shares))
def test_the_calibration_error(rows):
    assert ours(*rows).expected_calibration_error == pytest.approx(
        slow_calibration_error(*rows), abs=1e-12
    )


def written(labels, scores) -> str:
    """Everything to the last bit, and -0 apart from 0."""
    return json.dumps(ours(labels, scores).to_dict())


@pytest.mark.parametrize("digits", [1, 2, 17])
@pytest.mark.parametrize("shape", ["shares", "logits"])
def test_the_order_of_many_rows_changes_no_bit(digits, shape):
    """Long sums of numbers that are no binary fractions, with many ties and without any."""
    rng = np.random.default_rng([digits, len(shape)])
    for _ in range(35):
        count = int(rng.integers(100, 3000))
        labels = rng.random(count) < rng.uniform(0.1, 0.9)
        scores = rng.random(count) if shape == "shares" else 3 * rng.standard_normal(count)
        scores = np.round(scores, digits)
        order = rng.permutation(count)
        assert written(labels[order], scores[order]) == written(labels, scores)


def test_scores_as_large_as_numbers_go():
    """Their differences are too large for a number, which is no reason to warn (an error here)."""
    result = ours([1, 0, 1, 0], [1.7e308, 1e308, -1e308, -1.7e308])
    assert result.roc_auc == 3 / 4
    assert result.best_f1_threshold == -1e308


def test_many_faces_of_one_score():
    """A million faces, a quarter speaking: everything by chance, and no count runs over."""
    labels = np.arange(1_000_000) % 4 == 0
    result = metrics(labels, np.full(1_000_000, 0.25))
    assert result.roc_auc == pytest.approx(1 / 2, abs=1e-12)
    assert result.sklearn_average_precision == pytest.approx(1 / 4, abs=1e-12)
    assert result.best_f1 == pytest.approx(2 / 5, abs=1e-12)  # precision 1/4, recall 1
    assert result.equal_error_rate == pytest.approx(1 / 2, abs=1e-12)
    assert result.false_alarms_at_90_recall == 750_000
    assert result.expected_calibration_error == pytest.approx(0, abs=1e-9)


# ------------------------------------------------------------------------------ the result


def test_the_result_is_frozen_and_ready_for_json():
    result = ours(*EIGHT)
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False)) == result.to_dict()
    assert list(result.to_dict()) == list(DESCRIPTIONS)
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.f1 = 1.0

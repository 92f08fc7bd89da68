"""Curves and histograms: hand calculation, a slow implementation, and what thinning may not do."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from conftest import slow
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import area, area_fast, ranked

from unitalk.score.curve import TOLERANCE, Curve, curve, histogram


def ours(labels, scores, **options) -> Curve | None:
    return curve(np.array(labels, bool), np.array(scores, float), **options)


def drawn_area(drawn: Curve) -> float:
    """The area below the envelope's steps: up to each point, from the one before."""
    total, before = 0.0, 0.0
    for recall, height in zip(drawn.recall, drawn.envelope, strict=True):
        total += (recall - before) * height
        before = recall
    return total


# ------------------------------------------------------------------------------ by hand


def test_a_curve_that_can_be_checked_by_eye():
    """Eight faces, four of them speaking; the two at .7 are one step and one point.

    score       .9    .8   .7 .7   .6    .5    .3    .1
    speaking     -     x    x -     x     -     x     -
    recall      0/4   1/4   2/4    3/4   3/4   4/4   4/4
    precision   0/1   1/2   2/4    3/5   3/6   4/7   4/8
    envelope    3/5   3/5   3/5    3/5   4/7   4/7   4/8
    """
    drawn = ours([0, 1, 1, 0, 1, 0, 1, 0], [0.9, 0.8, 0.7, 0.7, 0.6, 0.5, 0.3, 0.1])
    # The points at .8 and at .7 stand on one level line with the next ones' envelope, but the raw
    # curve bends at .8 (from 0 up to 1/2) and at .7 (from level to rising): all are kept.
    assert drawn.threshold.tolist() == [0.9, 0.8, 0.7, 0.6, 0.5, 0.3, 0.1]
    close = {"abs": 1e-15}
    assert drawn.recall == pytest.approx([0, 1 / 4, 1 / 2, 3 / 4, 3 / 4, 1, 1], **close)
    assert drawn.precision == pytest.approx([0, 1 / 2, 1 / 2, 3 / 5, 1 / 2, 4 / 7, 1 / 2], **close)
    assert drawn.envelope == pytest.approx(
        [3 / 5, 3 / 5, 3 / 5, 3 / 5, 4 / 7, 4 / 7, 1 / 2], **close
    )
    assert drawn_area(drawn) == pytest.approx((3 * 3 / 5 + 4 / 7) / 4, abs=1e-15)


def test_points_on_a_straight_line_are_left_out():
    """score 4 x, 3 x, 2 x, 1 -: precision stays 1 up to recall 1, then falls to 3/4."""
    drawn = ours([1, 1, 1, 0], [4, 3, 2, 1])
    assert drawn.threshold.tolist() == [4, 2, 1]
    assert drawn.recall == pytest.approx([1 / 3, 1, 1], abs=1e-15)
    assert drawn.precision.tolist() == [1, 1, 3 / 4]
    assert drawn.envelope.tolist() == [1, 1, 3 / 4]


def test_the_envelope_of_a_rising_curve_is_level():
    """A thousand negatives above, then positives alone: the raw curve rises, all the envelope is
    the last precision, 1000/2000, from the first point to the last.
    """
    labels = [0] * 1000 + [1] * 1000
    drawn = ours(labels, range(2000, 0, -1))
    assert drawn.precision[0] == 0
    assert set(drawn.envelope.tolist()) == {1 / 2}
    assert drawn_area(drawn) == 1 / 2
    # Upside down the raw curve is straight at 1, then falls at recall 1: nothing between is needed.
    assert len(ours(labels[::-1], range(2000, 0, -1)).recall) == 3


def test_a_constant_score_is_one_point():
    drawn = ours([1, 0, 1, 0, 0], [0.5] * 5)
    assert drawn.to_dict() == {
        "recall": [1.0],
        "precision": [0.4],
        "envelope": [0.4],
        "threshold": [0.5],
    }


def test_without_a_positive_there_is_no_curve():
    assert ours([0, 0], [1, 2]) is None
    assert ours([], []) is None


# ------------------------------------------------------------------------------ slow and exact


def by_hand(labels, scores) -> dict[float, tuple[Fraction, Fraction, Fraction]]:
    """Recall, precision and envelope at each distinct score, from the highest down."""
    points = []
    for step in sorted(set(scores), reverse=True):
        above = [int(label) for label, s in zip(labels, scores, strict=True) if s >= step]
        points.append((step, Fraction(sum(above), sum(labels)), Fraction(sum(above), len(above))))
    return {
        step: (recall, precision, max(p for _, _, p in points[number:]))
        for number, (step, recall, precision) in enumerate(points)
    }


faces = st.lists(
    st.tuples(st.integers(0, 1), st.integers(-20, 20).map(lambda whole: whole / 4)),
    min_size=1,
    max_size=40,
).filter(lambda rows: any(label for label, _ in rows))


@settings(max_examples=50)
@given(faces, st.integers(2, 60))
def test_what_is_kept_is_exact(rows, points):
    labels, scores = zip(*rows, strict=True)
    drawn = ours(labels, scores, points=points)
    expected = by_hand(labels, scores)
    assert len(drawn.threshold) <= points
    steps = list(expected)
    assert drawn.threshold[0] == steps[0]
    assert drawn.threshold[-1] == steps[-1]
    assert drawn.threshold.tolist() == [s for s in steps if s in set(drawn.threshold.tolist())]
    for index, step in enumerate(drawn.threshold.tolist()):
        recall, precision, envelope = expected[step]
        assert drawn.recall[index] == pytest.approx(float(recall), abs=1e-15)
        assert drawn.precision[index] == pytest.approx(float(precision), abs=1e-15)
        assert drawn.envelope[index] == pytest.approx(float(envelope), abs=1e-15)


@settings(max_examples=33)
@given(faces)
def test_the_area_below_the_steps_is_avas_average_precision(rows):
    """Without ties, where the reference has one answer; forty faces make no step below 1/1000."""
    labels = [label for label, _ in rows]
    scores = [score + index * 1e-6 for index, (_, score) in enumerate(rows)]
    expected = float(area(ranked(labels, scores)))
    assert drawn_area(ours(labels, scores)) == pytest.approx(expected, abs=TOLERANCE)


# ------------------------------------------------------------------------------ thinning


def all_points(labels, scores) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Recall, precision and envelope at every row; scores must not tie."""
    order = sorted(range(len(scores)), key=lambda index: -scores[index])
    found, recall, precision = 0, [], []
    for number, index in enumerate(order, 1):
        found += bool(labels[index])
        recall.append(found)
        precision.append(found / number)
    envelope = precision.copy()
    for index in range(len(envelope) - 2, -1, -1):
        envelope[index] = max(envelope[index], envelope[index + 1])
    return np.array(recall) / found, np.array(precision), np.array(envelope)


def distance(x, y, line_x, line_y) -> np.ndarray:
    """How far each point is from a line through many points: from the nearest of its pieces."""
    nearest = np.full(len(x), np.inf)
    for x1, y1, x2, y2 in zip(line_x, line_y, line_x[1:], line_y[1:], strict=False):
        long = (x2 - x1) ** 2 + (y2 - y1) ** 2
        along = ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / long if long else 0 * x
        along = np.clip(along, 0, 1)
        gap = np.hypot(x - x1 - along * (x2 - x1), y - y1 - along * (y2 - y1))
        nearest = np.minimum(nearest, gap)
    return nearest


def stairs(drawn: Curve) -> tuple[np.ndarray, np.ndarray]:
    """The corners of the envelope's steps."""
    x = np.repeat(np.append(0, drawn.recall), 2)[1:]
    y = np.repeat(np.append(drawn.envelope[0], drawn.envelope), 2)
    return x, np.append(y[2:], y[-1])[: len(x)]


def some_faces(rows: int, seed: int, apart: float) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.random(rows) < 0.4
    return labels, random.normal(size=rows) + apart * labels


@slow
@pytest.mark.parametrize(
    ("rows", "apart"), [(3_000, 1.0), (3_000, 3.0), (3_000, -1.0), (100_000, 2.0)]
)
def test_thinning_does_not_move_the_lines(rows, apart):
    """Every point of the whole curve lies on what is drawn, to within a thousandth of the axes (and
    with very many rows another 1/4096, the width of a slice).
    """
    labels, scores = some_faces(rows, 3, apart)
    drawn = curve(labels, scores)
    assert 20 < len(drawn.recall) < 700
    recall, precision, envelope = all_points(labels, scores)
    some = np.unique(np.geomspace(1, rows, 2500).astype(int)) - 1  # dense where rows are few
    some = np.unique(np.append(some, np.arange(0, rows, rows // 2500)))
    allowed = TOLERANCE + (0 if rows < 4 * 4096 else 1 / 4096)
    raw = distance(recall[some], precision[some], drawn.recall, drawn.precision)
    assert raw.max() <= allowed + 1e-12
    steps = distance(recall[some], envelope[some], *stairs(drawn))
    assert steps.max() <= allowed + 1e-12
    assert drawn_area(drawn) == pytest.approx(
        area_fast(ranked(labels.tolist(), scores.tolist())), abs=2 * allowed
    )


def test_the_distance_of_this_file_can_tell():
    """The check above is not blind: lines of 30 points are too far."""
    labels, scores = some_faces(3_000, 1, 1.0)
    few = curve(labels, scores, points=30)
    recall, precision, envelope = all_points(labels, scores)
    assert distance(recall, precision, few.recall, few.precision).max() > 5 * TOLERANCE
    assert distance(recall, envelope, *stairs(few)).max() > 5 * TOLERANCE
    assert stairs(ours([1, 0, 1], [3, 2, 1]))[0].tolist() == [0, 0.5, 0.5, 0.5, 0.5, 1, 1]


def test_of_few_points_those_that_matter_most_are_kept():
    """Ten thousand faces, good but for 200 negatives that score above all but the first 1,000
    positives: the notch that they cut into the raw curve, 1000/1200 deep, survives with 12 points.
    """
    labels = np.array([1] * 1000 + [0] * 200 + [1] * 4000 + [0] * 4800, bool)
    drawn = curve(labels, -np.arange(10_000.0), points=12)
    assert len(drawn.recall) <= 12
    notch = np.flatnonzero(np.isclose(drawn.precision, 1000 / 1200))
    assert len(notch) == 1
    assert drawn.recall[notch[0]] == pytest.approx(1 / 5)
    assert drawn.precision[notch[0] - 1] == 1


def test_a_peak_inside_a_slice_is_not_lost():
    """A slice is 1/4096 of recall, 24 of 100,000 positives; what swings within one is kept.

    Down: one positive, 20 negatives, then positives: precision 1, 1/21, and soon 1/2 again.
    Up: 20 negatives, one positive, 3,000 negatives, then positives: 0, 1/21, 1/3021, and no more
    than 1/21 again before recall .0015, so that no later point covers the peak.
    """
    labels = np.array([1] + [0] * 20 + [1] * 100_000, bool)
    drawn = curve(labels, -np.arange(len(labels), dtype=float))
    assert drawn.precision[:2].tolist() == [1, 1 / 21]
    labels = np.array([0] * 20 + [1] + [0] * 3000 + [1] * 100_000, bool)
    drawn = curve(labels, -np.arange(len(labels), dtype=float))
    assert drawn.precision[:2].tolist() == [0, 1 / 21]


# ------------------------------------------------------------------------------ histograms


def counted(labels, scores, **options):
    return histogram(np.array(labels, bool), np.array(scores, float), **options)


def test_probabilities_are_counted_from_0_to_1():
    """bins     [0, .25)   [.25, .5)   [.5, .75)   [.75, 1]
    speaking                   .25                   .9  1
    not         0  .1                     .5
    """
    result = counted([0, 0, 1, 0, 1, 1], [0, 0.1, 0.25, 0.5, 0.9, 1], bins=4)
    assert result.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert result.positives.tolist() == [0, 1, 0, 2]
    assert result.negatives.tolist() == [2, 0, 1, 0]
    assert len(counted([0], [0.5]).negatives) == 40


def test_a_few_extreme_logits_do_not_squeeze_the_rest():
    """2,001 scores: two far below, 1,997 evenly from -5 to 5, two far above. The 0.1th percentile
    is the score number 0.001 x 2000 = 2, counted from 0: -5; the 99.9th is number 1998: 5. Of the
    1,997 every tenth of the range has about 200 (998 / 5 = 199.6), and both ends have two more.
    """
    middle = np.linspace(-5, 5, 1997)
    scores = np.concatenate([[-1e6, -1e5], middle, [1e5, 1e6]])
    labels = scores < 0
    result = histogram(labels, scores, bins=10)
    assert result.edges == pytest.approx(np.arange(-5, 6), abs=1e-12)
    expected = [sum(1 for s in middle if low <= s < low + 1) for low in range(-5, 5)]
    expected[0] += 2
    expected[-1] += 3  # the two above, and the score 5 itself
    both = result.positives + result.negatives
    assert both.tolist() == expected
    assert both.sum() == 2001
    assert result.positives.tolist() == [*expected[:5], 0, 0, 0, 0, 0]


def test_one_class_or_none():
    assert counted([1, 1], [0.1, 0.9], bins=2).negatives.tolist() == [0, 0]
    assert counted([], [], bins=2).to_dict() == {
        "edges": [0, 0.5, 1],
        "positives": [0, 0],
        "negatives": [0, 0],
    }


@given(faces, st.integers(1, 50))
def test_every_face_is_counted_once(rows, bins):
    labels, scores = zip(*rows, strict=True)
    result = counted(labels, scores, bins=bins)
    assert len(result.edges) == bins + 1
    assert result.positives.sum() == sum(labels)
    assert result.negatives.sum() == len(labels) - sum(labels)
    # Fewer than 500 scores have no outliers: the percentiles are the lowest and the highest.
    inside = (result.edges[0] <= np.array(scores)) & (np.array(scores) <= result.edges[-1])
    assert inside.all()

"""The arithmetic, against hand calculation, exact fractions, and every order of tied rows."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from conftest import slow
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import area, ranked

from unitalk.score import ap


def ours(labels, scores) -> float | None:
    return ap.average_precision(ap.rank(np.array(labels, bool), np.array(scores, float)))


def best(labels, scores) -> float | None:
    return ap.best_case(ap.rank(np.array(labels, bool), np.array(scores, float)))


def test_a_case_that_can_be_checked_by_eye():
    """Six faces, three of them speaking.

    score      .9   .8   .7   .6   .5   .4
    speaking    x    -    x    -    -    x
    precision 1/1  1/2  2/3  2/4  2/5  3/6
    envelope    1  2/3  2/3  1/2  1/2  1/2
    recall    1/3  1/3  2/3  2/3  2/3    1      area = (1 + 2/3 + 1/2) / 3 = 13/18
    """
    labels, scores = [1, 0, 1, 0, 0, 1], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
    assert ours(labels, scores) == pytest.approx(13 / 18, abs=1e-15)
    assert area(labels) * 18 == 13


def test_a_tie_that_can_be_checked_by_eye():
    """Two faces share .8, so they are one step: 2 of 3 found after three rows.

    score      .9    .8 .8    .4
    speaking    x     x -      x
    precision 1/1    2/3      3/4
    envelope    1    3/4      3/4               area = (1 + 3/4 + 3/4) / 3 = 5/6

    With the positive first the second step has precision 2/2, and the area is (1 + 1 + 3/4) / 3.
    """
    labels, scores = [1, 1, 0, 1], [0.9, 0.8, 0.8, 0.4]
    assert ours(labels, scores) == pytest.approx(5 / 6, abs=1e-15)
    assert best(labels, scores) == pytest.approx(11 / 12, abs=1e-15)


def test_a_constant_score_gets_the_prior_in_any_order():
    labels = [1, 1, 0, 0, 0]
    for order in (labels, labels[::-1]):
        assert ours(order, [0.5] * 5) == pytest.approx(2 / 5, abs=1e-15)
        assert best(order, [0.5] * 5) == pytest.approx(1, abs=1e-15)


def test_without_a_positive_there_is_no_number():
    assert ours([0, 0], [0.1, 0.2]) is None
    assert best([0, 0], [0.1, 0.2]) is None
    assert ap.reference_area(np.array([False, False])) is None
    assert ap.chance_interval(np.array([False, False]), np.array([0.1, 0.2])) is None


@slow
@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=1, max_size=7))
def test_the_interval_holds_every_order_of_tied_rows_and_reaches_both_ends(rows):
    labels, scores = [r[0] for r in rows], [float(r[1]) for r in rows]
    if not any(labels):
        return
    reached = set()
    for order in set(permutations(rows)):
        reached.add(area(ranked([r[0] for r in order], [r[1] for r in order])))
    assert ours(labels, scores) == pytest.approx(float(min(reached)), abs=1e-12)
    assert best(labels, scores) == pytest.approx(float(max(reached)), abs=1e-12)


rows_of_faces = st.lists(
    st.tuples(st.booleans(), st.floats(-5, 5).map(lambda x: round(x, 2))), min_size=2, max_size=60
).filter(lambda rows: any(label for label, _ in rows))


@slow
@given(rows_of_faces, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    assert ours(*zip(*rows, strict=True)) == ours(*zip(*shuffled, strict=True))
    assert best(*zip(*rows, strict=True)) == best(*zip(*shuffled, strict=True))


@given(rows_of_faces)
def test_a_strictly_increasing_map_of_the_scores_does_not_matter(rows):
    labels, scores = zip(*rows, strict=True)
    # Both maps are strictly increasing on the two-decimal numbers drawn above, also in float64.
    assert ours(labels, scores) == ours(labels, [s**3 + 7 * s for s in scores])
    assert ours(labels, scores) == ours(labels, [1 / (1 + np.exp(-s)) for s in scores])


@given(rows_of_faces)
def test_without_ties_it_is_the_references_sum(rows):
    labels = [label for label, _ in rows]
    scores = [score + index * 1e-6 for index, (_, score) in enumerate(rows)]
    expected = float(area(ranked(labels, scores)))
    assert ours(labels, scores) == pytest.approx(expected, abs=1e-12)
    assert best(labels, scores) == pytest.approx(expected, abs=1e-12)
    assert ap.reference_area(np.array(ranked(labels, scores), bool)) == pytest.approx(
        expected, abs=1e-12
    )


def test_ties_counts_rows_that_share_a_score():
    labels = np.array([1, 0, 1, 0, 1, 0], bool)
    assert ap.rank(labels, np.array([1.0, 1, 2, 3, 3, 3])).ties == 5
    assert ap.rank(labels, np.arange(6.0)).ties == 0


def test_the_chance_interval_is_that_of_twenty_shifts():
    random = np.random.default_rng(5)
    labels, scores = random.random(210) < 0.4, random.random(210)
    # 210 rows, 21 parts: the labels are moved by 10, 20, ... 200 rows against the scores.
    expected = [
        float(area(ranked([*labels[-shift:], *labels[:-shift]], scores)))
        for shift in range(10, 210, 10)
    ]
    low, high = ap.chance_interval(labels, scores)
    assert low == pytest.approx(min(expected), abs=1e-12)
    assert high == pytest.approx(max(expected), abs=1e-12)

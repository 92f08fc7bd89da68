"""Intervals and p-values, against rows really left out, fractions, and integrals done slowly."""

from __future__ import annotations

import math
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from conftest import slow
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import area, area_fast

from unitalk.errors import UsageError
from unitalk.score import ap, jackknife
from unitalk.score.jackknife import Resampling, estimate, outside, quantile

# ------------------------------------------------------------ an independent, slow implementation


def t_inside(t: float, degrees: int, pieces: int = 4000) -> float:
    """Student's density from -t to t by Simpson's rule."""
    constant = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2))
    constant /= math.sqrt(degrees * math.pi)
    total = 0.0
    for k in range(pieces + 1):
        weight = 1 if k in (0, pieces) else 4 if k % 2 else 2
        x = t * k / pieces
        total += weight * (1 + x * x / degrees) ** (-(degrees + 1) / 2)
    return 2 * constant * total * t / pieces / 3


def slow_area(rows: list[tuple[bool, float, int]]) -> float:
    """Average precision of (label, score, unit) rows: the worst order within a tie."""
    ordered = sorted(rows, key=lambda row: (-row[1], row[0]))
    return area_fast([label for label, _, _ in ordered])


def odds(p: float) -> float:
    return math.log(p / (1 - p))


def back(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def slow_leave_out(rows: list[tuple[bool, float, int]]) -> tuple[float, list[float]]:
    """The log-odds of all rows, and those without each unit."""
    left = [
        odds(slow_area([row for row in rows if row[2] != unit]))
        for unit in sorted({unit for _, _, unit in rows})
    ]
    return odds(slow_area(rows)), left


def slow_error(left: list[float]) -> float:
    """Tukey's standard error, as the formula is written."""
    count = len(left)
    mean = sum(left) / count
    return math.sqrt((count - 1) / count * sum((value - mean) ** 2 for value in left))


def slow_interval(rows: list[tuple[bool, float, int]], t: float) -> tuple[float, float]:
    whole, left = slow_leave_out(rows)
    return back(whole - t * slow_error(left)), back(whole + t * slow_error(left))


def slow_difference(
    first: list[tuple[bool, float, int]], second: list[tuple[bool, float, int]], t: float
) -> tuple[float, tuple[float, float], float]:
    """The difference, its interval and its p-value."""
    (base, without_base), (other, without_other) = slow_leave_out(first), slow_leave_out(second)
    error = slow_error([b - a for a, b in zip(without_base, without_other, strict=True)])
    p_value = 1 - t_inside(abs(other - base) / error, len(without_base) - 1)
    ends = slow_ellipse(base, other, without_base, without_other, t)
    return slow_area(second) - slow_area(first), ends, p_value


def slow_ellipse(
    base: float, other: float, without_base: list[float], without_other: list[float], t: float
) -> tuple[float, float]:
    """The extreme differences on the ellipse, by walking around it with Cholesky's factor."""
    count = len(without_base)
    covariance = (count - 1) ** 2 / count * np.cov([without_base, without_other])
    (a, _), (b, c) = np.linalg.cholesky(covariance)
    angles = np.linspace(0, 2 * math.pi, 200_001)
    bases = base + t * a * np.cos(angles)
    others = other + t * (b * np.cos(angles) + c * np.sin(angles))
    differences = 1 / (1 + np.exp(-others)) - 1 / (1 + np.exp(-bases))
    return differences.min(), differences.max()


def draw(seed: int, *, rows: int, units: int, ties: bool) -> tuple:
    """Labels, the scores of two systems, and units; each unit has its own ease."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, units, rows)
    ease = rng.normal(1, 0.5, units)[codes]
    labels = rng.random(rows) < 0.4
    noise = rng.standard_normal(rows)
    systems = [
        (2 * labels - 1) * ease + noise + 0.5 * rng.standard_normal(rows),
        (2 * labels - 1) * ease * 1.3 + noise + 0.7 * rng.standard_normal(rows),
    ]
    return labels, [np.round(s, 1) if ties else s for s in systems], codes


def as_rows(labels, scores, units) -> list[tuple[bool, float, int]]:
    return list(zip(labels.tolist(), scores.tolist(), units.tolist(), strict=True))


T_95 = {1: 12.7062047362, 2: 4.30265272991, 5: 2.57058183661, 19: 2.09302405441, 99: 1.98421695151}
"""Quantiles from the usual printed tables, of a two-sided 5 % level, by degrees of freedom."""

# ------------------------------------------------------------------------------- worked by hand


def test_three_videos_that_can_be_worked_by_hand():
    """Three videos of two faces: each has one that speaks (x), and one that does not (-).

    score      .9   .8   .7   .6   .5   .4
    video       0    0    1    2    1    2
    speaking    x    -    x    x    -    -

    of all:           precision 1, 2/3, 3/4 at the positives; envelope 1, 3/4, 3/4
                      area = (1 + 3/4 + 3/4) / 3 = 5/6               odds 5
    without video 0:  x x - -   area = 1; the number next to it, with three positives, is
                      1 - 1/12, and halfway from there to 1 is 1 - 1/24   odds 23
    without video 1:  x - x -   area = (1 + 2/3) / 2 = 5/6           odds 5
    without video 2:  x - x -   the same                             odds 5

    So the three log-odds are ln 23, ln 5, ln 5, which lie 2/3 d, 1/3 d, 1/3 d from their mean with
    d = ln(23/5); their squares sum to 6/9 d², and the error is sqrt(2/3 * 6/9 d²) = 2/3 d.
    Student's t with two degrees of freedom is within 4.3027 in 95 %.
    """
    labels = np.array([1, 0, 1, 1, 0, 0], bool)
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    [own] = estimate(labels, [scores], np.array([0, 0, 1, 2, 1, 2]))
    assert own.average_precision == pytest.approx(5 / 6, abs=1e-15)
    reach = 4.30265272991 * 2 / 3 * math.log(23 / 5)
    assert own.interval == pytest.approx(
        (back(math.log(5) - reach), back(math.log(5) + reach)), abs=1e-9
    )
    assert own.resamples == 3
    assert own.difference is None


def test_a_difference_that_can_be_worked_by_hand():
    """Two videos, so one degree of freedom: Student's t is Cauchy's, within t in 2/pi atan(t).

    video             0   0   0   1   1   1    the baseline's area and the other's
    speaking          x   -   -   x   -   -
    baseline's rank   2   1   3   5   4   6    of all: precisions 1/2 and 2/5          9/20
    the other's       1   2   3   5   4   6    of all: precisions 1 and 2/5            7/10
    without video 0   -   -   -   5   4   6    one positive, second                    1/2, 1/2
    without video 1   2   1   3   .   .   .    one positive, second; first, the other  1/2, 1

    The last 1 is perfect. The whole has two positives, so that the number next to 1 is 1 - 1/6, and
    halfway from there to 1 is 1 - 1/12: odds 11. The other's log-odds are 0 and ln 11 then, each
    ln(11)/2 from their mean: its error is sqrt(1/2 * 2 * (ln(11)/2)²) = ln(11)/2. The baseline's
    are 0 and 0, so that it stays at 9/20, and the difference varies as the other does. The
    whole difference is ln(7/3) - ln(9/11).
    """
    labels = np.array([1, 0, 0, 1, 0, 0], bool)
    base, other = (-np.array(ranks, float) for ranks in ([2, 1, 3, 5, 4, 6], [1, 2, 3, 5, 4, 6]))
    units = np.array([0, 0, 0, 1, 1, 1])
    assert area([0, 1, 0, 0, 1, 0]) == Fraction(9, 20)
    found = estimate(labels, [base, other], units)[1].difference
    assert found is not None
    assert found.value == pytest.approx(7 / 10 - 9 / 20, abs=1e-15)
    apart, error = math.log(7 / 3) - math.log(9 / 11), math.log(11) / 2
    assert found.p_value == pytest.approx(1 - 2 / math.pi * math.atan(apart / error), abs=1e-12)
    reach = math.tan(0.95 * math.pi / 2) * error
    ends = (back(math.log(7 / 3) - reach) - 9 / 20, back(math.log(7 / 3) + reach) - 9 / 20)
    assert found.interval == pytest.approx(ends, abs=1e-9)


# ---------------------------------------------------------------------- against the slow one


@slow
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("units", [3, 6, 20])
def test_intervals_differences_and_p_values_are_those_of_rows_really_left_out(units, ties):
    labels, systems, codes = draw(units, rows=40 * units, units=units, ties=ties)
    rows = [as_rows(labels, scores, codes) for scores in systems]
    found = estimate(labels, systems, codes)
    t = T_95[units - 1]
    for own, mine in zip(found, rows, strict=True):
        assert own.average_precision == pytest.approx(slow_area(mine), abs=1e-12)
        assert own.interval == pytest.approx(slow_interval(mine, t), abs=1e-9)
        assert own.resamples == units
    value, interval, p_value = slow_difference(*rows, t)
    difference = found[1].difference
    assert difference is not None
    assert difference.value == pytest.approx(value, abs=1e-12)
    assert difference.interval == pytest.approx(interval, abs=1e-9)
    assert difference.p_value == pytest.approx(p_value, abs=1e-8)


def test_each_of_several_systems_is_compared_with_the_first():
    labels, [first, second], codes = draw(8, rows=300, units=7, ties=False)
    third = first + 0.3 * np.sin(np.arange(300))
    together = estimate(labels, [first, second, third], codes)
    assert [one.difference is None for one in together] == [True, False, False]
    assert together[1] == estimate(labels, [first, second], codes)[1]
    assert together[2] == estimate(labels, [first, third], codes)[1]
    assert together[0] == estimate(labels, [first], codes)[0]


def test_what_a_distance_in_log_odds_is_worth_is_uncertain_too():
    """Two systems that err together, one better by much: their distance in log-odds is known well.

    But how many points that is depends on where both lie. With that held fast, as if it were known,
    the interval would be `narrow`.
    """
    rng = np.random.default_rng(3)
    units = np.repeat(np.arange(12), 100)
    labels = rng.random(1200) < 0.5
    noise = rng.standard_normal(1200) + (rng.normal(0, 1.5, 12)[units] * (labels - 0.5))
    systems = [noise + labels, noise + 2.5 * labels]
    rows = [as_rows(labels, scores, units) for scores in systems]
    (base, first), (other, second) = (slow_leave_out(mine) for mine in rows)
    reach = 2.20098516 * slow_error([b - a for a, b in zip(first, second, strict=True)])  # t(11)
    middle, apart = (base + other) / 2, other - base
    narrow = [
        back(middle + end / 2) - back(middle - end / 2) for end in (apart - reach, apart + reach)
    ]
    low, high = estimate(labels, systems, units)[1].difference.interval
    assert high - low > 1.2 * (narrow[1] - narrow[0])
    assert (low, high) == pytest.approx(slow_ellipse(base, other, first, second, 2.20098516))


@pytest.fixture(scope="module")
def many() -> tuple:
    """Sixty thousand rows: more steps and more resamples than are taken at a time.

    Unit 0 has the twenty-five thousand highest scores of the first system and unit 1 the lowest, so
    that without them whole stretches of steps are empty; half of the second system's rows are tied.
    """
    labels, systems, codes = draw(30, rows=60_000, units=38, ties=False)
    noise = 3 * np.random.default_rng(31).standard_normal(60_000)
    first, second = (scores + noise for scores in systems)
    place = np.argsort(np.argsort(-first))
    units = np.where(place < 25_000, 0, np.where(place > 50_000, 1, codes + 2))
    return labels, [first, np.where(codes % 2, second, np.round(second, 3))], units


@slow
@pytest.mark.parametrize("system", [0, 1])
def test_many_steps_are_those_of_rows_really_left_out(many, system):
    labels, systems, units = many
    scores = systems[system]
    order = np.lexsort((labels, -scores))  # as `slow_area` sorts, once for all
    ranked, owners = labels[order], units[order]
    begins = ranked[:-1] & ~ranked[1:]
    assert np.count_nonzero(begins) > 8192  # more than one table
    if system == 0:  # and the table of the highest is empty without unit 0
        assert np.count_nonzero(begins[25_000:]) < 8192
    left = [odds(area_fast(ranked[owners != unit].tolist())) for unit in range(40)]
    whole, reach = odds(area_fast(ranked.tolist())), 2.02269092 * slow_error(left)  # t(39)
    [own] = estimate(labels, [scores], units)
    assert own.resamples == 40
    assert own.average_precision == pytest.approx(back(whole), abs=1e-12)
    assert own.interval == pytest.approx((back(whole - reach), back(whole + reach)), abs=1e-9)


def test_the_order_of_many_rows_changes_no_bit(many):
    labels, systems, units = many
    order = np.random.default_rng(0).permutation(len(labels))
    mixed = estimate(labels[order], [scores[order] for scores in systems], units[order])
    assert mixed == estimate(labels, systems, units)


# -------------------------------------------------------------------- more units than resamples


def test_more_tracks_than_resamples_are_left_out_in_lots_of_equal_size():
    labels, [scores, _], codes = draw(12, rows=2000, units=100, ties=False)
    how = Resampling(resamples=20, seed=5)
    [own] = estimate(labels, [scores], codes, how)
    assert own.resamples == 20
    # Which tracks share a lot is the generator's business, documented as a permutation of lots.
    lots = np.random.default_rng(5).permutation(np.arange(100) % 20)
    assert np.bincount(lots).tolist() == [5] * 20
    expected = slow_interval(as_rows(labels, scores, lots[codes]), T_95[19])
    assert own.interval == pytest.approx(expected, abs=1e-9)


def test_lots_depend_on_the_seed_and_seed_0_is_one():
    labels, [scores, _], codes = draw(14, rows=2000, units=100, ties=False)
    by_seed = [
        estimate(labels, [scores], codes, Resampling(resamples=10, seed=seed))[0].interval
        for seed in (0, 0, 1, 2)
    ]
    assert by_seed[0] == by_seed[1]
    assert len(set(by_seed)) == 3


# ---------------------------------------------------------------------------- what may not matter


rows_of_units = st.lists(
    st.tuples(st.booleans(), st.integers(-9, 9).map(lambda x: x / 4), st.integers(0, 4)),
    min_size=4,
    max_size=40,
)


@slow
@settings(max_examples=100, deadline=None)
@given(rows_of_units, st.randoms(use_true_random=False))
def test_whatever_the_rows_what_is_said_is_within_bounds_and_agrees(rows, random: Random):
    labels, scores, units = (np.array(column) for column in zip(*rows, strict=True))
    systems = [scores, np.abs(scores), -scores]
    order = random.sample(range(len(rows)), len(rows))
    for how in (Resampling(), Resampling(resamples=2)):  # the order of rows changes no bit
        mixed = estimate(labels[order], [one[order] for one in systems], units[order], how)
        assert mixed == estimate(labels, systems, units, how)
    for own in estimate(labels, systems, units):
        if own.interval is not None:
            low, high = own.interval
            assert 0 <= low < own.average_precision < high <= 1
        difference = own.difference
        if difference is not None and difference.interval is not None:
            low, high = difference.interval
            assert -1 <= low <= high <= 1
            assert 0 < difference.p_value <= 1
            if abs(difference.p_value - 0.05) > 1e-9:
                assert (difference.p_value < 0.05) == (low > 0 or high < 0)


def test_a_higher_confidence_widens_and_p_values_stay():
    labels, systems, codes = draw(17, rows=300, units=6, ties=False)
    narrow, wide = (
        estimate(labels, systems, codes, Resampling(confidence=confidence))[1]
        for confidence in (0.8, 0.99)
    )
    assert wide.interval[0] < narrow.interval[0] < narrow.interval[1] < wide.interval[1]
    assert wide.difference.interval[0] < narrow.difference.interval[0]
    assert wide.difference.p_value == narrow.difference.p_value
    expected = slow_interval(as_rows(labels, systems[1], codes), 1.47588404882)  # t(5), 80 %
    assert narrow.interval == pytest.approx(expected, abs=1e-9)


# ------------------------------------------------------------------------- what has no answer


def test_one_video_has_a_number_and_a_difference_and_no_interval():
    labels, systems, codes = draw(18, rows=100, units=1, ties=False)
    rows = [as_rows(labels, scores, codes) for scores in systems]
    first, second = estimate(labels, systems, codes)
    assert first.average_precision == pytest.approx(slow_area(rows[0]), abs=1e-12)
    assert (first.interval, first.resamples, first.difference) == (None, 0, None)
    assert second.difference.value == pytest.approx(slow_area(rows[1]) - slow_area(rows[0]))
    assert second.difference.interval is None
    assert second.difference.p_value is None


@pytest.mark.parametrize("alone", [True, False])
def test_a_number_that_rests_on_one_video_has_no_interval(alone):
    """Only video 2 has a positive (or a negative): without it there is no number."""
    units = np.repeat([0, 1, 2], 4)
    labels = np.full(12, not alone)
    labels[9] = alone
    scores = np.linspace(0, 1, 12)
    own, other = estimate(labels, [scores, -scores], units)
    assert own.average_precision == pytest.approx(slow_area(as_rows(labels, scores, units)))
    assert own.interval is None
    assert own.resamples == 0
    assert other.difference.value == pytest.approx(other.average_precision - own.average_precision)
    assert other.difference.p_value is None


def test_a_perfect_system_has_no_interval_and_can_be_compared():
    """Without any video it is perfect again, so that nothing is known of its spread."""
    labels, [scores, _], codes = draw(19, rows=200, units=8, ties=False)
    base, perfect = estimate(labels, [scores, labels.astype(float)], codes)
    assert perfect.average_precision == 1.0
    assert perfect.interval is None
    assert base.interval is not None
    assert perfect.difference.value == pytest.approx(1 - base.average_precision)
    assert perfect.difference.interval[0] > 0
    assert perfect.difference.p_value < 0.05


def test_videos_that_are_copies_of_each_other_have_no_spread():
    """Without any of them the number is the same but for rounding, which must not be a spread."""
    labels = np.tile([True, False, True, False, False], 7)
    scores, other = np.tile([0.9, 0.8, 0.7, 0.6, 0.1], 7), np.tile([0.7, 0.8, 0.9, 0.6, 0.1], 7)
    own, second = estimate(labels, [scores, other], np.repeat(np.arange(7), 5))
    assert own.interval is None
    assert second.difference.interval == (0.0, 0.0)  # the same ranks of the same labels
    third = estimate(labels, [scores, -scores], np.repeat(np.arange(7), 5))[1].difference
    assert third.value < -0.1
    assert third.interval is None
    assert third.p_value is None


def test_a_system_against_itself_differs_by_nothing():
    labels, [scores, _], codes = draw(20, rows=200, units=8, ties=True)
    for same in (scores, 2 * scores - 1):
        difference = estimate(labels, [scores, same], codes)[1].difference
        assert difference.value == 0
        assert difference.interval == (0.0, 0.0)
        assert difference.p_value == 1.0


def test_a_p_value_is_never_0():
    labels, [_, scores], codes = draw(21, rows=60_000, units=300, ties=False)
    noise = np.random.default_rng(0).standard_normal(60_000)
    difference = estimate(labels, [noise, scores], codes)[1].difference
    assert difference.p_value == jackknife.P_FLOOR > 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"resamples": 1}, "at least 2 resamples"),
        ({"seed": -1}, "the seed is -1"),
        ({"confidence": 1.0}, "the confidence is 1.0"),
        ({"confidence": 95}, "the confidence is 95"),
    ],
)
def test_what_cannot_be_asked_is_refused(wrong, said):
    with pytest.raises(UsageError, match=said) as raised:
        Resampling(**wrong)
    assert raised.value.hint


# --------------------------------------------------------------------------- Student's distribution


def test_tails_are_exact_far_out():
    """With one degree, Student's t is Cauchy's: 2 / pi atan(1 / t) is further out than t."""
    for t in (0.3, 50.0, 1e6):
        assert outside(t, 1) == pytest.approx(2 / math.pi * math.atan(1 / t), rel=1e-12)


@pytest.mark.parametrize("degrees", sorted(T_95))
def test_quantiles_are_those_of_the_printed_tables(degrees):
    assert quantile(0.95, degrees) == pytest.approx(T_95[degrees], abs=1e-9)


# --------------------------------------------------------------------- do they hold the truth


@slow
def test_intervals_hold_the_truth_and_p_values_are_level():
    """Four hundred data sets of twelve videos; two of the benchmarks do it at length.

    Both systems are of one kind, so that no difference is the truth. With 400 data sets the share
    of 5 % has a standard error of 1.1 %, and 380 +- 20 intervals should hold the truth.
    """
    rng = np.random.default_rng(2)

    def videos(count: int) -> tuple:
        units = np.repeat(np.arange(count), 20)
        ease, noise = rng.normal(1, 0.4, (2, count)), rng.standard_normal((2, count * 20))
        labels = rng.random(count * 20) < 0.5
        systems = [(2 * labels - 1) * ease[k][units] + noise[k] for k in (0, 1)]
        return labels, systems, units

    labels, [scores, _], _ = videos(20_000)
    truth = ap.average_precision(ap.rank(labels, scores))
    held = below = 0
    for _ in range(400):
        own, other = estimate(*videos(12))
        held += own.interval[0] <= truth <= own.interval[1]
        below += other.difference.p_value < 0.05
    assert 362 <= held <= 396
    assert 6 <= below <= 36

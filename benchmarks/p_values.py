"""Whether p-values of equal systems are uniform: the package's, and other tests'.

    python benchmarks/p_values.py [--fast]

Data sets of 20 videos are drawn as in `benchmarks/population.py` and scored by two systems, whose
separations are tuned so that both have the same average precision on 20,000 videos.
Then a p-value should be below .05 in 5 % of the data sets, and so for every other level; the
Kolmogorov-Smirnov distance says how far that is missed anywhere, and ks-p how often chance alone
misses it by more. The last table tunes the second system to be better by some points: the share of
data sets in which p < .05 (power), and in which the difference's interval holds the true one. The
other tests, on a sixth of the data sets:

centred   paired bootstrap: how often a resampled difference is as far from the one observed as that
          is from 0 (Riezler and Maxwell, ACL workshop on evaluation measures, 2005)
pctile    paired bootstrap: how often a resampled difference has the other sign
swap      paired randomisation: each video's scores change places between the systems or do not
          (Noreen, Computer Intensive Methods for Testing Hypotheses, 1989)
jack-raw  what the package does, without log-odds
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import replace

import numpy as np
from population import RESAMPLES, Population, System, areas, draws, matrices

from unitalk.score import ap
from unitalk.score.jackknife import estimate, outside

VIDEOS = 20
LEVELS = (0.01, 0.05, 0.10, 0.25, 0.50, 0.75)
TESTS = ("centred", "pctile", "swap", "jack-raw")


def pair(first: System, second: System, **rest: float) -> Population:
    """Make a population that two systems score."""
    return Population(systems=[first, second], **rest)


EVEN = System(separation=2.6, uneven=0.3, shift=0.6)
STEADY = System(separation=2.6, uneven=0.15, shift=0.3)
MOODY = System(separation=2.6, uneven=0.6, shift=1.2)
SCENARIOS = {
    "alike": pair(EVEN, EVEN),
    "independent": pair(replace(EVEN, shared=0.0), replace(EVEN, shared=0.0)),
    "scales": pair(EVEN, EVEN),
    "strengths": pair(STEADY, MOODY),
    "unlike": pair(replace(STEADY, track=0.3, shared=0.3), replace(MOODY, track=1.2, shared=0.3),
                   talk=0.8),
    "high AP": pair(replace(EVEN, separation=3.2), replace(EVEN, separation=3.2, shift=0.9)),
    "near 99 %": pair(replace(STEADY, separation=4, uneven=0.3, shared=0.5),
                      replace(MOODY, separation=4, shared=0.5), size=1.0),
    "low prior": pair(replace(STEADY, separation=3), replace(MOODY, separation=3, uneven=0.5),
                      prior=-2.6, talk=0.8),
}  # fmt: skip
"""In `scales` the second system's scores are probabilities, the first's logits."""


def tuned(population: Population, gain: float, videos: int) -> tuple[Population, float]:
    """Make the second system better by so much; returns the first's average precision too."""
    _, labels, parts = population.draw([7], videos)
    first, second = population.systems

    def area(which: int, separation: float) -> float:
        noise, lean = parts[which]
        return ap.average_precision(ap.rank(labels, noise + separation * lean)) or 0.0

    goal = area(0, first.separation) + gain
    low, high = 0.5 * first.separation, 4 * first.separation
    for _ in range(16):
        middle = (low + high) / 2
        low, high = (middle, high) if area(1, middle) < goal else (low, middle)
    systems = [first, replace(second, separation=high)]
    return replace(population, systems=systems), goal - gain


def data_set(population: Population, number: int, *, scales: bool = False) -> tuple:
    """Draw [rows] videos, labels, and the scores of both systems."""
    units, labels, parts = population.draw([2, number], VIDEOS)
    scores = [
        noise + system.separation * lean
        for (noise, lean), system in zip(parts, population.systems, strict=True)
    ]
    if scales:
        scores[1] = 1 / (1 + np.exp(-scores[1]))
    return units, labels, scores


def other_tests(
    units: np.ndarray, labels: np.ndarray, scores: list[np.ndarray], seed: int
) -> dict[str, float]:
    """P-values of the other tests; the Monte Carlo ones count the data itself (never 0)."""
    one = np.ones((1, VIDEOS))
    left, whole, drawn = [], [], []
    for values in scores:
        counts = matrices(labels, values, units, VIDEOS)
        drawn.append(areas(draws(seed, VIDEOS), *counts))
        left.append(areas(one - np.eye(VIDEOS), *counts))
        whole.append(areas(one, *counts)[0])
    observed = whole[1] - whole[0]
    apart = (drawn[1] - drawn[0])[np.isfinite(drawn[0])]
    away = left[1] - left[0]
    spread = math.sqrt((VIDEOS - 1) / VIDEOS * np.sum((away - away.mean()) ** 2))
    below, above = _share(apart <= 0), _share(apart >= 0)
    return {
        "centred": _share(np.abs(apart - observed) >= abs(observed)),
        "pctile": min(1.0, 2 * min(below, above)),
        "swap": _swap(units, labels, scores, seed, observed),
        "jack-raw": outside(abs(observed) / spread, VIDEOS - 1),
    }


def _share(hits: np.ndarray) -> float:
    return (1 + np.count_nonzero(hits)) / (1 + len(hits))


def _swap(
    units: np.ndarray, labels: np.ndarray, scores: list[np.ndarray], seed: int, observed: float
) -> float:
    """Both systems' rows are ranked together, each video twice: once with either's scores."""
    both = np.concatenate([units, units + VIDEOS])
    counts = matrices(np.tile(labels, 2), np.concatenate(scores), both, 2 * VIDEOS)
    taken = np.random.default_rng(seed).random((RESAMPLES, VIDEOS)) < 0.5
    first = areas(np.hstack([taken, ~taken]), *counts)
    second = areas(np.hstack([~taken, taken]), *counts)
    return _share(np.abs(second - first) >= abs(observed) - 1e-9)


def kolmogorov(values: list[float]) -> tuple[float, float]:
    """The distance from the uniform distribution, and its p-value (Kolmogorov's series)."""
    ordered, count = np.sort(values), len(values)
    steps = np.arange(count + 1) / count
    distance = float(max(np.max(steps[1:] - ordered), np.max(ordered - steps[:-1])))
    reach = distance * (math.sqrt(count) + 0.12 + 0.11 / math.sqrt(count))
    tail = 2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * reach) ** 2) for k in range(1, 101))
    return distance, min(1.0, tail)


def null(videos: int, sets: int) -> None:
    """Print the shares of p-values below the levels, and those of the other tests below .05."""
    others = {}
    print(f"p-values of unitalk, {VIDEOS} videos: % below the level, {sets:,} data sets")
    levels = "".join(f"{level:>7.2f}" for level in LEVELS)
    print(f"{'no difference':13} {'AP':>5}{levels}  {'KS':>6}  {'ks-p':>5}")
    for name, made in SCENARIOS.items():
        population, area = tuned(made, 0.0, videos)
        found: dict[str, list[float]] = {test: [] for test in ("unitalk", *TESTS)}
        for number in range(sets):
            units, labels, scores = data_set(population, number, scales=name == "scales")
            difference = estimate(labels, scores, units)[1].difference
            if difference is None or difference.p_value is None:
                continue
            found["unitalk"].append(difference.p_value)
            if number % 6 == 0:
                for test, value in other_tests(units, labels, scores, number).items():
                    found[test].append(value)
        shares = "".join(f"{_percent(found['unitalk'], level):7.1f}" for level in LEVELS)
        distance, chance = kolmogorov(found["unitalk"])
        print(f"{name:13} {100 * area:5.1f}{shares}  {distance:6.3f}  {chance:5.2f}", flush=True)
        others[name] = [_percent(found[test], 0.05) for test in TESTS]
    print(f"\n% below .05, {-(-sets // 6)} data sets" + "".join(f"{test:>10}" for test in TESTS))
    for name, below in others.items():
        print(f"{name:26}" + "".join(f"{value:10.1f}" for value in below))


def _percent(values: list[float], level: float) -> float:
    return 100 * float(np.mean(np.array(values) <= level))


def power(videos: int, sets: int) -> None:
    """Print how often a real gain is found."""
    print(f"\n{'true gain':13} {'AP':>5}  {'p < .05':>8}  {'held':>6}   % of {sets:,} data sets")
    close = replace(EVEN, shared=0.98)
    made: dict[str, Population] = {"": pair(EVEN, EVEN), "close": pair(close, close)}
    for kind, population in made.items():
        for gain in (0.005, 0.02, 0.05):
            better, area = tuned(population, gain, videos)
            found, held = 0, 0
            for number in range(sets):
                units, labels, scores = data_set(better, number)
                difference = estimate(labels, scores, units)[1].difference
                if difference and difference.interval and difference.p_value:
                    found += difference.p_value < 0.05
                    held += difference.interval[0] <= gain <= difference.interval[1]
            name = f"+{100 * gain:.1f} {kind}"
            print(f"{name:13} {100 * area:5.1f}  {100 * found / sets:8.1f}", end="")
            print(f"  {100 * held / sets:6.1f}", flush=True)


def main() -> None:
    """Draw, test and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fast", action="store_true", help="a tenth of the data sets")
    sets, start = 200 if parser.parse_args().fast else 2000, time.perf_counter()
    null(20_000, sets)
    power(20_000, sets // 4)
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()

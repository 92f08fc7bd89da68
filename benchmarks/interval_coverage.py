"""How often intervals of average precision hold the truth: the package's, and others.

    python benchmarks/interval_coverage.py [--fast]

Data sets of few videos are drawn from a population of videos that differ in length, in how much is
spoken, in how well a model can tell, and in where its scores lie; scores hang together within a
track and within a video. The truth is the average precision of 30,000 videos. Each nominal 95 %
interval should hold it in 95 % of the data sets. `unitalk` is `unitalk.score.jackknife`, the
others resample videos 1,000 times, or leave each out once; n is the number of videos:

pctile    the resamples' 2.5 % and 97.5 % quantiles
expand    the same at Student's levels (Hesterberg, American Statistician 69:371, 2015)
BCa       bias-corrected and accelerated (Efron, JASA 82:171, 1987)
boot-se   the resamples' standard error of log-odds, Student's t
jackraw   what the package does, without log-odds
none      of the data sets rest on one video: no interval, and left out
"""

from __future__ import annotations

import argparse
import time
from statistics import NormalDist

import numpy as np
from population import FRAMES, Population, System, areas, draws, matrices

from unitalk.score.jackknife import Resampling, estimate, quantile

NORMAL = NormalDist()


def log_odds(area: np.ndarray) -> np.ndarray:
    """Log-odds of average precisions, kept finite."""
    area = np.clip(area, 1e-6, 1 - 1e-6)
    return np.log(area / (1 - area))


def others(area: float, drawn: np.ndarray, left: np.ndarray) -> dict[str, tuple[float, float]]:
    """The other intervals, from 1,000 resamples and from each video left out once."""
    count = len(left)
    drawn, left = drawn[np.isfinite(drawn)], left[np.isfinite(left)]
    t = quantile(0.95, count - 1)
    wide = t * np.sqrt(count / (count - 1))
    away = left.mean() - left
    skew = (away**3).sum() / (6 * max((away**2).sum() ** 1.5, 1e-30))
    share = np.clip(np.mean(drawn < area) + np.mean(drawn == area) / 2, 1e-3, 1 - 1e-3)
    bias = NORMAL.inv_cdf(float(share))
    levels = [
        NORMAL.cdf(bias + (bias + z) / max(1 - skew * (bias + z), 1e-3)) for z in (-1.96, 1.96)
    ]
    spread = wide * log_odds(drawn).std()
    middle = log_odds(area)
    reach = t * np.sqrt((count - 1) / count * (away**2).sum())
    return {
        "pctile": tuple(np.quantile(drawn, [0.025, 0.975])),
        "expand": tuple(np.quantile(drawn, [NORMAL.cdf(-wide), NORMAL.cdf(wide)])),
        "BCa": tuple(np.quantile(drawn, levels)),
        "boot-se": tuple(0.5 + 0.5 * np.tanh((middle + np.array([-1, 1]) * spread) / 2)),
        "jackraw": (area - reach, area + reach),
    }


SCENARIOS = {
    "mild": Population(systems=[System(separation=2)], talk=0.3),
    "strong": Population(
        systems=[System(separation=2.5, uneven=0.5, shift=1, track=0.7)], talk=1.0
    ),
    "high AP": Population(systems=[System(separation=3.2, uneven=0.35, shift=0.5)]),
    "low prior": Population(
        systems=[System(separation=3, uneven=0.35, shift=0.6)], prior=-2.6, talk=0.8
    ),
    "uneven": Population(systems=[System(separation=4, uneven=0.6, shift=0.8)], size=1.0),
}
METHODS = ("unitalk", "pctile", "expand", "BCa", "boot-se", "jackraw")


def true_area(population: Population, videos: int, which: int = 0) -> tuple[float, float]:
    """Average precision of a system on very many videos, and the share of positives."""
    _, labels, parts = population.draw([99], videos)
    noise, lean = parts[which]
    scores = noise + population.systems[which].separation * lean
    one = np.zeros(len(labels), int)
    return estimate(labels, [scores], one)[0].average_precision or 0.0, float(labels.mean())


def held(population: Population, truth: float, videos: int, sets: int) -> dict[str, float]:
    """The share of data sets in which each method's interval holds the truth, in percent.

    `none` is the share in which the number rests on one video, so that there is no interval; these
    are left out of all the others.
    """
    hits = dict.fromkeys(METHODS, 0)
    none = 0
    system = population.systems[0]
    for number in range(sets):
        units, labels, [(noise, lean)] = population.draw([1, videos, number], videos)
        scores = noise + system.separation * lean
        [own] = estimate(labels, [scores], units)
        if own.interval is None or own.average_precision is None:
            none += 1
            continue
        hits["unitalk"] += own.interval[0] <= truth <= own.interval[1]
        counts = matrices(labels, scores, units, videos)
        intervals = others(
            own.average_precision,
            areas(draws(number, videos), *counts),
            areas(1 - np.eye(videos), *counts),
        )
        for method, (low, high) in intervals.items():
            hits[method] += low <= truth <= high
    shares = {method: 100 * hit / (sets - none) for method, hit in hits.items()}
    return shares | {"none": 100 * none / sets}


def held_by_track(population: Population, truth: float, sets: int) -> float:
    """The same at 20 videos for the package's interval, with tracks as units."""
    hits = 0
    for number in range(sets):
        units, labels, [(noise, lean)] = population.draw([1, 20, number], 20)
        scores = noise + population.systems[0].separation * lean
        tracks = np.arange(len(units)) // FRAMES
        interval = estimate(labels, [scores], tracks, Resampling())[0].interval
        hits += interval is not None and interval[0] <= truth <= interval[1]
    return 100 * hits / sets


def main() -> None:
    """Draw, count and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fast", action="store_true", help="a tenth of the data sets")
    sets, start = 100 if parser.parse_args().fast else 1000, time.perf_counter()
    print(f"95 % intervals that hold the truth, % of {sets:,} data sets")
    columns = (*METHODS, "none")
    print(" n scenario     AP prior " + " ".join(f"{column:>7}" for column in columns))
    truths = {name: true_area(one, 30_000) for name, one in SCENARIOS.items()}
    for videos in (20, 10, 5, 3):
        for name, population in SCENARIOS.items():
            truth, prior = truths[name]
            shares = held(population, truth, videos, sets)
            print(f"{videos:2} {name:9} {100 * truth:5.1f} {100 * prior:5.1f} ", end="")
            print(" ".join(f"{shares[column]:7.1f}" for column in columns), flush=True)
    for name in ("mild", "strong"):
        share = held_by_track(SCENARIOS[name], truths[name][0], sets // 4)
        print(f"20 {name}, unitalk with tracks as units: {share:.1f}")
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()

"""Time, memory and result of resampling: intervals of a million faces.

    python benchmarks/resampling.py [--rows 1000000] [--record]

At most 1,000 resamples of all faces, for 22 and 159 videos and for 12,000 tracks, and of the groups
of five breakdowns with four cells each and of the total, for 159 videos. Each case runs in a
process of its own; memory is the peak over what labels, scores and units take.
"""

from __future__ import annotations

import argparse
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from _results import add_option, compared, write

from unitalk.score.jackknife import Estimate, estimate

CASES = {
    "22 videos": (22, False),
    "159 videos": (159, False),
    "12,000 tracks": (12_000, False),
    "159 videos, 21 groups": (159, True),
}


def measure(rows: int, units: int, breakdowns: bool) -> tuple[float, float, Estimate]:
    """Seconds and MB of one case, and what it says of all faces."""
    rng = np.random.default_rng(0)
    videos = np.sort(rng.integers(0, units, rows))
    easy = rng.normal(1, 0.3, units)
    labels = rng.random(rows) < 0.44
    scores = (2 * labels - 1) * easy[videos] + 1.2 * rng.standard_normal(rows)
    cells = [rng.integers(0, 4, rows) for _ in range(5 * breakdowns)]
    before, start = _peak(), time.perf_counter()
    for codes in cells:
        for cell in range(4):
            mine = codes == cell
            estimate(labels[mine], [scores[mine]], videos[mine])
    [whole] = estimate(labels, [scores], videos)
    return time.perf_counter() - start, _peak() - before, whole


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    add_option(parser)
    given = parser.parse_args()
    rows, found = given.rows, []
    print(f"{rows:,} faces          resamples  seconds   MB  95 % interval")
    for name, case in CASES.items():
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            seconds, memory, whole = pool.submit(measure, rows, *case).result()
        low, high = whole.interval or (0.0, 0.0)
        print(f"{name:24}  {whole.resamples:8,}  {seconds:7.2f}  {memory:3.0f}", end="")
        print(f"  {100 * low:.2f} to {100 * high:.2f} %")
        on = f"{rows:,} faces of {name}"
        found += compared({"intervals": seconds}, "s", on=on)
        found += compared({"intervals": memory}, "MB", on=on)
    if given.record:
        write(__file__, found)


if __name__ == "__main__":
    main()

"""Mel frequency cepstral coefficients: seconds beside python_speech_features, on one thread.

    pip install python_speech_features==0.6    # and scipy, which it imports
    python benchmarks/mfcc.py [--seconds 4 10 100] [--rounds 15] [--record]

The peer is what TalkNet's loader calls, with TalkNet's settings. Both hear the same noise, take
turns in one process, and the best of the rounds counts, in the processor's time, so that a busy
machine is no excuse. The last columns are how far apart their numbers are, and the most memory that
each has in use at once, as numpy tells it to `tracemalloc`. Four seconds are a track of 100 faces.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
from _results import Result, add_option, compared, write

from unitalk.models.features import RATE, mfcc

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def seconds_of(work: Callable[[], object]) -> float:
    """How long it takes a processor once."""
    start = time.process_time()
    work()
    return time.process_time() - start


def memory_of(work: Callable[[], object]) -> float:
    """How many MB it has in use at most."""
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, nargs="+", default=(4, 10, 100))
    parser.add_argument("--rounds", type=int, default=15)
    add_option(parser)
    given = parser.parse_args()
    if any(os.environ.get(name) != "1" for name in THREADS):  # they count before numpy is loaded
        environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
        sys.exit(subprocess.call([sys.executable, *sys.argv], env=environment))
    try:
        import python_speech_features as peer
    except ImportError:
        sys.exit("the peer is missing: pip install python_speech_features==0.6 scipy")
    print(
        f"{'sound':>7}  {'peer':>9}  {'ours':>9}  {'ratio':>5}  {'apart':>7}  {'MB, peer':>8}  ours"
    )
    found = [
        result for seconds in given.seconds for result in report(seconds, given.rounds, peer.mfcc)
    ]
    if given.record:
        write(__file__, found)


def report(seconds: int, rounds: int, peer: Callable[..., np.ndarray]) -> list[Result]:
    """Let both take turns, and print and return the best of each."""
    rng = np.random.default_rng(0)
    sound = rng.integers(-3000, 3000, seconds * RATE, dtype=np.int16)

    def theirs() -> np.ndarray:
        return peer(sound, RATE, numcep=13, winlen=0.025, winstep=0.010)

    def ours() -> np.ndarray:
        return mfcc(sound)

    apart = np.abs(theirs() - ours()).max()
    times = [(seconds_of(theirs), seconds_of(ours)) for _ in range(rounds)]
    slow, fast = map(min, zip(*times, strict=True))
    most, least = memory_of(theirs), memory_of(ours)
    print(
        f"{seconds:5} s  {slow * 1e3:6.2f} ms  {fast * 1e3:6.2f} ms  {slow / fast:5.1f}  "
        f"{apart:.1e}  {most:8.1f}  {least:4.1f}"
    )
    peer_name, on = "python_speech_features", f"{seconds} s of sound"
    return [
        *compared({"unitalk": fast * 1e3, peer_name: slow * 1e3}, "ms", peers=[peer_name], on=on),
        *compared({"unitalk": least, peer_name: most}, "MB", peers=[peer_name], on=on),
    ]


if __name__ == "__main__":
    main()

"""Time and memory of `unitalk eval` beside the reference's algorithm in plain pandas.

    python benchmarks/eval_vs_reference.py [--rows 1000000 4000000] [--repeat 3] [--record]

Both get the same two csv files, each in a process of its own, start-up included; the best of the
repetitions counts. The peer is benchmarks/reference.py, as the reference is and with its loops
vectorised, which the reference's are not. `unitalk eval` does more than either: coverage,
duplicates, ties, the chance interval. Two more lines say what its breakdowns (each that applies
without a category: faces, track length, crowded, video) and then 1,000 resamples of them add.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _results import add_option, compared, write

HEADER = (
    "video_id,frame_timestamp,entity_box_x1,entity_box_y1,entity_box_x2,entity_box_y2,"
    "label,entity_id"
)


PEERS = ("reference", "reference, vectorised")
MORE = ("with --by all", "with --by all --ci")


def write_files(folder: Path, rows: int) -> tuple[Path, Path]:
    """Ground truth in UniTalk's ten columns and predictions in nine, tracks of 80 faces."""
    rng = np.random.default_rng(rows)
    groundtruth, predictions = folder / f"g{rows}.csv", folder / f"p{rows}.csv"
    with groundtruth.open("w") as truth, predictions.open("w") as guess:
        truth.write(HEADER + ",label_id,instance_id\n")
        guess.write(HEADER + ",score\n")
        for track in range(rows // 80):
            video, number = f"video{track // 420:06d}", track % 420
            box = ",".join(f"{edge:.6f}" for edge in rng.random(4))
            speaking = int(rng.random() < 0.44)
            label = "SPEAKING_AUDIBLE" if speaking else "NOT_SPEAKING"
            scores = 1 / (1 + np.exp(1 - 2 * speaking - 1.5 * rng.standard_normal(80)))
            for frame, score in enumerate(scores.tolist()):
                key = f"{video},{round(frame * 0.04 + number, 2)},{box}"
                entity = f"{video}:{number}"
                truth.write(f"{key},{label},{entity},{speaking},{entity}:0\n")
                guess.write(f"{key},SPEAKING_AUDIBLE,{entity},{score!r}\n")
    return groundtruth, predictions


def measure(command: list[str], repeat: int) -> tuple[float, float, str]:
    """The best wall time, the least peak memory in MB, and the first line printed."""
    best, least, line = float("inf"), float("inf"), ""
    for _ in range(repeat):
        start = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            line = process.stdout.readline().strip() if process.stdout else ""
            if process.stdout:
                process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{command} failed")
        best = min(best, time.perf_counter() - start)
        least = min(least, usage.ru_maxrss / 1000)
    return best, least, line


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 4_000_000])
    parser.add_argument("--repeat", type=int, default=3)
    add_option(parser)
    arguments = parser.parse_args()
    found = []
    print(f"{'rows':>9}  {'program':24}  {'seconds':>7}  {'MB':>6}  {'times':>6}  {'memory':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for rows in arguments.rows:
            groundtruth, predictions = write_files(Path(folder), rows)
            files = ["-g", str(groundtruth), "-p", str(predictions)]
            peer = [sys.executable, str(Path(__file__).with_name("reference.py")), *files]
            ours = [sys.executable, "-m", "unitalk", "eval", *files]
            repeat = arguments.repeat
            results = {
                "unitalk eval": measure(ours, repeat),
                "reference": measure(peer, max(1, repeat - 1)),
                "reference, vectorised": measure([*peer, "--vectorised"], max(1, repeat - 1)),
            }
            own_seconds, own_memory, line = results["unitalk eval"]
            broken_down = [*ours, "--by", "all"]
            results["with --by all"] = measure(broken_down, max(1, repeat - 1))
            results["with --by all --ci"] = measure([*broken_down, "--ci"], 1)
            for name, (seconds, memory, said) in results.items():
                if said != line:
                    raise SystemExit(f"{name} says {said!r}, unitalk {line!r}")
                print(
                    f"{rows:9,}  {name:24}  {seconds:7.2f}  {memory:6.0f}  "
                    f"{seconds / own_seconds:5.1f}x  {own_memory / memory:5.2f}"
                )
            for index, unit in enumerate(("s", "MB")):
                values = {name: measured[index] for name, measured in results.items()}
                more = {f"unitalk eval {name[5:]}": values.pop(name) for name in MORE}
                on = f"{rows:,} faces"
                found += compared(values, unit, peers=PEERS, on=on) + compared(more, unit, on=on)
    if arguments.record:
        write(__file__, found)
    print("times: how many times as long as unitalk; memory: unitalk's peak over this one's")


if __name__ == "__main__":
    main()

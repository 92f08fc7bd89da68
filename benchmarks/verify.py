"""Time of `unitalk verify` beside a stat per file, and beside nothing but listing the folders.

    python benchmarks/verify.py [--videos 20] [--tracks 100] [--faces 100] [--repeat 5] [--deep]
        [--record]

A tree of videos x tracks x faces jpgs (200,000 by default) and a wav a track, all sound. Each is a
process of its own with its start-up, and they take turns; the best of the repetitions counts, of
seconds and of CPU seconds, with the disk's folders in memory. The two peers are the least that each
way can do: one reads the csv with `csv.reader` and asks for every row's file with `os.stat`, the
other only lists every folder with `os.scandir`, and reads no csv. The last line is what starting
the program takes before it looks at anything. With --deep every file is opened too, by one process
and by one a CPU.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from _results import add_option, compared, write
from PIL import Image
from place import make_tree

if TYPE_CHECKING:
    from collections.abc import Collection

STAT = """
import csv, os, sys
root, seen = sys.argv[1], set()
with open(f"{root}/csv/val_orig.csv", newline="") as file:
    rows = csv.reader(file)
    next(rows)
    for row in rows:
        video, entity, time = row[0], row[7], float(row[1])
        os.stat(f"{root}/clips_videos/val/{video}/{entity}/{time:.2f}.jpg")
        if entity not in seen:
            seen.add(entity)
            os.stat(f"{root}/clips_audios/val/{video}/{entity}.wav")
"""
LIST = """
import os, sys
def count(folder):
    with os.scandir(folder) as listing:
        return sum(count(e.path) if e.is_dir() else e.is_file() for e in listing)
print(count(sys.argv[1]))
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=20)
    parser.add_argument("--tracks", type=int, default=100)
    parser.add_argument("--faces", type=int, default=100)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--deep", action="store_true", help="open the files too")
    add_option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "dataset"
        make_tree(root, arguments.videos, arguments.tracks, arguments.faces)
        verify = [sys.executable, "-m", "unitalk", "-q", "verify", str(root)]
        peers = {
            "unitalk verify": verify,
            "os.stat a file": [sys.executable, "-c", STAT, str(root)],
            "os.scandir alone": [sys.executable, "-c", LIST, str(root)],
            "start-up alone": [
                sys.executable,
                "-c",
                "import unitalk.cli.verify, unitalk.dataset.verify",
            ],
        }
        best = measure(peers, arguments.repeat)
        own = best["unitalk verify"]
        count = arguments.videos * arguments.tracks * arguments.faces
        print(f"{count:,} jpgs in {arguments.videos * arguments.tracks:,} folders")
        print(f"{'':20}  {'seconds':>7}  {'':>6}  {'of CPU':>7}")
        for name, (wall, cpu) in best.items():
            print(
                f"{name:20}  {wall:7.2f}  {wall / own[0]:5.2f}x  {cpu:7.2f}  {cpu / own[1]:5.2f}x"
            )
        if arguments.record:
            peers = [name for name in best if name.startswith("os.")]
            found = []
            for index, unit in enumerate(("s", "CPU s")):
                values = {name: measured[index] for name, measured in best.items()}
                start = {"start-up alone": values.pop("start-up alone")}
                on = f"{count:,} crops"
                found += compared(values, unit, peers=peers, on=on) + compared(start, unit)
            write(__file__, found)
        if arguments.deep:
            draw(root)
            for jobs in (1, os.cpu_count() or 1):
                line = [*verify, "--deep", "--jobs", str(jobs)]
                seconds, _ = measure({"deep": line}, 1, codes={0, 3})["deep"]
                print(f"--deep --jobs {jobs:<6}  {seconds:6.2f} s  {count / seconds:7,.0f} files/s")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
    print(f"largest process: {peak:.0f} MB")


def measure(
    commands: dict[str, list[str]], repeat: int, *, codes: Collection[int] = (0,)
) -> dict[str, tuple[float, float]]:
    """The least seconds and the least CPU seconds that each command takes; they take turns."""
    walls, cpus = ({name: [] for name in commands} for _ in range(2))
    for _ in range(repeat):
        for name, command in commands.items():
            before, start = cpu_seconds(), time.perf_counter()
            ran = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
            walls[name].append(time.perf_counter() - start)
            cpus[name].append(cpu_seconds() - before)
            if ran.returncode not in codes:
                raise SystemExit(f"{name}: exit code {ran.returncode}")
    return {name: (min(walls[name]), min(cpus[name])) for name in commands}


def cpu_seconds() -> float:
    """What all processes that have ended took, their own and the system's work for them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def draw(root: Path) -> None:
    """Put a picture of the size of a usual face crop into every jpg."""
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (16, 12, 3), dtype=np.uint8))
    file = io.BytesIO()
    smooth.resize((128, 160), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
    for path in root.glob("clips_videos/*/*/*/*.jpg"):
        path.write_bytes(file.getvalue())


if __name__ == "__main__":
    main()

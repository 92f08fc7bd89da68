"""Time and memory of reading ground truth: this package beside pandas.

    python benchmarks/read_csv.py [--rows 4000000] [--repeat 3] [--record]

Each reads the eight columns of AVA, in a process of its own, start-up included; the best of the
repetitions counts. All but the first end with a pandas frame. Only this package checks what
it read.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from _results import add_option, compared, write
from eval_vs_reference import HEADER, measure, write_files

PROGRAMS = {
    "unitalk, as eval reads": (
        "import sys; from unitalk import schema; "
        "schema.load(schema.Source(sys.argv[1]), 'groundtruth', columns=sys.argv[2].split(','))"
    ),
    "unitalk.read_groundtruth": (
        "import sys, unitalk; unitalk.read_groundtruth(sys.argv[1], columns=sys.argv[2].split(','))"
    ),
    "pandas, texts": (
        "import sys, pandas; pandas.read_csv(sys.argv[1], usecols=sys.argv[2].split(','))"
    ),
    "pandas, categories": (
        "import sys, pandas; pandas.read_csv(sys.argv[1], usecols=sys.argv[2].split(','), "
        "dtype=dict.fromkeys(('video_id', 'label', 'entity_id'), 'category'))"
    ),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=4_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    add_option(parser)
    arguments = parser.parse_args()
    times, memories = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        path, _ = write_files(Path(folder), arguments.rows)
        print(f"{'program':26}  {'seconds':>7}  {'MB':>6}   ({arguments.rows:,} rows)")
        for name, code in PROGRAMS.items():
            command = [sys.executable, "-c", code, str(path), HEADER]
            times[name], memories[name], _ = measure(command, arguments.repeat)
            print(f"{name:26}  {times[name]:7.2f}  {memories[name]:6.0f}")
    if arguments.record:
        peers, on = ["pandas, texts", "pandas, categories"], f"{arguments.rows:,} faces"
        found = compared(times, "s", peers=peers, on=on)
        write(__file__, found + compared(memories, "MB", peers=peers, on=on))


if __name__ == "__main__":
    main()

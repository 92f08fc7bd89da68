"""Time and memory of `unitalk stats --csv-only` beside what people write with pandas.

    python benchmarks/stats.py [--rows 4000000] [--repeat 3] [--media VIDEOS TRACKS FACES]
        [--record]

A csv of the size of the whole dataset: 117 videos, tracks of 82 faces, a third of them at the same
time as others. Each program is a process of its own, start-up included; the best of the repetitions
counts. The peer reads the same eight columns and groups: hours, speaking share, faces a frame, who
speaks, tracks' lengths, changes of label, widths, each of all and of every video; as people write
it, and with the columns of text as categories. What both say of the whole is compared. `unitalk`
also checks every value, and says more.

With `--media`, a tree of videos x tracks x faces small files is listed as `stats` does without
`--csv-only`, beside a stat of every file.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _results import Result, add_option, compared, write
from eval_vs_reference import HEADER, measure

VIDEOS = 117
TRACK = 82  # faces

PEER = """
import json, sys
import pandas as pd
text = dict.fromkeys(("video_id", "label", "entity_id"), "category") if sys.argv[2] else None
df = pd.read_csv(sys.argv[1], usecols=range(8), dtype=text)
df["ms"] = (df.frame_timestamp * 1000).round().astype("int64")
df["speaks"] = df.label == "SPEAKING_AUDIBLE"
df["width"] = df.entity_box_x2 - df.entity_box_x1
df["height"] = df.entity_box_y2 - df.entity_box_y1
df["area"] = df.width * df.height
df = df.sort_values(["entity_id", "ms"], kind="stable")
how = dict(observed=True, sort=False)
frames = df.groupby(["video_id", "ms"], **how).speaks.agg(["size", "sum"])
tracks = df.groupby(["video_id", "entity_id"], **how).ms.agg(["min", "max", "size"])
steps = df.groupby("entity_id", **how).ms.diff()
before = df.groupby("entity_id", **how).speaks.shift()
df["changes"] = before.notna() & (before != df.speaks)
span = tracks["max"] - tracks["min"]
length = span * tracks["size"] / (tracks["size"] - 1).clip(lower=1) / 1000
by = df.groupby("video_id", **how)
videos = by.agg(faces=("ms", "size"), speaking=("speaks", "mean"), changes=("changes", "sum"))
quantiles = [0, .05, .25, .5, .75, .95, 1]
sizes = by[["width", "height", "area"]].quantile(quantiles)
frames_by = frames.groupby("video_id", **how)["size"].value_counts(normalize=True)
speakers_by = frames.groupby("video_id", **how)["sum"].value_counts(normalize=True)
lengths_by = length.groupby("video_id", **how).quantile(quantiles)
print(json.dumps({
    "faces": len(df), "tracks": len(tracks), "frames": len(frames),
    "hours": len(df) / 25 / 3600, "speaking": float(df.speaks.mean()),
    "alone": int((frames["size"] == 1).sum()), "silent": int((frames["sum"] == 0).sum()),
    "changes": int(df.changes.sum()), "step": steps.median() / 1000,
    "length": length.median(), "width": df.width.median(), "area": df.area.quantile(.75),
}))
"""


def write_file(folder: Path, rows: int) -> Path:
    """Ground truth in AVA's eight columns."""
    rng = np.random.default_rng(rows)
    path = folder / "groundtruth.csv"
    tracks = rows // TRACK
    start = np.cumsum(rng.integers(0, TRACK, tracks))
    with path.open("w") as file:
        file.write(HEADER + "\n")
        for track in range(tracks):
            video = f"video{track * VIDEOS // tracks:06d}"
            left, top = rng.random(2) * 0.7
            wide, high = 0.03 + 0.2 * rng.random(2)
            box = f"{left:.6f},{top:.6f},{left + wide:.6f},{top + high:.6f}"
            turn, first = int(rng.integers(0, TRACK)), bool(rng.random() < 0.5)
            for frame in range(TRACK):
                label = "SPEAKING_AUDIBLE" if (frame < turn) is first else "NOT_SPEAKING"
                seconds = (start[track] + frame) / 25
                file.write(f"{video},{seconds:.2f},{box},{label},{video}:{track}\n")
    return path


def ours_of_all(path: Path) -> dict[str, float | None]:
    """What the peer prints, as `unitalk` says it."""
    from unitalk.dataset.stats import statistics

    total = statistics(path, csv_only=True).total
    return {
        "faces": total.faces, "tracks": total.tracks, "frames": total.frames,
        "hours": total.face_hours, "speaking": total.speaking_share,
        "alone": total.frames_by_faces.counts["1"],
        "silent": total.frames_by_speakers.counts["0"],
        "changes": total.label_changes, "step": total.step_seconds,
        "length": total.track_seconds.median, "width": total.width.median,
        "area": total.area.upper,
    }  # fmt: skip


def compare_programs(folder: Path, rows: int, repeat: int) -> list[Result]:
    """Measure `unitalk` and both peers on one file, and compare what they say."""
    path = write_file(folder, rows)
    python = [sys.executable]
    programs = {
        "unitalk stats --csv-only": [*python, "-m", "unitalk", "stats", str(path), "--csv-only"],
        "reading alone": [
            *python, "-c", "import sys; from unitalk import schema; "
            "schema.load(sys.argv[1], 'groundtruth', columns=schema.AVA_COLUMNS)", str(path),
        ],
        "pandas": [*python, "-c", PEER, str(path), ""],
        "pandas, categories": [*python, "-c", PEER, str(path), "yes"],
    }  # fmt: skip
    print(f"{'program':26}  {'seconds':>7}  {'MB':>6}   ({rows // TRACK * TRACK:,} rows)")
    said, times, memories = {}, {}, {}
    for name, command in programs.items():
        times[name], memories[name], said[name] = measure(command, repeat)
        print(f"{name:26}  {times[name]:7.2f}  {memories[name]:6.0f}")
    ours = ours_of_all(path)  # at last: a process begins with the memory of the one that starts it
    for name in ("pandas", "pandas, categories"):
        for key, value in json.loads(said[name]).items():
            if abs(value - ours[key]) > 1e-9 * abs(value):
                raise SystemExit(f"{key}: {name} says {value}, unitalk {ours[key]}")
    peers, on = ["pandas", "pandas, categories"], f"{rows:,} faces"
    alone = {"reading alone": times.pop("reading alone")}
    alone_memory = {"reading alone": memories.pop("reading alone")}
    return [
        *compared(times, "s", peers=peers, on=on),
        *compared(alone, "s", on=on),
        *compared(memories, "MB", peers=peers, on=on),
        *compared(alone_memory, "MB", on=on),
    ]


def compare_listings(root: Path, videos: int, tracks: int, faces: int) -> None:
    """Measure listing folders and a stat a file on one tree."""
    from unitalk.dataset.stats.stored_media import count_media
    from unitalk.layout import Layout
    from unitalk.progress import SilentProgress

    for video in range(videos):
        for track in range(tracks):
            folder = Layout(root).track("val", f"video{video}", f"video{video}:{track}")
            folder.mkdir(parents=True)
            for face in range(faces):
                (folder / f"{face / 25:.2f}.jpg").write_bytes(b"crop" * (300 + face))
    start = time.perf_counter()
    media = count_media(Layout(root), "val", SilentProgress())
    ours = time.perf_counter() - start
    start = time.perf_counter()
    exact = sum(
        os.stat(os.path.join(folder, name)).st_size
        for folder, _, names in os.walk(root)
        for name in names
    )
    theirs = time.perf_counter() - start
    print(f"listing {media.crops:,} files: {ours:.2f} s; a stat of each: {theirs:.2f} s")
    print(f"their bytes: {media.crop_bytes_about / exact - 1:+.2%} from the exact sum")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=4_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--media", type=int, nargs=3, metavar=("VIDEOS", "TRACKS", "FACES"))
    add_option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.media:
            compare_listings(Path(folder) / "tree", *arguments.media)
        else:
            found = compare_programs(Path(folder), arguments.rows, arguments.repeat)
            if arguments.record:
                write(__file__, found)


if __name__ == "__main__":
    main()

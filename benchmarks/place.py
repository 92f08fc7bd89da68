"""Time of `unitalk trim` and `unitalk convert-asc` beside copying, as the original scripts do it.

    python benchmarks/place.py [--videos 20] [--tracks 100] [--faces 100]

A tree of videos x tracks x faces small jpgs (200,000 by default) and a wav a track is placed whole:
by `shutil.copytree`, and by the verbs with each kind of link, whole processes with their start-up.
What was made is removed between two runs, and the disk is synced.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path
from typing import TYPE_CHECKING

from unitalk.schema import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable


def make_tree(root: Path, videos: int, tracks: int, faces: int) -> list[str]:
    """Write a dataset of meaningless bytes; returns its videos."""
    crop = os.urandom(3000)
    ids = [f"video{number:06d}" for number in range(videos)]
    (root / "csv").mkdir(parents=True)
    with (root / "csv/val_orig.csv").open("w") as rows:
        rows.write(",".join(COLUMNS) + "\n")
        for video in ids:
            (root / "clips_audios/val" / video).mkdir(parents=True)
            for entity in (f"{video}:{track}" for track in range(tracks)):
                folder = root / "clips_videos/val" / video / entity
                folder.mkdir(parents=True)
                sound = root / "clips_audios/val" / video / f"{entity}.wav"
                with wave.open(str(sound), "wb") as wav:
                    wav.setnchannels(1)
                    wav.setsampwidth(2)
                    wav.setframerate(16000)
                    wav.writeframes(bytes(2 * 640 * faces))
                for face in range(faces):
                    (folder / f"{face / 25:.2f}.jpg").write_bytes(crop)
                    key = f"{video},{face / 25},0.1,0.1,0.2,0.2,NOT_SPEAKING"
                    rows.write(f"{key},{entity},0,{entity}:0\n")
    return ids


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=20)
    parser.add_argument("--tracks", type=int, default=100)
    parser.add_argument("--faces", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder) / "source", Path(folder) / "made"
        ids = make_tree(source, arguments.videos, arguments.tracks, arguments.faces)
        (Path(folder) / "list").write_text("\n".join(ids))
        verbs = {
            "trim": ["trim", "--path", source, "--new-path", made, "--list", f"{folder}/list"],
            "convert-asc": ["convert-asc", "--source", source, "--destination", made],
        }
        copied = measure(lambda: shutil.copytree(source, made), made)
        print(f"{'shutil.copytree':24}  {copied:6.2f} s")
        for verb, line in verbs.items():
            for link in ("hard", "sym"):
                command = [sys.executable, "-m", "unitalk", "-q", *map(str, line), "--link", link]
                seconds = measure(
                    lambda c=command: subprocess.run(c, check=True, stdout=subprocess.DEVNULL), made
                )
                print(f"{f'{verb} --link {link}':24}  {seconds:6.2f} s  {copied / seconds:5.1f}x")


def measure(job: Callable[[], object], made: Path) -> float:
    """The seconds that a job takes, with a quiet disk before and nothing left after."""
    os.sync()
    start = time.perf_counter()
    job()
    seconds = time.perf_counter() - start
    shutil.rmtree(made)
    return seconds


if __name__ == "__main__":
    main()

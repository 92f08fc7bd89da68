"""Time of `unitalk trim` and `unitalk convert-asc` beside copying, as the original scripts do it.

    python benchmarks/place.py [--videos 6] [--tracks 416] [--faces 82] [--bytes 25000] [--rounds 3]
        [--record]

UniTalk has 4.0 million crops in 100 to 200 GB, 48,693 tracks in 117 videos: a crop has 25 to 50 kB,
a track 82 faces, a video 416 tracks. The tree has that shape, the smaller crops (which favour
copying), and 6 videos: 204,672 jpgs and 2,496 wavs, 5.4 GB. All of it is placed: by the original
scripts' way (`shutil.copytree` of each video's or each track's folder, pandas for the csv), and by
our verbs with each kind of link. Each is a process of its own with its start-up; what it reads of
the source was read just before, so that it is in memory; and what it writes is written out (`sync`)
before the clock is stopped. The best of the rounds counts.

Nothing is removed between two runs: ext4 does not use an inode again for minutes after its file was
removed, and would look at each such one for every new file. Copies are emptied instead, to need no
more than twice the tree's room.
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
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from _results import add_option, compared, write

if TYPE_CHECKING:
    from collections.abc import Sequence

CHUNK = 1 << 20


def make_tree(root: Path, videos: int, tracks: int, faces: int, size: int = 25_000) -> list[str]:
    """Write a dataset of meaningless bytes, `size` of them a crop; returns its videos."""
    from unitalk.schema import COLUMNS

    crop = os.urandom(size)
    sound = bytes(2 * 640 * faces)
    ids = [f"video{number:06d}" for number in range(videos)]
    (root / "csv").mkdir(parents=True)
    with (root / "csv/val_orig.csv").open("w") as rows:
        rows.write(",".join(COLUMNS) + "\n")
        for video in ids:
            (root / "clips_audios/val" / video).mkdir(parents=True)
            for entity in (f"{video}:{track}" for track in range(tracks)):
                folder = root / "clips_videos/val" / video / entity
                folder.mkdir(parents=True)
                path = root / "clips_audios/val" / video / f"{entity}.wav"
                with wave.open(str(path), "wb") as wav:
                    wav.setnchannels(1)
                    wav.setsampwidth(2)
                    wav.setframerate(16000)
                    wav.writeframes(sound)
                for face in range(faces):
                    (folder / f"{face / 25:.2f}.jpg").write_bytes(crop)
                    key = f"{video},{face / 25},0.1,0.1,0.2,0.2,NOT_SPEAKING"
                    rows.write(f"{key},{entity},0,{entity}:0\n")
    return ids


def trim_by_copying(source: Path, made: Path, listed: Path) -> None:
    """What trimming is without us: the rows by pandas, each video's two folders by copytree."""
    import pandas as pd

    ids = listed.read_text().split()
    rows = pd.read_csv(source / "csv/val_orig.csv")
    (made / "csv").mkdir(parents=True)
    for part in ("clips_audios", "clips_videos"):
        (made / part / "val").mkdir(parents=True)
        for video in ids:
            shutil.copytree(source / part / "val" / video, made / part / "val" / video)
    rows[rows["video_id"].isin(ids)].to_csv(made / "csv/val_orig.csv", index=False)


def flatten_by_copying(source: Path, made: Path, _: Path) -> None:
    """What converting is without us: each track's folder by copytree, each wav by copy."""
    import pandas as pd

    shutil.copytree(source / "csv", made / "csv")
    clips, sounds = made / "clips_videos/val", made / "clips_audios/val"
    clips.mkdir(parents=True)
    sounds.mkdir(parents=True)
    for video in os.listdir(source / "clips_videos/val"):
        for track in os.listdir(source / "clips_videos/val" / video):
            shutil.copytree(source / "clips_videos/val" / video / track, clips / track)
        for wav in os.listdir(source / "clips_audios/val" / video):
            shutil.copy(source / "clips_audios/val" / video / wav, sounds / wav)
    (made / "gt").mkdir()
    for video, rows in pd.read_csv(source / "csv/val_orig.csv").groupby("video_id"):
        rows.to_csv(made / f"gt/{video}.csv", index=False, header=False)


PEERS = {"trim": trim_by_copying, "convert-asc": flatten_by_copying}


def warm(root: Path, *, contents: bool) -> int:
    """Look at every file, and read it where a run will; returns the bytes that were read."""
    count = 0
    for folder, _, names in os.walk(root):
        for name in names:
            if name.endswith(".jpg") and not contents:  # our verbs open no crop
                os.stat(os.path.join(folder, name))
                continue
            with open(os.path.join(folder, name), "rb", buffering=0) as file:
                while piece := file.read(CHUNK):
                    count += len(piece)
    return count


def measure(command: Sequence[object]) -> tuple[float, float]:
    """The seconds that a process takes until all is on the disk, and those on a processor."""
    os.sync()
    before = os.times()
    start = time.perf_counter()
    subprocess.run([*map(str, command)], check=True, stdout=subprocess.DEVNULL)
    os.sync()
    seconds = time.perf_counter() - start
    after = os.times()
    return seconds, sum(after[2:4]) - sum(before[2:4])


def check(made: Path, jpgs: int) -> None:
    """Refuse to time what did not do its work."""
    found = sum(name.endswith(".jpg") for _, _, names in os.walk(made, followlinks=True)
                for name in names)  # fmt: skip
    if found != jpgs:
        raise SystemExit(f"{made} has {found:,} jpgs and not {jpgs:,}")


def empty(made: Path) -> None:
    """Give the room of a copy back; its names and inodes stay."""
    for folder, _, names in os.walk(made):
        for name in names:
            os.truncate(os.path.join(folder, name), 0)


def commands(folder: Path) -> dict[tuple[str, str], list[object]]:
    """What is measured: (verb, way) -> the command less its destination."""
    source, listed = folder / "source", folder / "list"
    ours = [sys.executable, "-m", "unitalk", "-q"]
    found: dict[tuple[str, str], list[object]] = {}
    for verb, line in {
        "trim": ["--path", source, "--list", listed, "--new-path"],
        "convert-asc": ["--source", source, "--destination"],
    }.items():
        for link in ("sym", "hard"):
            found[verb, f"--link {link}"] = [*ours, verb, "--link", link, *line]
        found[verb, "copied"] = [sys.executable, __file__, "--peer", verb, source, listed]
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=6)
    parser.add_argument("--tracks", type=int, default=416, help="of a video")
    parser.add_argument("--faces", type=int, default=82, help="of a track")
    parser.add_argument("--bytes", type=int, default=25_000, help="of a crop")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help="where to write; default: the system's temporary folder")
    add_option(parser)
    parser.add_argument("--peer", nargs=4, metavar=("VERB", "SOURCE", "LIST", "MADE"),
                        help=argparse.SUPPRESS)  # fmt: skip
    given = parser.parse_args()
    if given.peer:
        verb, source, listed, made = given.peer
        PEERS[verb](Path(source), Path(made), Path(listed))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        compare(Path(name), given)


def compare(folder: Path, given: argparse.Namespace) -> None:
    """Make the tree, run everything in rounds, and print the best of each."""
    jpgs = given.videos * given.tracks * given.faces
    ids = make_tree(folder / "source", given.videos, given.tracks, given.faces, given.bytes)
    (folder / "list").write_text("\n".join(ids))
    size = warm(folder / "source", contents=True)
    print(f"{jpgs:,} jpgs of {given.bytes:,} bytes in {given.videos * given.tracks:,} tracks of "
          f"{given.videos} videos, {size / 1e9:.1f} GB", flush=True)  # fmt: skip
    times: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for number in range(given.rounds):
        for (verb, way), command in commands(folder).items():
            made = folder / f"{verb} {way} {number}"
            warm(folder / "source", contents=way == "copied")
            times[verb, way].append(measure([*command, made]))
            check(made, jpgs)
            if way == "copied":
                empty(made)
    for (verb, way), rounds in times.items():
        seconds, busy = min(rounds)
        ratio = min(times[verb, "copied"])[0] / seconds
        slowest = max(rounds)[0]
        row = f"{verb} {way}"
        print(f"{row:24} {seconds:7.2f} s {ratio:7.1f}x   {busy:6.2f} s of a processor, "
              f"the slowest of {len(rounds)} {slowest:.2f} s", flush=True)  # fmt: skip
    if given.record:
        found = []
        for verb in PEERS:
            copied = f"{verb} by copying"
            values = {
                copied if way == "copied" else f"unitalk {verb} {way}": min(rounds)[0]
                for (of, way), rounds in times.items()
                if of == verb
            }
            found += compared(values, "s", peers=[copied], on=f"{jpgs:,} crops")
        write(__file__, found)


if __name__ == "__main__":
    main()

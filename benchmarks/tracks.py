"""Reading face tracks: tracks and faces a second, by where they lie and by how many workers.

    python benchmarks/tracks.py [--tracks 750] [--faces 80] [--width 100 200] [--rounds 3]
        [--record]

Every face becomes gray, 112 x 112, and every sound an array of samples. The peers do the same to
the same files: a plain loop over the csv's rows with Pillow and `wave`, and the chain of the
models' loaders, `cv2.imread`, `cv2.cvtColor`, `cv2.resize`. Each is a process of its own, and they
take turns; the best of the rounds counts. A process's start, its imports and the reading of the csv
files are measured apart, as they are paid once; the first look at each archive is part of reading.

The crops are drawn, 300 different ones by the sample's hand, and
hard-linked under the names of all faces (60,000 by default). So the archives and the shards are
read from more memory than the folders are; what a processor does is the same. All is read once
before, so that it is cached, as far as memory goes. The last column is the whole of UniTalk:
48,693 tracks, 4.0 million faces, by the time of a face.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import wave
import zipfile
from pathlib import Path

import numpy as np
from _results import add_option, compared, write
from PIL import Image

SIZE = 112
UNITALK = 4_000_000
DRAWN = 300


# ------------------------------------------------------------------------------ what is read


def make_tree(root: Path, tracks: int, faces: int, widths: tuple[int, int]) -> float:
    """Write a dataset of drawn faces, its archives beside it; returns the mean bytes of a crop."""
    from unitalk.schema import COLUMNS

    crops = draw(root / "drawn", widths)
    sound = np.random.default_rng(0).integers(-3000, 3000, 640 * faces, dtype="<i2").tobytes()
    rows = [",".join(COLUMNS)]
    for number in range(tracks):
        video = f"video{number // 250:06d}"
        entity = f"{video}:{number}"
        folder = root / "clips_videos/val" / video / entity
        folder.mkdir(parents=True)
        path = root / "clips_audios/val" / video / f"{entity}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as wav:
            wav.setnchannels(1)
            wav.setsampwidth(2)
            wav.setframerate(16000)
            wav.writeframes(sound)
        for face in range(faces):
            os.link(crops[(number * 7 + face) % DRAWN], folder / f"{face / 25:.2f}.jpg")
            rows.append(f"{video},{face / 25},0.1,0.1,0.2,0.2,NOT_SPEAKING,{entity},0,{entity}:0")
    (root / "csv").mkdir()
    (root / "csv/val_orig.csv").write_text("\n".join(rows) + "\n")
    for kind in ("clips_videos", "clips_audios"):
        for video in sorted((root / kind / "val").iterdir()):
            pack(video, root / "archives" / kind / "val" / f"{video.name}.zip")
    return sum(crop.stat().st_size for crop in crops) / len(crops)


def draw(folder: Path, widths: tuple[int, int]) -> list[Path]:
    """Draw faces between two widths, a sixth higher than wide, several people."""
    from unitalk.dataset.drawing import draw_crops, speak

    folder.mkdir(parents=True)
    paths = []
    for person in range(10):
        rng = np.random.default_rng(person)
        frames = DRAWN // 10
        across = np.linspace(*widths, frames).astype(int)
        sizes = np.stack([across, across * 7 // 6], axis=1)
        for crop in draw_crops(rng, *speak(rng, frames).mouth(), sizes):
            paths.append(folder / f"{len(paths)}.jpg")
            # As `cv2.imwrite` packs, by which crops are usually written.
            Image.open(io.BytesIO(crop)).save(paths[-1], quality=95)
    return paths


def pack(folder: Path, archive: Path) -> None:
    """Write one video's files as the hub has them."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(folder.rglob("*.*")):
            packed.write(path, path.relative_to(folder.parent).as_posix())


# ------------------------------------------------------------------------------ the peers


def by_rows(root: Path) -> dict[tuple[str, str], list[str]]:
    """Each track's times as the csv writes them."""
    found: dict[tuple[str, str], list[str]] = {}
    with (root / "csv/val_orig.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            key = row["video_id"], row["entity_id"]
            found.setdefault(key, []).append(row["frame_timestamp"])
    return found


def hear(path: Path) -> np.ndarray:
    """A sound's samples."""
    with wave.open(str(path)) as sound:
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2")


def with_pillow(root: Path) -> float:
    """A plain loop: Pillow opens, makes gray and resizes each crop; returns the seconds."""
    rows = by_rows(root)
    start = time.perf_counter()
    for (video, entity), times in rows.items():
        folder = root / "clips_videos/val" / video / entity
        grays = []
        for text in times:
            with Image.open(folder / f"{float(text):.2f}.jpg") as picture:
                gray = picture.convert("RGB").convert("L")
            grays.append(np.asarray(gray.resize((SIZE, SIZE), Image.Resampling.BILINEAR)))
        np.stack(grays)
        hear(root / "clips_audios/val" / video / f"{entity}.wav")
    return time.perf_counter() - start


def with_opencv(root: Path) -> float:
    """The chain of the models' loaders; returns the seconds."""
    import cv2

    rows = by_rows(root)
    start = time.perf_counter()
    for (video, entity), times in rows.items():
        folder = root / "clips_videos/val" / video / entity
        grays = []
        for text in times:
            read = cv2.imread(str(folder / f"{float(text):.2f}.jpg"))
            gray = cv2.cvtColor(read, cv2.COLOR_BGR2GRAY)
            grays.append(cv2.resize(gray, (SIZE, SIZE)))
        np.stack(grays)
        hear(root / "clips_audios/val" / video / f"{entity}.wav")
    return time.perf_counter() - start


# ------------------------------------------------------------------------------ ours


def read(track) -> int:  # noqa: ANN001 - a Track
    """What one worker does with a track; little travels back."""
    return len(track.gray(SIZE)) + 0 * len(track.audio["array"])


def ours(root: Path, source: str, jobs: int) -> float:
    """Read every track by so many workers, which are started before; returns the seconds."""
    from unitalk.executor import open_executor
    from unitalk.media.tracks import tracks

    found = tracks(root, source=source)
    with open_executor(jobs=jobs) as executor:
        # The first ones start the processes and their imports, and are read once more.
        warm = 0 if jobs == 1 else 2 * jobs
        order = [*range(warm), *range(len(found))]
        results = executor.run(read, found.pick(order))
        for _ in range(warm):
            next(results)
        start = time.perf_counter()
        faces = sum(results)
        seconds = time.perf_counter() - start
    if faces != found.faces:
        raise SystemExit(f"{faces:,} of {found.faces:,} faces were read")
    return seconds


def shards(root: Path, jobs: int) -> float:
    """Read every shard of `unitalk export webdataset` by so many workers; returns the seconds."""
    from unitalk.executor import open_executor

    paths = sorted((root.parent / "shards").glob("**/*.tar"))
    with open_executor(jobs=jobs) as executor:
        warm = 0 if jobs == 1 else jobs
        results = executor.run(read_shard, paths[:warm] + paths)
        for _ in range(warm):
            next(results)
        start = time.perf_counter()
        faces = sum(results)
        return (time.perf_counter() - start) if faces else float("nan")


def read_shard(path: Path) -> int:
    """Read the tracks of one shard from its begin to its end; returns their faces."""
    from unitalk.media.tracks import crop_pixels, sound_samples
    from unitalk.media.tracks.media_files import Crops, Sound

    count = 0
    jpgs: list[bytes] = []
    with tarfile.open(path, "r|") as shard:
        for member in shard:
            data = shard.extractfile(member).read()
            if member.name.endswith(".wav"):
                sound_samples.samples(Sound(data, member.name, "", ""))
            elif member.name.endswith(".json"):  # a track's first file
                count += len(crop_pixels.grays(Crops(jpgs, str, ""), SIZE))
                jpgs.clear()
            else:
                jpgs.append(data)
    return count + len(crop_pixels.grays(Crops(jpgs, str, ""), SIZE))


def make_shards(root: Path) -> None:
    """Write the dataset's shards, enough for several workers."""
    from unitalk.dataset.export import export_tracks

    size = sum(path.stat().st_size for path in root.glob("archives/*/*/*.zip"))
    export_tracks(root, root.parent / "shards", form="webdataset", shard_size=size // 16)


WAYS = {
    "Pillow and wave": (with_pillow,),
    "cv2.imread chain": (with_opencv,),
    "folders, 1 worker": (ours, "folders", 1),
    "folders, 2 workers": (ours, "folders", 2),
    "archives, 1 worker": (ours, "archives", 1),
    "archives, 2 workers": (ours, "archives", 2),
    "shards, 1 worker": (shards, 1),
    "shards, 2 workers": (shards, 2),
}


def opening(root: Path) -> float:
    """The seconds that it takes to read the csv files."""
    from unitalk.media.tracks import tracks

    start = time.perf_counter()
    tracks(root)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=750)
    parser.add_argument("--faces", type=int, default=80)
    parser.add_argument("--width", type=int, nargs=2, default=(100, 200), metavar="PIXELS")
    parser.add_argument("--rounds", type=int, default=3)
    add_option(parser)
    parser.add_argument("--only", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        way, root = given.only
        function, *options = (*WAYS.get(way, (opening,)),)
        print(json.dumps(function(Path(root), *options)))
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "dataset"
        size = make_tree(root, given.tracks, given.faces, tuple(given.width))
        make_shards(root)
        faces = given.tracks * given.faces
        rates = report(root, given.tracks, faces, size, given.rounds)
    if given.record:
        narrow, wide = given.width
        peers, on = ["Pillow and wave", "cv2.imread chain"], f"crops {narrow} to {wide} pixels wide"
        write(__file__, compared(rates, "faces/s", peers=peers, on=on, more_is_better=True))


def report(root: Path, tracks: int, faces: int, size: float, rounds: int) -> dict[str, float]:
    """Let all ways take turns, print the best of each, and return its faces per second."""
    print(f"{tracks:,} tracks, {faces:,} faces, {size / 1e3:.1f} kB a crop, {os.cpu_count()} CPUs")
    best: dict[str, float] = {}
    for _ in range(rounds):
        for way in (*WAYS, "opening"):
            seconds = once(way, root)
            best[way] = min(best.get(way, seconds), seconds)
    print(f"reading the csv files: {best.pop('opening'):.2f} s, once")
    print(f"{'':20}  {'tracks/s':>8}  {'faces/s':>8}  {'ms a face':>9}  {'UniTalk':>9}")
    for way, seconds in best.items():
        each = seconds / faces
        print(
            f"{way:20}  {tracks / seconds:8,.0f}  {faces / seconds:8,.0f}  {each * 1e3:9.4f}  "
            f"{each * UNITALK / 60:5.1f} min"
        )
    return {way: faces / seconds for way, seconds in best.items()}


def once(way: str, root: Path) -> float:
    """The seconds that one way takes in a process of its own."""
    command = [sys.executable, __file__, "--only", way, str(root)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(ran.stdout))


if __name__ == "__main__":
    main()

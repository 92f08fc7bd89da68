"""Builds the csv files, datasets and archives that tests read: the one place where they are drawn.

A dataset is described by its tracks::

    track("EEey6Pt0rqI:0", 9, first=25)                 # 9 faces at 25 fps, the first at 1.0 s
    Track("EEey6Pt0rqI:1", ["0.4", "12"], [0, 1])       # two faces, with times as written here

    make_dataset(root, {"EEey6Pt0rqI": [...]})          # csv/val_orig.csv, crops that are no
                                                        # pictures, and wavs that say nothing
    make_real(make_dataset(root, {...}, split="train")) # pictures that decode, and noise

`make_small` and `make_tiny` are two such datasets with a train and a val split, `pack` turns one
into the archives that a download keeps, and `read_rows` reads a csv file with none of our code.
Single csv files are made from `face` (one row) or `track_rows` (all rows of a track) with
`write_csv`.
"""

from __future__ import annotations

import csv
import io
import shutil
import wave
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

HEADER = (
    "video_id,frame_timestamp,entity_box_x1,entity_box_y1,entity_box_x2,entity_box_y2,"
    "label,entity_id,label_id,instance_id"
)


# ------------------------------------------------------------------------------ csv files


def face(video: str, time: str, entity: str, speaking: int, instance: int = 0) -> list[str]:
    """One row of ten cells, in the schema's order."""
    label = "SPEAKING_AUDIBLE" if speaking else "NOT_SPEAKING"
    box = ["0.1", "0.2", "0.3", "0.45"]
    return [video, time, *box, label, entity, str(speaking), f"{entity}:{instance}"]


@dataclass(frozen=True)
class Track:
    """One track of a dataset.

    Attributes:
        entity: its id.
        times: as the csv writes them.
        labels: 1 for speaking, 0 for not, one per face.
        names: the names of the face files; `<time with two decimals>.jpg` by default.
        seconds: the length of the wav; by default that of the faces at 25 fps.
    """

    entity: str
    times: list[str]
    labels: list[int]
    names: list[str] | None = None
    seconds: float | None = None


def track(entity: str, count: int, *, first: int = 0, rate: float = 25.0, every: int = 3) -> Track:
    """A track of `count` faces that begins at frame `first`; the label changes `every` faces."""
    times = [repr(round((first + n) / rate, 2)) for n in range(count)]
    return Track(entity, times, [n // every % 2 for n in range(count)])


def track_rows(video: str, one: Track) -> list[list[str]]:
    """The rows of one track; a new instance begins with each change of the label."""
    rows = []
    instance, before = -1, None
    for time, label in zip(one.times, one.labels, strict=True):
        instance += label != before
        before = label
        rows.append(face(video, time, one.entity, label, instance))
    return rows


def write_csv(path: Path, rows: list[list[str]], header: str | None = HEADER) -> Path:
    """Write rows below a header; with `None` there is no header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    if header:
        text.write(header + "\n")
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a csv file that has a header, as text."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# ------------------------------------------------------------------------------ media


def jpg(seed: int, width: int = 40, height: int = 50) -> bytes:
    """A smooth picture in colour."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8))
    file = io.BytesIO()
    small.resize((width, height), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
    return file.getvalue()


def write_wav(path: Path, seconds: float, *, rate: int = 16_000, noise: int | None = None) -> None:
    """Write a mono wav: silence, or noise that depends on the seed `noise`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = round(seconds * rate)
    samples = np.ones(count, "<i2") * 257
    if noise is not None:
        rng = np.random.default_rng(noise)
        samples = rng.normal(0, 300 + noise % 300, count).astype("<i2")
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples.tobytes())


# ------------------------------------------------------------------------------ datasets


def make_dataset(root: Path, videos: dict[str, list[Track]], *, split: str = "val") -> Path:
    """Write a split as the original scripts leave one: no marker, times as pandas writes them."""
    rows = []
    for video, tracks in videos.items():
        for one in tracks:
            folder = root / "clips_videos" / split / video / one.entity
            folder.mkdir(parents=True)
            for name in one.names or [f"{float(time):.2f}.jpg" for time in one.times]:
                (folder / name).write_bytes(f"{video} {one.entity} {name}".encode())
            seconds = one.seconds
            if seconds is None:
                seconds = float(one.times[-1]) - float(one.times[0]) + 0.04
            write_wav(root / "clips_audios" / split / video / f"{one.entity}.wav", seconds)
            rows += track_rows(video, one)
    write_csv(root / "csv" / f"{split}_orig.csv", rows)
    return root


def make_real(root: Path) -> Path:
    """Give every crop of a dataset a picture of its own, and every wav a noise of its own."""
    for path in root.glob("clips_videos/*/*/*/*.jp*g"):
        seed = zlib.crc32(path.relative_to(root).as_posix().encode())
        path.write_bytes(jpg(seed, 40 + seed % 7, 50 + seed % 5))
    for path in root.glob("clips_audios/*/*/*.wav"):
        with wave.open(str(path)) as sound:
            seconds = sound.getnframes() / sound.getframerate()
        write_wav(path, seconds, noise=zlib.crc32(path.relative_to(root).as_posix().encode()))
    return root


def make_small(root: Path) -> Path:
    """Two train videos and five of val, those of the category noise too; tracks of 1 to 6 faces."""
    noise = ["EEey6Pt0rqI", "9Zja_cIAwY8", "Hyk-WhQBIq0"]
    for split, videos in {
        "train": ["SFa5_upNcHM", "-ASZexdSdWE"],
        "val": ["-maoolmiKi0", *noise],
    }.items():
        drawn: dict[str, list[Track]] = {}
        for place, video in enumerate(videos):
            drawn[video] = []
            for number in range(2 + place % 4):
                first, count = 10 * place + 25 * number, 1 + (place + 2 * number) % 6
                times = [repr(round((first + n) / 25, 2)) for n in range(count)]
                labels = [(n + number) % 3 // 2 for n in range(count)]
                drawn[video].append(Track(f"{video}:{number}", times, labels))
        make_dataset(root, drawn, split=split)
    return make_real(root)


def make_tiny(root: Path) -> Path:
    """Two splits of two videos, seven tracks: 26 faces to train on and 22 to try on."""
    for split, videos in {
        "train": {"aaaaaaaaaaa": (9, 4, 4), "-bbbbbbbbbb": (6, 3)},
        "val": {"ccccccccccc": (8, 5), "ddddddddddd": (6, 3)},
    }.items():
        drawn = {
            video: [track(f"{video}:{n}", count, first=40 * n) for n, count in enumerate(counts)]
            for video, counts in videos.items()
        }
        make_dataset(root, drawn, split=split)
    return make_real(root)


def pack(source: Path, root: Path, *, top: bool = True, method: int = zipfile.ZIP_STORED) -> Path:
    """Write a dataset with its csv files, and its media in archives as a download keeps them."""
    shutil.copytree(source / "csv", root / "csv")
    for kind in ("clips_videos", "clips_audios"):
        for video in sorted(source.glob(f"{kind}/*/*")):
            path = root / "archives" / f"{video.relative_to(source)}.zip"
            path.parent.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(path, "w", method) as archive:
                for file in sorted(video.rglob("*")):
                    inner = file.relative_to(video.parent if top else video)
                    archive.write(file, inner.as_posix())
    return root

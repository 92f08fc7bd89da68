"""A dataset with real pictures, small enough to be made for each process; and its archives."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import numpy as np
from conftest import Tracks, make_dataset
from PIL import Image

from unitalk.catalog import video_list


def jpg(seed: int, width: int = 40, height: int = 50) -> bytes:
    """A smooth picture in colours."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8))
    file = io.BytesIO()
    small.resize((width, height), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
    return file.getvalue()


def real_crops(root: Path) -> Path:
    """Put a picture of its own into every jpg of a dataset."""
    for number, path in enumerate(sorted(root.glob("clips_videos/*/*/*/*.jp*g"))):
        path.write_bytes(jpg(number, 40 + number % 7, 50 + number % 5))
    return root


def make_small(root: Path) -> Path:
    """Two train videos and some of val, those of one category too; tracks of 1 to 6 faces."""
    noise = [video.video_id for video in video_list.select(categories=("noise",))]
    for split, videos in {
        "train": ["SFa5_upNcHM", "-ASZexdSdWE"],
        "val": ["-maoolmiKi0", *noise, "EEey6Pt0rqI", "9Zja_cIAwY8"],
    }.items():
        drawn: dict[str, list[Tracks]] = {}
        for place, video in enumerate(videos):
            drawn[video] = []
            for number in range(2 + place % 4):
                first, count = 10 * place + 25 * number, 1 + (place + 2 * number) % 6
                times = [repr(round((first + n) / 25, 2)) for n in range(count)]
                labels = [(n + number) % 3 // 2 for n in range(count)]
                drawn[video].append(Tracks(f"{video}:{number}", times, labels))
        make_dataset(root, drawn, split=split)
    return real_crops(root)


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

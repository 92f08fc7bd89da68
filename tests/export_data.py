"""A small dataset of real pictures and real sound, and what its tracks are by its own files."""

from __future__ import annotations

import csv
import io
import wave
from pathlib import Path

import numpy as np
from build import write_csv
from PIL import Image

# split -> video -> of each track its first time in seconds and its number of faces
DRAWN = {
    "train": {"-maoolmiKi0": [(0.36, 12), (0.4, 1), (7.0, 20)]},
    "val": {
        "EEey6Pt0rqI": [(0.96, 25), (12.0, 9), (900.2, 1), (3.0, 30)],
        "9Zja_cIAwY8": [(0.0, 40), (2.0, 17), (2.04, 5)],
    },
}
TRACKS = {"train": 3, "val": 7}
FACES = {"train": 33, "val": 127}


def make_pictured(root: Path) -> Path:
    """Write the dataset as the original scripts leave one; no two faces or sounds are equal."""
    random = np.random.default_rng(5)
    for split, videos in DRAWN.items():
        rows = []
        for video, tracks in videos.items():
            for number, (start, count) in enumerate(tracks):
                entity = f"{video}:{number}"
                folder = root / "clips_videos" / split / video / entity
                folder.mkdir(parents=True)
                for place in range(count):
                    time = round(start + place / 25, 2)
                    pixels = random.integers(0, 256, (40 + number, 32 + place % 3, 3), np.uint8)
                    Image.fromarray(pixels).save(folder / f"{time:.2f}.jpg", quality=70)
                    label = int(random.integers(2))
                    box = [f"{edge:.6f}" for edge in random.random(4)]
                    name = "SPEAKING_AUDIBLE" if label else "NOT_SPEAKING"
                    rows.append([video, repr(time), *box, name, entity, str(label), f"{entity}:0"])
                sound = root / "clips_audios" / split / video / f"{entity}.wav"
                sound.parent.mkdir(parents=True, exist_ok=True)
                with wave.open(str(sound), "wb") as file:
                    file.setnchannels(1)
                    file.setsampwidth(2)
                    file.setframerate(16000)
                    noise = random.integers(-9000, 9000, 640 * count, np.int16)
                    file.writeframes(noise.astype("<i2").tobytes())
        write_csv(root / "csv" / f"{split}_orig.csv", rows)
    return root


def on_disk(root: Path, split: str) -> list[dict]:
    """A split's tracks from the folders and the csv file, with none of our code."""
    rows: dict[str, list[dict]] = {}
    with (root / f"csv/{split}_orig.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["entity_id"], []).append(row)
    found = []
    for entity, own in rows.items():
        video = own[0]["video_id"]
        folder = root / "clips_videos" / split / video / entity
        wav = (root / "clips_audios" / split / video / f"{entity}.wav").read_bytes()
        with wave.open(io.BytesIO(wav)) as sound:
            samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
        edges = [f"entity_box_{edge}" for edge in ("x1", "y1", "x2", "y2")]
        jpgs = sorted(folder.iterdir(), key=lambda path: float(path.name.removesuffix(".jpg")))
        found.append(
            {
                "entity_id": entity,
                "video_id": video,
                "jpgs": [path.read_bytes() for path in jpgs],
                "wav": wav,
                "samples": samples,
                "frame_timestamp": [float(row["frame_timestamp"]) for row in own],
                "label_id": [int(row["label_id"]) for row in own],
                "boxes": [[float(row[edge]) for edge in edges] for row in own],
            }
        )
    assert [len(track["jpgs"]) for track in found] == [
        faces for tracks in DRAWN[split].values() for _, faces in tracks
    ]
    return found

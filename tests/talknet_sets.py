"""Small datasets to train on: real pictures, sounds that differ, tracks of a few faces."""

from __future__ import annotations

import threading
import wave
from pathlib import Path

import numpy as np
from conftest import Tracks, make_dataset
from face_tracks import real_crops


def track(entity: str, count: int, *, first: int = 0, rate: float = 25.0, every: int = 3) -> Tracks:
    """A track of so many faces; every so many faces the label changes."""
    times = [repr(round((first + n) / rate, 2)) for n in range(count)]
    return Tracks(entity, times, [n // every % 2 for n in range(count)])


def sounds(root: Path, *, rate: int = 16_000) -> Path:
    """Put noise of its own, a little louder in each, into every wav of a dataset."""
    for number, path in enumerate(sorted(root.glob("clips_audios/*/*/*.wav"))):
        with wave.open(str(path)) as sound:
            count = sound.getnframes()
        rng = np.random.default_rng(number)
        loud = rng.normal(0, 300 + 40 * number, count).astype("<i2")
        with wave.open(str(path), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(rate)
            sound.writeframes(loud.tobytes())
    return root


def make_tiny(root: Path) -> Path:
    """Two splits of two videos, seven tracks, 26 faces to train on and 22 to try on."""
    for split, videos in {
        "train": {"aaaaaaaaaaa": (9, 4, 4), "-bbbbbbbbbb": (6, 3)},
        "val": {"ccccccccccc": (8, 5), "ddddddddddd": (6, 3)},
    }.items():
        drawn = {
            video: [track(f"{video}:{n}", count, first=40 * n) for n, count in enumerate(counts)]
            for video, counts in videos.items()
        }
        make_dataset(root, drawn, split=split)
    return sounds(real_crops(root))


class StopAfter(threading.Event):
    """Is set when it was looked at so many times: once a batch, and once a track of val."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0

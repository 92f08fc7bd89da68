"""Score a dataset with a real network, whole, or with a fault that a wrong pipeline would have.

A faulty dataset borrows what is not wrong from the whole one by symbolic links. Nearly all time
goes into looking at faces, so `looking_once` lets the same faces be looked at once.
"""

from __future__ import annotations

import csv
import hashlib
import os
import wave
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from unitalk import evaluate
from unitalk.dataset.crop import cut_crops, find_csvs
from unitalk.layout import Layout
from unitalk.models.light_asd.network import VisualEncoder
from unitalk.models.predict import PredictOptions, predict
from unitalk.schema import COLUMNS, LABEL, NOT_SPEAKING, SCORE, SPEAKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import torch

    Track = tuple[str, str]  # a video and an entity
    Fault = Callable[[Path, Path], Path]  # from a dataset and a new folder to the faulty dataset

RATE = 16_000
FRAME = RATE // 25
"""Samples of one frame at 25 frames a second."""


def cut_scene(folder: Path, videos: Path | None = None) -> Path:
    """Cut the faces of `folder/val_orig.csv` out of `folder/videos`: the dataset `folder/data`."""
    rows, made = folder / "val_orig.csv", folder / "data"
    report = cut_crops(find_csvs(rows), made, video_dir=videos or folder / "videos", source=rows)
    if report.findings or report.notes:
        raise RuntimeError(f"not cut well: {report.findings} {report.notes}")
    return made


def annotate_swwp2s(folder: Path) -> None:
    """Write the faces of GRID's video swwp2s, `folder/val_orig.csv`: 75 frames of 360 x 288 pixels.

    The first word begins at 0.49 s and the last one ends at 2.21 s, says GRID's alignment; the face
    stays within one box. Half a pixel more, so that the box comes to whole pixels when cut down.
    """
    box = [118.5 / 360, 75.5 / 288, 246.5 / 360, 262.5 / 288]
    with (folder / "val_orig.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for seconds in (round(n / 25, 2) for n in range(75)):
            speaks = 0.49 <= seconds <= 2.21
            label = SPEAKING if speaks else NOT_SPEAKING
            turn = int(seconds >= 0.49) + int(seconds > 2.21)
            names = [label, "swwp2s:0", int(speaks), f"swwp2s:0:{turn}"]
            writer.writerow(["swwp2s", seconds, *box, *names])


# ------------------------------------------------------------------------------ what it scores


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """What a network says of a dataset.

    Attributes:
        ap: the average precision.
        speaking: [faces] whether each speaks, in the order of the csv.
        scores: [faces] its probability, likewise.
    """

    ap: float
    speaking: np.ndarray
    scores: np.ndarray

    @property
    def talks(self) -> float:
        """The mean probability of faces that speak."""
        return float(self.scores[self.speaking].mean())

    @property
    def keeps_quiet(self) -> float:
        """The mean probability of faces that do not speak."""
        return float(self.scores[~self.speaking].mean())


def score(data: Path, weights: Path) -> Scored:
    """Run `predict` and `evaluate` on the val split; the predictions lie in the dataset."""
    truth, made = Layout(data).csv("val"), data / "predictions.csv"
    predict(data, weights, made, options=PredictOptions(device="cpu", threads=1))
    result = evaluate(truth, made)
    return Scored(
        ap=result.average_precision,
        speaking=np.array([cell == SPEAKING for cell in _column(truth, LABEL)]),
        scores=np.array(_column(made, SCORE), float),
    )


def _column(path: Path, name: str) -> list[str]:
    with path.open(newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


@contextmanager
def looking_once() -> Iterator[None]:
    """Let the network remember what it made of faces, whatever they are heard with."""
    encode = VisualEncoder.forward
    known: dict[bytes, torch.Tensor] = {}

    def forward(self: VisualEncoder, faces: torch.Tensor) -> torch.Tensor:
        key = hashlib.sha256(faces.numpy().tobytes()).digest()
        if key not in known:
            known[key] = encode(self, faces)
        return known[key]

    with _instead(forward):
        yield


# ------------------------------------------------------------------------------ wrong sounds


def tracks_of(data: Path) -> list[Track]:
    """The tracks of the val split, by their sounds."""
    found = (data / "clips_audios/val").glob("*/*.wav")
    return sorted((path.parent.name, path.stem) for path in found)


def _next_of(data: Path) -> dict[Track, Track]:
    tracks = tracks_of(data)
    return dict(zip(tracks, [*tracks[1:], tracks[0]], strict=True))


def sound_of(data: Path, track: Track) -> np.ndarray:
    """The samples of a track, int16."""
    with wave.open(str(Layout(data).audio("val", *track))) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def _with_sounds(data: Path, to: Path, change: Callable[[Track], np.ndarray]) -> Path:
    """Make a dataset whose sounds are others."""
    to.mkdir()
    for name in ("csv", "clips_videos"):
        (to / name).symlink_to(data / name)
    for track in tracks_of(data):
        path = Layout(to).audio("val", *track)
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(change(track).tobytes())
    return to


def moved(data: Path, to: Path, *, frames: int) -> Path:
    """Let sounds be late by so many frames, or early; what falls off an end goes to the other."""
    return _with_sounds(data, to, lambda track: np.roll(sound_of(data, track), frames * FRAME))


def of_others(data: Path, to: Path) -> Path:
    """Give each track the sound of the next one."""
    after = _next_of(data)

    def change(track: Track) -> np.ndarray:
        return np.resize(sound_of(data, after[track]), len(sound_of(data, track)))

    return _with_sounds(data, to, change)


def silent(data: Path, to: Path) -> Path:
    """Let nothing be heard but faint noise."""
    rng = np.random.default_rng(0)

    def change(track: Track) -> np.ndarray:
        return rng.normal(0, 40, len(sound_of(data, track))).astype("<i2")

    return _with_sounds(data, to, change)


# ------------------------------------------------------------------------------ wrong pictures


def _with_crops(
    data: Path, to: Path, change: Callable[[Track, Sequence[str]], Sequence[Path]]
) -> Path:
    """Make a dataset whose crops are others: which file stands for each name of a track."""
    to.mkdir()
    for name in ("csv", "clips_audios"):
        (to / name).symlink_to(data / name)
    for track in tracks_of(data):
        folder = Layout(to).track("val", *track)
        folder.mkdir(parents=True)
        names = sorted(os.listdir(Layout(data).track("val", *track)), key=lambda n: float(n[:-4]))
        for name, path in zip(names, change(track, names), strict=True):
            (folder / name).symlink_to(path)
    return to


def backwards(data: Path, to: Path) -> Path:
    """Let the crops of each track run backwards in time."""

    def change(track: Track, names: Sequence[str]) -> list[Path]:
        return [Layout(data).track("val", *track) / name for name in reversed(names)]

    return _with_crops(data, to, change)


def swapped(data: Path, to: Path) -> Path:
    """Give each track the crops of the next one, where two of one video have the same times."""
    after = _next_of(data)

    def change(track: Track, names: Sequence[str]) -> list[Path]:
        return [Layout(data).track("val", *after[track]) / name for name in names]

    return _with_crops(data, to, change)


@contextmanager
def seen_through(change: Callable[[torch.Tensor], torch.Tensor]) -> Iterator[None]:
    """Give the network other pixels: `change` of those that it would be given, 0 to 255."""
    encode = VisualEncoder.forward

    def forward(self: VisualEncoder, faces: torch.Tensor) -> torch.Tensor:
        return encode(self, change(faces.float()))

    with _instead(forward):
        yield


@contextmanager
def _instead(forward: Callable[[VisualEncoder, torch.Tensor], torch.Tensor]) -> Iterator[None]:
    before = VisualEncoder.forward
    VisualEncoder.forward = forward
    try:
        yield
    finally:
        VisualEncoder.forward = before


def divided_twice(faces: torch.Tensor) -> torch.Tensor:
    """Pixels of 0 to 1 where 0 to 255 are expected."""
    return faces / 255


def not_normalised(faces: torch.Tensor) -> torch.Tensor:
    """What becomes 0 to 255 in the network, whose normalisation of grey levels it undoes."""
    return (faces * 0.1688 + 0.4161) * 255


SOUND_FAULTS: dict[str, Fault] = {
    "sound 2 frames late": partial(moved, frames=2),
    "sound 4 frames late": partial(moved, frames=4),
    "sound 10 frames late": partial(moved, frames=10),
    "sound 2 frames early": partial(moved, frames=-2),
    "sound 4 frames early": partial(moved, frames=-4),
    "sound 10 frames early": partial(moved, frames=-10),
    "another video's sound": of_others,
}
CROP_FAULTS: dict[str, Fault] = {"crops backwards in time": backwards}
PIXEL_FAULTS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "pixels divided by 255 twice": divided_twice,
    "pixels not normalised": not_normalised,
}

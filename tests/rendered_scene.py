"""Drawn people who speak, filmed: real video files, and the csv of the faces in them.

Mouths follow the voice that is heard, as in the sample; see `unitalk.dataset.drawing`. Everything
is known of such a video: who speaks when, where each face is, and every sample of the sound.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from PIL import Image

from unitalk.dataset.drawing import (
    RATE,
    SAMPLES,
    STEPS,
    Speech,
    Voice,
    background,
    draw_crops,
    speak,
    wander,
)
from unitalk.schema import COLUMNS, NOT_SPEAKING, SPEAKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SIZE = 320, 240
BEATS = 25
"""What is said and heard is planned in so many steps a second, whatever the frame rate."""

_TURN = 12, 36  # beats: from half a second to one and a half
_BEFORE, _AFTER = 9, 6  # frames that no track has
_ROOM, _LOUD = 0.002, 0.13


@dataclass(frozen=True, kw_only=True)
class Take:
    """A video to film.

    Attributes:
        video: its id.
        people: how many are seen; with one there are pauses, of several always one speaks.
        seconds: how long it is.
        rate: frames a second.
        ending: of the file, which says its container.
        codec: of the sound.
        sound_rate: samples a second in the file.
    """

    video: str
    people: int = 1
    seconds: int = 8
    rate: Fraction | int = 25
    ending: str = "mp4"
    codec: str = "aac"
    sound_rate: int = 48_000


ALONE = (
    Take(video="aac-in-mp4", seconds=6),
    Take(video="ntsc-in-mp4", seconds=6, rate=Fraction(30000, 1001), sound_rate=44_100),
    Take(video="flac-in-mkv", seconds=6, ending="mkv", codec="flac", sound_rate=44_100),
    Take(video="-pcm-in-mov", seconds=6, ending="mov", codec="pcm_s16le", sound_rate=16_000),
)
"""One face each, half of the time silent; four containers and sounds, two frame rates."""

TOGETHER = (Take(video="two-people", people=2, seconds=10),)
"""Two faces who take turns: one of them always speaks, and both tracks have the same sound."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Filmed:
    """A video that was filmed; its tracks begin some frames after it, and end some before.

    Attributes:
        take: how.
        path: the file.
        first: the frame of the video with which the tracks begin.
        speaking: [people, frames of the tracks] who speaks when.
        boxes: [people, frames of the tracks, 4] left, top, width and height in pixels.
        faces: of each person all crops [height, width, 3] as they were drawn, red, green, blue.
        sound: [samples] int16 at 16 kHz, as it was before it was encoded, from the first frame on.
    """

    take: Take
    path: Path
    first: int
    speaking: np.ndarray
    boxes: np.ndarray
    faces: list[list[np.ndarray]]
    sound: np.ndarray

    def entity(self, person: int) -> str:
        """The id of a person's track."""
        return f"{self.take.video}:{person}"

    @property
    def seconds(self) -> list[float]:
        """The time of each frame of the tracks, as a csv has it."""
        frames = range(self.first, self.first + self.boxes.shape[1])
        return [round(frame / float(self.take.rate), 2) for frame in frames]

    def rows(self) -> Iterator[list[str]]:
        """The rows of the csv, a person after the other."""
        width, height = SIZE
        for person, (speaking, boxes) in enumerate(zip(self.speaking, self.boxes, strict=True)):
            entity = self.entity(person)
            turns = np.cumsum(np.diff(speaking, prepend=speaking[:1]))
            for place, seconds in enumerate(self.seconds):
                left, top, wide, high = (int(side) for side in boxes[place])
                # Half a pixel more, so that what cuts down to whole pixels comes to just these.
                cells = [
                    (left + 0.5) / width, (top + 0.5) / height,
                    (left + wide + 0.5) / width, (top + high + 0.5) / height,
                ]  # fmt: skip
                yield [
                    self.take.video,
                    repr(seconds),
                    *(f"{cell:.6f}" for cell in cells),
                    SPEAKING if speaking[place] else NOT_SPEAKING,
                    entity,
                    str(int(speaking[place])),
                    f"{entity}:{turns[place]}",
                ]


def shoot(folder: Path, takes: Sequence[Take], *, seed: int = 0) -> list[Filmed]:
    """Film videos into `folder/videos`, and write the csv of their faces, `folder/val_orig.csv`."""
    (folder / "videos").mkdir(parents=True)
    filmed = [
        _shoot(folder / "videos", take, np.random.default_rng([seed, number]))
        for number, take in enumerate(takes)
    ]
    with (folder / "val_orig.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for one in filmed:
            writer.writerows(one.rows())
    return filmed


def _shoot(folder: Path, take: Take, rng: np.random.Generator) -> Filmed:
    beats = take.seconds * BEATS
    spoken = _turns(rng, beats, take.people)
    sound = _ROOM * background(rng, beats * SAMPLES, hum=0.2)
    frames = int(take.seconds * take.rate)
    at = (np.arange(frames) + 0.5) / float(take.rate) * BEATS  # the middle of each frame, in beats
    boxes, faces = [], []
    for person, turns in enumerate(spoken):
        said, voice = _say(rng, turns)
        sound += _LOUD * voice
        boxes.append(_boxes(rng, frames, person, take.people))
        opening, width = (np.interp(at, np.arange(beats) + 0.5, way) for way in said.mouth())
        jpgs = draw_crops(rng, opening, width, boxes[-1][:, 2:])
        faces.append([np.asarray(Image.open(io.BytesIO(jpg))) for jpg in jpgs])
    own = slice(_BEFORE, frames - _AFTER)
    filmed = Filmed(
        take=take,
        path=folder / f"{take.video}.{take.ending}",
        first=_BEFORE,
        speaking=spoken[:, at.astype(int)][:, own],
        boxes=np.stack(boxes)[:, own],
        faces=[crops[own] for crops in faces],
        sound=np.rint(np.clip(sound, -1, 1) * 32_767).astype(np.int16),
    )
    _write(filmed, list(_frames(rng, boxes, faces)))
    return filmed


# ------------------------------------------------------------------------------ what happens


def _turns(rng: np.random.Generator, beats: int, people: int) -> np.ndarray:
    """Who speaks when, [people, beats]; the one after the last is nobody, if there is but one."""
    spoken = np.zeros((max(people, 2), beats), bool)
    at, who = 0, int(rng.integers(len(spoken)))
    while at < beats:
        end = at + int(rng.integers(*_TURN))
        spoken[who, at:end] = True
        at, who = end, (who + 1) % len(spoken)
    return spoken[:people]


def _say(rng: np.random.Generator, turns: np.ndarray) -> tuple[Speech, np.ndarray]:
    """Speak in one's turns: what the mouth does, and the voice."""
    steps = len(turns) * STEPS
    silence = np.zeros(steps, np.float32)
    said = Speech(loudness=silence.copy(), vowel=np.zeros(steps, np.int64), breath=silence.copy())
    edges = np.flatnonzero(np.diff(turns, prepend=False, append=False))
    for begin, end in edges.reshape(-1, 2).tolist():
        own, part = slice(begin * STEPS, end * STEPS), speak(rng, end - begin)
        said.loudness[own], said.vowel[own] = part.loudness, part.vowel
        said.breath[own] = part.breath
    return said, Voice(rng, rng.uniform(105, 235)).sound(rng, said)


def _boxes(rng: np.random.Generator, frames: int, person: int, people: int) -> np.ndarray:
    """A box that drifts within its share of the picture."""
    width = rng.uniform(84, 112) * (1 + wander(rng, frames, 0.02))
    height = 1.28 * width
    across = (person + 0.5) * SIZE[0] / people + wander(rng, frames, 16)
    down = SIZE[1] / 2 + wander(rng, frames, 25)
    made = np.stack([across - width / 2, down - height / 2, width, height], axis=1)
    return np.rint(made).astype(int)


def _frames(
    rng: np.random.Generator, boxes: list[np.ndarray], faces: list[list[np.ndarray]]
) -> Iterator[np.ndarray]:
    """The whole pictures."""
    wall = Image.fromarray(rng.integers(60, 180, (6, 8, 3), dtype=np.uint8))
    wall = np.asarray(wall.resize(SIZE, Image.Resampling.BICUBIC))
    for place in range(len(boxes[0])):
        made = wall.copy()
        for own, crops in zip(boxes, faces, strict=True):
            left, top, width, height = own[place]
            made[top : top + height, left : left + width] = crops[place]
        yield made


# ------------------------------------------------------------------------------ a file


def _write(filmed: Filmed, frames: list[np.ndarray]) -> None:
    take = filmed.take
    with av.open(str(filmed.path), "w") as container:
        pictures = container.add_stream(
            "libx264", rate=take.rate, options={"preset": "ultrafast", "crf": "18", "g": "50"}
        )
        pictures.width, pictures.height = SIZE
        pictures.pix_fmt = "yuv420p"
        pictures.codec_context.thread_count = 1
        pictures.codec_context.time_base = 1 / Fraction(take.rate)
        sound = container.add_stream(take.codec, rate=take.sound_rate)
        sound.layout = "mono"
        packets = [*_pictures(pictures, frames), *_sound(sound, filmed)]
        for packet in sorted(packets, key=lambda one: one.dts * one.time_base):
            container.mux(packet)


def _pictures(stream, frames: list[np.ndarray]) -> Iterator[av.Packet]:
    for number, image in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, stream.codec_context.time_base
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _sound(stream, filmed: Filmed) -> Iterator[av.Packet]:
    rate = filmed.take.sound_rate
    samples = resample(filmed.sound, rate)
    for place in range(0, len(samples), 1024):
        frame = av.AudioFrame.from_ndarray(samples[None, place : place + 1024], "s16", "mono")
        frame.sample_rate = rate
        frame.pts, frame.time_base = place, Fraction(1, rate)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def resample(sound: np.ndarray, rate: int) -> np.ndarray:
    """Bring a sound of 16 kHz to a higher rate, by its spectrum, which moves nothing in time."""
    count = len(sound) * rate // RATE
    more = np.fft.irfft(np.fft.rfft(sound.astype(float)), count) * count / len(sound)
    return np.rint(np.clip(more, -32768, 32767)).astype(np.int16)

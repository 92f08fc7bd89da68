"""The faces and the voices of the sample dataset: drawn and computed, recordings of nobody.

A face is drawn in coordinates of its box, (0, 0) at the upper left and (1, 1) at the lower right;
one resampling per frame gives it the head's motion and the box's size.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Array = NDArray[Any]
    Color = tuple[int, int, int]

FPS = 25
RATE = 16_000
SAMPLES = RATE // FPS
"""Samples of sound a frame."""

STEPS = 16
"""Steps a frame in which speech is planned: 400 a second."""

_CANVAS = (256, 328)  # pixels of a face's box, about twice those of the largest crop
_MARGIN = 0.1  # of the canvas around the box, as the head moves
_STROKE = 5  # pixels
_SMALL = 64
_QUALITY = (62, 78)  # of a JPEG; a small face loses more by a low one
_BLINK = 4  # frames
_LONG_HAIR = 0.45  # share of people
_TEETH = 0.012  # are seen in a mouth that is open so far
_SKIN = ((241, 205, 178), (226, 179, 144), (203, 150, 113), (168, 116, 82), (124, 82, 58))
_HAIR = ((38, 30, 27), (74, 50, 34), (121, 82, 45), (189, 148, 88), (128, 126, 124), (92, 44, 30))
_SHIRT = ((46, 74, 112), (128, 52, 54), (62, 98, 74), (92, 84, 110), (196, 186, 164), (52, 54, 58))
_WALL = ((150, 150, 140), (110, 130, 150), (160, 130, 120), (90, 110, 100), (70, 70, 80))
_IRIS = ((70, 46, 30), (58, 84, 110), (72, 98, 66), (44, 34, 30))

# Of a, e, i, o, u: the first three formants in Hz, how far the jaw drops, how wide the lips are.
_FORMANTS = (
    (730, 1090, 2440),
    (530, 1840, 2480),
    (270, 2290, 3010),
    (570, 840, 2410),
    (300, 870, 2240),
)
_JAW = np.array((1.0, 0.8, 0.6, 0.85, 0.6), dtype=np.float32)
_LIPS = np.array((1.0, 1.12, 1.2, 0.82, 0.72), dtype=np.float32)
_TABLE = 2048


# ------------------------------------------------------------------------------ speech


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """What a mouth does and a voice sounds like, in steps of 1/400 s.

    Attributes:
        loudness: 0 (nothing) to 1.
        vowel: which of five.
        breath: 0 to 1, the noise of a consonant.
    """

    loudness: Array
    vowel: Array
    breath: Array

    def mouth(self) -> tuple[Array, Array]:
        """How far the mouth is open (0 to 1) and how wide the lips are (about 1), a frame."""
        opening = np.sqrt(self.loudness) * _JAW[self.vowel]
        width = 1 + (_LIPS[self.vowel] - 1) * np.minimum(1, 2 * self.loudness)
        return opening.reshape(-1, STEPS).mean(1), width.reshape(-1, STEPS).mean(1)


def speak(rng: np.random.Generator, frames: int) -> Speech:
    """Plan syllables, three to five a second, for a number of frames."""
    total = frames * STEPS
    loudness, breath = np.zeros(total, np.float32), np.zeros(total, np.float32)
    vowel = np.zeros(total, np.int64)
    at = 0
    while at < total:
        length = int(rng.integers(80, 132))
        phase = np.linspace(0, 1, length, dtype=np.float32)
        bump = rng.uniform(0.6, 1) * np.maximum(0, np.sin(np.pi * phase**0.75)) ** 1.4
        room = min(length, total - at)
        loudness[at : at + room] = bump[:room]
        vowel[at : at + room] = rng.integers(len(_FORMANTS))
        breath[at : at + room] = (rng.uniform(0, 0.6) * np.exp(-(((phase - 0.05) / 0.06) ** 2)))[
            :room
        ]
        at += length
    return Speech(loudness=loudness, vowel=vowel, breath=breath)


class Voice:
    """One person's voice: a pitch and five vowels.

    Args:
        rng: draws the person.
        pitch: the mean fundamental in Hz.
    """

    def __init__(self, rng: np.random.Generator, pitch: float) -> None:
        self._pitch = pitch
        tract = 0.85 + pitch / 800 + rng.uniform(-0.04, 0.04)
        harmonic = np.arange(1, int(4800 / pitch) + 1)
        phase = 2 * np.pi * np.arange(_TABLE) / _TABLE
        tables = []
        for formants in _FORMANTS:
            gain = sum(
                strength / (1 + ((harmonic * pitch - tract * formant) / (0.12 * formant + 40)) ** 2)
                for formant, strength in zip(formants, (1.0, 0.6, 0.3), strict=True)
            )
            wave = np.cos(np.outer(phase, harmonic)) @ ((gain + 0.01) / harmonic**0.5)
            tables.append(wave / np.sqrt(np.mean(wave**2)))
        self._tables = np.array(tables, dtype=np.float32)

    def sound(self, rng: np.random.Generator, speech: Speech) -> Array:
        """Say it: float samples at 16 kHz, of RMS about 0.5 in a syllable."""
        steps = len(speech.loudness)
        time = np.arange(steps) / (FPS * STEPS)
        tune = 1 + 0.07 * np.sin(2 * np.pi * (0.6 * time + rng.random())) - 0.04 * time
        tune += 0.01 * np.sin(2 * np.pi * 5.3 * time)
        size = SAMPLES // STEPS
        phase = np.cumsum(np.repeat(self._pitch * tune / RATE, size))
        index = (phase * _TABLE).astype(np.int64) % _TABLE
        at = np.arange(steps * size) / size
        loudness = np.interp(at, np.arange(steps), speech.loudness)
        breath = np.interp(at, np.arange(steps), speech.breath)
        voiced = self._tables[np.repeat(speech.vowel, size), index] * loudness
        hiss = rng.standard_normal(len(at), dtype=np.float32) * breath * 0.12
        sound: Array = (0.5 * (voiced + hiss)).astype(np.float32)
        return sound


def background(rng: np.random.Generator, samples: int, *, hum: float) -> Array:
    """The noise of a room, of RMS about 1: hiss without its highs, and a hum of machines."""
    white = rng.standard_normal(samples + 8, dtype=np.float32)
    soft = np.convolve(white, np.ones(9, np.float32) / 3, mode="valid")
    time = np.arange(samples) / RATE
    tone = sum(np.sin(2 * np.pi * (f * time + rng.random())) for f in (100.0, 200.0, 310.0))
    noise: Array = ((1 - hum) * soft + hum * tone * 0.8).astype(np.float32)
    return noise


# ------------------------------------------------------------------------------ faces


def draw_crops(
    rng: np.random.Generator, opening: Array, width: Array, sizes: Array
) -> Iterator[bytes]:
    """Draw one person over time, with a camera's grain and a lamp's flicker; yields JPEGs.

    Args:
        rng: seeds what is drawn; the numbers that it yields afterwards do not depend on that.
        opening: [frames] how far speech opens the mouth.
        width: [frames] how wide it makes the lips.
        sizes: [frames, 2] the crop's width and height in pixels.
    """
    (rng,) = rng.spawn(1)
    frames = len(sizes)
    person = _Person(rng)
    grain = rng.normal(0, rng.uniform(0.8, 1.7), 1 << 16).astype(np.float32)
    blinks = (np.arange(frames) + rng.integers(100)) % rng.integers(50, 100) < _BLINK
    # A mouth at rest is not frozen: lips part a little, a smile comes and goes.
    reaches = (0.03, 0.05, 0.03, 0.018, 0.015, 0.02, 0.05)
    rest, smile, gaze, across, down, zoom, lamp = (wander(rng, frames, r) for r in reaches)
    middles = 0.5 + np.stack([across, down], axis=1) + rng.normal(0, 0.002, (frames, 2))
    for i, (columns, lines) in enumerate(sizes.tolist()):
        image = person.draw(
            opening=max(0.03 + rest[i], opening[i]),
            width=width[i] + smile[i],
            gaze=None if blinks[i] else gaze[i],
        )
        half = 0.5 / (1 + zoom[i])
        (left, top), (right, bottom) = _box(middles[i, 0], middles[i, 1], half, half)
        size, box = (columns, lines), (left, top, right, bottom)
        image = image.resize(size, Image.Resampling.BILINEAR, box=box)
        first = int(rng.integers(len(grain) - columns * lines))
        noise = grain[first : first + columns * lines].reshape(lines, columns, 1)
        seen = np.clip(np.asarray(image, np.float32) * (1 + lamp[i]) + noise, 0, 255)
        data = io.BytesIO()
        quality = _QUALITY[columns < _SMALL]
        Image.fromarray(seen.astype(np.uint8)).save(data, "JPEG", quality=quality, optimize=True)
        yield data.getvalue()


def wander(rng: np.random.Generator, frames: int, reach: float) -> Array:
    """A smooth path of so many frames within plus and minus `reach`."""
    time = np.arange(frames) / FPS
    slow, fast = (
        np.sin(2 * np.pi * (rng.uniform(*band) * time + rng.random()))
        for band in ((0.1, 0.3), (0.4, 0.8))
    )
    path: Array = reach * (0.7 * slow + 0.3 * fast)
    return path


class _Person:
    """One drawn person: what does not move is drawn once, eyes and mouth for each frame."""

    def __init__(self, rng: np.random.Generator) -> None:
        skin, hair, shirt, wall = (
            _vary(rng, colors[rng.integers(len(colors))])
            for colors in (_SKIN, _HAIR, _SHIRT, _WALL)
        )
        self._lid = _mix(skin, (50, 20, 15), 0.65)
        self._iris = _IRIS[rng.integers(len(_IRIS))]
        self._lip = _mix(skin, (150, 40, 48), rng.uniform(0.45, 0.7))
        self._eyes = 0.42 + rng.uniform(-0.015, 0.015)
        self._apart = 0.19 + rng.uniform(-0.015, 0.02)
        self._mouth = 0.77 + rng.uniform(-0.015, 0.015)
        self._lips = 0.16 + rng.uniform(-0.02, 0.02)
        across, down = (round((1 + 2 * _MARGIN) * side) for side in _CANVAS)
        self._still = Image.new("RGB", (across, down), wall)
        pen = ImageDraw.Draw(self._still)
        pen.ellipse(_box(0.5, 1.2, 0.62, 0.24), fill=shirt)
        pen.ellipse(_box(0.5, 0.40, 0.455, 0.415), fill=hair)
        if rng.random() < _LONG_HAIR:
            pen.rectangle(_box(0.5, 0.8, 0.455, 0.4), fill=hair)
        shade = _mix(skin, (60, 25, 15), 0.22)
        pen.rectangle(_box(0.5, 0.95, 0.14, 0.1), fill=shade)
        pen.ellipse(_box(0.5, 0.47, 0.395, 0.38), fill=skin)
        pen.ellipse(_box(0.5, 0.64, 0.345, 0.345), fill=skin)
        pen.chord(_box(0.5, 0.42, 0.43, 0.41), 205, 335, fill=hair)
        pen.polygon([_at(0.5, 0.44), _at(0.44, 0.62), _at(0.56, 0.62)], fill=shade)

    def draw(self, *, opening: float, width: float, gaze: float | None) -> Image.Image:
        """The whole picture of one frame.

        Args:
            opening: how far the mouth is open, 0 to 1.
            width: of the lips, about 1.
            gaze: how far the eyes look aside, in box widths; None for eyes that are shut.
        """
        image = self._still.copy()
        pen = ImageDraw.Draw(image)
        for u in (0.5 - self._apart, 0.5 + self._apart):
            eye = _box(u, self._eyes, 0.082, 0.04)
            if gaze is None:
                pen.arc(eye, 10, 170, fill=self._lid, width=_STROKE)
                continue
            pen.ellipse(eye, fill=(238, 236, 232))
            pen.ellipse(_box(u + gaze, self._eyes, 0.038, 0.037), fill=self._iris)
            pen.ellipse(_box(u + gaze, self._eyes, 0.018, 0.018), fill=(16, 14, 14))
            pen.arc(eye, 185, 355, fill=self._lid, width=_STROKE)
        gap, wide = 0.05 * opening, self._lips * width
        middle = self._mouth + 0.5 * gap  # the jaw drops, the upper lip hardly rises
        pen.ellipse(_box(0.5, middle, wide, gap + 0.026), fill=self._lip)
        upper = _mix(self._lip, (60, 15, 20), 0.2)
        pen.chord(_box(0.5, middle, wide, gap + 0.024), 180, 360, fill=upper)
        pen.ellipse(_box(0.5, middle, 0.86 * wide, max(gap, 0.006)), fill=(58, 16, 20))
        if gap > _TEETH:
            pen.chord(_box(0.5, middle, 0.7 * wide, 0.95 * gap), 215, 325, fill=(232, 226, 214))
        return image


def _at(u: float, v: float) -> tuple[float, float]:
    """A point of the box, (0, 0) to (1, 1), as a pixel of the canvas."""
    return (u + _MARGIN) * _CANVAS[0], (v + _MARGIN) * _CANVAS[1]


def _box(u: float, v: float, across: float, down: float) -> list[tuple[float, float]]:
    """Two opposite corners of a rectangle around a point, by half its width and height."""
    return [_at(u - across, v - down), _at(u + across, v + down)]


def _mix(one: Color, other: Color, share: float) -> Color:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _vary(rng: np.random.Generator, color: Color) -> Color:
    red, green, blue = np.clip(np.add(color, rng.integers(-10, 11, 3)), 0, 255).tolist()
    return red, green, blue

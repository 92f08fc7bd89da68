"""The faces and the voices of the sample dataset: drawn and computed, recordings of nobody.

A face lives in coordinates of its box, (0, 0) at the upper left and (1, 1) at the lower right. What
stands still in it is drawn once a track; a frame adds eyes, brows and mouth, and one affine
resampling gives it the head's motion and the box's size.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

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

_MARGIN = 0.1
_OVERSIZE = 2
_SMALL = 64
_QUALITY = (62, 78)  # of a JPEG; a small face loses more by a low one
_SKIN = ((241, 205, 178), (226, 179, 144), (203, 150, 113), (168, 116, 82), (124, 82, 58))
_HAIR = ((38, 30, 27), (74, 50, 34), (121, 82, 45), (189, 148, 88), (128, 126, 124), (92, 44, 30))
_SHIRT = ((46, 74, 112), (128, 52, 54), (62, 98, 74), (92, 84, 110), (196, 186, 164), (52, 54, 58))
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


def film(rng: np.random.Generator, opening: Array, width: Array, sizes: Array) -> Iterator[bytes]:
    """Draw one person over time, with a camera's grain and a lamp's flicker; yields JPEGs.

    Args:
        rng: draws the person and what the head does.
        opening: how far speech opens the mouth, a frame.
        width: how wide it makes the lips.
        sizes: the crop's width and height in pixels.
    """
    portrait = Portrait(rng, (int(sizes[:, 0].max()), int(sizes[:, 1].max())))
    lamp = 1 + wander(rng, len(sizes), 0.05)
    grain = rng.normal(0, rng.uniform(0.8, 1.7), 1 << 16).astype(np.float32)
    for place, pose in enumerate(_poses(rng, opening, width)):
        across, down = (int(side) for side in sizes[place])
        drawn = np.asarray(portrait.frame((across, down), pose), dtype=np.float32)
        first = int(rng.integers(len(grain) - across * down))
        noise = grain[first : first + across * down].reshape(down, across, 1)
        seen = np.clip(drawn * lamp[place] + noise, 0, 255).astype(np.uint8)
        data = io.BytesIO()
        quality = _QUALITY[across < _SMALL]
        Image.fromarray(seen).save(data, "JPEG", quality=quality, optimize=True)
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


def _poses(rng: np.random.Generator, speech: Array, lips: Array) -> Iterator[Pose]:
    frames = len(speech)
    blinks = np.zeros(frames, dtype=bool)
    at = int(rng.integers(5, 60))
    while at < frames:
        blinks[at : at + int(rng.integers(3, 6))] = True
        at += int(rng.integers(35, 100))
    jitter = rng.normal(0, 0.002, (2, frames))
    across, down = wander(rng, frames, 0.018) + jitter[0], wander(rng, frames, 0.015) + jitter[1]
    roll, zoom = wander(rng, frames, 0.04), 1 + wander(rng, frames, 0.02)
    gaze, brow = wander(rng, frames, 0.03), wander(rng, frames, 0.01)
    # A mouth at rest is not frozen: lips part a little, a smile comes and goes.
    rest, smile = 0.03 + wander(rng, frames, 0.03), wander(rng, frames, 0.05)
    for i in range(frames):
        yield Pose(
            opening=float(max(rest[i], speech[i])),
            width=float(lips[i] + smile[i]),
            blink=bool(blinks[i]),
            gaze=float(gaze[i]),
            brow=float(brow[i] + 0.015 * speech[i]),
            shift=(float(across[i]), float(down[i])),
            roll=float(roll[i]),
            zoom=float(zoom[i]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """What moves in one frame; shifts in box widths, roll in radians."""

    opening: float
    width: float
    blink: bool
    gaze: float
    brow: float
    shift: tuple[float, float]
    roll: float
    zoom: float


class Portrait:
    """One drawn person before a background.

    Args:
        rng: draws the person.
        size: the largest crop's width and height in pixels.
    """

    def __init__(self, rng: np.random.Generator, size: tuple[int, int]) -> None:
        # A line of a small face would be less than a pixel: draw it larger, and halve it first.
        self._halve = size[0] < _SMALL
        self._scale = [_OVERSIZE * (1 + self._halve) * side for side in size]
        self._skin = _vary(rng, _SKIN, 10)
        self._hair = _vary(rng, _HAIR, 8)
        self._iris = _IRIS[rng.integers(len(_IRIS))]
        self._lip = _mix(self._skin, (150, 40, 48), rng.uniform(0.45, 0.7))
        self._eye = 0.42 + rng.uniform(-0.015, 0.015)
        self._apart = 0.19 + rng.uniform(-0.015, 0.02)
        self._mouth = 0.77 + rng.uniform(-0.015, 0.015)
        self._lips = 0.16 + rng.uniform(-0.02, 0.02)
        self._brow = rng.uniform(0.012, 0.022)
        self._glasses = _sometimes(rng, 0.25)
        image = self._background(rng)
        pen = ImageDraw.Draw(image)
        self._shoulders(pen, _vary(rng, _SHIRT, 12))
        self._head(pen, rng)
        image = image.filter(ImageFilter.GaussianBlur(0.006 * self._scale[0]))
        self._still = _light(rng, image)

    def frame(self, size: tuple[int, int], pose: Pose) -> Image.Image:
        """Draw one frame at a crop's size."""
        image = self._still.copy()
        pen = ImageDraw.Draw(image)
        for side in (-1, 1):
            self._draw_eye(pen, side, pose)
        self._draw_mouth(pen, pose)
        # From a pixel of the crop to a point of the box, turned about its middle, to the canvas.
        scale = self._scale
        if self._halve:
            image, scale = image.reduce(2), [side // 2 for side in scale]
        across, down = (scale[i] / size[i] / pose.zoom for i in (0, 1))
        turn, lean = math.cos(pose.roll), math.sin(pose.roll)
        a, b, d, e = across * turn, -across * lean, down * lean, down * turn
        middle = [((1 + 2 * _MARGIN) / 2 + pose.shift[i]) * scale[i] for i in (0, 1)]
        x, y = size[0] / 2, size[1] / 2
        matrix = (a, b, middle[0] - a * x - b * y, d, e, middle[1] - d * x - e * y)
        return image.transform(
            size, Image.Transform.AFFINE, matrix, resample=Image.Resampling.BILINEAR
        )

    def _at(self, u: float, v: float) -> tuple[float, float]:
        return (u + _MARGIN) * self._scale[0], (v + _MARGIN) * self._scale[1]

    def _box(self, u: float, v: float, ru: float, rv: float) -> list[tuple[float, float]]:
        return [self._at(u - ru, v - rv), self._at(u + ru, v + rv)]

    def _stroke(self, share: float) -> int:
        return max(1, round(share * self._scale[0]))

    def _background(self, rng: np.random.Generator) -> Image.Image:
        size = tuple(round((1 + 2 * _MARGIN) * side) for side in self._scale)
        wall = tuple(int(c) for c in rng.integers(50, 190, 3))
        image = Image.new("RGB", (size[0], size[1]), _mix(wall, (120, 120, 120), 0.5))
        pen = ImageDraw.Draw(image)
        for _ in range(4):
            left, top, right, bottom = rng.uniform(-0.1, 1.1, 4)
            corners = [
                self._at(min(left, right), min(top, bottom)),
                self._at(max(left, right), max(top, bottom)),
            ]
            color = tuple(int(c) for c in rng.integers(40, 210, 3))
            pen.rectangle(corners, fill=_mix(color, wall, 0.6))
        return image.filter(ImageFilter.GaussianBlur(0.05 * self._scale[0]))

    def _shoulders(self, pen: ImageDraw.ImageDraw, shirt: Color) -> None:
        pen.ellipse(self._box(0.5, 1.2, 0.62, 0.24), fill=shirt)
        pen.rectangle(
            [self._at(0.36, 0.85), self._at(0.64, 1.02)], fill=_mix(self._skin, (40, 20, 10), 0.3)
        )

    def _head(self, pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
        shade = _mix(self._skin, (60, 25, 15), 0.22)
        long = _sometimes(rng, 0.45)
        pen.ellipse(self._box(0.5, 0.40, 0.455, 0.415), fill=self._hair)
        if long:
            pen.rectangle([self._at(0.045, 0.40), self._at(0.955, 1.0)], fill=self._hair)
        else:
            for side in (-1, 1):
                pen.ellipse(self._box(0.5 + 0.41 * side, 0.5, 0.06, 0.09), fill=shade)
        pen.ellipse(self._box(0.5, 0.47, 0.395, 0.38), fill=self._skin)
        pen.ellipse(self._box(0.5, 0.64, 0.345, 0.345), fill=self._skin)
        for side in (-1, 1):
            blush = _mix(self._skin, (205, 80, 70), 0.16)
            pen.ellipse(self._box(0.5 + 0.235 * side, 0.63, 0.085, 0.055), fill=blush)
        if not long and _sometimes(rng, 0.35):
            # A beard along the jaw: the lower face, less the cheeks.
            beard = _mix(self._skin, self._hair, 0.45)
            pen.chord(self._box(0.5, 0.64, 0.345, 0.345), 345, 195, fill=beard)
            pen.ellipse(self._box(0.5, 0.55, 0.31, 0.165), fill=self._skin)
        # The fringe: the top of the head, with a parting.
        parting = rng.uniform(0.3, 0.7)
        pen.chord(self._box(0.5, 0.42, 0.43, 0.41), 196, 344, fill=self._hair)
        for end in (0.07, 0.93):
            low = 0.3 + 0.1 * rng.random()
            pen.polygon(
                [self._at(parting, 0.2), self._at(end, low), self._at(end, 0.24)], fill=self._hair
            )
        for _ in range(5):
            shine = _mix(self._hair, (255, 240, 220), rng.uniform(0.05, 0.16))
            left = rng.uniform(0.12, 0.6)
            strand = self._box(left + 0.16, 0.3, 0.2, 0.26)
            pen.arc(strand, 200, 300, fill=shine, width=self._stroke(0.014))
        self._nose(pen, shade)

    def _nose(self, pen: ImageDraw.ImageDraw, shade: Color) -> None:
        pen.polygon(
            [self._at(0.5, 0.44), self._at(0.435, 0.61), self._at(0.5, 0.625)],
            fill=_mix(self._skin, shade, 0.5),
        )
        pen.ellipse(self._box(0.5, 0.605, 0.055, 0.032), fill=_mix(self._skin, shade, 0.35))
        for side in (-1, 1):
            pen.ellipse(
                self._box(0.5 + 0.032 * side, 0.622, 0.016, 0.009),
                fill=_mix(shade, (30, 10, 5), 0.6),
            )

    def _draw_eye(self, pen: ImageDraw.ImageDraw, side: int, pose: Pose) -> None:
        u, v = 0.5 + side * self._apart, self._eye
        lid = _mix(self._skin, (50, 20, 15), 0.65)
        box = self._box(u, v, 0.082, 0.04)
        if pose.blink:
            pen.ellipse(box, fill=_mix(self._skin, (90, 45, 35), 0.15))
            pen.arc(box, 10, 170, fill=lid, width=self._stroke(0.018))
        else:
            pen.ellipse(box, fill=(238, 236, 232))
            pen.ellipse(self._box(u + pose.gaze, v, 0.038, 0.037), fill=self._iris)
            pen.ellipse(self._box(u + pose.gaze, v, 0.018, 0.018), fill=(16, 14, 14))
            pen.arc(box, 185, 355, fill=lid, width=self._stroke(0.02))
        height = v - 0.085 - pose.brow
        inner, outer = u - side * 0.085, u + side * 0.095
        points = [
            self._at(inner, height + 0.008),
            self._at(u, height - 0.012),
            self._at(outer, height + 0.014),
        ]
        pen.line(
            points,
            fill=_mix(self._hair, (20, 15, 12), 0.35),
            width=self._stroke(2 * self._brow),
            joint="curve",
        )
        if self._glasses:
            frame = (40, 38, 40)
            pen.ellipse(
                self._box(u, v + 0.012, 0.135, 0.085), outline=frame, width=self._stroke(0.014)
            )
            pen.line(
                [self._at(0.5 - 0.06, v), self._at(0.5 + 0.06, v)],
                fill=frame,
                width=self._stroke(0.014),
            )

    def _draw_mouth(self, pen: ImageDraw.ImageDraw, pose: Pose) -> None:
        wide = self._lips * pose.width
        gap = 0.085 * pose.opening
        top, low = self._mouth - 0.3 * gap, self._mouth + 0.9 * gap
        middle, half = (top + low) / 2, (low - top) / 2
        upper = _mix(self._lip, (60, 15, 20), 0.2)
        pen.ellipse(self._box(0.5, middle, wide, half + 0.026), fill=self._lip)
        pen.chord(self._box(0.5, middle, wide, half + 0.024), 180, 360, fill=upper)
        dark = (58, 16, 20)
        if half < 0.008:  # noqa: PLR2004 - lips that touch
            pen.line(
                [self._at(0.5 - 0.9 * wide, middle), self._at(0.5 + 0.9 * wide, middle)],
                fill=dark,
                width=self._stroke(0.012),
            )
        else:
            inner = 0.86 * wide
            pen.ellipse(self._box(0.5, middle, inner, half), fill=dark)
            if half > 0.02:  # noqa: PLR2004 - open enough to see inside
                pen.chord(
                    self._box(0.5, middle, inner * 0.8, half * 0.95), 215, 325, fill=(232, 226, 214)
                )
                pen.chord(
                    self._box(0.5, middle + 0.25 * half, inner * 0.6, half * 0.72),
                    25,
                    155,
                    fill=(168, 62, 66),
                )
        # The fold under the lip goes down with the jaw.
        fold = self._box(0.5, low + 0.055, 0.09, 0.02)
        pen.arc(
            fold, 200, 340, fill=_mix(self._skin, (70, 30, 20), 0.35), width=self._stroke(0.012)
        )


def _sometimes(rng: np.random.Generator, share: float) -> bool:
    return bool(rng.random() < share)


def _mix(one: tuple[int, ...], other: tuple[int, ...], share: float) -> Color:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _vary(rng: np.random.Generator, colors: tuple[Color, ...], amount: int) -> Color:
    color = colors[rng.integers(len(colors))]
    red, green, blue = (int(np.clip(c + rng.integers(-amount, amount + 1), 0, 255)) for c in color)
    return red, green, blue


def _light(rng: np.random.Generator, image: Image.Image) -> Image.Image:
    """Light a picture from one side."""
    across = np.linspace(-1, 1, image.width, dtype=np.float32)[None, :, None]
    down = np.linspace(-1, 1, image.height, dtype=np.float32)[:, None, None]
    light = 1 + rng.uniform(-0.14, 0.14) * across + rng.uniform(-0.12, 0.04) * down
    lit = np.asarray(image, dtype=np.float32) * light
    return Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))

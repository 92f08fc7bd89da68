"""The signal and the pictures that TalkNet's golden vectors were computed from.

A name and a place are hashed by 32-bit integers alone, so every machine draws the same numbers.
"""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).parent / "golden"


@cache
def golden(name: str) -> dict[str, np.ndarray]:
    """The arrays of one golden file."""
    with np.load(GOLDEN / f"{name}.npz", allow_pickle=False) as data:
        return dict(data)


def uniform(name: str, count: int) -> np.ndarray:
    """So many numbers from -1 up to 1, [count] float64; they depend on the name alone."""
    low = np.uint64(0xFFFFFFFF)
    value = np.arange(count, dtype=np.uint64) * np.uint64(2654435761)
    value = (value + np.uint64(zlib.crc32(name.encode()))) & low
    for shift, factor in ((16, 2246822519), (13, 3266489917), (16, 1)):
        value = ((value ^ (value >> np.uint64(shift))) * np.uint64(factor)) & low
    return value / 2.0**31 - 1.0


def waveform(samples: int) -> np.ndarray:
    """Two triangle waves that swell and fade, noise, and zeros at the start and within, int16."""
    place = np.arange(samples)

    def triangle(period: int) -> np.ndarray:
        half = period // 2
        return 2 * np.abs(place % period - half) - half

    swell = 2000 - np.abs(place % 4000 - 2000)
    tone = (120 * triangle(73) + 260 * triangle(16)) * swell // 2000
    sound = tone + np.floor(300.0 * uniform("wave", samples)).astype(np.int64)
    sound[:200] = 0
    sound[6000:7200] = 0
    return sound.astype(np.int16)


def bgr_image(height: int, width: int) -> np.ndarray:
    """Slopes with noise, another one for each of blue, green and red, [height, width, 3] uint8."""
    down, across = np.mgrid[:height, :width]
    colours = []
    for number in range(3):
        slope = (across * (3 + number) + down * (5 - number) + 40 * number) % 256
        noise = np.floor(24.0 * uniform(f"img{number}", height * width))
        colours.append(np.clip(slope + noise.reshape(height, width), 0, 255))
    return np.stack(colours, axis=2).astype(np.uint8)

"""Check one jpg or one wav: whether it is whole, and whether there is anything to see or hear."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unitalk.files import unreadable
from unitalk.media import jpegs, wavs

if TYPE_CHECKING:
    from pathlib import Path

BLACK = 8
"""Of 255: an image of zeros decodes to 0, or to little more where it was packed badly."""
FLAT = 3
"""Of 255: how far the values of one colour may be from each other after packing."""

TOLERANCE = 0.2
"""Seconds that a sound may be shorter or longer than its faces span: five frames.

The authors close gaps up to this one by interpolation, and all usual ways to cut differ by less:
TalkNet's preparation cuts from the first time to the last, one frame less than there are faces, and
rounds to samples; others round to whole frames at both ends.
"""
_FRAME = 0.04


class Seen(NamedTuple):
    """What a jpg is: its size, (0, 0) if it did not open; what is wrong with it, if anything."""

    size: tuple[int, int]
    kind: str | None = None
    detail: str | None = None


def look(path: str | Path) -> Seen:
    """Open one jpg and look at all of it."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        kind = "file-unreadable" if unreadable(error) else "jpg-unreadable"
        return Seen((0, 0), kind, error.strerror)
    fault = end_fault(len(data), data[: jpegs.MAGIC_BYTES], data[-2:])
    if fault is not None:
        return Seen((0, 0), *fault)
    try:
        size, gray = jpegs.glance(data)
        if int(gray.max()) - int(gray.min()) <= FLAT:
            return Seen(size, *_flat(data))
    except jpegs.DamagedError as error:
        return Seen((0, 0), "jpg-unreadable", str(error)[:80])
    return Seen(size)


def end_fault(size: int, start: bytes, end: bytes) -> tuple[str, str | None] | None:
    """What `jpegs.end_fault` finds, as (kind, detail)."""
    fault = jpegs.end_fault(size, start, end)
    return None if fault is None else (f"jpg-{fault[0]}", fault[1])


def _flat(data: bytes) -> tuple[str | None, str | None]:
    """Look at a picture that seems to be of one value, in full."""
    colours = jpegs.decode(data).reshape(-1, 3)
    low, high = colours.min(axis=0), colours.max(axis=0)
    if high.max() <= BLACK:
        return "jpg-black", None
    if (high.astype(int) - low).max() <= FLAT:
        return "jpg-constant", "all of it is {}, {}, {}".format(
            *np.median(colours, axis=0).astype(int)
        )
    return None, None


def sound_faults(path: str | Path, span: float, step: float) -> list[tuple[str, str]]:
    """All that is wrong with a track's sound, as (kind, detail).

    Args:
        path: the wav.
        span: seconds from the track's first face to its last.
        step: seconds from one face to the next.
    """
    try:
        with open(path, "rb") as file:
            sound = wavs.read_header(file)
            file.seek(sound.start)
            samples = file.read(sound.said)
    except wavs.NotAWavError as error:
        return [("wav-unreadable", str(error))]
    except OSError as error:
        kind = "file-unreadable" if unreadable(error) else "wav-unreadable"
        return [(kind, str(error.strerror))]
    found: list[tuple[str, str]] = []
    if sound.fault:
        found.append(("wav-truncated", sound.fault))
    if not (sound.readable and sound.rate == wavs.RATE):
        found.append(("wav-format", sound.form))
    if samples and _is_silent(samples, sound.bits):
        found.append(("wav-silent", f"{sound.seconds:.2f} s of one value"))
    if not sound.fault:  # of a file that is cut off, enough is said
        # From the first face to the last, or to the end of the last one's time.
        longest = span + max(step, _FRAME) + TOLERANCE
        if not span - TOLERANCE <= sound.seconds <= longest:
            detail = f"{sound.seconds:.2f} s for faces over {span:.2f} s"
            found.append(("wav-length", detail))
    return found


def _is_silent(samples: bytes, bits: int) -> bool:
    """Whether all samples have one value."""
    width = {8: 1, 16: 2, 32: 4}.get(bits)
    if width is None or len(samples) < width:
        return not any(samples)
    values = np.frombuffer(samples[: len(samples) // width * width], f"<u{width}")
    return bool((values == values[0]).all())

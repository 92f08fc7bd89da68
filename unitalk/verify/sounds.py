"""One wav: what its header says against what there is, and whether there is anything to hear."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

RATE, CHANNELS, BITS = 16_000, 1, 16
TOLERANCE = 0.2
"""Seconds that a sound may be shorter or longer than its faces span: five frames.

It is the longest gap that the authors close by interpolation, so what they take for no matter.
Below it lie all usual ways to cut: TalkNet's preparation cuts from the first time to the last, one
frame less than there are faces, and rounds to samples; others round to whole frames at both ends.
"""
_FRAME = 0.04
_PCM, _EXTENSIBLE = 1, 0xFFFE
_FMT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Sound:
    """What the header of a wav says.

    Attributes:
        code: of the way in which samples are written; 1 is PCM.
        channels: how many.
        rate: samples a second.
        bits: of a sample.
        start: where the samples begin.
        said: bytes of samples as the header has it.
        there: bytes of samples in the file.
    """

    code: int
    channels: int
    rate: int
    bits: int
    start: int
    said: int
    there: int

    @property
    def seconds(self) -> float:
        """How long what is there sounds."""
        frame = max(self.channels * self.bits // 8, 1) * max(self.rate, 1)
        return min(self.said, self.there) / frame


class NotASoundError(ValueError):
    """A file is no wav, or its header is broken."""


def read_header(file: IO[bytes]) -> Sound:
    """Read the header of a wav, and nothing of its samples.

    Raises:
        NotASoundError: it is none.
    """
    size = os.fstat(file.fileno()).st_size
    if not size:
        raise NotASoundError("the file is empty")
    head = file.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":  # noqa: PLR2004
        raise NotASoundError("is not a RIFF file with a wave")
    form: tuple[int, int, int, int] | None = None
    while len(head := file.read(8)) == 8:  # noqa: PLR2004 - a chunk's name and length
        name, length = struct.unpack("<4sI", head)
        if name == b"data":
            if form is None:
                raise NotASoundError("has samples and does not say which")
            start = file.tell()
            return Sound(*form, start=start, said=length, there=size - start)
        body = file.read(min(length, 64))
        if name == b"fmt " and len(body) >= _FMT_BYTES:
            code, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:_FMT_BYTES])
            if code == _EXTENSIBLE and len(body) >= 26:  # noqa: PLR2004 - the code within its GUID
                code = struct.unpack("<H", body[24:26])[0]
            form = code, channels, rate, bits
        file.seek(length - len(body) + length % 2, os.SEEK_CUR)
    raise NotASoundError("has no samples: it ends within its header")


def header_fault(sound: Sound) -> str | None:
    """Whether the file is shorter than its header says."""
    if sound.there >= sound.said:
        return None
    return f"{sound.there:,} of {sound.said:,} bytes of samples are there"


def sound_faults(path: str | Path, span: float, step: float) -> list[tuple[str, str]]:
    """All that is wrong with a track's sound, as (kind, detail).

    Args:
        path: the wav.
        span: seconds from the track's first face to its last.
        step: seconds from one face to the next.
    """
    try:
        with open(path, "rb") as file:
            sound = read_header(file)
            samples = file.read(sound.said)
    except NotASoundError as error:
        return [("wav-unreadable", str(error))]
    except OSError as error:
        return [("wav-unreadable", str(error.strerror))]
    found: list[tuple[str, str]] = []
    fault = header_fault(sound)
    if fault:
        found.append(("wav-truncated", fault))
    if (sound.code, sound.channels, sound.rate, sound.bits) != (_PCM, CHANNELS, RATE, BITS):
        form = "" if sound.code == _PCM else f", form {sound.code} and not PCM"
        detail = f"{sound.rate:,} Hz, {sound.channels} channels, {sound.bits} bits{form}"
        found.append(("wav-format", detail))
    if samples and _is_silent(samples, sound.bits):
        found.append(("wav-silent", f"{sound.seconds:.2f} s of one value"))
    if not fault:  # of a file that is cut off, enough is said
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

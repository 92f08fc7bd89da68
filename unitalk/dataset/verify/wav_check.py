"""Check one wav: its header against its length, and whether there is anything to hear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unitalk.files import unreadable
from unitalk.media import wavs

if TYPE_CHECKING:
    from pathlib import Path

TOLERANCE = 0.2
"""Seconds that a sound may be shorter or longer than its faces span: five frames.

The authors close gaps up to this one by interpolation, and all usual ways to cut differ by less:
TalkNet's preparation cuts from the first time to the last, one frame less than there are faces, and
rounds to samples; others round to whole frames at both ends.
"""
_FRAME = 0.04


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

"""A video's sound at 16 kHz, one channel, 16 bits, in step with its pictures.

Sound and pictures of a file need not begin together, and sound may have gaps. Every stretch of it
is put where the container says that it is heard, counted from the first frame: silence before it
when it begins later, its head cut off when it begins earlier.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from unitalk.video.libraries import load
from unitalk.video.timeline import decoded

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    Samples = npt.NDArray[np.int16]

RATE = 16_000
"""Samples a second."""

_GAP = 0.020
"""Seconds by which sound may be off before it is moved: more than containers round, less than is
heard or than a frame lasts."""
_BYTES = 2


class NoSoundError(Exception):
    """There is no sound to decode; its text says why, and is empty when there is no stream."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sound:
    """The decoded sound of a video.

    Attributes:
        samples: [samples] from the first frame's begin on; a view of a file.
        failed: how many packets could not be decoded.
    """

    samples: Samples
    failed: int

    def between(self, first: int, last: int) -> Samples:
        """The samples from one up to another; silence where there are none."""
        there = np.asarray(self.samples[first:last])
        if len(there) == last - first:
            return there
        return np.concatenate([there, np.zeros(last - first - len(there), np.int16)])


def read_sound(path: str, scratch: IO[bytes], *, start: float, until: float) -> Sound:
    """Decode a video's sound into a file of samples.

    Args:
        path: the video.
        scratch: an empty file; the memory that this takes does not grow with the video.
        start: when the first frame is shown, on the container's clock, in seconds.
        until: seconds from then on after which no sound is wanted.

    Raises:
        NoSoundError: there is none, or it cannot be decoded.
    """
    av = load("av")
    try:
        with av.open(path) as container:
            stream = next(iter(container.streams.audio), None)
            if stream is None:
                raise NoSoundError
            if stream.codec_context is None:
                raise NoSoundError("there is no decoder for it")
            failed: list[Exception] = []
            track = _Track(av, scratch)
            for frame in decoded(av, container, stream, failed.append):
                track.put(frame, start)
                if track.now > until:
                    break
            track.flush()
    except av.FFmpegError as error:
        raise NoSoundError(str(error)) from error
    if not track.length:
        raise NoSoundError(str(failed[0]) if failed else "it has no samples")
    scratch.flush()
    samples: Samples = np.memmap(scratch, "<i2", mode="r", shape=(track.length,))
    return Sound(samples=samples, failed=len(failed))


class _Track:
    """Puts decoded sound where it is heard.

    Attributes:
        length: samples written.
        now: seconds up to which sound has come.
    """

    def __init__(self, av: Any, scratch: IO[bytes]) -> None:  # noqa: ANN401 - of an extra
        self._av = av
        self._scratch = scratch
        self._resampler: Any = None
        self._form: object = None
        self._place = 0  # of the next sample
        self.length = 0
        self.now = 0.0

    def put(self, frame: Any, start: float) -> None:  # noqa: ANN401
        """Take one decoded frame."""
        given = None if frame.pts is None else float(frame.pts * frame.time_base) - start
        at = self.now if given is None else given
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampler is None or form != self._form or abs(at - self.now) > _GAP:
            self.flush()
            self._form = form
            self._resampler = self._av.AudioResampler(format="s16", layout="mono", rate=RATE)
            self._place, self.now = round(at * RATE), at
        self.now += frame.samples / frame.sample_rate
        frame.pts = None  # its place is known, and a resampler would have its own thoughts
        self._write(self._resampler.resample(frame))

    def flush(self) -> None:
        """Write what the resampler still has."""
        if self._resampler is not None:
            self._write(self._resampler.resample(None))
            self._resampler = None

    def _write(self, frames: Any) -> None:  # noqa: ANN401
        for frame in frames:
            samples = frame.to_ndarray().reshape(-1)
            # What overlaps with sound that came before, or is before the first frame, is cut off.
            late = samples[max(0, self.length - self._place) :]
            self._place += len(samples)
            if len(late):
                self._scratch.seek((self._place - len(late)) * _BYTES)
                self._scratch.write(late.astype("<i2").tobytes())
                self.length = self._place


def write_wav(path: Path, samples: Samples) -> None:
    """Write a sound of one channel in 16 bits at `RATE`."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(_BYTES)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())

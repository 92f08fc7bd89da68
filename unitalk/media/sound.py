"""A video's sound at 16 kHz, one channel, 16 bits, in step with its pictures.

Sound and pictures of a file need not begin together, and sound may have gaps. Every stretch of it
is put where the container says that it is heard, counted from the first frame: silence before it
when it begins later, its head cut off when it begins earlier. Channels are mixed, unless they
cancel each other out.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from unitalk.media.libraries import load
from unitalk.media.timeline import decoded

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


_CANCELLED = 0.1
"""A mix with less than this share of its loudest channel's RMS has lost what was said in it."""


class NoSoundError(Exception):
    """There is no sound to decode; its text says why."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sound:
    """The decoded sound of a video.

    Attributes:
        samples: [samples] from the start of the first frame; a view of a file.
        failed: how many packets could not be decoded.
        silent: whether every sample is zero.
        cancelled: where channels cancel each other out when they are mixed, "channel 2 of 2", the
            one that was taken alone; else empty.
    """

    samples: Samples
    failed: int
    silent: bool = False
    cancelled: str = ""

    def between(self, first: int, last: int) -> Samples:
        """The samples from one up to another; silence where there are none."""
        there = np.asarray(self.samples[first:last])
        if len(there) == last - first:
            return there
        return np.concatenate([there, np.zeros(last - first - len(there), np.int16)])


def read_sound(path: str, index: int, scratch: IO[bytes], *, start: float, until: float) -> Sound:
    """Decode a video's sound into a file of samples.

    Args:
        path: the video.
        index: of its stream of sound.
        scratch: an empty file; the memory that this takes does not grow with the video.
        start: when the first frame is shown, on the container's clock, in seconds.
        until: seconds from then on after which no sound is wanted.

    Raises:
        NoSoundError: it cannot be decoded.
    """
    track, failed = _decode(path, index, scratch, (start, until))
    cancelled = ""
    channel = track.power.lost_in_the_mix()
    if channel is not None:
        cancelled = f"channel {channel + 1} of {len(track.power.channels)}"
        scratch.truncate(0)
        track, failed = _decode(path, index, scratch, (start, until), channel)
    if not track.length:
        raise NoSoundError(str(failed[0]) if failed else "it has no samples")
    scratch.flush()
    samples: Samples = np.memmap(scratch, "<i2", mode="r", shape=(track.length,))
    return Sound(
        samples=samples, failed=len(failed), silent=not track.power.mix, cancelled=cancelled
    )


def _decode(
    path: str,
    index: int,
    scratch: IO[bytes],
    span: tuple[float, float],
    channel: int | None = None,
) -> tuple[PlacedSound, list[Exception]]:
    """Decode from one time to another: the mix, or one channel of it; and what failed."""
    av = load("av")
    start, until = span
    failed: list[Exception] = []
    track = PlacedSound(av, scratch, channel)
    try:
        with av.open(path) as container:
            stream = container.streams[index]
            if stream.codec_context is None:
                raise NoSoundError("there is no decoder for it")
            for frame in decoded(av, container, stream, failed.append):
                track.put(frame, start)
                if track.now > until:
                    break
            track.flush()
    except av.FFmpegError as error:
        raise NoSoundError(str(error)) from error
    return track, failed


@dataclass(slots=True)
class _Power:
    """Sums of squares of a sound's samples.

    Attributes:
        mix: of the mix.
        channels: of each channel.
    """

    mix: float = 0.0
    channels: list[float] = field(default_factory=list)

    def add(self, channels: Samples) -> None:
        """Count samples, [channels, samples]."""
        self.channels += [0.0] * (len(channels) - len(self.channels))
        for number, own in enumerate(channels):
            self.channels[number] += _squares(own)

    def lost_in_the_mix(self) -> int | None:
        """The loudest channel, when next to nothing is left of it in the mix."""
        loudest = max(self.channels, default=0.0)
        lost = self.mix < _CANCELLED**2 * loudest
        return self.channels.index(loudest) if lost else None


def _squares(samples: Samples) -> float:
    # In single precision by BLAS, and exact enough for a share of a tenth.
    values = samples.astype(np.float32)
    return float(values @ values)


class PlacedSound:
    """Puts decoded sound where it is heard.

    Attributes:
        length: samples written.
        now: seconds up to which sound has come.
        power: of the channels, where there are several, and of what is written.

    Args:
        av: the library.
        scratch: an empty file.
        channel: the only one that is taken; default: all of them, mixed.
    """

    def __init__(self, av: Any, scratch: IO[bytes], channel: int | None = None) -> None:  # noqa: ANN401 - of an extra
        self._av = av
        self._scratch = scratch
        self._channel = channel
        self._mixer: Any = None
        self._splitter: Any = None  # of what has several channels
        self._form: object = None
        self._place = 0  # of the next sample
        self.length = 0
        self.now = 0.0
        self.power = _Power()

    def put(self, frame: Any, start: float) -> None:  # noqa: ANN401
        """Take one decoded frame."""
        given = None if frame.pts is None else float(frame.pts * frame.time_base) - start
        at = self.now if given is None else given
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._form is None or form != self._form or abs(at - self.now) > _GAP:
            self.flush()
            self._form = form
            self._begin(frame.layout)
            self._place, self.now = round(at * RATE), at
        self.now += frame.samples / frame.sample_rate
        frame.pts = None  # its place is known, and a resampler would have its own thoughts
        self._resample(frame)

    def flush(self) -> None:
        """Write what the resamplers still have."""
        if self._form is not None:
            self._resample(None)
            self._form = None

    def _begin(self, layout: Any) -> None:  # noqa: ANN401
        self._mixer = self._av.AudioResampler(format="s16", layout="mono", rate=RATE)
        several = layout.nb_channels > 1
        self._splitter = (
            self._av.AudioResampler(format="s16p", layout=layout, rate=RATE) if several else None
        )

    def _resample(self, frame: Any) -> None:  # noqa: ANN401
        if self._splitter is not None:
            for part in self._splitter.resample(frame):
                channels = part.to_ndarray()
                if self._channel is None:
                    self.power.add(channels)
                else:
                    self._write(channels[min(self._channel, len(channels) - 1)])
        if self._splitter is None or self._channel is None:
            for part in self._mixer.resample(frame):
                self._write(part.to_ndarray().reshape(-1))

    def _write(self, samples: Samples) -> None:
        self.power.mix += _squares(samples)
        # What overlaps with sound that came before, or is before the first frame, is cut off.
        late = samples[max(0, self.length - self._place) :]
        self._place += len(samples)
        if len(late):
            self._scratch.seek((self._place - len(late)) * _BYTES)
            self._scratch.write(late.astype("<i2").tobytes())
            self.length = self._place


def write_wav(path: Path, samples: Samples) -> None:
    """Write a sound of one channel in 16 bits at `RATE`."""
    with path.open("wb") as raw, wave.open(raw, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(_BYTES)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())

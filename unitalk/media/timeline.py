"""Which frame is shown at a time.

TalkNet's script seeks to every face's time with OpenCV, which comes, on video of a constant rate,
to the frame `int(t * 1e3 / 1000.0 * fps + 0.5)`: `fps` is the container's average rate, and time
counts from the first frame, whatever the container's start time (measured, see the benchmark).
There the same frames are taken. Where frames do not come at a constant rate, that count is wrong,
and what a seek picks depends on where key frames are; there the frame nearest in time is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk.media.libraries import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]

_CONSTANT = 0.25
"""Frames: how far one may be from its place at a constant rate.

Containers round times to their ticks, a hundredth of a frame or so; one frame that is missing moves
all later ones by a whole one. Up to half a frame, a seek comes to the frame that is counted.
"""
_Seen = tuple[int | None, int | None, bool]  # pts and length in ticks, whether a key frame

_PACKET_IS_FRAME = frozenset({"mov", "mp4", "matroska", "webm"})
"""Containers whose packets are frames and say when each is shown; elsewhere it takes a decoder."""
_BEYOND = 5.0  # seconds after the last face at which looking ends: frames are not far out of order
_BRIEF = 1e-6  # of a frame: the digits of a float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """When each frame is shown.

    Attributes:
        pts: [frames] ascending, in ticks; or just their numbers, see `counted`.
        keys: [key frames] the pts of those that a decoder can begin with; empty where unknown.
        tick: seconds.
        rate: frames a second, the container's average.
        constant: whether each frame is where this rate puts it.
        counted: frames have no times, and `pts` are their numbers.
        end: of the last frame, in seconds from the first one's begin.
        rate_known: whether the container says its rate.
    """

    pts: Ints
    keys: Ints
    tick: float
    rate: float
    constant: bool
    counted: bool
    end: float
    rate_known: bool = True

    @property
    def start(self) -> float:
        """When the first frame is shown, on the container's clock, in seconds."""
        return 0.0 if self.counted else float(self.pts[0]) * self.tick

    def frames_at(self, seconds: npt.NDArray[np.float64]) -> Ints:
        """The number of the frame that is shown at each time; -1 past the end."""
        count = len(self.pts)
        if self.constant:
            # Exactly so, as each step rounds: milliseconds and back are not where they were.
            numbers = (seconds * 1e3 / 1000.0 * self.rate + 0.5).astype(np.int64)
            return np.where(numbers < count, numbers, -1)
        shown = (self.pts - self.pts[0]) * self.tick
        middles = (shown[1:] + shown[:-1]) / 2  # at which the later one is taken
        numbers = np.searchsorted(middles - _BRIEF / self.rate, seconds, side="right")
        return np.where(seconds < self.end, numbers, -1)


def read_timeline(path: str, index: int, *, until: float, threads: int) -> Timeline | None:
    """Find when each frame of a video is shown, up to a time.

    Args:
        path: the video.
        index: of its stream of pictures, which can be decoded.
        until: seconds from the first frame after which nothing is wanted.
        threads: of the decoder, if it takes one; 0: as many as there are processors.

    Returns:
        The timeline; None when there is not one frame.
    """
    av = load("av")
    with av.open(path) as container:
        stream = prepared_stream(container, index, threads)
        rate, tick = average_rate(stream), float(stream.time_base or 0)
        if _PACKET_IS_FRAME & set(container.format.name.split(",")):
            made = of_packets(list(_packets(av, container, stream, until)), tick, rate)
            if made is not None:
                return made
    with av.open(path) as container:
        stream = prepared_stream(container, index, threads)
        frames = list(_frames(av, container, stream, until))
    return of_frames(frames, tick, rate)


def average_rate(stream: Any) -> float:  # noqa: ANN401 - of an extra
    """Frames a second as the container has it, by which OpenCV seeks; 0 where it has none."""
    return float(stream.average_rate or 0)


def prepared_stream(container: Any, index: int, threads: int) -> Any:  # noqa: ANN401
    """A stream of pictures whose decoder may use so many threads."""
    stream = container.streams[index]
    stream.thread_type = "AUTO" if threads != 1 else "SLICE"
    stream.codec_context.thread_count = threads
    return stream


def _packets(av: Any, container: Any, stream: Any, until: float) -> Iterator[_Seen]:  # noqa: ANN401
    """(pts, duration, is key) of each packet; ends where the file is damaged."""
    last = None
    tick = float(stream.time_base)
    try:
        for packet in container.demux(stream):
            if packet.size == 0 or packet.is_discard:  # the end; what an edit list leaves away
                continue
            yield packet.pts, packet.duration, packet.is_keyframe
            if last is None and packet.dts is not None:
                last = packet.dts + (until + _BEYOND) / tick
            if last is not None and packet.dts is not None and packet.dts > last:
                return
    except av.FFmpegError:
        return


def _frames(av: Any, container: Any, stream: Any, until: float) -> Iterator[_Seen]:  # noqa: ANN401
    """The same of decoded frames."""
    last = None
    tick = float(stream.time_base or 0)
    for frame in decoded(av, container, stream, lambda _: None):
        yield frame.pts, getattr(frame, "duration", 0), frame.key_frame
        if last is None and frame.pts is not None and tick:
            last = frame.pts + (until + _BEYOND) / tick
        if last is not None and frame.pts is not None and frame.pts > last:
            return


def decoded(av: Any, container: Any, stream: Any, failed: Any) -> Iterator[Any]:  # noqa: ANN401
    """Decode frames, from the container's position on, past whatever cannot be decoded.

    Args:
        av: the library.
        container: the opened file.
        stream: the stream to decode.
        failed: called with each error.
    """
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:
            failed(error)
            packet = None
        if packet is None:
            return
        try:
            frames = packet.decode()
        except av.FFmpegError as error:
            failed(error)
            continue
        yield from frames


def of_packets(seen: list[_Seen], tick: float, rate: float) -> Timeline | None:
    """The timeline of packets; None where not each says when it is shown."""
    keys = [pts for pts, _, key in seen if key and pts is not None]
    if not keys or any(pts is None for pts, _, _ in seen):
        return None
    # What is before the first key frame cannot be decoded: a stream that was cut begins with it.
    shown = sorted(
        (pts, length or 0) for pts, length, _ in seen if pts is not None and pts >= keys[0]
    )
    return _made(shown, tick, rate, keys)


def of_frames(seen: list[_Seen], tick: float, rate: float) -> Timeline | None:
    """The timeline of decoded frames, which come in the order in which they are shown."""
    shown = [(pts, length or 0) for pts, length, _ in seen if pts is not None]
    made = _made(shown, tick, rate, []) if len(shown) == len(seen) else None
    return made or _counted(len(seen), rate)


def _made(
    shown: list[tuple[int, int]], tick: float, rate: float, keys: list[int]
) -> Timeline | None:
    """The timeline of (pts, length); None if they are not in order, or there are none."""
    pts = np.array([one for one, _ in shown], np.int64)
    if not len(pts) or not tick or (np.diff(pts) <= 0).any():
        return None
    known = rate > 0
    rate = rate if known else _own_rate(pts, tick)
    seconds = (pts - pts[0]) * tick
    return Timeline(
        pts=pts,
        keys=np.array(sorted(keys), np.int64),
        tick=tick,
        rate=rate,
        constant=bool((np.abs(seconds * rate - np.arange(len(pts))) < _CONSTANT).all()),
        counted=False,
        end=float(seconds[-1]) + (shown[-1][1] * tick or 1 / rate),
        rate_known=known,
    )


def _own_rate(pts: Ints, tick: float) -> float:
    """The rate of the usual step between two frames."""
    return 1 / (float(np.median(np.diff(pts))) * tick) if len(pts) > 1 else _USUAL


_USUAL = 25.0  # where nothing says anything


def _counted(count: int, rate: float) -> Timeline | None:
    """The timeline of frames that have no times: they come at the container's rate."""
    if not count:
        return None
    return Timeline(
        pts=np.arange(count, dtype=np.int64),
        keys=np.empty(0, np.int64),
        tick=1 / (rate or _USUAL),
        rate=rate or _USUAL,
        constant=True,
        counted=True,
        end=count / (rate or _USUAL),
        rate_known=rate > 0,
    )

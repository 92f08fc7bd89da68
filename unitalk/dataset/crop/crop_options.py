"""How crops and sounds are cut."""

from __future__ import annotations

import math
from dataclasses import dataclass

from unitalk.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class CropOptions:
    """How crops and sounds are cut.

    Attributes:
        margin: widen each box by this share of its size on each side.
        compat: end a sound where TalkNet's scripts end it, at the time of the track's last face,
            so that this face has no sound; both ends are rounded down to a whole sample.
        audio_stream: the stream of sound to take, counted from 1; default: FFmpeg's choice.
        video_stream: the stream of pictures to take, covers not counted; likewise.
        drop_missing: leave out rows whose crop or sound cannot be cut, and cut the others as if
            those had never been there.

    Raises:
        UsageError: a margin below 0, or a stream below 1.
    """

    margin: float = 0.0
    compat: bool = False
    audio_stream: int | None = None
    video_stream: int | None = None
    drop_missing: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.margin) and self.margin >= 0):
            raise UsageError(
                f"a margin of {self.margin} is not a share of a box", hint="give one such as 0.4"
            )
        for name in ("audio_stream", "video_stream"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise UsageError(f"{name} is {number}", hint="count the streams from 1")

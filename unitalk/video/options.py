"""How crops and sounds are cut."""

from __future__ import annotations

import math
from dataclasses import dataclass

from unitalk.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class CropOptions:
    """How crops and sounds are cut.

    Attributes:
        margin: by which share of its size a box is widened on each side.
        compat: end a sound where TalkNet's scripts end it, at the time of the track's last face,
            so that this face has no sound; both ends are cut down to a whole sample.

    Raises:
        UsageError: a margin that is no share.
    """

    margin: float = 0.0
    compat: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.margin) and self.margin >= 0):
            raise UsageError(
                f"a margin of {self.margin} is no share of a box", hint="give one such as 0.4"
            )

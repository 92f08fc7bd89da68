"""The bins in which faces, frames and tracks are counted and scored: one definition for all rooms.

Nothing is imported at run time: the arithmetic is that of the arrays that come in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

    Codes = npt.NDArray[Any]

COMPANY = ("1", "2", "3", "4+")
"""Annotated faces of one frame, as in UniTalk's own table."""

SPEAKERS = ("0", "1", "2+")
"""Speaking faces of one frame."""

SMALL, LARGE = 64, 128  # pixels
WIDTHS = (f"<{SMALL}", f"{SMALL}-{LARGE}", f">{LARGE}")
"""Widths of faces, as papers on AVA divide them."""

AREAS = (f"<{SMALL}^2", f"{SMALL}^2-{LARGE}^2", f">={LARGE}^2")
"""Areas of faces, as UniTalk's authors divide their crops."""

_LENGTHS_MS = (1000, 3000, 5000, 10_000)
LENGTHS = ("0-1", "1-3", "3-5", "5-10", ">10")
"""Lengths of tracks in seconds. No standard is published; the bounds are about those that TalkNet's
and Light-ASD's notes name."""

LARGEST_SHARE = 2.0
"""A box that reaches further is in pixels, not relative to its frame; ASW has boxes up to 1.14."""


def company_codes(faces: Codes) -> Codes:
    """Return the place in `COMPANY` of each number of faces, from 1 up."""
    return faces.clip(max=len(COMPANY)) - 1


def pixels(shares: Codes, sides: Codes | float) -> Codes:
    """Turn shares of a frame's side into pixels.

    A csv has about six digits, so the result is rounded: 64 pixels must not come back as 63.9999.
    """
    return (shares * sides).round(2)


def width_codes(width: Codes) -> Codes:
    """Return the place in `WIDTHS` of each width in pixels."""
    return (width >= SMALL).astype("int64") + (width > LARGE)


def area_codes(area: Codes) -> Codes:
    """Return the place in `AREAS` of each area in square pixels."""
    return (area >= SMALL**2).astype("int64") + (area >= LARGE**2)


def length_codes(span: Codes, faces: Codes) -> Codes:
    """Return the place in `LENGTHS` of each track, computed in whole numbers.

    A track lasts from its first face to its last and one mean step more, so that 25 faces at 25 a
    second last one second, which counts to 1-3; ten seconds count to 5-10.

    Args:
        span: [tracks] milliseconds from the first face to the last.
        faces: [tracks]
    """
    steps = (faces - 1).clip(min=1)
    length = span * faces
    codes = (length > _LENGTHS_MS[-1] * steps).astype("int64")
    for bound in _LENGTHS_MS[:-1]:
        codes += length >= bound * steps
    return codes

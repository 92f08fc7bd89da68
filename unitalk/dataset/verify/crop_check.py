"""Check one jpg: whether it is whole, and whether it shows something."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unitalk.files import unreadable
from unitalk.media import jpegs

if TYPE_CHECKING:
    from pathlib import Path

BLACK = 8
"""Of 255: an image of zeros decodes to 0, or to little more where it was packed badly."""
FLAT = 3
"""Of 255: how far the values of one colour may be from each other after packing."""


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

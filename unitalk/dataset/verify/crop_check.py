"""One jpg: is it whole, does it show something; and a video's crops against their boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unitalk.files import unreadable
from unitalk.media import jpegs

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    Array = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.integer[Any]]
    Places = npt.NDArray[np.int64]

BLACK = 8
"""Of 255: an image of zeros decodes to 0, or to little more where it was packed badly."""
FLAT = 3
"""Of 255: how far the values of one colour may be from each other after packing."""

_CUT = 1.01  # pixels: each edge is cut down or rounded to a whole one; the rest is for the digits
_SLACK, _SHARE = 3.0, 0.03  # pixels and part of a side that a crop may be off its box
_AGREEING = 0.5  # of a video's crops must fit one frame
_ONE_SIZE = 0.9  # of all crops have it when they were brought to it
_VARIED = 0.05  # by so much, relative to their mean, boxes differ that cannot have crops of a size
_LEAST = 1e-4  # share of a frame


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


# ------------------------------------------------------------------------------ sizes


def one_size(sizes: Ints, boxes: Array) -> tuple[int, int] | None:
    """The size that crops were brought to after they were cut, if they were.

    Args:
        sizes: [crops, 2] width and height in pixels.
        boxes: [crops, 4] left, top, right, bottom, relative to the frame.
    """
    if not len(sizes):
        return None
    found, counts = np.unique(sizes, axis=0, return_counts=True)
    share = boxes[:, 2] - boxes[:, 0]
    if counts.max() < _ONE_SIZE * len(sizes) or share.std() <= _VARIED * abs(share.mean()):
        return None
    width, height = found[counts.argmax()].tolist()
    return int(width), int(height)


def contradicting(sizes: Ints, boxes: Array) -> tuple[Places, tuple[int, int]] | None:
    """The crops of a video whose sizes contradict their boxes.

    A crop's side over its box's gives the side of the frame, the same for all of a video up to a
    pixel. The frame is taken that most crops fit, and those are named that are off by more than
    3 pixels and 3 percent: more than rounding, smoothing or another codec's edges make.

    Args:
        sizes: [crops, 2] width and height in pixels.
        boxes: [crops, 4] left, top, right, bottom, relative to the frame.

    Returns:
        The crops' places and the frame's width and height; None when less than half of the crops
        fit one frame.
    """
    wrong = np.zeros(len(sizes), bool)
    frame: list[int] = []
    for axis in (0, 1):
        low, high = boxes[:, axis], boxes[:, axis + 2]
        inside = (low >= 0) & (high <= 1)
        # Where a box leaves the frame, the crop is what is left of it, or was padded.
        shares = [np.maximum(np.clip(high, 0, 1) - np.clip(low, 0, 1), _LEAST), high - low]
        usable = inside if inside.any() else np.ones(len(sizes), bool)
        side = _side(sizes[usable, axis], shares[0][usable])
        if side is None:
            return None
        off = np.minimum(*(np.abs(share * side - sizes[:, axis]) for share in shares))
        wrong |= off > _SLACK + _SHARE * sizes[:, axis]
        frame.append(round(side))
    return np.flatnonzero(wrong), (frame[0], frame[1])


def _side(lengths: Ints, share: Array) -> float | None:
    """The side of the frame that most crops fit, or None when it is less than half of them."""
    low, high = np.maximum(lengths - _CUT, 0) / share, (lengths + _CUT) / share
    edges = np.concatenate([low, high])
    order = np.lexsort((np.repeat([0, 1], len(low)), edges))
    depth = np.cumsum(np.repeat([1, -1], len(low))[order])
    best = int(depth.argmax())
    if depth[best] < _AGREEING * len(lengths):
        return None
    return float((edges[order[best]] + edges[order[best + 1]]) / 2)

"""Infer the size of a video's frames from its face crops."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unitalk.errors import LayoutError, examples
from unitalk.files import unreadable
from unitalk.layout import SPLITS, Layout, face_name, faces, find_entity
from unitalk.media.face_strip import open_crop

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy.typing as npt
    from PIL import Image

    Array = npt.NDArray[np.float64]

FEW = 8
"""How many crops of a video are opened to find its frame's size."""

_ROUNDING = 1.01
"""How far a crop's side may be from its box's, in pixels.

Each of the two edges moves by less than a pixel when it is cut down to a whole number, both the
same way, so that a side moves by less than one; the rest is for the digits of the csv.
"""
_AGREEING = 0.75  # of the crops must fit one size; an odd one may be another face's
_LONGEST = 1 << 14  # no frame has a longer side
_LEAST = 1 / _LONGEST  # share of a box


class Face(NamedTuple):
    """Where one face is: in which track, when, and in which part of the frame.

    Attributes:
        video: the video's id.
        entity: the track's id.
        seconds: the time.
        box: left, top, right and bottom edge, relative to the frame.
    """

    video: str
    entity: str
    seconds: float
    box: tuple[float, float, float, float]


def telling_faces(
    videos: npt.NDArray[np.integer], boxes: Array, *, count: int = FEW
) -> npt.NDArray[np.int64]:
    """Choose the faces of each video whose crops say most about its frame's size.

    A crop's side is known to a pixel, so that large ones say more; boxes that leave the frame are
    cut at its edge, which says less; and crops that were all brought to one size after they were
    cut are recognised by boxes that differ. So these are large boxes within the frame, in even
    steps from the largest to the median; boxes that leave it only when the video has no others, and
    one without an area, which `frame_sizes` refuses by its video's name, only then too.

    Args:
        videos: [rows] a number for each face's video.
        boxes: [rows, 4] left, top, right, bottom, relative to the frame.
        count: how many faces of a video at most.

    Returns:
        Rows, ascending; at least one of each video.
    """
    inside = np.clip(boxes, 0, 1)
    area = np.prod(np.maximum(inside[:, 2:] - inside[:, :2], 0), axis=1)
    leaves = (inside != boxes).any(axis=1)
    order = np.lexsort((-area, leaves | (area == 0), videos))
    chosen = [np.empty(0, np.int64)]
    for own in np.split(order, np.flatnonzero(np.diff(videos[order])) + 1) if len(order) else ():
        some = area[own] > 0
        usable = np.count_nonzero(some & ~leaves[own]) or np.count_nonzero(some) or 1
        chosen.append(own[np.unique(np.linspace(0, (usable - 1) / 2, count).astype(np.int64))])
    return np.sort(np.concatenate(chosen))


def frame_sizes(dataset: Path, chosen: Iterable[Face]) -> dict[str, tuple[int, int]]:
    """Recover the size of each video's frames from the sizes of a few of its face crops.

    A crop is the part of the frame within the box: `frame[int(y1 * h):int(y2 * h), int(x1 * w):
    int(x2 * w)]` in the preprocessing of AVA, TalkNet and ASC. So each crop's side allows a range
    of frame sizes, and a few crops together allow one or very few; of these, the one taken is that
    for which most crops are exactly what cutting down or rounding their edges makes of the boxes.

    Args:
        dataset: the folder that holds `clips_videos/`.
        chosen: the faces to look at, as `telling_faces` chooses them.

    Returns:
        For each video (width, height) in pixels; exact, or off by few pixels where crops are few or
        small: two sizes that crops with a box of share s allow differ by less than 2 / s pixels.

    Raises:
        LayoutError: no crop of a video is there, or the crops are not the size of their boxes.
    """
    by_video: dict[str, list[Face]] = {}
    for face in chosen:
        by_video.setdefault(face.video, []).append(face)
    found: dict[str, tuple[int, int]] = {}
    wrong: list[str] = []
    for video, own in by_video.items():
        size = _frame_size(Layout(dataset), own)
        if isinstance(size, str):
            wrong.append(f"{video}: {size}")
        else:
            found[video] = size
    if wrong:
        raise LayoutError(
            f"{dataset}: the frame's size cannot be inferred from the face crops of "
            f"{len(wrong):,} of {len(by_video):,} videos: {examples(wrong)}",
            hint="give the dataset that the csv belongs to, with its crops as they were cut, or "
            "the frame's size itself (`frame_size`)",
        )
    return found


def face_file(layout: Layout, face: Face) -> Path | None:
    """Find a face's crop in whichever split has its track; None if there is none.

    Takes one or two system calls when its name is as we write it; else its track is listed.
    """
    try:
        return _face_file(layout, face)
    except OSError as error:
        if refused := unreadable(error):
            raise refused from error
        return None  # an id that is too long for a name, a link to itself: no crop of ours


def _face_file(layout: Layout, face: Face) -> Path | None:
    for split in SPLITS:
        folder = find_entity(layout.part("video", split, face.video), face.entity)
        if folder is not None:
            name = face_name(face.seconds)
            if (folder / name).is_file():
                return folder / name
            own = faces(folder).get(name)
            return None if own is None else folder / own
    return None


def _size(picture: Image.Image) -> tuple[int, int]:
    """Width and height in pixels, from the header."""
    return picture.size


def _frame_size(layout: Layout, chosen: Sequence[Face]) -> tuple[int, int] | str:
    """A video's frame size, or why it cannot be inferred."""
    paths = [face_file(layout, face) for face in chosen]
    sizes = [open_crop(path, _size) for path in paths]
    pairs = [(face.box, size) for face, size in zip(chosen, sizes, strict=True) if size is not None]
    if not pairs:
        there = sum(path is not None for path in paths)
        return f"none of {len(paths)} face crops " + ("can be read" if there else "is there")
    boxes = np.clip(np.array([box for box, _ in pairs]), 0, 1)
    crops = np.array([size for _, size in pairs], np.float64)
    width = _side(crops[:, 0], boxes[:, 0], boxes[:, 2])
    height = _side(crops[:, 1], boxes[:, 1], boxes[:, 3])
    if width is None or height is None:
        across, down = (crops / np.maximum(boxes[:, 2:] - boxes[:, :2], _LEAST)).T
        return (
            f"{len(pairs)} face crops do not have the size of their boxes, but that of boxes in "
            f"frames {across.min():.0f} to {across.max():.0f} wide and {down.min():.0f} to "
            f"{down.max():.0f} high"
        )
    return width, height


def _side(lengths: Array, low: Array, high: Array) -> int | None:
    """The frame's width (or height) that crops of these widths were cut from, or None.

    Args:
        lengths: [crops] in pixels.
        low: [crops] the boxes' left edges, relative to the frame, within it.
        high: [crops] the right edges.
    """
    share = np.maximum(high - low, _LEAST)
    first = max(1, np.floor((lengths - _ROUNDING) / share).min())
    last = min(_LONGEST, np.ceil((lengths + _ROUNDING) / share).max())
    sides = np.arange(first, last + 1)[:, None]
    fitting = (np.abs(sides * share - lengths) < _ROUNDING).sum(axis=1)
    if not len(sides) or fitting.max() < _AGREEING * len(lengths):
        return None
    sides = sides[fitting == fitting.max()]
    exact = [
        (cut(sides * high) - cut(sides * low) == lengths).sum(axis=1) for cut in (np.floor, np.rint)
    ]
    best = np.maximum(*exact)
    left = sides[best == best.max(), 0]
    return int(left[np.argmin(np.abs(left - np.median(lengths / share)))])

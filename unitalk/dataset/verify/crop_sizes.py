"""Compare the sizes of crops with their boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk import schema
from unitalk.layout import face_name

if TYPE_CHECKING:
    import numpy.typing as npt

    from unitalk.dataset.verify.folders import Walk
    from unitalk.schema.split_rows import SplitRows

    Array = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.integer[Any]]
    Places = npt.NDArray[np.int64]

_CUT = 1.01  # pixels: each edge is cut down or rounded to a whole one; the rest is for the digits
_SLACK, _SHARE = 3.0, 0.03  # pixels and part of a side that a crop may be off its box
_AGREEING = 0.5  # of a video's crops must fit one frame
_ONE_SIZE = 0.9  # of all crops have it when they were brought to it
_VARIED = 0.05  # by so much, relative to their mean, boxes differ that cannot have crops of a size
_LEAST = 1e-4  # share of a frame


def check_sizes(rows: SplitRows, sizes: Ints, walk: Walk) -> list[str]:
    """Compare a split's crops with their boxes, video by video; findings are added to the walk's.

    Args:
        rows: the split's.
        sizes: [rows, 2] width and height of each row's crop; 0 where none was opened.
        walk: where the crops are.

    Returns:
        Notes, where sizes say nothing of boxes.
    """
    boxes = np.stack([rows.faces.numbers(name) for name in schema.BOX], axis=1)
    opened = np.flatnonzero((sizes[:, 0] > 0) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1))
    same = one_size(sizes[opened], boxes[opened])
    if same is not None:
        return [
            f"the crops of {rows.split} were brought to {same[0]} x {same[1]} pixels, so that "
            "their sizes say nothing of their boxes"
        ]
    odd: list[Places] = []
    videos = _by_video(rows, opened)
    for own in videos:
        found = contradicting(sizes[own], boxes[own])
        if found is None:
            odd.append(own)
            continue
        wrong, frame = found
        for row in own[wrong].tolist():
            track = rows.tracks[rows.table.track[row]]
            path = walk.crops_of(track) / face_name(int(rows.milliseconds[row]) / 1000)
            detail = _detail(sizes[row], boxes[row], frame)
            walk.note("crop-size", path, track.video, track.entity, detail=detail)
    if len(odd) * 2 > len(videos):
        return [
            f"the crops of {len(odd):,} of {len(videos):,} videos of {rows.split} have sizes that "
            "follow from no frame and box, so that nothing is said about them"
        ]
    for own in odd:
        track = rows.tracks[rows.table.track[own[0]]]
        folder, detail = walk.crops_of(track).parent, "the crops fit no one frame"
        walk.note("crop-size", folder, track.video, faces=len(own), detail=detail)
    return []


def _by_video(rows: SplitRows, chosen: Places) -> list[Places]:
    """Divide rows by their videos."""
    codes = rows.video[0]
    chosen = chosen[np.argsort(codes[chosen], kind="stable")]
    parts = np.split(chosen, np.flatnonzero(np.diff(codes[chosen])) + 1)
    return [part for part in parts if len(part)]


def _detail(size: Ints, box: Array, frame: tuple[int, int]) -> str:
    width, height = (box[2:] - box[:2]) * frame
    return (
        f"{size[0]} x {size[1]} pixels; its box in a frame of {frame[0]} x {frame[1]} is "
        f"{width:.0f} x {height:.0f}"
    )


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

"""Boxes of the predictions that are not the ground truth's, and what they are instead."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.score.diagnose.findings import SHOWN, Finding, ok, places, problem
from unitalk.score.mismatches import BOX_TOLERANCE

if TYPE_CHECKING:
    import numpy.typing as npt

    from unitalk.schema import Faces
    from unitalk.score.diagnose.pairing import Pairing

    Boxes = npt.NDArray[np.float64]

_FLOOR = 1e-9  # absolute, for edges at 0
_LOOKED_AT = 20_000  # boxes that layouts are tried on
_ENOUGH = 0.95  # the share of differing boxes that a layout must explain
_PIXELS = 8.0  # a frame larger than this is in pixels
_ROUNDED = 0.001  # what relative edges may lack when somebody rounded them
_NEAR = 0.02  # of the frame, by which an edge may be off the line that most are on


def check_boxes(truth: Faces, faces: Faces, pairing: Pairing) -> Finding:
    """Compare the boxes of the pairs, and look for what explains a difference."""
    rows = pairing.found
    partners = pairing.partners[rows]
    ours, theirs = _boxes(truth, partners), _boxes(faces, rows)
    allowed = BOX_TOLERANCE * np.maximum(np.abs(ours), np.abs(theirs)) + _FLOOR
    differ = np.any(np.abs(ours - theirs) > allowed, axis=1)
    guessed = pairing.guessed[rows]
    if (differ & guessed).any():  # the box of another face says that the guess was wrong
        own = np.isin(truth.codes(schema.ENTITY)[0], pairing.tracks[rows[guessed]])
        meant = set(map(tuple, _boxes(truth, np.flatnonzero(own)).round(6).tolist()))
        differ[guessed] &= [tuple(box) not in meant for box in theirs[guessed].round(6).tolist()]
    wrong = np.flatnonzero(differ)
    if not len(wrong):
        return ok("boxes", f"all {len(rows):,} boxes match the ground truth")
    few = wrong[:: -(-len(wrong) // _LOOKED_AT)]
    what = (
        _explain(ours[few], theirs[few], truth.codes(schema.VIDEO)[0][partners[few]])
        or f"by {np.abs(ours[wrong] - theirs[wrong]).max():.3g} at most"
    )
    first = wrong[:SHOWN]
    return problem(
        "boxes",
        f"{len(wrong):,} of {len(rows):,} boxes differ from the ground truth's: {what}",
        examples=places(
            faces,
            rows[first],
            [f"{_text(theirs[row])} where the face is in {_text(ours[row])}" for row in first],
        ),
        advice="copy the boxes from the ground truth, or leave the four columns out; they are the "
        "corners x1, y1, x2, y2, relative to the frame (0 to 1)",
    )


def _boxes(faces: Faces, rows: npt.NDArray[np.int64]) -> Boxes:
    return np.stack([faces.numbers(name)[rows] for name in schema.BOX], axis=1)


def _text(box: Boxes) -> str:
    return " ".join(f"{edge:g}" for edge in box)


def _explain(ours: Boxes, theirs: Boxes, videos: npt.NDArray[np.int32]) -> str | None:
    """Try corners and x, y, width, height, with one frame size for all and with one per video."""
    sized = np.concatenate([ours[:, :2], ours[:, 2:] - ours[:, :2]], axis=1)
    for layout, wanted in (("", ours), ("x, y, width, height", sized)):
        for groups in (np.zeros_like(videos), videos):
            sizes = _sizes(wanted, theirs, groups)
            if sizes is not None and (layout or max(sizes) > (1, 1)):
                return _described(layout, [size for size in sizes if size != (1, 1)])
    return None


def _described(layout: str, pixels: list[tuple[int, int]]) -> str:
    order = f"{layout} where x1, y1, x2, y2 are wanted" if layout else ""
    if not pixels:
        return f"they look like {order}"
    named = ", ".join(f"{width} x {height}" for width, height in pixels[:SHOWN])
    more = f" and {len(pixels) - SHOWN:,} more" if len(pixels) > SHOWN else ""
    frames = "a frame of" if len(pixels) == 1 else "frames of"
    also = f", as {order}" if order else ""
    return f"they look like pixels of {frames} {named}{more}{also}; 0 to 1 is wanted"


def _sizes(
    wanted: Boxes, theirs: Boxes, groups: npt.NDArray[np.int32]
) -> list[tuple[int, int]] | None:
    """The frame sizes in which boxes are measured, the most frequent first, if these explain them.

    A frame of relative boxes is 1 x 1.
    """
    found: Counter[tuple[int, int]] = Counter()
    explained = 0
    for group in np.unique(groups):
        rows = groups == group
        size = (_scale(wanted[rows, ::2], theirs[rows, ::2]),
                _scale(wanted[rows, 1::2], theirs[rows, 1::2]))  # fmt: skip
        scale = np.array(size * 2)
        slack = np.where(scale > _PIXELS, 1.0 + BOX_TOLERANCE * scale, _ROUNDED)
        fits = (np.abs(theirs[rows] - wanted[rows] * scale) <= slack).all(axis=1)
        explained += int(np.count_nonzero(fits))
        found[size] += 1
    return [size for size, _ in found.most_common()] if explained >= _ENOUGH * len(groups) else None


def _scale(wanted: Boxes, theirs: Boxes) -> int:
    """How many units a frame has along one axis; 1 for relative boxes."""
    x, y = wanted[wanted > 0], theirs[wanted > 0]
    rough = float(np.median(y / x)) if len(x) else 1.0
    if rough <= _PIXELS:
        return 1
    near = np.abs(y - rough * x) <= 1 + _NEAR * rough  # a few wild boxes stay out
    if not near.any() or not np.ptp(x[near]):
        return round(rough)
    # int() makes every edge smaller by half a pixel on average, which a slope does not mind.
    return round(float(np.polyfit(x[near], y[near], 1)[0]))

"""Boxes of the predictions that are not the ground truth's, and what they are instead."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.score.diagnose.findings import Finding, counted, ok, places, problem
from unitalk.score.near_times import NOBODY

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from unitalk.schema import Faces
    from unitalk.score.diagnose.pairing import Pairing

    Boxes = npt.NDArray[np.float64]

TOLERANCE = 1e-6
"""Edges are equal when they differ by at most this, relative to the larger of the two."""
_PRIMES = np.array([1, 1_000_003, 1_000_003**2, 3_000_017 * 1_000_033])
_FLOOR = 1e-9  # absolute, for edges at 0
_LOOKED_AT = 20_000  # boxes that candidates are tried on
_ENOUGH = 0.95  # of the boxes that differ, that a candidate must explain
_PIXELS = 8.0  # a larger frame than this is in pixels
_PERCENT = 100.0
_ROUNDED = 0.001  # what relative edges may lack when somebody rounded them
_NEAR = 0.02  # of the frame, by which an edge may be off the line that most are on
_FEW = 3  # frame sizes that are named


@dataclass(frozen=True, slots=True)
class _Layout:
    """One order in which four numbers may stand for a box.

    Attributes:
        name: what stands there.
        of: [boxes, 4] corners of the ground truth -> what would stand there.
        across: which two of the four lie along the frame's width.
    """

    name: str
    weights: tuple[tuple[float, float, float, float], ...]
    across: tuple[bool, bool, bool, bool] = (True, False, True, False)

    def of(self, corners: Boxes) -> Boxes:
        result: Boxes = corners @ np.array(self.weights).T
        return result


_X1, _Y1, _X2, _Y2 = (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)
_WIDTH, _HEIGHT = (-1, 0, 1, 0), (0, -1, 0, 1)
_CORNERS = _Layout("x1, y1, x2, y2", (_X1, _Y1, _X2, _Y2))
_LAYOUTS = (
    _CORNERS,
    _Layout("x, y, width, height", (_X1, _Y1, _WIDTH, _HEIGHT)),
    _Layout(
        "centre x, centre y, width, height",
        ((0.5, 0, 0.5, 0), (0, 0.5, 0, 0.5), _WIDTH, _HEIGHT),
    ),
    _Layout("y1, x1, y2, x2", (_Y1, _X1, _Y2, _X2), (False, True, False, True)),
    _Layout("x1, x2, y1, y2", (_X1, _X2, _Y1, _Y2), (True, True, False, False)),
    _Layout("x2, y2, x1, y1", (_X2, _Y2, _X1, _Y1)),
    _Layout("x2, y1, x1, y2", (_X2, _Y1, _X1, _Y2)),
    _Layout("x1, y2, x2, y1", (_X1, _Y2, _X2, _Y1)),
)


def check_boxes(truth: Faces, faces: Faces, pairing: Pairing) -> Finding:
    """Hold the boxes of the pairs against each other, and look for what explains a difference."""
    guessed = np.flatnonzero(pairing.partners != NOBODY)
    ours = _boxes(truth, pairing.partners[guessed])
    theirs = _boxes(faces, guessed)
    allowed = TOLERANCE * np.maximum(np.abs(ours), np.abs(theirs)) + _FLOOR
    differ = np.asarray((np.abs(ours - theirs) > allowed).any(axis=1))
    guesses = np.flatnonzero(differ & pairing.guessed[guessed])
    if len(guesses):  # the box of another face says that the guess was wrong, and not the box
        every = _boxes(truth, np.arange(len(truth)))
        differ[guesses] = ~np.isin(_hashed(theirs[guesses]), _hashed(every))
    wrong = np.flatnonzero(differ)
    if not len(wrong):
        return ok("boxes", f"every box is that of the ground truth ({len(guessed):,})")
    few = wrong[:: -(-len(wrong) // _LOOKED_AT)]
    videos, _ = truth.codes(schema.VIDEO)
    what = (
        _explain(ours[few], theirs[few], videos[pairing.partners[guessed[few]]])
        or _rounded(ours[wrong], theirs[wrong])
        or _simply_different(ours[wrong], theirs[wrong])
    )
    rows = [int(row) for row in wrong[:3]]
    return problem(
        "boxes",
        f"{len(wrong):,} of {len(guessed):,} boxes differ from the ground truth's: {what}",
        examples=places(
            faces,
            guessed[rows],
            [f"{_told(theirs[row])} where the face is in {_told(ours[row])}" for row in rows],
        ),
        advice="copy the boxes from the ground truth, or leave the four columns out; they are the "
        "corners x1, y1, x2, y2, relative to the frame (0 to 1)",
    )


def _boxes(faces: Faces, rows: npt.NDArray[np.int64]) -> Boxes:
    return np.stack([faces.numbers(name)[rows] for name in schema.BOX], axis=1)


def _hashed(boxes: Boxes) -> npt.NDArray[np.int64]:
    """One number a box, to six decimals."""
    result: npt.NDArray[np.int64] = np.rint(boxes / TOLERANCE).astype(np.int64) @ _PRIMES
    return result


def _told(box: Boxes) -> str:
    return " ".join(f"{edge:g}" for edge in box)


def _explain(ours: Boxes, theirs: Boxes, videos: npt.NDArray[np.int32]) -> str | None:
    """Try every layout, with one frame size for all and then with one a video."""
    for layout in _LAYOUTS:
        wanted = layout.of(ours)
        for groups in (np.zeros_like(videos), videos):
            sizes = _sizes(wanted, theirs, groups, np.array(layout.across))
            if sizes is not None:
                return _worded(layout, sizes)
    return None


def _sizes(
    wanted: Boxes, theirs: Boxes, groups: npt.NDArray[np.int32], across: npt.NDArray[np.bool_]
) -> Counter[tuple[float, float]] | None:
    """The frame that each group's boxes are measured in; None when that does not explain them."""
    found: Counter[tuple[float, float]] = Counter()
    explained = 0
    for rows in _rows_of(groups):
        width, height = (_scale(wanted[rows][:, axis], theirs[rows][:, axis])
                         for axis in (across, ~across))  # fmt: skip
        scale = np.where(across, width, height)
        slack = np.where(scale > _PIXELS, 1.0 + TOLERANCE * scale, _ROUNDED)
        fits = (np.abs(theirs[rows] - wanted[rows] * scale) <= slack).all(axis=1)
        explained += int(np.count_nonzero(fits))
        found[width, height] += 1
    return found if explained >= _ENOUGH * len(groups) else None


def _rows_of(groups: npt.NDArray[np.int32]) -> Iterator[npt.NDArray[np.intp]]:
    order = np.argsort(groups, kind="stable")
    borders = np.flatnonzero(np.diff(groups[order])) + 1
    yield from np.split(order, borders)


def _scale(wanted: Boxes, theirs: Boxes) -> float:
    """How many units a frame has along one axis; 1 for relative boxes."""
    x, y = wanted.ravel(), theirs.ravel()
    high = x > np.median(x)
    if not high.any():  # one edge says nothing
        return 1.0
    rough = (np.median(y[high]) - np.median(y[~high])) / (np.median(x[high]) - np.median(x[~high]))
    rest = y - rough * x
    near = np.abs(rest - np.median(rest)) <= 1 + _NEAR * abs(rough)  # a few wild boxes stay out
    if not near.any():  # the median lies between two heaps, and nothing at it
        return 1.0
    x, y = x[near] - x[near].mean(), y[near]
    # A slope does not mind that int() makes every edge smaller by half a pixel.
    slope = float(np.mean(x * y) / np.mean(x * x)) if x.any() else 0.0
    return float(round(slope)) if slope > _PIXELS else 1.0


def _worded(layout: _Layout, sizes: Counter[tuple[float, float]]) -> str | None:
    pixels = [size for size, _ in sizes.most_common() if max(size) > 1]
    order = "" if layout is _CORNERS else f"{layout.name} where x1, y1, x2, y2 are wanted"
    if not pixels:
        return f"they look like {order}" if order else None
    also = f", as {order}" if order else ""
    if pixels == [(_PERCENT, _PERCENT)]:
        return f"they look like percent of the frame{also}; 0 to 1 is wanted"
    named = ", ".join(f"{width:.0f} x {height:.0f}" for width, height in pixels[:_FEW])
    more = f" and {len(pixels) - _FEW:,} more" if len(pixels) > _FEW else ""
    frames = "a frame of" if len(pixels) == 1 else "frames of"
    return f"they look like pixels of {frames} {named}{more}{also}; 0 to 1 is wanted"


def _rounded(ours: Boxes, theirs: Boxes) -> str | None:
    for decimals in range(1, 7):
        unit = 10.0**-decimals
        on_grid = np.abs(theirs / unit - np.rint(theirs / unit)) < TOLERANCE
        if on_grid.all() and (np.abs(ours - theirs) <= unit + _FLOOR).all():
            return f"they are rounded to {counted(decimals, 'decimal')}"
    return None


def _simply_different(ours: Boxes, theirs: Boxes) -> str:
    if (theirs == theirs[0]).all() and len(theirs) > 1:
        return f"all of them are {_told(theirs[0])}"
    return f"by {np.abs(ours - theirs).max():.3g} at most, in no way known"

"""Boxes of the predictions that are not the ground truth's, and what they are instead."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.score.diagnose.findings import SHOWN, Finding, ok, places, problem
from unitalk.score.match import BOX_TOLERANCE

if TYPE_CHECKING:
    import numpy.typing as npt

    from unitalk.schema import Faces
    from unitalk.score.diagnose.pairing import Pairing

    Boxes = npt.NDArray[np.float64]
    Sizes = dict[tuple[float, float], int]

_FLOOR = 1e-9  # absolute, for edges at 0
_LOOKED_AT = 20_000  # boxes that layouts are tried on
_ENOUGH = 0.95  # the share of differing boxes that a layout must explain
_PIXELS = 8.0  # a frame larger than this is in pixels
_ROUNDED = 0.001  # what relative edges may lack when somebody rounded them
_NEAR = 0.02  # of the frame, by which an edge may be off the line that most are on


def check_boxes(truth: Faces, faces: Faces, pairing: Pairing) -> Finding:
    """Compare the boxes of the pairs, and look for what explains a difference."""
    rows = pairing.found
    ours, theirs = _boxes(truth, pairing.partners[rows]), _boxes(faces, rows)
    allowed = BOX_TOLERANCE * np.maximum(np.abs(ours), np.abs(theirs)) + _FLOOR
    differ = np.any(np.abs(ours - theirs) > allowed, axis=1)
    guesses = np.flatnonzero(differ & pairing.guessed[rows])
    if len(guesses):  # the box of another face says that the guess was wrong, and not the box
        every = _boxes(truth, np.arange(len(truth)))
        differ[guesses] = ~np.isin(_hashed(theirs[guesses]), _hashed(every))
    wrong = np.flatnonzero(differ)
    if not len(wrong):
        return ok("boxes", f"every box is that of the ground truth ({len(rows):,})")
    few = wrong[:: -(-len(wrong) // _LOOKED_AT)]
    videos, _ = truth.codes(schema.VIDEO)
    what = (
        _explain(ours[few], theirs[few], videos[pairing.partners[rows[few]]])
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


def _hashed(boxes: Boxes) -> npt.NDArray[np.int64]:
    """One number per box, to six decimals."""
    primes = np.array([1, 1_000_003, 1_000_003**2, 3_000_017 * 1_000_033])
    result: npt.NDArray[np.int64] = np.rint(boxes / BOX_TOLERANCE).astype(np.int64) @ primes
    return result


def _text(box: Boxes) -> str:
    return " ".join(f"{edge:g}" for edge in box)


def _explain(ours: Boxes, theirs: Boxes, videos: npt.NDArray[np.int32]) -> str | None:
    """Try corners and x, y, width, height, with one frame size for all and with one per video."""
    sized = np.concatenate([ours[:, :2], ours[:, 2:] - ours[:, :2]], axis=1)
    for wanted, videos_ in product((ours, sized), (np.zeros_like(videos), videos)):
        sizes = _sizes(wanted, theirs, videos_)
        if sizes is not None:
            pixels = sorted((size for size in sizes if max(size) > 1), key=lambda s: -sizes[s])
            order = "x, y, width, height where x1, y1, x2, y2 are wanted" if wanted is sized else ""
            if pixels:
                more = f" and {len(pixels) - SHOWN:,} more" if len(pixels) > SHOWN else ""
                named = ", ".join(f"{w:.0f} x {h:.0f}" for w, h in pixels[:SHOWN])
                frames = "a frame of" if len(pixels) == 1 else "frames of"
                also = f", as {order}" if order else ""
                return f"they look like pixels of {frames} {named}{more}{also}; 0 to 1 is wanted"
            if order:
                return f"they look like {order}"
    return None


def _sizes(wanted: Boxes, theirs: Boxes, videos: npt.NDArray[np.int32]) -> Sizes | None:
    """Count the frame sizes that the videos' boxes are measured in, if these explain the boxes."""
    found: Sizes = {}
    explained = 0
    for video in np.unique(videos):
        rows = videos == video
        size = (_scale(wanted[rows, ::2], theirs[rows, ::2]),
                _scale(wanted[rows, 1::2], theirs[rows, 1::2]))  # fmt: skip
        scale = np.array(size * 2)
        slack = np.where(scale > _PIXELS, 1.0 + BOX_TOLERANCE * scale, _ROUNDED)
        fits = (np.abs(theirs[rows] - wanted[rows] * scale) <= slack).all(axis=1)
        explained += int(np.count_nonzero(fits))
        found[size] = found.get(size, 0) + 1
    return found if explained >= _ENOUGH * len(videos) else None


def _scale(wanted: Boxes, theirs: Boxes) -> float:
    """How many units a frame has along one axis; 1 for relative boxes."""
    x, y = wanted.ravel(), theirs.ravel()
    x, y = x[x > 0], y[x > 0]
    rough = float(np.median(y / x)) if len(x) else 1.0
    if rough <= _PIXELS:
        return 1.0
    near = np.abs(y - rough * x) <= 1 + _NEAR * rough  # a few wild boxes stay out
    if not near.any() or not np.ptp(x[near]):
        return float(round(rough))
    x, y = x[near] - x[near].mean(), y[near]
    # int() makes every edge smaller by half a pixel on average, which a slope does not mind.
    return float(round(float(x @ y / (x @ x))))

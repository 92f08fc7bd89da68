"""What the page's figures are drawn from: places in a box of 0 to 1, and paths of SVG.

The drawing itself is `templates/figures.html`.
"""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk.score.report.number_text import number, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from unitalk.score.curve import Curve, Histogram

    Floats = npt.NDArray[np.float64]

_UNIT = 1000  # the side of the square that curves are drawn in
_TICKS = 6  # about so many on an axis


def nice_ticks(low: float, high: float, about: int = _TICKS) -> list[float]:
    """Return round numbers within a range, in steps of 1, 2 or 5 times a power of ten."""
    if not high > low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


# ------------------------------------------------------------------------------ precision-recall


def precision_recall(names: Sequence[str], curves: Sequence[Curve]) -> dict[str, Any]:
    """Return each system's paths and the places of its signs, and what the script reads off."""
    return {
        "systems": names,
        "envelopes": [_steps(curve) for curve in curves],
        "raw": [_polyline(curve) for curve in curves],
        "signs": [list(_signs(curve, at, len(curves))) for at, curve in enumerate(curves)],
        "readings": _readings(names, curves),
    }


def _readings(names: Sequence[str], curves: Sequence[Curve]) -> str:
    """Return, as JSON, each system's envelope and threshold at 1, 2, ... 100 % recall."""
    wanted = np.arange(1, 101) / 100 - 1e-9
    systems = []
    for name, curve in zip(names, curves, strict=True):
        at = np.minimum(np.searchsorted(curve.recall, wanted), len(curve.recall) - 1)
        systems.append(
            {
                "name": name,
                "precision": [percent(value) for value in curve.envelope[at].tolist()],
                "threshold": [number(value) for value in curve.threshold[at].tolist()],
            }
        )
    return json.dumps(systems, ensure_ascii=False, separators=(",", ":"))


def _signs(curve: Curve, index: int, count: int) -> Iterator[tuple[float, float]]:
    """Choose places for a system's signs on its envelope, apart from those of the others."""
    for third in range(3):
        recall = (third + (index + 0.5) / count) / 3
        at = min(int(np.searchsorted(curve.recall, recall)), len(curve.recall) - 1)
        yield recall, 1 - float(curve.envelope[at])


def _polyline(curve: Curve) -> str:
    """Write the raw curve as lines, each by how far it goes; a single point becomes a dot."""
    pairs = _integers(curve.recall, curve.precision)
    moves = [
        f"{b[0] - a[0]} {b[1] - a[1]}".replace(" -", "-") for a, b in pairwise(pairs) if a != b
    ]
    return f"M{pairs[0][0]} {pairs[0][1]}" + ("l" + " ".join(moves) if moves else "h0")


def _steps(curve: Curve) -> str:
    """Write the envelope as the steps whose area average precision is."""
    pairs = _integers(curve.recall, curve.envelope)
    height = pairs[0][1]
    path = f"M0 {height}"
    for x, y in pairs:
        if y != height:
            path += f"V{y}"
            height = y
        path += f"H{x}"
    return path


def _integers(x: Floats, y: Floats) -> list[tuple[int, int]]:
    """Return points in the square of `_UNIT`, y downwards."""
    across, down = np.rint(x * _UNIT).astype(int), np.rint((1 - y) * _UNIT).astype(int)
    return list(zip(across.tolist(), down.tolist(), strict=True))


# ------------------------------------------------------------------------------ histograms


def score_histogram(histogram: Histogram) -> dict[str, Any]:
    """Return columns of speaking faces upwards and of the others downwards, and the axis.

    A column is its left edge, its width and its height; heights are shares of the label's faces,
    of which the tallest column fills half of the box.
    """
    edges = histogram.edges
    low, high = float(edges[0]), float(edges[-1])
    span = high - low or 1.0
    halves = [
        counts / max(counts.sum(), 1) for counts in (histogram.positives, histogram.negatives)
    ]
    top = max(float(half.max()) for half in halves)
    left = (edges - low) / span
    up, down = (
        [
            (float(left[at]), float(left[at + 1] - left[at]), float(half[at]) / top / 2)
            for at in np.flatnonzero(half)
        ]
        for half in halves
    )
    return {
        "up": up,
        "down": down,
        "top": f"{100 * top:.3g} %",
        "ticks": [
            (f"{tick:g}".replace("-", "\N{MINUS SIGN}"), (tick - low) / span)
            for tick in nice_ticks(low, high, 4)
        ],
        "low": number(low),
        "high": number(high),
    }

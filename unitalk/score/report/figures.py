"""Figures as inline SVG that needs no script.

A figure is drawn in percent of its box, whatever its size, so that lines scale to the page while
text keeps its own size, also on a phone. Ticks are outside the box, in a margin that the style
sheet leaves. Curves are paths in a unit square that is stretched to the box.
"""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from unitalk.score.report.markup import Markup, join, number, percent, tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from unitalk.score.curve import Curve, Histogram
    from unitalk.score.result import Group, Interval

COLOURS = 8
"""How many colours the style sheet has; further systems reuse them with other markers."""

_UNIT = 1000  # the side of the square that curves are drawn in
_MARKERS = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",  # circle
    "M-4-4h8v8h-8z",  # square
    "M0-5L5 4H-5z",  # triangle
    "M0-5.5L5.5 0L0 5.5L-5.5 0z",  # diamond
    "M0 5L5-4H-5z",  # triangle on its tip
    "M-5-1.5h3.5v-3.5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5z",  # cross
    "M-5-3h10v6h-10z",  # bar
)
_TICKS = 6  # about so many on an axis


def place(share: float) -> str:
    """Write a share of the box as a position: `12.34%`."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + "%"


def figure(label: str, *children: str | None, class_: str) -> Markup:
    """Make the box of a figure that reads as one picture."""
    return tag("svg", *children, class_=f"plot {class_}", role="img", aria_label=label)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Draw a line between two points of the box, y from its top."""
    return tag("line", x1=place(x1), y1=place(y1), x2=place(x2), y2=place(y2), class_=class_)


def stretched(*children: str | None, height: int = _UNIT) -> Markup:
    """Make the square (or other box) of plain numbers that is stretched to the figure's."""
    return tag(
        "svg",
        *children,
        viewBox=f"0 0 {_UNIT} {height}",
        preserveAspectRatio="none",
        width="100%",
        height="100%",
    )


def marker(kind: int, x: float, y: float) -> Markup:
    """Draw the sign of a system, which tells it from the others where colours cannot."""
    path = tag("path", d=_MARKERS[kind % len(_MARKERS)])
    return tag("svg", path, x=place(x), y=place(y), class_="mark")


def swatch(kind: int) -> Markup:
    """Draw a system's sign for a legend."""
    inner = join([line(0, 0.5, 1, 0.5, "envelope"), marker(kind, 0.5, 0.5)])
    return tag("svg", inner, class_=f"swatch {colour(kind)}", aria_hidden="true")


def colour(kind: int) -> str:
    """Name the class that carries a system's colour."""
    return f"c{kind % COLOURS}"


def nice_ticks(low: float, high: float, about: int = _TICKS) -> list[float]:
    """Return round numbers within a range, in steps of 1, 2 or 5 times a power of ten."""
    if not high > low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


# ------------------------------------------------------------------------------ bars


_BAR_STEP = 12  # pixels from bar to bar
_BAR_EDGE = 4


def bars(rows: Sequence[Group], prior: float, names: Sequence[str]) -> Markup:
    """Draw a bar per system with its interval as whiskers, and a tick at the prior."""
    height = _BAR_STEP * len(rows) + 2 * _BAR_EDGE
    pieces = []
    said = []
    for index, (row, name) in enumerate(zip(rows, names, strict=True)):
        if row.average_precision is None:
            continue
        middle = _BAR_EDGE + _BAR_STEP * index + _BAR_STEP // 2
        pieces.append(_bar(row.average_precision, row.interval, middle, colour(index)))
        said.append(f"{name} {percent(row.average_precision)} %" + _whisker_text(row.interval))
    if not said:
        return Markup("")
    tick = tag("line", x1=place(prior), x2=place(prior), y1=0, y2=height, class_="prior")
    label = f"{'; '.join(said)}; prior {percent(prior)} %"
    return tag("svg", *pieces, tick, class_="bars", height=height, role="img", aria_label=label)


def _bar(value: float, pair: Interval | None, middle: int, class_: str) -> Markup:
    pieces = [tag("rect", width=place(value), y=middle - 4, height=8)]
    if pair is not None:
        low, high = (place(edge) for edge in pair)
        pieces.append(tag("line", x1=low, x2=high, y1=middle, y2=middle))
        pieces += [
            tag("line", x1=edge, x2=edge, y1=middle - 4, y2=middle + 4) for edge in (low, high)
        ]
    return tag("g", *pieces, class_=class_)


def _whisker_text(pair: Interval | None) -> str:
    return "" if pair is None else f", interval {percent(pair[0])} to {percent(pair[1])}"


# ------------------------------------------------------------------------------ precision-recall


def precision_recall(names: Sequence[str], curves: Sequence[Curve], prior: float) -> Markup:
    """Draw the envelope that average precision integrates, the raw curve, and the prior.

    The values that the script reads aloud at a recall are an attribute of the box.
    """
    pieces = [_square_axes("Recall, %", "Precision, %")]
    pieces.append(line(0, 1 - prior, 1, 1 - prior, "prior"))
    paths = []
    for index, curve in enumerate(curves):
        steps = _steps(curve.recall, curve.envelope)
        paths.append(tag("path", d=steps, class_=f"envelope {colour(index)}"))
    # On top: the envelope would hide a line so near below it.
    raw = [_polyline(curve.recall, curve.precision) for curve in curves]
    paths += [tag("path", d=path, class_="raw") for path in raw]
    pieces.append(stretched(*paths))
    for index, curve in enumerate(curves):
        signs = [marker(index, *point) for point in _marked(curve, index, len(curves))]
        pieces.append(tag("g", *signs, class_=colour(index)))
    pieces.append(tag("line", y1="0", y2="100%", class_="probe", hidden=True))
    label = f"Precision-recall curves of {', '.join(names)}; the prior is {percent(prior)} %"
    return figure(label, *pieces, class_="pr")


def readings(names: Sequence[str], curves: Sequence[Curve]) -> str:
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


def _square_axes(across: str, up: str) -> Markup:
    pieces = []
    for tick in (0, 0.2, 0.4, 0.6, 0.8, 1):
        text = f"{100 * tick:.0f}"
        pieces.append(line(tick, 0, tick, 1, "grid"))
        pieces.append(line(0, tick, 1, tick, "grid"))
        pieces.append(tag("text", text, x=place(tick), y="100%", dy="1.5em", class_="across"))
        pieces.append(tag("text", text, x=0, y=place(1 - tick), dx="-.6em", dy=".35em"))
    pieces.append(tag("text", across, x="50%", y="100%", dy="3.1em", class_="across title"))
    pieces.append(tag("text", up, x=0, y=0, dx="-2.2em", dy="-1.1em", class_="start title"))
    return tag("g", *pieces, class_="axes")


def _marked(curve: Curve, index: int, count: int) -> list[tuple[float, float]]:
    """Choose places for a system's signs on its envelope, apart from those of the others."""
    points = []
    for third in range(3):
        recall = (third + (index + 0.5) / count) / 3
        at = min(int(np.searchsorted(curve.recall, recall)), len(curve.recall) - 1)
        points.append((recall, 1 - float(curve.envelope[at])))
    return points


def _polyline(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> str:
    """Write points of the unit square, y upwards, as a path; a single one becomes a dot."""
    pairs = _integers(x, y)
    first, rest = pairs[0], pairs[1:]
    return f"M{first[0]} {first[1]}" + (_relative(pairs) if rest else "h0")


def _relative(pairs: Sequence[tuple[int, int]]) -> str:
    """Write lines from point to point by how far each is from the one before."""
    moves = [
        f"{b[0] - a[0]} {b[1] - a[1]}".replace(" -", "-") for a, b in pairwise(pairs) if a != b
    ]
    return "l" + " ".join(moves) if moves else "h0"


def _steps(recall: npt.NDArray[np.float64], envelope: npt.NDArray[np.float64]) -> str:
    """Write the envelope as the steps whose area average precision is."""
    pairs = _integers(recall, envelope)
    height = pairs[0][1]
    path = f"M0 {height}"
    for x, y in pairs:
        if y != height:
            path += f"V{y}"
            height = y
        path += f"H{x}"
    return path


def _integers(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    across = np.rint(np.asarray(x) * _UNIT).astype(int)
    down = np.rint((1 - np.asarray(y)) * _UNIT).astype(int)
    return list(zip(across.tolist(), down.tolist(), strict=True))


# ------------------------------------------------------------------------------ histograms


def score_histogram(name: str, histogram: Histogram) -> Markup:
    """Draw speaking faces upwards and the others downwards, each in shares of their label."""
    up, down = (_shares(counts) for counts in (histogram.positives, histogram.negatives))
    edges = np.asarray(histogram.edges)
    low, high = float(edges[0]), float(edges[-1])
    span = high - low or 1.0
    top = max(*up, *down)
    ticks = nice_ticks(low, high, 4)
    pieces = [
        tag(
            "g",
            *(_score_tick(tick, (tick - low) / span) for tick in ticks),
            tag("text", "Score", x="50%", y="100%", dy="3.1em", class_="across title"),
            tag("text", f"{100 * top:.3g} %", x=0, y=0, dx="-.5em", dy=".35em"),
            tag("text", "0", x=0, y="50%", dx="-.5em", dy=".35em"),
            tag("text", f"{100 * top:.3g} %", x=0, y="100%", dx="-.5em", dy=".35em"),
            class_="axes",
        )
    ]
    for shares, class_ in ((up, "up"), (down, "down")):
        pieces.append(_columns(shares, (edges - low) / span, top, class_))
    pieces.append(line(0, 0.5, 1, 0.5, "base"))
    pieces.append(tag("text", "speaking", x="50%", y=0, dy="1em", class_="across title"))
    pieces.append(tag("text", "not speaking", x="50%", y="100%", dy="-.5em", class_="across title"))
    label = (
        f"Scores of {name}: speaking faces above, faces that do not speak below, "
        f"from {number(low)} to {number(high)}"
    )
    return figure(label, *pieces, class_="hist")


def _shares(counts: Iterable[int]) -> list[float]:
    values = np.asarray(list(counts), float)
    shares: list[float] = (values / max(values.sum(), 1)).tolist()
    return shares


def _score_tick(tick: float, share: float) -> Markup:
    return join(
        [
            line(share, 0, share, 1, "grid"),
            tag("text", f"{tick:g}".replace("-", "\N{MINUS SIGN}"), x=place(share), y="100%",
                dy="1.5em", class_="across"),
        ]
    )  # fmt: skip


def _columns(
    shares: Sequence[float], edges: npt.NDArray[np.float64], top: float, class_: str
) -> Markup:
    rects = []
    for share, left, right in zip(shares, edges, edges[1:], strict=False):
        if share:
            height = share / top / 2 if top else 0
            start = 0.5 - height if class_ == "up" else 0.5
            rects.append(
                tag(
                    "rect",
                    x=place(float(left)),
                    y=place(start),
                    width=place(float(right - left)),
                    height=place(height),
                )
            )
    return tag("g", *rects, class_=class_)

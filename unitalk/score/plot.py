"""Draw precision-recall curves into a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk import plot_style
from unitalk.errors import UsageError
from unitalk.plot_style import GREY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from unitalk.score.curve import Curve

# Okabe and Ito's colours, which colour-blind people can tell apart ("Color universal design",
# 2008), in an order that puts those with contrast to white first, and with grey for yellow, which
# white swallows. The marks tell the lines apart in a grey print.
COLOURS = (
    "#0072B2",  # blue
    "#D55E00",  # vermilion
    "#009E73",  # bluish green
    "#000000",  # black
    "#CC79A7",  # reddish purple
    "#E69F00",  # orange
    "#56B4E9",  # sky blue
    "#999999",  # grey
)
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")
MOST = len(COLOURS)
"""How many systems one plot can show."""

_INCHES = (6.0, 4.5)
_LONGEST_NAME = 40


def plot(curves: Mapping[str, tuple[Curve, float | None]], prior: float, path: Path) -> None:
    """Draw one precision-recall curve per system, its envelope strong and its raw curve thin.

    Args:
        curves: each system's name to its curve and its AP, 0 to 1; one to eight systems.
        prior: the share of positives: the precision of a constant score, drawn dashed.
        path: the file to write; its ending decides the format: `.png`, `.svg` or `.pdf`.

    Raises:
        UsageError: another ending, or no system, or too many.
        MissingExtraError: matplotlib is not installed.
        DiskError: the disk refused.
    """
    plot_style.check(path)
    if not 1 <= len(curves) <= MOST:
        raise UsageError(
            f"a plot of {len(curves)} systems", hint=f"one plot shows one to {MOST} systems"
        )

    def fill(figure: Figure) -> None:
        fill_axes(figure.add_subplot(), curves, prior)

    plot_style.write(path, fill, inches=_INCHES)


def fill_axes(axes: Axes, curves: Mapping[str, tuple[Curve, float | None]], prior: float) -> None:
    """Draw the curves, the prior and the legend on empty axes, both from 0 to 1."""
    axes.set(xlabel="Recall", ylabel="Precision", xlim=(0, 1), ylim=(0, 1.02))
    ticks = np.linspace(0, 1, 6)
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    plot_style.dress(axes)
    handles = [
        _draw_system(axes, curve, number, of=len(curves))
        for number, (curve, _) in enumerate(curves.values())
    ]
    labels = [_label(name, area) for name, (_, area) in curves.items()]
    handles += axes.plot([0, 1], [prior, prior], color=GREY, linewidth=1, dashes=(5, 3))
    labels.append(_label("prior: a constant score", prior))
    handles += axes.plot([], [], color=GREY, linewidth=0.7, alpha=0.6)
    labels.append("raw precision, without the envelope")
    _explain(axes, handles, labels)


def _draw_system(axes: Axes, curve: Curve, number: int, *, of: int) -> Line2D:
    """Draw both lines of a system and return its handle for the legend."""
    from matplotlib.lines import Line2D

    colour, mark = COLOURS[number], _MARKS[number] if of > 1 else ""
    # One point has no line; what a constant score gets is a dot.
    dot = "." if len(curve.recall) == 1 else ""
    axes.plot(
        curve.recall, curve.precision, color=colour, linewidth=0.7, alpha=0.6, marker=dot, zorder=2
    )
    axes.plot(
        np.append(0.0, curve.recall),
        np.append(curve.envelope[0], curve.envelope),
        color=colour,
        linewidth=1.6,
        drawstyle="steps-pre",
        zorder=3,
        clip_on=False,
    )
    # Each system has marks at recalls of its own, so that equal curves show all of them.
    at = (np.arange(5) + (number + 0.5) / of) / 5
    steps = np.searchsorted(curve.recall, at)
    look: dict[str, Any] = {"color": colour, "marker": mark, "markersize": 6,
                            "markeredgecolor": "white", "markeredgewidth": 0.5}  # fmt: skip
    axes.plot(at, curve.envelope[steps], linestyle="none", zorder=4, **look)
    return Line2D([], [], linewidth=1.6, **look)


def _label(name: str, share: float | None) -> str:
    """Put the number before the name: matplotlib leaves out a name that begins with `_`."""
    shown = plot_style.shown(name, _LONGEST_NAME)
    return f"{'undefined' if share is None else f'{100 * share:.2f} %'}  {shown}"


def _explain(axes: Axes, handles: list[Line2D], labels: list[str]) -> None:
    legend = axes.legend(
        handles, labels, title="Average precision", loc="best", fontsize=8.5, title_fontsize=8.5,
        alignment="left", framealpha=0.9, edgecolor="none",
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)  # a name may have dollar signs

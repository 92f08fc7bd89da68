"""Draw precision-recall curves into a file: the only module that knows matplotlib.

Nothing global is touched: no pyplot, no display, and the settings of the user's matplotlib are
neither read nor changed, so that the same curves give the same bytes everywhere that the same
matplotlib is installed.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk.errors import MissingExtraError, UsageError
from unitalk.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from unitalk.score.curve import Curve

FORMATS = ("png", "svg", "pdf")
"""The endings of files that can be drawn."""

# Okabe and Ito's colours, which colour-blind people can tell apart ("Color universal design",
# 2008), in an order that puts those with contrast to white first, and with grey for yellow, which
# white swallows. The marks tell the lines apart in a grey print.
_COLOURS = (
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
MOST = len(_COLOURS)
"""How many systems one plot can show."""

_INCHES = (6.0, 4.5)
_DOTS_PER_INCH = 200
_GREY = "#555555"
_LONGEST_NAME = 40
# What would make the bytes depend on the day or on matplotlib's own version.
_NO_DATE: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def plot(curves: Mapping[str, tuple[Curve, float | None]], prior: float, path: Path) -> None:
    """Draw one precision-recall curve a system, its envelope strong and its raw curve thin.

    Args:
        curves: each system's name to its curve and its AP, 0 to 1; one to eight systems.
        prior: the share of positives: the precision of a constant score, drawn dashed.
        path: the file to write; its ending decides the format: `.png`, `.svg` or `.pdf`.

    Raises:
        UsageError: another ending, or no system, or too many.
        MissingExtraError: matplotlib is not installed.
        DiskError: the disk refused.
    """
    check(path)
    if not 1 <= len(curves) <= MOST:
        raise UsageError(
            f"a plot of {len(curves)} systems", hint=f"one plot shows one to {MOST} systems"
        )
    drawn = _draw(curves, prior, _format(path))
    with atomic_write(path, "wb") as file:
        file.write(drawn)


def check(path: Path) -> None:
    """Say at once whether `plot` could draw into a file of this name.

    Raises:
        UsageError: its ending is none of `FORMATS`.
        MissingExtraError: matplotlib is not installed.
    """
    if _format(path) not in FORMATS:
        raise UsageError(
            f"{path}: a plot cannot have the ending {path.suffix!r}",
            hint=f"the endings are {', '.join('.' + known for known in FORMATS)}",
        )
    try:
        import matplotlib  # noqa: F401, ICN001 - only whether it is there
    except ImportError as error:
        raise MissingExtraError(
            "curves are drawn with matplotlib, which is not installed",
            hint='pip install "unitalk[plot]"',
        ) from error


def _format(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")


def _draw(curves: Mapping[str, tuple[Curve, float | None]], prior: float, format_: str) -> bytes:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    file = io.BytesIO()
    with mpl.rc_context(), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes; that is no reason to talk.
        warnings.filterwarnings("ignore", message="Glyph")
        mpl.rcdefaults()
        mpl.rcParams["svg.hashsalt"] = "unitalk"  # else the ids in an svg are random
        mpl.rcParams["pdf.fonttype"] = 42  # text in fonts that publishers accept
        figure = Figure(figsize=_INCHES, layout="constrained")
        FigureCanvasAgg(figure)
        _fill(figure.add_subplot(), curves, prior)
        figure.savefig(file, format=format_, dpi=_DOTS_PER_INCH, metadata=_NO_DATE[format_])
    return file.getvalue()


def _fill(axes: Axes, curves: Mapping[str, tuple[Curve, float | None]], prior: float) -> None:
    _dress(axes)
    handles = [
        _draw_system(axes, curve, number, of=len(curves))
        for number, (curve, _) in enumerate(curves.values())
    ]
    labels = [_label(name, area) for name, (_, area) in curves.items()]
    handles += axes.plot([0, 1], [prior, prior], color=_GREY, linewidth=1, dashes=(5, 3))
    labels.append(_label("prior: a constant score", prior))
    handles += axes.plot([], [], color=_GREY, linewidth=0.7, alpha=0.6)
    labels.append("raw precision, without the envelope")
    _explain(axes, handles, labels)


def _dress(axes: Axes) -> None:
    """Set up the frame: both axes from 0 to 1, a light grid, nothing that is not needed."""
    axes.set(xlabel="Recall", ylabel="Precision", xlim=(0, 1), ylim=(0, 1.02))
    ticks = np.linspace(0, 1, 6)
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    axes.grid(color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_GREY)
    axes.tick_params(color=_GREY)


def _draw_system(axes: Axes, curve: Curve, number: int, *, of: int) -> Line2D:
    """Draw both lines of a system; return what stands for it in the legend."""
    from matplotlib.lines import Line2D

    colour, mark = _COLOURS[number], _MARKS[number] if of > 1 else ""
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
    # Each system's marks stand at recalls of their own, so that equal curves show all of theirs.
    at = (np.arange(5) + (number + 0.5) / of) / 5
    steps = np.searchsorted(curve.recall, at)
    look: dict[str, Any] = {"color": colour, "marker": mark, "markersize": 6,
                            "markeredgecolor": "white", "markeredgewidth": 0.5}  # fmt: skip
    axes.plot(at, curve.envelope[steps], linestyle="none", zorder=4, **look)
    return Line2D([], [], linewidth=1.6, **look)


def _label(name: str, share: float | None) -> str:
    """Say the number, then the name: matplotlib would pass over a name that begins with `_`."""
    shown = "".join(letter if letter.isprintable() else " " for letter in name)
    if len(shown) > _LONGEST_NAME:
        shown = shown[: _LONGEST_NAME - 3] + "..."
    return f"{'undefined' if share is None else f'{100 * share:.2f} %'}  {shown}"


def _explain(axes: Axes, handles: list[Line2D], labels: list[str]) -> None:
    legend = axes.legend(
        handles, labels, title="Average precision", loc="best", fontsize=8.5, title_fontsize=8.5,
        alignment="left", framealpha=0.9, edgecolor="none",
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)  # a name may have dollar signs

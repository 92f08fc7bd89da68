"""Draw what a dataset contains: a row a group, four panels with one list of names at the left.

As in `unitalk/score/plot.py`, nothing global is touched: no pyplot, no display, and the
settings of the user's matplotlib are neither read nor changed, so that the same numbers give the
same bytes everywhere that the same matplotlib is installed.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unitalk.dataset.stats.grouping import COMPANY, LARGE, SMALL
from unitalk.dataset.stats.stats_tables import TOTAL, ordered
from unitalk.errors import MissingExtraError, UsageError
from unitalk.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from unitalk.dataset.stats.stats_result import Group, Spread, Statistics

FORMATS = ("png", "svg", "pdf")
"""The endings of files that can be drawn."""
MOST = 200
"""How many rows one picture can show."""

# Blue and its tints: they differ in lightness, which all eyes and a grey print keep. Text on the
# two dark ones is white.
_STRONG, _WEAK = "#0072B2", "#BFD9EA"
_TINTS = ("#D6E6F2", "#8FBFDD", "#3D8FC2", "#0B4F7D")
_ON_TINTS = ("#222222", "#222222", "white", "white")
_INK, _GREY, _LINE = "#222222", "#666666", "#DDDDDD"

_WIDTH = 12.0  # inches
_ROW, _AROUND = 0.34, 1.75
_DOTS_PER_INCH = 160
_BAR = 0.62  # of a row's height
_LEAST_LABELLED = 0.085  # a narrower piece of a bar has no room for its number
_SHORTEST, _LONGEST = (
    0.04,
    1.5,
)  # seconds; a log axis has no zero, and shows a bit more than is there
_LONGEST_NAME = 60
_TICKS = tuple(digit * 10.0**power for power in range(-2, 5) for digit in (1, 2, 5))[1:]
# What would make the bytes depend on the day or on matplotlib's own version.
_NO_DATE: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def plot(found: Statistics, path: Path, *, videos: bool = False) -> None:
    """Draw hours and who speaks, faces a frame, faces' widths and tracks' lengths.

    Args:
        found: what to draw.
        path: the file to write; its ending decides the format: `.png`, `.svg` or `.pdf`.
        videos: whether to draw a row for each video, not for each split and category.

    Raises:
        UsageError: another ending, or too many videos.
        MissingExtraError: matplotlib is not installed.
        DiskError: the disk refused.
    """
    check(path)
    groups = list(found.videos) if videos else _rows(found)
    if len(groups) > MOST:
        raise UsageError(
            f"a picture of {len(groups):,} rows",
            hint=f"one picture shows {MOST}; draw the splits, or one split's videos",
        )
    drawn = _draw(found, groups, _format(path))
    with atomic_write(path, "wb") as file:
        file.write(drawn)


def check(path: Path, output: Path | None = None) -> None:
    """Say at once whether `plot` could draw into a file of this name.

    Args:
        path: the picture's.
        output: another file that will be written.

    Raises:
        UsageError: its ending is none of `FORMATS`, or both are one file.
        MissingExtraError: matplotlib is not installed.
    """
    if _format(path) not in FORMATS:
        raise UsageError(
            f"{path}: a plot cannot have the ending {path.suffix!r}",
            hint=f"the endings are {', '.join('.' + known for known in FORMATS)}",
        )
    if output is not None and output.resolve() == path.resolve():
        raise UsageError(f"{path} would be written twice", hint="give the plot another name")
    try:
        import matplotlib  # noqa: F401, ICN001 - only whether it is there
    except ImportError as error:
        raise MissingExtraError(
            "pictures are drawn with matplotlib, which is not installed",
            hint='pip install "unitalk[plot]"',
        ) from error


def _rows(found: Statistics) -> list[Group]:
    """The rows of the tables, but each split above its categories, as in a list of contents."""
    groups = ordered(found)
    splits = [group.split for group in found.splits]
    place = {"split": 0, "category": 1}
    return sorted(groups[:-1], key=lambda g: (splits.index(g.split), place[g.level])) + groups[-1:]


def _format(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")


def _draw(found: Statistics, groups: Sequence[Group], format_: str) -> bytes:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    file = io.BytesIO()
    with mpl.rc_context(), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes; that is no reason to talk.
        warnings.filterwarnings("ignore", message="Glyph")
        mpl.rcdefaults()
        mpl.rcParams["svg.hashsalt"] = "unitalk"  # else the ids in an svg are random
        mpl.rcParams["pdf.fonttype"] = 42  # text in fonts that publishers accept
        height = _AROUND + _ROW * len(groups)
        figure = Figure(figsize=(_WIDTH, height), layout=ConstrainedLayoutEngine(wspace=0.04))
        FigureCanvasAgg(figure)
        _fill(figure, found, groups)
        figure.savefig(file, format=format_, dpi=_DOTS_PER_INCH, metadata=_NO_DATE[format_])
    return file.getvalue()


def _fill(figure: Figure, found: Statistics, groups: Sequence[Group]) -> None:
    """Draw the four panels and say what they show."""
    panels = figure.subplots(1, 4, sharey=True, width_ratios=[1.0, 1.25, 1.0, 1.0])
    for axes in panels:
        _style(axes)
    hours, frames, widths, lengths = panels
    _name_rows(hours, groups)
    _hours(hours, groups)
    _frames(frames, groups)
    _widths(widths, groups)
    seconds = [group.track_seconds for group in groups]
    _spreads(lengths, seconds, least=_SHORTEST)
    _log_axis(lengths, seconds)
    _title(lengths, "Tracks' lengths", "seconds")
    name = Path(found.dataset).name or found.dataset
    total = found.total
    figure.suptitle(
        f"{_shown(name)}: {total.videos:,} videos, {total.tracks:,} tracks, {total.faces:,} faces, "
        f"{_hours_text(total)} face hours",
        x=0.01, ha="left", fontsize=13, color=_INK, parse_math=False,
    )  # fmt: skip
    figure.supxlabel(
        "Face hours: faces / 25 / 3600. Boxes: median and quartiles; whiskers: 5 % and 95 %. "
        "Frames: those that have a face.",
        x=0.01, ha="left", fontsize=8.5, color=_GREY,
    )  # fmt: skip


def _name_rows(axes: Axes, groups: Sequence[Group]) -> None:
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_yticks(range(len(groups)), [_row_name(group) for group in groups])
    for label, group in zip(axes.get_yticklabels(), groups, strict=True):
        label.set_parse_math(False)
        label.set_color(_GREY if group.level == "category" else _INK)
        label.set_fontsize(9.5)
        label.set_fontweight("bold" if group.level in {"split", "total"} else "normal")


def _row_name(group: Group) -> str:
    if group.level == "total":
        return TOTAL
    return _shown(group.video or group.category or group.split or "")


def _hours(axes: Axes, groups: Sequence[Group]) -> None:
    """Hours as bars, in them those of speaking faces."""
    rows = range(len(groups))
    hours = [group.face_hours for group in groups]
    spoken = [group.face_hours * (group.speaking_share or 0) for group in groups]
    axes.barh(rows, hours, _BAR, color=_WEAK)
    axes.barh(rows, spoken, _BAR, color=_STRONG)
    axes.set_xlim(0, 1.75 * max(hours))  # room for the words
    for row, group in enumerate(groups):
        share = group.speaking_share
        said = "no labels" if share is None else f"{100 * share:.0f} %"
        axes.annotate(
            f"{_hours_text(group)} h, {said}",
            (group.face_hours, row), (4, 0), textcoords="offset points",
            va="center", fontsize=8, color=_INK,
        )  # fmt: skip
    axes.set_xticks([tick for tick in axes.get_xticks() if tick <= 1.05 * max(hours)])
    _title(axes, "Face hours", "dark: speaking")


def _frames(axes: Axes, groups: Sequence[Group]) -> None:
    """Frames by how many faces they have, as pieces of bars."""
    for row, group in enumerate(groups):
        left = 0.0
        for name, tint, ink in zip(COMPANY, _TINTS, _ON_TINTS, strict=True):
            share = group.frames_by_faces.share(name) or 0.0
            axes.barh(row, 100 * share, _BAR, left=100 * left, color=tint)
            if share >= _LEAST_LABELLED:
                axes.text(
                    100 * (left + share / 2), row, f"{100 * share:.0f}",
                    ha="center", va="center", fontsize=8, color=ink,
                )  # fmt: skip
            left += share
        axes.annotate(
            f"{group.faces_a_frame:.2f}", (100, row), (4, 0), textcoords="offset points",
            va="center", fontsize=8, color=_INK, annotation_clip=False,
        )  # fmt: skip
    axes.set_xlim(0, 112)
    axes.set_xticks([0, 50, 100])
    _title(axes, "Faces a frame", "% of frames with 1, 2, 3, 4+ (light to dark); mean")


def _widths(axes: Axes, groups: Sequence[Group]) -> None:
    """Faces' widths in pixels, where they are known of all rows; else of the frame's width."""
    pixels = [group.pixel_width for group in groups if group.pixel_width is not None]
    shares = [group.width for group in groups if group.width is not None]
    if len(pixels) == len(groups):
        for edge in (SMALL, LARGE):
            axes.axvline(edge, color=_GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        _spreads(axes, pixels)
        _title(axes, "Faces' widths", f"pixels; dashed: {SMALL} and {LARGE}")
    elif len(shares) == len(groups):
        _spreads(axes, shares, factor=100)
        _title(axes, "Faces' widths", "% of the frame's width")
    else:
        axes.text(0.5, 0.5, "not known", transform=axes.transAxes, ha="center", color=_GREY)
        axes.set_xticks([])
        _title(axes, "Faces' widths", "boxes in pixels")
    axes.set_xlim(left=0)


def _spreads(
    axes: Axes, spreads: Sequence[Spread], *, factor: float = 1.0, least: float = 0.0
) -> None:
    """A box from quartile to quartile for each row, a line at the median, whiskers."""
    for row, spread in enumerate(spreads):
        p5, lower, median, upper, p95 = (
            max(factor * value, least)
            for value in (spread.p5, spread.lower, spread.median, spread.upper, spread.p95)
        )
        axes.plot([p5, p95], [row, row], color=_STRONG, linewidth=1.2, zorder=2)
        axes.barh(row, upper - lower, _BAR, left=lower, color=_WEAK, edgecolor=_STRONG,
                  linewidth=1.0, zorder=3)  # fmt: skip
        axes.plot([median] * 2, [row - _BAR / 2, row + _BAR / 2], color=_STRONG, linewidth=2.4,
                  zorder=4, solid_capstyle="butt")  # fmt: skip


def _log_axis(axes: Axes, spreads: Sequence[Spread]) -> None:
    """A log axis from one round number to another, which are labelled as what they are."""
    least = max(min(spread.p5 for spread in spreads), _SHORTEST)
    most = max(spread.p95 for spread in spreads)
    low = max((tick for tick in _TICKS if tick <= least), default=_TICKS[0])
    high = min((tick for tick in _TICKS if tick >= max(most, 2 * low)), default=_TICKS[-1])
    shown = [tick for tick in _TICKS if low <= tick <= high]
    axes.set_xscale("log")
    axes.set_xticks(shown, [f"{tick:g}" for tick in shown])
    axes.set_xticks([], minor=True)
    axes.set_xlim(low, high)


def _title(axes: Axes, title: str, below: str) -> None:
    axes.set_title(title, loc="left", fontsize=10.5, color=_INK, fontweight="bold", pad=20)
    axes.annotate(
        below, (0, 1), (0, 6), xycoords="axes fraction", textcoords="offset points",
        fontsize=8.5, color=_GREY,
    )  # fmt: skip


def _style(axes: Axes) -> None:
    axes.grid(axis="x", color=_LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_LINE)
    axes.tick_params(axis="x", color=_LINE, labelcolor=_GREY, labelsize=8.5)
    axes.tick_params(axis="y", length=0)


def _hours_text(group: Group) -> str:
    return f"{group.face_hours:.1f}" if group.face_hours >= 1 else f"{group.face_hours:.3f}"


def _shown(name: str) -> str:
    """A name without what cannot be drawn, and not too long."""
    text = "".join(letter if letter.isprintable() else " " for letter in name)
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 3] + "..."

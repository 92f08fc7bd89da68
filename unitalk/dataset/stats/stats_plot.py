"""Draw what a dataset contains: a row per group, four panels with one list of names at the left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unitalk import plot_style
from unitalk.dataset.stats.stats_tables import ordered
from unitalk.errors import UsageError
from unitalk.plot_style import GREY, INK
from unitalk.schema.bins import COMPANY, LARGE, SMALL
from unitalk.text_table import TOTAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from unitalk.dataset.stats.stats_result import Group, Spread, Statistics

MOST = 200
"""How many rows one picture can show."""

# Blue and its tints: they differ in lightness, which all eyes and a grey print keep.
STRONG, WEAK = "#0072B2", "#BFD9EA"
TINTS = {"#D6E6F2": INK, "#8FBFDD": INK, "#3D8FC2": "#FFFFFF", "#0B4F7D": "#FFFFFF"}
"""For one, two, three and more faces: the colour of the bar, and that of the number on it."""

_WIDTH, _ROW, _AROUND = 12.0, 0.34, 1.75  # inches
_BAR = 0.62  # of a row's height
_LEAST_LABELLED = 0.085  # a narrower piece of a bar has no room for its number
_SHORTEST = 0.04  # seconds; a log axis has no zero
_TICKS = tuple(digit * 10.0**power for power in range(-2, 5) for digit in (1, 2, 5))[1:]
_LONGEST_NAME = 60


def plot(found: Statistics, path: Path, *, videos: bool = False) -> None:
    """Draw hours and who speaks, faces per frame, faces' widths and tracks' lengths.

    Args:
        found: what to draw.
        path: the file to write; its ending decides the format: `.png`, `.svg` or `.pdf`.
        videos: whether to draw a row for each video, not for each split and category.

    Raises:
        UsageError: another ending, or too many videos.
        MissingExtraError: matplotlib is not installed.
        DiskError: the disk refused.
    """
    plot_style.check(path)
    groups = list(found.videos) if videos else _rows(found)
    if len(groups) > MOST:
        raise UsageError(
            f"a picture of {len(groups):,} rows",
            hint=f"one picture shows {MOST}; draw the splits, or one split's videos",
        )

    def fill(figure: Figure) -> None:
        fill_figure(figure, found, groups)

    plot_style.write(path, fill, inches=(_WIDTH, _AROUND + _ROW * len(groups)))


def _rows(found: Statistics) -> list[Group]:
    """Return the rows of the tables, but each split above its categories, as in a contents list."""
    *groups, total = ordered(found)
    splits = [group.split for group in found.splits]
    place = {"split": 0, "category": 1}
    return [*sorted(groups, key=lambda g: (splits.index(g.split), place[g.level])), total]


def fill_figure(figure: Figure, found: Statistics, groups: Sequence[Group]) -> None:
    """Draw the four panels, a title, and a line that explains them."""
    panels = figure.subplots(1, 4, sharey=True, width_ratios=[1.0, 1.25, 1.0, 1.0])
    for axes in panels:
        plot_style.dress(axes, grid="x")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="x", labelcolor=GREY, labelsize=8.5)
        axes.tick_params(axis="y", length=0)
    hours, frames, widths, lengths = panels
    _name_rows(hours, groups)
    _hours(hours, groups)
    _frames(frames, groups)
    _widths(widths, groups)
    _lengths(lengths, groups)
    name, total = Path(found.dataset).name or found.dataset, found.total
    figure.suptitle(
        f"{plot_style.shown(name, _LONGEST_NAME)}: {total.videos:,} videos, {total.tracks:,} "
        f"tracks, {total.faces:,} faces, {_hours_text(total)} face hours",
        x=0.01, ha="left", fontsize=13, color=INK, parse_math=False,
    )  # fmt: skip
    figure.supxlabel(
        "Face hours: faces / 25 / 3600. Boxes: median and quartiles. Frames: those with a face.",
        x=0.01, ha="left", fontsize=8.5, color=GREY,
    )  # fmt: skip


def _name_rows(axes: Axes, groups: Sequence[Group]) -> None:
    names = [g.video or g.category or g.split or TOTAL for g in groups]
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_yticks(range(len(groups)), [plot_style.shown(name, _LONGEST_NAME) for name in names])
    for label, group in zip(axes.get_yticklabels(), groups, strict=True):
        label.set_parse_math(False)
        label.set_color(GREY if group.level == "category" else INK)
        label.set_fontsize(9.5)
        label.set_fontweight("bold" if group.level in {"split", "total"} else "normal")


def _hours(axes: Axes, groups: Sequence[Group]) -> None:
    """Draw hours as bars, in them those of speaking faces."""
    rows = range(len(groups))
    hours = [group.face_hours for group in groups]
    spoken = [group.face_hours * (group.speaking_share or 0) for group in groups]
    axes.barh(rows, hours, _BAR, color=WEAK)
    axes.barh(rows, spoken, _BAR, color=STRONG)
    axes.set_xlim(0, 1.75 * max(hours))  # room for the words
    for row, group in enumerate(groups):
        share = group.speaking_share
        said = "no labels" if share is None else f"{100 * share:.0f} %"
        _beside(axes, f"{_hours_text(group)} h, {said}", group.face_hours, row)
    axes.set_xticks([tick for tick in axes.get_xticks() if tick <= 1.05 * max(hours)])
    _title(axes, "Face hours", "dark: speaking")


def _frames(axes: Axes, groups: Sequence[Group]) -> None:
    """Draw frames by how many faces they have, as pieces of bars."""
    for row, group in enumerate(groups):
        left = 0.0
        for name, (tint, ink) in zip(COMPANY, TINTS.items(), strict=True):
            share = group.frames_by_faces.share(name) or 0.0
            axes.barh(row, 100 * share, _BAR, left=100 * left, color=tint)
            if share >= _LEAST_LABELLED:
                axes.text(
                    100 * (left + share / 2), row, f"{100 * share:.0f}",
                    ha="center", va="center", fontsize=8, color=ink,
                )  # fmt: skip
            left += share
        _beside(axes, f"{group.faces_a_frame:.2f}", 100, row)
    axes.set_xlim(0, 112)
    axes.set_xticks([0, 50, 100])
    _title(axes, "Faces per frame", "% of frames with 1, 2, 3, 4+ (light to dark); mean")


def _widths(axes: Axes, groups: Sequence[Group]) -> None:
    """Draw faces' widths in pixels where all are known; else in shares of the frame's width."""
    pixels = [group.pixel_width for group in groups if group.pixel_width is not None]
    shares = [group.width for group in groups if group.width is not None]
    if len(pixels) == len(groups):
        for edge in (SMALL, LARGE):
            axes.axvline(edge, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        _boxes(axes, pixels)
        _title(axes, "Faces' widths", f"pixels; dashed: {SMALL} and {LARGE}")
    elif len(shares) == len(groups):
        _boxes(axes, shares, factor=100)
        _title(axes, "Faces' widths", "% of the frame's width")
    else:
        axes.text(0.5, 0.5, "not known", transform=axes.transAxes, ha="center", color=GREY)
        axes.set_xticks([])
        _title(axes, "Faces' widths", "boxes in pixels")
    axes.set_xlim(left=0)


def _lengths(axes: Axes, groups: Sequence[Group]) -> None:
    """Draw tracks' lengths on a log axis that goes from one round number to another."""
    spreads = [group.track_seconds for group in groups]
    _boxes(axes, spreads, least=_SHORTEST)
    least = max(min(spread.lower for spread in spreads), _SHORTEST)
    most = max(spread.upper for spread in spreads)
    low = max((tick for tick in _TICKS if tick <= least), default=_TICKS[0])
    high = min((tick for tick in _TICKS if tick >= max(most, 2 * low)), default=_TICKS[-1])
    shown = [tick for tick in _TICKS if low <= tick <= high]
    axes.set_xscale("log")
    axes.set_xticks(shown, [f"{tick:g}" for tick in shown])
    axes.set_xticks([], minor=True)
    axes.set_xlim(low, high)
    _title(axes, "Tracks' lengths", "seconds")


def _boxes(
    axes: Axes, spreads: Sequence[Spread], *, factor: float = 1.0, least: float = 0.0
) -> None:
    """Draw a box from quartile to quartile for each row, with a line at the median."""
    for row, spread in enumerate(spreads):
        lower, median, upper = (
            max(factor * value, least) for value in (spread.lower, spread.median, spread.upper)
        )
        axes.barh(row, upper - lower, _BAR, left=lower, color=WEAK, edgecolor=STRONG, zorder=3)
        axes.plot([median] * 2, [row - _BAR / 2, row + _BAR / 2], color=STRONG, linewidth=2.4,
                  zorder=4, solid_capstyle="butt")  # fmt: skip


def _beside(axes: Axes, text: str, x: float, row: int) -> None:
    """Write a text to the right of a bar's end."""
    axes.annotate(
        text, (x, row), (4, 0), textcoords="offset points", va="center", fontsize=8, color=INK,
        annotation_clip=False,
    )  # fmt: skip


def _title(axes: Axes, title: str, below: str) -> None:
    axes.set_title(title, loc="left", fontsize=10.5, color=INK, fontweight="bold", pad=20)
    axes.annotate(
        below, (0, 1), (0, 6), xycoords="axes fraction", textcoords="offset points",
        fontsize=8.5, color=GREY,
    )  # fmt: skip


def _hours_text(group: Group) -> str:
    return f"{group.face_hours:.1f}" if group.face_hours >= 1 else f"{group.face_hours:.3f}"

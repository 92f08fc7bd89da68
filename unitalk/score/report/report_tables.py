"""The rows of the page's tables, ready for the templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitalk.score.report import details
from unitalk.score.report.figures import bars
from unitalk.score.report.markup import Markup, count, measure, percent, points
from unitalk.score.score_tables import HEADINGS, by_breakdown, key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unitalk.score.report.details import Video
    from unitalk.score.result import Difference, Evaluation, Group

COUNTED = ("Prior, %", "Videos", "Tracks", "Faces", "Positives")
"""The headings of the columns at the right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One cell of a breakdown, or the total.

    Attributes:
        values: of the breakdown; empty for the total.
        cells: the group of each system.
        against: the difference of each system but the first.
        bars: the drawing.
        flags: remarks on any of them.
        counts: under `COUNTED`.
    """

    values: tuple[str, ...]
    cells: tuple[Group, ...]
    against: tuple[Difference | None, ...]
    bars: Markup
    flags: tuple[str, ...]
    counts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """One table: what it divides the faces by, and its rows with the total last."""

    names: tuple[str, ...]
    headings: tuple[str, ...]
    rows: tuple[Row, ...]


def breakdowns(systems: Sequence[Evaluation], differences: Sequence[Difference]) -> list[Breakdown]:
    """Make a table for each breakdown.

    Args:
        systems: the baseline first; their groups are the same cells in the same order.
        differences: of every other system from the baseline, on each cell.
    """
    found = {(d.system, key_of(d)): d for d in differences}
    names = [system.name for system in systems]
    made = []
    for tables in zip(*(by_breakdown(system.groups) for system in systems), strict=True):
        divided = tuple(tables[0][0].by)
        headings = [HEADINGS.get(name, name) for name in divided] or ["group"]
        made.append(
            Breakdown(
                names=divided,
                headings=tuple(text[:1].upper() + text[1:] for text in headings),
                rows=tuple(_row(names, cells, found) for cells in zip(*tables, strict=True)),
            )
        )
    return made


def _row(
    names: Sequence[str],
    cells: tuple[Group, ...],
    found: dict[tuple[str, tuple[tuple[str, str], ...]], Difference],
) -> Row:
    group = cells[0]
    against = tuple(found.get((name, key_of(group))) for name in names[1:])
    flagged: list[Group | Difference] = [*cells, *(one for one in against if one is not None)]
    numbers = (group.videos, group.tracks, group.faces, group.positives)
    return Row(
        values=tuple(group.by.values()),
        cells=cells,
        against=against,
        bars=bars(cells, group.prior, names),
        flags=tuple(dict.fromkeys(flag for one in flagged for flag in one.flags)),
        counts=(percent(group.prior), *map(count, numbers)),
    )


def videos(systems: Sequence[Evaluation]) -> list[tuple[str, list[str]]]:
    """Return each video's name and cells, the lowest number of the first system on top."""
    found = details.by_video([system.matched for system in systems])
    return [(video.name, _video_cells(video)) for video in sorted(found, key=_lowest_first)]


def _lowest_first(video: Video) -> tuple[bool, float, str]:
    value = video.average_precisions[0]
    return (value is None, value or 0.0, video.name)


def _video_cells(video: Video) -> list[str]:
    baseline, *others = video.average_precisions
    texts = [percent(value) for value in video.average_precisions]
    texts += [
        points(None if value is None or baseline is None else value - baseline) for value in others
    ]
    numbers = (video.tracks, video.faces, video.positives)
    return [*texts, percent(video.prior), *map(count, numbers)]


def measures(systems: Sequence[Evaluation]) -> list[tuple[str, list[str], str]]:
    """Return each measure beside average precision: its name, a number per system, its meaning."""
    from unitalk.score.metrics import DESCRIPTIONS

    found = [system.metrics.to_dict() for system in systems if system.metrics is not None]
    return [
        (name, [measure(own[name]) for own in found], DESCRIPTIONS.get(name, ""))
        for name in (found[0] if found else ())
    ]

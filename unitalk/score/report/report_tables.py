"""The rows of the page's tables, ready for the templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitalk.score.report import details
from unitalk.score.report.number_text import count, measure, percent, points
from unitalk.score.score_tables import HEADINGS, by_breakdown, key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unitalk.score.report.details import Video
    from unitalk.score.result import Difference, Evaluation, Group

COUNTED = ("Prior, %", "Videos", "Tracks", "Faces", "Positives")
"""The headings of the columns at the right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One group of a breakdown, or the total.

    Attributes:
        cells: the group of each system.
        names: of the systems.
        against: the difference of each system but the first.
        counts: under `COUNTED`.
    """

    cells: tuple[Group, ...]
    names: tuple[str, ...]
    against: tuple[Difference | None, ...]
    counts: tuple[str, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """The values of the breakdown; empty for the total."""
        return tuple(self.cells[0].by.values())

    @property
    def numbered(self) -> list[tuple[int, str, Group]]:
        """The cells with a number: each system's index and name, and the cell."""
        every = zip(range(len(self.names)), self.names, self.cells, strict=True)
        return [one for one in every if one[-1].average_precision is not None]

    @property
    def flags(self) -> list[str]:
        """Remarks on any of the cells."""
        flagged: list[Group | Difference] = [*self.cells, *filter(None, self.against)]
        return list(dict.fromkeys(flag for one in flagged for flag in one.flags))


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
    names = tuple(system.name for system in systems)

    def row(cells: tuple[Group, ...]) -> Row:
        group = cells[0]
        numbers = (group.videos, group.tracks, group.faces, group.positives)
        return Row(
            cells=cells,
            names=names,
            against=tuple(found.get((name, key_of(group))) for name in names[1:]),
            counts=(percent(group.prior), *map(count, numbers)),
        )

    made = []
    for tables in zip(*(by_breakdown(system.groups) for system in systems), strict=True):
        divided = tuple(tables[0][0].by)
        headings = [HEADINGS.get(name, name) for name in divided] or ["group"]
        made.append(
            Breakdown(
                names=divided,
                headings=tuple(text[:1].upper() + text[1:] for text in headings),
                rows=tuple(map(row, zip(*tables, strict=True))),
            )
        )
    return made


def videos(systems: Sequence[Evaluation]) -> list[tuple[str, list[str]]]:
    """Return each video's name and cells."""
    found = details.by_video([system.matched for system in systems])
    return [(video.name, _video_cells(video)) for video in found]


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

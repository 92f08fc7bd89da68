"""Score each group of faces: its counts, its number, its interval, its difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unitalk.score import ap
from unitalk.score.breakdown import cross
from unitalk.score.jackknife import Estimate, Resampling, estimate
from unitalk.score.result import (
    FEW_VIDEOS,
    NO_POSITIVES,
    NO_SPREAD,
    ONLY_POSITIVES,
    RESTS_ON_ONE,
    Difference,
    Group,
)
from unitalk.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from unitalk.choices import Unit
    from unitalk.score.breakdown import Division
    from unitalk.score.match import Matched

MANY_VIDEOS = 5
"""An interval from fewer videos is flagged: so few say little about the videos to come."""


@dataclass(frozen=True, slots=True)
class _Cell:
    """Some of the scored faces; `rows` is None when it is all of them."""

    by: dict[str, str]
    rows: npt.NDArray[np.int64] | None


@dataclass(frozen=True, slots=True)
class _How:
    """How to make intervals; `units` is None when there are to be none."""

    units: npt.NDArray[np.int64] | None
    resampling: Resampling | None
    unit: Unit


@dataclass(frozen=True, slots=True)
class Scored:
    """One group, scored for every system: a group each, and a difference for all but the first.

    Attributes:
        groups: of each system.
        differences: of each system but the first.
        resamples: how many its intervals were made from.
    """

    groups: tuple[Group, ...]
    differences: tuple[Difference, ...]
    resamples: int


def score_groups(
    names: Sequence[str],
    systems: Sequence[Matched],
    tables: Sequence[Sequence[Division]],
    resampling: Resampling | None,
    unit: Unit,
) -> list[Scored]:
    """Score every cell of every table, and last the total.

    Args:
        names: the systems' names.
        systems: the same faces, scored by each; the first is the baseline.
        tables: the divisions whose cross table is wanted, for each table.
        resampling: how to make intervals, or None for none.
        unit: what is left out as a whole.
    """
    cells = [cell for table in tables for cell in _cells(systems[0], table)]
    cells.append(_Cell({}, None))
    units = None if resampling is None else _units(systems[0], unit)
    how = _How(units, resampling, unit)
    with Threads(2, only_read=True) as pool:
        return list(pool.map(lambda cell: _score(cell, names, systems, how), cells))


def _cells(matched: Matched, table: Sequence[Division]) -> list[_Cell]:
    """The cells of a cross table that have faces."""
    cells, codes = cross(table)
    codes = matched.of_groundtruth(codes)
    order = np.argsort(codes.astype(np.int32), kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(cells)))
    pieces = np.split(order, ends[:-1])
    return [_Cell(by, rows) for by, rows in zip(cells, pieces, strict=True) if len(rows)]


def _units(matched: Matched, unit: Unit) -> npt.NDArray[np.int64]:
    """Each face's video or track, numbered by name, so that the order of rows cannot matter."""
    by_video = unit == "video"
    names = matched.video_names if by_video else matched.track_names
    place = np.empty(len(names), np.int64)
    place[np.argsort(np.array(names, object))] = np.arange(len(names))
    return place[matched.video_codes if by_video else matched.tracks]


def _score(
    cell: _Cell,
    names: Sequence[str],
    systems: Sequence[Matched],
    how: _How,
) -> Scored:
    rows = slice(None) if cell.rows is None else cell.rows
    first = systems[0]
    labels = first.labels[rows]
    scores = [system.scores[rows] for system in systems]
    faces, positives = len(labels), int(np.count_nonzero(labels))
    flags = flags_of(faces, positives)
    videos = _distinct(first.video_codes[rows])
    areas = [None if flags else ap.average_precision(ap.rank(labels, one)) for one in scores]
    estimates: Sequence[Estimate] | None = None
    if how.units is not None and not flags:
        estimates = estimate(labels, scores, how.units[rows], how.resampling)
        flags = (FEW_VIDEOS,) * (videos < MANY_VIDEOS)
    groups = tuple(
        Group(
            by=cell.by,
            videos=videos,
            tracks=_distinct(first.tracks[rows]),
            faces=faces,
            positives=positives,
            prior=positives / faces,
            average_precision=area,
            interval=estimates[index].interval if estimates else None,
            flags=_why_no_interval(estimates[index], how.unit) + flags if estimates else flags,
        )
        for index, area in enumerate(areas)
    )
    differences = _differences(cell, names, areas, estimates, [group.flags for group in groups])
    return Scored(groups, differences, estimates[0].resamples if estimates else 0)


def _differences(
    cell: _Cell,
    names: Sequence[str],
    areas: Sequence[float | None],
    estimates: Sequence[Estimate] | None,
    flags: Sequence[tuple[str, ...]],
) -> tuple[Difference, ...]:
    made = []
    for index in range(1, len(names)):
        own, base = areas[index], areas[0]
        drawn = estimates[index].difference if estimates else None
        made.append(
            Difference(
                system=names[index],
                baseline=names[0],
                by=cell.by,
                difference=None if own is None or base is None else own - base,
                interval=drawn.interval if drawn else None,
                p_value=drawn.p_value if drawn else None,
                flags=tuple(dict.fromkeys((*flags[index], *flags[0]))),
            )
        )
    return tuple(made)


def _why_no_interval(made: Estimate, unit: Unit) -> tuple[str, ...]:
    if made.interval is not None:
        return ()
    return (NO_SPREAD,) if made.resamples else (RESTS_ON_ONE[unit],)


def flags_of(faces: int, positives: int) -> tuple[str, ...]:
    """Say why such faces have no number; empty when they have one."""
    if positives == 0:
        return (NO_POSITIVES,)
    return (ONLY_POSITIVES,) if positives == faces else ()


def _distinct(codes: npt.NDArray[np.int32]) -> int:
    return int(np.count_nonzero(np.bincount(codes)))

"""Score each group of faces: its counts, its number, its interval, its difference."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from unitalk.score import ap
from unitalk.score.breakdown import cross
from unitalk.score.jackknife import estimate
from unitalk.score.match import taken
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
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    from unitalk.choices import Unit
    from unitalk.score import jackknife
    from unitalk.score.breakdown import Division
    from unitalk.score.jackknife import Estimate, Resampling
    from unitalk.score.match import Matched

    Rows = npt.NDArray[np.int64]

MANY_VIDEOS = 5
"""An interval from fewer videos is flagged: so few say little about the videos to come."""


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
    systems: Mapping[str, Matched],
    tables: Sequence[Sequence[Division]],
    resampling: Resampling | None,
    unit: Unit,
) -> list[Scored]:
    """Score every cell of every table, and last the total.

    Args:
        systems: the same faces, scored by each; the first is the baseline.
        tables: the divisions whose cross table is wanted, for each table.
        resampling: how to make intervals, or None for none.
        unit: what is left out as a whole.
    """
    first = next(iter(systems.values()))
    cells = [cell for table in tables for cell in _cells(first, table)]
    units = None if resampling is None else _units(first, unit)

    def score(cell: tuple[dict[str, str], Rows | None]) -> Scored:
        by, rows = cell
        group = count(by, first, rows)
        scores = [taken(system.scores, rows) for system in systems.values()]
        labels = taken(first.labels, rows)
        if group.flags:
            groups = [group for _ in scores]
        else:
            areas = [ap.average_precision(ap.rank(labels, one)) for one in scores]
            groups = [replace(group, average_precision=area) for area in areas]
        if units is None or group.flags:
            return Scored(tuple(groups), _differences(systems, groups, [None] * len(groups)), 0)
        found = estimate(labels, scores, taken(units, rows), resampling)
        groups = [
            replace(
                one,
                interval=made.interval,
                flags=_why_no_interval(made, unit) + (FEW_VIDEOS,) * (one.videos < MANY_VIDEOS),
            )
            for one, made in zip(groups, found, strict=True)
        ]
        drawn = [made.difference for made in found]
        return Scored(tuple(groups), _differences(systems, groups, drawn), found[0].resamples)

    with Threads(2, only_read=True) as pool:
        return list(pool.map(score, [*cells, ({}, None)]))


def count(by: dict[str, str], matched: Matched, rows: Rows | None = None) -> Group:
    """Count some of the faces, or all; the flags say why such faces have no number."""
    labels = taken(matched.labels, rows)
    faces, positives = len(labels), int(np.count_nonzero(labels))
    flags = (NO_POSITIVES,) * (positives == 0) + (ONLY_POSITIVES,) * (positives == faces)
    return Group(
        by=by,
        videos=_distinct(taken(matched.video_codes, rows)),
        tracks=_distinct(taken(matched.tracks, rows)),
        faces=faces,
        positives=positives,
        prior=positives / faces,
        average_precision=None,
        interval=None,
        flags=flags,
    )


def _cells(matched: Matched, table: Sequence[Division]) -> list[tuple[dict[str, str], Rows]]:
    """The cells of a cross table that have faces: each one's values and its rows."""
    cells, codes = cross(table)
    codes = taken(codes, matched.rows)
    order = np.argsort(codes.astype(np.int32), kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(cells)))
    pieces = np.split(order, ends[:-1])
    return [(by, rows) for by, rows in zip(cells, pieces, strict=True) if len(rows)]


def _units(matched: Matched, unit: Unit) -> Rows:
    """Each face's video or track, numbered by name, so that the order of rows cannot matter."""
    by_video = unit == "video"
    names = matched.video_names if by_video else matched.track_names
    place = np.empty(len(names), np.int64)
    place[np.argsort(np.array(names, object))] = np.arange(len(names))
    return place[matched.video_codes if by_video else matched.tracks]


def _differences(
    names: Iterable[str], groups: Sequence[Group], drawn: Sequence[jackknife.Difference | None]
) -> tuple[Difference, ...]:
    """Compare each further system's group with the first one's."""
    baseline, *others = names
    base = groups[0]
    return tuple(
        Difference(
            system=name,
            baseline=baseline,
            by=own.by,
            difference=None
            if own.average_precision is None or base.average_precision is None
            else own.average_precision - base.average_precision,
            interval=found.interval if found else None,
            p_value=found.p_value if found else None,
            flags=tuple(dict.fromkeys((*own.flags, *base.flags))),
        )
        for name, own, found in zip(others, groups[1:], drawn[1:], strict=True)
    )


def _why_no_interval(made: Estimate, unit: Unit) -> tuple[str, ...]:
    if made.interval is not None:
        return ()
    return (NO_SPREAD,) if made.resamples else (RESTS_ON_ONE[unit],)


def _distinct(codes: npt.NDArray[np.int32]) -> int:
    return int(np.count_nonzero(np.bincount(codes)))

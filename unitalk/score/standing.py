"""Rank systems among the published ones where they were scored on the published faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitalk.catalog import groundtruths, results, video_list
from unitalk.report import Report
from unitalk.score.signature import parse_signature

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unitalk.score.result import Evaluation

UNITALK = "UniTalk val"
_UNITALK_FACES = 1_000_000  # 11.1 hours of face tracks at 25 faces a second (arXiv 2505.21954)
_NEARLY = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing(Report):
    """A leaderboard, and one's own systems on it or beside it.

    Attributes:
        benchmark: the benchmark's name.
        rows: the published models, the best overall first; with them the own systems, where their
            ground truth is the benchmark's.
        outside: the own systems where it is not, or may not be; they have no rank.
        doubts: why the own numbers may not be comparable with the published ones.
    """

    benchmark: str
    rows: tuple[results.Ranked, ...]
    outside: tuple[results.Ranked, ...]
    doubts: tuple[str, ...]


def standing(
    benchmark: str, systems: Sequence[Evaluation], *, own_categories: bool = False
) -> Standing:
    """Put systems on a leaderboard; by category where they were broken down so.

    Args:
        benchmark: one of `catalog.results.benchmarks`.
        systems: on one ground truth.
        own_categories: whether the categories are not the benchmark's, and so not to be shown.

    Raises:
        UsageError: nothing is published on the benchmark.
    """
    own = {}
    for system in systems:
        values = {results.OVERALL: _percent(system.average_precision)}
        for group in system.groups:
            if list(group.by) == ["category"] and not own_categories:
                values[group.by["category"]] = _percent(group.average_precision)
        own[system.name] = values
    rows = results.ranked(benchmark, own)
    is_ranked, doubt = _judge(benchmark, systems[0])
    return Standing(
        benchmark=benchmark,
        rows=tuple(row for row in rows if is_ranked or not row.is_own),
        outside=tuple(row for row in rows if row.is_own and not is_ranked),
        doubts=(doubt,) if doubt else (),
    )


def _judge(benchmark: str, system: Evaluation) -> tuple[bool, str | None]:
    """Say whether the own faces are ranked with the benchmark's, and what speaks against it."""
    published = groundtruths.of_benchmark(benchmark)
    found = parse_signature(system.signature).gt
    if published and found == published.name:
        return True, None
    if benchmark == UNITALK and (difference := _unlike_unitalk(system)):
        return False, f"your ground truth {difference}: these numbers are not comparable"
    if published:
        return False, (
            f"your ground truth is not that of {benchmark} (its digest is {found}, not "
            f"{published.digest}): these numbers are not comparable"
        )
    if benchmark == UNITALK:
        return True, (
            f"your ground truth has the videos of {benchmark} and about as many faces; whether its "
            "labels are the published ones cannot be checked here"
        )
    return False, f"whether your ground truth is that of {benchmark} cannot be checked here"


def _unlike_unitalk(system: Evaluation) -> str | None:
    """Say how the own faces differ from UniTalk's in what is known without its csv, or None."""
    published = {video.video_id for video in video_list.videos() if video.split == "val"}
    own = set(system.matched.video_names)
    if own != published:
        return (
            f"has {len(own & published)} of the {len(published)} videos of {UNITALK} and "
            f"{len(own - published)} others"
        )
    if abs(system.faces - _UNITALK_FACES) > _NEARLY * _UNITALK_FACES:
        return f"has {system.faces:,} faces where {UNITALK} has about {_UNITALK_FACES:,}"
    return None


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share

"""Rank systems among the published ones, and say where the comparison is not fair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitalk.catalog import results, video_list
from unitalk.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unitalk.score.result import Evaluation

UNITALK = "UniTalk val"
_UNITALK_FACES = 1_000_000  # 11.1 hours of face tracks at 25 faces a second (arXiv 2505.21954)
_NEARLY = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing(Report):
    """A leaderboard with systems of one's own on it.

    Attributes:
        benchmark: which one.
        rows: the published models and the own systems, the best overall first.
        doubts: why the own numbers may not be comparable with the published ones.
    """

    benchmark: str
    rows: tuple[results.Ranked, ...]
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
    return Standing(
        benchmark=benchmark,
        rows=results.ranked(benchmark, own),
        doubts=tuple(_doubts(benchmark, systems[0])),
    )


def _doubts(benchmark: str, system: Evaluation) -> list[str]:
    """Say what speaks against the own faces being those of the benchmark."""
    if benchmark != UNITALK:
        return [f"whether your ground truth is that of {benchmark} cannot be checked here"]
    published = {video.video_id for video in video_list.videos() if video.split == "val"}
    own = set(system.matched.video_names)
    if own != published:
        return [
            f"your ground truth has {len(own & published)} of the {len(published)} videos of "
            f"{benchmark} and {len(own - published)} others: these numbers are not comparable"
        ]
    if abs(system.faces - _UNITALK_FACES) > _NEARLY * _UNITALK_FACES:
        return [
            f"your ground truth has {system.faces:,} faces where {benchmark} has about "
            f"{_UNITALK_FACES:,}: these numbers are not comparable"
        ]
    return []


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share

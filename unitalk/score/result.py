"""What an evaluation gives: frozen results that say everything the command line prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unitalk.report import INTERNAL, Count, Report, Share

if TYPE_CHECKING:
    from unitalk.choices import Unit
    from unitalk.score.match import Matched
    from unitalk.score.metrics import Metrics

SCHEMA_VERSION = 1

Interval = tuple[float, float]

FEW_VIDEOS = "few videos"
NO_POSITIVES = "no positives"
ONLY_POSITIVES = "only positives"
NO_SPREAD = "no spread"
RESTS_ON_ONE: dict[Unit, str] = {"video": "rests on one video", "track": "rests on one track"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resamples(Report):
    """How intervals and p-values were made.

    Attributes:
        method: see `unitalk.score.jackknife`.
        unit: what was left out as a whole.
        limit: how many resamples were asked for at most.
        count: how many were taken of the total: one a unit, where that is not over the limit.
        seed: of the generator that deals units into lots, where they are over the limit.
        confidence: of the intervals.
    """

    method: str
    unit: Unit
    limit: Count
    count: Count
    seed: Count
    confidence: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Report):
    """One cell of a breakdown, or the total.

    Attributes:
        by: each breakdown's name and this cell's value of it; empty for the total.
        videos: videos that its faces belong to.
        tracks: entities that its faces belong to.
        faces: how many.
        positives: faces labelled as speaking.
        prior: positives / faces; what constant scores get.
        average_precision: 0 to 1; None without a positive, or with nothing else.
        interval: (lower, upper) of the average precision; None when not asked for or undefined.
        flags: why a number is missing (`no positives`, `only positives`), why an interval is
            (`rests on one video` or track: without it there would be no number; `no spread`: every
            resample has the same one), and `few videos`, which makes one weak.
    """

    by: dict[str, str]
    videos: Count
    tracks: Count
    faces: Count
    positives: Count
    prior: Share
    average_precision: Share | None
    interval: Interval | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation(Report):
    """One system's predictions, scored.

    Attributes:
        name: what the system is called.
        average_precision: 0 to 1; None when it is undefined.
        undefined: why there is no number, or None.
        interval: (lower, upper) of the average precision; None when not asked for or undefined.
        faces: faces that were scored.
        tracks: entities that they belong to.
        videos: videos that they belong to.
        positives: faces labelled SPEAKING_AUDIBLE.
        prior: positives / faces; what constant scores get.
        ties: faces that share their score with another one.
        reference_interval: (lowest, highest) that the reference could print, by row order.
        chance_interval: (lowest, highest) of these scores on faces they do not belong to.
        left_out: faces of the ground truth that leave the score because their `eval` is 0.
        missing: faces without a prediction (0 unless partial coverage was asked for).
        extra: predictions without a face (likewise).
        groups: the cells of the breakdown in order, the total last.
        resamples: how the intervals were drawn, or None.
        metrics: other measures, when they were asked for.
        inputs: each file's name and what stood at its top.
        warnings: sentences for whoever is about to publish the number.
        signature: what the number is, in one line.
        matched: the faces themselves, for plots and pages; not part of `to_dict`.
    """

    schema_version = SCHEMA_VERSION

    name: str
    average_precision: Share | None
    undefined: str | None
    interval: Interval | None
    faces: Count
    tracks: Count
    videos: Count
    positives: Count
    prior: Share
    ties: Count
    reference_interval: Interval | None
    chance_interval: Interval | None
    left_out: Count = 0
    missing: Count
    extra: Count
    groups: tuple[Group, ...]
    resamples: Resamples | None
    metrics: Metrics | None
    inputs: dict[str, str]
    warnings: tuple[str, ...]
    signature: str
    matched: Matched = field(repr=False, compare=False, metadata=INTERNAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference(Report):
    """How a system differs from the baseline on one group of faces.

    Attributes:
        system: the system's name.
        baseline: the name of the one that it is compared with.
        by: the group; empty for the total.
        difference: the system's average precision less the baseline's; None when undefined.
        interval: (lower, upper) of the difference; None when undefined.
        p_value: two-sided, of the hypothesis that both have one average precision.
        flags: those of both systems' groups.
    """

    system: str
    baseline: str
    by: dict[str, str]
    difference: float | None
    interval: Interval | None
    p_value: float | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Report):
    """Several systems on the same faces.

    Attributes:
        systems: each scored, the baseline first; their groups are the same cells in the same order.
        differences: of each other system in turn, of each group in turn.
    """

    schema_version = SCHEMA_VERSION

    systems: tuple[Evaluation, ...]
    differences: tuple[Difference, ...]


def systems_of(
    result: Evaluation | Comparison,
) -> tuple[tuple[Evaluation, ...], tuple[Difference, ...]]:
    """Return the systems of either kind of result, and their differences."""
    if isinstance(result, Comparison):
        return result.systems, result.differences
    return (result,), ()

"""Published results, each with its source and what is to be said against it.

The rows lie beside this file in `results.csv`. All are AP, which papers print as "mAP", in
percent.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from unitalk.errors import UsageError
from unitalk.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OVERALL = "overall"
"""The part that is the whole benchmark."""

_FIRST_PARTS = (OVERALL, "language", "noise", "visual", "mixed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published(Report):
    """One published number.

    Attributes:
        benchmark: the dataset and split that was scored.
        model: as its authors call it.
        trained_on: the dataset that it was trained on.
        metric: as the source calls it: mAP.
        part: overall, or a category of the benchmark.
        value: in percent, with the source's digits.
        source: where it was read.
        caveat: what is to be known before comparing with it; None for nothing.
    """

    benchmark: str
    model: str
    trained_on: str
    metric: str
    part: str
    value: float
    source: str
    caveat: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked(Report):
    """A row of the table that puts somebody's own systems among the published models.

    Attributes:
        name: the model, or the own system's name.
        trained_on: None for an own system, of which it is not known.
        values: AP in percent of every part of the benchmark, in the order of `parts`; None where
            there is no number.
        is_own: whether this is an own system.
        sources: where the numbers were read; empty for an own system.
        caveats: what is to be known before comparing with them.
    """

    name: str
    trained_on: str | None
    values: dict[str, float | None]
    is_own: bool
    sources: tuple[str, ...]
    caveats: tuple[str, ...]


def published(
    benchmark: str | None = None, *, trained_on: str | None = None
) -> tuple[Published, ...]:
    """Published numbers, in the order of the file.

    Args:
        benchmark: keep those on this one; default: all.
        trained_on: keep the models that were trained on this dataset; default: all.

    Raises:
        UsageError: nothing is published on the benchmark, or none of it from such models.
    """
    rows = _read()
    if benchmark is not None:
        known = benchmarks()
        rows = tuple(row for row in rows if row.benchmark == benchmark)
        if not rows:
            raise UsageError(
                f"no published results for the benchmark {benchmark!r}",
                hint=f"the benchmarks are {', '.join(known)}",
            )
    if trained_on is None:
        return rows
    kept = tuple(row for row in rows if row.trained_on == trained_on)
    if not kept:
        raise UsageError(
            f"no published results of models trained on {trained_on!r}",
            hint=f"they were trained on {', '.join(_distinct(row.trained_on for row in rows))}",
        )
    return kept


def benchmarks() -> tuple[str, ...]:
    """The benchmarks with published results, in the order of the file."""
    return _distinct(row.benchmark for row in _read())


def parts(benchmark: str) -> tuple[str, ...]:
    """The parts of a benchmark that have published results.

    Overall comes first, then UniTalk's categories in the order of its project page, then others in
    the order of the file.

    Raises:
        UsageError: nothing is published on the benchmark.
    """
    there = _distinct(row.part for row in published(benchmark))
    return (
        *(part for part in _FIRST_PARTS if part in there),
        *(part for part in there if part not in _FIRST_PARTS),
    )


def ranked(
    benchmark: str,
    own: Mapping[str, Mapping[str, float | None]],
    *,
    trained_on: str | None = None,
) -> tuple[Ranked, ...]:
    """Put own systems among the published models, the best overall first.

    Of equal numbers the published one stands above, and what has no overall number stands last. A
    model that several sources report is one row; where they differ, the first one counts.

    Args:
        benchmark: one of `benchmarks`.
        own: each system's name to AP in percent by part; parts that the benchmark does not have
            are passed over.
        trained_on: keep the published models that were trained on this dataset; default: all.

    Raises:
        UsageError: nothing is published on the benchmark, or none of it from such models.
    """
    columns = parts(benchmark)
    models: dict[tuple[str, str], list[Published]] = {}
    for row in published(benchmark, trained_on=trained_on):
        models.setdefault((row.model, row.trained_on), []).append(row)
    rows = [_model(numbers, columns) for numbers in models.values()]
    rows += [
        Ranked(
            name=name,
            trained_on=None,
            values={part: values.get(part) for part in columns},
            is_own=True,
            sources=(),
            caveats=(),
        )
        for name, values in own.items()
    ]
    return tuple(sorted(rows, key=_place))  # equal rows keep their order: published, then own


def _model(numbers: list[Published], columns: tuple[str, ...]) -> Ranked:
    first: dict[str, float] = {}
    for number in numbers:
        first.setdefault(number.part, number.value)
    return Ranked(
        name=numbers[0].model,
        trained_on=numbers[0].trained_on,
        values={part: first.get(part) for part in columns},
        is_own=False,
        sources=_distinct(number.source for number in numbers),
        caveats=_distinct(number.caveat for number in numbers if number.caveat),
    )


def _place(row: Ranked) -> tuple[bool, float]:
    overall = row.values.get(OVERALL)
    return overall is None, -(overall or 0.0)


def _distinct(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))


@cache
def _read() -> tuple[Published, ...]:
    path = Path(__file__).resolve().with_name("results.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            Published(**row | {"value": float(row["value"]), "caveat": row["caveat"] or None})
            for row in csv.DictReader(file)
        )

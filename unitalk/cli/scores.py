"""How scores look as text, for `unitalk eval`."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from unitalk.cli.output import table
from unitalk.evaluation import tables
from unitalk.evaluation.result import FEW_VIDEOS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unitalk.evaluation import Comparison, Evaluation
    from unitalk.evaluation.standing import Standing
    from unitalk.evaluation.tables import Table


def of_one(result: Evaluation, *, by: bool) -> str:
    """One system; the first line is the reference's."""
    if result.average_precision is None:
        first = f"average precision: undefined ({result.undefined})"
    else:
        first = f"average precision: {100 * result.average_precision:.2f}%"
    parts = [first, *_interval(result)]
    if by:
        parts += ["", *breakdown(result), ""]
    else:
        parts.append(_counts(result))
    parts += _metrics(result)
    parts += [_wrapped(f"warning: {text}") for text in result.warnings]
    return "\n".join([*parts, result.signature])


def of_several(result: Comparison, *, by: bool) -> str:
    """Several systems, the baseline first, and how each of the others differs from it."""
    systems = result.systems
    rows = [["", "AP"]]
    if systems[0].resamples:
        rows[0].append("95 % interval")
    for system in systems:
        row = [system.name, tables.percent(system.average_precision) or "undefined"]
        if system.interval:
            row.append(" to ".join(tables.percent(edge) for edge in system.interval))
        rows.append(row + [""] * (len(rows[0]) - len(row)))
    parts = [table(rows, right=[1, 2])]
    if systems[0].resamples:
        parts.append(_method(systems[0]))
    if by:
        parts += ["", *blocks(tables.of_several(systems))]
    else:
        parts.append(_counts(systems[0]))
    parts += ["", *blocks(tables.of_differences(systems, result.differences))]
    parts += [*_footnote(systems[0]), ""]
    for system in systems:
        parts += _metrics(system, named=True)
    for system in systems:
        parts += [_wrapped(f"warning: {system.name}: {text}") for text in system.warnings]
    return "\n".join([*parts, *_signatures(systems)])


def of_standing(found: Standing) -> str:
    """The published numbers with one's own among them, and what is to be known about them."""
    header = ["", found.benchmark, "trained on", *found.rows[0].values]
    caveats = list(dict.fromkeys(c for row in found.rows for c in row.caveats))
    sources = list(dict.fromkeys(s for row in found.rows for s in row.sources))
    rows = []
    for row in found.rows:
        notes = "".join(f"[{caveats.index(caveat) + 1}]" for caveat in row.caveats)
        numbers = ["" if v is None else f"{v:.1f}" for v in row.values.values()]
        rows.append([">" * row.is_own, row.name + notes, row.trained_on or "yours", *numbers])
    lines = [table([header, *rows], right=range(3, len(header)))]
    lines += [_wrapped(f"[{number}] {text}") for number, text in enumerate(caveats, 1)]
    lines += [_wrapped(f"warning: {text}") for text in found.doubts]
    return "\n".join([*lines, *(_wrapped(f"source: {text}") for text in sources)])


def _counts(result: Evaluation) -> str:
    rows = [
        ["faces", f"{result.faces:,}"],
        ["tracks", f"{result.tracks:,}"],
        ["videos", f"{result.videos:,}"],
        ["positives", f"{result.positives:,}"],
        ["prior", f"{100 * result.prior:.2f}%"],
    ]
    return table(rows, right=[1])


def _interval(result: Evaluation) -> list[str]:
    if result.interval is None:
        return []
    low, high = (f"{100 * edge:.2f}" for edge in result.interval)
    return [f"95 % interval: {low} to {high} %", _method(result)]


def _method(result: Evaluation) -> str:
    how = result.resamples
    if how is None:
        return ""
    units = result.videos if how.unit == "video" else result.tracks
    if how.count < units:
        return f"({how.method} over {how.count:,} lots of {units:,} {how.unit}s, seed {how.seed})"
    return f"({how.method} over {units:,} {how.unit}s)"


def breakdown(result: Evaluation) -> list[str]:
    """One system's tables, with what is to be known about their intervals."""
    return [*blocks(tables.of_one(result)), *_footnote(result)]


def _footnote(result: Evaluation) -> list[str]:
    if any(FEW_VIDEOS in group.flags for group in result.groups):
        return [f"{tables.WEAK} few videos: fewer than five say little about those to come"]
    return []


def blocks(made: Sequence[Table]) -> list[str]:
    """Tables as text, a block each, with an empty line between two."""
    lines: list[str] = []
    for one in made:
        right = range(one.texts, len(one.header))
        lines += [table([one.header, *one.rows], right=right), ""]
    return lines[:-1]


def _metrics(result: Evaluation, *, named: bool = False) -> list[str]:
    if result.metrics is None:
        return []
    rows = [[name, _number(value)] for name, value in result.metrics.to_dict().items()]
    return [*([f"{result.name}:"] * named), table(rows, right=[1]), ""]


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def _signatures(systems: Sequence[Evaluation]) -> list[str]:
    """One signature where all have the same, else each with its name."""
    if len({system.signature for system in systems}) == 1:
        return [systems[0].signature]
    return [f"{system.name}: {system.signature}" for system in systems]


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 80, subsequent_indent="  ")

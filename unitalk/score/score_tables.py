"""The groups of scores as tables, a frame, csv and LaTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unitalk.score.result import (
    FEW_VIDEOS,
    Comparison,
    Difference,
    Evaluation,
    Group,
    Interval,
    systems_of,
)
from unitalk.text_table import TOTAL, Table, latex_row, one_line, p_text, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

HEADINGS = {"faces": "on screen", "face-size": "size px", "track-length": "seconds"}
"""Headings of breakdowns whose own name would be taken for a count, or is long."""

WEAK = "*"
"""Marks an interval that comes from few videos."""


def of_one(system: Evaluation) -> list[Table]:
    """Return every breakdown of one system as a table, each with the total last."""
    tables = []
    for groups in by_breakdown(system.groups):
        header = ["videos", "tracks", "faces", "positives", "prior", "AP"]
        if system.resamples:
            header.append(_interval_name(system))
        rows = []
        for group in groups:
            row = [*_counts(group), percent(group.prior), percent(group.average_precision)]
            if system.resamples:
                row.append(span(group))
            elif group.average_precision is None:
                row[-1] = _why_none(group)
            rows.append(row)
        tables.append(_with_values(groups, header, rows))
    return tables


def of_several(
    systems: Sequence[Evaluation], *, names: Mapping[str, str] | None = None, spans: bool = False
) -> list[Table]:
    """Return every breakdown with a column of average precision for each system.

    Args:
        systems: on the same faces.
        names: what to call them; default: by their names.
        spans: whether to put each interval behind its number.
    """
    tables = []
    for groups in by_breakdown(systems[0].groups):
        header = ["videos", "tracks", "faces", "positives", "prior"]
        header += [names[system.name] if names else system.name for system in systems]
        rows = [[*_counts(group), percent(group.prior)] for group in groups]
        for system in systems:
            own = {key_of(group): group for group in system.groups}
            for row, group in zip(rows, groups, strict=True):
                found = own[key_of(group)]
                text = percent(found.average_precision) or _why_none(found)
                row.append(f"{text} ({span(found)})" if spans and found.interval else text)
        tables.append(_with_values(groups, header, rows))
    return tables


def of_differences(
    systems: Sequence[Evaluation],
    differences: Sequence[Difference],
    *,
    names: Mapping[str, str] | None = None,
) -> list[Table]:
    """Return how each further system differs from the first, by breakdown.

    Args:
        systems: on the same faces.
        differences: theirs.
        names: what to call them; default: by their names.
    """
    if not differences:
        return []
    names = names or {system.name: system.name for system in systems}
    drawn = [_interval_name(systems[0]), "p"] if systems[0].resamples else []
    if len(systems[0].groups) == 1:
        rows = [
            [f"{names[d.system]} - {names[d.baseline]}", *_difference(d, drawn)]
            for d in differences
        ]
        return [Table(["", "difference", *drawn], rows, 1)]
    tables = []
    for system in systems[1:]:
        own = {key_of(d): d for d in differences if d.system == system.name}
        for groups in by_breakdown(system.groups):
            rows = [_difference(own[key_of(group)], drawn) for group in groups]
            header = [f"{names[system.name]} - {names[systems[0].name]}", *drawn]
            tables.append(_with_values(groups, header, rows))
    return tables


def _difference(found: Difference, drawn: Sequence[str]) -> list[str]:
    """A difference in percentage points, and what was drawn for it."""
    row = [_why_none(found) if found.difference is None else f"{100 * found.difference:+.2f}"]
    return [*row, span(found, sign="+"), p_text(found.p_value)] if drawn else row


def by_breakdown(groups: Sequence[Group]) -> list[list[Group]]:
    """Return the groups of each breakdown, every one followed by the total."""
    found: dict[tuple[str, ...], list[Group]] = {}
    for group in groups[:-1]:
        found.setdefault(tuple(group.by), []).append(group)
    return [[*cells, groups[-1]] for cells in found.values()] or [[groups[-1]]]


def _with_values(groups: Sequence[Group], header: list[str], rows: list[list[str]]) -> Table:
    """Put the breakdowns' values before the numbers."""
    names = list(groups[0].by)
    values = [[group.by.get(name, "") for name in names] for group in groups]
    values[-1][:1] = [TOTAL] if names else []
    return Table(
        [HEADINGS.get(name, name) for name in names] + header,
        [[*value, *row] for value, row in zip(values, rows, strict=True)],
        len(names),
    )


def key_of(one: Group | Difference) -> tuple[tuple[str, str], ...]:
    """Return which cell of which breakdown a group or a difference is."""
    return tuple(one.by.items())


def _counts(group: Group) -> list[str]:
    counts = (group.videos, group.tracks, group.faces, group.positives)
    return [f"{count:,}" for count in counts]


def _interval_name(system: Evaluation) -> str:
    confidence = system.resamples.confidence if system.resamples else 0
    return f"{100 * confidence:g} % interval"


def span(one: Group | Difference, *, sign: str = "") -> str:
    """An interval in percent, with `*` when it comes from few videos; or why there is none."""
    if one.interval is None:
        return _why_none(one)
    low, high = (f"{100 * edge:{sign}.2f}" for edge in one.interval)
    return f"{low} to {high}" + WEAK * (FEW_VIDEOS in one.flags)


def _why_none(group: Group | Difference) -> str:
    return ", ".join(flag for flag in group.flags if flag != FEW_VIDEOS)


# ------------------------------------------------------------------------------ for programs


def to_frame(result: Evaluation | Comparison) -> pd.DataFrame:
    """Return the groups as a pandas frame, one row each, the total last; NaN for None.

    A breakdown's column is `by_<name>`. With several systems each has its columns as
    `<column>:<system>`, and so have the differences.
    """
    import pandas as pd

    made = pd.DataFrame(records(*systems_of(result)))
    others = {"videos", "tracks", "faces", "positives", "flags"}
    columns = [str(name) for name in made]
    numbers = [name for name in columns if name not in others and not name.startswith("by_")]
    return made.astype(dict.fromkeys(numbers, "float64"))


def records(
    systems: Sequence[Evaluation], differences: Sequence[Difference]
) -> list[dict[str, Any]]:
    """Return the groups as rows of a csv file, in full precision; None is undefined."""
    first = systems[0]
    names = list(dict.fromkeys(name for group in first.groups for name in group.by))
    changes = {(d.system, key_of(d)): d for d in differences}
    made = []
    for index, group in enumerate(first.groups):
        record: dict[str, Any] = {f"by_{n.replace('-', '_')}": group.by.get(n) for n in names}
        for column in ("videos", "tracks", "faces", "positives", "prior"):
            record[column] = getattr(group, column)
        for system in systems:
            own = system.groups[index]
            found = {"average_precision": own.average_precision, **_edges("", own.interval)}
            if change := changes.get((system.name, key_of(group))):
                found["difference"] = change.difference
                found |= _edges("difference_", change.interval)
                found["p_value"] = change.p_value
            end = f":{system.name}" if len(systems) > 1 else ""
            record |= {f"{column}{end}": value for column, value in found.items()}
        flags = (flag for system in systems for flag in system.groups[index].flags)
        record["flags"] = "; ".join(dict.fromkeys(flags))
        made.append(record)
    return made


def _edges(before: str, interval: Interval | None) -> dict[str, float | None]:
    low, high = interval or (None, None)
    return {f"{before}lower": low, f"{before}upper": high}


# ------------------------------------------------------------------------------ for papers


def latex(systems: Sequence[Evaluation], differences: Sequence[Difference]) -> str:
    """Return LaTeX tables for booktabs: one row per system, one column per group.

    The numbers are percentages, intervals stand below them in small print, and an asterisk marks
    a difference from the first system at the 5 % level. The signatures follow as comments.
    """
    blocks = []
    for groups in by_breakdown(systems[0].groups):
        keys = [key_of(group) for group in groups]
        header = [" / ".join(group.by.values()) or "overall" for group in groups]
        lines = [
            rf"\begin{{tabular}}{{l{'r' * len(groups)}}}",
            r"\toprule",
            latex_row(["", *header]),
            r"\midrule",
        ]
        for system in systems:
            lines += _latex_system(system, keys, differences)
        blocks.append("\n".join([*lines, r"\bottomrule", r"\end{tabular}"]))
    notes = [f"% {one_line(system.name)}: {system.signature}" for system in systems]
    if differences and systems[0].resamples:
        notes.insert(0, f"% *: differs from {one_line(systems[0].name)} at the 5 % level")
    return "\n\n".join([*blocks, "\n".join(notes)])


def _latex_system(
    system: Evaluation, keys: Sequence[object], differences: Sequence[Difference]
) -> list[str]:
    own = {key_of(group): group for group in system.groups}
    differs = {
        key_of(d)
        for d in differences
        if d.system == system.name and d.p_value is not None and d.p_value < 0.05  # noqa: PLR2004
    }
    cells, spans = [system.name], [""]
    for key in keys:
        group = own[key]  # type: ignore[index]
        known = group.average_precision
        cells.append("--" if known is None else percent(known) + "*" * (key in differs))
        spans.append(_latex_span(group.interval))
    lines = [latex_row(cells)]
    if any(spans):
        lines.append(" & ".join(spans) + r" \\")
    return lines


def _latex_span(interval: Interval | None) -> str:
    if interval is None:
        return ""
    low, high = (100 * edge for edge in interval)
    return rf"{{\scriptsize {low:.1f}--{high:.1f}}}"

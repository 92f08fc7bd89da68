"""Scores as text, Markdown, csv and LaTeX, for `unitalk eval`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitalk.catalog.results import OVERALL
from unitalk.cli._shared.hints import paragraph
from unitalk.score import Evaluation, score_tables
from unitalk.score.result import FEW_VIDEOS, systems_of
from unitalk.text_table import Table, align, counted, csv_text, percent, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unitalk.score import Comparison, Difference
    from unitalk.score.standing import Standing

_LONGEST_NAME = 11  # as the heading of a column; longer ones are numbered
_LONGEST_MODEL = 24


def render(result: Evaluation | Comparison, form: str, place: Standing | None, *, by: bool) -> str:
    """Return the result in one of the formats but JSON."""
    systems, differences = systems_of(result)
    if form == "json":
        return ""
    if form == "csv":
        return csv_text(score_tables.records(systems, differences))
    if form == "latex":
        return score_tables.latex(systems, differences)
    if form == "markdown":
        return _markdown(systems, differences, place)
    text = of_one(result, by=by) if isinstance(result, Evaluation) else of_several(result, by=by)
    return f"{text}\n\n{of_standing(place)}" if place else text


def _markdown(
    systems: Sequence[Evaluation], differences: Sequence[Difference], place: Standing | None
) -> str:
    made = (
        score_tables.of_several(systems, spans=True)
        if len(systems) > 1
        else score_tables.of_one(systems[0])
    )
    made += score_tables.of_differences(systems, differences)
    made += [Table(["measure", one.name], measures(one)) for one in systems if one.metrics]
    parts = [one.markdown() for one in made]
    if place:
        parts += [*(f"Warning: {text}." for text in _doubts(place))]
        parts += [standing_table(place).markdown()]
    return "\n\n".join([*parts, *(f"`{text}`" for text in signatures(systems))])


def of_one(result: Evaluation, *, by: bool) -> str:
    """Return the text of one system; the first line is the reference's."""
    if result.average_precision is None:
        first = f"average precision: undefined ({result.undefined})"
    else:
        first = f"average precision: {100 * result.average_precision:.2f}%"
    parts = [first]
    if result.resamples:
        total = result.groups[-1]
        said = (
            f"{score_tables.span(total)} %"
            if total.interval
            else f"none, {score_tables.span(total)}"
        )
        parts += [f"95 % interval: {said}", _method(result)]
    if by:
        parts += ["", *breakdown(result), ""]
    else:
        parts += [_counts(result), *_footnote(result)]
    parts += _metrics(result)
    parts += [paragraph(f"warning: {text}") for text in result.warnings]
    return "\n".join([*parts, result.signature])


def of_several(result: Comparison, *, by: bool) -> str:
    """Return the text of several systems and how each differs from the baseline, the first."""
    systems = result.systems
    names = _headings([system.name for system in systems])
    rows = [["", "AP", *["95 % interval"] * bool(systems[0].resamples)]]
    for system in systems:
        number = "" if names[system.name] == system.name else f"{names[system.name]} "
        row = [number + system.name, percent(system.average_precision) or "undefined"]
        rows.append(row + [score_tables.span(system.groups[-1])] * bool(system.resamples))
    parts = [align(rows, right=[1, 2])]
    if systems[0].resamples:
        parts.append(_method(systems[0]))
    if by:
        parts += ["", *blocks(score_tables.of_several(systems, names=names))]
    else:
        parts.append(_counts(systems[0]))
    parts += ["", *blocks(score_tables.of_differences(systems, result.differences, names=names))]
    parts += [*_footnote(systems[0]), ""]
    for system in systems:
        parts += _metrics(system, named=True)
    for system in systems:
        parts += [paragraph(f"warning: {system.name}: {text}") for text in system.warnings]
    return "\n".join([*parts, *signatures(systems)])


def of_standing(found: Standing) -> str:
    """Return the published numbers with one's own among or below them, caveats and sources.

    A warning comes first, so that nobody reads the table without it.
    """
    sources = list(dict.fromkeys(s for row in found.rows for s in row.sources))
    lines = [paragraph(f"warning: {text}") for text in _doubts(found)]
    lines += standing_table(found).text().splitlines()
    if found.outside:
        lines.insert(len(lines) - len(found.outside), "")
    lines += [paragraph(f"[{number}] {text}") for number, text in enumerate(_caveats(found), 1)]
    return "\n".join([*lines, *(paragraph(f"source: {text}") for text in sources)])


def standing_table(found: Standing) -> Table:
    """Return the published models and one's own, one row each; those without a rank come last."""
    caveats = _caveats(found)
    scores = [row.values[OVERALL] for row in found.rows]
    ranks = [_rank(score, scores) for score in scores] + ["-"] * len(found.outside)
    rows = []
    for row, rank in zip((*found.rows, *found.outside), ranks, strict=True):
        notes = "".join(f"[{caveats.index(caveat) + 1}]" for caveat in row.caveats)
        numbers = ["" if v is None else f"{v:.1f}" for v in row.values.values()]
        name = shortened(row.name, _LONGEST_MODEL) if row.is_own else row.name
        mark = ">" if row.is_own and rank != "-" else ""
        rows.append([mark + rank, name + notes, row.trained_on or "(yours)", *numbers])
    return Table(["", found.benchmark, "trained on", *found.rows[0].values], rows, 3)


def _rank(score: float | None, scores: Sequence[float | None]) -> str:
    """Return a score's rank from 1; equal scores share one, and an undefined score has none."""
    if score is None:
        return "-"
    return str(1 + sum(other is not None and other > score for other in scores))


def _doubts(found: Standing) -> list[str]:
    """Return what speaks against comparing, and that there is no rank where there is none."""
    if not found.outside:
        return list(found.doubts)
    what = "row has" if len(found.outside) == 1 else "rows have"
    return [f"{text}, so your {what} no rank" for text in found.doubts]


def _caveats(found: Standing) -> list[str]:
    return list(dict.fromkeys(caveat for row in found.rows for caveat in row.caveats))


def breakdown(result: Evaluation) -> list[str]:
    """Return one system's tables and the notes on their intervals."""
    return [*blocks(score_tables.of_one(result)), *_footnote(result)]


def blocks(made: Sequence[Table]) -> list[str]:
    """Return tables as text with an empty line between two."""
    return ["\n\n".join(one.text() for one in made)] if made else []


def signatures(systems: Sequence[Evaluation]) -> list[str]:
    """Return one signature where all have the same, else each with its name."""
    if len({system.signature for system in systems}) == 1:
        return [systems[0].signature]
    return [f"{system.name}: {system.signature}" for system in systems]


def _headings(names: Sequence[str]) -> dict[str, str]:
    """Name each system's column: by its name, or by its number where names are long."""
    if max(map(len, names)) <= _LONGEST_NAME:
        return {name: name for name in names}
    return {name: f"[{number}]" for number, name in enumerate(names, 1)}


def _counts(result: Evaluation) -> str:
    rows = [
        ["faces", f"{result.faces:,}"],
        ["tracks", f"{result.tracks:,}"],
        ["videos", f"{result.videos:,}"],
        ["positives", f"{result.positives:,}"],
        ["prior", f"{100 * result.prior:.2f}%"],
    ]
    return align(rows, right=[1])


def _method(result: Evaluation) -> str:
    how = result.resamples
    if how is None:
        return ""
    units = result.videos if how.unit == "video" else result.tracks
    if 0 < how.count < units:
        return f"({how.method} over {how.count:,} lots of {units:,} {how.unit}s, seed {how.seed})"
    return f"({how.method} over {units:,} {how.unit}{'s' * (units != 1)})"


def _footnote(result: Evaluation) -> list[str]:
    """Explain the mark of an interval, if there is one, and say which faces do not count."""
    said = []
    if any(FEW_VIDEOS in group.flags and group.interval for group in result.groups):
        said.append(f"{score_tables.WEAK} fewer than five videos: too few for a reliable interval")
    if result.left_out:
        said.append(f"left out: {counted(result.left_out, 'face')} with eval 0 in the ground truth")
    return said


def _metrics(result: Evaluation, *, named: bool = False) -> list[str]:
    if result.metrics is None:
        return []
    return [*([f"{result.name}:"] * named), align(measures(result), right=[1]), ""]


def measures(result: Evaluation) -> list[list[str]]:
    """Return each measure's name and value."""
    found = result.metrics.to_dict() if result.metrics else {}
    return [[name, _number(name, value)] for name, value in found.items()]


def _number(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    # A threshold is on the scale of the scores, whatever that is; all else is a share.
    return f"{value:.6g}" if name.endswith("threshold") else f"{value:.4f}"

"""The page's tables: the breakdown, the videos, and measures beside average precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitalk.score.report.figures import Bar, bars
from unitalk.score.report.markup import (
    UNDEFINED,
    Markup,
    count,
    interval,
    join,
    p_value,
    percent,
    plural,
    points,
    points_interval,
    tag,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from unitalk.score.report.details import Video
    from unitalk.score.result import Difference, Evaluation, Group

_Key = tuple[tuple[str, str], ...]

# A breakdown's heading where its own name would be taken for a count, or lacks the unit.
_HEADINGS = {"faces": "On screen", "face-size": "Size, px", "track-length": "Track, s"}

_LENGTHY = 32  # letters of a name, beyond which it takes several lines
_LONG = 40  # rows; a table of more scrolls in a box of the screen's height

_COUNTS = ("Prior, %", "Videos", "Tracks", "Faces", "Positives")


def scrolling(table_id: str, caption: str, *rows: Markup | None, class_: str) -> Markup:
    """Make a table in a box of its own that scrolls where the page is narrower."""
    name = tag("caption", tag("span", caption), id=f"{table_id}-caption")
    table = tag("table", name, *rows, id=table_id, class_=class_)
    return tag(
        "div", table, class_="scroll", role="region", tabindex=0,
        aria_labelledby=f"{table_id}-caption",
    )  # fmt: skip


def _heads(texts: Iterable[str], class_: str | None = "num", rowspan: int = 1) -> list[Markup]:
    return [
        tag("th", text, scope="col", class_=_fitting(text, class_), rowspan=_span(rowspan))
        for text in texts
    ]


def _fitting(text: str, class_: str | None = None) -> str | None:
    """Add the class of names that are broken into lines, however they are spelled."""
    if len(text) <= _LENGTHY:
        return class_
    return f"{class_} lengthy" if class_ else "lengthy"


def _span(rows: int) -> int | None:
    return rows if rows > 1 else None


def _numbers(texts: Iterable[str]) -> list[Markup]:
    """Make cells of numbers; what is undefined says so quietly."""
    return [tag("td", text, class_="num none" if text == UNDEFINED else "num") for text in texts]


# ------------------------------------------------------------------------------ the breakdown


def groups_tables(systems: Sequence[Evaluation], differences: Sequence[Difference]) -> list[Markup]:
    """Make a table for each breakdown: a row for each cell, the total last.

    Args:
        systems: the baseline first; their groups are the same cells in the same order.
        differences: of every other system from the baseline, on each cell.
    """
    found = {(d.system, _key(d)): d for d in differences}
    own = [{_key(group): group for group in system.groups} for system in systems]
    made = []
    for number, (names, keys) in enumerate(_breakdowns(systems[0].groups)):
        rows = []
        for key in keys:
            cells = [groups[key] for groups in own]
            against = [found.get((system.name, key)) for system in systems[1:]]
            rows.append(_group_row(systems, cells, against, names))
        made.append(
            scrolling(
                f"groups-{number}",
                f"By {' and '.join(names)}" if names else "All faces",
                _groups_head(systems, names),
                tag("tbody", *rows[:-1]) if rows[1:] else None,
                tag("tbody", rows[-1], class_="total"),
                class_="several" if len(systems) > 1 else "single",
            )
        )
    return made


def _key(one: Group | Difference) -> _Key:
    return tuple(one.by.items())


def _breakdowns(groups: Sequence[Group]) -> list[tuple[tuple[str, ...], list[_Key]]]:
    """Return each breakdown's names and its groups' keys, every one followed by the total's."""
    found: dict[tuple[str, ...], list[_Key]] = {}
    for group in groups[:-1]:
        found.setdefault(tuple(group.by), []).append(_key(group))
    total = _key(groups[-1])
    return [(names, [*keys, total]) for names, keys in found.items()] or [((), [total])]


def _groups_head(systems: Sequence[Evaluation], names: Sequence[str]) -> Markup:
    is_several, is_drawn = len(systems) > 1, systems[0].resamples is not None
    rows = 2 if is_several else 1
    headings = [_HEADINGS.get(name, name.capitalize()) for name in names]
    marks = (tag("span", text) for text in ("0", "50", "100"))
    scale = tag("span", *marks, class_="scale", aria_hidden="true")
    first = _heads(headings or ["Group"], None, rows)
    first += [tag("th", "AP, %", scale, scope="col", class_="chart", rowspan=_span(rows))]
    second = []
    if is_several:
        differing = f"Difference from {systems[0].name}, points" + "; p" * is_drawn
        first += [
            _wide_head("Average precision, %", len(systems)),
            _wide_head(differing, (1 + is_drawn) * (len(systems) - 1)),
        ]
        second = _heads(system.name for system in systems)
        for system in systems[1:]:
            second += _heads([system.name, "p"][: 1 + is_drawn])
    else:
        first += _heads(["AP, %", "Interval"][: 1 + is_drawn])
    first += _heads(["Remarks"], None, rows) + _heads(_COUNTS, "num", rows)
    return tag("thead", tag("tr", *first), tag("tr", *second) if second else None)


def _wide_head(text: str, columns: int) -> Markup:
    return tag("th", text, scope="colgroup", colspan=columns, class_=_fitting(text, "wide"))


def _group_row(
    systems: Sequence[Evaluation],
    cells: Sequence[Group],
    against: Sequence[Difference | None],
    names: Sequence[str],
) -> Markup:
    group = cells[0]
    is_drawn = systems[0].resamples is not None
    drawn = [Bar(value=cell.average_precision, interval=cell.interval) for cell in cells]
    parts = [
        _group_heads(group, names),
        tag("td", bars(drawn, group.prior, [s.name for s in systems]), class_="chart"),
    ]
    if len(systems) == 1:
        texts = [percent(group.average_precision), interval(group.interval)]
        parts += _numbers(texts[: 1 + is_drawn])
    else:
        parts += [_with_interval(percent(c.average_precision), interval(c.interval)) for c in cells]
        for difference in against:
            parts += _difference_cells(difference)[: 1 + is_drawn]
    flagged: list[Group | Difference] = [*cells, *(one for one in against if one is not None)]
    flags = dict.fromkeys(flag for one in flagged for flag in one.flags)
    counts = _counts(group.prior, group.videos, group.tracks, group.faces, group.positives)
    return tag("tr", *parts, tag("td", ", ".join(flags), class_="flags"), *_numbers(counts))


def _group_heads(group: Group, by_names: Sequence[str]) -> Markup:
    if not group.by:
        return tag("th", "TOTAL", scope="row", colspan=max(len(by_names), 1))
    values = (group.by.get(name, "") for name in by_names)
    return join(tag("th", value, scope="row", class_=_fitting(value)) for value in values)


def _counts(prior: float, *counts: int) -> list[str]:
    return [percent(prior), *(count(value) for value in counts)]


def _with_interval(text: str, pair: str) -> Markup:
    small = tag("span", pair, class_="interval") if pair else None
    return tag("td", text, " " if small else None, small,
               class_="num none" if text == UNDEFINED else "num")  # fmt: skip


def _difference_cells(difference: Difference | None) -> list[Markup]:
    if difference is None:
        return _numbers([UNDEFINED, ""])
    value = _with_interval(points(difference.difference), points_interval(difference.interval))
    return [value, *_numbers([p_value(difference.p_value)])]


# ------------------------------------------------------------------------------ the videos


def videos_table(names: Sequence[str], videos: Sequence[Video]) -> Markup:
    """Make the table of videos, the lowest average precision of the first system on top.

    Closing tags of cells and rows are left out, as HTML allows: there may be thousands.
    """
    ordered = sorted(videos, key=_lowest_first)
    rows = Markup("".join(_video_row(video) for video in ordered))
    return scrolling(
        "videos",
        f"{plural(len(videos), 'video', 'videos')}, each on its own",
        tag("thead", tag("tr", *_video_heads(names))),
        tag("tbody", rows),
        class_="sortable long" if len(videos) > _LONG else "sortable",
    )


def _video_heads(names: Sequence[str]) -> list[Markup]:
    heads = _heads(["Video"], None)
    for index, name in enumerate(names):
        text = f"AP, %: {name}" if len(names) > 1 else "AP, %"
        order = "ascending" if index == 0 else None
        heads.append(tag("th", text, scope="col", class_=_fitting(text, "num"), aria_sort=order))
    heads += _heads(f"Difference: {name}" for name in names[1:])
    return heads + _heads(name for name in _COUNTS if name != "Videos")


def _lowest_first(video: Video) -> tuple[bool, float, str]:
    value = video.average_precisions[0]
    return (value is None, value or 0.0, video.name)


def _video_row(video: Video) -> str:
    baseline, *others = video.average_precisions
    texts = [percent(value) for value in video.average_precisions]
    texts += [
        points(None if value is None or baseline is None else value - baseline) for value in others
    ]
    texts += _counts(video.prior, video.tracks, video.faces, video.positives)
    head = tag("th", video.name, scope="row", class_=_fitting(video.name)).removesuffix("</th>")
    # Only numbers and the word for none of them, so nothing needs escaping.
    return f"<tr>{head}" + "".join(
        f"<td class=none>{text}" if text == UNDEFINED else f"<td>{text}" for text in texts
    )


# ------------------------------------------------------------------------------ other measures


def metrics_table(systems: Sequence[Evaluation], meanings: Mapping[str, str]) -> Markup:
    """Make the table of the measures that were asked for beside average precision."""
    values = [(s.name, s.metrics.to_dict()) for s in systems if s.metrics is not None]
    rows = []
    for key in values[0][1]:
        head = tag("th", tag("code", key), scope="row")
        meaning = tag("td", meanings.get(key, ""), class_="meaning")
        rows.append(tag("tr", head, *_numbers(_measure(own[key]) for _, own in values), meaning))
    heads = _heads(["Measure"], None) + _heads(name for name, _ in values)
    return scrolling(
        "metrics",
        "Over all faces",
        tag("thead", tag("tr", *heads, *_heads(["Meaning"], None))),
        tag("tbody", *rows),
        class_="measures",
    )


def _measure(value: float | None) -> str:
    if value is None:
        return UNDEFINED
    return count(value) if isinstance(value, int) else f"{value:.4f}"


def system_key(names: Sequence[str], draw: Iterable[Markup]) -> Markup:
    """Make the legend that says which sign and colour is which system."""
    items = [tag("li", sign, " ", name) for sign, name in zip(draw, names, strict=True)]
    return tag("ul", *items, class_="key")

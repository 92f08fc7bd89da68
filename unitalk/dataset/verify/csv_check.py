"""Check the rows of one split for faults that the schema accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unitalk import schema
from unitalk.dataset.verify.verify_report import Finding
from unitalk.layout import face_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from unitalk.schema.split_rows import SplitRows

    Floats = npt.NDArray[np.float64]

FAR = 0.5
"""How far an edge may be outside the frame: half of it.

ASW's boxes, drawn on a padded frame, go from -0.081 to 1.137; boxes in pixels go far beyond.
"""
_PIXELS = 2.0  # an edge beyond this is in pixels


class _Wrong(NamedTuple):
    """Rows with one fault, and the detail for each."""

    kind: str
    rows: npt.NDArray[np.int64]
    detail: Callable[[int], str]


def csv_findings(rows: SplitRows) -> list[Finding]:
    """All faults of the rows: one finding per stretch of neighbouring rows."""
    missing = [
        Finding(kind="missing-column", split=rows.split, path=rows.path, detail=f"lacks {name}")
        for name in schema.COLUMNS
        if name not in rows.faces.table.column_names
    ]
    if rows.faces.files and not rows.faces.files[0].head.header_line:
        missing.append(Finding(kind="missing-header", split=rows.split, path=rows.path, line=1))
    wrong = [*_box(rows), *_label(rows), *_names(rows), *_twice(rows), *_order(rows)]
    if rows.whole:  # where rows were left out, a gap says nothing
        wrong += [*_gaps(rows), *_instances(rows)]
    return missing + _located(rows, wrong)


def _located(rows: SplitRows, wrong: list[_Wrong]) -> list[Finding]:
    """Join neighbours of one track into one finding and find their lines."""
    stretches: list[tuple[_Wrong, int, int]] = []
    for one in wrong:
        if not len(one.rows):
            continue
        breaks = (np.diff(one.rows) != 1) | (np.diff(rows.table.track[one.rows]) != 0)
        parts = np.split(one.rows, np.flatnonzero(breaks) + 1)
        stretches += [(one, int(part[0]), len(part)) for part in parts]
    lines = rows.line_of([row for _, row, _ in stretches])
    videos, entities = rows.video, rows.entity
    return [
        Finding(
            kind=one.kind,
            split=rows.split,
            video_id=videos[1][videos[0][row]],
            entity_id=entities[1][entities[0][row]],
            seconds=int(rows.milliseconds[row]) / 1000,
            faces=count if count > 1 else None,
            path=rows.path,
            line=lines.get(row),
            detail=one.detail(row),
        )
        for one, row, count in stretches
    ]


# ------------------------------------------------------------------------------ a row by itself


def _box(rows: SplitRows) -> Iterator[_Wrong]:
    def edges(row: int) -> str:
        left, top, right, bottom = (rows.faces.numbers(name, row, 1)[0] for name in schema.BOX)
        pixels = ": these look like pixels" if min(right, bottom) > _PIXELS else ""
        return f"x {left:g} to {right:g}, y {top:g} to {bottom:g}{pixels}"

    turned, far = np.zeros((2, len(rows)), bool)
    for axis in (0, 1):
        low, high = (rows.faces.numbers(name) for name in schema.BOX[axis::2])
        turned |= low >= high
        far |= (low < -FAR) | (high > 1 + FAR)
        far |= (high <= 0) | (low >= 1)  # not one pixel of it
    yield _Wrong("box-turned", np.flatnonzero(turned), edges)
    yield _Wrong("box-range", np.flatnonzero(far & ~turned), edges)


def _label(rows: SplitRows) -> Iterator[_Wrong]:
    if schema.LABEL_ID not in rows.faces.table.column_names or rows.unlabelled:
        return
    (labels, names), (ids, numbers) = map(rows.faces.codes, (schema.LABEL, schema.LABEL_ID))
    wanted = np.array([schema.LABEL_IDS[name] for name in names], np.int8)[labels]
    given = np.array([int(number) for number in numbers], np.int8)[ids]
    # 2 counts as 0, and some write it so.
    silent = schema.LABEL_IDS[schema.NOT_SPEAKING]
    both = (names.index(schema.NOT_AUDIBLE) if schema.NOT_AUDIBLE in names else -1, silent)
    wrong = (wanted != given) & ~((labels == both[0]) & (given == both[1]))
    yield _Wrong(
        "label-id",
        np.flatnonzero(wrong),
        lambda row: f"{names[labels[row]]} and {given[row]}",
    )


def _names(rows: SplitRows) -> Iterator[_Wrong]:
    """Track ids that do not begin with their video's id, and ids in two videos."""
    videos, entities = rows.video, rows.entity
    seen: dict[str, str] = {}
    foreign: list[int] = []
    shared: list[int] = []
    for row in rows.table.heads.tolist():
        video, entity = videos[1][videos[0][row]], entities[1][entities[0][row]]
        if seen.setdefault(entity, video) != video:
            shared.append(row)
        elif not entity.startswith(video):
            foreign.append(row)
    yield _Wrong("entity-name", np.array(foreign, np.int64), lambda _: "names another video")
    yield _Wrong(
        "entity-in-two-videos",
        np.array(shared, np.int64),
        lambda row: f"is in {seen[entities[1][entities[0][row]]]} too",
    )


# ------------------------------------------------------------------------------ rows of a track


def _twice(rows: SplitRows) -> Iterator[_Wrong]:
    seconds = rows.faces.numbers(schema.TIME)
    twice, near = map(rows.table.rows, rows.table.clashes(seconds))
    yield _Wrong("duplicate-face", np.sort(twice), lambda _: "has this time a second time")
    yield _Wrong(
        "times-too-near",
        np.sort(near),
        lambda row: f"{face_name(seconds[row])} is the face before it too",
    )


def _order(rows: SplitRows) -> Iterator[_Wrong]:
    apart, unordered = rows.table.apart, rows.table.unordered
    yield _Wrong("rows-apart", apart, lambda _: "goes on here, after another track")
    yield _Wrong("rows-unordered", unordered, lambda _: "is earlier than the row before it")


def _gaps(rows: SplitRows) -> Iterator[_Wrong]:
    places, steps = rows.table.gaps()
    later = rows.table.rows(places)
    size = dict(zip(later.tolist(), steps.tolist(), strict=True))
    yield _Wrong(
        "gap", np.sort(later), lambda row: f"{size[row] / 1000:.2f} s after the face before"
    )


def _instances(rows: SplitRows) -> Iterator[_Wrong]:
    if schema.INSTANCE not in rows.faces.table.column_names:
        return
    codes, texts = rows.faces.codes(schema.INSTANCE)
    stems, numbers = _split_instances(texts)
    entities, names = rows.entity
    own = np.array([stems.get(name, -1) for name in names])
    stem = np.array([stems[_stem(text)] for text in texts])
    bad = (stem[codes] != own[entities]) | (numbers[codes] < 0)
    yield _Wrong(
        "instance-name",
        np.flatnonzero(bad),
        lambda row: f"{texts[codes[row]]!r} is not {names[entities[row]]}:<number>",
    )
    labels, _ = rows.faces.codes(schema.LABEL)
    order = rows.table.rows()
    one, two = order[:-1], order[1:]
    sound = rows.table.inside & ~bad[one] & ~bad[two]
    sound &= np.diff(rows.milliseconds[order]) != 0  # duplicates have a finding already
    rise = numbers[codes[two]] - numbers[codes[one]]
    changed = labels[one] != labels[two]
    wrong = sound & np.where(changed, rise <= 0, rise != 0)
    before = dict(zip(two[wrong].tolist(), one[wrong].tolist(), strict=True))

    def told(row: int) -> str:
        change = "another" if labels[row] != labels[before[row]] else "the same"
        return f"{texts[codes[before[row]]]} then {texts[codes[row]]}, with {change} label"

    yield _Wrong("instance-step", np.sort(two[wrong]), told)


def _stem(text: str) -> str:
    return text.rpartition(":")[0]


def _split_instances(texts: list[str]) -> tuple[dict[str, int], npt.NDArray[np.int64]]:
    """The texts before the last `:`, numbered; and each text's number after it, or -1."""
    stems: dict[str, int] = {}
    numbers = np.full(len(texts), -1, np.int64)
    for place, text in enumerate(texts):
        stem, _, number = text.rpartition(":")
        stems.setdefault(stem, len(stems))
        if number.isascii() and number.isdigit() and len(number) < 10:  # noqa: PLR2004 - fits
            numbers[place] = int(number)
    return stems, numbers

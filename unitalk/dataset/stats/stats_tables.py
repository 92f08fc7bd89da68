"""The groups as tables: cells of text, and csv."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unitalk.progress import size
from unitalk.schema import NOT_AUDIBLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from unitalk.dataset.stats.stats_result import Group, Shares, Spread, Statistics

TOTAL = "TOTAL"


@dataclass(frozen=True, slots=True)
class Table:
    """Cells of text.

    Attributes:
        title: what the numbers are.
        header: a name a column.
        rows: cells; the last row is the total.
        texts: how many columns at the left hold text; the others hold numbers.
    """

    title: str
    header: list[str]
    rows: list[list[str]]
    texts: int


def tables(found: Statistics) -> list[Table]:
    """Splits, their categories and the total in several tables of one topic each."""
    groups = ordered(found)
    inaudible = {"inaudible": _share("labels", NOT_AUDIBLE)}
    what = WHAT | (inaudible if found.total.labels.counts[NOT_AUDIBLE] else {})
    made = [
        _table(groups, "What there is", what),
        _table(groups, "Frames by faces and by speaking faces, %", FRAMES),
        _table(groups, "Length of tracks, seconds; tracks by length, %", LENGTHS),
        _table(groups, "Speaking", SPEAKING),
        _table(groups, "Face width, % of the frame's", WIDTHS),
    ]
    if found.total.pixel_width is not None:
        made.append(_table(groups, "Face width, pixels; faces by width, %", PIXELS))
    made += [_media(found)] if found.media else []
    return made


def videos_table(found: Statistics) -> Table:
    """A row for each video."""
    return _table([*found.videos, found.total], "Videos", VIDEOS, video=True)


def ordered(found: Statistics) -> list[Group]:
    """The groups of a table: each split's categories, then the split; at last the total.

    What would only repeat the total is left out: a split that is the only one.
    """
    groups: list[Group] = []
    for split in found.splits:
        groups += [group for group in found.categories if group.split == split.split]
        groups += [split] if len(found.splits) > 1 else []
    return [*groups, found.total]


# ------------------------------------------------------------------------------ columns


def _share(field: str, name: str) -> Callable[[Group], str]:
    def cell(group: Group) -> str:
        found: Shares | None = getattr(group, field)
        return "" if found is None else _percent(found.share(name))

    return cell


def _of(field: str, quantile: str, *, factor: float = 1, digits: int = 2) -> Callable[[Group], str]:
    def cell(group: Group) -> str:
        found: Spread | None = getattr(group, field)
        return "" if found is None else f"{factor * getattr(found, quantile):.{digits}f}"

    return cell


def _count(field: str) -> Callable[[Group], str]:
    return lambda group: f"{getattr(group, field):,}"


def _number(field: str, *, digits: int = 2) -> Callable[[Group], str]:
    def cell(group: Group) -> str:
        found: float | None = getattr(group, field)
        return "" if found is None else f"{found:,.{digits}f}"

    return cell


def _hours(group: Group) -> str:
    """With more digits where there are few hours."""
    return f"{group.face_hours:,.{2 if group.face_hours >= 1 else 4}f}"


def _percent(share: float | None, *, digits: int = 1) -> str:
    return "" if share is None else f"{100 * share:.{digits}f}"


def _quartiles(field: str, **how: Any) -> dict[str, Callable[[Group], str]]:  # noqa: ANN401
    return {
        "lower": _of(field, "lower", **how),
        "median": _of(field, "median", **how),
        "upper": _of(field, "upper", **how),
    }


WHAT: dict[str, Callable[[Group], str]] = {
    "videos": _count("videos"),
    "tracks": _count("tracks"),
    "faces": _count("faces"),
    "face hours": _hours,
    "speaking": lambda group: _percent(group.speaking_share, digits=2),
    "faces/frame": _number("faces_a_frame"),
}
FRAMES: Mapping[str, Callable[[Group], str]] = {
    "frames": _count("frames"),
    "1 face": _share("frames_by_faces", "1"),
    **{name: _share("frames_by_faces", name) for name in ("2", "3", "4+")},
    "0 speak": _share("frames_by_speakers", "0"),
    "1 speaks": _share("frames_by_speakers", "1"),
    "2+": _share("frames_by_speakers", "2+"),
}
LENGTHS: Mapping[str, Callable[[Group], str]] = {
    **_quartiles("track_seconds"),
    **{name: _share("tracks_by_length", name) for name in ("0-1", "1-3", "3-5", "5-10", ">10")},
}
SPEAKING: Mapping[str, Callable[[Group], str]] = {
    "stretches": _count("stretches"),
    "median s": _of("stretch_seconds", "median"),
    "changes/min": _number("label_changes_a_minute", digits=1),
    "step s": _number("step_seconds", digits=3),
    "faces/s": _number("faces_a_second"),
}
WIDTHS: Mapping[str, Callable[[Group], str]] = {
    "5 %": _of("width", "p5", factor=100),
    **_quartiles("width", factor=100),
    "95 %": _of("width", "p95", factor=100),
}
PIXELS: Mapping[str, Callable[[Group], str]] = {
    **_quartiles("pixel_width", digits=0),
    **{name: _share("faces_by_pixel_width", name) for name in ("<64", "64-128", ">128")},
}
VIDEOS: Mapping[str, Callable[[Group], str]] = {
    "tracks": _count("tracks"),
    "faces": _count("faces"),
    "hours": _hours,
    "speaking": lambda group: _percent(group.speaking_share, digits=2),
    "f/frame": _number("faces_a_frame"),
    "track s": _of("track_seconds", "median", digits=1),
    "width %": _of("width", "median", factor=100, digits=1),
}


def _table(
    groups: Sequence[Group],
    title: str,
    columns: Mapping[str, Callable[[Group], str]],
    *,
    video: bool = False,
) -> Table:
    """One row a group; the columns of names that would be empty or all alike are left out."""
    texts: dict[str, list[str]] = {
        "split": [group.split or TOTAL for group in groups],
        "category": [group.category or "" for group in groups],
    }
    if video:
        texts = {"video": [group.video or TOTAL for group in groups], **texts}
        texts["split"][-1] = ""
        if len(set(texts["split"][:-1])) == 1:
            del texts["split"]
    if not any(texts["category"]):
        del texts["category"]
    rows = [
        [*(column[index] for column in texts.values()), *(cell(group) for cell in columns.values())]
        for index, group in enumerate(groups)
    ]
    return Table(title, [*texts, *columns], rows, len(texts))


def _media(found: Statistics) -> Table:
    header = ["split", "crops", "crops' size, about", "sounds", "sounds' size"]
    rows = [
        [one.split, f"{one.crops:,}", size(one.crop_bytes_about), f"{one.sounds:,}",
         size(one.sound_bytes)]
        for one in found.media
    ]  # fmt: skip
    return Table("Files", header, rows, 1)


# ------------------------------------------------------------------------------ for programs


def csv_text(found: Statistics, *, videos: bool) -> str:
    """The groups as csv, a row each, the total last; an empty cell for None.

    What a number consists of is behind a point: `track_seconds.median`, `labels.counts.<label>`.
    """
    groups = [*found.splits, *found.categories, *(found.videos if videos else ()), found.total]
    records = [dict(_flat(group.to_dict())) for group in groups]
    # A group may lack what another has, such as a stretch: the one with most columns leads.
    columns = list(dict.fromkeys(name for record in records for name in record))
    columns = [name for name in columns if not any(c.startswith(f"{name}.") for c in columns)]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().rstrip("\n")


def _flat(found: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in found.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        elif name != "of":
            yield f"{before}{name}", value

"""Statistics as tables of text, and as records for csv."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unitalk.progress import size
from unitalk.schema import NOT_AUDIBLE, bins
from unitalk.text_table import TOTAL, Table, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from unitalk.dataset.stats.stats_result import Group, Shares, Statistics

    Columns = dict[str, Callable[[Group], str]]


def tables(found: Statistics) -> list[Table]:
    """Return splits, their categories and the total in several tables of one topic each."""
    groups = ordered(found)
    inaudible = {"inaudible": _share("labels", NOT_AUDIBLE)}
    topics: dict[str, Columns] = {
        "What there is": _CONTENT | (inaudible if found.total.labels.counts[NOT_AUDIBLE] else {}),
        "Frames by faces and by speaking faces, %": _FRAMES,
        "Length of tracks, seconds; tracks by length, %": _LENGTHS,
        "Speaking": _SPEAKING,
        "Face width, % of the frame's": _quartiles("width", factor=100),
    }
    if found.total.pixel_width is not None:
        topics["Face width, pixels; faces by width, %"] = _PIXELS
    made = [_table(groups, title, columns) for title, columns in topics.items()]
    return made + ([_media(found)] if found.media else [])


def videos_table(found: Statistics) -> Table:
    """Return one row per video."""
    return _table([*found.videos, found.total], "Videos", _VIDEOS, video=True)


def ordered(found: Statistics) -> list[Group]:
    """Return the groups of a table: each split's categories, then the split; the total is last.

    A split that is the only one is left out: it would only repeat the total.
    """
    groups: list[Group] = []
    for split in found.splits:
        groups += [group for group in found.categories if group.split == split.split]
        groups += [split] if len(found.splits) > 1 else []
    return [*groups, found.total]


# ------------------------------------------------------------------------------ columns


def _count(field: str) -> Callable[[Group], str]:
    return lambda group: f"{getattr(group, field):,}"


def _number(
    field: str, part: str | None = None, *, factor: float = 1, digits: int = 2
) -> Callable[[Group], str]:
    """Write a number of a group, or a part of a `Spread`; nothing where it is undefined."""

    def cell(group: Group) -> str:
        found = getattr(group, field)
        if found is not None and part is not None:
            found = getattr(found, part)
        return "" if found is None else f"{factor * found:,.{digits}f}"

    return cell


def _quartiles(field: str, *, factor: float = 1, digits: int = 2) -> Columns:
    return {
        part: _number(field, part, factor=factor, digits=digits)
        for part in ("lower", "median", "upper")
    }


def _share(field: str, name: str) -> Callable[[Group], str]:
    def cell(group: Group) -> str:
        found: Shares | None = getattr(group, field)
        return "" if found is None else percent(found.share(name), digits=1)

    return cell


def _shares(field: str, names: Sequence[str], headings: Sequence[str] = ()) -> Columns:
    return {
        heading: _share(field, name) for name, heading in zip(names, headings or names, strict=True)
    }


def _hours(group: Group) -> str:
    """Write hours, with more digits where there are few."""
    return f"{group.face_hours:,.{2 if group.face_hours >= 1 else 4}f}"


_SPEAKS = _number("speaking_share", factor=100)
_CONTENT: Columns = {
    "videos": _count("videos"),
    "tracks": _count("tracks"),
    "faces": _count("faces"),
    "face hours": _hours,
    "speaking": _SPEAKS,
    "faces/frame": _number("faces_a_frame"),
}
_FRAMES: Columns = {
    "frames": _count("frames"),
    **_shares("frames_by_faces", bins.COMPANY, ("1 face", *bins.COMPANY[1:])),
    **_shares("frames_by_speakers", bins.SPEAKERS, ("0 speak", "1 speaks", "2+")),
}
_LENGTHS: Columns = {
    **_quartiles("track_seconds"),
    **_shares("tracks_by_length", bins.LENGTHS),
}
_SPEAKING: Columns = {
    "stretches": _count("stretches"),
    "median s": _number("stretch_seconds", "median"),
    "changes/min": _number("label_changes_a_minute", digits=1),
    "step s": _number("step_seconds", digits=3),
    "faces/s": _number("faces_a_second"),
}
_PIXELS: Columns = {
    **_quartiles("pixel_width", digits=0),
    **_shares("faces_by_pixel_width", bins.WIDTHS),
}
_VIDEOS: Columns = {
    "tracks": _count("tracks"),
    "faces": _count("faces"),
    "hours": _hours,
    "speaking": _SPEAKS,
    "f/frame": _number("faces_a_frame"),
    "track s": _number("track_seconds", "median", digits=1),
    "width %": _number("width", "median", factor=100, digits=1),
}


def _table(groups: Sequence[Group], title: str, columns: Columns, *, video: bool = False) -> Table:
    """Make one row per group; columns of names that would be empty or all alike are left out."""
    names: dict[str, list[str]] = {
        "split": [group.split or TOTAL for group in groups],
        "category": [group.category or "" for group in groups],
    }
    if video:
        names = {"video": [group.video or TOTAL for group in groups], **names}
        names["split"][-1] = ""
        if len(set(names["split"][:-1])) == 1:
            del names["split"]
    if not any(names["category"]):
        del names["category"]
    cells = [[cell(group) for cell in columns.values()] for group in groups]
    rows = [[*texts, *own] for *texts, own in zip(*names.values(), cells, strict=True)]
    return Table([*names, *columns], rows, len(names), title)


def _media(found: Statistics) -> Table:
    header = ["split", "crops", "crops' size, about", "sounds", "sounds' size"]
    rows = [
        [one.split, f"{one.crops:,}", size(one.crop_bytes_about), f"{one.sounds:,}",
         size(one.sound_bytes)]
        for one in found.media
    ]  # fmt: skip
    return Table(header, rows, 1, "Files")


# ------------------------------------------------------------------------------ for programs


def records(found: Statistics, *, videos: bool) -> list[dict[str, Any]]:
    """Return the groups as rows of a csv file, the total last.

    The parts of a number are named behind a point: `track_seconds.median`, `labels.counts.<label>`.
    Groups that lack such a number, such as the length of stretches, lack its columns.
    """
    groups = [*found.splits, *found.categories, *(found.videos if videos else ()), found.total]
    made = [dict(_flat(group.to_dict())) for group in groups]
    whole = {name.partition(".")[0] for record in made for name in record if "." in name}
    return [{k: v for k, v in record.items() if k not in whole} for record in made]


def _flat(found: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in found.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        elif name != "of":
            yield f"{before}{name}", value

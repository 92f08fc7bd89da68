"""Statistics as tables of text, and as records for csv: both from the flat names of the JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unitalk.progress import size
from unitalk.schema import NOT_AUDIBLE, bins
from unitalk.text_table import TOTAL, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from unitalk.dataset.stats.stats_result import Group, Statistics

    Columns = dict[str, tuple[str, str]]


def tables(found: Statistics) -> list[Table]:
    """Return splits, their categories and the total in several tables of one topic each."""
    groups = ordered(found)
    inaudible = _INAUDIBLE if found.total.labels.counts[NOT_AUDIBLE] else {}
    topics = {
        "Contents": _CONTENT | inaudible,
        "Frames by faces and by speaking faces, %": _FRAMES,
        "Length of tracks, seconds; tracks by length, %": _LENGTHS,
        "Speaking": _SPEAKING,
        "Face width, % of the frame's": _quartiles("width", ".2%"),
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
# Each heading with the name of a number and its format.


def _quartiles(field: str, form: str) -> Columns:
    return {part: (f"{field}.{part}", form) for part in ("lower", "median", "upper")}


def _shares(field: str, names: Sequence[str], headings: Sequence[str] = ()) -> Columns:
    pairs = zip(names, headings or names, strict=True)
    return {heading: (f"{field}.shares.{name}", ".1%") for name, heading in pairs}


_HOURS = ("face_hours", "hours")
_CONTENT: Columns = {
    "videos": ("videos", ","),
    "tracks": ("tracks", ","),
    "faces": ("faces", ","),
    "face hours": _HOURS,
    "speaking": ("speaking_share", ".2%"),
    "faces/frame": ("faces_a_frame", ",.2f"),
}
_INAUDIBLE: Columns = {"inaudible": (f"labels.shares.{NOT_AUDIBLE}", ".1%")}
_FRAMES: Columns = {
    "frames": ("frames", ","),
    **_shares("frames_by_faces", bins.COMPANY, ("1 face", *bins.COMPANY[1:])),
    **_shares("frames_by_speakers", bins.SPEAKERS, ("0 speak", "1 speaks", "2+")),
}
_LENGTHS: Columns = {
    **_quartiles("track_seconds", ",.2f"),
    **_shares("tracks_by_length", bins.LENGTHS),
}
_SPEAKING: Columns = {
    "stretches": ("stretches", ","),
    "median s": ("stretch_seconds.median", ",.2f"),
    "changes/min": ("label_changes_a_minute", ",.1f"),
    "step s": ("step_seconds", ",.3f"),
    "faces/s": ("faces_a_second", ",.2f"),
}
_PIXELS: Columns = {
    **_quartiles("pixel_width", ",.0f"),
    **_shares("faces_by_pixel_width", bins.WIDTHS),
}
_VIDEOS: Columns = {
    "tracks": ("tracks", ","),
    "faces": ("faces", ","),
    "hours": _HOURS,
    "speaking": ("speaking_share", ".2%"),
    "f/frame": ("faces_a_frame", ",.2f"),
    "track s": ("track_seconds.median", ",.1f"),
    "width %": ("width.median", ".1%"),
}


def _cell(value: float | None, form: str) -> str:
    """Write a number, nothing where it is undefined; a percentage without its sign."""
    if value is None:
        return ""
    if form == "hours":  # few of them have more digits
        form = ",.2f" if value >= 1 else ",.4f"
    return f"{value:{form}}".removesuffix("%")


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
    flat = [dict(_flat(group.to_dict())) for group in groups]
    cells = [[_cell(own.get(name), form) for name, form in columns.values()] for own in flat]
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

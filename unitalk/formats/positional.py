"""The files of loaders that give scores back by position: TalkNet's, and those that grew from it.

::

    clips_videos/<split>/<11 characters>/<entity_id>/*.jpg   sorted by the numbers of the names
    clips_audios/<split>/<11 characters>/<entity_id>.wav
    csv/<split>_orig.csv                                     with a header

The 11 characters are the first of the track's id. TalkNet's `evaluate_network` collects the scores
of one track after the other, in the order of the loader's csv, and sets them beside the rows of the
split's csv, the first score beside the first row. So the rows of a track must stand together and in
time order, and no row may lack its crop.
"""

from __future__ import annotations

import math
import os
import re
from typing import TYPE_CHECKING

from unitalk.layout import Layout, face_name, face_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_VIDEO_LETTERS = 11
_PATTERN = re.compile(r"[*?[]")


def video_folder(entity: str) -> str:
    """The name of the folder in which loaders look for a track."""
    return entity[:_VIDEO_LETTERS]


def track_folder(root: Path, split: str, entity: str) -> Path:
    """The folder of a track's crops."""
    return Layout(root).track(split, video_folder(entity), entity)


def wav_path(root: Path, split: str, entity: str) -> Path:
    """The wav of a track."""
    return Layout(root).audio(split, video_folder(entity), entity)


def beside(csv: Path, ending: str) -> Path:
    """The path of another table of a split, beside its csv."""
    return csv.with_name(csv.name.removesuffix("_orig.csv") + ending)


def list_crops(folder: str | Path) -> list[str]:
    """List a track's crops as a loader does: `*.jpg`, sorted by the number of the name.

    The loader stops at a name that is not a number; here such names come last. It gives the folder
    to `glob`, which finds nothing where the track's id is itself a pattern.
    """
    if _PATTERN.search(os.path.basename(folder)):
        return []
    try:
        with os.scandir(folder) as listing:
            names = [entry.name for entry in listing]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(
        (name for name in names if name.endswith(".jpg") and not name.startswith(".")), key=_number
    )


def _number(name: str) -> tuple[float, str]:
    try:
        number = float(name.removesuffix(".jpg"))
    except ValueError:
        number = math.inf
    return (number if math.isfinite(number) else math.inf), name


def by_time(names: Sequence[str]) -> list[str]:
    """Crops' names as we would have written them; the loader reads numbers of any digits."""
    seconds = map(face_seconds, names)
    return [n if s is None else face_name(s) for n, s in zip(names, seconds, strict=True)]


def misnamed(there: Sequence[str], wanted: Sequence[str], *, exact: bool) -> str | None:
    """Say how a track's crops differ from those of its rows; None if they do not.

    Args:
        there: the names that the loader finds, in its order.
        wanted: [rows] the names that we would have written.
        exact: whether the loader opens names with two decimals and no others.
    """
    if list(there) == list(wanted):
        return None
    ours = by_time(there)
    if ours == list(wanted):
        odd = next(name for name, want in zip(there, wanted, strict=True) if name != want)
        return f"{odd} is no name with two decimals" if exact else None
    more, less = sorted(set(ours) - set(wanted)), sorted(set(wanted) - set(ours))
    if more or less:
        return f"{less[0]} is missing" if less else f"{more[0]} has no row"
    return f"{len(there):,} crops for {len(wanted):,} rows"

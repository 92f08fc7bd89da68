"""Keeps the list of the videos that could not be completed, for the next run."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from unitalk.catalog import video_list
from unitalk.errors import DataError, UsageError
from unitalk.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FILE = "failed.txt"
"""Its name, in the dataset's folder."""


def update(root: Path, *, asked: Iterable[str], failed: Iterable[str]) -> Path | None:
    """Renew the list: what was asked for leaves it, what failed comes in.

    Args:
        root: the dataset's folder.
        asked: the ids that this run dealt with.
        failed: those of them that could not be completed.

    Returns:
        The list's path, or None when there is nothing on it; then there is no file either.
    """
    place = root / FILE
    before: tuple[str, ...] = ()
    if place.is_file():
        with contextlib.suppress(DataError, UsageError):  # empty or overwritten: start a new list
            before = video_list.read_list(place)
    done = set(asked)
    ids = dict.fromkeys([*(name for name in before if name not in done), *failed])
    if not ids:
        place.unlink(missing_ok=True)
        return None
    with atomic_write(place) as file:
        file.write("# videos that could not be completed\n")
        file.writelines(f"{name}\n" for name in ids)
    return place

"""Count the files of a split by listing its folders."""

from __future__ import annotations

import os
import zlib
from functools import partial
from typing import TYPE_CHECKING

from unitalk.dataset.stats.stats_result import Media
from unitalk.threads import Threads

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.layout import Layout
    from unitalk.progress import Progress

_DEPTH = 2  # video, track, file; a link to a folder above must not be followed for ever
_LISTERS = 8  # threads; they wait for the disk
_CROPS = (".jpg", ".jpeg")
_SOUNDS = (".wav",)


def count_media(layout: Layout, split: str, progress: Progress) -> Media | None:
    """List all folders of face crops and of sounds of a split, by video or (ASC's) by track.

    Returns:
        The files; None where neither folder exists.
    """
    crops, sounds = (layout.part(part, split, "any").parent for part in ("video", "audio"))
    if not crops.is_dir() and not sounds.is_dir():
        return None
    pictures, picture_bytes = _count(crops, _CROPS, progress, exact=False)
    waves, wave_bytes = _count(sounds, _SOUNDS, progress, exact=True)
    return Media(
        split=split,
        crops=pictures,
        crop_bytes_about=picture_bytes,
        sounds=waves,
        sound_bytes=wave_bytes,
    )


def _count(
    root: Path, endings: tuple[str, ...], progress: Progress, *, exact: bool
) -> tuple[int, int]:
    """Count the files with these endings below a folder, and their bytes."""
    if not root.is_dir():
        return 0, 0
    with os.scandir(root) as listing:
        folders = sorted(entry.path for entry in listing if _is_folder(entry))
    files = size = 0
    with (
        progress.task(f"listing {root.parent.name}", total=len(folders), unit="folders") as task,
        Threads(_LISTERS, only_read=True) as pool,
    ):
        for found, bytes_ in pool.map(partial(_below, endings=endings, exact=exact), folders):
            files, size = files + found, size + bytes_
            task.advance()
    return files, size


def _below(
    folder: str, endings: tuple[str, ...], *, exact: bool, depth: int = _DEPTH
) -> tuple[int, int]:
    """The files below one folder and their bytes, which are estimated folder by folder if asked."""
    own: list[os.DirEntry[str]] = []
    files = size = 0
    with os.scandir(folder) as listing:
        for entry in listing:
            if entry.name.lower().endswith(endings) and not entry.name.startswith("."):
                own.append(entry)
            elif depth > 1 and _is_folder(entry):
                found, bytes_ = _below(entry.path, endings, exact=exact, depth=depth - 1)
                files, size = files + found, size + bytes_
    if exact:
        size += sum(entry.stat().st_size for entry in own)
    elif own:
        # By the folder's name: the same place in each could be the same time of each.
        one = own[zlib.crc32(os.fsencode(folder)) % len(own)]
        size += one.stat().st_size * len(own)
    return files + len(own), size


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.is_dir()

"""Where a video's file is: `<video_id>.<anything>`, in a folder or in those of its splits."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from unitalk.catalog.video_list import VIDEO_ENDINGS
from unitalk.errors import DataError, UsageError, examples
from unitalk.schema.id_spelling import composed, drawn

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

FOLDERS = ("trainval", "train", "val", "test")
"""The folders below the given one that are looked into, as AVA's videos are kept."""

# Endings of files beside a video that are not videos.
_BESIDE = frozenset(
    {
        *("align", "csv", "description", "json", "log", "md", "tsv", "txt", "xml", "yaml", "yml"),
        *("ass", "srt", "sub", "vtt", "jpeg", "jpg", "png", "webp", "npy", "npz", "pkl"),
        *("flac", "m4a", "mp3", "opus", "wav", "gz", "tar", "zip", "md5", "sha256"),
        *("m3u8", "part", "tmp", "torrent", "ytdl"),
    }
)


def find_videos(folder: Path, wanted: Collection[str]) -> dict[str, Path]:
    """Find the files of videos, as far as there are any.

    Args:
        folder: where to look, and in its `FOLDERS`.
        wanted: ids.

    Raises:
        UsageError: there is no such folder.
        DataError: an id has two files.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", hint="give the folder with the videos")
    found: dict[str, list[Path]] = {}
    in_nfc: dict[str, list[Path]] = {}
    for path in (Path(entry.path) for entry in _entries(folder) if entry.is_file()):
        stem, dot, ending = path.name.rpartition(".")
        if not dot or ending.lower() in _BESIDE:
            continue
        if stem in wanted:
            found.setdefault(stem, []).append(path)
        elif not stem.isascii():
            in_nfc.setdefault(composed(stem), []).append(path)
    if in_nfc:
        others = {composed(video): video for video in wanted if video not in found}
        found |= {others[stem]: paths for stem, paths in in_nfc.items() if stem in others}
    chosen = {video: _usual(paths) for video, paths in found.items()}
    twice = [" and ".join(map(str, paths)) for paths in chosen.values() if len(paths) > 1]
    if twice:
        raise DataError(
            f"{len(twice):,} videos have more than one file: {examples(twice)}",
            hint="leave one of the files there, and move the others elsewhere",
        )
    return {video: paths[0] for video, paths in chosen.items()}


def near_misses(folder: Path, missing: Collection[str]) -> dict[str, str]:
    """Find what there is of almost the same name as a video that has no file, in words.

    Args:
        folder: where to look, as in `find_videos`.
        missing: ids.
    """
    found: dict[str, str] = {}
    by_looks = {_looks(video): video for video in missing}
    for entry in _entries(folder):
        stem, dot, ending = entry.name.rpartition(".")
        if dot and ending.lower() in _BESIDE:
            continue
        names = (stem, entry.name) if dot else (entry.name,)
        video = next((by_looks[name] for name in map(_looks, names) if name in by_looks), None)
        if video is None:
            continue
        if entry.is_dir():
            what = "is a folder"
        elif not entry.is_file():
            what = "is a link to nothing" if entry.is_symlink() else "is not a regular file"
        elif not dot:
            what = "has no ending such as .mp4"
        else:
            what = "differs in its letters, or in upper and lower case"
        name = entry.name if entry.name.isascii() else ascii(entry.name)[1:-1]
        found.setdefault(video, f"{name} {what}")
    return found


def _looks(name: str) -> str:
    """A name as a reader takes it in: without case, and letters that look the same made equal."""
    return drawn(name).casefold()


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """What is in a folder and in its `FOLDERS`, each by name."""
    for place in (folder, *(folder / name for name in FOLDERS)):
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(place) as listing:
            yield from sorted(listing, key=lambda entry: entry.name)


def _usual(paths: list[Path]) -> list[Path]:
    """The files with a video's ending; all, if none has one."""
    return [path for path in paths if path.suffix[1:].lower() in VIDEO_ENDINGS] or paths

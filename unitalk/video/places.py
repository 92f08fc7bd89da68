"""Where a video's file is: `<video_id>.<anything>`, in a folder or in those of its splits."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from unitalk.catalog import VIDEO_ENDINGS
from unitalk.errors import DataError, UsageError, examples

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

FOLDERS = ("trainval", "train", "val", "test")
"""The folders below the given one that are looked into, as AVA's videos are kept."""

# What stands beside a video and is none, where no name has one of the usual endings.
_BESIDE = frozenset(
    {
        *("align", "csv", "description", "json", "log", "md", "tsv", "txt", "xml", "yaml", "yml"),
        *("ass", "srt", "sub", "vtt", "jpeg", "jpg", "png", "webp", "npy", "npz", "pkl"),
        *("flac", "m4a", "mp3", "opus", "wav", "gz", "tar", "zip", "md5", "sha256"),
        *("m3u8", "part", "tmp", "torrent", "ytdl"),
    }
)


def find_videos(folder: Path, wanted: Collection[str]) -> dict[str, Path]:
    """Find the files of videos; those that are not there are not in what is returned.

    Args:
        folder: where to look, and in its `FOLDERS`.
        wanted: ids.

    Raises:
        UsageError: the folder is not there.
        DataError: there are two files for one id.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", hint="give the folder with the videos")
    found: dict[str, list[Path]] = {}
    for path in _files(folder):
        stem, dot, ending = path.name.rpartition(".")
        if dot and stem in wanted and ending.lower() not in _BESIDE:
            found.setdefault(stem, []).append(path)
    chosen = {video: _usual(paths) for video, paths in found.items()}
    twice = [" and ".join(map(str, paths)) for paths in chosen.values() if len(paths) > 1]
    if twice:
        raise DataError(
            f"{len(twice):,} videos have more than one file: {examples(twice)}",
            hint="leave one of the files there, and move the others elsewhere",
        )
    return {video: paths[0] for video, paths in chosen.items()}


def _files(folder: Path) -> Iterator[Path]:
    for place in (folder, *(folder / name for name in FOLDERS)):
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(place) as listing:
            yield from (
                Path(place, name) for name in sorted(e.name for e in listing if e.is_file())
            )


def _usual(paths: list[Path]) -> list[Path]:
    """Those with an ending that only videos have; all, if there are none."""
    return [path for path in paths if path.suffix[1:].lower() in VIDEO_ENDINGS] or paths

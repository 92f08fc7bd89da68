"""List a folder of a dataset: no file is looked at by itself.

One `os.scandir` of a folder gives its names and which of them are folders; only links need a stat.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from unitalk.layout import face_name, face_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LITTER = frozenset({".DS_Store", "__MACOSX", ".localized", ".Spotlight-V100", ".Trashes"})


@dataclass(frozen=True, slots=True)
class Listing:
    """The names in a folder.

    Attributes:
        files: of files.
        folders: of folders.
        others: of what is neither, such as links that lead nowhere.
    """

    files: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)

    def reason(self, name: str) -> str | None:
        """Why a name is not the file that it should be."""
        if name in self.others:
            return "is a link that leads nowhere"
        return "is a folder" if name in self.folders else None


def listing(folder: Path) -> Listing | None:
    """List a folder once; None when there is none.

    Raises:
        OSError: it cannot be listed.
    """
    try:
        with os.scandir(folder) as listed:
            entries = list(listed)
    except (FileNotFoundError, NotADirectoryError):
        return None
    files = {entry.name for entry in entries if entry.is_file()}
    if len(files) == len(entries):
        return Listing(files)
    folders = {entry.name for entry in entries if entry.is_dir()}
    return Listing(files, folders, {entry.name for entry in entries} - files - folders)


def is_litter(name: str) -> bool:
    """Whether macOS leaves things of this name."""
    return name in _LITTER or name.startswith("._")


class Crops(NamedTuple):
    """The files of a track's folder by the names that we would have written for their times.

    Attributes:
        own: our name -> the file's own; of two files of one time, the one with our name.
        doubles: the second file of a time -> our name.
        foreign: files whose names are not times.
    """

    own: dict[str, str]
    doubles: dict[str, str]
    foreign: set[str]


def by_time(files: Iterable[str]) -> Crops:
    """Sort the names of a track's files."""
    found = Crops({}, {}, set())
    # Our own spelling comes first, so that the other one is the second.
    for name in sorted(files, key=lambda name: (not _is_ours(name), len(name), name)):
        seconds = face_seconds(name)
        if seconds is None:
            found.foreign.add(name)
        elif (face := face_name(seconds)) in found.own:
            found.doubles[name] = face
        else:
            found.own[face] = name
    return found


def _is_ours(name: str) -> bool:
    seconds = face_seconds(name)
    return seconds is not None and name == face_name(seconds)

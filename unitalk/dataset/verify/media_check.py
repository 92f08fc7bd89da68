"""Compare the folder of a track with its rows, from a listing: no file is looked at by itself.

One `os.scandir` of a folder gives its names and which of them are folders; only links need a stat.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from unitalk.dataset.verify.verify_report import Finding, relative
from unitalk.layout import face_name, face_seconds, spellings

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence
    from pathlib import Path

    from unitalk.layout import Part

_LITTER = frozenset({".DS_Store", "__MACOSX", ".localized", ".Spotlight-V100", ".Trashes"})


@dataclass(frozen=True, slots=True)
class Listing:
    """What one folder has.

    Attributes:
        files: names of files.
        folders: names of folders.
        others: names of what is neither, such as links that lead nowhere.
    """

    files: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)

    def reason(self, name: str) -> str | None:
        """Why a name is not the file that it should be."""
        if name in self.others:
            return "is a link that leads nowhere"
        return "is a folder" if name in self.folders else None


class Place(NamedTuple):
    """What findings about one folder say of where it is."""

    root: Path
    split: str | None = None
    video: str | None = None
    entity: str | None = None

    def finding(
        self,
        kind: str,
        path: Path,
        *,
        faces: int | None = None,
        detail: str | None = None,
        part: Part | None = None,
    ) -> Finding:
        """One finding about a file or a folder; its time is in its name."""
        return Finding(
            kind=kind,
            split=self.split,
            video_id=self.video,
            entity_id=self.entity,
            seconds=face_seconds(path.name),
            faces=faces,
            path=relative(self.root, path),
            detail=detail,
            part=part,
        )

    def listed(
        self,
        folder: Path,
        findings: list[Finding],
        *,
        missing: str,
        faces: int,
        part: Part | None = None,
    ) -> Listing | None:
        """List a folder; a missing one, or one that cannot be listed, is added to the findings.

        Args:
            folder: the folder.
            findings: what was found so far.
            missing: the kind of finding when it is missing.
            faces: how many faces are missing with it.
            part: the part of the video to fetch again.
        """
        try:
            there = listing(folder)
        except OSError as error:
            findings.append(self.finding("folder-unreadable", folder, detail=error.strerror))
            return None
        if there is None:
            findings.append(self.finding(missing, folder, faces=faces, part=part))
        return there

    def strays(self, folder: Path, names: Iterable[str]) -> list[Finding]:
        """A finding for each thing that is no part of a dataset."""
        return [
            self.finding("macos-litter" if is_litter(name) else "stray-file", folder / name)
            for name in sorted(names)
        ]


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


def spelled(names: Container[str], entity: str, suffix: str, others: Container[str]) -> str | None:
    """Find a track among names, as `layout.find_entity` finds it in a folder."""
    for name in spellings(entity):
        if name + suffix in names and (name == entity or name not in others):
            return name + suffix
    return None


@dataclass(frozen=True, slots=True)
class FoundTrack:
    """What a track's folder has of its faces.

    Attributes:
        findings: what is wrong.
        names: [faces] each face's own file name; None where it is missing.
        renamed: how many files are found only by their time.
    """

    findings: list[Finding]
    names: list[str | None]
    renamed: int = 0


def check_track(
    place: Place,
    folder: Path,
    ours: Sequence[str],
    opened: Sequence[str] | None = None,
    *,
    extra: bool = True,
) -> FoundTrack:
    """Compare a track's folder with its faces.

    Args:
        place: where it is.
        folder: the track's.
        ours: [faces] the names that we would have written; faces are found by their time.
        opened: [faces] the only names that the loader opens, where it does not go by time.
        extra: whether files without a row are findings.
    """
    findings: list[Finding] = []
    there = place.listed(folder, findings, missing="missing-track", faces=len(ours))
    if there is None:
        return FoundTrack(findings, [None] * len(ours))
    exact = ours if opened is None else opened
    if not there.folders and not there.others and there.files == set(exact):
        return FoundTrack([], list(exact))
    own, doubles, foreign = _by_time(there.files)
    names = [own.get(name) for name in ours]
    pairs = list(zip(exact, names, strict=True))
    findings = place.strays(folder, foreign | ((there.folders | there.others) - set(exact)))
    if any(names):
        findings += [
            place.finding("missing-jpg", folder / want, detail=there.reason(want))
            for want, name in pairs
            if name is None
        ]
    else:
        detail = "its folder is there, without one of its crops"
        findings.append(place.finding("missing-track", folder, faces=len(ours), detail=detail))
    wanted = set(ours)
    findings += [
        place.finding("double-jpg", folder / name, detail=f"{own[face]} is there too")
        for name, face in sorted(doubles.items())
        if face in wanted
    ]
    if extra:
        more = [name for face, name in own.items() if face not in wanted]
        more += [name for name, face in doubles.items() if face not in wanted]
        findings += [place.finding("extra-jpg", folder / name) for name in sorted(more)]
    renamed = [(want, name) for want, name in pairs if name is not None and name != want]
    if opened is not None and renamed:
        want, name = renamed[0]
        detail = f"the csv says {want.removesuffix('.jpg')}, the file is {name}"
        findings.append(
            place.finding("asc-time-text", folder / want, faces=len(renamed), detail=detail)
        )
    return FoundTrack(findings, names, len(renamed))


def _by_time(files: set[str]) -> tuple[dict[str, str], dict[str, str], set[str]]:
    """Sort names of files: our name -> own name; second ones -> our name; and other files."""
    own: dict[str, str] = {}
    doubles: dict[str, str] = {}
    foreign: set[str] = set()
    # Our own spelling comes first, so that the other one is the second.
    for name in sorted(files, key=lambda name: (len(name), name)):
        seconds = face_seconds(name)
        face = None if seconds is None else face_name(seconds)
        if face is None:
            foreign.add(name)
        elif (face in files and name != face) or face in own:
            doubles[name] = face
        else:
            own[face] = name
    return own, doubles, foreign

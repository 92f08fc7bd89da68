"""The files of a split against its rows, from listings of folders: no file is looked at by itself.

One `os.scandir` a folder says which names it has and which of them are folders; only for a link is
a file itself asked.
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
        seconds = face_seconds(path.name)
        return Finding(
            kind=kind,
            split=self.split,
            video_id=self.video,
            entity_id=self.entity,
            seconds=seconds,
            faces=faces,
            path=relative(self.root, path),
            detail=detail,
            part=part,
        )


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


def strays(place: Place, folder: Path, names: Iterable[str]) -> list[Finding]:
    """A finding for each thing that is no part of a dataset."""
    return [
        place.finding("macos-litter" if is_litter(name) else "stray-file", folder / name)
        for name in sorted(names)
    ]


def spelled(names: Container[str], entity: str, suffix: str, others: Container[str]) -> str | None:
    """Which of the names a folder has is a track's: as `layout.find_entity` looks, in a listing."""
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
    """Hold a track's folder against its faces.

    Args:
        place: where it is.
        folder: the track's.
        ours: [faces] the names that we would have written; faces are found by their time.
        opened: [faces] the names that a loader opens and no others, if it is such a one.
        extra: whether files without a row are findings.
    """
    try:
        there = listing(folder)
    except OSError as error:
        detail = error.strerror
        return FoundTrack(
            [place.finding("folder-unreadable", folder, detail=detail)], [None] * len(ours)
        )
    if there is None:
        return FoundTrack(
            [place.finding("missing-track", folder, faces=len(ours))], [None] * len(ours)
        )
    exact = ours if opened is None else opened
    if not there.folders and not there.others and there.files == set(exact):
        return FoundTrack([], list(exact))
    own, doubles, foreign = _by_time(there.files)
    names = [own.get(name) for name in ours]
    findings = strays(place, folder, foreign | ((there.folders | there.others) - set(exact)))
    if not any(names):
        detail = "its folder is there, without one of its crops"
        findings.append(place.finding("missing-track", folder, faces=len(ours), detail=detail))
    else:
        findings += [
            place.finding("missing-jpg", folder / want, detail=_why(want, there))
            for want, name in zip(exact, names, strict=True)
            if name is None
        ]
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
    if opened is not None:
        findings += _texts(place, folder, opened, names)
    renamed = sum(
        name is not None and name != want for name, want in zip(names, exact, strict=True)
    )
    return FoundTrack(findings, names, renamed)


def _by_time(files: set[str]) -> tuple[dict[str, str], dict[str, str], set[str]]:
    """Sort names of files into faces, as our name -> own name; second ones; and no faces."""
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


def _why(name: str, there: Listing) -> str | None:
    if name in there.others:
        return "is a link that leads nowhere"
    return "is a folder" if name in there.folders else None


def _texts(
    place: Place, folder: Path, opened: Sequence[str], names: Sequence[str | None]
) -> list[Finding]:
    """One finding for the faces of a track that are there under a name that is not opened."""
    wrong = [
        (want, name)
        for want, name in zip(opened, names, strict=True)
        if name is not None and name != want
    ]
    if not wrong:
        return []
    want, name = wrong[0]
    detail = f"the csv says {want.removesuffix('.jpg')}, the file is {name}"
    return [place.finding("asc-time-text", folder / want, faces=len(wrong), detail=detail)]

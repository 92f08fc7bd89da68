"""A track's files out of the archives of its video, as the hub has them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from unitalk.errors import LayoutError
from unitalk.files import made_by
from unitalk.files.zip_members import Archive, stamp
from unitalk.layout import ARCHIVES, check_id, face_name, face_seconds, hub_path
from unitalk.media.tracks.media_files import Crops, Sound, missing_faces

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from unitalk.files.zip_directory import Member
    from unitalk.files.zip_members import Stamp
    from unitalk.layout import Part
    from unitalk.media.tracks.media_files import Key

# Where a download keeps archives, in the dataset's folder; and where a copy of the hub has them.
_PLACES = (ARCHIVES, ".")
_REMEMBERED = 1024  # archives; UniTalk has 234


class Archives:
    """Media in archives, one per video for the crops and one for the sounds.

    An archive's directory is read when something of it is first read, once in each process.

    Args:
        root: the dataset.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[Path, Archive] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Archives) and self._root == other._root

    def __hash__(self) -> int:
        return hash(self._root)

    def __reduce__(self) -> tuple[Any, ...]:
        return Archives, (self._root,)

    def find(self, part: Part, split: str, video_id: str) -> Path | None:
        """Where a video's archive is, or None."""
        path = hub_path(part, split, check_id(video_id))
        there = (self._root / place / path for place in _PLACES)
        return next((archive for archive in there if archive.is_file()), None)

    def faces(self, key: Key, names: Sequence[str]) -> Crops:
        """See `Media.faces`."""
        archive = self._open("video", key)
        hint = self._hint(key)
        folder = _spelling(archive, key, "", hint)
        own: list[str] = []

        def choose(members: Sequence[Member]) -> list[Member]:
            chosen = _by_time(archive, folder, members, names, hint)
            own.extend(member.name for member in chosen)
            return chosen

        data = archive.read(folder, choose)
        return Crops(data, lambda place: f"{archive.path}: {own[place]}", hint)

    def sound(self, key: Key) -> Sound:
        """See `Media.sound`."""
        archive = self._open("audio", key)
        hint = self._hint(key)
        name = _spelling(archive, key, ".wav", hint)
        (data,) = archive.read(name, lambda members: _file(archive, name, members, hint))
        return Sound(data, f"{archive.path}: {name}", hint, hint)

    def known_by(self, part: Part, key: Key) -> object:
        """See `Media.known_by`; of the video's archive."""
        path = self.find(part, key.split, key.video_id)
        return None if path is None else stamp(path)[2:]

    def _hint(self, key: Key) -> str:
        """How to repair an archive that is missing or damaged."""
        if made_by(self._root) != "download":
            return "copy this video's archives again from where the dataset was published"
        selection = f"Selection(videos=({key.video_id!r},), archives_only=True, refetch=True)"
        return f"run `plan_download(HUB, {str(self._root)!r}, selection={selection})`"

    def _open(self, part: Part, key: Key) -> Archive:
        path = self.find(part, key.split, key.video_id)
        if path is None:
            wanted = self._root / _PLACES[0] / hub_path(part, key.split, key.video_id)
            raise LayoutError(
                f"{wanted}: this archive is missing",
                hint=self._hint(key),
            )
        if path not in self._known:  # two threads may both look at it, and find the same
            self._known[path] = _archive(path, key.video_id, stamp(path))
        return self._known[path]


@lru_cache(maxsize=_REMEMBERED)
def _archive(path: Path, top: str, _: Stamp) -> Archive:
    """An archive, opened once in a process, although each track that arrives there is a new one.

    A file that was replaced has another stamp, and is opened again.
    """
    return Archive(path, top=top)


def _spelling(archive: Archive, key: Key, suffix: str, hint: str) -> str:
    """The name that a track has at the top of an archive."""
    other = key.entity_id.replace(":", "_")
    spellings = (key.entity_id, other) if other not in key.taken else (key.entity_id,)
    for spelling in spellings:
        if spelling + suffix in archive:
            return spelling + suffix
    raise LayoutError(f"{archive.path}: {key.entity_id}{suffix} is missing in it", hint=hint)


def _by_time(
    archive: Archive, folder: str, members: Sequence[Member], names: Sequence[str], hint: str
) -> list[Member]:
    """The faces of some names, found by their time."""
    exact = {member.inner: member for member in members}
    found = [exact.get(f"{folder}/{name}") for name in names]
    if None in found:
        timed = {
            face_name(seconds): member
            for member in members
            if (seconds := face_seconds(member.inner.rpartition("/")[2])) is not None
        }
        found = [member or timed.get(name) for member, name in zip(found, names, strict=True)]
        missing = [
            f"{archive.path}: {folder}/{name}"
            for member, name in zip(found, names, strict=True)
            if member is None
        ]
        if missing:
            raise missing_faces(missing, hint)
    return [member for member in found if member is not None]


def _file(archive: Archive, name: str, members: Sequence[Member], hint: str) -> Sequence[Member]:
    """The one member that is a file of this name."""
    if [member.inner for member in members] != [name]:
        raise LayoutError(f"{archive.path}: {name} is a folder in it, and no sound", hint=hint)
    return members

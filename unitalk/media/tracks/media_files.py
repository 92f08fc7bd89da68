"""Where a track's files are: in folders, or in archives."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, get_args

from unitalk.errors import DataError, LayoutError, UnitalkError, examples
from unitalk.files import unreadable
from unitalk.layout import Layout, check_id, faces, find_entity
from unitalk.media import wavs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from unitalk.layout import Part

Source = Literal["auto", "folders", "archives"]
SOURCES: tuple[Source, ...] = get_args(Source)
"""Where tracks are read from; `auto` takes a video's folder where there is one."""

_BLOCK = 1 << 18  # more than any crop has


class Key(NamedTuple):
    """Which track.

    Attributes:
        split: its split.
        video_id: its video.
        entity_id: its own id.
        taken: the id with `_` for `:` when another track has it, so that its files are not these.
    """

    split: str
    video_id: str
    entity_id: str
    taken: tuple[str, ...] = ()


class Crops(NamedTuple):
    """A track's face crops as they are in their files.

    Attributes:
        data: the bytes of each.
        where: says where the n-th one is.
        hint: how to repair a damaged one.
    """

    data: list[bytes]
    where: Callable[[int], str]
    hint: str


class Sound(NamedTuple):
    """A track's sound as it is in its file.

    Attributes:
        data: its bytes.
        where: its file.
        hint: how to repair it when it is damaged.
        convert: how to convert it when it has another form.
    """

    data: bytes
    where: str
    hint: str
    convert: str


class Media(Protocol):
    """Reads a track's files, as they are."""

    def faces(self, key: Key, names: Sequence[str]) -> Crops:
        """Read face crops.

        Args:
            key: the track.
            names: the crops' names as `layout.face_name` makes them.

        Raises:
            LayoutError: one is missing.
            DataError: one cannot be read.
            DiskError: the disk refused one.
        """
        ...

    def sound(self, key: Key) -> Sound:
        """Read a track's sound.

        Raises:
            LayoutError: it is missing.
            DataError: it cannot be read.
            DiskError: the disk refused it.
        """
        ...

    def known_by(self, part: Part, key: Key) -> object:
        """The names, sizes and times of change of a track's crops or its sound; reads no file.

        None where they are missing or cannot be listed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Folders:
    """Media that are unpacked in a dataset's folders."""

    root: Path

    def faces(self, key: Key, names: Sequence[str]) -> Crops:
        """See `Media.faces`."""
        layout = Layout(self.root)
        videos = layout.part("video", key.split, key.video_id)
        folder = find_entity(videos, key.entity_id, others=key.taken)
        if folder is None:
            raise LayoutError(
                f"{videos / check_id(key.entity_id)}: the folder of this track's face crops is "
                "missing",
                hint=self._hint,
            )
        own: Sequence[str] = names
        try:
            data = _read_all(folder, own, self._hint)
        except FileNotFoundError:  # another spelling of the times, or a crop is missing
            own = self._spelled(folder, names)
            data = _read_all(folder, own, self._hint)
        return Crops(data, lambda place: str(folder / own[place]), self._hint)

    def sound(self, key: Key) -> Sound:
        """See `Media.sound`."""
        videos = Layout(self.root).part("audio", key.split, key.video_id)
        path = find_entity(videos, key.entity_id, ".wav", others=key.taken)
        if path is None:
            raise LayoutError(
                f"{videos / check_id(key.entity_id)}.wav: the sound of this track is missing",
                hint=self._hint,
            )
        try:
            data = path.read_bytes()
        except OSError as error:
            error.filename = str(path)
            raise _unreadable(error, self._hint) from error
        return Sound(data, str(path), self._hint, f"run `{wavs.converting(path, self.root)}`")

    @property
    def _hint(self) -> str:
        call = f"verify_dataset({str(self.root)!r}, deep=True)"
        return f"run `{call}`: it lists what is wrong and how to set it right"

    def known_by(self, part: Part, key: Key) -> object:
        """See `Media.known_by`."""
        suffix = "" if part == "video" else ".wav"
        videos = Layout(self.root).part(part, key.split, key.video_id)
        path = find_entity(videos, key.entity_id, suffix, others=key.taken)
        if path is None:
            return None
        try:
            if suffix:
                return _known_by(path.stat())
            with os.scandir(path) as listing:
                return sorted((entry.name, *_known_by(entry.stat())) for entry in listing)
        except OSError:  # such as a link to nothing; reading it says what is wrong
            return None

    def _spelled(self, folder: Path, names: Sequence[str]) -> list[str]:
        """The crops' own names."""
        there = faces(folder)
        missing = [str(folder / name) for name in names if name not in there]
        if missing:
            raise missing_faces(missing, self._hint)
        return [there[name] for name in names]


def _known_by(about: os.stat_result) -> tuple[int, int]:
    return about.st_size, about.st_mtime_ns


def missing_faces(paths: Sequence[str], hint: str) -> LayoutError:
    """The error that says which face crops of a track are missing."""
    count = f"{len(paths):,} face crops are" if len(paths) > 1 else "a face crop is"
    return LayoutError(f"{count} missing: {examples(paths)}", hint=hint)


def _read_all(folder: Path, names: Sequence[str], hint: str) -> list[bytes]:
    """Read files of one folder; each is opened by its name in a folder that stays open."""
    opened, name = -1, ""
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        data = []
        for name in names:
            file = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=opened)
            try:
                content = os.read(file, _BLOCK)
                if len(content) == _BLOCK:
                    content += _rest(file)
            finally:
                os.close(file)
            data.append(content)
    except FileNotFoundError:
        raise
    except OSError as error:
        error.filename = str(folder / name)  # opened by its name in a folder, it has no other
        raise _unreadable(error, hint) from error
    finally:
        if opened >= 0:
            os.close(opened)
    return data


def _unreadable(error: OSError, hint: str) -> UnitalkError:
    """The error of a file that exists: the disk refuses it, or it is not a file."""
    return unreadable(error) or DataError(f"{error.filename}: {error.strerror}", hint=hint)


def _rest(file: int) -> bytes:
    pieces = []
    while piece := os.read(file, _BLOCK):
        pieces.append(piece)
    return b"".join(pieces)

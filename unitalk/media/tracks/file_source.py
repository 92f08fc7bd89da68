"""Choose between a dataset's unpacked media and its archives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitalk.layout import Layout
from unitalk.media.tracks.media_files import Folders
from unitalk.media.tracks.packed_files import Archives

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from unitalk.layout import Part
    from unitalk.media.tracks.media_files import Crops, Key, Media, Sound, Source


def open_media(root: Path, source: Source) -> Media:
    """The reader of a dataset's face crops and sounds; it has not opened anything yet."""
    if source == "folders":
        return Folders(root)
    archives = Archives(root)
    return archives if source == "archives" else _Either(Folders(root), archives)


@dataclass(frozen=True, slots=True)
class _Either:
    """Each video's media from its folder where there is one, else from its archive."""

    folders: Folders
    archives: Archives

    def faces(self, key: Key, names: Sequence[str]) -> Crops:
        """See `Media.faces`."""
        return self._of("video", key).faces(key, names)

    def sound(self, key: Key) -> Sound:
        """See `Media.sound`."""
        return self._of("audio", key).sound(key)

    def known_by(self, part: Part, key: Key) -> object:
        """See `Media.known_by`."""
        return self._of(part, key).known_by(part, key)

    def _of(self, part: Part, key: Key) -> Media:
        folder = Layout(self.folders.root).part(part, key.split, key.video_id)
        packed = not folder.is_dir() and self.archives.find(part, key.split, key.video_id)
        return self.archives if packed else self.folders

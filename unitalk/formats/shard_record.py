"""What the forms of a shard share: a track's record, and what is said of a form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterable

    from unitalk.choices import FormName
    from unitalk.media.tracks import Track


class Record(NamedTuple):
    """One track with what its files hold.

    Attributes:
        number: its place among the exported tracks of its split, from 0.
        track: its ids, times, labels and boxes.
        jpgs: its face crops as they are in their files, in the order of the times.
        wav: its sound as it is in its file.
    """

    number: int
    track: Track
    jpgs: list[bytes]
    wav: bytes

    @property
    def size(self) -> int:
        """The bytes of its files."""
        return sum(map(len, self.jpgs)) + len(self.wav)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form of a shard.

    Attributes:
        name: as the command line calls it.
        version: changes whenever the same tracks would give other bytes.
        folder: where shards are below the destination; empty for right there.
        suffix: of a shard's name, with its dot.
        write: writes one shard, of records that may be read only once, into a file that can only
            be written on; the same records give the same bytes.
    """

    name: FormName
    version: int
    folder: str
    suffix: str
    write: Callable[[io.RawIOBase, Iterable[Record]], None]

    def shard_name(self, split: str, number: int) -> str:
        """The path of a shard below the destination."""
        return f"{self.folder}{'/' if self.folder else ''}{split}-{number:06}{self.suffix}"

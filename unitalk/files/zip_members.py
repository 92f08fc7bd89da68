"""Read some members of a zip archive, in any order, without unpacking it onto the disk.

Of an archive only the places of its members' records and headers are kept, 16 bytes per member, so
that the archives of a whole dataset fit into memory. Its file is open only during a read.
"""

from __future__ import annotations

import contextlib
import os
from array import array
from itertools import pairwise
from typing import TYPE_CHECKING

from unitalk.errors import ArchiveError
from unitalk.files.atomic import disk_error
from unitalk.files.zip_content import content
from unitalk.files.zip_directory import BadArchiveError, Directory, Member

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_GAP = 1 << 16  # bytes that are read for nothing rather than asking once more
_RUN = 1 << 23  # bytes that are read at a time, but for one larger member
_LONGEST_EXTRA = 0xFFFF

Stamp = tuple[int, int, int, int]


class Archive:
    """An archive of one video, looked at as a whole before anything of it is read.

    Can be used by several threads at a time.

    Args:
        path: a zip file.
        top: a folder's name that members may begin with, which is left out.

    Raises:
        ArchiveError: it cannot be read, or `unzip` would refuse it.
    """

    def __init__(self, path: Path, *, top: str) -> None:
        self.path = path
        self._top = top
        self._groups: dict[str, array[int]] = {}
        with self._opened() as file:
            self._stamp = stamp(file)
            self._contents = Directory(file, top=top).look(self._note)

    def __contains__(self, name: str) -> bool:
        """Whether there is a folder or a file of this name at the top."""
        return name in self._groups

    def read(
        self, name: str, choose: Callable[[Sequence[Member]], Sequence[Member]]
    ) -> list[bytes]:
        """Read members of a folder at the top, or one file at the top.

        What lies side by side is read at once.

        Args:
            name: of the folder or the file.
            choose: picks those to read of all that it has, and may raise.

        Returns:
            Their contents, in the order in which they were chosen.

        Raises:
            ArchiveError: the archive cannot be read or was changed, or a member is not what the
                directory says.
        """
        with self._opened() as file:
            if stamp(file) != self._stamp:
                raise self._damaged("it was changed after it had been looked at")
            directory = Directory(file, top=self._top)
            chosen = choose(list(directory.at(self._groups[name])))
            contents: dict[int, bytes] = {}
            for run in self._runs(sorted({member.header: member for member in chosen}.items())):
                contents |= self._read_run(file, run)
        return [contents[member.header] for member in chosen]

    def _note(self, place: int, member: Member) -> None:
        group = member.inner.partition("/")[0]
        self._groups.setdefault(group, array("Q")).append(place)

    def _end(self, member: Member) -> int:
        """Where at the latest its content ends; what is extra in its own header is not known."""
        longest = member.header + member.header_length + _LONGEST_EXTRA + member.packed
        return min(self._contents.limit(member.header), longest)

    def _runs(self, members: Sequence[tuple[int, Member]]) -> Iterator[list[Member]]:
        """Bring together what lies side by side; members are in the order of the file."""
        run = [member for _, member in members[:1]]
        for (_, before), (start, member) in pairwise(members):
            if start - self._end(before) > _GAP or self._end(member) - run[0].header > _RUN:
                yield run
                run = []
            run.append(member)
        if run:
            yield run

    def _read_run(self, file: int, run: Sequence[Member]) -> dict[int, bytes]:
        first = run[0].header
        block = memoryview(os.pread(file, self._end(run[-1]) - first, first))
        return {member.header: self._content(block, first, member) for member in run}

    def _content(self, block: memoryview, first: int, member: Member) -> bytes:
        """One member's content out of a block of the archive.

        Raises:
            BadArchiveError: it is not what the directory says.
        """
        start = self._contents.content_start(member, block[member.header - first :])
        packed = block[start - first : start - first + member.packed]
        if len(packed) < member.packed:
            raise BadArchiveError(f"it ends within member {member.name!r}")
        return b"".join(content(member, [packed]))

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        """Open the file for a moment; what is wrong with it is said with its name.

        Raises:
            ArchiveError: something is wrong with it.
            DiskError: the disk refused it.
        """
        file = -1
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            yield file
        except BadArchiveError as error:
            raise self._damaged(str(error)) from error
        except OSError as error:
            raise disk_error(error, self.path) or self._damaged(
                error.strerror or str(error)
            ) from error
        finally:
            if file >= 0:
                os.close(file)

    def _damaged(self, reason: str) -> ArchiveError:
        return ArchiveError(
            f"{self.path}: cannot be read: {reason}",
            hint="fetch it again; when that does not help, the published archive is at fault",
        )


def stamp(file: int | Path) -> Stamp:
    """What identifies a file: an open one, or a path."""
    about = os.stat(file)
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns

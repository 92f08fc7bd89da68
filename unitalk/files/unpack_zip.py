"""Unpack a video's zip archive without trusting what it says."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING, Self

from unitalk.errors import ArchiveError
from unitalk.files.atomic import free_bytes
from unitalk.files.zip_content import BLOCK, content
from unitalk.files.zip_directory import BadArchiveError, Contents, Directory, Member
from unitalk.progress import size as human_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# A directory that points before the file's begin; a name longer than a name can be.
_OF_THE_ARCHIVE = {errno.EINVAL, errno.ENAMETOOLONG}


def unzip(
    archive: Path,
    destination: Path,
    *,
    top: str,
    wanted: Callable[[str], bool] | None = None,
    on_member: Callable[[], object] | None = None,
) -> int:
    """Unpack an archive into a folder.

    Members may begin with `<top>/` or not; the files that macOS adds to archives are skipped. The
    whole directory is checked before a byte is written; then each member's size and checksum are
    compared with it. Memory does not depend on the archive, but for the members' names.

    Args:
        archive: a zip file.
        destination: the folder to fill; made when absent.
        top: a folder's name that members may begin with, such as the video's id; it is left out.
        wanted: tells by its path whether a member is written; default: all are.
        on_member: called before each member, and before each block of a large one; what it raises
            ends the work.

    Returns:
        How many bytes were written.

    Raises:
        ArchiveError: it cannot be read, holds no file, or holds what climbs out, a link, a device,
            the same name twice, members that overlap, that are encrypted or not as large as they
            say, or far more than an archive of crops and sounds can hold.
        OSError: the disk is full, or does not take the files.
    """
    check = on_member or (lambda: None)
    try:
        with archive.open("rb", buffering=0) as opened:
            directory = Directory(opened.fileno(), top=top)
            contents, size = directory.look(), 0
            if wanted is None:
                _check_room(contents.size, destination)
            destination.mkdir(parents=True, exist_ok=True)
            with _Writer(opened.fileno(), contents, destination, check) as writer:
                for member in directory.files():
                    if wanted is None or wanted(member.inner):
                        check()
                        writer.write(member)
                        size += member.size
    except BadArchiveError as error:
        raise _damaged(archive, str(error)) from error
    except OSError as error:
        if error.errno in _OF_THE_ARCHIVE:
            raise _damaged(archive, str(error)) from error
        raise
    return size


class _Writer:
    """Writes members of an open archive; keeps the last block read and the last folder open.

    Each system call lets other threads go first, so there are few: crops are cut from blocks of the
    archive and opened by name in a folder that stays open.
    """

    def __init__(
        self, archive: int, contents: Contents, destination: Path, check: Callable[[], object]
    ) -> None:
        self._archive = archive
        self._contents = contents
        self._destination = destination
        self._check = check
        self._block, self._block_start = memoryview(b""), 0
        self._folder, self._folder_name = -1, ""

    def __enter__(self) -> Self:
        self._folder = os.open(self._destination, os.O_RDONLY | os.O_DIRECTORY)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._folder)

    def write(self, member: Member) -> None:
        """Write one member as a file of its own."""
        header = self._read(member.header, member.header_length)
        start = self._contents.content_start(member, header)
        folder, _, name = member.inner.rpartition("/")
        with _named(member):
            if folder != self._folder_name:
                self._enter(folder)
            file = os.open(name, _NEW_FILE, 0o666, dir_fd=self._folder)
        try:
            left = member.size
            for piece in content(member, self._pieces(start, member.packed)):
                _write_all(file, piece)
                left -= len(piece)
                if left > 0:  # a large one
                    self._check()
        finally:
            os.close(file)

    def _enter(self, folder: str) -> None:
        """Open another folder of the destination, made when absent."""
        place = self._destination / folder
        with contextlib.suppress(FileExistsError):
            place.mkdir(parents=True)
        opened = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        os.close(self._folder)
        self._folder, self._folder_name = opened, folder

    def _pieces(self, start: int, length: int) -> Iterator[memoryview]:
        end = start + length
        while start < end:
            piece = self._read(start, min(end - start, BLOCK))
            if not piece:
                raise BadArchiveError(f"it ends at byte {start:,}")
            yield piece
            start += len(piece)

    def _read(self, start: int, length: int) -> memoryview:
        """Up to `length` bytes from a place on; a block is read ahead."""
        place = start - self._block_start
        if not 0 <= place <= len(self._block) - length:
            self._block = memoryview(os.pread(self._archive, max(length, BLOCK), start))
            self._block_start, place = start, 0
        return self._block[place : place + length]


def _write_all(file: int, piece: bytes | memoryview) -> None:
    written = os.write(file, piece)
    while written < len(piece):  # a disk that is nearly full takes a part
        written += os.write(file, memoryview(piece)[written:])


@contextlib.contextmanager
def _named(member: Member) -> Iterator[None]:
    """Name the member whose name the disk does not take."""
    try:
        yield
    except FileExistsError:
        raise BadArchiveError(f"member {member.name!r} is there twice") from None
    except OSError as error:
        if error.errno in _OF_THE_ARCHIVE:
            raise BadArchiveError(f"member {member.name!r}: {error.strerror}") from error
        raise


def _check_room(needed: int, destination: Path) -> None:
    free = free_bytes(destination)
    if needed > free:
        raise OSError(
            errno.ENOSPC,
            f"{human_size(needed)} to unpack and {human_size(free)} free",
            str(destination),
        )


def _damaged(archive: Path, reason: str) -> ArchiveError:
    return ArchiveError(
        f"{archive}: not unpacked: {reason}",
        hint="fetch it again; when that does not help, the published archive is at fault",
    )

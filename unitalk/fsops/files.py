"""One file: it appears whole or not at all, and what a disk refuses becomes a sentence."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from unitalk.errors import DiskError, UnitalkError

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_ROOM = "make room, then run the command again; nothing half-made was left"
_NO_WAY = "give another place, or change the permissions"
# What a disk may refuse without anybody's mistake in this program, and what to do then.
_DISK_REFUSES = {
    errno.ENOSPC: _NO_ROOM,
    errno.EDQUOT: _NO_ROOM,
    errno.EFBIG: _NO_ROOM,
    errno.EROFS: _NO_WAY,
    errno.EACCES: _NO_WAY,
    errno.EPERM: _NO_WAY,
    errno.EISDIR: "give the name of a file",
    errno.ENAMETOOLONG: "give a shorter name",
    errno.EIO: "the disk reports a fault: look at the system's log",
    errno.ESTALE: "the network disk has lost the file: run the command again",
    errno.ENOTDIR: "a part of the path is not a folder",
    errno.ELOOP: "a link in the path leads in a circle",
}


@contextlib.contextmanager
def disk_errors(path: str | Path) -> Iterator[None]:
    """Turn what a disk refuses into a sentence; what can only be our own fault stays as it is.

    Args:
        path: what is named when the system names nothing.

    Raises:
        DiskError: the disk refused.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK_REFUSES:
            raise
        raise DiskError(
            f"{error.filename2 or error.filename or path}: {error.strerror}",
            hint=_DISK_REFUSES[error.errno],
        ) from error


@contextlib.contextmanager
def atomic_write(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Write a file that gets its final name when the block ends without an error.

    A symbolic link is followed; a pipe or a device is written into, and stays what it is.

    Args:
        path: the final name; its folder is made.
        mode: "w" (UTF-8, newlines as given) or "wb".

    Raises:
        DiskError: the disk refused.
    """
    path = Path(os.path.realpath(path))
    encoding, newline = ("utf-8", "") if "b" not in mode else (None, None)
    with disk_errors(path):
        if path.exists() and not path.is_file():
            with open(path, mode, encoding=encoding, newline=newline) as file:
                yield file
            return
        make_folder(path.parent)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        try:
            with open(handle, mode, encoding=encoding, newline=newline) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            # mkstemp makes a file that only its owner reads; give it what open() would have given.
            umask = os.umask(0)
            os.umask(umask)
            Path(name).chmod(0o666 & ~umask)
            os.replace(name, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)


def sync(path: Path) -> None:
    """Wait until a file's bytes are on the disk, so that no power cut takes them back."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, where there is none.

    Raises:
        DiskError: a file is in the way.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise DiskError(f"{path} is not a folder", hint="give a place inside a folder") from error


def write_json(path: Path, value: object) -> None:
    """Write a JSON file atomically; NaN and infinity are refused."""
    with atomic_write(path) as file:
        json.dump(value, file, indent=2, allow_nan=False)
        file.write("\n")


def read_json(path: Path) -> Any | None:  # noqa: ANN401 - what JSON holds
    """Read a JSON file; None where there is none.

    Raises:
        UnitalkError: the file is there and is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise UnitalkError(
            f"{path}: not a JSON file: {error}",
            hint="it was damaged from outside; remove it and run the command again",
        ) from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def free_bytes(path: Path) -> int:
    """The free space of the file system that holds a path, existing yet or not."""
    path = Path(path).resolve()
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free

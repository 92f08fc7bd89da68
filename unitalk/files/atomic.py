"""One file: it appears whole or not at all, and what a disk refuses becomes a sentence."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import inspect
import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ParamSpec, TypeVar

from unitalk.errors import DataError, DiskError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = ParamSpec("P")
R = TypeVar("R")

_MAKE_ROOM = "make room on that disk, then run the command again; nothing half-made was left"
_PERMISSION = "change the permissions, or give another place"
# What a disk may refuse without a mistake in this program, and what to do then.
_REFUSALS = {
    errno.ENOSPC: _MAKE_ROOM,
    errno.EDQUOT: _MAKE_ROOM,
    errno.EFBIG: "give a place on a file system that takes larger files",
    errno.EROFS: "give a place that is not mounted read-only",
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EISDIR: "give the name of a file",
    errno.ENOTDIR: "give a path inside a folder: one of its parts is a file",
    errno.ENAMETOOLONG: "give a shorter name",
    errno.EMFILE: "raise the limit on open files, or do less at a time",
    errno.ENFILE: "raise the system's limit on open files, or do less at a time",
    errno.EIO: "look at the system's log: the disk reports a fault",
    errno.ESTALE: "run the command again: the network disk has lost the file",
    errno.ELOOP: "mend the link: it leads in a circle",
}
_NO_FILE = {errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
# Whose errors are an OSError too, and count otherwise: SSL's number 1 is not EPERM, and libav's
# answer to a seek that fails is.
_OTHER_NUMBERS = {"ssl", "socket", "urllib3", "requests", "av"}


def disk_error(error: OSError, path: str | Path | None = None) -> DiskError | None:
    """Put what a disk refused into a sentence.

    Args:
        error: what was raised.
        path: named when the error names nothing, as when a disk is full.

    Returns:
        None when it was not the disk that refused: a network error, or a fault of our own.
    """
    if error.errno not in _REFUSALS or not _is_of_a_disk(error):
        return None
    named = error.filename2 or error.filename
    if not isinstance(named, str | bytes):  # of an open file there is only a number
        named = None
    # Where a library leaves the name away, it puts a sentence where the system's words belong.
    reason = os.strerror(error.errno) if named is None and path is not None else error.strerror
    where = _FINAL.sub(r"\1", os.fsdecode(named)) if named is not None else path
    message = str(reason) if where is None else f"{where}: {reason}"
    return DiskError(message, hint=_REFUSALS[error.errno])


# A folder that is being built has this name beside its own, which is the one that people know.
STAGING = ".unitalk-staging"
_FINAL = re.compile(rf"(?<=/)\.([^/]+){re.escape(STAGING)}")


def _is_of_a_disk(error: OSError) -> bool:
    roots = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    return error.filename is not None or not roots & _OTHER_NUMBERS


def unreadable(error: OSError, path: str | Path | None = None) -> DiskError | None:
    """As `disk_error`, of a file that was to be read; None as well where the name leads to none."""
    return None if error.errno in _NO_FILE else disk_error(error, path)


def entries(folder: Path) -> list[Path]:
    """What is in a folder, by name; nothing where there is no folder.

    Raises:
        DiskError: it may not be listed, which `Path.glob` takes for empty.
    """
    with disk_errors(folder), contextlib.suppress(FileNotFoundError):
        return sorted(folder.iterdir())
    return []


@contextlib.contextmanager
def disk_errors(path: str | Path | None = None) -> Iterator[None]:
    """Turn what a disk refuses into a sentence; anything else stays as it is.

    Args:
        path: named when the system names nothing.

    Raises:
        DiskError: the disk refused.
    """
    try:
        yield
    except OSError as error:
        refused = disk_error(error, path)
        if refused is None:
            raise
        raise refused from error


def disk_boundary(argument: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a public function: `disk_errors` around each call.

    Args:
        argument: the parameter whose value is named when the system names nothing.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        parameters = inspect.signature(function)

        @functools.wraps(function)
        def inner(*args: P.args, **kwargs: P.kwargs) -> R:
            given = parameters.bind_partial(*args, **kwargs).arguments.get(argument)
            with disk_errors(given if isinstance(given, str | Path) else None):
                return function(*args, **kwargs)

        return inner

    return decorate


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
        handle, name = _temporary(path)
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


def _temporary(path: Path) -> tuple[int, str]:
    """Make an empty file beside a path; an error names the path, and not the file's own name."""
    try:
        return tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        error.filename = str(path)
        raise


def remove_halves(folder: Path, name: str = "*", *, deep: bool = False) -> None:
    """Remove half-written files that processes left which were killed within `atomic_write`.

    Args:
        folder: where to look; nobody else may be writing there.
        name: a pattern of the files' final names.
        deep: look in the folders inside as well.
    """
    pattern = f".{name}.*.part"
    for half in folder.rglob(pattern) if deep else folder.glob(pattern):
        half.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """Look whether `atomic_write` could write a file: before hours of work and not after.

    Raises:
        DiskError: the disk refuses.
    """
    path = Path(os.path.realpath(path))
    with disk_errors(path):
        if path.exists() and not path.is_file():
            return  # a pipe or a device
        there = path
        while not there.parent.exists():
            there = there.parent
        handle, name = _temporary(there)
        os.close(handle)
        os.unlink(name)


def sync(path: Path) -> None:
    """Wait until a file's bytes are on the disk, so that no power cut takes them back."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, where there is none.

    Raises:
        DiskError: a file is in the way, or the disk refused.
    """
    try:
        with disk_errors(path):
            path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise DiskError(f"{path} is not a folder", hint=_REFUSALS[errno.ENOTDIR]) from error


def write_json(path: Path, value: object) -> None:
    """Write a JSON file atomically; NaN and infinity are refused."""
    with atomic_write(path) as file:
        json.dump(value, file, indent=2, allow_nan=False)
        file.write("\n")


def read_json(path: Path) -> Any | None:  # noqa: ANN401 - what JSON holds
    """Read a JSON file; None where there is none.

    Raises:
        DataError: the file is there and is not JSON.
        DiskError: the disk refused it.
    """
    try:
        with disk_errors(path):
            return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise DataError(
            f"{path}: not a JSON file: {error}",
            hint="move it elsewhere and run the command again, or give a new folder",
        ) from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, 64 hexadecimal digits."""
    with disk_errors(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def free_bytes(path: Path) -> int:
    """The free space of the file system that holds a path, existing yet or not."""
    path = Path(path).resolve()
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free

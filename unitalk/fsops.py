"""Every hazard of the disk: atomic files, staged folders, placing a file or a tree, safe unzip.

Nothing has its final name until it is whole, and nothing is deleted that this program did not make.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import lzma
import os
import re
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Literal, get_args

from unitalk.errors import (
    ArchiveError,
    DestinationError,
    DiskError,
    LayoutError,
    UnitalkError,
)
from unitalk.layout import Layout
from unitalk.progress import size as human_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Link = Literal["auto", "hard", "sym", "copy"]
LINKS: tuple[Link, ...] = get_args(Link)

# What link(2) answers where the file system has no hard links, where source and destination are on
# two of them, where a file has as many names as it may have, or where it belongs to somebody else.
_NO_HARD_LINK = {
    errno.EXDEV,
    errno.EPERM,
    errno.EACCES,
    errno.EMLINK,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
}

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

# What zipfile raises for damaged, truncated, encrypted or oddly packed archives.
_BROKEN_ARCHIVE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    struct.error,
)

_MEND = "mend the link or remove it"

_DRIVE = re.compile(r"[A-Za-z]:/")

MAX_UNPACK_RATIO = 200
"""An archive that says it unpacks to more than this many times its own size is refused."""


# ------------------------------------------------------------------------------ one file


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
        _make_folder(path.parent)
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


def _make_folder(path: Path) -> None:
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


# ------------------------------------------------------------------------------ one folder


@contextlib.contextmanager
def staged_folder(
    destination: Path, *, made_by: str, overwrite: bool = False, about: Mapping[str, Any]
) -> Iterator[Path]:
    """Build a folder under a staging name; it gets its final name when the block ends well.

    The staging folder is a hidden sibling with a fixed name, held by a lock that a dead process
    does not keep. What a killed run left there is removed by the next run for the same
    destination; after an error nothing is left.

    Args:
        destination: the final name; must be free, empty, or (with `overwrite`) made by `made_by`.
        made_by: the verb that makes it; written into the marker.
        overwrite: replace a destination whose marker says that `made_by` made it.
        about: what else the marker says.

    Yields:
        The staging folder, empty.

    Raises:
        DestinationError: the destination is not free, or another process is writing it.
    """
    destination = _resolved(destination)
    check_destination(destination, made_by=made_by, overwrite=overwrite)
    staging = destination.with_name(f".{destination.name}.unitalk-staging")
    aside = destination.with_name(f".{destination.name}.unitalk-old")
    with disk_errors(destination):
        _make_folder(destination.parent)
        with _locked_folder(staging, destination):
            try:
                _empty(staging)
                if aside.exists():
                    _undo_half_a_swap(aside, destination)
                    check_destination(destination, made_by=made_by, overwrite=overwrite)
                yield staging
                mark(staging, made_by=made_by, about=about)
                # Much time may have passed, and somebody may have put something there.
                check_destination(destination, made_by=made_by, overwrite=overwrite)
                _swap(staging, destination, aside)
            except BaseException:
                shutil.rmtree(staging, ignore_errors=True)
                raise
            shutil.rmtree(aside, ignore_errors=True)


def _swap(staging: Path, destination: Path, aside: Path) -> None:
    """Put the new folder in place of an empty or an older one."""
    if destination.exists():
        if any(destination.iterdir()):
            destination.rename(aside)
        else:
            destination.rmdir()
    try:
        staging.rename(destination)
    except BaseException:
        if aside.exists():
            aside.rename(destination)
        raise


def _undo_half_a_swap(aside: Path, destination: Path) -> None:
    """Clear up after a run that was killed after it had put the old folder aside.

    With nothing in its place the old folder goes back; else the swap was done, and only the
    removal of the old folder was not.
    """
    if destination.exists() and any(destination.iterdir()):
        shutil.rmtree(aside)
    else:
        aside.rename(destination)  # in place of nothing, or of an empty folder


def check_destination(
    destination: Path, *, made_by: str, overwrite: bool = False, in_place: bool = False
) -> None:
    """Say at once whether a folder may be written.

    Args:
        destination: a folder, there or not.
        made_by: the verb that wants to write.
        overwrite: whether what the same verb made there may be written.
        in_place: the folder will be written into, not replaced by another one of its name.

    Raises:
        DestinationError: it is not free, and not ours to replace.
    """
    if not os.path.lexists(destination):
        return
    if not os.path.isdir(destination):
        raise DestinationError(
            f"{destination} exists and is not a folder", hint="give a folder that does not exist"
        )
    empty = not os.listdir(destination)
    if (empty or overwrite) and not in_place:
        _check_replaceable(_resolved(destination))
    if empty:
        return
    marker = read_json(Layout(Path(destination)).marker)
    maker = marker.get("made_by") if isinstance(marker, dict) else None
    if maker is None:
        raise DestinationError(
            f"{destination} is not empty, and this program did not make it",
            hint="give a new or empty folder; nothing that is not ours is ever deleted",
        )
    if maker != made_by:
        raise DestinationError(
            f"{destination} was made by `unitalk {maker}`, and this is `unitalk {made_by}`",
            hint="give a new or empty folder, or remove that one yourself",
        )
    if not overwrite:
        raise DestinationError(
            f"{destination} is not empty",
            hint=f"give a new folder, or --overwrite to replace what `unitalk {maker}` made there",
        )


def _check_replaceable(destination: Path) -> None:
    """Refuse what neither a shell that stands there nor the system would see replaced."""
    if Path.cwd().is_relative_to(destination):
        what = "the current folder, or lies above it,"
    elif destination.is_mount():
        what = "a mount point"
    else:
        return
    raise DestinationError(
        f"{destination} is {what} and cannot be put in place in one step",
        hint=f"give a folder inside it, such as {destination / 'dataset'}, or go elsewhere",
    )


def check_apart(source: Path, destination: Path) -> None:
    """Say whether two folders are apart.

    Raises:
        DestinationError: they are the same, or one lies inside the other.
    """
    one, two = _resolved(source), _resolved(destination)
    if one == two or one in two.parents or two in one.parents:
        how = "is" if one == two else "lies inside" if one in two.parents else "contains"
        raise DestinationError(
            f"the destination {destination} {how} the source {source}",
            hint="give a destination outside the source",
        )


def _resolved(path: Path) -> Path:
    """The path without links.

    Raises:
        DestinationError: its links lead in a circle.
    """
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError) as error:
        raise DestinationError(
            f"{path}: its links lead in a circle", hint="give another folder"
        ) from error


def mark(folder: Path, *, made_by: str, about: Mapping[str, Any]) -> None:
    """Write the marker by which a later run knows that this program made a folder."""
    from unitalk import __version__

    write_json(Layout(folder).marker, {"made_by": made_by, "unitalk_version": __version__, **about})


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder, made when absent, against other processes until the block ends.

    A process that dies holds nothing.

    Raises:
        DestinationError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _locked_folder(folder, folder):
        yield


@contextlib.contextmanager
def _locked_folder(folder: Path, destination: Path) -> Iterator[None]:
    """Make a folder and hold it against other processes for as long as this one lives."""
    while True:
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno not in {errno.ENOTDIR, errno.ELOOP}:
                raise
            raise DestinationError(
                f"{folder} is in the way and is not a folder of ours",
                hint="move it elsewhere, or give another destination",
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise DestinationError(
                f"another process is writing {destination}",
                hint="wait for it to end, or stop it; then run the command again",
            ) from None
        except OSError:
            pass  # a file system without locks (some network disks): go on without one
        # The one who held it before may have given this very folder its final name meanwhile.
        if _same_file(handle, folder):
            break
        os.close(handle)
    try:
        yield
    finally:
        os.close(handle)


def _same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _empty(folder: Path) -> None:
    for child in folder.iterdir():
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        else:
            child.unlink()


# ------------------------------------------------------------------------------ placing


@dataclass(slots=True)
class Placer:
    """Puts files of a source under a new name: by hard link, symbolic link, or copy.

    Attributes:
        link: "auto" is a hard link where the file system can, else a copy.
        placed: how many files were placed in each way; "sym" counts a linked folder once.
    """

    link: Link = "auto"
    placed: Counter[str] = field(default_factory=Counter)

    def file(self, source: str | Path, destination: str | Path) -> None:
        """Place one file; the destination must not exist.

        A source that is itself a symbolic link is followed, so that no chains of links arise.
        """
        if self.link == "sym":
            os.symlink(os.path.realpath(source), destination)
            self.placed["sym"] += 1
        elif self.link == "copy" or not self._hard_link(os.path.realpath(source), destination):
            shutil.copy2(source, destination)
            self.placed["copy"] += 1

    def tree(self, source: str | Path, destination: str | Path) -> None:
        """Place a folder and all that is in it; the destination must not exist.

        With symbolic links the folder itself becomes one link.

        Raises:
            LayoutError: a link in the folder leads nowhere, or back.
        """
        self._tree(os.path.realpath(source), destination, ())

    def _tree(self, real: str, destination: str | Path, above: tuple[str, ...]) -> None:
        if self.link == "sym":
            self._folder_link(real, destination)
            return
        if real in above:
            raise LayoutError(f"{above[-1]}: a link in it leads back to {real}", hint=_MEND)
        folders, names = [], {}
        with os.scandir(real) as listing:
            for entry in listing:
                if entry.is_symlink() and not os.path.exists(entry.path):
                    raise LayoutError(f"{entry.path}: a link that leads nowhere", hint=_MEND)
                if entry.is_dir():
                    folders.append(entry.name)
                else:
                    names[entry.name] = entry.name
        self.files(real, destination, names)
        for name in folders:
            inner = os.path.realpath(os.path.join(real, name))
            self._tree(inner, os.path.join(destination, name), (*above, real))

    def files(self, source: str | Path, destination: str | Path, names: Mapping[str, str]) -> None:
        """Place some files of a folder, each under a name of its own choice.

        With symbolic links and no name to change, the folder itself becomes one link.

        Args:
            source: a folder.
            destination: the folder to make; it must not exist, the one above it must.
            names: the name in the source -> the new name.
        """
        real = os.path.realpath(source)
        if self.link == "sym" and all(old == new for old, new in names.items()):
            self._folder_link(real, destination)
            return
        os.mkdir(destination)
        with _opened_folder(real) as from_folder, _opened_folder(destination) as to_folder:
            for old, new in names.items():
                # By open folders: the kernel need not walk two long paths for each of a million
                # files, and it follows symbolic links, which link(2) by path does not.
                linked = self.link in {"auto", "hard"} and self._hard_link(
                    old, new, from_folder, to_folder
                )
                if not linked:
                    self.file(os.path.join(real, old), os.path.join(destination, new))

    def _hard_link(
        self,
        source: str | Path,
        destination: str | Path,
        from_folder: int | None = None,
        to_folder: int | None = None,
    ) -> bool:
        """Make a hard link where that is possible.

        Raises:
            UnitalkError: it is not possible, and nothing else will do.
        """
        try:
            os.link(source, destination, src_dir_fd=from_folder, dst_dir_fd=to_folder)
        except OSError as error:
            if error.errno not in _NO_HARD_LINK:
                raise
            if self.link == "auto":
                return False
            raise UnitalkError(
                f"no hard link from {source} to {destination} is possible: {error.strerror}",
                hint="use --link auto, --link copy or --link sym",
            ) from error
        self.placed["hard"] += 1
        return True

    def _folder_link(self, real: str, destination: str | Path) -> None:
        os.symlink(real, destination, target_is_directory=True)
        self.placed["sym"] += 1


@contextlib.contextmanager
def _opened_folder(path: str | Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield handle
    finally:
        os.close(handle)


def free_bytes(path: Path) -> int:
    """The free space of the file system that holds a path, existing yet or not."""
    path = Path(path).resolve()
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


# ------------------------------------------------------------------------------ unpacking


def unzip(
    archive: Path, destination: Path, *, top: str, on_member: Callable[[], object] | None = None
) -> int:
    """Unpack an archive of one video into a folder.

    Members may begin with `<top>/` or not; what macOS drops into archives is skipped. Sizes are
    held to what the archive lists, and zipfile compares every member's checksum.

    Args:
        archive: a zip file.
        destination: the folder to fill; made when absent.
        top: the video's id.
        on_member: called before each member; what it raises ends the work.

    Returns:
        How many bytes were written.

    Raises:
        ArchiveError: it cannot be read, holds no file, or holds what climbs out, a link, a device,
            the same name twice, or far more than an archive of crops and sounds can hold.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = _members(opened, archive, top)
            _check_volume(members, archive, destination)
            destination.mkdir(parents=True, exist_ok=True)
            folders: set[Path] = set()
            written = 0
            for name, info in members.items():
                if on_member is not None:
                    on_member()
                target = destination / name
                if target.parent not in folders:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    folders.add(target.parent)
                with opened.open(info) as source, target.open("xb") as file:
                    shutil.copyfileobj(source, file, 1 << 18)
                    written += file.tell()
    except _BROKEN_ARCHIVE as error:
        raise _damaged(archive, str(error)) from error
    except OSError as error:
        # A directory that points before the file's begin; a name longer than a name can be.
        if error.errno in {errno.EINVAL, errno.ENAMETOOLONG}:
            raise _damaged(archive, str(error)) from error
        raise
    return written


def _members(opened: zipfile.ZipFile, archive: Path, top: str) -> dict[str, zipfile.ZipInfo]:
    """The files to write, by their path below the destination."""
    members: dict[str, zipfile.ZipInfo] = {}
    folded: set[str] = set()
    for info in opened.infolist():
        # ZipInfo has already turned the other separator of Windows; look at what was written.
        name = getattr(info, "orig_filename", info.filename)
        path = PurePosixPath(name)
        kind = stat.S_IFMT(info.external_attr >> 16)
        if path.is_absolute() or ".." in path.parts or "\\" in name or _DRIVE.match(name):
            raise _damaged(archive, f"member {name!r} points outside the archive's folder")
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise _damaged(archive, f"member {name!r} is a link or a device")
        if info.is_dir() or (path.parts and _is_macos_litter(path)):
            continue
        if not path.parts:
            raise _damaged(archive, f"member {name!r} has no name")
        parts = path.parts[1:] if path.parts[0] == top and len(path.parts) > 1 else path.parts
        inner = "/".join(parts)
        if inner.casefold() in folded:
            raise _damaged(archive, f"member {name!r} is there twice")
        folded.add(inner.casefold())
        members[inner] = info
    for folder in {name.rpartition("/")[0] for name in folded}:
        inside = PurePosixPath(folder)
        if any(str(above) in folded for above in (inside, *inside.parents)):
            raise _damaged(archive, f"members lie inside {folder!r}, which is a file")
    if not members:
        raise _damaged(archive, "it holds no file")
    return members


def _is_macos_litter(path: PurePosixPath) -> bool:
    return path.parts[0] == "__MACOSX" or path.name == ".DS_Store" or path.name.startswith("._")


def _check_volume(members: dict[str, zipfile.ZipInfo], archive: Path, destination: Path) -> None:
    total = sum(info.file_size for info in members.values())
    packed = archive.stat().st_size
    if total > MAX_UNPACK_RATIO * max(packed, 1 << 20):
        raise _damaged(archive, f"{human_size(packed)} that say they unpack to {human_size(total)}")
    free = free_bytes(destination)
    if total > free:
        raise OSError(
            errno.ENOSPC,
            f"{human_size(total)} to unpack and {human_size(free)} free",
            str(destination),
        )


def _damaged(archive: Path, reason: str) -> ArchiveError:
    return ArchiveError(
        f"{archive}: not unpacked: {reason}",
        hint="fetch it again; when that does not help, the published archive is at fault",
    )

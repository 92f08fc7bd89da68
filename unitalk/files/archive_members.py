"""Unpack some files of a zip or tar archive without trusting what it says."""

from __future__ import annotations

import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING

from unitalk.errors import ArchiveError
from unitalk.files.zip_directory import MAX_UNPACK_RATIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, EOFError, lzma.LZMAError, zlib.error)
_ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


def archive_stem(path: Path) -> str | None:
    """The name of an archive without its ending; None for what is not named like one."""
    ending = next((ending for ending in _ENDINGS[::-1] if path.name.lower().endswith(ending)), None)
    return path.name[: -len(ending)] if ending and path.is_file() else None


def unpack_members(archive: Path, destination: Path, *, wanted: Callable[[str], bool]) -> int:
    """Write some files of a zip or tar archive, each by the path that it has there.

    Args:
        archive: a zip file, or a tar file, packed or not.
        destination: the folder to fill; made when absent.
        wanted: tells of a member's path whether it is wanted. Links, devices and what macOS drops
            into archives never are.

    Returns:
        How many files were written.

    Raises:
        ArchiveError: it cannot be read; or a wanted file climbs out of the folder, is there twice,
            or unpacks to far more than an archive of its size can hold.
    """
    budget = MAX_UNPACK_RATIO * archive.stat().st_size
    count = 0
    try:
        for name, size, file in _members(archive):
            path = PurePosixPath(name)
            if not wanted(name) or path.name.startswith("._") or "__MACOSX" in path.parts:
                continue
            budget -= size
            if path.is_absolute() or ".." in path.parts or "\\" in name or budget < 0:
                raise ArchiveError(
                    f"{archive}: the member {name!r} climbs out of its folder or is too large",
                    hint="give an archive of csv files alone",
                )
            target = destination / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(target, "xb") as out:
                shutil.copyfileobj(file, out)
            count += 1
    except FileExistsError as error:
        name = os.path.relpath(error.filename, destination)
        raise ArchiveError(
            f"{archive}: the member {name} is there twice", hint="pack each file once"
        ) from error
    except _DAMAGED as error:
        raise ArchiveError(
            f"{archive} cannot be read: {error}", hint="download the archive again"
        ) from error
    return count


def _members(archive: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    """The plain files of an archive: path, size and content."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            for entry in zipped.infolist():
                if not entry.is_dir() and not stat.S_ISLNK(entry.external_attr >> 16):
                    with zipped.open(entry) as file:
                        yield entry.filename, entry.file_size, file
        return
    with tarfile.open(archive, "r:*") as tar:
        for member in tar:
            if member.isreg() and (content := tar.extractfile(member)) is not None:
                with content:
                    yield member.name, member.size, content

"""Unpack some files of a zip or tar archive without trusting what it says."""

from __future__ import annotations

import lzma
import os
import shutil
import tarfile
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from unitalk.errors import ArchiveError
from unitalk.files.unpack_zip import unzip
from unitalk.files.zip_directory import MAX_UNPACK_RATIO

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_DAMAGED = (tarfile.TarError, EOFError, lzma.LZMAError, zlib.error)
_ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


def archive_stem(path: Path) -> str | None:
    """The name of an archive without its ending; None for what is not named like one."""
    ending = next((ending for ending in _ENDINGS[::-1] if path.name.lower().endswith(ending)), None)
    return path.name[: -len(ending)] if ending and path.is_file() else None


def unpack_members(archive: Path, destination: Path, *, wanted: Callable[[str], bool]) -> None:
    """Write some files of a zip or tar archive, each under its path there.

    Args:
        archive: a zip file, or a tar file, compressed or not.
        destination: the folder to fill; made when absent.
        wanted: tells by a member's path whether it is wanted. Links, devices and what macOS drops
            into archives never are.

    Raises:
        ArchiveError: it cannot be read; or a wanted file climbs out of the folder, is there twice,
            or unpacks to far more than an archive of its size can hold.
    """
    with archive.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    if is_zip:
        unzip(archive, destination, top="", wanted=wanted)
        return
    try:
        with tarfile.open(archive) as tar:
            _untar(tar, archive, destination, wanted)
    except FileExistsError as error:
        name = os.path.relpath(error.filename, destination)
        raise ArchiveError(
            f"{archive}: the member {name} is there twice", hint="pack each file once"
        ) from error
    except _DAMAGED as error:
        raise ArchiveError(
            f"{archive} cannot be read: {error}", hint="download the archive again"
        ) from error


def _untar(
    tar: tarfile.TarFile, archive: Path, destination: Path, wanted: Callable[[str], bool]
) -> None:
    budget = MAX_UNPACK_RATIO * archive.stat().st_size
    for member in tar:
        path = PurePosixPath(member.name)
        litter = path.name.startswith("._") or "__MACOSX" in path.parts
        content = tar.extractfile(member) if wanted(member.name) and not litter else None
        if content is None or not member.isreg():
            continue
        budget -= member.size
        if path.is_absolute() or ".." in path.parts or budget < 0:
            raise ArchiveError(
                f"{archive}: the member {member.name!r} climbs out of its folder or is too large",
                hint="give an archive of csv files alone",
            )
        target = destination / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with content, open(target, "xb") as out:
            shutil.copyfileobj(content, out)

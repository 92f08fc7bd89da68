"""Finds a checkpoint's file on this machine, and checks that it is still the registered one."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from unitalk.catalog.checkpoints import Checkpoint, checkpoints, is_known, named
from unitalk.errors import DataError, DestinationError, DiskError, UsageError
from unitalk.files import disk_boundary, locked, sha256
from unitalk.models.weights import folder_index
from unitalk.report import Report

if TYPE_CHECKING:
    import os
    from collections.abc import Collection

    from unitalk.models.weights.folder_index import Entry

State = Literal["absent", "present", "altered", "lost"]
"""Never registered; registered and there; there and not the file that was registered; registered,
and the file is gone."""
_Held = TypeVar("_Held", bound="Held")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Checkpoint):
    """A checkpoint, and what this machine has of it.

    Size and hash are the published ones, or those of the registered file where none are published.

    Attributes:
        state: whether it is here.
        path: its file; None where there is none.
        origin: the address or the file that it came from.
        registered: when it was registered, in UTC.
        found_sha256: the hash of the file as it is, where it had to be computed.
    """

    state: State
    path: Path | None
    origin: str | None
    registered: str | None
    found_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldReport(Held):
    """A checkpoint, and what this machine has of it."""

    schema_version = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldList(Report):
    """The published checkpoints.

    Attributes:
        folder: where registered files are.
        checkpoints: each, and what this machine has of it.
    """

    schema_version = 1

    folder: Path
    checkpoints: tuple[Held, ...]


@disk_boundary("folder")
def find_weights(
    name_or_file: str, folder: str | os.PathLike[str], *, models: Collection[str] | None = None
) -> Path:
    """Return the file of a checkpoint's name; what is a path already is returned as it is.

    A file whose size and time of writing are those that were registered is taken for unchanged;
    else its hash is compared.

    Args:
        name_or_file: a path, or a name of `checkpoints`; where both are there, a file counts, and
            a folder, such as a run's, does not.
        folder: where registered files are.
        models: what the checkpoint has to load into; default: it may be any.

    Raises:
        UsageError: it is neither, the checkpoint does not load into these models, or it is not on
            this machine.
        DataError: the file is not the one that was registered.
    """
    path = as_path(name_or_file)
    if path is not None:
        return path
    checkpoint, folder = named(name_or_file, models), Path(folder)
    here = look(checkpoint, folder)
    if here.path is None:
        raise UsageError(
            f"{checkpoint.name} is not on this machine: there is no {folder / checkpoint.file}",
            hint=f"`download_weights({checkpoint.name!r}, {str(folder)!r})`",
        )
    if here.state == "altered":
        raise DataError(
            f"{here.path} is not the file that was registered on {here.registered}: its "
            f"sha256 is {here.found_sha256}, not {here.sha256}",
            hint="download the registered one again: "
            f"`download_weights({checkpoint.name!r}, {str(folder)!r})`",
        )
    return here.path


def as_path(name_or_file: str) -> Path | None:
    """A file's path, or a folder's that has no checkpoint's name; None for what is neither."""
    path = Path(name_or_file)
    is_folder = path.is_dir() and not is_known(name_or_file)
    return path if path.is_file() or is_folder else None


def held(folder: Path) -> tuple[Held, ...]:
    """Every published checkpoint, and what this machine has of it; nothing is hashed.

    A file that was changed since it was registered counts as there; `find_weights` notices that.
    """
    known = folder_index.entries(folder)
    return tuple(_glance(Held, c, folder, known.get(c.name)) for c in checkpoints())


def _glance(kind: type[_Held], checkpoint: Checkpoint, folder: Path, entry: Entry | None) -> _Held:
    about = {field.name: getattr(checkpoint, field.name) for field in fields(Checkpoint)}
    if entry is None:
        return kind(**about, state="absent", path=None, origin=None, registered=None)
    about["size"] = checkpoint.size or entry.size
    about["sha256"] = checkpoint.sha256 or entry.sha256
    path = folder / checkpoint.file
    here = path.is_file()
    return kind(
        **about,
        state="present" if here else "lost",
        path=path if here else None,
        origin=entry.origin,
        registered=entry.registered,
    )


def look(checkpoint: Checkpoint, folder: Path, *, check: bool = False) -> HeldReport:
    """What this machine has of one checkpoint.

    Args:
        checkpoint: which.
        folder: where registered files are.
        check: compute the hash although size and time say that nothing has changed.
    """
    entry = folder_index.entries(folder).get(checkpoint.name)
    here = _glance(HeldReport, checkpoint, folder, entry)
    if here.path is None or entry is None:
        return here
    stat = here.path.stat()
    if not check and (stat.st_size, stat.st_mtime_ns) == (entry.size, entry.mtime_ns):
        return here
    found = sha256(here.path)
    if found != entry.sha256:
        return replace(here, state="altered", found_sha256=found)
    if stat.st_mtime_ns != entry.mtime_ns:
        # Copied or touched: the same bytes. In a read-only folder it is hashed each time.
        entry = replace(entry, mtime_ns=stat.st_mtime_ns)
        with contextlib.suppress(DestinationError, DiskError, OSError), locked(folder):
            folder_index.record(folder, checkpoint.name, entry)
    return replace(here, found_sha256=found)

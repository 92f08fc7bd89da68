"""One folder: built under a staging name, held against others, replaced only when it is ours."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unitalk._version import __version__
from unitalk.errors import DestinationError, UnitalkError
from unitalk.files.atomic import STAGING, disk_errors, make_folder, read_json, write_json
from unitalk.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_GLANCE = 0.1
# How often, in seconds, a folder is tried that another process holds.


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
    staging = destination.with_name(f".{destination.name}{STAGING}")
    aside = destination.with_name(f".{destination.name}.unitalk-old")
    with disk_errors(destination):
        make_folder(destination.parent)
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
    maker = _maker(read_json(Layout(Path(destination)).marker))
    if maker is None:
        raise DestinationError(
            f"{destination} is not empty, and this program did not make it",
            hint="give a new or empty folder; nothing that is not ours is ever deleted",
        )
    if maker != made_by:
        raise DestinationError(
            f"{destination} was made by {maker!r}, and this is {made_by!r}",
            hint="give a new or empty folder",
        )
    if not overwrite:
        raise DestinationError(
            f"{destination} is not empty",
            hint=f"give a new folder, or `overwrite=True` to replace what {maker!r} made there",
        )


def _check_replaceable(destination: Path) -> None:
    """Refuse the current folder, those above it, and mount points."""
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
    write_json(Layout(folder).marker, {"made_by": made_by, "unitalk_version": __version__, **about})


_RENAMED = {"crops": "crop", "talknet train": "train"}
"""Verbs whose earlier name stands in the markers of folders that they made."""


def made_by(folder: Path) -> str | None:
    """The verb that made a folder, as its marker says; None where no marker says it."""
    with contextlib.suppress(UnitalkError, OSError):  # a damaged marker says nothing
        return _maker(read_json(Layout(folder).marker))
    return None


def _maker(marker: object) -> str | None:
    """The verb that a marker names, by its present name."""
    verb = marker.get("made_by") if isinstance(marker, dict) else None
    return _RENAMED.get(verb, verb) if isinstance(verb, str) else None


@contextlib.contextmanager
def locked(folder: Path, *, waiting: Callable[[], object] | None = None) -> Iterator[None]:
    """Hold a folder, made when absent, against other processes until the block ends.

    A process that dies holds nothing.

    Args:
        folder: which.
        waiting: called once if another process holds it, which is then waited for; default: raise.

    Raises:
        DestinationError: another process holds it.
    """
    make_folder(folder)
    with _locked_folder(folder, folder, waiting=waiting):
        yield


@contextlib.contextmanager
def _locked_folder(
    folder: Path, destination: Path, *, waiting: Callable[[], object] | None = None
) -> Iterator[None]:
    """Make a folder and hold it against other processes for as long as this one lives."""
    waited = False
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
            if waiting is not None:
                if not waited:
                    waiting()
                waited = True
                time.sleep(_GLANCE)
                continue
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

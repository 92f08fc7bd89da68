"""Downloads or registers a checkpoint, and remembers its hash.

pooch could download the files too, but it does not learn a hash from the first file, lock a folder
against other processes, or notice files that were altered or lost.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from unitalk.catalog.checkpoints import Checkpoint, named
from unitalk.errors import DestinationError, HubError, IntegrityError, UsageError
from unitalk.files import disk_boundary, locked, sha256, sync
from unitalk.files.file_types import FIRST_BYTES, identify
from unitalk.models.weights import folder_index
from unitalk.models.weights.folder_index import Entry
from unitalk.models.weights.local import look
from unitalk.net import Patience, drive
from unitalk.net.site import Site, forget
from unitalk.net.transfer import Transfer, check_space
from unitalk.progress import Progress, SilentProgress
from unitalk.progress import size as human_size
from unitalk.report import INTERNAL, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Fetch = Callable[[Checkpoint, Path, Callable[[int], object]], object]

How = Literal["downloaded", "registered", "present"]
Known = Literal["table", "registry"]

_NETWORK = (b"PK\x03\x04", b"\x80")
"""The first bytes of what `torch.save` writes: an archive or a pickle."""
_TAR_GZ = (b"\x1f\x8b",)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsReport(Report):
    """The result for one checkpoint.

    Attributes:
        checkpoint: the checkpoint.
        how: downloaded, registered from a file, or already present.
        path: its file.
        size: the file's size.
        sha256: its hash.
        origin: the address or the file that it came from.
        registered: the time of its registration, in UTC.
        compared_with: the source of the hash that it was compared with: the table, or an earlier
            registration; None for the first file of that name, which later ones are compared with.
        warnings: notes for the reader.
    """

    schema_version: ClassVar = 1
    computed: ClassVar = ("name", "loads_into")

    checkpoint: Checkpoint = field(metadata=INTERNAL)
    how: How
    path: Path
    size: int
    sha256: str
    origin: str
    registered: str
    compared_with: Known | None
    warnings: tuple[str, ...]

    @property
    def name(self) -> str:
        """The checkpoint's name."""
        return self.checkpoint.name

    @property
    def loads_into(self) -> str | None:
        """The model that it loads into."""
        return self.checkpoint.loads_into


@disk_boundary("folder")
def download_weights(
    name: str,
    folder: str | os.PathLike[str],
    *,
    replace: bool = False,
    forbidden_by: str | None = None,
    fetch: Fetch | None = None,
    patience: Patience | None = None,
    progress: Progress | None = None,
) -> WeightsReport:
    """Fetch a checkpoint and register it, unless it is present and unchanged.

    Another process that uses the folder is waited for.

    Args:
        name: a name of `checkpoints`.
        folder: the folder of registered files; created if needed.
        replace: fetch it even if it is present, and accept another file than the registered one,
            unless the table has its hash.
        forbidden_by: the setting that forbids the network, named in the error; default: none does.
        fetch: what brings the bytes; default: gdown from Google Drive, else our own client.
        patience: how long to wait for the network.
        progress: where to report to; it is told size, licence and source before the first byte.

    Raises:
        UsageError: there is no such name, or the network is forbidden.
        HubError: the network fails, or the server refuses the file or answers a web page.
        IntegrityError: the file is not the known one.
        MissingExtraError: it is on Google Drive, and gdown is not installed.
        DestinationError: an unregistered file is in the way.
        DiskError: the disk refused.
    """
    checkpoint, folder = named(name), Path(folder)
    progress = SilentProgress() if progress is None else progress
    if replace or look(checkpoint, folder).state != "present":
        _check_allowed(checkpoint, folder, forbidden_by, by_gdown=fetch is None)
    with locked(folder, waiting=lambda: progress.note(_busy(folder))):
        here = look(checkpoint, folder)
        if here.state == "present" and not replace:
            known: Known = "registry" if checkpoint.sha256 is None else "table"
            entry = folder_index.entries(folder)[name]
            return _report(checkpoint, folder, entry, how="present", compared_with=known)
        for note in _announcement(checkpoint):
            progress.note(note)
        if checkpoint.size is not None:
            check_space(folder, checkpoint.size, hint="free some space")
        part = _part(checkpoint, folder)
        try:
            _bring(checkpoint, part, fetch, patience, progress)
        except HubError as error:
            _remove_empty(part)
            message = f"{name} could not be fetched: {error.message}"
            raise type(error)(message, hint=_by_hand(checkpoint)) from error
        with _removed_at_the_end(part):
            return _put_in_place(
                checkpoint, folder, part, origin=checkpoint.url, replace=replace, how="downloaded"
            )


@disk_boundary("folder")
def register_weights(
    name: str,
    folder: str | os.PathLike[str],
    file: str | os.PathLike[str],
    *,
    replace: bool = False,
    progress: Progress | None = None,
) -> WeightsReport:
    """Copy a file that the user saved to its place and register it.

    Another process that uses the folder is waited for.

    Args:
        name: a name of `checkpoints`.
        folder: the folder of registered files; created if needed.
        file: the checkpoint; it stays where it is.
        replace: accept another file than the registered one, unless the table has its hash.
        progress: where to report to.

    Raises:
        UsageError: there is no such name, or no such file.
        IntegrityError: the file is not the known one, or not a checkpoint.
        DestinationError: an unregistered file is in the way.
        DiskError: the disk refused.
    """
    checkpoint, folder, file = named(name), Path(folder), Path(file)
    if not file.is_file():
        raise UsageError(f"there is no file {file}", hint="give the file that you saved")
    progress = SilentProgress() if progress is None else progress
    part = _part(checkpoint, folder)
    waiting = locked(folder, waiting=lambda: progress.note(_busy(folder)))
    with waiting, _removed_at_the_end(part):
        part.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, part)
        origin = str(file.resolve())
        return _put_in_place(
            checkpoint, folder, part, origin=origin, replace=replace, how="registered"
        )


def _check_allowed(
    checkpoint: Checkpoint, folder: Path, forbidden_by: str | None, *, by_gdown: bool
) -> None:
    """Refuse to fetch a checkpoint where the network is forbidden, or gdown is missing.

    Raises:
        UsageError: the network is forbidden.
        MissingExtraError: gdown is not installed.
    """
    name = checkpoint.name
    if forbidden_by is not None:
        raise UsageError(
            f"{name} would have to be fetched to {folder}, which {forbidden_by} forbids",
            hint=f"fetch it without {forbidden_by}: `download_weights({name!r}, {str(folder)!r})`",
        )
    if by_gdown and drive.file_id(checkpoint.url) is not None:
        drive.gdown_download()


def _announcement(checkpoint: Checkpoint) -> Iterator[str]:
    """What is about to be fetched, and on which terms."""
    amount = "size not known" if checkpoint.size is None else human_size(checkpoint.size)
    licence = f"licence {checkpoint.licence or 'not known'}"
    yield f"fetching {checkpoint.name} ({amount}, {licence}) from {checkpoint.url}"
    if checkpoint.terms is not None:
        yield f"terms of {checkpoint.name}: {checkpoint.terms}"


def _busy(folder: Path) -> str:
    return f"another process is writing {folder}; waiting for it"


def _part(checkpoint: Checkpoint, folder: Path) -> Path:
    """Where a checkpoint's bytes are collected; a download resumes what is there."""
    return folder / ".incoming" / checkpoint.name / checkpoint.file


@contextlib.contextmanager
def _removed_at_the_end(part: Path) -> Iterator[None]:
    try:
        yield
    finally:
        shutil.rmtree(part.parent, ignore_errors=True)
        _remove_empty(part)


def _remove_empty(part: Path) -> None:
    for folder in (part.parent, part.parent.parent):
        with contextlib.suppress(OSError):  # bytes are there, of this checkpoint or of another one
            folder.rmdir()


def _put_in_place(
    checkpoint: Checkpoint, folder: Path, part: Path, *, origin: str, replace: bool, how: How
) -> WeightsReport:
    """Compare new bytes with the known hash, register them, and give them their final name."""
    before = folder_index.entries(folder).get(checkpoint.name)
    final = folder / checkpoint.file
    if before is None and os.path.lexists(final) and origin != str(final.resolve()):
        raise DestinationError(
            f"{final} exists and was never registered",
            hint="if it is the right file, register it: "
            f"`register_weights({checkpoint.name!r}, {str(folder)!r}, {str(final)!r})`",
        )
    _check_start(checkpoint, part, origin)
    found = sha256(part)
    compared_with = _compare(
        checkpoint, origin, part.stat().st_size, found, None if replace else before
    )
    sync(part)
    stat = part.stat()
    entry = Entry(
        file=checkpoint.file,
        size=stat.st_size,
        sha256=found,
        mtime_ns=stat.st_mtime_ns,
        origin=origin,
        registered=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    folder_index.record(folder, checkpoint.name, entry)
    part.replace(final)
    return _report(checkpoint, folder, entry, how=how, compared_with=compared_with)


def _report(
    checkpoint: Checkpoint, folder: Path, entry: Entry, *, how: How, compared_with: Known | None
) -> WeightsReport:
    first = (
        f"no hash of {checkpoint.name} is published; the hash of this file is remembered, and "
        "later files of this name must match it"
    )
    return WeightsReport(
        checkpoint=checkpoint,
        how=how,
        path=folder / checkpoint.file,
        size=entry.size,
        sha256=entry.sha256,
        origin=entry.origin,
        registered=entry.registered,
        compared_with=compared_with,
        warnings=(first,) if compared_with is None else (),
    )


# ------------------------------------------------------------------------------ checks


def _check_start(checkpoint: Checkpoint, part: Path, origin: str) -> None:
    """Refuse a file that cannot be a checkpoint by its first bytes, such as a web page.

    Raises:
        IntegrityError: it cannot.
    """
    with part.open("rb") as file:
        start = file.read(FIRST_BYTES)
    is_archive = checkpoint.kind == "archive"
    if start.startswith(_TAR_GZ if is_archive else _NETWORK):
        return
    known = identify(start)
    if known is not None:
        what = known.what
    else:
        what = f"a file that begins with {start[:8]!r}" if start else "an empty file"
    wanted = "a tar.gz" if is_archive else "a checkpoint of PyTorch"
    raise IntegrityError(f"{origin}: this is {what}, not {wanted}", hint=_by_hand(checkpoint))


def _compare(
    checkpoint: Checkpoint, origin: str, size: int, found: str, before: Entry | None
) -> Known | None:
    """Compare a file with the known hash; return where that hash comes from.

    Raises:
        IntegrityError: it is another file.
    """
    what = f"{origin}: the sha256 is {found} ({size:,} bytes)"
    if checkpoint.sha256 not in {None, found} or checkpoint.size not in {None, size}:
        known = checkpoint.sha256 or f"{checkpoint.size:,} bytes"
        raise IntegrityError(
            f"{what}, but {checkpoint.name} is published with {known}",
            hint="download it again; or pass its path instead of the name",
        )
    if checkpoint.sha256 is not None:
        return "table"
    if before is None:
        return None
    if before.sha256 != found:
        raise IntegrityError(
            f"{what}, but {checkpoint.name} was registered on {before.registered} with "
            f"{before.sha256}",
            hint="download it again; or accept this file as the new one with `replace=True`",
        )
    return "registry"


# ------------------------------------------------------------------------------ the network


def _bring(
    checkpoint: Checkpoint,
    part: Path,
    fetch: Fetch | None,
    patience: Patience | None,
    progress: Progress,
) -> None:
    """Bring a checkpoint's bytes to `part`."""
    stop, say = threading.Event(), progress.note
    base, _, path = checkpoint.url.rpartition("/")
    with Site(base, patience=patience, stop=stop, say=say) as site:

        def bring(one: Checkpoint, on_bytes: Callable[[int], object]) -> None:
            if fetch is not None:
                fetch(one, part, on_bytes)
            elif drive.file_id(one.url) is not None:
                drive.fetch(one.url, part, on_bytes, patience=patience, stop=stop, say=say)
            else:
                site.fetch(path, part, on_bytes)
                forget(part)

        failures = Transfer(
            root=part.parent,
            name=lambda one: one.name,
            size=lambda one: one.size,
            have=lambda _: 0,
            bring=bring,
            abort=site.abort,
            again=False,
        ).run([checkpoint], jobs=1, progress=progress, title=f"fetching {checkpoint.name}")
    for error in failures.values():
        raise error


def _by_hand(checkpoint: Checkpoint) -> str:
    return (
        f"open {checkpoint.url} in a browser, save the file, then: "
        f"`register_weights({checkpoint.name!r}, FOLDER, FILE)`"
    )

"""The steps that take one file to its final name; a run may die after any of them.

`bring` leaves a file's bytes on the disk, proven by size and hash; `finish` makes of them what
stands in the dataset.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitalk.dataset.download import csv_merge, receipts
from unitalk.dataset.download.set_aside import BEFORE, set_aside
from unitalk.errors import DestinationError, IncompleteError
from unitalk.files import sync, unzip
from unitalk.layout import Layout
from unitalk.net import StoppedError
from unitalk.net.file_check import content_hash
from unitalk.net.timeouts import check_stop

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from unitalk.dataset.download.planning import Plan, PlannedFile
    from unitalk.net import Hub


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The context of all files' steps.

    Attributes:
        plan: what is done.
        hub: where bytes come from; None when all of them must be on the disk.
        stop: set when the work is to end.
        keep_archives: keep an archive that was unpacked.
        sources: folders in which whole files may lie, by their paths on the hub.
    """

    plan: Plan
    hub: Hub | None
    stop: threading.Event
    keep_archives: bool
    sources: tuple[Path, ...]

    @property
    def memory(self) -> Path:
        """The folder's memory."""
        return Layout(self.plan.root).memory

    def final(self, file: PlannedFile) -> Path:
        """Where a part stands when it is whole."""
        return Layout(self.plan.root).part(*file.where)

    def partial(self, file: PlannedFile) -> Path:
        """Where its bytes are collected."""
        return receipts.partial(self.plan.root, file.remote, *file.where)

    def staging(self, file: PlannedFile) -> Path:
        """Where its archive is unpacked."""
        return self.memory / "staging" / ".".join(file.where)

    def aside(self, file: PlannedFile) -> Path:
        """Where its older content waits until the new one is in place."""
        return self.memory / "old" / ".".join(file.where)

    def check_stop(self) -> None:
        """Raise `StoppedError` when the work is to end."""
        check_stop(self.stop)


# ------------------------------------------------------------------------------ the bytes


def bring(job: Job, file: PlannedFile, on_bytes: Callable[[int], object]) -> Path:
    """Have a file's bytes on the disk, whole; return where: a partial file's name, or a source.

    Raises:
        DestinationError: its final name is taken by what is not ours.
        IncompleteError: the bytes are nowhere, and there is no hub to ask.
        HubError: the hub refused, or could not be reached.
    """
    final = job.final(file)
    if file.state == "unproven" and not job.plan.adopting:
        raise DestinationError(
            f"{final} is there already, and no download put it there",
            hint="move it elsewhere, then run the command again",
        )
    partial = job.partial(file)
    for source in job.sources:
        local = source / file.path
        if local.is_file() and local.stat().st_size == file.size and local != final:
            job.check_stop()
            if content_hash(local, file.remote, job.check_stop) == file.hash:
                on_bytes(file.size)
                return local
    if job.hub is None:
        raise IncompleteError(
            f"{file.path}: no whole archive of it is kept",
            hint="download it, or copy it from where it was published",
        )
    job.hub.fetch(file.remote, job.plan.commit, partial, on_bytes)
    return partial


# ------------------------------------------------------------------------------ the final name


def finish(job: Job, file: PlannedFile, source: Path) -> None:
    """Turn complete bytes into the part of the dataset."""
    if file.part == "csv":
        csv_merge.check_rows(source, file.path)
        _put_in_place(job, file, _own(job, file, source))
    elif job.plan.archives_only:
        _keep(job, file, _own(job, file, source))
    else:
        _unpack(job, file, source)
        _put_in_place(job, file, job.staging(file))
        put_away(job, file)


def _own(job: Job, file: PlannedFile, source: Path) -> Path:
    """The bytes under the partial file's name; files of other folders are copied."""
    partial = job.partial(file)
    if source != partial:
        partial.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, partial)
    return partial


def _unpack(job: Job, file: PlannedFile, source: Path) -> None:
    staging = job.staging(file)
    shutil.rmtree(staging, ignore_errors=True)
    try:
        unzip(source, staging, top=file.video_id, on_member=job.check_stop)
    except StoppedError:
        raise  # an interrupt must not wait; the next run cleans up
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _put_in_place(job: Job, file: PlannedFile, source: Path) -> None:
    """Give a whole file or folder its final name, and remember whose content it is.

    Raises:
        DestinationError: there is something that no run of ours put there.
    """
    root, final, aside = job.plan.root, job.final(file), job.aside(file)
    final.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(final):
        # The receipt is written before the name is given, so whatever is ours has one.
        if receipts.hash_of(root, file.path) is not None:
            aside.parent.mkdir(parents=True, exist_ok=True)
            os.rename(final, aside)
        elif job.plan.adopting:
            set_aside(root, final, BEFORE)
        else:
            raise DestinationError(
                f"{final} is there already, and no download put it there",
                hint="move it elsewhere, then run the command again",
            )
    if file.part == "csv":
        sync(source)
    receipts.write(root, file.path, file.remote, job.plan.commit)
    os.rename(source, final)
    if aside.is_dir() and not aside.is_symlink():
        shutil.rmtree(aside)
    else:
        aside.unlink(missing_ok=True)


def put_away(job: Job, file: PlannedFile) -> None:
    """Delete the archive of a part that is in place, or keep it where the reader finds it."""
    partial = job.partial(file)
    if not job.keep_archives:
        partial.unlink(missing_ok=True)
    elif partial.exists():
        _keep(job, file, partial)


def _keep(job: Job, file: PlannedFile, archive: Path) -> None:
    root = job.plan.root
    kept = receipts.archive(root, file.path)
    kept.parent.mkdir(parents=True, exist_ok=True)
    sync(archive)
    receipts.write(root, receipts.archive_receipt(file.path), file.remote, job.plan.commit)
    os.replace(archive, kept)

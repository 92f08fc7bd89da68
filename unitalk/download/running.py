"""Fetch what a plan lists, and give each part its final name in steps that survive anything."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from unitalk import fsops
from unitalk.download import merging, planning
from unitalk.errors import (
    AccessError,
    DataError,
    DestinationError,
    DiskError,
    UnitalkError,
    UsageError,
)
from unitalk.hub import StoppedError
from unitalk.layout import SPLITS, Layout
from unitalk.progress import Progress, SilentProgress, Task
from unitalk.progress import size as human_size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from unitalk.download.planning import MissingVideo, Plan, PlannedFile
    from unitalk.hub import Hub

JOBS = 8
"""How many files are fetched at a time."""

_UNPACKED = 1.1
"""What crops and sounds unpack to, as a multiple of their archive: both hardly shrink in a zip."""

# What the next file would meet just as well.
_DISK_TROUBLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedFile:
    """A file that could not be had, and why."""

    path: str
    cause: str
    hint: str | None

    def to_dict(self) -> dict[str, str | None]:
        """Return the fields, JSON-ready."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadReport:
    """What a run did.

    Attributes:
        root: the dataset's folder.
        repository: where from.
        commit: the one that was downloaded.
        fetched: hub paths that this run put in place.
        present: hub paths that were in place before.
        failed: hub paths that could not be had.
        missing: what was asked for and is not on the hub.
        bytes_fetched: the size of what this run put in place, as packed.
        csv: the merged csv files, relative to the root, and the videos in each.
        warnings: what the reader should know.
    """

    root: Path
    repository: str
    commit: str
    fetched: tuple[str, ...]
    present: tuple[str, ...]
    failed: tuple[FailedFile, ...]
    missing: tuple[MissingVideo, ...]
    bytes_fetched: int
    csv: dict[str, int]
    warnings: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for is in place."""
        return not self.failed and not self.missing

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, JSON-ready."""
        return {
            "schema_version": 1,
            "root": str(self.root),
            "repository": self.repository,
            "commit": self.commit,
            "complete": self.complete,
            "fetched": list(self.fetched),
            "present": list(self.present),
            "failed": [file.to_dict() for file in self.failed],
            "missing": [video.to_dict() for video in self.missing],
            "bytes_fetched": self.bytes_fetched,
            "csv": dict(self.csv),
            "warnings": list(self.warnings),
        }


def run(
    plan: Plan,
    hub: Hub,
    *,
    jobs: int = JOBS,
    keep_archives: bool = False,
    progress: Progress | None = None,
) -> DownloadReport:
    """Fetch what a plan lists and merge the csv files of each split.

    A file that fails is tried once more at the end, then reported; files that arrived stay.

    Args:
        plan: what `plan` decided.
        hub: where from; after an error or an interrupt it is stopped for good.
        jobs: how many files at a time.
        keep_archives: keep each archive, as `archives/<its path on the hub>` in the dataset's
            folder. What was deleted before is not fetched again for that.
        progress: where to report to.

    Raises:
        DestinationError: the folder is not ours, or another process is writing it.
        AccessError: the hub does not let us in.
        UnitalkError: the disk is full.
    """
    if jobs < 1:
        raise UsageError(f"{jobs} jobs cannot fetch a file", hint="give 1 or more")
    with fsops.locked(plan.root):
        plan = _renewed(plan)
        _check_space(plan, jobs=jobs, keep_archives=keep_archives)
        _claim(plan)
        job = _Job(plan=plan, hub=hub, keep_archives=keep_archives)
        _tidy(job)
        failures = _fetch_all(job, jobs, SilentProgress() if progress is None else progress)
        _tidy(job)
        merged = merging.merge_splits(plan)
    fetched = [file for file in plan.to_fetch if file.remote.path not in failures]
    return DownloadReport(
        root=plan.root,
        repository=plan.repository,
        commit=plan.commit,
        fetched=tuple(file.remote.path for file in fetched),
        present=tuple(file.remote.path for file in plan.files if file.present),
        failed=tuple(_failed(path, error) for path, error in failures.items()),
        missing=plan.missing,
        bytes_fetched=sum(file.remote.size for file in fetched),
        csv=merged,
        warnings=(*plan.notes, *hub.warnings.values()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What the steps of all files share."""

    plan: Plan
    hub: Hub
    keep_archives: bool

    @property
    def memory(self) -> Path:
        return Layout(self.plan.root).memory

    def final(self, file: PlannedFile) -> Path:
        return Layout(self.plan.root).part(file.part, file.split, file.video_id)

    def partial(self, file: PlannedFile) -> Path:
        # The hash, so that no two contents are ever mixed; the rest, as two files may have one.
        name = f"{file.remote.hash}.{file.part}.{file.split}.{file.video_id}.part"
        return self.memory / "parts" / name

    def staging(self, file: PlannedFile) -> Path:
        return self.memory / "staging" / f"{file.part}.{file.split}.{file.video_id}"

    def aside(self, file: PlannedFile) -> Path:
        return self.memory / "old" / f"{file.part}.{file.split}.{file.video_id}"


def _renewed(plan: Plan) -> Plan:
    """The plan with what is present now, when nobody else can change it."""
    files = (
        replace(f, present=planning.is_present(plan.root, f.remote, f.part, f.split, f.video_id))
        for f in plan.files
    )
    return replace(plan, files=tuple(files))


def _claim(plan: Plan) -> None:
    """Mark the folder, if it still is the one that the plan was made for."""
    pinned = planning.pinned_commit(plan.root, plan.repository)
    if pinned is None:
        about = {"repository": plan.repository, "commit": plan.commit}
        fsops.mark(plan.root, made_by=planning.MADE_BY, about=about)
    elif pinned != plan.commit:
        raise UsageError(
            f"{plan.root} belongs to commit {pinned}, and the plan is for {plan.commit}",
            hint="plan again",
        )
    tree_file = planning.tree_file(plan.root, plan.commit)
    if planning.remembered_tree(plan.root, plan.commit) is None:
        fsops.write_json(tree_file, [asdict(file) for file in plan.tree])


def _tidy(job: _Job) -> None:
    """Remove what a killed run left: half-unpacked folders, and archives that are in place."""
    for name in ("staging", "old"):
        shutil.rmtree(job.memory / name, ignore_errors=True)
    csv = Layout(job.plan.root).csv(SPLITS[0]).parent
    for unfinished in (*csv.glob(".*.csv.*.part"), *job.memory.rglob(".*.json.*.part")):
        unfinished.unlink()
    for file in job.plan.files:
        if file.present and file.part != "csv":
            _put_away(job, file)
    with contextlib.suppress(OSError):  # partial files are in it, for the next run
        (job.memory / "parts").rmdir()


def _check_space(plan: Plan, *, jobs: int, keep_archives: bool) -> None:
    """Compare the free space with what the files to fetch will take.

    The listing has packed sizes only. Counted are: what the archives unpack to, by a fixed ratio;
    the archives that are on the disk at a time, which are at most `jobs` (the largest), or all
    when they are kept; each csv twice, as it is merged too. Partial files already have their space.

    Raises:
        UnitalkError: there is less.
    """
    sizes: dict[bool, list[int]] = {True: [], False: []}
    for file in plan.to_fetch:
        sizes[file.part == "csv"].append(file.remote.size)
    archives = sorted(sizes[False], reverse=True)
    at_a_time = sum(archives if keep_archives else archives[:jobs])
    with contextlib.suppress(FileNotFoundError):
        parts = Layout(plan.root).memory / "parts"
        at_a_time -= min(at_a_time, sum(part.stat().st_size for part in parts.iterdir()))
    needed = int(sum(archives) * _UNPACKED) + at_a_time + 2 * sum(sizes[True])
    free = fsops.free_bytes(plan.root)
    if needed > free:
        raise UnitalkError(
            f"{plan.root}: about {human_size(needed)} are needed and {human_size(free)} are free",
            hint="free some space, or ask for less: a split, a category, some videos, one part",
        )


# ------------------------------------------------------------------------------ many files


def _fetch_all(job: _Job, jobs: int, progress: Progress) -> dict[str, Exception]:
    """Fetch what is to fetch; return why which files failed."""
    files = job.plan.to_fetch
    if not files:
        return {}
    total = sum(file.remote.size for file in files)
    with progress.task("downloading", total=total, unit="B") as task:
        failures = _fetch_set(job, files, jobs, task)
        # What is wrong in bytes that are proven whole is wrong the second time too.
        again = [f for f in files if _may_pass(failures.get(f.remote.path))]
        if again:
            progress.note(f"trying {len(again)} failed files once more")
            for file in again:
                del failures[file.remote.path]
            failures |= _fetch_set(job, again, jobs, task)
    return failures


def _may_pass(error: Exception | None) -> bool:
    return error is not None and not isinstance(error, (DataError, DestinationError))


def _fetch_set(
    job: _Job, files: Sequence[PlannedFile], jobs: int, task: Task
) -> dict[str, Exception]:
    """Fetch some files, several at a time; a failure is a value.

    Raises:
        UnitalkError: what would stop every other file too; the others are stopped first.
    """
    failures: dict[str, Exception] = {}
    pool = ThreadPoolExecutor(min(jobs, len(files)), thread_name_prefix="download")
    try:
        pending = {pool.submit(_obtain, job, file, task): file for file in files}
        while pending:
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                file = pending.pop(future)
                try:
                    future.result()
                except (UnitalkError, OSError) as error:
                    _raise_fatal(job, error)
                    failures[file.remote.path] = error
    except BaseException:
        # An interrupt, too: threads end at their next block, partial files stay.
        job.hub.abort()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return {f.remote.path: failures[f.remote.path] for f in files if f.remote.path in failures}


def _raise_fatal(job: _Job, error: UnitalkError | OSError) -> None:
    """Raise what would stop every other file too."""
    if isinstance(error, (AccessError, StoppedError)):
        raise error
    if isinstance(error, OSError) and error.errno in _DISK_TROUBLE:
        raise DiskError(
            f"{job.plan.root}: {error.strerror}",
            hint="what has arrived is kept; make room, then run the same command to continue",
        ) from error


def _failed(path: str, error: Exception) -> FailedFile:
    return FailedFile(path=path, cause=str(error), hint=getattr(error, "hint", None))


# ------------------------------------------------------------------------------ one file


def _obtain(job: _Job, file: PlannedFile, task: Task) -> None:
    """Bring one file from the hub to its final name; the steps are drawn at the top."""
    counted = 0

    def count(amount: int) -> None:
        nonlocal counted
        counted += amount
        task.advance(amount)

    try:
        job.hub.fetch(file.remote, job.plan.commit, job.partial(file), count)
        if file.part == "csv":
            merging.check_rows(job.partial(file), file.remote.path)
            _put_in_place(job, file, job.partial(file))
        else:
            _unpack(job, file)
            _put_in_place(job, file, job.staging(file))
            _put_away(job, file)
    except StoppedError:
        raise  # what has come stays, so it stays counted
    except Exception:
        task.advance(-counted)  # the second try counts it again
        raise


def _unpack(job: _Job, file: PlannedFile) -> None:
    staging = job.staging(file)
    shutil.rmtree(staging, ignore_errors=True)
    try:
        fsops.unzip(job.partial(file), staging, top=file.video_id, on_member=job.hub.check_stop)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _put_in_place(job: _Job, file: PlannedFile, source: Path) -> None:
    """Give a whole file or folder its final name, and remember whose content it is.

    Raises:
        DestinationError: there is something that no run of ours put there.
    """
    final, aside = job.final(file), job.aside(file)
    final.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(final):
        # The receipt is written before the name is given, so whatever is ours has one.
        if planning.receipted_hash(job.plan.root, file.remote.path) is None:
            raise DestinationError(
                f"{final} is there already, and no download put it there",
                hint="move it elsewhere, then run the command again",
            )
        aside.parent.mkdir(parents=True, exist_ok=True)
        os.rename(final, aside)
    receipt = {"size": file.remote.size, "hash": file.remote.hash}
    fsops.write_json(planning.receipt_path(job.plan.root, file.remote.path), receipt)
    os.rename(source, final)
    if aside.is_dir() and not aside.is_symlink():
        shutil.rmtree(aside)
    else:
        aside.unlink(missing_ok=True)


def _put_away(job: _Job, file: PlannedFile) -> None:
    """Delete the archive of a part that is in place, or keep it where the reader finds it."""
    archive = job.partial(file)
    if not job.keep_archives:
        archive.unlink(missing_ok=True)
    elif archive.exists():
        kept = job.plan.root / "archives" / file.remote.path
        kept.parent.mkdir(parents=True, exist_ok=True)
        os.replace(archive, kept)

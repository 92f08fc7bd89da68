"""Carries out a plan: claims the folder, transfers its files, merges the csv files, reports."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections import deque
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from unitalk.dataset.download import adoption, csv_merge, failures, planning, receipts, video_steps
from unitalk.dataset.download.planning import PlannedFile
from unitalk.dataset.download.set_aside import WITHDRAWN, set_aside
from unitalk.dataset.download.video_steps import Job
from unitalk.errors import AccessError, UsageError
from unitalk.files import disk_errors, locked, mark, write_json
from unitalk.layout import ARCHIVES, PUBLISHED_SPLITS, Layout, parse_hub_path
from unitalk.net.part_file import size_of
from unitalk.net.transfer import JOBS, FailedFile, Transfer, check_space
from unitalk.progress import Progress, SilentProgress
from unitalk.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from unitalk.dataset.download.planning import MissingVideo, Plan
    from unitalk.net import Hub

_UNPACKED = 1.1
"""The unpacked size of crops and sounds, as a multiple of their archive's: both hardly shrink."""

_LESS = "free some space, or ask for less: a split, a category, some videos, one part"


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadReport(Report):
    """The result of a download.

    Attributes:
        root: the dataset's folder.
        repository: the source repository.
        commit: the downloaded commit.
        fetched: hub paths that this run fetched from the hub.
        unpacked: hub paths that this run made of files on the disk.
        adopted: hub paths whose existing files looked whole and were kept; media are unhashed.
        present: hub paths that were in place before.
        failed: files that could not be fetched or unpacked.
        missing: requested videos that the hub lacks.
        withdrawn: hub paths that the commit no longer has; moved to `withdrawn/`.
        bytes_fetched: the packed size of the fetched files.
        csv: the merged csv files, relative to the root, and the number of videos in each.
        failed_list: the file with the ids of the incomplete videos.
        warnings: notes for the reader.
    """

    schema_version: ClassVar = 1
    computed: ClassVar = ("complete",)

    root: Path
    repository: str
    commit: str
    fetched: tuple[str, ...]
    unpacked: tuple[str, ...]
    adopted: tuple[str, ...]
    present: tuple[str, ...]
    failed: tuple[FailedFile, ...]
    missing: tuple[MissingVideo, ...]
    withdrawn: tuple[str, ...]
    bytes_fetched: int
    csv: dict[str, int]
    failed_list: Path | None
    warnings: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether everything requested is in place."""
        return not self.failed and not self.missing


def run_download(
    plan: Plan,
    hub: Hub | None,
    *,
    jobs: int = JOBS,
    keep_archives: bool = False,
    sources: Iterable[Path] = (),
    progress: Progress | None = None,
) -> DownloadReport:
    """Carry out a plan, and merge the csv files of each split.

    A file that fails is tried once more at the end, then reported; files that arrived stay.

    Args:
        plan: the result of `plan_download`.
        hub: the source; stopped for good after an error or an interrupt. None: use only files on
            the disk.
        jobs: how many files at a time.
        keep_archives: keep each archive, as `archives/<its path on the hub>` in the dataset's
            folder. Archives that were deleted before are not fetched again.
        sources: folders that may contain files under their hub paths; whole ones are used instead
            of fetched, and stay where they are.
        progress: where to report to.

    Raises:
        DestinationError: the folder is not ours, or another process is writing it.
        AccessError: the hub does not let us in.
        UnitalkError: the disk is full.
    """
    if jobs < 1:
        raise UsageError(f"{jobs} jobs cannot fetch a file", hint="give 1 or more")
    progress = SilentProgress() if progress is None else progress
    with disk_errors(plan.root), locked(plan.root):
        # Existing files that may be adopted take no room; those to replace are counted later.
        expected = [file for file in plan.to_do if file.state != "unproven"]
        _check_space(plan, expected, jobs=jobs, keep_archives=keep_archives)
        _claim(plan)
        plan = _renewed(plan)
        job = Job(
            plan=plan,
            hub=hub,
            stop=threading.Event() if hub is None else hub.stop,
            keep_archives=keep_archives,
            sources=(plan.root / ARCHIVES, *sources),
        )
        _tidy(job)
        _withdraw(plan)
        done = _work(job, jobs, progress)
        _tidy(job)
        merged = csv_merge.merge_splits(plan)
        return _report(job, done, merged)


@dataclass(slots=True)
class _Done:
    """The outcome for the files of a plan, by hub path."""

    adopted: list[str] = field(default_factory=list)
    local: set[str] = field(default_factory=set)
    failures: dict[str, Exception] = field(default_factory=dict)

    def open(self, files: Iterable[PlannedFile]) -> list[PlannedFile]:
        """Those of some files that are not settled."""
        settled = self.failures.keys() | set(self.adopted)
        return [file for file in files if file.path not in settled]


def _work(job: Job, jobs: int, progress: Progress) -> _Done:
    done, to_do = _Done(), job.plan.to_do
    title = "unpacking" if job.hub is None else "downloading"
    transfer = _transfer(job, done.local)
    if not job.plan.adopting:
        done.failures = transfer.run(_in_turn(to_do), jobs=jobs, progress=progress, title=title)
        return done
    # The published csv files come first, as the files that are there are judged by them.
    done.adopted = adoption.adopt_csv(job)
    rows = done.open(file for file in to_do if file.part == "csv")
    done.failures = transfer.run(rows, jobs=jobs, progress=progress, title=title)
    done.adopted += adoption.adopt_media(job, jobs, progress)
    media = done.open(file for file in to_do if file.part != "csv")
    _check_space(job.plan, media, jobs=jobs, keep_archives=job.keep_archives)
    done.failures |= transfer.run(_in_turn(media), jobs=jobs, progress=progress, title=title)
    return done


def _transfer(job: Job, local: set[str]) -> Transfer[PlannedFile, Path]:
    """How the files of a plan are transferred; `local` collects those that were on the disk."""

    def bring(file: PlannedFile, on_bytes: Callable[[int], object]) -> Path:
        source = video_steps.bring(job, file, on_bytes)
        if source != job.partial(file):
            local.add(file.path)
        return source

    return Transfer(
        root=job.plan.root,
        name=lambda file: file.path,
        size=lambda file: file.size,
        have=lambda file: size_of(job.partial(file)),
        bring=bring,
        finish=lambda file, source: video_steps.finish(job, file, source),
        abort=job.stop.set if job.hub is None else job.hub.abort,
        fatal=(AccessError,),
    )


def _in_turn(files: Sequence[PlannedFile]) -> list[PlannedFile]:
    """The csv files first: they are small, and nothing is of use without them.

    Then the largest and the smallest archive in turn, so that unpacking starts at once and no
    large archive is left alone at the end.
    """
    rows = [file for file in files if file.part == "csv"]
    archives = deque(sorted((f for f in files if f.part != "csv"), key=lambda f: -f.remote.size))
    while archives:
        rows.append(archives.popleft())
        if archives:
            rows.append(archives.pop())
    return rows


def _report(job: Job, done: _Done, merged: dict[str, int]) -> DownloadReport:
    plan = job.plan
    new = done.open(plan.to_do)
    fetched = [file for file in new if file.path not in done.local]
    asked = {file.video_id for file in plan.files}
    unlucky = [file.video_id for file in plan.files if file.path in done.failures]
    notes = list(plan.notes)
    if unhashed := [path for path in done.adopted if not path.startswith("csv/")]:
        notes.append(
            f"{len(unhashed):,} parts were there and look whole; they are kept, and no hash "
            f"proves them; `verify_dataset({str(plan.root)!r}, deep=True)` looks further, "
            "`refetch=True` fetches them"
        )
    return DownloadReport(
        root=plan.root,
        repository=plan.repository,
        commit=plan.commit,
        fetched=tuple(file.path for file in fetched),
        unpacked=tuple(file.path for file in new if file.path in done.local),
        adopted=tuple(done.adopted),
        present=tuple(file.path for file in plan.files if file.present),
        failed=tuple(FailedFile.of(path, error) for path, error in done.failures.items()),
        missing=plan.missing,
        withdrawn=plan.withdrawn,
        bytes_fetched=sum(file.size for file in fetched),
        csv=merged,
        failed_list=failures.update(plan.root, asked=asked, failed=unlucky),
        warnings=(*notes, *(() if job.hub is None else job.hub.warnings.values())),
    )


# ------------------------------------------------------------------------------ the folder


def _claim(plan: Plan) -> None:
    """Mark the folder, if it still is the one that the plan was made for."""
    folder = planning.look_at(plan.root, plan.repository, adopt=plan.adopting)
    if folder.commit not in {None, plan.commit, plan.previous}:
        raise UsageError(
            f"{plan.root} belongs to commit {folder.commit}, and the plan is for {plan.commit}",
            hint="plan again",
        )
    if receipts.remembered_tree(plan.root, plan.commit) is None:
        listing = [asdict(file) for file in plan.tree]
        write_json(receipts.tree_file(plan.root, plan.commit), listing)
    if folder.commit != plan.commit:
        about = {"repository": plan.repository, "commit": plan.commit}
        adopted = {"adopted": True} if plan.adopting else {}
        mark(plan.root, made_by=planning.MADE_BY, about={**about, **adopted})
    if plan.refetch:
        for file in plan.files:
            path = file.path
            only_archive = plan.archives_only and file.part != "csv"
            receipts.void(plan.root, receipts.archive_receipt(path) if only_archive else path)


def _renewed(plan: Plan) -> Plan:
    """The plan with the present state of the disk, which nobody else can change now."""
    files = (
        PlannedFile.found(plan.root, file.remote, file.where, archives_only=plan.archives_only)
        for file in plan.files
    )
    return replace(plan, files=tuple(files))


def _tidy(job: Job) -> None:
    """Remove what a killed run left: half-unpacked folders, and archives that are in place."""
    for name in ("staging", "old"):
        shutil.rmtree(job.memory / name, ignore_errors=True)
    csv = Layout(job.plan.root).csv(PUBLISHED_SPLITS[0]).parent
    unfinished = [*csv.glob(".*.csv.*.part"), *job.memory.rglob(".*.json.*.part")]
    for leftover in (*unfinished, *job.plan.root.glob(f".{failures.FILE}.*.part")):
        leftover.unlink()
    current = receipts.tree_file(job.plan.root, job.plan.commit)
    for listing in job.memory.glob("tree-*.json"):
        if listing != current:
            listing.unlink()
    for file in job.plan.files:
        if file.present and file.part != "csv":
            video_steps.put_away(job, file)
    with contextlib.suppress(OSError):  # partial files are in it, for the next run
        (job.memory / "parts").rmdir()


def _withdraw(plan: Plan) -> None:
    """Move what the commit does not have out of the dataset; nothing is deleted."""
    for path in plan.withdrawn:
        where = parse_hub_path(path)
        if where is not None:
            part, split, video_id = where
            final = Layout(plan.root).part(part, split, video_id)
            if os.path.lexists(final):
                set_aside(plan.root, final, WITHDRAWN)
        receipts.store(plan.root).remove(path)


def _check_space(
    plan: Plan, files: Sequence[PlannedFile], *, jobs: int, keep_archives: bool
) -> None:
    """Compare the free space with what files of a plan will take.

    The listing has packed sizes only. Counted are: the unpacked files, by a fixed ratio; the
    archives that are on the disk at a time, at most twice `jobs` (the largest), or all when they
    are kept; each csv twice, as it is merged too. Partial files already have their space.

    Raises:
        UnitalkError: there is less.
    """
    to_fetch = [file for file in files if file.state != "archived"]
    if plan.archives_only:
        unpacked, at_a_time = 0, sum(_sizes(to_fetch, csv=False))
    else:
        unpacked = int(sum(_sizes(files, csv=False)) * _UNPACKED)
        fetched = sorted(_sizes(to_fetch, csv=False), reverse=True)
        at_a_time = sum(fetched if keep_archives else fetched[: 2 * jobs])
    with contextlib.suppress(FileNotFoundError):
        parts = Layout(plan.root).memory / "parts"
        at_a_time -= min(at_a_time, sum(part.stat().st_size for part in parts.iterdir()))
    needed = unpacked + at_a_time + 2 * sum(_sizes(files, csv=True))
    check_space(plan.root, needed, hint=_LESS)


def _sizes(files: Sequence[PlannedFile], *, csv: bool) -> list[int]:
    return [file.size for file in files if (file.part == "csv") == csv]

"""Fetch AVA's videos: those that a plan lists, in parallel; run again to continue.

A video stands under its final name, `<folder>/<split>/<file>`, when it is whole::

    bytes -> .unitalk/parts/, with what the server said of them; size and MD5 compared
          -> written down in .unitalk/ava_videos.json
          -> renamed to the final name

A run that dies between any two of them is continued by the next.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from unitalk.dataset.ava import fetched_files
from unitalk.dataset.ava.ava_lists import AVA_SPLITS
from unitalk.dataset.ava.ava_planning import AvaPlan, PlannedVideo, plan
from unitalk.dataset.ava.fetch_threads import JOBS, each
from unitalk.dataset.ava.fetched_files import Receipt, Receipts
from unitalk.dataset.download import FailedFile, failures
from unitalk.errors import (
    DataError,
    DestinationError,
    DiskError,
    NotFoundError,
    UnitalkError,
)
from unitalk.files import disk_error, disk_errors, free_bytes, locked, sync
from unitalk.net import StoppedError
from unitalk.net.site import Site, forget, md5_of
from unitalk.progress import Progress, SilentProgress
from unitalk.progress import size as human_size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from unitalk.net.site import SiteFile
    from unitalk.progress import Task

__all__ = ["BASE_URL", "JOBS", "AvaPlan", "AvaReport", "PlannedVideo", "plan", "run"]

BASE_URL = "https://s3.amazonaws.com/ava-dataset"
"""Where AVA's videos are published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AvaReport:
    """What a run did.

    Attributes:
        root: the folder with the videos.
        base_urls: where from, in order of preference.
        fetched: files that this run put in place.
        adopted: files that stood there, and are of the size (and the MD5, where one is announced)
            that the server says.
        present: files that were in place before.
        failed: files that could not be had.
        missing: files that are in a list and not on the server.
        unknown: ids that were asked for and are in no list.
        bytes_fetched: the size of what was fetched.
        failed_list: where the ids of the videos stand that could not be had.
        warnings: what the reader should know.
    """

    root: Path
    base_urls: tuple[str, ...]
    fetched: tuple[str, ...]
    adopted: tuple[str, ...]
    present: tuple[str, ...]
    failed: tuple[FailedFile, ...]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    bytes_fetched: int
    failed_list: Path | None
    warnings: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for is in place."""
        return not (self.failed or self.missing or self.unknown)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, JSON-ready."""
        return {
            "schema_version": 1,
            "root": str(self.root),
            "base_urls": list(self.base_urls),
            "complete": self.complete,
            "fetched": list(self.fetched),
            "adopted": list(self.adopted),
            "present": list(self.present),
            "failed": [file.to_dict() for file in self.failed],
            "missing": list(self.missing),
            "unknown": list(self.unknown),
            "bytes_fetched": self.bytes_fetched,
            "failed_list": None if self.failed_list is None else str(self.failed_list),
            "warnings": list(self.warnings),
        }


def run(
    plan: AvaPlan, site: Site, *, jobs: int = JOBS, progress: Progress | None = None
) -> AvaReport:
    """Bring what a plan lists to its place.

    A file that fails is tried once more at the end, then reported; files that arrived stay.

    Args:
        plan: what `plan` decided.
        site: where from; after an error or an interrupt it is stopped for good.
        jobs: how many files at a time.
        progress: where to report to.

    Raises:
        DestinationError: another process is writing the folder.
        UnitalkError: the disk is full, or will be.
    """
    progress = SilentProgress() if progress is None else progress
    with disk_errors(plan.root), locked(plan.root):
        _check_space(plan)
        _tidy(plan)
        work = _Work(root=plan.root, site=site, receipts=Receipts(plan.root))
        _carry_out(work, plan.to_do, jobs, progress)
        _tidy(plan)
        return _report(plan, work)


@dataclass(slots=True, kw_only=True)
class _Work:
    """Files under way, and what became of those that are done."""

    root: Path
    site: Site
    receipts: Receipts
    sizes: dict[str, int] = field(default_factory=dict)
    adopted: list[str] = field(default_factory=list)
    unhashed: list[str] = field(default_factory=list)
    failures: dict[str, Exception] = field(default_factory=dict)

    def bring(self, video: PlannedVideo, task: Task) -> Literal["fetched", "adopted"]:
        """Have one file under its final name; in a thread of its own."""
        if video.state == "unproven":
            self._adopt(video)
            return "adopted"
        known, counted = video.have, video.have

        def count(amount: int) -> None:
            # What was there when the bar began is in it already.
            nonlocal known, counted
            counted += amount - known
            amount, known = amount - known, 0
            if amount:
                task.advance(amount)

        part = fetched_files.part(self.root, video.path)
        try:
            told = self.site.fetch(video.path, part, count)
        except StoppedError:
            raise  # what has come stays, so it stays counted
        except Exception:
            task.advance(-counted)  # the second try counts it again
            raise
        final = self.root / video.path
        sync(part)
        final.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(final) and video.path not in self.receipts:
            raise _in_the_way(final)
        self._write_down(video, told, part.stat().st_size)
        os.replace(part, final)
        forget(part)
        return "fetched"

    def _adopt(self, video: PlannedVideo) -> None:
        """Take a file for ours that stands there, if it is what the server has.

        Raises:
            DestinationError: it is not.
        """
        final = self.root / video.path
        if not final.is_file():
            raise _in_the_way(final)
        told = self.site.look(video.path)
        size = final.stat().st_size
        right = told.size == size
        if right and told.md5 is not None:
            right = md5_of(final, self.site.check_stop) == told.md5
        if not right:
            raise _in_the_way(final)
        self._write_down(video, told, size)
        if told.md5 is None:
            self.unhashed.append(video.path)

    def _write_down(self, video: PlannedVideo, told: SiteFile, size: int) -> None:
        receipt = Receipt(size=size, validator=told.validator, md5=told.md5, base_url=told.endpoint)
        self.receipts.write(video.path, receipt)
        self.sizes[video.path] = size


def _in_the_way(final: Path) -> DestinationError:
    return DestinationError(
        f"{final} is there already, and is not the file that the server has",
        hint="move it elsewhere, then run the command again",
    )


def _carry_out(work: _Work, videos: Sequence[PlannedVideo], jobs: int, progress: Progress) -> None:
    """Bring files; what fails is tried once more."""
    if not videos:
        return

    def done(video: PlannedVideo, outcome: str | Exception) -> None:
        if isinstance(outcome, Exception):
            _raise_fatal(outcome, work.root)
            work.failures[video.path] = outcome
        elif outcome == "adopted":
            work.adopted.append(video.path)

    sizes = [video.size for video in videos if video.state == "absent"]
    total = sum(size or 0 for size in sizes) if None not in sizes else None
    there = sum(video.have for video in videos)
    with progress.task("downloading", total=total, unit="B", done=there) as task:
        each(work.site, lambda video: work.bring(video, task), videos, jobs=jobs, done=done)
        again = [v for v in videos if _may_pass(work.failures.get(v.path))]
        if again:
            progress.note(f"trying {len(again)} failed files once more")
            for video in again:
                del work.failures[video.path]
            later = [replace(video, have=0) for video in again]  # nothing of them is counted
            each(work.site, lambda video: work.bring(video, task), later, jobs=jobs, done=done)


def _may_pass(error: Exception | None) -> bool:
    lasting = (DataError, DestinationError, NotFoundError)
    return error is not None and not isinstance(error, lasting)


def _raise_fatal(error: Exception, root: Path) -> None:
    """Raise what would stop every other file too."""
    if isinstance(error, (StoppedError, DiskError)):
        raise error
    if isinstance(error, OSError) and (refused := disk_error(error, root)):
        raise DiskError(
            refused.message, hint=f"what has arrived is kept; {refused.hint}"
        ) from error


def _report(plan: AvaPlan, work: _Work) -> AvaReport:
    done = [video for video in plan.to_do if video.path not in work.failures]
    new = [video.path for video in done if video.path not in work.adopted]
    lost = {p for p, error in work.failures.items() if isinstance(error, NotFoundError)}
    failed = [
        FailedFile(path=path, cause=str(error), hint=getattr(error, "hint", None))
        for path, error in sorted(work.failures.items())
        if path not in lost
    ]
    warnings = list(work.site.warnings.values())
    if work.unhashed:
        warnings.append(
            f"{len(work.unhashed):,} files were there and have the size that the server says; "
            "they are kept, and no hash proves them"
        )
    return AvaReport(
        root=plan.root,
        base_urls=plan.base_urls,
        fetched=tuple(new),
        adopted=tuple(sorted(work.adopted)),
        present=tuple(video.path for video in plan.videos if video.state == "present"),
        failed=tuple(failed),
        missing=tuple(sorted({*plan.missing, *lost})),
        unknown=plan.unknown,
        bytes_fetched=sum(work.sizes[path] for path in new),
        failed_list=failures.update(
            plan.root,
            asked=(video.video_id for video in plan.videos),
            failed=(v.video_id for v in plan.videos if v.path in work.failures.keys() - lost),
            verb="ava download",
        ),
        warnings=tuple(warnings),
    )


# ------------------------------------------------------------------------------ the folder


def _check_space(plan: AvaPlan) -> None:
    """Compare the free space with what the files will take, as far as their sizes are known.

    Raises:
        UnitalkError: there is less.
    """
    needed, free = plan.bytes_to_fetch, free_bytes(plan.root)
    if needed > free:
        raise UnitalkError(
            f"{plan.root}: about {human_size(needed)} are needed and {human_size(free)} are free",
            hint="free some space, or ask for less: a split, some videos, a limit",
        )


def _tidy(plan: AvaPlan) -> None:
    """Remove what a killed run left beside files that are in place."""
    parts = fetched_files.part(plan.root, "x").parent
    for video in plan.videos:
        if video.state == "present":
            part = fetched_files.part(plan.root, video.path)
            part.unlink(missing_ok=True)
            forget(part)
    for folder in (*(parts / split for split in AVA_SPLITS), parts):
        with contextlib.suppress(OSError):  # partial files are in it, for the next run
            folder.rmdir()

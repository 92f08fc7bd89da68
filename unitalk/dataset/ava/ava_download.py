"""Fetches the AVA videos of a plan, in parallel; run it again to continue.

A video stands under its final name, `<folder>/<split>/<file>`, when it is whole::

    bytes -> .unitalk/parts/, with what the server said of them; size and MD5 compared
          -> written down in .unitalk/ava_videos.json
          -> renamed to the final name

A run that dies between any two of them is continued by the next.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, ClassVar

from unitalk.dataset.ava import fetched_files
from unitalk.dataset.ava.ava_lists import AVA_SPLITS
from unitalk.dataset.ava.ava_planning import AvaPlan, PlannedVideo, plan_ava
from unitalk.dataset.ava.fetched_files import Receipt
from unitalk.dataset.download import failures
from unitalk.errors import DestinationError, NotFoundError
from unitalk.files import disk_errors, locked, sync
from unitalk.net.site import Site, forget, md5_of
from unitalk.net.transfer import JOBS, FailedFile, Transfer, check_space
from unitalk.progress import Progress, SilentProgress
from unitalk.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unitalk.files.resume import ReceiptBook
    from unitalk.net.site import SiteFile

__all__ = ["BASE_URL", "JOBS", "AvaPlan", "AvaReport", "PlannedVideo", "download_ava", "plan_ava"]

BASE_URL = "https://s3.amazonaws.com/ava-dataset"
"""Where AVA's videos are published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AvaReport(Report):
    """The result of a download.

    Attributes:
        root: the folder of the videos.
        base_urls: the sources, in order of preference.
        fetched: files that this run fetched.
        adopted: existing files that have the server's size and, where it announces one, MD5.
        present: files that were in place before.
        failed: files that could not be fetched.
        missing: files that are in a list and not on the server.
        unknown: requested ids that are in no list.
        bytes_fetched: the size of the fetched files.
        failed_list: the file with the ids of the videos that could not be fetched.
        warnings: notes for the reader.
    """

    schema_version: ClassVar = 1
    computed: ClassVar = ("complete",)

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
        """Whether everything requested is in place."""
        return not (self.failed or self.missing or self.unknown)


def download_ava(
    plan: AvaPlan, site: Site, *, jobs: int = JOBS, progress: Progress | None = None
) -> AvaReport:
    """Carry out a plan.

    A file that fails is tried once more at the end, then reported; files that arrived stay.

    Args:
        plan: the result of `plan_ava`.
        site: the source; stopped for good after an error or an interrupt.
        jobs: how many files at a time.
        progress: where to report to.

    Raises:
        DestinationError: another process is writing the folder.
        UnitalkError: the disk is full, or will be.
    """
    progress = SilentProgress() if progress is None else progress
    with disk_errors(plan.root), locked(plan.root):
        less = "free some space, or ask for less: a split, some videos, a limit"
        check_space(plan.root, plan.bytes_to_fetch, hint=less)
        _tidy(plan)
        work = _Work(root=plan.root, site=site, receipts=fetched_files.book(plan.root))
        transfer = Transfer(
            root=plan.root,
            name=lambda video: video.path,
            size=lambda video: video.size if video.state == "absent" else 0,
            have=lambda video: video.have,
            bring=work.bring,
            finish=work.finish,
            abort=site.abort,
        )
        work.failures = transfer.run(plan.to_do, jobs=jobs, progress=progress)
        _tidy(plan)
        return _report(plan, work)


@dataclass(slots=True, kw_only=True)
class _Work:
    """What the steps of all files share, and what became of them."""

    root: Path
    site: Site
    receipts: ReceiptBook
    sizes: dict[str, int] = field(default_factory=dict)
    adopted: list[str] = field(default_factory=list)
    unhashed: list[str] = field(default_factory=list)
    failures: dict[str, Exception] = field(default_factory=dict)

    def bring(self, video: PlannedVideo, on_bytes: Callable[[int], object]) -> SiteFile:
        """Have the bytes of one file on the disk, proven; return what the server says of it."""
        if video.state != "unproven":
            return self.site.fetch(video.path, fetched_files.part(self.root, video.path), on_bytes)
        final = self.root / video.path
        told = self.site.look(video.path)
        right = final.is_file() and told.size == final.stat().st_size
        if right and told.md5 is not None:
            right = md5_of(final, self.site.check_stop) == told.md5
        if not right:
            raise _in_the_way(final)
        return told

    def finish(self, video: PlannedVideo, told: SiteFile) -> None:
        """Write down whose content a file's final name has, and give it that name."""
        final = self.root / video.path
        adopting = video.state == "unproven"
        part = final if adopting else fetched_files.part(self.root, video.path)
        if not adopting:
            sync(part)
            final.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(final) and video.path not in self.receipts.read():
                raise _in_the_way(final)
        size = part.stat().st_size
        receipt = Receipt(size=size, validator=told.validator, md5=told.md5, base_url=told.endpoint)
        self.receipts.write(video.path, asdict(receipt))
        self.sizes[video.path] = size
        if adopting:
            self.adopted.append(video.path)
            if told.md5 is None:
                self.unhashed.append(video.path)
        else:
            os.replace(part, final)
            forget(part)


def _in_the_way(final: Path) -> DestinationError:
    return DestinationError(
        f"{final} is there already, and is not the file that the server has",
        hint="move it elsewhere, then run the command again",
    )


def _report(plan: AvaPlan, work: _Work) -> AvaReport:
    done = [video for video in plan.to_do if video.path not in work.failures]
    new = [video.path for video in done if video.path not in work.adopted]
    lost = {p for p, error in work.failures.items() if isinstance(error, NotFoundError)}
    failed = [
        FailedFile.of(path, error)
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
        ),
        warnings=tuple(warnings),
    )


# ------------------------------------------------------------------------------ the folder


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

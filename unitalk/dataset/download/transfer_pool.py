"""Many files at a time: some are fetched while others are unpacked, and a failure is a value."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unitalk import stopping
from unitalk.dataset.download import video_steps
from unitalk.errors import (
    AccessError,
    DataError,
    DestinationError,
    DiskError,
    UnitalkError,
)
from unitalk.files import disk_error
from unitalk.net import StoppedError
from unitalk.threads import first_done

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from unitalk.dataset.download.planning import PlannedFile
    from unitalk.dataset.download.video_steps import Job
    from unitalk.progress import Progress, Task


UNPACKERS = max(1, min(4, os.cpu_count() or 1))
"""How many archives are unpacked at a time; more would only share the same cores."""


def carry_out(
    job: Job, files: Sequence[PlannedFile], jobs: int, progress: Progress
) -> tuple[dict[str, Exception], set[str]]:
    """Bring files and finish them; what fails is tried once more.

    Returns:
        Why which files failed, and which were made of bytes that were on the disk.
    """
    if not files:
        return {}, set()
    there = {file.remote.path: _size(job.partial(file)) for file in files}
    total = sum(file.remote.size for file in files)
    what = "unpacking" if job.hub is None else "downloading"
    with progress.task(what, total=total, unit="B", done=sum(there.values())) as task:
        line = _Line(job=job, jobs=jobs, task=task, there=there)
        failures = line.run(_in_turn(files))
        # What is wrong in bytes that are proven whole is wrong the second time too.
        again = [f for f in files if _may_pass(failures.get(f.remote.path))]
        if again:
            progress.note(f"trying {len(again)} failed files once more")
            for file in again:
                del failures[file.remote.path]
            failures |= line.run(again)
    paths = [file.remote.path for file in files]
    return {path: failures[path] for path in paths if path in failures}, line.local


def _in_turn(files: Sequence[PlannedFile]) -> list[PlannedFile]:
    """The rows first: they are small, and without them nothing is of use.

    Then the largest and the smallest archive in turn: so there is something to unpack at once, and
    no connection is left alone with a large one at the end.
    """
    rows = [file for file in files if file.part == "csv"]
    archives = deque(sorted((f for f in files if f.part != "csv"), key=lambda f: -f.remote.size))
    while archives:
        rows.append(archives.popleft())
        if archives:
            rows.append(archives.pop())
    return rows


def _may_pass(error: Exception | None) -> bool:
    return error is not None and not isinstance(error, (DataError, DestinationError))


@dataclass(slots=True, kw_only=True)
class _Line:
    """Files under way, in two stages with a pool of threads each.

    At most twice `jobs` files are between the first byte and the final name, so that archives do
    not pile up where unpacking is slower than the network.
    """

    job: Job
    jobs: int
    task: Task
    there: dict[str, int]
    """How many bytes of each file the bar began with."""
    local: set[str] = field(default_factory=set)

    def run(self, files: Sequence[PlannedFile]) -> dict[str, Exception]:
        """Bring and finish some files; return why which failed.

        Raises:
            UnitalkError: what would stop every other file too; the others are stopped first.
        """
        with stopping.noted():
            return self._run(files)

    def _run(self, files: Sequence[PlannedFile]) -> dict[str, Exception]:
        failures: dict[str, Exception] = {}
        waiting = deque(files)
        under_way: dict[Future[Path | None], PlannedFile] = {}
        bringing = ThreadPoolExecutor(min(self.jobs, len(files)), thread_name_prefix="bring")
        finishing = ThreadPoolExecutor(UNPACKERS, thread_name_prefix="finish")
        try:
            while waiting or under_way:
                while waiting and len(under_way) < 2 * self.jobs:
                    file = waiting.popleft()
                    under_way[bringing.submit(self._bring, file)] = file
                for future in first_done(under_way):
                    file = under_way.pop(future)
                    try:
                        source = future.result()
                    except (UnitalkError, OSError) as error:
                        self._raise_fatal(error)
                        failures[file.remote.path] = error
                    else:
                        if source is not None:
                            under_way[finishing.submit(self._finish, file, source)] = file
        except BaseException:
            # An interrupt, too: threads end at their next block, partial files stay.
            self.job.stop.set()
            if self.job.hub is not None:
                self.job.hub.abort()
            raise
        finally:
            for pool in (bringing, finishing):
                pool.shutdown(wait=True, cancel_futures=True)
        return failures

    def _bring(self, file: PlannedFile) -> Path:
        path = file.remote.path
        known = self.there.pop(path, 0)
        counted = known

        def count(amount: int) -> None:
            nonlocal known, counted
            counted += amount - known
            amount, known = amount - known, 0
            if amount:
                self.task.advance(amount)

        try:
            source = video_steps.bring(self.job, file, count)
        except StoppedError:
            raise  # what has come stays, so it stays counted
        except Exception:
            self.task.advance(-counted)  # the second try counts it again
            raise
        if source != self.job.partial(file):
            self.local.add(path)
        return source

    def _finish(self, file: PlannedFile, source: Path) -> None:
        try:
            video_steps.finish(self.job, file, source)
        except StoppedError:
            raise
        except Exception:
            self.task.advance(-file.remote.size)
            raise

    def _raise_fatal(self, error: UnitalkError | OSError) -> None:
        """Raise what would stop every other file too."""
        if isinstance(error, (AccessError, StoppedError, DiskError)):
            raise error
        if isinstance(error, OSError) and (refused := disk_error(error, self.job.plan.root)):
            raise DiskError(
                refused.message, hint=f"what has arrived is kept; {refused.hint}"
            ) from error


def _size(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size
    return 0

"""Transfers many files: brought and finished in parallel, tried again, failures as values.

A file is brought (its bytes come to the disk, proven) and then finished (they get their final
name). One that fails does not stop the others; it is tried once more at the end, and what still
fails is returned. Whatever would stop every file, such as a full disk, is raised at once.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from unitalk import stopping
from unitalk.errors import DataError, DestinationError, DiskError, NotFoundError, UnitalkError
from unitalk.files import disk_error, free_bytes
from unitalk.net.timeouts import StoppedError
from unitalk.progress import size as human_size
from unitalk.report import Report
from unitalk.threads import first_done

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from unitalk.progress import Progress, Task

JOBS = 8
"""How many files are fetched at a time."""

_FINISHERS = max(1, min(4, os.cpu_count() or 1))
"""How many files are finished at a time; more would only share the same cores."""

_LASTING = (DataError, DestinationError, NotFoundError)
"""Failures that would be the same the second time."""

_File = TypeVar("_File")
_Got = TypeVar("_Got")


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedFile(Report):
    """A file that could not be transferred, and why.

    Attributes:
        path: its name.
        cause: what was wrong.
        hint: what to do about it.
    """

    path: str
    cause: str
    hint: str | None

    @classmethod
    def of(cls, path: str, error: Exception) -> FailedFile:
        """A file that failed with an error."""
        return cls(path=path, cause=str(error), hint=getattr(error, "hint", None))


def check_space(root: Path, needed: int, *, hint: str) -> None:
    """Compare the free space of a folder's disk with what is about to be written.

    Args:
        root: the folder; it need not exist.
        needed: bytes, about.
        hint: what to do where there is less.

    Raises:
        UnitalkError: there is less.
    """
    free = free_bytes(root)
    if needed > free:
        raise UnitalkError(
            f"{root}: about {human_size(needed)} are needed and {human_size(free)} are free",
            hint=hint,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(Generic[_File, _Got]):
    """How files of one kind are transferred.

    Attributes:
        root: the folder that they go to.
        name: a file's name, for the result.
        size: a file's bytes; None where unknown.
        have: how many of them an earlier run has left.
        bring: has the bytes on the disk; calls the function that it is given with how many more
            there are: first those that were there, negative when some were dropped.
        abort: ends the waits of all threads; called when the transfer does not end well.
        finish: takes what `bring` returned to its final name; None where the caller does so.
        fatal: what would stop every other file too, beside a full disk and a stop.
        again: whether failed files are tried once more.
    """

    root: Path
    name: Callable[[_File], str]
    size: Callable[[_File], int | None]
    have: Callable[[_File], int]
    bring: Callable[[_File, Callable[[int], object]], _Got]
    abort: Callable[[], object]
    finish: Callable[[_File, _Got], object] | None = None
    fatal: tuple[type[Exception], ...] = ()
    again: bool = True

    def run(
        self, files: Sequence[_File], *, jobs: int, progress: Progress, title: str = "downloading"
    ) -> dict[str, Exception]:
        """Transfer files; return why which failed, in their order.

        Args:
            files: in the order in which they are brought.
            jobs: how many are brought at a time.
            progress: where to report to.
            title: of the progress bar.

        Raises:
            UnitalkError: what would stop every other file too; their threads have ended.
        """
        if not files:
            return {}
        sizes = [self.size(file) for file in files]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        have = {self.name(file): self.have(file) for file in files}
        with progress.task(title, total=total, unit="B", done=sum(have.values())) as task:
            failures = self._once(files, jobs, task, have)
            later = [file for file in files if self._may_pass(failures.get(self.name(file)))]
            if later:
                progress.note(f"trying {len(later)} failed files once more")
                for file in later:
                    del failures[self.name(file)]
                failures |= self._once(later, jobs, task, {})
        names = map(self.name, files)
        return {name: failures[name] for name in names if name in failures}

    def _once(
        self, files: Sequence[_File], jobs: int, task: Task, shown: dict[str, int]
    ) -> dict[str, Exception]:
        """Try files once.

        Args:
            files: which.
            jobs: how many at a time.
            task: the progress bar.
            shown: how many bytes of each file the bar shows; kept up to date.
        """
        failures: dict[str, Exception] = {}

        def bring(file: _File) -> _Got:
            name = self.name(file)
            owed = shown.setdefault(name, 0)  # on the bar, and about to be counted again

            def count(amount: int) -> None:
                nonlocal owed
                amount, owed = amount - owed, 0
                shown[name] += amount
                if amount:
                    task.advance(amount)

            return self.bring(file, count)

        def fail(file: _File, error: Exception) -> None:
            self._raise_fatal(error)
            name = self.name(file)
            task.advance(-shown.pop(name, 0))  # a second try counts it again
            failures[name] = error

        each(files, bring, self.finish, jobs=jobs, abort=self.abort, failed=fail)
        return failures

    def _may_pass(self, error: Exception | None) -> bool:
        return self.again and error is not None and not isinstance(error, _LASTING)

    def _raise_fatal(self, error: Exception) -> None:
        if isinstance(error, (StoppedError, DiskError, *self.fatal)):
            raise error
        if isinstance(error, OSError) and (refused := disk_error(error, self.root)):
            hint = f"what has arrived is kept; {refused.hint}"
            raise DiskError(refused.message, hint=hint) from error


def each(
    items: Iterable[_File],
    bring: Callable[[_File], _Got],
    finish: Callable[[_File, _Got], object] | None = None,
    *,
    jobs: int,
    abort: Callable[[], object],
    failed: Callable[[_File, Exception], object],
) -> None:
    """Call one function for every item, then another with what it returned, in two pools.

    At most twice `jobs` items are under way, so that archives do not pile up where unpacking is
    slower than the network.

    Args:
        items: what to call it with.
        bring: called first, `jobs` at a time.
        finish: called with the item and what `bring` returned.
        jobs: how many are brought at a time.
        abort: called when this does not end well, to end the waits of all threads.
        failed: called in this thread with an item and the `UnitalkError` or `OSError` that it
            raised; what it raises itself ends all.
    """
    waiting = deque(items)
    under_way: dict[Future[Any], tuple[_File, bool]] = {}
    with stopping.noted():
        bringing = ThreadPoolExecutor(jobs, thread_name_prefix="unitalk-bring")
        finishing = ThreadPoolExecutor(_FINISHERS, thread_name_prefix="unitalk-finish")
        try:
            while waiting or under_way:
                while waiting and len(under_way) < 2 * jobs:
                    item = waiting.popleft()
                    under_way[bringing.submit(bring, item)] = item, finish is not None
                for future in first_done(under_way):
                    item, goes_on = under_way.pop(future)
                    try:
                        got = future.result()
                    except (UnitalkError, OSError) as error:
                        failed(item, error)
                    else:
                        if goes_on and finish is not None:
                            under_way[finishing.submit(finish, item, got)] = item, False
        except BaseException:
            # An interrupt, too: threads end at their next block, partial files stay.
            abort()
            raise
        finally:
            for pool in (bringing, finishing):
                pool.shutdown(wait=True, cancel_futures=True)

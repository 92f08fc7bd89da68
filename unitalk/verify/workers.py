"""Opening many files: in this process, or in several that end with it.

Python's own pool waits for what is under way when it is interrupted, and its processes outlive one
that is killed. Here each process has a pipe of its own, and ends when that is closed.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from multiprocessing import connection, get_context, resource_tracker
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from unitalk.errors import UnitalkError
from unitalk.verify.pictures import Seen, look
from unitalk.verify.sounds import sound_faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

T = TypeVar("T")

_AHEAD = 2  # jobs that a process has been given: one under way, one to go on with
_WAITING = 4  # jobs for each process that are under way or wait for an earlier one


class Wav(NamedTuple):
    """A wav to open: its path, and its track's seconds from first face to last and between two."""

    path: str
    span: float
    step: float


class Job(NamedTuple):
    """Files to open; few enough that they take a fraction of a second."""

    folder: str
    jpgs: list[str]
    wavs: list[Wav]


class Looked(NamedTuple):
    """What a job gives: for each jpg what it is, for each wav what is wrong with it."""

    jpgs: list[Seen]
    wavs: list[list[tuple[str, str]]]


def do(job: Job) -> Looked:
    """Open the files of a job."""
    return Looked(
        [look(os.path.join(job.folder, name)) for name in job.jpgs],
        [sound_faults(*wav) for wav in job.wavs],
    )


def run(jobs: Iterable[tuple[T, Job]], processes: int) -> Iterator[tuple[T, Looked]]:
    """Do jobs and give what each found, with what it was given for; in the jobs' order.

    Jobs are drawn only as fast as they are done. When the reader stops reading, or is interrupted,
    the processes are ended at once: they only read.

    Raises:
        UnitalkError: a process was killed.
    """
    if processes <= 1:
        yield from ((name, do(job)) for name, job in jobs)
        return
    pool = _Pool(processes)
    names: dict[int, T] = {}
    try:
        given = 0
        for number, (name, job) in enumerate(jobs):
            names[number] = name
            pool.give(number, job)
            # One process may be slow, or only begin: what the others do must not pile up behind it.
            while given in pool.done or len(names) >= _WAITING * processes:
                if given in pool.done:
                    yield names.pop(given), pool.done.pop(given)
                    given += 1
                else:
                    pool.take()
        for number in sorted(names):
            while number not in pool.done:
                pool.take()
            yield names.pop(number), pool.done.pop(number)
    finally:
        pool.end()


class _Pool:
    """Processes that are started as they are needed.

    Attributes:
        done: what jobs gave, by their numbers, until someone takes it out.
    """

    def __init__(self, processes: int) -> None:
        self._wanted = processes
        self._processes: list[SpawnProcess] = []
        self._open: dict[Connection, int] = {}  # how many jobs each has
        self.done: dict[int, Looked] = {}

    def give(self, number: int, job: Job) -> None:
        """Give a job to a process that has little to do; wait until there is one."""
        if len(self._processes) < self._wanted and all(self._open.values()):
            self._start()
        while min(self._open.values()) >= _AHEAD:
            self.take()
        pipe = min(self._open, key=self._open.__getitem__)
        with _death():
            pipe.send((number, job))
        self._open[pipe] += 1

    def take(self) -> None:
        """Wait for what jobs give."""
        for pipe in connection.wait([pipe for pipe, count in self._open.items() if count]):
            for own in self._open:
                if own is pipe:
                    with _death():
                        number, looked = own.recv()
                    self.done[number] = looked
                    self._open[own] -= 1

    def end(self) -> None:
        """End all processes, whatever they do."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join()
        for pipe in self._open:
            pipe.close()

    def _start(self) -> None:
        context = get_context("spawn")  # a fork would copy the locks of Arrow's threads
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._processes.append(process)
        self._open[ours] = 0
        resource_tracker.ensure_running()  # which starting it would do, and let Ctrl-C in again
        with _unheard():
            process.start()
        theirs.close()


@contextmanager
def _death() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError) as error:
        raise UnitalkError(
            "a process that opens files was ended from outside",
            hint="was there too little memory? run again with --jobs 1",
        ) from error


@contextmanager
def _unheard() -> Iterator[None]:
    """Start a process that Ctrl-C does not reach: it is for this one, which then ends the other."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection) -> None:
    """Do jobs until the pipe is closed, by whom or whatever."""
    try:
        while True:
            number, job = pipe.recv()
            pipe.send((number, do(job)))
    except (EOFError, OSError):
        return

"""Runs independent tasks: in this process, in several processes, or on a Dask cluster.

A task is a value, and a function of a module does it, so that both can be sent elsewhere. A task
whose worker was lost is done again, so it must leave the same bytes however often it runs. Results
come in the order of the tasks.
"""

from __future__ import annotations

import os
import pickle
import time
import traceback
from contextlib import contextmanager
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from unitalk import stopping
from unitalk._version import __version__
from unitalk.children import Children, LostError
from unitalk.errors import MissingExtraError, UnitalkError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 2  # tasks that a process is given: one to do now, and the next
_WAITING = 4  # tasks per process that are being done, or done and waiting for an earlier one
_LOOK = 0.01  # seconds between two looks at a task on a cluster
PATIENCE = 30.0  # seconds to wait for a scheduler, and for its first worker


class Executor(Protocol):
    """Runs independent tasks, in the order in which they are given."""

    def run(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """Do every task, and yield the results in the order of the tasks.

        Tasks are drawn only as fast as they are done. An error of a task is raised here, and the
        tasks that are running then are given up.

        Args:
            function: a function of a module, so that it can be pickled by name.
            tasks: values that can be pickled.

        Raises:
            UnitalkError: each worker that was given a task was lost.
        """
        ...


@contextmanager
def open_executor(*, jobs: int | None = None, scheduler: str | None = None) -> Iterator[Executor]:
    """Open an executor: this process, several processes, or a cluster's workers.

    Args:
        jobs: the number of processes; 1 is this process; default: one per processor.
        scheduler: the address of a Dask scheduler such as `tcp://host:8786`, which then decides
            how many tasks are done at a time.

    Raises:
        UsageError: `jobs` is less than 1, or a scheduler is given as well.
        MissingExtraError: a scheduler is given and Dask is not installed.
        UnitalkError: the scheduler cannot be reached, has no worker, or has one with another
            version of this package.
    """
    if jobs is not None and jobs < 1:
        raise UsageError(f"{jobs} processes do nothing", hint="give 1 or more")
    if scheduler is None:
        jobs = jobs or os.cpu_count() or 1
        yield Here() if jobs == 1 else Processes(jobs)
        return
    if jobs is not None:
        raise UsageError(
            "a scheduler decides by itself how many tasks are done at a time",
            hint="give either `jobs` or `scheduler`",
        )
    with _cluster(scheduler) as cluster:
        yield cluster


class Here:
    """Runs one task after the other in this process."""

    def run(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """See `Executor.run`."""
        return map(function, tasks)


# ------------------------------------------------------------------------------ processes


class Processes:
    """Runs tasks in processes that end with this one.

    Python's own pool waits for running tasks when it is interrupted, and its processes survive when
    this one is killed. Here each process has a pipe of its own, and ends when that is closed.

    Args:
        count: the number of processes; they are started when they are needed.
    """

    def __init__(self, count: int) -> None:
        self._count = count

    def run(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """See `Executor.run`; when the caller stops reading, the processes are ended at once."""
        pool: _Pool[T, R] = _Pool(function, self._count)
        try:
            given = taken = 0
            for number, task in enumerate(tasks):
                pool.give(number, task)
                given = number + 1
                # One process may be slow: the results of the others must not pile up behind it.
                while taken in pool.done or given - taken >= _WAITING * self._count:
                    if taken in pool.done:
                        yield pool.done.pop(taken)
                        taken += 1
                    else:
                        pool.take()
            for number in range(taken, given):
                while number not in pool.done:
                    pool.take()
                yield pool.done.pop(number)
        finally:
            pool.end()


class _Pool(Generic[T, R]):
    """Processes that are started when they are needed.

    Attributes:
        done: results by the numbers of their tasks, until the caller takes them out.
    """

    def __init__(self, function: Callable[[T], R], processes: int) -> None:
        self._function = function
        self._wanted = processes
        self._children = Children()
        self._started = 0
        self._open: dict[Connection, int] = {}  # the number of tasks that each has
        self.done: dict[int, R] = {}

    def give(self, number: int, task: T) -> None:
        """Send a task to the process that has the fewest; wait while all have enough."""
        if self._started < self._wanted and all(self._open.values()):
            self._start()
        while min(self._open.values()) >= _AHEAD:
            self.take()
        pipe = min(self._open, key=self._open.__getitem__)
        with _death():
            pipe.send((number, task))
        self._open[pipe] += 1

    def take(self) -> None:
        """Wait for results."""
        for pipe in connection.wait([pipe for pipe, count in self._open.items() if count]):
            for own in self._open:
                if own is pipe:
                    with _death():
                        number, raised, given = own.recv()
                    self._open[own] -= 1
                    if raised is not None:
                        raise raised
                    self.done[number] = given

    def end(self) -> None:
        """End all processes, whatever they are doing."""
        with stopping.noted():
            self._children.end()
            for pipe in self._open:
                pipe.close()

    def _start(self) -> None:
        ours, theirs = self._children.Pipe()
        process = self._children.Process(target=_serve, args=(theirs, self._function), daemon=True)
        with stopping.noted():
            process.start()
            self._started += 1
            self._open[ours] = 0
            theirs.close()


@contextmanager
def _death() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError) as error:
        raise LostError(
            "a process that did a part of the work was ended from outside",
            hint="was there too little memory? run again with `jobs=1`",
        ) from error


def _serve(pipe: Connection, function: Callable[[Any], Any]) -> None:
    """Do tasks until the pipe is closed."""
    while True:
        try:
            number, task = pipe.recv()
        except (EOFError, OSError):
            return
        raised, given = None, None
        try:
            given = function(task)
        except Exception as error:  # noqa: BLE001 - raised again where the task came from
            raised = _portable(error)
        try:
            pipe.send((number, raised, given))
        except (EOFError, OSError):
            return


def _portable(error: Exception) -> Exception:
    """The error with its traceback as a note, or its text where it cannot be pickled."""
    if not isinstance(error, UnitalkError):
        error.add_note("in another process:\n" + "".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - pickled by this very line
    except Exception:  # noqa: BLE001 - an error's own code may raise anything
        return RuntimeError("".join(traceback.format_exception(error)))
    return error


# ------------------------------------------------------------------------------ a cluster


@contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    try:
        import distributed
    except ImportError as error:
        raise MissingExtraError(
            "a scheduler needs Dask", hint='pip install "unitalk[cluster]"'
        ) from error
    connect: Any = distributed.Client  # which has no types
    # In two steps: a client that fails to connect is closed here. Left to the garbage collector, it
    # waits for a lock that the next client holds while that one's thread starts, perhaps the very
    # thread that collects: the next client then fails after ten seconds.
    client = connect.__new__(connect)
    try:
        client.__init__(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        client.close()
        raise UnitalkError(
            f"no Dask scheduler answers at {address}: {error}",
            hint="start one with `dask scheduler`, which says its address",
        ) from error
    with client:
        cluster = Cluster(client)
        cluster.check(address)
        yield cluster


class Cluster:
    """Runs tasks on the workers of a Dask cluster, all of which see the same files.

    A task whose worker is lost is done by another one.

    Args:
        client: a client that is connected to the scheduler.
    """

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - Dask is an extra
        self._client = client

    def check(self, address: str) -> None:
        """Check that there are workers, all with this version of the package.

        Raises:
            UnitalkError: there is no worker, or one has another version.
        """
        try:
            self._client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise UnitalkError(
                f"the scheduler at {address} has no worker",
                hint=f"start some with `dask worker {address}`",
            ) from error
        for worker, version in self._client.run(_version, on_error="return").items():
            if version != __version__:
                has = f"has unitalk {version}" if isinstance(version, str) else "has no unitalk"
                raise UnitalkError(
                    f"the worker at {worker} {has}, and this is {__version__}",
                    hint=f'install it there: pip install "unitalk[cluster]=={__version__}"',
                )

    def run(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """See `Executor.run`."""
        import distributed
        from distributed.comm.core import CommClosedError

        waiting: list[Any] = []
        ahead = _WAITING * max(1, sum(self._client.nthreads().values()))
        try:
            for task in tasks:
                with stopping.noted():
                    waiting.append(self._client.submit(function, task, pure=False))
                while len(waiting) >= ahead:
                    yield _result(waiting[0])
                    del waiting[0]
            while waiting:
                yield _result(waiting[0])
                del waiting[0]
        except distributed.KilledWorker as error:
            raise UnitalkError(
                f"one task was lost with each worker that did it: {error}",
                hint="was there too little memory? give the workers more, then run it again",
            ) from error
        except (distributed.CancelledError, CommClosedError) as error:
            raise UnitalkError(
                "the scheduler was lost", hint="start it again, then run the command again"
            ) from error
        finally:
            with stopping.noted():
                self._client.cancel(waiting)


def _result(future: Any) -> Any:  # noqa: ANN401 - Dask is an extra
    """Wait without holding Dask's locks, in which a stop must not be raised."""
    while not future.done():
        time.sleep(_LOOK)
    with stopping.noted():
        return future.result()


def _version() -> str:
    return __version__

"""Threads beside the main thread, which waits for them without being torn out of their locks."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Generic, ParamSpec, Self, TypeVar

from unitalk import stopping

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")


def first_done(futures: Collection[Future[R]]) -> set[Future[R]]:
    """Wait until some futures are done, and return those; a stop that was noted is raised."""
    while True:
        with stopping.noted():
            done = wait(futures, timeout=stopping.GLANCE, return_when=FIRST_COMPLETED).done
        stopping.check()
        if done:
            return done


class Job(Generic[R]):
    """What a thread is doing."""

    def __init__(self, future: Future[R]) -> None:
        self._future = future

    def result(self) -> R:
        """Wait for what it returns or raises."""
        first_done((self._future,))
        with stopping.noted():
            return self._future.result()


class Threads:
    """A pool of threads, which has ended with the `with` block.

    Args:
        count: how many.
        name: what theirs begin with.
        only_read: they change nothing, so that nobody waits for them when the block raises.
    """

    def __init__(self, count: int, *, name: str = "", only_read: bool = False) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._only_read = only_read

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with stopping.noted():
            stay = kind is None or not self._only_read
            self._pool.shutdown(wait=stay, cancel_futures=kind is not None)

    def submit(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Job[R]:
        """Have a function called in a thread."""
        with stopping.noted():
            return Job(self._pool.submit(function, *args, **kwargs))

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Have a function called for every item, at once; give what it returns, in their order."""
        jobs = [self.submit(function, item) for item in items]
        return (job.result() for job in jobs)

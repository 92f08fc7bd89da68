"""Many items at a time, each in a thread: what fails is a value, and whoever stops, stops all."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from unitalk import stopping
from unitalk.errors import UnitalkError
from unitalk.threads import first_done

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from unitalk.net.site import Site

JOBS = 8
"""How many files are fetched at a time."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def each(
    site: Site,
    function: Callable[[_Item], _Result],
    items: Iterable[_Item],
    *,
    jobs: int,
    done: Callable[[_Item, _Result | Exception], object],
) -> None:
    """Call a function for every item, `jobs` at a time.

    Args:
        site: what the threads wait for; it is stopped for good when this does not end well.
        function: called in a thread of its own.
        items: what it is called with.
        jobs: how many at a time.
        done: called in this thread, with the item and what the function returned or, if that was a
            `UnitalkError` or an `OSError`, raised. What it raises itself ends all.
    """
    waiting = deque(items)
    under_way: dict[Future[_Result], _Item] = {}
    with stopping.noted():
        pool = ThreadPoolExecutor(jobs, thread_name_prefix="unitalk-each")
        try:
            while waiting or under_way:
                while waiting and len(under_way) < jobs:
                    item = waiting.popleft()
                    under_way[pool.submit(function, item)] = item
                for future in first_done(under_way):
                    item = under_way.pop(future)
                    try:
                        outcome: _Result | Exception = future.result()
                    except (UnitalkError, OSError) as error:
                        outcome = error
                    done(item, outcome)
        except BaseException:
            # An interrupt, too: threads end at their next block, partial files stay.
            site.abort()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

"""How long to wait, and how a thread that is told to stop ends."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitalk.errors import HubError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable


class StoppedError(HubError):
    """The caller has set `stop`; what has arrived is kept."""


def check_stop(stop: threading.Event) -> None:
    """Raise `StoppedError` when an event is set."""
    if stop.is_set():
        raise StoppedError("stopped", hint="run the command again to continue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait, in seconds, and by which clock.

    Attributes:
        connect: for a connection, for each address of a host.
        read: for the next bytes, headers included.
        slow: a transfer that brings less than `CHUNK` in this time is restarted, and so is a
            request whose answer does not begin within this time and `connect`.
        tries: how many failures in a row, without one more byte, end a request to an endpoint.
        unreached: the same, where the endpoint could not even be connected to, and never was.
        backoff: the first wait; doubled after each failure.
        longest: no wait is longer, whatever the hub asks for.
        refetches: how often an endpoint that gave a wrong hash is asked for that file again.
        clock: seconds, from anywhere, never going back.
        sleep: waits; default: until `stop` is set, at most so long.
    """

    connect: float = 10.0
    read: float = 15.0
    slow: float = 60.0
    tries: int = 8
    unreached: int = 3
    backoff: float = 1.0
    longest: float = 330.0
    refetches: int = 2
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] | None = None

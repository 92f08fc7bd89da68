"""Processes that are stopped by the one that started them, and by nothing else.

Ctrl-C in a terminal and the SIGTERM of a cluster's scheduler go to a whole group of processes. Both
are for the first of them, which ends its children when it has saved what it wants to save.
"""

from __future__ import annotations

from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

from unitalk import stopping
from unitalk.errors import UnitalkError


class LostError(UnitalkError):
    """A child was killed, and what it was doing is lost."""


class Child(SpawnProcess):
    """A process in which SIGINT and SIGTERM are blocked from its first instruction on."""

    def start(self) -> None:
        """Start it."""
        with stopping.noted():
            resource_tracker.ensure_running()  # which starting it would do, and unblock the signals
        with stopping.unheard():
            super().start()
            # Whoever ends it, Python at its own end or PyTorch, would do so by SIGTERM.
            popen = self._popen  # type: ignore[attr-defined]
            popen.terminate = popen.kill


class Children(SpawnContext):
    """Starts such processes, as `multiprocessing.get_context("spawn")` starts others.

    A fork would copy the locks of Arrow's threads.
    """

    def __init__(self) -> None:
        super().__init__()
        self._started: list[Child] = []

    def Process(self, *args: Any, **options: Any) -> Child:  # type: ignore[override]  # noqa: ANN401, N802
        """Give a process to start."""
        child = Child(*args, **options)
        self._started.append(child)
        return child

    def end(self) -> None:
        """End all of them, whatever they do."""
        with stopping.noted():
            running = [child for child in self._started if child.is_alive()]
            for child in running:
                child.kill()
            for child in running:
                child.join()

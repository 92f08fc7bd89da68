"""The end of a process that was stopped: now, whatever its threads and its children are doing."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import NoReturn

from unitalk import stopping

INTERRUPTED = 130
"""The exit code after Ctrl-C or SIGTERM."""


def leave(code: int = INTERRUPTED) -> NoReturn:
    """End the children, then this process; no thread is waited for."""
    for number in stopping.SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # PyTorch's handler raises when a child ends
    if "multiprocessing.process" in sys.modules:
        from multiprocessing import active_children, util

        children = active_children()
        for child in children:
            child.kill()
        for child in children:
            child.join()
        # Semaphores have names, which would outlive this process.
        util._run_finalizers(0)  # type: ignore[attr-defined]
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def leave_when_asked(code: int) -> None:
    """Let a stop that comes while Python tidies up, when all is done, change no exit code."""
    for number in stopping.SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: leave(code))


def leave_at_once() -> NoReturn:
    """Say so, and leave; from a signal's handler."""
    say("unitalk: stopped at once\n  -> run the same command again to continue")
    leave()


def say(text: str) -> None:
    """Write a line to stderr from a signal's handler, which may have come in the middle of one."""
    with contextlib.suppress(OSError):
        os.write(2, f"{text}\n".encode())

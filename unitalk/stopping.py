"""When Ctrl-C may raise, and what happens to it when it may not.

Python raises `KeyboardInterrupt` between any two bytecodes of the main thread. Inside the locks of
`threading` this releases a lock twice (`RuntimeError: release unlocked lock`) or never; while a
process is started, it leaves a child half-born. There a stop is only noted, and raised by whoever
waits, between two looks; everywhere else it raises as ever.

Only the main thread gets signals, so in every other thread all of this does nothing. A handler
that the caller of the library has set for SIGINT is left alone.
"""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

GLANCE = 0.1
"""How often, in seconds, whoever waits looks whether there is a stop."""

SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM})
"""What asks for a stop: of the command line both, of a Python program only Ctrl-C."""

_MOMENT = 0.01  # seconds, in which a finaliser has come to its end


@dataclass(slots=True)
class _Stops:
    """What is known of stops; only the main thread touches it."""

    asked: bool = False
    noting: bool = False
    pending: bool = False  # noted, and not yet raised
    answer: Callable[[], object] | None = None  # called with a stop that is never raised
    at_once: Callable[[], object] | None = None  # called at the second Ctrl-C


_stops = _Stops()


def _handle(number: int, frame: FrameType | None) -> None:
    del frame
    if _stops.asked:
        # A scheduler may send SIGTERM again and again; who presses Ctrl-C again is in a hurry.
        if number == signal.SIGINT and not _is_blocked(number):
            if _stops.at_once is not None:
                _stops.at_once()
            raise KeyboardInterrupt
        return
    _stops.asked = True
    if not _stops.noting:
        raise KeyboardInterrupt
    if _stops.answer is not None:
        _stops.answer()
    else:
        _stops.pending = True


def _is_blocked(number: int) -> bool:
    """Whether a child is being started, and the signal came by way of another thread."""
    return number in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


# ------------------------------------------------------------------------------ where it is noted


@contextmanager
def noted(answer: Callable[[], object] | None = None) -> Iterator[None]:
    """Note a stop inside, and raise it at the end, if `check` has not done so before.

    A second Ctrl-C is not held back. What is raised inside once there is a stop gives way to
    `KeyboardInterrupt`: it may well come of the same signal.

    Args:
        answer: called in the signal's handler in place of all that: the stop is never raised.
    """
    before = signal.getsignal(signal.SIGINT)
    is_default = before is signal.default_int_handler
    listens = _handle in (before, signal.getsignal(signal.SIGTERM))
    if not _in_main_thread() or not (is_default or (listens and not _stops.noting)):
        yield
        return
    try:
        _stops.noting, _stops.pending, _stops.answer = True, False, answer
        if is_default:
            signal.signal(signal.SIGINT, _handle)
        yield
    finally:
        if is_default:
            signal.signal(signal.SIGINT, before)
            _stops.asked = False
        _stops.noting = False
        if _stops.pending:
            _stops.pending = False
            raise KeyboardInterrupt


def check() -> None:
    """Raise `KeyboardInterrupt` if a stop was noted; in the main thread."""
    if _stops.pending and _in_main_thread():
        _stops.pending = False
        raise KeyboardInterrupt


def pause(event: threading.Event, seconds: float) -> None:
    """Wait until an event is set, so long at most, or until there is a stop."""
    with noted():
        while seconds > 0 and not event.wait(min(GLANCE, seconds)):
            check()
            seconds -= GLANCE


@contextmanager
def unheard() -> Iterator[None]:
    """Start a child inside: both signals are blocked in it, from its first instruction on.

    The mask alone would not do: the signal could reach another thread of this process, and Python
    would raise it here, between the child's start and the first that it is given.
    """
    with noted():
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


# ------------------------------------------------------------------------------ the command line


@contextmanager
def listening(at_once: Callable[[], object]) -> Iterator[None]:
    """Raise `KeyboardInterrupt` inside at the first Ctrl-C or SIGTERM.

    Signals that whoever started the process has it ignore are still ignored.

    Args:
        at_once: called in the signal's handler at the second Ctrl-C; does not return.
    """
    defaults = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before: dict[int, Any] = {
        number: handler
        for number, handler in defaults.items()
        if _in_main_thread() and signal.getsignal(number) is handler
    }
    if not before:  # somebody listens already
        yield
        return
    before[signal.SIGALRM] = signal.getsignal(signal.SIGALRM)
    hook = sys.unraisablehook
    _stops.asked, _stops.at_once = False, at_once
    try:
        sys.unraisablehook = lambda dropped: _raise_again(dropped, hook)
        for number in before:
            signal.signal(number, _handle)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            if signal.getsignal(number) is _handle:  # and not one for the end of the process
                signal.signal(number, handler)
        sys.unraisablehook = hook
        _stops.asked, _stops.at_once = False, None


def _raise_again(
    dropped: sys.UnraisableHookArgs, hook: Callable[[sys.UnraisableHookArgs], object]
) -> None:
    """Raise a stop once more, a moment later: Python drops what a finaliser raises."""
    if dropped.exc_type is not KeyboardInterrupt:
        hook(dropped)
        return
    _stops.asked = False
    signal.setitimer(signal.ITIMER_REAL, _MOMENT)


def asked() -> bool:
    """Whether a stop was asked for since `listening` began."""
    return _stops.asked

"""The progress that long jobs report, and the ways to show it.

The library never prints: a job is given a `Progress` and tells it how far it is. `SilentProgress`
is the default everywhere; the command line gives `StderrProgress`.
"""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass
from typing import NoReturn, Protocol, Self, TextIO

PLAIN_SECONDS = 30.0
"""Off a terminal, a line is written at most this often (and once when a task ends)."""
_WORTH_A_LINE = 1.0
# Off a terminal, a task that took less than this many seconds leaves no line behind.


class Task(Protocol):
    """A running job, used as a context manager; this one shows nothing."""

    def advance(self, amount: int = 1) -> None:
        """Report that `amount` more units are done, from any thread; negative takes units back."""
        del amount

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class _SilentTask(Task):
    pass


class Progress(Protocol):
    """Where a job reports to."""

    def task(
        self, description: str, *, total: int | None = None, unit: str = "", done: int = 0
    ) -> Task:
        """Begin a job of `total` units; `unit="B"` counts bytes.

        `done` of them were done earlier: they count for the share, and not for the speed.
        """
        ...

    def note(self, text: str) -> None:
        """Tell the reader something worth a line while the job runs."""
        ...


class SilentProgress:
    """Shows nothing."""

    def task(
        self, description: str, *, total: int | None = None, unit: str = "", done: int = 0
    ) -> Task:
        """Begin a job that nobody watches."""
        del description, total, unit, done
        return _SilentTask()

    def note(self, text: str) -> None:
        """Drop the note."""
        del text


class StderrProgress:
    """A tqdm bar on a terminal; a plain line now and then anywhere else.

    Args:
        stream: where to write; default: the process's stderr.
        seconds: off a terminal, how long between two lines.
    """

    def __init__(self, stream: TextIO | None = None, *, seconds: float = PLAIN_SECONDS) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._seconds = seconds

    def task(
        self, description: str, *, total: int | None = None, unit: str = "", done: int = 0
    ) -> Task:
        """Begin a job and show it."""
        if self._stream.isatty():
            return _BarTask(self._stream, description, total, unit, done)
        return _PlainTask(self._stream, description, total, unit, done, self._seconds)

    def note(self, text: str) -> None:
        """Write the note on a line of its own, above any bar."""
        if self._stream.isatty():
            from tqdm import tqdm

            tqdm.write(text, file=self._stream)
        else:
            self._stream.write(text + "\n")
            self._stream.flush()


class _BarTask(Task):
    def __init__(
        self, stream: TextIO, description: str, total: int | None, unit: str, done: int
    ) -> None:
        from tqdm import tqdm

        self._lock = threading.Lock()
        self._bar: tqdm[NoReturn] = tqdm(
            total=total, initial=done, desc=description, unit=unit if unit == "B" else f" {unit}",
            unit_scale=unit == "B", unit_divisor=1000, file=stream, dynamic_ncols=True, ascii=True,
        )  # fmt: skip

    def advance(self, amount: int = 1) -> None:
        with self._lock:
            self._bar.update(amount)

    def __exit__(self, *_: object) -> None:
        self._bar.close()


@dataclass
class _PlainTask(Task):
    stream: TextIO
    description: str
    total: int | None
    unit: str
    done: int
    seconds: float  # between two lines

    def __post_init__(self) -> None:
        self._began_with = self.done
        self._lock = threading.Lock()
        self._started = self._last = time.monotonic()

    def advance(self, amount: int = 1) -> None:
        with self._lock:
            self.done += amount
            now = time.monotonic()
            if now - self._last >= self.seconds:
                self._last = now
                self._write(now)

    def _write(self, now: float) -> None:
        seconds = now - self._started
        new = self.done - self._began_with
        amount = size if self.unit == "B" else "{:,}".format
        unit = "" if self.unit in {"", "B"} else f" {self.unit}"
        done = amount(self.done)
        if self.total:
            done += f" of {amount(self.total)}"
            unit += f" ({self.done / self.total:.0%})"
        parts = [f"{self.description}: {done}{unit}"]
        if self.unit == "B" and seconds > 0:
            parts.append(f"{size(new / seconds)}/s")
        if self.total and new > 0 and self.done < self.total:
            parts.append(f"{duration(seconds * (self.total - self.done) / new)} left")
        parts.append(f"{duration(seconds)} so far")
        self.stream.write(", ".join(parts) + "\n")
        self.stream.flush()

    def __exit__(self, *_: object) -> None:
        now = time.monotonic()
        if now - self._started >= _WORTH_A_LINE:
            with self._lock:
                self._write(now)


def size(amount: float) -> str:
    """Write a number of bytes for people, in powers of 1000: `size(12_300_000) == "12.3 MB"`."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(amount) < 999.95:  # noqa: PLR2004 - what would round up to 1000.0
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def duration(seconds: float) -> str:
    """Write a length of time for people: `duration(3725) == "1:02:05"`, `duration(5) == "0:05"`."""
    whole = round(seconds)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02d}:{second:02d}" if hour else f"{minute}:{second:02d}"

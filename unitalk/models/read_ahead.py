"""Read a data set's items ahead, in processes that stay from one epoch to the next."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch.utils.data import DataLoader, Dataset

from unitalk.children import Children, LostError
from unitalk.errors import UnitalkError
from unitalk.files import disk_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from unitalk.models.contract import Batch

MOST_WORKERS = 8
"""How many processes read by default, at most."""

_LOOK = 1.0  # seconds without a batch after which the reader looks for a stop

# Loaders of stopped runs. PyTorch would wait, one by one, for their processes that are starting.
_left: list[object] = []


class Reader:
    """Reads items ahead of the caller, in some processes that stay.

    Args:
        dataset: reads one item.
        workers: how many processes; 0 reads in this one; default: one less than there are
            processors, and at most 8.
        pin: whether batches go to a GPU.
    """

    def __init__(
        self, dataset: Dataset[Batch], *, workers: int | None = None, pin: bool = False
    ) -> None:
        if workers is None:
            workers = min(MOST_WORKERS, (os.cpu_count() or 1) - 1)
        self._wanted: list[object] = []
        self._loader: DataLoader[Batch | UnitalkError] = DataLoader(
            _Caught(dataset),
            batch_size=None,
            sampler=_Ordered(self._wanted),
            num_workers=workers,
            pin_memory=pin,
            persistent_workers=workers > 0,
            timeout=_LOOK if workers else 0,
            multiprocessing_context=Children() if workers else None,
        )

    def read(
        self, items: Iterable[object], stopped: Callable[[], bool] = lambda: False
    ) -> Iterator[Batch]:
        """Read items one after the other.

        Args:
            items: what the data set takes.
            stopped: called now and then while nothing comes; once it is true, no more is read.

        Raises:
            LostError: a process that reads was killed.
            UnitalkError: reading one of them failed.
        """
        self._wanted[:] = items
        coming = None
        while True:
            try:
                if coming is None:
                    coming = self._begin()
                batch = next(coming, None)
            except (RuntimeError, ConnectionError, EOFError) as error:
                # PyTorch has no classes for these; what a batch raised begins with "Caught".
                is_late = str(error).startswith("DataLoader timed out")
                is_lost = str(error).startswith("DataLoader worker (pid")
                if isinstance(error, RuntimeError) and not (is_late or is_lost):
                    raise
                if stopped():
                    _left.append(self._loader)
                    return
                if is_late:
                    continue
                raise LostError(
                    "a process that reads ahead was ended from outside",
                    hint="was there too little memory? let fewer processes read",
                ) from error
            if batch is None:
                return
            if isinstance(batch, UnitalkError):
                raise batch
            yield batch

    def _begin(self) -> Iterator[Batch | UnitalkError]:
        """Start the processes if they do not run yet, without PyTorch's handler for their end.

        It would raise between any two bytecodes, in the middle of a step too; looking once a
        second finds as much.
        """
        before = signal.getsignal(signal.SIGCHLD)
        coming = iter(self._loader)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGCHLD, before)
        return coming


class _Ordered:
    """Gives a loader its indices; they change from epoch to epoch, its processes do not."""

    def __init__(self, items: list[object]) -> None:
        self._items = items

    def __iter__(self) -> Iterator[object]:
        return iter(list(self._items))

    def __len__(self) -> int:
        return len(self._items)


@dataclass(frozen=True)
class _Caught(Dataset["Batch | UnitalkError"]):
    """Returns an error as a value: a loader raises it as another one, which hides the message."""

    dataset: Dataset[Batch]

    def __getitem__(self, index: object) -> Batch | UnitalkError:
        try:
            with disk_errors():
                return self.dataset[index]
        except UnitalkError as error:
            return error

"""Open the crops and sounds of tracks, in this process or in several."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unitalk.dataset.verify.media_check import look, sound_faults
from unitalk.executor import open_executor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from unitalk.dataset.verify.folders import Found
    from unitalk.progress import Task
    from unitalk.schema.split_rows import SplitRows

    Ints = npt.NDArray[np.int64]

ALONE = 5_000
"""Up to so many faces, starting other processes takes longer than opening all files."""
FILES = 200
"""How many crops a process opens at a time: about a tenth of a second."""


class Batch(NamedTuple):
    """Files of one track.

    Attributes:
        track: the number of the track.
        rows: [crops] the row of each crop.
        crops: their paths.
        wav: the sound's path; None where another batch has it, or there is none.
        span: seconds from the track's first face to its last.
        step: seconds from one face to the next.
    """

    track: int
    rows: Ints
    crops: list[str]
    wav: str | None
    span: float
    step: float


class Fault(NamedTuple):
    """What is wrong with a file."""

    kind: str
    path: str
    detail: str | None


class Opened(NamedTuple):
    """What the files of a batch are: [crops] width and height, (0, 0) for what did not open."""

    track: int
    rows: Ints
    sizes: list[tuple[int, int]]
    faults: list[Fault]


def open_all(
    rows: SplitRows, tracks: Iterable[Found], task: Task, *, jobs: int
) -> Iterator[Opened]:
    """Open the files of a split's tracks, in their order.

    Tracks are drawn only as fast as they are done. When the reader stops reading, or is
    interrupted, the processes are ended at once: they only read.

    Args:
        rows: the split's.
        tracks: as they were found on the disk.
        task: is told of every face, also of those that have no crop.
        jobs: how many processes; few files are opened in this one.

    Raises:
        UnitalkError: a process was killed.
    """
    batches = (batch for found in tracks for batch in _batches(rows, found, task))
    with open_executor(jobs=jobs if len(rows) > ALONE else 1) as executor:
        for opened in executor.run(open_batch, batches):
            yield opened
            task.advance(len(opened.rows))


def open_batch(batch: Batch) -> Opened:
    """Open the files of a batch."""
    seen = [look(path) for path in batch.crops]
    faults = [
        Fault(one.kind, path, one.detail)
        for path, one in zip(batch.crops, seen, strict=True)
        if one.kind is not None
    ]
    if batch.wav is not None:
        found = sound_faults(batch.wav, batch.span, batch.step)
        faults += [Fault(kind, batch.wav, detail) for kind, detail in found]
    return Opened(batch.track, batch.rows, [one.size for one in seen], faults)


def _batches(rows: SplitRows, found: Found, task: Task) -> Iterator[Batch]:
    """Divide a track's files; its sound goes with the first crops."""
    track = rows.tracks[found.number]
    own = rows.table.rows(slice(track.start, track.stop))
    first, last = rows.milliseconds[own[[0, -1]]].tolist()
    span = (last - first) / 1000
    step = span / max(len(own) - 1, 1)
    own = own[np.array([name is not None for name in found.names], bool)]
    task.advance(len(found.names) - len(own))
    crops = [os.path.join(str(found.folder), name) for name in found.names if name is not None]
    wav = None if found.wav is None else str(found.wav)
    for start in range(0, max(len(crops), 1), FILES):
        part = slice(start, start + FILES)
        yield Batch(found.number, own[part], crops[part], wav if start == 0 else None, span, step)

"""Opening many files: what a task is, and doing it in this process or in several."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from unitalk.dataset.verify.crop_check import Seen, look
from unitalk.dataset.verify.wav_check import sound_faults
from unitalk.executor import open_executor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")


class Wav(NamedTuple):
    """A wav to open: its path, and its track's seconds from first face to last and between two."""

    path: str
    span: float
    step: float


class Job(NamedTuple):
    """Files to open; few enough that they take a fraction of a second."""

    folder: str
    jpgs: list[str]
    wavs: list[Wav]


class Looked(NamedTuple):
    """What a job gives: for each jpg what it is, for each wav what is wrong with it."""

    jpgs: list[Seen]
    wavs: list[list[tuple[str, str]]]


def do(job: Job) -> Looked:
    """Open the files of a job."""
    return Looked(
        [look(os.path.join(job.folder, name)) for name in job.jpgs],
        [sound_faults(*wav) for wav in job.wavs],
    )


def run(jobs: Iterable[tuple[T, Job]], processes: int) -> Iterator[tuple[T, Looked]]:
    """Do jobs and give what each found, with what it was given for; in the jobs' order.

    Jobs are drawn only as fast as they are done. When the reader stops reading, or is interrupted,
    the processes are ended at once: they only read.

    Raises:
        UnitalkError: a process was killed.
    """
    names: deque[T] = deque()

    def drawn() -> Iterator[Job]:
        for name, job in jobs:
            names.append(name)
            yield job

    with open_executor(jobs=max(1, processes)) as executor:
        for looked in executor.run(do, drawn()):
            yield names.popleft(), looked

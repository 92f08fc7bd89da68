"""Batches of tracks for training, and single tracks for scoring, read by any number of processes.

A batch has tracks of similar length, as many as a budget of frames allows (the original's
dataLoader.py: sort by length, cut groups, crop each to its shortest track). Which tracks, which
piece of each, whose sound is mixed in and how faces are turned follows from the seed, the epoch and
the track alone: the same batches come whoever reads them, and a run goes on in the middle.
"""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from torch.utils.data import DataLoader, Dataset

from unitalk import schema
from unitalk.children import Children, LostError
from unitalk.errors import DataError, UnitalkError
from unitalk.files import disk_errors
from unitalk.media.tracks.track import GRAY_SIZE
from unitalk.models._torch import torch
from unitalk.models.augment import draw, mix
from unitalk.models.features import PER_FRAME, RATE, audio_features

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy.typing as npt

    from unitalk.media.tracks import Track, Tracks

MOST_WORKERS = 8
"""How many processes read by default, at most."""

_LOOK = 1.0  # seconds without a batch until somebody looks whether there is a stop

# Of runs that were stopped; PyTorch would wait, loader by loader, for processes that only start.
_left: list[object] = []

_POSITIVE = schema.LABEL_IDS[schema.SPEAKING]


class Item(NamedTuple):
    """What one track gives to a batch, as numbers of tracks and of faces.

    Attributes:
        track: its number.
        frames: how many of its faces.
        others: the tracks of its batch, one of which may be mixed in.
    """

    track: int
    frames: int
    others: tuple[int, ...]


class Wanted(NamedTuple):
    """A batch to read: an epoch, and what of which tracks; all have one number of frames."""

    epoch: int
    items: tuple[Item, ...]

    @property
    def frames(self) -> int:
        """How many faces the batch has."""
        return sum(item.frames for item in self.items)


class Batch(NamedTuple):
    """Tracks as a network takes them.

    Attributes:
        audio: [tracks, 4 * frames, 13] float32.
        faces: [tracks, frames, 112, 112] uint8.
        labels: [tracks, frames] int64, 1 for somebody who speaks audibly.
    """

    audio: torch.Tensor
    faces: torch.Tensor
    labels: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """The batch on a device; faces travel as bytes, and become floats there."""
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in self))


# ------------------------------------------------------------------------------ which batches


def plan_epoch(
    lengths: npt.NDArray[np.int64], *, budget: int, seed: int, epoch: int, processes: int = 1
) -> list[list[Wanted]]:
    """Deal all tracks into batches.

    From the longest track to the shortest, equal ones by chance; a batch has as many tracks as its
    first one's length goes into the budget, at least one, for each process, and is cropped to its
    last one's length. So all processes have as many frames. Where tracks do not go round, the
    first of the last batch are taken twice. A single face that would be a batch of its own is left
    out. Batches come in an order of chance.

    Args:
        lengths: [tracks] in frames.
        budget: frames of a batch, for each process.
        seed: any whole number from 0.
        epoch: from 1.
        processes: how many train together.

    Returns:
        For each step what each process reads.
    """
    rng = np.random.default_rng([seed, epoch])
    order = np.lexsort((rng.random(len(lengths)), -lengths))
    steps = []
    start = 0
    while start < len(order):
        count = processes * max(budget // max(int(lengths[order[start]]), 1), 1)
        group = order[start : start + count].tolist()
        start += count
        frames = int(lengths[group[-1]])
        group += [group[n % len(group)] for n in range(-len(group) % processes)]
        others = tuple(group)
        if len(group) * frames < 2 * processes:  # nothing can be normalised by itself alone
            continue
        steps.append(
            [
                Wanted(epoch, tuple(Item(track, frames, others) for track in group[own::processes]))
                for own in range(processes)
            ]
        )
    return [steps[n] for n in rng.permutation(len(steps))]


# ------------------------------------------------------------------------------ one batch


@dataclass(frozen=True)
class TrainingBatches(Dataset[Batch]):
    """Reads what is wanted; a picture or a sound that is missing is an error that names it.

    Attributes:
        tracks: of the training split.
        seed: of all that is left to chance.
        compat: as the original does it, faults included: cropped to each track's beginning, noise
            by powers that overflow, sums that wrap around, and see `features` and `augment`.
    """

    tracks: Tracks
    seed: int
    compat: bool = False

    def __getitem__(self, wanted: Wanted) -> Batch:
        """Read a batch.

        Raises:
            LayoutError: a file is missing.
            DataError: a file is damaged, a sound has another rate, or a face has no label.
        """
        read = [self._read(wanted.epoch, item) for item in wanted.items]
        audio, faces, labels = (np.stack(part) for part in zip(*read, strict=True))
        return Batch(torch.from_numpy(audio), torch.from_numpy(faces), torch.from_numpy(labels))

    def _read(
        self, epoch: int, item: Item
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        track = self.tracks[item.track]
        rng = np.random.default_rng([self.seed, epoch, item.track])
        start = 0
        if not self.compat:
            start = int(rng.integers(len(track.frame_timestamp) - item.frames + 1))
        stop = start + item.frames
        others = self._others(item)
        drawn = draw(rng, len(others), side=GRAY_SIZE, compat=self.compat)
        sound = samples(track)
        if drawn.noise is not None:
            noise = samples(self.tracks[others[drawn.noise]])
            sound = mix(sound, noise, drawn.snr_db, compat=self.compat)
        heard = features(track, sound, self.tracks.frame_rates[item.track], compat=self.compat)
        return (
            heard[PER_FRAME * start : PER_FRAME * stop],
            drawn.look.apply(_piece(track, start, stop).gray(GRAY_SIZE)),
            _labels(track)[start:stop],
        )

    def _others(self, item: Item) -> Sequence[int]:
        """The tracks whose sound may be mixed in: of the batch, or any where it has no other."""
        others = [other for other in item.others if other != item.track]
        return others or [n for n in range(len(self.tracks)) if n != item.track]


@dataclass(frozen=True)
class ScoringTracks(Dataset[Batch]):
    """Reads one track as it is, as a batch of one; its labels are not looked at.

    Attributes:
        tracks: what is to be scored.
        compat: the original's features, see `features.audio_features`.
    """

    tracks: Tracks
    compat: bool = False

    def __getitem__(self, number: int) -> Batch:
        """Read a track.

        Raises:
            LayoutError: a file is missing.
            DataError: a file is damaged, or a sound has another rate.
        """
        track = self.tracks[number]
        heard = features(track, samples(track), self.tracks.frame_rates[number], compat=self.compat)
        return Batch(
            torch.from_numpy(heard[None]),
            torch.from_numpy(track.gray(GRAY_SIZE)[None]),
            torch.from_numpy(track.label_id[None]),
        )


def samples(track: Track) -> npt.NDArray[np.int16]:
    """A track's sound, [samples].

    Raises:
        LayoutError: it is missing.
        DataError: it is damaged, or has another rate.
    """
    return track.sound_at(RATE)


def features(
    track: Track, sound: npt.NDArray[np.int16], rate: float, *, compat: bool
) -> npt.NDArray[np.float32]:
    """What a network hears of a track, [4 * faces, 13].

    Raises:
        DataError: there is no sound.
    """
    try:
        return audio_features(
            sound, len(track.frame_timestamp), rate=RATE, fps=float(rate), compat=compat
        )
    except DataError as error:
        raise DataError(f"{track.entity_id}: {error.message}", hint=error.hint) from error


def _piece(track: Track, start: int, stop: int) -> Track:
    """Some of a track's faces; its sound stays whole."""
    own = slice(start, stop)
    return replace(
        track,
        frame_timestamp=track.frame_timestamp[own],
        label_id=track.label_id[own],
        boxes=track.boxes[own],
        scored=track.scored[own],
    )


def _labels(track: Track) -> npt.NDArray[np.int64]:
    if (track.label_id < 0).any():
        raise DataError(
            f"{track.entity_id}: its faces have no label, and nothing can be learned from them",
            hint="train on a split with labels",
        )
    positive: npt.NDArray[np.bool_] = track.label_id == _POSITIVE
    return positive.astype(np.int64)


# ------------------------------------------------------------------------------ many batches


class Reader:
    """Reads items ahead of whoever asks for them, in some processes that stay.

    Args:
        dataset: what reads an item.
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
            stopped: asked now and then while nothing comes; if so, no more is read.

        Raises:
            LostError: a process that reads was killed.
            UnitalkError: what reading one of them raised.
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
        """Start the processes, if they are not there.

        PyTorch's handler for the end of one raises between any two bytecodes, of a step too; so it
        is taken away. A look a second finds as much.
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
    """Gives an error as a value: what a loader raises for its process hides the message."""

    dataset: Dataset[Batch]

    def __getitem__(self, index: object) -> Batch | UnitalkError:
        try:
            with disk_errors():
                return self.dataset[index]
        except UnitalkError as error:
            return error

"""Read batches of tracks to train on, and single tracks to score.

A batch has tracks of similar length, as many as a budget of frames allows (the original's
dataLoader.py: sort by length, cut groups, crop each to its shortest track). Which tracks, which
piece of each, whose sound is mixed in and how faces are turned follows from the seed, the epoch and
the track alone. So the batches are the same whoever reads them, and a run can resume anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from torch.utils.data import Dataset

from unitalk import schema
from unitalk.errors import DataError
from unitalk.models._torch import torch
from unitalk.models.augment import draw, mix
from unitalk.models.contract import Batch
from unitalk.models.features import PER_FRAME, RATE, audio_features

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from unitalk.media.tracks import Track, Tracks

_POSITIVE = schema.LABEL_IDS[schema.SPEAKING]


class Wanted(NamedTuple):
    """A batch to read.

    Attributes:
        epoch: the epoch that it belongs to.
        tracks: the numbers of its tracks.
        length: how many faces of each.
        others: the tracks whose sound may be mixed in; with several processes, those of all.
    """

    epoch: int
    tracks: tuple[int, ...]
    length: int
    others: tuple[int, ...]

    @property
    def frames(self) -> int:
        """How many faces the batch has."""
        return len(self.tracks) * self.length


# ------------------------------------------------------------------------------ which batches


def plan_epoch(
    lengths: npt.NDArray[np.int64], *, budget: int, seed: int, epoch: int, processes: int = 1
) -> list[list[Wanted]]:
    """Deal all tracks into batches.

    From the longest track to the shortest, equal ones at random; a batch has as many tracks as its
    first one's length goes into the budget, at least one, for each process, and is cropped to its
    last one's length. So all processes have as many frames. Where tracks do not divide evenly, the
    first of the last batch are taken twice. A single face that would be a batch of its own is left
    out. The batches are shuffled.

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
        length = int(lengths[group[-1]])
        group += [group[n % len(group)] for n in range(-len(group) % processes)]
        if len(group) * length < 2 * processes:  # nothing can be normalised by itself alone
            continue
        shares = [tuple(group[own::processes]) for own in range(processes)]
        steps.append([Wanted(epoch, share, length, tuple(group)) for share in shares])
    return [steps[n] for n in rng.permutation(len(steps))]


# ------------------------------------------------------------------------------ one batch


@dataclass(frozen=True)
class TrainingBatches(Dataset[Batch]):
    """Reads the batches of a plan; a missing picture or sound is an error that names it.

    Attributes:
        tracks: of the training split.
        seed: of all randomness.
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
        read = [self._read(wanted, number) for number in wanted.tracks]
        return Batch(*(torch.from_numpy(np.stack(part)) for part in zip(*read, strict=True)))

    def _read(
        self, wanted: Wanted, number: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        track = self.tracks[number]
        rng = np.random.default_rng([self.seed, wanted.epoch, number])
        start = 0
        if not self.compat:
            start = int(rng.integers(len(track.frame_timestamp) - wanted.length + 1))
        stop = start + wanted.length
        others = self._others(wanted, number)
        drawn = draw(rng, len(others), compat=self.compat)
        sound = track.sound_at(RATE)
        if drawn.noise is not None:
            noise = self.tracks[others[drawn.noise]].sound_at(RATE)
            sound = mix(sound, noise, drawn.snr_db, compat=self.compat)
        heard = _heard(track, sound, self.tracks.frame_rates[number], compat=self.compat)
        return (
            heard[PER_FRAME * start : PER_FRAME * stop],
            drawn.look.apply(_piece(track, start, stop).gray()),
            _labels(track)[start:stop],
        )

    def _others(self, wanted: Wanted, number: int) -> Sequence[int]:
        """The tracks whose sound may be mixed in: of the batch, or any where it has no other."""
        others = [other for other in wanted.others if other != number]
        return others or [n for n in range(len(self.tracks)) if n != number]


@dataclass(frozen=True)
class ScoringTracks(Dataset[Batch]):
    """Reads one track as it is, as a batch of one; its labels do not matter.

    Attributes:
        tracks: the tracks to score.
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
        rate = self.tracks.frame_rates[number]
        heard = _heard(track, track.sound_at(RATE), rate, compat=self.compat)
        parts = (heard, track.gray(), track.label_id)
        return Batch(*(torch.from_numpy(part[None]) for part in parts))


def _heard(
    track: Track, sound: npt.NDArray[np.int16], rate: float, *, compat: bool
) -> npt.NDArray[np.float32]:
    """A track's sound as networks hear it, [4 * faces, 13]; an error names the track."""
    try:
        return audio_features(sound, len(track.frame_timestamp), fps=float(rate), compat=compat)
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

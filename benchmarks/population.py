"""What `interval_coverage.py` and `p_values.py` draw from, and the bootstrap beside them.

A population of videos that differ in length, in how much is spoken, in how well a model can tell,
and in where its scores lie; scores hang together within a track and within a video.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

FRAMES = 16  # faces of a track
RESAMPLES = 1000


@dataclass(frozen=True, kw_only=True)
class System:
    """A model, by how its scores fall; every spread is a standard deviation.

    Attributes:
        separation: between speaking and silent faces, in units of a frame's noise.
        uneven: of the logarithm of the separation, between videos.
        shift: of where a video's scores lie.
        track: of where a track's scores lie.
        shared: correlation of all these and of the noise with the other system's.
    """

    separation: float
    uneven: float = 0.15
    shift: float = 0.3
    track: float = 0.6
    shared: float = 0.7


@dataclass(frozen=True, kw_only=True)
class Population:
    """Videos without end.

    Attributes:
        systems: one or two.
        prior: the probit of the share of speaking faces in a middling video and track.
        talk: how much that differs between videos.
        size: of the logarithm of a video's number of tracks, nine or so on average.
    """

    systems: list[System] = field(default_factory=list)
    prior: float = 0.0
    talk: float = 0.6
    size: float = 0.7

    def draw(self, seed: list[int], count: int) -> tuple:
        """Draw videos: [rows] video and label; for each system [rows] noise and lean.

        A system's scores are its noise plus its separation times its lean.
        """
        rng = np.random.default_rng(seed)
        tracks = 1 + rng.poisson(8 * np.exp(self.size * rng.standard_normal(count)) * 0.8)
        video = np.repeat(np.arange(count), tracks)
        shape = len(video)
        speech = (self.prior + self.talk * rng.standard_normal(count))[video]
        speech += 1.5 * rng.standard_normal(shape)
        labels = speech[:, None] + _frames(rng, shape) > 0
        common = _effects(rng, count, shape)
        parts = []
        for system in self.systems:
            own = _effects(rng, count, shape)
            ease, place, track, noise = (
                system.shared * a + np.sqrt(1 - system.shared**2) * b
                for a, b in zip(common, own, strict=True)
            )
            level = (system.shift * place)[video] + system.track * track
            lean = np.exp(system.uneven * ease)[video][:, None] * (labels - 0.5)
            parts.append(((noise + level[:, None]).ravel(), lean.ravel()))
        return np.repeat(video, FRAMES), labels.ravel(), parts


def _effects(rng: np.random.Generator, videos: int, tracks: int) -> list[np.ndarray]:
    """A video's ease and place, a track's place, a frame's noise."""
    return [*rng.standard_normal((2, videos)), rng.standard_normal(tracks), _frames(rng, tracks)]


def _frames(rng: np.random.Generator, tracks: int) -> np.ndarray:
    """[tracks, frames] of noise that drifts: each frame is 0.8 of the one before."""
    noise = rng.standard_normal((tracks, FRAMES))
    for frame in range(1, FRAMES):
        noise[:, frame] = 0.8 * noise[:, frame - 1] + 0.6 * noise[:, frame]
    return noise


def matrices(labels: np.ndarray, scores: np.ndarray, units: np.ndarray, count: int) -> tuple:
    """[units, steps] of positives and of negatives; a step is negatives, then positives."""
    order = np.lexsort((labels, -scores))
    labels, units = labels[order], units[order]
    steps = np.cumsum(np.append(False, labels[:-1] & ~labels[1:]))
    cells = units * (steps[-1] + 1) + steps
    size = count * (steps[-1] + 1)
    return tuple(
        np.bincount(cells[kind], minlength=size).reshape(count, -1).astype(np.float32)
        for kind in (labels, ~labels)
    )


def areas(weights: np.ndarray, positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """[resamples] average precision, each unit as often as its weight; NaN where undefined."""
    weights = weights.astype(np.float32)
    gains = weights @ positives
    found, wrong = np.cumsum(gains, 1), np.cumsum(weights @ negatives, 1)
    precision = found / np.maximum(found + wrong, 1)
    envelope = np.maximum.accumulate(precision[:, ::-1], 1)[:, ::-1]
    defined = (found[:, -1] > 0) & (wrong[:, -1] > 0)
    area = np.einsum("ij,ij->i", envelope, gains, dtype=float) / np.maximum(found[:, -1], 1)
    return np.where(defined, area, np.nan)


def draws(seed: int, count: int) -> np.ndarray:
    """[resamples, units] how often each unit is drawn."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)

"""Derive the frame rates of videos from the times of their faces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.integer]
    Floats = npt.NDArray[np.float64]

USUAL = 25.0
"""UniTalk's frames per second, and the default where times are not clear."""

GAP_FRAMES = 1.5
"""Frames: a longer step is a gap, for rates and for loaders."""

_STEPS = 10  # fewer are too few
_SLOWEST = 0.5  # seconds from frame to frame: ASW is labelled every 0.2 s
_ROUNDING = 0.01  # seconds that both ends of a stretch may be off, in times with two decimals


def frame_rates(seconds: Floats, starts: Integers, videos: Integers, count: int) -> Floats:
    """Find each video's frames per second.

    A loader stretches its windows of sound by 25 / rate, so with a wrong rate sound and faces drift
    apart. A rate belongs to a video, so the steps from face to face of all its tracks count
    together. Their median is the usual step. Two thirds of the steps must be that long, give or
    take the rounding of times; a step that is longer by half is a gap and left out. The sum of the
    other steps gives the rate: 25 where the rounding of times explains the difference, or else a
    whole number on the same condition, or else the quotient. With fewer than ten steps, or with
    steps of more than half a second, it is 25.

    Args:
        seconds: [faces] times, track after track, each in the order of time.
        starts: [tracks + 1] where each track begins, and the number of faces.
        videos: [tracks] a number for each track's video, from 0.
        count: how many videos there are.

    Returns:
        [videos] frames per second.
    """
    steps = np.diff(seconds)
    inside = steps > 0
    inside[starts[1:-1] - 1] = False
    within = np.repeat(np.arange(len(videos)), np.diff(starts))[1:][inside]
    steps, owners = steps[inside], videos[within]
    order = np.argsort(owners, kind="stable")
    steps, owners, within = steps[order], owners[order], within[order]
    rates = np.full(count, USUAL)
    for own in np.split(np.arange(len(steps)), np.flatnonzero(np.diff(owners)) + 1):
        if len(own) >= _STEPS:
            stretches = 1 + int(np.count_nonzero(np.diff(within[own])))
            rates[owners[own[0]]] = _rate(steps[own], stretches)
    return rates


def _rate(steps: npt.NDArray[np.float64], stretches: int) -> float:
    usual = float(np.median(steps))
    if usual > _SLOWEST or np.mean(np.abs(steps - usual) < 1.1 * _ROUNDING) < 2 / 3:
        return USUAL
    together = steps < GAP_FRAMES * usual
    count, seconds = int(np.count_nonzero(together)), float(steps[together].sum())
    rounding = _ROUNDING * (stretches + len(steps) - count)
    measured = count / seconds
    for rate in (USUAL, float(round(measured))):
        if rate and abs(seconds - count / rate) <= rounding:
            return rate
    return round(measured, 2)

"""A track's sound as the network hears it: mel frequency cepstral coefficients, four rows a face.

What python_speech_features 0.6 computes with the settings of TalkNet's dataLoader.py is computed
here: a window of 25 ms every 10 ms at 25 fps, both stretched so that four steps stay one face at
another rate. As its steps are whole samples, four of them are not quite a face at 24 or 30 fps: 2.7
samples too few or 1.3 too many of about 600. The published weights have learned from that.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from unitalk.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Sound = npt.NDArray[np.int16]

PER_FRAME = 4
"""Rows of sound a face."""

COEFFICIENTS = 13
"""Numbers a row; the first is the logarithm of the energy."""

RATE = 16_000
"""Samples a second that the networks were trained on."""

_FFT = 512
_FILTERS = 26
_EMPHASIS = 0.97
_LIFTER = 22
_LEAST = float(np.finfo(np.float64).eps)  # what stands for an energy of zero, before the logarithm
_LONG, _SHORT = 384, 64  # rows at once: few calls, and spectra that stay in a processor's cache


def audio_features(
    samples: Sound, frames: int, *, rate: int = RATE, fps: float = 25.0, compat: bool = False
) -> npt.NDArray[np.float32]:
    """Make the network's input from a track's sound: four rows a face.

    Rows beyond the last face are cut off. In AVA rows are missing, always five at 25 fps, as a
    track's sound ends at the time of its last face. The last row is repeated in their place. The
    original repeats the first rows, so that the last faces hear the track's beginning. Silence
    would be no better: the logarithm of its energy is -36, far from anything that is ever heard.

    Args:
        samples: [samples] int16, as in the wav.
        frames: faces of the track.
        rate: samples a second.
        fps: faces a second.
        compat: repeat the first rows at the end, as the original does.

    Returns:
        [4 * frames, 13] float32.

    Raises:
        DataError: the sound is empty.
    """
    window, step = _lengths(rate, fps)
    if not len(samples):
        raise DataError(
            "the sound is empty, so there is nothing to hear for any face",
            hint="leave the track out, or cut its sound again: the original scripts end a sound at "
            "the time of its last face, so that a track of one face gets none",
        )
    wanted = PER_FRAME * frames
    there = min(_count(len(samples), window, step), wanted)
    result = np.empty((wanted, COEFFICIENTS), np.float32)
    result[:there] = _rows(samples, there, window, step, rate)
    if there < wanted:
        rest = result[there:]
        rest[:] = np.resize(result[:there], rest.shape) if compat else result[there - 1]
    return result


def mfcc(samples: Sound, *, rate: int = RATE, fps: float = 25.0) -> Floats:
    """Compute the mel frequency cepstral coefficients of a sound.

    They are those of python_speech_features 0.6: `mfcc(samples, rate, 0.025 * 25 / fps,
    0.010 * 25 / fps)`, with 26 filters, an FFT of 512 samples, pre-emphasis 0.97, lifter 22, no
    window function, and the logarithm of the energy as the first coefficient. Of a window longer
    than the FFT, below 19.6 fps, only the first 512 samples are heard. The last window goes on in
    zeros where the sound ends. An energy of zero counts as the smallest step above one, 2.2e-16.

    Args:
        samples: [samples] int16, as in the wav.
        rate: samples a second.
        fps: faces a second.

    Returns:
        [rows, 13] float64; one row for a sound no longer than a window, none for an empty one.
    """
    window, step = _lengths(rate, fps)
    return _rows(samples, _count(len(samples), window, step), window, step, rate)


# ------------------------------------------------------------------------------ where rows lie


def _lengths(rate: int, fps: float) -> tuple[int, int]:
    """How long a window and a step are, in samples."""
    # In the order of the original's operations, as the last bit decides where halves are rounded.
    window, step = 0.025 * 25 / fps * rate, 0.010 * 25 / fps * rate
    return _half_up(window), _half_up(step)


def _half_up(value: float) -> int:
    return math.floor(value) + math.floor(2 * (value % 1))


def _count(samples: int, window: int, step: int) -> int:
    """How many rows a sound has."""
    if not samples:
        return 0
    return 1 + max(0, -((window - samples) // step))


# ------------------------------------------------------------------------------ what is in them


def _rows(samples: Sound, rows: int, window: int, step: int, rate: int) -> Floats:
    """The first rows of a sound, a part at a time so that an hour of it needs little memory."""
    filters, cosines = _filters(rate), _cosines()
    result = np.empty((rows, COEFFICIENTS))
    kept = min(window, _FFT)
    for first in range(0, rows, _LONG):
        part = result[first : first + _LONG]
        heard = _emphasised(samples, first * step, (first + len(part) - 1) * step + kept)
        energies = _energies(sliding_window_view(heard, kept)[::step], filters)
        energies[energies == 0] = _LEAST
        np.matmul(np.log(energies), cosines, out=part)
    return result


def _emphasised(samples: Sound, start: int, stop: int) -> Floats:
    """Pre-emphasised samples of a stretch: each less 0.97 of the one before; zeros past the end."""
    result = np.zeros(stop - start)
    part = samples[start:stop]
    result[: len(part)] = part
    result[1 : len(part)] -= _EMPHASIS * part[:-1]
    if start and len(part):
        result[0] -= _EMPHASIS * samples[start - 1]
    return result


def _energies(windows: Floats, filters: Floats) -> Floats:
    """What each filter lets through of each window, [rows, filters]."""
    result = np.empty((len(windows), filters.shape[1]))
    padded = np.zeros((min(len(windows), _SHORT), _FFT))
    for first in range(0, len(windows), _SHORT):
        some = windows[first : first + _SHORT]
        rows = padded[: len(some)]
        rows[:, : some.shape[1]] = some
        parts = np.fft.rfft(rows, axis=1).view(np.float64)  # real, imaginary, real, ...
        np.square(parts, out=parts)
        power = parts[:, ::2] + parts[:, 1::2]
        np.matmul(power, filters, out=result[first : first + _SHORT])
    return result


@cache
def _filters(rate: int) -> Floats:
    """Triangles evenly spaced in mel from 0 to half the rate, and last all bins: [bins, 27].

    The triangles' corners are whole bins, rounded down, so that some narrow ones are lopsided.
    """
    top = 2595 * math.log10(1 + rate / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, top, _FILTERS + 2) / 2595) - 1)
    corners = np.floor((_FFT + 1) * hertz / rate).astype(int)
    result = np.zeros((_FFT // 2 + 1, _FILTERS + 1))
    for place in range(_FILTERS):
        left, middle, right = corners[place : place + 3]
        result[left:middle, place] = np.arange(middle - left) / max(middle - left, 1)
        result[middle:right, place] = np.arange(right - middle, 0, -1) / max(right - middle, 1)
    result[:, -1] = 1
    result /= _FFT  # of a spectrum's squares it makes the power
    result.flags.writeable = False
    return result


@cache
def _cosines() -> Floats:
    """The orthonormal cosine transform of type 2 and the lifter in one: [27, coefficients].

    In the place of the first coefficient comes the energy of all bins as it is.
    """
    order = np.arange(COEFFICIENTS)
    angles = np.pi * np.outer(np.arange(_FILTERS) + 0.5, order) / _FILTERS
    lifter = 1 + _LIFTER / 2 * np.sin(np.pi * order / _LIFTER)
    result = np.zeros((_FILTERS + 1, COEFFICIENTS))
    result[:-1] = np.cos(angles) * math.sqrt(2 / _FILTERS) * lifter
    result[:, 0] = 0
    result[-1, 0] = 1
    result.flags.writeable = False
    return result

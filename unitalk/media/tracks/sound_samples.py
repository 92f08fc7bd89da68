"""A track's sound: the bytes of a wav -> samples."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from unitalk.errors import DataError
from unitalk.media import wavs

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from unitalk.media.tracks.media_files import Sound


def samples(sound: Sound) -> tuple[npt.NDArray[np.int16], int]:
    """Read a wav of one channel in 16 bits: its samples, [samples], and how many a second.

    Raises:
        DataError: it is damaged, or has another form.
    """
    try:
        wav = _header(sound)
    except wavs.NotAWavError as error:
        hint = sound.convert if wavs.other_kind(sound.data) else sound.hint
        raise DataError(f"{sound.where}: not a whole wav: {error}", hint=hint) from error
    if wav.fault:
        raise DataError(f"{sound.where}: not a whole wav: {wav.fault}", hint=sound.hint)
    if not wav.readable:
        raise wrong_form(sound)
    return wavs.samples(sound.data, wav), wav.rate


def wrong_form(sound: Sound) -> DataError:
    """The error that says what a wav is, and how to make it right."""
    return DataError(
        f"{sound.where}: {_header(sound).form}; a track's sound is {wavs.RATE:,} Hz, "
        f"{wavs.CHANNELS} channel of {wavs.BITS} bits",
        hint=sound.convert,
    )


def _header(sound: Sound) -> wavs.Wav:
    return wavs.read_header(io.BytesIO(sound.data))

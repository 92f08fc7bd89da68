"""A track's sound: the bytes of a wav -> samples."""

from __future__ import annotations

import io
import wave
from typing import TYPE_CHECKING

import numpy as np

from unitalk.errors import DataError
from unitalk.reading.media import MISSING

if TYPE_CHECKING:
    import numpy.typing as npt

_BYTES = 2  # of a sample


def samples(data: bytes, where: str) -> tuple[npt.NDArray[np.int16], int]:
    """Read a wav of one channel in 16 bits: its samples, [samples], and how many a second.

    Args:
        data: the file's bytes.
        where: names it in a message.

    Raises:
        DataError: it is damaged, or another kind of sound.
    """
    try:
        with wave.open(io.BytesIO(data)) as sound:
            form = sound.getparams()
            found = sound.readframes(form.nframes)
    except (wave.Error, EOFError, ValueError) as error:
        reason = str(error) or "it ends within its header"
        raise DataError(f"{where}: not a whole wav: {reason}", hint=MISSING) from error
    if (form.nchannels, form.sampwidth) != (1, _BYTES):
        raise DataError(
            f"{where}: {form.nchannels} channels of {8 * form.sampwidth} bits; a track's sound is "
            "one channel of 16 bits",
            hint="`unitalk verify --deep` lists the sounds of another form",
        )
    if len(found) != form.nframes * _BYTES:
        raise DataError(
            f"{where}: not a whole wav: {len(found):,} of {form.nframes * _BYTES:,} bytes of "
            "samples are there",
            hint=MISSING,
        )
    return np.frombuffer(found, "<i2").astype(np.int16), form.framerate

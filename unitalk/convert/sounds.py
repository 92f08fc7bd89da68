"""How long a track's sound is, from the first bytes of its wav."""

from __future__ import annotations

import struct
import wave

from unitalk.fsops import unreadable

_SLACK = 0.005  # seconds that a wav may be shorter than its faces: AVA's are cut a sample short

# A wav as everybody writes it: RIFF, a format of 16 bytes that says PCM, then the sound.
_WAV = struct.Struct("<4s4x8sIHHI4xHH4sI")
_PCM = 1


def seconds_of_wav(wav: str) -> float | None:
    """How long a wav is; None where a loader would fail to read it.

    Raises:
        DiskError: the disk refused it.
    """
    try:
        with open(wav, "rb", buffering=0) as file:
            head = file.read(_WAV.size)
        if len(head) == _WAV.size:
            # Python's reader takes ten times as long, and there may be fifty thousand wavs.
            riff, form, size, coding, channels, rate, _, bits, data, length = _WAV.unpack(head)
            frame = channels * ((bits + 7) // 8)
            usual = (riff, form, size, coding, data) == (b"RIFF", b"WAVEfmt ", 16, _PCM, b"data")
            if usual and frame and rate:
                return float(length // frame / rate)
        with wave.open(wav, "rb") as sound:
            return sound.getnframes() / sound.getframerate()
    except (EOFError, ZeroDivisionError, wave.Error):
        return None
    except OSError as error:
        if refused := unreadable(error):
            raise refused from error
        return None


def ends_too_early(seconds: float, first: float, last: float) -> str | None:
    """Say by how much a sound is too short for faces from `first` to `last`; None if it is not."""
    if seconds + _SLACK >= last - first:
        return None
    return f"{seconds:.2f} s for {last - first:.2f} s of faces"

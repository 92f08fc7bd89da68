"""How long a track's sound is, from the first bytes of its wav."""

from __future__ import annotations

from unitalk.files import unreadable
from unitalk.media import wavs

_SLACK = 0.005  # seconds that a wav may be shorter than its faces: AVA's are cut a sample short


def seconds_of_wav(wav: str) -> float | None:
    """How long a wav is; None where a loader would fail to read it.

    Raises:
        DiskError: the disk refused it.
    """
    try:
        with open(wav, "rb", buffering=0) as file:
            header = wavs.read_header(file)
    except wavs.NotAWavError:
        return None
    except OSError as error:
        if refused := unreadable(error, wav):
            raise refused from error
        return None
    return header.seconds if header.is_pcm else None


def ends_too_early(seconds: float, first: float, last: float) -> str | None:
    """Say by how much a sound is too short for faces from `first` to `last`; None if it is not."""
    if seconds + _SLACK >= last - first:
        return None
    return f"{seconds:.2f} s for {last - first:.2f} s of faces"

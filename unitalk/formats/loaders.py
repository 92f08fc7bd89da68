"""What the loaders of face crops have in common: ten columns, one folder per track, its sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitalk import schema
from unitalk.errors import LayoutError, SchemaError
from unitalk.files import unreadable
from unitalk.media import wavs

if TYPE_CHECKING:
    from pathlib import Path

_SLACK = 0.005  # seconds that a wav may be shorter than its faces: AVA's are cut a sample short


def check_columns(path: Path, head: schema.Head, reader: str) -> None:
    """Check that a csv has all columns that a loader reads.

    Raises:
        SchemaError: a column is missing.
    """
    missing = [name for name in schema.COLUMNS if name not in head.columns]
    if missing:
        raise SchemaError(
            f"{path}: {reader} needs the ten columns of UniTalk, and {', '.join(missing)} are "
            "missing",
            hint=f"the columns are {', '.join(schema.COLUMNS)}",
        )


def shared_id(path: Path, one: str, two: str, entity: str, where: str) -> LayoutError:
    """The error for two videos with tracks of one id, where each track has one folder."""
    return LayoutError(
        f"{path}: the videos {one} and {two} both have a track {entity!r}",
        hint=f"{where} has one folder a track, and one would overwrite the other; "
        "give the tracks different ids",
    )


def seconds_of_wav(wav: str) -> float | None:
    """The length of a wav; None where a loader would fail to read it.

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
    """The lengths of a sound and of its faces, where the sound is too short for them; or None."""
    if seconds + _SLACK >= last - first:
        return None
    return f"{seconds:.2f} s for {last - first:.2f} s of faces"

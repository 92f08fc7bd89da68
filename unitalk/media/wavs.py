"""A track's sound: the header of a wav, its samples, and how to convert another form."""

from __future__ import annotations

import os
import shlex
import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

RATE, CHANNELS, BITS = 16_000, 1, 16
"""The form of a track's sound."""

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_FMT_BYTES, _GUID_BYTES = 16, 26  # of a format's chunk: the usual one, with the code in its GUID
_ENDLESS = 0x7FFF_0000
"""Bytes from which a length says that its writer did not know it: programs that write into a pipe
put 0xFFFFFFFF there, or the largest number with a sign less the header."""

# A wav as nearly everybody writes it: RIFF, a format of 16 bytes, then the sound.
_USUAL = struct.Struct("<4sI8sIHHI4xHH4sI")
_KINDS = {
    b"ID3": "an MP3 file", b"\xff\xfb": "an MP3 file", b"fLaC": "a FLAC file",
    b"OggS": "an Ogg file", b"FORM": "an AIFF file", b"caff": "a CAF file",
    b"\x1aE\xdf\xa3": "a Matroska file", b"RF64": "an RF64 file",
    b"version https://git-lfs": "a pointer of Git LFS, without the sound",
}  # fmt: skip


class NotAWavError(ValueError):
    """A file is not a wav, or its header is broken."""


@dataclass(frozen=True, slots=True)
class Wav:
    """What the header of a wav says.

    Attributes:
        code: of the way in which samples are written; 1 is PCM.
        channels: how many.
        rate: samples a second.
        bits: of a sample.
        start: where the samples begin.
        said: bytes of samples as the header has it; where it does not know, those that are there.
        there: bytes of the file from the samples on.
    """

    code: int
    channels: int
    rate: int
    bits: int
    start: int
    said: int
    there: int

    @property
    def seconds(self) -> float:
        """The seconds of sound that the file contains."""
        frame = max(self.channels * ((self.bits + 7) // 8), 1) * max(self.rate, 1)
        return min(self.said, self.there) / frame

    @property
    def form(self) -> str:
        """Its form in words, such as "44,100 Hz, 2 channels of 16 bits"."""
        kind = {_PCM: "", _FLOAT: ", floating point"}.get(self.code, f", coding {self.code}")
        channels = f"{self.channels} channel{'s' * (self.channels != 1)}"
        return f"{self.rate:,} Hz, {channels} of {self.bits} bits{kind}"

    @property
    def is_pcm(self) -> bool:
        """Whether it has samples that are whole numbers, as loaders of other models read them."""
        return self.code == _PCM and min(self.channels, self.bits, self.rate) > 0

    @property
    def readable(self) -> bool:
        """Whether its samples are of one channel in 16 bits, at whatever rate."""
        return (self.code, self.channels, self.bits) == (_PCM, CHANNELS, BITS) and self.rate > 0

    @property
    def fault(self) -> str | None:
        """Whether the file is shorter than its header says."""
        if self.there >= self.said:
            return None
        return f"{self.there:,} of {self.said:,} bytes of samples are there"


def read_header(file: IO[bytes]) -> Wav:
    """Read the header of a wav, and nothing of its samples.

    Raises:
        NotAWavError: the file is not a wav.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(_USUAL.size)
    if not size:
        raise NotAWavError("the file is empty")
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        kind = other_kind(head)
        raise NotAWavError(f"it is {kind}" if kind else "it does not begin as a wav")
    if len(head) == _USUAL.size:
        _, whole, form, length, code, channels, rate, _, bits, data, said = _USUAL.unpack(head)
        if (form, length, data) == (b"WAVEfmt ", _FMT_BYTES, b"data") and code != _EXTENSIBLE:
            there = size - _USUAL.size
            said = _known(said, there, whole, size)
            return Wav(code, channels, rate, bits, _USUAL.size, said, there)
    return _walk(file, size, int.from_bytes(head[4:8], "little"))


def _walk(file: IO[bytes], size: int, whole: int) -> Wav:
    """Go from one chunk to the next until there are samples."""
    file.seek(12)
    form: tuple[int, int, int, int] | None = None
    while len(head := file.read(8)) == 8:  # noqa: PLR2004 - a chunk's name and length
        name, length = struct.unpack("<4sI", head)
        if name == b"data":
            if form is None:
                raise NotAWavError("it has samples and does not say which")
            start = file.tell()
            return Wav(*form, start, _known(length, size - start, whole, size), size - start)
        body = file.read(min(length, 64))
        if name == b"fmt " and len(body) >= _FMT_BYTES:
            code, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:_FMT_BYTES])
            if code == _EXTENSIBLE and len(body) >= _GUID_BYTES:
                code = struct.unpack("<H", body[24:26])[0]
            form = code, channels, rate, bits
        file.seek(length - len(body) + length % 2, os.SEEK_CUR)
    raise NotAWavError("it ends within its header")


def _known(said: int, there: int, whole: int, size: int) -> int:
    """The bytes of samples; of a wav that was written into a pipe, all that follow the header.

    Such a header has a length that no track has, or zero with a wrong length of the whole file.
    """
    piped = said >= _ENDLESS if said else whole + 8 != size
    return there if piped else said


def other_kind(data: bytes) -> str | None:
    """The kind of a file that is not a wav, by its first bytes: "an MP3 file", ..."""
    if data[4:8] == b"ftyp":
        return "an MP4 file"
    return next((kind for magic, kind in _KINDS.items() if data.startswith(magic)), None)


def samples(data: bytes, wav: Wav) -> npt.NDArray[np.int16]:
    """The samples of a wav that is whole and `readable`."""
    return np.frombuffer(data, "<i2", wav.said // 2, wav.start).astype(np.int16)


def converting(path: Path, root: Path) -> str:
    """The line that makes a sound one of a track's form; it keeps the file that there was.

    Args:
        path: the sound.
        root: the dataset's folder, into which the old file is moved.
    """
    old = shlex.quote(os.path.join(root, f"{path.stem}.old{path.suffix}"))
    new = shlex.quote(os.path.join(path.parent, path.name))
    form = f"-ac {CHANNELS} -ar {RATE} -c:a pcm_s16le"
    return f"mv -n {new} {old} && ffmpeg -nostdin -i {old} {form} {new}"

"""Write one shard under its final name, with a receipt of its size and its hash."""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from unitalk.errors import EXAMPLES, DataError
from unitalk.files import Receipts, atomic_write, remove_halves
from unitalk.formats.huggingface import CARD, HF
from unitalk.formats.parquet import PARQUET
from unitalk.formats.shard_record import Form, Record
from unitalk.formats.webdataset import WEBDATASET
from unitalk.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unitalk.choices import FormName
    from unitalk.media.tracks import Track

FORMS: dict[FormName, Form] = {form.name: form for form in (WEBDATASET, PARQUET, HF)}


class Job(NamedTuple):
    """One shard to write; any worker may write it, even two at a time.

    Attributes:
        form: its form.
        destination: the folder of all shards.
        name: its path below the destination.
        first: the place of its first track among the exported ones of the split.
        tracks: its tracks.
    """

    form: FormName
    destination: str
    name: str
    first: int
    tracks: tuple[Track, ...]


class Done(NamedTuple):
    """The outcome of a job.

    Attributes:
        damaged: how many tracks cannot be read; if there are any, the shard was not written.
        examples: what is wrong with the first ones.
    """

    damaged: int
    examples: tuple[str, ...]


def write_shard(job: Job) -> Done:
    """Write a shard if all of its tracks can be read; otherwise find all that cannot."""
    reader = _Reader(job)
    path = Path(job.destination, job.name)
    with suppress(_NotWholeError), atomic_write(path, "wb") as file:
        hashed = _Hashed(file)
        FORMS[job.form].write(hashed, reader.records())
        if reader.damaged:
            raise _NotWholeError  # so that the file does not get its name
        receipt = {"bytes": hashed.tell(), "sha256": hashed.sha256.hexdigest()}
        receipts(Path(job.destination)).write(job.name, receipt)
    return Done(reader.damaged, tuple(reader.examples))


class _NotWholeError(Exception):
    """A shard lacks a track, and must not get its name."""


class _Reader:
    """Reads tracks until one is damaged; from there on it only looks for other damaged ones.

    Attributes:
        damaged: how many tracks cannot be read.
        examples: what is wrong with the first ones.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self.damaged = 0
        self.examples: list[str] = []

    def records(self) -> Iterator[Record]:
        for number, track in enumerate(self._job.tracks, self._job.first):
            try:
                record = Record(number, track, track.jpgs(), track.wav())
            except DataError as error:
                self.damaged += 1
                if self.damaged <= EXAMPLES:
                    self.examples.append(error.message)
                continue
            if not self.damaged:
                yield record


class _Hashed(io.RawIOBase):
    """A file that counts and hashes the bytes written into it."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file
        self._size = 0
        self.sha256 = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - whatever has bytes
        view = memoryview(data)
        self._file.write(view)
        self.sha256.update(view)
        self._size += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        return self._size


# ------------------------------------------------------------------------------ receipts


def receipts(destination: Path) -> Receipts:
    """The receipts of a destination's shards: the size and the hash of each."""
    return Receipts(Layout(destination).memory / "shards")


def whole(destination: Path, name: str) -> dict[str, Any] | None:
    """The receipt of a shard that is there and whole; None of any other."""
    receipt = receipts(destination).read(name)
    path = destination / name
    if not receipt or not path.is_file() or path.stat().st_size != receipt.get("bytes"):
        return None
    return {key: receipt.get(key) for key in ("bytes", "sha256")}


def remove_half_shards(destination: Path, form: Form) -> None:
    """Remove half-written files that a killed process left."""
    receipts(destination).remove_halves()
    for folder in {destination, destination / form.folder}:
        for name in (f"*{form.suffix}", "*.json", CARD):
            remove_halves(folder, name)

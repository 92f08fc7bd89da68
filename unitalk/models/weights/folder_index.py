"""Reads and writes `weights.json`, a folder's memory of its files: one entry per checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from unitalk.errors import DataError
from unitalk.files.resume import ReceiptBook

if TYPE_CHECKING:
    from pathlib import Path

FILE = "weights.json"
_WAY_OUT = "move it elsewhere, then register each file: `register_weights(NAME, FOLDER, FILE)`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What was registered under a name.

    Attributes:
        file: its name in the folder.
        size: its bytes.
        sha256: its hash.
        mtime_ns: when the file was last written, as the disk said when its hash was compared.
        origin: the address or the file that it came from.
        registered: when, in UTC: `2025-01-31T23:59:59Z`.
    """

    file: str
    size: int
    sha256: str
    mtime_ns: int
    origin: str
    registered: str


def entries(folder: Path) -> dict[str, Entry]:
    """All entries by name; none where there is no folder.

    Raises:
        DataError: the file is damaged.
    """
    try:
        return {name: Entry(**fields) for name, fields in _book(folder).read().items()}
    except TypeError as error:
        raise DataError(f"{folder / FILE}: an entry is damaged", hint=_WAY_OUT) from error


def record(folder: Path, name: str, entry: Entry) -> None:
    """Write an entry down; the caller holds the folder's lock."""
    _book(folder).write(name, asdict(entry))


def _book(folder: Path) -> ReceiptBook:
    return ReceiptBook(folder / FILE, key="checkpoints", way_out=_WAY_OUT)

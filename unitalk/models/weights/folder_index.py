"""What a folder remembers of its files: `weights.json`, one entry a checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from unitalk.errors import UnitalkError
from unitalk.files import read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path

FILE = "weights.json"


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
        UnitalkError: the file is damaged.
    """
    path = folder / FILE
    content: Any = read_json(path)
    if content is None:
        return {}
    try:
        return {name: Entry(**fields) for name, fields in content["checkpoints"].items()}
    except (TypeError, KeyError, AttributeError) as error:
        raise UnitalkError(
            f"{path}: not as this program writes it",
            hint="put it elsewhere, then register each file: unitalk weights download NAME "
            "--from-file FILE",
        ) from error


def record(folder: Path, name: str, entry: Entry) -> None:
    """Write an entry down; whoever calls holds the folder against other processes."""
    all_ = {**entries(folder), name: entry}
    fields = {known: asdict(all_[known]) for known in sorted(all_)}
    write_json(folder / FILE, {"schema_version": 1, "checkpoints": fields})

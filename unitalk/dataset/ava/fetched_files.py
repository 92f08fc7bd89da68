"""What the folder of AVA's videos remembers: which files a download put there, and halves of some.

`.unitalk/ava_videos.json` is written before a file gets its final name, so whatever is ours is in
it, and whatever is not in it is not ours.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from unitalk.errors import DataError
from unitalk.files import read_json, write_json
from unitalk.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was fetched.

    Attributes:
        size: its bytes.
        validator: the server's ETag, or when the file was last modified; None for neither.
        md5: the hash that was announced and compared; None where none was.
        base_url: where it came from.
    """

    size: int
    validator: str | None
    md5: str | None
    base_url: str


class Receipts:
    """The receipts of a folder, for many threads of the one process that holds it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._all = receipts(root)

    def __contains__(self, path: object) -> bool:
        """Whether a download put a file there."""
        with self._lock:
            return path in self._all

    def write(self, path: str, receipt: Receipt) -> None:
        """Write down that a name has, or is about to have, this content."""
        with self._lock:
            self._all[path] = receipt
            videos = {name: asdict(self._all[name]) for name in sorted(self._all)}
            write_json(_file(self._root), {"schema_version": 1, "videos": videos})


def receipts(root: Path) -> dict[str, Receipt]:
    """What was fetched, by path below the folder.

    Raises:
        DataError: the file is damaged.
    """
    path = _file(root)
    content: Any = read_json(path)
    if content is None:
        return {}
    try:
        return {name: Receipt(**fields) for name, fields in content["videos"].items()}
    except (TypeError, KeyError, AttributeError) as error:
        raise DataError(
            f"{path}: not as this program writes it",
            hint="move it elsewhere: the next run compares the files there with the server's",
        ) from error


def part(root: Path, path: str) -> Path:
    """Where the bytes of a file are collected."""
    return Layout(root).memory / "parts" / f"{path}.part"


def _file(root: Path) -> Path:
    return Layout(root).memory / "ava_videos.json"

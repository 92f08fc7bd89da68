"""The memory of the folder of AVA's videos: which files a download put there.

`.unitalk/ava_videos.json` is written before a file gets its final name, so whatever is ours is in
it, and whatever is not in it is not ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitalk.errors import DataError
from unitalk.files.resume import ReceiptBook
from unitalk.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path

_WAY_OUT = "move it elsewhere: the next run compares the files there with the server's"


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


def book(root: Path) -> ReceiptBook:
    """The receipts of a folder, by path below it."""
    return ReceiptBook(Layout(root).memory / "ava_videos.json", key="videos", way_out=_WAY_OUT)


def receipts(root: Path) -> dict[str, Receipt]:
    """What was fetched, by path below the folder.

    Raises:
        DataError: the file is damaged.
    """
    try:
        return {name: Receipt(**fields) for name, fields in book(root).read().items()}
    except TypeError as error:
        raise DataError(f"{root}: ava_videos.json is damaged", hint=_WAY_OUT) from error


def part(root: Path, path: str) -> Path:
    """Where the bytes of a file are collected."""
    return Layout(root).memory / "parts" / f"{path}.part"

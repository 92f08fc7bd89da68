"""Computes the hash of a file that the hub's listing is compared with."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unitalk.net.responses import RemoteFile

_BLOCK = 1 << 20


def content_hash(path: Path, file: RemoteFile, check: Callable[[], object] | None = None) -> str:
    """The hash of a whole file, of the kind that is listed of it: sha256, or git's own.

    Args:
        path: the file to read.
        file: what the hub lists.
        check: called before each mebibyte; what it raises ends the reading.
    """
    if file.sha256 is not None:
        return file_hash(path, hashlib.sha256(), check)
    header = b"blob %d\0" % file.size
    return file_hash(path, hashlib.sha1(header, usedforsecurity=False), check)


def file_hash(path: Path, digest: hashlib._Hash, check: Callable[[], object] | None) -> str:
    """Continue a digest by a file's bytes; see `content_hash`."""
    with path.open("rb") as source:
        while block := source.read(_BLOCK):
            if check is not None:
                check()
            digest.update(block)
    return digest.hexdigest()

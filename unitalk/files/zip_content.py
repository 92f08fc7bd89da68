"""Read one member's content out of a zip archive, and compare it with what the directory says."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from unitalk.files.zip_directory import DEFLATED, BadArchiveError, Member

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Piece = bytes | memoryview

BLOCK = 1 << 20
"""The most bytes of a piece."""


def content(member: Member, packed: Iterable[Piece]) -> Iterator[Piece]:
    """Unpack a member piece by piece, at most one byte more than the directory says.

    Args:
        member: the member.
        packed: its bytes in the archive, in pieces.

    Raises:
        BadArchiveError: it has another size or checksum than the directory says, or cannot be
            inflated. Raised when the wrong piece is due, or after the last one.
    """
    crc = size = 0
    for piece in _inflated(member, packed) if member.method == DEFLATED else packed:
        crc = zlib.crc32(piece, crc)
        size += len(piece)
        yield piece
    if size != member.size:
        raise BadArchiveError(f"member {member.name!r} has {size:,} bytes and says {member.size:,}")
    if crc != member.crc:
        raise BadArchiveError(f"member {member.name!r} has another checksum than it says")


def _inflated(member: Member, packed: Iterable[Piece]) -> Iterator[bytes]:
    inflater, left = zlib.decompressobj(-zlib.MAX_WBITS), member.size
    try:
        for rest in packed:
            while rest and not inflater.eof:
                # Ask for one byte more than there should be, to notice when there are more.
                piece = inflater.decompress(rest, min(left + 1, BLOCK))
                rest = inflater.unconsumed_tail  # noqa: PLW2901
                left -= len(piece)
                yield piece
                if left < 0:
                    return
    except zlib.error as error:
        raise BadArchiveError(f"member {member.name!r} cannot be inflated: {error}") from error
    if not inflater.eof or inflater.unused_data:
        raise BadArchiveError(f"member {member.name!r} does not end where it says")

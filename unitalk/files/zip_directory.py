"""Read and check the directory of a zip archive.

`zipfile` keeps one object per member: 60 MB for the 60,000 crops of a long video, for each open
archive; and it takes 1.3 to 1.5 times as long to unpack 20,000 crops. Here the directory is read in
blocks, twice: once to check all of it before a byte is written, and once to unpack, or to read the
records of some members. Field names and numbers are those of PKWARE's APPNOTE.TXT, 4.3.
"""

from __future__ import annotations

import os
import re
import stat
import struct
import unicodedata
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from unitalk.progress import size as human_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

STORED, DEFLATED = 0, 8

MAX_MEMBERS = 1_000_000
"""An archive with more files is refused: eleven hours of one face have as many."""

MAX_UNPACK_RATIO = 200
"""An archive that says it unpacks to more than this many times its own size is refused."""

_END = struct.Struct("<4s4H2LH")
_END64_PLACE = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_RECORD = struct.Struct("<4s6H3L5H2L")
_HEADER = struct.Struct("<4s5H3L2H")
_EXTRA = struct.Struct("<2H")

_LONGEST_COMMENT = 0xFFFF
_SEE_EXTRA, _SEE_EXTRA_SHORT = 0xFFFFFFFF, 0xFFFF
_ZIP64 = 1
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_PATCHED = 0x0020
_SIZES_FOLLOW = 0x0008
_UTF8 = 0x0800
# Ours lie two deep, and folders in folders without end would exhaust what walks them.
_DEEPEST = 16
_BLOCK = 1 << 20
_LONGEST_RECORD = _RECORD.size + 3 * 0xFFFF
_NEAR = _LONGEST_RECORD + (1 << 16)  # so that the records of a track need one call

_OUTSIDE = re.compile(r"^/|^[A-Za-z]:/|\\|(?:^|/)\.\.(?:/|$)")
# What Windows takes for a device wherever it stands, whatever follows the first dot.
_DEVICE = re.compile(r"(?:^|/)(?:con|prn|aux|nul|com\d|lpt\d)(?:\.[^/]*)?(?:/|$)", re.IGNORECASE)


class BadArchiveError(Exception):
    """What is wrong with an archive, as the end of a sentence."""


class Member(NamedTuple):
    """One file as the directory lists it; a tuple, as there are tens of thousands.

    Attributes:
        name: as it is written in the archive.
        raw: the same, as bytes.
        inner: its path below the destination.
        method: `STORED` or `DEFLATED`.
        crc: of the content.
        packed: how many bytes it takes in the archive.
        size: how many bytes it unpacks to.
        header: where its header begins.
    """

    name: str
    raw: bytes
    inner: str
    method: int
    crc: int
    packed: int
    size: int
    header: int

    def content_start(self, header: bytes | memoryview) -> int:
        """Where the content begins, from the header of its own that stands before it.

        Raises:
            BadArchiveError: it is not a header, or contradicts the directory.
        """
        if len(header) < _HEADER.size:
            raise BadArchiveError(f"member {self.name!r} lies beyond the end of the file")
        magic, _, flags, method, _, _, crc, packed, size, name, extra = _HEADER.unpack_from(header)
        end = self.header_length
        own_name = bytes(header[_HEADER.size : end])
        if magic != b"PK\x03\x04" or name != len(self.raw) or own_name != self.raw:
            raise BadArchiveError(f"member {self.name!r} is not where the directory says")
        if flags & _ENCRYPTED:
            raise BadArchiveError(f"member {self.name!r} is encrypted")
        sizes = {(self.crc, self.packed, self.size), (self.crc, _SEE_EXTRA, _SEE_EXTRA)}
        if method != self.method or (
            not flags & _SIZES_FOLLOW and (crc, packed, size) not in sizes
        ):
            raise BadArchiveError(f"member {self.name!r} differs from what the directory says")
        return int(self.header + end + extra)

    @property
    def header_length(self) -> int:
        """How many bytes `content_start` looks at: all but what is extra."""
        return _HEADER.size + len(self.raw)


@dataclass(frozen=True, slots=True)
class Contents:
    """The checked contents of an archive.

    Attributes:
        size: how many bytes they unpack to.
        starts: where each member's header begins, in the order of the file.
        end: where the directory begins.
    """

    size: int
    starts: array[int]
    end: int

    def limit(self, header: int) -> int:
        """Where at the latest the content of the member ends whose header begins there."""
        after = bisect_right(self.starts, header)
        return self.starts[after] if after < len(self.starts) else self.end

    def content_start(self, member: Member, header: bytes | memoryview) -> int:
        """Where a member's content begins, see `Member.content_start`.

        Raises:
            BadArchiveError: it reaches into the next member as well.
        """
        start = member.content_start(header)
        if start + member.packed > self.limit(member.header):
            raise BadArchiveError(f"member {member.name!r} reaches into what follows it")
        return start


class Directory:
    """The list of members at the end of an archive.

    Args:
        archive: an open file.
        top: a folder's name that members may begin with, which is left out.
        most: an archive with more files is refused.

    Raises:
        BadArchiveError: there is no directory, or it contradicts itself.
    """

    def __init__(self, archive: int, *, top: str, most: int = MAX_MEMBERS) -> None:
        self._file = archive
        self._most = most
        self._top = f"{top}/"
        self.length = os.fstat(archive).st_size
        self._start, self._size, self._count, self._exact = self._find()

    def look(self, note: Callable[[int, Member], object] | None = None) -> Contents:
        """Look at every member before anything is done with one.

        Args:
            note: called with each file's record: its place, for `at`, and its content.

        Raises:
            BadArchiveError: a member points out of the folder, is there twice or inside another,
                overlaps another, is not a plain file, or is packed by an unknown method; or all of
                them unpack to far more than an archive of crops and sounds can hold.
        """
        folded: set[str] = set()
        starts = array("Q")
        ends = array("Q")
        total = 0
        for place, member in self._records():
            if member.header + member.header_length + member.packed > self._start:
                raise BadArchiveError(f"member {member.name!r} lies beyond the archive's content")
            starts.append(member.header)
            ends.append(member.header + member.header_length + member.packed)
            if not member.inner:
                continue
            name = _folded(member.inner)
            if name in folded:
                raise BadArchiveError(f"member {member.name!r} is there twice")
            folded.add(name)
            total += member.size
            if len(folded) > self._most:
                raise BadArchiveError(f"it holds more than {self._most:,} files")
            if note is not None:
                note(place, member)
        if not folded:
            raise BadArchiveError("it holds no file")
        if total > MAX_UNPACK_RATIO * max(self.length, 1 << 20):
            raise BadArchiveError(
                f"it says that its {human_size(self.length)} unpack to {human_size(total)}"
            )
        _check_folders(folded)
        return Contents(total, self._apart(starts, ends), self._start)

    def files(self) -> Iterator[Member]:
        """The members that are files to write, in the directory's order."""
        return (member for _, member in self._records() if member.inner)

    def at(self, places: Iterable[int]) -> Iterator[Member]:
        """The members whose records are at some places, as `look` told them; one after the other.

        Raises:
            BadArchiveError: there is no record.
        """
        block, start = b"", 0
        for place in places:
            left = self._size - place
            if not 0 <= place - start <= len(block) - min(left, _LONGEST_RECORD):
                block = os.pread(self._file, min(left, _NEAR), self._start + place)
                start = place
            yield self._record(block, place - start)[0]

    def _records(self) -> Iterator[tuple[int, Member]]:
        """Every member, folders and litter too, and its record's place in the directory."""
        found = at = 0
        block, place = b"", 0
        while at < self._size:
            left = self._size - at
            if len(block) - place < min(left, _LONGEST_RECORD):
                block, place = os.pread(self._file, min(left, _BLOCK), self._start + at), 0
            member, length = self._record(block, place)
            yield at, member
            place, at, found = place + length, at + length, found + 1
        # Some programs of old count to 65,535 only, and go on from 0.
        if found != self._count and (self._exact or found % 0x10000 != self._count):
            raise BadArchiveError(f"its directory has {found:,} members and says {self._count:,}")

    # -------------------------------------------------------------------------- the end

    def _find(self) -> tuple[int, int, int, bool]:
        """Where the directory begins, its bytes, its members, and whether all were counted."""
        tail_start = max(0, self.length - _END.size - _LONGEST_COMMENT)
        tail = os.pread(self._file, self.length - tail_start, tail_start)
        place = tail.rfind(b"PK\x05\x06")
        if place < 0 or len(tail) - place < _END.size:
            raise BadArchiveError("it is no zip file, or its end is missing")
        _, disk, its_disk, here, count, size, start, comment = _END.unpack_from(tail, place)
        if place + _END.size + comment != len(tail):
            raise BadArchiveError("something follows its end, or its end is cut")
        end = tail_start + place
        exact = False
        if end >= _END64_PLACE.size:
            locator = os.pread(self._file, _END64_PLACE.size, end - _END64_PLACE.size)
            if locator.startswith(b"PK\x06\x07"):
                end, disk, its_disk, here, count, size, start = self._find64(locator, end)
                exact = True
        if disk or its_disk or here != count:
            raise BadArchiveError("it is one disk of several")
        if start + size != end:
            raise BadArchiveError(
                f"its directory is said to have {size:,} bytes from byte {start:,} on, and ends at "
                f"byte {end:,}: something is missing, or stands before it"
            )
        return start, size, count, exact

    def _find64(self, locator: bytes, end: int) -> tuple[int, int, int, int, int, int, int]:
        _, disk, place, disks = _END64_PLACE.unpack(locator)
        record = os.pread(self._file, _END64.size, place) if place < end else b""
        if len(record) < _END64.size or not record.startswith(b"PK\x06\x06") or disks > 1:
            raise BadArchiveError("its end of a large file is missing, or one of several")
        _, length, _, _, _, its_disk, here, count, size, start = _END64.unpack(record)
        if place + 12 + length != end - _END64_PLACE.size:
            raise BadArchiveError("its end of a large file has another length than it says")
        return place, disk, its_disk, here, count, size, start

    # -------------------------------------------------------------------------- one member

    def _record(self, block: bytes, place: int) -> tuple[Member, int]:
        """The member whose record begins there, and the record's length."""
        if len(block) - place < _RECORD.size:
            raise BadArchiveError("its directory is cut")
        (
            magic, _, _, flags, method, _, _, crc, packed, size,
            name_length, extra_length, comment_length, disk, _, attributes, header,
        ) = _RECORD.unpack_from(block, place)  # fmt: skip
        length = _RECORD.size + name_length + extra_length + comment_length
        if magic != b"PK\x01\x02" or place + length > len(block):
            raise BadArchiveError("its directory is damaged")
        at = place + _RECORD.size + name_length
        raw = block[at - name_length : at]
        name = _text(raw, flags)
        extra = block[at : at + extra_length] if extra_length else b""
        if _SEE_EXTRA in {size, packed, header} or disk == _SEE_EXTRA_SHORT:
            size, packed, header, disk = _large(extra, name, [size, packed, header], disk)
        inner = self._inner(name, attributes >> 16)
        member = Member(name, raw, inner, method, crc, packed, size, header)
        _check(member, flags, disk)
        return member, length

    def _inner(self, name: str, mode: int) -> str:
        """The path below the destination; empty for a folder, and for what macOS drops."""
        _check_name(name)
        kind = stat.S_IFMT(mode)
        is_folder = name.endswith("/")
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise BadArchiveError(f"member {name!r} is a link or a device")
        if kind == stat.S_IFDIR and not is_folder:
            raise BadArchiveError(f"member {name!r} is a folder, and no folder's name")
        parts = [part for part in name.split("/") if part not in {"", "."}]
        if len(parts) > _DEEPEST:
            raise BadArchiveError(f"member {name[:40]!r}... lies {len(parts) - 1:,} folders deep")
        if is_folder or (parts and _is_macos_litter(parts)):
            return ""
        if not parts:
            raise BadArchiveError(f"member {name!r} has no name")
        return "/".join(parts).removeprefix(self._top)

    def _apart(self, starts: array[int], ends: array[int]) -> array[int]:
        """The members' begins in the order of the file.

        Raises:
            BadArchiveError: two members share bytes, as in archives that hold one bomb many times.
        """
        order = sorted(range(len(starts)), key=starts.__getitem__)
        ordered = array("Q", (starts[index] for index in order))
        for index, following in zip(order, ordered[1:], strict=False):
            if ends[index] > following:
                names = (m.name for _, m in self._records() if m.header == following)
                raise BadArchiveError(f"member {next(names)!r} lies inside another")
        return ordered


def _text(raw: bytes, flags: int) -> str:
    try:
        return raw.decode("utf-8" if flags & _UTF8 or raw.isascii() else "cp437")
    except UnicodeDecodeError:
        raise BadArchiveError(f"member {raw!r} has a name that is no text") from None


def _large(extra: bytes, name: str, fields: list[int], disk: int) -> tuple[int, int, int, int]:
    """The values that are too large for a record's own fields, in their order."""
    values: list[int] = []
    while len(extra) >= _EXTRA.size:
        kind, length = _EXTRA.unpack_from(extra)
        content = extra[_EXTRA.size : _EXTRA.size + length]
        if kind == _ZIP64 and len(content) == length:
            values = [v for (v,) in struct.iter_unpack("<Q", content[: length // 8 * 8])]
            content = content[length // 8 * 8 :]
            break
        extra = extra[_EXTRA.size + length :]
    try:
        size, packed, header = (values.pop(0) if f == _SEE_EXTRA else f for f in fields)
    except IndexError:
        raise BadArchiveError(f"member {name!r} does not say how large it is") from None
    if disk == _SEE_EXTRA_SHORT:
        disk = int.from_bytes(content[:4], "little")
    return size, packed, header, disk


def _check_name(name: str) -> None:
    if _OUTSIDE.search(name):
        raise BadArchiveError(f"member {name!r} points outside the archive's folder")
    if not name.isprintable():
        raise BadArchiveError(f"member {name!r} has a name that cannot be printed")
    if _DEVICE.search(name):
        raise BadArchiveError(f"member {name!r} is a device by its name")


def _check(member: Member, flags: int, disk: int) -> None:
    """Look at what one record says of itself."""
    if disk:
        raise BadArchiveError(f"member {member.name!r} is on another disk")
    if flags & _ENCRYPTED:
        raise BadArchiveError(f"member {member.name!r} is encrypted")
    if flags & _PATCHED or member.method not in {STORED, DEFLATED}:
        raise BadArchiveError(
            f"member {member.name!r} is packed by method {member.method}; "
            "only stored and deflated ones are read"
        )
    if member.method == STORED and member.packed != member.size:
        raise BadArchiveError(
            f"member {member.name!r} is stored in {member.packed:,} bytes, "
            f"which are {member.size:,} by the directory"
        )
    if member.size and member.name.endswith("/"):
        raise BadArchiveError(f"member {member.name!r} is a folder with content")


def _folded(inner: str) -> str:
    """A name as a disk may see it that knows neither case nor how an accent is written."""
    if inner.isascii():
        return inner.lower()
    decomposed = unicodedata.normalize("NFD", inner).casefold()
    return unicodedata.normalize("NFD", decomposed)


def _is_macos_litter(parts: list[str]) -> bool:
    return parts[0] == "__MACOSX" or parts[-1] == ".DS_Store" or parts[-1].startswith("._")


def _check_folders(files: set[str]) -> None:
    """Look for files inside of what is a file.

    Raises:
        BadArchiveError: there is one.
    """
    for folder in {name.rpartition("/")[0] for name in files}:
        above = folder
        while above:
            if above in files:
                raise BadArchiveError(f"members lie inside {above!r}, which is a file")
            above = above.rpartition("/")[0]

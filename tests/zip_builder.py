"""Archives that lie, put together from the fields of PKWARE's APPNOTE.TXT.

4.3.7, 4.3.12 and 4.3.14 to 4.3.16; each field can be replaced::

    header     30 bytes, name, extra: needs, flags, method, time, date, crc, packed, size
    content    packed bytes
    directory  46 bytes, name, extra, comment for each member, with the place of its header
    end        22 bytes: disk, its disk, members here, members, bytes, place, comment's length
"""

from __future__ import annotations

import stat
import struct
import zlib
from dataclasses import dataclass, field

STORED, DEFLATED = 0, 8


def deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


@dataclass
class Lie:
    """One member; what is None is told as it is, the rest as given.

    `here` replaces fields of the member's own header, `there` fields of its record in the
    directory, by the names that they have below.
    """

    name: bytes | str
    content: bytes = b"face"
    method: int = STORED
    packed: bytes | None = None
    here: dict[str, int | bytes] = field(default_factory=dict)
    there: dict[str, int | bytes] = field(default_factory=dict)

    def fields(self) -> dict[str, int | bytes]:
        packed = self.body()
        return {
            "made_by": 3 << 8, "needs": 20, "flags": 0, "method": self.method, "time": 0,
            "date": 33, "crc": zlib.crc32(self.content), "packed": len(packed),
            "size": len(self.content), "name": self.raw(), "extra": b"", "comment": b"",
            "disk": 0, "internal": 0, "mode": (stat.S_IFREG | 0o644) << 16,
        }  # fmt: skip

    def raw(self) -> bytes:
        return self.name if isinstance(self.name, bytes) else self.name.encode()

    def body(self) -> bytes:
        if self.packed is not None:
            return self.packed
        return deflate(self.content) if self.method == DEFLATED else self.content


def craft(*members: Lie, order=None, end=None, before=b"", between=b"", after=b"") -> bytes:
    """An archive as its members want it; `end` replaces fields of the end."""
    out, records = bytearray(before), []
    for member in members:
        place = len(out)
        f = {**member.fields(), **member.here}
        out += struct.pack(
            "<4s5H3L2H", b"PK\3\4", f["needs"], f["flags"], f["method"], f["time"], f["date"],
            f["crc"], f["packed"], f["size"], len(f["name"]), len(f["extra"]),
        ) + f["name"] + f["extra"] + member.body()  # fmt: skip
        f = {"place": place, **member.fields(), **member.there}
        records.append(struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", f["made_by"], f["needs"], f["flags"], f["method"], f["time"],
            f["date"], f["crc"], f["packed"], f["size"], len(f["name"]), len(f["extra"]),
            len(f["comment"]), f["disk"], f["internal"], f["mode"], f["place"],
        ) + f["name"] + f["extra"] + f["comment"])  # fmt: skip
    start = len(out)
    directory = b"".join(records if order is None else [records[i] for i in order])
    f = {"disk": 0, "its_disk": 0, "here": len(records) % 65536, "count": len(records) % 65536,
         "size": len(directory), "start": start, "comment": b"", **(end or {})}  # fmt: skip
    return bytes(out) + directory + between + struct.pack(
        "<4s4H2LH", b"PK\5\6", f["disk"], f["its_disk"], f["here"], f["count"], f["size"],
        f["start"], len(f["comment"]),
    ) + f["comment"] + after  # fmt: skip


def end64(start: int, size: int, *, place: int, disks: int = 1, **lies: int) -> bytes:
    """The end of a large archive of one member, and the note that says where it is."""
    f = {"length": 44, "disk": 0, "here": 1, "count": 1, "size": size, "start": start, **lies}
    return struct.pack(
        "<4sQ2H2L4Q", b"PK\6\6", f["length"], 45, 45, 0, f["disk"], f["here"],
        f["count"], f["size"], f["start"],
    ) + struct.pack("<4sLQL", b"PK\6\7", 0, place, disks)  # fmt: skip


FULL = {"here": 0xFFFF, "count": 0xFFFF, "size": 2**32 - 1, "start": 2**32 - 1}
"""What the usual end of a large archive says: see the other one."""

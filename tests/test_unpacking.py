"""Archives byte by byte: what is unpacked, what is refused, and with how much memory.

Archives that lie are put together here from the fields of PKWARE's APPNOTE.TXT (4.3.7, 4.3.12,
4.3.14 to 4.3.16), each of which a test can replace::

    header     30 bytes, name, extra: needs, flags, method, time, date, crc, packed, size
    content    packed bytes
    directory  46 bytes, name, extra, comment for each member, with the place of its header
    end        22 bytes: disk, its disk, members here, members, bytes, place, comment's length
"""

from __future__ import annotations

import errno
import io
import os
import random
import stat
import struct
import tracemalloc
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass, field

import pytest
from conftest import tree

from unitalk import ArchiveError
from unitalk.files import unpack_zip, unzip, zip_stream
from unitalk.files.zip_stream import BadArchiveError, Directory

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


def unpack(folder, content: bytes, **options) -> dict[str, bytes]:
    """Unpack an archive of those bytes; return what came out."""
    (folder / "vid.zip").write_bytes(content)
    written = unzip(folder / "vid.zip", folder / "out", top="vid", **options)
    found = tree(folder / "out")
    assert written == sum(map(len, found.values()))
    return found


def refuse(folder, content: bytes, *words: str) -> None:
    """An archive is refused in words that name it and hold each of the given ones."""
    before = set(os.listdir(folder)) | {"vid.zip", "out"}
    with pytest.raises(ArchiveError) as caught:
        unpack(folder, content)
    for word in (str(folder / "vid.zip"), "not unpacked", *words):
        assert word in str(caught.value)
    assert "fetch it again" in caught.value.hint
    assert set(os.listdir(folder)) <= before


def nothing_written(folder) -> bool:
    return not (folder / "out").exists()


# ------------------------------------------------------------------------------ what is unpacked


@pytest.mark.parametrize("method", [STORED, DEFLATED])
def test_the_crafted_archive_is_one_that_zipfile_reads(tmp_path, method):
    """The builder above tells the truth when it is not asked to lie."""
    content = craft(Lie("vid/a/0.04.jpg", b"one", method), Lie("vid/a/0.08.jpg", b"", method))
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert opened.testzip() is None
        assert [opened.read(name) for name in opened.namelist()] == [b"one", b""]
    assert unpack(tmp_path, content) == {"a/0.04.jpg": b"one", "a/0.08.jpg": b""}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("way", ["seekable", "stream", "zip64"])
def test_what_zipfile_writes_comes_out(tmp_path, method, way):
    """Sizes in the header, after the content (as macOS writes them), or in an extra field."""
    noise = random.Random(5)
    members = {f"vid:{i % 3}/{i}.jpg": noise.randbytes(noise.randrange(5000)) for i in range(40)}
    members["big"] = noise.randbytes(500) * 6000  # 3 MB: more than a block, packed and not
    out = io.BytesIO()
    if way == "stream":
        out.seekable = lambda: False
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.comment = b"made by hand PK\1\2"
        archive.mkdir("vid/vid:0")
        for name, content in members.items():
            with archive.open(f"vid/{name}", "w", force_zip64=way == "zip64") as member:
                member.write(content)
    assert unpack(tmp_path, out.getvalue()) == members


def test_every_place_of_a_large_archive_is_reached(tmp_path):
    """With zip64 ends and places: bytes that no field of 32 bits holds are in extra fields.

    The one member's record says 0xFFFFFFFF three times, and in its extra field 8 bytes each: size
    4, packed 4, place 0. The end of a large file has 56 bytes, its place 20.
    """
    plain = Lie("vid/a.jpg", b"face")
    extra = struct.pack("<HH3Q", 1, 24, 4, 4, 0)
    other = struct.pack("<HHL", 0x5455, 4, 7)  # a time, which is not asked for
    plain.there = {"size": 2**32 - 1, "packed": 2**32 - 1, "place": 2**32 - 1,
                   "extra": other + extra}  # fmt: skip
    content = craft(plain)
    start = 30 + 9 + 4
    size = 46 + 9 + len(other + extra)
    assert content[start + size :].startswith(b"PK\5\6")
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, size, start)
    place = struct.pack("<4sLQL", b"PK\6\7", 0, start + size, 1)
    full = {"here": 0xFFFF, "count": 0xFFFF, "size": 2**32 - 1, "start": 2**32 - 1}
    assert unpack(tmp_path, craft(plain, between=end64 + place, end=full)) == {"a.jpg": b"face"}


@pytest.mark.parametrize(
    ("end64", "place", "said"),
    [
        ({}, {"disks": 2}, "one of several"),
        ({}, {"at": 2**63}, "end of a large file is missing"),
        ({}, {"at": 3}, "end of a large file is missing"),
        ({"length": 45}, {}, "another length"),
        ({"disk": 1}, {}, "one disk of several"),
        ({"count": 2}, {}, "one disk of several"),
        ({"here": 65537, "count": 65537}, {}, "has 1 members and says 65,537"),
        ({"start": 2**64 - 1}, {}, "something is missing, or stands before it"),
        ({"size": 2**64 - 1}, {}, "something is missing, or stands before it"),
    ],
)
def test_the_end_of_a_large_file_is_not_believed(tmp_path, end64, place, said):
    member = Lie("vid/a.jpg")
    start, size = 30 + 9 + 4, 46 + 9
    f = {"length": 44, "disk": 0, "here": 1, "count": 1, "size": size, "start": start, **end64}
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", f["length"], 45, 45, 0, f["disk"], f["here"],
                         f["count"], f["size"], f["start"])  # fmt: skip
    p = {"at": start + size, "disks": 1, **place}
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, p["at"], p["disks"])
    full = {"here": 0xFFFF, "count": 0xFFFF, "size": 2**32 - 1, "start": 2**32 - 1}
    refuse(tmp_path, craft(member, between=record + locator, end=full), said)
    assert nothing_written(tmp_path)


@pytest.mark.parametrize(
    ("raw", "flags", "name"),
    [
        ("vid/gr\u00fc\u00df.jpg".encode(), 0x800, "gr\u00fc\u00df.jpg"),
        ("vid/gr\u00fc\u00df.jpg".encode("cp437"), 0, "gr\u00fc\u00df.jpg"),
        (b"vid//x/./a.jpg", 0, "x/a.jpg"),
        (b"./vid/a.jpg", 0, "a.jpg"),
        (b"vid", 0, "vid"),
        (b"other/a.jpg", 0, "other/a.jpg"),
        (b"vid/v:0/0.40.jpg", 0, "v:0/0.40.jpg"),
        (b"vid/conduct.jpg", 0, "conduct.jpg"),
        (b"vid/a b.jpg", 0, "a b.jpg"),
    ],
)
def test_names(tmp_path, raw, flags, name):
    member = Lie(raw, there={"flags": flags}, here={"flags": flags})
    assert unpack(tmp_path, craft(member)) == {name: b"face"}


def test_folders_and_what_macos_drops_are_left_out(tmp_path):
    names = ("vid/", "vid/empty/", "__MACOSX/vid/._a.jpg", "vid/.DS_Store", "vid/x/._a.jpg")
    litter = [Lie(name, b"") for name in names[:2]] + [Lie(name) for name in names[2:]]
    litter[1].there = {"mode": (stat.S_IFDIR | 0o755) << 16}
    assert unpack(tmp_path, craft(*litter, Lie("vid/a.jpg"))) == {"a.jpg": b"face"}
    refuse(tmp_path / ".." / tmp_path.name, craft(*litter), "it holds no file")


def test_members_may_be_listed_in_any_order_and_have_room_between(tmp_path):
    members = [Lie(f"vid/{i}.jpg", bytes([i]) * 9, here={"extra": b"\0\0\4\0room"})
               for i in range(5)]  # fmt: skip
    content = craft(*members, order=(3, 0, 4, 2, 1))
    assert unpack(tmp_path, content) == {f"{i}.jpg": bytes([i]) * 9 for i in range(5)}


@pytest.mark.parametrize("size", [(1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
@pytest.mark.parametrize("method", [STORED, DEFLATED])
def test_contents_around_the_size_of_a_block(tmp_path, size, method):
    content = random.Random(size).randbytes(size)
    members = [Lie("vid/first", b"x" * 1000), Lie("vid/large", content, method), Lie("vid/last")]
    found = unpack(tmp_path, craft(*members))
    assert found == {"first": b"x" * 1000, "large": content, "last": b"face"}


def test_a_directory_larger_than_a_block_is_read_through(tmp_path):
    """40 records with 65,535 bytes of comment and extra each: 2.6 MB, read in blocks of 1 MB."""
    members = [Lie(f"vid/{i}.jpg", str(i).encode(), there={"comment": b"c" * 40_000,
                   "extra": struct.pack("<HH", 9, 25_531) + bytes(25_531)})
               for i in range(40)]  # fmt: skip
    content = craft(*members)
    assert len(content) > 40 * 65_535
    assert unpack(tmp_path, content) == {f"{i}.jpg": str(i).encode() for i in range(40)}


def test_who_counts_to_65535_only_is_understood(tmp_path):
    """66,000 members are 464 by a counter of 16 bits; some programs write no other."""
    members = [Lie(f"vid/{i}", b"") for i in range(66_000)]
    content = craft(*members)
    assert struct.unpack("<H", content[-12:-10]) == (464,)
    (tmp_path / "vid.zip").write_bytes(content)
    with (tmp_path / "vid.zip").open("rb") as file:
        assert len(Directory(file.fileno(), top="vid").look().starts) == 66_000


def test_a_disk_that_takes_a_part_of_a_block_gets_the_rest(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(unpack_zip.os, "write", lambda to, what: real(to, what[:700]))
    content = random.Random(1).randbytes(5000)
    assert unpack(tmp_path, craft(Lie("vid/a", content))) == {"a": content}


def test_the_umask_is_kept_and_modes_of_the_archive_are_not(tmp_path):
    before = os.umask(0o027)
    try:
        setuid = {"mode": (stat.S_IFREG | 0o6777) << 16}
        unpack(tmp_path, craft(Lie("vid/x/a", there=setuid)))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out/x/a").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "out/x").stat().st_mode) == 0o750


# ------------------------------------------------------------------------------ before a byte


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../a", "points outside"),
        ("vid/..", "points outside"),
        ("vid/x/../../a", "points outside"),
        ("/a", "points outside"),
        ("C:/a", "points outside"),
        ("vid\\a", "points outside"),
        ("..", "points outside"),
        (".", "has no name"),
        ("", "has no name"),
        ("vid/a\0.jpg", "cannot be printed"),
        ("vid/a\nb.jpg", "cannot be printed"),
        ("vid/\x1b[31m.jpg", "cannot be printed"),
        ("vid/\x7f.jpg", "cannot be printed"),
        ("vid/\u202egpj.exe", "cannot be printed"),
        ("vid/nul", "device by its name"),
        ("vid/CON.jpg", "device by its name"),
        ("Com1/0.40.jpg", "device by its name"),
        ("vid/lpt9.x.jpg", "device by its name"),
        ("x/" * 16 + "a", "16 folders deep"),
        ("x/" * 2000 + "a", "2,000 folders deep"),
    ],
)
def test_a_name_that_is_no_name_is_refused(tmp_path, name, said):
    utf8 = {"flags": 0x800}
    content = craft(Lie("vid/ok.jpg"), Lie(name, here=utf8, there=utf8))
    refuse(tmp_path, content, repr(name[:40]) if len(name) < 40 else "'x/x/", said)
    assert nothing_written(tmp_path)


def test_a_name_that_is_no_text_is_refused(tmp_path):
    utf8 = {"flags": 0x800}
    content = craft(Lie(b"vid/\xff\xfe.jpg", here=utf8, there=utf8))
    refuse(tmp_path, content, r"b'vid/\xff\xfe.jpg'", "no text")
    assert nothing_written(tmp_path)


COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "vid/\u00e9.jpg") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("vid/a.jpg", "vid/a.jpg", "'vid/a.jpg' is there twice"),
        ("vid/a.jpg", "a.jpg", "'a.jpg' is there twice"),
        ("vid/a.jpg", "vid//./a.jpg", "'vid//./a.jpg' is there twice"),
        ("vid/a.jpg", "vid/A.JPG", "'vid/A.JPG' is there twice"),
        ("vid/stra\u00dfe", "vid/STRASSE", "'vid/STRASSE' is there twice"),
        (COMPOSED, DECOMPOSED, "is there twice"),
        (DECOMPOSED, COMPOSED.replace("\u00e9", "\u00c9"), "is there twice"),
        ("vid/x", "vid/x/a.jpg", "inside 'x', which is a file"),
        ("vid/x/y/z/a.jpg", "vid/X", "inside 'x', which is a file"),
    ],
)
def test_two_members_for_one_place_are_refused(tmp_path, first, second, said):
    assert first != second or first == "vid/a.jpg"
    utf8 = {"flags": 0x800}
    refuse(tmp_path, craft(*(Lie(n, here=utf8, there=utf8) for n in (first, second))), said)
    assert nothing_written(tmp_path)


@pytest.mark.parametrize(
    ("lies", "said"),
    [
        ({"mode": (stat.S_IFLNK | 0o777) << 16}, "is a link or a device"),
        ({"mode": (stat.S_IFCHR | 0o666) << 16}, "is a link or a device"),
        ({"mode": (stat.S_IFBLK | 0o666) << 16}, "is a link or a device"),
        ({"mode": (stat.S_IFIFO | 0o666) << 16}, "is a link or a device"),
        ({"mode": (stat.S_IFSOCK | 0o666) << 16}, "is a link or a device"),
        ({"mode": (stat.S_IFDIR | 0o755) << 16}, "is a folder, and no folder's name"),
        ({"flags": 0x0001}, "is encrypted"),
        ({"flags": 0x0041}, "is encrypted"),
        ({"flags": 0x2000}, "is encrypted"),
        ({"flags": 0x0020}, "packed by method 0"),
        ({"method": 12}, "packed by method 12"),
        ({"method": 14}, "packed by method 14"),
        ({"method": 9}, "packed by method 9"),
        ({"disk": 1}, "on another disk"),
        ({"size": 5}, "is stored in 4 bytes, which are 5"),
        ({"packed": 3}, "is stored in 3 bytes, which are 4"),
        ({"packed": 900, "size": 900}, "lies beyond the archive's content"),
        ({"place": 2**32 - 2}, "lies beyond the archive's content"),
        ({"size": 2**32 - 1}, "does not say how large it is"),
        ({"place": 2**32 - 1}, "does not say how large it is"),
        ({"size": 2**32 - 1, "extra": struct.pack("<HHL", 1, 4, 4)}, "does not say how large"),
        ({"size": 2**32 - 1, "extra": struct.pack("<HHL", 1, 8, 4)}, "does not say how large"),
        ({"disk": 0xFFFF, "extra": struct.pack("<HHL", 1, 4, 3)}, "on another disk"),
        ({"packed": 2**32 - 1, "size": 2**32 - 1,
          "extra": struct.pack("<HHQQ", 1, 16, 2**63, 2**63)}, "beyond the archive's content"),
    ],
)  # fmt: skip
def test_what_the_directory_says_of_a_member_is_judged_before_a_byte_is_written(
    tmp_path, lies, said
):
    content = craft(Lie("vid/ok.jpg"), Lie("vid/evil.jpg", there=lies))
    refuse(tmp_path, content, "'vid/evil.jpg'", said)
    assert nothing_written(tmp_path)


def test_a_folder_with_content_is_refused(tmp_path):
    refuse(tmp_path, craft(Lie("vid/ok.jpg"), Lie("vid/x/")), "'vid/x/' is a folder with content")
    assert nothing_written(tmp_path)


def test_members_that_share_bytes_are_refused(tmp_path):
    """As in the bomb that lists one content thousands of times.

    The second record points at the first member's header, or one byte before its end; listed in
    the other order, nothing changes.
    """
    first = Lie("vid/a.jpg", b"x" * 100)
    for place in (0, 30 + 9 + 99):
        for order in ((0, 1), (1, 0)):
            content = craft(first, Lie("vid/b.jpg", there={"place": place}), order=order)
            refuse(tmp_path, content, "lies inside another")
            assert nothing_written(tmp_path)


def test_an_extra_field_that_reaches_into_the_next_member_is_refused(tmp_path):
    """The directory does not know how long a header's own extra field is; the header tells.

    a.jpg's own header says 20 bytes of extra, of which there are 12: its content would end 8 bytes
    into b.jpg's header.
    """
    content = bytearray(craft(Lie("vid/a.jpg", here={"extra": bytes(12)}), Lie("vid/b.jpg")))
    assert struct.unpack_from("<H", content, 28) == (12,)
    struct.pack_into("<H", content, 28, 20)
    refuse(tmp_path, bytes(content), "'vid/a.jpg' reaches into what follows it")


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ({"disk": 1}, "one disk of several"),
        ({"its_disk": 1}, "one disk of several"),
        ({"here": 1}, "one disk of several"),
        ({"count": 3, "here": 3}, "has 2 members and says 3"),
        ({"count": 1, "here": 1}, "has 2 members and says 1"),
        ({"start": 1}, "something is missing, or stands before it"),
        ({"size": 1}, "something is missing, or stands before it"),
    ],
)
def test_the_end_is_not_believed(tmp_path, end, said):
    refuse(tmp_path, craft(Lie("vid/a.jpg"), Lie("vid/b.jpg"), end=end), said)
    assert nothing_written(tmp_path)


def test_junk_before_between_and_after_is_refused(tmp_path):
    member = Lie("vid/a.jpg")
    whole = craft(member)
    for content in (b"#!/bin/sh\n" + whole, craft(member, between=b"junk"), whole + b"junk"):
        refuse(tmp_path, content)
        assert nothing_written(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK", b"<html>log in</html>" * 9, bytes(70_000)])
def test_what_is_no_archive_is_refused(tmp_path, content):
    refuse(tmp_path, content, "it is no zip file, or its end is missing")


def test_an_empty_archive_is_refused(tmp_path):
    refuse(tmp_path, craft(), "it holds no file")


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(zip_stream, "MAX_MEMBERS", 3)
    members = [Lie(f"vid/{i}") for i in range(4)]
    assert len(unpack(tmp_path, craft(*members[:3]))) == 3
    refuse(tmp_path, craft(*members), "it holds more than 3 files")


def test_a_bomb_is_refused_by_what_it_says(tmp_path):
    """300 MB of zeros deflate to 300 kB; 200 times a megabyte, which is the least, are 200 MB."""
    lie = Lie("vid/zeros", packed=b"\0" * 100, method=DEFLATED)
    lie.there = {"size": 200 * (1 << 20) + 1}
    refuse(tmp_path, craft(lie), "that say they unpack to 209.7 MB")
    assert nothing_written(tmp_path)


# ------------------------------------------------------------------------------ while it comes out


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        (Lie("vid/e.jpg", here={"name": b"vid/f.jpg"}), "is not where the directory says"),
        (Lie("vid/e.jpg", here={"name": b"vid/e.jpgg"}), "is not where the directory says"),
        (Lie("vid/e.jpg", there={"place": 1, "packed": 3, "size": 3}), "is not where the"),
        (Lie("vid/e.jpg", here={"flags": 1}), "is encrypted"),
        (Lie("vid/e.jpg", here={"method": DEFLATED}), "differs from what the directory says"),
        (Lie("vid/e.jpg", here={"size": 5}), "differs from what the directory says"),
        (Lie("vid/e.jpg", here={"packed": 5}), "differs from what the directory says"),
        (Lie("vid/e.jpg", here={"crc": 5}), "differs from what the directory says"),
        (Lie("vid/e.jpg", here={"crc": 5}, there={"crc": 5}), "another checksum"),
        (Lie("vid/e.jpg", b"face!", DEFLATED, deflate(b"face")), "has 4 bytes and says 5"),
        (Lie("vid/e.jpg", b"fac", DEFLATED, deflate(b"face")), "has 4 bytes and says 3"),
        (Lie("vid/e.jpg", b"", DEFLATED, deflate(b"face")), "has 1 bytes and says 0"),
        (Lie("vid/e.jpg", b"face", DEFLATED, deflate(b"face")[:-1]), "does not end where it says"),
        (Lie("vid/e.jpg", b"face", DEFLATED, deflate(b"face") + b"x"), "does not end where"),
        (Lie("vid/e.jpg", b"face", DEFLATED, b"\xff" * 6), "cannot be inflated"),
        (Lie("vid/e.jpg", b"", DEFLATED, b""), "does not end where it says"),
    ],
)  # fmt: skip
def test_a_member_that_is_not_what_the_directory_says_is_refused(tmp_path, lie, said):
    refuse(tmp_path, craft(lie), "'vid/e.jpg'", said)


def test_the_truth_after_the_content_is_not_needed_in_the_header(tmp_path):
    """With bit 3 the header may say 0, as sizes follow; the directory has them."""
    streamed = {"flags": 8, "crc": 0, "packed": 0, "size": 0}
    assert unpack(tmp_path, craft(Lie("vid/a.jpg", here=streamed))) == {"a.jpg": b"face"}


def test_a_member_that_grows_is_cut_off_one_byte_beyond_what_it_says(tmp_path):
    """100 MB of zeros that say they are 10 bytes: 11 are written, not 100 million."""
    bomb = Lie("vid/bomb", bytes(10), DEFLATED, deflate(bytes(100_000_000)))
    refuse(tmp_path, craft(bomb), "'vid/bomb' has 11 bytes and says 10")
    assert (tmp_path / "out/bomb").stat().st_size == 11


@pytest.mark.parametrize(
    "name",
    ["vid/" + "n" * 256, "vid/" + "n" * 256 + "/a", ("d" * 300 + "/") * 14 + "n"],
)
def test_a_name_longer_than_a_name_can_be_is_refused(tmp_path, name):
    refuse(tmp_path, craft(Lie(name)), repr(name), os.strerror(errno.ENAMETOOLONG))


@pytest.mark.parametrize("method", [STORED, DEFLATED])
def test_every_cut_of_an_archive_is_refused(tmp_path, method):
    content = craft(Lie("vid/a.jpg", b"one" * 5, method), Lie("vid/b.jpg", b"two" * 5, method))
    for length in range(len(content)):
        refuse(tmp_path, content[:length])


@pytest.mark.parametrize("method", [STORED, DEFLATED])
@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_no_changed_byte_changes_what_comes_out(tmp_path, method, flip):
    """Each byte of an archive in turn: it is refused, or what comes out is what went in."""
    content = craft(Lie("vid/a.jpg", b"one" * 5, method), Lie("vid/x/b.jpg", b"two" * 5, method))
    expected = {"a.jpg": b"one" * 5, "x/b.jpg": b"two" * 5}
    refused = 0
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= flip
        folder = tmp_path / str(place)
        folder.mkdir()
        try:
            assert unpack(folder, bytes(changed)) == expected, place
        except ArchiveError:
            refused += 1
        assert set(os.listdir(folder)) <= {"vid.zip", "out"}
    # What does not matter of a member: in its header needs (2 bytes), time and date (4), flags (2);
    # in its record made by, needs (4), flags (2), time and date (4), internal (2), mode (4); of a
    # deflated content the last byte, which has bits that fill it up.
    assert refused >= len(content) - 2 * (8 + 16 + 1)


# ------------------------------------------------------------------------------ ending, and memory


def test_a_large_member_can_be_ended_between_two_blocks(tmp_path):
    """Called before the one member, then before each further block of its five."""
    content = craft(Lie("vid/large", bytes(5 << 20)))
    calls = []
    unpack(tmp_path, content, on_member=lambda: calls.append(1))
    assert len(calls) == 5
    (tmp_path / "out/large").unlink()

    def at_the_third():
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unpack(tmp_path, content, on_member=at_the_third)
    assert (tmp_path / "out/large").stat().st_size == 2 << 20


def test_an_ended_run_leaves_no_file_open(tmp_path):
    before = os.listdir("/proc/self/fd")
    content = craft(Lie("vid/x/a"), Lie("vid/y/b", here={"crc": 1}))
    for _ in range(3):
        with pytest.raises(ArchiveError):
            unpack(tmp_path, content)
        (tmp_path / "out/x/a").unlink()
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_a_disk_that_refuses_keeps_its_own_error(tmp_path):
    content = craft(Lie("vid/x/a"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out/x").write_text("in the way")
    with pytest.raises(NotADirectoryError):
        unpack(tmp_path, content)
    with pytest.raises(FileNotFoundError):
        unzip(tmp_path / "none.zip", tmp_path / "out", top="vid")


def peak(work) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_a_member(tmp_path):
    """16 MB in one member, stored and deflated: blocks of 1 MB, a few at a time."""
    noise = random.Random(2).randbytes(1 << 20)
    for method in (STORED, DEFLATED):
        (tmp_path / "vid.zip").write_bytes(craft(Lie("vid/large", noise * 16, method)))
        place = tmp_path / f"out{method}"
        assert peak(lambda: unzip(tmp_path / "vid.zip", place, top="vid")) < 6 << 20  # noqa: B023
        assert (place / "large").stat().st_size == 16 << 20


def test_memory_is_a_name_a_member(tmp_path):
    """5,000 members, of each: a record of 68 bytes, a name of 49 + 20, 16 in each of up to 4 places
    of a set, twice 8 for its place and end and 16 more to sort them; together less than 300 bytes,
    where zipfile has an object of 30 fields a member, and the same record."""
    content = craft(*(Lie(f"vid/vid:{i // 82}/{i / 25:.2f}.jpg", b"") for i in range(5_000)))
    (tmp_path / "vid.zip").write_bytes(content)

    def look():
        with (tmp_path / "vid.zip").open("rb", buffering=0) as file:
            directory = Directory(file.fileno(), top="vid")
            directory.look()
            assert sum(1 for _ in directory.files()) == 5_000

    ours = peak(look)
    theirs = peak(lambda: zipfile.ZipFile(tmp_path / "vid.zip").close())
    assert ours < 5_000 * 300
    assert ours < 0.7 * theirs


def test_a_look_says_where_each_member_ends(tmp_path):
    """Headers of 30 + 5 bytes and 4 of content: at 0, 39 and 78, and the directory at 117."""
    (tmp_path / "vid.zip").write_bytes(craft(*(Lie(f"vid/{i}") for i in range(3)), order=(2, 0, 1)))
    with (tmp_path / "vid.zip").open("rb") as file:
        directory = Directory(file.fileno(), top="vid")
        seen = directory.look()
        assert list(seen.starts) == [0, 39, 78]
        assert [seen.limit(place) for place in (0, 39, 78)] == [39, 78, 117]
        assert (seen.size, seen.end) == (12, 117)
        assert [member.inner for member in directory.files()] == ["2", "0", "1"]


def test_a_header_that_is_cut_is_refused():
    member = zip_stream.Member("vid/a", b"vid/a", "a", STORED, 0, 4, 4, 0)
    with pytest.raises(BadArchiveError, match="'vid/a' lies beyond the end of the file"):
        member.content_start(b"PK\3\4")

"""Archives byte by byte: what is unpacked, what is refused, and with how much memory."""

from __future__ import annotations

import errno
import io
import os
import random
import shutil
import stat
import struct
import tracemalloc
import unicodedata
import zipfile
from types import SimpleNamespace

import pytest
from conftest import tree
from zip_builder import DEFLATED, FULL, STORED, Lie, craft, deflate, end64

from unitalk import ArchiveError
from unitalk.files import unzip
from unitalk.files.zip_directory import BadArchiveError, Directory


def unpack(folder, content: bytes, **options) -> dict[str, bytes]:
    """Unpack an archive of those bytes; return what came out."""
    (folder / "vid.zip").write_bytes(content)
    written = unzip(folder / "vid.zip", folder / "out", top="vid", **options)
    found = tree(folder / "out")
    assert written == sum(map(len, found.values()))
    return found


# ------------------------------------------------------------------------------ what is unpacked


@pytest.mark.parametrize("method", [STORED, DEFLATED])
def test_the_crafted_archive_is_one_that_zipfile_reads(tmp_path, method):
    """The builder tells the truth when it is not asked to lie."""
    content = craft(Lie("vid/a/0.04.jpg", b"one", method), Lie("vid/a/0.08.jpg", b"", method))
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert opened.testzip() is None
        assert [opened.read(name) for name in opened.namelist()] == [b"one", b""]
    assert unpack(tmp_path, content) == {"a/0.04.jpg": b"one", "a/0.08.jpg": b""}


@pytest.mark.parametrize(
    ("way", "method"),
    [
        ("seekable", zipfile.ZIP_STORED),
        ("stream", zipfile.ZIP_DEFLATED),
        ("zip64", zipfile.ZIP_DEFLATED),
    ],
)
def test_what_zipfile_writes_comes_out(tmp_path, way, method):
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
    other = struct.pack("<HHL", 0x5455, 4, 7)  # a time, which is not asked for
    extra = other + struct.pack("<HH3Q", 1, 24, 4, 4, 0)
    large = dict.fromkeys(("size", "packed", "place"), 2**32 - 1)
    plain = Lie("vid/a.jpg", b"face", there={**large, "extra": extra})
    start, size = 30 + 9 + 4, 46 + 9 + len(extra)
    assert craft(plain)[start + size :].startswith(b"PK\5\6")
    between = end64(start, size, place=start + size)
    assert unpack(tmp_path, craft(plain, between=between, end=FULL)) == {"a.jpg": b"face"}


@pytest.mark.parametrize(
    ("raw", "flags", "name"),
    [
        ("vid/gr\u00fc\u00df.jpg".encode(), 0x800, "gr\u00fc\u00df.jpg"),
        ("vid/gr\u00fc\u00df.jpg".encode("cp437"), 0, "gr\u00fc\u00df.jpg"),
        (b"./vid//x/./a.jpg", 0, "x/a.jpg"),
        (b"vid", 0, "vid"),
        (b"vid/v:0/0.40.jpg", 0, "v:0/0.40.jpg"),
        (b"other/conduct.jpg", 0, "other/conduct.jpg"),
        (b"n" * 251 + b".jpg", 0, "n" * 251 + ".jpg"),
    ],
)
def test_names(tmp_path, raw, flags, name):
    member = Lie(raw, there={"flags": flags}, here={"flags": flags})
    assert unpack(tmp_path, craft(member)) == {name: b"face"}


def test_folders_and_what_macos_adds_are_left_out(tmp_path):
    names = ("vid/", "vid/empty/", "__MACOSX/vid/._a.jpg", "vid/.DS_Store", "vid/x/._a.jpg")
    litter = [Lie(name, b"") for name in names[:2]] + [Lie(name) for name in names[2:]]
    litter[1].there = {"mode": (stat.S_IFDIR | 0o755) << 16}
    assert unpack(tmp_path, craft(*litter, Lie("vid/a.jpg"))) == {"a.jpg": b"face"}
    with pytest.raises(ArchiveError, match="it holds no file"):
        unpack(tmp_path, craft(*litter))


def test_members_may_be_listed_in_any_order_and_have_room_between(tmp_path):
    """With bit 3 the header may say 0, as sizes follow the content; the directory has them."""
    about = {"extra": b"\0\0\4\0room", "flags": 8, "crc": 0, "packed": 0, "size": 0}
    members = [Lie(f"vid/{i}.jpg", bytes([i]) * 9, here=about) for i in range(5)]
    content = craft(*members, order=(3, 0, 4, 2, 1))
    assert unpack(tmp_path, content) == {f"{i}.jpg": bytes([i]) * 9 for i in range(5)}


def test_a_directory_larger_than_a_block_is_read_through(tmp_path):
    """40 records with 65,535 bytes of comment and extra each: 2.6 MB, read in blocks of 1 MB."""
    lies = {"comment": b"c" * 40_000, "extra": struct.pack("<HH", 9, 25_531) + bytes(25_531)}
    members = [Lie(f"vid/{i}.jpg", str(i).encode(), there=lies) for i in range(40)]
    assert unpack(tmp_path, craft(*members)) == {f"{i}.jpg": str(i).encode() for i in range(40)}


def looked_at(folder, content: bytes, **options):
    (folder / "vid.zip").write_bytes(content)
    with (folder / "vid.zip").open("rb") as file:
        directory = Directory(file.fileno(), top="vid", **options)
        return directory.look(), [member.inner for member in directory.files()]


def test_an_archive_that_counts_to_65535_only_is_understood(tmp_path):
    """66,000 members are 464 by a counter of 16 bits; some programs write no other."""
    content = craft(*(Lie(f"vid/{i}", b"") for i in range(66_000)))
    assert struct.unpack("<H", content[-12:-10]) == (464,)
    assert len(looked_at(tmp_path, content)[0].starts) == 66_000


def test_a_disk_that_takes_a_part_of_a_block_gets_the_rest(tmp_path, monkeypatch):
    real = os.write
    content = random.Random(1).randbytes(5000)
    (tmp_path / "vid.zip").write_bytes(craft(Lie("vid/a", content)))
    monkeypatch.setattr(os, "write", lambda to, what: real(to, what[:700]))
    assert unzip(tmp_path / "vid.zip", tmp_path / "out", top="vid") == 5000
    assert (tmp_path / "out/a").read_bytes() == content


def test_the_umask_is_kept_and_modes_of_the_archive_are_not(tmp_path):
    before = os.umask(0o027)
    try:
        setuid = {"mode": (stat.S_IFREG | 0o6777) << 16}
        unpack(tmp_path, craft(Lie("vid/x/a", there=setuid)))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out/x/a").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "out/x").stat().st_mode) == 0o750


# ------------------------------------------------------------------------------ what is refused

UTF8 = {"flags": 0x800}
COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "vid/\u00e9.jpg") for form in ("NFC", "NFD"))


def named(*names: str | bytes) -> bytes:
    return craft(Lie("vid/ok.jpg"), *(Lie(name, here=UTF8, there=UTF8) for name in names))


def told(**lies: int | bytes) -> bytes:
    """An archive whose directory lies about one member."""
    return craft(Lie("vid/ok.jpg"), Lie("vid/evil.jpg", there=lies))


def ended(**lies: int) -> bytes:
    return craft(Lie("vid/a.jpg"), Lie("vid/b.jpg"), end=lies)


def large(**lies: int) -> bytes:
    """An archive of one member whose end of a large file lies; 43 bytes, 55 of directory."""
    return craft(
        Lie("vid/a.jpg"), between=end64(**{"start": 43, "size": 55, "place": 98, **lies}), end=FULL
    )


REFUSED = {  # by the directory alone, before a byte is written
    "a page": (b"<html>log in</html>" * 9, "no zip file"),
    "nothing": (b"", "no zip file"),
    "no member": (craft(), "no file"),
    "climbs": (named("vid/x/../../a"), "points outside"),
    "absolute": (named("/a"), "points outside"),
    "a drive": (named("C:/a"), "points outside"),
    "a backslash": (named("vid\\a"), "points outside"),
    "no name": (named("."), "has no name"),
    "NUL in a name": (named("vid/a\0.jpg"), "cannot be printed"),
    "an escape in a name": (named("vid/\x1b[31m.jpg"), "cannot be printed"),
    "a name turned around": (named("vid/\u202egpj.exe"), "cannot be printed"),
    "a name that is no text": (named(b"vid/\xff\xfe.jpg"), "no text"),
    "a device of Windows": (named("vid/CON.jpg"), "device by its name"),
    "far down": (named("x/" * 2000 + "a"), "2,000 folders deep"),
    "twice": (named("vid/a.jpg", "vid//./a.jpg"), "'vid//./a.jpg' is there twice"),
    "twice but for the case": (named("vid/stra\u00dfe", "vid/STRASSE"), "is there twice"),
    "twice but for an accent's spelling": (named(COMPOSED, DECOMPOSED), "is there twice"),
    "a file inside a file": (named("vid/x/y/z/a.jpg", "vid/X"), "inside 'x', which is a file"),
    "a link": (told(mode=(stat.S_IFLNK | 0o777) << 16), "evil.*link or a device"),
    "a pipe": (told(mode=(stat.S_IFIFO | 0o666) << 16), "evil.*link or a device"),
    "a folder that is none": (told(mode=(stat.S_IFDIR | 0o755) << 16), "no folder's name"),
    "a folder with content": (named("vid/x/"), "folder with content"),
    "encrypted": (told(flags=0x0041), "evil.*encrypted"),
    "a patch": (told(flags=0x0020), "packed by method 0"),
    "LZMA": (told(method=14), "packed by method 14"),
    "another disk": (told(disk=1), "on another disk"),
    "stored, and larger": (told(size=5), "is stored in 4 bytes, which are 5"),
    "beyond the end": (told(place=2**32 - 2), "lies beyond the archive's content"),
    "no size": (told(size=2**32 - 1), "does not say how large"),
    "half a size": (told(size=2**32 - 1, extra=struct.pack("<HHL", 1, 8, 4)), "does not say how"),
    "exabytes": (
        told(packed=2**32 - 1, size=2**32 - 1, extra=struct.pack("<HHQQ", 1, 16, 2**63, 2**63)),
        "beyond the archive's content",
    ),
    "members that share bytes": (
        craft(Lie("vid/a", b"x" * 100), Lie("vid/b", there={"place": 0})), "inside another"
    ),
    "members that share a byte": (
        craft(Lie("vid/a", b"x" * 100), Lie("vid/b", there={"place": 134}), order=(1, 0)),
        "inside another",
    ),
    # 200 times a megabyte, which is the least, are 209,715,200 bytes.
    "a bomb, as it says": (
        craft(Lie("vid/0", packed=bytes(99), method=DEFLATED, there={"size": (200 << 20) + 1})),
        r"unpack to 209\.7 MB",
    ),
    "several disks": (ended(disk=1), "one disk of several"),
    "fewer members than it says": (ended(count=3, here=3), "has 2 members and says 3"),
    "a directory elsewhere": (ended(start=1), "something is missing, or stands before it"),
    "a shell's script before it": (b"#!/bin/sh\n" + craft(Lie("vid/a")), "stands before it"),
    "something behind it": (craft(Lie("vid/a")) + b"junk", "follows its end"),
    "something within it": (craft(Lie("vid/a"), between=b"junk"), "something is missing"),
    "a large end on several disks": (large(disks=2), "one of several"),
    "a large end that is elsewhere": (large(place=2**63), "end of a large file is missing"),
    "a large end of another length": (large(length=45), "another length"),
    "a large end with many members": (large(here=65537, count=65537), "has 1 members and says 65"),
    "a large end of exabytes": (large(size=2**64 - 1), "something is missing"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_before_a_byte_is_written(tmp_path, name):
    content, words = REFUSED[name]
    with pytest.raises(ArchiveError, match=words) as caught:
        unpack(tmp_path, content)
    assert str(tmp_path / "vid.zip") in caught.value.message
    assert caught.value.message.isprintable()
    assert os.listdir(tmp_path) == ["vid.zip"]


def test_too_many_members_are_refused(tmp_path):
    content = craft(*(Lie(f"vid/{i}") for i in range(4)))
    assert looked_at(tmp_path, content, most=4)[0].size == 16
    with pytest.raises(BadArchiveError, match="more than 3 files"):
        looked_at(tmp_path, content, most=3)


def evil(content: bytes = b"face", *, packed: bytes | None = None, here=None, there=None) -> Lie:
    method = STORED if packed is None else DEFLATED
    return Lie("vid/e.jpg", content, method, packed, here=here or {}, there=there or {})


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        (evil(here={"name": b"vid/f.jpg"}), "is not where the directory says"),
        (evil(there={"place": 1, "packed": 3, "size": 3}), "is not where the"),
        (evil(here={"flags": 1}), "is encrypted"),
        (evil(here={"method": DEFLATED}), "differs from what the directory says"),
        (evil(here={"size": 5}), "differs from what the directory says"),
        (evil(here={"crc": 5}, there={"crc": 5}), "has another checksum"),
        (evil(b"face!", packed=deflate(b"face")), "has 4 bytes and says 5"),
        (evil(b"fac", packed=deflate(b"face")), "has 4 bytes and says 3"),
        (evil(b"", packed=deflate(b"face")), "has 1 bytes and says 0"),
        (evil(packed=deflate(b"face")[:-1]), "does not end where it says"),
        (evil(packed=deflate(b"face") + b"x"), "does not end where it says"),
        (evil(packed=b"\xff" * 6), "cannot be inflated"),
        (evil(b"", packed=b""), "does not end where it says"),
    ],
)
def test_a_member_that_is_not_what_the_directory_says_is_refused(tmp_path, lie, said):
    with pytest.raises(ArchiveError, match=f"'vid/e.jpg' {said}"):
        unpack(tmp_path, craft(lie))


def test_an_extra_field_that_reaches_into_the_next_member_is_refused(tmp_path):
    """a.jpg's own header says 20 bytes of extra, of which there are 12: its content would end 8
    bytes into b.jpg's header."""
    content = bytearray(craft(Lie("vid/a.jpg", here={"extra": bytes(12)}), Lie("vid/b.jpg")))
    assert struct.unpack_from("<H", content, 28) == (12,)
    struct.pack_into("<H", content, 28, 20)
    with pytest.raises(ArchiveError, match=r"'vid/a\.jpg' reaches into what follows it"):
        unpack(tmp_path, bytes(content))


def test_a_member_that_grows_is_cut_off_one_byte_beyond_what_it_says(tmp_path):
    """10 MB of zeros that say they are 10 bytes: 11 are written, not 10 million."""
    bomb = Lie("vid/bomb", bytes(10), DEFLATED, deflate(bytes(10_000_000)))
    with pytest.raises(ArchiveError, match="'vid/bomb' has 11 bytes and says 10"):
        unpack(tmp_path, craft(bomb))
    assert (tmp_path / "out/bomb").stat().st_size == 11


def test_a_name_longer_than_a_name_can_be_is_refused(tmp_path):
    for name in ("vid/" + "n" * 256, ("d" * 300 + "/") * 14 + "n"):
        with pytest.raises(ArchiveError, match=os.strerror(errno.ENAMETOOLONG)):
            unpack(tmp_path, craft(Lie(name)))


@pytest.mark.parametrize("method", [STORED, DEFLATED])
def test_no_cut_and_no_changed_byte_changes_what_comes_out(tmp_path, method):
    """It is refused, or what comes out is what went in."""
    content = craft(Lie("vid/a.jpg", b"one" * 5, method), Lie("vid/x/b.jpg", b"two" * 5, method))
    expected = {"a.jpg": b"one" * 5, "x/b.jpg": b"two" * 5}
    harmless = 0
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        for case, bent in (
            ("changed", changed),
            ("cut", content[:place]),
            ("begun", content[place:]),
        ):
            folder = tmp_path / f"{case}{place}"
            folder.mkdir()
            try:
                assert unpack(folder, bytes(bent)) == expected, (case, place)
                harmless += case == "changed"
                assert case == "changed" or bent == content
            except ArchiveError:
                pass
            assert set(os.listdir(folder)) <= {"vid.zip", "out"}
    # What does not matter of a member: in its header needs (2 bytes), time and date (4), flags (2);
    # in its record made by, needs (4), flags (2), time and date (4), internal (2), mode (4); of a
    # deflated content the last byte, which has bits that fill it up.
    assert 0 < harmless <= 2 * (8 + 16 + 1)


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


def test_a_disk_that_refuses_keeps_its_own_error(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/x").write_text("in the way")
    with pytest.raises(NotADirectoryError):
        unpack(tmp_path, craft(Lie("vid/x/a")))
    with pytest.raises(FileNotFoundError):
        unzip(tmp_path / "none.zip", tmp_path / "out", top="vid")


def test_too_little_room_is_known_before_a_byte_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2))
    with pytest.raises(OSError, match="3 B to unpack and 2 B free") as caught:
        unpack(tmp_path, craft(Lie("vid/a", b"abc")))
    assert caught.value.errno == errno.ENOSPC
    assert os.listdir(tmp_path) == ["vid.zip"]


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


def test_memory_is_a_name_per_member(tmp_path):
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

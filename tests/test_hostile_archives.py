"""Archives that lie, climb, burst or are broken: each is refused by name, and nothing else suffers.

Every archive comes through the real download: a hub publishes it as the crops of one video, hashes
and all, so its bytes are proven and it is the content that must not be believed. Archives are put
together here byte by byte, as no library writes such; `test_sound_archives` is the proof that what
this file writes is an archive when nothing is wrong with it.

After each: the file is named, and the member where it is one; the hint is there; what is said holds
no character that a terminal would obey; nothing outside of the dataset's folder has changed,
nothing has the final name, nothing is left in the staging folder; the other videos are complete;
and the bytes, which are what they should be, are not fetched again by the next run.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import struct
import unicodedata
import warnings
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from conftest import one_in
from hub_server import (
    TRAIN,
    VAL,
    FaultyHub,
    bodies,
    memory_folder,
    publish,
    quick,
    snapshot,
    unpacked,
)

from unitalk.dataset.download import Selection, plan, run

PATH = f"clips_videos/train/{TRAIN}.zip"
FINAL = f"clips_videos/train/{TRAIN}"
ASKED = Selection(videos=(TRAIN, VAL[0]))
HEADER = (
    b"video_id,frame_timestamp,entity_box_x1,entity_box_y1,entity_box_x2,entity_box_y2,"
    b"label,entity_id,label_id,instance_id\n"
)
BIG = 0xFFFFFFFF
STORED, DEFLATED = 0, 8


# ------------------------------------------------------------------------------ the writer


@dataclass(frozen=True)
class Entry:
    """One member, and what is said of it; None is the truth.

    Args:
        name: as bytes; what cannot be decoded is a case too.
        content: what is in it.
        method: how it is packed.
        size, packed, crc: what the directory says; also its own header, unless `own` is set.
        own: what its own header says instead: any of name, size, packed, crc, method, flags.
        flags: general purpose bits: 1 encrypted, 8 sizes follow, 0x800 UTF-8.
        mode: the file's kind and rights, as Unix has them.
        extra: the directory's extra field.
        disk: the number of the disk that it begins on.
        at: where its header is said to be.
        body: what stands in the archive instead of the packed content.
        after: what follows it.
    """

    name: bytes
    content: bytes = b"content"
    method: int = STORED
    size: int | None = None
    packed: int | None = None
    crc: int | None = None
    own: dict[str, object] = field(default_factory=dict)
    flags: int = 0
    mode: int = 0o100644
    extra: bytes = b""
    disk: int = 0
    at: int | None = None
    body: bytes | None = None
    after: bytes = b""


def deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def build(*entries: Entry, prefix: bytes = b"", comment: bytes = b"", cut: int = 0, **end) -> bytes:
    """An archive: members, directory, end; `end` sets what the end says (see `ending`)."""
    out = bytearray(prefix)
    records = b""
    for entry in entries:
        body = entry.body
        if body is None:
            body = deflate(entry.content) if entry.method == DEFLATED else entry.content
        said = {
            "name": entry.name, "flags": entry.flags, "method": entry.method,
            "crc": zlib.crc32(entry.content) if entry.crc is None else entry.crc,
            "packed": len(body) if entry.packed is None else entry.packed,
            "size": len(entry.content) if entry.size is None else entry.size,
        }  # fmt: skip
        own = {**said, **entry.own}
        place = len(out) if entry.at is None else entry.at
        out += struct.pack(
            "<4s5H3L2H", b"PK\3\4", 20, own["flags"], own["method"], 0, 33,
            own["crc"], min(own["packed"], BIG), min(own["size"], BIG), len(own["name"]), 0,
        ) + own["name"] + body + entry.after  # fmt: skip
        records += struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 3 << 8 | 20, 20, said["flags"], said["method"], 0, 33,
            said["crc"], min(said["packed"], BIG), min(said["size"], BIG), len(entry.name),
            len(entry.extra), 0, entry.disk, 0, entry.mode << 16, place,
        ) + entry.name + entry.extra  # fmt: skip
    whole = bytes(out) + records + ending(len(entries), len(records), len(out), comment, **end)
    return whole[: len(whole) - cut]


def ending(count, size, start, comment=b"", *, more=b"", disk=0, said=None) -> bytes:
    """The end of the central directory; `more` stands before it, `said` is said instead."""
    truth = {"count": count, "size": size, "start": start, "comment_length": len(comment)}
    told = truth | (said or {})
    return more + struct.pack(
        "<4s4H2LH", b"PK\5\6", disk, disk, told["count"], told["count"], told["size"],
        told["start"], told["comment_length"],
    ) + comment  # fmt: skip


def large_extra(*values: int) -> bytes:
    """The extra field that has what is too large for the others."""
    return struct.pack("<2H", 1, 8 * len(values)) + struct.pack(f"<{len(values)}Q", *values)


def end64(place: int, count: int, size: int, start: int, disks: int = 1) -> bytes:
    """The end of a large archive, and the note where it is."""
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
    return record + struct.pack("<4sLQL", b"PK\6\7", 0, place, disks)


GOOD = Entry(f"{TRAIN}/good.jpg".encode())


def named(*names: str, **about) -> bytes:
    """One good member, then some of these names."""
    flags = 0 if all(name.isascii() for name in names) else 0x800
    return build(GOOD, *(Entry(name.encode(), flags=flags, **about) for name in names))


def with_one(name: str = "bad.jpg", **about) -> bytes:
    return build(GOOD, Entry(name.encode(), **about))


ZEROS = bytes(1_000_000)
TEXT = b"a text that repeats, a text that repeats, " * 50


def overlapping() -> bytes:
    """Two names for one content: what is small in the archive could be there a thousand times."""
    first = Entry(b"one.jpg", content=ZEROS, method=DEFLATED)
    return build(first, replace(first, name=b"two.jpg", body=b"", at=0, own={"name": b"one.jpg"},
                 packed=len(deflate(ZEROS))))  # fmt: skip


def quoted() -> bytes:
    """A member whose content is another member, header and all; both are in the directory."""
    inner = build(Entry(b"inner.jpg", content=b"x" * 200))[: 30 + 9 + 200]
    outer = Entry(b"outer.jpg", content=inner)
    return build(outer, Entry(b"inner.jpg", content=b"x" * 200, body=b"", packed=200, at=30 + 9))


def without(whole: bytes, start: int, end: int) -> bytes:
    return whole[:start] + whole[end:]


# ------------------------------------------------------------------------------ the cases

# name: (the archive, what the cause must say; where a member is at fault, its name is part of it)
CLIMBING = {
    "up": ("../../../outside.jpg", "outside"),
    "up, below the video": (f"{TRAIN}/../../../outside.jpg", "outside"),
    "up, far below": ("a/b/c/../../../../../../outside.jpg", "outside"),
    "up, hidden in dots": ("./.././../outside.jpg", "outside"),
    "up, in doubled slashes": ("a//..//..//..//outside.jpg", "outside"),
    "up, to a folder": ("../", "[.][.]/"),
    "up, at the end": ("a/..", "[.][.]"),
    "nothing but up": ("..", "[.][.]"),
    "back within": ("a/../b.jpg", "a/[.][.]/b"),
    "absolute": ("/unitalk-outside.jpg", "/unitalk-outside"),
    "absolute, twice": ("//unitalk-outside.jpg", "//unitalk-outside"),
    "absolute folder": ("/unitalk-outside/", "/unitalk-outside"),
    "drive": ("C:/outside.jpg", "C:/outside"),
    "small drive": ("c:/outside.jpg", "c:/outside"),
    "drive by backslash": ("C:\\outside.jpg", "C:"),
    "backslash": ("..\\..\\outside.jpg", "outside"),
    "backslash within": ("a\\b.jpg", "a.*b"),
    "share": ("\\\\host\\share\\outside.jpg", "host"),
    "mixed": ("a/..\\..\\outside.jpg", "outside"),
}
UNPRINTABLE = {
    "NUL": ("ok.jpg\0../../outside", "ok[.]jpg"),
    "line feed": ("ok\n.jpg", "ok"),
    "carriage return": ("ok\r.jpg", "ok"),
    "escape": ("ok\x1b[2J.jpg", "ok"),
    "bell": ("ok\a.jpg", "ok"),
    "delete": ("ok\x7f.jpg", "ok"),
    "C1 control": ("ok\x9b2J.jpg", "ok"),
    "turned around": ("ok\u202egpj.exe", "ok"),
    "line separator": ("ok\u2028.jpg", "ok"),
}
NFC = unicodedata.normalize("NFC", "é.jpg")
NFD = unicodedata.normalize("NFD", "é.jpg")
COLLIDING = {
    "twice": (("a.jpg", "a.jpg"), "a[.]jpg"),
    "twice but for the top": ((f"{TRAIN}/a.jpg", "a.jpg"), "a[.]jpg"),
    "twice but for a dot": (("b/a.jpg", "b/./a.jpg"), "a[.]jpg"),
    "twice but for a slash": (("b/a.jpg", "b//a.jpg"), "a[.]jpg"),
    "twice but for the case": (("a.jpg", "A.jpg"), "A[.]jpg"),
    "twice but for a folder's case": (("b/a.jpg", "B/a.jpg"), "B/a"),
    "twice but for the case of what is not ASCII": (("ä.jpg", "Ä.jpg"), "Ä"),
    # Not the same on Linux; on a disk of a Mac, the second would be written into the first.
    "twice but for the spelling of an accent": ((NFC, NFD), "twice"),
    "a file in a file": (("a", "a/b.jpg"), "a"),
    "a file above a file": (("a/b.jpg", "a"), "a"),
    "a file above a file, far": (("a/b/c/d.jpg", "a"), "a"),
    "a file in a file, but for the case": (("a", "A/b.jpg"), "a"),
}
KINDS = {
    "symbolic link": 0o120777,
    "device of characters": 0o020666,
    "device of blocks": 0o060666,
    "named pipe": 0o010666,
    "socket": 0o140666,
}
LYING = {
    "less than comes": with_one(content=TEXT, method=DEFLATED, size=100),
    "less than comes, and its checksum": with_one(
        content=TEXT, method=DEFLATED, size=100, crc=zlib.crc32(TEXT[:100])
    ),
    "more than comes": with_one(content=TEXT, method=DEFLATED, size=5000),
    "nothing comes": with_one(content=b"", body=b"", size=7, packed=7),
    "stored, less": with_one(content=TEXT, size=100),
    "stored, more": with_one(content=TEXT, size=len(TEXT) + 1),
    "packed less": with_one(content=TEXT, method=DEFLATED, packed=9),
    "packed more": with_one(content=TEXT, method=DEFLATED, packed=9999),
    "wrong checksum": with_one(crc=1),
    "wrong checksum, packed": with_one(content=TEXT, method=DEFLATED, crc=1),
    "damaged, packed": with_one(content=TEXT, method=DEFLATED, body=b"\xff" * 60, packed=60),
    "damaged, stored": with_one(content=b"right", body=b"wrong"),
    "garbage behind what is packed": with_one(
        content=TEXT, method=DEFLATED, body=deflate(TEXT) + b"garbage"
    ),
    "another name of its own": with_one(own={"name": b"not.jpg"}),
    "another length of its own": with_one(own={"size": 9}),
    "another checksum of its own": with_one(own={"crc": 9}),
    "another method of its own": with_one(own={"method": DEFLATED}),
    "encrypted": with_one(flags=1),
    "strongly encrypted": with_one(flags=0x41),
    "encrypted by its own": with_one(own={"flags": 1}),
    "masked directory": with_one(flags=0x2000),
    "unknown method": with_one(method=99),
    "LZMA, which nobody uses": with_one(method=14),
    "patch data": with_one(flags=0x20),
    "another disk": with_one(disk=1),
    "beyond the end": with_one(at=10_000_000),
    "in the middle of another": with_one(at=5),
    "a folder with content": with_one("bad.jpg/"),
    "large, not said how large": with_one(size=BIG),
    "large without end": with_one(
        size=BIG, packed=BIG, extra=large_extra(1 << 62, 1 << 62), content=b""
    ),
    "large, as its disk is": with_one(at=BIG, extra=large_extra(1 << 63)),
    "name too long": with_one("bad.jpg" + "n" * 300),
}
BROKEN = {
    "empty": (b"", ""),
    "a page": (b"<html>not found</html>", ""),
    "only an end": (ending(0, 0, 0), "no file"),
    "only folders": (build(Entry(b"a/", b""), Entry(b"b/", b"")), "no file"),
    "only litter": (build(Entry(b"__MACOSX/._a.jpg"), Entry(b".DS_Store")), "no file"),
    "no name": (build(Entry(b".")), ""),
    "an empty name": (build(Entry(b"")), ""),
    "end cut": (build(GOOD, cut=1), ""),
    "end cut off": (build(GOOD, cut=22), ""),
    "directory cut": (build(GOOD, cut=40), ""),
    "directory cut out": (build(GOOD)[:60] + build(GOOD)[-22:], ""),
    "content cut": (build(replace(GOOD, content=b"x" * 500))[:300], ""),
    "content cut out": (without(build(replace(GOOD, content=b"x" * 500)), 100, 300), ""),
    "begin cut off": (build(GOOD, GOOD)[50:], ""),
    "more members than it says": (build(GOOD, Entry(b"b.jpg"), said={"count": 1}), ""),
    "fewer members than it says": (build(GOOD, said={"count": 2}), ""),
    "directory longer than it is": (build(GOOD, said={"size": 9999}), ""),
    "directory shorter than it is": (build(GOOD, said={"size": 10}), ""),
    "directory elsewhere": (build(GOOD, said={"start": 3}), ""),
    "directory beyond the end": (build(GOOD, said={"start": 99_999}), ""),
    "a comment that is not there": (build(GOOD, said={"comment_length": 50}), ""),
    "several disks": (build(GOOD, disk=1), "disk"),
    "something before it": (build(GOOD, prefix=b"#!/bin/sh\nexit\n" * 9, said={"start": 70}), ""),
    "something behind it": (build(GOOD) + b"more", ""),
    "one directory behind another": (build(GOOD) + build(Entry(b"b.jpg")), ""),
    "a name that is no text": (build(GOOD, Entry(b"bad\xff\xfe.jpg", flags=0x800)), "bad"),
    "large end elsewhere": (build(GOOD, more=end64(9999, 1, 60, 60)), ""),
    "large end with members without end": (build(GOOD, more=end64(120, 1 << 60, 80, 62)), ""),
    "large end on other disks": (build(GOOD, more=end64(120, 1, 80, 62, disks=3)), ""),
    "content that reaches into the next": (
        build(replace(GOOD, name=b"bad.jpg", method=DEFLATED, packed=60), GOOD), "(bad|good)[.]jpg"
    ),
    "members over members": (overlapping(), "(one|two)[.]jpg"),
    "members in members": (quoted(), "(inner|outer)[.]jpg"),
}  # fmt: skip


def bomb(name: str) -> bytes:
    """An archive that unpacks to far more than it is; made when it is needed."""
    size = {"one of a quarter of a gigabyte": 250, "a hundred of three megabytes": 3}.get(name, 1)
    content = ZEROS * size
    once = Entry(b"bad.jpg", content=content, method=DEFLATED, body=deflate(content))
    if name == "a hundred of three megabytes":
        return build(*(replace(once, name=f"{n}.jpg".encode()) for n in range(100)))
    if name == "a terabyte, as it says":
        extra = large_extra(1 << 40)
        return build(GOOD, replace(once, size=BIG, extra=extra, own={"size": BIG}))
    return build(once)


BOMBS = (
    "one of a quarter of a gigabyte",
    "a hundred of three megabytes",
    "a terabyte, as it says",
)


@dataclass(frozen=True)
class Hostile:
    """One archive, and what must be said of it."""

    archive: bytes
    words: str

    def __repr__(self) -> str:
        return f"{len(self.archive)} bytes"


HOSTILE = {
    **{f"climbs {k}": Hostile(named(name), words) for k, (name, words) in CLIMBING.items()},
    **{f"says {k}": Hostile(named(name), words) for k, (name, words) in UNPRINTABLE.items()},
    **{f"is {k}": Hostile(named(*names), words) for k, (names, words) in COLLIDING.items()},
    **{
        f"is a {kind}": Hostile(with_one(mode=mode, content=b"/etc/passwd"), "bad[.]jpg")
        for kind, mode in KINDS.items()
    },
    **{f"lies: {k}": Hostile(archive, "bad[.]jpg") for k, archive in LYING.items()},
    **{f"broken: {k}": Hostile(archive, words) for k, (archive, words) in BROKEN.items()},
    "is too deep": Hostile(named("d/" * 3000 + "bad.jpg"), "d/d/d"),
    "has a path too long": Hostile(named("/".join(["n" * 250] * 16) + "/bad.jpg"), "nnn"),
}


# ------------------------------------------------------------------------------ the download


@pytest.fixture
def place():
    """A folder in memory, with things beside the dataset's folder that nothing may touch."""
    with memory_folder() as folder:
        (folder / "beside").mkdir()
        (folder / "beside/thesis.tex").write_text("years of work")
        (folder / "outside.jpg").write_text("mine")
        yield folder


def serve(folder: Path, archive: bytes) -> Path:
    publish(folder / "served", "train", TRAIN)
    publish(folder / "served", "val", VAL[0])
    (folder / "served" / PATH).write_bytes(archive)
    return folder / "served"


def others() -> dict[str, bytes]:
    """What is complete whatever is wrong with the one archive."""
    train = {n: c for n, c in unpacked(TRAIN, "train").items() if not n.startswith("clips_videos")}
    val = unpacked(VAL[0], "val")
    return {
        **train, **val,
        "csv/train_orig.csv": HEADER + train[f"csv/train/{TRAIN}.csv"],
        "csv/val_orig.csv": HEADER + val[f"csv/val/{VAL[0]}.csv"],
    }  # fmt: skip


def surroundings(place: Path) -> dict[str, bytes]:
    """All that is around the dataset's folder, and where absolute names point to."""
    found = snapshot(place, without=("data",))
    found["/"] = "\n".join(sorted(os.listdir("/"))).encode()
    return found


def refused(place: Path, archive: bytes, words: str) -> None:
    """Download it twice, and hold both runs to what the top of this file says."""
    root = place / "data"
    with FaultyHub(serve(place, archive)) as server:
        before = surroundings(place)
        for turn in ("first", "second"):
            since = len(server.log)
            with quick(server.endpoint, token="hf_good") as hub:
                report = run(plan(hub, root, selection=ASKED), hub)
            (failed,) = report.failed
            assert not report.complete
            assert failed.path == PATH
            assert "not unpacked" in failed.cause
            assert re.search(words, failed.cause.partition("not unpacked")[2]), failed.cause
            assert failed.hint
            assert (failed.cause + failed.hint).isprintable()
            assert surroundings(place) == before
            seen = snapshot(root)
            seen.pop("failed.txt", None)
            assert {n: c for n, c in seen.items() if not n.endswith("/")} == others()
            assert not os.path.lexists(root / FINAL)
            staging = root / ".unitalk/staging"
            assert not staging.exists() or not list(staging.iterdir())
            asked = bodies(server, since).get(PATH, [])
            assert len(asked) == (turn == "first"), "proven bytes are kept"
        assert not server.tokens_at_the_storage()


@pytest.mark.parametrize("name", one_in(2, HOSTILE))
def test_a_hostile_or_broken_archive_is_refused_by_name(place, name):
    refused(place, HOSTILE[name].archive, HOSTILE[name].words)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_bursts(place, name):
    """By what it says, so that not a byte of it is ever on the disk."""
    from unitalk.errors import ArchiveError
    from unitalk.files import unzip

    archive = bomb(name)
    assert len(archive) < 1_000_000
    (place / "a.zip").write_bytes(archive)
    with pytest.raises(ArchiveError, match="unpack"):
        unzip(place / "a.zip", place / "out", top=TRAIN)
    assert not (place / "out").exists()
    (place / "a.zip").unlink()
    refused(place, archive, "unpack")


def test_one_that_lies_about_its_size_stops_at_what_it_said(place):
    """It says 10 bytes and would be 50 MB: what is written ends near the ten."""
    archive = with_one(content=ZEROS * 50, method=DEFLATED, size=10, crc=zlib.crc32(bytes(10)))
    from unitalk.errors import ArchiveError
    from unitalk.files import unzip

    (place / "a.zip").write_bytes(archive)
    with pytest.raises(ArchiveError, match=r"bad\.jpg"):
        unzip(place / "a.zip", place / "out", top=TRAIN)
    assert sum(path.stat().st_size for path in (place / "out").iterdir()) < 2_000_000


@pytest.mark.parametrize("part", ["clips_videos", "clips_audios"])
def test_sounds_are_looked_at_as_crops_are(place, part):
    folder = serve(place, build(GOOD))
    path = f"{part}/train/{TRAIN}.zip"
    (folder / path).write_bytes(named("../../outside.jpg"))
    with FaultyHub(folder) as server, quick(server.endpoint) as hub:
        before = surroundings(place)
        report = run(plan(hub, place / "data", selection=ASKED), hub)
        assert [file.path for file in report.failed] == [path]
        assert surroundings(place) == before
        assert not (place / "data" / path.removesuffix(".zip")).exists()


def test_the_command_says_which_file_and_what_to_do(place, run_cli):
    with FaultyHub(serve(place, named("../../evil\x1b[2J.jpg"))) as server:
        ran = run_cli(server, place / "data")
        assert ran.code == 4
        assert PATH in ran.stdout
        assert "not unpacked" in ran.stdout
        assert "\x1b" not in ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr
        # The owner publishes a right one: the same folder takes it by --update.
    (place / "served" / PATH).write_bytes(build(GOOD))
    with FaultyHub(place / "served") as server:
        ran = run_cli(server, place / "data", "--update")
        assert ran.code == 0, ran.stdout + ran.stderr
        assert snapshot(place / "data") == {**others(), f"{FINAL}/good.jpg": b"content"}


@pytest.fixture
def run_cli(run, monkeypatch, tmp_path):
    for name in set(os.environ):
        if name.startswith(("HF_", "HUGGING_FACE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HOME", str(tmp_path))

    def run_it(server, root, *more):
        return run(
            "download", "-q", "--save-path", root, "--endpoint", server.endpoint,
            "--video", TRAIN, "--video", VAL[0], *more,
        )  # fmt: skip

    return run_it


# ------------------------------------------------------------------------------ every byte

PAIR = {f"{TRAIN}/a.jpg": TEXT, f"{TRAIN}/d/b.jpg": b"short"}


def unzipped(place: Path, archive: bytes) -> dict[str, bytes] | None:
    """The files of an archive; None where it is refused."""
    from unitalk.errors import ArchiveError
    from unitalk.files import unzip

    (place / "a.zip").write_bytes(archive)
    out, said = place / "out", None
    try:
        unzip(place / "a.zip", out, top=TRAIN)
    except ArchiveError as error:
        said = error.message
    found = snapshot(out)
    shutil.rmtree(out, ignore_errors=True)
    if said is None:
        return found
    assert str(place / "a.zip") in said
    assert said.isprintable()
    return None


@pytest.mark.parametrize("bit", [0, 3, 7])
def test_one_bit_anywhere_is_refused_or_changes_nothing(place, bit):
    """No single damage, wherever it is, gives other files or another error than ours."""
    archive = build(*(Entry(n.encode(), c, DEFLATED, mode=0) for n, c in PAIR.items()))
    right = {name.removeprefix(f"{TRAIN}/"): content for name, content in PAIR.items()}
    assert unzipped(place, archive) == right
    before, harmless = surroundings(place).keys(), 0
    for at in range(len(archive)):
        bent = archive[:at] + bytes([archive[at] ^ 1 << bit]) + archive[at + 1 :]
        found = unzipped(place, bent)
        assert found in (None, right), f"byte {at} of {len(archive)}"
        harmless += found is not None
    assert surroundings(place).keys() - {"a.zip"} == before - {"a.zip"}
    # What changes no file, in a header: version 2, flags 2, time and date 4 bytes; in a record:
    # versions 4, flags 2, time and date 4, attributes 6; and the bits behind the end of what is
    # deflated, which fill its last byte. Of two members: 2 * 8 + 2 * 16 + 2.
    assert harmless <= 50


def test_an_archive_that_ends_anywhere_is_refused(place):
    archive = build(*(Entry(n.encode(), c, DEFLATED) for n, c in PAIR.items()))
    for end in range(len(archive)):
        assert unzipped(place, archive[:end]) is None, f"cut at byte {end}"


def test_an_archive_that_begins_anywhere_is_refused(place):
    archive = build(*(Entry(n.encode(), c, DEFLATED) for n, c in PAIR.items()))
    for start in range(1, len(archive)):
        assert unzipped(place, archive[start:]) is None, f"begun at byte {start}"


# ------------------------------------------------------------------------------ what is sound


def written_by_zipfile(**about) -> bytes:
    """What the standard library writes: members of both methods, a folder, accents."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **about) as archive:
        archive.writestr(f"{TRAIN}/", b"")
        archive.writestr(f"{TRAIN}/a.jpg", TEXT)
        archive.writestr(zipfile.ZipInfo(f"{TRAIN}/é.jpg"), TEXT)
        archive.comment = b"a comment"
    return out.getvalue()


def in_a_stream() -> bytes:
    """Sizes behind the content, as whoever writes into a pipe has to."""

    class Pipe(io.RawIOBase):
        def __init__(self):
            self.got = b""

        def writable(self):
            return True

        def write(self, piece):
            self.got += bytes(piece)
            return len(piece)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", TEXT)
    return pipe.got


def forced_large() -> bytes:
    """Every size in the extra field, as whoever does not know it beforehand writes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("a.jpg", "w", force_zip64=True) as file:
        file.write(TEXT)
    return out.getvalue()


def empty_members(count: int = 3000) -> bytes:
    return build(*(Entry(f"t/{n}.jpg".encode(), b"") for n in range(count)))


A = {"a.jpg": TEXT}
SOUND = {
    "stored": (build(Entry(b"a.jpg", TEXT)), A),
    "deflated": (build(Entry(b"a.jpg", TEXT, DEFLATED)), A),
    "below the video": (build(Entry(f"{TRAIN}/a.jpg".encode(), TEXT)), A),
    "a dot before": (build(Entry(b"./a.jpg", TEXT)), A),
    "no rights said": (build(Entry(b"a.jpg", TEXT, mode=0)), A),
    "all rights": (build(Entry(b"a.jpg", TEXT, mode=0o106777)), A),
    "folders": (build(Entry(b"d/", b"", mode=0o040755), Entry(b"d/a.jpg", TEXT)),
                {"d/a.jpg": TEXT}),
    "a comment": (build(Entry(b"a.jpg", TEXT), comment=b"a comment"), A),
    "litter": (build(Entry(b"a.jpg", TEXT), Entry(b"__MACOSX/._a.jpg"), Entry(b".DS_Store")), A),
    "dots in a name": (build(Entry(b"..a..jpg", TEXT)), {"..a..jpg": TEXT}),
    "a colon, as ids have one": (build(Entry(b"x:0/0.40.jpg", TEXT)), {"x:0/0.40.jpg": TEXT}),
    "nothing in it": (build(Entry(b"a.jpg", b"")), {"a.jpg": b""}),
    "a gap between": (build(Entry(b"a.jpg", TEXT, after=b"\0" * 99), Entry(b"b.jpg")),
                      {**A, "b.jpg": b"content"}),
    "by the library": (written_by_zipfile(), {**A, "é.jpg": TEXT}),
    "by the library, deflated": (written_by_zipfile(compression=DEFLATED), {**A, "é.jpg": TEXT}),
    "in a stream": (in_a_stream(), A),
    "forced to be large": (forced_large(), A),
    "large end": (build(Entry(b"a.jpg", TEXT), more=end64(len(TEXT) + 35 + 51, 1, 51,
                        len(TEXT) + 35)), A),
    "thousands of nothing": (empty_members(), {f"t/{n}.jpg": b"" for n in range(3000)}),
    "a name that is as long as can be": (build(Entry(b"n" * 251 + b".jpg", TEXT)),
                                         {"n" * 251 + ".jpg": TEXT}),
}  # fmt: skip


@pytest.mark.parametrize("name", SOUND)
def test_sound_archives(place, name):
    """The writer's proof, and the promise that no suspicion costs anybody a good archive."""
    archive, files = SOUND[name]
    with FaultyHub(serve(place, archive)) as server, quick(server.endpoint) as hub:
        report = run(plan(hub, place / "data", selection=ASKED), hub)
        assert report.complete, report.failed
    assert snapshot(place / "data" / FINAL) == files
    modes = {path.stat().st_mode & 0o7111 for path in (place / "data" / FINAL).rglob("*.jpg")}
    assert modes == {0}, "no file can be executed, whatever rights it says"


def test_the_writer_writes_what_another_reader_reads():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, (archive, files) in SOUND.items():
            with zipfile.ZipFile(io.BytesIO(archive)) as opened:
                assert opened.testzip() is None, name
                inside = {info.filename for info in opened.infolist() if not info.is_dir()}
            assert len(inside) >= len(files), name


def test_every_kind_of_the_list_is_there():
    """Of what the download promises to refuse, nothing has been forgotten."""
    promised = (
        "climbs", "absolute", "drive", "backslash", "symbolic link", "device", "pipe", "twice",
        "case", "accent", "a file in a file", "less than comes", "more than comes",
        "wrong checksum", "directory cut", "content cut", "over members", "encrypted", "large",
        "too long", "NUL", "line feed", "a page", "empty", "before it", "disk",
    )  # fmt: skip
    for word in promised:
        assert any(word in name for name in HOSTILE), word
    assert len({case.archive for case in HOSTILE.values()}) == len(HOSTILE), "no case twice"

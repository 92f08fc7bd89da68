"""Tracks read out of archives that nobody unpacks: the same bytes, and no trust."""

from __future__ import annotations

import os
import pickle
import shutil
import struct
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from build import jpg, pack
from conftest import one_in
from hypothesis import given
from hypothesis import strategies as st

from unitalk.dataset.sample import publish
from unitalk.errors import ArchiveError, DataError, DiskError, LayoutError
from unitalk.files import mark
from unitalk.files.zip_members import Archive
from unitalk.media.tracks import tracks
from unitalk.net.loopback import LoopbackHub

VIDEO = "-maoolmiKi0"
CROPS = f"archives/clips_videos/val/{VIDEO}.zip"
SOUNDS = f"archives/clips_audios/val/{VIDEO}.zip"


@pytest.fixture(scope="module")
def small_kept(small, tmp_path_factory) -> Path:
    return pack(small, tmp_path_factory.mktemp("kept") / "dataset")


@pytest.fixture
def kept(small_kept, tmp_path) -> Path:
    """One that may be changed."""
    return shutil.copytree(small_kept, tmp_path / "kept")


# ------------------------------------------------------------------------------ the same bytes


@pytest.mark.parametrize("top", [True, False], ids=["with top", "without"])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_archives_give_what_folders_give(small, tmp_path, top, method):
    root = pack(small, tmp_path / "kept", top=top, method=method)
    want = tracks(small, source="folders")
    for source in ("archives", "auto"):
        found = tracks(root, source=source)
        assert len(found) == len(want)
        for packed, unpacked in zip(found, want, strict=True):
            assert packed.jpgs() == unpacked.jpgs()
            assert packed.wav() == unpacked.wav()
            assert packed.audio["array"].tolist() == unpacked.audio["array"].tolist()


def test_a_download_that_unpacked_nothing_can_be_read(small, tmp_path, run):
    """What `unitalk download --no-unpack` leaves, by the command itself."""
    publish(small, tmp_path / "hub")
    with LoopbackHub(tmp_path / "hub") as server:
        ran = run("download", "--save-path", tmp_path / "d", "--endpoint", server.endpoint, "-q",
                  "--no-unpack", "--video=9Zja_cIAwY8", "--video=EEey6Pt0rqI")  # fmt: skip
    assert (ran.code, ran.stderr) == (0, "")
    assert not (tmp_path / "d/clips_videos").exists()
    found = tracks(tmp_path / "d")
    want = tracks(small, videos=["9Zja_cIAwY8", "EEey6Pt0rqI"])
    assert {track.entity_id for track in found} == {track.entity_id for track in want}
    for track in found:
        assert track.jpgs() == want.find(track.entity_id).jpgs()
        assert track.wav() == want.find(track.entity_id).wav()


def test_what_is_unpacked_comes_first_video_by_video(small, kept):
    """`auto` takes the folder; a part that is not unpacked comes from its archive."""
    folder = kept / "clips_videos/val" / VIDEO
    shutil.copytree(small / "clips_videos/val" / VIDEO, folder)
    for path in folder.rglob("*.jpg"):
        path.write_bytes(jpg(1_000))
    of_video = [track for track in tracks(kept, split="val") if track.video_id == VIDEO]
    other = tracks(kept, split="val")[-1]
    assert {data for track in of_video for data in track.jpgs()} == {jpg(1_000)}
    assert of_video[0].wav() == tracks(small).find(of_video[0].entity_id).wav()
    assert other.jpgs() == tracks(small, split="val")[-1].jpgs()
    packed = tracks(kept, source="archives").find(of_video[0].entity_id)
    assert packed.jpgs() == tracks(small).find(packed.entity_id).jpgs()


def test_what_files_are_known_by_changes_with_them_and_with_nothing_else(small, kept, tmp_path):
    unpacked = Path(shutil.copytree(small, tmp_path / "unpacked"))
    name = f"val/{VIDEO}/{VIDEO}:0"
    for root, crop, sound in (
        (unpacked, f"clips_videos/{name}/0.00.jpg", f"clips_audios/{name}.wav"),
        (kept, CROPS, SOUNDS),
    ):
        found = tracks(root, split="val", videos=[VIDEO])
        first = [track.known_by() for track in found]
        assert all(track.jpgs() and track.wav() for track in found)
        assert [track.known_by() for track in found] == first
        os.utime(root / crop, (5, 5))
        second = [track.known_by() for track in found]
        assert second[0][0] != first[0][0]
        assert [each[1] for each in second] == [each[1] for each in first]
        (root / sound).write_bytes(b"another")
        assert found[0].known_by()[1] != first[0][1]
        (root / sound).unlink()
        assert found[0].known_by() == (second[0][0], None)


def test_several_threads_and_processes_read_one_archive(small, small_kept):
    want = [track.jpgs() for track in tracks(small)]
    found = tracks(small_kept, source="archives")
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda track: track.jpgs(), found)) == want
    travelled = pickle.loads(pickle.dumps(found[2]))
    assert travelled == found[2]
    assert hash(travelled) == hash(found[2])
    assert travelled.jpgs() == want[2]
    assert len(pickle.dumps(found[2])) < 2_000


# ------------------------------------------------------------------------------ what is wrong


def one_of(kept: Path):
    return tracks(kept, source="archives", videos=[VIDEO])[1]


def test_a_missing_archive_is_named(kept):
    (kept / CROPS).unlink()
    (kept / SOUNDS).unlink()
    with pytest.raises(LayoutError) as raised:
        one_of(kept).jpgs()
    assert raised.value.message == f"{kept / CROPS}: this archive is missing"
    assert "copy this video's archives again" in raised.value.hint
    mark(kept, made_by="download", about={})
    with pytest.raises(LayoutError) as raised:
        one_of(kept).jpgs()
    assert f"plan_download(HUB, {str(kept)!r}, selection=Selection(" in raised.value.hint
    assert f"(videos=({VIDEO!r},), archives_only=True, refetch=True)" in raised.value.hint
    with pytest.raises(LayoutError, match="this archive is missing"):
        one_of(kept).wav()
    # With neither, it is the folder that is missed.
    with pytest.raises(LayoutError, match="the folder of this track's face crops is missing"):
        tracks(kept, videos=[VIDEO])[0].jpgs()


def rewritten(path: Path, change) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in change(members).items():
            archive.writestr(name, content)


def without(members: dict[str, bytes], words: str) -> dict[str, bytes]:
    return {name: content for name, content in members.items() if words not in name}


def test_what_an_archive_lacks_is_named(kept):
    entity = one_of(kept).entity_id
    rewritten(kept / CROPS, lambda members: without(members, f"{entity}/1.00.jpg"))
    with pytest.raises(LayoutError) as raised:
        one_of(kept).jpgs()
    missing = f"{kept / CROPS}: {entity}/1.00.jpg"
    assert raised.value.message == f"a face crop is missing: {missing}"
    rewritten(kept / CROPS, lambda members: without(members, entity))
    with pytest.raises(LayoutError, match=rf"{VIDEO}\.zip: {entity} is missing in it"):
        one_of(kept).jpgs()
    rewritten(kept / SOUNDS, lambda members: without(members, entity))
    with pytest.raises(LayoutError, match=rf"{VIDEO}\.zip: {entity}\.wav is missing in it"):
        one_of(kept).wav()
    rewritten(kept / SOUNDS, lambda members: {f"{entity}.wav/inner": b"x"})
    with pytest.raises(LayoutError, match="is a folder in it, and no sound"):
        one_of(kept).wav()


def test_a_damaged_crop_in_a_whole_archive_is_named(kept):
    def cut(members):
        name = f"{VIDEO}/{VIDEO}:1/1.00.jpg"
        return members | {name: members[name][:-20]}

    rewritten(kept / CROPS, cut)
    with pytest.raises(DataError) as raised:
        one_of(kept).jpgs()
    assert raised.value.message.startswith(f"{kept / CROPS}: {VIDEO}/{VIDEO}:1/1.00.jpg")
    assert "not a whole face crop" in raised.value.message


@pytest.mark.parametrize("cut", [1, 22, 60, 2_000])
def test_an_archive_that_is_cut_off_is_named(kept, cut):
    path = kept / CROPS
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(ArchiveError) as raised:
        one_of(kept).jpgs()
    assert raised.value.message.startswith(f"{path}: cannot be read: ")


def test_a_disk_that_fails_is_named(kept, monkeypatch):
    track = one_of(kept)
    track.jpgs()

    def failing(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("unitalk.files.zip_members.os.pread", failing)
    with pytest.raises(DiskError, match=rf"{VIDEO}\.zip: Input/output error"):
        track.jpgs()


# ------------------------------------------------------------------------------ random access


def lying(path: Path, name: str, at: str, value: int) -> Path:
    """Change a number in the directory's record of a member."""
    content = bytearray(path.read_bytes())
    record = content.rindex(name.encode()) - 46
    place, form = {
        "crc": (16, "<L"),
        "packed": (20, "<L"),
        "size": (24, "<L"),
        "start": (42, "<L"),
    }[at]
    struct.pack_into(form, content, record + place, value)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("at", "value", "words"),
    one_in(2, [
        ("crc", 1, "differs from what the directory says"),
        ("size", 1, "differs from what the directory says|is stored in"),
        ("start", 7, "is not where the directory says|lies inside another"),
        ("packed", 1, "differs from what the directory says|is stored in"),
        ("start", 0x7FFFFFF0, "lies beyond the archive's content"),
    ]),
)  # fmt: skip
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_directory_that_lies_is_refused(tmp_path, at, value, words, method):
    path = tmp_path / "v.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("v/a/0.00.jpg", b"first " * 50)
        archive.writestr("v/a/0.04.jpg", b"second " * 50)
    lying(path, "v/a/0.04.jpg", at, value)
    with pytest.raises(ArchiveError, match=words):
        Archive(path, top="v").read("a", lambda members: members)


def test_a_bomb_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "v.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("v/a/0.00.jpg", bytes(201 << 20))
    with pytest.raises(ArchiveError, match=r"unpack to 210\.8 MB"):
        Archive(path, top="v")


def test_a_member_that_unpacks_to_more_than_it_says_is_refused(tmp_path):
    path = tmp_path / "v.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("v/a/0.00.jpg", b"x" * 1_000)
    content = bytearray(path.read_bytes())
    for place in (22, content.rindex(b"v/a/") - 46 + 24):  # in both headers
        struct.pack_into("<L", content, place, 900)
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="has 901 bytes and says 900"):
        Archive(path, top="v").read("a", lambda members: members)


@pytest.mark.parametrize(
    ("method", "place", "value", "words"),
    [
        # The member's own header begins at 0; its name is 12 long, so its content begins at 42.
        (zipfile.ZIP_STORED, 28, 900, "reaches into what follows it"),
        (zipfile.ZIP_DEFLATED, 28, 900, "reaches into what follows it"),
        (zipfile.ZIP_STORED, 42, 0xFFFF, "has another checksum than it says"),
        (zipfile.ZIP_DEFLATED, 42, 0xFFFF, "cannot be inflated: "),
        (zipfile.ZIP_DEFLATED, 42, 0x0000, "cannot be inflated: |does not end where it says"),
    ],
)
def test_what_stands_before_the_directory_may_lie_too(tmp_path, method, place, value, words):
    path = tmp_path / "v.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("v/a/0.00.jpg", bytes(range(200)))
        archive.writestr("v/a/0.04.jpg", bytes(range(200)))
    content = bytearray(path.read_bytes())
    struct.pack_into("<H", content, place, value)
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=rf"v\.zip: cannot be read: member '.*' ({words})"):
        Archive(path, top="v").read("a", lambda members: members)


@pytest.mark.parametrize("said", [10, -1])
def test_packed_bytes_end_where_the_directory_says(tmp_path, said):
    """More of them, or fewer, than make up the content."""
    path = tmp_path / "v.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("v/a/0.00.jpg", bytes(range(200)))
        archive.writestr("v/a/0.04.jpg", bytes(20), zipfile.ZIP_STORED)
    with zipfile.ZipFile(path) as archive:
        packed = archive.infolist()[0].compress_size
    content = bytearray(path.read_bytes())
    content[42 + packed : 42 + packed] = b"\0" * 10  # which moves what follows
    end = content.rindex(b"PK\5\6")
    struct.pack_into("<L", content, end + 16, content.index(b"PK\1\2"))
    struct.pack_into("<L", content, content.rindex(b"v/a/0.04") - 46 + 42, 42 + packed + 10)
    for place in (18, content.index(b"PK\1\2") + 20):
        struct.pack_into("<L", content, place, packed + said)
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="does not end where it says"):
        Archive(path, top="v").read("a", lambda members: members)


@given(
    contents=st.lists(st.binary(max_size=300), min_size=1, max_size=12),
    large=st.integers(0, 11),
    method=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
    data=st.data(),
)
def test_any_members_are_read_as_zipfile_reads_them(
    tmp_path_factory, contents, large, method, data
):
    """In any order, some or all, small ones and one of more than a block, comments and extras."""
    path = tmp_path_factory.mktemp("zip") / "v.zip"
    contents = [b"x" * 200_000 + c if n == large else c for n, c in enumerate(contents)]
    places = data.draw(st.permutations(range(len(contents))))
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.comment = b"a comment" * data.draw(st.integers(0, 3))
        for place in places:
            info = zipfile.ZipInfo(f"v/{place % 3}/{place}.jpg")
            info.compress_type = method
            info.extra = struct.pack("<2H", 0x7075, 5) + b"extra" if place % 2 else b""
            info.comment = b"comment" * (place % 4)
            archive.writestr(info, contents[place])
    with zipfile.ZipFile(path) as archive:
        want = {name.removeprefix("v/"): archive.read(name) for name in archive.namelist()}
    archive = Archive(path, top="v")
    for folder in {name.partition("/")[0] for name in want}:
        own = [name for name in want if name.startswith(f"{folder}/")]
        wanted = data.draw(st.lists(st.sampled_from(own), max_size=8))

        def choose(members, own=own, wanted=wanted):
            assert [member.inner for member in members] == own
            return [next(m for m in members if m.inner == name) for name in wanted]

        assert archive.read(folder, choose) == [want[name] for name in wanted]
    assert "nothing" not in archive


def test_members_in_the_form_of_large_ones_and_of_streams_are_read(tmp_path):
    """Sizes in the extra field, and behind the content."""
    path = tmp_path / "v.zip"

    class OneWay:
        """A file that cannot go back, so that sizes follow."""

        def __init__(self, file):
            self.write, self.flush = file.write, file.flush

    contents = {f"a/{n}.jpg": bytes([n]) * 50 * n for n in range(6)}
    with path.open("wb") as file, zipfile.ZipFile(OneWay(file), "w") as archive:
        for name, content in contents.items():
            with archive.open(f"v/{name}", "w", force_zip64=name > "a/3") as member:
                member.write(content)
    assert Archive(path, top="v").read("a", lambda members: members) == list(contents.values())

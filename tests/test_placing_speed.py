"""Trim and convert-asc look at folders, not at files; and find what looking at files would find."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import wave
from collections import Counter
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from conftest import Tracks, face, make_dataset, tree, write_csv, write_wav
from hypothesis import given, settings
from hypothesis import strategies as st

import unitalk
from unitalk import convert_asc, layout, schema, trim_dataset
from unitalk.files import LINKS, Placer
from unitalk.formats.loaders import seconds_of_wav

WATCHER = """
import collections, sys
calls = collections.Counter()
def count(event, arguments):
    # Python lists a folder of modules again whenever another process has written into it.
    if not (event == "os.listdir" and arguments[0] in sys.path_importer_cache):
        calls[event] += 1
sys.addaudithook(count)
from unitalk.cli.main import main
try:
    main(sys.argv[1:])
finally:
    for name in ("os.scandir", "os.listdir", "os.link", "os.symlink", "os.mkdir", "open"):
        print(name, calls[name], file=sys.stderr)
    print("pandas", int("pandas" in sys.modules), file=sys.stderr)
"""


def made(root: Path, tracks: int, faces: int) -> Path:
    """Two videos with tracks of as many faces each, 25 a second."""
    times = [f"{number / 25}" for number in range(faces)]
    return make_dataset(
        root,
        {
            video: [Tracks(f"{video}:{track}", times, [0] * faces) for track in range(tracks)]
            for video in ("one", "two")
        },
    )


def lines(source: Path, to: Path) -> dict[str, tuple[object, ...]]:
    (source.parent / "ids.txt").write_text("one\ntwo\n")
    return {
        "trim": ("-q", "trim", "--path", source, "--new-path", to,
                 "--list", source.parent / "ids.txt"),
        "convert-asc": ("-q", "convert-asc", "--source", source, "--destination", to),
    }  # fmt: skip


def watched(*arguments: object) -> dict[str, int]:
    """How often a process did what Python's audit events tell of, its imports' listings left out.

    -B and -P: nothing is compiled on the way, and the current folder, where others write, is no
    place of modules.
    """
    command = [sys.executable, "-B", "-P", "-c", WATCHER, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return {name: int(count) for name, count in map(str.split, ran.stderr.splitlines()[-7:])}


# ------------------------------------------------------------------------------ how often it looks


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("verb", ["trim", "convert-asc"])
@pytest.mark.parametrize("link", ["sym", "hard"])
def test_what_is_done_once_a_folder_is_not_done_once_a_face(tmp_path, verb, link):
    """Two videos of 3 tracks, once with 2 faces each and once with 40, so 12 and 240 faces.

    ::

                     links by sym          links by hard       listings by sym  listings by hard
        trim         2 videos x 2 kinds    faces + 6 sounds    none of the      2 x (sound, video)
                                                               dataset's        + 6 tracks
        convert-asc  6 tracks + 6 sounds   faces + 6 sounds    2 x 2 + 6        6 more: what was
                                           + 2 of gt/          tracks           made is looked up

    (gt/ is the second name of a file, by hard link in either case.)
    """
    calls = {}
    for faces in (2, 40):
        source = made(tmp_path / f"d{faces}", 3, faces)
        to = tmp_path / f"to{faces}"
        calls[faces] = watched(*lines(source, to)[verb], "--link", link)
    few, many = calls[2], calls[40]
    grows = {"os.link"} if link == "hard" else set()
    assert {name for name in few if few[name] != many[name]} == grows
    gt = 2 if verb == "convert-asc" else 0
    if link == "hard":
        assert (few["os.link"], many["os.link"]) == (12 + 6 + gt, 240 + 6 + gt)
    else:
        assert few["os.link"] == gt
        assert few["os.symlink"] == (4 if verb == "trim" else 12)
    assert few["pandas"] == 0


@pytest.mark.usefixtures("unmeasured")
def test_a_track_is_listed_once_by_symbolic_links_and_once_more_where_files_were_made(tmp_path):
    """Ten tracks more are ten listings more, of the source; or twenty, with those of the result."""
    listings = {}
    for link in ("sym", "hard"):
        for tracks in (1, 6):
            source = made(tmp_path / f"{link}{tracks}", tracks, 3)
            to = tmp_path / f"to-{link}{tracks}"
            counted = watched(*lines(source, to)["convert-asc"], "--link", link)
            listings[link, tracks] = counted["os.scandir"] + counted["os.listdir"]
    assert listings["sym", 6] - listings["sym", 1] == 10
    assert listings["hard", 6] - listings["hard", 1] == 20


@pytest.mark.parametrize("verb", ["trim", "convert-asc"])
@pytest.mark.parametrize("link", ["sym", "hard"])
def test_no_stat_and_no_walk_of_a_path_for_a_face(tmp_path, monkeypatch, run, verb, link):
    looks: Counter[str] = Counter()
    for name in ("stat", "lstat"):
        kept = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *a, _of=kept, _as=name, **k: (looks.update([_as]), _of(*a, **k))[1]
        )
    counts = {}
    for turn, faces in (("first, with its imports", 2), ("few", 2), ("many", 60)):
        source = made(tmp_path / turn, 2, faces)
        line = lines(source, tmp_path / f"to {turn}")[verb]
        looks.clear()
        assert run(*line, "--link", link).code == 0
        counts[turn] = dict(looks)
    assert counts["few"] == counts["many"]
    assert counts["few"]["lstat"] > 0


def test_a_crop_that_was_not_placed_is_found_out(tmp_path, dataset, monkeypatch):
    """The look-up is of what stands there, not of what was meant to.

    The crops at 0.44 (two tracks have one) are lost on the way: two black faces.
    """
    kept = os.link

    def lossy(source, destination, **places):
        if source != "0.44.jpg":
            kept(source, destination, **places)

    monkeypatch.setattr(os, "link", lossy)
    report = convert_asc(dataset, tmp_path / "asc", link="hard")
    assert report.black == 2
    assert report.findings == (
        "2 faces without a crop (black there): val/-maoolmiKi0:0/0.44.jpg, "
        "val/-maoolmiKi0:1/0.44.jpg",
    )


# ------------------------------------------------------------------------------ faces of a folder

spellings = st.one_of(
    st.integers(0, 3000).map(lambda cents: f"{Decimal(cents) / 100:.2f}.jpg"),
    st.integers(0, 300).map(lambda tenths: f"{Decimal(tenths) / 10}.jpg"),
    st.integers(0, 30).map(lambda whole: f"{whole}.JPG"),
    st.integers(0, 30_000).map(lambda thousandths: f"{Decimal(thousandths) / 1000:.3f}.jpg"),
    st.sampled_from(["notes.txt", "00.40.jpg", "._0.40.jpg", "1e1.jpg", "-1.00.jpg", "0.40.jpeg",
                     "12345678.00.jpg", "1.00.jpg ", "x.jpg", "99999999.99.jpg"]),
)  # fmt: skip


def slowly(folder: Path) -> list[tuple[str, str]]:
    """What `layout.faces` promises, file by file: (the name that we would write, the own name)."""
    found: dict[str, tuple[float, str]] = {}
    for path in folder.iterdir():
        if not re.fullmatch(r"[0-9.e]+\.jpe?g", path.name, re.IGNORECASE) or not path.is_file():
            continue
        seconds = float(path.name[: path.name.rindex(".")])
        name = f"{Decimal(seconds):.2f}.jpg"
        if name not in found or path.name == name:
            found[name] = (seconds, path.name)
    order = sorted(found, key=lambda name: found[name])
    return [(name, found[name][1]) for name in order]


@settings(max_examples=60)
@given(st.sets(spellings, max_size=12), st.sets(st.integers(0, 3000), max_size=4))
def test_a_listing_finds_what_a_look_at_each_file_finds(files, folders):
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for file in files:
            (root / file).touch()
        for cents in folders:  # a folder is no face, whatever its name
            path = root / f"{cents / 100:.2f}.jpg"
            if not path.exists():
                path.mkdir()
        found, expected = layout.faces(root), slowly(root)
    assert list(found.items()) == expected


def test_names_as_we_write_them_are_in_the_order_of_time(tmp_path):
    times = ["9.96", "10.00", "100.04", "99.96", "0.00", "0.04", "9.99", "1000.00"]
    for time in times:
        (tmp_path / f"{time}.jpg").touch()
    (tmp_path / "5.00.jpg").symlink_to("none")
    (tmp_path / "6.00.jpg").symlink_to("0.00.jpg")
    wanted = [f"{time}.jpg" for time in sorted([*times, "6.00"], key=float)]
    assert list(layout.faces(tmp_path).items()) == [(name, name) for name in wanted]


@pytest.mark.parametrize("name", ["0.40.jpg\n", "00.40.jpg", "0.4.jpg", "0.400.jpg", ".40.jpg"])
def test_a_name_that_only_resembles_ours_is_not_taken_for_it(tmp_path, name):
    (tmp_path / "0.36.jpg").touch()
    (tmp_path / name).touch()
    found = layout.faces(tmp_path)
    assert found.pop("0.36.jpg") == "0.36.jpg"
    assert found == ({} if name.endswith("\n") else {"0.40.jpg": name})


# ------------------------------------------------------------------------------ tracks of a folder

ids = st.text("ab:_", min_size=1, max_size=4)


@settings(max_examples=60)
@given(st.sets(ids, max_size=6), st.sets(ids, max_size=6), st.sets(ids, max_size=4),
       st.sampled_from(["", ".wav"]))  # fmt: skip
def test_many_tracks_are_found_as_each_alone_is(wanted, files, folders, suffix):
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for file in files:
            (root / f"{file}{suffix}").touch()
        for folder in folders - files:
            (root / f"{folder}{suffix}").mkdir()
        found = layout.find_entities(root, sorted(wanted), suffix, others=wanted)
        alone = {
            entity: layout.find_entity(root, entity, suffix, others=wanted) for entity in wanted
        }
    assert found == {entity: path.name for entity, path in alone.items() if path is not None}


def test_links_are_followed_to_what_they_are(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    targets = {"x:0": "folder", "x:1": "file", "x:2": "none", "x:3": "x:3"}
    for suffix in ("", ".wav"):
        for name, target in targets.items():
            (tmp_path / f"{name}{suffix}").symlink_to(target + suffix * (name == "x:3"))
    entities = ["x:0", "x:1", "x:2", "x:3", "x:4"]
    assert layout.find_entities(tmp_path, entities) == {"x:0": "x:0"}
    assert layout.find_entities(tmp_path, entities, ".wav") == {"x:1": "x:1.wav"}
    assert layout.find_entities(tmp_path / "none", entities) == {}
    assert layout.find_entities(tmp_path / "file", entities) == {}
    with pytest.raises(unitalk.DataError, match="cannot name a file"):
        layout.find_entities(tmp_path, ["../x"])


@pytest.mark.parametrize("link", LINKS)
def test_two_tracks_whose_colons_became_the_same_underscores_both_get_the_files(tmp_path, link):
    """On a disk without `:` both `a:b_c` and `a_b:c` are `a_b_c`; neither may go without."""
    source = make_dataset(
        tmp_path / "d",
        {"v": [Tracks("a:b_c", ["0.4"], [1]), Tracks("a_b:c", ["0.4"], [0])]},
    )
    for kind, suffix in (("clips_videos", ""), ("clips_audios", ".wav")):
        folder = source / kind / "val/v"
        (folder / f"a:b_c{suffix}").rename(folder / f"a_b_c{suffix}")
        shutil.rmtree(folder / "a_b:c") if not suffix else (folder / "a_b:c.wav").unlink()
    report = convert_asc(source, tmp_path / "asc", link=link)
    assert (report.black, report.silent) == (0, 0)
    assert sorted(os.listdir(tmp_path / "asc/clips_audios/val")) == ["a:b_c.wav", "a_b:c.wav"]
    assert sorted(os.listdir(tmp_path / "asc/clips_videos/val")) == ["a:b_c", "a_b:c"]


# ------------------------------------------------------------------------------ placing


@pytest.fixture
def linked(tmp_path):
    """A folder that is reached by a link, with links in it: to a file, and to a folder elsewhere.

    ::

        real/video/0.00.jpg                 a
        real/video/0.04.jpg                 -> ../far/b
        real/video/inner/0.08.jpg           c
        real/video/other                    -> ../far
        real/far/b                          b
        alias                               -> real
    """
    (tmp_path / "real/video/inner").mkdir(parents=True)
    (tmp_path / "real/far").mkdir()
    (tmp_path / "real/video/0.00.jpg").write_bytes(b"a")
    (tmp_path / "real/far/b").write_bytes(b"b")
    (tmp_path / "real/video/inner/0.08.jpg").write_bytes(b"c")
    (tmp_path / "real/video/0.04.jpg").symlink_to("../far/b")
    (tmp_path / "real/video/other").symlink_to("../far")
    (tmp_path / "alias").symlink_to("real")
    return tmp_path / "alias/video"


@pytest.mark.parametrize("link", ["hard", "auto", "copy"])
def test_a_tree_with_links_in_it_is_placed_as_what_they_lead_to(tmp_path, linked, link):
    placer = Placer(link)
    placer.tree(linked, tmp_path / "new")
    assert tree(tmp_path / "new") == {
        "0.00.jpg": b"a", "0.04.jpg": b"b", "inner/0.08.jpg": b"c", "other/b": b"b",
    }  # fmt: skip
    assert not any(path.is_symlink() for path in (tmp_path / "new").rglob("*"))
    assert sum(placer.placed.values()) == 4
    # Four names of hard links, two of them of the one file far/b.
    assert os.stat(tmp_path / "real/far/b").st_nlink == (1 if link == "copy" else 3)


def test_files_go_into_a_folder_that_is_there_beside_what_it_has(tmp_path, linked):
    for link in LINKS:
        to = tmp_path / f"to-{link}"
        to.mkdir()
        (to / "mine").write_bytes(b"mine")
        placer = Placer(link)
        placer.into(linked, to, [("0.00.jpg", "x"), ("0.04.jpg", "y"), ("0.04.jpg", "z")])
        assert tree(to) == {"mine": b"mine", "x": b"a", "y": b"b", "z": b"b"}
        assert sum(placer.placed.values()) == 3
        with pytest.raises(FileExistsError):
            Placer("sym" if link == "sym" else "hard").into(linked, to, [("0.00.jpg", "x")])
    # Symbolic links lead to the files themselves: past the alias, and past the link to far/b.
    assert os.readlink(tmp_path / "to-sym/x") == str(tmp_path / "real/video/0.00.jpg")
    assert os.readlink(tmp_path / "to-sym/y") == str(tmp_path / "real/far/b")


def test_a_folder_says_whether_it_became_one_link(tmp_path, linked):
    names = {"0.00.jpg": "0.00.jpg", "0.04.jpg": "0.04.jpg"}
    assert Placer("sym").files(linked, tmp_path / "one", names) is True
    assert os.readlink(tmp_path / "one") == str(tmp_path / "real/video")
    assert Placer("sym").files(linked, tmp_path / "two", {"0.00.jpg": "0.0.jpg"}) is False
    assert Placer("hard").files(linked, tmp_path / "three", names) is False
    assert Placer("sym").files(linked / "other", tmp_path / "four", {"b": "b"}) is True
    assert os.readlink(tmp_path / "four") == str(tmp_path / "real/far")


@pytest.mark.parametrize("spelled", ["alias/video/", "alias/video/inner/..", "alias/./video"])
def test_a_folder_however_it_is_spelled_is_linked_by_its_real_path(tmp_path, linked, spelled):
    Placer("sym").files(f"{tmp_path}/{spelled}", tmp_path / "new", {})
    assert os.readlink(tmp_path / "new") == str(tmp_path / "real/video")


def test_a_source_named_from_the_current_folder(tmp_path, linked, monkeypatch):
    monkeypatch.chdir(linked)
    for number, spelled in enumerate((".", "inner/..", "../video")):
        Placer("sym").files(spelled, tmp_path / f"new{number}", {})
        assert os.readlink(tmp_path / f"new{number}") == str(tmp_path / "real/video")


# ------------------------------------------------------------------------------ rows


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=20),
       st.data())  # fmt: skip
def test_texts_become_a_column(texts, data):
    assert schema.text_column(texts).to_pylist() == texts
    places = data.draw(st.lists(st.integers(0, len(texts) - 1)) if texts else st.just([]))
    column = schema.text_column(texts, np.array(places, np.int32))
    assert column.to_pylist() == [texts[place] for place in places]


def long_csv(root: Path, videos: list[tuple[str, int]]) -> list[str]:
    """Write rows of videos one after the other, several of Arrow's blocks (1 MiB) of them."""
    rows = [
        face(video, f"{number / 25}", f"{video}:{number % 3}", number % 2)
        for video, count in videos
        for number in range(count)
    ]
    write_csv(root / "csv/val_orig.csv", rows)
    return (root / "csv/val_orig.csv").read_text().splitlines()


@pytest.mark.parametrize("wanted", [["a"], ["b"], ["c"], ["a", "c"], ["d"], ["a", "b", "c", "d"]])
def test_rows_of_blocks_kept_whole_in_part_and_not_at_all(tmp_path, wanted):
    """53 bytes a row: a's 40,000 rows fill two blocks of a MiB and begin a third, b's end in it."""
    before = long_csv(tmp_path / "d", [("a", 40_000), ("b", 10), ("c", 30_000), ("d", 1)])
    assert (tmp_path / "d/csv/val_orig.csv").stat().st_size > 3 << 20
    report = trim_dataset(tmp_path / "d", tmp_path / "new", videos=wanted)
    kept = [row for row in before[1:] if row.split(",")[0] in wanted]
    assert (tmp_path / "new/csv/val_orig.csv").read_text().splitlines() == [before[0], *kept]
    assert report.rows == len(kept)


def test_only_what_names_are_made_of_is_read_when_no_more_is_wanted(dataset):
    path = dataset / "csv/val_orig.csv"
    head, batches = schema.read_text(path, only_keys=True)
    (batch,) = batches
    assert batch.schema.names == [schema.VIDEO, schema.TIME, schema.ENTITY]
    cells = [line.split(",") for line in path.read_text().splitlines()[1:]]
    assert batch[schema.TIME].to_pylist() == [row[1] for row in cells]
    assert batch[schema.ENTITY].to_pylist() == [row[7] for row in cells]
    assert head.columns == schema.COLUMNS


# ------------------------------------------------------------------------------ the look-up


def test_missing_faces_are_shown_in_the_order_of_the_rows(tmp_path):
    """Two tracks by turns; all crops of one are gone, and one of the other's.

    ::

        row    1         2         3         4         5         6
        face   a 0.00    b 0.00    a 0.04    b 0.04    a 0.08    b 0.08
        crop   gone      there     gone      gone      gone      there
    """
    rows = [face("v", time, entity, 0) for time in ("0.0", "0.04", "0.08")
            for entity in ("v:a", "v:b")]  # fmt: skip
    write_csv(tmp_path / "d/csv/val_orig.csv", rows)
    for time in ("0.00", "0.08"):
        path = tmp_path / f"d/clips_videos/val/v/v:b/{time}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for entity in ("v:a", "v:b"):
        write_wav(tmp_path / f"d/clips_audios/val/v/{entity}.wav", 0.1)
    for link in LINKS:
        report = convert_asc(tmp_path / "d", tmp_path / link, link=link)
        assert report.black == 4
        assert report.findings == (
            "4 faces without a crop (black there): val/v:a/0.00.jpg, val/v:a/0.04.jpg, "
            "val/v:b/0.04.jpg, val/v:a/0.08.jpg",
        )


def test_a_track_that_comes_again_in_later_blocks(tmp_path):
    """Faces of x at 0, 10 and 20 s stand before, between and after 20,000 rows of others.

    The sound of x is 15 s long: enough for the first two, too short for all three. The first row
    of y is at 5 s and one before it, at 0 s, comes later: as the loader counts, y lasts from 5 to
    7 s, and 3 s of sound are enough.
    """
    others = [face("v", f"{n / 25}", "v:o", 0) for n in range(20_000)]
    rows = [face("v", "0.0", "v:x", 0), face("v", "5.0", "v:y", 0), *others,
            face("v", "10.0", "v:x", 0), face("v", "0.0", "v:y", 0), *others,
            face("v", "20.0", "v:x", 0), face("v", "7.0", "v:y", 0)]  # fmt: skip
    write_csv(tmp_path / "d/csv/val_orig.csv", rows)
    for entity, times in (("v:x", (0, 10, 20)), ("v:y", (0, 5, 7))):
        for time in times:
            path = tmp_path / f"d/clips_videos/val/v/{entity}/{time}.00.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    write_wav(tmp_path / "d/clips_audios/val/v/v:x.wav", 15)
    write_wav(tmp_path / "d/clips_audios/val/v/v:y.wav", 3)
    report = convert_asc(tmp_path / "d", tmp_path / "asc")
    assert (report.rows, report.tracks) == (40_006, 3)
    assert (report.black, report.silent, report.short) == (40_000, 1, 1)
    assert report.findings[2] == (
        "1 tracks whose sound ends too early: val/v:x.wav (15.00 s for 20.00 s of faces)"
    )


# ------------------------------------------------------------------------------ lengths of sounds


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
        for name, content in chunks
    )
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def form(coding: int = 1, channels: int = 1, rate: int = 16000, bits: int = 16) -> bytes:
    frame = channels * ((bits + 7) // 8)
    return struct.pack("<HHIIHH", coding, channels, rate, rate * frame, frame, bits)


@given(st.integers(1, 3), st.sampled_from([8, 12, 16, 24, 32]), st.sampled_from([8000, 44100]),
       st.integers(0, 50))  # fmt: skip
def test_a_sound_has_as_many_seconds_as_its_frames_take(channels, bits, rate, frames):
    width = -(-bits // 8)
    sound = riff((b"fmt ", form(1, channels, rate, bits)),
                 (b"data", bytes(frames * channels * width)))  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.wav")
        path.write_bytes(sound)
        assert seconds_of_wav(str(path)) == frames / rate


@pytest.mark.parametrize(
    ("what", "sound", "seconds"),
    [
        ("a chunk before the sound", riff((b"fmt ", form()), (b"LIST", b"abc"),
                                          (b"data", bytes(3200))), 0.1),
        ("a longer format", riff((b"fmt ", form() + b"\0\0"), (b"data", bytes(3200))), 0.1),
        ("a chunk before the format", riff((b"bext", bytes(8)), (b"fmt ", form()),
                                           (b"data", bytes(3200))), 0.1),
        ("a chunk after the sound", riff((b"fmt ", form()), (b"data", bytes(3200)),
                                         (b"LIST", bytes(40))), 0.1),
        ("floating point", riff((b"fmt ", form(3, bits=32)), (b"data", bytes(6400))), None),
        ("no channel", riff((b"fmt ", form(channels=0)), (b"data", bytes(3200))), None),
        ("no bits", riff((b"fmt ", form(bits=0)), (b"data", bytes(3200))), None),
        ("no rate", riff((b"fmt ", form(rate=0)), (b"data", bytes(3200))), None),
        ("no sound", riff((b"fmt ", form())), None),
        ("the sound before its format", riff((b"data", bytes(3200)), (b"fmt ", form())), None),
        ("cut", riff((b"fmt ", form()), (b"data", bytes(3200)))[:30], None),
        ("another form", b"RIFX" + riff((b"fmt ", form()), (b"data", bytes(32)))[4:], None),
        ("empty", b"", None),
        ("text", b"not a sound at all, but more than forty-four bytes of text", None),
    ],
)  # fmt: skip
def test_wavs_of_other_forms(tmp_path, what, sound, seconds):
    """As Python's own reader takes them, which is asked here too, where it has an answer."""
    del what
    path = tmp_path / "a.wav"
    path.write_bytes(sound)
    assert seconds_of_wav(str(path)) == seconds
    if seconds is not None:
        with wave.open(str(path), "rb") as again:
            assert again.getnframes() / again.getframerate() == seconds
    assert seconds_of_wav(str(tmp_path / "none.wav")) is None
    assert seconds_of_wav(str(tmp_path)) is None

"""Trim and convert-asc look at folders, not at files; and find what looking at files would find."""

from __future__ import annotations

import os
import re
import struct
import tempfile
import wave
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from build import Track, face, make_dataset, write_csv, write_wav
from hypothesis import given, settings
from hypothesis import strategies as st

from unitalk import convert_asc, layout, trim_dataset
from unitalk.formats.loaders import seconds_of_wav


def made(root: Path, tracks: int, faces: int) -> Path:
    """Two videos with tracks of as many faces each, 25 a second."""
    times = [f"{number / 25}" for number in range(faces)]
    return make_dataset(
        root,
        {
            video: [Track(f"{video}:{track}", times, [0] * faces) for track in range(tracks)]
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


# ------------------------------------------------------------------------------ how often it looks


@pytest.mark.parametrize(("verb", "link"), [("trim", "hard"), ("convert-asc", "sym")])
def test_what_is_done_once_a_folder_is_not_done_once_a_face(tmp_path, monkeypatch, run, verb, link):
    """Two videos of 2 tracks, with 2 faces each and with 60: only hard links are one a face."""
    looks: Counter[str] = Counter()
    for name in ("stat", "lstat", "scandir", "listdir", "mkdir", "symlink", "link"):
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
    few, many = (Counter(counts[name]) for name in ("few", "many"))
    assert few["lstat"] > 0
    if link == "hard":  # and the 4 sounds
        assert (few.pop("link"), many.pop("link")) == (8 + 4, 240 + 4)
    assert few == many


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


# ------------------------------------------------------------------------------ rows


def long_csv(root: Path, videos: list[tuple[str, int]]) -> list[str]:
    """Write rows of videos one after the other, several of Arrow's blocks (1 MiB) of them."""
    rows = [
        face(video, f"{number / 25}", f"{video}:{number % 3}", number % 2)
        for video, count in videos
        for number in range(count)
    ]
    write_csv(root / "csv/val_orig.csv", rows)
    return (root / "csv/val_orig.csv").read_text().splitlines()


@pytest.mark.parametrize("wanted", [["b"], ["a", "c"]])
def test_rows_of_blocks_kept_whole_in_part_and_not_at_all(tmp_path, wanted):
    """53 bytes a row: a's 40,000 rows fill two blocks of a MiB and begin a third, b's end in it."""
    before = long_csv(tmp_path / "d", [("a", 40_000), ("b", 10), ("c", 30_000), ("d", 1)])
    assert (tmp_path / "d/csv/val_orig.csv").stat().st_size > 3 << 20
    report = trim_dataset(tmp_path / "d", tmp_path / "new", videos=wanted)
    kept = [row for row in before[1:] if row.split(",")[0] in wanted]
    assert (tmp_path / "new/csv/val_orig.csv").read_text().splitlines() == [before[0], *kept]
    assert report.rows == len(kept)


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


@pytest.mark.parametrize(
    ("sound", "seconds"),
    [
        (riff((b"bext", bytes(8)), (b"fmt ", form() + b"\0\0"), (b"LIST", b"abc"),
              (b"data", bytes(3200)), (b"LIST", bytes(40))), 0.1),
        (riff((b"fmt ", form(1, 2, 8000, 24)), (b"data", bytes(480))), 0.01),
        (riff((b"fmt ", form(3, bits=32)), (b"data", bytes(6400))), None),  # floating point
        (riff((b"fmt ", form(channels=0)), (b"data", bytes(3200))), None),
        (riff((b"fmt ", form(rate=0)), (b"data", bytes(3200))), None),
        (riff((b"data", bytes(3200)), (b"fmt ", form())), None),
        (riff((b"fmt ", form()), (b"data", bytes(3200)))[:30], None),
        (b"not a sound at all, but more than forty-four bytes of text", None),
    ],
)  # fmt: skip
def test_wavs_of_other_forms(tmp_path, sound, seconds):
    """As Python's own reader takes them, which is asked here too, where it has an answer."""
    path = tmp_path / "a.wav"
    path.write_bytes(sound)
    assert seconds_of_wav(str(path)) == seconds
    if seconds is not None:
        with wave.open(str(path), "rb") as again:
            assert again.getnframes() / again.getframerate() == seconds
    assert seconds_of_wav(str(tmp_path / "none.wav")) is None
    assert seconds_of_wav(str(tmp_path)) is None

"""Where videos and rows are looked for."""

from __future__ import annotations

import os

import numpy as np
import pytest

pytest.importorskip("av", reason='pip install "unitalk[video]"')

from build import HEADER, Track, make_dataset
from video_files import write_lines

from unitalk.dataset.crop import find_csvs
from unitalk.dataset.crop.video_files import find_videos, near_misses
from unitalk.dataset.crop.wanted_faces import SplitRows, copy_csv
from unitalk.errors import DataError, LayoutError, UsageError


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_video_is_found_whatever_its_ending(tmp_path):
    touch(tmp_path, "a.mp4", "-b.MKV", "c.d.webm", "e.xyz", "trainval/f.avi", "test/g.mpg",
          "train/h.mov", "val/i.ts")  # fmt: skip
    wanted = ["a", "-b", "c.d", "e", "f", "g", "h", "i", "nobody"]
    found = find_videos(tmp_path, wanted)
    assert {video: path.name for video, path in found.items()} == {
        "a": "a.mp4", "-b": "-b.MKV", "c.d": "c.d.webm", "e": "e.xyz", "f": "f.avi", "g": "g.mpg",
        "h": "h.mov", "i": "i.ts",
    }  # fmt: skip


def test_what_stands_beside_a_video_is_none(tmp_path):
    touch(tmp_path, "a.mp4", "a.json", "a.srt", "a.wav", "a.mp4.part", "a.odd", "a", ".a.mp4",
          "b.jpg", "other/c.mp4", "aa.mp4", "A.mp4")  # fmt: skip
    (tmp_path / "d.mp4").mkdir()
    assert find_videos(tmp_path, ["a", "b", "c", "d"]) == {"a": tmp_path / "a.mp4"}


def test_two_files_for_one_video_are_an_error_that_names_both(tmp_path):
    touch(tmp_path, "a.mp4", "a.mkv", "b.webm", "test/b.webm", "c.mp4")
    with pytest.raises(DataError) as raised:
        find_videos(tmp_path, ["a", "b", "c"])
    assert "2 videos have more than one file" in raised.value.message
    for name in ("a.mkv", "a.mp4", "b.webm", "test/b.webm"):
        assert str(tmp_path / name) in raised.value.message
    assert find_videos(tmp_path, ["c"]) == {"c": tmp_path / "c.mp4"}


def test_a_name_is_looked_up_whatever_its_letters_are_made_of(tmp_path):
    nfc, nfd = "M\u00fcller_1", "Mu\u0308ller_1"
    touch(tmp_path, f"{nfd}.mp4", "val/\u00c5se.mkv")
    assert find_videos(tmp_path, [nfc, "A\u030ase"]) == {
        nfc: tmp_path / f"{nfd}.mp4", "A\u030ase": tmp_path / "val/\u00c5se.mkv",
    }  # fmt: skip
    touch(tmp_path, f"{nfc}.mp4")  # the id as it stands comes first
    assert find_videos(tmp_path, [nfc]) == {nfc: tmp_path / f"{nfc}.mp4"}
    assert find_videos(tmp_path, [nfc, nfd])[nfd] == tmp_path / f"{nfd}.mp4"


def test_what_is_there_of_almost_the_same_name_is_named(tmp_path):
    touch(tmp_path, "CLIP.MP4", "val/noend", "\u0441at.mkv", "good.mp4", "cl.wav", "odd.txt")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "train/plain").mkdir(parents=True)
    (tmp_path / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    os.mkfifo(tmp_path / "pipe.mkv")
    missing = ["clip", "noend", "cat", "folder", "plain", "gone", "pipe", "cl", "odd", "other"]
    assert find_videos(tmp_path, missing) == {}
    assert near_misses(tmp_path, missing) == {
        "clip": "CLIP.MP4 differs in its letters, or in upper and lower case",
        "noend": "noend has no ending such as .mp4",
        "cat": "\\u0441at.mkv differs in its letters, or in upper and lower case",
        "folder": "folder.mp4 is a folder",
        "plain": "plain is a folder",
        "gone": "gone.mp4 is a link to nothing",
        "pipe": "pipe.mkv is not a regular file",
    }


# ------------------------------------------------------------------------------ rows


def test_rows_are_found_in_a_dataset_a_folder_or_a_file(tmp_path):
    write_lines(tmp_path / "set/csv/val_orig.csv", [])
    write_lines(tmp_path / "set/csv/train_orig.csv", [])
    write_lines(tmp_path / "flat/val_orig.csv", [])
    dataset = tmp_path / "set"
    both = {"train": dataset / "csv/train_orig.csv", "val": dataset / "csv/val_orig.csv"}
    assert find_csvs(dataset) == both
    assert find_csvs(dataset, ("val",)) == {"val": both["val"]}
    assert find_csvs(tmp_path / "flat") == {"val": tmp_path / "flat/val_orig.csv"}
    assert find_csvs(both["train"]) == {"train": both["train"]}
    write_lines(tmp_path / "mine.csv", [])
    assert find_csvs(tmp_path / "mine.csv", ("val",)) == {"val": tmp_path / "mine.csv"}
    with pytest.raises(UsageError, match="which split the rows of .*mine.csv are of"):
        find_csvs(tmp_path / "mine.csv")
    with pytest.raises(UsageError, match="does not exist"):
        find_csvs(tmp_path / "none.csv")
    with pytest.raises(LayoutError, match="lacks csv/test_orig.csv"):
        find_csvs(dataset, ("test",))


@pytest.mark.parametrize(
    ("names", "split", "right"),
    [
        (["x_val.csv"], "train", False),
        (["x_val.csv"], "val", True),
        (["x_train_val.csv"], "val", True),
        (["bundle/a_train.csv", "bundle/a_val.csv"], "val", False),
        (["bundle/a_val.csv", "bundle/b.csv"], "val", True),
        (["val/my_test_video.csv", "val/b.csv"], "val", True),
        (["trainval.csv"], "test", True),
    ],
)
def test_a_split_that_names_contradict_is_refused(tmp_path, names, split, right):
    for name in names:
        write_lines(tmp_path / name, [])
    source = tmp_path / names[0].split("/")[0]
    if right:
        assert find_csvs(source, (split,)) == {split: source}
        return
    with pytest.raises(UsageError, match=f"and not of {split} alone"):
        find_csvs(source, (split,))


def test_the_rows_of_a_video_are_its_tracks_in_the_order_of_time(tmp_path):
    root = make_dataset(
        tmp_path / "set",
        {
            "a": [Track("a:0", ["0.4", "0.44"], [0, 1]), Track("a:1", ["0.08"], [0])],
            "b": [Track("b:0", ["1.0", "1.04"], [1, 1])],
        },
    )
    csv = root / "csv/val_orig.csv"
    head, *lines = csv.read_text().splitlines()
    csv.write_text("\n".join([head, *reversed(lines)]) + "\n")
    rows = SplitRows.read(csv, "val", ())
    assert rows.counts() == {"videos": 2, "tracks": 3, "faces": 5}
    assert list(rows.tracks) == ["b", "a"]
    own = rows.of("a")
    assert own.entities == ("a:1", "a:0")
    assert own.starts.tolist() == [0, 1, 3]
    assert own.seconds.tolist() == [0.08, 0.4, 0.44]
    assert own.boxes.tolist() == [[0.1, 0.2, 0.3, 0.45]] * 3
    assert [own.track_of(row) for row in range(3)] == [0, 1, 1]
    assert own.name([2, 0]) == ["a:1 at 0.08 s", "a:0 at 0.44 s"]
    assert SplitRows.read(csv, "val", ("b",)).counts()["faces"] == 2
    # Whatever decides a pixel decides the digest.
    moved = own._replace(boxes=own.boxes + 1e-9)
    later = own._replace(seconds=own.seconds + np.array([0, 0, 0.04]))
    named = own._replace(entities=("a:1", "a:2"))
    assert len({one.digest() for one in (own, moved, later, named)}) == 4


def test_a_csv_keeps_its_cells(tmp_path):
    """And ASW's eleventh column; a header, and the ten columns, where they were not."""
    text = (
        f"{HEADER},eval\n"
        "a,0.400,0.10,0.2,0.3,0.4500,SPEAKING_AUDIBLE,a:0,1,a:0:0,1\n"
        "b,1,0.1,0.2,0.3,0.45,NOT_SPEAKING,b:0,0,b:0:0,0\n"
    )
    (tmp_path / "in.csv").write_text(text)
    copy_csv(tmp_path / "in.csv", tmp_path / "all.csv", ())
    assert (tmp_path / "all.csv").read_text() == text
    copy_csv(tmp_path / "in.csv", tmp_path / "one.csv", ("b",))
    assert (tmp_path / "one.csv").read_text().splitlines() == [
        f"{HEADER},eval", "b,1,0.1,0.2,0.3,0.45,NOT_SPEAKING,b:0,0,b:0:0,0",
    ]  # fmt: skip
    (tmp_path / "bare.csv").write_text("a,0.4,0.1,0.2,0.3,0.45,,a:0\n")
    copy_csv(tmp_path / "bare.csv", tmp_path / "headed.csv", ())
    headed = f"{HEADER}\na,0.4,0.1,0.2,0.3,0.45,,a:0,,a:0:0\n"
    assert (tmp_path / "headed.csv").read_text() == headed

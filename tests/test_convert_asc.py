"""The flat layout, read back the way ASC's and ASDNet's loader reads it."""

from __future__ import annotations

import csv

import pytest
from build import Track, make_dataset
from loaders import asc as load

from unitalk import convert_asc


@pytest.mark.parametrize("link", ["auto", "hard", "sym", "copy"])
def test_the_loader_finds_every_face_and_every_sound(tmp_path, dataset, link):
    """The csv says 0.4, 1.0, 12 and 900.2; the files say 0.40, 1.00, 12.00 and 900.20."""
    report = convert_asc(dataset, tmp_path / "asc", link=link)
    seen, heard = load(tmp_path / "asc")
    times = {"0.36": "0.36", "0.4": "0.40", "0.44": "0.44", "0.96": "0.96", "1.0": "1.00",
             "1.04": "1.04", "12": "12.00", "12.04": "12.04", "900.2": "900.20"}  # fmt: skip
    with (dataset / "csv/val_orig.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    # make_dataset wrote into each crop which one it is.
    assert seen == [
        (row[0], row[7], int(row[8]), f"{row[0]} {row[7]} {times[row[1]]}.jpg".encode())
        for row in rows
    ]
    assert set(heard) == {row[7] for row in rows}
    assert "silent" not in heard.values()
    assert (report.rows, report.tracks, report.videos) == (11, 5, 3)
    assert (report.black, report.silent, report.short) == (0, 0, 0)
    assert report.sound
    way = {"auto": "hard"}.get(link, link)
    # 11 crops and 5 sounds, or a link a track and a link a sound.
    assert report.files == {way: 10 if link == "sym" else 16}


def test_face_files_of_any_spelling_are_found_and_renamed(tmp_path):
    source = make_dataset(
        tmp_path / "d",
        {
            "v": [
                Track(
                    "v:0", ["0.4", "0.440", "12"], [0, 1, 1], ["0.4.jpg", "0.4400.jpg", "12.jpg"]
                ),
                Track("v:1", ["0.033367", "0.066733"], [0, 1], ["0.03.jpg", "0.07.jpg"]),
            ]
        },
    )
    for link in ("hard", "sym"):
        report = convert_asc(source, tmp_path / link, link=link)
        seen, _ = load(tmp_path / link)
        assert [face[3] for face in seen] == [
            b"v v:0 0.4.jpg", b"v v:0 0.4400.jpg", b"v v:0 12.jpg",
            b"v v:1 0.03.jpg", b"v v:1 0.07.jpg",
        ]  # fmt: skip
        assert report.sound


def test_ground_truth_of_each_video_under_both_names(tmp_path, dataset):
    """Eight columns without a header, the entity last: ASC's post-processing reads row[-1]."""
    convert_asc(dataset, tmp_path / "asc")
    plain, scripted = tmp_path / "asc/gt", tmp_path / "asc/csv/val"
    assert {path.name for path in plain.iterdir()} == {
        "-maoolmiKi0.csv", "EEey6Pt0rqI.csv", "9Zja_cIAwY8.csv",
    }  # fmt: skip
    # core/util.py takes every file of the folder for a video and cuts 18 characters off its name.
    assert {path.name[:-18] for path in scripted.iterdir()} == {
        "-maoolmiKi0", "EEey6Pt0rqI", "9Zja_cIAwY8",
    }  # fmt: skip
    for path in plain.iterdir():
        again = scripted / f"{path.stem}-activespeaker.csv"
        assert again.read_bytes() == path.read_bytes()
    with (plain / "9Zja_cIAwY8.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert [(row[1], row[-1], len(row)) for row in rows] == [
        ("12.00", "9Zja_cIAwY8:0", 8),
        ("12.04", "9Zja_cIAwY8:0", 8),
        ("900.20", "9Zja_cIAwY8:1", 8),
    ]


def test_what_the_csv_says_beyond_the_time_is_carried_as_it_is(tmp_path, dataset):
    convert_asc(dataset, tmp_path / "asc")
    old = (dataset / "csv/val_orig.csv").read_text().splitlines()
    new = (tmp_path / "asc/csv/val_orig.csv").read_text().splitlines()
    assert new[0] == old[0]
    for before, after in zip(old[1:], new[1:], strict=True):
        was, is_ = before.split(","), after.split(",")
        assert float(is_.pop(1)) == float(was.pop(1))
        assert is_ == was


# ------------------------------------------------------------------------------ what is missing


def test_a_wav_that_does_not_open_is_silence_to_the_loader(tmp_path, dataset):
    path = dataset / "clips_audios/val/EEey6Pt0rqI/EEey6Pt0rqI:0.wav"
    path.write_bytes(b"RIFF")
    assert convert_asc(dataset, tmp_path / "asc").silent == 1


def test_a_sound_one_frame_shorter_than_its_faces_is_as_ava_cuts_it(tmp_path):
    """TalkNet's preparation cuts from the first time to the last: 640 * (N - 1) samples."""
    source = make_dataset(
        tmp_path / "d", {"v": [Track("v:0", ["1.0", "1.04", "1.08"], [0, 1, 1], None, 0.08)]}
    )
    assert convert_asc(source, tmp_path / "asc").sound


# ------------------------------------------------------------------------------ refusals


def test_the_same_name_in_two_splits_is_no_clash(tmp_path):
    for split in ("train", "val"):
        make_dataset(tmp_path / "d", {f"{split}1": [Track("x:0", ["0.0"], [1])]}, split=split)
    report = convert_asc(tmp_path / "d", tmp_path / "asc")
    assert (report.splits, report.rows, report.sound) == (("train", "val"), 2, True)
    only = convert_asc(tmp_path / "d", tmp_path / "asc2", splits=("val",))
    assert only.rows == 1
    assert not (tmp_path / "asc2/csv/train_orig.csv").exists()

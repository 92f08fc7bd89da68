"""The flat layout, read back the way ASC's and ASDNet's loader reads it."""

from __future__ import annotations

import csv
import json
import wave

import pytest
from conftest import Tracks, make_dataset, tree, write_csv
from loaders import asc as load

import unitalk
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


def test_a_loader_of_the_untouched_csv_would_see_black(dataset, tmp_path):
    """What the conversion is for: with the source's text, 5 of these 11 faces are not found."""
    convert_asc(dataset, tmp_path / "asc")
    (tmp_path / "asc/csv/val_orig.csv").write_bytes((dataset / "csv/val_orig.csv").read_bytes())
    seen, _ = load(tmp_path / "asc")
    assert sum(face[3] == "black" for face in seen) == 5


def test_face_files_of_any_spelling_are_found_and_renamed(tmp_path):
    source = make_dataset(
        tmp_path / "d",
        {
            "v": [
                Tracks(
                    "v:0", ["0.4", "0.440", "12"], [0, 1, 1], ["0.4.jpg", "0.4400.jpg", "12.jpg"]
                ),
                Tracks("v:1", ["0.033367", "0.066733"], [0, 1], ["0.03.jpg", "0.07.jpg"]),
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


def test_extra_columns_do_not_push_the_last_three_away(tmp_path, dataset):
    path = dataset / "csv/val_orig.csv"
    lines = path.read_text().splitlines()
    path.write_text("".join(f"{line},{'x' if i else 'remark'}\n" for i, line in enumerate(lines)))
    convert_asc(dataset, tmp_path / "asc")
    assert "black" not in [face[3] for face in load(tmp_path / "asc")[0]]


# ------------------------------------------------------------------------------ what is missing


def test_everything_that_a_loader_would_not_find_is_listed(run, tmp_path, dataset):
    videos = dataset / "clips_videos/val"
    (videos / "EEey6Pt0rqI/EEey6Pt0rqI:0/1.00.jpg").unlink()
    (videos / "9Zja_cIAwY8/9Zja_cIAwY8:1/900.20.jpg").unlink()
    (videos / "9Zja_cIAwY8/9Zja_cIAwY8:1").rmdir()
    (dataset / "clips_audios/val/-maoolmiKi0/-maoolmiKi0:1.wav").unlink()
    with wave.open(str(dataset / "clips_audios/val/EEey6Pt0rqI/EEey6Pt0rqI:0.wav"), "wb") as sound:
        sound.setnchannels(1), sound.setsampwidth(2), sound.setframerate(16000)
        sound.writeframes(bytes(2 * 160))  # 0.01 s for faces from 0.96 to 1.04
    ran = run("convert-asc", "--source", dataset, "--destination", tmp_path / "asc",
              "--format", "json")  # fmt: skip
    found = json.loads(ran.stdout)
    assert ran.code == 3
    assert (found["black"], found["silent"], found["short"]) == (2, 1, 1)
    assert found["findings"] == [
        "2 faces without a crop (black there): val/EEey6Pt0rqI:0/1.00.jpg, "
        "val/9Zja_cIAwY8:1/900.20.jpg",
        "1 tracks without sound (silent there): val/-maoolmiKi0:1.wav",
        "1 tracks whose sound ends too early: val/EEey6Pt0rqI:0.wav (0.01 s for 0.08 s of faces)",
    ]
    text = run("convert-asc", "--source", dataset, "--destination", tmp_path / "asc2")
    assert text.code == 3
    assert "wrong: 2 faces without a crop" in text.stdout


def test_a_wav_that_does_not_open_is_silence_to_the_loader(tmp_path, dataset):
    path = dataset / "clips_audios/val/EEey6Pt0rqI/EEey6Pt0rqI:0.wav"
    path.write_bytes(b"RIFF")
    assert convert_asc(dataset, tmp_path / "asc").silent == 1


def test_a_sound_one_frame_shorter_than_its_faces_is_as_ava_cuts_it(tmp_path):
    """TalkNet's preparation cuts from the first time to the last: 640 * (N - 1) samples."""
    source = make_dataset(
        tmp_path / "d", {"v": [Tracks("v:0", ["1.0", "1.04", "1.08"], [0, 1, 1], None, 0.08)]}
    )
    assert convert_asc(source, tmp_path / "asc").sound


# ------------------------------------------------------------------------------ refusals


def test_tracks_of_one_name_in_two_videos_cannot_overwrite_each_other(run, tmp_path):
    source = make_dataset(
        tmp_path / "d",
        {"one": [Tracks("x:0", ["0.0"], [1])], "two": [Tracks("x:0", ["0.04"], [0])]},
    )
    ran = run("convert-asc", "--source", source, "--destination", tmp_path / "asc")
    assert ran.code == 3
    assert "the videos one and two both have a track 'x:0'" in ran.stderr
    assert not (tmp_path / "asc").exists()


def test_the_same_name_in_two_splits_is_no_clash(tmp_path):
    for split in ("train", "val"):
        make_dataset(tmp_path / "d", {f"{split}1": [Tracks("x:0", ["0.0"], [1])]}, split=split)
    report = convert_asc(tmp_path / "d", tmp_path / "asc")
    assert (report.splits, report.rows, report.sound) == (("train", "val"), 2, True)
    only = convert_asc(tmp_path / "d", tmp_path / "asc2", splits=("val",))
    assert only.rows == 1
    assert not (tmp_path / "asc2/csv/train_orig.csv").exists()


def test_avas_eight_columns_are_not_enough(tmp_path):
    source = make_dataset(tmp_path / "d", {"v": [Tracks("v:0", ["0.0"], [1])]})
    path = source / "csv/val_orig.csv"
    rows = [line.split(",")[:8] for line in path.read_text().splitlines()[1:]]
    write_csv(path, rows, None)
    with pytest.raises(unitalk.SchemaError, match="label_id, instance_id are missing"):
        convert_asc(source, tmp_path / "asc")


@pytest.mark.parametrize("destination", ["dataset/asc", "dataset", "."])
def test_source_and_destination_inside_each_other(run, tmp_path, dataset, destination):
    before = tree(tmp_path)
    ran = run("convert-asc", "--source", dataset, "--destination", tmp_path / destination)
    assert ran.code == 2
    assert tree(tmp_path) == before


def test_a_destination_that_is_not_ours(run, tmp_path, dataset):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("keep me")
    before = tree(tmp_path)
    for extra in ([], ["--overwrite"]):
        ran = run("convert-asc", "--source", dataset, "--destination", tmp_path / "mine", *extra)
        assert ran.code == 2
    assert tree(tmp_path) == before


def test_overwriting_an_earlier_conversion(run, tmp_path, dataset):
    command = ("convert-asc", "--source", dataset, "--destination", tmp_path / "asc")
    assert run(*command).code == 0
    once = tree(tmp_path / "asc")
    assert run(*command).code == 2
    assert run(*command, "--overwrite").code == 0
    assert tree(tmp_path / "asc") == once


def test_a_split_named_twice_is_converted_once(run, tmp_path, dataset):
    twice = ("--split", "val", "--split", "val")
    ran = run("convert-asc", "--source", dataset, "--destination", tmp_path / "asc", *twice)
    assert ran.code == 0
    assert "asc: val, 3 videos, 5 tracks, 11 faces" in ran.stdout


def test_a_split_that_is_not_there(run, tmp_path, dataset):
    ran = run(
        "convert-asc", "--source", dataset, "--destination", tmp_path / "asc", "--split", "train"
    )
    assert ran.code == 3
    assert "train_orig.csv is missing" in ran.stderr

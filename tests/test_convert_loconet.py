"""LoCoNet's JSON files, read back the way its loader does; what it shares with TalkNet is there."""

from __future__ import annotations

import json

import pytest
from conftest import Tracks, make_dataset, tree
from loaders import loconet, start_loconet, talknet
from test_convert_talknet import EXPECTED, put, rows_of

from unitalk.dataset.convert import convert_loconet, convert_talknet
from unitalk.errors import LayoutError

ENTITY = {
    "-maoolmiKi0": {
        "-maoolmiKi0:0": {"0.36": 0, "0.4": 1, "0.44": 1},
        "-maoolmiKi0:1": {"0.4": 0, "0.44": 0},
    },
    "EEey6Pt0rqI": {"EEey6Pt0rqI:0": {"0.96": 1, "1.0": 1, "1.04": 0}},
    "9Zja_cIAwY8": {"9Zja_cIAwY8:0": {"12.0": 0, "12.04": 1}, "9Zja_cIAwY8:1": {"900.2": 1}},
}
TIMES = {
    "-maoolmiKi0": {
        "0.36": ["-maoolmiKi0:0"],
        "0.4": ["-maoolmiKi0:0", "-maoolmiKi0:1"],
        "0.44": ["-maoolmiKi0:0", "-maoolmiKi0:1"],
    },
    "EEey6Pt0rqI": {time: ["EEey6Pt0rqI:0"] for time in ("0.96", "1.0", "1.04")},
    "9Zja_cIAwY8": {
        "12.0": ["9Zja_cIAwY8:0"], "12.04": ["9Zja_cIAwY8:0"], "900.2": ["9Zja_cIAwY8:1"],
    },
}  # fmt: skip


def pairs(value):
    """JSON's objects as lists of pairs, so that order is compared as well."""
    return [(k, pairs(v)) for k, v in value.items()] if isinstance(value, dict) else value


def read(path):
    return json.loads(path.read_text())


@pytest.mark.parametrize("in_place", [False, True])
def test_the_json_files(tmp_path, dataset, in_place):
    """By hand, from what the fixture draws; for train and test there is nothing."""
    report = convert_loconet(dataset, None if in_place else tmp_path / "to")
    root = dataset if in_place else tmp_path / "to"
    assert pairs(read(root / "csv/val_entity.json")) == pairs(ENTITY)
    assert pairs(read(root / "csv/val_ts.json")) == pairs(TIMES)
    assert (root / "csv/val_loader.csv").read_text() == EXPECTED
    empty = [f"csv/{split}_{kind}.json" for split in ("train", "test") for kind in ("entity", "ts")]
    assert [read(root / name) for name in empty] == [{}] * 4
    own = ["csv/val_loader.csv", "csv/val_entity.json", "csv/val_ts.json"]
    assert report.written == (*["csv/val_orig.csv"] * (not in_place), *own, *empty)
    assert (report.target, report.rows, report.tracks, report.sound) == ("loconet", 11, 5, True)
    assert all(seen.complete for seen in loconet(root))


def test_what_loconet_insists_on(tmp_path, dataset):
    """Without the empty files it does not start, even to evaluate on val."""
    convert_loconet(dataset, tmp_path / "to")
    start_loconet(tmp_path / "to")
    for name in ("train_ts", "test_entity"):
        path = tmp_path / f"to/csv/{name}.json"
        kept = path.read_bytes()
        path.unlink()
        with pytest.raises(FileNotFoundError):
            next(loconet(tmp_path / "to"))
        path.write_bytes(kept)


def test_a_split_that_is_there_and_was_not_asked_for_gets_no_empty_file(dataset):
    make_dataset(dataset, {"t2345678901": [Tracks("t2345678901:0", ["0.0"], [1])]}, split="train")
    (dataset / "csv/test_ts.json").write_text('{"mine": {}}')
    report = convert_loconet(dataset, splits=("val",))
    assert not (dataset / "csv/train_ts.json").exists()
    assert read(dataset / "csv/test_ts.json") == {"mine": {}}
    assert report.written[-1] == "csv/test_entity.json"


def test_speaking_but_not_audible_is_of_the_class_of_silence(dataset):
    rows = rows_of(dataset)[1:]
    rows[1][6], rows[1][8] = "SPEAKING_NOT_AUDIBLE", "2"
    put(dataset, rows)
    convert_loconet(dataset)
    labels = read(dataset / "csv/val_entity.json")["-maoolmiKi0"]["-maoolmiKi0:0"]
    assert labels == {"0.36": 0, "0.4": 0, "0.44": 1}


def test_two_videos_of_the_same_eleven_characters_are_not_seen_together(tmp_path):
    """WASD's clips of one video all begin at 0; LoCoNet takes the times of both for one video's.

    ::

        EEey6Pt0rqI_1   :0   0.0  0.04  0.08        EEey6Pt0rqI_2   :0   0.0  0.04
                        :1        0.04  0.08
    """
    source = make_dataset(tmp_path / "d", {
        "EEey6Pt0rqI_1": [Tracks("EEey6Pt0rqI_1:0", ["0.0", "0.04", "0.08"], [0, 1, 1]),
                          Tracks("EEey6Pt0rqI_1:1", ["0.04", "0.08"], [1, 0])],
        "EEey6Pt0rqI_2": [Tracks("EEey6Pt0rqI_2:0", ["0.0", "0.04"], [1, 0])],
    })  # fmt: skip
    assert convert_loconet(source, tmp_path / "to").sound
    seen = {track.entity: track for track in loconet(tmp_path / "to")}
    assert {entity: sorted(track.others) for entity, track in seen.items()} == {
        "EEey6Pt0rqI_1:0": ["EEey6Pt0rqI_1:1"],
        "EEey6Pt0rqI_1:1": ["EEey6Pt0rqI_1:0"],
        "EEey6Pt0rqI_2:0": [],
    }
    assert seen["EEey6Pt0rqI_2:0"].jpgs == [
        b"EEey6Pt0rqI_2 EEey6Pt0rqI_2:0 0.00.jpg", b"EEey6Pt0rqI_2 EEey6Pt0rqI_2:0 0.04.jpg",
    ]  # fmt: skip
    beside = seen["EEey6Pt0rqI_1:0"].others["EEey6Pt0rqI_1:1"]
    assert list(beside.values()) == [
        b"EEey6Pt0rqI_1 EEey6Pt0rqI_1:1 0.04.jpg", b"EEey6Pt0rqI_1 EEey6Pt0rqI_1:1 0.08.jpg",
    ]  # fmt: skip


def test_a_name_without_two_decimals_is_talknets_and_not_loconets(tmp_path, dataset):
    folder = dataset / "clips_videos/val/EEey6Pt0rqI/EEey6Pt0rqI:0"
    (folder / "1.00.jpg").rename(folder / "1.0.jpg")
    before = tree(dataset)
    with pytest.raises(LayoutError, match=r"1\.0\.jpg is no name with two decimals"):
        convert_loconet(dataset)
    assert tree(dataset) == before
    for link in ("sym", "hard"):
        assert convert_loconet(dataset, tmp_path / link, link=link).sound
        seen = {track.entity: track.jpgs for track in loconet(tmp_path / link)}
        # The crop's bytes are the name that it had when it was drawn.
        assert seen["EEey6Pt0rqI:0"][1] == b"EEey6Pt0rqI EEey6Pt0rqI:0 1.00.jpg"
    assert convert_talknet(dataset).sound
    assert all(track.complete for track in talknet(dataset))


def test_a_face_without_a_crop_is_left_out_of_the_json_files_too(run, tmp_path, dataset):
    (dataset / "clips_videos/val/-maoolmiKi0/-maoolmiKi0:0/0.40.jpg").unlink()
    ran = run("convert-loconet", "--source", dataset, "--destination", tmp_path / "to")
    assert ran.code == 3
    assert "1 faces without a crop of their own (left out)" in ran.stdout
    entity, times = (read(tmp_path / f"to/csv/val_{kind}.json") for kind in ("entity", "ts"))
    assert entity["-maoolmiKi0"]["-maoolmiKi0:0"] == {"0.36": 0, "0.44": 1}
    assert times["-maoolmiKi0"]["0.4"] == ["-maoolmiKi0:1"]
    assert all(seen.complete for seen in loconet(tmp_path / "to"))


def test_somebodys_json_file_is_not_replaced_unless_told(run, dataset):
    (dataset / "csv/val_ts.json").write_text("{}")
    before = tree(dataset)
    ran = run("convert-loconet", "--source", dataset)
    assert (ran.code, ran.stdout, tree(dataset)) == (2, "", before)
    assert "val_ts.json is there already" in ran.stderr
    assert run("convert-loconet", "--source", dataset, "--overwrite").code == 0
    assert read(dataset / "csv/val_ts.json") == TIMES
    again = run("convert-loconet", "--source", dataset)
    assert "written: nothing, all is there already" in again.stdout


def test_a_folder_that_another_verb_made(run, tmp_path, dataset):
    assert run("convert-talknet", "--source", dataset, "--destination", tmp_path / "to").code == 0
    before = tree(tmp_path)
    ran = run("convert-loconet", "--source", dataset, "--destination", tmp_path / "to",
              "--overwrite")  # fmt: skip
    assert (ran.code, ran.stdout, tree(tmp_path)) == (2, "", before)
    assert "was made by `unitalk convert-talknet`" in ran.stderr

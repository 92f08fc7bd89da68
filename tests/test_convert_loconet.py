"""LoCoNet's JSON files, read back the way its loader does; what it shares with TalkNet is there."""

from __future__ import annotations

import json

import pytest
from build import Track, make_dataset
from conftest import tree
from loaders import LOADER_CSV, loconet, start_loconet, talknet

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
    assert (root / "csv/val_loader.csv").read_text() == LOADER_CSV
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
    make_dataset(dataset, {"t2345678901": [Track("t2345678901:0", ["0.0"], [1])]}, split="train")
    (dataset / "csv/test_ts.json").write_text('{"mine": {}}')
    report = convert_loconet(dataset, splits=("val",))
    assert not (dataset / "csv/train_ts.json").exists()
    assert read(dataset / "csv/test_ts.json") == {"mine": {}}
    assert report.written[-1] == "csv/test_entity.json"


def test_two_videos_of_the_same_eleven_characters_are_not_seen_together(tmp_path):
    """WASD's clips of one video all begin at 0; LoCoNet takes the times of both for one video's.

    ::

        EEey6Pt0rqI_1   :0   0.0  0.04  0.08        EEey6Pt0rqI_2   :0   0.0  0.04
                        :1        0.04  0.08
    """
    source = make_dataset(tmp_path / "d", {
        "EEey6Pt0rqI_1": [Track("EEey6Pt0rqI_1:0", ["0.0", "0.04", "0.08"], [0, 1, 1]),
                          Track("EEey6Pt0rqI_1:1", ["0.04", "0.08"], [1, 0])],
        "EEey6Pt0rqI_2": [Track("EEey6Pt0rqI_2:0", ["0.0", "0.04"], [1, 0])],
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


def test_somebodys_json_file_is_not_replaced_unless_told(run, dataset):
    (dataset / "csv/val_ts.json").write_text("{}")
    before = tree(dataset)
    ran = run("convert-loconet", dataset)
    assert (ran.code, ran.stdout, tree(dataset)) == (2, "", before)
    assert "val_ts.json is there already" in ran.stderr
    assert run("convert-loconet", dataset, "--overwrite").code == 0
    assert read(dataset / "csv/val_ts.json") == TIMES
    again = run("convert-loconet", dataset)
    assert "written: nothing; all files exist already" in again.stdout

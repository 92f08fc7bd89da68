"""`unitalk ava prepare`: AVA's annotations and videos become a dataset."""

from __future__ import annotations

import json
import shutil

import jsonschema
import pytest
from conftest import tree

pytest.importorskip("av", reason='pip install "unitalk[video]"')

from video_files import Form, make_video

from unitalk import schemas
from unitalk.dataset.ava.prepare import prepare_ava
from unitalk.errors import DestinationError, UsageError
from unitalk.executor import Processes


def ava_rows(video: str, first: float = 0.0) -> str:
    """v1.0's eight cells a row, no header; times have two decimals."""
    return "".join(
        f"{video},{first + n / 25:.2f},0.1,0.2,0.7,0.9,SPEAKING_AUDIBLE,{video}_0000_0060:1\n"
        for n in range(6)
    )


@pytest.fixture(scope="module")
def ava(tmp_path_factory):
    """One csv a video and split; videos as `ava download` leaves them."""
    folder = tmp_path_factory.mktemp("ava")
    for split, into, video in (
        ("train", "trainval", "AYebXQ8eUkM"),
        ("val", "trainval", "B1MAUxpKaV8"),
        ("test", "test", "-5KQ66BBWC4"),
    ):
        own = folder / f"csv/ava_activespeaker_{split}_v1.0"
        own.mkdir(parents=True)
        text = ava_rows(video)
        if split == "test":  # it has no labels
            text = text.replace("SPEAKING_AUDIBLE", "")
        (own / f"{video}-activespeaker.csv").write_text(text)
        form = Form(frames=10, size=(64, 48), sound="pcm_s16le")
        make_video(folder / f"videos/{into}/{video}.mkv", form)
    return folder


def test_every_split_of_v1_0(run, ava, tmp_path):
    made = tmp_path / "made"
    ran = run("ava", "prepare", ava / "csv", "--video-dir", ava / "videos",
              "--destination", made, "--jobs", 1)  # fmt: skip
    assert ran.code == 0, ran.stdout
    assert ran.stdout.splitlines() == [
        f"{made}: 18 face crops, 3 sounds",
        "train: 1 video, 1 track, 6 faces",
        "val: 1 video, 1 track, 6 faces",
        "test: 1 video, 1 track, 6 faces",
        "videos: 3 cut, 0 kept from an earlier run",
    ]
    assert "warning: test: no face has a label" in ran.stderr
    assert "every face is labelled SPEAKING_AUDIBLE" in ran.stderr
    row = (made / "csv/train_orig.csv").read_text().splitlines()[1]
    entity = "AYebXQ8eUkM_0000_0060:1"
    assert row == f"AYebXQ8eUkM,0.00,0.1,0.2,0.7,0.9,SPEAKING_AUDIBLE,{entity},1,{entity}:0"
    assert (made / "clips_videos/test/-5KQ66BBWC4/-5KQ66BBWC4_0000_0060:1/0.20.jpg").is_file()
    assert run("verify", made, "--split", "train", "--split", "val", "--jobs", 1).code == 0
    again = run("ava", "prepare", ava / "csv", "--video-dir", ava / "videos",
                "--destination", made, "--jobs", 1, "--format", "json", "-q")  # fmt: skip
    said = json.loads(again.stdout)
    jsonschema.validate(said, schemas.read("ava-prepare"))
    assert (again.code, said["written"], said["kept"]) == (0, 0, 3)
    assert len(said["warnings"]) == 3


def test_a_split_a_video_and_the_bundle(ava, tmp_path):
    """TalkNet's bundle has the csv of a split with a header; the same bytes with processes."""
    one = prepare_ava(ava / "csv", ava / "videos", tmp_path / "a", splits=("val",))
    assert list(one.splits) == ["val"]
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "val_orig.csv").write_text((tmp_path / "a/csv/val_orig.csv").read_text())
    two = prepare_ava(bundle, ava / "videos", tmp_path / "b", executor=Processes(2))
    assert (two.crops, two.sounds) == (one.crops, one.sounds) == (6, 1)
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    three = prepare_ava(ava / "csv", ava / "videos", tmp_path / "c", videos=("-5KQ66BBWC4",))
    assert three.crops == 6
    assert three.splits["test"]["videos"] == 1


def test_missing_videos_are_listed_together(run, ava, tmp_path):
    (tmp_path / "videos").mkdir()
    ran = run("ava", "prepare", ava / "csv", "--video-dir", tmp_path / "videos",
              "--destination", tmp_path / "made", "--jobs", 1, "-q")  # fmt: skip
    assert ran.code == 3
    [line] = [line for line in ran.stdout.splitlines() if "video-missing" in line]
    assert line == (
        f"wrong: video-missing: 3 videos without a file in {tmp_path / 'videos'}: "
        "AYebXQ8eUkM, B1MAUxpKaV8, -5KQ66BBWC4"
    )


def test_each_verb_keeps_to_its_own_folders(ava, tmp_path, run):
    prepare_ava(ava / "csv", ava / "videos", tmp_path / "made", splits=("val",))
    rows = shutil.copy(tmp_path / "made/csv/val_orig.csv", tmp_path)
    ran = run("crop", rows, "--video-dir", ava / "videos", "--destination",
              tmp_path / "made", "--overwrite")  # fmt: skip
    assert ran.code == 2
    assert "was made by 'ava prepare'" in ran.stderr
    with pytest.raises(DestinationError):
        prepare_ava(ava / "csv", ava / "videos", ava / "csv/inside")
    with pytest.raises(UsageError, match="no csv files of the split"):
        prepare_ava(tmp_path / "made/csv", ava / "videos", tmp_path / "x", splits=("train",))

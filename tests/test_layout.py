"""Where files live, and how a time becomes a file name and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import unitalk
from unitalk import layout
from unitalk.layout import FlatLayout, Layout


def test_the_paths_are_the_published_ones(tmp_path):
    paths = Layout(tmp_path)
    assert paths.csv("val") == tmp_path / "csv/val_orig.csv"
    assert paths.video_csv("val", "-x") == tmp_path / "csv/val/-x.csv"
    assert paths.audio("val", "-x", "-x:3") == tmp_path / "clips_audios/val/-x/-x:3.wav"
    assert paths.track("train", "x", "x:0") == tmp_path / "clips_videos/train/x/x:0"
    assert layout.hub_path("csv", "val", "x") == "csv/val/x.csv"
    assert layout.hub_path("audio", "val", "x") == "clips_audios/val/x.zip"
    assert layout.hub_path("video", "train", "x") == "clips_videos/train/x.zip"


def test_the_flat_paths_are_what_asc_reads(tmp_path):
    paths = FlatLayout(tmp_path)
    assert paths.csv("val") == tmp_path / "csv/val_orig.csv"
    assert paths.track("val", "x:0") == tmp_path / "clips_videos/val/x:0"
    assert paths.audio("val", "x:0") == tmp_path / "clips_audios/val/x:0.wav"
    assert paths.groundtruth("x") == tmp_path / "gt/x.csv"
    assert paths.activespeaker("val", "x") == tmp_path / "csv/val/x-activespeaker.csv"


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("csv/val/-x.csv", ("csv", "val", "-x")),
        ("clips_audios/train/x.zip", ("audio", "train", "x")),
        ("clips_videos/val/a.b.zip", ("video", "val", "a.b")),
        ("clips_videos/val/x.csv", None),
        ("csv/test/x.csv", None),
        ("csv/val_orig.csv", None),
        ("README.md", None),
        ("csv/val/x", None),
    ],
)
def test_a_hub_path_read_backwards(path, parts):
    assert layout.parse_hub_path(path) == parts


@pytest.mark.parametrize(
    ("seconds", "name"),
    [(0, "0.00.jpg"), (0.4, "0.40.jpg"), (1, "1.00.jpg"), (12.0, "12.00.jpg"),
     (900.2, "900.20.jpg"), (0.033367, "0.03.jpg"), (1.234567, "1.23.jpg"),
     (3600.04, "3600.04.jpg")],
)  # fmt: skip
def test_a_time_as_a_file_name(seconds, name):
    assert layout.face_name(seconds) == name


@pytest.mark.parametrize("name", ["0.4.jpg", "0.40.jpg", "0.4000.jpg", "00.4.jpg", "4e-1.jpg",
                                  "0.40.JPG", "0.4.jpeg"])  # fmt: skip
def test_every_spelling_of_a_time_is_the_same_time(name):
    assert layout.face_seconds(name) == 0.4


@pytest.mark.parametrize("name", ["0.4.png", "x.jpg", "-1.jpg", "nan.jpg", "inf.jpg", "1_0.jpg",
                                  "._0.40.jpg", ".jpg", "jpg"])  # fmt: skip
def test_what_is_no_face(name):
    assert layout.face_seconds(name) is None


@given(st.integers(0, 400_000))
def test_a_centisecond_survives_its_file_name(centiseconds):
    name = layout.face_name(centiseconds / 100)
    assert layout.face_seconds(name) == centiseconds / 100
    assert layout.face_name(layout.face_seconds(name)) == name


def test_faces_are_listed_in_time_order_by_the_name_that_we_would_write(tmp_path):
    for name in ("10.00.jpg", "0.4.jpg", "0.40.jpg", "0.404.jpg", "2.jpg", "notes.txt", "._2.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "3.00.jpg").mkdir()
    (tmp_path / "4.00.jpg").symlink_to("none")
    found = layout.faces(tmp_path)
    assert list(found.items()) == [
        ("0.40.jpg", "0.40.jpg"), ("2.00.jpg", "2.jpg"), ("10.00.jpg", "10.00.jpg"),
    ]  # fmt: skip
    assert found.get(layout.face_name(2.0)) == "2.jpg"
    assert layout.faces(tmp_path / "none") == {}
    assert layout.faces(tmp_path / "notes.txt") == {}


@pytest.mark.parametrize("text", ["", ".", "..", "a/b", "a\\b", "/", "a\0b", "a\nb"])
def test_an_id_that_is_no_file_name_is_refused(tmp_path, text):
    with pytest.raises(unitalk.DataError, match="cannot name a file"):
        Layout(tmp_path).part("video", "val", text)


def test_the_splits_that_are_there(tmp_path):
    paths = Layout(tmp_path)
    with pytest.raises(unitalk.LayoutError, match="lacks csv/val_orig.csv"):
        paths.require_splits()
    paths.csv("val").parent.mkdir()
    paths.csv("val").touch()
    assert paths.splits() == paths.require_splits() == ("val",)
    with pytest.raises(unitalk.LayoutError, match=r"lacks csv/train_orig.csv; it has val"):
        paths.require_splits(("train", "val"))

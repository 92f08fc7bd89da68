"""The published lists."""

from __future__ import annotations

from collections import Counter

import pytest

import unitalk
from unitalk.catalog import video_list


def test_the_lists_hold_what_is_published():
    """117 videos: 95 train, 22 val; 7 + 9 + 3 + 3 categories, each val video in exactly one."""
    videos = video_list.videos()
    assert Counter((video.split, video.category) for video in videos) == {
        ("train", None): 95,
        ("val", "language"): 7,
        ("val", "mixed"): 9,
        ("val", "noise"): 3,
        ("val", "visual"): 3,
    }
    assert len({video.video_id for video in videos}) == 117
    assert all(len(video.video_id) == 11 for video in videos)
    assert [v.video_id for v in videos if v.video_id.startswith("-")] == [
        "-ASZexdSdWE",
        "-maoolmiKi0",
    ]


def test_the_order_is_that_of_the_lists():
    first = video_list.videos()[0]
    assert (first.video_id, first.split) == ("SFa5_upNcHM", "train")
    assert first.link == "https://www.youtube.com/watch?v=SFa5_upNcHM"
    assert video_list.videos()[95].video_id == "qv3-HaaxGUc"


def test_selecting():
    assert len(video_list.select(splits=("val",))) == 22
    assert len(video_list.select(categories=("noise", "visual"))) == 6
    assert [v.split for v in video_list.select(limit=2)] == ["train", "train", "val", "val"]
    with pytest.raises(unitalk.UsageError, match="unknown category 'loud'"):
        video_list.select(categories=("loud",))
    with pytest.raises(unitalk.UsageError, match="no published video is in split train and"):
        video_list.select(splits=("train",), categories=("noise",))


def test_a_list_is_a_category_or_a_file_of_ids_or_links(tmp_path):
    noise = video_list.resolve_list("noise")
    assert noise == ("EEey6Pt0rqI", "9Zja_cIAwY8", "Hyk-WhQBIq0")
    path = tmp_path / "list.csv"
    path.write_bytes(
        b"\xef\xbb\xbfLink\r\nhttps://www.youtube.com/watch?v=-maoolmiKi0\r\n\r\n"
        b"https://youtu.be/EEey6Pt0rqI?t=3\r\n9Zja_cIAwY8\r\n9Zja_cIAwY8"
    )
    assert video_list.resolve_list(path) == ("-maoolmiKi0", "EEey6Pt0rqI", "9Zja_cIAwY8")


@pytest.mark.parametrize("folder", ["sub_categories", "/no/such", "."])
def test_a_published_list_is_known_by_its_name_where_it_is_not_there(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # outside of a checkout
    category = "mixed"
    name = f"{folder}/test_{category}.csv"
    assert video_list.resolve_list(name) == video_list.resolve_list(category)
    for other in (f"{folder}/{category}.csv", f"{folder}/test_{category}s.csv", f"test_{category}"):
        with pytest.raises(unitalk.UsageError, match="neither a category nor a file"):
            video_list.resolve_list(other)
    if folder == ".":
        (tmp_path / f"test_{category}.csv").symlink_to("nothing")
        with pytest.raises(unitalk.UsageError):
            video_list.resolve_list(name)
        (tmp_path / "nothing").write_text("mine")
        assert video_list.resolve_list(name) == ("mine",)


def test_a_list_that_is_none(tmp_path):
    with pytest.raises(unitalk.UsageError, match="neither a category nor a file"):
        video_list.resolve_list("nois")
    path = tmp_path / "list.csv"
    path.write_text("abc\na,b\nc d\n")
    with pytest.raises(unitalk.DataError, match="list.csv:2: 'a,b'.*list.csv:3: 'c d'"):
        video_list.resolve_list(path)
    path.write_text("Link\n\n")
    with pytest.raises(unitalk.DataError, match="the list is empty"):
        video_list.resolve_list(path)


def test_the_verb_prints_a_table_ids_or_links(run):
    ran = run("videos", "--category", "noise")
    assert ran.stdout.splitlines()[0].split() == ["video_id", "split", "category", "link"]
    assert max(map(len, ran.stdout.splitlines())) <= 80
    ids = run("videos", "--category", "noise", "--ids").stdout.split()
    assert ids == ["EEey6Pt0rqI", "9Zja_cIAwY8", "Hyk-WhQBIq0"]
    links = run("videos", "--split", "val", "--links").stdout.split()
    assert links[0] == "https://www.youtube.com/watch?v=qv3-HaaxGUc"
    assert len(links) == 22
    assert run("videos", "--category", "loud").code == 2


def test_what_the_verb_prints_is_a_list_that_trim_reads(run, tmp_path):
    for form in ("--ids", "--links"):
        path = tmp_path / "list.txt"
        run("videos", "--category", "mixed", form, "-o", path)
        assert video_list.resolve_list(path) == video_list.resolve_list("mixed")

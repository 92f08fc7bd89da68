"""A part of a dataset."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from conftest import tree

import unitalk
from unitalk import trim_dataset

NOISE = ("EEey6Pt0rqI", "9Zja_cIAwY8", "Hyk-WhQBIq0")


def media(root):
    return {name: data for name, data in tree(root).items() if name.startswith("clips")}


@pytest.mark.parametrize("link", ["auto", "hard", "sym", "copy"])
def test_rows_and_media_of_the_listed_videos_and_no_others(tmp_path, dataset, link):
    report = trim_dataset(
        dataset, tmp_path / "new", videos=["9Zja_cIAwY8", "-maoolmiKi0"], link=link
    )
    wanted = ("9Zja_cIAwY8", "-maoolmiKi0")
    lines = (dataset / "csv/val_orig.csv").read_text().splitlines()
    kept = [line for line in lines[1:] if line.startswith(wanted)]
    # The header, and the rows in the source's order with their text as it was: 0.4, 12, 900.2.
    assert (tmp_path / "new/csv/val_orig.csv").read_text().splitlines() == [lines[0], *kept]
    assert any(",0.4," in line for line in kept)
    expected = {n: d for n, d in media(dataset).items() if n.split("/")[2] in wanted}
    assert set(os.listdir(tmp_path / "new/clips_videos/val")) == set(wanted)
    assert {n: (tmp_path / "new" / n).read_bytes() for n in expected} == expected
    assert (report.rows, report.videos, report.absent) == (8, wanted, ())
    # 5 + 3 face crops and 2 + 2 sounds, or two folders of each kind as symbolic links.
    way = {"auto": "hard"}.get(link, link)
    assert report.files == {way: 4 if link == "sym" else 12}
    if link != "sym":
        assert set(media(tmp_path / "new")) == set(expected)


def test_a_part_of_a_part(tmp_path, dataset):
    for link in ("sym", "hard"):
        trim_dataset(dataset, tmp_path / link, videos=["9Zja_cIAwY8", "EEey6Pt0rqI"], link=link)
        trim_dataset(tmp_path / link, tmp_path / f"{link}2", videos=["EEey6Pt0rqI"])
        assert len(media(tmp_path / f"{link}2")) == 4


def test_a_category_by_its_name_and_what_it_lacks(run, tmp_path, dataset):
    ran = run("trim", "--path", dataset, "--new-path", tmp_path / "new", "--list", "noise")
    assert ran.code == 3
    assert "1 of the listed videos: Hyk-WhQBIq0" in ran.stderr
    assert "--partial" in ran.stderr
    assert not (tmp_path / "new").exists()
    ran = run(
        "trim", "--path", dataset, "--new-path", tmp_path / "new", "--list", "noise", "--partial",
        "--format", "json",
    )  # fmt: skip
    found = json.loads(ran.stdout)
    assert ran.code == 0
    assert (found["videos"], found["absent"]) == (list(NOISE[:2]), [NOISE[2]])
    assert "Hyk-WhQBIq0" in found["warnings"][0]
    assert "warning: not in" in ran.stderr


def test_the_published_spelling_of_a_category_outside_of_a_checkout(run, tmp_path, dataset):
    spelling = tmp_path / "sub_categories/test_noise.csv"
    ran = run("trim", "--path", dataset, "--new-path", tmp_path / "new", "--list", spelling,
              "--partial", "--format", "json")  # fmt: skip
    assert ran.code == 0
    assert json.loads(ran.stdout)["videos"] == list(NOISE[:2])
    note = f"{spelling} does not exist: took the published category noise"
    assert json.loads(ran.stdout)["warnings"][0] == note
    assert f"warning: {note}" in ran.stderr


def test_the_original_scripts_command_line(run, tmp_path, dataset):
    (tmp_path / "list.csv").write_text("-maoolmiKi0")
    ran = run(
        "trim", "--path", dataset, "--new_path", tmp_path / "new", "--list", tmp_path / "list.csv"
    )
    assert ran.code == 0
    assert "1 video, 5 faces" in ran.stdout
    assert "7 hard links" in ran.stdout


def test_ids_of_the_other_split_are_pointed_out(tmp_path, dataset):
    with pytest.raises(unitalk.DataError, match="SFa5_upNcHM") as caught:
        trim_dataset(dataset, tmp_path / "new", videos=["SFa5_upNcHM"])
    assert caught.value.hint == "give `split='train'`"


def test_nothing_of_the_list_there_is_an_error_even_when_partial(tmp_path, dataset):
    with pytest.raises(unitalk.DataError, match="no rows of 1 of the listed"):
        trim_dataset(dataset, tmp_path / "new", videos=["Hyk-WhQBIq0"], partial=True)
    assert os.listdir(tmp_path) == ["dataset"]


def test_a_video_whose_media_are_missing(tmp_path, dataset):
    shutil.rmtree(dataset / "clips_audios/val/EEey6Pt0rqI")
    both = ["EEey6Pt0rqI", "9Zja_cIAwY8"]
    with pytest.raises(unitalk.LayoutError, match="no sound of 1 of 2 videos: EEey6Pt0rqI"):
        trim_dataset(dataset, tmp_path / "new", videos=both)
    assert not (tmp_path / "new").exists()
    report = trim_dataset(dataset, tmp_path / "new", videos=both, partial=True)
    assert report.warnings == ("no sound of 1 of 2 videos: EEey6Pt0rqI",)


def test_a_dataset_of_rows_alone_is_cut_and_it_is_said(tmp_path, dataset):
    shutil.rmtree(dataset / "clips_audios")
    shutil.rmtree(dataset / "clips_videos")
    report = trim_dataset(dataset, tmp_path / "new", videos=["EEey6Pt0rqI"])
    assert report.rows == 3
    assert report.warnings == (
        "the source has no sound of these videos",
        "the source has no face crops of these videos",
    )


# ------------------------------------------------------------------------------ refusals


def test_a_destination_that_is_not_ours(run, tmp_path, dataset):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("keep me")
    before = tree(tmp_path)
    for extra in ([], ["--overwrite"]):
        ran = run(
            "trim", "--path", dataset, "--new-path", tmp_path / "mine", "--list", "noise",
            "--partial", *extra,
        )  # fmt: skip
        assert ran.code == 2
        assert "did not make it" in ran.stderr
    assert tree(tmp_path) == before


def test_overwriting_what_an_earlier_trim_made(tmp_path, dataset):
    trim_dataset(dataset, tmp_path / "new", videos=["EEey6Pt0rqI"])
    with pytest.raises(unitalk.DestinationError, match="is not empty"):
        trim_dataset(dataset, tmp_path / "new", videos=["9Zja_cIAwY8"])
    trim_dataset(dataset, tmp_path / "new", videos=["9Zja_cIAwY8"], overwrite=True)
    assert os.listdir(tmp_path / "new/clips_videos/val") == ["9Zja_cIAwY8"]


@pytest.mark.parametrize("destination", ["dataset/new", "dataset", "."])
def test_source_and_destination_inside_each_other(run, tmp_path, dataset, destination):
    before = tree(tmp_path)
    ran = run(
        "trim", "--path", dataset, "--new-path", tmp_path / destination, "--list", "noise",
        "--partial",
    )  # fmt: skip
    assert ran.code == 2
    assert "the source" in ran.stderr
    assert tree(tmp_path) == before


def test_a_source_that_is_no_dataset(tmp_path):
    with pytest.raises(unitalk.LayoutError, match="is not a folder"):
        trim_dataset(tmp_path / "none", tmp_path / "new", videos="noise")

"""The csv of TalkNet's loader, read back the way the loader does; in place and into a folder."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from build import Track, make_dataset, write_csv
from conftest import one_in, tree
from loaders import LOADER_CSV, scored_by_position, talknet

import unitalk
from unitalk.dataset.convert import convert_talknet
from unitalk.errors import LayoutError

KILLER = Path(__file__).with_name("killer.py")


def lines(root, split="val"):
    text = (root / f"csv/{split}_loader.csv").read_text()
    return [line.split("\t") for line in text.splitlines()]


def rows_of(root, split="val"):
    with (root / f"csv/{split}_orig.csv").open(newline="") as file:
        return list(csv.reader(file))


def put(root, rows, split="val"):
    write_csv(root / f"csv/{split}_orig.csv", rows)


def verified(root) -> bool:
    """Whether `verify` finds nothing that is the loader's affair; the fixtures have oddities."""
    counts = unitalk.verify_dataset(root, layout="talknet").counts
    return not any(kind.startswith(("loader", "missing", "extra", "rows")) for kind in counts)


# ------------------------------------------------------------------------------ what is written


def test_the_loaders_csv_in_place_and_nothing_else(dataset):
    """By hand, from what the fixture draws."""
    before = tree(dataset)
    report = convert_talknet(dataset)
    after = tree(dataset)
    assert after.pop("csv/val_loader.csv").decode() == LOADER_CSV
    assert after == before
    assert (report.rows, report.tracks, report.videos) == (11, 5, 3)
    assert (report.source, report.destination) == (str(dataset), str(dataset))
    assert report.written == ("csv/val_loader.csv",)
    assert (report.files, report.reordered, report.findings, report.warnings) == ({}, (), (), ())
    assert report.sound


@pytest.mark.parametrize("link", ["auto", "hard", "sym", "copy"])
def test_a_folder_of_its_own_by_any_link(tmp_path, dataset, link):
    report = convert_talknet(dataset, tmp_path / "to", link=link)
    made, source = tree(tmp_path / "to"), tree(dataset)
    assert made.pop("csv/val_loader.csv").decode() == LOADER_CSV
    del made[".unitalk/dataset.json"]
    if link == "sym":  # a walk does not go into a linked folder
        assert (tmp_path / "to/clips_videos/val/-maoolmiKi0/-maoolmiKi0:0").is_symlink()
        made |= {name: text for name, text in source.items() if "clips_videos" in name}
    assert made == source  # the split's csv, too, byte by byte
    # 11 crops and 5 sounds, or a link a track and a link a sound.
    assert report.files == {{"auto": "hard"}.get(link, link): 10 if link == "sym" else 16}
    assert all(seen.complete for seen in talknet(tmp_path / "to"))
    assert report.sound


def test_speaking_but_not_audible_is_of_the_class_of_silence(tmp_path):
    source = make_dataset(tmp_path / "d", {"v2345678901": [
        Track("v2345678901:0", ["0.0", "0.04", "0.08"], [0, 1, 1])]})  # fmt: skip
    rows = rows_of(source)[1:]
    rows[1][6], rows[1][8] = "SPEAKING_NOT_AUDIBLE", "2"
    put(source, rows)
    assert convert_talknet(source).sound
    assert lines(source)[0][3] == "[0, 0, 1]"
    assert verified(source)
    # What is there instead of the 2 may be 0 or 2, and not 1.
    loader = source / "csv/val_loader.csv"
    for label, counts in (("2", {}), ("1", {"loader-labels": 1})):
        loader.write_text(loader.read_text().replace("[0, 0", f"[0, {label}"))
        found = unitalk.verify_dataset(source, layout="talknet").counts
        assert {kind: n for kind, n in found.items() if kind.startswith("loader")} == counts
        loader.write_text(loader.read_text().replace(f"[0, {label}", "[0, 0"))


def test_extra_columns_and_every_cells_text_are_carried(tmp_path, dataset):
    path = dataset / "csv/val_orig.csv"
    old = path.read_text().splitlines()
    path.write_text("".join(f"{line},{'x' if i else 'remark'}\n" for i, line in enumerate(old)))
    with path.open("a") as file:  # a row of the first track at the end: no longer together
        file.write(old[1].replace(",0.36,", ",0.3200,") + ",y\n")
    folder = dataset / "clips_videos/val/-maoolmiKi0/-maoolmiKi0:0"
    (folder / "0.32.jpg").write_bytes(b"earlier")
    report = convert_talknet(dataset, tmp_path / "to")
    assert report.reordered == ("val",)
    new = (tmp_path / "to/csv/val_orig.csv").read_text().splitlines()
    was = path.read_text().splitlines()
    assert new == [was[0], was[-1], *was[1:-1]]


def test_a_csv_without_a_header_gets_one_as_the_loader_skips_the_first_line(dataset):
    rows = rows_of(dataset)
    write_csv(dataset / "csv/val_orig.csv", rows[1:], None)
    report = convert_talknet(dataset)
    assert (report.reordered, report.sound) == (("val",), True)
    assert rows_of(dataset) == rows


# ------------------------------------------------------------------------------ frames a second


def times(rate, count, decimals, start=0):
    return [f"{(start + n) / rate:.{decimals}f}" for n in range(count)]


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        (times(25, 60, 2), "25.0"),
        (times(30, 60, 2), "30.0"),
        (times(24, 60, 6, start=21_600), "24.0"),  # AVA begins at 15 minutes
        (times(30000 / 1001, 2000, 2), "29.97"),
        (times(5, 60, 1), "5.0"),  # ASW as it is labelled
        (times(24, 9, 2), "25.0"),  # eight steps say nothing
        (["0.4", "12"], "25.0"),
        ([*times(24, 40, 2), *times(24, 40, 2, start=240)], "24.0"),  # a gap of ten seconds
        (["0.00", "0.10", "0.14", "0.40", "0.50", "0.90", "1.00", "1.50", "1.54", "1.60", "1.90",
          "2.40", "2.80", "2.84"], "25.0"),  # nothing is usual
    ],
)  # fmt: skip
def test_frames_a_second_are_those_of_the_times(tmp_path, drawn, expected):
    source = make_dataset(
        tmp_path / "d", {"v2345678901": [Track("v2345678901:0", drawn, [0] * len(drawn))]}
    )
    report = convert_talknet(source)
    assert [line[2] for line in lines(source)] == [expected]
    assert ("not at 25 frames a second" in " ".join(report.warnings)) == (expected != "25.0")


# ------------------------------------------------------------------------------ in place


def test_rows_out_of_order_are_brought_into_it_and_the_csv_is_kept(run, dataset):
    before = (dataset / "csv/val_orig.csv").read_bytes()
    rows = rows_of(dataset)[1:]
    put(dataset, [rows[3], rows[2], rows[0], rows[4], rows[1], *rows[5:]])
    mixed = (dataset / "csv/val_orig.csv").read_bytes()
    ran = run("convert-talknet", dataset, "--format", "json")
    assert ran.code == 0
    assert json.loads(ran.stdout)["reordered"] == ["val"]
    kept = dataset / "csv/val_orig.before-convert.csv"
    assert kept.read_bytes() == mixed
    # Tracks as they first come: the second track's first row stands before the first's.
    assert rows_of(dataset)[1:] == [rows[3], rows[4], rows[0], rows[1], rows[2], *rows[5:]]
    assert sorted((dataset / "csv/val_orig.csv").read_bytes()) == sorted(before)
    assert [line[0][-1] for line in lines(dataset)[:2]] == ["1", "0"]
    once = tree(dataset)
    again = run("convert-talknet", dataset)
    assert (again.code, tree(dataset)) == (0, once)
    assert "written: nothing; all files exist already" in again.stdout
    # It is never written over, so that what was there first is never lost.
    put(dataset, [rows[1], rows[0], *rows[2:]])
    (dataset / "csv/val_loader.csv").unlink()
    before = tree(dataset)
    refused = run("convert-talknet", dataset)
    assert (refused.code, refused.stdout) == (2, "")
    assert "before-convert.csv is there already" in refused.stderr
    assert tree(dataset) == before


def test_somebodys_csv_is_not_replaced_unless_told(run, dataset):
    other = dataset / "csv/val_loader.csv"
    other.write_text(LOADER_CSV.replace("[0, 1, 1]", "[0, 0, 1]"))
    before = tree(dataset)
    ran = run("convert-talknet", dataset)
    assert (ran.code, tree(dataset)) == (2, before)
    assert "val_loader.csv is there already" in ran.stderr
    assert run("convert-talknet", dataset, "--overwrite").code == 0
    assert other.read_text() == LOADER_CSV


SPOILED = {
    "missing": ("1.00.jpg", None, "EEey6Pt0rqI:0 (1.00.jpg is missing)"),
    "extra": (None, "1.08.jpg", "EEey6Pt0rqI:0 (1.08.jpg has no row)"),
    "silent": ("../../../../clips_audios/val/EEey6Pt0rqI/EEey6Pt0rqI:0.wav", None,
               "1 tracks without sound where the loader looks: val/EEey6Pt0rqI:0"),
    "renamed": (".", "../EEey6Pt0rqI_0",
                "1 tracks whose crops are not where the loader looks: val/EEey6Pt0rqI:0"),
}  # fmt: skip
"""What becomes of a path in a track's folder: it is gone, new, or has another name."""


@pytest.mark.parametrize("fault", SPOILED)
def test_in_place_nothing_is_written_when_the_loader_would_not_find_it(run, dataset, fault):
    folder = dataset / "clips_videos/val/EEey6Pt0rqI/EEey6Pt0rqI:0"
    old, new, said = SPOILED[fault]
    if old and new:
        folder.rename(folder / new)
    elif old:
        (folder / old).unlink()
    else:
        (folder / new).touch()
    before = tree(dataset)
    ran = run("convert-talknet", dataset)
    assert (ran.code, ran.stdout, tree(dataset)) == (3, "", before)
    assert said in ran.stderr
    # Into a folder of its own, what is there is read by the loader, and the rest is listed.
    to = dataset.with_name("to")
    report = convert_talknet(dataset, to)
    if fault != "silent":
        assert all(seen.complete for seen in talknet(to))
        assert sum(seen.frames for seen in talknet(to)) == report.rows
        assert verified(to)
    assert report.sound == (fault == "renamed")
    assert report.misaligned == 0


def test_a_video_of_another_name_than_the_first_eleven_characters_needs_a_folder(tmp_path):
    source = make_dataset(
        tmp_path / "d", {"EEey6Pt0rqI_10-20": [Track("EEey6Pt0rqI_10-20:0", ["0.0"], [1])]}
    )
    with pytest.raises(LayoutError, match="not where the loader looks") as caught:
        convert_talknet(source)
    assert "`destination`" in caught.value.hint
    assert convert_talknet(source, tmp_path / "to").sound
    assert [seen.entity for seen in talknet(tmp_path / "to")] == ["EEey6Pt0rqI_10-20:0"]


# ------------------------------------------------------------------------------ what is missing


def test_what_has_no_crop_is_left_out_of_both_and_no_score_slides(run, tmp_path, dataset):
    """By hand: of 11 faces 3 have no crop, among them the only one of a track."""
    videos = dataset / "clips_videos/val"
    (videos / "-maoolmiKi0/-maoolmiKi0:0/0.40.jpg").unlink()
    (videos / "EEey6Pt0rqI/EEey6Pt0rqI:0/0.96.jpg").unlink()
    (videos / "9Zja_cIAwY8/9Zja_cIAwY8:1/900.20.jpg").unlink()
    (videos / "9Zja_cIAwY8/9Zja_cIAwY8:0/11.96.jpg").write_bytes(b"whose?")
    to = tmp_path / "to"
    ran = run("convert-talknet", dataset, "--destination", to)
    assert ran.code == 3
    assert (
        "wrong: 3 faces without a crop of their own (left out): val/-maoolmiKi0:0/0.40.jpg, "
        "val/EEey6Pt0rqI:0/0.96.jpg, val/9Zja_cIAwY8:1/900.20.jpg"
    ) in ran.stdout
    assert "wrong: 1 crops without a face (not placed): val/9Zja_cIAwY8:0/11.96.jpg" in ran.stdout
    assert [line[:4] for line in lines(to)] == [
        ["-maoolmiKi0:0", "2", "25.0", "[0, 1]"],
        ["-maoolmiKi0:1", "2", "25.0", "[0, 0]"],
        ["EEey6Pt0rqI:0", "2", "25.0", "[1, 0]"],
        ["9Zja_cIAwY8:0", "2", "25.0", "[0, 1]"],
    ]
    old, new = rows_of(dataset), rows_of(to)
    assert new == [row for n, row in enumerate(old) if n not in {2, 6, 11}]
    assert not (to / "clips_audios/val/9Zja_cIAwY8/9Zja_cIAwY8:1.wav").exists()
    # Each score is that of the row's own crop: its bytes are the entity and the time.
    scores = {}
    scored_by_position(to, lambda jpg: scores.setdefault(jpg, len(scores)), tmp_path / "p.csv")
    with (tmp_path / "p.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            name = f"{float(row['frame_timestamp']):.2f}.jpg"
            own = f"{row['video_id']} {row['entity_id']} {name}".encode()
            assert scores[own] == float(row["score"])
    assert verified(to)


def test_a_crop_that_was_lost_on_the_way_is_found_out(tmp_path, dataset, monkeypatch):
    """The look-up is of what stands there: the two crops at 0.44 move what follows them."""
    kept = os.link

    def lossy(source, destination, **places):
        if source != "0.44.jpg":
            kept(source, destination, **places)

    monkeypatch.setattr(os, "link", lossy)
    report = convert_talknet(dataset, tmp_path / "to", link="hard")
    assert (report.misaligned, report.sound) == (2, False)
    assert report.findings == (
        "2 faces seen or scored as another one: val/-maoolmiKi0:0, val/-maoolmiKi0:1",
    )


def test_an_id_that_is_a_pattern_is_found_out(tmp_path):
    """The loader gives the folder to glob, which takes [0] for 0."""
    source = make_dataset(tmp_path / "d", {"v": [Track("v[0]:0", ["0.0"], [1])]})
    assert convert_talknet(source, tmp_path / "to").misaligned == 1
    assert [seen.complete for seen in talknet(tmp_path / "to")] == [False]


# ------------------------------------------------------------------------------ killed


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("in_place", one_in(2, [False, True]))
def test_a_killed_run_leaves_nothing_half_made(tmp_path, dataset, in_place):
    """In the middle and at the last change of the disk: run again, it is whole."""
    rows = rows_of(dataset)[1:]
    put(dataset, [*rows[1:], rows[0]])
    mixed = (dataset / "csv/val_orig.csv").read_bytes()
    to = [] if in_place else ["--destination", tmp_path / "to"]
    command = ["convert-talknet", "-q", dataset, *to]

    def run(fatal, *more):
        line = [sys.executable, KILLER, fatal, *command, *more]
        return subprocess.run(list(map(str, line)), capture_output=True, text=True, check=False)

    def reset():
        for path in (dataset / "csv").iterdir():
            path.unlink()
        (dataset / "csv/val_orig.csv").write_bytes(mixed)

    undisturbed = run(0)
    assert undisturbed.returncode == 0, undisturbed.stderr
    changes = int(re.search(r"changes=(\d+)", undisturbed.stderr).group(1))
    whole = tree(dataset if in_place else tmp_path / "to")
    for fatal in (changes // 2, changes):
        if in_place:
            reset()
        else:
            (tmp_path / "to").rename(tmp_path / f"before{fatal}")
        assert run(fatal).returncode == -9
        there = tree(dataset / "csv")
        kept = there.get("val_orig.before-convert.csv", mixed)
        assert kept == mixed
        if in_place:  # each csv is the old or the new one
            names = ("val_orig.csv", "val_loader.csv")
            now = {name: there[name] for name in names if name in there}
            new = {name: whole[f"csv/{name}"] for name in names}
            assert now.pop("val_orig.csv") in {mixed, new["val_orig.csv"]}
            assert now.items() <= new.items()
        else:
            assert not (tmp_path / "to").exists() or tree(tmp_path / "to") == whole
        again = run(0, *([] if in_place else ["--overwrite"]))
        assert again.returncode == 0, again.stderr
        made = tree(dataset if in_place else tmp_path / "to")
        # What was being written then has no name that anybody reads.
        assert {name: text for name, text in made.items() if not name.endswith(".part")} == whole

"""What every conversion promises: on the sample, on a hostile dataset, and on any dataset."""

from __future__ import annotations

import csv
import dataclasses
import json
import random
import shutil
import tempfile
import zlib
from collections import Counter
from pathlib import Path

import jsonschema
import pytest
from build import Track, make_dataset, write_csv, write_wav
from conftest import exhaustive, one_in, tree
from hypothesis import given, settings
from hypothesis import strategies as st
from loaders import asc, loconet, scored_by_position, talknet
from reference import area_fast, ranked

import unitalk
from unitalk import DestinationError, LayoutError, SchemaError, convert_asc, schemas
from unitalk.dataset.convert import convert_loconet, convert_talknet
from unitalk.dataset.convert.place_files import Job, place_files
from unitalk.executor import Processes
from unitalk.layout import FlatLayout

CONVERT = {"asc": convert_asc, "talknet": convert_talknet, "loconet": convert_loconet}
LOADERS = {"talknet": talknet, "loconet": loconet}


def rows_of(root: Path, split: str) -> list[dict[str, str]]:
    with (root / f"csv/{split}_orig.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def crop_of(root: Path, split: str, row: dict[str, str]) -> bytes:
    name = f"{float(row['frame_timestamp']):.2f}.jpg"
    return (root / "clips_videos" / split / row["video_id"] / row["entity_id"] / name).read_bytes()


def scorer(root: Path, split: str):
    """A model that knows a face by its bytes: the truth and a drift that is no other face's.

    Crops of the sample that look alike get one score, wherever they are seen.
    """
    speaks = Counter()
    for row in rows_of(root, split):
        speaks[crop_of(root, split, row)] += row["label"] == "SPEAKING_AUDIBLE"

    def score(jpg: bytes) -> float:
        return (speaks[jpg] > 0) + zlib.crc32(jpg) / 2**31

    return score


def scored_by_key(root: Path, split: str, score, to: Path) -> Path:
    rows = rows_of(root, split)
    random.Random(1).shuffle(rows)
    with to.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["frame_timestamp", "entity_id", "score"])
        for row in rows:
            own = repr(score(crop_of(root, split, row)))
            writer.writerow([row["frame_timestamp"], row["entity_id"], own])
    return to


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Interleaved tracks, unsorted rows, 0.4 and 12, ids with `-`, one frame, gaps, long ids.

    Two videos share 11 characters and have the same times; one is shorter than 11; label 2 occurs.
    """
    hop = [f"{n / 25}" for n in range(5, 35)]
    root = make_dataset(
        tmp_path / "hostile",
        {
            "-maoolmiKi0": [
                Track("-maoolmiKi0:2", ["0.36", "0.4", "0.44", "12", "12.04"], [0, 1, 1, 0, 1]),
                Track("-maoolmiKi0:10", ["0.4"], [1]),
                Track("-maoolmiKi0:1", ["0.4", "0.44"], [0, 0]),
            ],
            "EEey6Pt0rqI_0-10": [
                Track("EEey6Pt0rqI_0-10:0", hop, [0] * 10 + [1] * 20),
                Track("EEey6Pt0rqI_0-10:1", hop[4:20], [1] * 16),
            ],
            "EEey6Pt0rqI_90-100": [Track("EEey6Pt0rqI_90-100:0", hop, [0, 1, 1] * 10)],
            "9Zja_cIAwY8": [Track("9Zja_cIAwY8:0", ["900.2"], [1])],
            "v": [Track("v:0", ["3", "3.04", "3.08"], [0, 1, 1])],
        },
    )
    rows = [list(row.values()) for row in rows_of(root, "val")]
    rows[1][6], rows[1][8] = "SPEAKING_NOT_AUDIBLE", "2"
    random.Random(7).shuffle(rows)
    write_csv(root / "csv/val_orig.csv", rows)
    return root


# ------------------------------------------------------------------------------ fed completely


def check_talknets(source: Path, made: Path, split: str, tmp_path: Path, name: str) -> None:
    """Every face once, with its own label; scores by position are scores by key."""
    rows = rows_of(source, split)
    positive = {crop_of(source, split, row): int(row["label_id"] == "1") for row in rows}
    alike = len(positive) < len(rows)
    seen = list(LOADERS[name](made, split))
    assert all(track.complete for track in seen)
    assert sum(track.frames for track in seen) == len(rows)
    jpgs = [jpg for track in seen for jpg in track.jpgs]
    assert Counter(jpgs) == Counter(crop_of(source, split, row) for row in rows)
    labels = [label for track in seen for label in track.labels]
    assert alike or labels == [positive[jpg] for jpg in jpgs]
    score = scorer(source, split)
    by_key = scored_by_key(source, split, score, tmp_path / "key.csv")
    by_place = scored_by_position(made, score, tmp_path / "place.csv", split, LOADERS[name])
    truth = source / f"csv/{split}_orig.csv"
    one, two = unitalk.evaluate(truth, by_key), unitalk.evaluate(truth, by_place)
    assert two.average_precision == one.average_precision
    scores = [score(crop_of(source, split, row)) for row in rows]
    if len(set(scores)) == len(scores):
        wanted = area_fast(ranked([row["label_id"] == "1" for row in rows], scores))
        assert two.average_precision == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize("in_place", [True, False])
@exhaustive
def test_the_sample_feeds_the_loaders_of_scores_by_position(sample, tmp_path, name, in_place):
    source = tmp_path / "d"
    shutil.copytree(sample, source)
    made = source if in_place else tmp_path / "to"
    report = CONVERT[name](source, None if in_place else made)
    assert (report.sound, report.reordered, report.warnings) == (True, (), ())
    for split in ("train", "val"):
        check_talknets(sample, made, split, tmp_path, name)
    assert unitalk.verify_dataset(made, layout="talknet").findings == ()
    assert (made / "csv/val_orig.csv").read_bytes() == (sample / "csv/val_orig.csv").read_bytes()


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize("link", ["hard", "sym"])
def test_a_hostile_dataset_feeds_the_loaders_of_scores_by_position(hostile, tmp_path, name, link):
    before = tree(hostile)
    report = CONVERT[name](hostile, tmp_path / "to", link=link)
    assert (report.sound, report.reordered) == (True, ("val",))
    assert (report.rows, report.tracks, report.videos) == (88, 8, 5)
    assert report.gaps == 1
    assert report.warnings[0].startswith(
        "1 tracks with gaps in time: val/-maoolmiKi0:2 (0.44 to 12.00 s)"
    )
    check_talknets(hostile, tmp_path / "to", "val", tmp_path, name)
    assert tree(hostile) == before


def test_asc_is_fed_completely(hostile, tmp_path):
    report = convert_asc(hostile, tmp_path / "to")
    seen, heard = asc(tmp_path / "to", "val")
    rows = rows_of(hostile, "val")
    assert [face[3] for face in seen] == [crop_of(hostile, "val", row) for row in rows]
    assert [face[2] for face in seen] == [int(row["label_id"]) for row in rows]
    assert "silent" not in heard.values()
    assert report.sound


def test_scores_by_position_in_another_order_are_those_of_other_faces(sample, tmp_path):
    """What the contract is for: the same model, its loader's csv sorted by id."""
    made = tmp_path / "to"
    convert_talknet(sample, made)
    score = scorer(sample, "val")
    truth = made / "csv/val_orig.csv"
    loader = made / "csv/val_loader.csv"
    right = unitalk.evaluate(truth, scored_by_position(made, score, tmp_path / "1.csv"))
    loader.write_text("".join(sorted(loader.read_text().splitlines(keepends=True))))
    wrong = unitalk.evaluate(truth, scored_by_position(made, score, tmp_path / "2.csv"))
    prior = right.positives / right.faces
    assert right.average_precision > 0.75
    assert abs(wrong.average_precision - prior) < 0.1


# ------------------------------------------------------------------------------ any dataset

entities = st.sampled_from(["v2345678901:0", "v2345678901:1", "v2345678901_b:0", "-23:0", "w:10"])
frames = st.sets(st.integers(0, 12), min_size=1, max_size=8)


@settings(max_examples=12)
@given(
    st.dictionaries(entities, frames, min_size=1, max_size=4),
    st.sampled_from([0.0, 11.96, 900.2]),
    st.randoms(use_true_random=False),
    st.sets(st.integers(0, 31), max_size=4),
    st.booleans(),
)
def test_the_contract_holds_of_any_dataset(tracks, start, chance, missing, shuffled):
    """Frames at 25 a second in any order, some without a crop, written with as few digits."""
    videos: dict[str, list[Track]] = {}
    for entity, own in tracks.items():
        times = [str(round(start + frame / 25, 2)) for frame in sorted(own)]
        labels = [chance.randrange(2) for _ in times]
        videos.setdefault(entity.rpartition(":")[0], []).append(Track(entity, times, labels))
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        source = make_dataset(root / "d", videos)
        rows = [list(row.values()) for row in rows_of(source, "val")]
        if shuffled:
            chance.shuffle(rows)
            write_csv(source / "csv/val_orig.csv", rows)
        crops = sorted((source / "clips_videos").rglob("*.jpg"))
        gone = [crops[place] for place in missing if place < len(crops)]
        for path in gone if len(gone) < len(crops) else ():
            path.unlink()
        left = [path.read_bytes() for path in crops if path.exists()]
        for target, loader in LOADERS.items():
            report = CONVERT[target](source, root / target, link="hard")
            assert (report.black, report.rows) == (len(crops) - len(left), len(left))
            assert report.misaligned == 0
            seen = list(loader(root / target, "val"))
            assert all(track.complete for track in seen)
            assert sorted(jpg for track in seen for jpg in track.jpgs) == sorted(left)
            positions = rows_of(root / target, "val")
            # The crop's bytes are its video, track and name: each score finds its own row.
            assert [jpg.decode() for track in seen for jpg in track.jpgs] == [
                f"{row['video_id']} {row['entity_id']} {float(row['frame_timestamp']):.2f}.jpg"
                for row in positions
            ]
            assert [label for track in seen for label in track.labels] == [
                int(row["label_id"]) for row in positions
            ]


# ------------------------------------------------------------------------------ all three verbs


@pytest.mark.parametrize("target", CONVERT)
def test_the_command_converts_replaces_its_own_and_nothing_else(run, dataset, tmp_path, target):
    def convert(to, *more):
        source = ("--source", dataset) if target == "asc" else (dataset,)
        line = (f"convert-{target}", *source, "--destination", tmp_path / to)
        return run(*line, "--format", "json", "-q", *more)

    ran = convert("to", "--split", "val", "--split", "val")
    assert (ran.code, ran.stderr) == (0, "")
    found = json.loads(ran.stdout)
    assert (found["splits"], found["tracks"], found["rows"]) == (["val"], 5, 11)
    assert found["findings"] == []
    jsonschema.validate(found, schemas.read(f"convert-{target}"))
    once = tree(tmp_path / "to")
    assert convert("to").code == 2
    assert convert("to", "--overwrite").code == 0
    marker = ".unitalk/dataset.json"
    assert tree(tmp_path / "to") == once
    assert json.loads(once[marker])["made_by"] == f"convert-{target}"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("keep me")
    before = tree(tmp_path)
    for to in ("mine", "dataset", "dataset/to", "."):
        assert convert(to, "--overwrite").code == 2
    assert convert("to2", "--split", "test").code == 3
    assert tree(tmp_path) == before
    other = {"asc": "talknet", "talknet": "loconet", "loconet": "asc"}[target]
    with pytest.raises(DestinationError, match=f"convert-{target}"):
        CONVERT[other](dataset, tmp_path / "to", overwrite=True)


@pytest.mark.parametrize("target", CONVERT)
def test_rows_that_no_loader_can_read_are_refused(tmp_path, target):
    twice = {"one": [Track("x:0", ["0.0"], [1])], "two": [Track("x:0", ["0.04"], [0])]}
    source = make_dataset(tmp_path / "twice", twice)
    with pytest.raises(LayoutError, match="both have a track 'x:0'"):
        CONVERT[target](source, tmp_path / "to")
    source = make_dataset(tmp_path / "eight", {"v": [Track("v:0", ["0.0"], [1])]})
    rows = [list(row.values())[:8] for row in rows_of(source, "val")]
    write_csv(source / "csv/val_orig.csv", rows, None)
    with pytest.raises(SchemaError, match="label_id, instance_id are missing"):
        CONVERT[target](source, tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_what_is_missing_or_too_short_is_counted(tmp_path, dataset):
    """One sound is gone, one has 0.01 s for faces from 0.96 to 1.04."""
    (dataset / "clips_audios/val/-maoolmiKi0/-maoolmiKi0:1.wav").unlink()
    write_wav(dataset / "clips_audios/val/EEey6Pt0rqI/EEey6Pt0rqI:0.wav", 0.01)
    (dataset / "clips_videos/val/9Zja_cIAwY8/9Zja_cIAwY8:0/12.04.jpg").unlink()
    for target, convert in CONVERT.items():
        report = convert(dataset, tmp_path / target)
        assert (report.silent, report.short, report.black) == (1, 1, 1)
        assert "val/EEey6Pt0rqI:0.wav (0.01 s for 0.08 s of faces)" in " ".join(report.findings)
        assert report.rows == (11 if target == "asc" else 10)


@pytest.mark.parametrize("target", one_in(2, ["asc", "talknet", "loconet"]))
def test_several_processes_make_the_same_tree(hostile, tmp_path, target):
    (hostile / "clips_videos/val/v/v:0/3.04.jpg").unlink()
    here = CONVERT[target](hostile, tmp_path / "here", link="sym")
    there = CONVERT[target](hostile, tmp_path / "there", link="sym", executor=Processes(2))
    assert here.black == 1
    assert dataclasses.replace(here, destination=there.destination) == there
    assert everything(tmp_path / "here") == everything(tmp_path / "there")


def everything(root: Path) -> dict[str, object]:
    """All files and links below a folder, where links lead, and what is in files."""
    return {
        path.relative_to(root).as_posix(): path.readlink() if path.is_symlink()
        else path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
    }  # fmt: skip


@pytest.mark.parametrize("link", ["hard", "sym", "copy"])
@pytest.mark.parametrize("flat", [True, False])
def test_a_task_that_is_done_again_leaves_the_same(dataset, tmp_path, link, flat):
    """A worker that was lost had done all, or a part."""
    tracks = tuple(
        (entity, ("0.40.jpg", "0.44.jpg")) for entity in ("-maoolmiKi0:0", "-maoolmiKi0:1")
    )
    new = FlatLayout(tmp_path / "to")
    for folder in (new.track("val", "any").parent, new.audio("val", "any").parent):
        folder.mkdir(parents=True)
    job = Job(dataset, tmp_path / "to", "val", "-maoolmiKi0", tracks, link, flat)
    once = place_files(job)
    made = everything(tmp_path / "to")
    assert once.tracks["-maoolmiKi0:1"].names == "0.40.jpg/0.44.jpg"
    assert place_files(job) == once
    assert everything(tmp_path / "to") == made
    some = [path for path in made if path.endswith((":0.wav", "0.44.jpg"))]
    for path in some:
        if (tmp_path / "to" / path).exists() and link != "sym":
            (tmp_path / "to" / path).unlink()
    assert place_files(job) == once
    assert everything(tmp_path / "to") == made

"""The verbs one after the other on the real sample, and what came of it read back independently."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from build import Track, make_dataset
from conftest import tree
from hub_server import HubServer
from reference import area_fast, ranked

from unitalk import convert_asc, trim_dataset
from unitalk.catalog import video_list
from unitalk.dataset.sample import publish
from unitalk.net.loopback import LoopbackHub


@pytest.fixture
def offline(monkeypatch):
    """No token, no proxy and no hub from outside."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_TOKEN_PATH", "/nonexistent/token")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def table(path: Path) -> list[list[str]]:
    """The rows of a csv file, without its header."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))[1:]


def crop(root: Path, split: str, row: list[str]) -> Path:
    """Where the dataset's layout has a row's face: the time as a decimal number, two decimals."""
    return root / "clips_videos" / split / row[0] / row[7] / f"{Decimal(row[1]):.2f}.jpg"


def media(root: Path) -> dict[str, bytes]:
    return {name: data for name, data in tree(root).items() if name.startswith("clips_")}


# ------------------------------------------------------------------------------ what ASC reads


def test_ascs_loader_finds_every_face_of_the_sample_with_its_own_bytes(sample, tmp_path):
    """It takes the csv's text for a file name, and entity and label from the end of the row."""
    split, csv_file = "val", "csv/val_orig.csv"
    report = convert_asc(sample, tmp_path / "asc")
    before, after = table(sample / csv_file), table(tmp_path / "asc" / csv_file)
    assert report.sound
    for old, new in zip(before, after, strict=True):
        jpg = tmp_path / "asc/clips_videos" / split / new[-3] / f"{new[1]}.jpg"
        assert jpg.read_bytes() == crop(sample, split, old).read_bytes()
        assert (new[-3], new[-2]) == (old[7], old[8])
    # Of each 25 frames 5 have a shorter text in the csv than in the file's name: 0.4 and 0.40.
    shorter = [
        old[1] for old in before if Path(f"{old[1]}.jpg").name != crop(sample, split, old).name
    ]
    assert len(before) * 0.15 < len(shorter) < len(before) * 0.25
    assert {"12.0", "900.2"} <= set(shorter)


# ------------------------------------------------------------------------------ one after another


def test_each_category_is_trimmed_converted_and_scored_like_an_independent_computation(
    run, sample, tmp_path
):
    guesses = (sample / "predictions.csv").read_text().splitlines()
    seen = 0
    for category in video_list.CATEGORIES:
        cut = tmp_path / category
        assert run("trim", "--path", sample, "--new-path", cut, "--list", category).code == 0
        asc = tmp_path / f"{category}-asc"
        assert run("convert-asc", "--source", cut, "--destination", asc).code == 0
        truth = {(r[7], Decimal(r[1])): r[6] for r in table(cut / "csv/val_orig.csv")}
        ids = {video.video_id for video in video_list.videos() if video.category == category}
        kept = [line for line in guesses[1:] if line.split(",")[0] in ids]
        (tmp_path / "p.csv").write_text("\n".join([guesses[0], *kept]))
        cells = [line.split(",") for line in kept]
        labels = [truth[c[7], Decimal(c[1])] == "SPEAKING_AUDIBLE" for c in cells]
        wanted = area_fast(ranked(labels, [float(c[8]) for c in cells]))
        for gt in (cut / "csv/val_orig.csv", asc / "csv/val_orig.csv"):
            ran = run("eval", "-g", gt, "-p", tmp_path / "p.csv", "--format", "json")
            assert json.loads(ran.stdout)["average_precision"] == pytest.approx(wanted, abs=1e-12)
        assert len(truth) == len(cells)
        seen += len(truth)
    assert seen == len(table(sample / "csv/val_orig.csv"))


def test_a_part_is_the_same_from_sample_download_trim_and_symbolic_links(
    run, sample, tmp_path, offline
):
    first = tmp_path / "first"
    trim_dataset(sample, first, videos="noise")
    publish(first, tmp_path / "hub")
    with LoopbackHub(tmp_path / "hub") as server:
        ran = run("download", "--save-path", tmp_path / "got", "--endpoint", server.endpoint,
                  "--category", "noise")  # fmt: skip
    assert ran.code == 0
    (tmp_path / "here").symlink_to(tmp_path / "got")
    trim_dataset(sample, tmp_path / "sym", videos="visual", link="sym")
    for source, category in (("first", "noise"), ("got", "noise"), ("here", "noise"),
                             ("sym", "visual")):  # fmt: skip
        cut = tmp_path / f"{source}-again"
        ran = run("trim", "--path", tmp_path / source, "--new-path", cut, "--list", category)
        assert (ran.code, ran.stderr) == (0, "")
        videos = {video.video_id for video in video_list.select(categories=(category,))}
        wanted = {n: d for n, d in media(sample).items() if n.split("/")[2] in videos}
        assert media(cut) == wanted
        rows = [row for row in table(sample / "csv/val_orig.csv") if row[0] in videos]
        assert table(cut / "csv/val_orig.csv") == rows


def test_a_dataset_as_the_original_scripts_and_a_mac_leave_it(run, sample, tmp_path, offline):
    """No folder of ours, a csv that pandas wrote anew, litter, and a video that no row names."""
    old = tmp_path / "old"
    trim_dataset(sample, old, videos="noise", link="copy")
    whole = media(old)
    shutil.rmtree(old / ".unitalk")
    pd.read_csv(old / "csv/val_orig.csv").to_csv(old / "csv/val_orig.csv", index=False)
    val, video = old / "clips_videos/val", "EEey6Pt0rqI"
    track = sorted((val / video).iterdir())[0]
    for litter in (val / "__MACOSX/._x", val / ".DS_Store", val / video / ".DS_Store",
                   track / ".DS_Store", track / "._12.40.jpg", track / "12.40 copy.jpg",
                   val / "extraVideo0/extraVideo0:0/0.40.jpg"):  # fmt: skip
        litter.parent.mkdir(parents=True, exist_ok=True)
        litter.write_bytes(b"litter")
    ran = run("trim", "--path", old, "--new-path", tmp_path / "cut", "--list", "noise")
    assert (ran.code, ran.stderr) == (0, "")
    assert whole.items() <= media(tmp_path / "cut").items()
    assert not (tmp_path / "cut/clips_videos/val/extraVideo0").exists()
    for source in ("old", "cut"):
        asc = tmp_path / f"{source}-asc"
        ran = run("convert-asc", "--source", tmp_path / source, "--destination", asc)
        assert (ran.code, ran.stderr) == (0, "")
        # The flat layout has no folder of the video, and nothing of the litter.
        flat = {"/".join(p for i, p in enumerate(n.split("/")) if i != 2): d
                for n, d in whole.items()}  # fmt: skip
        assert media(asc) == flat
    truth = old / "csv/val_orig.csv"
    scored = pd.read_csv(truth).assign(score=range(len(table(truth))))
    scored.to_csv(tmp_path / "p.csv", index=False)
    assert run("eval", "-g", truth, "-p", tmp_path / "p.csv").code == 0
    ran = run("download", "--save-path", old, "--endpoint", "http://127.0.0.1:9")
    assert ran.code == 2
    assert "--adopt takes it over" in ran.stderr


# ------------------------------------------------------------------------------ how it is called


def strict(text: str) -> dict:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("verb", ["trim", "eval"])
def test_verbs_answer_strict_json_without_asserts_from_a_folder_they_cannot_write_to(
    sample, tmp_path, verb
):
    """Under `python -O`; root may write everywhere, so it is looked whether anything was."""
    here = tmp_path / "here"
    here.mkdir(mode=0o555)
    words = {
        "trim": ["--path", sample, "--new-path", tmp_path / "new", "--list", "noise"],
        "eval": ["-g", sample / "csv/val_orig.csv", "-p", sample / "predictions.csv"],
    }[verb]
    command = [sys.executable, "-O", "-m", "unitalk", verb, *words, "--format", "json", "-q"]
    ran = subprocess.run(
        list(map(str, command)), cwd=here, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    answer = strict(ran.stdout)
    assert (answer["schema_version"], answer["warnings"]) == (1, [])
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert os.listdir(here) == []


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_what_download_answers_is_strict_json_too(run, sample, tmp_path, offline, dry):
    trim_dataset(sample, tmp_path / "cut", videos="noise")
    publish(tmp_path / "cut", tmp_path / "hub")
    with LoopbackHub(tmp_path / "hub") as server:
        ran = run("download", "--save-path", tmp_path / "got", "--endpoint", server.endpoint,
                  "--split", "val", "--format", "json", *dry)  # fmt: skip
    answer = strict(ran.stdout)
    assert (answer["schema_version"], answer["warnings"], ran.code) == (1, [], 4)
    assert len(answer["missing"]) == 22 - 3  # the val list, of which this hub has a category


@pytest.mark.parametrize(
    "arguments",
    [["videos", "--category", "noise", "--format", "json"], ["nonsense"]],
)
def test_the_module_and_the_program_are_one(arguments, tmp_path):
    program = Path(sys.executable).with_name("unitalk")
    if not program.is_file():
        pytest.skip("the program is not installed beside this Python")
    said = [
        subprocess.run(
            [*command, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        for command in ([sys.executable, "-m", "unitalk"], [str(program)])
    ]
    one, two = ((ran.returncode, ran.stdout, ran.stderr) for ran in said)
    assert one == two


# ------------------------------------------------------------------------------ found by trying


def test_a_video_in_both_splits_is_converted_or_refused_with_a_sentence(run, tmp_path):
    for split in ("train", "val"):
        make_dataset(tmp_path / "d", {"v": [Track("v:0", ["0.4"], [1])]}, split=split)
    ran = run("convert-asc", "--source", tmp_path / "d", "--destination", tmp_path / "asc")
    assert ran.code in {0, 3}


@pytest.mark.parametrize(
    "wrong", [["--category", "nois"], ["--category", "noise", "--split", "train"]]
)
def test_a_selection_that_cannot_be_is_refused_before_the_network(run, tmp_path, offline, wrong):
    (tmp_path / "hub").mkdir()
    with HubServer(tmp_path / "hub") as server:
        ran = run("download", "--save-path", tmp_path / "d", "--endpoint", server.endpoint, *wrong)
        asked = server.log
    assert ran.code == 2
    assert not asked

"""`unitalk weights`: what it prints, and what its exit code says."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from unitalk import schemas
from unitalk.cli._shared.user_folders import weights_folder
from unitalk.models import weights

GOOD = b"PK\x03\x04" + b"weights" * 100


@pytest.fixture
def folder(tmp_path, monkeypatch):
    place = tmp_path / "weights"
    monkeypatch.setenv("UNITALK_WEIGHTS", str(place))
    return place


@pytest.fixture
def saved(tmp_path):
    file = tmp_path / "saved.model"
    file.write_bytes(GOOD)
    return file


# ------------------------------------------------------------------------------ the folder


def test_the_folder_follows_the_environment(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    for name in ("UNITALK_WEIGHTS", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert weights_folder() == Path("/home/somebody/.cache/unitalk/weights")
    monkeypatch.setenv("XDG_CACHE_HOME", "/scratch/cache")
    assert weights_folder() == Path("/scratch/cache/unitalk/weights")
    monkeypatch.setenv("UNITALK_WEIGHTS", "~/networks")
    assert weights_folder() == Path("/home/somebody/networks")
    monkeypatch.setenv("UNITALK_WEIGHTS", "")  # as good as not set
    assert weights_folder() == Path("/scratch/cache/unitalk/weights")


# ------------------------------------------------------------------------------ list


def test_list_is_a_row_a_checkpoint(run, folder, saved):
    run("weights", "download", "talknet-ava", "--from-file", saved)
    ran = run("weights", "list")
    assert ran.code == 0
    rows = ran.stdout.splitlines()
    assert rows[0].split() == ["name", "model", "trained", "on", "network", "here"]
    assert len(rows) == 1 + len(weights.checkpoints())
    assert max(map(len, rows)) <= 80
    by_name = {row.split()[0]: row for row in rows[1:]}
    assert by_name["talknet-ava"].split()[1:] == ["TalkNet", "AVA", "talknet", "yes"]
    assert by_name["light-asd-ava"].split()[1:] == ["Light-ASD", "AVA", "light-asd"]
    assert by_name["lr-asd-ava"].split()[1:] == ["LR-ASD", "AVA", "-"]
    assert str(folder) in ran.stderr


def test_list_as_json(run, folder, saved, tmp_path):
    run("weights", "download", "talknet-ava", "--from-file", saved)
    out = tmp_path / "list.json"
    ran = run("weights", "list", "--format", "json", "-o", out)
    assert (ran.code, ran.stdout) == (0, "")
    result = json.loads(out.read_text())
    jsonschema.validate(result, schemas.read("weights-list"))
    assert (result["schema_version"], result["folder"]) == (1, str(folder))
    found = {one["name"]: one for one in result["checkpoints"]}
    assert list(found) == [one.name for one in weights.checkpoints()]
    assert found["talknet-ava"]["state"] == "present"
    assert found["talknet-ava"]["path"] == str(folder / "talknet-ava.model")
    assert found["light-asd-ava"]["state"] == "absent"
    assert found["light-asd-ava"]["sha256"].startswith("d44bc3ea")


# ------------------------------------------------------------------------------ show


def shown(run, name):
    """What `weights show` prints, by its labels; a text may go on in the next line."""
    ran = run("weights", "show", name)
    assert ran.code == 0
    said = {}
    for line in ran.stdout.splitlines():
        label, text = line[:12].strip(), line[12:].strip()
        if label:
            said[label] = text
        else:
            said[list(said)[-1]] += f" {text}"
    return said


def test_show_says_all_that_is_known(run, folder):
    said = shown(run, "light-asd-ava")
    assert said["url"].startswith("https://raw.githubusercontent.com/Junhua-Liao/")
    del said["url"], said["source"], said["sha256"]
    assert said == {
        "name": "light-asd-ava",
        "model": "Light-ASD",
        "trained on": "AVA",
        "loads into": "light-asd",
        "crop": "the annotated box, resized to 112x112",
        "margin": "none",
        "frame rate": "23.25 to 30 frames per second",
        "threshold": "0, on the logit of speaking",
        "published": "AVA val: mAP 94.06 (Light-ASD README)",
        "licence": "MIT",
        "size": "4,175,289 bytes",
        "here": "no",
    }


def test_show_of_faces_that_are_cropped_wider(run, folder):
    said = shown(run, "talknet-talkset")
    assert "1.4 times the box's longer side" in said["crop"]
    assert said["margin"] == "20% of the box on each side"
    assert said["frame rate"] == "25 frames per second"
    assert said["published"] == "Columbia: mean F1 96.3 (TalkNet-ASD README)"
    assert said["extra"] == "unitalk[weights], for Google Drive"


def test_show_claims_nothing_that_is_not_known(run, folder):
    said = shown(run, "unitalk-loconet")
    assert said["loads into"] == "no model here"
    assert said["read by"] == "the code of LoCoNet"
    assert {label for label, text in said.items() if text == "not known"} == {
        "margin", "threshold", "licence", "size",
    }  # fmt: skip
    assert said["sha256"] == "not known before the first download"
    assert "CC BY-NC 4.0" in said["terms"]


def test_what_is_no_network_has_no_crops(run, folder):
    for name in ("s3fd", "ava-csv"):
        assert not shown(run, name).keys() & {"crop", "margin", "frame rate", "threshold"}


def test_show_of_what_is_here(run, folder, saved):
    run("weights", "download", "talknet-ava", "--from-file", saved)
    result = json.loads(run("weights", "show", "talknet-ava", "--format", "json").stdout)
    jsonschema.validate(result, schemas.read("weights-show"))
    assert (result["state"], result["size"]) == ("present", len(GOOD))
    assert result["origin"] == str(saved)
    assert result["registered"].endswith("Z")
    ran = run("weights", "show", "talknet-ava", "--check")
    assert ran.code == 0
    assert "here        yes\n" in ran.stdout
    assert result["published"] == {
        "benchmark": "AVA val", "metric": "mAP", "value": 92.3, "source": "TalkNet-ASD README",
    }  # fmt: skip
    assert (result["margin"], result["frame_rate"]) == (0.0, [23.25, 30.0])


def test_show_of_an_altered_file_exits_with_3(run, folder, saved):
    run("weights", "download", "talknet-ava", "--from-file", saved)
    (folder / "talknet-ava.model").write_bytes(GOOD + b"!")
    ran = run("weights", "show", "talknet-ava")
    assert ran.code == 3
    assert "yes, but it is not the file that was registered" in ran.stdout
    assert "found       " in ran.stdout


# ------------------------------------------------------------------------------ download


def test_download_from_a_file(run, folder, saved):
    ran = run("weights", "download", "talknet-ava", "--from-file", saved)
    assert ran.code == 0
    lines = ran.stdout.splitlines()
    assert lines[0] == f"{folder / 'talknet-ava.model'}: registered, 704 B"
    assert lines[1].endswith(", remembered from now on")
    assert lines[2] == "next: unitalk predict DATASET --weights talknet-ava -o FILE"
    assert ran.stderr.startswith("warning: no hash of talknet-ava is published")
    again = run("weights", "download", "talknet-ava")  # no network is needed for what is there
    assert again.code == 0
    assert ": was there, 704 B" in again.stdout
    assert again.stderr == ""


def test_download_of_what_does_not_load_here_says_what_reads_it(run, folder, saved):
    saved.write_bytes(b"\x1f\x8b rows")
    ran = run("weights", "download", "ava-csv", "--from-file", saved)
    assert ran.stdout.splitlines()[-1] == "read by: unitalk import ava"


def test_the_report_does_not_go_over_the_file(run, folder, saved):
    ran = run("weights", "download", "talknet-ava", "--from-file", saved, "-o", saved)
    assert ran.code == 2
    assert saved.read_bytes() == GOOD


def test_several_at_once_from_what_is_here(run, folder, saved):
    for name in ("talknet-ava", "s3fd"):
        run("weights", "download", name, "--from-file", saved)
    ran = run("weights", "download", "s3fd", "talknet-ava", "s3fd", "--offline")
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [
        f"{folder}: 2 of 2 checkpoints",
        "s3fd         was there  704 B",
        "talknet-ava  was there  704 B",
    ]
    ran = run("weights", "download", "s3fd", "talknet-ava", "--offline", "--format", "json")
    result = json.loads(ran.stdout)
    jsonschema.validate(result, schemas.read("weights-download"))
    assert [one["name"] for one in result["checkpoints"]] == ["s3fd", "talknet-ava"]


@pytest.mark.parametrize(
    "words", [(), ("s3fd", "--all"), ("--all", "--from-file", "a"), ("a", "b", "--from-file", "a")]
)
def test_what_cannot_be_meant(run, folder, words):
    ran = run("weights", "download", *words)
    assert ran.code == 2
    assert "Give NAME, one or several, or --all." in ran.stderr or "is for one" in ran.stderr


@pytest.mark.parametrize(
    ("value", "flag", "by"),
    [
        (None, True, "--offline"), ("", True, "--offline"), ("0", True, "--offline"),
        ("1", False, "HF_HUB_OFFLINE"), ("yes", False, "HF_HUB_OFFLINE"),
        ("True", True, "HF_HUB_OFFLINE"), ("on", False, "HF_HUB_OFFLINE"),
    ],
)  # fmt: skip
def test_what_forbids_the_network_is_named(run, folder, monkeypatch, value, flag, by):
    """HF_HUB_OFFLINE is read as huggingface_hub does; a value such as 0 forbids nothing."""
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    if value is not None:
        monkeypatch.setenv("HF_HUB_OFFLINE", value)
    ran = run("weights", "download", "light-asd-ava", *(["--offline"] if flag else []))
    assert (ran.code, ran.stdout) == (2, "")
    assert f"which {by} forbids" in ran.stderr
    assert f"fetch it without {by}: unitalk weights download light-asd-ava" in ran.stderr
    ran = run("weights", "download", "--all", *(["--offline"] if flag else []))
    assert (ran.code, ran.stdout) == (2, "")
    assert f"and {len(weights.checkpoints()) - 3} more would have to be fetched" in ran.stderr
    assert not folder.exists()

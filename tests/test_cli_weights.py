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
    assert rows[0].split() == ["name", "model", "trained", "on", "loads", "into", "here"]
    assert len(rows) == 1 + len(weights.checkpoints())
    assert max(map(len, rows)) <= 80
    by_name = {row.split()[0]: row for row in rows[1:]}
    assert by_name["talknet-ava"].split()[1:] == ["TalkNet", "AVA", "talknet", "yes"]
    assert by_name["light-asd-ava"].split()[1:] == ["Light-ASD", "AVA", "light-asd"]
    assert by_name["s3fd"].endswith("not here")
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


def test_show_says_all_that_is_known(run, folder):
    ran = run("weights", "show", "light-asd-ava")
    assert ran.code == 0
    said = dict(line.split("  ", 1) for line in ran.stdout.splitlines())
    said = {label.strip(): text.strip() for label, text in said.items()}
    assert said["loads into"] == "unitalk talknet --model light-asd"
    assert said["licence"] == "MIT"
    assert said["size"] == "4,175,289 bytes"
    assert said["here"] == "no"
    assert said["url"].startswith("https://raw.githubusercontent.com/Junhua-Liao/")


def test_show_claims_nothing_that_is_not_known(run, folder):
    text = run("weights", "show", "unitalk-loconet").stdout
    assert "licence     not known here: see the source" in text
    assert "sha256      not known before the first download" in text
    assert "size        not known\n" in text
    assert "loads into  no model here" in text
    assert "read by     the code of LoCoNet" in text


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
    assert lines[2] == "a talknet, for: unitalk talknet predict --weights talknet-ava"
    assert ran.stderr.startswith("warning: nobody publishes a hash of talknet-ava")
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

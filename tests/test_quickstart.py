"""The whole job on the sample, as a stranger runs it first."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from conftest import exhaustive, tree
from reference import area_fast, ranked

import unitalk
from unitalk.catalog import video_list
from unitalk.studies.quickstart import quickstart


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    destination = tmp_path_factory.mktemp("quickstart") / "q"
    return destination, quickstart(destination)


def test_what_came_over_http_is_what_was_made(made):
    destination, _ = made
    sample, dataset = destination / "sample", destination / "dataset"
    for folder in ("clips_videos/val", "clips_audios/val"):
        assert tree(dataset / folder) == tree(sample / folder)
    assert (dataset / "csv/val_orig.csv").read_bytes() == (sample / "csv/val_orig.csv").read_bytes()
    assert sorted(os.listdir(destination)) == [".unitalk", "asc", "dataset", "noise", "sample"]


def test_the_table_is_that_of_an_independent_computation(made):
    destination, report = made
    truth = unitalk.read_groundtruth(destination / "dataset/csv/val_orig.csv")
    guess = unitalk.read_predictions(destination / "sample/predictions.csv")
    both = truth.assign(score=guess["score"])  # the sample writes both in one order
    assert both["entity_id"].tolist() == guess["entity_id"].tolist()
    groups = {group.by.get("category", "TOTAL"): group for group in report.score.groups}
    for name, score in groups.items():
        ids = {v.video_id for v in video_list.videos() if name in {v.category, "TOTAL"}}
        rows = both[both["video_id"].isin(ids)]
        labels = (rows["label"] == "SPEAKING_AUDIBLE").tolist()
        wanted = area_fast(ranked(labels, rows["score"].tolist()))
        assert score.average_precision == pytest.approx(wanted, abs=1e-12)
        assert (score.faces, score.positives) == (len(rows), sum(labels))
    assert list(groups) == [*video_list.CATEGORIES, "TOTAL"]
    assert sum(s.faces for n, s in groups.items() if n != "TOTAL") == len(both)


def test_the_commands_that_it_shows_are_commands(made):
    _, report = made
    calls = [step.call.partition("(")[0] for step in report.steps]
    assert calls == ["make_sample", "plan_download", "trim_dataset", "convert_asc", "evaluate"]
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False))["schema_version"] == 1


@exhaustive
def test_without_a_folder_it_leaves_nothing(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    ran = run("quickstart", "-q")
    assert (ran.code, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert lines[-7].split()[:7] == ["category", "videos", "tracks", "faces", "positives",
                                     "prior", "AP"]  # fmt: skip
    assert lines[-2].split()[:2] == ["TOTAL", "22"]
    assert lines[-1].startswith("* few videos")
    assert max(map(len, lines)) <= 80
    assert os.listdir(tmp_path) == []


@exhaustive
def test_its_own_folder_is_replaced_on_request_alone(run, made, tmp_path):
    shutil.copytree(made[0], tmp_path / "q", symlinks=True)
    refused = run("quickstart", "-q", tmp_path / "q")
    assert refused.code == 2
    assert "--overwrite" in refused.stderr
    (tmp_path / "q/noise").rename(tmp_path / "q/gone")
    assert run("quickstart", "-q", tmp_path / "q", "--overwrite").code == 0
    assert sorted(os.listdir(tmp_path / "q")) == [".unitalk", "asc", "dataset", "noise", "sample"]


def test_a_folder_with_something_in_it_is_refused(run, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes").touch()
    assert run("quickstart", tmp_path / "mine").code == 2

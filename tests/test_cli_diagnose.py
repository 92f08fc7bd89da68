"""`unitalk diagnose` on files: the exit code, 80 columns, lines to copy, JSON."""

from __future__ import annotations

import gzip
import json
import os
import threading

import pytest
from diagnosed import CAUSES, draw, misordered, percent

from unitalk.score.diagnose import CHECKS


@pytest.fixture(scope="module")
def data():
    return draw()


@pytest.fixture
def diagnose(run, data, tmp_path, monkeypatch):
    """Write predictions to p.csv beside the ground truth g.csv, and run the verb on the two."""
    monkeypatch.chdir(tmp_path)
    data.truth.to_csv("g.csv", index=False)

    def run_it(guess, *options, predictions="p.csv"):
        guess.to_csv("p.csv", index=False)
        return run("diagnose", "-g", "g.csv", "-p", predictions, *options)

    return run_it


def is_code(line: str) -> bool:
    return line.startswith("    ") and not line.startswith(" " * 5)


def test_good_predictions(diagnose, data):
    ran = diagnose(data.guess)
    assert (ran.code, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("ok ")] == list(CHECKS)
    assert lines[-1] == "no problem found"


@pytest.mark.parametrize("check", CAUSES)
def test_each_cause_is_the_only_problem_and_is_exit_code_3(diagnose, data, check):
    ran = diagnose(CAUSES[check](data.guess))
    assert (ran.code, ran.stderr) == (3, "")
    lines = ran.stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("problem ")] == [check]
    assert lines[-1] == "1 problem"
    assert any(line.startswith(" " * 21 + "-> ") for line in lines)
    assert all(len(line) <= 80 or is_code(line) for line in lines)


def test_the_code_that_is_given_can_be_copied(diagnose, data):
    """Its lines stand alone, unbroken, and make good predictions of the broken ones."""
    broken = misordered(data.guess)
    lines = [line[4:] for line in diagnose(broken).stdout.splitlines() if is_code(line)]
    assert len(lines) == 2
    space = {"predictions": broken}
    exec("\n".join(lines), space)
    assert diagnose(space["predictions"]).code == 0


def test_what_a_terminal_would_obey_is_escaped(diagnose, data):
    ran = diagnose(data.guess.assign(entity_id="\x1b[31m\x07" + data.guess["entity_id"]))
    assert ran.code == 3
    assert r"\x1b[31m\x07" in ran.stdout
    assert "\x1b" not in ran.stdout


def test_json(diagnose, data, tmp_path):
    broken = data.guess.assign(score=0.5, frame_timestamp=data.guess["frame_timestamp"] + 0.04)
    ran = diagnose(broken, "--format", "json", "-o", "out.json")
    assert (ran.code, ran.stdout, ran.stderr) == (3, "", "")
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["problems"] == ["times", "scores"]
    assert diagnose(broken).stdout.splitlines()[-1] == "2 problems"


def test_wrong_usage(diagnose, data, tmp_path):
    ran = diagnose(data.guess, "-o", "p.csv")
    assert ran.code == 2
    assert "p.csv" in ran.stderr
    assert (tmp_path / "p.csv").read_text().startswith("video_id,")
    ran = diagnose(data.guess, predictions="nothing.csv")
    assert (ran.code, ran.stdout) == (2, "")
    assert "nothing.csv" in ran.stderr


def test_a_pipe_a_packed_file_and_a_folder_are_as_good_as_a_file(diagnose, data, tmp_path):
    text = data.guess.to_csv(index=False)
    (tmp_path / "packed.csv").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "folder").mkdir()
    for video, part in data.guess.groupby("video_id"):
        part.to_csv(tmp_path / "folder" / f"{video}.csv", index=False)
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=(text,))
    writer.start()
    for path in ("pipe", "packed.csv", "folder"):
        ran = diagnose(data.guess, predictions=path)
        assert ran.code == 0
        assert percent(data.area) in ran.stdout
    writer.join()

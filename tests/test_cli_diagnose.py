"""`unitalk diagnose` on files: one broken file a cause, the exit code, 80 columns."""

from __future__ import annotations

import json

import numpy as np
import pytest
from test_diagnose import BOX, VIDEOS, draw

from unitalk.cli import main
from unitalk.score.diagnose.search import CHECKS


@pytest.fixture(scope="module")
def data():
    return draw()


@pytest.fixture
def diagnose(run, data, tmp_path, monkeypatch):
    """Write predictions to p.csv beside the ground truth g.csv, and run the verb on the two."""
    monkeypatch.setitem(main.VERBS, "diagnose", "Say what is wrong with a file of predictions.")
    monkeypatch.chdir(tmp_path)
    data.truth.to_csv("g.csv", index=False)

    def run_it(guess, *options):
        guess.to_csv("p.csv", index=False)
        return run("diagnose", "-g", "g.csv", "-p", "p.csv", *options)

    return run_it


def is_code(line: str) -> bool:
    return line.startswith("    ") and not line.startswith(" " * 5)


def test_good_predictions(diagnose, data):
    ran = diagnose(data.guess)
    assert (ran.code, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("ok ")] == list(CHECKS)
    assert lines[-1] == "no problem found"


def relabelled(guess):
    return guess["label"].where(guess.index % 3 > 0, "NOT_SPEAKING")


CAUSES = {
    "a misordered loader file": (
        "order",
        lambda g: g.assign(
            score=g["score"].loc[
                g.sort_values(["entity_id", "frame_timestamp"], kind="stable").index
            ].to_numpy()
        ),
        "made for tracks sorted by id as text",
    ),
    "times rounded to one decimal": (
        "times",
        lambda g: g.assign(frame_timestamp=g["frame_timestamp"].round(1)),
        "rounded to 1 decimal",
    ),
    "ids with _ for :": (
        "ids",
        lambda g: g.assign(entity_id=g["entity_id"].str.replace(":", "_")),
        "have `_` for `:`",
    ),
    "one track missing": (
        "coverage",
        lambda g: g[g["entity_id"] != f"{VIDEOS[0]}:5"],
        f"1 of 60 tracks has no prediction: {VIDEOS[0]}:5",
    ),
    "boxes in pixels": (
        "boxes",
        lambda g: g.assign(
            **{
                name: np.rint(g[name] * size)
                for name, size in zip(BOX, [1280, 720, 1280, 720], strict=True)
            }
        ),
        "pixels of a frame of 1280 x 720",
    ),
    "labels mixed": ("labels", lambda g: g.assign(label=relabelled(g)), "labels are mixed"),
    "scores constant": ("scores", lambda g: g.assign(score=0.5), "every score is 0.5"),
    "scores upside down": (
        "scores", lambda g: g.assign(score=-g["score"]), "the scores are upside down"
    ),
    "a face twice": ("duplicates", lambda g: g.loc[[*g.index, 0]], "a face that has one already"),
    "no score": ("file", lambda g: g.drop(columns="score"), "lacks 'score'"),
}  # fmt: skip


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_is_the_only_problem_and_is_exit_code_3(diagnose, data, cause):
    check, breaks, words = CAUSES[cause]
    ran = diagnose(breaks(data.guess))
    assert (ran.code, ran.stderr) == (3, "")
    lines = ran.stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("problem ")] == [check]
    assert lines[-1] == "1 problem"
    assert words in " ".join(ran.stdout.split())
    assert any(line.startswith(" " * 21 + "-> ") for line in lines)


@pytest.mark.parametrize("cause", CAUSES)
def test_everything_but_code_fits_80_columns(diagnose, data, cause):
    text = diagnose(CAUSES[cause][1](data.guess)).stdout
    assert all(len(line) <= 80 or is_code(line) for line in text.splitlines())


def test_places_are_named_by_file_and_line(diagnose, data):
    """The first row of the frame is line 2 of the file."""
    ran = diagnose(data.guess.assign(label=relabelled(data.guess)))
    assert "p.csv:2: NOT_SPEAKING" in ran.stdout
    assert "p.csv:5: NOT_SPEAKING" in ran.stdout


def test_the_code_that_is_given_can_be_copied(diagnose, data):
    """Its lines stand alone, unbroken, and make good predictions of the broken ones."""
    broken = CAUSES["a misordered loader file"][1](data.guess)
    lines = [line[4:] for line in diagnose(broken).stdout.splitlines() if is_code(line)]
    space = {"predictions": broken}
    exec("\n".join(lines), space)
    assert diagnose(space["predictions"]).code == 0


def test_json(diagnose, data, tmp_path):
    ran = diagnose(data.guess.assign(score=0.5), "--format", "json", "-o", "out.json")
    assert (ran.code, ran.stdout, ran.stderr) == (3, "", "")
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["schema_version"] == 1
    assert result["problems"] == ["scores"]
    assert [finding["check"] for finding in result["findings"]] == list(CHECKS)


def test_an_input_is_not_written_over(diagnose, data, tmp_path):
    ran = diagnose(data.guess, "-o", "p.csv")
    assert ran.code == 2
    assert "would write over an input" in ran.stderr
    assert (tmp_path / "p.csv").read_text().startswith("video_id,")


def test_a_file_that_is_not_there(diagnose, data):
    ran = diagnose(data.guess, "-p", "nothing.csv")
    assert (ran.code, ran.stdout) == (2, "")
    assert "nothing.csv does not exist" in ran.stderr


def test_two_problems_are_counted(diagnose, data):
    broken = data.guess.assign(score=0.5, frame_timestamp=data.guess["frame_timestamp"] + 0.04)
    ran = diagnose(broken)
    assert ran.code == 3
    assert ran.stdout.splitlines()[-1] == "2 problems"


def test_help_is_the_verbs_line(diagnose, run):
    ran = run("diagnose", "--help")
    assert ran.code == 0
    assert main.VERBS["diagnose"] in ran.stdout

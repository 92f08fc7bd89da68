"""`unitalk eval` and its Python API under attack.

Data are a few videos with two tracks each, drawn by `random` with a seed; every expected number is
worked out here by loops and exact fractions, or is a statement about two outputs that must agree.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from build import HEADER
from conftest import exhaustive, one_in
from reference import area

import unitalk
from unitalk import DataError, EvaluateOptions, UnitalkError, UsageError, schemas
from unitalk.score import score_tables

PLACE = Path(unitalk.__file__).parents[1]
FORMS = ("text", "json", "csv", "markdown", "latex")


def drawn(videos=8, tracks=2, faces=20, seed=0, share=0.4) -> pd.DataFrame:
    """Ground truth whose tracks start together, 25 faces a second."""
    rng = random.Random(seed)
    rows = []
    for video in range(videos):
        for track in range(tracks):
            for number in range(faces):
                speaks = rng.random() < share
                label = "SPEAKING_AUDIBLE" if speaks else "NOT_SPEAKING"
                entity = f"v{video}:{track}"
                box = [0.1, 0.2, round(0.15 + 0.05 * track, 3), 0.45]
                time = round(number / 25, 2)
                rows.append([f"v{video}", time, *box, label, entity, int(speaks), f"{entity}:0"])
    return pd.DataFrame(rows, columns=HEADER.split(","))


def guessed(truth: pd.DataFrame, seed=1, noise=1.0) -> pd.DataFrame:
    """Scores of a model that is better than chance."""
    rng = random.Random(seed)
    scores = [round(label + rng.gauss(0, noise), 6) for label in truth["label_id"]]
    return truth[["entity_id", "frame_timestamp"]].assign(score=scores)


def slow(labels: list[int], scores: list[float]) -> float:
    """AP in exact fractions; within one score negatives first, which makes it one step."""
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], labels[i]))
    return float(area([bool(labels[i]) for i in order]))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with ground truth g.csv and three models' p.csv, q.csv, r.csv."""
    monkeypatch.chdir(tmp_path)
    truth = drawn()
    truth.to_csv("g.csv", index=False)
    for number, name in enumerate("pqr", 1):
        guessed(truth, number).to_csv(f"{name}.csv", index=False)
    return tmp_path


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    return drawn()


ONE = ("eval", "-g", "g.csv", "-p", "p.csv")
TWO = (*ONE, "-p", "q.csv")


def validate(found: dict) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="the extra [test] has jsonschema")
    jsonschema.validate(found, schemas.read("eval"))


# ------------------------------------------------------------------------------ what held


def test_every_cell_of_a_cross_table_of_four_is_that_of_a_loop():
    """Counts, AP and difference of each cell of faces x crowded x track-length x face-size."""
    rng = random.Random(9)
    rows = []
    for video, track in [(v, t) for v in range(6) for t in range(3)]:
        start, faces = rng.choice([0, 0.2, 0.4]), rng.choice([5, 20, 30, 90])
        for number in range(faces):
            speaks = rng.random() < 0.4
            right = round(0.1 + rng.choice([0.03, 0.05, 0.06, 0.1, 0.2]), 3)  # 38.4 to 256 pixels
            entity = f"w{video}:{track}"
            rows.append(
                [f"w{video}", round(start + number / 25, 2), 0.1, 0.2, right, 0.45,
                 "SPEAKING_AUDIBLE" if speaks else "NOT_SPEAKING", entity, int(speaks), "x"]
            )  # fmt: skip
    truth = pd.DataFrame(rows, columns=HEADER.split(","))
    guesses = {name: guessed(truth, n).round(2) for n, name in enumerate("pq")}
    by = ("faces", "crowded", "track-length", "face-size")
    found = unitalk.compare(truth, guesses, by=by, options=EvaluateOptions(frame_size=(1280, 720)))
    moments = [(row[0], round(row[1] * 1000)) for row in rows]
    present = Counter(moments)
    speaking = Counter(m for m, row in zip(moments, rows, strict=True) if row[8])
    of_track: dict[str, list[int]] = {}
    for moment, row in zip(moments, rows, strict=True):
        of_track.setdefault(row[7], []).append(moment[1])

    def cell(moment, row):
        times = sorted(of_track[row[7]])
        length = Fraction(times[-1] - times[0]) * len(times) / max(len(times) - 1, 1) / 1000
        width = (Fraction(str(row[4])) - Fraction(str(row[2]))) * 1280
        return (
            str(present[moment]) if present[moment] < 4 else "4+",
            "yes" if speaking[moment] > row[8] else "no",
            "0-1" if length < 1 else "1-3" if length < 3 else "3-5",
            "<64" if width < 64 else "64-128" if width <= 128 else ">128",
        )

    cells = [cell(*pair) for pair in zip(moments, rows, strict=True)]
    aps: dict[tuple[str, tuple[str, ...]], float | None] = {}
    for system in found.systems:
        scores = guesses[system.name]["score"].tolist()
        assert {tuple(group.by.values()) for group in system.groups} == {*cells, ()}
        assert sum(group.faces for group in system.groups[:-1]) == len(rows)
        for group in system.groups:
            key = tuple(group.by.values())
            mine = [i for i, own in enumerate(cells) if key in (own, ())]
            labels = [rows[i][8] for i in mine]
            assert (group.faces, group.positives) == (len(mine), sum(labels))
            assert group.videos == len({rows[i][0] for i in mine})
            assert group.tracks == len({rows[i][7] for i in mine})
            wanted = None
            if 0 < sum(labels) < len(labels):
                wanted = slow(labels, [scores[i] for i in mine])
            aps[system.name, key] = wanted
            assert group.average_precision == (None if wanted is None else pytest.approx(wanted))
    for change in found.differences:
        key = tuple(change.by.values())
        base, own = aps["p", key], aps["q", key]
        assert change.difference == (None if own is None else pytest.approx(own - base))
    assert any(value is None for value in aps.values())


@pytest.mark.parametrize(
    ("videos", "kept", "label"),
    [(8, None, None), (1, None, None), (1, 1, None), (8, None, 0), (8, None, 1)],
    ids=["whole", "one video", "one face", "no positives", "only positives"],
)
@pytest.mark.parametrize("scores", one_in(2, ["drawn", "tied", "perfect", "huge", "tiny"]))
def test_json_follows_the_schema_and_no_form_breaks_on_degenerate_data(videos, kept, label, scores):
    truth = drawn(videos)[:kept]
    if label is not None:
        text = "SPEAKING_AUDIBLE" if label else "NOT_SPEAKING"
        truth = truth.assign(label=text, label_id=label)
    base, other = guessed(truth), guessed(truth, 2)
    other["score"] = {
        "drawn": other["score"], "tied": 0.5, "perfect": truth["label_id"] * 1.0,
        "huge": other["score"] * 1e307, "tiny": other["score"] * 1e-320,
    }[scores]  # fmt: skip
    options = EvaluateOptions(frame_size=(1280, 720), metrics=True)
    one = unitalk.evaluate(truth, other, by="all", ci=True, options=options)
    several = unitalk.compare(
        truth, {"base": base, "other": other}, by="all", ci=True, options=options
    )
    for found, systems, differences in (
        (one, [one], ()), (several, several.systems, several.differences)
    ):  # fmt: skip
        text = json.dumps(found.to_dict(), allow_nan=False)
        validate(json.loads(text))
        assert "<html" in unitalk.to_html(found)
        assert len(unitalk.to_frame(found)) == len(one.groups)
        assert len(score_tables.records(systems, differences)) == len(one.groups)
        assert score_tables.latex(systems, differences).startswith("\\begin{tabular}")
    assert (one.average_precision is None) == (one.positives in (0, one.faces))


def test_the_order_of_rows_changes_no_byte(run, here):
    """In all forms and the plot; the page and the calibration error are tests of their own."""
    pytest.importorskip("matplotlib", reason="the extra [plot] has matplotlib")
    kept = {name: pd.read_csv(f"{name}.csv") for name in "gpq"}

    def made() -> dict[str, str]:
        found = {}
        for form in FORMS:
            ran = run(*TWO, "--by", "all", "--ci", "5", "--ci-unit", "track", "--format", form,
                      "--plot", "x.svg")  # fmt: skip
            assert (ran.code, ran.stderr) == (0, "")
            found[form] = ran.stdout
        return found | {"plot": Path("x.svg").read_text(encoding="utf-8")}

    first = made()
    for number, (name, frame) in enumerate(kept.items()):
        frame.sample(frac=1, random_state=number).to_csv(f"{name}.csv", index=False)
    assert made() == first


@exhaustive
@pytest.mark.parametrize(
    "text",
    [
        "id,category\n{}", "\ufeffid,category\n{}", "\ufeff{}", "{}\n\n", "{}v0,k0\n",
        "unknown,k0\n{}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("line", ["{0},{1}\n", '"{0}","{1}"\r\n', " {0} , {1} \n",
                                  "https://www.youtube.com/watch?v={0}&t=3,{1}\n"])  # fmt: skip
def test_every_spelling_of_a_list_of_categories_is_one_list(truth, tmp_path, text, line):
    lines = "".join(line.format(f"v{i}", f"k{i % 2}") for i in range(8))
    file = tmp_path / "c.csv"
    file.write_bytes(text.format(lines).encode())
    found = unitalk.evaluate(
        truth, guessed(truth), by="category", options=EvaluateOptions(categories=file)
    )
    groups = {group.by.get("category"): group.videos for group in found.groups}
    assert groups == {"k0": 4, "k1": 4, None: 8}


@exhaustive
@pytest.mark.parametrize(
    "what", [("--report", "x.html"), ("--plot", "x.svg"), ("--format", "json", "-o", "x.json")]
)
def test_what_stood_there_survives_a_disk_that_takes_no_more(here, what):
    if what[0] == "--plot":
        pytest.importorskip("matplotlib", reason="the extra [plot] has matplotlib")
    file = Path(what[-1])
    file.write_text("before", encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(PLACE), "PYTHONDONTWRITEBYTECODE": "1"}
    limit = ["sh", "-c", 'ulimit -f 4; exec "$@"', "sh"]  # 4 blocks: 2 kB
    command = [*limit, sys.executable, "-m", "unitalk", *TWO, "--by", "all", "--ci", *what]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "takes larger files" in ran.stderr
    assert file.read_text(encoding="utf-8") == "before"
    assert not list(here.glob("*.part")) + list(here.glob(".*.part"))


# ------------------------------------------------------------------------------ wrong numbers


@pytest.mark.parametrize("size", [(0, 0), (-5, 10), (float("nan"), 5)])
def test_a_frame_size_that_is_none_is_refused(truth, size):
    with pytest.raises(UsageError):
        unitalk.evaluate(
            truth, guessed(truth), by="face-size", options=EvaluateOptions(frame_size=size)
        )


def test_boxes_in_pixels_are_not_divided_by_size(truth):
    """A box of 35 pixels (0.05 x 700) would be `<64`; 35 x 1280 makes it `>128`."""
    edges = [name for name in truth if name.startswith("entity_box")]
    pixels = truth.assign(**{name: truth[name] * 700 for name in edges})
    options = EvaluateOptions(frame_size=(1280, 720))
    with pytest.raises(UnitalkError, match="box"):
        unitalk.evaluate(pixels, guessed(truth), by="face-size", options=options)


def test_a_track_ends_with_its_video(truth):
    """One id for tracks of two videos is refused: it is not one track of 5 to 10 s."""
    two = truth[truth["entity_id"].isin(["v0:0", "v1:0"])].assign(entity_id="face0")
    late = two["video_id"] == "v1"
    two = two.assign(frame_timestamp=two["frame_timestamp"].where(~late, two.frame_timestamp + 5))
    with pytest.raises(DataError, match="in two videos"):
        unitalk.evaluate(two, guessed(two), by="track-length")


# ------------------------------------------------------------------------------ forms disagree


@pytest.mark.parametrize("command", [ONE, TWO], ids=["one", "two"])
def test_few_videos_are_flagged_wherever_an_interval_of_them_stands(run, here, command):
    """Four of the eight videos: every interval in the text ends in `*`, or says so beside it."""
    for name in "gpq":
        frame = pd.read_csv(f"{name}.csv")
        frame[frame["entity_id"].str[:2].isin(["v0", "v1", "v2", "v3"])].to_csv(
            f"{name}.csv", index=False
        )
    lines = run(*command, "--ci").stdout.splitlines()
    spans = [line for line in lines if re.search(r"\d to \+?\d", line) and "warning" not in line]
    assert spans
    assert [line for line in spans if "*" not in line and "few videos" not in line] == []


@pytest.mark.parametrize("kind", ["one video speaks", "perfect"])
def test_an_interval_that_was_asked_for_and_is_none_says_why(run, here, kind):
    """Eight videos, so that `few videos` does not explain it."""
    truth = pd.read_csv("g.csv")
    if kind == "perfect":
        guessed(truth).assign(score=truth["label_id"]).to_csv("p.csv", index=False)
    else:
        others = truth["video_id"] != "v0"
        truth.loc[others, ["label", "label_id"]] = ["NOT_SPEAKING", 0]
        truth.to_csv("g.csv", index=False)
    found = json.loads(run(*ONE, "--ci", "--format", "json").stdout)
    assert found["interval"] is None
    assert found["groups"][-1]["flags"] != []
    assert "interval" in run(*ONE, "--ci").stdout


def test_a_flag_is_of_the_system_that_it_is_about(truth):
    """A perfect system has no spread; the one that it is compared with has an interval."""
    guesses = {"base": guessed(truth), "best": guessed(truth).assign(score=truth["label_id"])}
    found = unitalk.compare(truth, guesses, ci=True)
    base, best = found.systems
    assert (base.groups[-1].flags, base.interval is None) == ((), False)
    assert (best.groups[-1].flags, best.interval) == (("no spread",), None)
    assert found.differences[0].flags == ("no spread",)
    assert unitalk.to_frame(found)["flags"].tolist() == ["no spread"]


@pytest.mark.parametrize("form", ["csv", "markdown", "latex"])
def test_noise_is_called_noise_in_every_form(run, here, form):
    guessed(pd.read_csv("g.csv"), 5, noise=50).to_csv("p.csv", index=False)
    assert "noise of" in " ".join(run(*ONE).stdout.split())
    ran = run(*ONE, "--format", form)
    assert "noise of" in " ".join((ran.stdout + ran.stderr).split())


@pytest.mark.parametrize("form", ["csv", "markdown", "latex"])
@pytest.mark.parametrize(("option", "word"), [("--metrics", "roc"), ("--leaderboard", "LoCoNet")])
def test_what_was_asked_for_is_in_every_form_or_refused(run, here, form, option, word):
    ran = run(*ONE, option, "--format", form)
    assert ran.code == 2 or word in ran.stdout + ran.stderr


def test_of_several_the_system_that_lacks_faces_is_named(run, here):
    pd.read_csv("q.csv")[:-5].to_csv("q.csv", index=False)
    ran = run(*ONE, "-p", "mine=q.csv", "-p", "r.csv")
    assert ran.code == 3
    assert "mine" in ran.stderr or "q.csv" in ran.stderr


# ------------------------------------------------------------------------------ files


def test_an_unknown_benchmark_is_told_before_anything_is_written(run, here):
    ran = run(*ONE, "--leaderboard", "nope", "--report", "x.html")
    assert ran.code == 2
    assert not Path("x.html").exists()


def test_an_output_that_cannot_be_made_is_told_before_the_page_is_replaced(run, here):
    ran = run(*ONE, "--report", "x.html", "-o", "g.csv/x.txt")
    assert ran.code == 1
    assert not Path("x.html").exists()


def test_a_plot_of_an_undefined_number_keeps_the_result_and_exit_code_3(run, here):
    pytest.importorskip("matplotlib", reason="the extra [plot] has matplotlib")
    truth = pd.read_csv("g.csv")
    truth.assign(label="NOT_SPEAKING", label_id=0).to_csv("g.csv", index=False)
    ran = run(*ONE, "--plot", "x.svg")
    assert ran.code == 3
    assert "undefined" in ran.stdout


@pytest.mark.parametrize("options", [["--report", "x.html"], ["--format", "json", "-o", "x.json"]])
def test_a_file_name_that_is_no_utf_8_is_no_traceback(run, here, options):
    name = os.fsdecode(b"b\xff.csv")
    shutil.copy("p.csv", name)
    assert run("eval", "-g", "g.csv", "-p", name, *options).code in (0, 2)


def test_a_list_of_categories_may_come_through_a_pipe(run, here):
    read, write = os.pipe()  # what the shell makes of `<(...)`
    os.write(write, "".join(f"v{i},k\n" for i in range(8)).encode())
    os.close(write)
    ran = run(*ONE, "--by", "category", "--categories", f"/dev/fd/{read}")
    os.close(read)
    assert ran.code == 0


# ------------------------------------------------------------------------------ Python


def test_a_seed_of_numpy_is_a_seed(truth):
    found = unitalk.evaluate(truth, guessed(truth), ci=5, seed=np.int64(3))
    validate(json.loads(json.dumps(found.to_dict())))
    assert found == unitalk.evaluate(truth, guessed(truth), ci=5, seed=3)


@pytest.mark.parametrize("name", ["a\nb", "[2]", "*"])
def test_latex_holds_together_whatever_the_name(truth, name):
    r"""A line break in a comment ends it; `[` or `*` after `\\` is an argument of the line end."""
    guesses = {"base": guessed(truth), name: guessed(truth, 2)}
    found = unitalk.compare(truth, guesses)
    body = score_tables.latex(found.systems, found.differences)
    table, _, notes = body.partition("\\end{tabular}")
    assert not re.search(r"\\\\\s*[\[*]", table)
    assert all(line.startswith("%") for line in notes.strip().splitlines())
    rows = [line for line in table.splitlines() if "&" in line]
    assert all(line.endswith(r"\\") for line in rows)
    assert len(table.strip().splitlines()) == 4 + 2 + 1  # begin, three rules and heads, two, bottom


def test_a_cross_table_makes_no_more_cells_than_it_can_have():
    """400 faces in 400 videos have at most 400 cells, of 400 x 4 x 5 x 2 x 3 combinations."""
    import tracemalloc

    truth = drawn(400, 1, 1)
    guess = guessed(truth)
    by = ("video", "faces", "track-length", "crowded", "face-size")
    options = EvaluateOptions(frame_size=(1280, 720))
    unitalk.evaluate(truth, guess, by=by[1:], options=options)  # what is imported is not counted
    tracemalloc.start()
    found = unitalk.evaluate(truth, guess, by=by, options=options)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.groups) == 401
    assert peak < 10e6

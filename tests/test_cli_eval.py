"""`unitalk eval` as people type it: what it prints, what it writes, what it refuses."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import shutil
import subprocess
import sys

import pandas as pd
import pytest
from conftest import slow
from reference import area_fast, ranked

from unitalk import parse_signature, schemas
from unitalk.catalog import video_list
from unitalk.cli import eval as verb


@pytest.fixture
def given(sample, tmp_path, monkeypatch):
    """The sample's val split, its predictions, and those of a noisier model, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    guess = pd.read_csv(sample / "predictions.csv")
    rng = random.Random(0)
    noisy = guess.assign(score=[s + rng.gauss(0, 0.3) for s in guess["score"]])
    noisy.sample(frac=1, random_state=0).to_csv("noisy.csv", index=False)
    return "eval", "-g", sample / "csv/val_orig.csv", "-p", sample / "predictions.csv"


def area_of(given, keep=lambda row: True, file=None) -> float:
    """AP of the rows of a file by an implementation that shares nothing with ours."""
    truth = pd.read_csv(given[2])
    guess = pd.read_csv(file or given[4])
    keys = ["entity_id", "frame_timestamp"]
    both = truth.merge(guess[[*keys, "score"]], on=keys)
    both = both[both.apply(keep, axis=1)]
    labels = both["label"].eq("SPEAKING_AUDIBLE").tolist()
    return area_fast(ranked(labels, both["score"].tolist()))


def test_the_table_by_category(run, given):
    ran = run(*given, "--by", "category", "--ci", "200")
    assert (ran.code, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert lines[0] == f"average precision: {100 * area_of(given):.2f}%"
    table = {line.split()[0]: line.split() for line in lines[4:10]}
    assert list(table) == ["category", *video_list.CATEGORIES, "TOTAL"]
    category = {v.video_id: v.category for v in video_list.videos()}
    for name in video_list.CATEGORIES:
        wanted = area_of(given, lambda row, name=name: category[row["video_id"]] == name)
        assert table[name][6] == f"{100 * wanted:.2f}"
        low, _, high = table[name][7:10]
        assert float(low) <= 100 * wanted <= float(high.rstrip("*"))
    assert [name for name in table if table[name][-1].endswith("*")] == ["noise", "visual"]
    assert "(jackknife-t over 22 videos)" in lines
    assert max(len(line) for line in lines[:-1]) <= 80  # the last one is the signature
    assert len(lines) < 24  # one screen


@pytest.mark.parametrize(
    "options",
    [["--by", "all"], ["--by", "category", "--by", "faces", "--ci", "100"],
     ["--by", "video", "--ci", "100"], ["--metrics", "--ci", "100"], ["--leaderboard"],
     ["-p", "noisy.csv", "--by", "all", "--ci", "100", "--metrics"], ["-p", "noisy.csv"],
     ["--by", "category", "--by", "track-length", "--leaderboard", "--ci"]],
)  # fmt: skip
def test_nothing_but_a_signature_is_wider_than_a_terminal(run, given, options):
    ran = run(*given, *options)
    assert ran.code == 0
    for line in ran.stdout.splitlines():
        assert len(line) <= 80 or line.startswith("ap:ava|"), line


def test_several_systems(run, given):
    ran = run(*given, "-p", "mine=noisy.csv", "--ci", "200", "--by", "category")
    assert (ran.code, ran.stderr) == (0, "")
    lines = [line.split() for line in ran.stdout.splitlines()]
    own, noisy = area_of(given), area_of(given, file="noisy.csv")
    assert lines[1][:2] == ["predictions", f"{100 * own:.2f}"]
    assert lines[2][:2] == ["mine", f"{100 * noisy:.2f}"]
    total = [line for line in lines if line and line[0] == "TOTAL"]
    assert total[0][-2:] == [f"{100 * own:.2f}", f"{100 * noisy:.2f}"]
    assert total[1][1] == f"{100 * (noisy - own):+.2f}"
    assert float(total[1][-1].lstrip("<")) <= 0.05  # so much noise is not chance


def test_systems_are_named_after_their_files_unless_they_are_named(run, given):
    found = json.loads(
        run(*given, "-p", "noisy.csv", "-p", "x=noisy.csv", "--format", "json").stdout
    )
    assert [system["name"] for system in found["systems"]] == ["predictions", "noisy", "x"]


def test_two_systems_of_one_name_are_refused(run, given):
    ran = run(*given, "-p", given[4])
    assert (ran.code, ran.stdout) == (2, "")
    assert "two predictions are called 'predictions'" in ran.stderr
    assert "-p one=FILE" in ran.stderr


@slow
@pytest.mark.parametrize("options", [[], ["--by", "all", "--ci", "100", "--report", "x.html"]])
def test_scoring_files_imports_nothing_heavy(given, options):
    """Neither pandas nor the libraries of --metrics and --plot, nor the hub's and the crops'."""
    code = (
        "import sys\nfrom unitalk.cli.main import main\ntry: main(sys.argv[1:])\n"
        "finally: print(*{'pandas', 'sklearn', 'matplotlib', 'PIL', 'requests'}"
        " & set(sys.modules), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *map(str, given), *options]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("average precision: ")
    assert ran.stderr == "\n"


# ------------------------------------------------------------------------------ formats


@pytest.mark.parametrize(
    "options",
    [[], ["-p", "noisy.csv", "--by", "faces", "--ci", "100", "--metrics"], ["--leaderboard"],
     ["-p", "noisy.csv", "--leaderboard"], ["--ci", "100", "--ci-unit", "track", "--seed", "3"]],
)  # fmt: skip
def test_json_is_what_the_shipped_schema_says(run, given, options):
    jsonschema = pytest.importorskip("jsonschema", reason="the extra [test] has jsonschema")
    ran = run(*given, *options, "--format", "json")
    assert ran.code == 0
    jsonschema.validate(json.loads(ran.stdout), schemas.read("eval"))


@slow
def test_the_schema_refuses_what_is_no_result(run, given):
    jsonschema = pytest.importorskip("jsonschema", reason="the extra [test] has jsonschema")
    found = json.loads(run(*given, "--by", "category", "--ci", "100", "--format", "json").stdout)
    for path, value in (
        (["average_precision"], "86.67"), (["extra_field"], 1), (["groups", 0, "interval"], 0.5),
        (["groups", 0, "flags"], "few videos"), (["schema_version"], "1"), (["prior"], [None]),
    ):  # fmt: skip
        broken = json.loads(json.dumps(found))
        place = broken
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, schemas.read("eval"))


def test_one_seed_gives_the_same_bytes_and_another_one_others(run, given):
    def printed(seed):
        ran = run(*given, "--by", "category", "--ci", "100", "--seed", seed, "--format", "json",
                  "-p", "noisy.csv")  # fmt: skip
        assert ran.code == 0
        return ran.stdout

    assert printed(0) == printed(0)
    assert printed(0) != printed(1)
    assert '"seed": 0' in printed(0)


def test_markdown_and_latex(run, given):
    ap = f"{100 * area_of(given):.2f}"
    marked = run(*given, "--by", "category", "--format", "markdown").stdout.splitlines()
    assert marked[0].startswith("| category | videos |")
    assert marked[6].startswith("| TOTAL | 22 |")
    assert marked[6].endswith(f"| {ap} |")
    assert parse_signature(marked[-1].strip("`")).faces == 3077
    tex = run(*given, "--format", "latex").stdout
    assert f"predictions & {ap} \\\\" in tex
    assert parse_signature(tex.splitlines()[-1].split(": ", 1)[1]).faces == 3077


@pytest.mark.parametrize("form", verb.FORMATS)
def test_every_form_goes_to_a_file_as_well(run, given, tmp_path, form):
    printed = run(*given, "--format", form).stdout
    ran = run(*given, "--format", form, "-o", "result")
    assert (ran.code, ran.stdout) == (0, "")
    assert (tmp_path / "result").read_text(encoding="utf-8") == printed


# ------------------------------------------------------------------------------ more


def test_metrics_are_those_of_scikit_learn(run, given):
    import sklearn.metrics

    truth = pd.read_csv(given[2])
    guess = pd.read_csv(given[4])
    labels = truth["label"].eq("SPEAKING_AUDIBLE")
    text = run(*given, "--metrics").stdout
    found = dict(re.findall(r"^(\w+) +([\d.,]+)$", text, re.MULTILINE))
    assert found["roc_auc"] == f"{sklearn.metrics.roc_auc_score(labels, guess['score']):.4f}"
    wanted = sklearn.metrics.average_precision_score(labels, guess["score"])
    assert found["sklearn_average_precision"] == f"{wanted:.4f}"
    assert found["threshold"] == "0.5"
    moved = run(*given, "--metrics", "--threshold", "0.25").stdout
    assert re.search(r"^threshold +0\.25$", moved, re.MULTILINE)


def test_the_leaderboard_says_when_it_is_no_comparison(run, given):
    ran = run(*given, "--leaderboard", "--by", "category")
    text = " ".join(ran.stdout.split())
    assert "LoCoNet + TalkNCE UniTalk 83.2 86.7 84.9 84.1 77.9" in text
    assert "your ground truth has 3,077 faces where UniTalk val has about 1,000,000" in text
    assert "black frames" in text
    category = {v.video_id: v.category for v in video_list.videos()}
    noise = area_of(given, lambda row: category[row["video_id"]] == "noise")
    (own,) = [line for line in ran.stdout.splitlines() if line.startswith("- ")]
    assert own.split()[1:4] == ["predictions", "(yours)", f"{100 * area_of(given):.1f}"]
    assert own.split()[5] == f"{100 * noise:.1f}"
    other = run(*given, "--leaderboard", "AVA val")
    assert "cannot be checked here" in " ".join(other.stdout.split())
    wrong = run(*given, "--leaderboard", "Cannes")
    assert wrong.code == 2
    assert "UniTalk val, AVA val" in wrong.stderr


def test_face_sizes_come_from_a_size_or_from_the_crops(run, given, sample):
    by_crops = run(*given, "--by", "face-size", "--dataset", sample, "--format", "csv").stdout
    sizes = {
        row["by_face_size"]: int(row["faces"]) for row in csv.DictReader(io.StringIO(by_crops))
    }
    assert sum(sizes.values()) == 2 * 3077
    by_size = run(*given, "--by", "face-size", "--frame-size", "1280x720", "--format", "csv").stdout
    # The sample draws frames of that size.
    assert by_size == by_crops
    refused = run(*given, "--by", "face-size")
    assert refused.code == 2
    assert "--frame-size" in refused.stderr
    assert run(*given, "--by", "face-size", "--frame-size", "big").code == 2


@slow
def test_the_plot_and_the_report_are_files(run, given, tmp_path):
    pytest.importorskip("matplotlib", reason="the extra [plot] has matplotlib")
    ran = run(*given, "-p", "noisy.csv", "--by", "category", "--ci", "100", "--plot", "pr.svg",
              "--report", "report.html")  # fmt: skip
    assert (ran.code, ran.stderr) == (0, "")
    assert "noisy" in (tmp_path / "pr.svg").read_text(encoding="utf-8")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"{100 * area_of(given, file='noisy.csv'):.2f}" in page
    assert page.rstrip().endswith("</html>")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "noisy.csv",
        "pr.svg",
        "report.html",
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--plot", "pr.gif"], "png"), (["--report", "noisy.csv", "-p", "noisy.csv"], "input"),
     (["--plot", "x.png", "-o", "./x.png"], "one file"), (["--by", "colour"], "colour"),
     (["--ci", "1"], "--ci"), (["--seed", "-1"], "--seed"),
     (["--by", "all", "--by", "faces"], "stands for every"),
     (["--categories", "gone.csv", "--by", "category"], "gone.csv")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_before_anything_is_written(
    run, given, tmp_path, options, said
):
    before = sorted(tmp_path.iterdir())
    ran = run(*given, *options)
    assert (ran.code, ran.stdout) == (2, "")
    assert said in ran.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_partial_compares_what_all_have(run, given, tmp_path):
    """One system lacks the first 10 faces, the other the last 7: 3,060 are in both."""
    guess = pd.read_csv(given[4])
    guess.iloc[10:].to_csv("late.csv", index=False)
    guess.iloc[:-7].to_csv("early.csv", index=False)
    found = json.loads(
        run(*given[:3], "-p", "late.csv", "-p", "early.csv", "--partial", "--format", "json").stdout
    )
    assert [system["faces"] for system in found["systems"]] == [3060, 3060]
    assert [system["missing"] for system in found["systems"]] == [10, 7]
    assert ["another system" in system["warnings"][1] for system in found["systems"]] == [True] * 2
    signed = [parse_signature(system["signature"]).partial for system in found["systems"]]
    assert signed == ["-17+0", "-17+0"]
    truth = pd.read_csv(given[2])
    kept = {
        tuple(key)
        for key in guess[["entity_id", "frame_timestamp"]].iloc[10:-7].itertuples(index=False)
    }
    wanted = area_of(given, lambda row: (row["entity_id"], row["frame_timestamp"]) in kept)
    assert len(truth) == 3077
    for system in found["systems"]:
        assert system["average_precision"] == pytest.approx(wanted, abs=1e-12)
    assert found["differences"][0]["difference"] == 0


def test_saturated_scores_are_noticed(run, given, tmp_path):
    """Half of the scores set to 1 and one in ten to 0: 60 % at the ends."""
    guess = pd.read_csv(given[4])
    scores = guess["score"].clip(0.001, 0.999).tolist()
    for index in range(len(scores)):
        scores[index] = 1.0 if index % 2 else 0.0 if index % 10 == 0 else scores[index]
    guess.assign(score=scores).to_csv("flat.csv", index=False)
    found = json.loads(run(*given[:3], "-p", "flat.csv", "--format", "json").stdout)
    (said,) = [text for text in found["warnings"] if "saturated" in text]
    ends = sum(score in {0.0, 1.0} for score in scores)
    assert said.startswith(f"{ends:,} faces ({100 * ends / 3077:.1f} %) have the lowest or the")
    assert json.loads(run(*given, "--format", "json").stdout)["warnings"] == []


# ------------------------------------------------------------------------------ what is given


def test_a_dataset_is_its_val_split_and_order_is_as_good_as_flags(run, sample, tmp_path):
    scores = sample / "predictions.csv"
    flags = run("eval", "-g", sample / "csv/val_orig.csv", "-p", scores)
    assert flags.code == 0
    for words in ((sample, scores), ("-g", sample, scores), (sample, "-p", scores)):
        ran = run("eval", *words)
        assert ran.stdout == flags.stdout
        assert f"ground truth: {sample}/csv/val_orig.csv" in ran.stderr
    assert run("eval", sample, scores, "--split", "val").stderr == ""
    ran = run("eval", sample, scores, "--split", "train")  # val's predictions
    assert (ran.code, ran.stdout) == (3, "")
    ran = run("eval", sample / "csv/val_orig.csv", scores, "--split", "val")
    assert (ran.code, "is not a dataset" in ran.stderr) == (2, True)
    ran = run("diagnose", sample, scores)
    assert ran.code == 0
    assert ran.stdout == run("diagnose", "-g", sample / "csv/val_orig.csv", "-p", scores).stdout


def test_a_folder_that_is_no_dataset_is_a_folder_of_csv_files(run, sample, tmp_path):
    scores = sample / "predictions.csv"
    folder = tmp_path / "mine"
    folder.mkdir()
    shutil.copy(sample / "csv/val_orig.csv", folder / "any_name.csv")
    ran = run("eval", folder, scores)
    assert ran.code == 0
    assert ran.stdout.splitlines()[0] == run("eval", sample, scores).stdout.splitlines()[0]


def test_a_dataset_without_val_says_which_split_it_has(run, sample, tmp_path):
    (tmp_path / "d/csv").mkdir(parents=True)
    shutil.copy(sample / "csv/train_orig.csv", tmp_path / "d/csv")
    ran = run("eval", tmp_path / "d", sample / "predictions.csv")
    assert (ran.code, ran.stdout) == (2, "")
    assert "-> give --split train" in ran.stderr


def test_a_dataset_gives_the_frame_sizes(run, sample):
    scores = sample / "predictions.csv"
    both = [
        run("eval", "-g", truth, "-p", scores, "--by", "face-size", *more)
        for truth, more in ((sample, ()), (sample / "csv/val_orig.csv", ("--dataset", sample)))
    ]
    assert both[0].code == 0
    assert both[0].stdout == both[1].stdout

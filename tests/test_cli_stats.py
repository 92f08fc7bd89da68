"""`unitalk stats`: its words, its formats, its files, its exit codes."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

import pytest
from build import HEADER, Track, face, make_dataset, write_csv
from conftest import without_coverage

from unitalk.dataset.stats import statistics

LANGUAGE, MIXED, NOISE, VISUAL = "ho_oK12hY6M", "qv3-HaaxGUc", "EEey6Pt0rqI", "wh3-1DUTb3Q"
TRAIN = "-maoolmiKi0"


@pytest.fixture
def small(tmp_path):
    """Train and two categories of val; every box is 0.2 wide and 0.25 high.

    split  category  track    faces  labels     length
    train            0            2  0 1         80 ms
    train            1            2  1 1         80 ms
    val    language  0            3  1 1 0      120 ms
    val    noise     0            1  0            0 ms
    """
    root = make_dataset(
        tmp_path / "small",
        {TRAIN: [Track(f"{TRAIN}:0", ["0", "0.04"], [0, 1]),
                 Track(f"{TRAIN}:1", ["0.04", "0.08"], [1, 1])]},
        split="train",
    )  # fmt: skip
    return make_dataset(
        root,
        {
            LANGUAGE: [Track(f"{LANGUAGE}:0", ["1", "1.04", "1.08"], [1, 1, 0])],
            NOISE: [Track(f"{NOISE}:0", ["5"], [0])],
        },
    )


def blocks(text: str) -> dict[str, list[list[str]]]:
    """The tables of the text by their titles, as cells; cells have single blanks at most."""
    found = {}
    for block in text.split("\n\n"):
        title, *rows = block.splitlines()
        found[title] = [row.split() for row in rows]
    return found


def ends(rows: list[list[str]], *names: str) -> list[str]:
    """The numbers of the row with these names."""
    (found,) = [row[len(names) :] for row in rows if tuple(row[: len(names)]) == names]
    return found


# ------------------------------------------------------------------------------ text


def test_the_text_of_a_small_dataset(run, small):
    """8 faces are 0.0001 h (8.9e-5); train has frames 0, .04, .08 with 1, 2, 1 faces: 4 / 3."""
    ran = run("stats", small, "--csv-only")
    assert (ran.code, ran.stderr) == (0, "")
    first, content, frames, lengths, speaking, widths, _ = blocks(ran.stdout).values()
    assert first == []
    assert [row[:2] for row in content[1:]] == [
        ["train", "1"], ["val", "language"], ["val", "noise"], ["val", "2"], ["TOTAL", "3"],
    ]  # fmt: skip
    assert ends(content, "train") == ["1", "2", "4", "0.0000", "75.00", "1.33"]
    assert ends(content, "val", "language") == ["1", "1", "3", "0.0000", "66.67", "1.00"]
    assert ends(content, "TOTAL") == ["3", "4", "8", "0.0001", "62.50", "1.14"]
    # At 0.04 of train both faces speak.
    assert ends(frames, "train") == ["3", "66.7", "33.3", "0.0", "0.0", "33.3", "33.3", "33.3"]
    assert ends(lengths, "TOTAL") == ["0.06", "0.08", "0.09", "100.0", "0.0", "0.0", "0.0", "0.0"]
    # Stretches: .08 - .04 and 40 ms more; .04 at .04; .12 - .04. Two changes in 280 ms.
    assert ends(speaking, "TOTAL") == ["3", "0.08", "428.6", "0.040", "25.00"]
    assert ends(speaking, "val", "noise") == ["0"]  # a single face has no step
    assert ends(widths, "TOTAL") == ["20.00"] * 3


def test_by_video_adds_a_row_per_video(run, small):
    without = blocks(run("stats", small, "--csv-only").stdout)
    found = blocks(run("stats", small, "--csv-only", "--by", "video").stdout)
    assert {title: rows for title, rows in found.items() if title in without} == without
    ((_, *rows),) = [rows for title, rows in found.items() if title not in without]
    assert rows == [
        [TRAIN, "train", "2", "4", "0.0000", "75.00", "1.33", "0.1", "20.0"],
        [LANGUAGE, "val", "language", "1", "3", "0.0000", "66.67", "1.00", "0.1", "20.0"],
        [NOISE, "val", "noise", "1", "1", "0.0000", "0.00", "1.00", "0.0", "20.0"],
        ["TOTAL", "4", "8", "0.0001", "62.50", "1.14", "0.1", "20.0"],
    ]


def test_names_that_all_rows_share_have_no_column_and_long_ones_are_cut(run, tmp_path):
    rows = [face(name * 60, "0", f"{name}:0", 1) for name in "VW"]
    rows[1][6], rows[1][8] = "SPEAKING_NOT_AUDIBLE", "2"
    ran = run("stats", write_csv(tmp_path / "g.csv", rows), "--by", "video")
    tables = [block for block in ran.stdout.split("\n\n")[1:] if "TOTAL" in block]
    assert max(len(line) for table in tables for line in table.splitlines()) <= 80
    _, content, *_, videos, _ = blocks(ran.stdout.partition("\n\nwarning:")[0]).values()
    # One face of two speaks; the other one cannot be heard, which is a column of its own.
    assert ends(content, "TOTAL") == ["2", "2", "2", "0.0000", "50.00", "1.00", "50.0"]
    assert [row[0][0] for row in videos[1:]] == ["V", "W", "T"]
    assert {len(row) for row in videos[1:]} == {8}  # neither split nor category


def test_files_are_counted_and_pixels_told_by_crops(run, sample):
    """The sample has 3,077 faces of 58 tracks in val, whose row would only repeat the total."""
    *_, widths, files, _ = blocks(run("stats", sample, "--split", "val").stdout).values()
    assert all(sum(map(float, row[-3:])) == pytest.approx(100, abs=0.2) for row in widths[1:])
    assert [row[0] for row in widths[1:]] == ["val"] * 4 + ["TOTAL"]
    assert (files[1][:2], files[1][4]) == (["val", "3,077"], "58")


def test_warnings_are_below_the_numbers_in_json_and_on_stderr_beside_csv(run, tmp_path):
    rows = [face("V", f"{number / 5:g}", "V:0", 1) for number in range(10)]
    path = write_csv(tmp_path / "g.csv", rows)
    ran = run("stats", path)
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout.split("\n\n")[-1].startswith("warning: ")
    assert run("stats", path, "--format", "csv").stderr.startswith("warning: ")
    ran = run("stats", path, "--format", "json")
    assert ran.stderr == ""
    assert len(json.loads(ran.stdout)["warnings"]) == 1


# ------------------------------------------------------------------------------ for programs


def test_json_is_the_librarys_result(run, small):
    ran = run("stats", small, "--csv-only", "--format", "json")
    found, wanted = json.loads(ran.stdout), statistics(small, csv_only=True).to_dict()
    own = [made.pop("definitions") for made in (found, wanted)]  # in each one's words
    assert found == wanted
    assert own[0].keys() == own[1].keys()
    assert json.loads(run("stats", small, "--format", "json").stdout)["media"]


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_a_row_a_group_and_full_precision(run, small):
    ran = run("stats", small, "--csv-only", "--format", "csv")
    rows = read(ran.stdout)
    assert [(row["level"], row["split"], row["category"]) for row in rows] == [
        ("split", "train", ""),
        ("split", "val", ""),
        ("category", "val", "language"),
        ("category", "val", "noise"),
        ("total", "", ""),
    ]
    total = rows[-1]
    assert float(total["face_hours"]) == 8 / 90_000
    assert float(total["faces_a_frame"]) == 8 / 7
    assert total["frames_by_faces.counts.2"] == "1"
    assert float(total["frames_by_faces.shares.2"]) == 1 / 7
    assert float(total["track_seconds.median"]) == pytest.approx(0.08)
    assert total["labels.counts.SPEAKING_AUDIBLE"] == "5"
    # What is undefined is empty, whole objects too; and a cell that stands for one is none.
    assert rows[3]["step_seconds"] == rows[3]["stretch_seconds.median"] == ""
    assert rows[-1]["pixel_width"] == ""
    assert "stretch_seconds" not in rows[0]


def test_stdin_is_read(small):
    given = (small / "csv/train_orig.csv").read_bytes()
    command = [sys.executable, "-m", "unitalk", "stats", "-", "--format", "json"]
    ran = subprocess.run(
        command, input=given, capture_output=True, check=True, env=without_coverage()
    )
    found = json.loads(ran.stdout)
    assert found["splits"][0]["split"] == "stdin"
    assert found["total"]["faces"] == 4


# ------------------------------------------------------------------------------ files


def test_a_plot_is_written_beside_the_result(run, small, tmp_path):
    pytest.importorskip("matplotlib")
    ran = run("stats", small, "--csv-only", "--plot", tmp_path / "p.svg", "-o", tmp_path / "s.txt")
    assert (ran.code, ran.stdout) == (0, "")
    assert (tmp_path / "s.txt").read_text() == run("stats", small, "--csv-only").stdout
    assert (tmp_path / "p.svg").read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize("option", ["-o", "--plot"])
def test_nothing_is_written_over_the_dataset(run, small, option):
    path = small / "csv/val_orig.csv"
    before = path.read_bytes()
    assert {run("stats", given, option, path).code for given in (small, path)} == {2}
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nothing"], 2, "nothing"),
        (["small", "--split", "dev"], 2, "'dev'"),
        (["small", "--by", "category"], 2, "'category'"),
        (["small/csv/val_orig.csv", "--split", "val"], 2, "val_orig.csv"),
        (["small/clips_videos"], 2, "clips_videos"),
        ([], 2, "DATASET"),
        (["nothing", "--plot", "p.gif"], 2, "'.gif'"),  # before anything is read
        (["small", "-o", "x.svg", "--plot", "x.svg"], 2, "x.svg"),
        (["small", "--split", "test"], 3, "test_orig.csv"),
        (["damaged.csv"], 3, "damaged.csv:2: column label: 'QUIET'"),
    ],
)
def test_what_is_refused(run, small, monkeypatch, arguments, code, said):
    monkeypatch.chdir(small.parent)
    row = [*face("V", "0", "V:0", 1)[:6], "QUIET", "V:0"]
    write_csv(small.parent / "damaged.csv", [row], ",".join(HEADER.split(",")[:8]))
    ran = run("stats", *arguments)
    assert (ran.code, ran.stdout) == (code, "")
    assert said in ran.stderr


def test_without_matplotlib_the_extra_is_named(run, small, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    ran = run("stats", small, "--plot", tmp_path / "p.png")
    assert (ran.code, ran.stdout) == (1, "")
    assert "unitalk[plot]" in ran.stderr

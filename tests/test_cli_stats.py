"""`unitalk stats`: its words, its formats, its files, its exit codes."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

import pytest
from conftest import Tracks, face, make_dataset, without_coverage, write_csv

from unitalk.dataset.stats import statistics, stats_tables

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
        {TRAIN: [Tracks(f"{TRAIN}:0", ["0", "0.04"], [0, 1]),
                 Tracks(f"{TRAIN}:1", ["0.04", "0.08"], [1, 1])]},
        split="train",
    )  # fmt: skip
    return make_dataset(
        root,
        {
            LANGUAGE: [Tracks(f"{LANGUAGE}:0", ["1", "1.04", "1.08"], [1, 1, 0])],
            NOISE: [Tracks(f"{NOISE}:0", ["5"], [0])],
        },
    )


def blocks(text: str) -> dict[str, list[list[str]]]:
    """The tables of the text by their titles, as cells; cells have single blanks at most."""
    found = {}
    for block in text.split("\n\n"):
        title, *rows = block.splitlines()
        found[title] = [row.split() for row in rows]
    return found


# ------------------------------------------------------------------------------ text


def test_the_text_of_a_small_dataset(run, small):
    """8 faces are 0.0001 h (8.9e-5); train has frames 0, .04, .08 with 1, 2, 1 faces: 4 / 3."""
    ran = run("stats", small, "--csv-only")
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[0] == f"{small} (train, val)"
    found = blocks(ran.stdout)
    assert found["What there is"] == [
        ["split", "category", "videos", "tracks", "faces", "face", "hours", "speaking",
         "faces/frame"],
        ["train", "1", "2", "4", "0.0000", "75.00", "1.33"],
        ["val", "language", "1", "1", "3", "0.0000", "66.67", "1.00"],
        ["val", "noise", "1", "1", "1", "0.0000", "0.00", "1.00"],
        ["val", "2", "2", "4", "0.0000", "50.00", "1.00"],
        ["TOTAL", "3", "4", "8", "0.0001", "62.50", "1.14"],
    ]  # fmt: skip
    # At 0.04 of train both faces speak.
    frames = found["Frames by faces and by speaking faces, %"]
    assert frames[1] == ["train", "3", "66.7", "33.3", "0.0", "0.0", "33.3", "33.3", "33.3"]
    assert frames[-1] == ["TOTAL", "7", "85.7", "14.3", "0.0", "0.0", "42.9", "42.9", "14.3"]
    lengths = found["Length of tracks, seconds; tracks by length, %"]
    assert lengths[-1] == ["TOTAL", "0.06", "0.08", "0.09", "100.0", "0.0", "0.0", "0.0", "0.0"]
    # Stretches: .08 - .04 and 40 ms more; .04 at .04; .12 - .04. Two changes in 280 ms.
    speaking = found["Speaking"]
    assert speaking[0] == ["split", "category", "stretches", "median", "s", "changes/min", "step",
                           "s", "faces/s"]  # fmt: skip
    assert speaking[-1] == ["TOTAL", "3", "0.08", "428.6", "0.040", "25.00"]
    # Of the one face of noise nothing is known that needs two.
    assert speaking[3] == ["val", "noise", "0"]
    widths = found["Face width, % of the frame's"]
    assert widths[-1] == ["TOTAL", *["20.00"] * 5]
    assert "Face width, pixels; faces by width, %" not in found
    assert "Files" not in found
    assert "face hours: hours of face tracks, faces / 25 / 3600." in ran.stdout


def test_files_and_warnings_of_a_small_dataset(run, small):
    """Wavs of 44 bytes and 32,000 a second: .08 + .08 and .12 + .04 s, and two headers each."""
    ran = run("stats", small)
    assert ran.code == 0
    found = blocks(ran.stdout)
    assert found["Files"][1:] == [
        ["train", "4", found["Files"][1][2], "B", "2", "5.2", "kB"],
        ["val", "4", found["Files"][2][2], "B", "2", "5.2", "kB"],
    ]
    assert 2 * (44 + 32 * 80) == 5208
    assert 44 + 32 * 120 + 44 + 32 * 40 == 5208
    words = " ".join(ran.stdout.split())
    assert "warning: train: the face crops of 1 of 1 videos do not tell the frame's size" in words


def test_pixels_are_shown_where_crops_tell_them(run, sample):
    ran = run("stats", sample, "--split", "val")
    assert (ran.code, ran.stderr) == (0, "")
    found = blocks(ran.stdout)
    widths = found["Face width, pixels; faces by width, %"]
    assert widths[0][-3:] == ["<64", "64-128", ">128"]
    for row in widths[1:]:
        assert sum(map(float, row[-3:])) == pytest.approx(100, abs=0.2)
    # One split: its row would only repeat the total.
    assert [row[0] for row in widths[1:]] == ["val"] * 4 + ["TOTAL"]


def test_no_line_is_wider_than_a_terminal(run, sample):
    ran = run("stats", sample, "--by", "video")
    body = ran.stdout.splitlines()[1:]  # the first has the path
    assert max(map(len, body)) <= 80


def test_a_file_of_one_split_has_one_row(run, tmp_path):
    path = write_csv(tmp_path / "truth.csv", [face("V", "0", "V:0", 1)])
    ran = run("stats", path)
    assert ran.stdout.splitlines()[0] == f"{path} (truth)"
    assert blocks(ran.stdout)["What there is"] == [
        ["split", "videos", "tracks", "faces", "face", "hours", "speaking", "faces/frame"],
        ["TOTAL", "1", "1", "1", "0.0000", "100.00", "1.00"],
    ]


def test_faces_that_speak_but_are_not_audible_have_a_column(run, tmp_path):
    rows = [face("V", f"{number}", "V:0", 0) for number in range(8)]
    rows[3][6], rows[3][8] = "SPEAKING_NOT_AUDIBLE", "2"
    ran = run("stats", write_csv(tmp_path / "truth.csv", rows))
    header, total = blocks(ran.stdout)["What there is"]
    assert header[-1] == "inaudible"
    assert total[-1] == "12.5"


def test_hours_have_more_digits_where_there_are_few(run, tmp_path):
    """90,000 faces are an hour: 89,999 are shown with four digits, one more with two."""
    path = tmp_path / "g.csv"
    line = "V,{:.2f},0.1,0.1,0.2,0.2,NOT_SPEAKING,V:0\n"
    for faces, shown in ((90_000, "1.00"), (89_000, "0.9889")):
        path.write_text("".join(line.format(number / 25) for number in range(faces)))
        assert blocks(run("stats", path).stdout)["What there is"][1][4] == shown


def test_by_video_adds_a_row_a_video(run, small):
    without = run("stats", small, "--csv-only").stdout
    ran = run("stats", small, "--csv-only", "--by", "video")
    found = blocks(ran.stdout)
    assert "Videos" not in blocks(without)
    assert found["Videos"][1:] == [
        [TRAIN, "train", "2", "4", "0.0000", "75.00", "1.33", "0.1", "20.0"],
        [LANGUAGE, "val", "language", "1", "3", "0.0000", "66.67", "1.00", "0.1", "20.0"],
        [NOISE, "val", "noise", "1", "1", "0.0000", "0.00", "1.00", "0.0", "20.0"],
        ["TOTAL", "4", "8", "0.0001", "62.50", "1.14", "0.1", "20.0"],
    ]
    for title, rows in blocks(without).items():
        assert found[title] == rows


def test_by_video_leaves_out_what_all_videos_share(run, small, tmp_path):
    """The split where there is one, the category where there is none."""
    header = blocks(run("stats", small, "--split", "val", "--by", "video", "-q").stdout)["Videos"][
        0
    ]
    assert header[:3] == ["video", "category", "tracks"]
    path = write_csv(tmp_path / "g.csv", [face("V", "0", "V:0", 1), face("W", "0", "W:0", 1)])
    found = blocks(run("stats", path, "--by", "video").stdout)["Videos"]
    assert found[0][:2] == ["video", "tracks"]
    assert [row[:3] for row in found[1:]] == [["V", "1", "1"], ["W", "1", "1"], ["TOTAL", "2", "2"]]


def test_long_names_of_videos_do_not_widen_the_table(run, tmp_path):
    rows = [face(f"{name * 40}", "0", f"{name}:0", 1) for name in "VW"]
    ran = run("stats", write_csv(tmp_path / "g.csv", rows), "--by", "video")
    assert max(map(len, ran.stdout.splitlines()[1:])) <= 80
    assert f"{'V' * 10}" in ran.stdout


def test_a_warning_of_the_numbers_stands_below_them(run, tmp_path):
    rows = [face("V", f"{number / 5:g}", "V:0", 1) for number in range(10)]
    ran = run("stats", write_csv(tmp_path / "g.csv", rows))
    assert ran.code == 0
    assert "warning: a second of a track has 5 faces" in ran.stdout
    # In csv they have no place, and go to stderr; in JSON they have one.
    ran = run("stats", tmp_path / "g.csv", "--format", "csv")
    assert ran.stderr.startswith("warning: a second of a track has 5 faces")
    ran = run("stats", tmp_path / "g.csv", "--format", "json")
    assert ran.stderr == ""
    assert len(json.loads(ran.stdout)["warnings"]) == 1


# ------------------------------------------------------------------------------ for programs


def test_json_is_the_librarys_result(run, small):
    ran = run("stats", small, "--csv-only", "--format", "json")
    assert json.loads(ran.stdout) == statistics(small, csv_only=True).to_dict()
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


def test_csv_has_the_videos_if_asked(run, small):
    rows = read(run("stats", small, "--format", "csv", "--by", "video", "-q").stdout)
    assert [row["video"] for row in rows if row["level"] == "video"] == [TRAIN, LANGUAGE, NOISE]
    assert rows[-1]["level"] == "total"


def test_every_row_of_csv_has_the_columns_of_the_first(run, sample):
    lines = run("stats", sample, "--format", "csv", "--by", "video").stdout.splitlines()
    assert len(lines) == 1 + 2 + 4 + 26 + 1
    assert len({line.count(",") for line in lines}) == 1


def test_the_result_goes_to_a_file(run, small, tmp_path):
    ran = run("stats", small, "--csv-only", "-o", tmp_path / "s.txt")
    assert (ran.code, ran.stdout) == (0, "")
    assert (tmp_path / "s.txt").read_text() == run("stats", small, "--csv-only").stdout


def test_stdin_is_read(small):
    given = (small / "csv/train_orig.csv").read_bytes()
    command = [sys.executable, "-m", "unitalk", "stats", "-", "--format", "json"]
    ran = subprocess.run(
        command, input=given, capture_output=True, check=True, env=without_coverage()
    )
    found = json.loads(ran.stdout)
    assert found["splits"][0]["split"] == "stdin"
    assert found["total"]["faces"] == 4


# ------------------------------------------------------------------------------ the picture


def test_a_plot_is_written_beside_the_text(run, small, tmp_path):
    pytest.importorskip("matplotlib")
    ran = run("stats", small, "--csv-only", "--plot", tmp_path / "p.svg")
    assert ran.code == 0
    assert "What there is" in ran.stdout
    text = (tmp_path / "p.svg").read_text(encoding="utf-8")
    assert "<!-- language -->" in text
    assert f"<!-- {NOISE} -->" not in text
    run("stats", small, "--csv-only", "--plot", tmp_path / "v.svg", "--by", "video")
    assert f"<!-- {NOISE} -->" in (tmp_path / "v.svg").read_text(encoding="utf-8")


def test_a_plot_that_cannot_be_is_refused_before_anything_is_read(run, tmp_path):
    ran = run("stats", tmp_path / "nothing", "--plot", tmp_path / "p.gif")
    assert (ran.code, ran.stdout) == (2, "")
    assert "cannot have the ending '.gif'" in ran.stderr


def test_without_matplotlib(run, small, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    ran = run("stats", small, "--plot", tmp_path / "p.png")
    assert (ran.code, ran.stdout) == (1, "")
    assert 'pip install "unitalk[plot]"' in ran.stderr


# ------------------------------------------------------------------------------ what is refused


def test_nothing_is_written_over_the_dataset(run, small):
    path = small / "csv/val_orig.csv"
    before = path.read_bytes()
    for option in ("-o", "--plot"):
        for given in (small, path):
            ran = run("stats", given, option, path)
            assert (ran.code, ran.stdout) == (2, "")
            assert "would write over an input" in ran.stderr
    assert path.read_bytes() == before


def test_one_file_for_both_is_refused(run, small, tmp_path):
    pytest.importorskip("matplotlib")
    ran = run("stats", small, "-o", tmp_path / "x.svg", "--plot", tmp_path / "x.svg")
    assert ran.code == 2
    assert "written twice" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nothing"], 2, "nothing does not exist"),
        (["small", "--split", "dev"], 2, "'dev' is not one of 'train', 'val', 'test'"),
        (["small", "--by", "category"], 2, "'category' is not 'video'"),
        (["small/csv/val_orig.csv", "--split", "val"], 2, "is no dataset"),
        (["small/clips_videos"], 2, "without csv files"),
        ([], 2, "Missing argument 'DATASET'"),
    ],
)
def test_wrong_usage(run, small, monkeypatch, arguments, code, said):
    monkeypatch.chdir(small.parent)
    ran = run("stats", *arguments)
    assert (ran.code, ran.stdout) == (code, "")
    assert said in ran.stderr


def test_wrong_data(run, small):
    (small / "csv/train_orig.csv").unlink()
    ran = run("stats", small, "--split", "train")
    assert (ran.code, ran.stdout) == (3, "")
    assert "train_orig.csv is missing" in ran.stderr
    path = small / "csv/val_orig.csv"
    path.write_text(path.read_text().replace("NOT_SPEAKING", "QUIET"))
    ran = run("stats", small)
    assert (ran.code, ran.stdout) == (3, "")
    assert "val_orig.csv:4: column label: 'QUIET'" in ran.stderr


def test_help(run):
    ran = run("stats", "--help")
    assert ran.code == 0
    assert "Say what a dataset contains." in ran.stdout
    for option in ("--csv-only", "--split", "--by", "--plot", "--format", "--output"):
        assert option in ran.stdout
    assert max(map(len, ran.stdout.splitlines())) <= 80


# ------------------------------------------------------------------------------ tables


def test_tables_end_with_the_total_and_are_rectangular(sample):
    found = statistics(sample)
    for one in [*stats_tables.tables(found), stats_tables.videos_table(found)]:
        assert {len(row) for row in one.rows} == {len(one.header)}, one.title
        assert 0 < one.texts < len(one.header)
        if one.title != "Files":
            assert one.rows[-1][0] == "TOTAL"


def test_shares_in_tables_add_up(sample):
    found = {one.title: one for one in stats_tables.tables(statistics(sample))}
    frames = found["Frames by faces and by speaking faces, %"]
    for row in frames.rows:
        numbers = [float(cell) for cell in row[frames.texts + 1 :]]
        assert sum(numbers[:4]) == pytest.approx(100, abs=0.2)
        assert sum(numbers[4:]) == pytest.approx(100, abs=0.2)


def test_groups_are_in_the_order_of_the_catalog(sample):
    groups = stats_tables.ordered(statistics(sample, csv_only=True))
    assert [(group.split, group.category) for group in groups] == [
        ("train", None),
        *[("val", name) for name in ("language", "mixed", "noise", "visual")],
        ("val", None),
        (None, None),
    ]

"""`unitalk verify`: one line, or a table of 80 columns; the exit code, JSON, and the ids."""

from __future__ import annotations

import json

import pytest
from verify_data import A, B, Data, copy_of

from unitalk.catalog.video_list import read_list
from unitalk.dataset.verify import KINDS


@pytest.fixture
def data(sample, tmp_path) -> Data:
    return copy_of(sample, tmp_path / "dataset")


@pytest.fixture
def broken(data) -> Data:
    """Four jpgs, a wav and a label's number."""
    for name in ("12.40", "12.44", "12.48", "12.52"):
        (data.track(f"{A}:0") / f"{name}.jpg").unlink()
    data.wav(f"{B}:1").unlink()
    rows = data.rows()
    rows[0][8] = "1"
    data.write(rows)
    return data


def test_nothing_wrong_is_one_line(run, data):
    ran = run("verify", data.root)
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout == (
        f"{data.root} (train and val): no problems found: "
        "3 videos, 6 tracks, 301 faces, 307 files\n"
    )


def test_deep_says_that_the_files_were_opened(run, data):
    ran = run("verify", data.root, "--deep", "--jobs", "1", "--split", "val")
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout == (
        f"{data.root} (val): no problems found: 2 videos, 4 tracks, 190 faces, 194 files opened\n"
    )


def test_findings_are_a_table_and_exit_code_3(run, broken):
    ran = run("verify", broken.root)
    assert (ran.code, ran.stderr) == (3, "")
    folder = f"clips_videos/val/{A}/{A}:0"
    assert ran.stdout.splitlines() == [
        f"{broken.root} (train and val): 6 findings: 3 videos, 6 tracks, 301 faces, 302 files",
        "",
        "1  label-id: label_id that contradicts the label",
        "    csv/val_orig.csv:2: NOT_SPEAKING and 1",
        "    -> a model is trained on one and scored by the other; restore the video's",
        "       csv",
        "",
        "4  missing-jpg: face without a crop",
        f"    {folder}/12.40.jpg",
        f"    {folder}/12.44.jpg",
        f"    {folder}/12.48.jpg",
        "    and 1 more",
        "    -> a black image in ASC; in TalkNet all later crops of the track belong to",
        "       wrong labels; restore the video's crops",
        "",
        "1  missing-wav: track without sound",
        f"    clips_audios/val/{B}/{B}:1.wav: 40 faces",
        "    -> silence in ASC, a crash in TalkNet; restore the video's sounds",
        "",
        "to repair it:",
        f"  unitalk download --save-path {broken.root} --video {A} --only csv --refetch",
        f"  unitalk download --save-path {broken.root} --video {B} --only audio --refetch",
        f"  unitalk download --save-path {broken.root} --video {A} --only video --refetch",
    ]


def test_lines_that_are_no_commands_fit_80_columns(run, broken, monkeypatch):
    for folder in ("a", "b" * 60):
        (broken.root / "clips_videos/val" / A / (folder * 2)).mkdir()
    (broken.root / "csv/train_orig.csv").write_text("x" * 300)
    monkeypatch.chdir(broken.root.parent)
    text = run("verify", "dataset").stdout
    lines = text.partition("to repair it:")[0].splitlines()
    assert len(lines) > 20
    assert all(len(line) <= 80 for line in lines)


def test_json_has_every_finding(run, broken, tmp_path):
    ran = run("verify", broken.root, "--format", "json", "-o", tmp_path / "out.json")
    assert (ran.code, ran.stdout, ran.stderr) == (3, "", "")
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["schema_version"] == 1
    assert result["counts"] == {"label-id": 1, "missing-jpg": 4, "missing-wav": 1}
    assert len(result["findings"]) == 6
    assert set(result["counts"]) <= set(KINDS)
    assert result["warnings"] == []


def test_the_ids_of_videos_whose_files_are_wrong_are_a_list(run, broken, tmp_path):
    """That of the label alone is not one: its files need not be fetched again."""
    rows = broken.rows("train")
    rows[0][8] = "1"
    broken.write(rows, "train")
    ran = run("verify", broken.root, "--ids", tmp_path / "ids.txt")
    assert ran.code == 3
    assert set(read_list(tmp_path / "ids.txt")) == {A, B}
    assert (tmp_path / "ids.txt").read_text().count("\n") == 2


def test_without_findings_the_list_of_ids_is_emptied(run, data, tmp_path):
    (tmp_path / "ids.txt").write_text("of yesterday\n")
    assert run("verify", data.root, "--ids", tmp_path / "ids.txt").code == 0
    assert (tmp_path / "ids.txt").read_text() == ""


def test_notes_are_told_below(run, data):
    folder = data.track(f"{A}:0")
    (folder / "12.40.jpg").rename(folder / "12.4.jpg")
    ran = run("verify", data.root)
    assert ran.code == 0
    assert "note: 1 crops of val have names" in ran.stdout
    (folder / "12.44.jpg").unlink()
    ran = run("verify", data.root)
    assert ran.code == 3
    assert "note: 1 crops of val have names" in ran.stdout


@pytest.mark.parametrize("option", ["-o", "--ids"])
def test_nothing_is_written_into_the_dataset(run, data, option):
    ran = run("verify", data.root, option, data.root / "out")
    assert ran.code == 2
    assert "would write over an input" in ran.stderr


@pytest.mark.parametrize(
    "options", [["--layout", "loconet"], ["--jobs", "0"], ["--split", "dev"], []]
)
def test_wrong_usage(run, data, options):
    assert run("verify", *([data.root] if options else []), *options).code == 2


def test_another_layout(run, data):
    ran = run("verify", data.root, "--layout", "talknet")
    assert ran.code == 3
    assert "2  loader-missing: split without a loader csv" in ran.stdout
    again = f"unitalk convert-talknet {data.root} --overwrite"
    assert ran.stdout.endswith(f"to repair it:\n  {again}\n")
    assert run(*again.split()[1:]).code == 0
    assert run("verify", data.root, "--layout", "talknet").code == 0

"""`unitalk eval` as people run it: their pipes, their spreadsheets, their mistakes."""

from __future__ import annotations

import contextlib
import gzip
import json
import math
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from build import HEADER, face, write_csv
from conftest import exhaustive

import unitalk

TEN = HEADER.split(",")
EVAL = [sys.executable, "-m", "unitalk", "eval"]
LINE = "average precision: 75.56%"
"""Six faces, scores from .9 down to .4, speaking, not, speaking, not, not, speaking, as they stand.

Precision at the three positives is 1/1, 2/3 and 3/6: (1 + 2/3 + 1/2) / 3 = 13/18 = 72.22 %. With
the last two swapped it is 1/1, 2/3 and 3/5: (1 + 2/3 + 3/5) / 3 = 34/45 = 75.56 %.
"""
SPEAKING = [1, 0, 1, 0, 1, 0]
SCORES = ["0.9", "0.8", "0.7", "0.6", "0.5", "0.4"]


def rows_of(speaking=SPEAKING, entity="v:0", video="v") -> list[list[str]]:
    return [face(video, f"{i / 25:.2f}", entity, label) for i, label in enumerate(speaking)]


def with_scores(rows, scores=SCORES) -> list[list[str]]:
    return [[*row[:6], "SPEAKING_AUDIBLE", row[7], s] for row, s in zip(rows, scores, strict=True)]


def text_of(rows) -> str:
    return "".join(",".join(row) + "\n" for row in rows)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with g.csv and p.csv, in which the commands run."""
    write_csv(tmp_path / "g.csv", rows_of())
    write_csv(tmp_path / "p.csv", with_scores(rows_of()), None)
    root = str(Path(unitalk.__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of sh in which $UNITALK is the command."""
    return subprocess.run(
        ["sh", "-c", line.replace("$UNITALK", '"$0" -m unitalk eval'), sys.executable],
        capture_output=True, text=True, check=False, env={**os.environ, **environment},
        encoding="utf-8", errors="replace", timeout=60,
    )  # fmt: skip


def assert_said(ran, words: str, *codes: int) -> None:
    """One error of ours on stderr, no result, no traceback."""
    code = ran.code if hasattr(ran, "code") else ran.returncode
    assert ran.stdout == ""
    assert ran.stderr.startswith("unitalk: ")
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr
    assert code in codes


# ------------------------------------------------------------------------------ pipes


def test_packed_predictions_through_a_pipe(here):
    (here / "p.csv").write_bytes(gzip.compress((here / "p.csv").read_bytes()))
    ran = shell("cat p.csv | $UNITALK -g g.csv -p -")
    assert (ran.returncode, ran.stdout.splitlines()[0]) == (0, LINE)


@pytest.mark.parametrize("packed", [False, True])
def test_process_substitution(run, here, packed):
    """What `-p <(zcat p.csv.gz)` makes of it: a path to the end of a pipe, which reads once."""
    content = (here / "p.csv").read_bytes()
    end, start = os.pipe()
    with contextlib.closing(os.fdopen(end, "rb")):
        with os.fdopen(start, "wb") as file:
            file.write(gzip.compress(content) if packed else content)
        ran = run("eval", "-g", "g.csv", "-p", f"/dev/fd/{end}", "-v")
    assert (ran.code, ran.stdout.splitlines()[:1]) == (0, [LINE])


def test_stdout_that_is_closed_or_read_no_further(here):
    assert (shell("$UNITALK -g g.csv -p p.csv >&-").returncode) == 0
    ran = shell("$UNITALK -g g.csv -p p.csv | true")
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_result_that_finds_no_room_is_told(here):
    """Exit code 1 is documented for a full disk; a traceback is for bugs."""
    assert_said(shell("$UNITALK -g g.csv -p p.csv >/dev/full"), "No space left", 1)


# ------------------------------------------------------------------------------ where files lie


def test_ids_and_paths_beyond_ascii(run, here):
    rows = rows_of(entity="é中:0", video="vidéo")
    truth = write_csv(here / "données" / "真.csv", rows)
    guess = write_csv(here / "données" / "推.csv", with_scores(rows), None)
    target = here / "neu" / "größe" / "ergebnis.json"
    ran = run("eval", "-g", truth, "-p", guess, "--format", "json", "-o", target)
    assert (ran.code, ran.stdout, ran.stderr) == (0, "", "")
    found = json.loads(target.read_text(encoding="utf-8"))
    assert found["average_precision"] == pytest.approx(34 / 45, abs=1e-15)


ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}


def test_an_error_with_ids_beyond_ascii_on_a_terminal_that_has_only_ascii(here):
    write_csv(here / "p.csv", with_scores(rows_of(entity="é中:0")), None)
    assert_said(shell("$UNITALK -g g.csv -p p.csv", **ASCII), "6 faces have no prediction", 3)


@pytest.fixture
def open_folder(run):
    """A folder that everybody may enter, with both files, after everything has been imported."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        truth = write_csv(folder / "g.csv", rows_of())
        guess = write_csv(folder / "p.csv", with_scores(rows_of()), None)
        assert run("eval", "-g", truth, "-p", guess).code == 0
        yield folder


@contextlib.contextmanager
def rights_of_nobody():
    """Root may read everything, so that root has to become somebody else."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.mark.parametrize("name", ["locked/r.json", "g.csv/r.json", "locked/new/r.json"])
def test_an_output_that_cannot_be_written_is_named(run, open_folder, name):
    (open_folder / "locked").mkdir(mode=0o555)
    target = open_folder / name
    with rights_of_nobody():
        ran = run("eval", "-g", open_folder / "g.csv", "-p", open_folder / "p.csv", "-o", target)
    assert_said(ran, str(target.parent), 1, 2)


def test_output_into_a_pipe_leaves_the_pipe_where_it_is(run, here):
    """The same for -o /dev/stdout and /dev/null, which root would lose."""
    os.mkfifo("pipe")
    with open(os.open("pipe", os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        ran = run("eval", "-g", "g.csv", "-p", "p.csv", "-o", "pipe")
        assert ran.code == 0
        assert stat.S_ISFIFO(os.stat("pipe").st_mode)
        assert reader.read().startswith(LINE.encode())


# ------------------------------------------------------------------------------ spreadsheets


def test_what_excel_saves_as_csv_utf8(run, here):
    """A byte-order mark and CRLF; what it saves elsewhere in Europe is told apart."""
    body = text_of([[*TEN[:8], "score"], *with_scores(rows_of())])
    (here / "p.csv").write_bytes(("\ufeff" + body.replace("\n", "\r\n")).encode())
    assert run("eval", "-g", "g.csv", "-p", "p.csv").stdout.startswith(LINE)
    european = body.replace(",", ";").replace(".", ",")
    for content in (european, european.split("\n", 1)[1]):
        (here / "p.csv").write_text(content)
        assert_said(run("eval", "-g", "g.csv", "-p", "p.csv"), "separated by semicolons", 3)


# ------------------------------------------------------------------------------ scores


def test_a_model_that_diverged_has_no_number(here):
    """Microsoft's C writes -nan(ind) for 0/0; no check may hang on an assert."""
    write_csv(here / "p.csv", with_scores(rows_of(), [*SCORES[:5], "-nan(ind)"]), None)
    ran = subprocess.run(
        [EVAL[0], "-O", *EVAL[1:], "-g", "g.csv", "-p", "p.csv"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert_said(ran, "p.csv:6: column score: '-nan(ind)' is not", 3)


def test_a_score_per_track(run, here):
    """Two tracks of three: the one with score .9 speaks in two, the other in one: 11/18 again."""
    rows = [*rows_of([1, 1, 0], "v:0"), *rows_of([0, 0, 1], "v:1")]
    write_csv(here / "g.csv", rows)
    write_csv(here / "p.csv", with_scores(rows, ["0.9"] * 3 + ["0.1"] * 3), None)
    ran = run("eval", "-g", "g.csv", "-p", "p.csv", "--format", "json")
    found = json.loads(ran.stdout)
    assert found["average_precision"] == pytest.approx(11 / 18, abs=1e-15)
    # With each step's positives first the precision is 1, 1 and 3/4: (1 + 1 + 3/4) / 3 = 11/12.
    assert found["reference_interval"] == pytest.approx([11 / 18, 11 / 12], abs=1e-15)
    assert (found["ties"], found["tracks"], found["videos"]) == (6, 2, 1)


@exhaustive
def test_two_million_rows(here):
    """Ranked positive, negative, positive, ...: the k-th positive has precision k / (2k - 1).

    That falls with k, so that the envelope is the precision itself. One file is both.
    """
    count = 2_000_000
    place = np.arange(count)
    names = pa.array([f"v:{i}" for i in range(1000)])
    half = pa.array(np.full(count, 0.5))
    columns = {
        "video_id": pa.array(["v"]).take(pa.array(np.zeros(count, np.int64))),
        "frame_timestamp": pa.array(place // 1000),
        **dict.fromkeys(TEN[2:6], half),
        "label": pa.array(["SPEAKING_AUDIBLE", "NOT_SPEAKING"]).take(pa.array(place % 2)),
        "entity_id": names.take(pa.array(place % 1000)),
    }
    columns["score"] = pa.array(count - place)
    plain = pyarrow.csv.WriteOptions(quoting_style="none")
    pyarrow.csv.write_csv(pa.table(columns), here / "both.csv", plain)
    ran = subprocess.run(
        [*EVAL, "-g", "both.csv", "-p", "both.csv", "--format", "json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    positives = count // 2
    wanted = math.fsum(k / (2 * k - 1) for k in range(1, positives + 1)) / positives
    assert json.loads(ran.stdout)["average_precision"] == pytest.approx(wanted, abs=1e-12)

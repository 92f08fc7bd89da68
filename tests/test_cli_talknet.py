"""`unitalk talknet` as a person types it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest
from conftest import exhaustive, one_in, without_coverage

torch = pytest.importorskip("torch", reason='pip install "unitalk[models]"')
pytest.importorskip("cv2", reason="gray needs the extra [tracks]")

from unitalk.models.registry import new_network  # noqa: E402

SHORT = ("--model", "light-asd", "--batch-frames", "12", "--workers", "0", "--device", "cpu")


def test_train_prints_its_epochs_and_says_where_the_best_is(run, tiny, tmp_path):
    out = tmp_path / "run"
    ran = run("-q", "train", tiny, "--destination", out, "--epochs", "1", *SHORT)
    assert ran.code == 0
    assert ran.stderr == ""
    header, row, best = ran.stdout.splitlines()
    assert header.split() == ["epoch", "LR", "loss", "AP", "best"]
    assert row.split()[:2] == ["1", "0.001"]
    assert best == f"best: epoch 1, {out / 'best.pt'}"
    resumed = run("-q", "train", tiny, "--destination", out, "--epochs", "1", *SHORT,
                  "--resume", "--format", "json")  # fmt: skip
    found = json.loads(resumed.stdout)
    assert found["schema_version"] == 1
    assert found["epochs"] == [json.loads((out / "log.jsonl").read_text())]
    assert (found["stopped"], found["model"], found["warnings"]) == (False, "light-asd", [])


def test_a_run_that_is_there_is_not_begun_again(run, tiny, tmp_path):
    words = ("-q", "train", tiny, "--destination", tmp_path / "run", *SHORT)
    assert run(*words, "--epochs", "1").code == 0
    ran = run(*words, "--epochs", "1")
    assert (ran.code, ran.stdout) == (2, "")
    assert "holds a run already\n  -> continue it with --resume" in ran.stderr
    assert run(*words, "--epochs", "2", "--resume").code == 0


@exhaustive
@pytest.mark.parametrize("number", one_in(2, [signal.SIGINT, signal.SIGTERM]))
def test_an_interrupt_saves_and_says_how_to_go_on(tiny, tmp_path, number):
    out = tmp_path / "run"
    words = ["train", tiny, "--destination", out, "--epochs", "5000", *SHORT]
    process = subprocess.Popen(
        [sys.executable, "-m", "unitalk", *map(str, words)], env=without_coverage(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (out / "last.pt").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "stopping after this batch" in stderr
    assert stderr.endswith("unitalk: stopped, and saved\n  -> --resume continues the run\n")
    assert "Traceback" not in stderr
    saved = torch.load(out / "last.pt", weights_only=True)["state"]
    assert (
        len(saved["results"]) == len((out / "score.txt").read_text().splitlines())
        if (saved["results"])
        else not (out / "score.txt").exists()
    )
    assert stdout


def test_predict_says_what_it_wrote(run, tiny, weights, tmp_path):
    out = tmp_path / "p.csv"
    ran = run("-q", "predict", tiny, "--weights", weights, "-o", out)
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout == f"{out}: 22 faces of 4 tracks in 2 videos (val), by light-asd\n"
    ran = run(
        "-q", "predict", tiny, "--weights", weights, "-o", out, "--format",
        "json", "--split", "train",
    )  # fmt: skip
    assert json.loads(ran.stdout)["faces"] == 26


def test_some_videos_are_predicted_and_scored(run, tiny, weights, tmp_path):
    out = tmp_path / "p.csv"
    words = ("-q", "predict", tiny, "--weights", weights, "-o", out, "--video", "ddddddddddd")
    assert run(*words).code == 0
    ran = run("-q", "eval", tiny, out, "--partial", "--format", "json")
    assert ran.code == 0
    assert json.loads(ran.stdout)["faces"] == 9


def test_predictions_may_be_put_into_the_folder_of_the_run(run, tiny, tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    torch.save(new_network("light-asd").state_dict(), out / "best.pt")
    words = ("-q", "predict", tiny, "--weights", out, "-o")
    assert run(*words, out / "p.csv").code == 0
    ran = run(*words, out / "best.pt")
    assert (ran.code, "would write over an input" in ran.stderr) == (2, True)


@pytest.mark.parametrize("name", ["s3fd", "talknet-ava"])
def test_a_checkpoint_that_the_model_cannot_load_is_never_asked_for(
    run, tiny, tmp_path, monkeypatch, name
):
    monkeypatch.setenv("UNITALK_WEIGHTS", str(tmp_path / "weights"))
    ran = run("train", tiny, "--destination", tmp_path / "run", *SHORT,
              "--weights", name)  # fmt: skip
    assert (ran.code, ran.stdout) == (2, "")
    assert "light-asd cannot load" in ran.stderr
    assert "weights download" not in ran.stderr
    assert "use one of light-asd-ava, light-asd-talkset" in ran.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("verb", ["train", "predict"])
def test_without_pytorch_a_sentence_says_what_to_install(tiny, weights, tmp_path, verb):
    words = {
        "train": ["--destination", tmp_path / "run"],
        "predict": ["--weights", weights, "-o", tmp_path / "p.csv"],
    }[verb]
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from unitalk.cli.main import main; main(sys.argv[1:])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, verb, str(tiny), *map(str, words)],
        env=without_coverage(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (1, "")
    assert 'pip install "unitalk[models]"' in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not list(tmp_path.iterdir())


def test_every_other_verb_works_without_pytorch(tmp_path):
    """All of the command line is imported, and a job is done."""
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from unitalk.cli.main import VERBS, cli, main\n"
        "for verb in VERBS: assert cli.get_command(None, verb) is not None\n"
        "main(['-q', 'videos', '--split', 'val'])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env=without_coverage(), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout

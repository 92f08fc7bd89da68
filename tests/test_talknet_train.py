"""Training: what a run leaves, that it goes on to the bit, and what it refuses."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from build import make_tiny
from conftest import StopAfter, exhaustive, one_in, without_coverage
from talknet_formula import GOLDEN

from unitalk import evaluate
from unitalk.errors import DataError, DestinationError, UsageError

torch = pytest.importorskip("torch", reason='pip install "unitalk[models]"')
pytest.importorskip("cv2", reason="gray needs the extra [tracks]")

from unitalk.models import run_files  # noqa: E402
from unitalk.models.registry import load_network  # noqa: E402
from unitalk.models.train import TrainOptions, train_network  # noqa: E402

FILES = {
    "last.pt", "best.pt", "best.model", "predictions.csv", "best_predictions.csv", "score.txt",
    "log.jsonl",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def ap(groundtruth: Path, predictions: Path) -> float | None:
    return evaluate(groundtruth, predictions).average_precision


def run(data, folder, *, resume=False, score=ap, stop=None, board=None, **options):
    # Light-ASD is small, and so are its checkpoints; what a run does is the same.
    own = {"model": "light-asd", "epochs": 2, "batch_frames": 12, "workers": 0, "device": "cpu"}
    options = own | options
    return train_network(
        data, folder, score=score, options=TrainOptions(**options), resume=resume, stop=stop,
        board=board,
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(tiny, tmp_path_factory):
    """A run of two epochs that nothing interrupts."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("whole") / "run"
    return folder, run(tiny, folder)


def same_state(one: Path, other: Path) -> None:
    """Every tensor and number of two checkpoints is the same, to the bit."""
    a, b = (torch.load(path, weights_only=True) for path in (one, other))

    def compare(x, y, where):
        assert type(x) is type(y), where
        if isinstance(x, torch.Tensor):
            assert torch.equal(x, y), where
        elif isinstance(x, dict):
            assert list(x) == list(y), where
            for key in x:
                compare(x[key], y[key], f"{where}.{key}")
        elif isinstance(x, list):
            assert len(x) == len(y), where
            for n, (p, q) in enumerate(zip(x, y, strict=True)):
                compare(p, q, f"{where}[{n}]")
        else:
            assert x == y, where

    compare(a, b, "")


def same_run(one: Path, other: Path) -> None:
    for name in ("last.pt", "best.pt", "best.model"):
        same_state(one / name, other / name)
    for name in ("score.txt", "log.jsonl", "predictions.csv", "best_predictions.csv"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


# ------------------------------------------------------------------------------ what it leaves


def test_a_run_leaves_its_files_and_nothing_else(whole):
    folder, report = whole
    assert {path.name for path in folder.iterdir()} == {*FILES, ".unitalk"}
    assert not report.stopped
    assert report.to_dict()["epochs"] == [
        json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()
    ]


def test_the_lines_of_scores_are_the_originals(whole):
    folder, report = whole
    lines = (folder / "score.txt").read_text().splitlines()
    for line, one in zip(lines, report.results, strict=True):
        form = "%d epoch, LR %f, LOSS %f, mAP %2.2f%%, bestmAP %2.2f%%"  # of trainTalkNet.py
        own, best = 100 * one.average_precision, 100 * one.best
        assert line == form % (one.epoch, one.lr, one.loss, own, best)


def test_fault_9_the_ap_is_that_of_the_predictions_on_the_disk(tiny, whole):
    """The original starts a script that needs `np.float`, which numpy 1.24 gave up, and whose
    message it swallows."""
    folder, report = whole
    groundtruth = tiny / "csv/val_orig.csv"
    assert ap(groundtruth, folder / "predictions.csv") == report.results[-1].average_precision
    best = max(one.average_precision for one in report.results)
    assert ap(groundtruth, folder / "best_predictions.csv") == best == report.best.average_precision


@exhaustive
def test_the_best_epoch_is_kept_and_not_the_newest(tiny, tmp_path):
    given = iter([0.3, 0.9, 0.5])
    report = run(tiny, tmp_path / "run", score=lambda *_: next(given), epochs=3)
    assert report.best.epoch == 2
    best = torch.load(tmp_path / "run/best.pt", weights_only=True)
    last = torch.load(tmp_path / "run/last.pt", weights_only=True)
    assert len(best["state"]["results"]) == 2
    assert len(last["state"]["results"]) == 3
    alone = torch.load(tmp_path / "run/best.model", weights_only=True)
    assert all(torch.equal(alone[key], best["network"][key]) for key in alone)
    assert any(not torch.equal(alone[key], last["network"][key]) for key in alone)
    lines = (tmp_path / "run/log.jsonl").read_text().splitlines()
    assert [json.loads(line)["best"] for line in lines] == [0.3, 0.9, 0.9]


def test_an_undefined_ap_is_null_and_no_number(tiny, tmp_path):
    report = run(tiny, tmp_path / "run", score=lambda *_: None, epochs=1)
    assert report.best is None
    assert json.loads((tmp_path / "run/log.jsonl").read_text())["average_precision"] is None
    assert "mAP nan%, bestmAP nan%" in (tmp_path / "run/score.txt").read_text()
    assert (tmp_path / "run/best.model").is_file()  # there is something to go on with


# ------------------------------------------------------------------------------ every so often


def test_weights_of_every_epoch_are_kept_as_the_original_keeps_them(tiny, tmp_path, whole):
    """In the epochs that leave val alone too, and in a run that was stopped: 3 batches, 4 tracks.

    The original reads a file of which each name and shape is the network's own.
    """
    folder = tmp_path / "run"
    options = {"keep_epochs": True, "eval_every": 2}
    assert run(tiny, folder, stop=StopAfter(5), **options).stopped
    report = run(tiny, folder, resume=True, **options)
    assert sorted(path.name for path in (folder / "model").iterdir()) == [
        "model_0001.model", "model_0002.model",
    ]  # fmt: skip
    same_state(folder / "model/model_0002.model", folder / "best.model")
    first, last = (
        torch.load(folder / f"model/model_000{n}.model", weights_only=True) for n in "12"
    )
    with (GOLDEN / "light_asd_state_dict.tsv").open(newline="") as file:
        original = {row["name"]: row["shape"] for row in csv.DictReader(file, delimiter="\t")}
    for state in (first, last):
        shapes = {k: "x".join(map(str, v.shape)) or "scalar" for k, v in state.items()}
        assert shapes == original
    assert any(not torch.equal(first[name], last[name]) for name in first)
    assert report.best.epoch == 2
    assert [(one.evaluated, one.average_precision is None) for one in report.results] == [
        (False, True), (True, False),
    ]  # fmt: skip
    assert [line.split()[0] for line in (folder / "score.txt").read_text().splitlines()] == ["2"]
    # What is learned does not depend on how often val is scored.
    reference = torch.load(whole[0] / "last.pt", weights_only=True)["network"]
    assert all(torch.equal(last[name], reference[name]) for name in last)


def test_val_is_scored_after_the_last_epoch_however_seldom(tiny, tmp_path):
    seen = []
    report = run(
        tiny, tmp_path / "run", epochs=4, eval_every=3, batch_frames=1000,
        score=lambda *_: seen.append(len(seen)) or 0.5,
    )  # fmt: skip
    assert [one.epoch for one in report.results if one.evaluated] == [3, 4]
    assert len(seen) == 2
    assert not (tmp_path / "run/model").exists()


# ------------------------------------------------------------------------------ going on


@pytest.mark.parametrize(
    ("times", "done"), one_in(3, [(0, 0), (4, 0), (1, 0), (6, 0), (8, 1), (7, 1)])
)
def test_fault_13_a_run_that_is_stopped_and_gone_on_with_is_the_whole_run(
    tiny, tmp_path, whole, times, done
):
    """It looks at first, and after each of an epoch's three batches and four tracks of val.

    After the last track there is nothing left to stop but the next epoch. The original keeps no
    state of its optimiser: what goes on is another training.
    """
    first = run(tiny, tmp_path / "run", stop=StopAfter(times))
    assert first.stopped
    assert len(first.results) == done
    assert (tmp_path / "run/predictions.csv").exists() == bool(done)
    if times == 0:  # before there is anything to save
        assert run_files.load(tmp_path / "run/last.pt")["state"]["step"] == 0
    second = run(tiny, tmp_path / "run", resume=True)
    assert not second.stopped
    same_run(tmp_path / "run", whole[0])


@exhaustive
def test_a_run_that_is_killed_and_gone_on_with_is_the_whole_run(tiny, tmp_path, whole):
    """It saves after each batch here; where SIGKILL comes is left to chance."""
    code = (
        "import sys, torch, unitalk\n"
        "from unitalk.models.train import TrainOptions, train_network\n"
        "torch.set_num_threads(1)\n"
        "ap = lambda g, p: unitalk.evaluate(g, p).average_precision\n"
        "train_network(sys.argv[1], sys.argv[2], score=ap, options=TrainOptions(epochs=2, "
        "model='light-asd', batch_frames=12, workers=0, device='cpu', save_seconds=0), "
        "resume=True)\n"
    )
    folder = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tiny), str(folder)], env=without_coverage()
    )
    deadline = time.monotonic() + 120
    while not (folder / "last.pt").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    run(tiny, folder, resume=True)
    same_run(folder, whole[0])


@exhaustive
def test_more_epochs_go_on_from_the_last(tiny, tmp_path, whole):
    run(tiny, tmp_path / "run", epochs=1)
    report = run(tiny, tmp_path / "run", epochs=2, resume=True)
    assert [one.epoch for one in report.results] == [1, 2]
    same_run(tmp_path / "run", whole[0])


@exhaustive
def test_fault_14_the_thousandth_epoch_is_gone_on_with(tiny, tmp_path):
    """The original looks for `model_0*`, and does not see model_1000.model."""
    run(tiny, tmp_path / "run", epochs=1, score=lambda *_: 0.5)
    found = torch.load(tmp_path / "run/last.pt", weights_only=True)
    found["state"]["epoch"] = 1000
    torch.save(found, tmp_path / "run/last.pt")
    report = run(tiny, tmp_path / "run", epochs=1000, resume=True, score=lambda *_: 0.5)
    assert [one.epoch for one in report.results] == [1, 1000]
    assert report.results[1].lr == pytest.approx(1e-3 * 0.95**999)
    assert not report.stopped


def test_it_goes_on_from_published_weights(tiny, tmp_path, whole):
    start = load_network(whole[0] / "best.model")
    run(tiny, tmp_path / "run", weights=str(whole[0] / "best.model"), stop=StopAfter(1), lr=1e-12)
    after = torch.load(tmp_path / "run/last.pt", weights_only=True)["network"]
    for name, value in start.named_parameters():  # one batch at no rate at all
        torch.testing.assert_close(after[name], value, rtol=0, atol=1e-9)
    with pytest.raises(DataError, match="weights of light-asd, where talknet is wanted"):
        run(tiny, tmp_path / "other", model="talknet", weights=str(whole[0] / "best.model"))


@exhaustive
def test_talknet_is_trained_by_the_same_words(tiny, tmp_path):
    report = run(tiny, tmp_path / "run", model="talknet", epochs=1)
    assert report.results[0].lr == 1e-4  # the original's
    assert load_network(tmp_path / "run/best.model").name == "talknet"


@exhaustive
def test_bfloat16_comes_near(tiny, tmp_path, whole):
    report = run(tiny, tmp_path / "run", precision="bf16", epochs=1)
    assert report.results[0].loss == pytest.approx(whole[1].results[0].loss, abs=0.1)
    assert report.results[0].loss != whole[1].results[0].loss


def test_each_epoch_is_told_to_the_board(tiny, tmp_path):
    told, where = [], []

    class Board:
        def add_scalar(self, *numbers):
            told.append(numbers)

    def open_board(folder):
        where.append(folder)
        return Board()

    report = run(tiny, tmp_path / "run", board=open_board, epochs=1)
    (one,) = report.results
    assert where == [tmp_path / "run"]
    assert told == [
        ("loss", one.loss, 1), ("lr", one.lr, 1), ("average_precision", one.average_precision, 1),
    ]  # fmt: skip


def test_tensorboard_gets_what_it_reads(tmp_path):
    events = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator",
        reason='pip install "unitalk[tensorboard]"',
    )
    from unitalk.models.tensorboard_log import open_board

    board = open_board(tmp_path)
    board.add_scalar("loss", 0.5, 1)
    board.flush()
    board.close()
    found = events.EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    assert [(e.step, e.value) for e in found.Scalars("loss")] == [(1, 0.5)]


# ------------------------------------------------------------------------------ what it refuses


def test_a_folder_with_a_run_is_not_written_over(tiny, whole):
    with pytest.raises(DestinationError, match="holds a run already") as caught:
        run(tiny, whole[0])
    assert "`resume=True`" in caught.value.hint


def test_somebody_elses_folder_is_left_alone(tiny, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("x")
    for resume in (False, True):
        with pytest.raises(DestinationError, match="did not make it"):
            run(tiny, tmp_path / "mine", resume=resume)
    assert os.listdir(tmp_path / "mine") == ["thesis.tex"]


def test_a_run_goes_on_only_as_it_was_begun(tiny, tmp_path):
    run(tiny, tmp_path / "run", stop=StopAfter(0))
    with pytest.raises(DestinationError, match=r"lr was not set and is 0\.5; seed was 0 and is 3"):
        run(tiny, tmp_path / "run", resume=True, lr=0.5, seed=3)
    other = make_tiny(tmp_path / "other")
    with (other / "csv/train_orig.csv").open("a") as file:
        file.write(
            "aaaaaaaaaaa,9.0,0.1,0.2,0.3,0.45,NOT_SPEAKING,aaaaaaaaaaa:9,0,aaaaaaaaaaa:9:0\n"
        )
    with pytest.raises(DestinationError, match="csv was"):
        run(other, tmp_path / "run", resume=True)


def test_a_damaged_checkpoint_is_named(tiny, tmp_path):
    run(tiny, tmp_path / "run", stop=StopAfter(0))
    path = tmp_path / "run/last.pt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"last\.pt"):
        run(tiny, tmp_path / "run", resume=True)
    torch.save({"something": 1}, path)
    with pytest.raises(DataError, match="not a checkpoint of `train_network`"):
        run_files.load(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("epochs", 0), ("eval_every", 0), ("batch_frames", 0), ("seed", -1), ("workers", -1),
     ("lr", 0.0), ("lr", float("nan")), ("lr_decay", -1.0), ("precision", "fp8"),
     ("device", "tpu"), ("model", "resnet")],
)  # fmt: skip
def test_an_option_that_means_nothing_is_refused_before_anything_is_written(
    tiny, tmp_path, name, value
):
    with pytest.raises(UsageError):
        run(tiny, tmp_path / "run", **{name: value})
    assert not (tmp_path / "run").exists() or not any((tmp_path / "run").glob("*.pt"))

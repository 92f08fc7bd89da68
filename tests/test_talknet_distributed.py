"""Several processes train as one: real ones, that meet over gloo."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from build import make_dataset, make_real, track
from conftest import exhaustive, without_coverage
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason='pip install "unitalk[models]"')
pytest.importorskip("cv2", reason="gray needs the extra [tracks]")

from unitalk.models.distributed import ALONE, World, agree, gathered, mean, share  # noqa: E402
from unitalk.models.train import TrainOptions, train_network  # noqa: E402


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Four tracks of six faces and four of three, which two processes can share evenly."""
    root = tmp_path_factory.mktemp("even") / "dataset"
    counts = (6, 6, 6, 6, 3, 3, 3, 3)
    drawn = [track(f"aaaaaaaaaaa:{n}", count, first=40 * n) for n, count in enumerate(counts)]
    make_dataset(root, {"aaaaaaaaaaa": drawn}, split="train")
    make_dataset(root, {"v": [track("v:0", 5), track("v:1", 7), track("v:2", 4)]}, split="val")
    return make_real(root)


def environment() -> dict[str, str]:
    return {**without_coverage(), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}


PAIR = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def in_a_pair(*words: object) -> str:
    """What two processes print, of which each has 12 frames a batch."""
    command = [*PAIR, *map(str, words)]
    ran = subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "Warning" not in ran.stderr
    return ran.stdout


def scores(folder: Path) -> list[float]:
    with (folder / "predictions.csv").open(newline="") as file:
        return [float(row["score"]) for row in csv.DictReader(file)]


NORM = """
import os, sys, torch
import torch.distributed as dist
from torch import nn
from unitalk.models.distributed import World, share_statistics, joined
rank, size = int(os.environ["RANK"]), 2
torch.manual_seed(0)
x = torch.randn(6, 4, 5, dtype=torch.float64, requires_grad=True)
weight = torch.randn(6, 4, 5, dtype=torch.float64)
plain, shared = (nn.BatchNorm1d(4, eps=1e-3, momentum=0.1).double() for _ in range(2))
with torch.no_grad():
    for norm in (plain, shared):
        norm.weight.copy_(torch.arange(1, 5)); norm.bias.copy_(torch.arange(4))
whole = plain(x)
(whole * weight).sum().backward()
expected = x.grad[3 * rank : 3 * rank + 3].clone()
with joined(World(rank=rank, size=size), torch.device("cpu")):
    share_statistics(nn.Sequential(shared))
    own = x.detach()[3 * rank : 3 * rank + 3].clone().requires_grad_()
    mine = shared(own)
    (mine * weight[3 * rank : 3 * rank + 3]).sum().backward()
    parts = []
    for name in ("weight", "bias"):
        total = getattr(shared, name).grad.clone()
        dist.all_reduce(total)
        parts.append((total - getattr(plain, name).grad).abs().max().item())
    differences = [
        (mine - whole[3 * rank : 3 * rank + 3]).abs().max().item(),
        (own.grad - expected).abs().max().item(),
        (shared.running_mean - plain.running_mean).abs().max().item(),
        (shared.running_var - plain.running_var).abs().max().item(),
        *parts,
    ]
    single = nn.BatchNorm1d(4)
    share_statistics(nn.Sequential(single))
    half = single(x.detach()[3 * rank : 3 * rank + 3].bfloat16())
    assert half.dtype == torch.bfloat16 and single.running_mean.dtype == torch.float32
    rounded = nn.BatchNorm1d(4)(x.detach().bfloat16().float())[3 * rank : 3 * rank + 3]
    assert (half.float() - rounded).abs().max() < 0.02  # 8 bits of numbers below 4
    from unitalk.models.distributed import agree, mean
    world = World(rank=rank, size=size)
    assert agree(2 * rank, world, torch.device("cpu")) == 2
    assert mean(torch.tensor(rank + 1.0), world).item() == 1.5
    shared.eval(), plain.eval()
    differences.append((shared(own) - plain(own)).abs().max().item())
    assert max(differences) < 1e-12, differences
    counts = int(shared.num_batches_tracked), int(plain.num_batches_tracked)
    os.write(1, f"same {counts}\\n".encode())  # at once: two processes write
"""


STOPPED = """
import os, sys, threading
from unitalk.models.distributed import World
from unitalk.models.train import TrainOptions, train_network
rank = int(os.environ["RANK"])

class AfterABatch(threading.Event):
    looks = 0

    def is_set(self):
        self.looks += 1
        return self.looks > 1

stop = AfterABatch() if rank == 1 else threading.Event()
options = TrainOptions(model="light-asd", batch_frames=12, workers=0, device="cpu", lr=1e-4)
world = World(rank=rank, size=2, local_rank=rank)
report = train_network(
    *sys.argv[1:], score=lambda *_: None, options=options, world=world, stop=stop
)
assert report.stopped and not report.results
"""


@exhaustive
def test_two_processes_are_one_with_twice_the_frames(data, tmp_path):
    """Batches of {6, 6, 6, 6} and {3, 3, 3, 3}: 2 x 12 frames are 24, and 2 x 6 are 12.

    One of the two is told to stop after the first batch, both do, and are gone on with. Equal but
    for float32's noise: Adam turns a gradient that is nothing but noise into a step of the learning
    rate, 1e-4, four times.
    """
    pair = tmp_path / "pair"
    (tmp_path / "stopped.py").write_text(STOPPED)
    in_a_pair(tmp_path / "stopped.py", data, pair)
    state = torch.load(pair / "last.pt", weights_only=True)["state"]
    assert (state["epoch"], state["step"], state["frames"]) in {(1, 1, 12), (1, 1, 6)}
    said = in_a_pair(
        "-m", "unitalk", "-q", "train", data, "--destination", pair, "--model",
        "light-asd", "--epochs", 2, "--workers", 0, "--device", "cpu", "--lr", "1e-4",
        "--batch-frames", 12, "--resume",
    )  # fmt: skip
    assert said.count("best: epoch") == 1  # one of them speaks for all
    one = tmp_path / "one"
    options = TrainOptions(
        model="light-asd", epochs=2, batch_frames=24, workers=0, device="cpu", lr=1e-4
    )
    train_network(data, one, score=lambda *_: None, options=options)
    ours, theirs = ([json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
                    for folder in (pair, one))  # fmt: skip
    for mine, other in zip(ours, theirs, strict=True):
        assert mine["frames"] == other["frames"] == 36
        assert mine["lr"] == other["lr"]
        assert mine["loss"] == pytest.approx(other["loss"], abs=1e-3)
    assert scores(pair) == pytest.approx(scores(one), abs=5e-3)
    mine, other = (torch.load(f / "last.pt", weights_only=True)["network"] for f in (pair, one))
    for key in mine:
        torch.testing.assert_close(
            mine[key], other[key], rtol=1e-3, atol=2e-3, msg=lambda text, k=key: f"{k}: {text}"
        )


@exhaustive
def test_normalisation_over_two_processes_is_that_of_the_whole_batch(tmp_path):
    """Beside PyTorch's own over all six: values, gradients and running statistics, in float64."""
    (tmp_path / "norm.py").write_text(NORM)
    said = in_a_pair(tmp_path / "norm.py")
    assert sorted(said.split("\n")) == ["", "same (1, 1)", "same (1, 1)"]


# ------------------------------------------------------------------------------ alone


def test_alone_there_is_nobody_to_ask():
    cpu = torch.device("cpu")
    assert [agree(value, ALONE, cpu) for value in (0, 1, 2)] == [0, 1, 2]
    assert gathered({"a": 1}, ALONE) == [{"a": 1}]
    assert mean(torch.tensor(2.5), ALONE).item() == 2.5
    assert ALONE.leads


def test_the_heaviest_goes_to_who_has_least():
    """7 -> first, 5 -> second, 4 -> second (5 < 7), 3 -> first (7 < 9), 1 -> second (9 < 10)."""
    weights = [4, 7, 1, 5, 3]
    assert share(weights, World(rank=0, size=2)) == [1, 4]
    assert share(weights, World(rank=1, size=2)) == [0, 2, 3]


@given(st.lists(st.integers(1, 50), max_size=30), st.integers(1, 4))
def test_everything_is_somebodys_and_nobody_has_much_more(weights, size):
    parts = [share(weights, World(rank=rank, size=size)) for rank in range(size)]
    assert sorted(n for part in parts for n in part) == list(range(len(weights)))
    loads = [sum(weights[n] for n in part) for part in parts]
    assert max(loads) - min(loads) <= max(weights, default=0)

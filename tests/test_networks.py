"""What every network promises, and each one against the golden vectors of its original.

`golden/talknet.npz` and `golden/light_asd.npz` hold what the original modules gave in float32 on a
CPU for the parameters and inputs of `talknet_fill`: TaoRuijie/TalkNet-ASD, commit 6d68214, which
joins the tracks of a batch in time, and Junhua-Liao/Light-ASD, commit ed38c23. The tables beside
them list the entries of the published weights.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass

import numpy as np
import pytest
from conftest import exhaustive
from talknet_fill import filled, given, near
from talknet_formula import GOLDEN, golden

from unitalk.choices import MODELS
from unitalk.errors import UsageError

torch = pytest.importorskip("torch", reason='pip install "unitalk[models]"')

from unitalk.models.contract import Logits, Network, speaking_probability  # noqa: E402
from unitalk.models.registry import NETWORKS, new_network  # noqa: E402
from unitalk.models.talknet.attention import MultiHeadAttention  # noqa: E402


@dataclass(frozen=True)
class Original:
    """What is known of a network's original.

    Attributes:
        vectors: the golden file, and the table of entries.
        lr: what it is trained with.
        parameters: how many, without heads.
        batch: the batch of the golden gradients: its name, tracks and faces.
        unused: entries that get no gradient.
        loss_atol: how far the losses of four steps may be off.
    """

    vectors: str
    lr: float
    parameters: int
    batch: tuple[str, int, int]
    unused: tuple[str, ...]
    loss_atol: float


ORIGINALS = {
    "talknet": Original(
        "talknet", 1e-4, 15_743_451, ("b2t25", 2, 25),
        ("model.visualFrontend.resnet.layer1.downsample.weight",), 1e-3,
    ),
    "light-asd": Original("light_asd", 1e-3, 1_021_120, ("b2t20", 2, 20), (), 5e-3),
}  # fmt: skip
every = pytest.mark.parametrize("name", MODELS)


def without_dropout(network):
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        elif isinstance(module, MultiHeadAttention):
            module.dropout = 0.0
    return network


def test_the_networks_are_those_of_the_command_line():
    assert tuple(NETWORKS) == MODELS == tuple(ORIGINALS)


@every
def test_a_network_has_the_entries_of_the_published_weights(name):
    known = ORIGINALS[name]
    with (GOLDEN / f"{known.vectors}_state_dict.tsv").open(newline="") as file:
        want = [
            (row["name"], "" if row["shape"] == "scalar" else row["shape"], row["dtype"])
            for row in csv.DictReader(file, delimiter="\t")
        ]
    network = new_network(name)
    assert isinstance(network, Network)
    assert (network.name, network.default_lr, network.training) == (name, known.lr, True)
    found = [
        (k, "x".join(map(str, v.shape)), str(v.dtype)[6:]) for k, v in network.state_dict().items()
    ]
    assert sorted(found) == sorted(want)
    assert sum(p.numel() for p in network.model.parameters()) == known.parameters


@every
def test_gradients_are_as_long_as_the_originals(name):
    known = ORIGINALS[name]
    tag, tracks, faces = known.batch
    network, want = filled(name, clip_leak=True), golden(known.vectors)
    audio, pictures, truth = given(tracks, faces)
    network.loss(network(audio, pictures), truth, epoch=1).backward()
    lengths = dict(zip(want[f"grad_{tag}/names"].tolist(), want[f"grad_{tag}/l2"], strict=True))
    assert [lengths.pop(entry) for entry in known.unused] == [0] * len(known.unused)
    found = {key: p.grad for key, p in network.named_parameters() if p.grad is not None}
    assert found.keys() == lengths.keys()
    for key, grad in found.items():
        assert float(grad.double().norm()) == pytest.approx(lengths[key], rel=2e-3, abs=1e-6), key


@exhaustive
@every
def test_four_steps_of_training_are_the_originals(name):
    known = ORIGINALS[name]
    tag, tracks, faces = known.batch
    network, want = without_dropout(filled(name, clip_leak=True)).train(), golden(known.vectors)
    optimizer = torch.optim.Adam(network.parameters(), lr=known.lr)
    audio, pictures, truth = given(tracks, faces)
    losses = []
    for step in range(4):
        logits = network(audio, pictures)
        loss = network.loss(logits, truth, epoch=1)
        losses.append(loss.item())
        if step == 0:
            near(logits.av.flatten(0, 1), want[f"train_{tag}/logits_av"])
            state = network.state_dict()
            sums = [float(state[key].double().sum()) for key in want[f"train_{tag}/bn_names"]]
            statistics = want[f"train_{tag}/bn_sum_after_1_step"]
            np.testing.assert_allclose(sums, statistics, rtol=1e-4, atol=1e-3)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    first, *_ = want[f"adam_{tag}/loss_first4"]
    near(losses[0], first, 1e-5)
    near(losses, want[f"adam_{tag}/loss_first4"], known.loss_atol)


def test_losses_by_hand():
    """Logits that differ by d cost log(1 + exp(-d)) where right, d more where wrong.

    TalkNet adds 0.4 of the loss of sound and of pictures. Light-ASD divides logits by 1.3 in the
    first epoch, 1.28 in the second, and adds half of the loss of pictures.
    """
    logits, even = torch.tensor([[[0.0, 2.0]] * 3]), torch.zeros(1, 3, 2)
    right = np.log1p(np.exp(-2.0))
    mean = (right + (right + 2) + right) / 3
    truth = torch.tensor([[1, 0, 1]])
    found = new_network("talknet").loss(Logits(logits, even, logits), truth, epoch=1)
    near(found, mean + 0.4 * np.log(2) + 0.4 * mean, 1e-6)
    assert speaking_probability(logits)[0, 0].item() == pytest.approx(1 / (1 + np.exp(-2.0)))
    light, sure, even = new_network("light-asd"), torch.tensor([[[0.0, 2.6]]]), torch.zeros(1, 1, 2)
    found = light.loss(Logits(sure, None, even), torch.tensor([[1]]), epoch=1)
    near(found, right + 0.5 * np.log(2), 1e-6)
    found = light.loss(Logits(sure, None, even), torch.tensor([[0]]), epoch=2)
    near(found, np.log1p(np.exp(2.6 / 1.28)) + 0.5 * np.log(2), 1e-6)


@every
@pytest.mark.parametrize(
    ("audio", "faces", "said"),
    [((1, 99, 13), (1, 25, 112, 112), r"with 1 x 25 faces a network takes \[1, 100, 13\]"),
     ((1, 100, 13), (1, 25, 112, 96), r"faces of the shape \[1, 25, 112, 96\]"),
     ((1, 0, 13), (1, 0, 112, 112), r"faces of the shape \[1, 0, 112, 112\]")],
)  # fmt: skip
def test_shapes_that_do_not_fit_are_refused(name, audio, faces, said):
    with pytest.raises(UsageError, match=said):
        new_network(name)(torch.zeros(audio), torch.zeros(faces, dtype=torch.uint8))


@exhaustive
@every
def test_half_precision_keeps_logits_and_loss_whole(name):
    torch.manual_seed(0)
    network = new_network(name).eval()
    audio, faces, truth = given(2, 4)
    exact = network(audio, faces)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(audio, faces)
        loss = network.loss(logits, truth, epoch=1)
    assert {x.dtype for x in (*logits, loss) if x is not None} == {torch.float32}
    # Numbers of bfloat16 have no low bits: were the heads computed in it, none would have here.
    assert (logits.av.detach().view(torch.int32) & 0xFFFF).any()
    near(loss, network.loss(exact, truth, epoch=1).item(), 0.05)
    loss.backward()
    assert all(p.grad.isfinite().all() for p in network.parameters() if p.requires_grad)


@exhaustive
@every
def test_data_parallel_training_waits_for_no_gradient(name):
    """Two steps: it is the second that raises where a parameter had no part in the first."""
    store = torch.distributed.HashStore()
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        wrapped = torch.nn.parallel.DistributedDataParallel(new_network(name).train())
        audio, faces, truth = given(2, 3)
        for _ in range(2):
            logits = wrapped(audio, faces)
            assert isinstance(logits, Logits)
            wrapped.module.loss(logits, truth, epoch=1).backward()
    finally:
        torch.distributed.destroy_process_group()
    without = [key for key, p in wrapped.module.named_parameters() if p.grad is None]
    assert tuple(without) == ORIGINALS[name].unused

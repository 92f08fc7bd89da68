"""TalkNet against golden vectors of the original, and against what is written out by hand.

`golden/talknet.npz` holds what the original modules (TaoRuijie/TalkNet-ASD, commit 6d68214)
gave in float32 on a CPU for the parameters and inputs of `talknet_fill`; B2 of them are joined in
time, as the original joins the tracks of a batch.
"""

from __future__ import annotations

import csv

import numpy as np
import pytest
from conftest import exhaustive
from talknet_fill import audio_input, fill, labels, visual_input
from talknet_formula import GOLDEN, golden

from unitalk.errors import UsageError

torch = pytest.importorskip("torch", reason='pip install "unitalk[talknet]"')

from unitalk.models.contract import Logits, speaking_probability  # noqa: E402
from unitalk.models.registry import new_network  # noqa: E402
from unitalk.models.talknet import visual  # noqa: E402
from unitalk.models.talknet.attention import MultiHeadAttention  # noqa: E402

UNUSED = "model.visualFrontend.resnet.layer1.downsample.weight"


def filled(*, clip_leak: bool = True):
    network = new_network("talknet", clip_leak=clip_leak)
    state = {k: torch.from_numpy(fill(k, tuple(v.shape))) for k, v in network.state_dict().items()}
    network.load_state_dict(state)
    return network.eval()


@pytest.fixture(scope="module")
def leaking():
    return filled()


@pytest.fixture(scope="module")
def network():
    return filled(clip_leak=False)


def given(tracks: int, faces: int):
    return [
        torch.from_numpy(make(tracks, faces)) for make in (audio_input, visual_input, labels)
    ]  # fmt: skip


def near(found, want, atol: float = 1e-4) -> None:
    found = found.detach().numpy() if isinstance(found, torch.Tensor) else found
    np.testing.assert_allclose(found, want, rtol=0, atol=atol)


def flat(logits):
    return logits.flatten(0, 1)


# ------------------------------------------------------------------------------ the parameters


def test_entries_are_those_of_the_published_checkpoints():
    with (GOLDEN / "talknet_state_dict.tsv").open(newline="") as file:
        want = [
            (row["name"], "" if row["shape"] == "scalar" else row["shape"], row["dtype"])
            for row in csv.DictReader(file, delimiter="\t")
        ]
    state = new_network("talknet").state_dict()
    found = [(k, "x".join(map(str, v.shape)), str(v.dtype)[6:]) for k, v in state.items()]
    assert len(found) == 487
    assert sorted(found) == sorted(want)


def test_fresh_parameters_are_spread_as_the_originals():
    """Audio: Kaiming by what comes out, sqrt(2 / (128 * 3 * 3)); projections: Xavier's bound."""
    model = new_network("talknet").model
    spread = float(model.audioEncoder.layer4[2].conv2.weight.detach().std())
    assert spread == pytest.approx((2 / 1152) ** 0.5, rel=0.02)
    projection = model.selfAV.self_attn.in_proj_weight.detach()
    assert float(projection.abs().max()) == pytest.approx((6 / (768 + 256)) ** 0.5, rel=1e-3)
    assert not model.selfAV.self_attn.in_proj_bias.any()


# ------------------------------------------------------------------------------ golden vectors


def kept(model, names: dict[str, str]) -> dict[str, torch.Tensor]:
    """What named modules will give, filled when the network runs."""
    found: dict[str, torch.Tensor] = {}

    def keep(key):
        return lambda module, args, out: found.__setitem__(key, out.clone())

    for key, path in names.items():
        model.get_submodule(path).register_forward_hook(keep(key))
    return found


def test_every_stage_of_one_track():
    own, want = filled(), golden("talknet")
    resnet = "visualFrontend.resnet.layer"
    found = kept(own.model, {
        "frontend3D": "visualFrontend.frontend3D", "layer1": f"{resnet}1", "layer2": f"{resnet}2",
        "layer3": f"{resnet}3", "layer4": f"{resnet}4", "v_frontend": "visualFrontend",
        "v_tcn": "visualTCN", "visual": "visualConv1D", "audio_embed": "audioEncoder",
        "a_bn1": "audioEncoder.bn1", "a_layer1": "audioEncoder.layer1",
        "a_layer2": "audioEncoder.layer2", "a_layer3": "audioEncoder.layer3",
        "a_layer4": "audioEncoder.layer4", "cross_a": "crossA2V", "cross_v": "crossV2A",
        "av": "selfAV",
    })  # fmt: skip
    audio, faces, truth = given(1, 25)
    with torch.no_grad():
        logits = own(audio, faces)
    near(found.pop("visual").transpose(1, 2), want["b1t25/visual_embed"])
    near(found.pop("frontend3D")[12, ::8], want["b1t25/v_frontend3D[0,::8,12]"])
    for number in range(1, 5):
        near(found.pop(f"layer{number}")[12, ::8], want[f"b1t25/v_layer{number}[12,::8]"])
    near(found.pop("av").flatten(0, 1), want["b1t25/av"])
    for key, value in found.items():
        near(value, want[f"b1t25/{key}"])
    for key, value in zip(("av", "a", "v"), logits, strict=True):
        near(flat(value), want[f"b1t25/logits_{key}"])
    near(own.loss(logits, truth, epoch=1), want["b1t25/loss_total"][0], 1e-5)


def test_fault_1_tracks_do_not_leak_into_each_other(network, leaking):
    """A track of a batch is judged as it is alone; the original's logits moved by up to 0.165."""
    audio, faces, _ = given(2, 25)
    with torch.no_grad():
        together, leaked = network(audio, faces).av, leaking(audio, faces).av
        second = network(audio[1:], faces[1:]).av
    want = golden("talknet")
    near(together[0], want["b1t25/logits_av"])
    near(together[1], second[0])
    near(flat(leaked), want["b2t25/logits_av"])
    assert float((leaked - together).abs().max()) > 0.01


def test_gradients_are_as_long_as_the_originals(leaking):
    audio, faces, truth = given(2, 25)
    leaking.zero_grad()
    leaking.loss(leaking(audio, faces), truth, epoch=1).backward()
    want = golden("talknet")
    lengths = dict(zip(want["grad_b2t25/names"].tolist(), want["grad_b2t25/l2"], strict=True))
    assert lengths.pop(UNUSED) == 0
    found = {k: p.grad for k, p in leaking.named_parameters() if p.grad is not None}
    leaking.zero_grad()
    assert found.keys() == lengths.keys()
    for name, grad in found.items():
        assert float(grad.double().norm()) == pytest.approx(lengths[name], rel=2e-3, abs=1e-6), name


def without_dropout(network):
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        elif isinstance(module, MultiHeadAttention):
            module.dropout = 0.0
    return network


@exhaustive
def test_four_steps_of_training_are_the_originals():
    own, want = without_dropout(filled()).train(), golden("talknet")
    optimiser = torch.optim.Adam(own.parameters(), lr=own.default_lr)
    audio, faces, truth = given(2, 25)
    losses = []
    for step in range(4):
        logits = own(audio, faces)
        loss = own.loss(logits, truth, epoch=1)
        losses.append(loss.item())
        if step == 0:
            near(flat(logits.av), want["train_b2t25/logits_av"])
            near(losses[0], want["train_b2t25/loss_total"][0], 1e-5)
            state = own.state_dict()
            sums = [float(state[name].double().sum()) for name in want["train_b2t25/bn_names"]]
            np.testing.assert_allclose(
                sums, want["train_b2t25/bn_sum_after_1_step"], rtol=1e-4, atol=1e-3
            )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    near(losses, want["adam_b2t25/loss_first4"], 1e-3)
    assert own.default_lr == 1e-4  # what these steps were made with


# ------------------------------------------------------------------------------ the parts


@pytest.mark.parametrize("faces", [1, 2, 4, 5, 9])
def test_the_window_over_five_faces_is_a_convolution_in_three_dimensions(network, faces):
    pictures = torch.from_numpy(visual_input(2, faces)).float()
    frontend = network.model.visualFrontend
    conv = frontend.frontend3D[0]
    found = conv(torch.nn.functional.pad(pictures, (0, 0, 0, 0, 2, 2)))
    want = torch.nn.functional.conv3d(
        pictures.unsqueeze(1), conv.weight, stride=(1, 2, 2), padding=(2, 3, 3)
    )
    near(found, want.transpose(1, 2).flatten(0, 1).detach(), 1e-3)  # of values up to a thousand
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_a_long_track_is_encoded_in_pieces(network, monkeypatch):
    """Pieces of seven faces, of one track and of three, know their neighbours."""
    sizes = []
    frontend = network.model.visualFrontend
    hook = frontend.resnet.register_forward_pre_hook(
        lambda module, args: sizes.append(len(args[0]))
    )
    try:
        for tracks, count, pieces in (
            (1, 16, [7, 7, 2]),
            (3, 5, [6, 6, 3]),
            (9, 2, [9, 9]),
        ):
            faces = torch.from_numpy(visual_input(tracks, count))
            with torch.no_grad():
                monkeypatch.setattr(visual, "FACES_AT_ONCE", 1000)
                whole = frontend(faces)
                monkeypatch.setattr(visual, "FACES_AT_ONCE", 7)
                sizes.clear()
                near(frontend(faces), whole, 1e-5)
            assert sizes == pieces
            sizes.clear()
            frontend(faces[:1])  # with gradients: all at once
            assert sizes == [count]
    finally:
        hook.remove()


def test_attention_is_torchs_own():
    torch.manual_seed(0)
    own = MultiHeadAttention(64).eval()
    peer = torch.nn.MultiheadAttention(64, 8, batch_first=True).eval()
    torch.nn.init.normal_(own.in_proj_bias)
    peer.load_state_dict(own.state_dict())
    query, source = torch.randn(2, 9, 64), torch.randn(2, 7, 64)
    with torch.no_grad():
        near(own(query, source), peer(query, source, source)[0].numpy(), 1e-6)


def test_the_global_norm_is_over_channels_and_times():
    """Of 1, 2, 3, 4, 5, 6: mean 3.5, variance 17.5 / 6."""
    norm = visual.GlobalNorm(2)
    norm.gamma.data[0, :, 0] = torch.tensor([1.0, 10.0])
    norm.beta.data[0, :, 0] = torch.tensor([0.0, 1.0])
    x = torch.arange(1.0, 7.0).reshape(1, 2, 3)
    unit = (17.5 / 6) ** 0.5
    want = [[-2.5 / unit, -1.5 / unit, -0.5 / unit], [1 + 5 / unit, 1 + 15 / unit, 1 + 25 / unit]]
    near(norm(torch.cat([x, 3 * x]))[0], want, 1e-5)
    near(norm(torch.cat([x, 3 * x]))[1], want, 1e-5)  # each track by itself


def test_losses_by_hand():
    """Logits that differ by d cost log(1 + exp(-d)) where right, d more where wrong."""
    network = new_network("talknet")
    truth = torch.tensor([[1, 0, 1]])
    logits = torch.tensor([[[0.0, 2.0], [0.0, 2.0], [0.0, 2.0]]])
    right = np.log1p(np.exp(-2.0))
    mean = (right + (right + 2) + right) / 3
    even = torch.zeros(1, 3, 2)
    found = network.loss(Logits(logits, even, logits), truth, epoch=1)
    near(found, mean + 0.4 * np.log(2) + 0.4 * mean, 1e-6)
    assert speaking_probability(logits)[0, 0].item() == pytest.approx(1 / (1 + np.exp(-2.0)))


# ------------------------------------------------------------------------------ odd inputs


@pytest.mark.parametrize(("tracks", "faces"), [(1, 1), (3, 1), (1, 4)])
def test_short_tracks(network, tracks, faces):
    audio, pictures, _ = given(tracks, faces)
    with torch.no_grad():
        logits = network(audio, pictures)
        alone = network(audio[:1], pictures[:1])
    for one, first in zip(logits, alone, strict=True):
        assert one.shape == (tracks, faces, 2)
        assert one.isfinite().all()
        near(one[:1], first, 1e-5)


@pytest.mark.parametrize(
    ("audio", "faces", "said"),
    [((1, 99, 13), (1, 25, 112, 112), r"with 1 x 25 faces a network takes \[1, 100, 13\]"),
     ((1, 100, 13), (1, 25, 112, 96), r"faces of the shape \[1, 25, 112, 96\]"),
     ((1, 0, 13), (1, 0, 112, 112), r"faces of the shape \[1, 0, 112, 112\]")],
)  # fmt: skip
@pytest.mark.parametrize("name", ["talknet", "light-asd"])
def test_shapes_that_do_not_fit_are_refused(name, audio, faces, said):
    with pytest.raises(UsageError, match=said):
        new_network(name)(torch.zeros(audio), torch.zeros(faces, dtype=torch.uint8))


# ------------------------------------------------------------------------------ around a network


@exhaustive
@pytest.mark.parametrize("name", ["talknet", "light-asd"])
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
@pytest.mark.parametrize("name", ["talknet", "light-asd"])
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
    without = [name for name, p in wrapped.module.named_parameters() if p.grad is None]
    assert without == ([UNUSED] if name == "talknet" else [])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_on_a_gpu_the_golden_vectors_hold(leaking, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    audio, faces, _ = given(2, 50)
    with torch.no_grad():
        logits = filled().cuda()(audio.cuda(), faces.cuda())
    near(flat(logits.av).cpu(), golden("talknet")["b2t50/logits_av"])

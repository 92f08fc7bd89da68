"""TalkNet stage by stage against golden vectors of the original (`test_networks` says which), and
its parts against what is written out by hand."""

from __future__ import annotations

import pytest
from talknet_fill import filled, given, near, visual_input
from talknet_formula import golden

torch = pytest.importorskip("torch", reason='pip install "unitalk[models]"')

from unitalk.models.registry import new_network  # noqa: E402
from unitalk.models.talknet import visual  # noqa: E402
from unitalk.models.talknet.attention import MultiHeadAttention  # noqa: E402


@pytest.fixture(scope="module")
def leaking():
    return filled("talknet", clip_leak=True)


@pytest.fixture(scope="module")
def network():
    return filled("talknet")


def flat(logits):
    return logits.flatten(0, 1)


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
    own, want = filled("talknet", clip_leak=True), golden("talknet")
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


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_on_a_gpu_the_golden_vectors_hold(leaking, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    audio, faces, _ = given(2, 50)
    with torch.no_grad():
        logits = filled("talknet", clip_leak=True).cuda()(audio.cuda(), faces.cuda())
    near(flat(logits.av).cpu(), golden("talknet")["b2t50/logits_av"])

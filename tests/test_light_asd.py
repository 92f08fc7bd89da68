"""Light-ASD stage by stage against golden vectors of the original (`test_networks` says which), its
real weights, and hand calculations. The weights are not in this repository; `real_data` says where
they are looked for."""

from __future__ import annotations

import pytest
from real_data import LIGHT_ASD, absent
from talknet_fill import filled, given, near, visual_input
from talknet_formula import golden

torch = pytest.importorskip("torch", reason='pip install "unitalk[models]"')

from unitalk.models.contract import Logits, speaking_probability  # noqa: E402
from unitalk.models.light_asd import network as light_asd  # noqa: E402
from unitalk.models.registry import load_network  # noqa: E402


@pytest.fixture(scope="module")
def network():
    return filled("light-asd")


# ------------------------------------------------------------------------------ the original


def test_every_stage_of_one_track(network):
    audio, faces, _ = given(1, 25)
    want = golden("light_asd")
    with torch.no_grad():
        heard, seen = network.model.audioEncoder(audio), network.model.visualEncoder(faces)
        near(heard, want["b1t25/audio_embed"])
        near(seen, want["b1t25/visual_embed"])
        near(network.model.GRU(heard + seen)[0], want["b1t25/gru"])


@pytest.mark.parametrize(("tracks", "faces"), [(1, 25), (2, 20), (1, 1), (1, 3)])
def test_logits_scores_and_losses(network, tracks, faces):
    audio, pictures, truth = given(tracks, faces)
    with torch.no_grad():
        logits = network(audio, pictures)
    tag, want = f"b{tracks}t{faces}", golden("light_asd")
    assert isinstance(logits, Logits)
    assert logits.av.shape == (tracks, faces, 2)
    assert logits.audio is None
    near(logits.av.flatten(0, 1), want[f"{tag}/logits_av"])
    near(logits.visual.flatten(0, 1), want[f"{tag}/logits_v"])
    near(speaking_probability(logits.av).flatten(), want[f"{tag}/prob_av"])
    near(logits.av[..., 1].flatten(), want[f"{tag}/raw_score"])
    for epoch in (1, 2, 30):
        near(network.loss(logits, truth, epoch=epoch), want[f"{tag}/loss_epoch{epoch}"], 1e-5)


# ------------------------------------------------------------------------------ the parts


def test_the_temperature_falls_by_epoch_and_never_to_zero():
    found = [light_asd.temperature(epoch) for epoch in (1, 2, 30, 61, 66, 500)]
    assert found == pytest.approx([1.3, 1.28, 0.72, 0.1, 0.1, 0.1])


@pytest.mark.parametrize("times", [1, 2, 7])
def test_a_visual_block_is_convolutions_in_three_dimensions(network, times):
    """The same path in the shapes of the published weights: [tracks, channels, times, h, w]."""
    block = network.model.visualEncoder.block2
    torch.manual_seed(0)
    x = torch.randn(2, 32, times, 6, 5)

    def path(y, size):
        for kind, pad in (("s", (0, size // 2, size // 2)), ("t", (size // 2, 0, 0))):
            weight = block.get_submodule(f"{kind}_{size}").weight
            y = torch.nn.functional.conv3d(y, weight, padding=pad)
            y = torch.relu(scaled(y, block.get_submodule(f"bn_{kind}_{size}")))
        return y

    def scaled(y, norm):
        mean, var = norm.running_mean, norm.running_var
        return torch.nn.functional.batch_norm(y, mean, var, norm.weight, norm.bias, eps=1e-3)

    with torch.no_grad():
        want = torch.nn.functional.conv3d(path(x, 3) + path(x, 5), block.last.weight)
        want = torch.relu(scaled(want, block.bn_last))
        found = block(x.transpose(1, 2).flatten(0, 1), times)
    near(found, want.transpose(1, 2).flatten(0, 1))


def test_a_long_track_is_encoded_in_pieces(network, monkeypatch):
    """What a face sees of others reaches over six faces, and over the borders of pieces."""
    encoder = network.model.visualEncoder
    sizes = []
    hook = encoder.block3.register_forward_pre_hook(lambda module, args: sizes.append(args[1]))
    try:
        for tracks, count, pieces in ((1, 20, [13, 19, 12]), (2, 5, [5, 5])):
            faces = torch.from_numpy(visual_input(tracks, count))
            with torch.no_grad():
                monkeypatch.setattr(light_asd, "FACES_AT_ONCE", 1000)
                whole = encoder(faces)
                monkeypatch.setattr(light_asd, "FACES_AT_ONCE", 7)
                sizes.clear()
                near(encoder(faces), whole, 1e-5)
            assert sizes == pieces
    finally:
        hook.remove()


def test_a_face_sees_six_on_each_side_and_no_seventh(network):
    faces = torch.from_numpy(visual_input(1, 15))
    changed = faces.clone()
    changed[0, 0] = 255 - changed[0, 0]
    with torch.no_grad():
        moved = (network.model.visualEncoder(faces) - network.model.visualEncoder(changed)).abs()
    assert (moved[0].amax(dim=1) > 0).tolist() == [True] * 7 + [False] * 8


def test_the_second_recurrence_runs_backwards():
    """With the first's state as input, what it says of a time depends on later times alone."""
    torch.manual_seed(0)
    gru = light_asd.Recurrence()
    x = torch.randn(1, 6, 128)
    forwards = torch.nn.functional.gelu(gru.gru_forward(x)[0])
    backwards = gru.gru_backward(forwards.flip(1))[0].flip(1)
    near(gru(x), torch.nn.functional.gelu(backwards).detach(), 1e-6)
    assert not any(value.any() for name, value in gru.named_parameters() if "bias" in name)


# ------------------------------------------------------------------------------ the real weights


@pytest.fixture(scope="module")
def real():
    if reason := absent(LIGHT_ASD):
        pytest.skip(reason)
    return load_network(LIGHT_ASD, expected="light-asd")


def test_the_real_weights_load_as_they_are(real):
    published = torch.load(LIGHT_ASD, weights_only=True, map_location="cpu")
    assert real.state_dict().keys() == published.keys()
    for name, value in real.state_dict().items():
        assert torch.equal(value, published[name]), name

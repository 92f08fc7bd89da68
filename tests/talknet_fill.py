"""What TalkNet's and Light-ASD's golden vectors were computed with: parameters, inputs, labels.

Every value follows from a name and a place (`talknet_formula.uniform`), so all machines compute
with the same networks.
"""

from __future__ import annotations

import numpy as np
from talknet_formula import uniform


def fill(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """The value of an entry of a state dict."""
    value = uniform(name, int(np.prod(shape))).reshape(shape)
    leaf = name.rpartition(".")[2]
    if leaf == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    if leaf == "running_var":
        value = 1 + 0.5 * value
    elif leaf in {"running_mean", "beta"} or "bias" in leaf:
        value = 0.1 * value
    elif shape == (1,):
        value = 0.25 + 0.1 * value
    elif len(shape) == 1 or leaf == "gamma":
        value = 1 + 0.25 * value
    else:
        value = np.sqrt(3.0 / np.prod(shape[1:])) * value
    return value.astype(np.float32)


def audio_input(tracks: int, faces: int) -> np.ndarray:
    """[tracks, 4 * faces, 13] float32: noise, and a level for each face."""
    return np.stack([
        8.0 * uniform(f"audio{n}", 52 * faces).reshape(-1, 13)
        + 8.0 * uniform(f"audiolevel{n}", faces).repeat(4)[:, None]
        for n in range(tracks)
    ]).astype(np.float32)  # fmt: skip


def visual_input(tracks: int, faces: int) -> np.ndarray:
    """[tracks, faces, 112, 112] uint8: 14 x 14 fields, and a level for each face."""
    levels = np.stack([
        63.0 * uniform(f"visual{n}", 196 * faces).reshape(-1, 14, 14)
        + 63.0 * uniform(f"visuallevel{n}", faces)[:, None, None]
        for n in range(tracks)
    ])  # fmt: skip
    return np.floor(128.0 + levels).astype(np.uint8).repeat(8, axis=2).repeat(8, axis=3)


def labels(tracks: int, faces: int) -> np.ndarray:
    """[tracks, faces] int64: seven of one kind, seven of the other."""
    return (np.arange(faces) + 3 * np.arange(tracks)[:, None]) // 7 % 2


# ------------------------------------------------------------------------------ in PyTorch


def filled(name: str, *, clip_leak: bool = False):
    """A network with these parameters, in evaluation mode."""
    import torch

    from unitalk.models.registry import new_network

    network = new_network(name, clip_leak=clip_leak)
    state = {k: torch.from_numpy(fill(k, tuple(v.shape))) for k, v in network.state_dict().items()}
    network.load_state_dict(state)
    return network.eval()


def given(tracks: int, faces: int) -> list:
    """Audio, faces and labels as tensors."""
    import torch

    made = (audio_input(tracks, faces), visual_input(tracks, faces), labels(tracks, faces))
    return [torch.from_numpy(one) for one in made]


def near(found, want, atol: float = 1e-4) -> None:
    """Assert that a tensor is as good as equal to an array."""
    found = np.asarray(found.detach() if hasattr(found, "detach") else found)
    np.testing.assert_allclose(found, want, rtol=0, atol=atol)

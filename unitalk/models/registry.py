"""The networks by name, and their weights from files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitalk.errors import DataError, UsageError, examples
from unitalk.files import disk_boundary
from unitalk.models._torch import torch
from unitalk.models.light_asd.network import LightASD
from unitalk.models.talknet.network import TalkNet
from unitalk.models.weight_files import read_tensors, state_dict, weights_file

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from unitalk.models.contract import Network

NETWORKS: dict[str, type[Network]] = {TalkNet.name: TalkNet, LightASD.name: LightASD}
"""Every network that can be trained and run; their names are `choices.MODELS`."""

RATE_KEY = "frame_rate"
"""Where a checkpoint of our training keeps the frames a second of what it was trained on."""

_LOCONET = (".convAV.", ".audioEncoder.features.")
# Parts of it that no network here has.


def new_network(name: str, *, clip_leak: bool = False) -> Network:
    """Make a network with fresh parameters, in training mode.

    Args:
        name: one of `NETWORKS`.
        clip_leak: see `Network`.

    Raises:
        UsageError: there is no such network.
    """
    if name not in NETWORKS:
        raise UsageError(f"no network {name!r}", hint=f"there are {', '.join(NETWORKS)}")
    return NETWORKS[name](clip_leak=clip_leak)


@disk_boundary("path")
def load_network(
    path: str | os.PathLike[str], *, expected: str | None = None, clip_leak: bool = False
) -> Network:
    """Read the weights of a network, and make it: on the CPU, in evaluation mode.

    The names of the entries tell which network they belong to. Nothing in a file is ever run.

    Args:
        path: a state dict as the originals publish it, alone or under a usual key, saved by
            PyTorch or as safetensors; a checkpoint of our training; or a run's folder, for the
            best epoch's.
        expected: the network that it has to be, one of `NETWORKS`; default: any.
        clip_leak: as for `new_network`.

    Raises:
        UsageError: there is no such file or no such network.
        DataError: the file is not a checkpoint, is damaged, would run code, or has another network;
            or entries are missing, too many, or of another shape.
    """
    if expected is not None and expected not in NETWORKS:
        raise UsageError(f"no network {expected!r}", hint=f"there are {', '.join(NETWORKS)}")
    path = weights_file(path)
    found = read_tensors(path)
    state = _named_here(state_dict(found, path))
    name = _recognise(state, path)
    if expected not in {None, name}:
        raise DataError(
            f"{path}: weights of {name}, where {expected} is wanted",
            hint=f"ask for {name}, or give a file of {expected}",
        )
    network = new_network(name, clip_leak=clip_leak)
    _compare(state, network, path)
    network.load_state_dict(state)
    if isinstance(found, dict) and RATE_KEY in found:
        network.frame_rate = float(found[RATE_KEY])
    return network.eval()


def _named_here(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The entries without a first part that all names share, if they are known only without it.

    So PyTorch Lightning writes them: a network's own names behind that of its attribute.
    """
    ours = {key for name in NETWORKS for key in shapes(name)}
    while not ours & state.keys():
        first = {key.partition(".")[0] for key in state}
        shorter = {key.partition(".")[2]: value for key, value in state.items()}
        if len(first) > 1 or "" in shorter:
            break
        state = shorter
    return state


def _recognise(state: Mapping[str, Tensor], path: Path) -> str:
    """Tell by the names which network they belong to."""
    if any(part in name for name in state for part in _LOCONET):
        raise DataError(
            f"{path}: weights of LoCoNet (TalkNCE trains the same network), which is not "
            f"one of {', '.join(NETWORKS)}",
            hint="LoCoNet's own code reads it; `convert_loconet` writes what that reads",
        )
    shared = {name: len(shapes(name).keys() & state.keys()) for name in NETWORKS}
    best = max(shared, key=lambda name: shared[name])
    if shared[best] == 0:
        raise DataError(
            f"{path}: weights of no network known here; it has {len(state):,} entries: "
            f"{examples(state)}",
            hint=f"known are {', '.join(NETWORKS)}",
        )
    return best


def shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Every entry of a network's state dict, with its shape; no memory is taken for it."""
    with torch.device("meta"):
        network = new_network(name)
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


def _compare(state: Mapping[str, Tensor], network: Network, path: Path) -> None:
    own = network.state_dict()
    missing = [key for key in own if key not in state]
    extra = [key for key in state if key not in own]
    misshapen = [
        f"{key} ({list(state[key].shape)}, not {list(value.shape)})"
        for key, value in own.items()
        if key in state and state[key].shape != value.shape
    ]
    if missing or extra or misshapen:
        kinds = {"missing": missing, "unknown": extra, "of another shape": misshapen}
        said = [f"{len(keys):,} {kind}: {', '.join(keys)}" for kind, keys in kinds.items() if keys]
        raise DataError(
            f"{path}: not the weights of {network.name} as it is here; of its {len(own):,} "
            f"entries and the file's {len(state):,}, " + "; ".join(said),
            hint="the file is of a changed network, or not all of it is there",
        )

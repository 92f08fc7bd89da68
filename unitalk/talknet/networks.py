"""The networks by their names, and their weights from files."""

from __future__ import annotations

import pickle
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from unitalk.errors import DataError, UsageError, examples
from unitalk.talknet.contract import Logits, Network, speaking_probability
from unitalk.talknet.light_asd import LightASD
from unitalk.talknet.model import TalkNet

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

__all__ = [
    "NETWORKS",
    "Logits",
    "Network",
    "load_weights",
    "new_network",
    "read_tensors",
    "speaking_probability",
]

NETWORKS: tuple[str, ...] = (TalkNet.name, LightASD.name)
"""The names of the networks there are."""

NETWORK_KEY = "network"
"""Where a checkpoint of our training keeps the parameters; a bare file of weights is only these."""

_WRAPPERS = {"module", "_orig_mod"}
# What data-parallel training and compilation put into names.
_LOCONET = (".convAV.", ".audioEncoder.features.")
# Parts of it that no network here has.
_ASKS_FOR_CODE = re.compile(r"(?:GLOBAL|global|class):? ([\w.]+\.[\w.]+)")


def new_network(name: str, *, clip_leak: bool = False) -> Network:
    """Make a network with fresh parameters, in training mode.

    Args:
        name: one of `NETWORKS`.
        clip_leak: let the tracks of a batch touch each other in time, as the original TalkNet does.

    Raises:
        UsageError: there is no such network, or it knows no such leak.
    """
    if name == TalkNet.name:
        return TalkNet(clip_leak=clip_leak)
    if name != LightASD.name:
        raise UsageError(f"no network {name!r}", hint=f"there are {', '.join(NETWORKS)}")
    if clip_leak:
        raise UsageError(f"{name} has no leak between the tracks of a batch to reproduce")
    return LightASD()


def load_weights(
    path: str | os.PathLike[str], *, expected: str | None = None, clip_leak: bool = False
) -> Network:
    """Read the weights of a network, and make it: on the CPU, in evaluation mode.

    The file is a state dict as the originals publish it, or a checkpoint of our training. Which
    network it belongs to is told from its names. Nothing in a file is ever run.

    Args:
        path: the file.
        expected: the network that it has to be, one of `NETWORKS`; default: any.
        clip_leak: as for `new_network`.

    Raises:
        UsageError: there is no such file or no such network.
        DataError: the file is no checkpoint, is damaged, would run code, or holds another network;
            or entries are missing, too many, or of another shape.
    """
    path = Path(path)
    if expected is not None and expected not in NETWORKS:
        raise UsageError(f"no network {expected!r}", hint=f"there are {', '.join(NETWORKS)}")
    state = _bare(read_tensors(path), path)
    name = _recognise(state, path)
    if expected not in {None, name}:
        raise DataError(
            f"{path}: weights of {name}, where {expected} is wanted",
            hint=f"ask for {name}, or give a file of {expected}",
        )
    network = new_network(name, clip_leak=clip_leak)
    _compare(state, network, path)
    network.load_state_dict(state)
    return network.eval()


def read_tensors(path: Path) -> object:
    """Read a file of tensors, without running what it may hold.

    Raises:
        UsageError: there is no such file.
        DataError: it is no checkpoint, is damaged, or would run code.
    """
    if not path.is_file():
        raise UsageError(f"{path} is no file", hint="give a file of weights")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about how it was pickled
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        asked = _ASKS_FOR_CODE.search(str(error))
        if asked is None:
            raise _no_checkpoint(path, error) from error
        raise DataError(
            f"{path}: to read it, code would have to be run: {asked[1]}",
            hint="save the state dict alone, and give that file",
        ) from error
    except Exception as error:
        # A damaged file raises whatever its bytes lead the reader to.
        raise _no_checkpoint(path, error) from error


def _no_checkpoint(path: Path, error: Exception) -> DataError:
    with path.open("rb") as file:
        begins_well = file.read(4) == b"PK\x03\x04"
    what = "cut off or damaged" if begins_well else "no checkpoint of PyTorch's, or cut off"
    reason = str(error).strip().partition("\n")[0][:100] or "it ends too early"
    # What a pickle is refused with is advice to run what it asks for.
    said = (
        "" if isinstance(error, pickle.UnpicklingError) else f"; {type(error).__name__}: {reason}"
    )
    return DataError(
        f"{path}: {what} ({path.stat().st_size:,} bytes{said})", hint="download it again"
    )


def _bare(found: object, path: Path) -> dict[str, Tensor]:
    """The parameters by their own names, without what wrappers put around them."""
    if isinstance(found, dict) and NETWORK_KEY in found:
        found = found[NETWORK_KEY]
    if not isinstance(found, dict) or not found:
        what = "nothing" if found == {} else type(found).__name__
        raise DataError(f"{path}: no state dict; it holds {what}", hint="give a file of weights")
    state: dict[str, Tensor] = {}
    for key, value in found.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise DataError(
                f"{path}: no state dict: the entry {key!r} is of the type {type(value).__name__}",
                hint=f"give names and tensors, or a dict that has them under {NETWORK_KEY!r}",
            )
        name = ".".join(part for part in key.split(".") if part not in _WRAPPERS)
        if name in state:
            raise DataError(
                f"{path}: two entries are called {name}, the second as {key}",
                hint="give a file of one network",
            )
        state[name] = value
    return state


def _recognise(state: Mapping[str, Tensor], path: Path) -> str:
    """Tell by the names which network they belong to."""
    if any(part in name for name in state for part in _LOCONET):
        raise DataError(
            f"{path}: weights of LoCoNet (TalkNCE trains the same network), which is not "
            f"one of {', '.join(NETWORKS)}",
            hint="LoCoNet's own code reads it; `unitalk convert-loconet` writes what that reads",
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

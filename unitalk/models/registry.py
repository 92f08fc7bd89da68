"""The networks by name, and their weights from files.

A name is one of `NETWORKS`, or that of a network from outside; see `plugins`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from unitalk.errors import DataError, UnitalkError, UsageError, examples
from unitalk.files import disk_boundary, sha256
from unitalk.models import plugins
from unitalk.models._torch import torch
from unitalk.models.contract import AUDIO_FEATURES, Network
from unitalk.models.light_asd.network import LightASD
from unitalk.models.talknet.network import TalkNet
from unitalk.models.weight_files import (
    MODEL_KEY,
    NETWORK_KEY,
    read_tensors,
    state_dict,
    weights_file,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from torch import Tensor

NETWORKS: dict[str, type[Network]] = {"talknet": TalkNet, "light-asd": LightASD}
"""The networks of this package; their names are `choices.MODELS`."""

RATE_KEY = "frame_rate"
"""Where a checkpoint of our training keeps the frames a second of what it was trained on."""

_LOCONET = (".convAV.", ".audioEncoder.features.")
# Parts of it that no network here has.


# ------------------------------------------------------------------------------ by name


def network_class(name: str) -> type[Network]:
    """Find a network; only the module of that one is imported.

    Args:
        name: one of `NETWORKS`, the name that an installed package gives, or `package.module:NAME`.

    Raises:
        UsageError: there is no such network, its module cannot be imported, it is not a subclass of
            `Network`, or it takes what is not read here.
    """
    path = plugins.where(name)
    if path is None:
        return NETWORKS[name]
    found = plugins.load(path)
    if not isinstance(found, type) or not issubclass(found, Network) or found is Network:
        what = f"the class {found.__name__}" if isinstance(found, type) else type(found).__name__
        raise UsageError(
            f"{path} is not a network: it is {what}",
            hint="give the name of a class that is derived from `unitalk.Network`",
        )
    if found.faces_at_a_time != 1:
        raise UsageError(
            f"{path} takes {found.faces_at_a_time} faces at a time, and only one is read",
            hint="give a network whose faces_at_a_time is 1",
        )
    if found.audio_features not in AUDIO_FEATURES:
        raise UsageError(
            f"{path} takes the audio features {found.audio_features!r}, which are not made here",
            hint=f"set its audio_features to {' or '.join(map(repr, AUDIO_FEATURES))}",
        )
    return found


def new_network(name: str, *, clip_leak: bool = False) -> Network:
    """Make a network with fresh parameters, in training mode.

    Args:
        name: as for `network_class`.
        clip_leak: see `Network`; without effect on networks that do not take it.

    Raises:
        UsageError: as for `network_class`.
    """
    kind = network_class(name)
    network = kind(clip_leak=True) if clip_leak and kind.takes_clip_leak else kind()
    network.name = name
    return network


# ------------------------------------------------------------------------------ their weights


@disk_boundary("path")
def load_network(
    path: str | os.PathLike[str], *, expected: str | None = None, clip_leak: bool = False
) -> Network:
    """Read the weights of a network, and make it: on the CPU, in evaluation mode.

    The names of the entries tell which network they belong to, and a checkpoint of our training
    names it. Nothing in a file is ever run, and no module is imported because a file names it; of a
    network from outside, `expected` gives the module, unless an installed package offers it.

    Args:
        path: a state dict as the originals publish it, alone or under a usual key, saved by
            PyTorch or as safetensors; a checkpoint of our training; or a run's folder, for the
            best epoch's.
        expected: the network that it has to be, as for `network_class`; default: any of this
            package or of installed packages.
        clip_leak: as for `new_network`.

    Raises:
        UsageError: there is no such file or no such network, or the file is of a network that only
            `expected` can name.
        DataError: the file is not a checkpoint, is damaged, would run code, or has another network;
            or entries are missing, too many, or of another shape.
    """
    if expected is not None:
        network_class(expected)
    path = weights_file(path)
    found = read_tensors(path)
    name, state = _recognise(found, path, expected or _offered_name(found, path))
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


def _name_in(found: object) -> str | None:
    """The name of the network that a checkpoint of our training is of; None in other files."""
    if not isinstance(found, dict) or not {NETWORK_KEY, RATE_KEY} <= found.keys():
        return None
    name = found.get(MODEL_KEY)
    return name if isinstance(name, str) else None


def _offered_name(found: object, path: Path) -> str | None:
    """The network from outside that a checkpoint is of, if an installed package offers it.

    Raises:
        UsageError: none does. A module that only the file names is not imported.
    """
    name = _name_in(found)
    if name is None or name in NETWORKS:
        return None
    for one, points in plugins.installed().items():
        if name == one or name in {point.value for point in points}:
            return one
    if plugins.is_path(name):
        raise UsageError(
            f"{path}: weights of {name}, which is imported only if you name it yourself",
            hint=f"if you trust that code, add `model={name!r}`",
        )
    raise UsageError(
        f"{path}: weights of the network {name!r}, which no installed package offers",
        hint="install its package, or give the network as `model='package.module:NAME'`",
    )


def _recognise(found: object, path: Path, named: str | None) -> tuple[str, dict[str, Tensor]]:
    """Tell by the entries' names which network they belong to; with its state dict.

    Args:
        found: what the file contains.
        path: the file.
        named: a network that it may belong to beside those of this package; None: any that an
            installed package offers.
    """
    whole = state_dict(found, path)
    known = {} if named is None else {named: _entries(named)}
    known |= {name: _entries(name) for name in NETWORKS if name not in known}
    broken: list[str] = []
    name, state = _best(whole, known)
    if named is None and (name is None or known[name] != state.keys()):
        offered, broken = _offered()
        name, state = _best(whole, known | offered)
    if (name is None or name in NETWORKS) and any(p in key for key in state for p in _LOCONET):
        raise DataError(
            f"{path}: weights of LoCoNet (TalkNCE trains the same network), which is not "
            f"one of {', '.join(NETWORKS)}",
            hint="LoCoNet's own code reads it; `convert_loconet` writes what that reads",
        )
    if name is None:
        own = _name_in(found)
        raise DataError(
            f"{path}: weights of {'no network known here' if own is None else own}; it has "
            f"{len(state):,} entries: {examples(state)}"
            + "".join(f"; not looked at: {one}" for one in broken),
            hint=f"known are {', '.join(known)}; give a network of your own as "
            "`model='package.module:NAME'`",
        )
    return name, state


def _best(
    state: dict[str, Tensor], known: Mapping[str, set[str]]
) -> tuple[str | None, dict[str, Tensor]]:
    """The network that has all the entries, or the most of them; with the entries by its names.

    PyTorch Lightning writes a network's own names behind that of its attribute: a first part that
    all names share is left out, if they are known only without it.
    """
    every = set[str]().union(*known.values())
    shorter: dict[str, Tensor] | None = state
    while shorter is not None and not every & shorter.keys():
        first = {key.partition(".")[0] for key in shorter}
        cut = {key.partition(".")[2]: value for key, value in shorter.items()}
        shorter = cut if len(first) == 1 and "" not in cut else None
    if shorter is None:
        return None, state
    found = shorter.keys()
    return max(known, key=lambda one: (known[one] == found, len(known[one] & found))), shorter


def _offered() -> tuple[dict[str, set[str]], list[str]]:
    """The entries of every network that an installed package offers; and which cannot be made."""
    known: dict[str, set[str]] = {}
    broken = []
    for name in plugins.installed():
        if name in NETWORKS:
            continue
        try:
            known[name] = _entries(name)
        except UnitalkError as error:
            broken.append(f"{name} ({error.message})")
        except Exception as error:  # noqa: BLE001 - a network's own code may raise anything
            broken.append(f"{name} ({type(error).__name__}: {error})")
    return known, broken


def _entries(name: str) -> set[str]:
    """The names in a network's state dict."""
    return set(shapes(name) if name in NETWORKS else new_network(name).state_dict())


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


def code_hash(network: Network) -> str | None:
    """The sha256 of the file that defines a network from outside; None for one of this package."""
    if network.name in NETWORKS:
        return None
    file = Path(getattr(sys.modules[type(network).__module__], "__file__", None) or "")
    return sha256(file) if file.is_file() else None

"""Files of weights, in the forms that people have them: what they hold, without running any of it.

A state dict alone or among other things, as `torch.save` or safetensors writes it; or the folder of
a run, whose best epoch is meant.
"""

from __future__ import annotations

import json
import math
import pickle
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from torch import Tensor

from unitalk.errors import DataError, UsageError, examples
from unitalk.files import unreadable
from unitalk.files.file_types import FIRST_BYTES, identify
from unitalk.models._torch import torch

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

LAST, BEST = "last.pt", "best.pt"
"""The newest state of a run, and that after its best epoch, in its folder."""

NETWORK_KEY = "network"
"""Where a checkpoint of our training keeps the parameters; a bare file of weights is only these."""

MODEL_KEY = "model"
"""Where a checkpoint of our training keeps the network's name."""

_KEYS = (NETWORK_KEY, "state_dict", "model_state_dict", "model")
# Under what others keep them: PyTorch Lightning, the tutorials of PyTorch, and many more.
_WRAPPERS = {"module", "_orig_mod"}
# What data-parallel training and compilation put into names.

_ASKS_FOR_CODE = re.compile(r"(?:GLOBAL|global|class):? ([\w.]+\.[\w.]+)")
_ZIP, _ZIP_END, _ZIP_END_SIZE = b"PK\x03\x04", b"PK\x05\x06", 22
_TAIL = 1 << 17  # bytes at the end of a zip file: its directory, or the end of a long one
_SCRIPT = b"/constants.pkl"  # what only TorchScript puts into its archives

_NUMBERS = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
    "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip
_LENGTH = 8  # bytes of the number that a safetensors file begins with: how long its header is

_AGAIN = "copy or download the file again"
_STATE_ALONE = "save the state dict alone, and give that file"


def weights_file(path: str | os.PathLike[str]) -> Path:
    """The file that is meant by a path: itself, or the best epoch's of a run's folder.

    Raises:
        UsageError: there is none.
    """
    path = Path(path)
    if path.is_file():
        return path
    if not path.is_dir():
        raise UsageError(
            f"{path} does not exist", hint="give a file of weights, or the folder of a run"
        )
    if (path / BEST).is_file():
        return path / BEST
    if (path / LAST).is_file():
        raise UsageError(
            f"{path} has no {BEST}: val has not been scored in this run yet",
            hint=f"give {path / LAST}",
        )
    raise UsageError(
        f"{path} is a folder without {BEST}",
        hint="give a file of weights, or the folder of a run",
    )


def read_tensors(path: Path) -> object:
    """Read a file of tensors, without running what it may hold.

    Raises:
        UsageError: there is no such file.
        DataError: it is not a file of weights, is damaged, or would run code.
    """
    path = weights_file(path)
    with path.open("rb") as file:
        first = file.read(FIRST_BYTES)
    if re.match(rb".{6}\0\0\{", first, re.DOTALL):
        return _read_safetensors(path)
    if not first.startswith((_ZIP, b"\x80")):
        raise _no_weights(path, first)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about how it was pickled
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        asked = _ASKS_FOR_CODE.search(str(error))
        if asked is None:
            raise _damaged(path, first) from error
        raise DataError(
            f"{path}: to read it, code would have to be run: {asked[1]}", hint=_STATE_ALONE
        ) from error
    except Exception as error:
        if isinstance(error, OSError) and (refused := unreadable(error, path)):
            raise refused from error
        # A damaged file raises whatever its bytes lead the reader to.
        raise _damaged(path, first) from error


def _no_weights(path: Path, first: bytes) -> DataError:
    """The error of a file that is something else than weights."""
    if not first:
        return DataError(f"{path}: the file is empty", hint=_AGAIN)
    known = identify(first)
    what = "it begins with " + repr(first[:8])[1:] if known is None else f"it is {known.what}"
    return DataError(
        f"{path}: not a file of weights: {what} ({path.stat().st_size:,} bytes)",
        hint="give a file that torch.save or safetensors wrote",
    )


def _damaged(path: Path, first: bytes) -> DataError:
    """The error of a file that begins as PyTorch's do."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    if not first.startswith(_ZIP):
        return DataError(f"{path}: cut off or damaged ({size:,} bytes)", hint=_AGAIN)
    end = tail.rfind(_ZIP_END)
    if end < 0 or end + _ZIP_END_SIZE > len(tail):
        return DataError(f"{path}: cut off: it has no end after {size:,} bytes", hint=_AGAIN)
    if _SCRIPT in tail:
        return DataError(f"{path}: a TorchScript program, not weights alone", hint=_STATE_ALONE)
    known = identify(first)
    if known is not None and "PyTorch" not in known.what:
        return _no_weights(path, first)
    return DataError(f"{path}: damaged within its {size:,} bytes", hint=_AGAIN)


# ------------------------------------------------------------------------------ safetensors


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file: a length, a header in JSON, and the numbers."""
    content = path.read_bytes()
    start = _LENGTH + int.from_bytes(content[:_LENGTH], "little")
    try:
        header = json.loads(content[_LENGTH:start]) if start <= len(content) else {}
        named = {name: about for name, about in header.items() if name != "__metadata__"}
        end = start + max((about["data_offsets"][1] for about in named.values()), default=0)
        if end > len(content):
            raise DataError(f"{path}: cut off after {len(content):,} of {end:,} bytes", hint=_AGAIN)
        data = bytearray(content[start:])
        return {name: _tensor(data, about) for name, about in named.items()}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RuntimeError) as error:
        raise DataError(
            f"{path}: a safetensors file that is damaged ({len(content):,} bytes)", hint=_AGAIN
        ) from error


def _tensor(data: bytearray, about: Mapping[str, Any]) -> Tensor:
    """One tensor; whatever is raised says that its entry is damaged."""
    kind, shape = _NUMBERS[about["dtype"]], about["shape"]
    start, end = about["data_offsets"]
    count = math.prod(shape)
    if start < 0 or end - start != count * kind.itemsize:
        raise ValueError("a tensor of another size")
    if not count:
        return torch.empty(shape, dtype=kind)
    return torch.frombuffer(data, dtype=kind, count=count, offset=start).reshape(shape)


# ------------------------------------------------------------------------------ the state dict


def state_dict(found: object, path: Path) -> dict[str, Tensor]:
    """The parameters in what a file holds, by their own names, without those of wrappers.

    Raises:
        DataError: there are none, or more than one network's.
    """
    state: dict[str, Tensor] = {}
    for key, value in _unwrapped(found, path).items():
        name = ".".join(part for part in key.split(".") if part not in _WRAPPERS)
        if name in state:
            raise DataError(
                f"{path}: two entries are called {name}, the second as {key}",
                hint="give a file of one network",
            )
        state[name] = value
    return state


def _is_state(value: object) -> TypeGuard[dict[str, Tensor]]:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in value.items())
    )


def _unwrapped(found: object, path: Path) -> dict[str, Tensor]:
    """The dict of names and tensors in what a file holds."""
    if _is_state(found):
        return found
    if not isinstance(found, dict) or not found:
        what = "nothing" if found == {} else f"a {type(found).__name__}"
        raise DataError(
            f"{path}: no state dict: it holds {what}", hint="give a file of names and tensors"
        )
    states = {key: value for key, value in found.items() if _is_state(value)}
    inner = [key for key in _KEYS if key in states] or list(states)
    if len(states) > 1 and inner[0] not in _KEYS:
        raise DataError(
            f"{path}: {len(states):,} state dicts: {examples(states)}",
            hint="save one of them alone, and give that file",
        )
    if inner:
        return states[inner[0]]
    for key in _KEYS:
        if isinstance(found.get(key), dict):
            return _unwrapped(found[key], path)
    odd = next(k for k, v in found.items() if not isinstance(k, str) or not isinstance(v, Tensor))
    raise DataError(
        f"{path}: no state dict: the entry {odd!r} is of the type {type(found[odd]).__name__}",
        hint="give a file of names and tensors, alone or under one of " + ", ".join(_KEYS),
    )

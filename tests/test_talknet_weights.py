"""Networks by their names, and weights from files: which are taken, which are refused, and how."""

from __future__ import annotations

import argparse
import json
import os
import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from unitalk.errors import DataError, UsageError

torch = pytest.importorskip("torch", reason='pip install "unitalk[models]"')

from unitalk.models.contract import Network  # noqa: E402
from unitalk.models.registry import load_network, new_network  # noqa: E402


@pytest.fixture(scope="module")
def light():
    torch.manual_seed(0)
    return new_network("light-asd")


@pytest.fixture
def saved(tmp_path, light):
    """Write a changed state dict; gives its path."""

    def save(change=None, *, wrap=None) -> Path:
        state = dict(light.state_dict())
        if change is not None:
            change(state)
        torch.save(state if wrap is None else wrap(state), tmp_path / "some.model")
        return tmp_path / "some.model"

    return save


def refused(path: Path, *said: str, **options) -> DataError:
    with pytest.raises(DataError) as caught:
        load_network(path, **options)
    assert caught.value.exit_code == 3
    assert caught.value.hint
    for text in (str(path), *said):
        assert text in caught.value.message
    return caught.value


def same(found: Network, want: Network) -> None:
    assert found.name == want.name
    assert not found.training
    state = want.state_dict()
    assert found.state_dict().keys() == state.keys()
    for key, value in found.state_dict().items():
        assert torch.equal(value, state[key]), key


# ------------------------------------------------------------------------------ by name


def test_without_pytorch_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from unitalk.errors import MissingExtraError\n"
        "try: import unitalk.models.registry\n"
        "except MissingExtraError as error: print(error.message, '|', error.hint)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == 'networks need PyTorch | pip install "unitalk[models]"\n'


# ------------------------------------------------------------------------------ what is taken


def test_a_state_dict_comes_back_as_it_was(saved, light):
    same(load_network(saved()), light)
    same(load_network(os.fspath(saved()), expected="light-asd"), light)


def test_talknets_come_back_too_with_the_leak_if_wanted(tmp_path):
    network = new_network("talknet")
    path = tmp_path / "model_0001.model"
    torch.save(network.state_dict(), path)
    found = load_network(path, clip_leak=True)
    same(found, network)
    assert found.model.visualFrontend.clip_leak
    assert not load_network(path, expected="talknet").model.visualFrontend.clip_leak


@pytest.mark.parametrize(
    "name",
    [lambda key: f"module.{key}",
     lambda key: key.replace("model.", "model.module.", 1),
     lambda key: f"module._orig_mod.{key}",
     lambda key: key.replace("GRU.gru", "GRU.module.gru")],
)  # fmt: skip
def test_what_wrappers_put_into_names_is_taken_out(saved, light, name):
    def wrap(state):
        return {name(key): value for key, value in state.items()}

    path = saved(wrap=wrap)
    assert any("mod" in key.split(".", 1)[1] for key in torch.load(path, weights_only=True))
    same(load_network(path), light)


WRAPS = {
    "ours": lambda state: {"epoch": 3, "network": state, "optimiser": {"state": {}, "lr": 1}},
    "lightning": lambda state: {
        "state_dict": {f"net.{key}": value for key, value in state.items()}, "loops": None
    },
    "the attribute is called model": lambda state: {
        "state_dict": {f"model.{key}": value for key, value in state.items()}
    },
    "two levels of prefixes": lambda state: {
        f"module.task.asd.{key}": value for key, value in state.items()
    },
    "the tutorial": lambda state: {"epoch": 1, "model_state_dict": state, "loss": 0.5},
    "timm": lambda state: {"model": state, "ema": dict(state), "args": "--epochs 3"},
    "any one name": lambda state: {"weights after 7": state, "epoch": 7},
    "twice wrapped": lambda state: {"model": {"state_dict": state, "epoch": 1}},
}  # fmt: skip


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
def test_a_state_dict_is_found_among_other_things(saved, light, wrap):
    same(load_network(saved(wrap=wrap)), light)


KINDS = {torch.float32: "F32", torch.int64: "I64", torch.float16: "F16"}


def as_safetensors(state: dict[str, torch.Tensor]) -> bytes:
    """As its description has it: eight bytes of length, a header in JSON, the numbers."""
    header, numbers = {"__metadata__": {"format": "pt"}}, b""
    for name, value in state.items():
        own = value.numpy().tobytes()
        header[name] = {
            "dtype": KINDS[value.dtype], "shape": list(value.shape),
            "data_offsets": [len(numbers), len(numbers) + len(own)],
        }  # fmt: skip
        numbers += own
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + numbers


def test_safetensors_are_read(tmp_path, light):
    path = tmp_path / "model.safetensors"
    path.write_bytes(as_safetensors(light.state_dict()))
    same(load_network(path), light)
    half = {k: v.half() if v.is_floating_point() else v for k, v in light.state_dict().items()}
    path.write_bytes(as_safetensors(half))
    found = load_network(path).state_dict()
    assert all(torch.equal(found[key], value.to(found[key].dtype)) for key, value in half.items())


def test_the_folder_of_a_run_is_its_best_epoch(tmp_path, light):
    run = tmp_path / "run"
    with pytest.raises(UsageError, match="run does not exist"):
        load_network(run)
    run.mkdir()
    with pytest.raises(UsageError, match=r"run is a folder without best\.pt"):
        load_network(run)
    torch.save({"network": light.state_dict(), "frame_rate": 5.0}, run / "last.pt")
    with pytest.raises(UsageError, match="val has not been scored in this run yet") as caught:
        load_network(run)
    found = load_network(caught.value.hint.removeprefix("give "))
    assert found.frame_rate == 5.0
    (run / "last.pt").rename(run / "best.pt")
    same(load_network(os.fspath(run)), light)


# ------------------------------------------------------------------------------ what is refused


def test_fault_12_weights_made_on_a_gpu_load_without_one(saved, light, tmp_path):
    """The original's `torch.load` wants the device back on which they were saved."""
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with zipfile.ZipFile(saved()) as given, zipfile.ZipFile(tmp_path / "gpu.model", "w") as made:
        for name in given.namelist():
            data = given.read(name)
            if name.endswith("data.pkl"):  # a text in a pickle: X, its length in 4 bytes, itself
                assert b"X\3\0\0\0cpu" in data
                data = data.replace(b"X\3\0\0\0cpu", b"X\6\0\0\0cuda:0")
            made.writestr(name, data)
    with pytest.raises(RuntimeError, match="CUDA device"):
        torch.load(tmp_path / "gpu.model", weights_only=True)
    same(load_network(tmp_path / "gpu.model"), light)


def test_fault_13_every_entry_that_does_not_fit_is_named(saved):
    """The original leaves such entries out, and says nothing of missing ones."""

    def change(state):
        for key in [key for key in state if "running_mean" in key]:
            del state[key]  # 15 of pixels and times, 15 of coefficients and times
        for number in range(12):
            state[f"model.extra{number}"] = torch.zeros(1)
        state["lossAV.FC.weight"] = torch.zeros(2, 256)
        state["lossV.FC.bias"] = torch.zeros(())

    error = refused(
        saved(change),
        "not the weights of light-asd as it is here; of its 192 entries and the file's 174,",
        "30 missing: model.visualEncoder.block1.bn_s_3.running_mean, ",
        "; 12 unknown: model.extra0, model.extra1, ",
        "model.extra10, model.extra11; ",
        "2 of another shape: lossAV.FC.weight ([2, 256], not [2, 128]), lossV.FC.bias ([], not [2]",
    )
    assert error.message.count("running_mean") == 30


def test_another_network_than_the_wanted(saved):
    error = refused(saved(), "weights of light-asd, where talknet is wanted", expected="talknet")
    assert error.hint == "ask for light-asd, or give a file of talknet"


@pytest.mark.parametrize(
    "names",
    [["model.module.convAV.0.conv2d.weight", "model.module.visualFrontend.frontend3D.0.weight"],
     ["model.module.model.audioEncoder.features.0.weight", "model.module.lossAV.FC.weight"]],
)  # fmt: skip
def test_loconets_weights_are_called_by_their_name(tmp_path, names):
    path = tmp_path / "loconet.model"
    torch.save({name: torch.zeros(1) for name in names}, path)
    assert "convert_loconet" in refused(path, "weights of LoCoNet").hint


def test_weights_of_nothing_known(tmp_path):
    path = tmp_path / "other.pt"
    torch.save({f"layer{n}.weight": torch.zeros(1) for n in range(11)}, path)
    refused(path, "weights of no network known here; it has 11 entries: layer0.weight", "1 more")


@pytest.mark.parametrize(
    ("value", "said"),
    [([1, 2], "no state dict: it holds a list"), ({}, "no state dict: it holds nothing"),
     ({"network": 3}, "the entry 'network' is of the type int"),
     ({"epoch": 1, "lossV.FC.bias": 2}, "the entry 'epoch' is of the type int"),
     ({3: torch.zeros(1)}, "the entry 3 is of the type Tensor"),
     (torch.zeros(2), "it holds a Tensor")],
)  # fmt: skip
def test_checkpoints_that_are_no_state_dict(tmp_path, value, said):
    torch.save(value, tmp_path / "a.pt")
    refused(tmp_path / "a.pt", said)


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (os.fspath(self.path),)


def test_code_in_a_file_is_not_run(saved, tmp_path):
    trap = tmp_path / "sprung"
    refused(
        saved(wrap=lambda state: {"network": state, "trap": Trap(trap)}),
        "code would have to be run: posix.mkdir",
    )
    assert not trap.exists()
    options = argparse.Namespace(epochs=25)
    path = saved(wrap=lambda state: {"network": state, "options": options})
    assert "state dict alone" in refused(path, "to be run: argparse.Namespace").hint


LIBRARY = re.compile(r"\w+(Error|Reader|Exception)\b|[Pp]ickle|weights_only|central directory")
"""What libraries say."""


def forms(state, tmp_path: Path) -> dict[str, bytes]:
    torch.save(state, tmp_path / "new.pt")
    torch.save(state, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    made = {name: (tmp_path / f"{name}.pt").read_bytes() for name in ("new", "old")}
    return made | {"safetensors": as_safetensors(state)}


@pytest.mark.parametrize("form", ["new", "old", "safetensors"])
def test_a_file_that_is_cut_off_anywhere_is_said_in_our_words(light, tmp_path, form):
    content = forms(light.state_dict(), tmp_path)[form]
    path = tmp_path / "cut.model"
    for length in (40, 417, len(content) // 97, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        error = refused(path, "cut off", f"{length:,}")
        assert not LIBRARY.search(error.message)
        assert error.hint == "copy or download the file again"


@pytest.mark.parametrize("form", ["new", "old", "safetensors"])
def test_a_file_whose_middle_is_lost_is_damaged_and_no_traceback(light, tmp_path, form):
    content = forms(light.state_dict(), tmp_path)[form]
    path = tmp_path / "damaged.model"
    path.write_bytes(content[:20] + bytes(400) + content[420:])
    error = refused(path, "damaged", f"{len(content):,}")
    assert not LIBRARY.search(error.message)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "the file is empty"), (b"hello world\n" * 99, "it begins with 'hello wo'"),
     (b"<!DOCTYPE html><html>" * 30, "it is a web page (630 bytes)"),
     (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "it is a Git LFS pointer"),
     (b"\x89HDF\r\n\x1a\n" + bytes(99), "it is an HDF5 file"),
     (b"\x93NUMPY\1\0v\0\xff", "it is a NumPy array"),
     (b"PK", "it begins with 'PK'")],
)  # fmt: skip
def test_a_file_that_is_no_checkpoint_is_called_what_it_is(tmp_path, content, said):
    path = tmp_path / "a.model"
    path.write_bytes(content)
    refused(path, said)

"""Networks by their names, and weights from files: which are taken, which are refused, and how."""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from talknet_formula import GOLDEN

from unitalk.errors import DataError, UsageError

torch = pytest.importorskip("torch", reason='pip install "unitalk[talknet]"')

from unitalk.talknet.networks import (  # noqa: E402
    NETWORKS,
    Network,
    load_weights,
    new_network,
    shapes,
)


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
        load_weights(path, **options)
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


@pytest.mark.parametrize("name", NETWORKS)
def test_a_new_network_says_what_it_is(name):
    network = new_network(name)
    assert isinstance(network, torch.nn.Module)
    assert isinstance(network, Network)
    assert network.name == name
    assert network.training
    assert network.default_lr == {"talknet": 1e-4, "light-asd": 1e-3}[name]


def test_names_that_are_none():
    with pytest.raises(UsageError, match="no network 'loconet'") as caught:
        new_network("loconet")
    assert caught.value.hint == "there are talknet, light-asd"
    with pytest.raises(UsageError, match="light-asd has no leak"):
        new_network("light-asd", clip_leak=True)
    with pytest.raises(UsageError, match="no network 'TalkNet'"):
        load_weights("anything", expected="TalkNet")


@pytest.mark.parametrize(("name", "table"), [("talknet", "talknet"), ("light-asd", "light_asd")])
def test_shapes_are_told_without_a_network(name, table):
    with (GOLDEN / f"{table}_state_dict.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    want = {
        row["name"]: tuple(int(n) for n in row["shape"].split("x") if n != "scalar") for row in rows
    }
    assert shapes(name) == want


def test_without_pytorch_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from unitalk.errors import MissingExtraError\n"
        "try: import unitalk.talknet.networks\n"
        "except MissingExtraError as error: print(error.message, '|', error.hint)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == 'TalkNet needs PyTorch | pip install "unitalk[talknet]"\n'


# ------------------------------------------------------------------------------ what is taken


def test_a_state_dict_comes_back_as_it_was(saved, light):
    same(load_weights(saved()), light)
    same(load_weights(os.fspath(saved()), expected="light-asd"), light)


def test_talknets_come_back_too_with_the_leak_if_wanted(tmp_path):
    network = new_network("talknet")
    path = tmp_path / "model_0001.model"
    torch.save(network.state_dict(), path)
    found = load_weights(path, clip_leak=True)
    same(found, network)
    assert found.model.visualFrontend.clip_leak
    assert not load_weights(path, expected="talknet").model.visualFrontend.clip_leak


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
    same(load_weights(path), light)


def test_a_checkpoint_of_a_training_has_its_network_taken(saved, light):
    optimiser = torch.optim.Adam(light.parameters()).state_dict()
    path = saved(wrap=lambda state: {"epoch": 3, "network": state, "optimiser": optimiser})
    same(load_weights(path), light)


def test_the_older_form_of_files_is_read(tmp_path, light):
    path = tmp_path / "old.model"
    torch.save(light.state_dict(), path, _use_new_zipfile_serialization=False)
    same(load_weights(path), light)


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
    same(load_weights(tmp_path / "gpu.model"), light)


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


def test_a_single_fault_is_said_alone(saved):
    error = refused(saved(lambda state: state.pop("lossV.FC.bias")), "1 missing: lossV.FC.bias")
    assert "unknown" not in error.message
    assert "shape" not in error.message


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
    assert "convert-loconet" in refused(path, "weights of LoCoNet").hint


def test_weights_of_nothing_known(tmp_path):
    path = tmp_path / "other.pt"
    torch.save({f"layer{n}.weight": torch.zeros(1) for n in range(11)}, path)
    refused(path, "weights of no network known here; it has 11 entries: layer0.weight", "1 more")


@pytest.mark.parametrize(
    ("value", "said"),
    [([1, 2], "no state dict; it holds list"), ({}, "no state dict; it holds nothing"),
     ({"network": 3}, "no state dict; it holds int"),
     ({"epoch": 1, "lossV.FC.bias": 2}, "the entry 'epoch' is of the type int"),
     ({3: torch.zeros(1)}, "the entry 3 is of the type Tensor"),
     (torch.zeros(2), "it holds Tensor")],
)  # fmt: skip
def test_checkpoints_that_are_no_state_dict(tmp_path, value, said):
    torch.save(value, tmp_path / "a.pt")
    refused(tmp_path / "a.pt", said)


def test_names_that_become_one(saved):
    def change(state):
        state["module.lossV.FC.bias"] = state["lossV.FC.bias"]

    refused(saved(change), "two entries are called lossV.FC.bias, the second as module.lossV")


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


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.5, 0.999_99])
def test_a_file_that_is_cut_off(saved, share):
    path = saved()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    error = refused(path, "cut off or damaged", f"{int(len(whole) * share):,} bytes")
    assert error.hint == "download it again"


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"hello world\n" * 99, b"<!DOCTYPE html><html>" * 30, bytes(500)]
)
def test_a_file_that_is_no_checkpoint(tmp_path, content):
    path = tmp_path / "a.model"
    path.write_bytes(content)
    refused(path, f"no checkpoint of PyTorch's, or cut off ({len(content):,} bytes")


def test_a_path_without_a_file(tmp_path):
    for path in (tmp_path, tmp_path / "none.model"):
        with pytest.raises(UsageError, match="is no file"):
            load_weights(path)

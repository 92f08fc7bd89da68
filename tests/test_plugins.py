"""Networks from outside: `module:NAME`, entry points, and files of weights that name them."""

from __future__ import annotations

import sys
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest

from unitalk.errors import DataError, UnitalkError, UsageError
from unitalk.models import plugins

torch = pytest.importorskip("torch", reason='pip install "unitalk[models]"')

from unitalk.models.contract import Batch, Logits  # noqa: E402
from unitalk.models.registry import code_hash, load_network, network_class, new_network  # noqa: E402
from unitalk.models.track_scores import scores  # noqa: E402

MODULE = """
import torch
from unitalk import Logits, Network

class Small(Network):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(52, 2)

    def forward(self, audio, faces):
        return Logits(self.layer(audio.reshape(*faces.shape[:2], 52)))

class Crowd(Small):
    faces_at_a_time = 3

class Spectral(Small):
    audio_features = "spectrogram"

def helper():
    pass
"""

numbers = count()


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder that Python imports from; it makes modules, and packages that offer networks."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return Site(folder)


class Site:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def module(self, text: str = MODULE) -> str:
        """Write a module under a name that no other test uses."""
        name = f"outside_{next(numbers)}"
        (self.folder / f"{name}.py").write_text(text, encoding="utf-8")
        return name

    def offer(self, package: str, **networks: str) -> None:
        """Install a package that offers networks."""
        about = self.folder / f"{package}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {path}\n" for name, path in networks.items()]
        (about / "entry_points.txt").write_text("".join(["[unitalk.models]\n", *lines]))


def refused(name: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        network_class(name)
    assert caught.value.hint
    return caught.value


# ------------------------------------------------------------------------------ package.module:NAME


def test_a_class_of_a_module_is_a_network(site):
    name = f"{site.module()}:Small"
    network = new_network(name, clip_leak=True)  # it has none, and need not know of it
    assert (network.name, network.training, network.frame_rate) == (name, True, 25)
    assert (network.faces_at_a_time, network.audio_features) == (1, "mfcc")
    logits = network(torch.ones(2, 12, 13), torch.zeros(2, 3, 112, 112))
    labels = torch.tensor([[0, 1, 1], [1, 0, 1]])
    expected = torch.nn.functional.cross_entropy(logits.av.flatten(0, 1), labels.flatten())
    assert network.loss(logits, labels, epoch=1) == expected


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [("{0}:Missing", r"the module {0} \(.*{0}\.py\) has no Missing", "name of a class"),
     ("{0}:helper", "{0}:helper is not a network: it is function", "derived from"),
     ("{0}:torch", "it is module", "derived from"),
     ("{0}:Network", "it is the class Network", "derived from"),
     ("{0}:Crowd", "{0}:Crowd takes 3 faces at a time, and only one is read", "is 1"),
     ("{0}:Spectral", "the audio features 'spectrogram', which are not made here", "'mfcc'"),
     ("nowhere_at_all:Small", "there is no module nowhere_at_all", "folder that contains it"),
     ("nowhere_at_all.deep:Small", "there is no module nowhere_at_all", "install its package"),
     ("{0}.inner:Small", r"there is no module {0}\.inner", "install its package"),
     ("{0}:", "'{0}:' does not have the form package.module:NAME", "one colon"),
     ("{0}:Small:x", "does not have the form", "one colon"),
     ("a b:Small", "does not have the form", "one colon"),
     ("talknett", "no network 'talknett': there are talknet, light-asd", "did you mean talknet?"),
     ("resnet50", "no network 'resnet50'", "`model='package.module:NAME'`")],
)  # fmt: skip
def test_what_is_not_a_network_is_named(site, name, message, hint):
    module = site.module()
    error = refused(name.format(module))
    assert hint in error.hint
    with pytest.raises(UsageError, match=message.format(module)):
        network_class(name.format(module))


@pytest.mark.parametrize(
    ("text", "message"),
    [("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
     ("1 / 0", "ZeroDivisionError: division by zero"),
     ("def f(:", "SyntaxError: invalid syntax"),
     ("raise SystemExit(3)", "SystemExit: 3")],
)  # fmt: skip
def test_a_module_that_fails_says_why(site, text, message):
    module = site.module(text)
    error = refused(f"{module}:Small")
    assert error.message.startswith(f"the module {module} cannot be imported: {message}")
    assert error.hint == f"see why: python -c 'import {module}'"


# ------------------------------------------------------------------------------ entry points


def test_an_installed_package_offers_networks_by_name(site):
    module = site.module()
    site.offer("tiny-net", small=f"{module}:Small")
    assert plugins.where("small") == f"{module}:Small"
    assert module not in sys.modules  # until it is wanted
    network = new_network("small")
    assert (network.name, type(network).__module__) == ("small", module)
    assert "talknet, light-asd, small" in refused("resnet50").message


def test_two_networks_of_one_name_are_an_error_that_names_both(site):
    module = site.module()
    site.offer("first-net", small=f"{module}:Small")
    site.offer("second-net", small=f"{module}:Other", talknet=f"{module}:Small")
    error = refused("small")
    assert "2 networks are called 'small': first-net, second-net" in error.message
    error = refused("talknet")
    assert "2 networks are called 'talknet': unitalk, second-net" in error.message
    assert f"the one of second-net as `model='{module}:Small'`" in error.hint
    assert type(new_network(f"{module}:Small")).__name__ == "Small"
    assert type(new_network("light-asd")).__name__ == "LightASD"


def test_an_entry_point_that_fails_breaks_nothing_else(site, tmp_path):
    broken, module = site.module("1 / 0"), site.module()
    site.offer("broken-net", broken=f"{broken}:Small")
    site.offer("tiny-net", small=f"{module}:Small")
    assert f"the module {broken} cannot be imported" in refused("broken").message
    path = tmp_path / "some.model"
    for name in ("light-asd", "small"):
        torch.save(new_network(name).state_dict(), path)
        assert load_network(path).name == name
    torch.save({"other": torch.zeros(1)}, path)
    with pytest.raises(DataError, match=r"not looked at: broken \(the module .*ZeroDivision"):
        load_network(path)


# ------------------------------------------------------------------------------ weights


def checkpoint(path: Path, network, model: str) -> Path:
    """What a training leaves."""
    torch.save({"network": network.state_dict(), "frame_rate": 30.0, "model": model}, path)
    return path


def test_a_file_alone_never_decides_what_is_imported(site, tmp_path):
    module, other = site.module(), site.module("1 / 0")
    path = checkpoint(tmp_path / "best.pt", new_network(f"{module}:Small"), f"{other}:Small")
    with pytest.raises(UsageError, match=f"weights of {other}:Small, which is imported "
                                         "only if you name it yourself") as caught:  # fmt: skip
        load_network(path)
    assert other not in sys.modules
    assert caught.value.hint == f"if you trust that code, add `model='{other}:Small'`"
    found = load_network(path, expected=f"{module}:Small")  # the person's word counts
    assert (found.name, found.frame_rate, found.training) == (f"{module}:Small", 30.0, False)


def test_a_checkpoint_finds_an_installed_network_again(site, tmp_path):
    module = site.module()
    site.offer("tiny-net", small=f"{module}:Small")
    for model in ("small", f"{module}:Small"):  # it was trained by either name
        path = checkpoint(tmp_path / "best.pt", new_network("small"), model)
        assert load_network(path).name == "small"


def test_a_checkpoint_of_a_package_that_is_gone_says_so(site, tmp_path):
    name = f"{site.module()}:Small"
    path = checkpoint(tmp_path / "best.pt", new_network(name), "small")
    with pytest.raises(UsageError, match="the network 'small', which no installed package offers"):
        load_network(path)
    assert load_network(path, expected=name).name == name


def test_weights_alone_need_the_networks_name(site, tmp_path):
    name, path = f"{site.module()}:Small", tmp_path / "best.model"
    torch.save(new_network(name).state_dict(), path)
    with pytest.raises(DataError, match="weights of no network known here; it has 2 entries: layer"
                                        r"\.weight, layer\.bias") as caught:  # fmt: skip
        load_network(path)
    assert "`model='package.module:NAME'`" in caught.value.hint
    assert load_network(path, expected=name).name == name


def test_weights_of_another_network_are_refused(site, tmp_path):
    name, path = f"{site.module()}:Small", tmp_path / "some.model"
    torch.save(new_network("light-asd").state_dict(), path)
    with pytest.raises(DataError, match=f"weights of light-asd, where {name} is wanted"):
        load_network(path, expected=name)
    torch.save({**new_network(name).state_dict(), "more": torch.zeros(1)}, path)
    with pytest.raises(DataError, match=r"1 unknown: more"):
        load_network(path, expected=name)


def test_code_that_changed_is_other_code(site):
    module = site.module()
    before = code_hash(new_network(f"{module}:Small"))
    assert before == sha256((site.folder / f"{module}.py").read_bytes()).hexdigest()
    assert code_hash(new_network("light-asd")) is None


# ------------------------------------------------------------------------------ what it returns


@pytest.mark.parametrize(
    ("returned", "message"),
    [(torch.zeros(1, 3, 2), "returned a Tensor for faces of the shape [1, 3, 112, 112]"),
     (Logits(torch.zeros(1, 4, 2)), "returned logits of the shape [1, 4, 2]"),
     (None, "returned a NoneType")],
)  # fmt: skip
def test_what_is_not_a_judgement_of_each_face_is_refused(site, returned, message):
    network = new_network(f"{site.module()}:Small")
    network.forward = lambda audio, faces: returned
    labels = torch.zeros(1, 3, dtype=torch.int64)
    batch = Batch(torch.zeros(1, 12, 13), torch.zeros(1, 3, 112, 112), labels)
    with pytest.raises(UnitalkError) as caught:
        next(scores(network, [batch], device=torch.device("cpu")))
    assert message in caught.value.message
    assert "`unitalk.Logits(av)`" in caught.value.hint
    assert "[1, 3, 2]" in caught.value.hint
    network.forward = lambda audio, faces: Logits(torch.zeros(1, 3, 2))
    assert next(scores(network, [batch], device=torch.device("cpu"))).tolist() == [0.5] * 3

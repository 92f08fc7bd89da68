"""The house: which module may import which, what is public, what the errors say."""

from __future__ import annotations

import ast
import inspect
import os
import re
import socket
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest
from conftest import QUICK, slow
from documentation import DOCS

import unitalk
from unitalk import errors

PACKAGE = Path(unitalk.__file__).parent

# From the ground up. A module may import what stands below it, and its own room's modules.
FLOORS = (
    {"errors", "_version", "choices", "report"},
    {"json_schema"},
    {"stopping", "progress", "layout", "text_table"},
    {"threads", "children"},
    {"executor", "files"},
    {"catalog", "schema", "plot_style"},
    {"net"},
    {"media"},
    {"formats"},
    {"dataset", "score", "models"},
    {"studies"},
    {"schemas"},
    {"cli"},
)
# `unitalk/__init__.py` is on no floor: it imports nothing until a name is asked for.


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(text_of(path))


def floor(module: str) -> int:
    top = module.partition(".")[0]
    return next(index for index, names in enumerate(FLOORS) if top in names)


def imports(path: Path) -> set[str]:
    """The modules of this package that a file imports, at its top or later."""
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and node.module == "unitalk":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unitalk."):
            found.add(node.module.removeprefix("unitalk."))
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            found |= {n.removeprefix("unitalk.") for n in names if n.startswith("unitalk.")}
    return found


def modules() -> list[Path]:
    return [p for p in sorted(PACKAGE.rglob("*.py")) if p.parent != PACKAGE or p.name[:2] != "__"]


def test_imports_run_one_way():
    wrong = []
    for path in modules():
        own = path.relative_to(PACKAGE).with_suffix("").parts[0]
        others = {name for name in imports(path) if name.split(".")[0] != own}
        wrong += [f"{path}: {name}" for name in sorted(others) if floor(name) >= floor(own)]
    assert wrong == []


def test_every_module_is_on_a_floor():
    named = {name for names in FLOORS for name in names}
    there = {p.relative_to(PACKAGE).with_suffix("").parts[0] for p in modules()}
    assert named == there


def test_the_page_on_design_draws_the_floors_and_names_every_room():
    page = (DOCS / "explanation" / "design.md").read_text(encoding="utf-8")
    drawing = re.search(r"```text\n(.*?)```", page, re.DOTALL)[1]
    assert [set(floor.split()) for floor in drawing.split("<-")] == list(FLOORS)
    rows = re.findall(r"^\| (`[^|]*) \|", page, re.MULTILINE)
    rooms = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert rooms | {"_version"} == {name for floor in FLOORS for name in floor}


def dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def for_types_only(tree: ast.AST) -> set[int]:
    """The nodes that only a type checker sees."""
    return {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }


def run_time_imports(path: Path, every: set[str]) -> set[str]:
    """The modules that a file imports when it runs, at its top or in a function."""
    tree = tree_of(path)
    types_only = for_types_only(tree)
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and id(node) not in types_only:
            parent = f"{node.module}.".removeprefix("unitalk.")
            for alias in node.names:
                name = parent + alias.name
                found.add(name if name in every else parent.rstrip("."))
    # Python imports the packages around a module first, but for those that the file itself is in.
    around = {".".join(parts[:n]) for parts in (m.split(".") for m in found)
              for n in range(1, len(parts))}  # fmt: skip
    own = dotted(path)
    inside = {name for name in around if own == name or own.startswith(f"{name}.")}
    return ((found | (around - inside)) & every) - {own}


@slow
def test_no_modules_import_each_other_in_a_circle():
    every = {dotted(path): path for path in modules()}
    graph = {name: run_time_imports(path, set(every)) for name, path in every.items()}
    assert sum(map(len, graph.values())) > 500
    TopologicalSorter(graph).prepare()  # raises an error that shows a circle


# One kind of thing in several rooms: a verb of the command line and the module that does its work;
# a format as it is read and as it is a verb; the networks.
SAME_KIND = {
    "ava", "ava_download", "crop", "download", "export", "import_", "network", "predict",
    "quickstart", "sample", "train", "trim", "unpack", "verify",
}  # fmt: skip


def test_a_file_s_name_says_which_file_it_is():
    names = [path.stem for path in modules() if path.stem != "__init__"]
    assert {name for name in names if names.count(name) > 1} == SAME_KIND


# What each of these brings to the package is the business of one room, or of a few.
HOMES = {
    "requests": {"net"}, "gdown": {"net"},
    "PIL": {"media", "dataset"}, "cv2": {"media", "models", "dataset"}, "simplejpeg": {"media"},
    "av": {"media", "dataset"},
    "zipfile": {"files", "dataset"},
    "click": {"cli"}, "tqdm": {"progress"}, "distributed": {"executor"},
    "torch": {"media", "models"}, "tensorboard": set(),
    "matplotlib": {"plot_style", "score", "dataset"}, "sklearn": {"score"}, "scipy": {"score"},
    "jinja2": {"score"},
}  # fmt: skip


def test_each_hazard_has_one_home():
    pattern = re.compile(rf"^\s*(?:from|import) ({'|'.join(HOMES)})\b", re.MULTILINE)
    wrong = [
        f"{path}: {library}"
        for path in modules()
        for library in pattern.findall(text_of(path))
        if path.relative_to(PACKAGE).with_suffix("").parts[0] not in HOMES[library]
    ]
    assert wrong == []


def test_only_the_schema_spells_a_column_or_a_label():
    words = re.compile(
        r"[\"'](frame_timestamp|entity_id|entity_box_\w+|label_id|instance_id|"
        r"SPEAKING_AUDIBLE|NOT_SPEAKING)[\"']"
    )
    for path in modules():
        if "schema" not in path.parts:
            assert not words.search(text_of(path)), path


def test_the_library_neither_prints_nor_exits_nor_reads_the_environment():
    forbidden = re.compile(r"\bprint\(|sys\.exit|os\.environ|os\.getenv|\braise SystemExit")
    for path in modules():
        if "cli" not in path.parts:
            text = re.sub(r'"""(?:.|\n)*?"""', "", text_of(path))
            assert not forbidden.search(text), path


# ------------------------------------------------------------------------------ the public names


def test_every_public_name_is_there_says_what_it_is_and_the_list_is_sorted():
    assert unitalk.__all__ == sorted(unitalk.__all__)
    assert dir(unitalk) == unitalk.__all__
    for name in set(unitalk.__all__) - {"__version__"}:
        first_line = (getattr(unitalk, name).__doc__ or "").strip().partition("\n")[0]
        assert len(first_line) > 12, name
    with pytest.raises(AttributeError, match="evalute"):
        _ = unitalk.evalute


def test_a_public_name_is_the_name_of_its_definition():
    """What the type checker reads is what the program serves, and grep finds its `def`."""
    tree = tree_of(PACKAGE / "__init__.pyi")
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    for node in imports:
        for alias in node.names:
            served = getattr(unitalk, alias.name)
            assert alias.asname is None
            assert served is getattr(import_module(f"unitalk.{node.module}"), alias.name)
            if inspect.isroutine(served) or inspect.isclass(served):
                assert served.__name__ == alias.name
    offered = next(node.value for node in tree.body if isinstance(node, ast.Assign))
    assert ast.literal_eval(offered) == unitalk.__all__
    assert sorted(alias.name for node in imports for alias in node.names) == unitalk.__all__


@slow
def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, unitalk; print(*[m for m in sys.modules if m.startswith('unitalk')])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "unitalk\n"


@slow
def test_a_name_is_the_same_thing_whatever_was_imported_before():
    """`evaluate`, `trim_dataset` and the rest must not be hidden by modules of their name."""
    code = (
        "import unitalk.dataset.download, unitalk.dataset.trim, unitalk.dataset.sample, "
        "unitalk.score, unitalk.dataset.convert.convert, unitalk\n"
        "print(all(callable(getattr(unitalk, n)) for n in unitalk.__all__ if n[0] != '_'))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "True\n"


# ------------------------------------------------------------------------------ errors


def error_classes() -> list[type]:
    return [
        thing
        for thing in vars(errors).values()
        if isinstance(thing, type) and issubclass(thing, errors.UnitalkError)
    ]


def test_the_tree_in_the_docstring_is_the_tree():
    drawn = re.findall(
        r"^ +(?:\|  )?(?:[|'][-.] )?(\w+Error) +(\d+)  ", errors.__doc__, re.MULTILINE
    )
    assert dict(drawn) == {kind.__name__: str(kind.exit_code) for kind in error_classes()}


def test_every_error_has_a_message_and_a_hint():
    for kind in error_classes():
        error = kind("what", hint="next")
        assert (str(error), error.message, error.hint) == ("what", "what", "next")
        assert error.exit_code in {1, 2, 3, 4}


def test_examples_name_ten_and_count_the_rest():
    assert errors.examples(range(3)) == "0, 1, 2"
    assert errors.examples(range(12)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
    assert errors.examples(range(3), count=5000) == "0, 1, 2 and 4,997 more"
    assert errors.examples(iter(range(10**9)), count=10**9, limit=1) == "0 and 999,999,999 more"


# ------------------------------------------------------------------------------ what is on a disk


# Public functions that only compute, or read what the package itself brings.
NO_DISK = {
    "check_training_rows",
    "checkpoints",
    "open_executor",
    "parse_signature",
    "published",
    "to_frame",
    "videos",
}
# These are given a plan that knows the folder, and answer within.
WITHIN = {"download_ava", "run_download"}


def test_every_public_function_answers_for_what_the_disk_refuses():
    functions = {name for name in unitalk.__all__ if inspect.isfunction(getattr(unitalk, name))}
    guarded = {name for name in functions if hasattr(getattr(unitalk, name), "__wrapped__")}
    assert functions - guarded <= NO_DISK | WITHIN
    for name in WITHIN:
        assert "disk_errors(plan.root)" in inspect.getsource(getattr(unitalk, name))


ADVICE = re.compile(r"\b(remove|delete|erase|discard|unlink|wipe|get rid of)\b|\brm -", re.I)
# What the program does when it is asked to, and says of itself.
OWN_DEEDS = {"Remove each archive once its files are in place."}


def said_in(path: Path) -> list[str]:
    """The texts of a module that a person may read: all but docstrings and `--option` names."""
    tree = tree_of(path)
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in alone
        and " " in node.value
    ]


def test_no_message_advises_to_delete_anything():
    """What lies where it should not may be somebody's only copy."""
    found = {text for path in modules() for text in said_in(path) if ADVICE.search(text)}
    assert found == OWN_DEEDS


# ------------------------------------------------------------------------------ the tests


TESTS = Path(__file__).parent


def private(name: str) -> bool:
    return (
        name.startswith("_") and not name.startswith("__") and name not in {"_shared", "_version"}
    )


def ways_in(tree: ast.AST) -> set[str]:
    """How a test gets at another test module, or at what is private to a module of the package."""
    found, ours = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            if node.module.startswith("test_"):
                found.add(node.module)
            if node.module.partition(".")[0] == "unitalk":
                ours |= {alias.asname or alias.name for alias in node.names}
                names = [*node.module.split("."), *(alias.name for alias in node.names)]
                found |= {name for name in names if private(name)}
        elif isinstance(node, ast.Import):
            ours |= {
                alias.asname or "unitalk"
                for alias in node.names
                if alias.name.partition(".")[0] == "unitalk"
            }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and private(node.attr):
            if ast.unparse(node.value).partition(".")[0] in ours:
                found.add(node.attr)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("patch.setattr"):
            texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
            names = [text.rpartition(".")[2] for text in texts if isinstance(text, str)]
            found |= {name for name in names if private(name)}
    return found


def test_ways_in_are_seen():
    text = """
from test_other import draw
from unitalk.files import _secret, locked
from unitalk.score import ap
import unitalk.net.hub as hub
monkeypatch.setattr(hub, "_PATIENCE", 1)
monkeypatch.setattr("unitalk.net.hub._LONGEST", 1)
ap._sum(1)
self._own
"""
    assert ways_in(ast.parse(text)) == {"test_other", "_secret", "_PATIENCE", "_LONGEST", "_sum"}


@slow
def test_tests_use_what_is_public_and_no_other_test_module():
    found = {path.stem: ways_in(tree_of(path)) for path in TESTS.glob("*.py")}
    assert {name: ways for name, ways in found.items() if ways} == {}


def test_quick_modules_are_there():
    assert {name for name in QUICK if not (TESTS / f"{name}.py").is_file()} == set()


def test_a_quick_test_can_start_no_process_and_open_no_socket():
    for forbidden in (
        lambda: subprocess.run(["true"], check=True),
        os.fork,
        socket.socket,
    ):
        with pytest.raises(pytest.fail.Exception, match="a quick test"):
            forbidden()


def test_a_verb_s_file_says_what_it_takes():
    """Each parameter by its name; options that travel together are one object."""
    for path in sorted((PACKAGE / "cli").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                assert node.args.kwarg is None, (path, node.name)
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"params", "invoke"}, (path, node.lineno)

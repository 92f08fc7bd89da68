"""The reference pages say what the code does; `.ci/run` checks that the generated parts are new."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
from documentation import CHECKOUT, DOCS

import unitalk

sys.path.insert(0, str(DOCS))
from generate import code_map, commands

_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|HOME|RANK")


def text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def leaves() -> list:
    return [one for one in commands.commands() if not hasattr(one.command, "commands")]


def names(tree: ast.AST) -> set[str]:
    """Every identifier and attribute of a function."""
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} | {
        n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)
    }


def variables(tree: ast.AST) -> set[str]:
    """What a function that reads the environment, or is given it as `env`, asks it for."""
    return {
        node.value
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and names(function) & {"environ", "getenv", "env"}
        for node in ast.walk(function)
        if isinstance(node, ast.Constant) and _VARIABLE.fullmatch(str(node.value))
    }


def test_the_page_of_the_environment_has_every_variable_that_is_read():
    read = set()
    for path in Path(unitalk.__file__).parent.rglob("*.py"):
        read |= variables(ast.parse(path.read_text(encoding="utf-8")))
    assert len(read) > 12
    first = text("reference/environment.md").split("Libraries read more")[0]
    rows = re.findall(r"^\| (`[^|]*) \|", first, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == read


@pytest.mark.parametrize("command", leaves(), ids=lambda one: one.command_path)
def test_every_command_is_on_the_pages(command):
    path = command.command_path
    assert f"# {path}\n\n```text\n{path} " in text("reference/commands.md") + " "
    assert f"| `{path.partition(' ')[2]}` |" in text("reference/code-map.md")
    assert code_map.functions(command), "the code map knows no function of it"


def test_the_page_on_design_says_what_each_dependency_is_for():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    needed = project["dependencies"] + [
        one
        for extra, all_ in extras.items()
        if extra not in {"test", "dev", "docs"}
        for one in all_
    ]
    wanted = {re.match(r"[\w-]+", one)[0] for one in needed} - {"unitalk"}
    page = text("explanation/design.md").split("## Dependencies")[1]
    listed = {
        one
        for row in re.findall(r"^\| ([\w, -]+) \|", page, re.MULTILINE)
        for one in row.split(", ")
    }
    assert listed - {"package"} == wanted

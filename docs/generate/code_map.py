"""Where the code of a verb is: the command's file, the library's module, the public function."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

import unitalk
from generate.commands import commands
from generate.markdown import code, table
from unitalk.cli._shared.hints import VERBS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FunctionType

_ROOMS = ("catalog", "dataset", "models", "score", "studies")
"""The packages whose functions do what a verb is for."""


def code_map() -> str:
    """A row for each command, with what it calls."""
    rows = []
    for context in commands():
        if isinstance(context.command, click.Group):
            continue
        used = functions(context)
        rows.append(
            (
                code(context.command_path.partition(" ")[2]),
                code(_path(_callback(context.command).__module__)),
                " ".join(dict.fromkeys(code(_path(one.__module__)) for one in used)),
                " ".join(map(_name, used)),
            )
        )
    return table(("verb", "command line", "library", "function"), rows)


def functions(context: click.Context) -> list[FunctionType]:
    """The library's functions that a command calls, only the public ones if there are any."""
    path = context.command_path.partition(" ")[2]
    hinted = [getattr(unitalk, name) for name, verb in VERBS.items() if verb.command == path]
    used = dict.fromkeys([*hinted, *_called(_callback(context.command))])
    public = [one for one in used if one.__name__ in unitalk.__all__]
    return public or list(used)


def _callback(command: click.Command) -> FunctionType:
    return inspect.unwrap(command.callback)  # type: ignore[return-value]


def _called(callback: FunctionType) -> Iterator[FunctionType]:
    """The library's functions in a command's function and in the helpers of its file."""
    file = sys.modules[callback.__module__]
    tree = ast.parse(inspect.getsource(file))
    bodies = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    waiting, seen = [callback.__name__], set()
    while waiting:
        name = waiting.pop()
        if name in bodies and name not in seen:
            seen.add(name)
            yield from _imported(bodies[name])
            waiting += [node.id for node in ast.walk(bodies[name]) if isinstance(node, ast.Name)]


def _imported(body: ast.AST) -> Iterator[FunctionType]:
    """What a function imports from the library's rooms, also `module.function`."""
    nodes = list(ast.walk(body))
    found = {
        alias.asname or alias.name: _fetch(node.module, alias.name)
        for node in nodes
        if isinstance(node, ast.ImportFrom) and _is_a_room(node.module)
        for alias in node.names
    }
    used = [
        getattr(found.get(node.value.id), node.attr, None)
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    ]
    yield from filter(inspect.isfunction, [*found.values(), *used])


def _is_a_room(module: str | None) -> bool:
    words = (module or "").split(".")
    return words[0] == "unitalk" and (len(words) == 1 or words[1] in _ROOMS)


def _fetch(module: str | None, name: str) -> object:
    loaded = importlib.import_module(module or "")
    try:
        return getattr(loaded, name)
    except AttributeError:
        return importlib.import_module(f"{module}.{name}")


def _path(module: str) -> str:
    file = Path(sys.modules[module].__file__ or "")
    return file.relative_to(Path(unitalk.__file__).parent).as_posix()


def _name(function: FunctionType) -> str:
    name = function.__name__
    if name not in unitalk.__all__:
        return code(name)
    return f"[{code(f'unitalk.{name}')}](python.md#unitalk.{name})"

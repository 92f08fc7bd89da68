"""The JSON schema of a result, from its dataclass and its docstring."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

from unitalk.report import Range, Report, keys

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIMPLE = {str: "string", Path: "string", int: "integer", float: "number", bool: "boolean",
           types.NoneType: "null"}  # fmt: skip


def json_schema(*reports: type[Report], **optional: type[Report]) -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a document that is one of these results.

    Names, types and descriptions are those of the dataclasses and of their docstrings.

    Args:
        reports: the results.
        optional: other results that the document may have beside their own keys.
    """
    definitions: dict[str, Any] = {}
    for report in reports:
        _define(report, definitions)
        for key, other in optional.items():
            definitions[report.__name__]["properties"][key] = _schema_of(other, definitions)
    refs = [{"$ref": f"#/$defs/{report.__name__}"} for report in reports]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **(refs[0] if len(refs) == 1 else {"oneOf": refs}),
        "$defs": definitions,
    }


def _define(report: type[Report], definitions: dict[str, Any]) -> None:
    if report.__name__ in definitions:
        return
    made: dict[str, Any] = {"type": "object"}
    definitions[report.__name__] = made
    about = inspect.getdoc(report) or ""
    hints = _hints(report)
    described = {
        name: text
        for kind in reversed(report.__mro__)
        for name, text in _described(inspect.getdoc(kind) or "")
    }
    properties: dict[str, Any] = {}
    if report.schema_version is not None:
        properties["schema_version"] = {"const": report.schema_version}
    for key, name in keys(report).items():
        properties[key] = _schema_of(hints[name], definitions)
        if name in described:
            properties[key]["description"] = described[name]
    if report.schema_version is not None:
        properties.setdefault("warnings", {"type": "array", "maxItems": 0})
    made.update(
        description=about.partition("\n")[0],
        properties=properties,
        required=[] if report.sparse else list(properties),
        additionalProperties=False,
    )


def _schema_of(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    """The schema of a type; results that it is made of are added to the definitions."""
    if inspect.isclass(hint) and issubclass(hint, Report):
        _define(hint, definitions)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    if hint in _SIMPLE:
        return {"type": _SIMPLE[hint]}
    arguments = get_args(hint)
    match get_origin(hint):
        case typing.Annotated:
            made = _schema_of(arguments[0], definitions) | _limits(arguments[1])
        case typing.Literal:
            made = {"enum": list(arguments)}
        case typing.Union | types.UnionType:
            made = {"anyOf": [_schema_of(one, definitions) for one in arguments]}
        case origin if issubclass(origin, Mapping):
            made = {"type": "object"}
            made["additionalProperties"] = _schema_of(arguments[1], definitions)
        case _ if arguments[-1] is Ellipsis:
            made = {"type": "array", "items": _schema_of(arguments[0], definitions)}
        case _:
            items = [_schema_of(one, definitions) for one in arguments]
            made = {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}
    return made


def _limits(limits: Range) -> dict[str, float]:
    given = {"minimum": limits.minimum, "maximum": limits.maximum}
    return {name: value for name, value in given.items() if value is not None}


def _hints(report: type[Report]) -> dict[str, Any]:
    """The types of fields and computed properties, also those that only type checkers import."""
    names = {}
    for kind in reversed(report.__mro__[:-1]):
        names.update(_imported_for_types(kind.__module__))
    hints = typing.get_type_hints(report, localns=names, include_extras=True)
    for name in keys(report).values() - hints.keys():  # the computed ones
        getter = inspect.getattr_static(report, name).fget
        own = {**getter.__globals__, **names}
        hints[name] = typing.get_type_hints(getter, own, include_extras=True)["return"]
    return hints


def _imported_for_types(module: str) -> dict[str, Any]:
    """What a module imports below `if TYPE_CHECKING:`."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {
        alias.asname or alias.name: getattr(importlib.import_module(node.module), alias.name)
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def _described(docstring: str) -> Iterator[tuple[str, str]]:
    """The attributes that a Google-style docstring describes."""
    section = re.search(r"^Attributes:\n((?: +.*\n?|\n)*)", docstring, re.MULTILINE)
    if section:
        for name, text in re.findall(
            r"^    (\w+): (.*(?:\n {8}.*)*)", section.group(1), re.MULTILINE
        ):
            yield name, " ".join(text.split())

"""The Python API: every public name under the subject of its package."""

from __future__ import annotations

import inspect

import unitalk
from generate.markdown import code, sentence, table

_SUBJECTS = {
    "score": "Scores",
    "schema": "Reading csv files",
    "dataset": "Datasets",
    "media": "Tracks",
    "models": "Models",
    "catalog": "What is published",
    "layout": "Files of a dataset",
    "net": "The hub",
    "executor": "Where work runs",
    "errors": "Errors",
}
"""The packages and modules of public names, in the order of the page."""


def subject(name: str) -> str:
    """The package that a public name is from."""
    module: str = inspect.unwrap(getattr(unitalk, name)).__module__
    return module.split(".")[1]


def names(of: str) -> list[str]:
    """The public names of a package, functions first."""
    own = [name for name in unitalk.__all__ if name != "__version__" and subject(name) == of]
    return sorted(own, key=lambda name: (name[0].isupper(), name))


def page() -> str:
    """A section for each subject: its names in one line each, then their documentation."""
    known = {subject(name) for name in unitalk.__all__ if name != "__version__"}
    assert known == set(_SUBJECTS), known ^ set(_SUBJECTS)
    return "\n\n".join(_section(of, title) for of, title in _SUBJECTS.items())


def _section(of: str, title: str) -> str:
    rows = [
        (f"[{code(name)}](#unitalk.{name})", sentence(inspect.getdoc(getattr(unitalk, name)) or ""))
        for name in names(of)
    ]
    blocks = "\n\n".join(f"::: unitalk.{name}" for name in names(of))
    return f"## {title}\n\n{table(('name', 'what it is'), rows)}\n\n{blocks}"

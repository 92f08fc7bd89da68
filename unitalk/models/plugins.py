"""Networks from outside this package: `module:NAME`, and what installed packages offer.

A package offers networks as entry points of the group `unitalk.models`. Nothing is imported before
a network is wanted, and a file of weights never decides what is imported.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from unitalk.choices import MODELS
from unitalk.errors import UsageError

GROUP = "unitalk.models"
"""The entry points' group."""

_NAME = r"[^\W\d]\w*"
_PATH = re.compile(rf"{_NAME}(?:\.{_NAME})*:{_NAME}")
_OWN = "give a network of your own as `model='package.module:NAME'`"


def is_path(name: str) -> bool:
    """Whether a name has the form `package.module:NAME`."""
    return _PATH.fullmatch(name) is not None


def installed() -> dict[str, list[EntryPoint]]:
    """The networks that installed packages offer, by name; two packages may use one name."""
    found: dict[str, list[EntryPoint]] = {}
    for one in sorted(entry_points(group=GROUP), key=_package):
        same = found.setdefault(one.name, [])
        if one.value not in {other.value for other in same}:
            same.append(one)
    return found


def where(name: str) -> str | None:
    """Where a network is, as `package.module:NAME`; None for one of this package.

    Nothing is imported.

    Raises:
        UsageError: no network has this name, or more than one.
    """
    if ":" in name:
        if not is_path(name):
            raise UsageError(
                f"{name!r} does not have the form package.module:NAME",
                hint="separate the dotted name of a module and the name of a class by one colon",
            )
        return name
    offered = installed()
    points = offered.get(name, [])
    if len(points) + (name in MODELS) > 1:
        names = ["unitalk"] * (name in MODELS) + [_package(one) for one in points]
        raise UsageError(
            f"{len(names)} networks are called {name!r}: {', '.join(names)}",
            hint=f"give the one of {_package(points[-1])} as `model={points[-1].value!r}`, or "
            "uninstall that package",
        )
    if points:
        return points[0].value
    if name not in MODELS:
        known = [*MODELS, *offered]
        close = get_close_matches(name, known, n=1)
        raise UsageError(
            f"no network {name!r}: there are {', '.join(known)}",
            hint=f"did you mean {close[0]}?" if close else _OWN,
        )
    return None


def load(path: str) -> object:
    """Import a module, and return what it has under a name.

    Args:
        path: `package.module:NAME`.

    Raises:
        UsageError: there is no such module, it cannot be imported, or it has no such name.
    """
    module_name, _, name = path.partition(":")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise _broken(module_name, error) from error
        raise UsageError(
            f"{path}: there is no module {error.name}",
            hint="run in the folder that contains it, or install its package",
        ) from error
    except (Exception, SystemExit) as error:
        # A module's own code may raise anything.
        raise _broken(module_name, error) from error
    if not hasattr(module, name):
        raise UsageError(
            f"{path}: the module {module_name} ({_file(module)}) has no {name}",
            hint="give the name of a class that the module defines",
        )
    return getattr(module, name)


def _broken(module: str, error: BaseException) -> UsageError:
    return UsageError(
        f"the module {module} cannot be imported: {type(error).__name__}: {error}",
        hint=f"see why: python -c 'import {module}'",
    )


def _file(module: object) -> str:
    return getattr(module, "__file__", None) or "without a file"


def _package(point: EntryPoint) -> str:
    """The name of the package that offers a network."""
    return point.dist.name if point.dist is not None else point.value

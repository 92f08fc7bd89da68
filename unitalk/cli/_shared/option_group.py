"""Options that travel together reach a verb as one object."""

from __future__ import annotations

import importlib
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., Any]")


def option_group(
    name: str, kind: str, *options: Callable[[Any], Any]
) -> Callable[[Function], Function]:
    """Add options that a verb takes as one keyword argument.

    Args:
        name: the verb's keyword argument.
        kind: the dataclass of the object, as `module:Class`. It is imported when the verb runs, so
            that --help stays fast. Its fields have the options' names; the defaults of fields are
            those of options that are not given.
        options: click's decorators, in the order of the help.
    """

    def decorate(function: Function) -> Function:
        @wraps(function)
        def grouped(*args: Any, **given: Any) -> Any:
            values = {one: given.pop(one) for one in names}
            module, _, cls = kind.partition(":")
            make = getattr(importlib.import_module(module), cls)
            made = make(**{one: value for one, value in values.items() if value is not None})
            return function(*args, **given, **{name: made})

        before = len(getattr(grouped, "__click_params__", ()))
        decorated: Any = grouped
        for option in reversed(options):
            decorated = option(decorated)
        names = [one.name for one in decorated.__click_params__[before:]]
        return decorated  # type: ignore[no-any-return] # it is called as `function` is

    return decorate

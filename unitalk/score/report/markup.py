"""HTML as strings that escape what they are given, and numbers as the page prints them."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from unitalk.score.result import Interval

_EMPTY = frozenset({"input", "img", "line", "link", "meta", "path", "rect"})

UNDEFINED = "undefined"
"""What stands where a number would be."""


class Markup(str):
    """Text that is HTML already; every other string is escaped where it enters."""

    __slots__ = ()


def join(parts: Iterable[str | None]) -> Markup:
    """Put pieces one after the other; what is not `Markup` is escaped, None is left out."""
    return Markup(
        "".join(
            part if isinstance(part, Markup) else html.escape(part)
            for part in parts
            if part is not None
        )
    )


def tag(name: str, /, *children: str | None, **attributes: str | float | bool | None) -> Markup:
    """Make an element.

    Args:
        name: of the element.
        children: text, which is escaped, or `Markup`.
        attributes: `class_` is written `class`, `aria_label` is written `aria-label`; None and
            False are left out, True is written without a value.
    """
    pieces = [name]
    for key, value in attributes.items():
        written = key.removesuffix("_").replace("_", "-")
        if value is True:
            pieces.append(written)
        elif value is not None and value is not False:
            pieces.append(f'{written}="{html.escape(str(value))}"')
    opening = " ".join(pieces)
    if name in _EMPTY:
        return Markup(f"<{opening}/>")
    return Markup(f"<{opening}>{join(children)}</{name}>")


# ------------------------------------------------------------------------------ numbers


def count(value: int) -> str:
    """Write a count: `1,234`."""
    return f"{value:,}"


def plural(value: int, one: str, many: str) -> str:
    """Write a count and what it counts: `1 face`, `1,234 faces`."""
    return f"{value:,} {one if value == 1 else many}"


def percent(share: float | None) -> str:
    """Write a share of 1 as a percentage without its sign: `86.67`."""
    return UNDEFINED if share is None else f"{100 * share:.2f}"


def interval(pair: Interval | None) -> str:
    """Write an interval of shares as percentages: `[82.10, 90.30]`; nothing for None."""
    return "" if pair is None else f"[{100 * pair[0]:.2f}, {100 * pair[1]:.2f}]"


def points(difference: float | None) -> str:
    """Write a difference of shares in percentage points with its sign: `+0.41`."""
    return UNDEFINED if difference is None else _signed(difference)


def points_interval(pair: Interval | None) -> str:
    """Write an interval of a difference: `[-0.20, +1.02]`, with real minus signs."""
    return "" if pair is None else f"[{_signed(pair[0])}, {_signed(pair[1])}]"


def _signed(difference: float) -> str:
    text = f"{100 * difference:+.2f}"
    if not text.strip("+-0."):
        return "0.00"
    return text.replace("-", "\N{MINUS SIGN}")


def p_value(value: float | None) -> str:
    """Write a p-value with three decimals, or that it is below what they can say."""
    if value is None:
        return ""
    return "<0.001" if value < 0.0005 else f"{value:.3f}"  # noqa: PLR2004 - what rounds to 0


def number(value: float) -> str:
    """Write a score or another bare number with four significant digits."""
    return f"{value + 0.0:.4g}".replace("-", "\N{MINUS SIGN}")  # -0 is 0

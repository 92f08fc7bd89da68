"""Numbers as the page has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitalk import text_table

if TYPE_CHECKING:
    from unitalk.score.result import Interval

UNDEFINED = "undefined"
"""Printed in place of a number that is undefined; the templates compare with it."""


def count(value: int) -> str:
    """Write a count: `1,234`."""
    return f"{value:,}"


def plural(value: int, one: str, many: str) -> str:
    """Write a count and what it counts: `1 face`, `1,234 faces`."""
    return f"{value:,} {one if value == 1 else many}"


def percent(share: float | None) -> str:
    """Write a share of 1 as a percentage without its sign: `86.67`."""
    return text_table.percent(share) or UNDEFINED


def interval(pair: Interval | None) -> str:
    """Write an interval of shares as percentages: `[82.10, 90.30]`; nothing for None."""
    return "" if pair is None else f"[{100 * pair[0]:.2f}, {100 * pair[1]:.2f}]"


def points(difference: float | None) -> str:
    """Write a difference of shares in percentage points with its sign: `+0.41`."""
    if difference is None:
        return UNDEFINED
    text = f"{100 * difference:+.2f}"
    return text.replace("-", "\N{MINUS SIGN}") if text.strip("+-0.") else "0.00"


def points_interval(pair: Interval | None) -> str:
    """Write an interval of a difference: `[-0.20, +1.02]`, with real minus signs."""
    return "" if pair is None else f"[{points(pair[0])}, {points(pair[1])}]"


def number(value: float) -> str:
    """Write a score or another bare number with four significant digits."""
    return f"{value + 0.0:.4g}".replace("-", "\N{MINUS SIGN}")  # -0 is 0


def measure(value: float | None) -> str:
    """Write a measure beside average precision: a count, or a share with four decimals."""
    if value is None:
        return UNDEFINED
    return count(value) if isinstance(value, int) else f"{value:.4f}"


def place(share: float) -> str:
    """Write a share of a figure's box as a position in it: `12.34%`."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + "%"

"""Tables and texts as Markdown that GitHub and the site show alike."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a `|` within a cell is escaped."""
    lines = [_row(head), "|" + "---|" * len(head), *map(_row, rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def code(text: str) -> str:
    """Code within a line, or within a table, where the site shows the escape of a `|`."""
    if "|" not in text:
        return f"`{text}`"
    return f"<code>{html.escape(text, quote=False).replace('|', '&#124;')}</code>"


def fenced(text: str, language: str = "text") -> str:
    """A block of code."""
    return f"```{language}\n{text}\n```"


def plain(text: str) -> str:
    """A text in which nothing but backticks has a meaning, on one line."""
    pieces = re.split(r"(`[^`]*`)", re.sub(r"\s+", " ", text).strip())
    return "".join(p if p.startswith("`") else re.sub(r"([*<\[])", r"\\\1", p) for p in pieces)


def sentence(text: str) -> str:
    """The first sentence of a docstring, without its period."""
    first = re.split(r"\.(?:\s|$)|\n\n", text.strip(), maxsplit=1)[0]
    return plain(first)

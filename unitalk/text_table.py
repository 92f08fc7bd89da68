"""Tables of text cells: aligned for a terminal, in Markdown, as rows of LaTeX, as csv."""

from __future__ import annotations

import csv
import io
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

WIDTH = 80
"""Columns of a terminal."""

TOTAL = "TOTAL"
"""What a row is called that sums up the others."""

_SHORTEST = 8  # no column of text is cut to less


def counted(count: int, what: str) -> str:
    """Say how many there are: `1 face`, `3,077 faces`."""
    return f"{count:,} {what}{'s' * (count != 1)}"


@dataclass(frozen=True, slots=True)
class Table:
    """Cells of text.

    Attributes:
        header: one name per column.
        rows: the cells; a total comes last.
        texts: how many columns at the left hold text; the others hold numbers.
        title: what the numbers are, where several tables follow each other.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: int = 1
    title: str = ""

    def text(self) -> str:
        """Return the table for a terminal, the title above it."""
        right = range(self.texts, len(self.header))
        made = align([self.header, *self.rows], right=right)
        return f"{self.title}\n{made}" if self.title else made

    def markdown(self) -> str:
        """Return the table in GitHub's Markdown."""

        def line(cells: Sequence[str]) -> str:
            return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

        rule = ["---"] * self.texts + ["---:"] * (len(self.header) - self.texts)
        return "\n".join([line(self.header), line(rule), *map(line, self.rows)])


def align(rows: Sequence[Sequence[object]], *, right: Iterable[int] = ()) -> str:
    """Align cells under each other.

    Columns are two blanks apart, or one where lines would be longer than a terminal; where that is
    not enough, the widest texts at the left are cut.

    Args:
        rows: the cells; None is left empty.
        right: columns to align to the right.
    """
    flush_right = set(right)
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    spare = WIDTH - (len(widths) - 1)
    while sum(widths) > spare:
        widest = max(set(range(len(widths))) - flush_right, key=widths.__getitem__, default=None)
        if widest is None or widths[widest] <= _SHORTEST:
            break
        widths[widest] -= min(sum(widths) - spare, widths[widest] - _SHORTEST)
        for row in texts:
            row[widest] = shortened(row[widest], widths[widest])
    gap = " " if sum(widths) + 2 * (len(widths) - 1) > WIDTH else "  "
    return "\n".join(
        gap.join(
            cell.rjust(width) if index in flush_right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in texts
    )


def shortened(text: str, width: int) -> str:
    """Cut the middle out of a text that is too long."""
    if len(text) <= width:
        return text
    tail = (width - 2) // 2
    return f"{text[: width - 2 - tail]}..{text[len(text) - tail :]}"


def wrapped(text: str, *, indent: str = "  ", head: str = "") -> str:
    """Break a paragraph into lines, between words alone.

    Args:
        text: the paragraph.
        indent: in front of all lines but the first.
        head: in front of the first.
    """
    return textwrap.fill(
        text, WIDTH, initial_indent=head, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def csv_text(records: Sequence[Mapping[str, Any]]) -> str:
    """Return records as csv in full precision, an empty cell for None and for what one lacks."""
    columns = dict.fromkeys(name for record in records for name in record)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().rstrip("\n")


# ------------------------------------------------------------------------------ numbers


def percent(share: float | None, *, digits: int = 2) -> str:
    """Write a share of 1 as a percentage without its sign; nothing for None."""
    return "" if share is None else f"{100 * share:.{digits}f}"


def p_text(value: float | None) -> str:
    """Write a p-value with three decimals, or that it is smaller than they can say."""
    if value is None:
        return ""
    return "<0.001" if value < 0.0005 else f"{value:.3f}"  # noqa: PLR2004 - what rounds to 0


# ------------------------------------------------------------------------------ LaTeX

_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
        **{character: f"\\{character}" for character in "&%$#_{}"},
        "<": r"\textless{}", ">": r"\textgreater{}",
    }
)  # fmt: skip


def latex_row(cells: Iterable[str]) -> str:
    """Return one row of a LaTeX table; whatever means something to LaTeX is escaped."""
    row = " & ".join(one_line(cell).translate(_ESCAPES) for cell in cells) + r" \\"
    # After the end of the row above, a bracket or an asterisk would be that command's argument.
    return f"{{}}{row}" if row.startswith(("[", "*")) else row


def one_line(text: str) -> str:
    """Replace every run of white space by one blank."""
    return " ".join(text.split())

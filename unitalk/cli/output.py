"""Where a verb's words go: the result to stdout, the talk to stderr."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from unitalk.errors import UsageError
from unitalk.progress import Progress, SilentProgress, StderrProgress

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from unitalk.errors import UnitalkError


class Console:
    """What the reader asked to see.

    Attributes:
        quiet: no progress, no notes.
        verbose: more notes.
    """

    def __init__(self) -> None:
        self.quiet = False
        self.verbose = False

    @property
    def progress(self) -> Progress:
        """Where a long job reports to."""
        return SilentProgress() if self.quiet else StderrProgress()

    def say(self, text: str) -> None:
        """Tell the reader something that is not the result."""
        if not self.quiet:
            click.echo(text, err=True)

    def detail(self, text: str) -> None:
        """Tell it only to who asked for more."""
        if self.verbose:
            click.echo(text, err=True)

    def warn(self, warnings: Iterable[str]) -> None:
        """Warn on stderr, even when quiet: what is worth a warning is worth its line."""
        for text in warnings:
            click.echo(_coloured("warning: ", "yellow") + text, err=True)

    def fail(self, error: UnitalkError) -> None:
        """Say what went wrong and what to do next."""
        click.echo(_coloured("unitalk: ", "red") + error.message, err=True)
        if error.hint:
            click.echo(f"  -> {error.hint}", err=True)

    def interrupted(self) -> None:
        """Say that the reader stopped it, and that nothing is lost."""
        click.echo(
            "unitalk: interrupted; nothing half-made was left, run the same command to go on",
            err=True,
        )

    def emit(self, result: dict[str, Any], text: str, form: str, output: Path | None) -> None:
        """Write the result: `result` as JSON or `text` as it is, to a file or to stdout."""
        if form == "json":
            text = json.dumps(result, indent=2, allow_nan=False, ensure_ascii=False)
        if output is None:
            click.echo(text)
        else:
            from unitalk.fsops import atomic_write

            with atomic_write(output) as file:
                file.write(text + "\n")


def refuse_to_overwrite(output: Path | None, *inputs: str | Path) -> None:
    """Stop -o from writing over a file that the verb reads.

    Raises:
        UsageError: it would.
    """
    if output is not None and output.exists():
        for given in inputs:
            if os.path.exists(given) and os.path.samefile(output, given):
                raise UsageError(
                    f"-o {output} would write over an input", hint="give -o another name"
                )


def _coloured(text: str, colour: str) -> str:
    plain = "NO_COLOR" in os.environ or not sys.stderr.isatty()
    return text if plain else click.style(text, fg=colour, bold=True)


def table(rows: Sequence[Sequence[object]], *, right: Iterable[int] = ()) -> str:
    """Align cells under each other; the columns in `right` to the right; None is left empty."""
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    flush_right = set(right)
    return "\n".join(
        "  ".join(
            cell.rjust(width) if index in flush_right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in texts
    )

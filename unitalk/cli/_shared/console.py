"""Where a verb's words go: the result to stdout, the talk to stderr."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unitalk.cli._shared.hints import spoken, spoken_json
from unitalk.errors import UsageError
from unitalk.progress import Progress, SilentProgress, StderrProgress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from unitalk.errors import UnitalkError
    from unitalk.report import Report


class Console:
    """What the reader asked to see.

    Attributes:
        quiet: no progress, no notes.
        verbose: more notes.
        form: how the result is written, such as `text` or `json`.
        output: the file for the result; None or `-`: stdout.
        context: of the command that is running, whose words are used.
    """

    def __init__(self) -> None:
        self.quiet = False
        self.verbose = False
        self.form = "text"
        self.output: Path | None = None
        self.context: click.Context | None = None

    @property
    def progress(self) -> Progress:
        """Where a long job reports to."""
        unheard = self.quiet or sys.stderr is None
        return SilentProgress() if unheard else StderrProgress()

    def say(self, text: str) -> None:
        """Tell the reader something that is not the result."""
        if not self.quiet:
            _talk(self._spoken(text))

    def detail(self, text: str) -> None:
        """Tell it only to who asked for more."""
        if self.verbose:
            _talk(text)

    def warn(self, warnings: Iterable[str]) -> None:
        """Warn on stderr, even when quiet: what is worth a warning is worth its line."""
        for text in warnings:
            _talk(_coloured("warning: ", "yellow") + self._spoken(text))

    def fail(self, error: UnitalkError) -> None:
        """Say what went wrong and what to do next."""
        _talk(_coloured("unitalk: ", "red") + self._spoken(error.message))
        if error.hint:
            _talk(f"  -> {self._spoken(error.hint)}")

    def interrupted(self) -> None:
        """Say that the reader stopped it, and that nothing is lost."""
        _talk("unitalk: interrupted; nothing half-made was left")
        _talk("  -> run the same command again to continue")

    def emit(self, result: Report | dict[str, Any], text: str) -> None:
        """Write the result as JSON or, in every other form, `text`."""
        if self.form == "json":
            made = result if isinstance(result, dict) else result.to_dict()
            text = json.dumps(spoken_json(made), indent=2, allow_nan=False, ensure_ascii=False)
        elif self.form == "text":
            text = spoken(text)
        from unitalk.files import atomic_write, disk_errors

        if self.output is None or str(self.output) == "-":
            with disk_errors("stdout"):
                click.echo(text)
        else:
            with atomic_write(self.output) as file:
                file.write(text + "\n")

    def protect(self, *inputs: str | Path) -> None:
        """Stop -o from writing over a file that the verb reads; see `refuse_to_overwrite`."""
        refuse_to_overwrite(self.output, *inputs)

    def _spoken(self, text: str) -> str:
        """Also when the command has ended, and in other threads, which click knows nothing of."""
        if self.context is None:
            return text
        with self.context.scope(cleanup=False):
            return spoken(text)


def _talk(text: str) -> None:
    """Write to stderr; when nobody can listen, the exit code still speaks."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        click.echo(text, err=True)


def refuse_to_overwrite(output: Path | None, *inputs: str | Path) -> None:
    """Stop -o from writing over a file that the verb reads, or one in a folder that it reads.

    Raises:
        UsageError: it would.
    """
    if output is None:
        return
    for given in inputs:
        inside = os.path.isdir(given) and Path(given).resolve() in output.resolve().parents
        both = output.exists() and os.path.exists(given)
        if inside or (both and os.path.samefile(output, given)):
            raise UsageError(f"-o {output} would write over an input", hint="give -o another name")


def _coloured(text: str, colour: str) -> str:
    plain = "NO_COLOR" in os.environ or sys.stderr is None or not sys.stderr.isatty()
    return text if plain else click.style(text, fg=colour, bold=True)


def placed(files: dict[str, int]) -> str:
    """How many files were placed in which way, in words."""
    words = {"hard": "hard links", "sym": "symbolic links", "copy": "copies"}
    return ", ".join(f"{count:,} {words[way]}" for way, count in files.items()) or "none"

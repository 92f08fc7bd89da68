"""`unitalk quickstart`."""

from __future__ import annotations

import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unitalk.cli._shared.common_options import FOLDER, verb
from unitalk.cli._shared.hints import typed

if TYPE_CHECKING:
    from unitalk.cli._shared.console import Console
    from unitalk.studies.quickstart import QuickstartReport


@verb("quickstart")
@click.argument("destination", metavar="[DEST]", required=False, type=FOLDER)
@click.option("--overwrite", is_flag=True, help="Replace an earlier quickstart.")
def command(console: Console, *, destination: Path | None, overwrite: bool) -> None:
    """Run a full demo on a small synthetic dataset, without a network.

    It downloads, trims, converts and scores the sample; a local server stands in for the Hugging
    Face Hub. Without DEST, the files go to a temporary folder that is removed at the end.
    """
    from unitalk.studies.quickstart import quickstart

    if destination is None:
        with tempfile.TemporaryDirectory() as folder:
            report = quickstart(Path(folder) / "quickstart", progress=console.progress)
    else:
        report = quickstart(destination, overwrite=overwrite, progress=console.progress)
    commands = [typed(step.call) or step.call for step in report.steps]
    result = report.to_dict()
    for step, line in zip(result["steps"], commands, strict=True):
        step["command"] = line
    console.emit(result, render(report, commands))
    if destination is None:
        console.say("to keep the files and try more commands on them: unitalk quickstart DEST")


def render(report: QuickstartReport, commands: list[str]) -> str:
    """The commands with what came of them, and the table."""
    from unitalk.cli._shared.score_text import breakdown

    lines = []
    for step, command in zip(report.steps, commands, strict=True):
        words = textwrap.wrap(command, 70, break_long_words=False, break_on_hyphens=False)
        lines += ["$ " + " \\\n    ".join(words), f"  {step.outcome}"]
    return "\n".join([*lines, "", *breakdown(report.score)])

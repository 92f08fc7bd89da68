"""`unitalk diagnose`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from unitalk.cli._shared.common_options import verb
from unitalk.cli._shared.hints import paragraph
from unitalk.errors import DataError

if TYPE_CHECKING:
    from unitalk.cli._shared.console import Console
    from unitalk.score.diagnose import Diagnosis, Finding

_INDENT = " " * 21  # the status and the check's name, two columns


@verb("diagnose")
@click.option("-g", "--groundtruth", required=True, metavar="CSV", help="Ground truth; - is stdin.")
@click.option("-p", "--predictions", required=True, metavar="CSV", help="Predictions; - is stdin.")
def command(console: Console, *, groundtruth: str, predictions: str) -> None:
    """Say what is wrong with a file of predictions.

    Ten checks, each with what it found and what to do about it: the file, ids, times, coverage,
    duplicates, boxes, labels, scores, whether the scores are on the right faces, and the result.
    The exit code is 3 when one of them found a problem.
    """
    from unitalk.score.diagnose import diagnose

    console.protect(groundtruth, predictions)
    diagnosis = diagnose(groundtruth, predictions)
    console.emit(diagnosis, render(diagnosis))
    if diagnosis.problems:
        sys.exit(DataError.exit_code)


def render(diagnosis: Diagnosis) -> str:
    """One line a check, as long as it fits; below it places and advice."""
    lines = [line for finding in diagnosis.findings for line in _lines(finding)]
    count = len(diagnosis.problems)
    said = f"{count} {'problem' if count == 1 else 'problems'}" if count else "no problem found"
    return "\n".join([*lines, said])


def _lines(finding: Finding) -> list[str]:
    head = f"{finding.status:<8} {finding.check:<11} "
    lines = [_wrapped(finding.what, head)]
    lines += [_wrapped(example, _INDENT) for example in finding.examples]
    if finding.advice:
        lines.append(_wrapped(finding.advice, _INDENT + "-> "))
    # Code is to be copied: not one blank is added within a line.
    return lines + ["    " + line for line in (finding.code or "").splitlines()]


def _wrapped(text: str, head: str) -> str:
    return paragraph(text, head=head, indent=" " * len(head))

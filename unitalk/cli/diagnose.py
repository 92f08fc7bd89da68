"""`unitalk diagnose`."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from unitalk.cli._shared.common_options import verb
from unitalk.cli._shared.hints import paragraph
from unitalk.cli._shared.score_inputs import ScoreInputs, score_inputs
from unitalk.errors import DataError, UsageError

if TYPE_CHECKING:
    from unitalk.cli._shared.console import Console
    from unitalk.score.diagnose import Diagnosis, Finding

_INDENT = " " * 21  # the status and the check's name, two columns


@verb("diagnose")
@partial(score_inputs, several=False)
def command(console: Console, *, inputs: ScoreInputs) -> None:
    """Find out what is wrong with a predictions file.

    GT is a dataset, a csv, or a folder of csv files; PRED is a csv or a folder of them. Ten checks
    report what they found and how to fix it: file, ids, times, coverage, duplicates, boxes, labels,
    scores, order (are the scores on the right faces?), and the result. If any of them finds a
    problem, the exit code is 3.
    """
    from unitalk.score.diagnose import diagnose

    if len(inputs.predictions) > 1:
        raise UsageError("several predictions files", hint="diagnose one file at a time")
    predictions = inputs.predictions[0]
    console.protect(inputs.groundtruth, predictions)
    inputs.say_split(console)
    diagnosis = diagnose(inputs.groundtruth, predictions, split=inputs.split)
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

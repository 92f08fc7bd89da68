"""`unitalk eval`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from unitalk.cli.options import common_options, report_options
from unitalk.cli.output import Console, refuse_to_overwrite, table
from unitalk.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.evaluation import Evaluation


@click.command("eval")
@click.option("-g", "--groundtruth", required=True, metavar="CSV", help="Ground truth; - is stdin.")
@click.option("-p", "--predictions", required=True, metavar="CSV", help="Predictions; - is stdin.")
@click.option("--partial", is_flag=True, help="Score what matches when not every face does.")
@report_options
@common_options
@click.pass_obj
def command(
    console: Console,
    *,
    groundtruth: str,
    predictions: str,
    partial: bool,
    form: str,
    output: Path | None,
) -> None:
    """Score predictions against ground truth.

    The number is AVA's average precision, joined by entity_id and frame_timestamp in whole
    milliseconds. Every face must be scored exactly once; rows may come in any order, and rows
    that share a score count as one step.
    """
    from unitalk.evaluation import evaluate

    refuse_to_overwrite(output, groundtruth, predictions)
    result = evaluate(groundtruth, predictions, partial=partial)
    for name, found in (("groundtruth", groundtruth), ("predictions", predictions)):
        console.detail(f"{found}: {result.inputs[name]}")
    console.emit(result.to_dict(), render(result), form, output)
    if result.average_precision is None:
        sys.exit(DataError.exit_code)


def render(result: Evaluation) -> str:
    """The result for people; the first line is the reference's."""
    if result.average_precision is None:
        first = f"average precision: undefined ({result.undefined})"
    else:
        first = f"average precision: {100 * result.average_precision:.2f}%"
    rows = [
        ["rows", f"{result.rows:,}"],
        ["tracks", f"{result.tracks:,}"],
        ["videos", f"{result.videos:,}"],
        ["positives", f"{result.positives:,}"],
        ["prior", f"{100 * result.prior:.2f}%"],
    ]
    lines = [first, table(rows, right=[1]), *(f"warning: {text}" for text in result.warnings)]
    return "\n".join([*lines, result.signature])

"""Ground truth and predictions, as `eval` and `diagnose` take them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from unitalk.cli._shared.option_group import option_group
from unitalk.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from unitalk.cli._shared.console import Console
    from unitalk.layout import Split

Function = TypeVar("Function", bound="Callable[..., Any]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreInputs:
    """What is scored, however it was typed.

    Attributes:
        groundtruth: a csv, a folder, or `-`.
        predictions: the same, each perhaps with a name before `=`.
        split: of a ground truth that is a dataset.
    """

    groundtruth: str
    predictions: tuple[str, ...]
    split: Split | None

    def say_split(self, console: Console) -> None:
        """Say which split was taken where nobody chose one."""
        from unitalk.score.groundtruth_source import groundtruth_rows, is_dataset

        if self.split is None and is_dataset(self.groundtruth):
            console.say(f"ground truth: {groundtruth_rows(self.groundtruth)}")


def inputs(
    *,
    files: tuple[str, ...],
    groundtruth: str | None = None,
    given: tuple[str, ...] = (),
    split: Split | None = None,
) -> ScoreInputs:
    """Take `GT PRED...` for `-g GT -p PRED...`.

    Raises:
        UsageError: ground truth or predictions are missing.
    """
    rest = list(files)
    if groundtruth is None and rest:
        groundtruth = rest.pop(0)
    predictions = (*rest, *given)
    missing = "ground truth" if groundtruth is None else "predictions"
    if groundtruth is None or not predictions:
        verb = click.get_current_context().command_path
        raise UsageError(f"no {missing} given", hint=f"{verb} GT PRED")
    return ScoreInputs(
        groundtruth=os.path.expanduser(groundtruth), predictions=predictions, split=split
    )


def score_inputs(function: Function, *, several: bool) -> Function:
    """Add GT and PRED, also as -g and -p, and --split; the verb takes `inputs`."""
    return option_group(
        "inputs",
        f"{__name__}:inputs",
        click.argument("files", nargs=-1, metavar="[GT PRED...]" if several else "[GT PRED]"),
        click.option(
            "-g", "--groundtruth", metavar="GT",
            help="Ground truth: a dataset, a csv, a folder of csv files, or - for stdin.",
        ),
        click.option(
            "-p", "--predictions", "given", metavar="[NAME=]PRED" if several else "PRED",
            multiple=True,
            help="Predictions: a csv, a folder of csv files, or - for stdin."
            + " Repeat to compare others with the first; NAME is the label to show." * several,
        ),
        click.option(
            "--split", type=click.Choice(["train", "val", "test"]),
            help="Split to use, if GT is a dataset.  [default: val]",
        ),
    )(function)  # fmt: skip

"""Options that verbs share which run a network, and what is made of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

import click

from unitalk.choices import MODELS, PRECISIONS
from unitalk.cli._shared.common_options import FOLDER, jobs_options, videos_option
from unitalk.cli._shared.user_folders import weights_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unitalk.cli._shared.console import Console
    from unitalk.layout import Split
    from unitalk.models.predict import PredictReport

Function = TypeVar("Function", bound="Callable[..., Any]")


def data_option(function: Function) -> Function:
    """Add --data."""
    return click.option("--data", type=FOLDER, required=True, help="The dataset.")(function)


def network_options(function: Function) -> Function:
    """Add what is said of any network: --device, --precision and --compat."""
    for option in (
        click.option(
            "--compat", is_flag=True,
            help="As the original does it, the faults that change numbers included.",
        ),
        click.option(
            "--precision", type=click.Choice(PRECISIONS), default="fp32", show_default=True,
            help="What is computed in.",
        ),
        click.option(
            "--device", default="auto", show_default=True, metavar="auto|cpu|cuda",
            help="Where it is computed; cuda:N for one of several GPUs.",
        ),
    ):  # fmt: skip
        function = option(function)
    return function


def predict_options(function: Function) -> Function:
    """Add what `predict` and `evaluate` take, but for the file of predictions."""
    for option in (
        jobs_options_of_one,
        network_options,
        click.option("--logits", is_flag=True, help="The logit of speaking, not its probability."),
        click.option(
            "--model", type=click.Choice(MODELS),
            help="Which network the weights must be of.  [default: any]",
        ),
        videos_option,
        click.option(
            "--split", type=click.Choice(["train", "val", "test"]), default="val",
            show_default=True, help="Which split.",
        ),
        click.option(
            "--weights", required=True, metavar="FILE|NAME",
            help="A file of weights, the folder of a run, or a name of `unitalk weights list`.",
        ),
        data_option,
    ):  # fmt: skip
        function = option(function)
    return function


def jobs_options_of_one(function: Function) -> Function:
    """Add --jobs, which is 1 when nothing is said, and --scheduler."""
    return jobs_options(function, default="1")


def find_weights(name_or_file: str, model: str | None) -> Path:
    """What --weights means; a name is one that --model, or any model, can load.

    Raises:
        UsageError: there is none.
    """
    from unitalk.models.weights import find_weights

    return find_weights(
        name_or_file, weights_folder(), models=MODELS if model is None else (model,)
    )


def file_of_weights(given: str) -> str:
    """The file that is read where --weights names one, or the folder of a run."""
    return os.path.join(given, "best.pt") if os.path.isdir(given) else given


def run_predict(
    console: Console,
    *,
    data: Path,
    weights: str,
    output: Path,
    jobs: int | None,
    scheduler: str | None,
    split: Split,
    videos: tuple[str, ...],
    **options: Any,
) -> PredictReport:
    """Score a split; `options` are those of `PredictOptions`."""
    from unitalk.executor import open_executor
    from unitalk.models.predict import PredictOptions, predict, threads_for

    if scheduler is None:
        jobs = jobs or 1
    found = find_weights(weights, options["model"])
    with open_executor(jobs=jobs, scheduler=scheduler) as executor:
        return predict(
            data, found, output, split=split, videos=videos, executor=executor,
            options=PredictOptions(threads=threads_for(jobs), **options),
            progress=console.progress,
        )  # fmt: skip

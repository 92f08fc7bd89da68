"""`unitalk predict`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from unitalk.cli._shared.common_options import FOLDER, NEW_FILE, verb, videos_option
from unitalk.cli._shared.console import refuse_to_overwrite
from unitalk.cli._shared.model_options import (
    NETWORK_NAMES,
    NETWORK_OPTIONS,
    check_network,
    file_of_weights,
    find_weights,
)
from unitalk.cli._shared.offline import offline_option
from unitalk.cli._shared.option_group import option_group
from unitalk.cli._shared.workers import Workers, one_worker_options
from unitalk.text_table import counted

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.cli._shared.console import Console
    from unitalk.layout import Split
    from unitalk.models.predict import PredictOptions, PredictReport


@verb("predict", output=False)
@click.argument("dataset", type=FOLDER)
@click.option(
    "--weights", required=True, metavar="NAME|FILE",
    help="Published weights (see `unitalk weights list`), a file, or the folder of a training.",
)  # fmt: skip
@click.option("-o", "--output", type=NEW_FILE, required=True, help="Predictions csv to write.")
@click.option(
    "--split", type=click.Choice(["train", "val", "test"]), default="val", show_default=True,
    help="Split to score.",
)  # fmt: skip
@videos_option
@option_group(
    "options",
    "unitalk.models.predict:PredictOptions",
    click.option(
        "--model",
        metavar="NAME",
        help=f"Network that the weights are for: {NETWORK_NAMES}  [default: detected]",
    ),
    click.option("--logits", is_flag=True, help="Write raw logits instead of probabilities."),
    *NETWORK_OPTIONS,
)
@offline_option
@one_worker_options
def command(
    console: Console,
    *,
    dataset: Path,
    weights: str,
    output: Path,
    split: Split,
    videos: tuple[str, ...],
    options: PredictOptions,
    offline: bool,
    workers: Workers,
) -> None:
    """Run a network on a split: one speaking score per face.

    The result has one row per face, in the order of the split's csv, ready for `unitalk eval`. To
    resume, run the same command again: videos that are done are not scored again.
    """
    from unitalk.models.predict import predict, threads_for

    check_network(options.model)
    refuse_to_overwrite(output, dataset, file_of_weights(weights))
    found = find_weights(console, weights, options.model, offline=offline)
    with workers.executor() as executor:
        report = predict(
            dataset, found, output, split=split, videos=videos, executor=executor,
            options=replace(options, threads=threads_for(workers.jobs)),
            progress=console.progress,
        )  # fmt: skip
    console.emit(report, render(report))


def render(report: PredictReport) -> str:
    """The report for people."""
    text = (
        f"{report.predictions}: {counted(report.faces, 'face')} of "
        f"{counted(report.tracks, 'track')} in {counted(report.videos, 'video')} ({report.split}), "
        f"by {report.model}"
    )
    if report.kept:
        text += f"\nkept from an earlier run: {counted(report.kept, 'video')}"
    return text

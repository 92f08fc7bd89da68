"""`unitalk train`."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from unitalk import stopping
from unitalk.cli._shared.common_options import FOLDER, destination_option, verb
from unitalk.cli._shared.leaving import INTERRUPTED, say
from unitalk.cli._shared.model_options import (
    NETWORK_NAMES,
    NETWORK_OPTIONS,
    check_network,
    find_weights,
)
from unitalk.cli._shared.offline import offline_option
from unitalk.cli._shared.option_group import option_group
from unitalk.text_table import align

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.cli._shared.console import Console
    from unitalk.media.tracks import Tracks
    from unitalk.models.train import TrainOptions, TrainReport


@verb("train")
@click.argument("dataset", type=FOLDER)
@destination_option("Folder of the run: checkpoints, scores and predictions on val.")
@option_group(
    "options",
    "unitalk.models.train:TrainOptions",
    click.option(
        "--model",
        metavar="NAME",
        default="talknet",
        show_default=True,
        help=f"Network to train: {NETWORK_NAMES}",
    ),
    click.option(
        "--weights",
        metavar="NAME|FILE",
        help="Published weights or a file to start from.  [default: random]",
    ),
    click.option(
        "--epochs",
        type=click.IntRange(1),
        default=25,
        show_default=True,
        metavar="N",
        help="Number of epochs.",
    ),
    click.option(
        "--eval-every",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        metavar="N",
        help="Score val after every N epochs and after the last one.",
    ),
    click.option(
        "--keep-epochs",
        is_flag=True,
        help="Keep the weights of every epoch as model/model_0001.model and so on.",
    ),
    click.option(
        "--lr", type=float, help="Learning rate.  [default: 1e-4 for TalkNet, 1e-3 for Light-ASD]"
    ),
    click.option(
        "--lr-decay",
        type=float,
        default=0.95,
        show_default=True,
        help="Multiply the learning rate by this after each epoch.",
    ),
    click.option(
        "--batch-frames",
        type=click.IntRange(1),
        default=2500,
        show_default=True,
        metavar="N",
        help="Frames per batch, in each process.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        metavar="N",
        help="Random seed.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(0),
        metavar="N",
        help="Number of data-loading processes.  [default: processors - 1, at most 8]",
    ),
    *NETWORK_OPTIONS,
)
@offline_option
@click.option(
    "--allow-leak",
    is_flag=True,
    help="Allow videos that are in both train and val.  [default: stop]",
)
@click.option("--resume", is_flag=True, help="Resume the run in --destination.")
@click.option("--tensorboard", is_flag=True, help="Also write TensorBoard logs to --destination.")
def command(
    console: Console,
    *,
    dataset: Path,
    destination: Path,
    options: TrainOptions,
    offline: bool,
    allow_leak: bool,
    resume: bool,
    tensorboard: bool,
) -> None:
    """Train a network, and score it on val after each epoch.

    Ctrl-C saves the run after the current batch. To continue, run the same command with --resume;
    the result is the same as without the stop. To train on several GPUs:

    torchrun --nproc-per-node N -m unitalk train ...
    """
    from unitalk.dataset.training_rows import check_training_rows
    from unitalk.models.tensorboard_log import open_board
    from unitalk.models.train import train_network
    from unitalk.score import evaluate

    console.protect(dataset)
    check_network(options.model)
    world = _world()
    if options.weights:
        found = find_weights(console, options.weights, options.model, offline=offline)
        options = replace(options, weights=str(found))

    def check(train_: Tracks, val: Tracks, rate: float | None) -> tuple[str, ...]:
        warnings = check_training_rows(train_, val, rate, allow_leak=allow_leak)
        if world.leads:
            console.warn(warnings)  # at once, and not after the hours of training
        return warnings

    stop = threading.Event()

    def answer() -> None:
        stop.set()
        if not console.quiet:
            say("stopping after this batch; press Ctrl-C again to stop at once")

    with stopping.noted(answer):
        report = train_network(
            dataset,
            destination,
            score=lambda groundtruth, predictions: (
                evaluate(groundtruth, predictions).average_precision
            ),
            check=check,
            options=options,
            resume=resume,
            world=world,
            stop=stop,
            board=open_board if tensorboard else None,
            progress=console.progress,
        )
    if world.leads:
        console.emit(report, _render(report))
        if report.stopped:
            console.say("unitalk: stopped, and saved\n  -> --resume continues the run")
    if report.stopped:
        sys.exit(INTERRUPTED)


def _world() -> Any:  # what `distributed.World` is
    """The processes that `torchrun` has started, as its environment says."""
    from unitalk.models.distributed import World

    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    rank, size, local_rank = (int(os.environ.get(name) or default) for name, default in
                              zip(names, (0, 1, 0), strict=True))  # fmt: skip
    return World(rank=rank, size=size, local_rank=local_rank)


def _render(report: TrainReport) -> str:
    rows = [["epoch", "LR", "loss", "AP", "best"]]
    rows += [
        [str(one.epoch), f"{one.lr:.3g}", f"{one.loss:.4f}",
         *(_percent(value, scored=one.evaluated) for value in (one.average_precision, one.best))]
        for one in report.results
    ]  # fmt: skip
    text = align(rows, right=range(5)) if report.results else "no epoch is complete yet"
    best = report.best
    if best is None:
        return text
    return f"{text}\nbest: epoch {best.epoch}, {report.folder / 'best.pt'}"


def _percent(value: float | None, *, scored: bool) -> str:
    if value is None:
        return "undefined" if scored else "-"
    return f"{100 * value:.2f}"

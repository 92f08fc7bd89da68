"""`unitalk talknet train`."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any

import click

from unitalk import stopping
from unitalk.choices import MODELS
from unitalk.cli._shared.common_options import FOLDER, verb
from unitalk.cli._shared.leaving import INTERRUPTED, say
from unitalk.cli._shared.model_options import data_option, find_weights, network_options
from unitalk.text_table import align

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.cli._shared.console import Console
    from unitalk.media.tracks import Tracks
    from unitalk.models.train import TrainReport


@verb("train")
@data_option
@click.option("--out", "folder", type=FOLDER, required=True, help="The folder for all it leaves.")
@click.option(
    "--model", type=click.Choice(MODELS), default="talknet", show_default=True,
    help="Which network.",
)  # fmt: skip
@click.option(
    "--weights", metavar="FILE|NAME", help="Begin with these weights, and not with random ones."
)
@click.option("--allow-leak", is_flag=True, help="Train although a video is in both train and val.")
@click.option("--epochs", type=click.IntRange(1), default=25, show_default=True, help="How many.")
@click.option("--lr", type=float, help="Learning rate.  [default: 1e-4; Light-ASD 1e-3]")
@click.option(
    "--lr-decay", type=float, default=0.95, show_default=True,
    help="What it is multiplied by after each epoch.",
)  # fmt: skip
@click.option(
    "--batch-frames", type=click.IntRange(1), default=2500, show_default=True,
    help="Frames of a batch, in each process.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of all chance.")
@click.option(
    "--workers", type=click.IntRange(0),
    help="Processes that read.  [default: processors less one, at most 8]",
)  # fmt: skip
@network_options
@click.option("--resume", is_flag=True, help="Go on with the run in --out.")
@click.option("--tensorboard", is_flag=True, help="Draw curves into --out as well.")
def command(
    console: Console,
    /,
    *,
    data: Path,
    folder: Path,
    weights: str | None,
    allow_leak: bool,
    resume: bool,
    tensorboard: bool,
    **options: Any,
) -> None:
    """Train a network on train, and look after each epoch what it does on val.

    Ctrl-C saves after the batch that is under way; --resume goes on there, and ends in what an
    uninterrupted run ends in. On several GPUs or machines:
    torchrun --nproc-per-node N -m unitalk talknet train ...
    """
    from unitalk.dataset.training_rows import check_training_rows
    from unitalk.models.tensorboard_log import open_board
    from unitalk.models.train import TrainOptions, train_network
    from unitalk.score import evaluate

    console.protect(data)
    world = _world()

    def check(train_: Tracks, val: Tracks, rate: float | None) -> tuple[str, ...]:
        warnings = check_training_rows(train_, val, rate, allow_leak=allow_leak)
        if world.leads:
            console.warn(warnings)  # at once, and not after the hours of training
        return warnings

    stop = threading.Event()

    def answer() -> None:
        stop.set()
        if not console.quiet:
            say("stopping after this batch; Ctrl-C again to stop at once")

    with stopping.noted(answer):
        report = train_network(
            data,
            folder,
            score=lambda groundtruth, predictions: (
                evaluate(groundtruth, predictions).average_precision
            ),
            check=check,
            options=TrainOptions(
                weights=weights and str(find_weights(weights, options["model"])), **options
            ),
            resume=resume,
            world=world,
            stop=stop,
            board=open_board if tensorboard else None,
            progress=console.progress,
        )
    if world.leads:
        console.emit(report, _render(report))
        if report.stopped:
            console.say("unitalk: stopped, and saved\n  -> --resume goes on where it stopped")
    if report.stopped:
        sys.exit(INTERRUPTED)


def _world() -> Any:  # what `talknet.distributed.World` is
    """The processes that `torchrun` has started, as its environment says."""
    from unitalk.models.distributed import World

    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    rank, size, local_rank = (int(os.environ.get(name) or default) for name, default in
                              zip(names, (0, 1, 0), strict=True))  # fmt: skip
    return World(rank=rank, size=size, local_rank=local_rank)


def _render(report: TrainReport) -> str:
    rows = [["epoch", "LR", "loss", "AP", "best"]]
    rows += [
        [str(one.epoch), f"{one.lr:.3g}", f"{one.loss:.4f}", _percent(one.average_precision),
         _percent(one.best)]
        for one in report.results
    ]  # fmt: skip
    text = align(rows, right=range(5)) if report.results else "no epoch is done"
    best = report.best
    if best is None:
        return text
    return f"{text}\nbest: epoch {best.epoch}, {report.folder / 'best.pt'}"


def _percent(value: float | None) -> str:
    return "undefined" if value is None else f"{100 * value:.2f}"

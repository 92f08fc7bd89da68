"""Train a network on one split and score it on val.

The recipe is the original's (trainTalkNet.py, talkNet.py): Adam, a learning rate that falls by
epoch, batches by a budget of frames, AP on val. All randomness follows from the seed, the epoch and
the step, so that on a CPU a run that is stopped anywhere and resumed ends in the same bytes as one
that was not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unitalk.choices import PRECISIONS, Precision
from unitalk.errors import DestinationError, UsageError
from unitalk.files import (
    Request,
    check_destination,
    disk_boundary,
    locked,
    made_by,
    mark,
    read_json,
    sha256,
)
from unitalk.layout import Layout
from unitalk.media.tracks import Tracks, tracks
from unitalk.models import run_files
from unitalk.models._torch import torch
from unitalk.models.distributed import ALONE, World, gathered, joined
from unitalk.models.registry import load_network, network_class, new_network
from unitalk.models.run_files import EpochResult, State
from unitalk.models.track_scores import choose_device
from unitalk.models.training_run import Run
from unitalk.models.weight_files import NETWORK_KEY
from unitalk.progress import Progress, SilentProgress
from unitalk.report import Report

if TYPE_CHECKING:
    from unitalk.layout import Split
    from unitalk.models.contract import Network
    from unitalk.models.training_run import Board, Score

Check = Callable[[Tracks, Tracks, "float | None"], Sequence[str]]
"""Checks the tracks of train and of val, given the frames per second of the weights that a run
starts from (None for random ones); returns warnings, and raises if they must not be trained on."""

MADE_BY = "train"
_FREE = frozenset(
    {"epochs", "workers", "device", "save_seconds", "keep_epochs", "eval_every"}
)  # a resumed run may change these


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """How a network is trained.

    Attributes:
        model: `talknet`, `light-asd`, the name of an installed network, or `package.module:NAME`;
            see `registry.network_class`.
        weights: start from these, and not from random ones.
        train_split: the split to learn from.
        val_split: the split to score.
        epochs: how many.
        eval_every: score val after each epoch that this divides, and after the last one. The best
            epoch is the best of these.
        keep_epochs: keep the weights after every epoch, as `model/model_0001.model` and so on.
        lr: the first epoch's learning rate; default: the network's own, 1e-4 for TalkNet.
        lr_decay: learning-rate decay per epoch.
        batch_frames: how many frames a batch has, in each process.
        seed: of all randomness.
        precision: `fp32`, or `bf16` where it can be.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        workers: processes that read; default: as many as there are processors, less one; at most 8.
        compat: as the original does it, including its bugs that affect results.
        save_seconds: how often a run saves itself: how much work a kill may cost.
    """

    model: str = "talknet"
    weights: str | None = None
    train_split: Split = "train"
    val_split: Split = "val"
    epochs: int = 25
    eval_every: int = 1
    keep_epochs: bool = False
    lr: float | None = None
    lr_decay: float = 0.95
    batch_frames: int = 2500
    seed: int = 0
    precision: Precision = "fp32"
    device: str = "auto"
    workers: int | None = None
    compat: bool = False
    save_seconds: float = 600.0

    def check(self) -> None:
        """Check the numbers.

        Raises:
            UsageError: one is out of range.
        """
        least_values = {"epochs": 1, "eval_every": 1, "batch_frames": 1, "seed": 0, "workers": 0}
        for name, least in least_values.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise UsageError(f"{name} is {value}", hint=f"give {least} or more")
        for name, number in (("lr", self.lr), ("lr_decay", self.lr_decay)):
            if number is not None and not 0 < number < float("inf"):
                raise UsageError(f"{name} is {number}", hint="give a number above zero")
        if self.precision not in PRECISIONS:
            raise UsageError(
                f"unknown precision {self.precision!r}", hint=f"give one of {', '.join(PRECISIONS)}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainReport(Report):
    """The result of a run.

    Attributes:
        folder: the run's folder.
        model: the network's name.
        results: the finished epochs, those of earlier runs too.
        stopped: whether it was stopped before the last one; the same call with `resume` continues.
        warnings: what the reader should know.
    """

    schema_version = 1
    computed = ("best",)

    folder: Path
    model: str
    results: tuple[EpochResult, ...] = field(metadata={"json": "epochs"})
    stopped: bool
    warnings: tuple[str, ...] = ()

    @property
    def best(self) -> EpochResult | None:
        """The epoch with the best AP."""
        return State(results=list(self.results)).best


@disk_boundary("folder")
def train_network(
    data: str | Path,
    folder: str | Path,
    *,
    score: Score,
    check: Check | None = None,
    options: TrainOptions | None = None,
    resume: bool = False,
    world: World = ALONE,
    stop: threading.Event | None = None,
    board: Callable[[Path], Board] | None = None,
    progress: Progress | None = None,
) -> TrainReport:
    """Train a network; `run_files` lists what a run leaves in its folder.

    Args:
        data: the dataset.
        folder: a new one, or with `resume` that of an earlier run.
        score: gives the AP on val, such as `unitalk.evaluate` on two files.
        check: checks the rows before the first batch, such as `unitalk.check_training_rows`.
        options: how.
        resume: continue where an earlier run ended.
        world: the processes that train together; each calls this.
        stop: when set, the run saves and ends after the current batch; or, on val, ends after the
            current track.
        board: opens, in the folder, what draws each epoch's numbers.
        progress: where to report to; of several processes the first reports.

    Raises:
        DestinationError: the folder is not free, or has a run of other options or other rows.
        LayoutError: the dataset lacks a split, or a track lacks a file; the message names it.
        DataError: a file is damaged, or faces have no label.
        UsageError: an option means nothing here, or there is no such network.
    """
    options = options or TrainOptions()
    options.check()
    folder = Path(folder)
    device = choose_device(options.device, local_rank=world.local_rank)
    shown = progress if progress and world.leads else SilentProgress()
    with joined(world, device):
        run, warnings = _begin(
            Path(data), folder, options, check=check, resume=resume, world=world, device=device,
            progress=shown,
        )  # fmt: skip
        run.board = board(folder) if board is not None and world.leads else None
        # No other run may write into the folder.
        with locked(Layout(folder).memory) if world.leads else nullcontext():
            run.go(score, stop or threading.Event())
    return TrainReport(
        folder=folder,
        model=options.model,
        results=tuple(run.state.results),
        stopped=run.state.epoch <= options.epochs,
        warnings=tuple(warnings),
    )


# ------------------------------------------------------------------------------ the beginning


def _begin(
    data: Path,
    folder: Path,
    options: TrainOptions,
    *,
    check: Check | None,
    resume: bool,
    world: World,
    device: torch.device,
    progress: Progress,
) -> tuple[Run, list[str]]:
    """Open everything, at the first step or where an earlier run ended; with the warnings."""
    network_class(options.model)  # before anything is written
    train, val = (tracks(data, split=one) for one in (options.train_split, options.val_split))
    start = None
    if options.weights is not None and not (resume and (folder / run_files.LAST).is_file()):
        start = load_network(options.weights, expected=options.model)
    rate = None if start is None else start.frame_rate
    warnings = [] if check is None else [*check(train, val, rate)]
    found = _claim(folder, _request(data, options, world), resume=resume, world=world)
    if resume and found is None:
        warnings.append(f"{folder} has nothing to resume: the run starts at the first epoch")
        progress.note(warnings[-1])
    torch.manual_seed(options.seed)
    network = new_network(options.model, clip_leak=options.compat)
    if start is not None:
        network.load_state_dict(start.state_dict())
    if found is not None:
        network.load_state_dict(found[NETWORK_KEY])
    network = network.to(device)
    optimizer = _adam(network, options)
    if found is not None:
        optimizer.load_state_dict(found["optimizer"])
    run = Run(
        data=data,
        folder=folder,
        options=options,
        world=world,
        device=device,
        train=train,
        val=val,
        network=network,
        optimizer=optimizer,
        state=State() if found is None else run_files.state_of(found["state"]),
        progress=progress,
    )
    return run, warnings


def _adam(network: Network, options: TrainOptions) -> torch.optim.Adam:
    trained = (one for one in network.parameters() if one.requires_grad)
    return torch.optim.Adam(trained, lr=options.lr or network.default_lr)


def _request(data: Path, options: TrainOptions, world: World) -> Request:
    """Everything that must be the same for a later run to continue this one."""
    splits = (options.train_split, options.val_split)
    return Request(
        values={
            **asdict(options),
            "processes": world.size,
            "csv": [sha256(Layout(data).csv(split)) for split in splits],
        },
        key="run",
        free=_FREE,
        way_out="give the same options, or a new folder",
    )


def _claim(folder: Path, request: Request, *, resume: bool, world: World) -> dict[str, Any] | None:
    """Check that a run may write into a folder, and give it the checkpoint to resume, if any."""
    marker = read_json(Layout(folder).marker)
    if made_by(folder) == MADE_BY and not resume:
        raise DestinationError(
            f"{folder} holds a run already",
            hint="continue it with `resume=True`; or give a new folder",
        )
    check_destination(folder, made_by=MADE_BY, overwrite=True, in_place=True)
    request.check(folder)
    gathered(None, world)  # all have looked before the first one writes
    if world.leads and marker is None:
        folder.mkdir(parents=True, exist_ok=True)
        mark(folder, made_by=MADE_BY, about=request.about)
    last = folder / run_files.LAST
    return run_files.load(last) if resume and last.is_file() else None

"""Train a network on one split and look after each epoch what it does on val.

The recipe is the original's (trainTalkNet.py, talkNet.py): Adam, a learning rate that falls by
epoch, batches by a budget of frames, AP on val. Everything that is left to chance follows from the
seed, the epoch and the step, so that a run which is stopped anywhere, and gone on with, ends in the
same bytes on a CPU as one that was not.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from unitalk.choices import PRECISIONS, Precision
from unitalk.errors import DestinationError, UsageError
from unitalk.files import (
    Request,
    atomic_write,
    check_destination,
    disk_boundary,
    locked,
    mark,
    read_json,
    sha256,
)
from unitalk.layout import Layout
from unitalk.media.tracks import Tracks, tracks
from unitalk.models import run_files
from unitalk.models._torch import torch
from unitalk.models.data import Reader, ScoringTracks, TrainingBatches, plan_epoch
from unitalk.models.distributed import ALONE, World, agree, gathered, joined, mean, share, spread
from unitalk.models.registry import RATE_KEY, load_network, new_network
from unitalk.models.run_files import EpochResult, State
from unitalk.models.track_scores import (
    casting,
    choose_device,
    scores,
    write_predictions,
)
from unitalk.models.weight_files import NETWORK_KEY
from unitalk.progress import Progress, SilentProgress
from unitalk.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from unitalk.layout import Split
    from unitalk.models.data import Batch
    from unitalk.models.registry import Network

Score = Callable[[Path, Path], "float | None"]
"""AP, 0 to 1, of a ground truth's and a predictions' csv; None where it is undefined."""

Check = Callable[[Tracks, Tracks, "float | None"], Sequence[str]]
"""Looks at the tracks of train and of val, and at the frames a second of the weights that a run
begins with (None for random ones); returns warnings, and raises what must not be trained on."""

MADE_BY = "talknet train"
_SAVE, _STOP = 1, 2  # what all processes do when one says so
_FREE = frozenset(
    {"epochs", "workers", "device", "save_seconds"}
)  # may change when a run is gone on with


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """How a network is trained.

    Attributes:
        model: `talknet` or `light-asd`.
        weights: begin with these, and not with random ones.
        train_split: what it learns from.
        val_split: what it is tried on after each epoch.
        epochs: how many.
        lr: the first epoch's learning rate; default: the network's own, 1e-4 for TalkNet.
        lr_decay: what each further epoch's is multiplied by.
        batch_frames: how many frames a batch has, in each process.
        seed: of all that is left to chance.
        precision: `fp32`, or `bf16` where it can be.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        workers: processes that read; default: as many as there are processors, less one; at most 8.
        compat: as the original does it, the faults that change numbers included.
        save_seconds: how much work an untimely end may cost: a run saves itself as often.
    """

    model: str = "talknet"
    weights: str | None = None
    train_split: Split = "train"
    val_split: Split = "val"
    epochs: int = 25
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
        """Look at the numbers.

        Raises:
            UsageError: one means nothing.
        """
        for name, value, least in (
            ("epochs", self.epochs, 1),
            ("batch_frames", self.batch_frames, 1),
            ("seed", self.seed, 0),
            ("workers", 0 if self.workers is None else self.workers, 0),
        ):
            if value < least:
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
    """What a run came to.

    Attributes:
        folder: where everything stands.
        model: what was trained.
        results: the epochs that are done, earlier runs' as well.
        stopped: whether it was told to stop before the last one; the same with `resume` goes on.
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


class Board(Protocol):
    """Where curves are drawn, such as TensorBoard's writer."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> object:
        """Take one number."""
        ...


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
    """Train a network; `checkpoints` says what it leaves in the folder.

    Args:
        data: the dataset.
        folder: a new one, or with `resume` that of an earlier run.
        score: what gives the AP on val, such as `unitalk.evaluate` on two files.
        check: what looks at the rows before the first batch, such as `unitalk.check_training_rows`.
        options: how.
        resume: go on where an earlier run ended.
        world: the processes that do it together; each calls this.
        stop: when set, the run ends after the batch that is under way, and saves; or, on val,
            after the track that is under way.
        board: opens, in the folder, what draws each epoch's numbers.
        progress: where to report to; of several processes the first reports.

    Raises:
        DestinationError: the folder is not free, or holds a run of other options or other rows.
        LayoutError: the dataset lacks a split, or a track lacks a file; the message names it.
        DataError: a file is damaged, or faces have no label.
        UsageError: an option means nothing here.
    """
    options = options or TrainOptions()
    options.check()
    device = choose_device(options.device, local_rank=world.local_rank)
    silent = SilentProgress()
    with joined(world, device):
        run = _Run.begin(
            Path(data), Path(folder), options, check=check, resume=resume, world=world,
            device=device, progress=(progress or silent) if world.leads else silent,
        )  # fmt: skip
        run.board = board(run.folder) if board is not None and world.leads else None
        with _held(run.folder, world):
            run.go(score, stop or threading.Event())
    return TrainReport(
        folder=Path(folder),
        model=options.model,
        results=tuple(run.state.results),
        stopped=run.state.epoch <= options.epochs,
        warnings=tuple(run.warnings),
    )


@contextmanager
def _held(folder: Path, world: World) -> Iterator[None]:
    """Let no other run write into the folder."""
    if not world.leads:
        yield
        return
    with locked(Layout(folder).memory):
        yield


# ------------------------------------------------------------------------------ beginning


def _claim(
    folder: Path, wanted: dict[str, Any], *, resume: bool, world: World
) -> dict[str, Any] | None:
    """Look whether a run may write into a folder; the checkpoint to go on with, if there is one.

    Raises:
        DestinationError: it may not.
    """
    last = folder / run_files.LAST
    marker = read_json(Layout(folder).marker)
    if marker and marker.get("made_by") == MADE_BY and not resume:
        raise DestinationError(
            f"{folder} holds a run already", hint="--resume goes on with it; or give a new folder"
        )
    check_destination(folder, made_by=MADE_BY, overwrite=True, in_place=True)
    request = Request(
        values=wanted, key="run", free=_FREE, way_out="give the same options, or a new folder"
    )
    request.check(folder)
    gathered(None, world)  # all have looked before the first one writes
    if world.leads and marker is None:
        folder.mkdir(parents=True, exist_ok=True)
        mark(folder, made_by=MADE_BY, about=request.about)
    return run_files.load(last) if resume and last.is_file() else None


@dataclass(slots=True, kw_only=True)
class _Run:
    """A run under way: what `go` works with."""

    data: Path
    folder: Path
    options: TrainOptions
    world: World
    device: torch.device
    train: Tracks
    val: Tracks
    network: Network
    optimizer: torch.optim.Optimizer
    state: State
    progress: Progress
    warnings: list[str]
    board: Board | None = None
    saved: float = 0.0

    @classmethod
    def begin(
        cls,
        data: Path,
        folder: Path,
        options: TrainOptions,
        *,
        check: Check | None,
        resume: bool,
        world: World,
        device: torch.device,
        progress: Progress,
    ) -> _Run:
        """Open everything, and come to where an earlier run ended."""
        train = tracks(data, split=options.train_split)
        val = tracks(data, split=options.val_split)
        given = None
        if options.weights is not None and not (resume and (folder / run_files.LAST).is_file()):
            given = load_network(options.weights, expected=options.model)
        rate = None if given is None else given.frame_rate
        warnings = [] if check is None else [*check(train, val, rate)]
        wanted = asdict(options) | {
            "processes": world.size,
            "csv": [
                sha256(Layout(data).csv(split))
                for split in (options.train_split, options.val_split)
            ],
        }
        found = _claim(folder, wanted, resume=resume, world=world)
        torch.manual_seed(options.seed)
        leak = options.compat and options.model == "talknet"
        network = new_network(options.model, clip_leak=leak)
        if resume and found is None:
            warnings.append(f"{folder} has nothing to resume: the run starts at the first epoch")
            progress.note(warnings[-1])
        if given is not None:
            network.load_state_dict(given.state_dict())
        if found is not None:
            network.load_state_dict(found[NETWORK_KEY])
        network = network.to(device)
        optimizer = torch.optim.Adam(
            (one for one in network.parameters() if one.requires_grad),
            lr=options.lr or network.default_lr,
        )
        if found is not None:
            optimizer.load_state_dict(found["optimizer"])
        return cls(
            data=data,
            folder=folder,
            options=options,
            world=world,
            device=device,
            train=train,
            val=val,
            network=network,
            optimizer=optimizer,
            state=State(results=[]) if found is None else run_files.state_of(found["state"]),
            progress=progress,
            warnings=warnings,
        )

    # -------------------------------------------------------------------------- going on

    def go(self, score: Score, stop: threading.Event) -> None:
        """Train until the last epoch is done, or until there is a stop."""
        pin = self.device.type == "cuda"
        options, workers = self.options, self.options.workers
        batches = TrainingBatches(self.train, options.seed, options.compat)
        spread_out = spread(self.network, self.world, self.device)
        self.saved = time.monotonic()
        if agree(int(stop.is_set()), self.world, self.device):
            self._save(self._loss())
            return
        learning = Reader(batches, workers=workers, pin=pin)
        trying = Reader(ScoringTracks(self.val, options.compat), workers=workers, pin=pin)
        while self.state.epoch <= options.epochs:
            if not self._learn(spread_out, learning, stop):
                return
            if not self._finish(score, trying, stop):
                return

    @property
    def lr(self) -> float:
        """The learning rate of the epoch that is under way."""
        first = self.options.lr or self.network.default_lr
        return float(first * self.options.lr_decay ** (self.state.epoch - 1))

    def _learn(self, network: nn.Module, reader: Reader, stop: threading.Event) -> bool:
        """Do what is left of an epoch's batches; whether it came to the end."""
        options, state = self.options, self.state
        steps = plan_epoch(
            self.train.lengths, budget=options.batch_frames, seed=options.seed,
            epoch=state.epoch, processes=self.world.size,
        )  # fmt: skip
        own = [step[self.world.rank] for step in steps]
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr
        network.train()
        task = self.progress.task(
            f"epoch {state.epoch} of {options.epochs}",
            total=sum(one.frames for one in own), unit="frames",
            done=sum(one.frames for one in own[: state.step]),
        )  # fmt: skip
        total = self._loss()
        with task:
            left = own[state.step :]
            for wanted, batch in zip(left, self._read(reader, left, stop), strict=False):
                # Dropout's own seed a step: a run goes on in the middle as if it had not ended.
                torch.manual_seed(_seed(options.seed, state.epoch, state.step, self.world.rank))
                audio, faces, labels = batch.to(self.device)
                with casting(self.device, options.precision):
                    logits = network(audio, faces)
                    loss = self.network.loss(logits, labels, epoch=state.epoch)
                self.optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                self.optimizer.step()
                total += loss.detach() * wanted.frames
                state.step += 1
                state.frames += wanted.frames
                task.advance(wanted.frames)
                due = self.world.leads and time.monotonic() - self.saved > options.save_seconds
                said = _STOP if stop.is_set() else _SAVE if due else 0
                said = agree(said, self.world, self.device)
                if said:
                    self._save(total)
                if said == _STOP:
                    return False
        self._save(total)
        return state.step == len(own)

    def _read(
        self, reader: Reader, items: Sequence[object], stop: threading.Event
    ) -> Iterator[Batch]:
        """Read items; those of a run that is stopped are fewer."""
        alone = self.world.size == 1  # others would wait for this one
        return reader.read(items, lambda: alone and stop.is_set())

    def _loss(self) -> torch.Tensor:
        """The sum over the frames of the epoch that are done."""
        return torch.tensor(self.state.loss, dtype=torch.float64, device=self.device)

    def _save(self, total: torch.Tensor) -> None:
        """Save where the run stands; the first process does, for all have the same but the loss."""
        self.state.loss = float(mean(total, self.world))
        self.saved = time.monotonic()
        if self.world.leads:
            run_files.save(self.folder / run_files.LAST, self._checkpoint())

    def _checkpoint(self) -> dict[str, Any]:
        return {
            NETWORK_KEY: self.network.state_dict(),
            RATE_KEY: float(np.median(self.train.frame_rates)),
            "optimizer": self.optimizer.state_dict(),
            "model": self.options.model,
            "state": run_files.state_dict(self.state),
        }

    # -------------------------------------------------------------------------- after an epoch

    def _finish(self, score: Score, reader: Reader, stop: threading.Event) -> bool:
        """Try the network on val, write what came out, and go to the next epoch.

        Returns:
            Whether it came to the end; where not, nothing is written, for all batches are saved.
        """
        state, own = self.state, share(self.val.lengths.tolist(), self.world)
        pieces = {}
        task = self.progress.task(
            f"val after epoch {state.epoch}", total=int(self.val.lengths[own].sum()), unit="frames"
        )
        with task:
            found = scores(
                self.network,
                self._read(reader, own, stop),
                device=self.device,
                precision=self.options.precision,
            )
            for number, one in zip(own, found, strict=False):
                pieces[number] = one
                task.advance(len(one))
                if stop.is_set():
                    break
        if agree(int(len(pieces) < len(own)), self.world, self.device):
            return False
        together = {n: one for part in gathered(pieces, self.world) for n, one in part.items()}
        reached = None
        if self.world.leads:
            path = self.folder / run_files.PREDICTIONS
            every = np.concatenate([together[n] for n in range(len(self.val))])
            write_predictions(self.data, self.options.val_split, path, every, self.val.places)
            reached = score(Layout(self.data).csv(self.options.val_split), path)
        (reached, *_) = gathered(reached, self.world)
        self._record(state.loss / max(state.frames, 1), reached)
        gathered(None, self.world)  # nobody begins an epoch that is not written
        return True

    def _record(self, loss: float, reached: float | None) -> None:
        state = self.state
        known = [one.average_precision for one in state.results]
        every = [value for value in (*known, reached) if value is not None]
        result = EpochResult(
            epoch=state.epoch,
            lr=self.lr,
            loss=loss,
            average_precision=reached,
            best=max(every, default=None),
            frames=state.frames * self.world.size,
        )
        results = [*state.results, result]
        self.state = State(epoch=state.epoch + 1, results=results)
        if not self.world.leads:
            return
        if self.state.best in {result, None}:
            self._write_best()
        run_files.write_results(self.folder, results)
        run_files.save(self.folder / run_files.LAST, self._checkpoint())
        if self.board is not None:
            for name in ("loss", "lr", "average_precision"):
                value = getattr(result, name)
                if value is not None:
                    self.board.add_scalar(name, value, result.epoch)

    def _write_best(self) -> None:
        run_files.save(self.folder / run_files.BEST, self._checkpoint())
        run_files.save(self.folder / run_files.WEIGHTS, self.network.state_dict())
        best = self.folder / run_files.BEST_PREDICTIONS
        newest = (self.folder / run_files.PREDICTIONS).open("rb")
        with newest, atomic_write(best, "wb") as file:
            shutil.copyfileobj(newest, file)


def _seed(*parts: int) -> int:
    """One number of several, so that no two steps share what is left to chance."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0]) >> 1

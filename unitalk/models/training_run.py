"""A training run: learn from the batches of an epoch, score val, save, and so on to the last epoch.

`train` opens a run. Nothing random outlives a step, so a run can stop between any two of them.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from unitalk.files import atomic_write
from unitalk.layout import Layout
from unitalk.models import run_files
from unitalk.models._torch import torch
from unitalk.models.contract import check_logits
from unitalk.models.data import ScoringTracks, TrainingBatches, plan_epoch
from unitalk.models.distributed import agree, gathered, mean, share, spread
from unitalk.models.read_ahead import Reader
from unitalk.models.registry import RATE_KEY
from unitalk.models.run_files import EpochResult, State
from unitalk.models.track_scores import casting, scores, write_predictions
from unitalk.models.weight_files import MODEL_KEY, NETWORK_KEY

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    from torch import nn

    from unitalk.media.tracks import Tracks
    from unitalk.models.contract import Batch, Network
    from unitalk.models.distributed import World
    from unitalk.models.train import TrainOptions
    from unitalk.progress import Progress

Score = Callable[[Path, Path], "float | None"]
"""AP, 0 to 1, of a ground truth's and a predictions' csv; None where it is undefined."""

_SAVE, _STOP = 1, 2  # what all processes do when one asks for it


class Board(Protocol):
    """Where curves are drawn, such as TensorBoard's writer."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> object:
        """Take one number."""
        ...


@dataclass(slots=True, kw_only=True)
class Run:
    """A run, in one of the processes that train together.

    Attributes:
        data: the dataset.
        folder: the run's.
        options: how it trains.
        world: the processes.
        device: where it computes.
        train: the tracks to learn from.
        val: the tracks to score.
        network: on the device.
        optimizer: of the network's parameters.
        state: how far it has come.
        progress: where to report to.
        board: takes each epoch's numbers.
        saved: when it last saved itself, on the monotonic clock.
    """

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
    board: Board | None = None
    saved: float = 0.0

    def go(self, score: Score, stop: threading.Event) -> None:
        """Train until the last epoch is done, or until `stop` is set."""
        options = self.options
        network = spread(self.network, self.world, self.device)
        self.saved = time.monotonic()
        if agree(int(stop.is_set()), self.world, self.device):
            self._save(self._loss())
            return
        learning, trying = (
            Reader(dataset, workers=options.workers, pin=self.device.type == "cuda")
            for dataset in (
                TrainingBatches(self.train, options.seed, options.compat),
                ScoringTracks(self.val, options.compat),
            )
        )
        while self.state.epoch <= options.epochs:
            if not self._learn(network, learning, stop):
                return
            found = None
            if self._due():
                found = self._try(trying, stop)
                if found is None:
                    return
            self._finish(found, score)

    def _read(
        self, reader: Reader, items: Sequence[object], stop: threading.Event
    ) -> Iterator[Batch]:
        """Read items; fewer when the run is stopped, unless other processes would wait for it."""
        alone = self.world.size == 1
        return reader.read(items, lambda: alone and stop.is_set())

    # -------------------------------------------------------------------------- an epoch

    @property
    def lr(self) -> float:
        """The learning rate of the current epoch."""
        first = self.options.lr or self.network.default_lr
        return float(first * self.options.lr_decay ** (self.state.epoch - 1))

    def _learn(self, network: nn.Module, reader: Reader, stop: threading.Event) -> bool:
        """Train on the rest of an epoch's batches; False if the run was stopped."""
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
        left = own[state.step :]
        with task:
            for wanted, batch in zip(left, self._read(reader, left, stop), strict=False):
                total += self._step(network, batch) * wanted.frames
                state.step += 1
                state.frames += wanted.frames
                task.advance(wanted.frames)
                due = self.world.leads and time.monotonic() - self.saved > options.save_seconds
                asked = _STOP if stop.is_set() else _SAVE if due else 0
                asked = agree(asked, self.world, self.device)
                if asked:
                    self._save(total)
                if asked == _STOP:
                    return False
        self._save(total)
        return state.step == len(own)

    def _step(self, network: nn.Module, batch: Batch) -> torch.Tensor:
        """One step of the optimizer; returns the loss.

        Dropout has a seed per step, so that a resumed run draws what an uninterrupted one does.
        """
        options, state = self.options, self.state
        torch.manual_seed(_seed(options.seed, state.epoch, state.step, self.world.rank))
        audio, faces, labels = batch.to(self.device)
        with casting(self.device, options.precision):
            logits = network(audio, faces)
            check_logits(self.network, logits, faces)
            loss = self.network.loss(logits, labels, epoch=state.epoch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss.detach()

    # -------------------------------------------------------------------------- val

    def _due(self) -> bool:
        """Whether val is scored after the current epoch."""
        epoch, options = self.state.epoch, self.options
        return epoch % options.eval_every == 0 or epoch == options.epochs

    def _try(self, reader: Reader, stop: threading.Event) -> npt.NDArray[np.float32] | None:
        """Score val: [faces], track after track; None if the run was stopped."""
        own = share(self.val.lengths.tolist(), self.world)
        pieces = {}
        task = self.progress.task(
            f"val after epoch {self.state.epoch}",
            total=int(self.val.lengths[own].sum()), unit="frames",
        )  # fmt: skip
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
            return None
        together = {n: one for part in gathered(pieces, self.world) for n, one in part.items()}
        return np.concatenate([together[n] for n in range(len(self.val))])

    def _finish(self, found: npt.NDArray[np.float32] | None, score: Score) -> None:
        """Write an epoch's predictions, if val was scored, and results; go to the next epoch."""
        reached = None
        if self.world.leads and found is not None:
            path = self.folder / run_files.PREDICTIONS
            write_predictions(self.data, self.options.val_split, path, found, self.val.places)
            reached = score(Layout(self.data).csv(self.options.val_split), path)
        (reached, *_) = gathered(reached, self.world)
        result = self._result(reached, evaluated=found is not None)
        self.state = State(epoch=self.state.epoch + 1, results=[*self.state.results, result])
        if self.world.leads:
            self._write(result)
        gathered(None, self.world)  # no process starts an epoch that is not written

    def _result(self, reached: float | None, *, evaluated: bool) -> EpochResult:
        state = self.state
        known = [one.average_precision for one in state.results]
        every = [value for value in (*known, reached) if value is not None]
        return EpochResult(
            epoch=state.epoch,
            lr=self.lr,
            loss=state.loss / max(state.frames, 1),
            average_precision=reached,
            best=max(every, default=None),
            frames=state.frames * self.world.size,
            evaluated=evaluated,
        )

    # -------------------------------------------------------------------------- files

    def _write(self, result: EpochResult) -> None:
        """Write the files of a finished epoch, and those of the best one if it is the best."""
        folder, state = self.folder, self.state
        if self.options.keep_epochs:
            path = run_files.epoch_weights(folder, result.epoch)
            path.parent.mkdir(exist_ok=True)
            run_files.save(path, self.network.state_dict())
        if result.evaluated and state.best in {result, None}:
            run_files.save(folder / run_files.BEST, self._checkpoint())
            run_files.save(folder / run_files.WEIGHTS, self.network.state_dict())
            best = folder / run_files.BEST_PREDICTIONS
            newest = (folder / run_files.PREDICTIONS).open("rb")
            with newest, atomic_write(best, "wb") as file:
                shutil.copyfileobj(newest, file)
        run_files.write_results(folder, state.results)
        run_files.save(folder / run_files.LAST, self._checkpoint())
        for name in ("loss", "lr", "average_precision"):
            value = getattr(result, name)
            if self.board is not None and value is not None:
                self.board.add_scalar(name, value, result.epoch)

    def _loss(self) -> torch.Tensor:
        """The sum of the losses of the epoch's finished steps, each times its frames."""
        return torch.tensor(self.state.loss, dtype=torch.float64, device=self.device)

    def _save(self, total: torch.Tensor) -> None:
        """Save the run; the first process does, as all have the same but for the loss."""
        self.state.loss = float(mean(total, self.world))
        self.saved = time.monotonic()
        if self.world.leads:
            run_files.save(self.folder / run_files.LAST, self._checkpoint())

    def _checkpoint(self) -> dict[str, Any]:
        return {
            NETWORK_KEY: self.network.state_dict(),
            RATE_KEY: float(np.median(self.train.frame_rates)),
            "optimizer": self.optimizer.state_dict(),
            MODEL_KEY: self.options.model,
            "state": run_files.state_dict(self.state),
        }


def _seed(*parts: int) -> int:
    """One number from several, so that no two steps have the same random numbers."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0]) >> 1

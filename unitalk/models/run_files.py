"""The files of a training run: enough to resume it to the bit, and weights to hand on.

::

    last.pt             the newest state: network, optimiser, place in the run, results so far
    best.pt             the state after the epoch with the best AP on val
    best.model          its weights alone, under the original's names, for any TalkNet code
    model/              the weights after every epoch, if wanted, as the original writes them:
                        model_0001.model, model_0002.model and so on
    predictions.csv     val, as it was last scored; best_predictions.csv after the best epoch
    score.txt           one line per epoch after which val was scored, as the original writes it
    log.jsonl           one JSON object per epoch

No state of a random generator is kept, as none lives longer than a step: all randomness follows
from the seed, the epoch and the step (`data.plan_epoch`, `training_run`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from unitalk.errors import DataError
from unitalk.files import atomic_write
from unitalk.models._torch import torch
from unitalk.models.weight_files import BEST, LAST, NETWORK_KEY, read_tensors
from unitalk.report import Report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["BEST", "LAST"]

WEIGHTS = "best.model"
PREDICTIONS, BEST_PREDICTIONS = "predictions.csv", "best_predictions.csv"
SCORES, LOG = "score.txt", "log.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochResult(Report):
    """One epoch.

    Attributes:
        epoch: from 1.
        lr: its learning rate.
        loss: the mean over all frames that it trained on.
        average_precision: on val after it, 0 to 1; None where it is undefined, or val was not
            scored.
        best: the best of these so far.
        frames: how many it trained on.
        evaluated: whether val was scored after it.
    """

    epoch: int
    lr: float
    loss: float
    average_precision: float | None
    best: float | None
    frames: int
    evaluated: bool = True


@dataclass(slots=True, kw_only=True)
class State:
    """How far a run has come.

    Attributes:
        epoch: the current one, from 1.
        step: how many of its batches are done.
        loss: the sum of their losses, each times its frames.
        frames: how many frames these batches had.
        results: the finished epochs.
    """

    epoch: int = 1
    step: int = 0
    loss: float = 0.0
    frames: int = 0
    results: list[EpochResult] = field(default_factory=list)

    @property
    def best(self) -> EpochResult | None:
        """The epoch with the best AP; of equal ones the first."""
        scored = [one for one in self.results if one.average_precision is not None]
        return max(scored, key=lambda one: one.average_precision or 0, default=None)


def epoch_weights(folder: Path, epoch: int) -> Path:
    """Where a run keeps the weights of one epoch; the original's name (trainTalkNet.py)."""
    return folder / f"model/model_{epoch:04d}.model"


def save(path: Path, value: Mapping[str, Any]) -> None:
    """Write a checkpoint whole or not at all."""
    with atomic_write(path, "wb") as file:
        torch.save(dict(value), file)


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint; nothing in it is executed.

    Raises:
        DataError: it is not a checkpoint, or is damaged.
    """
    found = read_tensors(path)
    if not isinstance(found, dict) or NETWORK_KEY not in found or "state" not in found:
        raise DataError(
            f"{path}: not a checkpoint of `train_network`",
            hint="`resume=True` needs the folder that an earlier run wrote to",
        )
    return found


def state_dict(state: State) -> dict[str, Any]:
    """A run's state for a checkpoint."""
    return {
        "epoch": state.epoch,
        "step": state.step,
        "loss": state.loss,
        "frames": state.frames,
        "results": [one.to_dict() for one in state.results],
    }


def state_of(found: Mapping[str, Any]) -> State:
    """A run's state from a checkpoint."""
    results = [EpochResult(**one) for one in found["results"]]
    return State(**{**found, "results": results})


def write_results(folder: Path, results: Sequence[EpochResult]) -> None:
    """Write `score.txt` and `log.jsonl` anew, so that a resumed run repeats no line."""
    with atomic_write(folder / SCORES) as file:
        file.writelines(_line(one) + "\n" for one in results if one.evaluated)
    with atomic_write(folder / LOG) as file:
        file.writelines(json.dumps(one.to_dict(), allow_nan=False) + "\n" for one in results)


def _line(one: EpochResult) -> str:
    """A line as the original writes it (trainTalkNet.py)."""
    own, best = (
        float("nan") if value is None else 100 * value
        for value in (one.average_precision, one.best)
    )
    return (
        f"{one.epoch} epoch, LR {one.lr:f}, LOSS {one.loss:f}, mAP {own:2.2f}%, "
        f"bestmAP {best:2.2f}%"
    )

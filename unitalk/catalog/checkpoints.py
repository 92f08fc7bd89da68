"""The table of published checkpoints, read from `checkpoints.csv` beside this file."""

from __future__ import annotations

import csv
import difflib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from unitalk.errors import UsageError
from unitalk.report import Report

if TYPE_CHECKING:
    from collections.abc import Collection


Kind = Literal["network", "detector", "archive"]
"""A network that finds the active speaker; a face detector; files that are to be unpacked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedNumber(Report):
    """What its authors report of a checkpoint.

    Attributes:
        benchmark: the dataset and split that was scored.
        metric: as the source calls it.
        value: in percent, with the source's digits.
        source: where it was read.
    """

    benchmark: str
    metric: str
    value: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint(Report):
    """One published file. None stands for what is not known, or does not apply.

    Attributes:
        name: ours.
        kind: what it is.
        model: as its authors call it.
        trained_on: the dataset.
        loads_into: the model here that loads it.
        elsewhere: what else reads it.
        file: its name in the folder.
        url: where it is published.
        source: where the address was read.
        licence: the licence that the source states.
        terms: what else its authors say about its use.
        size: its bytes.
        sha256: its hash.
        crop: how faces are cropped for it.
        margin: how much a crop is wider than the face's box on each side, as a share of the box.
        frame_rate: the lowest and the highest frame rate of the videos that it is meant for.
        threshold: the logit of speaking from which on the authors' own code marks a speaker.
        published: the number that its authors report.
    """

    name: str
    kind: Kind
    model: str
    trained_on: str | None
    loads_into: str | None
    elsewhere: str | None
    file: str
    url: str
    source: str
    licence: str | None
    terms: str | None
    size: int | None
    sha256: str | None
    crop: str | None
    margin: float | None
    frame_rate: tuple[float, float] | None
    threshold: float | None
    published: PublishedNumber | None


@cache
def checkpoints() -> tuple[Checkpoint, ...]:
    """Every published checkpoint that is known, in the table's order."""
    path = Path(__file__).resolve().with_name("checkpoints.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(map(_checkpoint, csv.DictReader(file)))


def _checkpoint(cells: dict[str, str]) -> Checkpoint:
    row: dict[str, Any] = {name: cell or None for name, cell in cells.items()}
    benchmark, metric, value, source = map(
        row.pop, ("benchmark", "metric", "value", "published_in")
    )
    low, _, high = (row["frame_rate"] or "").partition("-")
    row |= {
        "size": row["size"] and int(row["size"]),
        "margin": row["margin"] and float(row["margin"]),
        "threshold": row["threshold"] and float(row["threshold"]),
        "frame_rate": (float(low), float(high or low)) if low else None,
        "published": benchmark
        and PublishedNumber(benchmark=benchmark, metric=metric, value=float(value), source=source),
    }
    return Checkpoint(**row)


def is_known(name: str) -> bool:
    """Return whether a checkpoint is published under a name."""
    return any(checkpoint.name == name for checkpoint in checkpoints())


def named(name: str, models: Collection[str] | None = None) -> Checkpoint:
    """The checkpoint of a name.

    Args:
        name: as the table has it.
        models: what it has to load into; default: it may be any.

    Raises:
        UsageError: there is none, or it does not load into these models.
    """
    fitting = {
        checkpoint.name: checkpoint
        for checkpoint in checkpoints()
        if models is None or checkpoint.loads_into in models
    }
    if name in fitting:
        return fitting[name]
    known = f"use one of {', '.join(fitting)}" if fitting else "give a file of weights"
    other = next((one for one in checkpoints() if one.name == name), None)
    if other is None:
        near = difflib.get_close_matches(name.lower(), fitting, n=3)
        guess = f"did you mean {' or '.join(near)}? " if near else ""
        raise UsageError(
            f"{name!r} is neither a file nor a published checkpoint", hint=guess + known
        )
    reader = other.loads_into or other.elsewhere
    raise UsageError(
        f"{name} is {other.model}, which {' and '.join(models or ())} cannot load"
        + (f"; it is read by {reader}" if reader else ""),
        hint=known,
    )

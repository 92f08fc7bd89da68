"""The table of published checkpoints, which lies beside this file in `checkpoints.csv`."""

from __future__ import annotations

import csv
import difflib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unitalk.errors import UsageError
from unitalk.report import Report

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint(Report):
    """One published file.

    Attributes:
        name: ours.
        model: as its authors call it.
        trained_on: the dataset; None for what is no network.
        loads_into: the model that it loads into; None for none.
        elsewhere: what else reads it.
        file: its name in the folder.
        url: where it is published.
        source: where the address was read.
        licence: as the source states it; None where that is not known.
        size: its bytes, where they are known.
        sha256: its hash, where that is known.
    """

    name: str
    model: str
    trained_on: str | None
    loads_into: str | None
    elsewhere: str | None
    file: str
    url: str
    source: str
    licence: str | None
    size: int | None
    sha256: str | None

    @property
    def is_archive(self) -> bool:
        """Whether it is to be unpacked, and no network."""
        return self.file.endswith(".tar.gz")


@cache
def checkpoints() -> tuple[Checkpoint, ...]:
    """Every published checkpoint that is known, in the table's order."""
    path = Path(__file__).resolve().with_name("checkpoints.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows: list[dict[str, Any]] = list(csv.DictReader(file))
    for row in rows:
        row.update({name: cell or None for name, cell in row.items()})
        row["size"] = row["size"] and int(row["size"])
    return tuple(Checkpoint(**row) for row in rows)


def is_known(name: str) -> bool:
    """Whether a checkpoint is published under a name."""
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
    known = f"known are: {', '.join(fitting)}"
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

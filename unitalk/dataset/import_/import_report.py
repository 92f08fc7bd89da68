"""What an import says of itself, whatever the dataset; and what is wrong with a file of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from unitalk import schema
from unitalk.errors import EXAMPLES, SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unitalk.layout import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitCounts:
    """What was imported of one split.

    Attributes:
        split: its name here.
        videos: their ids, in the order of the csv.
        tracks: how many.
        faces: how many rows.
        positives: faces that speak; None where no face has a label.
        counted: faces whose `eval` is 1; None where there is no such column.
        reordered: tracks whose rows stood apart or in another order than that of time.
        gaps: stretches of more than 0.2 s within a track that have no face.
    """

    split: Split
    videos: tuple[str, ...]
    tracks: int
    faces: int
    positives: int | None
    counted: int | None
    reordered: int
    gaps: int

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return asdict(self) | {"videos": list(self.videos)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import made.

    Attributes:
        dataset: whose annotations they are: `asw`, `ava`, `wasd` or `columbia`.
        source: where they were read from.
        destination: the dataset that was made.
        splits: what each split has, in the usual order.
        absent: files that are listed and not there (empty unless partial).
        categories: the file of the videos' categories, relative to the destination; or None.
        warnings: what the reader should know.
    """

    dataset: str
    source: str
    destination: str
    splits: tuple[SplitCounts, ...]
    absent: tuple[str, ...] = ()
    categories: str | None = None
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return {
            "schema_version": 1,
            "dataset": self.dataset,
            "source": self.source,
            "destination": self.destination,
            "splits": [split.to_dict() for split in self.splits],
            "absent": list(self.absent),
            "categories": self.categories,
            "warnings": list(self.warnings),
        }


def remarks(splits: Sequence[SplitCounts]) -> tuple[str, ...]:
    """What is worth a warning in any dataset."""
    said = []
    for one in splits:
        if one.positives is None:
            said.append(f"{one.split}: no face has a label; it can be predicted, and not scored")
        elif one.positives in {0, one.faces}:
            which = schema.SPEAKING if one.positives else f"not {schema.SPEAKING}"
            said.append(
                f"{one.split}: every face is labelled {which}, as in bundles that fill in the "
                "labels that AVA's test split has not; a score on it means nothing"
            )
        if one.reordered:
            said.append(
                f"{one.split}: the rows of {one.reordered:,} tracks did not stand together in the "
                "order of time, and do so now"
            )
        if one.gaps:
            said.append(
                f"{one.split}: {one.gaps:,} gaps of more than 0.2 s within tracks; "
                "`unitalk verify` lists them"
            )
    return tuple(said)


class Problems:
    """What is wrong with one file, collected.

    Args:
        name: the file.
        hint: what to do about it.
    """

    def __init__(self, name: str, hint: str) -> None:
        self._name, self._hint = name, hint
        self._shown: list[str] = []
        self._count = 0

    def add(self, problem: str, count: int = 1) -> None:
        """Note one, or several that one text stands for."""
        self._count += count
        if len(self._shown) < EXAMPLES:
            self._shown.append(problem)

    def check(self) -> None:
        """End here if there was one.

        Raises:
            SchemaError: there was.
        """
        if not self._count:
            return
        more = self._count - len(self._shown)
        rest = f"\n  and {more:,} more" if more else ""
        noun = "problem" if self._count == 1 else "problems"
        raise SchemaError(
            f"{self._name}: {self._count:,} {noun}\n  " + "\n  ".join(self._shown) + rest,
            hint=self._hint,
            problems=self._shown,
            count=self._count,
        )

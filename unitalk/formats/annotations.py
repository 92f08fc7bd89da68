"""What the readers of other datasets share: a file to read, its rows as text, its problems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from unitalk import schema
from unitalk.errors import EXAMPLES, SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pyarrow as pa

    from unitalk.layout import Split


class Rows(NamedTuple):
    """The faces of one file.

    Attributes:
        columns: text, by the schema's names; at least AVA's eight, with numbers as the file
            writes them.
        where: names rows for a message, as a person finds them.
    """

    columns: dict[str, pa.StringArray]
    where: Callable[[Sequence[int]], list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of annotations.

    Attributes:
        split: the split of its faces.
        path: the file.
        read: reads it, and raises SchemaError with all its problems. A module's function, or one
            bound with `functools.partial`, so that it can travel to another process.
        columns: the columns to write, the same for all files of a split.
    """

    split: Split
    path: Path
    read: Callable[[Path], Rows]
    columns: tuple[str, ...] = schema.COLUMNS


class Problems:
    """The problems of one file, collected.

    Args:
        name: the file.
        hint: what to do about them.
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
        """Raise what was noted.

        Raises:
            SchemaError: there was a problem.
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

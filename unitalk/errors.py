"""Every error that this package raises on purpose.

::

    UnitalkError               1   anything below; catch this one
    |- UsageError              2   the arguments contradict each other or name something unknown
    |  '- DestinationError     2   the destination is not free, or lies inside the source
    |- DataError               3   the data is wrong
    |  |- SchemaError          3   a csv file breaks the schema; .problems, .count
    |  |- CoverageError        3   predictions and ground truth do not cover each other
    |  |- LayoutError          3   files on the disk are not what the csv says
    |  '- ArchiveError         3   an archive is damaged or hostile
    |- IncompleteError         4   some of the work is done; run again to continue
    |- HubError                1   the hub refused, or could not be reached
    |  |- AccessError          1   no permission: gated, private, a wrong token
    |  |- NotFoundError        1   no such repository, revision or file
    |  '- IntegrityError       1   bytes arrived that are not the listed ones
    |- DiskError               1   the disk refused: full, read-only, no permission, a name too long
    '- MissingExtraError       1   an optional dependency is not installed

The number is the exit code of the command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EXAMPLES = 10
"""How many examples a message shows before it only counts."""


class UnitalkError(Exception):
    """The root of all errors raised on purpose.

    Args:
        message: what is wrong, where, and the offending value.
        hint: what to do next, as a sentence or a command.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(UnitalkError):
    """The arguments contradict each other or name something unknown."""

    exit_code = 2


class DestinationError(UsageError):
    """The destination is not free, or source and destination contain each other."""


class DataError(UnitalkError):
    """The data is wrong."""

    exit_code = 3


class SchemaError(DataError):
    """A csv file breaks the schema.

    Attributes:
        problems: the first problems found, in file order.
        count: how many there are in all.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        problems: Sequence[str] = (),
        count: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)
        self.count = len(self.problems) if count is None else count


class CoverageError(DataError):
    """Predictions and ground truth do not cover each other."""


class LayoutError(DataError):
    """Files on the disk are not what the csv says."""


class ArchiveError(DataError):
    """An archive is damaged, or holds what no archive of ours may hold."""


class IncompleteError(UnitalkError):
    """Some of the work is done and kept; run the same command again to continue."""

    exit_code = 4


class HubError(UnitalkError):
    """The hub refused, or could not be reached."""


class AccessError(HubError):
    """The hub knows the thing but does not give it: gated, private, a wrong token."""


class NotFoundError(HubError):
    """The hub has no such repository, revision or file."""


class IntegrityError(HubError):
    """Bytes arrived that are not the listed ones."""


class DiskError(UnitalkError):
    """The disk refused: it is full or read-only, permission is missing, a name is too long."""


class MissingExtraError(UnitalkError):
    """An optional dependency is not installed."""


def examples(items: Iterable[object], *, count: int | None = None, limit: int = EXAMPLES) -> str:
    """Join the first few items and say how many more there are.

    Args:
        items: what to show; only the first `limit` are drawn when `count` is given.
        count: how many there are in all; default: the number of items.
        limit: how many to show.
    """
    shown: list[str] = []
    total = 0
    for item in items:
        total += 1
        if len(shown) < limit:
            shown.append(str(item))
        elif count is not None:
            break
    rest = (total if count is None else count) - len(shown)
    return ", ".join(shown) + (f" and {rest:,} more" if rest > 0 else "")

"""What no conversion can do anything with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitalk import schema
from unitalk.errors import LayoutError, SchemaError

if TYPE_CHECKING:
    from pathlib import Path


def check_columns(path: Path, head: schema.Head, reader: str) -> None:
    """Look whether a csv has all that a loader reads.

    Raises:
        SchemaError: a column is missing.
    """
    missing = [name for name in schema.COLUMNS if name not in head.columns]
    if missing:
        raise SchemaError(
            f"{path}: {reader} needs the ten columns of UniTalk, and {', '.join(missing)} are "
            "missing",
            hint=f"the columns are {', '.join(schema.COLUMNS)}",
        )


def same_id(path: Path, one: str, two: str, entity: str, where: str) -> LayoutError:
    """Two videos have tracks of one id, where there is one folder a track."""
    return LayoutError(
        f"{path}: the videos {one} and {two} both have a track {entity!r}",
        hint=f"{where} has one folder a track, and one would overwrite the other; "
        "give the tracks different ids",
    )

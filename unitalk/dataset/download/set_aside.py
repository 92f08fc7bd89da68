"""Files that an adoption or an update replaces are moved, never deleted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

BEFORE = "before-adoption"
"""The folder for incomplete parts of an adopted dataset."""
WITHDRAWN = "withdrawn"
"""The folder for parts that a newer commit no longer has."""


def set_aside(root: Path, path: Path, name: str) -> Path:
    """Move what may be the user's to a folder of that name; return its new path."""
    there = root / name / path.relative_to(root)
    number = 1
    while os.path.lexists(there):
        number += 1
        there = there.with_name(f"{path.name}.{number}")
    there.parent.mkdir(parents=True, exist_ok=True)
    os.rename(path, there)
    return there

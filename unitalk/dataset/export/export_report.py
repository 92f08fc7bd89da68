"""What an export made, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unitalk.choices import FormName
    from unitalk.layout import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """What an export made.

    Attributes:
        source: the dataset whose tracks were exported.
        destination: the folder with the shards.
        form: theirs.
        splits: of each split the number of videos, tracks, faces and shards.
        bytes: of all shards that are there.
        written: shards that were written now.
        kept: shards that an earlier run had written.
        damaged: tracks that cannot be read; their shards were not written.
        findings: what is wrong with the first of them.
    """

    source: str
    destination: str
    form: FormName
    splits: dict[Split, dict[str, int]]
    bytes: int
    written: int
    kept: int
    damaged: int
    findings: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether every shard is there."""
        return not self.damaged

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return {
            "schema_version": 1,
            "source": self.source,
            "destination": self.destination,
            "form": self.form,
            "splits": {split: dict(count) for split, count in self.splits.items()},
            "bytes": self.bytes,
            "written": self.written,
            "kept": self.kept,
            "damaged": self.damaged,
            "findings": list(self.findings),
            "warnings": [],
        }

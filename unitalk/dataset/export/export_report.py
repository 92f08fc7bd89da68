"""What an export made, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitalk.report import Count, Report

if TYPE_CHECKING:
    from unitalk.choices import FormName
    from unitalk.layout import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport(Report):
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

    schema_version = 1

    source: str
    destination: str
    form: FormName
    splits: dict[Split, dict[str, Count]]
    bytes: Count
    written: Count
    kept: Count
    damaged: Count
    findings: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether every shard is there."""
        return not self.damaged

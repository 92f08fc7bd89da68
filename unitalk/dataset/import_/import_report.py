"""The report of an import, and its warnings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitalk import schema
from unitalk.layout import Split  # noqa: TC001 - the JSON schema is generated from the types
from unitalk.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitCounts(Report):
    """The contents of one split.

    Attributes:
        split: its name here.
        videos: their ids, in the order of the csv.
        tracks: their number.
        faces: the number of rows.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport(Report):
    """The dataset that an import made.

    Attributes:
        dataset: whose annotations they are: `asw`, `ava`, `wasd` or `columbia`.
        source: where they were read from.
        destination: the dataset that was made.
        splits: the contents of each split, in the usual order.
        absent: files that are listed and missing (empty unless partial).
        categories: the file of the videos' categories, relative to the destination; or None.
        warnings: things to know before the dataset is used.
    """

    schema_version = 1

    dataset: str
    source: str
    destination: str
    splits: tuple[SplitCounts, ...]
    absent: tuple[str, ...] = ()
    categories: str | None = None
    warnings: tuple[str, ...] = ()


def warnings_of(splits: Sequence[SplitCounts]) -> tuple[str, ...]:
    """The warnings that any dataset may give."""
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
                "`verify_dataset` lists them"
            )
    return tuple(said)

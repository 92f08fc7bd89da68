"""The report of a conversion."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from unitalk.errors import EXAMPLES, examples
from unitalk.layout import Split  # noqa: TC001 - the JSON schema is generated from the types
from unitalk.report import Report

Target = Literal["asc", "talknet", "loconet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertReport(Report):
    """The files that a conversion made, and what the target's loader would find wrong with them.

    Attributes:
        target: the loader that reads it.
        source: the dataset that was converted.
        destination: the folder that was made; the source itself where it was converted in place.
        splits: the splits that were converted.
        rows: faces of the result, all of them looked up.
        tracks: entities of the result.
        videos: videos of the result.
        files: crops and sounds placed, by way: hard, copy, and sym for links.
        written: the splits' csv and JSON files that were written, relative to the destination.
        reordered: the splits whose rows were brought into the order that the loader needs.
        black: how many faces have no crop of their own: a black image to ASC's loader; left out of
            what TalkNet's and LoCoNet's loaders read.
        silent: tracks without sound: zeros to ASC's loader; the others stop there.
        short: tracks whose sound ends before their faces do.
        extra: crops without a face, which were not placed; ASC's loader opens none of these.
        misaligned: faces that the loader would see or score as another one.
        gaps: tracks with gaps in time, after which sound and faces are apart; a warning.
        findings: what is wrong, in words, with examples.
        warnings: what the reader should know.
    """

    schema_version = 1

    target: Target
    source: str
    destination: str
    splits: tuple[Split, ...]
    rows: int
    tracks: int
    videos: int
    files: dict[str, int]
    written: tuple[str, ...] = ()
    reordered: tuple[Split, ...] = ()
    black: int
    silent: int
    short: int
    extra: int = 0
    misaligned: int = 0
    gaps: int = 0
    findings: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether the loader would find every face and every sound, each where it belongs."""
        return not self.findings


@dataclass(slots=True)
class Found:
    """One kind of defect: how often it occurs, and the first few examples."""

    what: str
    count: int = 0
    shown: list[str] = field(default_factory=list)

    def add(self, example: str, count: int = 1) -> None:
        """Count one, or several that one example stands for."""
        self.count += count
        if len(self.shown) < EXAMPLES:
            self.shown.append(example)


def sentences(*kinds: Found) -> tuple[str, ...]:
    """One sentence per kind that was found."""
    return tuple(
        f"{found.count:,} {found.what}: {examples(found.shown, count=found.count)}"
        for found in kinds
        if found.count
    )

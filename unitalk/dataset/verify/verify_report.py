"""What was found: one finding per defect, and the report of all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unitalk.dataset.verify.finding_kinds import KINDS
from unitalk.dataset.verify.repairs import repairs_of
from unitalk.report import INTERNAL, Count, Report

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from unitalk.choices import LayoutName
    from unitalk.layout import Part, Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(Report):
    """One thing that is wrong, and where; what does not apply is None.

    Attributes:
        kind: its name in `KINDS`.
        split: the split.
        video_id: the video.
        entity_id: the track.
        seconds: the time of the face, or of the first one.
        faces: how many faces it is about, where that is not one.
        path: the file or folder, relative to the dataset's.
        line: the line of a csv.
        detail: what else there is to say.
        part: the part of the video to fetch again, if that helps; default: as the kind says.
        names: of files or folders in `path` that belong elsewhere.
        to: the folder where they belong, relative to the dataset's.
    """

    sparse = True

    kind: str
    split: str | None = None
    video_id: str | None = None
    entity_id: str | None = None
    seconds: float | None = None
    faces: int | None = None
    path: str | None = None
    line: int | None = None
    detail: str | None = None
    part: Part | None = None
    names: tuple[str, ...] | None = None
    to: str | None = None

    def describe(self) -> str:
        """Where it is and what it says, in one line."""
        where = self.path or ""
        if self.line is not None:
            where += f":{self.line}"
        if not where or (self.line is None and where.endswith(".csv")):
            where = " ".join(filter(None, [where, self.entity_id or self.video_id]))
        count = f"{self.faces:,} faces" if self.faces is not None else None
        said = ", ".join(filter(None, [count, self.detail]))
        return f"{where}: {said}" if said else where


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport(Report):
    """What was checked and all that is wrong.

    Attributes:
        root: the dataset's folder.
        layout: the loader whose layout was checked.
        splits: the splits that were checked.
        deep: whether jpgs and wavs were opened.
        videos: how many videos the csv files have.
        tracks: how many tracks the csv files have.
        faces: how many rows could be read.
        files: how many crops and sounds were found where rows want them.
        findings: everything that is wrong, in the order of `KINDS`.
        notes: what is not wrong, but good to know.
        made_by: the verb that made the folder; None where no marker says so.
    """

    schema_version = 1
    computed = ("ok", "counts", "repairs")

    root: str = field(metadata={"json": "dataset"})
    layout: LayoutName
    splits: tuple[Split, ...]
    deep: bool
    videos: Count = 0
    tracks: Count = 0
    faces: Count = 0
    files: Count = 0
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = field(default=(), metadata={"json": "warnings"})
    made_by: str | None = field(default="download", metadata=INTERNAL)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    @property
    def counts(self) -> dict[str, int]:
        """How many findings of each kind that has any, in the order of `KINDS`."""
        found = Counter(finding.kind for finding in self.findings)
        return {kind: found[kind] for kind in KINDS if kind in found}

    @property
    def ids(self) -> tuple[str, ...]:
        """The videos whose crops or sounds are wrong; if none are, those whose csv is."""
        return self.videos_to_fetch("audio", "video") or self.videos_to_fetch("csv")

    @property
    def repairs(self) -> tuple[str, ...]:
        """What sets right what can be: calls of this package, and lines for a shell.

        A capitalised name is for the caller to replace; a plan of a download is then to be run.
        """
        return repairs_of(self)

    def videos_to_fetch(self, *parts: Part) -> tuple[str, ...]:
        """The videos of which one of these parts is to be fetched again."""
        found = (f for f in self.findings if (f.part or KINDS[f.kind].part) in parts)
        return tuple(dict.fromkeys(f.video_id for f in found if f.video_id is not None))


def by_kind(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Bring findings into the order of `KINDS`; those of one kind keep theirs."""
    place = {kind: index for index, kind in enumerate(KINDS)}
    return tuple(sorted(findings, key=lambda finding: place[finding.kind]))


def relative(root: Path, path: Path) -> str:
    """A path within the dataset, with `/`."""
    return path.relative_to(root).as_posix()

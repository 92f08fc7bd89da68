"""What was found: one finding a defect, and the report of all."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from unitalk.catalog import video_list
from unitalk.choices import LayoutName
from unitalk.dataset.verify.finding_kinds import KINDS
from unitalk.layout import PARTS, Part, Split
from unitalk.media import wavs
from unitalk.report import INTERNAL, Report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from unitalk.choices import LayoutName


_NAMED = 5
"""So many videos are named in a command; more are read from a file."""
IDS_FILE = "wrong.txt"


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
        part: the part of the video that must be fetched again, if that helps; default: as the
            kind says.
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

    @property
    def fetch(self) -> Part | None:
        """The part of the video that must be fetched again, if that helps."""
        return self.part or KINDS[self.kind].part

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
class Checked:
    """What was looked at.

    Attributes:
        videos: in the csv files.
        tracks: in the csv files.
        faces: rows that could be read.
        files: jpgs and wavs that were found where rows want them.
    """

    videos: int = 0
    tracks: int = 0
    faces: int = 0
    files: int = 0

    def __add__(self, other: Checked) -> Checked:
        return Checked(
            videos=self.videos + other.videos,
            tracks=self.tracks + other.tracks,
            faces=self.faces + other.faces,
            files=self.files + other.files,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport(Report):
    """What was checked and all that is wrong.

    Attributes:
        root: the dataset's folder.
        layout: as whose loader it was read.
        splits: the splits that were checked.
        deep: whether jpgs and wavs were opened.
        checked: how much was looked at.
        findings: everything that is wrong, by kind in the order of `KINDS`.
        notes: what is not wrong, but good to know.
        made_by: the verb that made the folder; None where no marker says so.
    """

    schema_version = 1
    computed = (
        "ok", "videos", "tracks", "faces", "files", "counts", "repairs",
    )  # fmt: skip

    root: str = field(metadata={"json": "dataset"})
    layout: LayoutName
    splits: tuple[Split, ...]
    deep: bool
    checked: Checked = field(metadata=INTERNAL)
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = field(default=(), metadata={"json": "warnings"})
    made_by: str | None = field(default="download", metadata=INTERNAL)

    @property
    def videos(self) -> int:
        """How many videos the csv files have."""
        return self.checked.videos

    @property
    def tracks(self) -> int:
        """How many tracks the csv files have."""
        return self.checked.tracks

    @property
    def faces(self) -> int:
        """How many rows could be read."""
        return self.checked.faces

    @property
    def files(self) -> int:
        """How many crops and sounds were found where rows want them."""
        return self.checked.files

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
        return self._videos({"audio", "video"}) or self._videos({"csv"})

    @property
    def repairs(self) -> tuple[str, ...]:
        """The commands that set right what a command can."""
        root = shlex.quote(self.root)
        if self.layout == "asc":
            command = f"unitalk convert-asc --source DATASET --destination {root} --overwrite"
            return () if self.ok else (command,)
        cut = f"--csv CSV --videos VIDEOS --destination {root}"
        again = {
            "crops": f"unitalk crops {cut}",
            "ava prepare": f"unitalk ava prepare {cut}",
            "trim": f"unitalk trim --path SOURCE --new-path {root} --list LIST --overwrite",
            **{
                verb: f"unitalk {verb} --source DATASET --destination {root} --overwrite"
                for verb in ("convert-talknet", "convert-loconet")
            },
        }.get(self.made_by or "")
        if again is not None:
            return () if self.ok else (again,)
        published = self.made_by == "download"
        commands = [*self._moves(), *self._conversions()]
        commands += [
            f"unitalk download --save-path {root} --split {finding.split} --only {finding.part}"
            for finding in self.findings
            if finding.kind == "missing-split" and finding.part is not None and published
        ]
        for part in PARTS if published else ():
            commands += self._fetch(root, part)
        if any(finding.kind.startswith("loader-") for finding in self.findings):
            commands.append(f"unitalk convert-talknet --source {root} --overwrite")
        return tuple(dict.fromkeys(commands))

    def _moves(self) -> list[str]:
        """The commands that put in place what is misplaced, or read it as it is."""
        found = [one for one in self.findings if one.kind == "misplaced"]
        commands = []
        for one in found:
            if one.names is not None and one.to is not None and one.path is not None:
                to = shlex.quote(f"{self.root}/{one.to}")
                names = (shlex.quote(f"{self.root}/{one.path}/{name}") for name in one.names)
                commands.append(f"mkdir -p {to} && mv -n {' '.join(names)} {to}")
        if any(one.to is None for one in found):
            deep = " --deep" * self.deep
            commands.append(f"unitalk verify {shlex.quote(self.root)} --layout asc{deep}")
        return commands

    def _conversions(self) -> list[str]:
        """A line for each sound of another form, which makes it right."""
        root = Path(self.root)
        paths = [f.path for f in self.findings if f.kind == "wav-format" and f.path is not None]
        return [wavs.converting(root / path, root) for path in paths]

    def _fetch(self, root: str, part: Part) -> list[str]:
        """Download one part of published videos again; of others there is nothing to fetch."""
        known = {video.video_id for video in video_list.videos()}
        wanted = [video for video in self._videos({part}) if video in known]
        if not wanted:
            return []
        # `--video -abc` would be taken for an option.
        named = " ".join(f"--video={v}" if v.startswith("-") else f"--video {v}" for v in wanted)
        before = []
        if len(wanted) > _NAMED and set(wanted) <= set(self.ids):
            named = f"--video @{IDS_FILE}"
            before = [f"unitalk verify {root} --ids {IDS_FILE}" + " --deep" * self.deep]
        return [*before, f"unitalk download --save-path {root} {named} --only {part} --refetch"]

    def _videos(self, parts: set[Part]) -> tuple[str, ...]:
        found = (f.video_id for f in self.findings if f.fetch in parts and f.video_id is not None)
        return tuple(dict.fromkeys(found))


def by_kind(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Bring findings into the order of `KINDS`; those of a kind keep theirs."""
    place = {kind: index for index, kind in enumerate(KINDS)}
    return tuple(sorted(findings, key=lambda finding: place[finding.kind]))


def relative(root: Path, path: Path) -> str:
    """A path within the dataset, with `/`."""
    return path.relative_to(root).as_posix()

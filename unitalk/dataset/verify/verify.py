"""The whole of it: split by split, rows, then folders, then what is in the files."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unitalk import schema
from unitalk.dataset.verify import misplaced, workers
from unitalk.dataset.verify.crop_check import contradicting, one_size
from unitalk.dataset.verify.cross_split import entities_in_splits, video_csvs, videos_in_splits
from unitalk.dataset.verify.csv_check import csv_findings
from unitalk.dataset.verify.loader_findings import asc_findings, asc_time_texts, talknet_findings
from unitalk.dataset.verify.media_check import Place
from unitalk.dataset.verify.row_groups import read_rows
from unitalk.dataset.verify.tree import Walk, beside_splits, video_folder
from unitalk.dataset.verify.verify_report import (
    Checked,
    Finding,
    VerifyReport,
    by_kind,
    relative,
)
from unitalk.errors import UsageError
from unitalk.files import disk_boundary, made_by
from unitalk.layout import FlatLayout, Layout, face_name
from unitalk.progress import Progress, SilentProgress
from unitalk.schema.face_names import FaceNames

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from unitalk.choices import LayoutName
    from unitalk.dataset.verify.crop_check import Seen
    from unitalk.dataset.verify.tree import Found
    from unitalk.layout import Split
    from unitalk.progress import Task
    from unitalk.schema.split_rows import SplitRows, Track

_LAYOUTS = ("unitalk", "asc", "talknet")
_FILES = 200  # of a job: about a tenth of a second
ALONE = 5_000
"""Up to so many faces, starting other processes takes longer than opening all files."""


@disk_boundary("root")
def verify_dataset(
    root: Path,
    *,
    splits: tuple[Split, ...] = (),
    deep: bool = False,
    layout: LayoutName = "unitalk",
    jobs: int | None = None,
    progress: Progress | None = None,
) -> VerifyReport:
    """Look for what is missing, damaged or wrong in a dataset.

    Args:
        root: the dataset's folder.
        splits: which to check; default: all that are present.
        deep: open every jpg and every wav.
        layout: as whose loader: "unitalk"; "asc" (ASC, ASDNet), the flat layout that convert-asc
            writes; "talknet" (TalkNet, Light-ASD), the usual one with a csv for its loader.
        jobs: how many processes open files; default: one a CPU. Folders are listed in this one,
            which is as fast as a disk that is near.
        progress: where to report to.

    Returns:
        The report; what is wrong is for the caller to act upon.

    Raises:
        LayoutError: the folder is no dataset or lacks a split.
        UsageError: the layout is unknown, or a number of jobs is none.
        UnitalkError: a process was killed.
    """
    if layout not in _LAYOUTS:
        raise UsageError(
            f"unknown layout {layout!r}", hint=f"the layouts are {', '.join(_LAYOUTS)}"
        )
    if jobs is not None and jobs < 1:
        raise UsageError(f"{jobs} jobs", hint="give a number from 1")
    root = Path(root)
    splits = Layout(root).require_splits(splits)
    run = _Run(
        root=root, layout=layout, deep=deep, jobs=jobs or os.cpu_count() or 1,
        progress=progress or SilentProgress(),
    )  # fmt: skip
    for split in splits:
        run.split(split)
    run.findings += videos_in_splits(run.videos)
    run.findings += entities_in_splits(run.entities)
    run.findings += beside_splits(root)
    run.findings = misplaced.replaced(run.findings, run.tracks, layout)
    return VerifyReport(
        root=str(root),
        layout=layout,
        splits=splits,
        deep=deep,
        checked=run.checked,
        findings=by_kind(run.findings),
        notes=tuple(run.notes),
        made_by=made_by(root),
    )


class _Asked(NamedTuple):
    """What a job was given for: a track, and these of its rows."""

    found: Found
    rows: npt.NDArray[np.int64]
    job: workers.Job


@dataclass(slots=True, kw_only=True)
class _Run:
    """One run of the verb, and what it has found so far."""

    root: Path
    layout: LayoutName
    deep: bool
    jobs: int
    progress: Progress
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    checked: Checked = field(default_factory=Checked)
    videos: dict[str, dict[str, int]] = field(default_factory=dict)
    entities: dict[str, dict[str, str]] = field(default_factory=dict)
    tracks: dict[str, Sequence[Track]] = field(default_factory=dict)

    def split(self, split: Split) -> None:
        """Check one split."""
        rows, refused = read_rows(self.root, Layout(self.root).csv(split), split)
        self.findings += refused
        if rows is None:
            self.notes.append(f"nothing of {split} was looked at, because its csv cannot be read")
            return
        if not rows.whole:
            self.notes.append(
                f"files of {split} without a row, gaps and instance ids were not looked for, "
                "because rows of its csv were refused"
            )
        if rows.unlabelled:
            self.notes.append(f"{split}: no face has a label; it can be predicted, and not scored")
        self.findings += csv_findings(rows)
        self.findings += self._files_of_layout(rows)
        codes, videos = rows.video
        counts = np.bincount(codes, minlength=len(videos)).tolist()
        self.videos[split] = dict(zip(videos, counts, strict=True))
        self.tracks[split] = rows.tracks
        self.entities[split] = {track.entity: track.video for track in rows.tracks}
        files = _Media(self, rows).look()
        self.checked += Checked(
            videos=len(videos), tracks=len(rows.tracks), faces=len(rows), files=files
        )

    def _files_of_layout(self, rows: SplitRows) -> list[Finding]:
        if self.layout == "asc":
            return asc_findings(self.root, rows)
        found = talknet_findings(self.root, rows) if self.layout == "talknet" else []
        if not rows.whole:
            return found
        folder = Layout(self.root).video_csv(rows.split, "any").parent
        return found + video_csvs(self.root, folder, rows)


class _Media:
    """The crops and the sounds of one split."""

    def __init__(self, run: _Run, rows: SplitRows) -> None:
        self._run = run
        self._rows = rows
        texts = asc_time_texts(run.root, rows) if run.layout == "asc" else None
        self._walk = Walk(
            root=run.root, split=rows.split, layout=run.layout, names=FaceNames(rows, texts),
            whole=rows.whole, findings=run.findings,
        )  # fmt: skip
        self._files = self._renamed = 0
        self._sizes = np.zeros((len(rows) if run.deep else 0, 2), np.int32)

    def look(self) -> int:
        """Look at all; returns how many files were where rows want them."""
        rows, run = self._rows, self._run
        tracks = self._walk.tracks(self._walk.groups(rows.tracks))
        with run.progress.task(f"checking {rows.split}", total=len(rows), unit="faces") as task:
            if run.deep:
                self._open(tracks, task)
            else:
                for found in tracks:
                    self._count(found)
                    task.advance(rows.tracks[found.number].stop - rows.tracks[found.number].start)
        if self._renamed and run.layout == "unitalk":
            run.notes.append(
                f"{self._renamed:,} crops of {rows.split} have names that do not say their times "
                'with two decimals; LoCoNet, which opens "%.2f.jpg", does not find them'
            )
        if run.deep:
            self._compare_sizes()
        return self._files

    def _count(self, found: Found) -> None:
        if found.faces is not None:
            self._renamed += found.faces.renamed
            self._files += len(found.faces.names) - found.faces.names.count(None)
        self._files += found.wav is not None

    # -------------------------------------------------------------------------- what is in them

    def _open(self, tracks: Iterator[Found], task: Task) -> None:
        processes = self._run.jobs if len(self._rows) > ALONE else 1
        jobs = ((asked, asked.job) for found in tracks for asked in self._asked(found, task))
        for asked, looked in workers.run(jobs, processes):
            self._note_crops(asked, looked.jpgs)
            self._note_sound(asked, looked.wavs)
            task.advance(len(asked.rows))

    def _asked(self, found: Found, task: Task) -> Iterator[_Asked]:
        """Cut a track into jobs; its sound goes with the first."""
        self._count(found)
        rows = self._rows
        track = rows.tracks[found.number]
        own = rows.table.rows(slice(track.start, track.stop))
        names = [] if found.faces is None else found.faces.names
        there = np.array([name is not None for name in names] or [False] * len(own))
        task.advance(int(np.count_nonzero(~there)))
        jpgs = [name for name in names if name is not None]
        wavs = []
        if found.wav is not None:
            first, last = rows.milliseconds[own[[0, -1]]].tolist()
            span = (last - first) / 1000
            wavs = [workers.Wav(str(found.wav), span, span / max(len(own) - 1, 1))]
        for start in range(0, max(len(jpgs), 1), _FILES):
            part = slice(start, start + _FILES)
            job = workers.Job(str(found.folder), jpgs[part], wavs if start == 0 else [])
            yield _Asked(found, own[there][part], job)

    def _note_crops(self, asked: _Asked, seen: list[Seen]) -> None:
        for row, name, one in zip(asked.rows.tolist(), asked.job.jpgs, seen, strict=True):
            self._sizes[row] = one.size
            if one.kind is not None and asked.found.folder is not None:
                path = asked.found.folder / name
                self._run.findings.append(
                    self._at(asked.found).finding(one.kind, path, detail=one.detail)
                )

    def _note_sound(self, asked: _Asked, faults: list[list[tuple[str, str]]]) -> None:
        wav = asked.found.wav
        self._run.findings += [
            self._at(asked.found).finding(kind, wav, detail=detail)
            for found in faults
            for kind, detail in found
            if wav is not None
        ]

    def _at(self, found: Found) -> Place:
        track = self._rows.tracks[found.number]
        return Place(self._run.root, self._rows.split, track.video, track.entity)

    # -------------------------------------------------------------------------- sizes

    def _compare_sizes(self) -> None:
        """Hold the crops' sizes against their boxes, video by video."""
        rows, run = self._rows, self._run
        boxes = np.stack([rows.faces.numbers(name) for name in schema.BOX], axis=1)
        opened = np.flatnonzero((self._sizes[:, 0] > 0) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1))
        same = one_size(self._sizes[opened], boxes[opened])
        if same is not None:
            run.notes.append(
                f"the crops of {rows.split} were brought to {same[0]} x {same[1]} pixels, so that "
                "their sizes say nothing of their boxes"
            )
            return
        codes, videos = rows.video
        by_video = opened[np.argsort(codes[opened], kind="stable")]
        parts = np.split(by_video, np.flatnonzero(np.diff(codes[by_video])) + 1)
        odd = []
        for own in parts if len(opened) else ():
            found = contradicting(self._sizes[own], boxes[own])
            if found is None:
                odd.append(own)
            else:
                wrong, frame = found
                run.findings += [
                    self._size_finding(row, boxes[row], frame) for row in own[wrong].tolist()
                ]
        if len(odd) * 2 > len(parts):
            run.notes.append(
                f"the crops of {len(odd):,} of {len(parts):,} videos of {rows.split} have sizes "
                "that follow from no frame and box, so that nothing is said about them"
            )
        else:
            run.findings += [
                Finding(
                    kind="crop-size", split=rows.split, video_id=videos[codes[own[0]]],
                    faces=len(own), detail="the crops fit no one frame",
                    path=relative(run.root, self._folder(int(own[0])).parent),
                )
                for own in odd
            ]  # fmt: skip

    def _size_finding(
        self, row: int, box: npt.NDArray[np.float64], frame: tuple[int, int]
    ) -> Finding:
        track = self._rows.tracks[self._rows.table.track[row]]
        width, height = (box[2:] - box[:2]) * frame
        across, down = self._sizes[row].tolist()
        detail = (
            f"{across} x {down} pixels; its box in a frame of {frame[0]} x {frame[1]} is "
            f"{width:.0f} x {height:.0f}"
        )
        place = Place(self._run.root, self._rows.split, track.video, track.entity)
        seconds = int(self._rows.milliseconds[row]) / 1000
        return place.finding("crop-size", self._folder(row) / face_name(seconds), detail=detail)

    def _folder(self, row: int) -> Path:
        """The folder of a row's track."""
        track = self._rows.tracks[self._rows.table.track[row]]
        if self._run.layout == "asc":
            return FlatLayout(self._run.root).track(self._rows.split, track.entity)
        return Layout(self._run.root).track(
            self._rows.split, video_folder(track, self._run.layout), track.entity
        )

"""Verify a dataset, split by split: its rows, then its folders, then its files."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unitalk.choices import LAYOUTS
from unitalk.dataset.verify import misplaced
from unitalk.dataset.verify.crop_sizes import check_sizes
from unitalk.dataset.verify.cross_split import entities_in_splits, video_csvs, videos_in_splits
from unitalk.dataset.verify.csv_check import csv_findings
from unitalk.dataset.verify.deep_check import open_all
from unitalk.dataset.verify.folders import Walk, beside_splits
from unitalk.dataset.verify.loader_findings import asc_findings, asc_time_texts, talknet_findings
from unitalk.dataset.verify.split_csv import read_rows
from unitalk.dataset.verify.verify_report import Finding, VerifyReport, by_kind
from unitalk.errors import UsageError
from unitalk.files import disk_boundary, made_by
from unitalk.layout import Layout
from unitalk.progress import Progress, SilentProgress
from unitalk.schema.face_names import FaceNames

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from unitalk.choices import LayoutName
    from unitalk.dataset.verify.folders import Found
    from unitalk.layout import Split
    from unitalk.progress import Task
    from unitalk.schema.split_rows import SplitRows, Track


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
        layout: the loader whose layout to check: "unitalk"; "asc" (ASC, ASDNet), the flat layout
            that convert-asc writes; "talknet" (TalkNet, Light-ASD), the usual one with a csv for
            its loader.
        jobs: how many processes open files; default: one per CPU. Folders are listed in this one,
            which is as fast as a disk that is near.
        progress: where to report to.

    Returns:
        The report; what to do about it is for the caller to decide.

    Raises:
        LayoutError: the folder is not a dataset or lacks a split.
        UsageError: the layout is unknown, or `jobs` is less than 1.
        UnitalkError: a process was killed.
    """
    if layout not in LAYOUTS:
        raise UsageError(f"unknown layout {layout!r}", hint=f"the layouts are {', '.join(LAYOUTS)}")
    if jobs is not None and jobs < 1:
        raise UsageError(f"{jobs} jobs", hint="give a number from 1")
    root = Path(root)
    splits = Layout(root).require_splits(splits)
    run = _Run(
        root=root, layout=layout, deep=deep, jobs=jobs or os.cpu_count() or 1,
        progress=progress or SilentProgress(),
    )  # fmt: skip
    for split in splits:
        run.check_split(split)
    return run.report(splits)


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
    videos: dict[str, dict[str, int]] = field(default_factory=dict)
    tracks: dict[str, list[Track]] = field(default_factory=dict)
    files: int = 0

    def report(self, splits: tuple[Split, ...]) -> VerifyReport:
        """Compare the splits with each other, and report everything."""
        self.findings += videos_in_splits(self.videos)
        self.findings += entities_in_splits(
            {split: {one.entity: one.video for one in own} for split, own in self.tracks.items()}
        )
        self.findings += beside_splits(self.root)
        return VerifyReport(
            root=str(self.root),
            layout=self.layout,
            splits=splits,
            deep=self.deep,
            videos=sum(map(len, self.videos.values())),
            tracks=sum(map(len, self.tracks.values())),
            faces=sum(sum(faces.values()) for faces in self.videos.values()),
            files=self.files,
            findings=by_kind(misplaced.replaced(self.findings, self.tracks, self.layout)),
            notes=tuple(self.notes),
            made_by=made_by(self.root),
        )

    def check_split(self, split: Split) -> None:
        """Check one split."""
        rows, refused = read_rows(self.root, Layout(self.root).csv(split), split)
        self.findings += refused
        if rows is None:
            self.notes.append(f"nothing of {split} was looked at, because its csv cannot be read")
            return
        codes, videos = rows.video
        counts = np.bincount(codes, minlength=len(videos)).tolist()
        self.videos[split] = dict(zip(videos, counts, strict=True))
        self.tracks[split] = rows.tracks
        if not rows.whole:
            self.notes.append(
                f"files of {split} without a row, gaps and instance ids were not looked for, "
                "because rows of its csv were refused"
            )
        if rows.unlabelled:
            self.notes.append(f"{split}: no face has a label; it can be predicted, and not scored")
        self.findings += csv_findings(rows)
        self.findings += self._other_csvs(rows)
        self._check_files(rows)

    def _other_csvs(self, rows: SplitRows) -> list[Finding]:
        if self.layout == "asc":
            return asc_findings(self.root, rows)
        found = talknet_findings(self.root, rows) if self.layout == "talknet" else []
        if not rows.whole:
            return found
        folder = Layout(self.root).video_csv(rows.split, "any").parent
        return found + video_csvs(self.root, folder, rows)

    def _check_files(self, rows: SplitRows) -> None:
        texts = asc_time_texts(self.root, rows) if self.layout == "asc" else None
        walk = Walk(
            root=self.root, rows=rows, layout=self.layout, names=FaceNames(rows, texts),
            findings=self.findings,
        )  # fmt: skip
        renamed = 0

        def counted() -> Iterator[Found]:
            nonlocal renamed
            for found in walk.tracks():
                renamed += found.renamed
                self.files += len(found.names) - found.names.count(None) + (found.wav is not None)
                yield found

        with self.progress.task(f"checking {rows.split}", total=len(rows), unit="faces") as task:
            if self.deep:
                sizes = self._open(rows, walk, counted(), task)
            else:
                for found in counted():
                    task.advance(rows.tracks[found.number].faces)
        if renamed and self.layout == "unitalk":
            self.notes.append(
                f"{renamed:,} crops of {rows.split} have names that do not say their times with "
                'two decimals; LoCoNet, which opens "%.2f.jpg", does not find them'
            )
        if self.deep:
            self.notes += check_sizes(rows, sizes, walk)

    def _open(
        self, rows: SplitRows, walk: Walk, tracks: Iterable[Found], task: Task
    ) -> npt.NDArray[np.int32]:
        """Open the files of a split; returns the width and height of each row's crop, or 0."""
        sizes = np.zeros((len(rows), 2), np.int32)
        for opened in open_all(rows, tracks, task, jobs=self.jobs):
            if opened.sizes:
                sizes[opened.rows] = opened.sizes
            track = rows.tracks[opened.track]
            for fault in opened.faults:
                path = Path(fault.path)
                walk.note(fault.kind, path, track.video, track.entity, detail=fault.detail)
        return sizes

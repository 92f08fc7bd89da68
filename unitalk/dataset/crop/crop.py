"""Cut face crops and sounds out of all videos, resuming an earlier run.

The destination's marker has the request. The same call again keeps the videos that are whole;
another request is refused, or with `overwrite` replaces what differs.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from unitalk.dataset.crop.crop_options import CropOptions
from unitalk.dataset.crop.crop_report import CropReport, Finding
from unitalk.dataset.crop.dropped_rows import FILE, NO_VIDEO, write_kept
from unitalk.dataset.crop.video_files import find_videos, near_misses
from unitalk.dataset.crop.video_job import (
    VERSION,
    Job,
    cut_video,
    kept,
    receipts,
    remove,
    staging,
)
from unitalk.dataset.crop.wanted_faces import SplitRows, check_videos, copy_csv, csv_sha256
from unitalk.errors import DataError
from unitalk.executor import Here
from unitalk.files import (
    Request,
    check_apart,
    check_destination,
    disk_boundary,
    entries,
    locked,
    mark,
    staged_folder,
)
from unitalk.layout import SPLITS, Layout
from unitalk.media.libraries import load
from unitalk.progress import Progress, SilentProgress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from unitalk.dataset.crop.video_cutter import Outcome
    from unitalk.dataset.crop.wanted_faces import Wanted
    from unitalk.executor import Executor
    from unitalk.layout import Split

    Key = tuple[Split, str]  # a video

Verb = Literal["crop", "ava prepare"]


@disk_boundary("destination")
def cut_crops(
    csvs: Mapping[Split, Path],
    destination: Path,
    *,
    video_dir: Path,
    source: Path,
    verb: Verb = "crop",
    videos: Sequence[str] = (),
    options: CropOptions | None = None,
    overwrite: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> CropReport:
    """Cut face crops and sounds out of videos; the same call again resumes an interrupted run.

    Each video is decoded once, from its first wanted frame to its last. The bytes depend on rows,
    video and options alone, not on the time, the place or the number of processes.

    Args:
        csvs: a csv file of each split, or a folder of csv files, see `find_csvs`.
        destination: a folder that does not exist, is empty, or was made by the same request.
        video_dir: the folder of the video files, see `video_files.find_videos`.
        source: where the rows are from; for messages, and kept apart from the destination.
        verb: the verb that makes the dataset.
        videos: cut only these; default: all.
        options: how to cut.
        overwrite: replace what an earlier run for another request made there; videos that do not
            differ stay.
        executor: cuts the videos, one per task; default: this process, one after the other, with
            as many threads as there are processors. Elsewhere a video has one thread.
        progress: where to report to.

    Returns:
        The report. What is wrong with a video is in its `findings`; all else is done.

    Raises:
        DestinationError: the destination is not free, was made by another request, or one folder
            contains the other.
        SchemaError: the rows break the schema.
        DataError: a video has two files; a video has no rows; a track has two rows at one time; no
            row is left after dropping.
        MissingExtraError: the extra is not installed.
        DiskError: the disk refused.
    """
    load("av"), load("cv2")
    options = options or CropOptions()
    target = Path(destination).absolute()  # a worker elsewhere has another working directory
    for other in (source, video_dir):
        check_apart(other, target)
    check_destination(target, made_by=verb, overwrite=True, in_place=True)
    videos = tuple(dict.fromkeys(videos))
    request = _request(csvs, videos, options)
    if not overwrite:
        request.check(target)
    rows = {s: SplitRows.read(csvs[s], s, videos) for s in SPLITS if s in csvs}
    check_videos(str(source), rows, videos)
    run = _Run(target, options, rows, video_dir)
    if not Layout(target).marker.is_file():
        with staged_folder(target, made_by=verb, about=request.about) as folder:
            _copy_rows(csvs, folder, videos)
    with locked(Layout(target).memory):
        if not overwrite:
            request.check(target)
        elif request.differences(target):
            with _replacing(target, request, verb, rows) as folder:
                _copy_rows(csvs, folder, videos)
        run.cut_missing(executor or Here(), progress or SilentProgress())
        dropped = run.drop_missing(csvs, videos) if options.drop_missing else 0
    return CropReport(
        source=str(source),
        video_dir=str(video_dir),
        destination=str(destination),
        splits={split: one.counts() for split, one in rows.items()},
        written=len(run.outcomes) - run.kept,
        kept=run.kept,
        crops=sum(one.crops for one in run.outcomes.values()),
        sounds=sum(one.sounds for one in run.outcomes.values()),
        dropped=dropped,
        findings=tuple(run.findings()),
        notes=tuple(run.notes()),
    )


# ------------------------------------------------------------------------------ the request


def _request(csvs: Mapping[Split, Path], videos: Sequence[str], options: CropOptions) -> Request:
    """Everything that decides which crops and sounds there are."""
    return Request(
        values={
            "version": VERSION,
            "rows": {split: csv_sha256(path) for split, path in csvs.items()},
            "videos": sorted(videos),
            **asdict(options),
        },
        way_out="give a new folder, or `overwrite=True` to replace what differs",
    )


@contextmanager
def _replacing(
    target: Path, request: Request, verb: Verb, rows: Mapping[Split, SplitRows]
) -> Iterator[Path]:
    """Remove the rows of an earlier run, and each video of which there are no rows any more.

    Until the block ends the marker fits no request, so that a run that is killed within it is not
    taken for one that is done.
    """
    mark(target, made_by=verb, about={request.key: None})
    (target / FILE).unlink(missing_ok=True)
    for split in SPLITS:
        Layout(target).csv(split).unlink(missing_ok=True)
        own = rows[split].tracks if split in rows else {}
        for video in _videos_in(Layout(target), split) - set(own):
            remove(target, split, video)
    yield target
    mark(target, made_by=verb, about=request.about)


def _copy_rows(csvs: Mapping[Split, Path], folder: Path, videos: Sequence[str]) -> None:
    for split, path in csvs.items():
        copy_csv(path, Layout(folder).csv(split), videos)


def _videos_in(layout: Layout, split: Split) -> set[str]:
    """The videos of which an earlier run left a receipt, crops, or sounds."""
    folders = (layout.part(part, split, "_").parent for part in ("video", "audio"))
    there = {path.name for folder in folders for path in entries(folder) if path.is_dir()}
    top, names = f"{split}/", receipts(layout.root).names()
    return there | {name.removeprefix(top) for name in names if name.startswith(top)}


# ------------------------------------------------------------------------------ the run


class _Run:
    """Cuts the missing videos.

    Attributes:
        outcomes: by split and id, the outcome of each video that is cut.
        kept: how many of them an earlier run cut.

    Args:
        target: the dataset.
        options: how to cut.
        rows: the wanted faces.
        video_dir: the folder of the videos.
    """

    def __init__(
        self, target: Path, options: CropOptions, rows: Mapping[Split, SplitRows], video_dir: Path
    ) -> None:
        self._target = target
        self._options = options
        self._rows = rows
        self._video_dir = video_dir
        self._order = [(split, video) for split, one in rows.items() for video in one.tracks]
        folder, ids = Path(video_dir).absolute(), {video for _, video in self._order}
        self._files = find_videos(folder, ids)
        self._near = near_misses(folder, ids - self._files.keys())
        self.outcomes: dict[Key, Outcome] = {}
        self.kept = 0

    def cut_missing(self, executor: Executor, progress: Progress) -> None:
        """Cut the missing videos."""
        self._tidy()
        self._keep()
        missing = [k for k in self._order if k not in self.outcomes and k[1] in self._files]
        # The largest first, so that none of them is left alone at the end.
        missing.sort(key=lambda key: -self._files[key[1]].stat().st_size)
        threads = 0 if isinstance(executor, Here) else 1
        target, options = str(self._target), self._options
        done = executor.run(
            cut_video,
            (Job(target, str(self._files[k[1]]), self._of(k), options, threads) for k in missing),
        )
        faces = {(split, video): self._rows[split].faces_of(video) for split, video in self._order}
        total, there = sum(faces.values()), sum(faces[key] for key in self.outcomes)
        try:
            with progress.task("cutting", total=total, unit="faces", done=there) as task:
                for key, outcome in zip(missing, done, strict=True):
                    self.outcomes[key] = outcome
                    task.advance(faces[key])
        finally:
            if isinstance(done, Generator):
                done.close()  # ends the tasks that are still cutting
            self._tidy()

    def _of(self, key: Key) -> Wanted:
        return self._rows[key[0]].of(key[1])

    def _keep(self) -> None:
        """Keep the videos that an earlier run cut."""
        for key in self._order:
            found = kept(self._target, self._of(key), self._options, self._files.get(key[1]))
            if found is not None:
                self.outcomes[key] = found
            elif key[1] not in self._files:
                remove(self._target, *key)  # of other rows, or damaged, and its file is gone
        self.kept = len(self.outcomes)

    def _tidy(self) -> None:
        """Remove half-made files that a killed process left."""
        shutil.rmtree(staging(self._target), ignore_errors=True)
        receipts(self._target).remove_halves()

    def drop_missing(self, csvs: Mapping[Split, Path], videos: Sequence[str]) -> int:
        """Remove the rows that could not be cut from the csv files; returns their number."""
        reasons = {split: self._reasons(split) for split in self._rows}
        dropped = sum(map(len, reasons.values()))
        if dropped == sum(len(one.rows.seconds) for one in self._rows.values()):
            counts = Counter(reason for own in reasons.values() for reason in own.values())
            raise DataError(
                f"{self._target}: not one of the {dropped:,} faces can be cut: "
                + ", ".join(f"{reason} ({count:,})" for reason, count in counts.items()),
                hint="run it without `drop_missing`, into a new folder, to see what is wrong with "
                "each video",
            )
        write_kept(csvs, Layout(self._target), videos, reasons)
        return dropped

    def _reasons(self, split: Split) -> dict[int, str]:
        """Why rows of a split's csv are left out, by their numbers in it."""
        found: dict[int, str] = {}
        for video in self._rows[split].tracks:
            places = self._rows[split].places_of(video)
            outcome = self.outcomes.get((split, video))
            if outcome is None:
                found |= dict.fromkeys(places.tolist(), NO_VIDEO)
                continue
            for reason, rows in outcome.dropped:
                found |= dict.fromkeys(places[list(rows)].tolist(), reason)
        return found

    def findings(self) -> Iterator[Finding]:
        """What is wrong, in the order of the videos; not that of rows that were left out."""
        for key in self._order:
            if key in self.outcomes:
                yield from self.outcomes[key].findings
            elif not self._options.drop_missing:
                yield self._missing(key)

    def notes(self) -> Iterator[Finding]:
        """What is worth knowing, in the order of the videos."""
        for key in self._order:
            if key in self.outcomes:
                yield from self.outcomes[key].notes
            elif self._options.drop_missing:
                yield self._missing(key)

    def _missing(self, key: Key) -> Finding:
        places = [self._near[key[1]]] if key[1] in self._near else []
        return Finding.of("video-missing", *key, places=places, said=f"in {self._video_dir}")

"""Rows of text become the csv of a split: checked, in order, complete.

Each file is a task of its own, which writes a part; the parts are put together afterwards. What
an importer gives of a file are columns of text, at least AVA's eight; `label_id` and `instance_id`
are derived where they are not given (`schema.complete`).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from unitalk import schema
from unitalk.dataset.import_.import_report import Problems, SplitCounts
from unitalk.errors import EXAMPLES, DataError, SchemaError, examples
from unitalk.executor import Executor, Here
from unitalk.files import atomic_write
from unitalk.layout import SPLITS, Layout
from unitalk.progress import Progress, SilentProgress
from unitalk.schema.crop_names import hundredths_of
from unitalk.schema.problems import together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from unitalk.layout import Split

    Ints = npt.NDArray[np.int64]

GAP = 0.201
"""Seconds: a longer step within a track is a gap; `verify` has the same."""


class Rows(NamedTuple):
    """The faces of one file.

    Attributes:
        columns: text, by the schema's names; numbers as they stand in the file.
        where: names rows for a message, as a person finds them.
    """

    columns: dict[str, pa.StringArray]
    where: Callable[[Sequence[int]], list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file to import.

    Attributes:
        split: the split that its faces go to.
        path: the file.
        read: reads it; of a module, or bound with `functools.partial`, so that it can travel.
            It raises SchemaError with all that is wrong.
        columns: what is written of it, the same for all files of a split.
    """

    split: Split
    path: Path
    read: Callable[[Path], Rows]
    columns: tuple[str, ...] = schema.COLUMNS


class _Job(NamedTuple):
    file: File
    part: Path


class _Part(NamedTuple):
    """What stands in one part."""

    file: File
    path: Path
    videos: list[str]
    tracks: list[str]
    faces: int
    positives: int
    unlabelled: int
    counted: int
    reordered: int
    gaps: int


def write_splits(
    root: Path,
    files: Sequence[File],
    *,
    source: Path,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> tuple[SplitCounts, ...]:
    """Write the csv of each split, the files' rows one after the other in the files' order.

    Args:
        root: the dataset that is being made; tasks write there.
        files: what to read.
        source: what is named when several files are wrong.
        executor: where files are read, a task each; default: in this process.
        progress: where to report to.

    Raises:
        SchemaError: files are damaged; what is wrong with all of them is counted.
        DataError: a track is in two files, or some files of a split have labels and others not.
    """
    with TemporaryDirectory(dir=root, prefix=".parts-") as scratch:
        jobs = (_Job(file, Path(scratch, f"{n}.csv")) for n, file in enumerate(files))
        parts: list[_Part] = []
        errors: list[SchemaError] = []
        with (progress or SilentProgress()).task(
            "importing", total=len(files), unit="files"
        ) as task:
            for done in (executor or Here()).run(_write_part, jobs):
                if isinstance(done, SchemaError):
                    errors.append(done)
                else:
                    parts.append(done)
                task.advance()
        if errors:
            raise together(str(source), len(files), errors)
        _check_tracks(parts)
        by_split = {split: [p for p in parts if p.file.split == split] for split in SPLITS}
        return tuple(
            _put_together(Layout(root), split, own) for split, own in by_split.items() if own
        )


def _write_part(job: _Job) -> _Part | SchemaError:
    """Read one file and write its part; what is wrong with it is a value, so that all is told."""
    try:
        rows = job.file.read(job.file.path)
        return _complete_and_write(job, rows)
    except SchemaError as error:
        return error


# ------------------------------------------------------------------------------ one file


class _Order(NamedTuple):
    """How rows stand by track and time; all are [rows].

    Attributes:
        order: which row of the file comes where: track after track as they first stand there, each
            in the order of time.
        tracks: index of the entity of each row of the file.
        seconds: of each row of the file.
        inside: [rows - 1] whether a row in order and the next are of one track.
    """

    order: Ints
    tracks: npt.NDArray[np.int32]
    seconds: npt.NDArray[np.float64]
    inside: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, tracks: npt.NDArray[np.int32], seconds: npt.NDArray[np.float64]) -> _Order:
        order = np.lexsort((seconds, tracks))
        return cls(order, tracks, seconds, np.diff(tracks[order]) == 0)

    @property
    def stands_so(self) -> bool:
        return bool((np.diff(self.order) == 1).all())

    def reordered(self) -> int:
        """How many tracks do not stand together in the order of time."""
        moved = self.inside & (np.diff(self.order) != 1)
        return len(np.unique(self.tracks[self.order[1:][moved]]))

    def gaps(self) -> int:
        """How many steps within a track are too long."""
        return int(np.count_nonzero(self.inside & (np.diff(self.seconds[self.order]) > GAP)))


def _complete_and_write(job: _Job, rows: Rows) -> _Part:
    given = rows.columns
    tracks, names = schema.text_codes(given[schema.ENTITY])
    by_time = _Order.of(tracks, schema.seconds_of(pa.RecordBatch.from_pydict(given)))
    videos, titles = schema.text_codes(given[schema.VIDEO])
    _check(job.file.path, rows, by_time, videos)
    labels, found = schema.text_codes(given[schema.LABEL])
    spelled = [schema.SPELLED[text] for text in found]
    columns = schema.complete(given | {schema.LABEL: schema.text_column(spelled, labels)})
    batch = pa.RecordBatch.from_pydict({name: columns[name] for name in job.file.columns})
    if not by_time.stands_so:
        batch = batch.take(by_time.order)
    with atomic_write(job.part, "wb") as file:
        schema.append_text(file, batch)
    return _Part(
        file=job.file,
        path=job.part,
        videos=titles,
        tracks=names,
        faces=batch.num_rows,
        positives=_count(labels, spelled, schema.SPEAKING),
        unlabelled=_count(labels, spelled, schema.UNLABELLED),
        counted=_count(*schema.text_codes(given[schema.EVAL]), "1") if schema.EVAL in given else 0,
        reordered=by_time.reordered(),
        gaps=by_time.gaps(),
    )


def _count(codes: npt.NDArray[np.int32], texts: list[str], text: str) -> int:
    return int(np.count_nonzero(np.array([one == text for one in texts])[codes]))


def _check(path: Path, rows: Rows, by_time: _Order, videos: npt.NDArray[np.int32]) -> None:
    """Look for faces that are there twice, and for tracks of two videos.

    Raises:
        SchemaError: there are some.
    """
    order, seconds = by_time.order, by_time.seconds
    hundredths = hundredths_of(seconds[order])
    milliseconds = np.rint(seconds[order] * 1000)
    same, twice = np.diff(hundredths) == 0, np.diff(milliseconds) == 0
    near = same & ~twice
    problems = Problems(
        str(path),
        "give times that are 0.01 s apart or more, such as every second frame"
        if (near & by_time.inside).any()
        else "keep one row per face, and one track per id",
    )
    for kind, wrong in (
        ("is there twice", same & twice),
        ("shares its file name, which has hundredths of a second, with the row before it", near),
        ("is of a track that is in another video too", np.diff(videos[order]) != 0),
    ):
        again = order[1:][by_time.inside & wrong]
        few = again[:EXAMPLES].tolist()
        for row, place in zip(few, rows.where(few) if few else (), strict=True):
            entity = rows.columns[schema.ENTITY][row]
            time = f"{seconds[row]:.10g}" if wrong is near else f"{seconds[row]:.2f}"
            problems.add(f"{place}: {entity} at {time} s {kind}")
        if len(again) > len(few):
            problems.add("", len(again) - len(few))
    problems.check()


# ------------------------------------------------------------------------------ all files


def _check_tracks(parts: Sequence[_Part]) -> None:
    """Hold every track to one file.

    Raises:
        DataError: one is in two.
    """
    seen: dict[str, _Part] = {}
    twice = [
        f"{track} ({seen[track].file.path} and {part.file.path})"
        for part in parts
        for track in part.tracks
        if seen.setdefault(track, part) is not part
    ]
    if twice:
        raise DataError(
            f"{len(twice):,} tracks are in two files: {examples(twice)}",
            hint="an id names one track of one split; leave one of the files out",
        )


def _put_together(layout: Layout, split: Split, parts: Sequence[_Part]) -> SplitCounts:
    faces, unlabelled = sum(p.faces for p in parts), sum(p.unlabelled for p in parts)
    if 0 < unlabelled < faces:
        some = [str(p.file.path) for p in parts if p.unlabelled]
        raise DataError(
            f"{split}: {unlabelled:,} of {faces:,} faces have no label, in {examples(some)}",
            hint="a split has labels or has none; import the files apart",
        )
    with atomic_write(layout.csv(split), "wb") as file:
        file.write((",".join(parts[0].file.columns) + "\n").encode())
        for part in parts:
            with part.path.open("rb") as opened:
                shutil.copyfileobj(opened, file)
    return SplitCounts(
        split=split,
        videos=tuple(dict.fromkeys(video for part in parts for video in part.videos)),
        tracks=sum(len(p.tracks) for p in parts),
        faces=faces,
        positives=None if unlabelled else sum(p.positives for p in parts),
        counted=sum(p.counted for p in parts) if schema.EVAL in parts[0].file.columns else None,
        reordered=sum(p.reordered for p in parts),
        gaps=sum(p.gaps for p in parts),
    )

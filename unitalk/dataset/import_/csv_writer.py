"""Write rows of text as the csv of each split: checked, in order, complete.

Each file is a task of its own that writes a part; the parts are joined afterwards. `label_id` and
`instance_id` are derived where a file lacks them (`schema.complete`).
"""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from unitalk import schema
from unitalk.dataset.import_.import_report import SplitCounts
from unitalk.errors import EXAMPLES, DataError, SchemaError, examples
from unitalk.executor import Executor, Here
from unitalk.files import atomic_write
from unitalk.formats.annotations import Problems
from unitalk.layout import SPLITS, Layout
from unitalk.progress import Progress, SilentProgress
from unitalk.schema.face_table import FaceTable
from unitalk.schema.problems import together

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from unitalk.formats.annotations import File, Rows
    from unitalk.layout import Split


class _Part(NamedTuple):
    """The csv of one file's rows, and what it has."""

    file: File
    path: Path
    videos: list[str]
    tracks: list[str]
    counts: Counter[str]


def write_splits(
    root: Path,
    files: Sequence[File],
    *,
    source: Path,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> tuple[SplitCounts, ...]:
    """Write the csv of each split, with the files' rows in the files' order.

    Args:
        root: the dataset that is being made; tasks write there.
        files: the files to read.
        source: the name for messages when several files are wrong.
        executor: where files are read, one task each; default: in this process.
        progress: where to report to.

    Raises:
        SchemaError: files are damaged; the problems of all are counted.
        DataError: a track is in two files, or some files of a split have labels and others do not.
    """
    with TemporaryDirectory(dir=root, prefix=".parts-") as scratch:
        jobs = ((file, Path(scratch, f"{n}.csv")) for n, file in enumerate(files))
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


def _write_part(job: tuple[File, Path]) -> _Part | SchemaError:
    """Read one file and write its part; an error is a value, so that the others are read too."""
    file, path = job
    try:
        return _complete_and_write(file, path, file.read(file.path))
    except SchemaError as error:
        return error


# ------------------------------------------------------------------------------ one file


def _complete_and_write(source: File, path: Path, rows: Rows) -> _Part:
    given = rows.columns
    tracks, names = schema.text_codes(given[schema.ENTITY])
    seconds = schema.seconds_of(pa.RecordBatch.from_pydict(given))
    table = FaceTable.of(seconds, tracks)
    videos, titles = schema.text_codes(given[schema.VIDEO])
    _check(source.path, rows, table, videos)
    labels, found = schema.text_codes(given[schema.LABEL])
    spelled = [schema.SPELLED[text] for text in found]
    columns = schema.complete(given | {schema.LABEL: schema.text_column(spelled, labels)})
    batch = pa.RecordBatch.from_pydict({name: columns[name] for name in source.columns})
    if table.order is not None:
        batch = batch.take(table.order)
    with atomic_write(path, "wb") as file:
        schema.append_text(file, batch)
    moved = np.concatenate([table.apart, table.unordered])
    counts = Counter(
        tracks=len(names),
        faces=batch.num_rows,
        positives=_count(labels, spelled, schema.SPEAKING),
        unlabelled=_count(labels, spelled, schema.UNLABELLED),
        counted=_count(*schema.text_codes(given[schema.EVAL]), "1") if schema.EVAL in given else 0,
        reordered=len(np.unique(table.track[moved])),
        gaps=len(table.gaps()[0]),
    )
    return _Part(source, path, titles, names, counts)


def _count(codes: npt.NDArray[np.int32], texts: list[str], text: str) -> int:
    return int(np.count_nonzero(np.array([one == text for one in texts])[codes]))


def _check(path: Path, rows: Rows, table: FaceTable, videos: npt.NDArray[np.int32]) -> None:
    """Refuse faces that occur twice, and tracks of two videos."""
    twice, near = table.clashes(table.times)
    strays = np.flatnonzero(table.inside & (np.diff(table.ordered(videos)) != 0)) + 1
    problems = Problems(
        str(path),
        "give times that are 0.01 s apart or more, such as every second frame"
        if len(near)
        else "keep one row per face, and one track per id",
    )
    for kind, digits, places in (
        ("is there twice", ".2f", twice),
        ("shares its file name, which has hundredths of a second, with the row before it", ".10g",
         near),
        ("is of a track that is in another video too", ".2f", strays),
    ):  # fmt: skip
        few = table.rows(places[:EXAMPLES]).tolist()
        for row, place in zip(few, rows.where(few) if few else (), strict=True):
            entity = rows.columns[schema.ENTITY][row]
            problems.add(f"{place}: {entity} at {table.times[row]:{digits}} s {kind}")
        if len(places) > len(few):
            problems.add("", len(places) - len(few))
    problems.check()


# ------------------------------------------------------------------------------ all files


def _check_tracks(parts: Sequence[_Part]) -> None:
    """Refuse a track that is in two files."""
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
    total = sum((part.counts for part in parts), Counter())
    unlabelled = total.pop("unlabelled", 0)
    if 0 < unlabelled < total["faces"]:
        some = [str(part.file.path) for part in parts if part.counts["unlabelled"]]
        raise DataError(
            f"{split}: {unlabelled:,} of {total['faces']:,} faces have no label, in "
            f"{examples(some)}",
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
        tracks=total["tracks"],
        faces=total["faces"],
        positives=None if unlabelled else total["positives"],
        counted=total["counted"] if schema.EVAL in parts[0].file.columns else None,
        reordered=total["reordered"],
        gaps=total["gaps"],
    )

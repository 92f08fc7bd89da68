"""Find rows whose crop or sound cannot be cut, and move them to `dropped.csv`."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk import schema
from unitalk.dataset.crop.wanted_faces import Wanted, choose, read_complete
from unitalk.layout import Split, face_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from unitalk.layout import Layout

FILE = "dropped.csv"
"""Its name, in the dataset's folder."""

Dropped = tuple[tuple[str, tuple[int, ...]], ...]
"""Why rows were left out, and which: their numbers among the video's rows."""

NO_VIDEO, NO_CROP, NO_SOUND = "no video", "no face crop", "no sound"


def uncut(faces: Path, sounds: Path, wanted: Wanted) -> Dropped:
    """The rows of a video that lack their crop, or whose track lacks its sound, in its folders."""
    found: dict[str, list[int]] = {NO_CROP: [], NO_SOUND: []}
    heard = _listing(sounds)
    for number, entity in enumerate(wanted.entities):
        there = _listing(faces / entity)
        for row in range(int(wanted.starts[number]), int(wanted.starts[number + 1])):
            if face_name(float(wanted.seconds[row])) not in there:
                found[NO_CROP].append(row)
            elif f"{entity}.wav" not in heard:
                found[NO_SOUND].append(row)
    return tuple((reason, tuple(rows)) for reason, rows in found.items() if rows)


def _listing(folder: Path) -> set[str]:
    with suppress(FileNotFoundError):
        return set(os.listdir(folder))
    return set()


def without(wanted: Wanted, dropped: Dropped) -> Wanted | None:
    """A video's rows less some of them; None where none is left."""
    kept = np.ones(len(wanted.seconds), bool)
    for _, rows in dropped:
        kept[list(rows)] = False
    counts = np.add.reduceat(kept, wanted.starts[:-1], dtype=np.int64)
    if not kept.any():
        return None
    return wanted._replace(
        entities=tuple(np.array(wanted.entities, object)[counts > 0].tolist()),
        starts=np.cumsum([0, *counts[counts > 0].tolist()]).astype(np.int64),
        seconds=wanted.seconds[kept],
        boxes=wanted.boxes[kept],
    )


def write_kept(
    csvs: Mapping[Split, Path],
    layout: Layout,
    videos: Sequence[str],
    reasons: Mapping[Split, Mapping[int, str]],
) -> None:
    """Write each split's csv without the rows that were left out, and these to a file of their own.

    A split of which nothing is left has no csv.

    Args:
        csvs: the source of each split's rows.
        layout: the dataset's.
        videos: keep the rows of these; default: all.
        reasons: for each split, why rows were left out, by their numbers in its csv.
    """
    dropped: list[pa.RecordBatch] = []
    for split, source in csvs.items():
        columns, batches = read_complete(source)
        kept = _divided(batches, split, reasons[split], dropped)
        if not schema.write_text(layout.csv(split), columns, choose(kept, videos)):
            layout.csv(split).unlink()
    path = layout.root / FILE
    if dropped:
        schema.write_text(path, dropped[0].schema.names, dropped)
    else:
        path.unlink(missing_ok=True)


def _divided(
    batches: Iterator[pa.RecordBatch],
    split: Split,
    reasons: Mapping[int, str],
    dropped: list[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    """The rows that are kept; the others go to a list, with why."""
    gone = np.array(sorted(reasons), np.int64)
    start = 0
    for batch in batches:
        own = gone[slice(*np.searchsorted(gone, (start, start + len(batch))))]
        start += len(batch)
        if not len(own):
            yield batch
            continue
        places = own - (start - len(batch))
        rows = batch.take(places)
        columns: dict[str, pa.Array[pa.Scalar[Any]]] = {name: rows[name] for name in schema.COLUMNS}
        columns["split"] = schema.text_column([split] * len(own))
        columns["reason"] = schema.text_column([reasons[row] for row in own.tolist()])
        dropped.append(type(batch).from_pydict(columns))
        yield batch.take(np.setdiff1d(np.arange(len(batch)), places))

"""Read the rows of a dataset's csv files and sort them by track and time, as arrays.

Four million faces are five arrays here and no object; a track is a piece of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk import schema
from unitalk.errors import EXAMPLES, DataError, examples
from unitalk.layout import face_name
from unitalk.schema.face_table import FaceTable
from unitalk.schema.frame_rate import frame_rates

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import numpy.typing as npt

    from unitalk.layout import Split
    from unitalk.schema import Faces

    Ints = npt.NDArray[np.int64]

_WANTED = (
    schema.VIDEO, schema.TIME, *schema.BOX, schema.LABEL, schema.ENTITY, schema.LABEL_ID,
    schema.EVAL,
)  # fmt: skip

NO_LABEL = -1
"""The `label_id` of a face without a label, as in AVA's test split."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """The faces of one split, track after track; the rows of a track in the order of their times.

    Attributes:
        split: the split.
        videos: [tracks] each track's video.
        entities: [tracks] each track's id, in the order in which they first occur in the csv.
        starts: [tracks + 1] where each track's rows begin.
        seconds: [rows] float64.
        labels: [rows] int8, as `label_id`; -1 for a face without a label.
        scored: [rows] bool, `eval`.
        boxes: [rows, 4] float64.
        order: [rows] int64, the row of the csv, from 0; None where the csv has this order.
    """

    split: Split
    videos: list[str]
    entities: list[str]
    starts: Ints
    seconds: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int8]
    scored: npt.NDArray[np.bool_]
    boxes: npt.NDArray[np.float64]
    order: Ints | None

    def places(self, track: int) -> Ints:
        """The rows of the csv, from 0, that have a track's faces."""
        own = slice(self.starts[track], self.starts[track + 1])
        return np.arange(own.start, own.stop) if self.order is None else self.order[own]

    def frame_rates(self) -> npt.NDArray[np.float64]:
        """[tracks] The frames per second of each track's video; see `schema.frame_rate`."""
        numbers = {video: number for number, video in enumerate(dict.fromkeys(self.videos))}
        owners = np.array([numbers[video] for video in self.videos], np.int64)
        return frame_rates(self.seconds, self.starts, owners, len(numbers))[owners]


def read_rows(path: Path, split: Split, videos: Collection[str] | None) -> Rows:
    """Read the faces of a split.

    Args:
        path: the split's csv file.
        split: the split.
        videos: keep only the rows of these videos; None keeps all.

    Raises:
        SchemaError: the file breaks the schema.
        DataError: a track has two rows at one time.
    """
    faces = schema.load(path, "faces", columns=_WANTED)  # with labels or, as AVA's test, without
    video, video_ids = faces.codes(schema.VIDEO)
    entity, entity_ids = faces.codes(schema.ENTITY)
    seconds = faces.numbers(schema.TIME)
    kept = None
    if videos is not None:
        wanted = [code for code, text in enumerate(video_ids) if text in videos]
        kept = np.flatnonzero(np.isin(video, wanted))
        video, entity, seconds = video[kept], entity[kept], seconds[kept]
    table = FaceTable.of(seconds, entity, video)
    order = table.order if kept is None else table.ordered(kept)
    rows: Any = slice(None) if order is None else order
    scored = faces.scored()
    result = Rows(
        split=split,
        videos=[video_ids[code] for code in video[table.heads].tolist()],
        entities=[entity_ids[code] for code in entity[table.heads].tolist()],
        starts=table.starts,
        seconds=table.ordered(seconds),
        labels=_labels(faces)[rows],
        scored=np.ones(len(seconds), np.bool_) if scored is None else scored[rows],
        boxes=np.stack([faces.numbers(edge)[rows] for edge in schema.BOX], axis=1),
        order=order,
    )
    _check_times(path, result, *table.clashes(seconds))
    for shared in (result.seconds, result.labels, result.scored, result.boxes):
        shared.setflags(write=False)  # tracks are pieces of them
    return result


def _labels(faces: Faces) -> npt.NDArray[np.int8]:
    """Each row's `label_id`, or what its label means in a file of AVA's eight columns."""
    name = next(
        (name for name in (schema.LABEL_ID, schema.LABEL) if name in faces.table.column_names), None
    )
    if name is None:
        return np.full(len(faces), NO_LABEL, np.int8)
    codes, texts = faces.codes(name)
    ids = {schema.UNLABELLED: NO_LABEL, **schema.LABEL_IDS}
    meaning = [ids[text] if text in ids else int(text) for text in texts]
    return np.array(meaning, np.int8)[codes]


def _check_times(path: Path, rows: Rows, twice: Ints, near: Ints) -> None:
    """Refuse rows of a track that mean one file with the row before them."""
    wrong = near if len(near) else twice
    owners = np.searchsorted(rows.starts, wrong[:EXAMPLES], side="right") - 1
    named = [
        _pair(rows.entities[owner], *rows.seconds[place - 1 : place + 1].tolist())
        for owner, place in zip(owners.tolist(), wrong.tolist(), strict=False)
    ]
    if len(near):
        raise DataError(
            f"{path}: {len(near):,} times of a track share the file name of the time before, as "
            f"names have hundredths of a second: {examples(named, count=len(near))}",
            hint="give times that are 0.01 s apart or more, such as every second frame",
        )
    if len(twice):
        raise DataError(
            f"{path}: {len(twice):,} faces of a track have a second row: "
            f"{examples(named, count=len(twice))}",
            hint="keep one row per face",
        )


def _pair(entity: str, first: float, second: float) -> str:
    if first == second:
        return f"{entity} {face_name(first)}"
    return f"{entity} at {first:.10g} and {second:.10g} s ({face_name(first)})"

"""The rows of a dataset's csv files, brought into the order of tracks, in arrays.

Four million faces are five arrays here and no object; a track is a piece of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk import schema
from unitalk.errors import EXAMPLES, DataError, examples
from unitalk.layout import face_name
from unitalk.schema.crop_names import hundredths_of
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
"""The `label_id` of a face that nobody labelled, as in AVA's test split."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """The faces of one split, track after track; the rows of a track in the order of their times.

    Attributes:
        split: whose they are.
        videos: [tracks] each track's video.
        entities: [tracks] each track's id; the order is that in which they first stand in the csv.
        starts: [tracks + 1] where each track's rows begin.
        seconds: [rows] float64.
        labels: [rows] int8, as `label_id`; -1 where there is none.
        scored: [rows] bool, `eval`.
        boxes: [rows, 4] float64.
        order: [rows] int64, which row of the csv each is, from 0; None where they stand there so.
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
        """Which rows of the csv a track's faces are, from 0."""
        own = slice(self.starts[track], self.starts[track + 1])
        return np.arange(own.start, own.stop) if self.order is None else self.order[own]

    def frame_rates(self) -> npt.NDArray[np.float64]:
        """Each track's frames a second, [tracks], which are its video's; see `schema.rates`."""
        numbers = {video: number for number, video in enumerate(dict.fromkeys(self.videos))}
        owners = np.array([numbers[video] for video in self.videos], np.int64)
        counts = np.diff(self.starts)
        rates = frame_rates(
            self.seconds,
            np.repeat(np.arange(len(owners)), counts),
            np.repeat(owners, counts),
            len(numbers),
        )
        return rates[owners]


def read_rows(path: Path, split: Split, videos: Collection[str] | None) -> Rows:
    """Read the faces of a split.

    Args:
        path: the split's csv file.
        split: whose it is.
        videos: keep the rows of these; None keeps all.

    Raises:
        SchemaError: the file breaks the schema.
        DataError: a track has two rows at one time.
    """
    faces = schema.load(path, "faces", columns=_WANTED)  # with labels or, as AVA's test, without
    video, video_ids = faces.codes(schema.VIDEO)
    entity, entity_ids = faces.codes(schema.ENTITY)
    keys = video.astype(np.int64) * len(entity_ids) + entity
    seconds = faces.numbers(schema.TIME)
    kept = None
    if videos is not None:
        wanted = [code for code, text in enumerate(video_ids) if text in videos]
        kept = np.flatnonzero(np.isin(video, wanted))
        keys, seconds = keys[kept], seconds[kept]
    order, starts = _order(keys, seconds)
    rows: Any = order if kept is None else kept if order is None else kept[order]
    if rows is None:
        rows = slice(None)
    if order is not None:
        keys, seconds = keys[order], seconds[order]
    firsts = keys[starts[:-1]]
    result = Rows(
        split=split,
        videos=[video_ids[code] for code in (firsts // len(entity_ids)).tolist()],
        entities=[entity_ids[code] for code in (firsts % len(entity_ids)).tolist()],
        starts=starts,
        seconds=seconds,
        labels=_labels(faces)[rows],
        scored=_scored(faces)[rows],
        boxes=np.stack([faces.numbers(edge)[rows] for edge in schema.BOX], axis=1),
        order=None if isinstance(rows, slice) else rows,
    )
    _check_times(path, result)
    for shared in (result.seconds, result.labels, result.scored, result.boxes):
        shared.setflags(write=False)  # tracks are pieces of them
    return result


def _order(keys: Ints, seconds: npt.NDArray[np.float64]) -> tuple[Ints | None, Ints]:
    """How rows are brought together by track and put in order, and where tracks then begin.

    None says that they stand so already, as the published ones do.
    """
    starts = _starts(keys)
    firsts = keys[starts[:-1]]
    later = np.diff(seconds) >= 0
    later[starts[1:-1] - 1] = True
    if later.all() and len(np.unique(firsts)) == len(firsts):
        return None, starts
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    order = np.lexsort((seconds, rank[place]))
    return order, _starts(keys[order])


def _starts(keys: Ints) -> Ints:
    """Where runs of one key begin, and where the last one ends."""
    changes = np.flatnonzero(keys[1:] != keys[:-1]) + 1
    ends = [len(keys)] if len(keys) else []
    return np.concatenate([[0], changes, ends]).astype(np.int64)


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


def _scored(faces: Faces) -> npt.NDArray[np.bool_]:
    """Whether each row counts in a score; all do in a file that does not say."""
    if schema.EVAL not in faces.table.column_names:
        return np.ones(len(faces), np.bool_)
    codes, texts = faces.codes(schema.EVAL)
    return np.array([text == "1" for text in texts], np.bool_)[codes]


def _check_times(path: Path, rows: Rows) -> None:
    """Look for two rows of a track that mean one file.

    Raises:
        DataError: there are some.
    """
    hundredths = hundredths_of(rows.seconds)
    same = hundredths[1:] == hundredths[:-1]
    same[rows.starts[1:-1] - 1] = False
    doubles = np.flatnonzero(same)
    if not len(doubles):
        return
    near = doubles[
        np.rint(rows.seconds * 1000)[doubles] != np.rint(rows.seconds * 1000)[doubles + 1]
    ]
    wrong = near if len(near) else doubles
    owners = np.searchsorted(rows.starts, wrong[:EXAMPLES], side="right") - 1
    named = [
        _pair(rows.entities[owner], *rows.seconds[row : row + 2].tolist())
        for owner, row in zip(owners.tolist(), wrong.tolist(), strict=False)
    ]
    if len(near):
        raise DataError(
            f"{path}: {len(near):,} times of a track share the file name of the time before, as "
            f"names have hundredths of a second: {examples(named, count=len(near))}",
            hint="give times that are 0.01 s apart or more, such as every second frame",
        )
    raise DataError(
        f"{path}: {len(doubles):,} faces of a track have a second row: "
        f"{examples(named, count=len(doubles))}",
        hint="keep one row per face",
    )


def _pair(entity: str, first: float, second: float) -> str:
    if first == second:
        return f"{entity} {face_name(first)}"
    return f"{entity} at {first:.10g} and {second:.10g} s ({face_name(first)})"

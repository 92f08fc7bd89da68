"""Join predictions to ground truth by track and time.

Times are equal when their whole milliseconds are; two rows of one file with equal keys are an
error. Only where this would refuse the predictions are those that are left matched with the faces
within `near_times.REACH`. So whatever equal milliseconds accept, even in part, is scored as if
there were no such reach.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from unitalk import schema
from unitalk.errors import CoverageError, DataError
from unitalk.schema import id_spelling
from unitalk.schema.face_table import (
    NOBODY,
    KeyIndex,
    ascend,
    first_stray,
    pack,
    unpack_times,
)
from unitalk.score import duplicate_rows, mismatches
from unitalk.score.near_times import nearby

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from unitalk.schema import Faces

    Rows = npt.NDArray[np.int64]

T = TypeVar("T", bound=np.generic)

_UNKNOWN = -1  # the code of an entity that the ground truth does not have


def taken(values: npt.NDArray[T], rows: Rows | None) -> npt.NDArray[T]:
    """Some rows of a column; None means all of them, without a copy."""
    return values if rows is None else values[rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The ground truth as numbers, made once for any number of systems.

    Attributes:
        faces: what was read.
        labels: [faces] True for SPEAKING_AUDIBLE.
        counts: [faces] False for what the file's column `eval` leaves out of the score; None when
            every face counts.
        keys: [faces] track and time in one number; larger is later in the same track.
        tracks: [faces] index into `track_names`.
        track_names: the entity ids.
        video_codes: [faces] index into `video_names`.
        video_names: the video ids.
    """

    faces: Faces
    labels: npt.NDArray[np.bool_]
    counts: npt.NDArray[np.bool_] | None
    keys: Rows
    tracks: npt.NDArray[np.int32]
    track_names: list[str]
    video_codes: npt.NDArray[np.int32]
    video_names: list[str]

    @classmethod
    def of(cls, faces: Faces) -> Truth:
        """Take it from faces with the columns of AVA, and `eval` where there is one.

        Raises:
            DataError: an id stands for tracks of two videos, or no face counts.
        """
        tracks, track_names = faces.codes(schema.ENTITY)
        video_codes, video_names = faces.codes(schema.VIDEO)
        label_codes, label_names = faces.codes(schema.LABEL)
        is_positive = np.array([name == schema.SPEAKING for name in label_names])
        if (row := first_stray(tracks, video_codes)) is not None:
            other = int(np.flatnonzero(tracks == tracks[row])[-1])
            lines = faces.where([row, other])
            raise DataError(
                f"{faces.name}: the track {track_names[tracks[row]]} is in two videos, "
                f"{video_names[video_codes[row]]} ({lines[0]}) and "
                f"{video_names[video_codes[other]]} ({lines[1]})",
                hint="an entity_id names one track of one video; put the video's id before it",
            )
        counts = faces.scored()
        if counts is not None and not counts.any():
            raise DataError(
                f"{faces.name}: {schema.EVAL} is 0 for every face, so that none is left to score",
                hint=f"write 1 for the faces that count, or leave the column {schema.EVAL} out",
            )
        return cls(
            faces=faces,
            labels=is_positive[label_codes],
            counts=counts,
            keys=pack(tracks, faces.milliseconds()),
            tracks=tracks,
            track_names=track_names,
            video_codes=video_codes,
            video_names=video_names,
        )

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def left_out(self) -> int:
        """How many faces do not count."""
        return 0 if self.counts is None else len(self) - int(np.count_nonzero(self.counts))

    def counted(self, rows: Rows) -> Rows:
        """Those of some rows that count."""
        return rows if self.counts is None else rows[self.counts[rows]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """The faces that are in both files, in the order of the ground truth's rows.

    Attributes:
        rows: [faces] which rows of the ground truth they are, ascending; None when it is all.
        labels: [faces] True for SPEAKING_AUDIBLE.
        scores: [faces].
        keys: [faces] track and time in one number; larger is later in the same track.
        tracks: [faces] index into `track_names`.
        track_names: the entity ids of the ground truth.
        video_codes: [faces] index into `video_names`.
        video_names: the video ids of the ground truth.
        left_out: ground truth faces that do not count, predicted or not.
        missing: ground truth faces that count and that the predictions lack.
        elsewhere: ground truth faces that only another system's predictions lack.
        extra: predicted faces that the ground truth does not have.
        near: missing faces that have one of these within a millisecond.
        other_labels: predicted rows whose label is not SPEAKING_AUDIBLE.
    """

    rows: Rows | None
    labels: npt.NDArray[np.bool_]
    scores: npt.NDArray[np.float64]
    keys: Rows
    tracks: npt.NDArray[np.int32]
    track_names: list[str]
    video_codes: npt.NDArray[np.int32]
    video_names: list[str]
    left_out: int = 0
    missing: int
    elsewhere: int = 0
    extra: int
    near: int = 0
    other_labels: int

    def milliseconds(self) -> Rows:
        """The time of each face."""
        return unpack_times(self.keys)

    def only(self, rows: Rows) -> Matched:
        """Keep some of the faces: those of these rows of the ground truth, ascending."""
        place = rows if self.rows is None else np.searchsorted(self.rows, rows)
        return replace(
            self,
            rows=rows,
            labels=self.labels[place],
            scores=self.scores[place],
            keys=self.keys[place],
            tracks=self.tracks[place],
            video_codes=self.video_codes[place],
            elsewhere=len(self.scores) - len(rows),
        )


def match(truth: Truth, predictions: Faces, *, partial: bool = False) -> Matched:
    """Join by (`entity_id`, milliseconds); where that is refused, by the nearest time as well.

    A face that does not count may have a prediction, and needs none.

    Args:
        truth: the ground truth.
        predictions: with the key, the score, and the boxes where the file has them.
        partial: score what both have when they do not cover each other.

    Raises:
        CoverageError: a face is missing or unknown, and `partial` is not set; or nothing matches.
        DataError: a key is there twice, boxes of the same face differ, or a prediction is near
            two faces, or two are near one.
    """
    codes = _codes_among(truth.track_names, predictions, partial=partial)
    predicted = pack(codes, predictions.milliseconds())
    del codes
    partners = _by_key(truth, predictions, predicted)
    rows, extra = _scored(truth, partners), _extra(partners, len(predicted))
    matching = len(truth) if rows is None else len(rows)
    near = 0
    if partners is not None and len(extra):
        left = extra[predicted[extra] >= 0]
        seconds, at = truth.faces.numbers(schema.TIME), predictions.numbers(schema.TIME)[left]
        found = nearby(truth.keys, seconds, partners != NOBODY, predicted[left], at)
        if partial and matching:
            near = len(truth.counted(found.faces[found.certain]))
        else:
            mismatches.check_certain(truth, predictions, left, found)
            partners[found.faces[found.certain]] = left[found.certain]
            rows, extra = _scored(truth, partners), _extra(partners, len(predicted))
            matching = len(truth) if rows is None else len(rows)
    missing = len(truth) - truth.left_out - matching
    if partners is not None and (missing or len(extra)) and not (partial and matching):
        raise mismatches.not_covered(truth, predictions, partners, extra)
    if set(schema.BOX) <= set(predictions.table.column_names):
        mismatches.check_boxes(truth.faces, predictions, partners)
    return Matched(
        rows=rows,
        labels=taken(truth.labels, rows),
        scores=taken(taken(predictions.numbers(schema.SCORE), partners), rows),
        keys=taken(truth.keys, rows),
        tracks=taken(truth.tracks, rows),
        track_names=truth.track_names,
        video_codes=taken(truth.video_codes, rows),
        video_names=truth.video_names,
        left_out=truth.left_out,
        missing=missing,
        extra=len(extra),
        near=near,
        other_labels=_other_labels(predictions),
    )


def match_all(
    truth: Truth, predictions: Iterable[tuple[str, Faces]], *, partial: bool = False
) -> list[Matched]:
    """Join several systems to one ground truth, and keep the faces that all of them have.

    Args:
        truth: the ground truth.
        predictions: names with predictions, drawn one after the other, so that only one file need
            be in memory.
        partial: as in `match`.

    Raises:
        CoverageError: as in `match`; or no face is in all of them.
        DataError: as in `match`.
    """
    found = []
    for name, faces in predictions:
        try:
            found.append(match(truth, faces, partial=partial))
        except DataError as error:
            raise type(error)(f"{name}: {error.message}", hint=error.hint) from error
    rows = [one.rows for one in found if one.rows is not None]
    if not rows:
        return found
    common = reduce(np.intersect1d, rows)
    if not len(common):
        raise CoverageError(
            "there is no face that all the predictions have",
            hint="compare systems that were run on the same faces",
        )
    return [one.only(common) for one in found]


# ------------------------------------------------------------------------------ rows


def _codes_among(names: list[str], predictions: Faces, *, partial: bool) -> npt.NDArray[np.int32]:
    """Each predicted row's entity as an index into `names`, in NFC where it is not there as it is.

    With `partial`, ids in NFC are looked for only when there is no other.
    """
    codes, own = predictions.codes(schema.ENTITY)
    place = id_spelling.places(names, own)
    if partial:
        place = {text: index for text, index in place.items() if names[index] == text} or place
    move = np.array([place.get(name, _UNKNOWN) for name in own], np.int32)
    return move[codes]


def _by_key(truth: Truth, predictions: Faces, predicted: Rows) -> Rows | None:
    """The row of each face's prediction, or NOBODY; None where both files have the same order.

    Raises:
        DataError: a key is there twice.
    """
    if np.array_equal(truth.keys, predicted) and ascend(predicted):
        return None
    ours = _index(truth.faces, truth.keys)
    theirs = _index(predictions, predicted)
    if not np.array_equal(ours.keys, theirs.keys):
        return theirs.find(truth.keys)
    partners = np.empty(len(truth), np.int64)
    partners[ours.order] = theirs.order
    return partners


def _index(faces: Faces, keys: Rows) -> KeyIndex:
    """Sort keys; those of unknown entities share a code, so only known ones may not repeat."""
    index = KeyIndex.of(keys)
    rows, first = index.repeats()
    known = keys[rows] >= 0
    if known.any():
        found = duplicate_rows.compare(faces, first[known], rows[known])
        raise mismatches.there_twice(faces, found)
    return index


def _scored(truth: Truth, partners: Rows | None) -> Rows | None:
    """The faces that count and have a prediction; None when it is all."""
    masks = [] if truth.counts is None else [truth.counts]
    if partners is not None:
        masks.append(partners != NOBODY)
    if all(mask.all() for mask in masks):
        return None
    return np.flatnonzero(np.logical_and.reduce(masks))


def _extra(partners: Rows | None, predicted: int) -> Rows:
    """The rows of the predictions that are for no face."""
    if partners is None:
        return np.empty(0, np.int64)
    is_extra = np.ones(predicted, np.bool_)
    is_extra[partners[partners != NOBODY]] = False
    return np.flatnonzero(is_extra)


def _other_labels(predictions: Faces) -> int:
    if schema.LABEL not in predictions.table.column_names:
        return 0
    codes, names = predictions.codes(schema.LABEL)
    is_other = np.array([name not in {schema.SPEAKING, schema.UNLABELLED} for name in names])
    return int(np.bincount(codes, minlength=len(names))[is_other].sum())

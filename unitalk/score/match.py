"""Join predictions to ground truth by key, and say everything that does not fit.

A key is the track and the time. Times are equal when their whole milliseconds are; two rows of one
file with equal keys are an error. Only where this would refuse the predictions, those that are left
are matched with the faces within `near_times.REACH`. So whatever equal milliseconds accept, even in
part, is scored as if there were no such reach.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from unitalk import schema
from unitalk.errors import EXAMPLES, CoverageError, DataError, examples
from unitalk.schema import id_spelling
from unitalk.schema.face_table import (
    NOBODY,
    KeyIndex,
    ascend,
    first_stray,
    pack,
    unpack_times,
)
from unitalk.score import duplicate_rows
from unitalk.score.near_times import Nearby, in_seconds, nearby
from unitalk.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from unitalk.schema import Faces

T = TypeVar("T", bound=np.generic)

_UNKNOWN = -1  # the code of an entity that the ground truth does not have
_PIECE = 1 << 16  # rows compared at a time, so that temporaries stay in the cache

_FIRST_FACES = 2  # named by file and line when faces do not match

BOX_TOLERANCE = 1e-6
"""Boxes are equal when each edge differs by at most this, relative to the larger of the two."""
_BOX_FLOOR = 1e-9  # absolute, for edges at 0; the reference's own tolerance


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
    keys: npt.NDArray[np.int64]
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
        _check_tracks(faces, tracks, video_codes)
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

    def counted(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
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

    rows: npt.NDArray[np.int64] | None
    labels: npt.NDArray[np.bool_]
    scores: npt.NDArray[np.float64]
    keys: npt.NDArray[np.int64]
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

    def milliseconds(self) -> npt.NDArray[np.int64]:
        """The time of each face."""
        return unpack_times(self.keys)

    def of_groundtruth(self, values: npt.NDArray[T]) -> npt.NDArray[T]:
        """Take the matched rows of a column of the ground truth."""
        return values if self.rows is None else values[self.rows]

    def only(self, truth: Truth, rows: npt.NDArray[np.int64]) -> Matched:
        """Keep some of the faces: those of these rows of the ground truth, ascending."""
        place = rows if self.rows is None else np.searchsorted(self.rows, rows)
        kept = _matched(
            truth, rows, self.scores[place], extra=self.extra, other_labels=self.other_labels
        )
        left_out = len(self.scores) - len(rows)
        return replace(kept, missing=self.missing, near=self.near, elsewhere=left_out)


def _check_tracks(
    faces: Faces, tracks: npt.NDArray[np.int32], videos: npt.NDArray[np.int32]
) -> None:
    """Hold every track to one video.

    Raises:
        DataError: an id stands for tracks of two videos.
    """
    row = first_stray(tracks, videos)
    if row is not None:
        other = int(np.flatnonzero(tracks == tracks[row])[-1])
        names = faces.codes(schema.VIDEO)[1]
        lines = faces.where([row, other])
        raise DataError(
            f"{faces.name}: the track {faces.codes(schema.ENTITY)[1][tracks[row]]} is in two "
            f"videos, {names[videos[row]]} ({lines[0]}) and {names[videos[other]]} ({lines[1]})",
            hint="an entity_id names one track of one video; put the video's id before it",
        )


def match(truth: Truth, predictions: Faces, *, partial: bool = False) -> Matched:
    """Join by (`entity_id`, milliseconds); where that is refused, by the nearest time as well.

    A face that does not count may have a prediction, and needs none.

    Args:
        truth: the ground truth.
        predictions: with the key, the score, and the boxes where the file has them.
        partial: go on with what both have when they do not cover each other.

    Raises:
        CoverageError: a face is missing or unknown, and `partial` was not asked for; or nothing
            matches at all.
        DataError: a key is there twice, boxes of the same face differ, or a prediction is near
            two faces, or two are near one.
    """
    keys = truth.keys
    codes = _codes_among(truth.track_names, predictions, partial=partial)
    predicted_keys = pack(codes, predictions.milliseconds())
    del codes
    if np.array_equal(keys, predicted_keys) and ascend(keys):
        pair = Pair(None, None, len(keys))
    else:
        pair = _pair(truth.faces, keys, predictions, predicted_keys)
    cover = _Cover.of(truth, predicted_keys, pair)
    near = 0
    if cover.extra:
        left, found = _nearby(truth, predictions, predicted_keys, pair)
        if partial and cover.count:
            near = len(truth.counted(found.faces[found.certain]))
        else:
            _check_certain(truth, predictions, left, found)
            pair = _with(pair, len(truth), found.faces, left)
            cover = _Cover.of(truth, predicted_keys, pair)
    if (cover.missing or cover.extra) and not (partial and cover.count):
        raise _not_covered(truth, predictions, len(predicted_keys), pair, cover.count)
    if set(schema.BOX) <= set(predictions.table.column_names):
        _compare_boxes(truth.faces, predictions, pair)
    scores = pair.of_predictions(predictions.numbers(schema.SCORE))
    if truth.counts is not None:
        scores = scores[truth.counts if pair.rows is None else truth.counts[pair.rows]]
    matched = _matched(
        truth,
        cover.rows,
        scores,
        extra=cover.extra,
        other_labels=_other_labels(predictions),
    )
    return replace(matched, near=near) if near else matched


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
    if all(one.rows is None for one in found):
        return found
    everything = np.arange(len(truth))
    common = everything
    for one in found:
        rows = everything if one.rows is None else one.rows
        common = np.intersect1d(common, rows, assume_unique=True)
    if not len(common):
        raise CoverageError(
            "there is no face that all the predictions have",
            hint="compare systems that were run on the same faces",
        )
    return [one.only(truth, common) for one in found]


def _matched(
    truth: Truth,
    rows: npt.NDArray[np.int64] | None,
    scores: npt.NDArray[np.float64],
    *,
    extra: int,
    other_labels: int,
) -> Matched:
    def taken(values: npt.NDArray[T]) -> npt.NDArray[T]:
        return values if rows is None else values[rows]

    return Matched(
        rows=rows,
        labels=taken(truth.labels),
        scores=scores,
        keys=taken(truth.keys),
        tracks=taken(truth.tracks),
        track_names=truth.track_names,
        video_codes=taken(truth.video_codes),
        video_names=truth.video_names,
        left_out=truth.left_out,
        missing=0 if rows is None else len(truth) - truth.left_out - len(rows),
        elsewhere=0,
        extra=extra,
        other_labels=other_labels,
    )


@dataclass(frozen=True, slots=True)
class Pair:
    """Which row of the predictions belongs to which row of the ground truth.

    Attributes:
        rows: [count] rows of the ground truth, ascending; None when it is all of them.
        partners: [count] rows of the predictions; None when they stand in the same order.
        count: how many faces are in both.
    """

    rows: npt.NDArray[np.int64] | None
    partners: npt.NDArray[np.int64] | None
    count: int

    def of_predictions(self, values: npt.NDArray[T]) -> npt.NDArray[T]:
        """Take the partners' rows of a column of the predictions."""
        return values if self.partners is None else values[self.partners]


@dataclass(frozen=True, slots=True)
class _Cover:
    """How far a pairing covers both sides.

    Attributes:
        rows: rows of the ground truth that have a prediction and count; None when it is all.
        count: how many these are.
        missing: faces that count and have no prediction.
        extra: predictions without a face.
    """

    rows: npt.NDArray[np.int64] | None
    count: int
    missing: int
    extra: int

    @classmethod
    def of(cls, truth: Truth, predicted_keys: npt.NDArray[np.int64], pair: Pair) -> _Cover:
        rows = pair.rows
        if truth.counts is not None:
            rows = truth.counted(np.arange(len(truth)) if rows is None else rows)
        count = len(truth) if rows is None else len(rows)
        missing = len(truth) - truth.left_out - count
        return cls(rows, count, missing, len(predicted_keys) - pair.count)


def _codes_among(names: list[str], predictions: Faces, *, partial: bool) -> npt.NDArray[np.int32]:
    """Each predicted row's entity as an index into `names`, in NFC where it is not there as it is.

    Where a part is enough, ids in NFC are looked for only when there is no other.
    """
    codes, own = predictions.codes(schema.ENTITY)
    place = id_spelling.places(names, own)
    if partial:
        place = {text: index for text, index in place.items() if names[index] == text} or place
    move = np.array([place.get(name, _UNKNOWN) for name in own], np.int32)
    return move[codes]


def _pair(
    groundtruth: Faces,
    keys: npt.NDArray[np.int64],
    predictions: Faces,
    predicted_keys: npt.NDArray[np.int64],
) -> Pair:
    ours = _index(groundtruth, keys)
    theirs = _index(predictions, predicted_keys)
    if np.array_equal(ours.keys, theirs.keys):
        partners = np.empty(len(keys), np.int64)
        partners[ours.order] = theirs.order
        return Pair(None, partners, len(keys))
    partners = theirs.find(keys)
    rows = np.flatnonzero(partners != NOBODY)
    return Pair(rows, partners[rows], len(rows))


def _index(faces: Faces, keys: npt.NDArray[np.int64]) -> KeyIndex:
    """Sort keys; unknown entities share the code -1, so only known ones are compared.

    Raises:
        DataError: a key is there twice.
    """
    index = KeyIndex.of(keys)
    rows, first = index.repeats()
    known = keys[rows] >= 0
    if known.any():
        raise _there_twice(faces, duplicate_rows.compare(faces, first[known], rows[known]))
    return index


def _there_twice(faces: Faces, found: duplicate_rows.Duplicates) -> DataError:
    few = [[int(row) for row in rows[:EXAMPLES]] for rows in (found.first, found.rows)]
    lines = faces.where(few[0] + few[1])
    shown = [
        f"{face} ({first} and {second})"
        for face, first, second in zip(
            _name_faces(faces, few[0]), lines, lines[len(few[0]) :], strict=False
        )
    ]
    difference = f", {found.difference}" if found.difference else ""
    return DataError(
        f"{faces.name}: {len(found.rows):,} faces are there twice (same {schema.ENTITY}, same "
        f"millisecond){difference}: {examples(shown, count=len(found.rows))}",
        hint=found.advice,
    )


def _nearby(
    truth: Truth, predictions: Faces, predicted_keys: npt.NDArray[np.int64], pair: Pair
) -> tuple[npt.NDArray[np.int64], Nearby]:
    """The predictions of known tracks that are for no face, and the faces within their reach."""
    left = _complement(len(predicted_keys), pair.partners)
    left = left[predicted_keys[left] >= 0]
    taken = np.zeros(len(truth), np.bool_)
    taken[slice(None) if pair.rows is None else pair.rows] = True
    seconds = truth.faces.numbers(schema.TIME)
    at = predictions.numbers(schema.TIME)[left]
    return left, nearby(truth.keys, seconds, taken, predicted_keys[left], at)


def _with(
    pair: Pair, faces: int, rows: npt.NDArray[np.int64], partners: npt.NDArray[np.int64]
) -> Pair:
    """Add pairs to those that there are; a row may be NOBODY."""
    found = rows != NOBODY
    if pair.rows is None or pair.partners is None or not found.any():
        return pair
    every = np.append(pair.rows, rows[found])
    order = np.argsort(every)
    both = np.append(pair.partners, partners[found])[order]
    return Pair(every[order] if len(every) < faces else None, both, len(every))


def _check_certain(
    truth: Truth, predictions: Faces, left: npt.NDArray[np.int64], found: Nearby
) -> None:
    """Refuse to choose between faces, or between predictions.

    Raises:
        DataError: a prediction has two faces within reach, or a face has two predictions.
    """
    open_ = np.flatnonzero((found.faces != NOBODY) & ~found.certain)
    if not len(open_):
        return
    few = [int(row) for row in open_[:EXAMPLES]]
    shown = []
    for prediction, line, face, place, several in zip(
        predictions.numbers(schema.TIME)[left[few]].tolist(),
        predictions.where([int(row) for row in left[few]]),
        found.faces[few].tolist(),
        truth.faces.where(found.faces[few].tolist()),
        found.several[few].tolist(),
        strict=True,
    ):
        said, at = in_seconds(prediction, float(truth.faces.numbers(schema.TIME, face, 1)[0]))
        why = "and another face is as near" if several else "which has another prediction"
        track = truth.track_names[truth.tracks[face]]
        shown.append(f"{track} at {said} s ({line}) is near the face at {at} s ({place}), {why}")
    raise DataError(
        f"{predictions.name}: {len(open_):,} predictions are ambiguous: at the time of no face, "
        "and within a millisecond of two faces or of one that has another prediction: "
        f"{examples(shown, count=len(open_))}",
        hint=f"write one prediction for each face, with the ground truth's {schema.TIME}",
    )


def _name_faces(
    faces: Faces, rows: Sequence[int], looks: dict[str, str] | None = None
) -> list[str]:
    few = faces.table.select([schema.ENTITY, schema.TIME]).take(np.asarray(rows, np.int64))
    looks = looks or {}
    return [
        f"{looks.get(row[schema.ENTITY], row[schema.ENTITY])} at "
        f"{in_seconds(row[schema.TIME])[0]} s"
        for row in few.to_pylist()
    ]


def _not_covered(
    truth: Truth, predictions: Faces, predicted: int, pair: Pair, matching: int
) -> CoverageError:
    """Name the tracks and the first faces that are on one side only."""
    wanted = len(truth) - truth.left_out
    which = f" with {schema.EVAL} 1" if truth.left_out else ""
    lines = [
        f"predictions and ground truth do not cover each other: {matching:,} of {wanted:,} "
        f"faces{which} match"
    ]
    missing = truth.counted(_complement(len(truth), pair.rows))
    respelt, looks = _respelt(truth, predictions)
    lines += respelt
    for faces, rows, what in (
        (truth.faces, missing, f"faces{which} have no prediction"),
        (
            predictions,
            _complement(predicted, pair.partners),
            "predictions have no face in the ground truth",
        ),
    ):
        if len(rows):
            lines += _one_sided(faces, rows, what, looks)
    advice = (
        f"write {schema.ENTITY} as the ground truth has it, as text"
        if respelt
        else f"score every face once, with the ground truth's {schema.ENTITY} and {schema.TIME}"
    )
    return CoverageError(
        "\n  ".join(lines),
        hint=advice + ("; or score only what matches with `partial=True`" if matching else ""),
    )


def _respelt(truth: Truth, predictions: Faces) -> tuple[list[str], dict[str, str]]:
    """Say which unknown ids are known ones in another spelling; and how all are printed."""
    own = predictions.codes(schema.ENTITY)[1]
    places = id_spelling.places(truth.track_names, own)
    free = set(truth.track_names) - {truth.track_names[place] for place in places.values()}
    unknown = set(own) - places.keys()
    lines = []
    for one in id_spelling.respelt(unknown, free):
        pairs = (id_spelling.told_apart(*pair) for pair in sorted(one.names.items()))
        shown = (f"{text} is {known} in the ground truth" for text, known in pairs)
        first = examples(shown, count=len(one.names), limit=_FIRST_FACES)
        lines.append(f"{len(one.names):,} ids of the predictions {one.what}: {first}")
    looks = id_spelling.escaped_where_alike(free, own)
    return lines, looks | id_spelling.escaped_where_alike(unknown, truth.track_names)


def _complement(count: int, rows: npt.NDArray[np.int64] | None) -> npt.NDArray[np.int64]:
    there = np.zeros(count, np.bool_)
    there[slice(None) if rows is None else rows] = True
    return np.flatnonzero(~there)


def _one_sided(
    faces: Faces, rows: npt.NDArray[np.int64], what: str, looks: dict[str, str]
) -> list[str]:
    codes, names = faces.codes(schema.ENTITY)
    own = (names[code] for code in dict.fromkeys(codes[rows].tolist()))
    tracks = [looks.get(name, name) for name in own]
    first = [int(row) for row in rows[:_FIRST_FACES]]
    shown = [
        f"{face} ({line})"
        for face, line in zip(_name_faces(faces, first, looks), faces.where(first), strict=True)
    ]
    return [
        f"{len(rows):,} {what}, of {len(tracks):,} tracks: {examples(tracks)}",
        f"  the first: {', '.join(shown)}",
    ]


def _compare_boxes(groundtruth: Faces, predictions: Faces, pair: Pair) -> None:
    """Hold every predicted box to the annotated one.

    Raises:
        DataError: boxes differ.
    """

    def differing(start: int) -> npt.NDArray[np.int64]:
        """The faces of one piece whose boxes differ, as positions in the pair."""
        differs = np.zeros(min(_PIECE, pair.count - start), np.bool_)
        for name in schema.BOX:
            ours = _piece(groundtruth, name, pair.rows, start, len(differs))
            theirs = _piece(predictions, name, pair.partners, start, len(differs))
            allowed = BOX_TOLERANCE * np.maximum(np.abs(ours), np.abs(theirs)) + _BOX_FLOOR
            differs |= np.abs(ours - theirs) > allowed
        return np.flatnonzero(differs) + start

    wrong: list[int] = []
    count = 0
    with Threads(2, only_read=True) as pool:
        for found in pool.map(differing, range(0, pair.count, _PIECE)):
            count += len(found)
            wrong += [int(i) for i in found[: EXAMPLES - len(wrong)]]
    if count:
        rows = wrong if pair.rows is None else [int(pair.rows[i]) for i in wrong]
        partners = wrong if pair.partners is None else [int(pair.partners[i]) for i in wrong]
        raise DataError(
            f"{count:,} of {pair.count:,} boxes differ between {groundtruth.name} and "
            f"{predictions.name}:\n  "
            + "\n  ".join(_name_boxes(groundtruth, rows, predictions, partners)),
            hint="copy the boxes from the ground truth; both are relative to the frame, 0 to 1",
        )


def _piece(
    faces: Faces, column: str, rows: npt.NDArray[np.int64] | None, start: int, count: int
) -> npt.NDArray[np.float64]:
    if rows is None:
        return faces.numbers(column, start, count)
    few = faces.table.select([column]).take(rows[start : start + count])
    return schema.Faces(faces.name, few).numbers(column)


def _name_boxes(
    groundtruth: Faces, rows: list[int], predictions: Faces, partners: list[int]
) -> list[str]:
    ours = groundtruth.table.select(schema.BOX).take(np.asarray(rows)).to_pylist()
    theirs = predictions.table.select(schema.BOX).take(np.asarray(partners)).to_pylist()
    return [
        f"{line}: {face}: {' '.join(f'{box[c]:g}' for c in schema.BOX)} is annotated, "
        f"{' '.join(f'{other[c]:g}' for c in schema.BOX)} predicted"
        for line, face, box, other in zip(
            predictions.where(partners),
            _name_faces(groundtruth, rows),
            ours,
            theirs,
            strict=True,
        )
    ]


def _other_labels(predictions: Faces) -> int:
    if schema.LABEL not in predictions.table.column_names:
        return 0
    codes, names = predictions.codes(schema.LABEL)
    spoken = {schema.SPEAKING, schema.UNLABELLED}
    counts = np.bincount(codes, minlength=len(names))
    return sum(int(n) for n, name in zip(counts, names, strict=True) if name not in spoken)

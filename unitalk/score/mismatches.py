"""What does not fit between predictions and ground truth, as errors with the faces that show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.errors import EXAMPLES, CoverageError, DataError, examples
from unitalk.schema import id_spelling
from unitalk.schema.face_table import NOBODY
from unitalk.score.near_times import in_seconds
from unitalk.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from unitalk.schema import Faces
    from unitalk.score.duplicate_rows import Duplicates
    from unitalk.score.match import Truth
    from unitalk.score.near_times import Nearby

    Rows = npt.NDArray[np.int64]

BOX_TOLERANCE = 1e-6
"""Boxes are equal when each edge differs by at most this, relative to the larger of the two."""
_BOX_FLOOR = 1e-9  # absolute, for edges at 0; the reference's own tolerance

_PIECE = 1 << 16  # rows compared at a time, so that temporaries stay in the cache
_FIRST_FACES = 2  # named by file and line when faces do not match


def _name_faces(
    faces: Faces, rows: Sequence[int] | Rows, looks: Mapping[str, str] | None = None
) -> list[str]:
    few = faces.table.select([schema.ENTITY, schema.TIME]).take(np.asarray(rows, np.int64))
    looks = looks or {}
    return [
        f"{looks.get(row[schema.ENTITY], row[schema.ENTITY])} at "
        f"{in_seconds(row[schema.TIME])[0]} s"
        for row in few.to_pylist()
    ]


def there_twice(faces: Faces, found: Duplicates) -> DataError:
    """Name the faces that a file has twice, with both lines."""
    first, again = (rows[:EXAMPLES].tolist() for rows in (found.first, found.rows))
    lines = faces.where(first + again)
    shown = [
        f"{face} ({line} and {other})"
        for face, line, other in zip(
            _name_faces(faces, first), lines, lines[len(first) :], strict=False
        )
    ]
    difference = f", {found.difference}" if found.difference else ""
    return DataError(
        f"{faces.name}: {len(found.rows):,} faces are there twice (same {schema.ENTITY}, same "
        f"millisecond){difference}: {examples(shown, count=len(found.rows))}",
        hint=found.advice,
    )


def check_certain(truth: Truth, predictions: Faces, left: Rows, found: Nearby) -> None:
    """Refuse to choose between faces, or between predictions.

    Args:
        truth: the ground truth.
        predictions: the file.
        left: rows of the predictions.
        found: the faces within their reach.

    Raises:
        DataError: a prediction has two faces within reach, or a face has two predictions.
    """
    undecided = np.flatnonzero((found.faces != NOBODY) & ~found.certain)
    if not len(undecided):
        return
    few = undecided[:EXAMPLES]
    rows, places = left[few], found.faces[few]
    shown = []
    for time, line, face, place, several in zip(
        predictions.numbers(schema.TIME)[rows],
        predictions.where(rows.tolist()),
        places,
        truth.faces.where(places.tolist()),
        found.several[few],
        strict=True,
    ):
        said, at = in_seconds(time, truth.faces.numbers(schema.TIME, face, 1)[0])
        why = "and another face is as near" if several else "which has another prediction"
        track = truth.track_names[truth.tracks[face]]
        shown.append(f"{track} at {said} s ({line}) is near the face at {at} s ({place}), {why}")
    raise DataError(
        f"{predictions.name}: {len(undecided):,} predictions are ambiguous: at the time of no "
        "face, and within a millisecond of two faces or of one that has another prediction: "
        f"{examples(shown, count=len(undecided))}",
        hint=f"write one prediction for each face, with the ground truth's {schema.TIME}",
    )


# ------------------------------------------------------------------------------ coverage


def not_covered(truth: Truth, predictions: Faces, partners: Rows, extra: Rows) -> CoverageError:
    """Name the tracks and the first faces that are on one side only.

    Args:
        truth: the ground truth.
        predictions: the file.
        partners: [faces] the row of each face's prediction, or NOBODY.
        extra: rows of the predictions that have no face.
    """
    missing = truth.counted(np.flatnonzero(partners == NOBODY))
    wanted = len(truth) - truth.left_out
    matching = wanted - len(missing)
    which = f" with {schema.EVAL} 1" if truth.left_out else ""
    lines = [
        f"predictions and ground truth do not cover each other: {matching:,} of {wanted:,} "
        f"faces{which} match"
    ]
    respelt, looks = _respelt(truth, predictions)
    lines += respelt
    if len(missing):
        lines += _one_sided(truth.faces, missing, f"faces{which} have no prediction", looks)
    if len(extra):
        what = "predictions have no face in the ground truth"
        lines += _one_sided(predictions, extra, what, looks)
    advice = (
        f"write {schema.ENTITY} as the ground truth has it, as text"
        if respelt
        else f"score every face once, with the ground truth's {schema.ENTITY} and {schema.TIME}"
    )
    return CoverageError(
        "\n  ".join(lines),
        hint=advice
        + ("; or add `partial=True` to score only the faces that match" if matching else ""),
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


def _one_sided(faces: Faces, rows: Rows, what: str, looks: Mapping[str, str]) -> list[str]:
    codes, names = faces.codes(schema.ENTITY)
    own = (names[code] for code in dict.fromkeys(codes[rows].tolist()))
    tracks = [looks.get(name, name) for name in own]
    first = rows[:_FIRST_FACES].tolist()
    named = zip(_name_faces(faces, first, looks), faces.where(first), strict=True)
    return [
        f"{len(rows):,} {what}, of {len(tracks):,} tracks: {examples(tracks)}",
        f"  the first: {', '.join(f'{face} ({line})' for face, line in named)}",
    ]


# ------------------------------------------------------------------------------ boxes


def check_boxes(groundtruth: Faces, predictions: Faces, partners: Rows | None) -> None:
    """Hold every predicted box to the annotated one.

    Args:
        groundtruth: the annotated boxes.
        predictions: the predicted ones.
        partners: [faces] the row of each face's prediction, or NOBODY; None where both files have
            the same order.

    Raises:
        DataError: boxes differ.
    """
    rows = None
    count = len(groundtruth)
    if partners is not None and (partners == NOBODY).any():
        rows = np.flatnonzero(partners != NOBODY)
        partners, count = partners[rows], len(rows)

    def differing(start: int) -> Rows:
        """The faces of one piece whose boxes differ, as positions in `rows`."""
        differs = np.zeros(min(_PIECE, count - start), np.bool_)
        for name in schema.BOX:
            ours = _piece(groundtruth, name, rows, start, len(differs))
            theirs = _piece(predictions, name, partners, start, len(differs))
            allowed = BOX_TOLERANCE * np.maximum(np.abs(ours), np.abs(theirs)) + _BOX_FLOOR
            differs |= np.abs(ours - theirs) > allowed
        return np.flatnonzero(differs) + start

    with Threads(2, only_read=True) as pool:
        wrong = np.concatenate([*pool.map(differing, range(0, count, _PIECE))])
    if len(wrong):
        few = wrong[:EXAMPLES]
        shown = _name_boxes(
            groundtruth,
            few if rows is None else rows[few],
            predictions,
            few if partners is None else partners[few],
        )
        raise DataError(
            f"{len(wrong):,} of {count:,} boxes differ between {groundtruth.name} and "
            f"{predictions.name}:\n  " + "\n  ".join(shown),
            hint="copy the boxes from the ground truth; both are relative to the frame, 0 to 1",
        )


def _piece(
    faces: Faces, column: str, rows: Rows | None, start: int, count: int
) -> npt.NDArray[np.float64]:
    if rows is None:
        return faces.numbers(column, start, count)
    few = faces.table.select([column]).take(rows[start : start + count])
    return schema.Faces(faces.name, few).numbers(column)


def _name_boxes(groundtruth: Faces, rows: Rows, predictions: Faces, partners: Rows) -> list[str]:
    ours = groundtruth.table.select(schema.BOX).take(rows).to_pylist()
    theirs = predictions.table.select(schema.BOX).take(partners).to_pylist()
    lines = predictions.where(partners.tolist())
    return [
        f"{line}: {face}: {' '.join(f'{edge:g}' for edge in box.values())} is annotated, "
        f"{' '.join(f'{edge:g}' for edge in other.values())} predicted"
        for line, face, box, other in zip(
            lines, _name_faces(groundtruth, rows), ours, theirs, strict=True
        )
    ]

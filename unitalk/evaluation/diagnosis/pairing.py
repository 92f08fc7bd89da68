"""Which prediction is for which face; where times differ, the change that explains it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.evaluation.diagnosis.findings import Finding, counted, note, ok, places, problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from unitalk.schema import Faces

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

NOBODY = -1
"""The partner of a prediction that is for no face."""

_TIME_BITS = 32
_ENOUGH = 0.9  # of the faces, and of those that do not match, that a change must explain
_SLACK = 0.0015  # seconds; keys are in whole milliseconds
_NEARLY = 0.05  # of a frame
_TINY = 1e-6  # what arithmetic in float64 may leave
_FPS = (25.0, 24.0, 30.0, 24_000 / 1001, 30_000 / 1001, 50.0, 60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Which row of the ground truth each prediction is for.

    Attributes:
        partners: [predictions] row of the ground truth, or NOBODY.
        repeats: [predictions] True for a prediction whose face has one further up.
        tracks: [predictions] the track of each, as an index into `names`.
        names: the ground truth's ids, and behind them ids that it does not have.
    """

    partners: Integers
    repeats: Bools
    tracks: Integers
    names: list[str]


@dataclass(frozen=True, slots=True)
class _Change:
    """One way in which times may have been changed.

    Attributes:
        what: what the predictions' times are.
        fits: [rows] the rows that it explains.
        advice: what to do.
        undo: seconds of the predictions -> seconds of the ground truth, where that can be computed.
        code: a line of pandas, where one does it.
    """

    what: str
    fits: Bools
    advice: str
    undo: Callable[[Floats], Floats] | None = None
    code: str | None = None


_COPY = f"copy {schema.TIME} from the ground truth, as text, without computing with it"
_COLUMN = f'predictions["{schema.TIME}"]'


def keys_of(tracks: npt.NDArray[np.integer], milliseconds: Integers) -> Integers:
    """Track and time in one number; larger is later in the same track."""
    return (tracks.astype(np.int64) << _TIME_BITS) + milliseconds


def pair(truth: Integers, keys: Integers) -> tuple[Integers, Bools]:
    """Find each prediction's face by key.

    Args:
        truth: [faces] keys of the ground truth; of equal ones the first counts.
        keys: [predictions].

    Returns:
        Partners and repeats, as `Pairing` has them; of equal predictions the first has the face.
    """
    if np.array_equal(truth, keys) and bool(np.all(keys[1:] > keys[:-1])):
        return np.arange(len(keys)), np.zeros(len(keys), np.bool_)
    order = np.argsort(truth, kind="stable")
    ascending = truth[order]
    place = np.minimum(np.searchsorted(ascending, keys), len(order) - 1)
    repeats = repeated(keys)
    there = (ascending[place] == keys) & ~repeats
    return np.where(there, order[place], NOBODY), repeats


def repeated(keys: Integers) -> Bools:
    """Which rows have the key of a row further up."""
    order = np.argsort(keys, kind="stable")
    ascending = keys[order]
    result = np.zeros(len(keys), np.bool_)
    result[order[1:]] = ascending[1:] == ascending[:-1]
    return result


def check_times(
    truth: Faces, faces: Faces, tracks: Integers, names: list[str]
) -> tuple[Finding, Pairing]:
    """Pair by key; where known tracks have unknown times, look for what explains these.

    Args:
        truth: the ground truth.
        faces: the predictions.
        tracks: [predictions] as `check_ids` returns them.
        names: likewise.
    """
    codes, known = truth.codes(schema.ENTITY)
    wanted = keys_of(codes, truth.milliseconds())
    keys = keys_of(tracks, faces.milliseconds())
    partners, repeats = pair(wanted, keys)
    strange = (tracks < len(known)) & ~np.isin(keys, wanted)
    pairing = Pairing(partners=partners, repeats=repeats, tracks=tracks, names=names)
    fine = ok("times", "every known track's times are those of the ground truth")
    known_repeats = repeats & (tracks < len(known))  # rounding also makes two times one
    affected = np.unique(tracks[strange | known_repeats])
    both = _aligned(codes, truth, tracks, faces, affected)
    change = _explain(both) if len(affected) else None
    if change is None:
        if not strange.any():
            return fine, pairing
        return _unexplained(faces, pairing, np.flatnonzero(strange)), pairing
    pairing = _mend(pairing, both, change, wanted, faces)
    # What has the right time by luck (0.4 is 0.40, rounded or not) is not shown.
    rows = both.theirs[change.fits & (both.ids != both.own)]
    told = {int(row): seconds for row, seconds in zip(both.theirs, both.true, strict=True)}
    said = faces.numbers(schema.TIME)
    shown = [int(row) for row in np.sort(rows)[:3]]
    return problem(
        "times",
        f"{counted(len(rows), 'prediction')} of {counted(len(np.unique(tracks[rows])), 'track')} "
        f"{'is' if len(rows) == 1 else 'are'} at times that {change.what}",
        examples=places(
            faces, shown, [f"{said[row]:g} where the face is at {told[row]:g} s" for row in shown]
        ),
        advice=change.advice,
        code=change.code,
    ), pairing


def _unexplained(faces: Faces, pairing: Pairing, rows: Integers) -> Finding:
    first = int(rows[0])
    at = faces.numbers(schema.TIME, first, 1)[0]
    return note(
        "times",
        f"{counted(len(rows), 'prediction')} of known tracks {'is' if len(rows) == 1 else 'are'} "
        "at times at which the track has no face, and neither rounding nor a shift nor another "
        f"unit explains it (the first: {pairing.names[pairing.tracks[first]]} at {at:g} s): see "
        "coverage",
    )


# ------------------------------------------------------------------------- tracks, face by face


@dataclass(frozen=True, slots=True)
class _Aligned:
    """Tracks that have as many predictions as faces, the nth in time beside the nth.

    Attributes:
        track: [rows] the track.
        ours: [rows] row of the ground truth.
        theirs: [rows] row of the predictions.
        true: [rows] the ground truth's seconds.
        said: [rows] the predictions' number.
        ids: [rows] the ground truth's milliseconds.
        own: [rows] the predictions' number as milliseconds.
        affected: the tracks that have a prediction at no known time.
    """

    track: Integers
    ours: Integers
    theirs: Integers
    true: Floats
    said: Floats
    ids: Integers
    own: Integers
    affected: Integers

    def since_start(self, values: Floats) -> Floats:
        """Each row's value less that of the first row of its track."""
        first = np.flatnonzero(np.append(True, self.track[1:] != self.track[:-1]))
        lengths = np.diff(np.append(first, len(self.track)))
        start: Floats = np.repeat(values[first], lengths)
        return values - start


def _aligned(
    codes: npt.NDArray[np.int32], truth: Faces, tracks: Integers, faces: Faces, affected: Integers
) -> _Aligned:
    most = int(max(codes.max(), tracks.max())) + 1
    equal = np.bincount(codes, minlength=most) == np.bincount(tracks, minlength=most)
    chosen = np.zeros(most, np.bool_)
    chosen[affected] = True
    chosen &= equal
    true, said = truth.numbers(schema.TIME), faces.numbers(schema.TIME)
    ours, theirs = np.flatnonzero(chosen[codes]), np.flatnonzero(chosen[tracks])
    ours = ours[np.lexsort((true[ours], codes[ours]))]
    theirs = theirs[np.lexsort((said[theirs], tracks[theirs]))]  # stable: file order among equals
    return _Aligned(
        tracks[theirs], ours, theirs, true[ours], said[theirs], truth.milliseconds()[ours],
        faces.milliseconds()[theirs], affected,
    )  # fmt: skip


def _explain(both: _Aligned) -> _Change | None:
    """The first change that explains nearly all rows, and nearly all that do not match."""
    different = both.ids != both.own
    if not different.any():
        return None
    for change in _changes(both):
        if min(change.fits.mean(), change.fits[different].mean()) >= _ENOUGH:
            return change
    return None


def _changes(both: _Aligned) -> Iterator[_Change]:
    yield from _roundings(both)
    off = both.said - both.true
    shift = float(np.median(off))
    frames = f" ({abs(shift) * 25:.0f} frames at 25 fps)" if _is_whole(shift * 25) else ""
    frames = frames.replace("(1 frames", "(one frame")
    yield _Change(
        f"are shifted: {abs(shift):.3g} s too {'late' if shift > 0 else 'early'}{frames}",
        (np.abs(off - shift) < _SLACK) & (abs(shift) > _SLACK / 3),
        "count time as the ground truth does, or take the difference off",
        lambda said: said - shift,
        f"{_COLUMN} -= {round(shift, 3):g}",
    )
    yield _Change(
        "are in milliseconds; seconds are wanted",
        np.abs(both.said - 1000 * both.true) <= 1,
        "divide by 1000",
        lambda said: said / 1000,
        f"{_COLUMN} /= 1000",
    )
    yield from _frame_numbers(both)
    since = both.since_start(both.said)
    yield _Change(
        "count from the start of each track (or of its clip)",
        np.abs(since - both.since_start(both.true)) < _SLACK,
        _COPY,
    )
    ones = both.since_start(np.arange(len(both.said), dtype=np.float64))
    yield _Change("number the faces of each track", np.abs(since - ones) < _SLACK, _COPY)


def _is_whole(number: float) -> bool:
    return abs(number - round(number)) < _NEARLY and round(number) != 0


def _roundings(both: _Aligned) -> Iterator[_Change]:
    for decimals, name in enumerate(("whole seconds", "1 decimal", "2 decimals")):
        unit = 10.0**-decimals
        steps = both.said / unit
        on_grid = np.abs(steps - np.rint(steps)) < _TINY * np.maximum(1, np.abs(steps))
        short = both.true - both.said
        yield _Change(
            f"are rounded to {name}", on_grid & (np.abs(short) <= unit / 2 + _TINY), _COPY
        )
        yield _Change(
            f"are cut off after {name}",
            on_grid & (short > -_TINY) & (short < unit + _TINY),
            _COPY,
        )


def _frame_numbers(both: _Aligned) -> Iterator[_Change]:
    whole = both.said == np.rint(both.said)
    candidates = [
        (fps, first, whole & (np.abs(both.said - first - both.true * fps) <= 0.5 + _NEARLY))
        for fps in _FPS
        for first in (0, 1)
    ]
    fps, first, fits = max(candidates, key=lambda candidate: candidate[2].mean())
    yield _Change(
        f"are numbers of frames, {fps:.5g} a second, from {first} on; seconds are wanted",
        fits,
        f"divide by {fps:.5g}" + (" after taking 1 off" if first else "") + f", or {_COPY}",
        lambda said: (said - first) / fps,
        f"{_COLUMN} = ({_COLUMN} - {first}) / {fps!r}" if first else f"{_COLUMN} /= {fps!r}",
    )


def _mend(
    pairing: Pairing, both: _Aligned, change: _Change, wanted: Integers, faces: Faces
) -> Pairing:
    """Pair the affected tracks as if the change had not been made."""
    partners, repeats = pairing.partners.copy(), pairing.repeats.copy()
    mine = np.isin(pairing.tracks, both.affected)
    if change.undo:  # so that tracks which lack a face, and were not aligned, come back too
        seconds = change.undo(faces.numbers(schema.TIME)[mine])
        moment = np.rint(np.maximum(seconds, 0) * 1000).astype(np.int64)
        partners[mine], repeats[mine] = pair(wanted, keys_of(pairing.tracks[mine], moment))
    partners[both.theirs], repeats[both.theirs] = NOBODY, False
    partners[both.theirs[change.fits]] = both.ours[change.fits]
    return Pairing(partners=partners, repeats=repeats, tracks=pairing.tracks, names=pairing.names)

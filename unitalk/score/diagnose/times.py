"""Times that are not the ground truth's: the change that explains them, and the pairs without it.

Times that are off by a millisecond at most are matched as `match` does it. For the others, each
change that is known to happen is tried on whole tracks: it says at which seconds the predictions'
faces would be, and as many predictions as possible are laid on faces, in the order of time. The
change that explains most is reported if that is nearly everything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unitalk import schema
from unitalk.schema.face_table import NOBODY, pack
from unitalk.score.diagnose.findings import SHOWN, Finding, counted, note, ok, places, problem
from unitalk.score.diagnose.pairing import Pairing, pair
from unitalk.score.near_times import REACH, in_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from unitalk.schema import Faces

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]

_ENOUGH = 0.9  # the share of predictions, and of those without a face, that a change must explain
_LOOKED_AT = 300  # tracks that all changes are tried on
_NEARLY = 0.05  # of a frame
_TINY = 1e-6  # what arithmetic in float64 may leave
_FINE = 42  # bits of a time in microseconds, below `schema.MAX_SECONDS`
_RATES = {"25": 25.0, "24": 24.0, "30": 30.0, "23.976": 24_000 / 1001, "29.97": 30_000 / 1001}
_SCALED = 3.0  # times the ground truth's; more is another unit
_COPY = f"copy {schema.TIME} from the ground truth, as text, without computing with it"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """One way in which times may have been changed.

    Attributes:
        what: what the predictions' times are.
        advice: what to do.
        start: `(said - start) / unit` are seconds.
        unit: likewise.
        undo: the same as code, with `{t}` for what is said; empty when it cannot be undone.
        below: seconds by which a face may be earlier than that.
        above: seconds by which it may be later.
        is_fitted: whether it was made to fit, so that nearly all faces must come back as well.
    """

    what: str
    advice: str = _COPY
    start: float = 0.0
    unit: float = 1.0
    undo: str = ""
    below: float = REACH
    above: float = REACH
    is_fitted: bool = False

    def seconds(self, said: Floats) -> Floats:
        """At which seconds the faces would be."""
        return (said - self.start) / self.unit


class _Times(NamedTuple):
    """Rows of one file in the order of tracks and times; those of one time as in the file."""

    rows: Integers
    tracks: Integers
    seconds: Floats

    @classmethod
    def of(cls, tracks: Integers, seconds: Floats, chosen: Integers) -> _Times:
        """Take out some tracks."""
        rows = np.flatnonzero(np.isin(tracks, chosen))
        rows = rows[np.lexsort((seconds[rows], tracks[rows]))]
        return cls(rows, tracks[rows], seconds[rows])

    def ends(self) -> tuple[Floats, Floats]:
        """[tracks] The first and the last time of each track."""
        begins = np.flatnonzero(np.diff(self.tracks, prepend=-1))
        return self.seconds[begins], self.seconds[np.append(begins[1:], len(self.tracks)) - 1]


def check_times(
    truth: Faces, faces: Faces, tracks: Integers, names: list[str]
) -> tuple[Finding, Pairing]:
    """Pair by key; where known tracks have unknown times, look for what explains these.

    `tracks` and `names` are those that `check_ids` returns.
    """
    codes, known = truth.codes(schema.ENTITY)
    wanted, keys = pack(codes, truth.milliseconds()), pack(tracks, faces.milliseconds())
    true, said = truth.numbers(schema.TIME), faces.numbers(schema.TIME)
    partners, holders = pair(wanted, true, keys, said)
    pairing = Pairing(
        partners=partners, holders=holders, tracks=tracks, names=names,
        guessed=np.zeros(len(keys), np.bool_), unused=np.zeros(len(keys), np.bool_),
    )  # fmt: skip
    lost = np.flatnonzero((partners == NOBODY) & (tracks < len(known)))
    if pairing.repeats[lost].all():  # they are duplicates, and their times are right
        near = pairing.found[wanted[partners[pairing.found]] != keys[pairing.found]]
        return _near(true, said, near, pairing), pairing
    chosen = np.unique(tracks[lost])
    ours = _Times.of(codes.astype(np.int64), true, chosen)
    theirs = _Times.of(tracks, said, chosen)
    found = _explain(ours, theirs, np.isin(theirs.rows, lost))
    if found is None:
        return _unexplained(ours, theirs, pairing, lost[~pairing.repeats[lost]]), pairing
    change, laid = found
    partners[theirs.rows] = np.where(laid != NOBODY, ours.rows[laid], NOBODY)
    holders[theirs.rows] = NOBODY
    pairing.guessed[theirs.rows] = not change.undo
    if change.undo:  # in all rows; where only some tracks were changed, that breaks the others
        at = change.seconds(said)
        undone, _ = pair(wanted, true, pack(tracks, np.rint(at * 1000).astype(np.int64)), at)
        if not np.array_equal(undone, partners):
            change = replace(change, undo="")
    return _explained(faces, true, change, theirs.rows, pairing), pairing


def _near(true: Floats, said: Floats, rows: Integers, pairing: Pairing) -> Finding:
    """Times that are the ground truth's, or within its reach: `rows`."""
    if not len(rows):
        return ok("times", "the times of all known tracks match the ground truth")
    at, face = in_seconds(said[rows[0]], true[pairing.partners[rows[0]]])
    return note(
        "times",
        f"{counted(len(rows), 'prediction', 'is')} off by a millisecond at most; each is matched "
        "with the only face within reach (the first: "
        f"{pairing.names[pairing.tracks[rows[0]]]} at {at} s where the face is at {face} s)",
    )


def _unexplained(ours: _Times, theirs: _Times, pairing: Pairing, rows: Integers) -> Finding:
    """Times without a cause; where all tracks start at 0 or 1, what that looks like."""
    (at,) = in_seconds(theirs.seconds[theirs.rows == rows[0]][0])
    starts = set(theirs.ends()[0].tolist())
    what = (
        f"{counted(len(rows), 'prediction', 'is')} of known tracks at times at which the track has "
        "no face, and neither rounding nor a shift nor another unit explains it (the first: "
        f"{pairing.names[pairing.tracks[rows[0]]]} at {at} s): see coverage"
    )
    if starts in ({0}, {1}) and len(set(ours.ends()[0])) > 1:
        what += f"; the times of all these tracks start at {min(starts):g}, as if counted per track"
        return note("times", what, advice=_COPY)
    return note("times", what)


def _explained(
    faces: Faces, true: Floats, change: _Change, rows: Integers, pairing: Pairing
) -> Finding:
    # What has the right time by luck (0.4 is 0.40, rounded or not) is neither counted nor shown.
    said = faces.numbers(schema.TIME)
    moved = np.sort(rows[pairing.partners[rows] != NOBODY])
    moved = moved[np.abs(true[pairing.partners[moved]] - said[moved]) > REACH]
    tracks = np.unique(pairing.tracks[moved])
    pairs = [in_seconds(said[row], true[pairing.partners[row]]) for row in moved[:SHOWN]]
    column = f'predictions["{schema.TIME}"]'
    return problem(
        "times",
        f"{counted(len(moved), 'prediction')} of {counted(len(tracks), 'track')} "
        f"{'is' if len(moved) == 1 else 'are'} at times that {change.what}",
        examples=places(
            faces, moved, [f"{at} where the face is at {face} s" for at, face in pairs]
        ),
        advice=change.advice,
        code=f"{column} = {change.undo.format(t=column)}" if change.undo else None,
    )


# ------------------------------------------------------------------------- tracks, face by face


def _explain(
    ours: _Times, theirs: _Times, lost: npt.NDArray[np.bool_]
) -> tuple[_Change, Integers] | None:
    """Find the change that explains most of some tracks, if that is nearly everything.

    `lost` are the predictions without a face as things stand. With the change comes the place of
    each prediction's face, as `_lay` returns it.
    """
    tracks = np.unique(theirs.tracks)
    few = tracks[:: -(-len(tracks) // _LOOKED_AT)]
    our, their = (_Times.of(side.tracks, side.seconds, few) for side in (ours, theirs))

    def rank(change: _Change) -> tuple[int, float]:
        """How many faces a change finds, and how near these are."""
        places = _lay(our, their, change)
        found = places != NOBODY
        off = our.seconds[places] - change.seconds(their.seconds)
        return int(found.sum()), -round(float(np.abs(off[found]).mean()), 4) if found.any() else 0.0

    best = max(_changes(ours, theirs), key=rank)
    laid = _lay(ours, theirs, best)
    found = laid != NOBODY
    shares = [found.mean(), found[lost].mean()]
    if best.is_fitted:
        shares.append(np.count_nonzero(found) / len(ours.rows))
    return (best, laid) if min(shares) >= _ENOUGH else None


def _lay(ours: _Times, theirs: _Times, change: _Change) -> Integers:
    """The place of each prediction's face if the change was made, or NOBODY.

    In each track the predictions get, one after the other, the first face that is still free and
    near enough. As all windows are equally long, no other way finds more faces.
    """
    at = change.seconds(theirs.seconds)
    keys = _finely(ours.tracks, ours.seconds).tolist()
    low = _finely(theirs.tracks, at - change.below).tolist()
    high = _finely(theirs.tracks, at + change.above).tolist()
    result = np.full(len(at), NOBODY, np.int64)
    place, end = 0, len(keys)
    for row, (first, last) in enumerate(zip(low, high, strict=True)):
        while place < end and keys[place] < first:
            place += 1
        if place < end and keys[place] <= last:
            result[row] = place
            place += 1
    return result


def _finely(tracks: Integers, seconds: Floats) -> Integers:
    """Track and microsecond in one number."""
    return (tracks << _FINE) + np.rint(seconds * 1e6).astype(np.int64)


# ------------------------------------------------------------------------- what may have happened


def _changes(ours: _Times, theirs: _Times) -> Iterator[_Change]:
    """Everything that is known to happen; of two that explain as much the first is reported."""
    for decimals, name in enumerate(("whole seconds", "1 decimal", "2 decimals")):
        unit = 10.0**-decimals
        if (np.abs(theirs.seconds - theirs.seconds.round(decimals)) < _TINY).mean() >= _ENOUGH:
            yield _Change(what=f"are rounded to {name}", below=unit / 2, above=unit / 2)
            yield _Change(what=f"are cut off after {name}", below=0.0, above=unit - _TINY)
    for said, true in zip(theirs.ends(), ours.ends(), strict=True):
        yield from _shift(said - true)
    yield from _scale(ours, theirs)
    yield _Change(what="are in milliseconds; seconds are wanted", advice="divide by 1000",
                  unit=1000.0, undo="{t} / 1000")  # fmt: skip
    if (theirs.seconds == np.rint(theirs.seconds)).mean() >= _ENOUGH:
        yield from _frames(ours, theirs)


def _shift(off: Floats) -> Iterator[_Change]:
    """What most tracks are off by."""
    milliseconds = np.rint(off * 1000)
    values, counts = np.unique(milliseconds, return_counts=True)
    shift = round(float(np.median(off[milliseconds == values[counts.argmax()]])), 6)
    frames = round(shift * 25)
    whole = f" ({counted(abs(frames), 'frame')} at 25 fps)"
    if abs(shift) > REACH:
        (size,) = in_seconds(abs(shift))
        yield _Change(
            what=f"are shifted: {size} s too {'late' if shift > 0 else 'early'}"
            + (whole if frames and abs(shift * 25 - frames) < _NEARLY else ""),
            advice="count time as the ground truth does, or take the difference off",
            start=shift, undo=f"{{t}} {'-' if shift > 0 else '+'} {abs(shift)!r}", is_fitted=True,
        )  # fmt: skip


def _frames(ours: _Times, theirs: _Times) -> Iterator[_Change]:
    """Numbers of frames, which start at 0 or at 1."""
    for name, fps in _RATES.items():
        first = round(float(np.median(theirs.ends()[0] - ours.ends()[0] * fps)))
        if first in (0, 1):
            yield _Change(
                what=f"are numbers of frames, {name} per second, from {first} on; seconds are "
                "wanted",
                advice=f"divide by {name}{' after subtracting 1' if first else ''}, or {_COPY}",
                start=first, unit=fps, undo=f"{'({t} - 1)' if first else '{t}'} / {fps!r}",
                below=(0.5 + _NEARLY) / fps, above=(0.5 + _NEARLY) / fps,
            )  # fmt: skip


def _scale(ours: _Times, theirs: _Times) -> Iterator[_Change]:
    """Seconds that were computed from frames at another rate than the ground truth's."""
    true, said = np.concatenate(ours.ends()), np.concatenate(theirs.ends())
    late = true >= max(float(np.median(true)), REACH)
    scale = float(np.median(said[late] / true[late])) if late.any() else 1.0
    if 0 < scale < _SCALED and scale != 1:
        yield _Change(
            what=f"are {scale:.7g} times the ground truth's, as with another frame rate",
            advice=f"compute them at the ground truth's frames per second, or {_COPY}",
            unit=scale, undo=f"{{t}} / {scale!r}", is_fitted=True,
        )  # fmt: skip

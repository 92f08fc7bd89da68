"""Which prediction is for which face; where times differ, the change that explains it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.evaluation.diagnosis.findings import (
    SHOWN,
    Finding,
    counted,
    line_for,
    note,
    ok,
    places,
    problem,
)
from unitalk.evaluation.diagnosis.reading import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from unitalk.evaluation.diagnosis.reading import Read
    from unitalk.schema import Faces

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

NOBODY = -1
"""The partner of a prediction that is for no face."""

_TIME_BITS = 32
_ENOUGH = 0.9  # of the predictions, and of those without a face, that a change must explain
_LOOKED_AT = 300  # tracks that all changes are tried on
_ROUNDS = 8  # surplus predictions of one track that do not disturb those behind them
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


_COPY = f"copy {schema.TIME} from the ground truth, as text, without computing with it"


@dataclass(frozen=True, slots=True)
class _Change:
    """One way in which times may have been changed.

    Attributes:
        what: what the predictions' times are.
        at: [rows] seconds at which the faces would be; NaN where it cannot be this change.
        below: seconds by which a face may be earlier than that.
        above: seconds by which it may be later.
        advice: what to do.
        undo: times as they are said -> seconds, and the same in pandas, where there is one for all.
        is_fitted: whether it was made to fit, so that nearly all faces must come back as well.
    """

    what: str
    at: Floats
    below: float
    above: float
    advice: str = _COPY
    undo: tuple[Callable[[Floats], Floats], str] | None = None
    is_fitted: bool = False


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
    truth: Faces, guess: Read, faces: Faces, tracks: Integers, names: list[str]
) -> tuple[Finding, Pairing | None]:
    """Pair by key; where known tracks have unknown times, look for what explains these.

    Args:
        truth: the ground truth.
        guess: what could be read of the predictions, which have ids and times.
        faces: the same.
        tracks: [predictions] as `check_ids` returns them.
        names: likewise.

    Returns:
        The finding; the pairs, unless the times are refused and nothing explains them.
    """
    codes, known = truth.codes(schema.ENTITY)
    wanted = keys_of(codes, truth.milliseconds())
    keys = keys_of(tracks, faces.milliseconds())
    partners, repeats = pair(wanted, keys)
    there = (partners != NOBODY) | (repeats & np.isin(keys, wanted))
    repeats &= there  # what is for no face cannot be the second of a face
    pairing = Pairing(partners=partners, repeats=repeats, tracks=tracks, names=names)
    lost = (partners == NOBODY) & (tracks < len(known))
    both = _Both(
        names=names, codes=codes.astype(np.int64), true=truth.numbers(schema.TIME), tracks=tracks,
        said=faces.numbers(schema.TIME), lost=lost, boxes=_boxes(truth, faces),
    )  # fmt: skip
    affected = _affected(both, partners)
    found = _explain(both, affected) if len(affected) else None
    strange = np.flatnonzero(lost & ~there)
    if found is not None:
        mended = _mend(pairing, found, wanted, keys)
        return _explained(faces, both, found, mended, wanted), mended
    if "times" in guess.refused:
        return refusal("times", guess.refused["times"]), None
    if not len(strange):
        return ok("times", "every known track's times are those of the ground truth"), pairing
    return _unexplained(faces, pairing, strange), pairing


def _boxes(truth: Faces, faces: Faces) -> tuple[Floats, Floats] | None:
    if not set(schema.BOX) <= set(faces.table.column_names):
        return None
    ours, theirs = (np.stack([side.numbers(name) for name in schema.BOX], axis=1)
                    for side in (truth, faces))  # fmt: skip
    return ours, theirs


def _affected(both: _Both, partners: Integers) -> Integers:
    """The tracks that have a prediction without a face; all, if most faces have another's box."""
    found = np.flatnonzero(partners != NOBODY)
    if both.lost.any():
        return np.unique(both.tracks[both.lost])
    if both.boxes is None or 2 * both.alike(partners[found], found) > len(found):
        return np.array([], np.int64)
    return np.unique(both.tracks[found])


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


def _explained(
    faces: Faces, both: _Both, found: _Found, pairing: Pairing, wanted: Integers
) -> Finding:
    # What has the right time by luck (0.4 is 0.40, rounded or not) is neither counted nor shown.
    moved = np.flatnonzero(pairing.partners != NOBODY)
    moved = moved[np.isin(moved, found.rows)]
    true = both.true[pairing.partners[moved]]
    differ = np.rint(true * 1000) != np.rint(both.said[moved] * 1000)
    rows, true = moved[differ], true[differ]
    return problem(
        "times",
        f"{counted(len(rows), 'prediction')} of {counted(len(np.unique(both.tracks[rows])), 'track')} "
        f"{'is' if len(rows) == 1 else 'are'} at times that {found.change.what}",
        examples=places(
            faces,
            rows,
            [f"{both.said[row]:g} where the face is at {seconds:g} s"
             for row, seconds in zip(rows[:SHOWN], true, strict=False)],
        ),
        advice=found.change.advice,
        code=_line(faces, both, found, pairing, wanted),
    )  # fmt: skip


def _line(
    faces: Faces, both: _Both, found: _Found, pairing: Pairing, wanted: Integers
) -> str | None:
    """The line that makes these pairs of the predictions, tried before it is given."""
    if found.change.undo is None:
        return None
    undo, code = found.change.undo
    undone = undo(both.said)
    for inside, videos in scopes(faces, found.rows):
        moment = np.rint(np.where(inside, undone, both.said) * 1000).astype(np.int64)
        if np.array_equal(pair(wanted, keys_of(both.tracks, moment))[0], pairing.partners):
            return line_for(f'predictions["{schema.TIME}"]', code, videos)
    return None


def scopes(faces: Faces, rows: Integers) -> Iterator[tuple[Bools, list[str] | None]]:
    """All rows; the rows of the few videos that some rows are of, and what these videos are."""
    inside = np.ones(len(faces), np.bool_)
    yield inside, None
    if schema.VIDEO in faces.table.column_names:
        codes, titles = faces.codes(schema.VIDEO)
        of = np.unique(codes[rows])
        if len(of) <= SHOWN:
            yield np.isin(codes, of), [titles[video] for video in of]


# ------------------------------------------------------------------------- tracks, face by face


@dataclass(frozen=True, slots=True, kw_only=True)
class _Both:
    """Both files' columns that times are explained with.

    Attributes:
        names: ids of tracks.
        codes: [faces] the track.
        true: [faces] seconds.
        tracks: [predictions] the track.
        said: [predictions] the time, as it is said.
        lost: [predictions] whether a known track's prediction has no face of its own.
        boxes: [faces, 4] and [predictions, 4]; None when the predictions have none.
    """

    names: list[str]
    codes: Integers
    true: Floats
    tracks: Integers
    said: Floats
    lost: Bools
    boxes: tuple[Floats, Floats] | None

    def alike(self, faces: Integers, rows: Integers) -> int:
        """How many pairs have the same box; 0 without boxes."""
        if self.boxes is None:
            return 0
        ours, theirs = self.boxes
        return int((np.abs(ours[faces] - theirs[rows]) <= _TINY).all(axis=1).sum())


@dataclass(frozen=True, slots=True)
class _Tracks:
    """Some tracks of both files, by track and time.

    Attributes:
        faces: [faces] row of the ground truth.
        codes: [faces] the track.
        true: [faces] seconds.
        rows: [rows] row of the predictions.
        tracks: [rows] the track.
        said: [rows] the predictions' number.
        lost: [rows] whether it has no face of its own as things stand.
    """

    faces: Integers
    codes: Integers
    true: Floats
    rows: Integers
    tracks: Integers
    said: Floats
    lost: Bools

    @classmethod
    def of(cls, both: _Both, chosen: Integers) -> _Tracks:
        """Take out some tracks."""
        here = np.zeros(len(both.names), np.bool_)
        here[chosen] = True
        faces, rows = np.flatnonzero(here[both.codes]), np.flatnonzero(here[both.tracks])
        faces = faces[np.lexsort((both.true[faces], both.codes[faces]))]
        rows = rows[np.lexsort((both.said[rows], both.tracks[rows]))]  # file order among equals
        return cls(
            faces, both.codes[faces], both.true[faces],
            rows, both.tracks[rows], both.said[rows], both.lost[rows],
        )  # fmt: skip

    def firsts(self) -> tuple[Integers, Integers]:
        """[rows] of each prediction's track the first face, and the first prediction."""
        return np.searchsorted(self.codes, self.tracks), np.searchsorted(self.tracks, self.tracks)

    def lay(self, change: _Change) -> tuple[Integers, Integers]:
        """[rows] each prediction's face if the change was made, or NOBODY: the first, and the last.

        In each track the predictions get, one after the other, the first face that is still free
        and not too early; one whose face would be too late stands aside for those behind it. The
        same predictions are then laid on the last faces that are possible.
        """
        keys = keys_of(self.codes, np.rint(self.true * 1000).astype(np.int64))
        valid = np.flatnonzero(np.isfinite(change.at))
        place, tracks = change.at[valid] * 1000, self.tracks[valid]
        low = keys_of(tracks, np.ceil(place - 1000 * change.below - _TINY).astype(np.int64))
        high = keys_of(tracks, np.floor(place + 1000 * change.above + _TINY).astype(np.int64))
        first, end = np.searchsorted(keys, low), np.searchsorted(keys, high, "right")
        keep = first < end
        for _ in range(_ROUNDS):
            valid, first, end = valid[keep], first[keep], end[keep]
            steps = np.arange(len(valid))
            taken = np.maximum.accumulate(first - steps) + steps
            late = np.flatnonzero(taken >= end)
            if not len(late):
                break
            _, worst = np.unique(self.tracks[valid[late]], return_index=True)
            keep = np.ones(len(valid), np.bool_)
            keep[late[worst]] = False
        fits = taken < end
        valid, taken, end = valid[fits], taken[fits], end[fits]
        steps = np.arange(len(valid))
        early, late = np.full((2, len(self.rows)), NOBODY)
        early[valid] = taken
        late[valid] = np.minimum.accumulate((end - 1 - steps)[::-1])[::-1] + steps
        return early, late


@dataclass(frozen=True, slots=True)
class _Found:
    """The change that explains the times of some tracks.

    Attributes:
        change: it.
        rows: the predictions of these tracks.
        faces: [rows] row of the ground truth, or NOBODY.
    """

    change: _Change
    rows: Integers
    faces: Integers


def _explain(both: _Both, affected: Integers) -> _Found | None:
    """The change that explains most, if that is nearly everything."""
    side = _Tracks.of(both, affected[:: -(-len(affected) // _LOOKED_AT)])
    best = max(_changes(side), key=lambda change: _rank(both, side, change, side.lay(change)[0]))
    side = _Tracks.of(both, affected)
    change = next((change for change in _changes(side) if change.what == best.what), None)
    if change is None:
        return None
    places = _nearer(both, side, change)
    there = places != NOBODY
    shares = [there.mean()]
    if side.lost.any():
        shares.append(there[side.lost].mean())
    else:  # every prediction has a face as it is, though with another box
        shares.append(both.alike(side.faces[places[there]], side.rows[there]) / len(there))
    if change.is_fitted:
        shares.append(np.count_nonzero(there) / len(side.faces))
    if min(shares) < _ENOUGH:
        return None
    return _Found(change, side.rows, np.where(there, side.faces[places], NOBODY))


def _rank(both: _Both, side: _Tracks, change: _Change, places: Integers) -> tuple[int, float, int]:
    """How well a change explains times: faces and boxes found, how nearly, and how early.

    A track that lacks faces lacks its last ones more often than its first.
    """
    found = np.flatnonzero(places != NOBODY)
    if not len(found):
        return 0, 0.0, 0
    faces = places[found]
    alike = both.alike(side.faces[faces], side.rows[found])
    off = float(np.abs(side.true[faces] - change.at[found]).mean())
    return len(found) + alike, -round(off, 4), -int(faces.sum())


def _nearer(both: _Both, side: _Tracks, change: _Change) -> Integers:
    """Lay predictions on the first faces or on the last possible ones, as their boxes say."""
    early, late = side.lay(change)
    if both.boxes is None:
        return early
    ours, theirs = both.boxes
    off = [np.abs(ours[side.faces[places]] - theirs[side.rows]).sum(axis=1)
           for places in (early, late)]  # fmt: skip
    return np.where(off[1] < off[0], late, early)


def _mend(pairing: Pairing, found: _Found, wanted: Integers, keys: Integers) -> Pairing:
    """Pair the affected tracks as if the change had not been made."""
    partners, repeats = pairing.partners.copy(), pairing.repeats.copy()
    partners[found.rows] = found.faces
    repeats[found.rows] &= found.faces == NOBODY
    return Pairing(partners=partners, repeats=repeats, tracks=pairing.tracks, names=pairing.names)


# ------------------------------------------------------------------------- what may have happened


def _changes(side: _Tracks) -> Iterator[_Change]:
    """Everything that is known to happen; of two that explain as much the first is told."""
    yield from _roundings(side)
    yield from _shifts(side)
    yield _Change(
        "are in milliseconds; seconds are wanted", side.said / 1000, 0.001, 0.001,
        "divide by 1000", (lambda said: said / 1000, f"{_TIMES} / 1000"),
    )  # fmt: skip
    yield from _frame_numbers(side)
    face, row = side.firsts()
    since = side.said - side.said[row]
    yield _Change("count from the start of each track (or of its clip)", side.true[face] + since,
                  0.001, 0.001, is_fitted=True)  # fmt: skip
    nth = np.minimum(face + np.rint(since).astype(np.int64), len(side.true) - 1)
    whole = (since == np.rint(since)) & (side.codes[nth] == side.tracks)
    yield _Change("number the faces of each track", np.where(whole, side.true[nth], np.nan),
                  0.0, 0.0, is_fitted=True)  # fmt: skip


_TIMES = f'predictions["{schema.TIME}"]'


def _roundings(side: _Tracks) -> Iterator[_Change]:
    for decimals, name in enumerate(("whole seconds", "1 decimal", "2 decimals")):
        unit = 10.0**-decimals
        steps = side.said / unit
        on_grid = np.abs(steps - np.rint(steps)) < _TINY * np.maximum(1, np.abs(steps))
        said = np.where(on_grid, side.said, np.nan)
        yield _Change(f"are rounded to {name}", said, unit / 2, unit / 2)
        yield _Change(f"are cut off after {name}", said, 0, unit - 0.001)


def _shifts(side: _Tracks) -> Iterator[_Change]:
    """By what most tracks begin too late, and by what they end too late."""
    face, row = side.firsts()
    is_first = row == np.arange(len(row))
    is_last = np.append(is_first[1:], True)
    ends = np.searchsorted(side.codes, side.tracks, "right") - 1
    for mine, its in ((is_first, face), (is_last, ends)):
        off, counts = np.unique(
            np.rint((side.said - side.true[its])[mine] * 1000), return_counts=True
        )
        shift = float(off[counts.argmax()]) / 1000
        if shift == 0:
            continue
        frames = shift * 25
        whole = abs(frames - round(frames)) < _NEARLY and round(frames) != 0
        count = "one frame" if abs(round(frames)) == 1 else f"{abs(frames):.0f} frames"
        size = f"{-shift:g}" if shift < 0 else f"{shift:g}"
        yield _Change(
            f"are shifted: {abs(shift):.3g} s too {'late' if shift > 0 else 'early'}"
            + (f" ({count} at 25 fps)" if whole else ""),
            side.said - shift, 0.001, 0.001,
            "count time as the ground truth does, or take the difference off",
            (lambda said, shift=shift: said - shift,
             f"{_TIMES} {'+' if shift < 0 else '-'} {size}"),
            is_fitted=True,
        )  # fmt: skip


def _frame_numbers(side: _Tracks) -> Iterator[_Change]:
    if not (side.said == np.rint(side.said)).mean() >= _ENOUGH:
        return
    for fps in _FPS:
        for first in (0, 1):
            yield _Change(
                f"are numbers of frames, {fps:.5g} a second, from {first} on; seconds are wanted",
                (side.said - first) / fps, (0.5 + _NEARLY) / fps, (0.5 + _NEARLY) / fps,
                f"divide by {fps:.5g}" + (" after taking 1 off" if first else "")
                + f", or {_COPY}",
                (lambda said, fps=fps, first=first: (said - first) / fps,
                 f"({_TIMES} - {first}) / {fps!r}" if first else f"{_TIMES} / {fps!r}"),
            )  # fmt: skip

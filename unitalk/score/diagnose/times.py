"""Times that are not the ground truth's: the change that explains them, and the pairs without it.

Times that are off by a millisecond at most are no problem: they are matched as `match` does it. For
the others, what may have happened is tried on whole tracks. A change says where each prediction's
face would be, and how far around; then as many predictions as possible are laid on faces, in the
order of time. The change that explains most is told, if that is nearly everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.schema.frame_rate import GAP
from unitalk.score.diagnose.findings import (
    SHOWN,
    Finding,
    counted,
    line_for,
    note,
    ok,
    places,
    problem,
)
from unitalk.score.diagnose.pairing import Pairing, keys_of, pair_times
from unitalk.score.diagnose.predictions_file import refusal
from unitalk.score.duplicate_rows import compare
from unitalk.score.near_times import NOBODY, REACH, in_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from unitalk.schema import Faces
    from unitalk.score.diagnose.predictions_file import Read

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

_ENOUGH = 0.9  # of the predictions, and of those without a face, that a change must explain
_LOOKED_AT = 300  # tracks that all changes are tried on
_ROUNDS = 8  # surplus predictions of one track that do not disturb those behind them
_NEARLY = 0.05  # of a frame
_TINY = 1e-6  # what arithmetic in float64 may leave
_FINE = 42  # bits of a time in microseconds, below `schema.MAX_SECONDS`
_FPS = (25.0, 24.0, 30.0, 24_000 / 1001, 30_000 / 1001, 50.0, 60.0)
_RATES = {
    24_000 / 1001: "24000 / 1001", 30_000 / 1001: "30000 / 1001", 60_000 / 1001: "60000 / 1001",
    **{fps: f"{fps:g}" for fps in (24, 25, 30, 50, 60, 23.976, 23.98, 29.97, 59.94)},
}  # fmt: skip
_SAME_RATE = 0.01  # by which a rate that steps show may be off
_NEAREST_RATES = 3  # that are tried


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
        undo: (a, b) where (said - a) / b are seconds, the same for all faces.
        scale: code that divides by b, where that is not the number itself.
        is_fitted: whether it was made to fit, so that nearly all faces must come back as well.
    """

    what: str
    at: Floats
    below: float
    above: float
    advice: str = _COPY
    undo: tuple[float, float] | None = None
    scale: str = ""
    is_fitted: bool = False


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
    true, said = truth.numbers(schema.TIME), faces.numbers(schema.TIME)
    partners, holders = pair_times(wanted, true, keys, said)
    pairing = Pairing(
        partners=partners, holders=holders, tracks=tracks, names=names,
        guessed=np.zeros(len(keys), np.bool_), unused=np.zeros(len(keys), np.bool_),
    )  # fmt: skip
    lost = (partners == NOBODY) & (tracks < len(known))
    if _are_repeats(faces, pairing, np.flatnonzero(lost)):
        lost[:] = False
    both = _Both(
        names=names, wanted=wanted, codes=codes.astype(np.int64), tracks=tracks,
        true=true, said=said, lost=lost, boxes=_boxes(truth, faces),
    )  # fmt: skip
    affected = _affected(both, partners)
    found = _explain(both, affected) if len(affected) else None
    if found is not None:
        change, rows, own = found
        partners[rows] = own
        holders[rows[own != NOBODY]] = NOBODY
        pairing.guessed[rows] = change.undo is None
        return _explained(faces, both, change, rows, pairing), pairing
    if "times" in guess.refused:
        return refusal("times", guess.refused["times"]), None
    strange = np.flatnonzero(lost & ~pairing.repeats)
    if len(strange):
        return _unexplained(faces, pairing, strange), pairing
    there = np.flatnonzero(partners != NOBODY)
    off = there[wanted[partners[there]] != keys[there]]
    if len(off):
        return _a_little_off(both, pairing, off), pairing
    return ok("times", "every known track's times are those of the ground truth"), pairing


def _are_repeats(faces: Faces, pairing: Pairing, rows: Integers) -> bool:
    """Whether all these predictions are others again: copies, or the row of another label.

    Two faces whose times became one by rounding would hardly have the same score, unless all of
    the file has.
    """
    if not len(rows) or not pairing.repeats[rows].all():
        return False
    found = compare(faces, pairing.holders[rows], rows)
    if found.is_by_label or "score" not in found.differing:
        return found.is_by_label
    scores = faces.numbers(schema.SCORE)
    return (
        not found.differing["score"]
        and not (scores == scores[0]).all()
        and (not found.differing.get("box"))
    )


def _a_little_off(both: _Both, pairing: Pairing, rows: Integers) -> Finding:
    first = int(rows[0])
    said, true = in_seconds(both.said[first], both.true[pairing.partners[first]])
    return note(
        "times",
        f"{counted(len(rows), 'prediction')} {'is' if len(rows) == 1 else 'are'} off by a "
        "millisecond at most; each is matched with the only face within reach (the first: "
        f"{both.names[both.tracks[first]]} at {said} s where the face is at {true} s)",
    )


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
    (at,) = in_seconds(faces.numbers(schema.TIME, first, 1)[0])
    return note(
        "times",
        f"{counted(len(rows), 'prediction')} of known tracks {'is' if len(rows) == 1 else 'are'} "
        "at times at which the track has no face, and neither rounding nor a shift nor another "
        f"unit explains it (the first: {pairing.names[pairing.tracks[first]]} at {at} s): see "
        "coverage",
    )


def _explained(
    faces: Faces, both: _Both, change: _Change, rows: Integers, pairing: Pairing
) -> Finding:
    # What has the right time by luck (0.4 is 0.40, rounded or not) is neither counted nor shown.
    moved = np.sort(rows[pairing.partners[rows] != NOBODY])
    true = both.true[pairing.partners[moved]]
    differ = np.abs(true - both.said[moved]) > REACH
    moved, true = moved[differ], true[differ]
    tracks = np.unique(both.tracks[moved])
    pairs = (in_seconds(*pair) for pair in zip(both.said[moved[:SHOWN]], true, strict=False))
    return problem(
        "times",
        f"{counted(len(moved), 'prediction')} of {counted(len(tracks), 'track')} "
        f"{'is' if len(moved) == 1 else 'are'} at times that {change.what}",
        examples=places(
            faces, moved, [f"{said} where the face is at {at} s" for said, at in pairs]
        ),
        advice=change.advice,
        code=_line(faces, both, change, rows, pairing),
    )


def _line(
    faces: Faces, both: _Both, change: _Change, rows: Integers, pairing: Pairing
) -> str | None:
    """The line that makes these pairs of the predictions, tried before it is given.

    It is for all rows, or else for those of the few videos that are affected.
    """
    if change.undo is None:
        return None
    start, unit = change.undo
    code = column = f'predictions["{schema.TIME}"]'
    if start:
        code = f"({column} {'-' if start > 0 else '+'} {abs(start)!r})"
    code = code.strip("()") if unit == 1 else code + (change.scale or f" / {unit!r}")
    scopes: list[tuple[Bools | bool, list[str] | None]] = [(True, None)]
    if schema.VIDEO in faces.table.column_names:
        codes, titles = faces.codes(schema.VIDEO)
        of = np.unique(codes[rows])
        if len(of) <= SHOWN:
            scopes.append((np.isin(codes, of), [titles[video] for video in of]))
    for inside, videos in scopes:
        seconds = np.where(inside, (both.said - start) / unit, both.said)
        keys = keys_of(both.tracks, np.rint(seconds * 1000).astype(np.int64))
        partners, _ = pair_times(both.wanted, both.true, keys, seconds)
        if np.array_equal(partners, pairing.partners):
            return line_for(column, code, videos)
    return None


# ------------------------------------------------------------------------- tracks, face by face


@dataclass(frozen=True, slots=True, kw_only=True)
class _Both:
    """Both files' columns that times are explained with.

    Attributes:
        names: ids of tracks.
        wanted: [faces] keys.
        codes: [faces] the track.
        true: [faces] seconds.
        tracks: [predictions] the track.
        said: [predictions] the time, as it is said.
        lost: [predictions] whether a known track's prediction has no face of its own.
        boxes: [faces, 4] and [predictions, 4]; None when the predictions have none.
    """

    names: list[str]
    wanted: Integers
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
        keys = _finely(self.codes, self.true)
        valid = np.flatnonzero(np.isfinite(change.at))
        place, tracks = change.at[valid], self.tracks[valid]
        low = _finely(tracks, place - change.below)
        high = _finely(tracks, place + change.above)
        first, end = np.searchsorted(keys, low), np.searchsorted(keys, high, "right")
        keep = first < end
        for _ in range(_ROUNDS):
            valid, first, end = valid[keep], first[keep], end[keep]
            # So far behind the last track's faces that no track disturbs the next one.
            steps = np.arange(len(valid)) - self.tracks[valid] * len(self.rows)
            taken = np.maximum.accumulate(first - steps) + steps
            late = np.flatnonzero(taken >= end)
            if not len(late):
                break
            _, worst = np.unique(self.tracks[valid[late]], return_index=True)
            keep = np.ones(len(valid), np.bool_)
            keep[late[worst]] = False
        fits = taken < end
        valid, taken, end = valid[fits], taken[fits], end[fits]
        steps = np.arange(len(valid)) - self.tracks[valid] * len(self.rows)
        early, late = np.full((2, len(self.rows)), NOBODY)
        early[valid] = taken
        late[valid] = np.minimum.accumulate((end - 1 - steps)[::-1])[::-1] + steps
        return early, late


def _finely(tracks: Integers, seconds: Floats) -> Integers:
    """Track and microsecond in one number."""
    return (tracks << _FINE) + np.rint(seconds * 1e6).astype(np.int64)


def _explain(both: _Both, affected: Integers) -> tuple[_Change, Integers, Integers] | None:
    """The change that explains most, if that is nearly everything.

    Returns:
        It; the predictions of the affected tracks; the row of each one's face, or NOBODY.
    """
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
    return change, side.rows, np.where(there, side.faces[places], NOBODY)


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


# ------------------------------------------------------------------------- what may have happened


def _changes(side: _Tracks) -> Iterator[_Change]:
    """Everything that is known to happen; of two that explain as much the first is told."""
    yield from _roundings(side)
    yield from _rates(side)
    yield from _shifts(side)
    what, advice = "are in milliseconds; seconds are wanted", "divide by 1000"
    yield _uniform(side, what, advice, (0.0, 1000.0), REACH)
    if (side.said == np.rint(side.said)).mean() >= _ENOUGH:
        for fps, first in product(_FPS, (0.0, 1.0)):
            yield _uniform(
                side,
                f"are numbers of frames, {fps:.5g} a second, from {first:g} on; seconds are wanted",
                f"divide by {fps:.5g}{' after taking 1 off' if first else ''}, or {_COPY}",
                (first, fps),
                (0.5 + _NEARLY) / fps,
            )
    face, row = side.firsts()
    since = side.said - side.said[row]
    # Counted from a later start, times are smaller, and by more than a frame is out of place.
    start = side.true[face]
    moved = (start - side.said[row] > _usual_step(side) / 2) | (start <= REACH)
    at = np.where(moved, start + since, np.nan)
    what = "count from the start of each track (or of its clip)"
    yield _Change(what, at, REACH, REACH, is_fitted=True)
    nth = np.minimum(face + np.rint(since).astype(np.int64), len(side.true) - 1)
    whole = (since == np.rint(since)) & (side.codes[nth] == side.tracks)
    at = np.where(whole, side.true[nth], np.nan)
    yield _Change("number the faces of each track", at, 0.0, 0.0, is_fitted=True)


def _usual_step(side: _Tracks) -> float:
    """Seconds from face to face, gaps left out; 0 where no track has two faces."""
    steps = np.diff(side.true)[np.diff(side.codes) == 0]
    steps = steps[steps > 0]
    return float(steps[steps < GAP * np.median(steps)].mean()) if len(steps) else 0.0


def _uniform(
    side: _Tracks, what: str, advice: str, undo: tuple[float, float], slack: float
) -> _Change:
    """A change that is undone in all rows alike."""
    start, unit = undo
    at = (side.said - start) / unit
    return _Change(what, at, slack, slack, advice, undo, is_fitted=unit == 1)


def _rates(side: _Tracks) -> Iterator[_Change]:
    """Frames counted at another rate than the ground truth's, those first that fit best."""
    said, true = np.concatenate([(side.said[mine], side.true[its]) for mine, its in _ends(side)], 1)
    late = true >= max(np.median(true), REACH)
    step = _usual_step(side)
    if not late.any() or not step:
        return
    quotient = float(np.median(said[late] / true[late]))
    pairs = [(own, rate) for own, rate in product(_RATES, _RATES)
             if own != rate and abs(rate * step - 1) < _SAME_RATE]  # fmt: skip
    pairs.sort(key=lambda pair: abs(pair[1] / pair[0] - quotient))
    for own, rate in pairs[:_NEAREST_RATES]:
        ours, theirs = (name.replace(" ", "") for name in (_RATES[rate], _RATES[own]))
        code = [f"({name})" if " " in name else name for name in (_RATES[own], _RATES[rate])]
        unit = rate / own
        yield _Change(
            f"count {theirs} frames a second where the ground truth has {ours}",
            side.said / unit, REACH, REACH,
            f"compute them at {ours} frames a second, or {_COPY}",
            undo=(0.0, unit), scale=" * {} / {}".format(*code), is_fitted=True,
        )  # fmt: skip


def _roundings(side: _Tracks) -> Iterator[_Change]:
    for decimals, name in enumerate(("whole seconds", "1 decimal", "2 decimals")):
        unit = 10.0**-decimals
        steps = side.said / unit
        on_grid = np.abs(steps - np.rint(steps)) < _TINY * np.maximum(1, np.abs(steps))
        said = np.where(on_grid, side.said, np.nan)
        yield _Change(f"are rounded to {name}", said, unit / 2, unit / 2)
        yield _Change(f"are cut off after {name}", said, 0, unit - _TINY)


def _ends(side: _Tracks) -> tuple[tuple[Integers, Integers], tuple[Integers, Integers]]:
    """Each track's first prediction and face, and its last ones."""
    face, row = side.firsts()
    first = np.unique(row)
    last = np.append(first[1:], len(row)) - 1
    end = np.searchsorted(side.codes, side.tracks, "right") - 1
    return (first, face[first]), (last, end[last])


def _shifts(side: _Tracks) -> Iterator[_Change]:
    """By what most tracks begin too late, and by what they end too late."""
    for mine, its in _ends(side):
        off = side.said[mine] - side.true[its]
        milliseconds = np.rint(off * 1000)
        values, counts = np.unique(milliseconds, return_counts=True)
        usual = off[milliseconds == values[counts.argmax()]]
        shift = round(float(np.median(usual)), 6)
        frames = round(shift * 25)
        whole = frames and abs(shift * 25 - frames) < _NEARLY
        count = "one frame" if abs(frames) == 1 else f"{abs(frames)} frames"
        if abs(shift) > REACH:
            yield _uniform(
                side,
                f"are shifted: {abs(shift):.3g} s too {'late' if shift > 0 else 'early'}"
                + (f" ({count} at 25 fps)" if whole else ""),
                "count time as the ground truth does, or take the difference off",
                (shift, 1.0),
                REACH,
            )

"""Scores on the wrong faces: the order of tracks in which they would fit.

TalkNet, Light-ASD and LoCoNet write scores by row *position* into the ground truth's file, in the
order of the tracks in their loader file. When that file has the tracks in another order, every
score lands on somebody else's face, and average precision falls to the prior without a message.
So the scores are laid along the orders that such files come in, and back.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.score.diagnose.findings import Finding, note, ok, percent, problem
from unitalk.score.diagnose.score_values import LEAP, area_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from unitalk.score.diagnose.score_values import Scored, Worth

    Floats = npt.NDArray[np.float64]
    Rows = npt.NDArray[np.int64]


_REMEDY = (
    f"write each score beside its {schema.ENTITY} and {schema.TIME}; a program that goes by "
    "position needs a loader file with the tracks in the ground truth's order, "
    f'`groupby("{schema.ENTITY}", sort=False)`'
)
_BEST = 6  # orders that are held against the best one; some are the same the other way round
_FEWEST = 5  # tracks; with fewer of them the chance interval is too coarse to go by


@dataclass(frozen=True, slots=True)
class _Order:
    """One order in which the same rows may stand.

    Attributes:
        name: a clause: "tracks sorted by ...".
        cause: what makes rows stand so.
        rows: [rows] which row stands first, second, ...
        columns: what `DataFrame.sort_values` sorts by to get it, when it is that simple.
    """

    name: str
    cause: str
    rows: Rows
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Fit:
    """How well scores fit that were made in one order and written in another.

    Attributes:
        strength: how much higher positives rank than negatives; grows with the area under the ROC.
        made: the order in which the scores were made.
        written: the order of the rows that they were written to.
        cause: what makes rows stand in the less usual one of the two.
        turned: whether the scores are upside down as well.
    """

    strength: float
    made: _Order
    written: _Order
    cause: str
    turned: bool

    def named(self) -> str:
        """What was done, as a clause."""
        turned = ", and turned round" if self.turned else ""
        return f"made for {self.made.name} and written to {self.written.name}{turned}"

    def on(self, scored: Scored) -> Floats:
        """[rows] the scores on the faces that they were made for."""
        result = np.empty(len(scored.scores))
        result[self.made.rows] = scored.scores[self.written.rows]
        return -result if self.turned else result


def check_order(scored: Scored, worth: Worth) -> Finding:
    """Look for an order of the rows in which the scores make sense, when another one would.

    Args:
        scored: the faces.
        worth: what the scores are worth as they stand.
    """
    if len(np.unique(scored.tracks)) < _FEWEST:
        return note("order", f"not checked: with fewer than {_FEWEST} tracks luck explains much")
    fits: list[_Fit] = []
    tried = 0
    for fit in _fits(scored):
        tried += 1
        fits = sorted([*fits, fit], key=lambda fit: -fit.strength)[:_BEST]
    said = f"none of {tried:,} other ways to lay the scores on the faces fits clearly better"
    if fits:
        best = fits[0].on(scored)
        area = area_of(scored.labels, best)
        if worth.leaps_to(area):
            rival = next((fit for fit in fits if not _is_worse(scored, fit, best)), None)
            return _misordered(scored, fits[0], rival, area, worth)
    return note("order", said) if worth.at_chance else ok("order", said)


def _is_worse(scored: Scored, fit: _Fit, best: Floats) -> bool:
    """Whether an order is clearly worse than the best where the two differ, if they do.

    There a wrong order is worth no more than chance, when the best one is right.
    """
    own = fit.on(scored)
    differ = best != own
    labels = scored.labels[differ]
    if not labels.any():
        return not differ.any()
    area = area_of(labels, best[differ])
    margin = max(LEAP, (area - float(labels.mean())) / 4)
    return area - area_of(labels, own[differ]) > margin


def _misordered(
    scored: Scored, fit: _Fit, rival: _Fit | None, area: float, worth: Worth
) -> Finding:
    code = _code(scored, fit) if rival is None else None
    which = fit.cause if rival is None else f"{rival.named()}, they get hardly less"
    return problem(
        "order",
        f"the scores are on the wrong faces: {fit.named()}, they get {percent(area)} instead of "
        f"{percent(worth.area)}; {which}",
        advice=_REMEDY + ("; to put these scores where they belong" if code else ""),
        code=code,
    )


def _code(scored: Scored, fit: _Fit) -> str | None:
    """The lines that bring each score to its face, where sorting is all it takes.

    They go by position and sort text, as rows' labels may be there twice and categories are sorted
    by something else.
    """
    sorting = fit.made if fit.written.name == _AS_IS else fit.written
    plain = _AS_IS in {fit.made.name, fit.written.name}
    if not plain or not sorting.columns or not scored.sortable.issuperset(sorting.columns):
        return None
    texts = {name: "str" for name in sorting.columns if name != schema.TIME}
    of = f"predictions.astype({texts})" if texts else "predictions"
    place = "order.argsort()" if sorting is fit.made else "order"
    score = f'predictions["{schema.SCORE}"]'
    return (
        f"order = {of}.reset_index(drop=True).sort_values({list(sorting.columns)}, "
        f'kind="stable").index\n'
        f"{score} = {'-' if fit.turned else ''}{score}.to_numpy()[{place}]"
    )


def _fits(scored: Scored) -> Iterator[_Fit]:
    """Every pair of a place where the scores may stand and an order in which they may be made."""
    strengths = _ranks(scored.scores)
    speaking = scored.labels.astype(np.float64)
    as_is = _Order(_AS_IS, "", np.arange(len(speaking)))
    truth = _Order(_AS_TRUTH, "the rows were put in another order without their scores",
                   np.argsort(scored.places))  # fmt: skip
    moved = [] if np.array_equal(as_is.rows, truth.rows) else [truth]
    for base, others in ((as_is, moved), *((order, []) for order in moved)):
        seen = {_digest(base.rows)}
        for order in chain(others, _orders(scored, base)):
            key = _digest(order.rows)
            if key in seen:
                continue
            seen.add(key)
            for made, written in ((order, base), (base, order)):
                strength = float(strengths[written.rows] @ speaking[made.rows])
                yield _Fit(abs(strength), made, written, order.cause, strength < 0)


def _digest(rows: Rows) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(rows).data, digest_size=16).digest()


def _ranks(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Each score's rank, equal ones sharing theirs, around a mean of 0."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: npt.NDArray[np.float64] = (ends - counts / 2)[places]
    return ranks - len(scores) / 2


# ------------------------------------------------------------------------------ orders

_AS_IS = "the rows as they stand"
_AS_TRUTH = "the ground truth's rows"
_GROUPBY = (
    f'`groupby("{schema.ENTITY}")` sorts the ids, and so does a listing of folders: a loader file '
    "made so has another order than the ground truth"
)


def _orders(scored: Scored, base: _Order) -> Iterator[_Order]:
    """The orders in which programs put rows, seen from the order of one file."""
    blocks = _Blocks.of(scored, base.rows)
    names = scored.names
    text = sorted(blocks.first, key=lambda track: names[track])
    yield _Order("tracks sorted by id as text", _GROUPBY, blocks.lay(text),
                 (schema.ENTITY, schema.TIME))  # fmt: skip
    for name, cause, tracks in _orders_of_tracks(blocks, scored, text):
        yield _Order(name, cause, blocks.lay(tracks))
    yield from _orders_of_rows(scored, base, blocks)


_WHOLE = "the rows of a track do not stand together in the file, and loaders take tracks whole"
_STABLE = "rows were sorted by time, and what is equal kept its order"
_NUMBERS = "a natural sort (natsort, `sort -V`, a file manager) puts track 2 before track 10"
_CAPITALS = "file systems and databases that ignore capitals list ids so"
_LISTING = "programs that list folders or group by video go by this order"
_LENGTH = "some loaders sort tracks by their length"
_BACKWARDS = "a sort was reversed, or a stack read from its end"
_UP = "the first track was taken for a header, or left out"
_DOWN = "a track too many stands first in the loader file"


def _orders_of_tracks(
    blocks: _Blocks, scored: Scored, text: list[int]
) -> Iterator[tuple[str, str, list[int]]]:
    """The name, the cause and the tracks of each order that takes tracks whole.

    Args:
        blocks: the tracks.
        scored: the faces.
        text: the tracks sorted by id.
    """
    first, title, size = blocks.first, blocks.title, blocks.size
    number = [_natural(name) for name in scored.names]
    place: dict[str, int] = {}
    for track in first:
        place.setdefault(title[track], len(place))

    yield "tracks one after the other", _WHOLE, first
    by_number = sorted(text, key=number.__getitem__)  # what is equal keeps its order, as below
    yield "tracks sorted by id, numbers as numbers", _NUMBERS, by_number
    yield ("tracks sorted by id without regard to capitals", _CAPITALS,
           sorted(text, key=lambda t: scored.names[t].casefold()))  # fmt: skip
    descending = {name: -at for at, name in enumerate(sorted(place))}
    for which, rank in (
        ("sorted by id", title.__getitem__),
        ("sorted by id, backwards", lambda t: descending[title[t]]),
        ("as in the file", lambda t: place[title[t]]),
        ("in the reverse order", lambda t: -place[title[t]]),
    ):
        yield f"videos {which}, tracks as in the file", _LISTING, sorted(first, key=rank)
        yield f"videos {which}, tracks sorted as text", _LISTING, sorted(text, key=rank)
        yield f"videos {which}, tracks by number", _LISTING, sorted(by_number, key=rank)
    down = text[::-1]
    for start, where in ((first, ""), (text, ", then by id"), (down, ", then by id downwards")):
        for which, key in (("", size.__getitem__), (", longest first", (-size).__getitem__)):
            yield f"tracks sorted by length{which}{where}", _LENGTH, sorted(start, key=key)
    yield "tracks in the reverse order", _BACKWARDS, first[::-1]
    yield "tracks sorted by id, backwards", _BACKWARDS, down
    yield "tracks moved up by one", _UP, [*first[1:], first[0]]
    yield "tracks moved down by one", _DOWN, [first[-1], *first[:-1]]


def _orders_of_rows(scored: Scored, base: _Order, blocks: _Blocks) -> Iterator[_Order]:
    frames = "scores were written frame by frame, and the ground truth stands track by track"
    seen = np.empty(len(scored.names), np.int64)
    seen[blocks.first] = np.arange(len(blocks.first))
    moments, tracks, videos = scored.moments, scored.tracks, scored.videos
    by_title = np.argsort(np.argsort(np.array(scored.titles)))[videos]
    by_name = np.argsort(np.argsort(np.array(scored.names)))[tracks]
    _, appears = np.unique(videos[base.rows], return_index=True)
    by_place = np.zeros(len(scored.titles), np.int64)
    by_place[np.unique(videos)] = appears
    yield _Order("rows frame by frame, videos as in the file", frames,
                 np.lexsort((seen[tracks], moments, by_place[videos])))  # fmt: skip
    yield _Order("rows sorted by video, time and id", frames,
                 np.lexsort((by_name, moments, by_title)),
                 (schema.VIDEO, schema.TIME, schema.ENTITY))  # fmt: skip
    yield _Order("rows sorted by time and id", frames, np.lexsort((by_name, moments)),
                 (schema.TIME, schema.ENTITY))  # fmt: skip
    within = np.empty(len(moments), np.int64)
    within[base.rows] = np.arange(len(moments))
    yield _Order("rows sorted by time", _STABLE, np.lexsort((within, moments)), (schema.TIME,))
    yield _Order("rows sorted by video and time", _STABLE, np.lexsort((within, moments, by_title)),
                 (schema.VIDEO, schema.TIME))  # fmt: skip
    yield _Order("rows from the last to the first", "a sort was reversed", base.rows[::-1])
    yield _Order("each track from its end to its start", "time was reversed within the tracks",
                 blocks.lay(blocks.first, backwards=True))  # fmt: skip
    off = "a header line was taken for a row, or a row for a header"
    yield _Order("rows moved up by one", off, np.roll(base.rows, -1))
    yield _Order("rows moved down by one", off, np.roll(base.rows, 1))


def _natural(name: str) -> list[tuple[int, int, str]]:
    """A key that puts numbers within a text in the order of numbers."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


@dataclass(frozen=True, slots=True)
class _Blocks:
    """The rows of each track, in time order, to be laid one track after another.

    Attributes:
        rows: [rows] sorted by track and time.
        starts: [tracks] where each track's rows begin among these.
        size: [tracks] how many they are.
        first: the tracks in the order in which they first appear.
        title: each track's video id.
    """

    rows: Rows
    starts: Rows
    size: Rows
    first: list[int]
    title: list[str]

    @classmethod
    def of(cls, scored: Scored, base: Rows) -> _Blocks:
        """Sort the rows of one order into blocks."""
        size = np.bincount(scored.tracks, minlength=len(scored.names))
        there, appears = np.unique(scored.tracks[base], return_index=True)
        title = [""] * len(scored.names)
        for track, place in zip(there, appears, strict=True):
            title[track] = scored.titles[scored.videos[base[place]]]
        return cls(
            scored.by_track(), np.cumsum(size) - size, size,
            [int(track) for track in there[np.argsort(appears)]], title,
        )  # fmt: skip

    def lay(self, tracks: Iterable[int], *, backwards: bool = False) -> Rows:
        """The rows of some tracks, one track after the other."""
        order = np.fromiter(tracks, np.int64)
        counts = self.size[order]
        before = np.cumsum(counts) - counts
        within = np.arange(int(counts.sum())) - np.repeat(before, counts)
        if backwards:
            within = np.repeat(counts, counts) - 1 - within
        rows: Rows = self.rows[np.repeat(self.starts[order], counts) + within]
        return rows

"""Scores on the wrong faces: the order of rows in which they would fit.

TalkNet, Light-ASD and LoCoNet write scores by row *position* into the ground truth's file, in the
order of the tracks in their loader file. When that file has the tracks in another order, every
score ends up on another face, and average precision falls to the prior without a message.
So the scores are tried in the orders that such files have, and the other way round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unitalk import schema
from unitalk.schema.face_table import NOBODY
from unitalk.score.diagnose.findings import Finding, note, ok, percent, problem
from unitalk.score.diagnose.score_values import area_of, sort_keys, sorted_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from unitalk.score.diagnose.score_values import Scored

    Floats = npt.NDArray[np.float64]

_REMEDY = (
    f"write each score beside its {schema.ENTITY} and {schema.TIME}; a program that goes by "
    "position needs a loader file with the tracks in the ground truth's order, "
    f'`groupby("{schema.ENTITY}", sort=False)`'
)
_GROUPBY = (
    f'`groupby("{schema.ENTITY}")` sorts the ids, and so does a listing of folders: a loader file '
    "made so has another order than the ground truth"
)
_LISTING = "programs that list folders or group by video go by this order"
_FRAMES = "scores were written frame by frame, and the ground truth has track after track"
_SORTS = (
    ("tracks sorted by id as text", _GROUPBY, (schema.ENTITY, schema.TIME)),
    ("videos sorted by id, tracks sorted as text", _LISTING,
     (schema.VIDEO, schema.ENTITY, schema.TIME)),
    ("videos sorted by id, tracks as in the file", _LISTING, (schema.VIDEO,)),
    ("rows sorted by video, time and id", _FRAMES, (schema.VIDEO, schema.TIME, schema.ENTITY)),
)  # fmt: skip
"""The orders that people's programs make: a name, a cause, and what `sort_values` sorts by."""
_AS_IS = "the rows as they stand"
_FEWEST = 5  # tracks; with fewer of them the chance interval is too coarse to go by


class _Fit(NamedTuple):
    """The scores as if they were made for one order of the rows and written to another.

    Attributes:
        made: the name of the order that the scores were made for.
        written: the name of the order of the rows that they were written to.
        cause: what puts rows in the less usual one of the two.
        columns: what rows are sorted by to get that; empty for the ground truth's own order.
        ranks: [rows] the ranks of the scores, on the faces that these were made for.
    """

    made: str
    written: str
    cause: str
    columns: tuple[str, ...]
    ranks: Floats


def check_order(scored: Scored) -> Finding:
    """Look for an order of the rows in which the scores fit clearly better."""
    if len(np.unique(scored.keys[schema.ENTITY])) < _FEWEST:
        return note("order", f"not checked: with fewer than {_FEWEST} tracks luck explains much")
    positives = scored.labels.astype(np.float64)
    fits = [(float(fit.ranks @ positives), fit) for fit in _fits(scored)]
    strength, best = max(fits, key=lambda one: abs(one[0]))
    turned = strength < 0
    area = area_of(scored.labels, -best.ranks if turned else best.ranks)
    if not scored.leaps_to(area):
        said = f"none of {len(fits)} other row orders fits the scores clearly better"
        return note("order", said) if scored.at_chance else ok("order", said)
    code = _code(best, turned=turned) if _sorts(scored, best.columns) else None
    made = f"made for {best.made} and written to {best.written}"
    return problem(
        "order",
        f"the scores are on the wrong faces: {made}{', and inverted' if turned else ''}, they "
        f"get {percent(area)} instead of {percent(scored.area)}; {best.cause}",
        advice=_REMEDY + ("; to put these scores where they belong" if code else ""),
        code=code,
    )


def _fits(scored: Scored) -> Iterator[_Fit]:
    """Lay the scores on the faces in every known way, as ranks around a mean of 0."""
    _, places, counts = np.unique(scored.scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - counts / 2)[places] - len(places) / 2
    for name, cause, columns in _SORTS:
        order = sorted_by(scored.keys, columns)
        yield _Fit(name, _AS_IS, cause, columns, ranks[np.argsort(order)])
        yield _Fit(_AS_IS, name, cause, columns, ranks[order])
    cause = "the rows were put in another order without their scores"
    place = np.argsort(np.argsort(scored.places))
    yield _Fit("the ground truth's rows", _AS_IS, cause, (), ranks[place])


def _sorts(scored: Scored, columns: tuple[str, ...]) -> bool:
    """Whether sorting the predictions puts them in the order in which their faces are sorted."""
    own = sort_keys(scored.faces, np.arange(len(scored.faces)))
    if not columns or not own.keys() >= set(columns) or (scored.partners == NOBODY).any():
        return False
    meant = sort_keys(scored.truth, scored.partners)
    return np.array_equal(sorted_by(own, columns), sorted_by(meant, columns))


def _code(fit: _Fit, *, turned: bool) -> str:
    """The lines that bring each score to its face.

    They go by position and sort text, as rows' labels may repeat and categories are sorted by
    something else.
    """
    texts = {name: "str" for name in fit.columns if name != schema.TIME}
    place = "order" if fit.made == _AS_IS else "order.argsort()"
    score = f'predictions["{schema.SCORE}"]'
    return (
        f"order = predictions.astype({texts}).reset_index(drop=True)"
        f'.sort_values({list(fit.columns)}, kind="stable").index\n'
        f"{score} = {'-' if turned else ''}{score}.to_numpy()[{place}]"
    )

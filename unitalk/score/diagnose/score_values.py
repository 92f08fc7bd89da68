"""Labels and scores: what a score is the score of, and what may have happened to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.score import ap
from unitalk.score.diagnose.findings import Finding, counted, note, ok, percent, places, problem

if TYPE_CHECKING:
    import numpy.typing as npt

    from unitalk.schema import Faces
    from unitalk.score.diagnose.pairing import Pairing

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]

_LEAP = 0.05  # what a change must add to average precision beyond chance to be believed
_CHANCE_ROWS = 100_000  # the chance interval is taken over at most about this many faces
_MATTERS = 1e-3  # average precision that depends on the order of ties: a problem from here on
_PRINTED = 0.5e-4  # half of the last digit that the reference prints: worth a note
_DECIMALS = 6  # scores with more are not looked at as rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The predictions that are for a face that counts, in the order of their rows.

    Attributes:
        places: [rows] the face's row in the ground truth.
        tracks: [rows] a number for the track.
        keys: [rows] by column, numbers that sort as video, id and time do, ids as text.
        labels: [rows] whether the face speaks.
        scores: [rows].
        sortable: columns of the predictions that sort as `keys` do.
    """

    places: Integers
    tracks: npt.NDArray[np.int32]
    keys: dict[str, Integers]
    labels: Bools
    scores: Floats
    sortable: frozenset[str]

    @classmethod
    def of(
        cls, truth: Faces, faces: Faces, pairing: Pairing, sortable: frozenset[str]
    ) -> Scored | None:
        """Take them out; None where there are none, or no scores."""
        rows = pairing.found
        if (counts := truth.scored()) is not None:
            rows = rows[counts[pairing.partners[rows]]]
        if not len(rows) or schema.SCORE not in faces.table.column_names:
            return None
        places = pairing.partners[rows]
        keys = {schema.TIME: truth.milliseconds()[places]}
        for column in (schema.VIDEO, schema.ENTITY):
            codes, names = truth.codes(column)
            keys[column] = np.argsort(np.argsort(np.array(names)))[codes[places]]
        return cls(
            places=places, tracks=truth.codes(schema.ENTITY)[0][places], keys=keys,
            labels=positives_of(truth)[places], scores=faces.numbers(schema.SCORE)[rows],
            sortable=sortable,
        )  # fmt: skip

    def sorted_by(self, columns: tuple[str, ...]) -> Integers:
        """The order that a stable `DataFrame.sort_values` gives."""
        return np.lexsort([self.keys[column] for column in reversed(columns)])

    def worth(self) -> Worth | None:
        """Measure the scores; None without a positive, a negative, or a second row."""
        positives = int(np.count_nonzero(self.labels))
        ranking = ap.rank(self.labels, self.scores)
        area, best = ap.average_precision(ranking), ap.best_case(ranking)
        order = np.lexsort((self.keys[schema.TIME], self.tracks))
        few = order[:: -(-len(order) // _CHANCE_ROWS)]
        chance = ap.chance_interval(self.labels[few], self.scores[few])
        if area is None or best is None or chance is None or positives == len(order):
            return None
        return Worth(
            area=area, best=best, chance=chance, prior=positives / len(order), rows=len(order)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What the scores are worth as they stand.

    Attributes:
        area: average precision.
        best: what the reference could print with luck in the order of ties.
        chance: the lowest and the highest of these scores on faces that they do not belong to.
        prior: share of positives.
        rows: faces.
    """

    area: float
    best: float
    chance: tuple[float, float]
    prior: float
    rows: int

    def leaps_to(self, area: float) -> bool:
        """Whether another average precision is so much higher that luck is no explanation.

        The margin grows with the chance interval: with few tracks, some order of several gets far
        by luck. Twice its width is about seven standard deviations.
        """
        low, high = self.chance
        return area > max(self.area, high) + max(_LEAP, 2 * (high - low))

    @property
    def at_chance(self) -> bool:
        """Whether the scores do no better than on other faces."""
        return self.area <= self.chance[1]


def area_of(labels: Bools, scores: Floats) -> float:
    """Average precision where there is a positive."""
    return ap.average_precision(ap.rank(labels, scores)) or 0.0


# ------------------------------------------------------------------------------ labels


def check_truth_labels(truth: Faces) -> Finding | None:
    """Refuse ground truth with labels of one class; None when there are both."""
    positive, counts = positives_of(truth), truth.scored()
    if counts is not None:
        positive = positive[counts]
    if positive.any() and not positive.all():
        return None
    which = schema.SPEAKING if positive.all() else f"not {schema.SPEAKING}"
    return problem(
        "labels",
        f"every face of the ground truth ({len(positive):,}) is labelled {which}, so that no score "
        "can be right or wrong",
        advice="give ground truth with labels; AVA's test split has none, and a program that fills "
        "them in gets 100 % whatever the scores",
    )


def positives_of(faces: Faces) -> Bools:
    """Which faces are labelled as speaking."""
    codes, names = faces.codes(schema.LABEL)
    result: Bools = np.array([name == schema.SPEAKING for name in names])[codes]
    return result


def check_labels(faces: Faces, used: Bools) -> Finding:
    """Check that each of the predictions in use says that its score is that of speaking."""
    if schema.LABEL not in faces.table.column_names:
        return ok("labels", f"there is no column; each score is that of {schema.SPEAKING}")
    codes, names = faces.codes(schema.LABEL)
    counts = np.bincount(codes[used], minlength=len(names))
    there = {name: int(count) for name, count in zip(names, counts, strict=True) if count}
    if set(there) <= {schema.SPEAKING}:
        return ok("labels", f"each score is that of {schema.SPEAKING}, and the ground truth has "
                  "both classes")  # fmt: skip
    code = f'predictions["{schema.LABEL}"] = "{schema.SPEAKING}"'
    if set(there) == {schema.UNLABELLED}:
        return note(
            "labels",
            f"every label is empty; each score is taken as that of {schema.SPEAKING}",
            advice=f"the reference needs it spelled out: {code}",
        )
    others = np.flatnonzero(~positives_of(faces) & used)[:2]
    shares = ", ".join(
        f"{count:,} {name or 'nothing'}" for name, count in sorted(there.items(), reverse=True)
    )
    return problem(
        "labels",
        f"the predictions' labels are mixed: {shares}; the reference fails on them or drops rows",
        examples=places(faces, others, [names[codes[row]] or "nothing" for row in others]),
        advice=f"write {schema.SPEAKING} in every row: the score says how much of that it is",
        code=code,
    )


# ------------------------------------------------------------------------------ scores


def check_scores(scored: Scored | None, everything: Floats, worth: Worth | None) -> Finding:
    """Look for scores that say nothing, that are inverted, or that were rounded away.

    `everything` are all scores, also of predictions that are for no face; `worth` may be unknown.
    """
    values, counts = np.unique(everything, return_counts=True)
    if len(values) == 1:
        return problem(
            "scores",
            f"every score is {values[0]:g}: average precision can only be the prior"
            + (f", {percent(worth.prior)}" if worth else ""),
            advice="look into the model's output: a head that was not loaded, or a column of "
            "constants",
        )
    if scored is not None and worth is not None and worth.at_chance:
        turned = area_of(scored.labels, -scored.scores)
        if worth.leaps_to(turned):
            return problem(
                "scores",
                f"the scores are inverted: negated, they get {percent(turned)} instead of "
                f"{percent(worth.area)}",
                advice=f"give the score of {schema.SPEAKING}, not that of the other class",
                code=f'predictions["{schema.SCORE}"] = -predictions["{schema.SCORE}"]',
            )
    if len(values) == 2:  # noqa: PLR2004
        return problem(
            "scores",
            f"there are only two scores, {values[0]:g} and {values[1]:g}: these are decisions, "
            "and average precision ranks",
            advice="write the model's score before the threshold",
        )
    if worth is None or worth.best - worth.area <= _PRINTED:
        return ok("scores", f"{len(values):,} different scores, {values[0]:g} to {values[-1]:g}")
    return _tied(values, counts, worth)


def _tied(values: Floats, counts: npt.NDArray[np.intp], worth: Worth) -> Finding:
    shares = counts / counts.sum()
    decimals = next((d for d in range(_DECIMALS) if (np.round(values, d) == values).all()), None)
    rounded = "" if decimals is None else f", written with {counted(decimals, 'decimal')}"
    advice = "write scores with all their digits (repr, not %.4f), best as logits"
    what = (
        f"{percent(shares[counts > 1].sum())} of the faces share their score with another one"
        f"{rounded} ({percent(shares[0])} have the lowest, {percent(shares[-1])} the highest): "
        f"the reference, which has no rule for that, prints anything from "
        f"{percent(worth.area)} to {percent(worth.best)}"
    )
    if worth.best - worth.area < _MATTERS:
        return note("scores", what, advice=advice)
    return problem("scores", what, advice=advice)


# ------------------------------------------------------------------------------ the result


def check_result(worth: Worth | None, *, explained: bool) -> Finding:
    """The number itself, and what chance would give.

    `explained`: another check has said already why the scores are worth nothing.
    """
    if worth is None:
        return note("result", "there is no average precision to give")
    low, high = (percent(edge) for edge in worth.chance)
    span = low if low == high else f"{low} to {high}"
    what = (
        f"average precision {percent(worth.area)} of {counted(worth.rows, 'face')}, prior "
        f"{percent(worth.prior)}; on faces that they do not belong to, these scores get {span}"
    )
    if not worth.at_chance:
        return ok("result", what)
    if explained:
        return note("result", what)
    return note(
        "result",
        f"{what}: they say nothing about these faces, and no order of tracks that is known to "
        "happen restores them",
        advice="look at what the model saw: black crops (`convert_asc` lists them), silent "
        "audio, weights that were not loaded, a shuffled loader",
    )

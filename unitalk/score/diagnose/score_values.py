"""Labels and scores: what a score is the score of, and what may have happened to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk import schema
from unitalk.score import ap
from unitalk.score.diagnose.findings import Finding, counted, note, ok, percent, places, problem

if TYPE_CHECKING:
    from collections.abc import Sequence

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


@dataclass(frozen=True, kw_only=True)
class Scored:
    """The predictions that are for a face that counts, and what their scores are worth.

    Attributes:
        truth: the ground truth.
        faces: the predictions.
        partners: [predictions] as `Pairing` has them.
        places: [rows] the face's row in the ground truth.
        keys: [rows] what the ground truth's rows are sorted by, as `sort_keys` returns it.
        labels: [rows] whether the face speaks; there are both.
        scores: [rows].
        order: [rows] the rows by track and time.
    """

    truth: Faces
    faces: Faces
    partners: Integers
    places: Integers
    keys: dict[str, npt.NDArray[Any]]
    labels: Bools
    scores: Floats
    order: Integers

    @classmethod
    def of(cls, truth: Faces, faces: Faces, pairing: Pairing) -> Scored | None:
        """Take them out; None without scores, a positive or a negative."""
        rows = pairing.found
        if (counts := truth.scored()) is not None:
            rows = rows[counts[pairing.partners[rows]]]
        places = pairing.partners[rows]
        labels = positives_of(truth)[places]
        if labels.all() or not labels.any() or schema.SCORE not in faces.table.column_names:
            return None
        tracks = truth.codes(schema.ENTITY)[0][places]
        return cls(
            truth=truth, faces=faces, partners=pairing.partners, places=places,
            keys=sort_keys(truth, places), labels=labels, scores=faces.numbers(schema.SCORE)[rows],
            order=np.lexsort((truth.milliseconds()[places], tracks)),
        )  # fmt: skip

    @property
    def prior(self) -> float:
        """The share of positives."""
        return np.count_nonzero(self.labels) / len(self.labels)

    @cached_property
    def _ranking(self) -> ap.Ranking:
        return ap.rank(self.labels, self.scores)

    @cached_property
    def area(self) -> float:
        """Average precision."""
        return ap.average_precision(self._ranking) or 0.0

    @cached_property
    def best(self) -> float:
        """What the reference could print with luck in the order of ties."""
        return ap.best_case(self._ranking) or 0.0

    @cached_property
    def chance(self) -> tuple[float, float]:
        """The lowest and the highest of these scores on faces that they do not belong to."""
        few = self.order[:: -(-len(self.order) // _CHANCE_ROWS)]
        return ap.chance_interval(self.labels[few], self.scores[few]) or (0.0, 1.0)

    @property
    def at_chance(self) -> bool:
        """Whether the scores do no better than on other faces."""
        return self.area <= self.chance[1]

    def leaps_to(self, area: float) -> bool:
        """Whether another average precision is so much higher that luck is no explanation.

        The margin grows with the chance interval: with few tracks, some order of several gets far
        by luck. Twice its width is about seven standard deviations.
        """
        low, high = self.chance
        return area > max(self.area, high) + max(_LEAP, 2 * (high - low))


def sort_keys(faces: Faces, rows: Integers) -> dict[str, npt.NDArray[Any]]:
    """[rows] By column, numbers that sort as its values do, ids as text."""
    keys = {schema.TIME: faces.numbers(schema.TIME)[rows]}
    for column in {schema.VIDEO, schema.ENTITY} & set(faces.table.column_names):
        codes, names = faces.codes(column)
        keys[column] = np.argsort(np.argsort(np.array(names)))[codes[rows]]
    return keys


def sorted_by(keys: dict[str, npt.NDArray[Any]], columns: Sequence[str]) -> Integers:
    """The order that a stable `DataFrame.sort_values` gives."""
    return np.lexsort([keys[column] for column in reversed(columns)])


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
        return ok("labels", f"no label column; each score counts as that of {schema.SPEAKING}")
    codes, names = faces.codes(schema.LABEL)
    counts = np.bincount(codes[used], minlength=len(names))
    there = {name: int(count) for name, count in zip(names, counts, strict=True) if count}
    if set(there) <= {schema.SPEAKING}:
        return ok("labels", f"every label is {schema.SPEAKING}, and the ground truth has both "
                  "classes")  # fmt: skip
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


def check_scores(scored: Scored | None, everything: Floats) -> Finding:
    """Look for scores that say nothing, that are inverted, or that were rounded away.

    `everything` are all scores, also of predictions that are for no face.
    """
    values, counts = np.unique(everything, return_counts=True)
    if len(values) == 1:
        return problem(
            "scores",
            f"every score is {values[0]:g}: average precision can only be the prior"
            + (f", {percent(scored.prior)}" if scored else ""),
            advice="look into the model's output: a head that was not loaded, or a column of "
            "constants",
        )
    turned = area_of(scored.labels, -scored.scores) if scored and scored.at_chance else None
    if scored and turned and scored.leaps_to(turned):
        return problem(
            "scores",
            f"the scores are inverted: negated, they get {percent(turned)} instead of "
            f"{percent(scored.area)}",
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
    if scored is None or scored.best - scored.area <= _PRINTED:
        return ok("scores", f"{len(values):,} different scores, {values[0]:g} to {values[-1]:g}")
    return _tied(values, counts, scored)


def _tied(values: Floats, counts: npt.NDArray[np.intp], scored: Scored) -> Finding:
    shares = counts / counts.sum()
    decimals = next((d for d in range(_DECIMALS) if (np.round(values, d) == values).all()), None)
    rounded = "" if decimals is None else f", written with {counted(decimals, 'decimal')}"
    advice = "write scores with all their digits (repr, not %.4f), best as logits"
    what = (
        f"{percent(shares[counts > 1].sum())} of the faces share their score with another one"
        f"{rounded} ({percent(shares[0])} have the lowest, {percent(shares[-1])} the highest): "
        f"the reference, which has no rule for that, prints anything from "
        f"{percent(scored.area)} to {percent(scored.best)}"
    )
    if scored.best - scored.area < _MATTERS:
        return note("scores", what, advice=advice)
    return problem("scores", what, advice=advice)


# ------------------------------------------------------------------------------ the result


def check_result(scored: Scored, *, explained: bool) -> Finding:
    """The number itself, and what chance would give.

    `explained`: another check has said already why the scores are worth nothing.
    """
    low, high = map(percent, scored.chance)
    what = (
        f"average precision {percent(scored.area)} of {counted(len(scored.labels), 'face')}, prior "
        f"{percent(scored.prior)}; assigned to other faces, the same scores get "
        f"{low if low == high else f'{low} to {high}'}"
    )
    if not scored.at_chance:
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

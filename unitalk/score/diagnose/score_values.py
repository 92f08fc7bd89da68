"""Labels and scores: what a score is the score of, and what may have happened to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.score import ap
from unitalk.score.diagnose.findings import Finding, counted, note, ok, percent, places, problem
from unitalk.score.match import counting

if TYPE_CHECKING:
    import numpy.typing as npt

    from unitalk.schema import Faces

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

LEAP = 0.05
"""What a change must add to average precision at least, beyond chance, to be believed."""
_CHANCE_ROWS = 100_000  # the chance interval is taken over at most about this many faces
_MATTERS = 1e-3  # average precision that hangs on the order of ties: a problem from here on
_PRINTED = 0.5e-4  # half of the last digit that the reference prints: worth a note
_DECIMALS = 6  # scores with more are not looked at as rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Scored faces in the order of the predictions' rows.

    Attributes:
        tracks: [rows] index into `names`.
        names: entity ids.
        videos: [rows] index into `titles`.
        titles: video ids.
        moments: [rows] milliseconds.
        places: [rows] the face's row in the ground truth.
        labels: [rows] whether the face speaks.
        scores: [rows].
        sortable: columns of the predictions that hold what stands here, row by row.
    """

    tracks: npt.NDArray[np.int32]
    names: list[str]
    videos: npt.NDArray[np.int32]
    titles: list[str]
    moments: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]
    labels: npt.NDArray[np.bool_]
    scores: npt.NDArray[np.float64]
    sortable: frozenset[str] = frozenset()

    def by_track(self) -> npt.NDArray[np.int64]:
        """The order by track and time."""
        return np.lexsort((self.moments, self.tracks))

    def is_constant_by_track(self) -> bool:
        """Whether each track's faces share one score, and some track has several."""
        order = self.by_track()
        tracks, scores = self.tracks[order], self.scores[order]
        same = tracks[1:] == tracks[:-1]
        return bool(same.any() and (scores[1:] == scores[:-1])[same].all())


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What the scores are worth as they stand.

    Attributes:
        area: average precision.
        best: what the reference could print with luck in the order of ties.
        chance: (lowest, highest) of these scores on faces that they do not belong to.
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

        The margin grows with the chance interval: with few tracks, some order among dozens gets
        far by luck. Twice its width is about seven standard deviations.
        """
        low, high = self.chance
        return area > max(self.area, high) + max(LEAP, 2 * (high - low))

    @property
    def at_chance(self) -> bool:
        """Whether the scores do no better than on other faces."""
        return self.area <= self.chance[1]


def measure(labels: Bools, scores: Floats, order: npt.NDArray[np.int64]) -> Worth | None:
    """Measure the scores; None without a positive, a negative, or a second row.

    Args:
        labels: [rows].
        scores: [rows].
        order: sorts rows by track and time.
    """
    positives = int(np.count_nonzero(labels))
    ranking = ap.rank(labels, scores)
    area, best = ap.average_precision(ranking), ap.best_case(ranking)
    few = order[:: -(-len(order) // _CHANCE_ROWS)]
    chance = ap.chance_interval(labels[few], scores[few])
    if area is None or best is None or chance is None or positives == len(labels):
        return None
    return Worth(
        area=area, best=best, chance=chance, prior=positives / len(labels), rows=len(labels)
    )


def area_of(labels: Bools, scores: Floats) -> float:
    """Average precision where there is a positive."""
    return ap.average_precision(ap.rank(labels, scores)) or 0.0


def opposite(scores: Floats) -> Floats:
    """Each score as that of not speaking: from 1 for probabilities, negated for anything else."""
    probabilities = scores.min() >= 0 and scores.max() <= 1
    return 1 - scores if probabilities else -scores


# ------------------------------------------------------------------------------ labels


def check_truth_labels(truth: Faces) -> Finding | None:
    """Refuse ground truth with labels of one class; None when there are both."""
    positive, counts = positives_of(truth), counting(truth)
    if counts is not None:
        positive = positive[counts]
    if positive.all() or not positive.any():
        which = schema.SPEAKING if positive.all() else f"not {schema.SPEAKING}"
        return problem(
            "labels",
            f"every face of the ground truth ({len(positive):,}) is labelled {which}, so that no "
            "score can be right or wrong",
            advice="give ground truth with labels; AVA's test split has none, and a program that "
            "fills them in gets 100 % whatever the scores",
        )
    return None


def positives_of(faces: Faces) -> Bools:
    """Which faces are labelled as speaking."""
    codes, names = faces.codes(schema.LABEL)
    result: Bools = np.array([name == schema.SPEAKING for name in names])[codes]
    return result


def check_labels(
    faces: Faces, rows: npt.NDArray[np.int64], labels: Bools, worth: Worth | None, used: Bools
) -> tuple[Finding, Floats | None]:
    """Look whether each predicted row says that its score is that of speaking.

    Args:
        faces: the predictions.
        rows: the predictions that are for a face.
        labels: [rows] whether that face speaks.
        worth: what the scores are worth; None when that is unknown.
        used: [predictions] False for those whose label does not matter.

    Returns:
        The finding; all scores as those of speaking, where they are not.
    """
    if schema.LABEL not in faces.table.column_names:
        return ok("labels", f"there is no column; each score is that of {schema.SPEAKING}"), None
    codes, names = faces.codes(schema.LABEL)
    counts = np.bincount(codes[used], minlength=len(names))
    said = {name: int(count) for name, count in zip(names, counts, strict=True) if count}
    if set(said) <= {schema.SPEAKING}:
        return ok("labels", f"each score is that of {schema.SPEAKING}, and the ground truth has "
                  "both classes"), None  # fmt: skip
    code = f'predictions["{schema.LABEL}"] = "{schema.SPEAKING}"'
    if set(said) == {schema.UNLABELLED}:
        return note(
            "labels",
            f"every label is empty; each score is taken as that of {schema.SPEAKING}",
            advice=f"the reference needs it spelled out: {code}",
        ), None
    speaks = positives_of(faces)
    others = np.flatnonzero(~speaks & used)
    shares = ", ".join(
        f"{count:,} {name or 'nothing'}" for name, count in sorted(said.items(), reverse=True)
    )
    why = "; they are the ground truth's own" if np.array_equal(speaks[rows], labels) else ""
    advice = f"write {schema.SPEAKING} in every row: the score says how much of that it is"
    spoken = None
    if worth is not None:
        scores = faces.numbers(schema.SCORE)
        turned = np.where(speaks, scores, opposite(scores))
        area = area_of(labels, turned[rows])
        if worth.leaps_to(area):
            spoken = turned
            why = (
                "; each score seems to be that of its row's own label: turned round in the other "
                f"rows, they get {percent(area)} instead of {percent(worth.area)}"
            )
            advice = f"write each score as that of {schema.SPEAKING}, and that in every row"
            code = _turning(scores) + code
    return problem(
        "labels",
        f"the predictions' labels are mixed: {shares}{why}; the reference fails on them or drops "
        "rows",
        examples=places(faces, others[:2], [names[codes[row]] or "nothing" for row in others[:2]]),
        advice=advice,
        code=code,
    ), spoken


def _turning(scores: Floats) -> str:
    other = f'(predictions["{schema.LABEL}"] != "{schema.SPEAKING}")'
    score = f'predictions["{schema.SCORE}"]'
    turned = f"1 - {score}" if scores.min() >= 0 and scores.max() <= 1 else f"-{score}"
    return f"{score} = {score}.mask{other[:-1]}, {turned})\n"


# ------------------------------------------------------------------------------ scores


def check_scores(scored: Scored | None, everything: Floats, worth: Worth | None) -> Finding:
    """Look for scores that say nothing, that were rounded away, or that are upside down.

    Args:
        scored: the predictions that are for a face, when there are some.
        everything: the scores of all predictions.
        worth: what the scores are worth; None when that is unknown.
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
                f"the scores are upside down: turned round they get "
                f"{percent(turned)} instead of {percent(worth.area)}",
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
    return _ties(values, counts, len(everything), scored, worth)


def _ties(
    values: Floats, counts: npt.NDArray[np.intp], rows: int, scored: Scored | None,
    worth: Worth | None,
) -> Finding:  # fmt: skip
    tied = int(counts[counts > 1].sum())
    if scored is None or worth is None or worth.best - worth.area <= _PRINTED:
        return ok("scores", f"{len(values):,} different scores, {values[0]:g} to {values[-1]:g}")
    decimals = next((d for d in range(_DECIMALS) if (np.round(values, d) == values).all()), None)
    rounded = "" if decimals is None else f", written with {counted(decimals, 'decimal')}"
    advice = "write scores with all their digits (repr, not %.4f), best as logits"
    if scored.is_constant_by_track():
        rounded = "; all faces of a track share one"
        advice = "write a score for each face, not one for the whole track"
    what = (
        f"{percent(tied / rows)} of the faces share their score with another one{rounded} "
        f"({percent(counts[0] / rows)} have the lowest, {percent(counts[-1] / rows)} the highest): "
        f"the reference, which has no rule for that, prints anything from "
        f"{percent(worth.area)} to {percent(worth.best)}"
    )
    if worth.best - worth.area < _MATTERS:
        return note("scores", what, advice=advice)
    return problem("scores", what, advice=advice)


# ------------------------------------------------------------------------------ the result


def result(worth: Worth | None, *, explained: bool) -> Finding:
    """The number itself, and what chance would give.

    Args:
        worth: what the scores are worth.
        explained: whether another check has said already why they are worth nothing.
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
        advice="look at what the model saw: black crops (`unitalk convert-asc` lists them), silent "
        "audio, weights that were not loaded, a shuffled loader",
    )

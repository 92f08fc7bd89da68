"""Warnings to show before a score is published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.score import ap

if TYPE_CHECKING:
    import numpy.typing as npt

    from unitalk.score.match import Matched

_CHANCE_ROWS = 100_000  # the chance interval is taken over at most about this many faces
_PRINTED = 0.5e-4  # half of the last digit that the reference prints
_SATURATED = 0.01  # the share of faces at the two ends of the scores that is worth a word


def undefined(faces: int, positives: int) -> str | None:
    """Say why there is no number, or None."""
    if positives == 0:
        return f"no face is labelled {schema.SPEAKING}"
    if positives == faces:
        return (
            f"every face is labelled {schema.SPEAKING}, so that any scores would get 100 %: "
            "is this AVA's test split, which has no labels?"
        )
    return None


def warnings(
    matched: Matched,
    area: float | None,
    best: float | None,
    chance: tuple[float, float] | None,
    ties: int,
) -> list[str]:
    """Say what is doubtful about a number.

    Args:
        matched: what was scored.
        area: the number.
        best: what it would be with the positives of every tie first.
        chance: the lowest and highest number on faces that the scores do not belong to.
        ties: faces that share their score.
    """
    said = []
    if matched.missing:
        said.append(
            f"partial: {matched.missing:,} faces have no prediction and were left out; this number "
            "is not that of the whole ground truth"
        )
    if matched.near:
        said.append(
            f"partial: {matched.near:,} faces were left out although a prediction is within a "
            "millisecond of each; a partial number is of times that are equal in whole "
            "milliseconds"
        )
    if matched.elsewhere:
        said.append(
            f"partial: {matched.elsewhere:,} faces were left out because another system has no "
            "prediction for them"
        )
    if matched.extra:
        said.append(f"partial: {matched.extra:,} predictions have no face and were left out")
    if area is not None and chance is not None and area <= chance[1]:
        low, high = (f"{100 * edge:.2f}" for edge in chance)
        span = f"{low} %" if low == high else f"{low} to {high} %"
        how = "below" if area < chance[0] else "within noise of"
        also = "; are the scores inverted?" if area < chance[0] else ""
        said.append(
            f"{how} the prior: assigned to other faces, the same scores get {span}{also}; "
            "`diagnose` looks for the cause"
        )
    if area is not None and best is not None and best - area > _PRINTED:
        said.append(
            f"{ties:,} faces share their score with others; the reference, which has no rule for "
            f"ties, prints anything from {100 * area:.2f} to {100 * best:.2f} % by row order"
        )
    said += _saturation(matched.scores)
    if matched.other_labels:
        said.append(
            f"{matched.other_labels:,} predicted rows have another label than {schema.SPEAKING}; "
            f"each score was taken as the score of {schema.SPEAKING}"
        )
    return said


def _saturation(scores: npt.NDArray[np.float64]) -> list[str]:
    """Notice scores that were cut off at both ends, as `%.4f` does with probabilities."""
    low, high = float(scores.min()), float(scores.max())
    if low == high:
        return []
    at = [int(np.count_nonzero(scores == edge)) for edge in (low, high)]
    if min(at) < 2 or sum(at) < _SATURATED * len(scores):  # noqa: PLR2004 - alone is no tie
        return []
    return [
        f"{sum(at):,} faces ({100 * sum(at) / len(scores):.1f} %) have the lowest or the highest "
        f"score ({low:g}, {high:g}): saturated, or written with few digits; write logits, or "
        "all digits"
    ]


def chance(
    matched: Matched, hashes: npt.NDArray[np.uint64], tracks: npt.NDArray[np.uint64]
) -> tuple[float, float] | None:
    """The chance interval, on a part of the faces when there are many.

    Which ones is decided by their hashes, and their order by their entity's hash and time, so that
    the order of the file's rows does not matter here either.
    """
    rows = len(hashes)
    few = np.arange(rows)
    if rows > _CHANCE_ROWS:
        few = np.flatnonzero(hashes < np.uint64(2**64 * (_CHANCE_ROWS / rows)))
    moment = matched.milliseconds()[few]
    order = few[np.lexsort((moment, tracks[matched.tracks[few]]))]
    return ap.chance_interval(matched.labels[order], matched.scores[order])

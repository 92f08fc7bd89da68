"""Compute from the matched faces how each video scores, and which tracks score worst."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unitalk.score import ap

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from unitalk.score.match import Matched

ENOUGH_FACES = 10
"""Tracks with fewer faces are among the worst only where there are too few others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """One video, scored by every system.

    Attributes:
        name: its id.
        tracks: entities that its faces belong to.
        faces: how many.
        positives: faces labelled as speaking.
        average_precisions: one for each system, 0 to 1; None without a positive, or with nothing
            else.
    """

    name: str
    tracks: int
    faces: int
    positives: int
    average_precisions: tuple[float | None, ...]

    @property
    def prior(self) -> float:
        """Positives / faces."""
        return self.positives / self.faces


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One track's faces in the order of time.

    Attributes:
        name: the entity id.
        video: the video's id.
        seconds: [faces] ascending.
        labels: [faces] True for speaking.
        ranks: [faces] each score's place among all scores, 0 the lowest to 1 the highest.
        error: the share of pairs that its faces lose, averaged over them.
    """

    name: str
    video: str
    seconds: npt.NDArray[np.float64]
    labels: npt.NDArray[np.bool_]
    ranks: npt.NDArray[np.float64]
    error: float


def by_video(matches: Sequence[Matched]) -> list[Video]:
    """Score every video on its own, the lowest number of the first system on top.

    Args:
        matches: one for each system, whose rows are the same faces.
    """
    first = matches[0]
    order = np.argsort(first.video_codes, kind="stable")
    codes, starts = np.unique(first.video_codes[order], return_index=True)
    found = [
        Video(
            name=first.video_names[code],
            tracks=len(np.unique(first.tracks[rows])),
            faces=len(rows),
            positives=int(np.count_nonzero(first.labels[rows])),
            average_precisions=tuple(
                _average_precision(first.labels[rows], matched.scores[rows]) for matched in matches
            ),
        )
        for code, rows in zip(codes.tolist(), np.split(order, starts[1:]), strict=True)
    ]
    return sorted(found, key=_lowest_first)


def _average_precision(
    labels: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]
) -> float | None:
    return None if labels.all() else ap.average_precision(ap.rank(labels, scores))


def _lowest_first(video: Video) -> tuple[bool, float, str]:
    value = video.average_precisions[0]
    return value is None, value or 0.0, video.name


def losses(
    labels: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64] | None:
    """Count for each face, in halves, the pairs that it loses; a pair is a positive and a negative.

    A positive loses to the negatives with a higher score, a negative to the positives with a lower
    one; a tie is half lost. As a share of the pairs that it is in, the mean over the positives, and
    that over the negatives, is one minus the area under the ROC curve (the Mann-Whitney statistic),
    so this shares that area out among the faces.

    Args:
        labels: [rows] True for a positive.
        scores: [rows].

    Returns:
        [rows] 0 to twice the faces of the other label; None where there is no pair.
    """
    high, low = np.sort(scores[labels]), np.sort(scores[~labels])
    if not len(high) or not len(low):
        return None
    lost = np.empty(len(scores), np.int64)
    lost[labels] = 2 * len(low) - _halves_below(low, scores[labels])
    lost[~labels] = _halves_below(high, scores[~labels])
    return lost


def _halves_below(
    ascending: npt.NDArray[np.float64], values: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Count, in halves, the sorted numbers below each value; equal ones count half."""
    left = np.searchsorted(ascending, values, "left")
    right = np.searchsorted(ascending, values, "right")
    return left + right


def _errors(matched: Matched) -> npt.NDArray[np.float64] | None:
    """Average the share of pairs that faces lose: [tracks], 0 without faces; None without pairs."""
    lost = losses(matched.labels, matched.scores)
    if lost is None:
        return None
    tracks = len(matched.track_names)
    errors = np.zeros(tracks)
    for label in (False, True):
        rows = matched.labels == label
        # Sums of whole numbers, below 2**53: exact, so that the order of the rows decides no digit.
        sums = np.bincount(matched.tracks[rows], weights=lost[rows], minlength=tracks)
        errors += sums / (2 * np.count_nonzero(~rows))
    errors /= np.maximum(np.bincount(matched.tracks, minlength=tracks), 1)
    return errors


def worst(matched: Matched, *, limit: int = 10) -> list[Track]:
    """Find the tracks whose faces lose the largest share of their pairs, the worst first.

    Tracks of at least `ENOUGH_FACES` faces come before shorter ones, and equals in the order of
    their ids; tracks that lose nothing are left out.
    """
    errors = _errors(matched)
    if errors is None:
        return []
    faces = np.bincount(matched.tracks, minlength=len(matched.track_names))
    candidates = np.flatnonzero(errors > 0).tolist()
    candidates.sort(
        key=lambda code: (
            faces[code] < ENOUGH_FACES,
            # Rounded, so that rounding decides no tie.
            -round(float(errors[code]), 12),
            matched.track_names[code],
        )
    )
    ascending = np.sort(matched.scores)
    return [_track(matched, code, ascending, float(errors[code])) for code in candidates[:limit]]


def _track(matched: Matched, code: int, ascending: npt.NDArray[np.float64], error: float) -> Track:
    rows = np.flatnonzero(matched.tracks == code)
    rows = rows[np.argsort(matched.keys[rows])]
    return Track(
        name=matched.track_names[code],
        video=matched.video_names[int(matched.video_codes[rows[0]])],
        seconds=matched.milliseconds()[rows] / 1000,
        labels=matched.labels[rows],
        ranks=_halves_below(ascending, matched.scores[rows]) / (2 * len(ascending)),
        error=error,
    )

"""Results put together by hand, of which tests make the report's page.

A number on such a page can only come from here or from the page's own arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from unitalk.layout import Layout, face_name
from unitalk.score.match import Matched
from unitalk.score.metrics import Metrics
from unitalk.score.result import Evaluation, Group, Resamples

HOSTILE = '<script>alert(1)</script>&"'


@dataclass(frozen=True)
class Row:
    """One face: where it is, whether it speaks, its score."""

    video: str
    track: str
    seconds: float
    speaks: bool
    score: float


def rows_of(video: str, track: str, speaks: str, scores: Sequence[float], start=0.0, step=0.04):
    """A track's faces, `x` for one that speaks and `-` for one that does not."""
    return [
        Row(video, track, round(start + step * index, 3), letter == "x", score)
        for index, (letter, score) in enumerate(zip(speaks, scores, strict=True))
    ]


def matched_of(rows: Sequence[Row]) -> Matched:
    tracks = list(dict.fromkeys(row.track for row in rows))
    videos = list(dict.fromkeys(row.video for row in rows))
    codes = np.array([tracks.index(row.track) for row in rows], np.int32)
    milliseconds = np.array([round(1000 * row.seconds) for row in rows], np.int64)
    return Matched(
        rows=None,
        labels=np.array([row.speaks for row in rows], np.bool_),
        scores=np.array([row.score for row in rows], np.float64),
        keys=(codes.astype(np.int64) << 32) + milliseconds,
        tracks=codes,
        track_names=tracks,
        video_codes=np.array([videos.index(row.video) for row in rows], np.int32),
        video_names=videos,
        missing=0,
        extra=0,
        other_labels=0,
    )


def group_of(by=None, *, positives=3, faces=6, area: float | None = 0.5, interval=None, flags=()):
    return Group(
        by=by or {},
        videos=2,
        tracks=3,
        faces=faces,
        positives=positives,
        prior=positives / faces,
        average_precision=area,
        interval=interval,
        flags=flags,
    )


def evaluation_of(rows: Sequence[Row] | Matched, *, name="predictions", **changed) -> Evaluation:
    """A result that says of the faces what the caller says, whatever their scores."""
    matched = rows if isinstance(rows, Matched) else matched_of(rows)
    positives = int(matched.labels.sum())
    made = Evaluation(
        name=name,
        average_precision=0.5,
        undefined=None,
        interval=None,
        faces=len(matched.labels),
        tracks=len(matched.track_names),
        videos=len(matched.video_names),
        positives=positives,
        prior=positives / len(matched.labels),
        ties=0,
        reference_interval=None,
        chance_interval=None,
        missing=0,
        extra=0,
        groups=(group_of(),),
        resamples=None,
        metrics=None,
        inputs={"groundtruth": "a frame", "predictions": "a frame"},
        warnings=(),
        signature="ap:ava|ties:grouped|unitalk:0.1.0",
        matched=matched,
    )
    return replace(made, **changed)


SIX = [
    *rows_of("a", "a:1", "x-", (0.9, 0.8)),
    *rows_of("a", "a:2", "-", (0.6,)),
    *rows_of("b", "b:1", "x-x", (0.7, 0.5, 0.4)),
]
"""Six faces that can be checked by eye.

    score      .9   .8   .7   .6   .5   .4
    speaking    x    -    x    -    -    x
    track      a:1  a:1  b:1  a:2  b:1  b:1
    precision 1/1  1/2  2/3  2/4  2/5  3/6
    envelope    1  2/3  2/3  1/2  1/2  1/2
    recall    1/3  1/3  2/3  2/3  2/3    1      area = (1 + 2/3 + 1/2) / 3 = 13/18 = 72.22 %

Pairs lost. A positive: of the three negatives (.8 .6 .5) those above it. A negative: of the three
positives (.9 .7 .4) those below it.

    lost       0/3  2/3  1/3  1/3  1/3  3/3
    a:1  (0 + 2/3) / 2        = 1/3
    a:2  1/3                  = 1/3
    b:1  (1/3 + 1/3 + 1) / 3  = 5/9

Videos: a is .9 x, .8 -, .6 -: area 1. b is .7 x, .5 -, .4 x: area (1 + 2/3) / 2 = 5/6.
"""

DRAWN = Resamples(
    method="jackknife-t", unit="video", limit=5000, count=1234, seed=7, confidence=0.95
)

OWN = Metrics(
    roc_auc=5 / 9, sklearn_average_precision=0.7, best_f1=0.6, best_f1_threshold=0.5,
    threshold=0.5, f1=0.5, accuracy=0.5, precision=0.5, recall=0.5, equal_error_rate=0.5,
    false_alarms_at_90_recall=1003, false_alarm_rate_at_90_recall=0.5,
    expected_calibration_error=0.1,
)  # fmt: skip

NOISE, LANGUAGE = {"category": "noise"}, {"category": "language"}
GROUPS = (
    group_of(LANGUAGE, area=0.9, interval=(0.85, 0.95), positives=3, faces=5),
    group_of(NOISE, area=None, positives=0, faces=1200, flags=("no positives",)),
    group_of(area=13 / 18, interval=(0.6, 0.8), positives=3, faces=1205, flags=("few videos",)),
)


def many_rows(videos: int, tracks: int, faces: int, seed: int) -> Matched:
    """Faces of so many tracks a video; logits that follow the labels somewhat."""
    random = np.random.default_rng(seed)
    total = videos * tracks * faces
    codes = np.repeat(np.arange(videos * tracks, dtype=np.int32), faces)
    labels = np.random.default_rng(0).random(total) < 0.4
    milliseconds = np.tile(40 * np.arange(faces, dtype=np.int64), videos * tracks)
    return Matched(
        rows=None,
        labels=labels,
        scores=2 * labels + random.normal(0, 1.5, total),
        keys=(codes.astype(np.int64) << 32) + milliseconds,
        tracks=codes,
        track_names=[f"{code // tracks:011}:{code % tracks}" for code in range(videos * tracks)],
        video_codes=codes // np.int32(tracks),
        video_names=[f"{code:011}" for code in range(videos)],
        missing=0,
        extra=0,
        other_labels=0,
    )


def write_face(layout: Layout, video: str, track: str, seconds: float, picture) -> None:
    folder = layout.track("val", video, track)
    folder.mkdir(parents=True, exist_ok=True)
    picture.save(folder / face_name(seconds), "JPEG", quality=95)

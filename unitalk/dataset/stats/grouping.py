"""The numbers of a group of videos, from what was counted of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk.dataset.stats.stats_result import Group, Level, Shares, Spread
from unitalk.schema import bins

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from unitalk.dataset.stats.counting import Counted, Floats

_HOUR_MS = 3_600_000
_USUAL_STEP = (0.5, 1.5)  # of the median; a longer one is a gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """All that was counted, and the meaning of its numbers.

    Attributes:
        counted: of all videos.
        labels: the labels that `counted.label` has numbers for.
        speaking: which of them is that of the positives.
        boxes: whether the boxes are relative to the frame, so that their sizes mean something.
        frames: [videos, 2] width and height of each video's frames in pixels; NaN is unknown.
    """

    counted: Counted
    labels: Sequence[str]
    speaking: str
    boxes: bool
    frames: Floats


def group(
    data: Dataset,
    videos: Sequence[int],
    *,
    level: Level,
    split: str | None = None,
    category: str | None = None,
    video: str | None = None,
) -> Group:
    """Sum up some videos, which are given by their numbers in ascending order; at least one."""
    counted = data.counted
    labels = by_code(counted.label.take(videos), data.labels, of="faces")
    span, faces = counted.track_span.take(videos), counted.track_faces.take(videos)
    seconds = span * faces / np.maximum(faces - 1, 1) / 1000
    company = counted.frame_faces.take(videos)
    codes = bins.company_codes(company)
    by_frame = np.bincount(codes, weights=company, minlength=len(bins.COMPANY)).astype(int)
    speakers = counted.frame_speakers.take(videos).clip(max=len(bins.SPEAKERS) - 1)
    stretch = counted.stretch.take(videos)
    step, rate = steps(counted.step.take(videos))
    return Group(
        level=level,
        split=split,
        category=category,
        video=video,
        videos=len(videos),
        tracks=len(faces),
        faces=labels.total,
        track_hours=float(seconds.sum()) * 1000 / _HOUR_MS,
        labels=labels,
        speaking=labels.counts[data.speaking],
        frames=len(company),
        frames_by_faces=by_code(codes, bins.COMPANY, of="frames"),
        faces_by_company=_shares(by_frame, bins.COMPANY, of="faces"),
        frames_by_speakers=by_code(speakers, bins.SPEAKERS, of="frames"),
        track_seconds=spread(seconds),
        tracks_by_length=by_code(bins.length_codes(span, faces), bins.LENGTHS, of="tracks"),
        stretches=len(stretch),
        stretch_seconds=spread(stretch) if len(stretch) else None,
        label_changes=counted.change.count(videos),
        step_seconds=step,
        faces_a_second=rate,
        **_sizes(data, videos),
    )


def by_code(codes: npt.NDArray[Any], names: Sequence[str], *, of: str) -> Shares:
    """Count codes 0, 1, ... under their names."""
    return _shares(np.bincount(codes, minlength=len(names)), names, of=of)


def _shares(counts: npt.NDArray[Any], names: Sequence[str], *, of: str) -> Shares:
    return Shares(of=of, counts=dict(zip(names, counts.tolist(), strict=True)))


def spread(values: npt.NDArray[Any]) -> Spread:
    """Return the range, the quartiles and the mean of one value or more."""
    least, lower, median, upper, most = np.quantile(values, (0, 0.25, 0.5, 0.75, 1)).tolist()
    return Spread(
        least=least, lower=lower, median=median, upper=upper, most=most, mean=float(values.mean())
    )


def steps(milliseconds: npt.NDArray[np.int64]) -> tuple[float | None, float | None]:
    """Return the median time step in seconds, and the faces per second.

    Times are in whole milliseconds, so that at 29.97 a second steps are 33 and 34: the median is
    33, and only the mean says 29.97. It leaves out gaps, which say nothing of the video.
    """
    milliseconds = milliseconds[milliseconds > 0]
    if not len(milliseconds):
        return None, None
    median = float(np.median(milliseconds))
    low, high = (median * factor for factor in _USUAL_STEP)
    usual = milliseconds[(milliseconds >= low) & (milliseconds <= high)]
    return median / 1000, 1000 / float(usual.mean()) if len(usual) else None


def _sizes(data: Dataset, videos: Sequence[int]) -> dict[str, Any]:
    """Return the fields of a group that say how large the faces are."""
    names = ("width", "height", "area", "pixel_width", "pixel_height", "faces_by_pixel_width",
             "faces_by_pixel_area")  # fmt: skip
    found: dict[str, Any] = dict.fromkeys(names)
    if not data.boxes:
        return found
    width, height = data.counted.width, data.counted.height
    found["width"] = spread(width.take(videos))
    found["height"] = spread(height.take(videos))
    found["area"] = spread(width.take(videos) * height.take(videos))
    known = [video for video in videos if not np.isnan(data.frames[video]).any()]
    if not known:
        return found
    faces = np.diff(width.bounds)[known]
    across = bins.pixels(width.take(known), np.repeat(data.frames[known, 0], faces))
    down = bins.pixels(height.take(known), np.repeat(data.frames[known, 1], faces))
    codes = bins.width_codes(across), bins.area_codes(across * down)
    return found | {
        "pixel_width": spread(across),
        "pixel_height": spread(down),
        "faces_by_pixel_width": by_code(codes[0], bins.WIDTHS, of="faces"),
        "faces_by_pixel_area": by_code(codes[1], bins.AREAS, of="faces"),
    }

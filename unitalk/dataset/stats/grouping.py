"""The numbers of a group of videos, from what was counted of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk.dataset.stats.stats_result import Group, Level, Shares, Spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from unitalk.dataset.stats.counting import Counted, Floats

# The bounds are those of unitalk/score/breakdown.py, which stands a floor above; a test holds
# the two together.
LENGTHS_MS = (1000, 3000, 5000, 10_000)
LENGTHS = ("0-1", "1-3", "3-5", "5-10", ">10")
COMPANY = ("1", "2", "3", "4+")
SPEAKERS = ("0", "1", "2+")
SMALL, LARGE = 64, 128
WIDTHS = (f"<{SMALL}", f"{SMALL}-{LARGE}", f">{LARGE}")
AREAS = (f"<{SMALL}^2", f"{SMALL}^2-{LARGE}^2", f">={LARGE}^2")

_HOUR_MS = 3_600_000
_QUANTILES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)
_USUAL_STEP = (0.5, 1.5)  # of the median; what is longer is a gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """All that was counted, and what its numbers stand for.

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
        frames_by_faces=by_code(np.minimum(company, len(COMPANY)) - 1, COMPANY, of="frames"),
        faces_by_company=_by_company(company),
        frames_by_speakers=by_code(
            np.minimum(counted.frame_speakers.take(videos), len(SPEAKERS) - 1),
            SPEAKERS,
            of="frames",
        ),
        track_seconds=spread(seconds),
        tracks_by_length=by_code(length_codes(span, faces), LENGTHS, of="tracks"),
        stretches=len(stretch),
        stretch_seconds=spread(stretch) if len(stretch) else None,
        label_changes=counted.change.count(videos),
        step_seconds=step,
        faces_a_second=rate,
        **_sizes(data, videos),
    )


def by_code(codes: npt.NDArray[Any], names: Sequence[str], *, of: str) -> Shares:
    """Count codes 0, 1, ... under their names."""
    counts = np.bincount(codes, minlength=len(names)).tolist()
    return Shares(of=of, counts=dict(zip(names, counts, strict=True)))


def _by_company(company: npt.NDArray[np.int64]) -> Shares:
    """The faces of the frames that have one, two, three or more."""
    codes = np.minimum(company, len(COMPANY)) - 1
    counts = np.bincount(codes, weights=company, minlength=len(COMPANY)).astype(int).tolist()
    return Shares(of="faces", counts=dict(zip(COMPANY, counts, strict=True)))


def length_codes(
    span: npt.NDArray[np.int64], faces: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The place of each track in `LENGTHS`, in whole numbers: span * faces / steps, and bounds.

    Args:
        span: [tracks] milliseconds from the first face to the last.
        faces: [tracks]
    """
    length, steps = span * faces, np.maximum(faces - 1, 1)
    codes = np.zeros(len(span), np.int64)
    for bound in LENGTHS_MS[:-1]:
        codes += length >= bound * steps
    return codes + (length > LENGTHS_MS[-1] * steps)


def spread(values: npt.NDArray[Any]) -> Spread:
    """Quantiles, range and mean of one value or more."""
    least, p5, lower, median, upper, p95, most = np.quantile(values, _QUANTILES).tolist()
    return Spread(
        least=least, p5=p5, lower=lower, median=median, upper=upper, p95=p95, most=most,
        mean=float(values.mean()),
    )  # fmt: skip


def steps(milliseconds: npt.NDArray[np.int64]) -> tuple[float | None, float | None]:
    """The median time step in seconds, and how many faces there are a second.

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
    """The fields of a group that say how large the faces are."""
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
    # A csv has six digits or so: what was 64 pixels must not come back as 63.9999.
    faces = np.diff(width.bounds)[known]
    across = np.round(width.take(known) * np.repeat(data.frames[known, 0], faces), 2)
    down = np.round(height.take(known) * np.repeat(data.frames[known, 1], faces), 2)
    found["pixel_width"], found["pixel_height"] = spread(across), spread(down)
    codes = (across >= SMALL).astype(np.int64) + (across > LARGE)
    found["faces_by_pixel_width"] = by_code(codes, WIDTHS, of="faces")
    area = across * down
    codes = (area >= SMALL**2).astype(np.int64) + (area >= LARGE**2)
    found["faces_by_pixel_area"] = by_code(codes, AREAS, of="faces")
    return found

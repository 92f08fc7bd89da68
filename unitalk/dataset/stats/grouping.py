"""Sum up a group of videos from what was counted of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk import schema
from unitalk.dataset.stats.stats_result import UNLABELLED, Group, Level, Shares, Spread
from unitalk.schema import bins

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from unitalk.dataset.stats.counting import Counted

    Numbers = npt.NDArray[Any]

LABELS = (schema.SPEAKING, schema.NOT_SPEAKING, schema.NOT_AUDIBLE, UNLABELLED)
"""The labels by their numbers in `Counted.label`; the first one is `counting.SPEAKS`."""

NO_CATEGORY = "(none)"
"""The category of a video in no list, in a split in which others have one."""

_HOUR_MS = 3_600_000
_USUAL_STEP = (0.5, 1.5)  # of the median; a longer one is a gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """One video of a split, and what was counted of it.

    Attributes:
        split: the split.
        name: its id.
        category: None where it is in no list.
        frame: width and height in pixels; None where they are unknown.
        counted: its counts.
    """

    split: str
    name: str
    category: str | None
    frame: tuple[float, float] | None
    counted: Counted


def group(
    videos: Sequence[Video], level: Level, *, labels: Sequence[str] = LABELS, boxes: bool = True
) -> Group:
    """Sum up some videos, at least one.

    Args:
        videos: the videos.
        level: what they are.
        labels: the labels to name.
        boxes: whether the boxes are relative to the frame, so that their sizes mean something.
    """
    counted = [video.counted for video in videos]
    by_label = by_code(_joined(one.label for one in counted), labels, of="faces")
    span = _joined(one.track_span for one in counted)
    faces = _joined(one.track_faces for one in counted)
    seconds = span * faces / np.maximum(faces - 1, 1) / 1000
    company = _joined(one.frame_faces for one in counted)
    speakers = _joined(one.frame_speakers for one in counted).clip(max=len(bins.SPEAKERS) - 1)
    codes = bins.company_codes(company)
    stretch = _joined(one.stretch for one in counted)
    step, rate = steps(_joined(one.step for one in counted))
    category = videos[0].category
    return Group(
        level=level,
        split=None if level == "total" else videos[0].split,
        category={"video": category, "category": category or NO_CATEGORY}.get(level),
        video=videos[0].name if level == "video" else None,
        videos=len(videos),
        tracks=len(faces),
        faces=by_label.total,
        track_hours=float(seconds.sum()) * 1000 / _HOUR_MS,
        labels=by_label,
        speaking=by_label.counts[schema.SPEAKING],
        frames=len(company),
        frames_by_faces=by_code(codes, bins.COMPANY, of="frames"),
        faces_by_company=by_code(codes, bins.COMPANY, of="faces", weights=company),
        frames_by_speakers=by_code(speakers, bins.SPEAKERS, of="frames"),
        track_seconds=spread(seconds),
        tracks_by_length=by_code(bins.length_codes(span, faces), bins.LENGTHS, of="tracks"),
        stretches=len(stretch),
        stretch_seconds=spread(stretch) if len(stretch) else None,
        label_changes=sum(one.changes for one in counted),
        step_seconds=step,
        faces_a_second=rate,
        **_sizes(videos, boxes=boxes),
    )


def _sizes(videos: Sequence[Video], *, boxes: bool) -> dict[str, Any]:
    """The fields of a group that say how large the faces are."""
    known = [(video.counted, video.frame) for video in videos if boxes and video.frame]
    found: dict[str, Any] = dict.fromkeys(
        ("width", "height", "area", "pixel_width", "pixel_height", "faces_by_pixel_width",
         "faces_by_pixel_area")
    )  # fmt: skip
    if boxes:
        width = _joined(video.counted.width for video in videos)
        height = _joined(video.counted.height for video in videos)
        found |= {"width": spread(width), "height": spread(height), "area": spread(width * height)}
    if known:
        across = _joined(bins.pixels(counted.width, frame[0]) for counted, frame in known)
        down = _joined(bins.pixels(counted.height, frame[1]) for counted, frame in known)
        widths, areas = bins.width_codes(across), bins.area_codes(across * down)
        found |= {
            "pixel_width": spread(across),
            "pixel_height": spread(down),
            "faces_by_pixel_width": by_code(widths, bins.WIDTHS, of="faces"),
            "faces_by_pixel_area": by_code(areas, bins.AREAS, of="faces"),
        }
    return found


def _joined(arrays: Iterable[Numbers]) -> Numbers:
    own = list(arrays)
    return own[0] if len(own) == 1 else np.concatenate(own)


def by_code(
    codes: Numbers, names: Sequence[str], *, of: str, weights: Numbers | None = None
) -> Shares:
    """Count codes 0, 1, ... under their names, or sum up the weights of each."""
    counts = np.bincount(codes, weights, minlength=len(names)).astype(int).tolist()
    return Shares(of=of, counts=dict(zip(names, counts, strict=True)))


def spread(values: Numbers) -> Spread:
    """Return the range, the quartiles and the mean of one value or more."""
    least, lower, median, upper, most = np.quantile(values, (0, 0.25, 0.5, 0.75, 1)).tolist()
    return Spread(
        least=least, lower=lower, median=median, upper=upper, most=most, mean=float(values.mean())
    )


def steps(milliseconds: Numbers) -> tuple[float | None, float | None]:
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

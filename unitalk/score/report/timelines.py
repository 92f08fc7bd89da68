"""A track over time: its label as a band, its score as a line, its faces above."""

from __future__ import annotations

import base64
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unitalk.errors import DataError
from unitalk.layout import Layout
from unitalk.score.report.figures import figure, line, nice_ticks, place, stretched
from unitalk.score.report.markup import Markup, tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from unitalk.score.report.details import Track

TILES = 24
"""Faces in a strip."""
_TILE_HEIGHT = 64  # pixels; shown at about half of that, so that it is sharp on a fine screen

_WHOLE = (0.0, 0.0, 1.0, 1.0)  # a box; where a face's file is does not depend on it

_FRAME = 0.04  # seconds that the only face of a track takes
_GAP = 2.5  # times the usual step; no line joins faces that are further apart
_POINTS = 800  # of a line; a longer one keeps the lowest and highest of each piece
_WIDTH, _HEIGHT = 1000, 100  # of the box in which the line is drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The time that a track takes, half a step wider at both ends than its faces' moments."""

    start: float
    end: float
    step: float

    @classmethod
    def of(cls, track: Track) -> Span:
        """Measure a track."""
        steps = np.diff(track.seconds)
        step = float(np.median(steps)) if len(steps) else _FRAME
        return cls(
            start=float(track.seconds[0]) - step / 2,
            end=float(track.seconds[-1]) + step / 2,
            step=step,
        )

    def share(self, seconds: float) -> float:
        """Say how far along a moment is, 0 to 1."""
        return (seconds - self.start) / (self.end - self.start)


def timeline(track: Track, level: float) -> Markup:
    """Draw a track.

    Args:
        track: what to draw.
        level: the rank above which there are as many scores as positives.
    """
    span = Span.of(track)
    band = tag("svg", *_band(track, span), class_="band", width="100%", height="14")
    pieces = [line(0, y, 1, y, "grid") for y in (0, 1)]
    pieces.append(line(0, 1 - level, 1, 1 - level, "prior"))
    path = tag("path", d=" ".join(_line(track, span)), class_="score")
    pieces.append(stretched(path, height=_HEIGHT))
    score = tag("svg", *pieces, *_rank_ticks(), class_="rank", y="26", width="100%", height="84")
    spoken = int(np.count_nonzero(track.labels))
    label = (
        f"Timeline of track {track.name}: {spoken:,} of {len(track.labels):,} faces speak; "
        f"the score's rank goes from {track.ranks.min():.2f} to {track.ranks.max():.2f}"
    )
    names = tag("text", "label", x=0, y=7, dx="-.5em", dy=".35em")
    axes = tag("g", names, *_seconds_ticks(span), class_="axes")
    return figure(label, axes, band, score, class_="time")


def _runs(track: Track, span: Span, *, labels: bool) -> Iterator[tuple[int, int]]:
    """Cut a track where faces are missing, and where the label changes if asked to.

    Yields:
        The first face of a run, and the one after its last.
    """
    cut = np.diff(track.seconds) > _GAP * span.step
    if labels:
        cut |= track.labels[1:] != track.labels[:-1]
    edges = [0, *(np.flatnonzero(cut) + 1).tolist(), len(track.seconds)]
    yield from pairwise(edges)


def _band(track: Track, span: Span) -> Iterator[Markup]:
    for first, end in _runs(track, span, labels=True):
        left = span.share(float(track.seconds[first]) - span.step / 2)
        right = span.share(float(track.seconds[end - 1]) + span.step / 2)
        speaking = bool(track.labels[first])
        yield tag(
            "rect",
            x=place(left),
            y=2 if speaking else 11,
            width=place(right - left),
            height=12 if speaking else 3,
            class_="speaking" if speaking else "silent",
        )


def _line(track: Track, span: Span) -> Iterator[str]:
    """Write the score's rank over time, one piece a run of faces."""
    for first, end in _runs(track, span, labels=False):
        kept = first + _thinned(track.ranks[first:end])
        points = [
            f"{_WIDTH * span.share(float(track.seconds[at])):.1f} "
            f"{_HEIGHT * (1 - float(track.ranks[at])):.1f}"
            for at in kept.tolist()
        ]
        yield f"M{points[0]}" + ("L" + " ".join(points[1:]) if len(points) > 1 else "h0")


def _thinned(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return which points to draw: all, or the lowest and highest of each of many pieces."""
    count = len(values)
    if count <= _POINTS:
        return np.arange(count)
    pieces = np.array_split(np.arange(count), _POINTS // 2)
    ends = [0, count - 1]
    for piece in pieces:
        ends += [int(piece[values[piece].argmin()]), int(piece[values[piece].argmax()])]
    return np.unique(ends)


def _rank_ticks() -> Iterator[Markup]:
    for text, y in (("1", 0.0), ("score", 0.5), ("0", 1.0)):
        yield tag("text", text, x=0, y=place(y), dx="-.5em", dy=".35em")


def _seconds_ticks(span: Span) -> Iterator[Markup]:
    ticks = nice_ticks(span.start, span.end)
    for tick in ticks:
        yield tag("line", x1=place(span.share(tick)), x2=place(span.share(tick)), y1=110, y2=115)
        text = f"{tick:,.6f}".rstrip("0").rstrip(".") + (" s" if tick == ticks[-1] else "")
        yield tag("text", text, x=place(span.share(tick)), y=115, dy="1.1em", class_="across")


# ------------------------------------------------------------------------------ faces


def face_strip(track: Track, data: str | Path) -> Markup | None:
    """Return a track's faces at even moments as one picture, or None where no file is.

    A moment without a face, and a face without a file, is an empty tile.
    """
    from unitalk.media import frame_sizes

    paths = _face_files(track, Layout(Path(data)))
    if not any(paths):
        return None
    coded = base64.b64encode(frame_sizes.strip(paths, height=_TILE_HEIGHT)).decode("ascii")
    return tag(
        "img",
        src=f"data:image/jpeg;base64,{coded}",
        alt=f"{len(paths)} faces of track {track.name} at even moments",
    )


def _face_files(track: Track, layout: Layout) -> list[Path | None]:
    """Find the file of the face that stands for each tile's part of the time."""
    from unitalk.media import frame_sizes

    span = Span.of(track)
    width = (span.end - span.start) / TILES
    found: list[Path | None] = []
    for tile in range(TILES):
        moment = span.start + (tile + 0.5) * width
        nearest = float(track.seconds[np.abs(track.seconds - moment).argmin()])
        path = None
        if abs(nearest - moment) <= max(width, span.step) / 2 * (1 + 1e-9):
            with suppress(DataError):  # an id that cannot name a file
                face = frame_sizes.Face(track.video, track.name, nearest, _WHOLE)
                path = frame_sizes.face_file(layout, face)
        found.append(path)
    return found

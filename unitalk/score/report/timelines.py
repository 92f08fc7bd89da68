"""A track over time: its label as a band, its score as a line, its faces above.

The drawing itself is `templates/figures.html`.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unitalk.errors import DataError
from unitalk.layout import Layout
from unitalk.score.report.figures import nice_ticks

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from unitalk.score.report.details import Track

    Floats = npt.NDArray[np.float64]

TILES = 24
"""Faces in a strip."""
_TILE_HEIGHT = 64  # pixels; shown at about half of that, so that it is sharp on a fine screen
_WHOLE = (0.0, 0.0, 1.0, 1.0)  # a box; where a face's file is does not depend on it

_FRAME = 0.04  # seconds that the only face of a track takes
_GAP = 2.5  # times the usual step; no line joins faces that are further apart
_POINTS = 800  # of a line; a longer one keeps the lowest and highest of each piece
_WIDTH, _HEIGHT = 1000, 100  # of the box in which the line is drawn


class Span(NamedTuple):
    """The time that a track takes, half a step wider at both ends than its faces' moments."""

    start: float
    end: float
    step: float

    @classmethod
    def of(cls, track: Track) -> Span:
        """Measure a track."""
        step = float(np.median(np.diff(track.seconds))) if len(track.seconds) > 1 else _FRAME
        first, last = track.seconds[[0, -1]].tolist()
        return cls(first - step / 2, last + step / 2, step)

    def share(self, seconds: float) -> float:
        """Say how far along a moment is, 0 to 1."""
        return (seconds - self.start) / (self.end - self.start)


def timeline(track: Track) -> dict[str, Any]:
    """Return what a track is drawn from: its band, the path of its score, and its axis."""
    span = Span.of(track)
    missing = np.diff(track.seconds) > _GAP * span.step
    ticks = nice_ticks(span.start, span.end)
    texts = [f"{tick:,.6f}".rstrip("0").rstrip(".") for tick in ticks]
    texts[-1] += " s"
    return {
        "band": list(_band(track, span, missing | np.diff(track.labels))),
        "path": " ".join(_line(track, span, missing)),
        "ticks": list(zip(texts, map(span.share, ticks), strict=True)),
    }


def _runs(cut: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield the first face of each run, and the one after its last."""
    yield from pairwise([0, *(np.flatnonzero(cut) + 1).tolist(), len(cut) + 1])


def _band(
    track: Track, span: Span, cut: npt.NDArray[np.bool_]
) -> Iterator[tuple[float, float, bool]]:
    """Yield where each stretch of one label starts, how wide it is, and whether it is speech."""
    for first, end in _runs(cut):
        left = span.share(float(track.seconds[first]) - span.step / 2)
        right = span.share(float(track.seconds[end - 1]) + span.step / 2)
        yield left, right - left, bool(track.labels[first])


def _line(track: Track, span: Span, cut: npt.NDArray[np.bool_]) -> Iterator[str]:
    """Write the score's rank over time, one piece per run of faces."""
    for first, end in _runs(cut):
        points = [
            f"{_WIDTH * span.share(float(track.seconds[at])):.1f} "
            f"{_HEIGHT * (1 - float(track.ranks[at])):.1f}"
            for at in (first + _thinned(track.ranks[first:end])).tolist()
        ]
        yield f"M{points[0]}" + ("L" + " ".join(points[1:]) if len(points) > 1 else "h0")


def _thinned(values: Floats) -> npt.NDArray[np.int64]:
    """Return which points to draw: all, or the lowest and highest of each of many pieces."""
    every = np.arange(len(values))
    if len(values) <= _POINTS:
        return every
    kept = [0, len(values) - 1]
    for piece in np.array_split(every, _POINTS // 2):
        kept += [int(piece[values[piece].argmin()]), int(piece[values[piece].argmax()])]
    return np.unique(kept)


# ------------------------------------------------------------------------------ faces


def face_strip(track: Track, dataset: str | Path) -> str | None:
    """Return a track's faces at even moments as the address of one picture; None without files.

    A moment without a face, and a face without a file, is an empty tile.
    """
    from unitalk.media.face_strip import strip

    paths = list(_face_files(track, Layout(Path(dataset))))
    if not any(paths):
        return None
    coded = base64.b64encode(strip(paths, height=_TILE_HEIGHT)).decode("ascii")
    return f"data:image/jpeg;base64,{coded}"


def _face_files(track: Track, layout: Layout) -> Iterator[Path | None]:
    """Find the file of the face that stands for each tile's part of the time."""
    from unitalk.media import frame_sizes

    span = Span.of(track)
    width = (span.end - span.start) / TILES
    for tile in range(TILES):
        moment = span.start + (tile + 0.5) * width
        nearest = float(track.seconds[np.abs(track.seconds - moment).argmin()])
        path = None
        if abs(nearest - moment) <= max(width, span.step) / 2 * (1 + 1e-9):
            with suppress(DataError):  # an id that cannot name a file
                face = frame_sizes.Face(track.video, track.name, nearest, _WHOLE)
                path = frame_sizes.face_file(layout, face)
        yield path

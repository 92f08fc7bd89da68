"""One video's face crops: every wanted frame is decoded once, and all of its faces are cut."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from unitalk.layout import check_id, face_name
from unitalk.media.decode import Reader, edges, pack

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from unitalk.dataset.crop.wanted_faces import Wanted
    from unitalk.media.decode import Image
    from unitalk.media.timeline import Timeline

    Ints = npt.NDArray[np.int64]

_PIXELS = 2.0
"""An edge beyond this is in pixels: boxes that leave the frame do so by less than half of it."""


@dataclass(slots=True)
class Crops:
    """Cuts the face crops of one video into a folder, with a folder per track within it.

    Attributes:
        wanted: the faces.
        folder: where crops go.
        margin: see `CropOptions`.
        written: how many crops there are.
        pixels: rows whose box is in pixels and not in shares of the frame.
        empty: rows whose box has no pixel within the frame.
        lost: rows whose frame cannot be decoded.
        damaged: rows whose frame the decoder marked as damaged.
        late: rows after the end of the video.
    """

    wanted: Wanted
    folder: Path
    margin: float
    written: int = 0
    pixels: list[int] = field(default_factory=list)
    empty: list[int] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)
    damaged: list[int] = field(default_factory=list)
    late: list[int] = field(default_factory=list)
    _made: set[int] = field(default_factory=set)

    def cut(self, path: str, index: int, timeline: Timeline, *, threads: int) -> Reader:
        """Cut all crops; what reads the video is returned, as it knows what frames are like."""
        frames = timeline.frames_at(self.wanted.seconds)
        in_pixels = (self.wanted.boxes[:, 2:] > _PIXELS).all(axis=1)
        self.pixels = np.flatnonzero(in_pixels).tolist()
        self.late = np.flatnonzero((frames < 0) & ~in_pixels).tolist()
        rows = np.flatnonzero((frames >= 0) & ~in_pixels)
        numbers, place = np.unique(frames[rows], return_inverse=True)
        order = rows[np.argsort(place, kind="stable")]
        owned = np.split(order, np.cumsum(np.bincount(place))[:-1]) if len(rows) else []
        reader = Reader(path, index, timeline, threads=threads)
        seen = self._cut_all(reader, numbers, owned)
        if reader.errors or reader.damaged or len(seen) < len(numbers):
            # What threads make of a damaged frame depends on which of them is first; and a damaged
            # file, or its index, may not be where a decoder can begin in its middle.
            shutil.rmtree(self.folder, ignore_errors=True)
            reader = Reader(path, index, timeline, threads=1, skip=False)
            seen = self._cut_all(reader, numbers, owned)
        self.lost = [row for n, own in enumerate(owned) if n not in seen for row in own.tolist()]
        self.damaged = [row for n in reader.damaged for row in owned[n].tolist()]
        return reader

    def has(self, track: int) -> bool:
        """Whether there is a crop of a track."""
        return track in self._made

    def _cut_all(self, reader: Reader, numbers: Ints, owned: list[Ints]) -> set[int]:
        """Cut the faces of all frames; returns the places of those that could be decoded."""
        self.written = 0
        self.empty.clear()
        self._made.clear()
        seen = set()
        for place, image in reader.read(numbers):
            seen.add(place)
            self._cut_frame(image, owned[place])
        return seen

    def _cut_frame(self, image: Image, rows: Ints) -> None:
        height, width = image.shape[:2]
        boxes = edges(self.wanted.boxes[rows], width, height, self.margin)
        for row, (left, top, right, bottom) in zip(rows.tolist(), boxes.tolist(), strict=True):
            if left == right or top == bottom:
                self.empty.append(row)
            else:
                self._write(row, pack(image[top:bottom, left:right]))

    def _write(self, row: int, data: bytes) -> None:
        track = self.wanted.track_of(row)
        folder = self.folder / check_id(self.wanted.entities[track])
        if track not in self._made:
            folder.mkdir(parents=True, exist_ok=True)
            self._made.add(track)
        name = face_name(float(self.wanted.seconds[row]))
        with open(folder / name, "wb", buffering=0) as file:
            file.write(data)
        self.written += 1

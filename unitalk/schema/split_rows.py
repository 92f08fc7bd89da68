"""The rows of one split by track and time, and the lines of its csv that they are on."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from unitalk.schema.columns import ENTITY, LABEL, UNLABELLED, VIDEO
from unitalk.schema.face_table import FaceTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from unitalk.schema.faces import Faces

    Ints = npt.NDArray[np.int64]


class Track(NamedTuple):
    """One track of a video; `start` and `stop` are places in `Rows.table`."""

    video: str
    entity: str
    start: int
    stop: int

    @property
    def faces(self) -> int:
        """How many rows it has."""
        return self.stop - self.start


@dataclass(frozen=True, kw_only=True)
class SplitRows:
    """The rows of a split.

    Attributes:
        split: its name.
        path: the csv, relative to the dataset's folder.
        faces: the rows that could be read, by column.
        whole: whether no row was refused; else nothing follows from the absence of a row.
        lines: [rows] the line of each, where rows were left out.
    """

    split: str
    path: str
    faces: Faces
    whole: bool = True
    lines: Ints | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.faces)

    @cached_property
    def unlabelled(self) -> bool:
        """Whether no face has a label, as in AVA's test split."""
        return self.faces.codes(LABEL)[1] == [UNLABELLED]

    @cached_property
    def video(self) -> tuple[npt.NDArray[np.int32], list[str]]:
        """Each row's video, as a number, and the videos."""
        return self.faces.codes(VIDEO)

    @cached_property
    def entity(self) -> tuple[npt.NDArray[np.int32], list[str]]:
        """Each row's track id, as a number, and the ids."""
        return self.faces.codes(ENTITY)

    @cached_property
    def milliseconds(self) -> Ints:
        """Each row's time."""
        return self.faces.milliseconds()

    @cached_property
    def table(self) -> FaceTable:
        """The rows by track and time; a track id in two videos is two tracks."""
        return FaceTable.of(self.milliseconds, self.entity[0], self.video[0])

    @cached_property
    def tracks(self) -> list[Track]:
        """The tracks, in the order in which they first occur."""
        (video, videos), (entity, entities) = self.video, self.entity
        starts = self.table.starts.tolist()
        return [
            Track(videos[video[row]], entities[entity[row]], start, stop)
            for row, start, stop in zip(
                self.table.heads.tolist(), starts[:-1], starts[1:], strict=True
            )
        ]

    def line_of(self, rows: Sequence[int]) -> dict[int, int]:
        """The lines of the csv on which rows end, as far as they can be found."""
        if self.lines is not None:
            return {row: int(self.lines[row]) for row in rows}
        where = zip(rows, self.faces.where(list(rows)) if rows else (), strict=True)
        found = {row: place.rpartition(":")[2] for row, place in where}
        return {row: int(line) for row, line in found.items() if line.isdigit()}

"""Count what the faces of each video show in the order of tracks and times.

Python visits no row: a video is a slice of arrays, and a group of videos is a few slices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unitalk.schema.face_table import FaceTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Ints = npt.NDArray[np.integer[Any]]
    Floats = npt.NDArray[np.float64]

SPEAKS = 0
"""The number of the label of faces that speak audibly."""


class Rows(NamedTuple):
    """Faces as a file has them, in any order; each field is [faces].

    Attributes:
        video: a number from 0 without holes.
        entity: a number for each `entity_id`.
        milliseconds: the time.
        label: a number for each label, `SPEAKS` or another one.
        width: of the box, relative to the frame.
        height: the same.
    """

    video: Ints
    entity: Ints
    milliseconds: Ints
    label: Ints
    width: Floats
    height: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The counts of one video.

    A track is one entity of one video; a frame is one time of it at which a face is annotated; a
    stretch is a run of speaking faces in a track that no other label interrupts, whatever time is
    between two of its faces.

    Attributes:
        label: [faces]
        width: [faces] of the box, relative to the frame.
        height: [faces] the same.
        track_span: [tracks] milliseconds from the first face to the last.
        track_faces: [tracks] how many faces each has.
        frame_faces: [frames] how many faces each has.
        frame_speakers: [frames] how many of them speak.
        step: [faces less tracks] milliseconds from each face to the next in its track.
        stretch: [stretches] seconds from the first face to the last, and one mean step of the
            track more.
        changes: how many faces have another label than the one before in their track.
    """

    label: Ints
    width: Floats
    height: Floats
    track_span: Ints
    track_faces: Ints
    frame_faces: Ints
    frame_speakers: Ints
    step: Ints
    stretch: Floats
    changes: int


def count(rows: Rows) -> Iterator[Counted]:
    """Count the faces of each video, in the order of the videos' numbers."""
    table = FaceTable.of(rows.milliseconds, rows.entity, rows.video)
    video, *columns = (table.ordered(values) for values in (rows.video, table.track, *rows[2:]))
    if not np.all(video[1:] >= video[:-1]):
        order = np.argsort(video, kind="stable")
        video, *columns = (values[order] for values in (video, *columns))
    ends = np.flatnonzero(np.diff(video)) + 1
    for own in zip(*(np.split(values, ends) for values in columns), strict=True):
        yield _count(*own)


def _count(track: Ints, time: Ints, label: Ints, width: Floats, height: Floats) -> Counted:
    """Count one video, whose faces are given in the order of tracks and times."""
    within = track[1:] == track[:-1]
    edge = np.ones(1, np.bool_)
    first = np.flatnonzero(np.concatenate([edge, ~within]))
    last = np.flatnonzero(np.concatenate([~within, edge]))
    span, faces = time[last] - time[first], last - first + 1
    speaks = label == SPEAKS
    goes_on = speaks[1:] & speaks[:-1] & within
    begin = np.flatnonzero(speaks & np.concatenate([edge, ~goes_on]))
    end = np.flatnonzero(speaks & np.concatenate([~goes_on, edge]))
    mean_step = (span / np.maximum(faces - 1, 1))[np.searchsorted(last, begin)]
    frame_faces, frame_speakers = _frames(time, speaks)
    return Counted(
        label=label,
        width=width,
        height=height,
        track_span=span,
        track_faces=faces,
        frame_faces=frame_faces,
        frame_speakers=frame_speakers,
        step=np.diff(time)[within],
        stretch=(time[end] - time[begin] + mean_step) / 1000,
        changes=int(np.count_nonzero(within & (label[1:] != label[:-1]))),
    )


def _frames(time: Ints, speaks: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """The faces of each frame, and those of them that speak."""
    moment = time * 2 + speaks  # two of one frame differ at most in the last bit
    moment.sort()
    first = np.flatnonzero(np.append(True, np.diff(moment >> 1) > 0))
    return np.diff(np.append(first, len(moment))), np.add.reduceat(moment & 1, first)

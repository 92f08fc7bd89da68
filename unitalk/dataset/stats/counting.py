"""Count faces, tracks, frames, steps and stretches, as arrays that are sliced by video.

Every array below is ordered by video, and each kind of value has one list of bounds, so that the
values of a group of videos are a few slices. Python visits no row.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from unitalk.schema.face_table import FaceTable, pack, unpack_tracks

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Ints = npt.NDArray[np.integer[Any]]
    Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Faces as a file has them, in any order.

    Attributes:
        videos: how many videos there are.
        video: [faces] 0 to `videos` - 1, each at least once.
        entity: [faces] a number for each face's `entity_id`.
        milliseconds: [faces] the time, below 2 ** 32.
        label: [faces] a number for each label.
        speaking: which number is that of the positives.
        width: [faces] of the box, relative to the frame.
        height: [faces] the same.
    """

    videos: int
    video: Ints
    entity: Ints
    milliseconds: Ints
    label: Ints
    speaking: int
    width: Floats
    height: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Sliced:
    """Values of one kind, ordered by video.

    Attributes:
        values: [n]
        bounds: [videos + 1] where each video's values begin, and where the last one's end.
    """

    values: npt.NDArray[Any]
    bounds: npt.NDArray[np.int64]

    @classmethod
    def of(cls, values: npt.NDArray[Any], video: Ints, videos: int) -> Self:
        """Order values by video, and divide them."""
        if not np.all(video[1:] >= video[:-1]):
            order = np.argsort(video, kind="stable")
            values, video = values[order], video[order]
        return cls(values=values, bounds=np.searchsorted(video, np.arange(videos + 1)))

    def take(self, videos: Sequence[int]) -> npt.NDArray[Any]:
        """The values of some videos; without a copy when these follow each other."""
        first = videos[0]
        if list(videos) == list(range(first, first + len(videos))):
            return self.values[self.bounds[first] : self.bounds[videos[-1] + 1]]
        return np.concatenate([self.values[self.bounds[v] : self.bounds[v + 1]] for v in videos])

    def count(self, videos: Sequence[int]) -> int:
        """How many values some videos have."""
        chosen = np.asarray(videos)
        return int((self.bounds[chosen + 1] - self.bounds[chosen]).sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The counts of some videos.

    A track is one entity of one video; a frame is one time of one video at which a face is
    annotated; a stretch is a run of positives in a track that no other label interrupts, whatever
    time lies between two of its faces.

    Attributes:
        label: of each face.
        width: of each face's box, relative to the frame.
        height: the same.
        track_span: milliseconds from each track's first face to its last.
        track_faces: how many faces each track has.
        frame_faces: how many faces each frame has.
        frame_speakers: how many of them are positives.
        step: milliseconds between two faces that follow each other in a track.
        stretch: the seconds of each stretch, from its first face to its last and one mean step of
            its track.
        change: one value for each change of label between two faces that follow each other.
        twice: one value for each face whose track has another face at the same time.
    """

    label: Sliced
    width: Sliced
    height: Sliced
    track_span: Sliced
    track_faces: Sliced
    frame_faces: Sliced
    frame_speakers: Sliced
    step: Sliced
    stretch: Sliced
    change: Sliced
    twice: Sliced


def count(rows: Rows) -> Counted:
    """Count, by video, what the order of faces by track and time shows."""
    table = FaceTable.of(rows.milliseconds, rows.entity, rows.video)
    track, video, time = map(table.ordered, (table.track, rows.video, rows.milliseconds))
    label = table.ordered(rows.label)
    speaks = label == rows.speaking
    within = table.inside
    first, last = table.starts[:-1], table.starts[1:] - 1
    of_track = rows.video[table.heads]
    span, faces = time[last] - time[first], np.diff(table.starts)
    step = np.diff(time)[within]
    changes = within & (label[1:] != label[:-1])
    begin, end = _stretches(within, speaks)
    mean_step = span / np.maximum(faces - 1, 1)
    stretch = (time[end] - time[begin] + mean_step[track[begin]]) / 1000
    frame_video, frame_faces, frame_speakers = _frames(video, time, speaks)
    later = video[1:]
    later_within = later[within]

    def sliced(values: npt.NDArray[Any], of: Ints) -> Sliced:
        return Sliced.of(values, of, rows.videos)

    return Counted(
        label=sliced(label, video),
        width=sliced(table.ordered(rows.width), video),
        height=sliced(table.ordered(rows.height), video),
        track_span=sliced(span, of_track),
        track_faces=sliced(faces, of_track),
        frame_faces=sliced(frame_faces, frame_video),
        frame_speakers=sliced(frame_speakers, frame_video),
        step=sliced(step, later_within),
        stretch=sliced(stretch, video[begin]),
        change=sliced(np.ones(int(changes.sum()), np.bool_), later[changes]),
        twice=sliced(step[step == 0], later_within[step == 0]),
    )


def join(parts: Sequence[Counted]) -> Counted:
    """Join the counts of several files; their videos follow each other."""
    if len(parts) == 1:
        return parts[0]
    return Counted(
        **{
            field.name: _joined([getattr(part, field.name) for part in parts])
            for field in fields(Counted)
        }
    )


def _joined(parts: Sequence[Sliced]) -> Sliced:
    bounds = [np.zeros(1, np.int64)]
    for part in parts:
        bounds.append(part.bounds[1:] + bounds[-1][-1])
    values = np.concatenate([part.values for part in parts])
    return Sliced(values=values, bounds=np.concatenate(bounds))


def _stretches(
    within: npt.NDArray[np.bool_], speaks: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The first and the last face of every run of positives in a track."""
    goes_on = speaks[1:] & speaks[:-1] & within
    edge = np.ones(1, np.bool_)
    begin = np.flatnonzero(speaks & np.concatenate([edge, ~goes_on]))
    end = np.flatnonzero(speaks & np.concatenate([~goes_on, edge]))
    return begin, end


def _frames(
    video: Ints, time: Ints, speaks: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The video of each frame, ascending; its faces; its speaking faces."""
    moment = (pack(video, time) << 1) | speaks
    moment.sort()
    # Two of one frame differ at most in the last bit, in which no other two differ alone.
    first = np.flatnonzero(np.append(True, (moment[1:] ^ moment[:-1]) > 1))
    faces = np.diff(np.append(first, len(moment)))
    video_of = unpack_tracks(moment[first] >> 1)
    moment &= 1
    return video_of, faces, np.add.reduceat(moment, first)

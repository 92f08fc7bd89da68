"""The result of `statistics`."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - json_schema reads the annotations
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from unitalk.report import Count, Report

Level = Literal["split", "category", "video", "total"]

FACES_A_SECOND = 25
"""The rate by which the dataset's paper turns faces into hours; it is that of UniTalk's videos."""
_SECONDS = 3600

UNLABELLED = "unlabelled"
"""What `labels` calls faces without a label, where there are some."""

DESCRIPTION = {
    "face_hours": f"hours of face tracks: faces / {FACES_A_SECOND} / {_SECONDS}, as the dataset's "
    "paper counts",
    "track_hours": "the tracks' lengths together, by their own times",
    "speaking_share": "faces that speak audibly, of all faces with a label",
    "frames": "distinct times of a video at which a face is annotated; frames without a face are "
    "in no csv and in no number here",
    "faces_a_frame": "faces / frames",
    "frames_by_faces": "frames by how many faces they have",
    "faces_by_company": "faces by how many faces their frame has, as `evaluate(by='faces')`",
    "frames_by_speakers": "frames by how many of their faces speak",
    "track_seconds": "a track's first face to its last and one mean step more; 0 for one face",
    "tracks_by_length": "tracks by seconds, as `evaluate(by='track-length')`: 1.0 counts to "
    "1-3, 10 to 5-10",
    "stretches": "runs of speaking faces in a track that no other label interrupts",
    "stretch_seconds": "a stretch's first face to its last and one mean step of its track more",
    "label_changes": "faces whose label is not that of the face before in the track",
    "label_changes_a_minute": "label_changes by minute of track_hours",
    "step_seconds": "the median time between two faces that follow each other in a track",
    "faces_a_second": "one over the mean of the steps within half of the median one",
    "width": "of the box, as a share of the frame's width",
    "height": "of the box, as a share of the frame's height",
    "area": "of the box, as a share of the frame",
    "pixel_width": "width times the frame's, which the face crops tell",
    "pixel_height": "height times the frame's",
    "faces_by_pixel_width": "faces by pixel_width, as `evaluate(by='face-size')`",
    "faces_by_pixel_area": "faces by pixel_width times pixel_height, as "
    "`evaluate(by='face-size', options=EvaluateOptions(face_size='area'))`",
}
"""The meaning of each number; the JSON has it beside the numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares(Report):
    """Things of one kind by what they are.

    Attributes:
        of: the kind, which is the denominator of the shares: `faces`, `frames` or `tracks`.
        counts: how many of each.
    """

    computed: ClassVar[tuple[str, ...]] = ("shares",)

    of: str
    counts: Mapping[str, Count]

    @property
    def total(self) -> int:
        """How many there are together."""
        return sum(self.counts.values())

    def share(self, name: str) -> float | None:
        """The share of one of them, 0 to 1; None where there are none at all."""
        return self.counts[name] / self.total if self.total else None

    @property
    def shares(self) -> dict[str, float | None]:
        """The share of each of them."""
        return {name: self.share(name) for name in self.counts}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread(Report):
    """How some values are spread.

    Attributes:
        least: the smallest.
        lower: the lower quartile; between two values it is interpolated, as the median is
            (definition 7 of Hyndman and Fan, "Sample quantiles in statistical packages", 1996).
        median: half of the values are below.
        upper: the upper quartile.
        most: the largest.
        mean: the arithmetic mean.
    """

    least: float
    lower: float
    median: float
    upper: float
    most: float
    mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Report):
    """The contents of some videos; `DESCRIPTION` has the meaning of each number.

    Attributes:
        level: what the group is: a split, a category of one, a video, or all.
        split: its split; None for the total.
        category: its category, where it is one or its video has one.
        video: its id, where it is one.
        labels: faces by label.
        pixel_width: None where no crop tells the frame's size; where that of some videos is
            unknown, of the faces of the others.
        The rest is in `DESCRIPTION`; None is undefined.
    """

    computed: ClassVar[tuple[str, ...]] = (
        "face_hours", "speaking_share", "faces_a_frame", "label_changes_a_minute",
    )  # fmt: skip

    level: Level
    split: str | None
    category: str | None
    video: str | None
    videos: int
    tracks: int
    faces: int
    track_hours: float
    labels: Shares
    speaking: int
    frames: int
    frames_by_faces: Shares
    faces_by_company: Shares
    frames_by_speakers: Shares
    track_seconds: Spread
    tracks_by_length: Shares
    stretches: int
    stretch_seconds: Spread | None
    label_changes: int
    step_seconds: float | None
    faces_a_second: float | None
    width: Spread | None
    height: Spread | None
    area: Spread | None
    pixel_width: Spread | None
    pixel_height: Spread | None
    faces_by_pixel_width: Shares | None
    faces_by_pixel_area: Shares | None

    @property
    def face_hours(self) -> float:
        """Faces / 25 / 3600."""
        return self.faces / FACES_A_SECOND / _SECONDS

    @property
    def speaking_share(self) -> float | None:
        """Positives by faces that have a label; None where none has one."""
        labelled = self.faces - self.labels.counts.get(UNLABELLED, 0)
        return self.speaking / labelled if labelled else None

    @property
    def faces_a_frame(self) -> float:
        """The mean over the frames that have a face."""
        return self.faces / self.frames

    @property
    def label_changes_a_minute(self) -> float | None:
        """By minute of tracks; None where no track has two faces."""
        return self.label_changes / (60 * self.track_hours) if self.track_hours else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Media(Report):
    """The files of a split, by listing its folders; whose files they are is not looked at.

    Attributes:
        split: the split.
        crops: how many files end as face crops do.
        crop_bytes_about: their bytes, estimated: the size of one crop a folder times the folder's
            crops, so that no other crop need be asked for its size.
        sounds: how many files end as sounds do.
        sound_bytes: their bytes.
    """

    split: str
    crops: int
    crop_bytes_about: int
    sounds: int
    sound_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics(Report):
    """What a dataset contains.

    Attributes:
        dataset: what was given.
        source: where the rows came from, in words.
        definitions: what each number of a group is.
        splits: a group each, in the dataset's order.
        categories: a group for each category of each split; empty when no video has one.
        videos: a group each, in the order of the rows.
        total: of all of them.
        media: of each split; empty where there are none, or they were not to be looked at.
        warnings: what the reader should know.
    """

    schema_version: ClassVar[int | None] = 1

    dataset: str
    source: str
    definitions: Mapping[str, str] = field(default_factory=lambda: dict(DESCRIPTION))
    total: Group
    splits: tuple[Group, ...]
    categories: tuple[Group, ...]
    videos: tuple[Group, ...]
    media: tuple[Media, ...]
    warnings: tuple[str, ...]

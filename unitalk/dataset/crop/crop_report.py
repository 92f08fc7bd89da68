"""The report of a crop run, and the kinds of its findings and notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitalk.errors import examples
from unitalk.report import Count, Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unitalk.layout import Split

FINDINGS = {
    "video-missing": "there is no file of this id",
    "video-empty": "the file has no bytes",
    "video-unreadable": "the file is no video, or is damaged where one must begin",
    "no-such-stream": "the file does not have the stream that was asked for",
    "no-pictures": "the file has no pictures",
    "codec-unknown": "there is no decoder for its pictures",
    "past-end": "the video ends before these faces",
    "frame-lost": "these faces' frames cannot be decoded",
    "frame-damaged": "these faces' frames are damaged; their crops show what the decoder made up",
    "boxes-in-pixels": "these boxes look like pixels; divide them by the frame's width and height",
    "crop-empty": "these boxes have no pixel within the frame",
    "sound-missing": "the file has no sound; its tracks have no wav",
    "sound-unreadable": "its sound cannot be decoded; its tracks have no wav",
    "sound-damaged": "parts of its sound cannot be decoded; they are silent",
    "sound-short": "the sound ends before these tracks do; the rest is silent",
    "sound-cancelled": "the channels cancel each other out when they are mixed; one is used alone",
    "sound-silent": "these tracks have silence alone, where the video's sound is not silent",
    "sound-empty": "these tracks of one face have no sound, as they end where they begin",
}
"""The kinds of findings: what may be wrong with a video."""

NOTES = {
    "several-video-streams": "the file has several streams of pictures",
    "several-audio-streams": "the file has several streams of sound",
    "silent-stream": "the sound is silent from its begin to its end",
    "pictures-begin-later": "the sound begins before the pictures; times count from the pictures",
    "pixels-not-square": "players stretch the frames; crops are cut as they are",
    "variable-rate": "frames do not come at a constant rate; the nearest in time are taken",
    "rate-unknown": "the file does not say its frame rate; it is that of its frames",
    "times-unknown": "the file does not say when frames are shown; they are counted",
    "rotated": "the frames are turned, as the file says, so that crops are upright",
    "deep-colour": "more than 8 bits a colour are brought to 8",
    "interlaced": "frames are woven of two fields; crops are cut as they are",
    "size-changes": "the frame's size changes within the video",
}
"""The kinds of notes: what is handled, and worth knowing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(Report):
    """Something about one video.

    Attributes:
        kind: a key of `FINDINGS` or of `NOTES`.
        split: the video's.
        video: its id.
        what: one clause.
        where: the first tracks, times or frames that it is about; may be empty.
        count: how many faces, tracks, frames or files it is about.
    """

    kind: str
    split: Split
    video: str
    what: str
    where: str = ""
    count: int = 1

    @classmethod
    def of(
        cls, kind: str, split: Split, video: str, *, places: Sequence[str] = (), said: str = ""
    ) -> Finding:
        """Say it in the words of its kind.

        Args:
            kind: which.
            split: the video's.
            video: its id.
            places: all that it is about, of which the first ten are named; empty for the file.
            said: a detail to add to the words.
        """
        what = {**FINDINGS, **NOTES}[kind] + (f": {said}" if said else "")
        where, count = examples(places), max(1, len(places))
        return cls(kind=kind, split=split, video=video, what=what, where=where, count=count)


@dataclass(frozen=True, slots=True, kw_only=True)
class CropReport(Report):
    """What was cut.

    Attributes:
        source: where the rows were read from.
        video_dir: where the videos were looked for.
        destination: the dataset that was made.
        splits: of each split the number of videos, tracks and faces that are wanted.
        written: videos that were cut now.
        kept: videos that an earlier run had cut.
        crops: face crops that are there.
        sounds: sounds that are there.
        dropped: faces that are in `dropped.csv` and not in the csv of their split.
        findings: what is wrong, by split, video and kind.
        notes: what is handled and worth knowing, likewise.
        warnings: what the reader should know of the whole.
    """

    schema_version = 1
    computed = ("videos_with_findings",)

    source: str
    video_dir: str
    destination: str
    splits: dict[Split, dict[str, Count]]
    written: Count
    kept: Count
    crops: Count
    sounds: Count
    dropped: Count = 0
    findings: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether all that was asked for is there."""
        return not self.findings

    @property
    def videos_with_findings(self) -> Count:
        """How many videos something is wrong with."""
        return len({(one.split, one.video) for one in self.findings})

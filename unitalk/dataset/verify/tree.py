"""Walk the folders of a split: which videos, tracks and sounds are there, and which should be."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from unitalk.catalog import video_list
from unitalk.dataset.verify.media_check import (
    Listing,
    Place,
    check_track,
    is_litter,
    listing,
    spelled,
)
from unitalk.formats import positional
from unitalk.layout import PARTS, SPLITS, FlatLayout, Layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from unitalk.choices import LayoutName
    from unitalk.dataset.verify.media_check import FoundTrack
    from unitalk.dataset.verify.verify_report import Finding
    from unitalk.layout import Part
    from unitalk.schema.face_names import FaceNames
    from unitalk.schema.split_rows import Track

MEDIA: tuple[Part, ...] = ("video", "audio")


def video_folder(track: Track, layout: LayoutName) -> str:
    """The folder of a track's video, where a loader looks for it."""
    return positional.video_folder(track.entity) if layout == "talknet" else track.video


class Group(NamedTuple):
    """Tracks with one parent folder: those of a video, or in flat layouts those of a split."""

    video: str | None
    tracks: list[tuple[int, Track]]
    folders: dict[Part, Path]

    @property
    def faces(self) -> int:
        """How many faces its tracks have."""
        return sum(track.stop - track.start for _, track in self.tracks)


class Found(NamedTuple):
    """One track as it is on the disk."""

    number: int
    folder: Path | None
    faces: FoundTrack | None
    wav: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """How the folders of one split are walked.

    Attributes:
        root: the dataset's folder.
        split: which.
        layout: the loader whose layout it is.
        names: what the faces' files are called.
        whole: whether all rows could be read; else files without a row are not wrong.
        findings: where what is wrong is collected.
    """

    root: Path
    split: str
    layout: LayoutName
    names: FaceNames
    whole: bool = True
    findings: list[Finding] = field(default_factory=list)

    def place(self, track: Track) -> Place:
        """Where findings about a track are."""
        return Place(self.root, self.split, track.video, track.entity)

    def crops_of(self, track: Track) -> Path:
        """The folder in which a track's crops should be."""
        if self.layout == "asc":
            return FlatLayout(self.root).track(self.split, track.entity)
        folder = video_folder(track, self.layout)
        return Layout(self.root).track(self.split, folder, track.entity)

    def groups(self, tracks: Iterable[Track]) -> list[Group]:
        """The folders that should be there, in the order of the csv."""
        numbered = list(enumerate(tracks))
        if self.layout == "asc":
            flat = FlatLayout(self.root)
            folders: dict[Part, Path] = {
                "video": flat.track(self.split, "any").parent,
                "audio": flat.audio(self.split, "any").parent,
            }
            return [Group(None, numbered, folders)]
        by_video: dict[str, list[tuple[int, Track]]] = defaultdict(list)
        for number, track in numbered:
            by_video[video_folder(track, self.layout)].append((number, track))
        places = Layout(self.root)
        return [
            Group(video, own, {part: places.part(part, self.split, video) for part in MEDIA})
            for video, own in by_video.items()
        ]

    def tracks(self, groups: list[Group]) -> Iterator[Found]:
        """Every track of the split; what is wrong is noted on the way."""
        present = [part for part in MEDIA if self._split_folder(groups, part)]
        for group in groups:
            yield from self.group(group, present)

    def group(self, group: Group, parts: Iterable[Part]) -> Iterator[Found]:
        """Every track of one group, in these parts."""
        crops = self._listed(group, "video") if "video" in parts else None
        sounds = self._listed(group, "audio") if "audio" in parts else None
        others = {track.entity for _, track in group.tracks}
        used: dict[Part, set[str]] = {"video": set(), "audio": set()}
        for number, track in group.tracks:
            folder = faces = wav = None
            if crops is not None:
                name = self._spelled(crops.folders, track.entity, "", others) or track.entity
                used["video"].add(name)
                folder = group.folders["video"] / name
                faces = self._check(folder, track)
            if sounds is not None:
                sound = self._spelled(sounds.files, track.entity, ".wav", others)
                if sound is None:
                    self._missing_wav(group.folders["audio"], track, sounds)
                else:
                    used["audio"].add(sound)
                    wav = group.folders["audio"] / sound
            yield Found(number, folder, faces, wav)
        if crops is not None:
            rest = (crops.files | crops.others) - used["video"]
            more = crops.folders - used["video"]
            self._unused(group.video, group.folders["video"], "extra-track", more, rest)
        if sounds is not None:
            files = sounds.files - used["audio"]
            more = {name for name in files if name.lower().endswith(".wav")}
            wanted = {f"{entity}.wav" for entity in others}
            rest = (files - more) | sounds.folders | (sounds.others - wanted)
            self._unused(group.video, group.folders["audio"], "extra-wav", more, rest)

    def _check(self, folder: Path, track: Track) -> FoundTrack:
        span = track.start, track.stop
        faces = check_track(
            self.place(track), folder, self.names.ours(*span), self.names.opened(*span),
            extra=self.whole,
        )  # fmt: skip
        self.findings.extend(faces.findings)
        return faces

    def _spelled(self, names: set[str], entity: str, suffix: str, others: set[str]) -> str | None:
        if self.layout == "unitalk":
            return spelled(names, entity, suffix, others)
        return entity + suffix if entity + suffix in names else None  # as the loaders open it

    def _missing_wav(self, folder: Path, track: Track, sounds: Listing) -> None:
        name = f"{track.entity}.wav"
        detail = sounds.reason(name)
        faces = track.stop - track.start
        self.findings.append(
            self.place(track).finding("missing-wav", folder / name, faces=faces, detail=detail)
        )

    def _listed(self, group: Group, part: Part) -> Listing | None:
        """List a group's folder; a missing one is one finding, with all its faces."""
        missing = "missing-split" if group.video is None else "missing-video"
        return Place(self.root, self.split, group.video).listed(
            group.folders[part], self.findings, missing=missing, faces=group.faces, part=part
        )

    def _unused(
        self, video: str | None, folder: Path, kind: str, extra: set[str], strays: set[str]
    ) -> None:
        """Note what belongs to no row, unless rows are missing for another reason; and strays."""
        place = Place(self.root, self.split, video)
        litter = {name for name in extra if is_litter(name)}
        self.findings.extend(place.strays(folder, strays | litter))
        if self.whole:
            self.findings.extend(
                place.finding(kind, folder / name) for name in sorted(extra - litter)
            )

    def _split_folder(self, groups: list[Group], part: Part) -> bool:
        """Look at the folder of the split's videos; False when there is none."""
        if groups[0].video is None:
            return True
        folder = groups[0].folders[part].parent
        published = {video.video_id for video in video_list.videos()}
        there = Place(self.root, self.split).listed(
            folder, self.findings, missing="missing-split",
            faces=sum(group.faces for group in groups),
            part=part if any(group.video in published for group in groups) else None,
        )  # fmt: skip
        if there is None:
            return False
        known = {group.folders[part].name for group in groups}
        rest = there.files | (there.others - known)
        self._unused(None, folder, "extra-video", there.folders - known, rest)
        return True


def beside_splits(root: Path) -> list[Finding]:
    """What is beside the splits' folders of crops and sounds, and what macOS left beside a csv.

    Other files may be beside the csv: loaders keep theirs there.
    """
    findings: list[Finding] = []
    for part in PARTS:
        folder = Layout(root).part(part, "any", "any").parent.parent
        there = listing(folder) or Listing()
        names = there.files | there.others | (there.folders - set(SPLITS))
        if part == "csv":
            names = {name for name in names if is_litter(name)}
        findings += Place(root).strays(folder, names)
    return findings

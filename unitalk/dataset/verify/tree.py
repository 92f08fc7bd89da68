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
    strays,
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
    """Tracks whose folders stand in one folder: those of a video, or in flat layouts of a split."""

    video: str | None
    tracks: list[tuple[int, Track]]
    folders: dict[Part, Path]


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
        layout: as whose loader.
        names: what the faces' files are called.
        whole: whether all rows could be read; else what has none is not wrong.
        findings: where what is wrong is collected.
    """

    root: Path
    split: str
    layout: LayoutName
    names: FaceNames
    whole: bool = True
    findings: list[Finding] = field(default_factory=list)

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

    def tracks(self, groups: Iterable[Group]) -> Iterator[Found]:
        """Every track of the split; what is wrong is noted on the way."""
        groups = list(groups)
        gone = {part for part in MEDIA if not self._above(groups, part)}
        for group in groups:
            yield from self.group(group, [part for part in MEDIA if part not in gone])

    def group(self, group: Group, parts: Iterable[Part] = MEDIA) -> Iterator[Found]:
        """Every track of one group, in the parts asked for."""
        crops = self._listed(group, "video") if "video" in parts else None
        sounds = self._listed(group, "audio") if "audio" in parts else None
        others = {track.entity for _, track in group.tracks}
        used: dict[str, set[str]] = {"video": set(), "audio": set()}
        for number, track in group.tracks:
            place = Place(self.root, self.split, track.video, track.entity)
            folder = wav = faces = None
            if crops is not None:
                name = self._spelled(crops.folders, track.entity, "", others) or track.entity
                used["video"].add(name)
                folder = group.folders["video"] / name
                faces = self._check(place, folder, track)
                self.findings.extend(faces.findings)
            if sounds is not None:
                sound = self._spelled(sounds.files, track.entity, ".wav", others)
                if sound is not None:
                    used["audio"].add(sound)
                    wav = group.folders["audio"] / sound
                else:
                    self._missing_wav(place, group.folders["audio"], track, sounds)
            yield Found(number, folder, faces, wav)
        self._unused(group, crops, sounds, used)

    def _check(self, place: Place, folder: Path, track: Track) -> FoundTrack:
        span = track.start, track.stop
        opened = self.names.opened(*span)
        ours = self.names.ours(*span)
        return check_track(place, folder, ours, opened, extra=self.whole)

    def _spelled(self, names: set[str], entity: str, suffix: str, others: set[str]) -> str | None:
        if self.layout == "unitalk":
            return spelled(names, entity, suffix, others)
        return entity + suffix if entity + suffix in names else None  # as the loaders open it

    def _missing_wav(self, place: Place, folder: Path, track: Track, sounds: Listing) -> None:
        name = f"{track.entity}.wav"
        detail = "is a link that leads nowhere" if name in sounds.others else None
        faces = track.stop - track.start
        self.findings.append(
            place.finding("missing-wav", folder / name, faces=faces, detail=detail)
        )

    def _listed(self, group: Group, part: Part) -> Listing | None:
        """List a group's folder; a missing one is one finding, with all its faces."""
        folder = group.folders[part]
        place = Place(self.root, self.split, group.video)
        try:
            there = listing(folder)
        except OSError as error:
            self.findings.append(place.finding("folder-unreadable", folder, detail=error.strerror))
            return None
        if there is None:
            faces = sum(track.stop - track.start for _, track in group.tracks)
            kind = "missing-split" if group.video is None else "missing-video"
            self.findings.append(place.finding(kind, folder, faces=faces, part=part))
        return there

    def _unused(
        self, group: Group, crops: Listing | None, sounds: Listing | None, used: dict[str, set[str]]
    ) -> None:
        """What stands in a group's folders and belongs to no track."""
        place = Place(self.root, self.split, group.video)
        wanted = {f"{track.entity}.wav" for _, track in group.tracks}
        if crops is not None:
            folder = group.folders["video"]
            more = crops.folders - used["video"]
            self._extra("extra-track", place, folder, more)
            self.findings.extend(
                strays(place, folder, (crops.files | crops.others) - used["video"])
            )
        if sounds is not None:
            folder = group.folders["audio"]
            more = {name for name in sounds.files - used["audio"] if name.lower().endswith(".wav")}
            own = {name for name in more if not name.startswith("._")}
            self._extra("extra-wav", place, folder, own)
            rest = (sounds.files - own - used["audio"]) | sounds.folders | (sounds.others - wanted)
            self.findings.extend(strays(place, folder, rest))

    def _extra(self, kind: str, place: Place, folder: Path, names: Iterable[str]) -> None:
        """Things without a row, unless rows are missing for another reason."""
        litter = {name for name in names if is_litter(name)}
        self.findings.extend(strays(place, folder, litter))
        if self.whole:
            for name in sorted(set(names) - litter):
                self.findings.append(place.finding(kind, folder / name))

    def _above(self, groups: list[Group], part: Part) -> bool:
        """Look at the folder of the split's videos; False when there is none."""
        if groups[0].video is None:
            return True
        folder = groups[0].folders[part].parent
        place = Place(self.root, self.split)
        try:
            there = listing(folder)
        except OSError as error:
            self.findings.append(place.finding("folder-unreadable", folder, detail=error.strerror))
            return False
        if there is None:
            faces = sum(track.stop - track.start for group in groups for _, track in group.tracks)
            known = {video.video_id for video in video_list.videos()}
            own = part if any(group.video in known for group in groups) else None  # can be fetched
            self.findings.append(place.finding("missing-split", folder, faces=faces, part=own))
            return False
        known = {group.folders[part].name for group in groups}
        self._extra("extra-video", place, folder, there.folders - known)
        self.findings.extend(strays(place, folder, there.files | (there.others - known)))
        return True


def beside_splits(root: Path) -> list[Finding]:
    """What lies beside the splits' folders of crops and sounds, and what macOS left beside a csv.

    Other files may lie beside the csv: loaders keep theirs there.
    """
    findings: list[Finding] = []
    for part in PARTS:
        folder = Layout(root).part(part, "any", "any").parent.parent
        there = listing(folder) or Listing()
        names = there.files | there.others | {n for n in there.folders if n not in SPLITS}
        if part == "csv":
            names = {name for name in names if is_litter(name)}
        findings += strays(Place(root), folder, names)
    return findings

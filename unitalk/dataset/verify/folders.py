"""Compare the folders of a split with its rows: videos, tracks, crops and sounds."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from unitalk.catalog import video_list
from unitalk.dataset.verify.folder_listing import Crops, Listing, by_time, is_litter, listing
from unitalk.dataset.verify.verify_report import Finding, relative
from unitalk.formats import positional
from unitalk.layout import PARTS, SPLITS, FlatLayout, Layout, face_seconds, spellings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from unitalk.choices import LayoutName
    from unitalk.layout import Part
    from unitalk.schema.face_names import FaceNames
    from unitalk.schema.split_rows import SplitRows, Track

_MEDIA: tuple[Part, ...] = ("video", "audio")


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
        return sum(track.faces for _, track in self.tracks)


class Found(NamedTuple):
    """One track as it is on the disk.

    Attributes:
        number: which of the split's tracks.
        folder: of its crops.
        names: [faces] each face's own file name; None where it is missing.
        renamed: how many crops are found only by their time.
        wav: its sound, if it is there.
    """

    number: int
    folder: Path
    names: list[str | None]
    renamed: int
    wav: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """How the folders of one split are walked.

    Attributes:
        root: the dataset's folder.
        rows: the split's; where some were refused, files without a row are not wrong.
        layout: the loader whose layout it is.
        names: what the faces' files are called.
        findings: the list to which findings are added.
    """

    root: Path
    rows: SplitRows
    layout: LayoutName
    names: FaceNames
    findings: list[Finding] = field(default_factory=list)

    def note(
        self,
        kind: str,
        path: Path,
        video: str | None = None,
        entity: str | None = None,
        *,
        faces: int | None = None,
        detail: str | None = None,
        part: Part | None = None,
    ) -> None:
        """Add a finding about a file or a folder; the time of a crop is in its name."""
        self.findings.append(
            Finding(
                kind=kind,
                split=self.rows.split,
                video_id=video,
                entity_id=entity,
                seconds=face_seconds(path.name),
                faces=faces,
                path=relative(self.root, path),
                detail=detail,
                part=part,
            )
        )

    def crops_of(self, track: Track) -> Path:
        """The folder in which a track's crops should be."""
        if self.layout == "asc":
            return FlatLayout(self.root).track(self.rows.split, track.entity)
        folder = video_folder(track, self.layout)
        return Layout(self.root).track(self.rows.split, folder, track.entity)

    def groups(self) -> list[Group]:
        """The folders that should be there, in the order of the csv."""
        split, places = self.rows.split, Layout(self.root)
        by_video: dict[str | None, list[tuple[int, Track]]] = defaultdict(list)
        for number, track in enumerate(self.rows.tracks):
            video = None if self.layout == "asc" else video_folder(track, self.layout)
            by_video[video].append((number, track))
        return [
            Group(
                video,
                own,
                {
                    part: places.part(part, split, "any").parent
                    if video is None
                    else places.part(part, split, video)
                    for part in _MEDIA
                },
            )
            for video, own in by_video.items()
        ]

    def tracks(self) -> Iterator[Found]:
        """Yield every track of the split, and note findings on the way."""
        groups = self.groups()
        present = [part for part in _MEDIA if self._split_folder(groups, part)]
        for group in groups:
            yield from self.group(group, present)

    def group(self, group: Group, parts: Iterable[Part]) -> Iterator[Found]:
        """Every track of one group, in these parts."""
        listed = {part: self._group_folder(group, part) for part in parts}
        crops, sounds = listed.get("video"), listed.get("audio")
        ids = {track.entity for _, track in group.tracks}
        folders = {} if crops is None else self._spelled(crops.folders, ids, "")
        wavs = {} if sounds is None else self._spelled(sounds.files, ids, ".wav")
        for number, track in group.tracks:
            folder = group.folders["video"] / folders.get(track.entity, track.entity)
            names: list[str | None] = [None] * track.faces
            renamed, wav = 0, None
            if crops is not None:
                names, renamed = self._crops(folder, track)
            if track.entity in wavs:
                wav = group.folders["audio"] / wavs[track.entity]
            elif sounds is not None:
                name = f"{track.entity}.wav"
                self.note(
                    "missing-wav", group.folders["audio"] / name, track.video, track.entity,
                    faces=track.faces, detail=sounds.reason(name),
                )  # fmt: skip
            yield Found(number, folder, names, renamed, wav)
        if crops is not None:
            used = {folders.get(entity, entity) for entity in ids}
            rest = (crops.files | crops.others) - used
            self._unused(group, "video", "extra-track", crops.folders - used, rest)
        if sounds is not None:
            unused = sounds.files - set(wavs.values())
            more = {name for name in unused if name.lower().endswith(".wav")}
            links = sounds.others - {f"{entity}.wav" for entity in ids}
            rest = (unused - more) | sounds.folders | links
            self._unused(group, "audio", "extra-wav", more, rest)

    def _spelled(self, names: set[str], ids: set[str], suffix: str) -> dict[str, str]:
        """Find tracks among names: as `layout.find_entity` does, or as other loaders open them."""
        found: dict[str, str] = {}
        for entity in ids:
            for name in spellings(entity) if self.layout == "unitalk" else (entity,):
                if name + suffix in names and (name == entity or name not in ids):
                    found[entity] = name + suffix
                    break
        return found

    def _crops(self, folder: Path, track: Track) -> tuple[list[str | None], int]:
        """Compare a track's folder with its faces; returns `Found.names` and `Found.renamed`."""
        ours = self.names.ours(track.start, track.stop)
        opened = self.names.opened(track.start, track.stop)
        exact = opened or ours
        there = self._listed(folder, "missing-track", track.faces, track.video, track.entity)
        if there is None:
            return [None] * len(ours), 0
        if there.files == set(exact) and not there.folders and not there.others:
            return list(exact), 0
        crops = by_time(there.files)
        strays = crops.foreign | ((there.folders | there.others) - set(exact))
        self._strays(folder, strays, track.video, track.entity)
        names = [crops.own.get(name) for name in ours]

        def note(
            kind: str, name: str = "", faces: int | None = None, detail: str | None = None
        ) -> None:
            self.note(kind, folder / name, track.video, track.entity, faces=faces, detail=detail)

        if any(names):
            for want, name in zip(exact, names, strict=True):
                if name is None:
                    note("missing-jpg", want, detail=there.reason(want))
        else:
            detail = "its folder is there, without one of its crops"
            note("missing-track", faces=len(ours), detail=detail)
        self._unexpected(crops, set(ours), note)
        renamed = [(w, name) for w, name in zip(exact, names, strict=True) if name not in (None, w)]
        if opened and renamed:
            want, name = renamed[0]
            detail = f"the csv says {want.removesuffix('.jpg')}, the file is {name}"
            note("asc-time-text", want, faces=len(renamed), detail=detail)
        return names, len(renamed)

    def _unexpected(self, crops: Crops, wanted: set[str], note: Callable[..., None]) -> None:
        """Note the second crop of a face, and the crops that no row has."""
        for name, face in sorted(crops.doubles.items()):
            if face in wanted:
                note("double-jpg", name, detail=f"{crops.own[face]} is there too")
        if self.rows.whole:
            found = {name: face for face, name in crops.own.items()} | crops.doubles
            for name in sorted(name for name, face in found.items() if face not in wanted):
                note("extra-jpg", name)

    def _listed(  # noqa: PLR0917 - the last three say whose folder it is
        self, folder: Path, missing: str, faces: int, video: str | None = None,
        entity: str | None = None, part: Part | None = None,
    ) -> Listing | None:  # fmt: skip
        """List a folder; one that is missing, with all its faces, or unreadable is one finding."""
        try:
            there = listing(folder)
        except OSError as error:
            self.note("folder-unreadable", folder, video, entity, detail=error.strerror)
            return None
        if there is None:
            self.note(missing, folder, video, entity, faces=faces, part=part)
        return there

    def _group_folder(self, group: Group, part: Part) -> Listing | None:
        missing = "missing-split" if group.video is None else "missing-video"
        return self._listed(group.folders[part], missing, group.faces, group.video, part=part)

    def _split_folder(self, groups: list[Group], part: Part) -> bool:
        """Look at the folder of the split's videos; False when there is none."""
        if groups[0].video is None:
            return True
        folder = groups[0].folders[part].parent
        published = {video.video_id for video in video_list.videos()}
        there = self._listed(
            folder, "missing-split", sum(group.faces for group in groups),
            part=part if any(group.video in published for group in groups) else None,
        )  # fmt: skip
        if there is None:
            return False
        known = {group.folders[part].name for group in groups}
        whole = Group(None, [], {part: folder})
        rest = there.files | (there.others - known)
        self._unused(whole, part, "extra-video", there.folders - known, rest)
        return True

    def _unused(
        self, group: Group, part: Part, kind: str, extra: set[str], strays: set[str]
    ) -> None:
        """Note what belongs to no row, unless rows are missing for another reason; and strays."""
        folder = group.folders[part]
        litter = {name for name in extra if is_litter(name)}
        self._strays(folder, strays | litter, group.video)
        if self.rows.whole:
            for name in sorted(extra - litter):
                self.note(kind, folder / name, group.video)

    def _strays(
        self, folder: Path, names: set[str], video: str | None = None, entity: str | None = None
    ) -> None:
        for name in sorted(names):
            self.note(stray_kind(name), folder / name, video, entity)


def stray_kind(name: str) -> str:
    """The kind of finding of what is no part of a dataset."""
    return "macos-litter" if is_litter(name) else "stray-file"


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
        findings += [
            Finding(kind=stray_kind(name), path=relative(root, folder / name))
            for name in sorted(names)
        ]
    return findings

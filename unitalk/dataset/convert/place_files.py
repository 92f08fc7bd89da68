"""Place the crops and sounds of one video for a loader, and list them as it would.

A video is a task, so that several processes or machines can share them. A task may be done twice;
files that an earlier try left are removed first.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from unitalk.files import Link, Placer
from unitalk.formats.loaders import seconds_of_wav
from unitalk.formats.positional import list_crops, track_folder, wav_path
from unitalk.layout import FlatLayout, Layout, Split, faces, find_entities

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Job(NamedTuple):
    """The files to place of one video.

    Attributes:
        source: the dataset's folder.
        destination: the folder to fill; the source, where files are only listed.
        split: the split.
        video: the video.
        tracks: each track's id, and the names of its faces' crops in time order; None for all
            crops.
        link: how files are placed.
        flat: whether they are placed for ASC, in one folder per split, or for TalkNet.
    """

    source: Path
    destination: Path
    split: Split
    video: str
    tracks: tuple[tuple[str, tuple[str, ...] | None], ...]
    link: Link = "auto"
    flat: bool = False

    def folder(self, entity: str) -> Path:
        """The folder in which the loader looks for a track's crops."""
        if self.flat:
            return FlatLayout(self.destination).track(self.split, entity)
        return track_folder(self.destination, self.split, entity)

    def wav(self, entity: str) -> Path:
        """The wav that the loader opens for a track."""
        if self.flat:
            return FlatLayout(self.destination).audio(self.split, entity)
        return wav_path(self.destination, self.split, entity)


class TrackFiles(NamedTuple):
    """The files of one track at the destination.

    Attributes:
        names: its crops' names as the loader finds them, joined by `/` (one text, as four million
            of them would need ten times the room).
        seconds: the length of its sound; None where there is none.
        left_out: the places of the wanted crops that are missing.
        extra: crops without a face, which were not placed.
    """

    names: str
    seconds: float | None
    left_out: tuple[int, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def crops(self) -> list[str]:
        """The names of its crops."""
        return self.names.split("/") if self.names else []


class VideoFiles(NamedTuple):
    """The files of one video: how many were placed by each way, and its tracks by their ids."""

    placed: dict[str, int]
    tracks: dict[str, TrackFiles]


def list_files(job: Job) -> VideoFiles:
    """List a video's tracks where the loader looks; nothing is placed."""
    tracks = {}
    for entity, _ in job.tracks:
        crops = list_crops(job.folder(entity))
        tracks[entity] = TrackFiles("/".join(crops), seconds_of_wav(str(job.wav(entity))))
    return VideoFiles({}, tracks)


def place_files(job: Job) -> VideoFiles:
    """Place a video; files that an earlier try of the same task left are removed first."""
    try:
        return _place(job)
    except FileExistsError:
        for path in (way(entity) for entity, _ in job.tracks for way in (job.folder, job.wav)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    return _place(job)


def _place(job: Job) -> VideoFiles:
    placer = Placer(job.link)
    folder = Layout(job.source).part("video", job.split, job.video)
    ordered = [entity for entity, _ in job.tracks]
    found = find_entities(folder, ordered, others=set(ordered))
    tracks = {}
    for entity, wanted in job.tracks:
        own = faces(os.path.join(folder, found[entity])) if entity in found else {}
        names = tuple(own) if wanted is None else wanted
        left_out = _left_out(names, own)
        crops: Sequence[str] = ()
        if entity in found and (wanted is None or len(left_out) < len(wanted)):
            chosen = {own[name]: name for name in names if name in own}
            crops = _place_track(job, placer, folder / found[entity], entity, chosen)
        extra = tuple(sorted(own.keys() - set(names)))
        tracks[entity] = TrackFiles("/".join(crops), None, left_out, extra)
    seen = [e for e, wanted in job.tracks if not wanted or len(tracks[e].left_out) < len(wanted)]
    heard = _place_wavs(job, placer, seen)
    return VideoFiles(
        dict(placer.placed),
        {entity: track._replace(seconds=heard.get(entity)) for entity, track in tracks.items()},
    )


def _left_out(wanted: Sequence[str], own: dict[str, str]) -> tuple[int, ...]:
    """The places of wanted crops that are missing, or are another face's already."""
    if own.keys() >= set(wanted) and len(set(wanted)) == len(wanted):
        return ()
    before: set[str] = set()
    places = []
    for place, name in enumerate(wanted):
        if name not in own or name in before:
            places.append(place)
        before.add(name)
    return tuple(places)


def _place_track(
    job: Job, placer: Placer, source: Path, entity: str, chosen: dict[str, str]
) -> Sequence[str]:
    """Place a track's crops, as own name -> new name; returns those that the loader then finds.

    A folder becomes one link. Where the loader takes all that is in it for crops, it must have the
    chosen ones and no others.
    """
    to = job.folder(entity)
    if job.flat:
        if placer.files(source, to, chosen):
            return list(chosen.values())
        with contextlib.suppress(FileNotFoundError), os.scandir(to) as listing:
            return sorted(entry.name for entry in listing if entry.is_file())
        return ()
    to.parent.mkdir(parents=True, exist_ok=True)
    if placer.link == "sym":
        there = list_crops(source)
        if there == list(chosen.values()) and placer.files(source, to, chosen):
            return there
    to.mkdir()
    placer.into(source, to, chosen.items())
    return list_crops(to)


def _place_wavs(job: Job, placer: Placer, entities: Sequence[str]) -> dict[str, float | None]:
    """Place the sounds of some tracks; returns how long each is."""
    folder = Layout(job.source).part("audio", job.split, job.video)
    found = find_entities(folder, entities, ".wav", others={entity for entity, _ in job.tracks})
    places: dict[Path, list[tuple[str, str]]] = defaultdict(list)
    for entity, own in found.items():
        to = job.wav(entity)
        places[to.parent].append((own, to.name))
    for to, names in places.items():
        to.mkdir(parents=True, exist_ok=True)
        placer.into(folder, to, names)
    return {entity: seconds_of_wav(str(job.wav(entity))) for entity in found}

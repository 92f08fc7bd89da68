"""Place the crops and sounds of one video for a loader, and list them as it would.

A video is a task, so that several processes or machines can share them. A task may be done twice;
files that an earlier try left are removed first.
"""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from unitalk.files import Link, Placer
from unitalk.formats.loaders import seconds_of_wav
from unitalk.formats.positional import list_crops, track_folder, wav_path
from unitalk.layout import FlatLayout, Layout, Split, faces, find_entities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path


class Job(NamedTuple):
    """The files to place of one video.

    Attributes:
        source: the dataset's folder.
        destination: the folder to fill; the source, where files are only listed.
        split: the split.
        video: the video.
        tracks: each track's id and, where a loader needs these crops and no others, their names in
            time order.
        link: how files are placed.
    """

    source: Path
    destination: Path
    split: Split
    video: str
    tracks: tuple[tuple[str, tuple[str, ...]], ...]
    link: Link = "auto"


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


# ------------------------------------------------------------------------------ ASC


def place_flat(job: Job) -> VideoFiles:
    """Place a video for ASC: one folder a track, no folder of the video."""
    new = FlatLayout(job.destination)
    makes = (
        path
        for entity, _ in job.tracks
        for path in (new.track(job.split, entity), new.audio(job.split, entity))
    )
    return _afresh(_place_flat, job, makes)


def _place_flat(job: Job) -> VideoFiles:
    old, new, placer = Layout(job.source), FlatLayout(job.destination), Placer(job.link)
    entities = {entity for entity, _ in job.tracks}
    clips = new.track(job.split, "any").parent
    sounds = new.audio(job.split, "any").parent
    folder = old.part("audio", job.split, job.video)
    ordered = [entity for entity, _ in job.tracks]
    heard = find_entities(folder, ordered, ".wav", others=entities)
    if heard:
        placer.into(folder, sounds, [(own, f"{entity}.wav") for entity, own in heard.items()])
    folder = old.part("video", job.split, job.video)
    found = find_entities(folder, ordered, others=entities)
    tracks = {}
    for entity in ordered:
        names = ""
        if entity in found:
            crops, to = os.path.join(folder, found[entity]), os.path.join(clips, entity)
            chosen = {spelling: name for name, spelling in faces(crops).items()}
            linked = placer.files(crops, to, chosen)
            names = "/".join(chosen if linked else _files(to))
        wav = os.path.join(sounds, f"{entity}.wav")
        tracks[entity] = TrackFiles(names, seconds_of_wav(wav) if entity in heard else None)
    return VideoFiles(dict(placer.placed), tracks)


def _files(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as listing:
            return sorted(entry.name for entry in listing if entry.is_file())
    except FileNotFoundError:
        return []


# ------------------------------------------------------------------------------ TalkNet, LoCoNet


def list_for_loader(job: Job) -> VideoFiles:
    """List a video's tracks where TalkNet's and LoCoNet's loaders look; nothing is placed."""
    return VideoFiles({}, {entity: _listed(job, entity) for entity, _ in job.tracks})


def _listed(job: Job, entity: str) -> TrackFiles:
    names = list_crops(track_folder(job.destination, job.split, entity))
    wav = str(wav_path(job.destination, job.split, entity))
    return TrackFiles("/".join(names), seconds_of_wav(wav))


def place_for_loader(job: Job) -> VideoFiles:
    """Place the wanted crops of a video, and its sounds, where TalkNet's loader looks."""
    makes = (
        path(job.destination, job.split, entity)
        for entity, _ in job.tracks
        for path in (track_folder, wav_path)
    )
    return _afresh(_place_for_loader, job, makes)


def _place_for_loader(job: Job) -> VideoFiles:
    placer = Placer(job.link)
    folder = Layout(job.source).part("video", job.split, job.video)
    ordered = [entity for entity, _ in job.tracks]
    found = find_entities(folder, ordered, others=set(ordered))
    tracks = {}
    for entity, wanted in job.tracks:
        own = faces(folder / found[entity]) if entity in found else {}
        left_out = _left_out(wanted, own)
        names: list[str] = []
        if len(left_out) < len(wanted):
            to = track_folder(job.destination, job.split, entity)
            to.parent.mkdir(parents=True, exist_ok=True)
            chosen = {own[name]: name for name in wanted if name in own}
            names = _place_track(placer, folder / found[entity], to, chosen)
        extra = tuple(sorted(own.keys() - set(wanted)))
        tracks[entity] = TrackFiles("/".join(names), None, left_out, extra)
    seen = [entity for entity, wanted in job.tracks if len(tracks[entity].left_out) < len(wanted)]
    heard = _place_wavs(job, placer, seen)
    return VideoFiles(
        dict(placer.placed),
        {entity: track._replace(seconds=heard.get(entity)) for entity, track in tracks.items()},
    )


def _place_wavs(job: Job, placer: Placer, entities: Sequence[str]) -> dict[str, float | None]:
    """Place the sounds of some tracks; returns how long each is."""
    folder = Layout(job.source).part("audio", job.split, job.video)
    found = find_entities(folder, entities, ".wav", others={entity for entity, _ in job.tracks})
    places: dict[Path, list[tuple[str, str]]] = defaultdict(list)
    for entity, own in found.items():
        to = wav_path(job.destination, job.split, entity)
        places[to.parent].append((own, to.name))
    for to, names in places.items():
        to.mkdir(parents=True, exist_ok=True)
        placer.into(folder, to, names)
    return {
        entity: seconds_of_wav(str(wav_path(job.destination, job.split, entity)))
        for entity in found
    }


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


def _place_track(placer: Placer, source: Path, to: Path, chosen: dict[str, str]) -> list[str]:
    """Place a track's crops; returns what the loader then finds.

    A folder becomes one link only where the loader finds in it what was chosen and nothing else.
    """
    if placer.link == "sym":
        there = list_crops(source)
        if there == list(chosen.values()) and placer.files(source, to, chosen):
            return there
    to.mkdir()
    placer.into(source, to, chosen.items())
    return list_crops(to)


# ------------------------------------------------------------------------------ twice


def _afresh(place: Callable[[Job], VideoFiles], job: Job, makes: Iterable[Path]) -> VideoFiles:
    """Place a video; files that an earlier try of the same task left are removed first.

    Args:
        place: places it.
        job: the video.
        makes: all files and folders that it makes, without the folders above them.
    """
    try:
        return place(job)
    except FileExistsError:
        for path in makes:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    return place(job)

"""A small synthetic dataset in UniTalk's exact form, for a first run and for tests.

The ids are the published ones; everything else is drawn and computed, so the scores that a model
gets on it say whether the pipeline around the model works, and nothing about the model.

Kept from the real dataset, because programs trip over it: the csv says `0.4` where the file is
`0.40.jpg`; an id begins with `-`; tracks begin anywhere in their video and overlap in time; all
tracks of a scene hear the same sound, so a silent face hears the voice of another.
"""

from __future__ import annotations

import csv
import itertools
import os
import shutil
import zipfile
import zlib
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk.catalog import video_list
from unitalk.dataset.drawing import (
    FPS,
    SAMPLES,
    STEPS,
    Speech,
    Voice,
    background,
    draw_crops,
    speak,
    wander,
)
from unitalk.errors import UsageError
from unitalk.files import atomic_write, check_apart, disk_boundary, staged_folder
from unitalk.layout import PUBLISHED_SPLITS, Layout, Part, Split, face_name, hub_path
from unitalk.media.sound import write_wav
from unitalk.progress import Progress, SilentProgress
from unitalk.report import Count, Report
from unitalk.schema import (
    COLUMNS,
    ENTITY,
    LABEL,
    NOT_SPEAKING,
    PREDICTION_COLUMNS,
    SPEAKING,
)
from unitalk.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]
    Row = tuple[str, ...]

PREDICTIONS, BASELINE = "predictions.csv", "baseline.csv"
"""The files of two models' scores for the val split, in the dataset's folder."""

_ARCHIVED: tuple[Part, ...] = ("audio", "video")
_TRAIN = 4
_DASHED = "-maoolmiKi0"
_FRAME = (1280, 720)
_ENTITY, _LABEL = COLUMNS.index(ENTITY), COLUMNS.index(LABEL)

# How many tracks a scene has, by video and by category; "visual" is the crowded one.
_SCENES = ((2,), (3,), (2,), (2, 2), (2,), (2,))
_CROWD = (4,)
# Where a video's first scene begins, in frames: 0.0, 12.0 and 900.2 seconds, and drawn.
_STARTS = (0, 300, 22_505, None)
# How many of so many present faces speak in a turn: the chances of 0, 1, 2.
_SPEAKERS = {1: (0.3, 0.7, 0.0), 2: (0.0, 0.86, 0.14), 3: (0.0, 0.45, 0.55), 4: (0.0, 0.2, 0.8)}
# Widths of crops in pixels, and how often they come.
_WIDTHS = ((48, 60), (67, 100), (130, 140))
_WIDTH_SHARE = (0.42, 0.46, 0.12)
# Background noise against full scale, and how well the imperfect model does.
_NOISE = {"noise": 0.018}
_SKILL = {"language": 1.35, "mixed": 1.0, "visual": 0.85, "noise": 0.7}


# How much better each model is than `_SKILL`.
_MODELS = {PREDICTIONS: 0.0, BASELINE: -0.25}


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleReport(Report):
    """The sample that was made.

    Attributes:
        destination: the dataset's folder.
        seed: the random seed.
        counts: for each split, how many videos, tracks, faces and positives (speaking faces).
        size: the bytes of all files.
        predictions: the scores of an imperfect model for the val split.
        baseline: those of a weaker one.
    """

    schema_version = 1

    destination: Path
    seed: int
    counts: Mapping[Split, Mapping[str, int]] = field(metadata={"json": "splits"})
    size: Count = field(metadata={"json": "bytes"})
    predictions: Path
    baseline: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Track:
    """One face over time; arrays have one row per frame.

    Attributes:
        start: its first frame, counted from its scene's.
        boxes: left, top, width, height in pixels.
    """

    start: int
    speaking: Array
    opening: Array
    width: Array
    boxes: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """Faces that share the picture and the sound; `start` is a frame of the video."""

    start: int
    tracks: list[_Track]
    sound: Array


# ------------------------------------------------------------------------------ the dataset


@disk_boundary("destination")
def make_sample(
    destination: Path,
    *,
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> SampleReport:
    """Make the sample dataset, about 10 MB, and two files of predictions for its val split.

    The same seed gives the same bytes.

    Args:
        destination: the folder to make.
        seed: any whole number from 0.
        overwrite: replace a sample that was made there.
        progress: where to report to.

    Raises:
        DestinationError: the destination is not free.
        UsageError: the seed is negative.
    """
    if seed < 0:
        raise UsageError(f"the seed {seed} is negative", hint="give a whole number from 0")
    destination, about = Path(destination), {"seed": seed}
    with staged_folder(destination, made_by="sample", overwrite=overwrite, about=about) as folder:
        counts = _fill(folder, seed, progress or SilentProgress())
    return SampleReport(
        destination=destination,
        seed=seed,
        counts=counts,
        size=sum(path.stat().st_size for path in destination.rglob("*") if path.is_file()),
        predictions=destination / PREDICTIONS,
        baseline=destination / BASELINE,
    )


def _fill(folder: Path, seed: int, progress: Progress) -> dict[Split, dict[str, int]]:
    layout, videos = Layout(folder), sample_videos()
    rows: dict[Split, list[Row]] = {split: [] for split in PUBLISHED_SPLITS}
    scores: dict[str, list[Row]] = {name: [] for name in _MODELS}

    def make(place: int) -> list[Row]:
        return _make_video(layout, videos[place], place, seed)

    with (
        progress.task("making videos", total=len(videos), unit="videos") as task,
        Threads(min(4, os.cpu_count() or 1)) as pool,
    ):
        for video, made in zip(videos, pool.map(make, range(len(videos))), strict=True):
            rows[video.split] += made
            if video.category is not None:
                for stream, (name, skill) in enumerate(_MODELS.items(), 1):
                    rng = _generator(seed, video, stream)
                    scores[name] += _predict(rng, made, _SKILL[video.category] + skill)
            task.advance()
    for split, own in rows.items():
        _write_csv(layout.csv(split), own, header=COLUMNS)
    for name, own in scores.items():
        _write_csv(folder / name, own, header=PREDICTION_COLUMNS)
    return {split: _count(own) for split, own in rows.items()}


def sample_videos() -> tuple[video_list.Video, ...]:
    """The published videos that the sample has: four of train, all of val."""
    train = video_list.select(splits=("train",))
    others = [video for video in train if video.video_id != _DASHED][: _TRAIN - 1]
    chosen = [video for video in train if video in others or video.video_id == _DASHED]
    return (*chosen, *video_list.select(splits=("val",)))


def _make_video(layout: Layout, video: video_list.Video, place: int, seed: int) -> list[Row]:
    """Write one video's crops and sounds; return its rows."""
    rng = _generator(seed, video)
    rows: list[Row] = []
    tracks = [(scene, track) for scene in _plan_video(rng, video, place) for track in scene.tracks]
    layout.part("audio", video.split, video.video_id).mkdir(parents=True)
    for number, (scene, track) in enumerate(tracks):
        entity = f"{video.video_id}:{number}"
        first, frames = track.start * SAMPLES, len(track.speaking)
        sound = scene.sound[first : first + frames * SAMPLES]
        write_wav(layout.audio(video.split, video.video_id, entity), sound)
        folder = layout.track(video.split, video.video_id, entity)
        folder.mkdir(parents=True)
        start = scene.start + track.start
        crops = draw_crops(rng, track.opening, track.width, track.boxes[:, 2:])
        for frame, crop in enumerate(crops, start):
            (folder / face_name(frame / FPS)).write_bytes(crop)
        rows += _rows(video.video_id, entity, start, track)
    return rows


def _generator(seed: int, video: video_list.Video, stream: int = 0) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(video.video_id.encode()), stream])


def _rows(video_id: str, entity: str, start: int, track: _Track) -> Iterator[Row]:
    turns = np.cumsum(np.diff(track.speaking, prepend=track.speaking[:1]))
    width, height = _FRAME
    faces = zip(track.speaking.tolist(), turns.tolist(), track.boxes.tolist(), strict=True)
    for frame, (speaking, turn, (left, top, across, down)) in enumerate(faces, start):
        yield (
            video_id,
            repr(round(frame / FPS, 2)),
            f"{left / width:.6f}",
            f"{top / height:.6f}",
            f"{(left + across) / width:.6f}",
            f"{(top + down) / height:.6f}",
            SPEAKING if speaking else NOT_SPEAKING,
            entity,
            str(int(speaking)),
            f"{entity}:{turn}",
        )


def _count(rows: Sequence[Row]) -> dict[str, int]:
    return {
        "videos": len({row[0] for row in rows}),
        "tracks": len({row[_ENTITY] for row in rows}),
        "faces": len(rows),
        "positives": sum(row[_LABEL] == SPEAKING for row in rows),
    }


# ------------------------------------------------------------------------------ who speaks when


def _plan_video(rng: np.random.Generator, video: video_list.Video, place: int) -> list[_Scene]:
    counts = _CROWD if video.category == "visual" else _SCENES[place % len(_SCENES)]
    start = _STARTS[place % len(_STARTS)]
    at = int(rng.integers(1, 30_000)) if start is None else start
    noise = _NOISE.get(video.category or "", rng.uniform(0.001, 0.003))
    scenes = []
    for count in counts:
        scenes.append(_plan_scene(rng, at, count, noise))
        at += len(scenes[-1].sound) // SAMPLES + int(rng.integers(50, 500))
    return scenes


def _plan_scene(rng: np.random.Generator, start: int, count: int, noise: float) -> _Scene:
    """Lay out tracks that overlap, give the turns to them, and mix what they say."""
    spans = _spans(rng, count)
    total = max(end for _, end in spans)
    silence = np.zeros(total * STEPS, dtype=np.float32)
    sound = noise * background(rng, total * SAMPLES, hum=rng.uniform(0.1, 0.4))
    voices = [Voice(rng, pitch) for pitch in rng.permutation(np.linspace(105, 235, count + 1))]
    speaking = np.zeros((count, total), dtype=bool)
    loudness = np.tile(silence, (count, 1))
    vowel = np.zeros((count, total * STEPS), dtype=np.int64)
    for begin, end, speakers in _turns(rng, spans, total):
        for who in speakers:
            speech = speak(rng, end - begin)
            steps = slice(begin * STEPS, end * STEPS)
            said = voices[who].sound(rng, speech) * rng.uniform(0.1, 0.15)
            sound[begin * SAMPLES : end * SAMPLES] += said
            if who < count:
                speaking[who, begin:end] = True
                loudness[who, steps], vowel[who, steps] = speech.loudness, speech.vowel
    tracks = []
    for who, (begin, end) in enumerate(spans):
        heard = Speech(loudness=loudness[who], vowel=vowel[who], breath=silence)
        opening, width = heard.mouth()
        own = slice(begin, end)
        tracks.append(
            _Track(
                start=begin,
                speaking=speaking[who, own],
                opening=opening[own],
                width=width[own],
                boxes=_boxes(rng, end - begin, who, count),
            )
        )
    samples = np.clip(sound, -1, 1) * 32_767
    return _Scene(start=start, tracks=tracks, sound=samples.astype("<i2"))


def _spans(rng: np.random.Generator, count: int) -> list[tuple[int, int]]:
    """From which frame to which each track goes; each shares at least 30 with the first."""
    spans = [(0, 42 + int(58 * rng.random() ** 2))]
    while len(spans) < count:
        begin = int(rng.integers(0, spans[0][1] - 30))
        spans.append((begin, begin + 38 + int(36 * rng.random() ** 2)))
    return spans


def _turns(
    rng: np.random.Generator, spans: Sequence[tuple[int, int]], total: int
) -> Iterator[tuple[int, int, list[int]]]:
    """Who speaks from which frame to which; the number after the last face is a narrator."""
    at = int(rng.integers(3, 9))
    first = True
    while at < total - 10:
        end = min(total, at + int(rng.integers(16, 40)))
        present = [who for who, (begin, stop) in enumerate(spans) if begin <= at < stop - 12]
        speakers: list[int] = []
        if present:
            wanted = 1 if first else int(rng.choice(3, p=_SPEAKERS[len(present)]))
            speakers = [int(who) for who in rng.permutation(present)[:wanted]]
        if not speakers and rng.random() < 0.5:  # noqa: PLR2004 - as often as not
            speakers = [len(spans)]
        first = False
        yield at, end, speakers
        at = end + int(rng.integers(2, 6))


def _boxes(rng: np.random.Generator, frames: int, place: int, count: int) -> Array:
    """A box that drifts within its share of the picture, its size breathing a little."""
    low, high = _WIDTHS[rng.choice(len(_WIDTHS), p=_WIDTH_SHARE)]
    width = rng.uniform(low, high) * (1 + wander(rng, frames, 0.02))
    height = width * rng.uniform(1.22, 1.34)
    share = _FRAME[0] / count
    across = (place + 0.5) * share + wander(rng, frames, min(45.0, (share - high * 1.06) / 2))
    down = _FRAME[1] * rng.uniform(0.35, 0.6) + wander(rng, frames, 40)
    edges = np.stack([across - width / 2, down - height / 2, width, height], axis=1)
    boxes: Array = np.rint(edges).astype(np.int64)
    return boxes


# ------------------------------------------------------------------------------ predictions


def _predict(rng: np.random.Generator, rows: Sequence[Row], skill: float) -> Iterator[Row]:
    """Score a video's faces as an imperfect model would: late at onsets, wrong for a while."""
    skill += rng.uniform(-0.2, 0.2)
    bias = rng.normal(0, 0.3)
    for _, track in itertools.groupby(rows, itemgetter(_ENTITY)):
        belief, error = -0.5, rng.normal()
        offset = bias + rng.normal(0, 0.3)
        for row in track:
            belief += 0.45 * ((1 if row[_LABEL] == SPEAKING else -1) - belief)
            error = 0.9 * error + (1 - 0.9**2) ** 0.5 * rng.normal()
            score = 1 / (1 + np.exp(-1.6 * (skill * belief + error + offset)))
            yield (*row[:_LABEL], SPEAKING, row[_ENTITY], repr(float(score)))


# ------------------------------------------------------------------------------ as the hub keeps it


def publish(dataset: Path, folder: Path) -> None:
    """Write a dataset as the hub keeps it: two archives and a csv without header per video.

    The archives have the same bytes each time; the first of a split contains the files that macOS
    leaves in archives, as the published ones do.

    Args:
        dataset: the folder of a dataset.
        folder: the folder to make.

    Raises:
        LayoutError: there is no dataset.
        DestinationError: the folder is not free, or lies inside the dataset.
    """
    layout = Layout(Path(dataset))
    splits = layout.require_splits()
    check_apart(layout.root, folder)
    with staged_folder(folder, made_by="sample", about={"published": True}) as staging:
        for split in splits:
            with layout.csv(split).open(encoding="utf-8", newline="") as file:
                rows = list(csv.reader(file))[1:]
            litter = True
            for video, own in itertools.groupby(rows, itemgetter(0)):
                _write_csv(staging / hub_path("csv", split, video), own)
                for part in _ARCHIVED:
                    members = _members(layout.part(part, split, video), video)
                    if litter and part == "video":
                        members[f"{video}/.DS_Store"] = b"\0\0\0\1Bud1"
                        members[f"__MACOSX/._{video}"] = b"\0\5\x16\7\0\2\0\0Mac OS X        "
                    _write_zip(staging / hub_path(part, split, video), members)
                litter = False
    # The hub does not have our marker.
    shutil.rmtree(Layout(Path(folder)).memory)


def _members(folder: Path, video_id: str) -> dict[str, bytes]:
    return {
        f"{video_id}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _write_zip(path: Path, members: Mapping[str, bytes]) -> None:
    with atomic_write(path, "wb") as file, zipfile.ZipFile(file, "w") as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, date_time=(2025, 1, 1, 0, 0, 0))
            info.external_attr = 0o100644 << 16
            archive.writestr(info, members[name])


def _write_csv(path: Path, rows: Iterable[Sequence[str]], *, header: Row | None = None) -> None:
    with atomic_write(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        if header is not None:
            writer.writerow(header)
        writer.writerows(rows)

"""Cut one video's crops and sounds into a folder, and find what is wrong with it."""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unitalk.dataset.crop.crop_report import FINDINGS, NOTES, Finding
from unitalk.dataset.crop.face_crops import Crops
from unitalk.layout import check_id
from unitalk.media import sound, streams
from unitalk.media.libraries import load
from unitalk.media.timeline import read_timeline

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from unitalk.dataset.crop.dropped_rows import Dropped
    from unitalk.dataset.crop.video_job import Job
    from unitalk.media.timeline import Timeline

_SHORT = 0.1  # seconds of sound whose lack is noted: codecs end a little before the pictures


class Outcome(NamedTuple):
    """The outcome of cutting a video.

    Attributes:
        crops: how many face crops were cut.
        sounds: how many sounds were cut.
        findings: what is wrong, in the order of `FINDINGS`.
        notes: what is worth knowing.
        dropped: the rows that were left out.
    """

    crops: int
    sounds: int
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    dropped: Dropped = ()

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        lists = {
            name: [one.to_dict() for one in getattr(self, name)] for name in ("findings", "notes")
        }
        return self._asdict() | lists


def cut(job: Job, folder: Path) -> Outcome:
    """Cut one video's crops into `folder/faces` and its sounds into `folder/sounds`."""
    return _Cutter(job, folder).run()


class _Cutter:
    """Cuts one video; what cannot be cut is found, and the rest is cut."""

    def __init__(self, job: Job, folder: Path) -> None:
        self._job = job
        self._folder = folder
        self._found: dict[str, Finding] = {}
        self._pictures = -1
        self._sound = streams.Chosen(None)
        self._crops = 0
        self._sounds = 0

    def _find(self, kind: str, places: Sequence[str] = (), said: str = "") -> None:
        """Note a finding, or something worth knowing."""
        wanted = self._job.wanted
        self._found[kind] = Finding.of(kind, wanted.split, wanted.video, places=places, said=said)

    def run(self) -> Outcome:
        """Cut what can be cut."""
        try:
            self._cut()
        except load("av").FFmpegError as error:
            # What the library says, without the path that is said elsewhere.
            self._find("video-unreadable", said=str(getattr(error, "strerror", None) or error))
        return Outcome(
            crops=self._crops,
            sounds=self._sounds,
            findings=tuple(self._found[kind] for kind in FINDINGS if kind in self._found),
            notes=tuple(one for kind, one in self._found.items() if kind in NOTES),
        )

    def _cut(self) -> None:
        job = self._job
        if os.path.getsize(job.path) == 0:
            self._find("video-empty")
            return
        if not self._choose_streams():
            return
        until = float(job.wanted.seconds.max())
        timeline = read_timeline(job.path, self._pictures, until=until, threads=job.threads)
        if timeline is None:
            self._find("video-unreadable", said="not one frame can be decoded")
            return
        self._note_timeline(timeline)
        crops = self._cut_pictures(timeline)
        tracks = [n for n in range(len(job.wanted.entities)) if crops.has(n)]
        if tracks:
            self._cut_sounds(tracks, timeline)

    # -------------------------------------------------------------------------- streams

    def _choose_streams(self) -> bool:
        """Choose the streams to use; False when there are no pictures that can be decoded."""
        options = self._job.options
        with load("av").open(self._job.path) as container:
            pictures = streams.pictures_of(container, options.video_stream)
            if pictures.place is None:
                kind = "no-such-stream" if pictures.said else "no-pictures"
                self._find(kind, said=pictures.said)
                return False
            stream = container.streams[pictures.place]
            if stream.codec_context is None:
                self._find("codec-unknown")
                return False
            self._pictures = pictures.place
            self._sound = streams.sound_of(container, pictures.place, options.audio_stream)
            self._note_streams(container, stream)
        if pictures.several:
            self._find("several-video-streams", said=pictures.said)
        if self._sound.several:
            self._find("several-audio-streams", said=self._sound.said)
        return True

    def _note_streams(self, container: Any, stream: Any) -> None:  # noqa: ANN401 - of an extra
        """Note where others choose otherwise."""
        shape = stream.codec_context.sample_aspect_ratio
        if shape and shape != 1:
            self._find("pixels-not-square", said=f"{shape.numerator}:{shape.denominator}")
        if stream.start_time is not None and container.start_time is not None:
            late = float(stream.start_time * stream.time_base) - container.start_time / 1e6
            if late * float(stream.average_rate or 0) > 1:
                self._find("pictures-begin-later", said=f"{late:.2f} s")

    def _note_timeline(self, timeline: Timeline) -> None:
        if timeline.counted:
            self._find("times-unknown")
        if not timeline.rate_known:
            self._find("rate-unknown", said=f"{timeline.rate:.3f} a second")
        if not timeline.constant:
            self._find("variable-rate", said=f"{timeline.rate:.3f} a second in the mean")

    # -------------------------------------------------------------------------- pictures

    def _cut_pictures(self, timeline: Timeline) -> Crops:
        job, wanted = self._job, self._job.wanted
        crops = Crops(wanted, self._folder / "faces", job.options.margin)
        reader = crops.cut(job.path, self._pictures, timeline, threads=job.threads)
        self._crops = crops.written
        if reader.rotation:
            self._find("rotated", said=f"by {reader.rotation} degrees")
        if reader.deep:
            self._find("deep-colour")
        if reader.interlaced:
            self._find("interlaced")
        if len(reader.sizes) > 1:
            self._find("size-changes", said=", ".join(f"{w}x{h}" for w, h in reader.sizes))
        for kind, rows, said in (
            ("past-end", crops.late, f"it ends at {timeline.end:.2f} s"),
            ("frame-lost", crops.lost, ""),
            ("frame-damaged", crops.damaged, ""),
            ("boxes-in-pixels", crops.pixels, ""),
            ("crop-empty", crops.empty, ""),
        ):
            if rows:
                self._find(kind, wanted.name(rows), said)
        return crops

    # -------------------------------------------------------------------------- sound

    def _cut_sounds(self, tracks: list[int], timeline: Timeline) -> None:
        wanted, stream = self._job.wanted, self._sound
        entities = [wanted.entities[n] for n in tracks]
        if stream.place is None:
            self._find("no-such-stream" if stream.said else "sound-missing", entities, stream.said)
            return
        until = float(wanted.seconds.max()) + 1 / timeline.rate + 1.0
        with tempfile.TemporaryFile(dir=self._folder) as scratch:
            try:
                found = sound.read_sound(
                    self._job.path, stream.place, scratch, start=timeline.start, until=until
                )
            except sound.NoSoundError as error:
                self._find("sound-unreadable", entities, str(error))
                return
            self._write_sounds(tracks, found, timeline)
        if found.failed:
            self._find("sound-damaged", said=f"{found.failed:,} packets")
        if found.cancelled:
            self._find("sound-cancelled", entities, found.cancelled)
        if found.silent:
            self._find("silent-stream")

    def _write_sounds(self, tracks: list[int], found: sound.Sound, timeline: Timeline) -> None:
        wanted, compat = self._job.wanted, self._job.options.compat
        folder = self._folder / "sounds"
        folder.mkdir()
        places: dict[str, list[str]] = defaultdict(list)
        ends = round(timeline.end * sound.RATE)  # a track that is longer is past the pictures' end
        for track in tracks:
            entity = wanted.entities[track]
            own = wanted.seconds[wanted.starts[track] : wanted.starts[track + 1]]
            first, last = span(float(own[0]), float(own[-1]), timeline.rate, compat=compat)
            samples = found.samples[first:last] if compat else found.between(first, last)
            if not len(samples):
                places["sound-empty"].append(entity)
            elif min(last, ends) - len(found.samples) > _SHORT * sound.RATE:
                places["sound-short"].append(entity)
            elif not samples.any() and not found.silent:
                places["sound-silent"].append(entity)
            sound.write_wav(folder / f"{check_id(entity)}.wav", np.asarray(samples))
            self._sounds += 1
        for kind, entities in places.items():
            ends_at = f"it ends at {len(found.samples) / sound.RATE:.2f} s"
            self._find(kind, entities, ends_at if kind == "sound-short" else "")


def span(first: float, last: float, rate: float, *, compat: bool = False) -> tuple[int, int]:
    """Which samples a track's sound has: from its first face's time to its last frame's end.

    Args:
        first: the time of its first face.
        last: of its last.
        rate: frames a second.
        compat: end at the last face's time, and cut down instead of rounding, as TalkNet's script
            does (utils/tools.py, extract_audio_clips): 40 ms less at 25 frames a second.
    """
    if compat:
        return int(first * sound.RATE), int(last * sound.RATE)
    return round(first * sound.RATE), round((last + 1 / rate) * sound.RATE)

"""Cut one video's crops and sounds into a folder, and note what is wrong with it."""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unitalk.dataset.crop.crop_report import FINDINGS, Finding
from unitalk.dataset.crop.face_crops import Crops
from unitalk.layout import check_id
from unitalk.media import sound, streams
from unitalk.media.libraries import load
from unitalk.media.timeline import read_timeline

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.dataset.crop.dropped_rows import Dropped
    from unitalk.dataset.crop.video_job import Job
    from unitalk.media.decode import Reader
    from unitalk.media.timeline import Timeline

_SHORT = 0.1  # seconds of sound whose lack is noted: codecs end a little before the pictures


class Outcome(NamedTuple):
    """The outcome of a job.

    Attributes:
        crops: how many face crops were cut.
        sounds: how many sounds were cut.
        findings: what is wrong.
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
        told = {key: [one.to_dict() for one in getattr(self, key)] for key in ("findings", "notes")}
        return self._asdict() | told


class Cutter:
    """Cuts one video into a folder.

    Attributes:
        crops: how many crops were written.
        sounds: how many sounds were written.
    """

    def __init__(self, job: Job, folder: Path) -> None:
        self._job = job
        self._folder = folder
        self._places: dict[str, list[str]] = {}
        self._said: dict[str, str] = {}
        self._noted: dict[str, str] = {}
        self._pictures = -1
        self._sound = streams.Chosen(None)
        self.crops = 0
        self.sounds = 0

    def outcome(self) -> Outcome:
        """What was made and found."""
        wanted = self._job.wanted

        def told(kinds: dict[str, str], kind: str) -> Finding:
            return Finding.of(
                kind,
                wanted.split,
                wanted.video,
                places=self._places.get(kind, ()),
                said=kinds[kind],
            )

        return Outcome(
            crops=self.crops,
            sounds=self.sounds,
            findings=tuple(told(self._said, kind) for kind in FINDINGS if kind in self._said),
            notes=tuple(told(self._noted, kind) for kind in self._noted),
        )

    def find(self, kind: str, places: list[str] | None = None, said: str = "") -> None:
        """Note that something is wrong."""
        if places:
            self._places[kind] = places
        self._said[kind] = said

    def run(self) -> None:
        """Cut what can be cut."""
        job = self._job
        if os.path.getsize(job.path) == 0:
            self.find("video-empty")
            return
        av = load("av")
        try:
            if not self._choose_streams(av):
                return
            until = float(job.wanted.seconds.max())
            timeline = read_timeline(job.path, self._pictures, until=until, threads=job.threads)
        except av.FFmpegError as error:
            self.find("video-unreadable", said=_reason(error))
            return
        if timeline is None:
            self.find("video-unreadable", said="not one frame can be decoded")
            return
        crops = self._cut_pictures(timeline)
        tracks = [n for n in range(len(job.wanted.entities)) if crops.has(n)]
        if tracks:
            self._cut_sounds(tracks, timeline)

    def _choose_streams(self, av: Any) -> bool:  # noqa: ANN401 - of an extra
        """Choose the streams to use; False when there are no pictures that can be decoded."""
        options = self._job.options
        with av.open(self._job.path) as container:
            pictures = streams.pictures_of(container, options.video_stream)
            if pictures.place is None:
                self.find("no-such-stream" if pictures.said else "no-pictures", said=pictures.said)
                return False
            stream = container.streams[pictures.place]
            if stream.codec_context is None:
                self.find("codec-unknown")
                return False
            self._pictures = pictures.place
            self._sound = streams.sound_of(container, pictures.place, options.audio_stream)
            self._note_streams(container, stream)
        if pictures.several:
            self._noted["several-video-streams"] = pictures.said
        if self._sound.several:
            self._noted["several-audio-streams"] = self._sound.said
        return True

    def _note_streams(self, container: Any, stream: Any) -> None:  # noqa: ANN401
        """Note what is a choice of ours where others choose otherwise."""
        shape = stream.codec_context.sample_aspect_ratio
        if shape and shape != 1:
            self._noted["pixels-not-square"] = f"{shape.numerator}:{shape.denominator}"
        if stream.start_time is not None and container.start_time is not None:
            late = float(stream.start_time * stream.time_base) - container.start_time / 1e6
            if late * float(stream.average_rate or 0) > 1:
                self._noted["pictures-begin-later"] = f"{late:.2f} s"

    def _cut_pictures(self, timeline: Timeline) -> Crops:
        job, wanted = self._job, self._job.wanted
        crops = Crops(wanted, self._folder / "faces", job.options.margin)
        self._note_timeline(timeline)
        reader = crops.cut(job.path, self._pictures, timeline, threads=job.threads)
        self._note_pictures(reader)
        self.crops = crops.written
        if crops.late:
            self.find("past-end", wanted.name(crops.late), f"it ends at {timeline.end:.2f} s")
        for kind, rows in (
            ("frame-lost", crops.lost),
            ("frame-damaged", crops.damaged),
            ("boxes-in-pixels", crops.pixels),
            ("crop-empty", crops.empty),
        ):
            if rows:
                self.find(kind, wanted.name(rows))
        return crops

    def _note_timeline(self, timeline: Timeline) -> None:
        if timeline.counted:
            self._noted["times-unknown"] = ""
        if not timeline.rate_known:
            self._noted["rate-unknown"] = f"{timeline.rate:.3f} a second"
        if not timeline.constant:
            self._noted["variable-rate"] = f"{timeline.rate:.3f} a second in the mean"

    def _note_pictures(self, reader: Reader) -> None:
        if reader.rotation:
            self._noted["rotated"] = f"by {reader.rotation} degrees"
        if reader.deep:
            self._noted["deep-colour"] = ""
        if reader.interlaced:
            self._noted["interlaced"] = ""
        if len(reader.sizes) > 1:
            self._noted["size-changes"] = ", ".join(f"{w}x{h}" for w, h in reader.sizes)

    def _cut_sounds(self, tracks: list[int], timeline: Timeline) -> None:
        wanted = self._job.wanted
        entities = [wanted.entities[n] for n in tracks]
        if self._sound.place is None:
            said = self._sound.said
            self.find("no-such-stream" if said else "sound-missing", entities, said)
            return
        until = float(wanted.seconds.max()) + 1 / timeline.rate + 1.0
        with tempfile.TemporaryFile(dir=self._folder) as scratch:
            try:
                found = sound.read_sound(
                    self._job.path, self._sound.place, scratch, start=timeline.start, until=until
                )
            except sound.NoSoundError as error:
                self.find("sound-unreadable", entities, str(error))
                return
            self._write_sounds(tracks, found, timeline)
        if found.failed:
            self.find("sound-damaged", said=f"{found.failed:,} packets")
        if found.cancelled:
            self.find("sound-cancelled", entities, found.cancelled)
        if found.silent:
            self._noted["silent-stream"] = ""

    def _write_sounds(self, tracks: list[int], found: sound.Sound, timeline: Timeline) -> None:
        wanted, compat = self._job.wanted, self._job.options.compat
        folder = self._folder / "sounds"
        folder.mkdir()
        places: dict[str, list[str]] = defaultdict(list)
        ends = round(timeline.end * sound.RATE)  # what is past the pictures is told of them
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
            self.sounds += 1
        for kind, entities in places.items():
            ends_at = f"it ends at {len(found.samples) / sound.RATE:.2f} s"
            self.find(kind, entities, ends_at if kind == "sound-short" else "")


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


def _reason(error: Exception) -> str:
    """What the library says, without the path that is said elsewhere."""
    return str(getattr(error, "strerror", None) or error)

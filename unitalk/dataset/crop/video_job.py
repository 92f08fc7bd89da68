"""Cut one video: its crops and sounds are made in a staging folder, and renamed when whole.

Its receipt, written last, says what they were made from and what was found.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections import defaultdict
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unitalk.dataset.crop.crop_report import FINDINGS, Finding
from unitalk.dataset.crop.dropped_rows import Dropped, uncut, without
from unitalk.dataset.crop.face_crops import Crops
from unitalk.files import Receipts, disk_errors
from unitalk.layout import Layout, check_id
from unitalk.media import sound, streams
from unitalk.media.timeline import read_timeline
from unitalk.media.video_libraries import load

if TYPE_CHECKING:
    from unitalk.dataset.crop.crop_options import CropOptions
    from unitalk.dataset.crop.wanted_faces import Wanted
    from unitalk.layout import Split
    from unitalk.media.decode import Reader
    from unitalk.media.timeline import Timeline

VERSION = 2
"""Of what is made of the same rows and the same video."""

_TRIES = 5
_SHORT = 0.1  # seconds of sound whose lack is told: codecs end a little before the pictures


class Job(NamedTuple):
    """One video to cut; any worker may cut it, even two at a time.

    Attributes:
        destination: the dataset.
        path: the video's file.
        wanted: its faces.
        options: how to cut.
        threads: of its decoder; 0: as many as there are processors.
    """

    destination: str
    path: str
    wanted: Wanted
    options: CropOptions
    threads: int


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


def cut_video(job: Job) -> Outcome:
    """Cut one video, and put its files and its receipt in their places.

    Raises:
        DiskError: the disk refused.
    """
    target = Path(job.destination)
    own_request = made_of(job.wanted, job.options, Path(job.path))
    folder = staging(target)
    with disk_errors(target):
        folder.mkdir(parents=True, exist_ok=True)
        own = Path(tempfile.mkdtemp(dir=folder))
        try:
            made = _Cut(job, own)
            made.run()
            outcome = made.outcome()
            if job.options.drop_missing:
                dropped = uncut(own / "faces", own / "sounds", job.wanted)
                outcome = _cut_without(job, own, dropped, outcome) if dropped else outcome
            _place(Layout(target), own, job.wanted)
            receipts(target).write(
                receipt_name(job.wanted.split, job.wanted.video),
                {"made_of": own_request, **outcome.to_dict()},
            )
        finally:
            shutil.rmtree(own, ignore_errors=True)
    return outcome


def _cut_without(job: Job, own: Path, dropped: Dropped, outcome: Outcome) -> Outcome:
    """Cut a video again without the rows that could not be cut.

    A track's sound begins and ends with its faces: of other faces it is another sound.
    """
    for name in ("faces", "sounds"):
        shutil.rmtree(own / name, ignore_errors=True)
    wanted, again = without(job.wanted, dropped), Outcome(0, 0, (), outcome.notes)
    if wanted is not None:
        made = _Cut(job._replace(wanted=wanted), own)
        made.run()
        again = made.outcome()
    left = {one.kind for one in again.findings}
    settled = tuple(one for one in outcome.findings if one.kind not in left)
    return again._replace(notes=again.notes + settled, dropped=dropped)


def staging(destination: Path) -> Path:
    """The folder of half-made videos."""
    return Layout(destination).memory / "staging"


def remove(destination: Path, split: Split, video: str) -> None:
    """Remove what an earlier run made of a video, the receipt first."""
    layout = Layout(destination)
    receipts(destination).remove(receipt_name(split, video))
    shutil.rmtree(layout.part("video", split, video), ignore_errors=True)
    shutil.rmtree(layout.part("audio", split, video), ignore_errors=True)


def _place(layout: Layout, own: Path, wanted: Wanted) -> None:
    """Move the made folders to their places, replacing those of an earlier run."""
    receipts(layout.root).remove(receipt_name(wanted.split, wanted.video))
    for name, final in (
        ("faces", layout.part("video", wanted.split, wanted.video)),
        ("sounds", layout.part("audio", wanted.split, wanted.video)),
    ):
        final.parent.mkdir(parents=True, exist_ok=True)
        swap(own / name, final, own / f"old-{name}")


def swap(made: Path, final: Path, aside: Path) -> None:
    """Replace a folder by another one, or remove it if no other one was made."""
    for attempt in range(_TRIES):
        with suppress(FileNotFoundError):
            final.rename(f"{aside}-{attempt}")
        if not made.exists():
            return
        try:
            made.rename(final)
        except OSError as error:  # a cluster may do one video twice, and at one time
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST} or attempt == _TRIES - 1:
                raise
        else:
            return


# ------------------------------------------------------------------------------ the work


class _Cut:
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


# ------------------------------------------------------------------------------ receipts


def receipts(destination: Path) -> Receipts:
    """The receipts of the videos that are cut, see `receipt_name`."""
    return Receipts(Layout(destination).memory / "cut")


def receipt_name(split: Split, video: str) -> str:
    """The name of a video's receipt."""
    return f"{split}/{check_id(video)}"


def made_of(wanted: Wanted, options: CropOptions, path: Path | None) -> dict[str, Any]:
    """Everything that decides a video's crops and sounds; without a path, all but the file."""
    values = {"version": VERSION, "rows": wanted.digest(), **asdict(options)}
    if path is not None:
        about = path.stat()
        values |= {"bytes": about.st_size, "modified": about.st_mtime_ns}
    return values


def kept(
    destination: Path, wanted: Wanted, options: CropOptions, path: Path | None
) -> Outcome | None:
    """The outcome of a video that an earlier run cut in just this way, if its files are there.

    Args:
        destination: the dataset.
        wanted: the video's faces.
        options: how they are cut.
        path: the video's file; None when it is no longer there, which then does not matter.
    """
    name = receipt_name(wanted.split, wanted.video)
    found = receipts(destination).fitting(name, made_of(wanted, options, path))
    if found is None:
        return None
    try:
        outcome = Outcome(
            crops=found["crops"],
            sounds=found["sounds"],
            findings=tuple(Finding(**one) for one in found["findings"]),
            notes=tuple(Finding(**one) for one in found["notes"]),
            dropped=tuple((reason, tuple(rows)) for reason, rows in found["dropped"]),
        )
    except (KeyError, TypeError, ValueError):  # damaged from outside
        return None
    return outcome if _files_of(destination, wanted) == (outcome.crops, outcome.sounds) else None


def _files_of(destination: Path, wanted: Wanted) -> tuple[int, int]:
    """How many crops and sounds of a video are there, by their folders' listings."""
    layout = Layout(destination)
    crops = sounds = 0
    with suppress(FileNotFoundError):
        for track in os.scandir(layout.part("video", wanted.split, wanted.video)):
            crops += len(os.listdir(track.path))
    with suppress(FileNotFoundError):
        sounds = len(os.listdir(layout.part("audio", wanted.split, wanted.video)))
    return crops, sounds

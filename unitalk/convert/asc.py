"""The flat layout that ASC (Active Speakers in Context) and ASDNet read.

Both take the csv's text of a time as a file name: `<entity_id>/<text>.jpg`. A text that is not the
name of a file becomes a black image there, and a missing wav becomes silence, both without a
message. So the text is written as the file's name here, and every row is looked up afterwards.

::

    csv/<split>_orig.csv                            ten columns, header; read from the end
    csv/<split>/<video_id>-activespeaker.csv        AVA's eight columns, no header
    gt/<video_id>.csv                               the same file under the name that papers use
    clips_audios/<split>/<entity_id>.wav
    clips_videos/<split>/<entity_id>/<time>.jpg
"""

from __future__ import annotations

import os
import struct
import wave
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unitalk import schema
from unitalk.errors import EXAMPLES, LayoutError, SchemaError, examples
from unitalk.fsops import Link, Placer, check_apart, check_destination, staged_folder
from unitalk.layout import FlatLayout, Layout, Split, check_id, face_name, faces, find_entities
from unitalk.progress import Progress, SilentProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy.typing as npt

_SLACK = 0.005  # seconds that a wav may be shorter than its faces: AVA's are cut a sample short

# A wav as everybody writes it: RIFF, a format of 16 bytes that says PCM, then the sound.
_WAV = struct.Struct("<4s4x8sIHHI4xHH4sI")
_PCM = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertReport:
    """What a conversion made, and what a loader would find wrong with it.

    Attributes:
        source: the dataset that was converted.
        destination: the folder that was made.
        splits: the splits that were converted.
        rows: faces, all of them looked up.
        tracks: entities.
        videos: videos.
        files: files placed, by way: hard, copy, and sym for links.
        black: how many faces have no crop: a loader would see a black image.
        silent: tracks without sound: a loader would hear zeros.
        short: tracks whose sound ends before their faces do.
        findings: what is wrong, in words, with examples.
        warnings: what the reader should know.
    """

    source: str
    destination: str
    splits: tuple[Split, ...]
    rows: int
    tracks: int
    videos: int
    files: dict[str, int]
    black: int
    silent: int
    short: int
    findings: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether a loader would find every face and every sound."""
        return not self.findings

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return {
            "schema_version": 1,
            "source": self.source,
            "destination": self.destination,
            "splits": list(self.splits),
            "rows": self.rows,
            "tracks": self.tracks,
            "videos": self.videos,
            "files": dict(self.files),
            "black": self.black,
            "silent": self.silent,
            "short": self.short,
            "findings": list(self.findings),
            "warnings": list(self.warnings),
        }


def convert_asc(
    source: Path,
    destination: Path,
    *,
    splits: tuple[Split, ...] = (),
    link: Link = "auto",
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ConvertReport:
    """Convert a dataset to the flat layout of ASC and ASDNet, and check it as they would read it.

    Args:
        source: a dataset, made by this program or by the original scripts.
        destination: a folder that does not exist, is empty, or (with `overwrite`) was made by
            convert-asc.
        splits: which to convert; default: all that are present.
        link: how files are placed, see `fsops.Placer`.
        overwrite: replace what an earlier conversion made there.
        progress: where to report to.

    Returns:
        The report; its `findings` are for the caller to act upon.

    Raises:
        DestinationError: the destination is not free, or one folder contains the other.
        LayoutError: the source is no dataset or lacks a split, or two videos of a split have
            tracks of the same name, which the flat layout cannot tell apart.
        SchemaError: the source's csv breaks the schema.
    """
    progress = progress or SilentProgress()
    check_apart(source, destination)
    check_destination(destination, made_by="convert-asc", overwrite=overwrite)
    old = Layout(Path(source))
    splits = old.require_splits(splits)
    placer = Placer(link)
    check = _Check()
    about = {"source": str(Path(source).resolve()), "splits": list(splits)}
    with staged_folder(
        destination, made_by="convert-asc", overwrite=overwrite, about=about
    ) as staging:
        new = FlatLayout(staging)
        for split in splits:
            tracks = _write_rows(old.csv(split), new, split)
            linked = _place(old, new, split, tracks, placer, progress=progress)
            check.read(new, split, linked)
    return ConvertReport(
        source=str(source),
        destination=str(destination),
        splits=splits,
        rows=check.rows,
        tracks=check.tracks,
        videos=len(check.videos),
        files=dict(placer.placed),
        black=check.black.count,
        silent=check.silent.count,
        short=check.short.count,
        findings=check.findings(),
        warnings=(),
    )


# ------------------------------------------------------------------------------ writing


def _write_rows(source: Path, new: FlatLayout, split: Split) -> dict[str, str]:
    """Write the split's rows in all their places; returns entity_id -> video_id.

    Raises:
        SchemaError: a column is missing.
        LayoutError: two videos have tracks of the same name.
    """
    head, batches = schema.read_text(source)
    missing = [name for name in schema.COLUMNS if name not in head.columns]
    if missing:
        raise SchemaError(
            f"{source}: ASC needs the ten columns of UniTalk, and {', '.join(missing)} are missing",
            hint=f"the columns are {', '.join(schema.COLUMNS)}",
        )
    tracks: dict[str, str] = {}
    new.activespeaker_folder(split).mkdir(parents=True)

    def rewritten() -> Iterator[pa.RecordBatch]:
        for batch in batches:
            ten = _with_file_times(batch)
            for video, part in _by_video(ten):
                _note_tracks(source, tracks, video, part)
                with new.activespeaker(split, video).open("ab") as file:
                    schema.append_text(file, part.select(schema.AVA_COLUMNS))
            yield ten

    schema.write_text(new.csv(split), schema.COLUMNS, rewritten())
    second_name = Placer()
    for video in dict.fromkeys(tracks.values()):
        path = new.groundtruth(video)
        if path.exists():
            raise LayoutError(
                f"{source}: the video {video} is in the other split too, and gt/ has one file a "
                "video",
                hint="convert one split at a time with --split",
            )
        path.parent.mkdir(exist_ok=True)
        second_name.file(new.activespeaker(split, video), path)
    return tracks


def _with_file_times(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The ten columns, with each time's text equal to its face's file name."""
    times, place = np.unique(schema.seconds_of(batch), return_inverse=True)
    texts = [face_name(time).removesuffix(".jpg") for time in times.tolist()]
    columns = {name: batch[name] for name in schema.COLUMNS}
    columns[schema.TIME] = schema.text_column(texts, place.astype(np.int32))
    return pa.RecordBatch.from_pydict(columns)


def _by_video(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    videos = pc.unique(batch[schema.VIDEO])
    for video in videos:
        whole = len(videos) == 1
        yield str(video), batch if whole else batch.filter(pc.equal(batch[schema.VIDEO], video))


def _note_tracks(source: Path, tracks: dict[str, str], video: str, part: pa.RecordBatch) -> None:
    for entity in map(str, pc.unique(part[schema.ENTITY])):
        if tracks.setdefault(entity, video) != video:
            raise LayoutError(
                f"{source}: the videos {tracks[entity]} and {video} both have a track {entity!r}",
                hint="the flat layout has one folder a track, and one would overwrite the other; "
                "give the tracks different ids",
            )


def _place(
    old: Layout,
    new: FlatLayout,
    split: Split,
    tracks: dict[str, str],
    placer: Placer,
    *,
    progress: Progress,
) -> dict[str, str]:
    """Place every track's crops and sound; what the source lacks is found by the check.

    Returns:
        The tracks whose folder became a link, each with the names of its crops joined by `/`
        (one text, as four million of them would need ten times the room).
    """
    clips, sounds = new.track(split, "any").parent, new.audio(split, "any").parent
    clips.mkdir(parents=True)
    sounds.mkdir(parents=True)
    linked: dict[str, str] = {}
    videos: dict[str, list[str]] = defaultdict(list)
    for entity, video in tracks.items():
        videos[video].append(entity)
    with progress.task(f"placing {split}", total=len(tracks), unit="tracks") as task:
        for video, entities in videos.items():
            folder = old.part("audio", split, video)
            found = find_entities(folder, entities, ".wav", others=tracks)
            if found:
                wavs = [(own, f"{entity}.wav") for entity, own in found.items()]
                placer.into(folder, sounds, wavs)
            folder = old.part("video", split, video)
            found = find_entities(folder, entities, others=tracks)
            for entity, own in found.items():
                crops, to = os.path.join(folder, own), os.path.join(clips, entity)
                names = {spelling: name for name, spelling in faces(crops).items()}
                if placer.files(crops, to, names):
                    linked[entity] = "/".join(names)
                task.advance()
            task.advance(len(entities) - len(found))
    return linked


# ------------------------------------------------------------------------------ checking


@dataclass(slots=True)
class _Found:
    """Something that is wrong, how often, and the first few."""

    what: str
    count: int = 0
    shown: list[str] = field(default_factory=list)

    def add(self, example: str) -> None:
        self.count += 1
        if len(self.shown) < EXAMPLES:
            self.shown.append(example)


@dataclass(slots=True)
class _Check:
    """Reads what was written the way ASC's and ASDNet's loader does, from the end of each row.

    See core/dataset.py (`_cache_entity_data`) and core/io.py (`load_av_clip_from_metadata`) of
    Active Speakers in Context.
    """

    rows: int = 0
    tracks: int = 0
    videos: set[str] = field(default_factory=set)
    black: _Found = field(default_factory=lambda: _Found("faces without a crop (black there)"))
    silent: _Found = field(default_factory=lambda: _Found("tracks without sound (silent there)"))
    short: _Found = field(default_factory=lambda: _Found("tracks whose sound ends too early"))

    def read(self, new: FlatLayout, split: Split, linked: Mapping[str, str]) -> None:
        """Look every row of a split up on the disk: one listing a track, or none.

        Args:
            new: what was made.
            split: the split.
            linked: the tracks whose folder is a link to one that was listed just now, each with
                the names of its crops joined by `/`.
        """
        spans: dict[str, tuple[float, float]] = {}
        clips = new.track(split, "any").parent

        @lru_cache(maxsize=256)
        def listing(entity: str) -> frozenset[str]:
            if entity in linked:
                return frozenset(linked[entity].split("/"))
            return _names(os.path.join(clips, check_id(entity)))

        _, batches = schema.read_text(new.csv(split), only_keys=True)
        for batch in batches:
            self.rows += batch.num_rows
            self.videos.update(map(str, pc.unique(batch[schema.VIDEO])))
            for example in _black(batch, spans, listing):
                self.black.add(f"{split}/{example}")
        self.tracks += len(spans)
        sounds = new.audio(split, "any").parent
        for entity, (first, last) in spans.items():
            seconds = _seconds(os.path.join(sounds, f"{entity}.wav"))
            if seconds is None:
                self.silent.add(f"{split}/{entity}.wav")
            elif seconds + _SLACK < last - first:
                lengths = f"{seconds:.2f} s for {last - first:.2f} s of faces"
                self.short.add(f"{split}/{entity}.wav ({lengths})")

    def findings(self) -> tuple[str, ...]:
        """One sentence a kind."""
        return tuple(
            f"{found.count:,} {found.what}: {examples(found.shown, count=found.count)}"
            for found in (self.black, self.silent, self.short)
            if found.count
        )


def _black(
    batch: pa.RecordBatch,
    spans: dict[str, tuple[float, float]],
    listing: Callable[[str], frozenset[str]],
) -> Iterator[str]:
    """The faces of a batch that no file shows, as the loader would name the file, in their order.

    Args:
        batch: videos, times and entities.
        spans: where each track's first row is in time, and its latest face; brought up to date.
        listing: the names of a track's crops.
    """
    entities, codes = _encoded(batch[schema.ENTITY])
    seconds = schema.seconds_of(batch)
    names = [f"{text}.jpg" for text in batch[schema.TIME].to_pylist()]
    missing: list[int] = []
    for rows in _by_code(codes):
        entity = entities[codes[rows[0]]]
        # The loader takes an entity's first row for the beginning of its sound.
        first, last = spans.get(entity, (seconds[rows[0]], 0.0))
        spans[entity] = (first, max(last, seconds[rows].max()))
        present = listing(entity)
        wanted = [names[row] for row in rows.tolist()]
        if not present.issuperset(wanted):
            missing += [row for row in rows.tolist() if names[row] not in present]
    for row in sorted(missing):
        yield f"{entities[codes[row]]}/{names[row]}"


def _encoded(column: pa.Array[Any]) -> tuple[list[str], npt.NDArray[np.int32]]:
    """The texts of a column, and which of them each row has."""
    encoded = cast("pa.DictionaryArray[Any, Any]", pc.dictionary_encode(column))
    return cast("list[str]", encoded.dictionary.to_pylist()), schema.as_numpy(encoded.indices)


def _by_code(codes: npt.NDArray[np.int32]) -> list[npt.NDArray[np.intp]]:
    """The rows of each code, in their order."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def _names(folder: str) -> frozenset[str]:
    try:
        with os.scandir(folder) as listing:
            entries = list(listing)
    except FileNotFoundError:
        return frozenset()
    if all(map(os.DirEntry.is_file, entries)):
        return frozenset([entry.name for entry in entries])
    return frozenset(entry.name for entry in entries if entry.is_file())


def _seconds(wav: str) -> float | None:
    """How long a wav is; None where a loader would fail to read it."""
    try:
        with open(wav, "rb", buffering=0) as file:
            head = file.read(_WAV.size)
        if len(head) == _WAV.size:
            # Python's reader takes ten times as long, and there may be fifty thousand wavs.
            riff, form, size, coding, channels, rate, _, bits, data, length = _WAV.unpack(head)
            frame = channels * ((bits + 7) // 8)
            usual = (riff, form, size, coding, data) == (b"RIFF", b"WAVEfmt ", 16, _PCM, b"data")
            if usual and frame and rate:
                return float(length // frame / rate)
        with wave.open(wav, "rb") as sound:
            return sound.getnframes() / sound.getframerate()
    except (OSError, EOFError, ZeroDivisionError, wave.Error):
        return None

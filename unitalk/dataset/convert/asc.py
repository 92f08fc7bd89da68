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

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unitalk import schema
from unitalk.dataset.convert.convert_report import ConvertReport, Found, sentences
from unitalk.dataset.convert.loader_files import Job, TrackFiles, place_flat
from unitalk.dataset.convert.refusals import check_columns, same_id
from unitalk.dataset.convert.wav_lengths import ends_too_early
from unitalk.errors import LayoutError
from unitalk.executor import Executor, Here
from unitalk.files import Link, Placer, check_apart, check_destination, disk_boundary, staged_folder
from unitalk.layout import FlatLayout, Layout, Split, face_name
from unitalk.progress import Progress, SilentProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy.typing as npt


@disk_boundary("destination")
def convert_asc(
    source: Path,
    destination: Path,
    *,
    splits: tuple[Split, ...] = (),
    link: Link = "auto",
    overwrite: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ConvertReport:
    """Convert a dataset to the flat layout of ASC and ASDNet, and check it as they would read it.

    Args:
        source: a dataset, made by this program or by the original scripts.
        destination: a folder that does not exist, is empty, or (with `overwrite`) was made by
            convert-asc.
        splits: which to convert; default: all that are present.
        link: how files are placed, see `files.Placer`.
        overwrite: replace what an earlier conversion made there.
        executor: where files are placed and listed, a task a video; default: in this process.
        progress: where to report to.

    Returns:
        The report; its `findings` are for the caller to act upon.

    Raises:
        DestinationError: the destination is not free, or one folder contains the other.
        LayoutError: the source is no dataset or lacks a split, or two videos of a split have
            tracks of the same name, which the flat layout cannot tell apart.
        SchemaError: the source's csv breaks the schema.
    """
    progress, executor = progress or SilentProgress(), executor or Here()
    check_apart(source, destination)
    check_destination(destination, made_by="convert-asc", overwrite=overwrite)
    old = Layout(Path(source))
    splits = old.require_splits(splits)
    placed: Counter[str] = Counter()
    check = _Check()
    about = {"source": str(Path(source).resolve()), "splits": list(splits)}
    with staged_folder(
        destination, made_by="convert-asc", overwrite=overwrite, about=about
    ) as staging:
        new = FlatLayout(staging)
        for split in splits:
            jobs = _jobs(old, new, split, _write_rows(old.csv(split), new, split), link)
            files: dict[str, TrackFiles] = {}
            new.track(split, "any").parent.mkdir(parents=True)
            new.audio(split, "any").parent.mkdir(parents=True)
            total = sum(len(job.tracks) for job in jobs)
            with progress.task(f"placing {split}", total=total, unit="tracks") as task:
                for video in executor.run(place_flat, jobs):
                    placed.update(video.placed)
                    files.update(video.tracks)
                    task.advance(len(video.tracks))
            check.read(new, split, files)
        written = tuple(new.csv(split).relative_to(staging).as_posix() for split in splits)
    return ConvertReport(
        target="asc",
        source=str(source),
        destination=str(destination),
        splits=splits,
        rows=check.rows,
        tracks=check.tracks,
        videos=len(check.videos),
        files=dict(placed),
        written=written,
        black=check.black.count,
        silent=check.silent.count,
        short=check.short.count,
        findings=sentences(check.black, check.silent, check.short),
    )


# ------------------------------------------------------------------------------ writing


def _write_rows(source: Path, new: FlatLayout, split: Split) -> dict[str, str]:
    """Write the split's rows in all their places; returns entity_id -> video_id.

    Raises:
        SchemaError: a column is missing.
        LayoutError: two videos have tracks of the same name.
    """
    head, batches = schema.read_text(source)
    check_columns(source, head, "ASC")
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
            raise same_id(source, tracks[entity], video, entity, "the flat layout")


def _jobs(
    old: Layout, new: FlatLayout, split: Split, tracks: dict[str, str], link: Link
) -> list[Job]:
    """A task a video; what the source lacks is found by the check."""
    videos: dict[str, list[str]] = defaultdict(list)
    for entity, video in tracks.items():
        videos[video].append(entity)
    source = old.root.absolute()
    return [
        Job(source, new.root, split, video, tuple((entity, ()) for entity in entities), link)
        for video, entities in videos.items()
    ]


# ------------------------------------------------------------------------------ checking


@dataclass(slots=True)
class _Check:
    """Reads what was written the way ASC's and ASDNet's loader does, from the end of each row.

    See core/dataset.py (`_cache_entity_data`) and core/io.py (`load_av_clip_from_metadata`) of
    Active Speakers in Context.
    """

    rows: int = 0
    tracks: int = 0
    videos: set[str] = field(default_factory=set)
    black: Found = field(default_factory=lambda: Found("faces without a crop (black there)"))
    silent: Found = field(default_factory=lambda: Found("tracks without sound (silent there)"))
    short: Found = field(default_factory=lambda: Found("tracks whose sound ends too early"))

    def read(self, new: FlatLayout, split: Split, files: Mapping[str, TrackFiles]) -> None:
        """Look every row of a split up in what stands on the disk.

        Args:
            new: what was made.
            split: the split.
            files: what was listed of each track, after it was placed.
        """
        spans: dict[str, tuple[float, float]] = {}

        @lru_cache(maxsize=256)
        def listing(entity: str) -> frozenset[str]:
            return frozenset(files[entity].names.split("/"))

        _, batches = schema.read_text(new.csv(split), only_keys=True)
        for batch in batches:
            self.rows += batch.num_rows
            self.videos.update(map(str, pc.unique(batch[schema.VIDEO])))
            for example in _black(batch, spans, listing):
                self.black.add(f"{split}/{example}")
        self.tracks += len(spans)
        for entity, (first, last) in spans.items():
            seconds = files[entity].seconds
            if seconds is None:
                self.silent.add(f"{split}/{entity}.wav")
            elif lengths := ends_too_early(seconds, first, last):
                self.short.add(f"{split}/{entity}.wav ({lengths})")


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

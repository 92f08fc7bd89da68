"""Convert a dataset to the form that another model's loader reads, and check it as that reads it.

The forms are those of `formats.asc`, `formats.talknet` and `formats.loconet`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from unitalk import schema
from unitalk.dataset.convert.by_position import Conversion
from unitalk.dataset.convert.convert_report import ConvertReport, Found, Target, sentences
from unitalk.dataset.convert.place_files import Job, TrackFiles, place_flat
from unitalk.executor import Executor, Here
from unitalk.files import Link, check_apart, check_destination, disk_boundary, staged_folder
from unitalk.formats import asc
from unitalk.formats.loaders import ends_too_early
from unitalk.layout import FlatLayout, Layout, Split
from unitalk.progress import Progress, SilentProgress
from unitalk.schema.split_rows import SplitRows

if TYPE_CHECKING:
    from collections.abc import Mapping

# ------------------------------------------------------------------------------ ASC


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
        splits: the splits to convert; default: all that are present.
        link: how files are placed, see `files.Placer`.
        overwrite: replace what an earlier conversion made there.
        executor: where files are placed and listed, one task per video; default: in this process.
        progress: where to report to.

    Returns:
        The report; its `findings` are for the caller to act upon.

    Raises:
        DestinationError: the destination is not free, or one folder contains the other.
        LayoutError: the source is not a dataset or lacks a split, or two videos of a split have
            tracks of one id, which the flat layout cannot tell apart.
        SchemaError: the source's csv breaks the schema.
    """
    progress, executor = progress or SilentProgress(), executor or Here()
    check_apart(source, destination)
    check_destination(destination, made_by="convert-asc", overwrite=overwrite)
    old = Layout(Path(source))
    splits = old.require_splits(splits)
    placed: Counter[str] = Counter()
    check = _AscCheck()
    about = {"source": str(Path(source).resolve()), "splits": list(splits)}
    with staged_folder(
        destination, made_by="convert-asc", overwrite=overwrite, about=about
    ) as staging:
        new = FlatLayout(staging)
        for split in splits:
            jobs = _jobs(old, new, split, asc.write_rows(old.csv(split), new, split), link)
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


def _jobs(
    old: Layout, new: FlatLayout, split: Split, tracks: Mapping[str, str], link: Link
) -> list[Job]:
    """One task per video; what the source lacks is found by the check."""
    videos: dict[str, list[str]] = defaultdict(list)
    for entity, video in tracks.items():
        videos[video].append(entity)
    source = old.root.absolute()
    return [
        Job(source, new.root, split, video, tuple((entity, ()) for entity in entities), link)
        for video, entities in videos.items()
    ]


class _AscCheck:
    """Reads the written files as the loader does."""

    def __init__(self) -> None:
        self.rows = self.tracks = 0
        self.videos: set[str] = set()
        self.black = Found("faces without a crop (black there)")
        self.silent = Found("tracks without sound (silent there)")
        self.short = Found("tracks whose sound ends too early")

    def read(self, new: FlatLayout, split: Split, files: Mapping[str, TrackFiles]) -> None:
        """Look up every row of a split among the files that were listed of each track."""
        csv = new.csv(split)
        keys = (schema.VIDEO, schema.TIME, schema.ENTITY)
        faces = schema.load(csv, "faces", columns=keys)
        rows = SplitRows(split=split, path=str(csv), faces=faces)
        self.rows += len(rows)
        self.tracks += len(rows.tracks)
        self.videos.update(rows.video[1])
        for face in asc.black_faces(csv, rows, lambda entity: files[entity].crops):
            self.black.add(f"{split}/{face}")
        # The loader takes the first row of a track for the beginning of its sound.
        seconds = faces.numbers(schema.TIME)
        first, last = seconds[rows.table.heads], seconds[rows.table.rows(rows.table.starts[1:] - 1)]
        for track, begins, ends in zip(rows.tracks, first.tolist(), last.tolist(), strict=True):
            heard = files[track.entity].seconds
            if heard is None:
                self.silent.add(f"{split}/{track.entity}.wav")
            elif lengths := ends_too_early(heard, begins, ends):
                self.short.add(f"{split}/{track.entity}.wav ({lengths})")


# ------------------------------------------------------------------------------ TalkNet, LoCoNet


@disk_boundary("destination")
def convert_talknet(
    source: Path,
    destination: Path | None = None,
    *,
    splits: tuple[Split, ...] = (),
    link: Link = "auto",
    overwrite: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ConvertReport:
    """Write the csv of TalkNet's loader, in the order in which it gives scores back.

    The tracks are in the loader's csv in the order of the split's csv, which is kept as it is when
    the rows of each track are together and in time order. Else its rows are brought into that
    order, and `reordered` says so; in place the csv stays beside it as
    `<split>_orig.before-convert.csv`. The frames a second are those of the video's times.

    Args:
        source: a dataset, made by this program or by the original scripts.
        destination: a folder that does not exist, is empty, or (with `overwrite`) was made by
            convert-talknet: crops and sounds are placed where the loader looks, faces without a
            crop are left out of both csv files, and crops without a face are not placed. Default:
            in place, where only csv files are written, and only when every crop and every sound
            is where the loader looks.
        splits: the splits to convert; default: all that are present.
        link: how files are placed, see `files.Placer`.
        overwrite: replace what an earlier conversion made there; in place, a loader's csv with
            other content.
        executor: where files are placed and listed, one task per video; default: in this process.
        progress: where to report to.

    Returns:
        The report; its `findings` are for the caller to act upon.

    Raises:
        DestinationError: the destination is not free, one folder contains the other, or in place a
            file is in the way.
        LayoutError: the source is not a dataset or lacks a split, two videos of a split have tracks
            of one id, or in place crops or sounds are not what the loader needs.
        SchemaError: the source's csv breaks the schema.
    """
    return _by_position(
        "talknet", source, destination, splits, link=link, overwrite=overwrite, executor=executor,
        progress=progress,
    )  # fmt: skip


@disk_boundary("destination")
def convert_loconet(
    source: Path,
    destination: Path | None = None,
    *,
    splits: tuple[Split, ...] = (),
    link: Link = "auto",
    overwrite: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ConvertReport:
    """Write the csv and the JSON files of LoCoNet's loader, in the order that it needs.

    Everything that `convert_talknet` says is true here, of its arguments and errors too. In place,
    the crops' names must have the times with two decimals. For splits that do not exist, empty JSON
    files are written, without which LoCoNet does not start.
    """
    return _by_position(
        "loconet", source, destination, splits, link=link, overwrite=overwrite, executor=executor,
        progress=progress,
    )  # fmt: skip


def _by_position(
    target: Target,
    source: Path,
    destination: Path | None,
    splits: tuple[Split, ...],
    *,
    link: Link,
    overwrite: bool,
    executor: Executor | None,
    progress: Progress | None,
) -> ConvertReport:
    made_by = f"convert-{target}"
    if destination is not None:
        check_apart(source, destination)
        check_destination(destination, made_by=made_by, overwrite=overwrite)
    old = Layout(Path(source))
    splits = old.require_splits(splits)
    run = Conversion(target, old, link, executor or Here(), progress or SilentProgress())
    if destination is None:
        run.in_place(splits, overwrite=overwrite)
    else:
        about = {"source": str(old.root.resolve()), "splits": list(splits)}
        with staged_folder(
            destination, made_by=made_by, overwrite=overwrite, about=about
        ) as staging:
            run.into(Layout(staging), splits)
    return ConvertReport(
        target=target,
        source=str(source),
        destination=str(source if destination is None else destination),
        splits=splits,
        rows=run.rows,
        tracks=run.tracks,
        videos=len(run.videos),
        files=dict(run.placed),
        written=tuple(run.written),
        reordered=tuple(run.reordered),
        black=run.black.count,
        silent=run.silent.count,
        short=run.short.count,
        extra=run.extra.count,
        misaligned=run.misaligned.count,
        gaps=run.gaps.count,
        findings=run.findings(),
        warnings=run.warnings(),
    )

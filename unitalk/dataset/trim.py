"""A part of a dataset: the rows and the media of the videos in a list."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from unitalk import schema
from unitalk.catalog import video_list
from unitalk.errors import DataError, LayoutError, examples
from unitalk.files import Link, Placer, check_apart, check_destination, disk_boundary, staged_folder
from unitalk.layout import Layout, Part, Split
from unitalk.progress import Progress, SilentProgress, Task
from unitalk.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

_MEDIA: tuple[Part, ...] = ("audio", "video")
_HAS = {"audio": "sound", "video": "face crops"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrimReport(Report):
    """What a trim made.

    Attributes:
        source: the dataset that was cut.
        destination: the dataset that was made.
        split: the split that was cut.
        videos: the ids that were kept, in the order of the list.
        rows: faces kept.
        files: files placed, by way: hard, copy, and sym for linked folders.
        absent: ids of the list that the source has no rows of (empty unless partial).
        warnings: what the reader should know.
    """

    schema_version = 1

    source: str
    destination: str
    split: Split
    videos: tuple[str, ...]
    rows: int
    files: dict[str, int]
    absent: tuple[str, ...]
    warnings: tuple[str, ...]


@disk_boundary("destination")
def trim_dataset(
    source: Path,
    destination: Path,
    *,
    videos: str | Path | Iterable[str],
    split: Split = "val",
    link: Link = "auto",
    overwrite: bool = False,
    partial: bool = False,
    progress: Progress | None = None,
) -> TrimReport:
    """Make a dataset of some videos of another one.

    Rows keep their text and their order. The source is never changed; with hard links it may be
    deleted afterwards.

    Args:
        source: a dataset, made by this program or by the original scripts.
        destination: a folder that does not exist, is empty, or (with `overwrite`) was made by trim.
        videos: a category's name, a file of ids or links, or the ids themselves; see
            `catalog.resolve_list`.
        split: the split that the videos are in.
        link: how files are placed, see `files.Placer`.
        overwrite: replace what an earlier trim made there.
        partial: go on without the videos, or the media of videos, that the source lacks.
        progress: where to report to.

    Raises:
        DestinationError: the destination is not free, or one folder contains the other.
        LayoutError: the source is no dataset, or lacks the split or media.
        DataError: ids of the list are not in the source.
        SchemaError: the source's csv breaks the schema.
        UsageError: the list is neither a category nor a file, or is empty.
    """
    progress = progress or SilentProgress()
    wanted = video_list.resolve_list(videos)
    check_apart(source, destination)
    check_destination(destination, made_by="trim", overwrite=overwrite)
    old = Layout(Path(source))
    old.require_splits((split,))
    about = {"source": str(Path(source).resolve()), "split": split, "videos": list(wanted)}
    with staged_folder(destination, made_by="trim", overwrite=overwrite, about=about) as staging:
        new = Layout(staging)
        rows, found = _copy_rows(old.csv(split), new.csv(split), wanted)
        absent = tuple(video for video in wanted if video not in found)
        if absent and not (partial and found):
            raise _no_such_videos(old, split, absent)
        kept = tuple(video for video in wanted if video in found)
        placer = Placer(link)
        warnings: list[str] = []
        if isinstance(videos, (str, Path)) and (name := video_list.published_category(videos)):
            warnings.append(f"{videos} does not exist: took the published category {name}")
        warnings += [f"not in {old.csv(split)}: {examples(absent)}"] if absent else []
        with progress.task("placing", total=len(kept) * len(_MEDIA), unit="folders") as task:
            for part in _MEDIA:
                lacking = _place_part(old, new, (part, split), kept, placer=placer, task=task)
                if lacking:
                    warnings.append(_lacking(part, kept, lacking, partial=partial))
    return TrimReport(
        source=str(source),
        destination=str(destination),
        split=split,
        videos=kept,
        rows=rows,
        files=dict(placer.placed),
        absent=absent,
        warnings=tuple(warnings),
    )


def _copy_rows(source: Path, destination: Path, wanted: tuple[str, ...]) -> tuple[int, set[str]]:
    """Copy the rows of some videos as text; returns how many, and which videos had any."""
    found: set[str] = set()
    ids = schema.text_column(wanted)
    head, batches = schema.read_text(source)

    def chosen() -> Iterator[pa.RecordBatch]:
        for batch in batches:
            keep = pc.is_in(batch[schema.VIDEO], value_set=ids)
            count = keep.true_count
            # Rows stand video by video, so that most batches are of one kind.
            part = batch if count == batch.num_rows else batch.filter(keep)
            if count:
                found.update(str(text) for text in pc.unique(part[schema.VIDEO]).to_pylist())
                yield part

    rows = schema.write_text(destination, head.columns, chosen())
    return rows, found


def _no_such_videos(old: Layout, split: Split, absent: tuple[str, ...]) -> DataError:
    published = {video.video_id: video.split for video in video_list.videos()}
    elsewhere = sorted({str(published[v]) for v in absent if v in published} - {split})
    known = f"; they are published in {' and '.join(elsewhere)}" if elsewhere else ""
    return DataError(
        f"{old.csv(split)} has no rows of {len(absent):,} of the listed videos: "
        f"{examples(absent)}{known}",
        hint=f"give `split={elsewhere[0]!r}`"
        if elsewhere
        else "leave them out with `partial=True`",
    )


def _place_part(
    old: Layout,
    new: Layout,
    what: tuple[Part, Split],
    videos: tuple[str, ...],
    *,
    placer: Placer,
    task: Task,
) -> list[str]:
    """Place one part of each video; returns the videos that the source has no such part of."""
    lacking = []
    for video in videos:
        folder, target = (layout.part(*what, video) for layout in (old, new))
        if folder.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            placer.tree(folder, target)
        else:
            lacking.append(video)
        task.advance()
    return lacking


def _lacking(part: Part, kept: tuple[str, ...], lacking: list[str], *, partial: bool) -> str:
    """Warn of videos without media of a kind, or refuse them, unless all videos lack the kind."""
    message = f"no {_HAS[part]} of {len(lacking):,} of {len(kept):,} videos: {examples(lacking)}"
    if len(lacking) == len(kept):
        return f"the source has no {_HAS[part]} of these videos"
    if not partial:
        raise LayoutError(message, hint="leave them out with `partial=True`")
    return message

"""Describe what a dataset contains: hours, tracks, faces, who speaks, how large and how long.

`sources` finds the csv files, `counting` and `grouping` are the arithmetic, `stored_media` lists
the folders, `stats_result` is the result, `stats_tables` and `stats_plot` show it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.catalog import video_list
from unitalk.dataset.stats.counting import Counted, Rows, count, join
from unitalk.dataset.stats.grouping import Dataset, group
from unitalk.dataset.stats.sources import Origin, origins
from unitalk.dataset.stats.stats_result import (
    FACES_A_SECOND,
    UNLABELLED,
    Group,
    Media,
    Shares,
    Spread,
    Statistics,
)
from unitalk.dataset.stats.stored_media import count_media
from unitalk.errors import LayoutError, examples
from unitalk.files import disk_boundary
from unitalk.media import frame_sizes
from unitalk.progress import Progress, SilentProgress
from unitalk.schema.bins import LARGEST_SHARE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from unitalk.dataset.stats.counting import Floats
    from unitalk.layout import Layout

__all__ = ["Group", "Media", "Shares", "Spread", "Statistics", "statistics"]

NO_CATEGORY = "(none)"
"""The category of a video in no list, in a split in which others have one."""

_LABELS = (schema.SPEAKING, schema.NOT_SPEAKING, schema.NOT_AUDIBLE)
_CODES = {label: code for code, label in enumerate((*_LABELS, schema.UNLABELLED))}
_COLUMNS = (schema.VIDEO, schema.TIME, *schema.BOX, schema.LABEL, schema.ENTITY)
_EDGES = ((schema.BOX[0], schema.BOX[2]), (schema.BOX[1], schema.BOX[3]))
_USUAL_RATE = 0.01  # 25 faces a second, to a hundredth


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What was read of one split.

    Attributes:
        origin: the split and its file.
        form: in which form the rows came.
        videos: their ids, in the order of the rows.
        counted: of these videos.
        reach: how far right or down a box goes.
        frames: [videos, 2] width and height in pixels; NaN is unknown.
        warnings: what the reader should know.
        labelled: whether any face has a label.
    """

    origin: Origin
    form: str
    videos: list[str]
    counted: Counted
    reach: float
    frames: Floats
    warnings: list[str]
    labelled: bool


@disk_boundary("dataset")
def statistics(
    dataset: str | Path,
    *,
    splits: tuple[str, ...] = (),
    csv_only: bool = False,
    progress: Progress | None = None,
) -> Statistics:
    """Describe what a dataset contains: as a whole, by split, by category and by video.

    Args:
        dataset: the folder of a dataset; or ground truth as a csv file, a folder of csv files or
            `-` for stdin, which is one split with the file's name.
        splits: of a dataset, only these; default: all that are there.
        csv_only: look at no face crop and list no folder. Then the faces' sizes in pixels and the
            files' numbers are not known.
        progress: receives how far reading and listing are.

    Returns:
        Groups in the order of the splits; categories in the catalog's, videos in that of the rows.

    Raises:
        SchemaError: a csv file breaks the schema.
        LayoutError: a split is wanted that is not there.
        UsageError: there is no such file.
        DiskError: a folder may not be read.
    """
    layout, found = origins(dataset, splits)
    looked_at = None if csv_only else layout
    progress = progress or SilentProgress()
    with progress.task("reading", total=len(found), unit="splits") as task:
        parts = []
        for origin in found:
            parts.append(_read(origin, looked_at))
            task.advance()
    data = Dataset(
        counted=join([part.counted for part in parts]),
        labels=_LABELS if all(part.labelled for part in parts) else (*_LABELS, UNLABELLED),
        speaking=schema.SPEAKING,
        boxes=max(part.reach for part in parts) <= LARGEST_SHARE,
        frames=np.concatenate([part.frames for part in parts]),
    )
    media = [_media(looked_at, origin.split, progress) for origin in found] if looked_at else []
    splits_, categories, videos = _groups(data, parts)
    if len(splits_) == 1:  # which is the same faces
        total = replace(splits_[0], level="total", split=None)
    else:
        total = group(data, range(len(videos)), level="total")
    return Statistics(
        dataset=str(dataset),
        source="; ".join(f"{part.origin.split}: {part.form}" for part in parts),
        splits=splits_,
        categories=categories,
        videos=videos,
        total=total,
        media=tuple(one for one in media if one is not None),
        warnings=tuple(_warnings(data, parts, total)),
    )


def _media(layout: Layout, split: str, progress: Progress) -> Media | None:
    """List the folders in which the videos of a split have theirs."""
    crops, sounds = (layout.part(part, split, "any").parent for part in ("video", "audio"))
    return count_media(split, crops, sounds, progress=progress)


def _read(origin: Origin, layout: Layout | None) -> _Part:
    """Read a split and count what is in it; with a layout also look at a few face crops."""
    faces = schema.load_split(origin.rows, columns=_COLUMNS)
    form, names = faces.describe(), faces.codes(schema.VIDEO)[1]
    warnings = []
    labelled = faces.codes(schema.LABEL)[1] != [schema.UNLABELLED]
    if not labelled:
        warnings.append(
            f"{origin.split}: no face has a label; its frames and tracks count as silent, and its "
            "faces in no share of those that speak"
        )
    if not origin.whole:
        warnings.append(
            f"{origin.split}: read from the files of {len(faces.files):,} single videos, as the "
            "split's own file is not there: the download has not ended"
        )
    frames = np.full((len(names), 2), np.nan)
    if layout is not None and layout.part("video", origin.split, "any").parent.is_dir():
        warnings += _measure(layout, origin.split, faces, frames)
    rows, reach, entities = _rows(faces)
    del faces  # half of the memory
    counted = count(rows)
    tracks = len(counted.track_faces.values)
    if tracks > entities:
        warnings.append(
            f"{origin.split}: {tracks:,} tracks have {entities:,} entity_ids: some are in several "
            "videos, and in each they count as a track"
        )
    return _Part(
        origin=origin,
        form=form,
        videos=names,
        counted=counted,
        reach=reach,
        frames=frames,
        warnings=warnings,
        labelled=labelled,
    )


def _rows(faces: schema.Faces) -> tuple[Rows, float, int]:
    """Return the faces as arrays, how far a box reaches, and how many entity_ids there are."""
    video, videos = faces.codes(schema.VIDEO)
    entity, entities = faces.codes(schema.ENTITY)
    label, labels = faces.codes(schema.LABEL)
    sides, reach = [], 0.0
    for low, high in _EDGES:
        side: Floats = faces.numbers(high)
        reach = max(reach, float(side.max()))
        side -= faces.numbers(low)  # in place: there may be millions
        sides.append(side)
    rows = Rows(
        videos=len(videos),
        video=video,
        entity=entity,
        milliseconds=faces.milliseconds(),
        label=np.array([_CODES[text] for text in labels], np.int8)[label],
        speaking=_LABELS.index(schema.SPEAKING),
        width=sides[0],
        height=sides[1],
    )
    return rows, reach, len(entities)


def _measure(layout: Layout, split: str, faces: schema.Faces, frames: Floats) -> list[str]:
    """Find each video's frame size by a few of its face crops; warn where it is not known."""
    video, names = faces.codes(schema.VIDEO)
    entity, entities = faces.codes(schema.ENTITY)
    seconds = faces.milliseconds() / 1000
    boxes = np.stack([faces.numbers(name) for name in schema.BOX], axis=1)
    chosen: dict[int, list[frame_sizes.Face]] = {}
    for row in frame_sizes.telling_faces(video, boxes).tolist():
        face = frame_sizes.Face(
            names[video[row]],
            entities[entity[row]],
            float(seconds[row]),
            tuple(boxes[row].tolist()),
        )
        chosen.setdefault(int(video[row]), []).append(face)
    unknown = []
    for code, own in chosen.items():
        try:
            frames[code] = frame_sizes.frame_sizes(layout.root, own)[names[code]]
        except LayoutError:
            unknown.append(names[code])
    if not unknown:
        return []
    return [
        f"{split}: the face crops of {len(unknown):,} of {len(names):,} videos do not tell the "
        f"frame's size, so that their faces are in no number of pixels: {examples(unknown)}"
    ]


def _groups(
    data: Dataset, parts: Sequence[_Part]
) -> tuple[tuple[Group, ...], tuple[Group, ...], tuple[Group, ...]]:
    """Return the splits, their categories, all videos."""
    category_of = {video.video_id: video.category for video in video_list.videos()}
    splits, categories, videos = [], [], []
    start = 0
    for part in parts:
        split, own = part.origin.split, range(start, start + len(part.videos))
        splits.append(group(data, own, level="split", split=split))
        members: dict[str | None, list[int]] = {}
        for number, name in zip(own, part.videos, strict=True):
            category = category_of.get(name)
            members.setdefault(category, []).append(number)
            videos.append(
                group(data, [number], level="video", split=split, category=category, video=name)
            )
        categories += [
            group(data, members[name], level="category", split=split, category=name or NO_CATEGORY)
            for name in (*video_list.CATEGORIES, None)
            if name in members and set(members) != {None}
        ]
        start = own.stop
    return tuple(splits), tuple(categories), tuple(videos)


def _warnings(data: Dataset, parts: Sequence[_Part], total: Group) -> list[str]:
    """Say what the reader should know of the numbers."""
    found = [text for part in parts for text in part.warnings]
    twice = len(data.counted.twice.values)
    if twice:
        found.append(
            f"{twice:,} rows repeat a face (same entity_id, same millisecond), which is counted as "
            "often as it is there"
        )
    names = [name for part in parts for name in part.videos]
    shared = list(dict.fromkeys(name for name in names if names.count(name) > 1))
    if shared:
        found.append(
            f"in more than one split, and counted in each: {examples(shared)} "
            f"({len(shared):,} of {len(set(names)):,} videos)"
        )
    if not data.boxes:
        reach = max(part.reach for part in parts)
        found.append(
            f"boxes reach {reach:g} where 1 is the frame's edge: they are in pixels, and sizes "
            "are not known; divide them by the frame's width and height"
        )
    rate = total.faces_a_second
    if rate is not None and abs(rate / FACES_A_SECOND - 1) > _USUAL_RATE:
        found.append(
            f"a second of a track has {rate:.4g} faces; face_hours, which takes {FACES_A_SECOND} "
            f"for all datasets, says {total.face_hours:.2f}, and the times themselves "
            f"{total.track_hours:.2f} (track_hours)"
        )
    return found

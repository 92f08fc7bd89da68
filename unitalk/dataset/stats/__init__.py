"""Describe what a dataset contains: hours, tracks, faces, who speaks, how large and how long.

`sources` finds the csv files, `counting` and `grouping` are the arithmetic, `stored_media` lists
the folders, `stats_result` is the result, `stats_tables` and `stats_plot` show it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.catalog import video_list
from unitalk.dataset.stats.counting import Rows, count
from unitalk.dataset.stats.grouping import LABELS, NO_CATEGORY, Video, group
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

    from unitalk.layout import Layout

__all__ = ["NO_CATEGORY", "Group", "Media", "Shares", "Spread", "Statistics", "statistics"]

_CODES = {schema.UNLABELLED if label is UNLABELLED else label: n for n, label in enumerate(LABELS)}
_COLUMNS = (schema.VIDEO, schema.TIME, *schema.BOX, schema.LABEL, schema.ENTITY)
_USUAL_RATE = 0.01  # 25 faces a second, to a hundredth


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What was read of one split.

    Attributes:
        split: its name.
        form: in which form the rows came.
        videos: in the order of the rows.
        reach: how far right or down a box goes.
        labelled: whether any face has a label.
        warnings: what the reader should know.
    """

    split: str
    form: str
    videos: list[Video]
    reach: float
    labelled: bool
    warnings: list[str]


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
    boxes = max(part.reach for part in parts) <= LARGEST_SHARE
    labels = LABELS[:-1] if all(part.labelled for part in parts) else LABELS
    grouped = partial(group, boxes=boxes, labels=labels)
    videos = [video for part in parts for video in part.videos]
    by_split = tuple(grouped(part.videos, "split") for part in parts)
    if len(parts) == 1:  # which is the same faces
        total = replace(by_split[0], level="total", split=None)
    else:
        total = grouped(videos, "total")
    media = [count_media(looked_at, part.split, progress) for part in parts] if looked_at else []
    return Statistics(
        dataset=str(dataset),
        source="; ".join(f"{part.split}: {part.form}" for part in parts),
        splits=by_split,
        categories=tuple(
            grouped(own, "category") for part in parts for own in _categories(part.videos)
        ),
        videos=tuple(grouped([video], "video") for video in videos),
        total=total,
        media=tuple(one for one in media if one is not None),
        warnings=tuple(_warnings(parts, total, boxes=boxes)),
    )


def _categories(videos: Sequence[Video]) -> list[list[Video]]:
    """Divide a split's videos by category; nothing where no video has one."""
    if all(video.category is None for video in videos):
        return []
    names = (*video_list.CATEGORIES, None)
    divided = [[video for video in videos if video.category == name] for name in names]
    return [own for own in divided if own]


def _read(origin: Origin, layout: Layout | None) -> _Part:
    """Read a split and count what is in it; with a layout also look at a few face crops."""
    faces = schema.load_split(origin.rows, columns=_COLUMNS)
    split, form, names = origin.split, faces.describe(), faces.codes(schema.VIDEO)[1]
    entities = len(faces.codes(schema.ENTITY)[1])
    warnings = []
    labelled = faces.codes(schema.LABEL)[1] != [schema.UNLABELLED]
    if not labelled:
        warnings.append(
            f"{split}: no face has a label; its frames and tracks count as silent, and its "
            "faces in no share of those that speak"
        )
    if not origin.whole:
        warnings.append(
            f"{split}: read from the files of {len(faces.files):,} single videos, as the "
            "split's own file is not there: the download has not ended"
        )
    frames: dict[str, tuple[int, int]] = {}
    if layout is not None and layout.has_crops(split):
        frames = _frame_sizes(layout, faces)
        unknown = [name for name in names if name not in frames]
        if unknown:
            warnings.append(
                f"{split}: the face crops of {len(unknown):,} of {len(names):,} videos do not tell "
                f"the frame's size, so that their faces are in no number of pixels: "
                f"{examples(unknown)}"
            )
    rows, reach = _rows(faces)
    del faces  # half of the memory
    categories = {video.video_id: video.category for video in video_list.videos()}
    videos = [
        Video(split=split, name=name, category=categories.get(name), frame=frames.get(name),
              counted=counted)
        for name, counted in zip(names, count(rows), strict=True)
    ]  # fmt: skip
    tracks = sum(len(video.counted.track_faces) for video in videos)
    if tracks > entities:
        warnings.append(
            f"{split}: {tracks:,} tracks have {entities:,} entity_ids: some are in several "
            "videos, and in each they count as a track"
        )
    return _Part(
        split=split, form=form, videos=videos, reach=reach, labelled=labelled, warnings=warnings
    )


def _rows(faces: schema.Faces) -> tuple[Rows, float]:
    """Return the faces as arrays, and how far right or down a box reaches."""
    labels, texts = faces.codes(schema.LABEL)
    sides, reach = [], 0.0
    for low, high in zip(schema.BOX[:2], schema.BOX[2:], strict=True):
        side = faces.numbers(high)
        reach = max(reach, float(side.max()))
        side -= faces.numbers(low)  # in place: there may be millions
        sides.append(side)
    rows = Rows(
        video=faces.codes(schema.VIDEO)[0],
        entity=faces.codes(schema.ENTITY)[0],
        milliseconds=faces.milliseconds(),
        label=np.array([_CODES[text] for text in texts], np.int8)[labels],
        width=sides[0],
        height=sides[1],
    )
    return rows, reach


def _frame_sizes(layout: Layout, faces: schema.Faces) -> dict[str, tuple[int, int]]:
    """Find the frame size of each video whose face crops tell it."""
    video, names = faces.codes(schema.VIDEO)
    entity, entities = faces.codes(schema.ENTITY)
    boxes = np.stack([faces.numbers(name) for name in schema.BOX], axis=1)
    seconds = faces.milliseconds() / 1000
    chosen: dict[str, list[frame_sizes.Face]] = {}
    for row in frame_sizes.telling_faces(video, boxes).tolist():
        name, box = names[video[row]], tuple(boxes[row].tolist())
        face = frame_sizes.Face(name, entities[entity[row]], float(seconds[row]), box)
        chosen.setdefault(name, []).append(face)
    found: dict[str, tuple[int, int]] = {}
    for own in chosen.values():
        try:
            found |= frame_sizes.frame_sizes(layout.root, own)
        except LayoutError:
            continue
    return found


def _warnings(parts: Sequence[_Part], total: Group, *, boxes: bool) -> list[str]:
    """Say what the reader should know of the numbers."""
    found = [text for part in parts for text in part.warnings]
    videos = [video for part in parts for video in part.videos]
    twice = sum(int(np.count_nonzero(video.counted.step == 0)) for video in videos)
    if twice:
        found.append(
            f"{twice:,} rows repeat a face (same entity_id, same millisecond), which is counted as "
            "often as it is there"
        )
    names = [video.name for video in videos]
    shared = list(dict.fromkeys(name for name in names if names.count(name) > 1))
    if shared:
        found.append(
            f"in more than one split, and counted in each: {examples(shared)} "
            f"({len(shared):,} of {len(set(names)):,} videos)"
        )
    if not boxes:
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

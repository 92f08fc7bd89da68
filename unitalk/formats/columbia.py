"""Read the Columbia dataset (Chakravarty and Tuytelaars, ECCV 2016): a panel discussion.

It is one video. `col_labels/fusion/<name>.txt`, separated by tabs: the frame at 29.97 frames a
second from 0 on, the left and the upper edge of the face's box, the length of its sides, and 1
where it speaks, else 0. Boxes are in pixels of the video at half its size. This is how TalkNet's
demoTalkNet.py reads them. It scores five of the six names, as all papers do: abbas is left out of
the mean.

A face's time here is `frame / 29.97`, to the millisecond, so that no two frames become one, as some
do where the video is brought to 25 frames a second. The faces of abbas have an `eval` of 0: they
are in the dataset, and leave the score.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from unitalk import schema
from unitalk.errors import UsageError
from unitalk.files import entries
from unitalk.formats.annotations import File, Problems, Rows
from unitalk.schema.columns import MAX_SECONDS, wrong_with

if TYPE_CHECKING:
    from pathlib import Path

FRAME_SIZE = (1280, 720)
"""Of the video, whose `best` form is what TalkNet's script downloads (YouTube 6GzxbrO0DHM)."""
VIDEO = "columbia"
NOT_SCORED = "abbas"

_FPS = 29.97
_SCALE = 2  # labels are at half the video's size
_LINE = re.compile(r"(\d+)\t(-?\d+)\t(-?\d+)\t(\d+)\t([01])\s*", re.ASCII)


def find_files(labels: Path, *, video_id: str, frame_size: tuple[float, float]) -> list[File]:
    """Find the files of a folder, one per name.

    Raises:
        UsageError: there are no files, or a name cannot be part of an id.
    """
    paths = [path for path in entries(labels) if path.suffix == ".txt"]
    if not paths:
        raise UsageError(f"{labels} has no txt files", hint="give the folder col_labels/fusion")
    for path in paths:
        entity = f"{video_id}:{path.stem}"
        if said := wrong_with(schema.ENTITY, entity, "groundtruth"):
            raise UsageError(f"{entity!r} {said}", hint="give another name")
    read = functools.partial(read_name, video_id=video_id, frame_size=frame_size)
    return [File(split="test", path=p, read=read, columns=schema.EVAL_COLUMNS) for p in paths]


def read_name(path: Path, *, video_id: str, frame_size: tuple[float, float]) -> Rows:
    """Read one name's labels.

    Raises:
        SchemaError: a line is malformed, or its box lies outside the frame.
    """
    problems = Problems(
        str(path),
        "a line has frame, x, y, size, 0 or 1, separated by tabs; boxes fit `frame_size`",
    )
    columns: dict[str, list[str]] = {name: [] for name in (schema.TIME, *schema.BOX, schema.LABEL)}
    lines: list[int] = []
    width, height = frame_size
    for number, line in enumerate(path.read_text("utf-8-sig", "replace").splitlines(), 1):
        cells = _LINE.fullmatch(line)
        if not line.strip():
            continue
        if not cells:
            problems.add(f"{path}:{number}: {line[:60]!r}")
            continue
        frame, x, y, size, speaks = map(int, cells.groups())
        box = [edge * _SCALE for edge in (x, y, x + size, y + size)]
        if not size or box[0] >= width or box[1] >= height or min(box[2:]) <= 0:
            problems.add(
                f"{path}:{number}: {line[:60]!r}: the box is empty, or outside of a frame of "
                f"{width:g}x{height:g}"
            )
        if frame / _FPS >= MAX_SECONDS:
            problems.add(f"{path}:{number}: frame {frame} is more than 46 days away")
        columns[schema.TIME].append(repr(round(frame / _FPS, 3)))
        for name, edge, side in zip(schema.BOX, box, frame_size * 2, strict=True):
            columns[name].append(repr(edge / side))
        columns[schema.LABEL].append(schema.SPEAKING if speaks else schema.NOT_SPEAKING)
        lines.append(number)
    if not lines:
        problems.add(f"{path}: there is no line")
    problems.check()
    counts = str(int(path.stem != NOT_SCORED))
    whole = {schema.VIDEO: video_id, schema.ENTITY: f"{video_id}:{path.stem}", schema.EVAL: counts}
    columns |= {name: [text] * len(lines) for name, text in whole.items()}
    return Rows(
        columns={name: schema.text_column(texts) for name, texts in columns.items()},
        where=lambda rows: [f"{path}:{lines[row]}" for row in rows],
    )

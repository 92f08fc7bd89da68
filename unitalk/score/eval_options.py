"""What an evaluation may be asked for besides the score, and how it is read from text."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitalk.catalog import video_list
from unitalk.choices import FACE_SIZES, UNITS, FaceSize, Unit
from unitalk.errors import DataError, UsageError, examples
from unitalk.files.file_types import FIRST_BYTES, identify

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from unitalk.layout import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateOptions:
    """Options of an evaluation.

    Attributes:
        categories: a file with `id,category` a line, or a mapping from video ids to categories;
            None takes UniTalk's.
        frame_size: (width, height) of every video's frame in pixels, for `face-size`.
        dataset: a dataset whose crops tell the frames' sizes; default: the ground truth, where it
            is a dataset.
        split: the split to score where the ground truth is a dataset; default: val.
        face_size: whether `face-size` goes by the boxes' width or area.
        ci_unit: what is resampled as a whole, `video` or `track`.
        metrics: whether to measure more than average precision.
        threshold: the lowest score that counts as speaking, for the metrics that need one.

    Raises:
        UsageError: an unknown `ci_unit` or `face_size`, or a frame without width or height.
    """

    categories: str | Path | Mapping[str, str] | None = None
    frame_size: tuple[float, float] | None = None
    dataset: str | Path | None = None
    split: Split | None = None
    face_size: FaceSize = "width"
    ci_unit: Unit = "video"
    metrics: bool = False
    threshold: float | None = None

    def __post_init__(self) -> None:
        # Any other text would be taken for the second choice, without a word.
        for name, value, known in (
            ("ci_unit", self.ci_unit, UNITS), ("face_size", self.face_size, FACE_SIZES),
        ):  # fmt: skip
            if value not in known:
                raise UsageError(f"{name} is {value!r}", hint=f"give one of {', '.join(known)}")
        if self.frame_size is not None and not all(side > 0 for side in self.frame_size):
            raise UsageError(
                f"frame_size is {self.frame_size!r}", hint="give (width, height) in pixels"
            )


def parse_frame_size(text: str) -> tuple[float, float]:
    """Read `1280x720`.

    Raises:
        UsageError: it is something else.
    """
    sides = re.fullmatch(r"\s*(\d+)\s*[xX*]\s*(\d+)\s*", text)
    if not sides or not int(sides[1]) * int(sides[2]):
        raise UsageError(
            f"{text!r} is not a frame size", hint="give width and height in pixels: 1280x720"
        )
    return float(sides[1]), float(sides[2])


def read_categories(path: Path) -> dict[str, str]:
    """Read a file with a video and its category a line, with or without the header `id,category`.

    Links are taken for the ids in them; the categories keep the order of their first lines.

    Raises:
        UsageError: there is no such file.
        DataError: a line has not two cells, or a video is in two categories.
    """
    hint = "give one `id,category` a line"
    if not path.exists() or path.is_dir():
        raise UsageError(f"{path} is not a file", hint=hint)
    content = path.read_bytes()
    if foreign := identify(content[:FIRST_BYTES]):
        raise DataError(f"{path}: the file is {foreign.what}", hint=hint)
    try:
        rows = list(csv.reader(content.decode("utf-8-sig").splitlines(), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as csv: {error}", hint=hint) from error
    found: dict[str, str] = {}
    wrong = []
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and cells[-1].lower() == "category"):
            continue
        video = video_list.video_id(cells[0])
        if len(cells) != 2 or not all(cells) or video is None:  # noqa: PLR2004 - id and category
            wrong.append(f"{path}:{number}: {','.join(cells)!r}")
        elif found.setdefault(video, cells[1]) != cells[1]:
            wrong.append(f"{path}:{number}: {video} is already in {found[video]}")
    if wrong or not found:
        raise DataError(
            f"not a list of categories: {examples(wrong) or f'{path} is empty'}", hint=hint
        )
    return found

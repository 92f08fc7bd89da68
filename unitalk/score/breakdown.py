"""Divide the faces: by category, by video, by what else is in the frame, by size, by length.

Every division is made on the whole ground truth, before anything is left out, so that a face's
company does not depend on what a model predicted. What the divisions are and where they come from
stands beside each.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.catalog import video_list
from unitalk.errors import DataError, UsageError, examples
from unitalk.files.file_types import FIRST_BYTES, identify
from unitalk.schema import bins
from unitalk.schema.face_table import ascend, pack, unpack_times, unpack_tracks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from unitalk.choices import FaceSize
    from unitalk.score.match import Truth

_NO_CATEGORY = "(none)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """Each face of the ground truth belongs to one of a few values.

    Attributes:
        name: of the breakdown.
        values: in the order of the table; not every one need have faces.
        codes: [faces of the ground truth] index into `values`.
    """

    name: str
    values: tuple[str, ...]
    codes: npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Divider:
    """Divides one ground truth.

    Attributes:
        truth: the ground truth.
        categories: each video's category, in the order in which the table has the categories; None
            takes UniTalk's.
        frames: each video's frame size (width, height) in pixels; None when it is not known.
        face_size: what a face's size is: its box's width, or its box's area.
    """

    truth: Truth
    categories: Mapping[str, str] | None = None
    frames: Callable[[], Mapping[str, tuple[float, float]]] | None = None
    face_size: FaceSize = "width"

    def divide(self, name: str) -> Division:
        """Divide by one breakdown.

        Raises:
            UsageError: the name is none, or the breakdown needs what was not given.
        """
        if name not in DIVISIONS:
            raise UsageError(
                f"unknown breakdown {name!r}", hint=f"the breakdowns are {', '.join(DIVISIONS)}"
            )
        return DIVISIONS[name](self)

    def applicable(self) -> list[str]:
        """Name the breakdowns for which all is there that they need."""
        names = [name for name in DIVISIONS if name != "face-size" or self.frames is not None]
        published = self._category_of()
        if self.categories is None and not any(v in published for v in self.truth.video_names):
            names.remove("category")
        return names

    @cached_property
    def _company(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """For every face, how many faces its frame has, and how many of them speak."""
        moments = pack(self.truth.video_codes, unpack_times(self.truth.keys))
        _, place = np.unique(moments, return_inverse=True)
        faces = np.bincount(place)
        speaking = np.bincount(place, weights=self.truth.labels).astype(np.int64)
        return faces[place], speaking[place]

    def _by_category(self) -> Division:
        """UniTalk's four categories, or those of a file; a video may be in none."""
        known = self._category_of()
        order = video_list.CATEGORIES if self.categories is None else known.values()
        values = [*dict.fromkeys(order), _NO_CATEGORY]
        place = {value: index for index, value in enumerate(values)}
        of_video = [place[known.get(video, _NO_CATEGORY)] for video in self.truth.video_names]
        if set(of_video) == {place[_NO_CATEGORY]}:
            raise UsageError(
                f"no video of {self.truth.faces.name} is in a category, the first is "
                f"{self.truth.video_names[0]}",
                hint="UniTalk's categories divide its val split; for other videos give "
                "`categories`, a file with a line `id,category` for each",
            )
        return self._of_videos("category", values, of_video)

    def _category_of(self) -> Mapping[str, str]:
        if self.categories is not None:
            return self.categories
        return {v.video_id: v.category for v in video_list.videos() if v.category is not None}

    def _by_video(self) -> Division:
        values = sorted(self.truth.video_names)
        place = {value: index for index, value in enumerate(values)}
        return self._of_videos("video", values, [place[v] for v in self.truth.video_names])

    def _of_videos(self, name: str, values: Sequence[str], of_video: Sequence[int]) -> Division:
        codes = np.asarray(of_video, np.int64)[self.truth.video_codes]
        return Division(name=name, values=tuple(values), codes=codes)

    def _by_faces(self) -> Division:
        """Annotated faces with the same video and time, as in UniTalk's own table (1, 2, 3, 4+)."""
        codes = bins.company_codes(self._company[0])
        return Division(name="faces", values=bins.COMPANY, codes=codes)

    def _by_face_size(self) -> Division:
        """Small, medium or large, in pixels of the frame.

        By width: under 64, 64 to 128, over 128, the custom of papers on AVA. By area: under
        64 x 64, under 128 x 128, the rest, the rule of UniTalk's authors for their crops.
        """
        if self.frames is None:
            raise UsageError(
                "faces are to be divided by size, and their boxes are relative to the frame",
                hint="give the frame's size with `frame_size`, or the dataset with `data`, "
                "whose crops tell it",
            )
        frames = self.frames()
        sizes = np.array([frames[video] for video in self.truth.video_names], np.float64)
        left, top, right, bottom = (self.truth.faces.numbers(name) for name in schema.BOX)
        largest = max(right.max(), bottom.max())
        if largest > bins.LARGEST_SHARE:
            raise DataError(
                f"{self.truth.faces.name}: boxes reach {largest:g} where 1 is the frame's edge: "
                "they are in pixels",
                hint="divide them by the frame's width and height",
            )
        width = bins.pixels(right - left, sizes[self.truth.video_codes, 0])
        if self.face_size == "width":
            return Division(name="face-size", values=bins.WIDTHS, codes=bins.width_codes(width))
        height = bins.pixels(bottom - top, sizes[self.truth.video_codes, 1])
        return Division(name="face-size", values=bins.AREAS, codes=bins.area_codes(width * height))

    def _by_track_length(self) -> Division:
        """Seconds from a track's first face to its last, and one mean step for the last one."""
        keys = self.truth.keys
        if not ascend(keys):
            keys = np.sort(keys)
        first = np.flatnonzero(np.diff(unpack_tracks(keys), prepend=-1))
        last = np.append(first[1:], len(keys)) - 1
        of_track = np.zeros(len(self.truth.track_names), np.int64)
        span = keys[last] - keys[first]
        of_track[unpack_tracks(keys[first])] = bins.length_codes(span, last - first + 1)
        codes = of_track[self.truth.tracks]
        return Division(name="track-length", values=bins.LENGTHS, codes=codes)

    def _by_crowded(self) -> Division:
        """Whether another tracked face speaks at the same time.

        The frames that CAST-ASD (on MSDWild) scores apart as causal or competing.
        """
        speaks = self._company[1] > self.truth.labels
        return Division(name="crowded", values=("yes", "no"), codes=1 - speaks.astype(np.int64))


DIVISIONS: dict[str, Callable[[Divider], Division]] = {
    "category": Divider._by_category,
    "faces": Divider._by_faces,
    "face-size": Divider._by_face_size,
    "track-length": Divider._by_track_length,
    "crowded": Divider._by_crowded,
    "video": Divider._by_video,
}
"""Every breakdown by its name, in the order in which `all` shows them."""

DESCRIPTION = {
    "category": (
        ", ".join(video_list.CATEGORIES),
        "UniTalk's lists of its val split, or those of `categories`",
    ),
    "faces": ("1, 2, 3, 4+", "annotated faces with the same video and time"),
    "face-size": (
        "<64, 64-128, >128",
        "the box's width in pixels, or with `face_size='area'` its area against 64 x 64 and "
        "128 x 128, as UniTalk's authors count; needs `frame_size` or `data`, whose crops tell "
        "the frame's size",
    ),
    "track-length": (
        "0-1, 1-3, 3-5, 5-10, >10",
        "seconds from a track's first face to its last and one step more; 1.0 s counts to 1-3, "
        "10 s to 5-10",
    ),
    "crowded": ("yes, no", "whether another tracked face speaks at the same time"),
    "video": ("the ids", "each video on its own"),
}
"""The values and the meaning of each breakdown; the README's table is made from it."""


def cross(divisions: Sequence[Division]) -> tuple[list[dict[str, str]], npt.NDArray[np.int64]]:
    """Combine divisions into the cells of their cross table.

    Returns:
        each cell that has faces: its value of every division, the last changing fastest; [faces of
        the ground truth] the cell of each.
    """
    cells: list[dict[str, str]] = [{}]
    codes = np.zeros(len(divisions[0].codes), np.int64)
    for division in divisions:
        count = len(division.values)
        codes = codes * count + division.codes
        there = np.bincount(codes) > 0  # never more cells than faces
        cells = [
            {**cells[code // count], division.name: division.values[code % count]}
            for code in np.flatnonzero(there).tolist()
        ]
        codes = (np.cumsum(there) - 1)[codes]
    return cells, codes


def read_categories(path: Path) -> dict[str, str]:
    """Read a file with a video and its category a line, with or without the header `id,category`.

    Links are taken for the ids in them; the categories keep the order of their first lines.

    Raises:
        UsageError: there is no such file.
        DataError: a line has not two cells, or a video is in two categories.
    """
    hint = "give a file with a line `id,category` each"
    if not path.exists() or path.is_dir():
        raise UsageError(f"{path} is no file", hint=hint)
    content = path.read_bytes()
    if foreign := identify(content[:FIRST_BYTES]):
        raise DataError(f"{path}: the file is {foreign.what}", hint=hint)
    try:
        text = content.decode("utf-8-sig")
        rows = list(csv.reader(text.splitlines(), strict=True))
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
            continue
        if found.setdefault(video, cells[1]) != cells[1]:
            wrong.append(f"{path}:{number}: {video} is already in {found[video]}")
    if wrong or not found:
        raise DataError(
            f"not a list of categories: {examples(wrong) or f'{path} is empty'}",
            hint="give one `id,category` a line",
        )
    return found


def parse_frame_size(text: str) -> tuple[float, float]:
    """Read `1280x720`.

    Raises:
        UsageError: it is something else.
    """
    sides = re.fullmatch(r"\s*(\d+)\s*[xX*]\s*(\d+)\s*", text)
    if not sides or not int(sides[1]) * int(sides[2]):
        raise UsageError(
            f"{text!r} is no frame size", hint="give width and height in pixels: 1280x720"
        )
    return float(sides[1]), float(sides[2])

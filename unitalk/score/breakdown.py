"""Divide the faces: by category, by video, by what else is in the frame, by size, by length.

Every division is made on the whole ground truth, before anything is left out, so that a face's
company does not depend on what a model predicted. Each division's docstring says what it is and
where it comes from.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.catalog import video_list
from unitalk.errors import DataError, UsageError
from unitalk.media import frame_sizes
from unitalk.schema import bins
from unitalk.schema.face_table import pack, unpack_times, unpack_tracks
from unitalk.score.eval_options import EvaluateOptions, read_categories

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from unitalk.score.match import Truth

ALL = "all"
"""Instead of a breakdown's name: every one that applies, each in a table of its own."""

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


def check_names(by: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names of the breakdowns of one cross table, or `all` alone.

    Raises:
        UsageError: a name is unknown or repeated, or `all` is not alone.
    """
    names = (by,) if isinstance(by, str) else tuple(by)
    if ALL in names and len(names) > 1:
        raise UsageError(
            f"{ALL!r} stands for every breakdown, and others were asked for as well",
            hint=f"give {ALL!r} alone, or the names whose cross table is wanted",
        )
    if len(set(names)) < len(names):
        raise UsageError(
            f"a breakdown is asked for twice: {', '.join(names)}", hint="give each name once"
        )
    for name in names:
        if name not in {*DIVISIONS, ALL}:
            raise UsageError(
                f"unknown breakdown {name!r}", hint=f"the breakdowns are {', '.join(DIVISIONS)}"
            )
    return names


@dataclass(frozen=True)
class Divider:
    """Divides one ground truth.

    Attributes:
        truth: the ground truth.
        options: where the videos' categories and frame sizes come from, and what a face's size is.
    """

    truth: Truth
    options: EvaluateOptions

    def tables(self, names: Sequence[str]) -> list[list[Division]]:
        """The divisions of each table: one table of all these names, or for `all` one of each.

        Raises:
            UsageError: a breakdown needs what was not given.
        """
        if tuple(names) == (ALL,):
            return [[DIVISIONS[name](self)] for name in self._applicable()]
        return [[DIVISIONS[name](self) for name in names]] if names else []

    def _applicable(self) -> list[str]:
        """The breakdowns for which there is everything that they need."""
        names = list(DIVISIONS)
        if self.options.frame_size is None and self.options.dataset is None:
            names.remove("face-size")
        published = self._categories
        if self.options.categories is None and not published.keys() & set(self.truth.video_names):
            names.remove("category")
        return names

    @cached_property
    def _categories(self) -> Mapping[str, str]:
        """Each video's category, in the order in which the table has the categories."""
        given = self.options.categories
        if given is None:
            return {v.video_id: v.category for v in video_list.videos() if v.category is not None}
        return read_categories(Path(given)) if isinstance(given, (str, Path)) else given

    def _frame_sizes(self) -> npt.NDArray[np.float64]:
        """[videos, 2] The width and height of each video's frame in pixels."""
        truth, options = self.truth, self.options
        if options.frame_size is not None:
            return np.full((len(truth.video_names), 2), options.frame_size, np.float64)
        if options.dataset is None:
            raise UsageError(
                "faces are to be divided by size, and their boxes are relative to the frame",
                hint="give the frame's width and height with `frame_size`, or the dataset with "
                "`dataset`, whose crops tell it",
            )
        boxes = np.stack([truth.faces.numbers(edge) for edge in schema.BOX], axis=1)
        times = truth.faces.numbers(schema.TIME)
        chosen = (
            frame_sizes.Face(
                truth.video_names[truth.video_codes[row]],
                truth.track_names[truth.tracks[row]],
                float(times[row]),
                tuple(boxes[row].tolist()),
            )
            for row in frame_sizes.telling_faces(truth.video_codes, boxes)
        )
        sizes = frame_sizes.frame_sizes(Path(options.dataset), chosen)
        return np.array([sizes[video] for video in truth.video_names], np.float64)

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
        known = self._categories
        order = video_list.CATEGORIES if self.options.categories is None else known.values()
        values = [*dict.fromkeys(order), _NO_CATEGORY]
        of_video = [values.index(known.get(v, _NO_CATEGORY)) for v in self.truth.video_names]
        if set(of_video) == {values.index(_NO_CATEGORY)}:
            raise UsageError(
                f"no video of {self.truth.faces.name} is in a category, the first is "
                f"{self.truth.video_names[0]}",
                hint="UniTalk's categories divide its val split; for other videos give "
                "`categories`, a file with a line `id,category` for each",
            )
        return self._of_videos("category", values, of_video)

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
        sizes = self._frame_sizes()
        left, top, right, bottom = (self.truth.faces.numbers(name) for name in schema.BOX)
        largest = max(right.max(), bottom.max())
        if largest > bins.LARGEST_SHARE:
            raise DataError(
                f"{self.truth.faces.name}: boxes reach {largest:g} where 1 is the frame's edge: "
                "they are in pixels",
                hint="divide them by the frame's width and height",
            )
        width = bins.pixels(right - left, sizes[self.truth.video_codes, 0])
        if self.options.face_size == "width":
            return Division(name="face-size", values=bins.WIDTHS, codes=bins.width_codes(width))
        height = bins.pixels(bottom - top, sizes[self.truth.video_codes, 1])
        return Division(name="face-size", values=bins.AREAS, codes=bins.area_codes(width * height))

    def _by_track_length(self) -> Division:
        """Seconds from a track's first face to its last, and one mean step for the last one."""
        keys = np.sort(self.truth.keys)
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
        "128 x 128, as UniTalk's authors count; needs `frame_size` or `dataset`, whose crops tell "
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
"""The values and the meaning of each breakdown; the documentation's table is made from it."""


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

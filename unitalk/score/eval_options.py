"""What an evaluation may be asked for, checked and made ready."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial as bound
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.choices import FACE_SIZES, UNITS, FaceSize, Unit
from unitalk.errors import UsageError
from unitalk.media import frame_sizes
from unitalk.score.breakdown import Divider, Division, read_categories
from unitalk.score.jackknife import Resampling

if TYPE_CHECKING:
    from collections.abc import Callable

    from unitalk.score.match import Truth

ALL = "all"
"""Instead of a breakdown's name: every one that applies, each in a table of its own."""

RESAMPLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateOptions:
    """What an evaluation may be told besides what to score.

    Attributes:
        categories: a file with `id,category` a line, or a mapping from video ids to categories;
            None takes UniTalk's.
        frame_size: (width, height) of every video's frame in pixels, for `face-size`.
        data: the dataset, whose crops tell the frames' sizes.
        face_size: whether `face-size` goes by the boxes' width or area.
        ci_unit: what is resampled as a whole, `video` or `track`.
        metrics: whether to measure more than average precision.
        threshold: from which score on a face is taken to speak, for the metrics that need one.
    """

    categories: str | Path | Mapping[str, str] | None = None
    frame_size: tuple[float, float] | None = None
    data: str | Path | None = None
    face_size: FaceSize = "width"
    ci_unit: Unit = "video"
    metrics: bool = False
    threshold: float | None = None

    def __post_init__(self) -> None:
        """Refuse what would be taken for something else.

        Raises:
            UsageError: a value is none of those that it may be.
        """
        _one_of("ci_unit", self.ci_unit, UNITS)
        _one_of("face_size", self.face_size, FACE_SIZES)
        _check_size(self.frame_size)
        _check_categories(self.categories)
        if self.threshold is not None and not _is_number(self.threshold):
            raise UsageError(f"threshold is {self.threshold!r}", hint="give a number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a caller wants of an evaluation.

    Attributes:
        by: names of breakdowns, or `all`.
        resampling: how to make intervals, or None.
        partial: whether to score what matches when not all does.
        options: the rest.
    """

    by: tuple[str, ...]
    resampling: Resampling | None
    partial: bool
    options: EvaluateOptions

    @classmethod
    def of(
        cls,
        *,
        by: str | Sequence[str],
        ci: int | bool | None,
        seed: int,
        partial: bool,
        options: EvaluateOptions | None,
    ) -> Asked:
        """Check and complete what a caller gave.

        Raises:
            UsageError: it contradicts itself.
        """
        options = _options_of(options)
        names = _names_of(by)
        if ALL in names and len(names) > 1:
            raise UsageError(
                f"{ALL!r} stands for every breakdown, and others were asked for as well",
                hint=f"give {ALL!r} alone, or the names whose cross table is wanted",
            )
        if len(set(names)) < len(names):
            raise UsageError(
                f"a breakdown is asked for twice: {', '.join(names)}", hint="give each name once"
            )
        if ci is None or isinstance(ci, (bool, np.bool_)):
            count = RESAMPLES if ci else 0
        else:
            count = _whole("ci", ci)
        drawn_from = _whole("seed", seed)
        how = Resampling(resamples=count, seed=drawn_from) if count else None
        return cls(by=names, resampling=how, partial=partial, options=options)


def _one_of(name: str, value: object, known: Sequence[str]) -> None:
    if value not in known:
        raise UsageError(f"{name} is {value!r}", hint=f"give one of {', '.join(known)}")


def _check_size(size: object) -> None:
    if size is None:
        return
    pair = isinstance(size, (tuple, list)) and len(size) == 2  # noqa: PLR2004 - width and height
    if not pair or not all(_is_number(side) and side > 0 for side in size):  # type: ignore[attr-defined]
        raise UsageError(
            f"frame_size is {size!r}", hint="give (width, height) in pixels, such as (1280, 720)"
        )


def _check_categories(categories: object) -> None:
    if not isinstance(categories, Mapping):
        return
    for video, category in categories.items():
        if not isinstance(category, str) or not category:
            raise UsageError(
                f"the category of {video!r} is {category!r}", hint="give names as text"
            )


def _is_number(value: object) -> bool:
    is_true_or_false = isinstance(value, (bool, np.bool_))
    return not is_true_or_false and isinstance(value, Real) and math.isfinite(value)


def _whole(name: str, value: object) -> int:
    """Take a whole number, also one of numpy's.

    Raises:
        UsageError: it is none.
    """
    is_true_or_false = isinstance(value, (bool, np.bool_))
    if isinstance(value, Integral) and not is_true_or_false:
        return int(value)
    raise UsageError(f"{name} is {value!r}", hint="give a whole number")


def _names_of(by: object) -> tuple[str, ...]:
    names = (by,) if isinstance(by, str) else by
    if not isinstance(names, Iterable) or not all(isinstance(name, str) for name in names):
        raise UsageError(f"by is {by!r}", hint="give a breakdown's name, or a list of names")
    return tuple(map(str, names))


def _options_of(options: object) -> EvaluateOptions:
    if options is None:
        return EvaluateOptions()
    if not isinstance(options, EvaluateOptions):
        raise UsageError(f"options are {options!r}", hint="give unitalk.EvaluateOptions(...)")
    return options


def tables_of(truth: Truth, asked: Asked) -> list[list[Division]]:
    """The divisions of every table that was asked for."""
    if not asked.by:
        return []
    options = asked.options
    categories = options.categories
    if isinstance(categories, (str, Path)):
        categories = read_categories(Path(categories))
    divider = Divider(
        truth=truth,
        categories=categories,
        frames=_frames(truth, options),
        face_size=options.face_size,
    )
    if asked.by == (ALL,):
        return [[divider.divide(name)] for name in divider.applicable()]
    return [[divider.divide(name) for name in asked.by]]


def _frames(
    truth: Truth, options: EvaluateOptions
) -> Callable[[], Mapping[str, tuple[float, float]]] | None:
    """How to find each video's frame size, if anything was given to find it with."""
    if options.frame_size is not None:
        size = options.frame_size
        return lambda: dict.fromkeys(truth.video_names, size)
    if options.data is not None:
        return bound(_frames_of_crops, truth, Path(options.data))
    return None


def _frames_of_crops(truth: Truth, data: Path) -> Mapping[str, tuple[float, float]]:
    """Ask a few crops of every video."""
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
    return frame_sizes.frame_sizes(data, chosen)

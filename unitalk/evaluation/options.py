"""What an evaluation may be asked for, checked and made ready."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial as bound
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unitalk import crops, schema
from unitalk.errors import UsageError
from unitalk.evaluation.breakdown import Divider, Division, FaceSize, read_categories
from unitalk.evaluation.jackknife import Resampling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from unitalk.evaluation.match import Truth
    from unitalk.evaluation.result import Unit

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
        options = options or EvaluateOptions()
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
        count = RESAMPLES if ci is True else int(ci or 0)
        how = Resampling(resamples=count, seed=seed) if count else None
        return cls(by=names, resampling=how, partial=partial, options=options)


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
        crops.Face(
            truth.video_names[truth.video_codes[row]],
            truth.track_names[truth.tracks[row]],
            float(times[row]),
            tuple(boxes[row].tolist()),
        )
        for row in crops.telling_faces(truth.video_codes, boxes)
    )
    return crops.frame_sizes(data, chosen)

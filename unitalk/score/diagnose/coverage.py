"""Faces without a prediction, and predictions without a face."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.score.diagnose.findings import SHOWN, Finding, counted, ok, places, problem
from unitalk.score.diagnose.pairing import keys_of, repeated
from unitalk.score.match import counting
from unitalk.score.near_times import NOBODY, in_seconds

if TYPE_CHECKING:
    import numpy.typing as npt

    from unitalk.schema import Faces
    from unitalk.score.diagnose.pairing import Pairing


def check_coverage(truth: Faces, faces: Faces, pairing: Pairing) -> Finding:
    """Count faces without a prediction and predictions without a face; whole tracks by name.

    A face that does not count needs no prediction.
    """
    codes, _ = truth.codes(schema.ENTITY)
    found = pairing.partners != NOBODY
    has = np.zeros(len(truth), np.bool_)
    has[pairing.partners[found]] = True
    has |= repeated(keys_of(codes, truth.milliseconds()))  # counted by the check for duplicates
    counts = counting(truth)
    if counts is not None:
        has |= ~counts
    missing = np.flatnonzero(~has)
    extra = np.flatnonzero(~found & ~pairing.repeats)
    if not len(missing) and not len(extra):
        number = f"{len(truth):,}" if counts is None else f"{counts.sum():,} with {schema.EVAL} 1"
        return ok("coverage", f"every face has a prediction, and every prediction a face "
                  f"({number})")  # fmt: skip
    if not found.any():
        return problem(
            "coverage",
            f"not one of the {counted(len(faces), 'prediction')} is for one of the "
            f"{counted(len(truth), 'face')} of the ground truth",
            examples=[*_shown(faces, extra), *_shown(truth, missing)],
            advice="are these predictions for another split, or another dataset?",
        )
    said, examples = [], []
    if len(missing):
        said.append(_missing(truth, missing))
        examples += _shown(truth, missing)
    if len(extra):
        said.append(_extra(extra, pairing))
        examples += _shown(faces, extra)
    advice = (
        f"score every face once, with the ground truth's {schema.ENTITY} and {schema.TIME}"
        if len(missing)
        else "leave out what the ground truth does not have, or take the ground truth they are for"
    )
    return problem("coverage", "; ".join(said), examples=examples, advice=advice)


def _missing(truth: Faces, missing: npt.NDArray[np.int64]) -> str:
    """Name what is missing as videos where they lack whole, else as tracks, else as faces."""
    videos, titles = truth.codes(schema.VIDEO)
    tracks, names = truth.codes(schema.ENTITY)
    no_video, missing = _whole(videos, missing)
    no_track, missing = _whole(tracks, missing)
    said = [
        f"{len(whole):,} of {np.count_nonzero(np.bincount(codes)):,} {noun}s "
        f"{'has' if len(whole) == 1 else 'have'} no prediction: {_named(whole, codes, texts)}"
        for whole, codes, texts, noun in (
            (no_video, videos, titles, "video"),
            (no_track, tracks, names, "track"),
        )
        if len(whole)
    ]
    if len(missing):
        of = np.unique(tracks[missing])
        said.append(
            f"{len(missing):,} of {counted(len(truth), 'face')} "
            f"{'has' if len(missing) == 1 else 'have'} no prediction, of "
            f"{counted(len(of), 'track')}: {_named(of, tracks[missing], names)}"
        )
    return "; ".join(said)


def _whole(
    codes: npt.NDArray[np.int32], rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """The groups of which every row is among `rows`, and the rows that are in no such group."""
    lost = np.bincount(codes[rows], minlength=int(codes.max()) + 1)
    whole = np.flatnonzero((lost == np.bincount(codes)) & (lost > 0))
    return whole, rows[~np.isin(codes[rows], whole)]


def _named(
    groups: npt.NDArray[np.integer], codes: npt.NDArray[np.integer], names: list[str]
) -> str:
    """The first few groups with how many rows each has, and how many more there are."""
    sizes = np.bincount(codes)
    said = [f"{names[group]}, {counted(int(sizes[group]), 'face')}" for group in groups[:SHOWN]]
    more = len(groups) - len(said)
    return "; ".join(said) + (f"; and {more:,} more" if more else "")


def _extra(extra: npt.NDArray[np.int64], pairing: Pairing) -> str:
    tracks = np.unique(pairing.tracks[extra])
    return (
        f"{counted(len(extra), 'prediction')} {'is' if len(extra) == 1 else 'are'} for no face of "
        f"the ground truth, of {counted(len(tracks), 'track')}: "
        + _named(tracks, pairing.tracks[extra], pairing.names)
    )


def _shown(faces: Faces, rows: npt.NDArray[np.int64]) -> list[str]:
    """The first faces with file and line."""
    codes, names = faces.codes(schema.ENTITY)
    seconds = faces.numbers(schema.TIME)
    few = [int(row) for row in rows[: SHOWN - 1]]
    return places(
        faces, few, [f"{names[codes[row]]} at {in_seconds(seconds[row])[0]} s" for row in few]
    )

"""Faces without a prediction, predictions without a face, and faces that are there twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.evaluation.diagnosis.findings import (
    SHOWN,
    Finding,
    counted,
    ok,
    places,
    problem,
)
from unitalk.evaluation.diagnosis.pairing import NOBODY, first_with, keys_of, repeated
from unitalk.evaluation.match import counting

if TYPE_CHECKING:
    import numpy.typing as npt

    from unitalk.evaluation.diagnosis.pairing import Pairing
    from unitalk.schema import Faces


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
    return places(faces, few, [f"{names[codes[row]]} at {seconds[row]:g} s" for row in few])


def check_duplicates(truth: Faces, faces: Faces, pairing: Pairing, *, scored: bool) -> Finding:
    """Look for faces that are there twice, in either file.

    Args:
        truth: the ground truth.
        faces: the predictions.
        pairing: which prediction is for which face.
        scored: whether the predictions' scores could be read.
    """
    codes, _ = truth.codes(schema.ENTITY)
    twice = repeated(keys_of(codes, truth.milliseconds()))
    if twice.any():
        rows = np.flatnonzero(twice)
        return problem(
            "duplicates",
            f"{counted(len(rows), 'face')} of the ground truth {'is' if len(rows) == 1 else 'are'} "
            "there more than once",
            examples=_shown(truth, rows),
            advice="keep one row a face in the ground truth",
        )
    rows = np.flatnonzero(pairing.repeats)
    if not len(rows):
        return ok("duplicates", "no face is there twice")
    keys = keys_of(pairing.tracks, faces.milliseconds())
    first = first_with(keys, rows)
    agree = ""
    if scored:
        scores = faces.numbers(schema.SCORE)
        same = int(np.count_nonzero(scores[first] == scores[rows]))
        agree = (
            "; each with the same score"
            if same == len(rows)
            else f"; {len(rows) - same:,} of them with another score"
        )
    lines = faces.where([int(row) for pair in zip(first, rows, strict=True) for row in pair][:6])
    seconds = faces.numbers(schema.TIME)
    by_both = np.lexsort((seconds, pairing.tracks))
    equal = np.diff(seconds[by_both]) == 0
    equal &= np.diff(pairing.tracks[by_both]) == 0
    column = f'["{schema.ENTITY}", "{schema.TIME}"]'
    drop = f"predictions = predictions.drop_duplicates({column})"
    return problem(
        "duplicates",
        f"{counted(len(rows), 'prediction')} {'is' if len(rows) == 1 else 'are'} for a face that "
        f"has one already{agree}",
        examples=[
            f"{earlier} and {later}: {pairing.names[pairing.tracks[row]]} at {seconds[row]:g} s"
            for earlier, later, row in zip(lines[::2], lines[1::2], rows, strict=False)
        ],
        advice="keep one row a face; when scores differ, find out which one is meant",
        # pandas drops what is equal to the last digit, and of every track.
        code=drop if np.count_nonzero(equal) == len(rows) else None,
    )

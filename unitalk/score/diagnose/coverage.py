"""Faces without a prediction, and predictions without a face."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.schema.face_table import NOBODY, KeyIndex, pack
from unitalk.score.diagnose.findings import SHOWN, Finding, counted, ok, places, problem
from unitalk.score.near_times import in_seconds

if TYPE_CHECKING:
    import numpy.typing as npt

    from unitalk.schema import Faces
    from unitalk.score.diagnose.pairing import Pairing

    Integers = npt.NDArray[np.int64]
    Codes = npt.NDArray[np.integer]


def check_coverage(truth: Faces, faces: Faces, pairing: Pairing) -> Finding:
    """Count faces without a prediction and predictions without a face; name whole tracks.

    A face that does not count needs no prediction.
    """
    codes, _ = truth.codes(schema.ENTITY)
    has = np.zeros(len(truth), np.bool_)
    has[pairing.partners[pairing.found]] = True
    again, _ = KeyIndex.of(pack(codes, truth.milliseconds())).repeats()
    has[again] = True  # the check for duplicates counts these
    counts = truth.scored()
    if counts is not None:
        has |= ~counts
    missing = np.flatnonzero(~has)
    extra = np.flatnonzero((pairing.partners == NOBODY) & ~pairing.repeats)
    if not len(missing) and not len(extra):
        number = f"{len(truth):,}" if counts is None else f"{counts.sum():,} with {schema.EVAL} 1"
        return ok("coverage", f"every face has a prediction, and every prediction a face "
                  f"({number})")  # fmt: skip
    ours, theirs = _shown(truth, missing), _shown(faces, extra)
    if not len(pairing.found):
        return problem(
            "coverage",
            f"not one of the {counted(len(faces), 'prediction')} is for one of the "
            f"{counted(len(truth), 'face')} of the ground truth",
            examples=[*theirs, *ours],
            advice="are these predictions for another split, or another dataset?",
        )
    said = _missing(truth, missing)
    if len(extra):
        said.append(
            f"{counted(len(extra), 'prediction', 'is')} for no face of the ground truth, "
            f"{_by_track(pairing.tracks[extra], pairing.names)}"
        )
    advice = (
        f"score every face once, with the ground truth's {schema.ENTITY} and {schema.TIME}"
        if len(missing)
        else "leave out what the ground truth does not have, or take the ground truth they are for"
    )
    return problem("coverage", "; ".join(said), examples=[*ours, *theirs], advice=advice)


def _missing(truth: Faces, missing: Integers) -> list[str]:
    """Name the missing faces: whole videos, else whole tracks, else by track."""
    said = []
    for column, noun in ((schema.VIDEO, "video"), (schema.ENTITY, "track")):
        codes, names = truth.codes(column)
        sizes = np.bincount(codes)
        lost = np.bincount(codes[missing], minlength=len(sizes))
        whole = np.flatnonzero((lost == sizes) & (lost > 0))
        if len(whole):
            said.append(
                f"{len(whole):,} of {np.count_nonzero(sizes):,} {noun}s "
                f"{'has' if len(whole) == 1 else 'have'} no prediction: "
                f"{_named(whole, sizes, names)}"
            )
        missing = missing[~np.isin(codes[missing], whole)]
    if len(missing):
        codes, names = truth.codes(schema.ENTITY)
        said.append(
            f"{len(missing):,} of {counted(len(truth), 'face')} "
            f"{'has' if len(missing) == 1 else 'have'} no prediction, "
            f"{_by_track(codes[missing], names)}"
        )
    return said


def _by_track(codes: Codes, names: list[str]) -> str:
    tracks = np.unique(codes)
    return f"of {counted(len(tracks), 'track')}: {_named(tracks, np.bincount(codes), names)}"


def _named(groups: Codes, sizes: Codes, names: list[str]) -> str:
    """The first few groups with how many faces each has, and how many more there are."""
    said = [f"{names[group]}, {counted(int(sizes[group]), 'face')}" for group in groups[:SHOWN]]
    more = len(groups) - len(said)
    return "; ".join(said) + (f"; and {more:,} more" if more else "")


def _shown(faces: Faces, rows: Integers) -> list[str]:
    """The first faces with file and line."""
    codes, names = faces.codes(schema.ENTITY)
    seconds = faces.numbers(schema.TIME)
    few = [int(row) for row in rows[: SHOWN - 1]]
    return places(
        faces, few, [f"{names[codes[row]]} at {in_seconds(seconds[row])[0]} s" for row in few]
    )

"""Faces that are there twice, in either file, and what differs between their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.score.diagnose.findings import SHOWN, Finding, counted, ok, problem
from unitalk.score.diagnose.pairing import first_with, keys_of, repeated
from unitalk.score.diagnose.score_values import positives_of
from unitalk.score.duplicate_rows import compare
from unitalk.score.near_times import NOBODY, in_seconds

if TYPE_CHECKING:
    from unitalk.schema import Faces
    from unitalk.score.diagnose.pairing import Pairing
    from unitalk.score.duplicate_rows import Duplicates


def check_duplicates(truth: Faces, faces: Faces, pairing: Pairing) -> Finding:
    """Look for faces that are there twice, in either file.

    Where each such face has one row for each label, that of speaking becomes its prediction.
    """
    codes, _ = truth.codes(schema.ENTITY)
    keys = keys_of(codes, truth.milliseconds())
    again, rows = np.flatnonzero(repeated(keys)), np.flatnonzero(pairing.repeats)
    if not len(again) and not len(rows):
        return ok("duplicates", "no face is there twice")
    found = compare(faces, pairing.holders[rows], rows)
    code = _line(faces, found, pairing) if not len(again) else None
    if found.is_by_label:
        _prefer_speaking(faces, found, pairing)
    if len(again):
        own = compare(truth, first_with(keys, again), again)
        return problem(
            "duplicates",
            f"{counted(len(again), 'face')} of the ground truth "
            f"{'is' if len(again) == 1 else 'are'} there more than once{_difference(own)}",
            examples=_shown(truth, own),
            advice=f"in the ground truth, {own.advice}",
        )
    return problem(
        "duplicates",
        f"{counted(len(rows), 'prediction')} {'is' if len(rows) == 1 else 'are'} for a face that "
        f"has one already{_difference(found)}",
        examples=_shown(faces, found),
        advice=found.advice,
        code=code,
    )


def _difference(found: Duplicates) -> str:
    return f"; {found.difference}" if found.difference else ""


def _shown(faces: Faces, found: Duplicates) -> list[str]:
    """The first faces that are there twice, with both lines, and both times if they differ."""
    pairs = np.stack([found.first[:SHOWN], found.rows[:SHOWN]], axis=1)
    lines = faces.where(pairs.ravel().tolist())
    codes, names = faces.codes(schema.ENTITY)
    seconds = faces.numbers(schema.TIME)
    shown = []
    for pair, earlier, later in zip(pairs, lines[::2], lines[1::2], strict=True):
        times = " and ".join(f"{text} s" for text in dict.fromkeys(in_seconds(*seconds[pair])))
        shown.append(f"{earlier} and {later}: {names[codes[pair[1]]]} at {times}")
    return shown


def _line(faces: Faces, found: Duplicates, pairing: Pairing) -> str | None:
    """The line that leaves one row for each face, where one line does."""
    if found.is_by_label:
        speaks = positives_of(faces)
        held = pairing.partners != NOBODY
        # A face with a single row must not lose that.
        if np.count_nonzero(speaks[held]) + np.count_nonzero(speaks[found.rows]) < held.sum():
            return None
        return f'predictions = predictions[predictions["{schema.LABEL}"] == "{schema.SPEAKING}"]'
    if any(found.differing.values()):
        return None
    # pandas drops what is equal to the last digit, and of every track.
    seconds = faces.numbers(schema.TIME)
    by_both = np.lexsort((seconds, pairing.tracks))
    equal = np.diff(seconds[by_both]) == 0
    equal &= np.diff(pairing.tracks[by_both]) == 0
    columns = f'["{schema.ENTITY}", "{schema.TIME}"]'
    drop = f"predictions = predictions.drop_duplicates({columns})"
    return drop if np.count_nonzero(equal) == len(found.rows) else None


def _prefer_speaking(faces: Faces, found: Duplicates, pairing: Pairing) -> None:
    """Make the row of speaking the one that has the face, and leave the others out of the rest."""
    better = positives_of(faces)[found.rows]
    first, rows = found.first[better], found.rows[better]
    pairing.partners[rows], pairing.partners[first] = pairing.partners[first], NOBODY
    pairing.unused[first] = True
    pairing.unused[found.rows[~better]] = True

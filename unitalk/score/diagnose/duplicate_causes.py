"""Faces that occur twice, in either file, and what differs between their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.schema.face_table import NOBODY, KeyIndex, pack
from unitalk.score.diagnose.findings import SHOWN, Finding, counted, ok, problem
from unitalk.score.diagnose.score_values import positives_of
from unitalk.score.duplicate_rows import compare
from unitalk.score.near_times import in_seconds

if TYPE_CHECKING:
    from unitalk.schema import Faces
    from unitalk.score.diagnose.pairing import Pairing
    from unitalk.score.duplicate_rows import Duplicates


def check_duplicates(truth: Faces, faces: Faces, pairing: Pairing) -> Finding:
    """Look for faces that occur twice, in either file.

    Where each such face has one row for each label, that of speaking becomes its prediction.
    """
    codes, _ = truth.codes(schema.ENTITY)
    again, first = KeyIndex.of(pack(codes, truth.milliseconds())).repeats()
    rows = np.flatnonzero(pairing.repeats)
    if not len(again) and not len(rows):
        return ok("duplicates", "no face has two rows")
    found = compare(faces, pairing.holders[rows], rows)
    code = _line(faces, found, pairing)
    if found.is_by_label:
        _prefer_speaking(faces, found, pairing)
    if len(again):
        own = compare(truth, first, again)
        return problem(
            "duplicates",
            f"{counted(len(again), 'face')} of the ground truth "
            f"{'is' if len(again) == 1 else 'are'} there more than once{_difference(own)}",
            examples=_shown(truth, own),
            advice=f"in the ground truth, {own.advice}",
        )
    return problem(
        "duplicates",
        f"{counted(len(rows), 'prediction', 'is')} for a face that has one already"
        f"{_difference(found)}",
        examples=_shown(faces, found),
        advice=found.advice,
        code=code,
    )


def _difference(found: Duplicates) -> str:
    return f"; {found.difference}" if found.difference else ""


def _shown(faces: Faces, found: Duplicates) -> list[str]:
    """The first faces that occur twice, with both lines, and both times if they differ."""
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
        # A face with a single row must not lose that.
        kept = np.count_nonzero(speaks[pairing.found]) + np.count_nonzero(speaks[found.rows])
        if kept < len(pairing.found):
            return None
        return f'predictions = predictions[predictions["{schema.LABEL}"] == "{schema.SPEAKING}"]'
    # pandas drops what is equal to the last digit only.
    seconds = faces.numbers(schema.TIME)
    if any(found.differing.values()) or (seconds[found.first] != seconds[found.rows]).any():
        return None
    columns = f'["{schema.ENTITY}", "{schema.TIME}"]'
    return f"predictions = predictions.drop_duplicates({columns})"


def _prefer_speaking(faces: Faces, found: Duplicates, pairing: Pairing) -> None:
    """Make the row of speaking the one that has the face, and leave the others out of the rest."""
    better = positives_of(faces)[found.rows]
    first, rows = found.first[better], found.rows[better]
    pairing.partners[rows], pairing.partners[first] = pairing.partners[first], NOBODY
    pairing.unused[first] = True
    pairing.unused[found.rows[~better]] = True

"""Rows that repeat a face: in what they differ from its first row, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema

if TYPE_CHECKING:
    import numpy.typing as npt

    from unitalk.schema import Faces

    Integers = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

_SAME_BOX = 1e-6  # by which an edge may differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """Rows of one file that repeat a face.

    Attributes:
        first: [rows] the face's first row.
        rows: [rows] ascending or not.
        differing: by what there is to compare, how many of `rows` differ from the first in it.
        is_by_label: whether every such face has one row for each label, one of them of speaking.
    """

    first: Integers
    rows: Integers
    differing: dict[str, int]
    is_by_label: bool

    @property
    def difference(self) -> str:
        """One clause about what differs; empty where there is nothing to compare."""
        said = [f"{count:,} of them with another {name}"
                for name, count in self.differing.items() if count]  # fmt: skip
        if said:
            return ", ".join(said)
        *most, last = self.differing or [""]
        return last and f"each with the same {', '.join(most) + ' and ' if most else ''}{last}"

    @property
    def advice(self) -> str:
        """What to do about it, as one sentence."""
        scored = "score" in self.differing
        if self.is_by_label and scored:
            return f"one row for each label: keep those of {schema.SPEAKING}"
        if self.differing.get("box"):
            return f"give each track an {schema.ENTITY} of its own"
        if self.differing.get("label") and not scored:
            return "keep the row with the right label for each face"
        if self.differing.get("score"):
            return "keep the row with the right score for each face"
        return "keep one row for each face"


def compare(faces: Faces, first: Integers, rows: Integers) -> Duplicates:
    """Look at what differs between rows that are for one face.

    Args:
        faces: the file.
        first: [rows] the first row of the face of each.
        rows: the others.
    """
    columns = faces.table.column_names
    differing: dict[str, Bools] = {}
    by_label = False
    if schema.LABEL in columns:
        codes, names = faces.codes(schema.LABEL)
        differing["label"] = codes[first] != codes[rows]
        speaks = np.array([name == schema.SPEAKING for name in names])
        by_label = _is_by_label(codes, speaks, first, rows)
    if set(schema.BOX) <= set(columns):
        edges = (faces.numbers(name) for name in schema.BOX)
        off = [np.abs(edge[first] - edge[rows]) > _SAME_BOX for edge in edges]
        differing["box"] = np.any(off, axis=0)
    if schema.SCORE in columns:
        scores = faces.numbers(schema.SCORE)
        differing["score"] = scores[first] != scores[rows]
    return Duplicates(
        first=first,
        rows=rows,
        differing={name: int(np.count_nonzero(rows)) for name, rows in differing.items()},
        is_by_label=by_label,
    )


def _is_by_label(
    codes: npt.NDArray[np.int32], speaks: Bools, first: Integers, rows: Integers
) -> bool:
    heads = np.unique(first)
    face, label = np.append(heads, first), codes[np.append(heads, rows)]
    once = len(np.unique(np.stack([face, label]), axis=1).T) == len(face)
    return once and np.array_equal(np.sort(face[speaks[label]]), heads)

"""The file names of face crops: the number in each, and the names of a split, each made once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk.layout import face_name
from unitalk.schema.columns import TIME

if TYPE_CHECKING:
    import numpy.typing as npt

    from unitalk.schema.faces import Faces
    from unitalk.schema.split_rows import SplitRows

_NEAR = 1e-3  # hundredths of a second
_LONG = 1 << 22  # hundredths of a second: 11 hours
_PIECE = 1 << 20  # rows at a time, so that no temporary is large


def hundredths_of(seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The number in each time's `face_name`, times 100; times with equal numbers share a file."""
    hundred = seconds * 100
    result = np.rint(hundred).astype(np.int64)
    # In the middle between two names, the text is made of the float itself.
    for place in np.flatnonzero(np.abs(hundred - np.floor(hundred) - 0.5) < _NEAR).tolist():
        name = face_name(float(seconds[place]))
        result[place] = round(float(name.removesuffix(".jpg")) * 100)
    return result


class FaceNames:
    """The names of a split's faces, in the order of its tracks.

    Args:
        rows: the split.
        texts: the csv's text of each time, where a loader opens that; as (the index of each row's
            text, the texts).
    """

    def __init__(
        self, rows: SplitRows, texts: tuple[npt.NDArray[np.int32], list[str]] | None = None
    ) -> None:
        self._rows = rows.table.rows
        self._places, self._names = _named(_hundredths(rows.faces))
        self._codes = None if texts is None else texts[0]
        self._texts = None if texts is None else np.array([f"{t}.jpg" for t in texts[1]], object)

    def ours(self, start: int, stop: int) -> list[str]:
        """The names that we would have written, for rows of a track."""
        names: list[str] = self._names[self._places[self._rows(slice(start, stop))]].tolist()
        return names

    def opened(self, start: int, stop: int) -> list[str] | None:
        """The names that a loader opens, where it takes the csv's text for one."""
        if self._codes is None or self._texts is None:
            return None
        names: list[str] = self._texts[self._codes[self._rows(slice(start, stop))]].tolist()
        return names


def _hundredths(faces: Faces) -> npt.NDArray[np.int32]:
    """The number that each face's file name says, times 100."""
    result = np.empty(len(faces), np.int32)
    for start in range(0, len(faces), _PIECE):
        result[start : start + _PIECE] = hundredths_of(faces.numbers(TIME, start, _PIECE))
    return result


def _named(hundredths: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int32], npt.NDArray[Any]]:
    """The names that occur, each once: each row's place among them, and they."""
    if int(hundredths.max()) < _LONG:  # a table with holes is faster than sorting
        occurs = np.zeros(int(hundredths.max()) + 1, bool)
        occurs[hundredths] = True
        numbers = np.flatnonzero(occurs)
        places = hundredths
        names = np.empty(len(occurs), object)
        at = numbers
    else:
        numbers, found = np.unique(hundredths, return_inverse=True)
        places = found.astype(np.int32)
        names = np.empty(len(numbers), object)
        at = np.arange(len(numbers))
    for place, number in zip(at.tolist(), numbers.tolist(), strict=True):
        names[place] = face_name(number / 100)
    return places, names

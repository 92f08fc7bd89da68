"""The numbers in the file names of face crops, for many times at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unitalk.layout import face_name

if TYPE_CHECKING:
    import numpy.typing as npt

_NEAR = 1e-3  # hundredths of a second


def hundredths_of(seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The number in each time's `face_name`, times 100; times with equal numbers share a file."""
    hundred = seconds * 100
    result = np.rint(hundred).astype(np.int64)
    # In the middle between two names, the text is made of the float itself.
    for place in np.flatnonzero(np.abs(hundred - np.floor(hundred) - 0.5) < _NEAR).tolist():
        name = face_name(float(seconds[place]))
        result[place] = round(float(name.removesuffix(".jpg")) * 100)
    return result

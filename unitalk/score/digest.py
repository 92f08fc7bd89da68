"""Numbers that stand for faces whatever the order of a file's rows."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from unitalk.schema.face_table import unpack_times

if TYPE_CHECKING:
    import numpy.typing as npt

    from unitalk.score.match import Matched


def track_hashes(matched: Matched) -> npt.NDArray[np.uint64]:
    """A number for every track of the ground truth, made from its id."""
    digests = (hashlib.blake2b(name.encode(), digest_size=8) for name in matched.track_names)
    return np.array([int.from_bytes(digest.digest()) for digest in digests], np.uint64)


def row_hashes(matched: Matched, tracks: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """A number a face made from its entity, millisecond and label.

    Their sum names the ground truth whatever the order of its rows, which a hash of the file or of
    sorted rows would not do, or not as fast. The mixing is that of splitmix64 (Steele, Lea and
    Flood, OOPSLA 2014).

    Args:
        matched: the faces.
        tracks: what `track_hashes` gives for them.
    """
    hashes = np.empty(len(matched.keys), np.uint64)
    piece = 1 << 16
    for start in range(0, len(hashes), piece):
        part = slice(start, start + piece)
        moment = unpack_times(matched.keys[part]).astype(np.uint64)
        moment <<= np.uint64(1)
        moment |= matched.labels[part]
        hashes[part] = _mix(tracks[matched.tracks[part]] ^ _mix(moment))
    return hashes


def _mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values ^= values >> np.uint64(30)
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values

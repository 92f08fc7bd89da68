"""Augmentation: what training changes in a track's sound and faces, so that no two epochs repeat.

The distributions are those of TalkNet's dataLoader.py: half of the sounds are mixed with another
track's, and each track's faces are shown as they are, mirrored, cropped or turned. Everything that
is random comes from a generator that the caller gives, so the same seed gives the same training.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from unitalk.media.libraries import load
from unitalk.media.tracks.track import GRAY_SIZE

if TYPE_CHECKING:
    import numpy.typing as npt

    Sound = npt.NDArray[np.int16]
    Faces = npt.NDArray[np.uint8]

MIXED = 0.5
"""The share of tracks whose sound is mixed with another's."""

SNR_DB = (-5.0, 5.0)
"""How much louder than the other sound a track's own one is: from, to, in decibels."""

CROPPED = (0.7, 1.0)
"""The side of a crop, relative to that of the face: from, to."""

TURNED = 15.0
"""Faces are turned by up to so many degrees, to either side."""

Kind = Literal["as-is", "flip", "crop", "rotation"]
KINDS: tuple[Kind, ...] = ("as-is", "flip", "crop", "rotation")
"""What is done to the faces of a track, each to a quarter of the tracks."""

_FLOOR = 1e-4  # added to a power before its logarithm, so that silence has one


# ------------------------------------------------------------------------------ a track's draw


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """All that is random in one showing of a track.

    Attributes:
        noise: which of the other tracks is mixed in, from 0; None: the sound stays as it is.
        snr_db: how much louder the track's own sound is, in decibels.
        look: what is done to its faces.
    """

    noise: int | None
    snr_db: float
    look: Look


def draw(rng: np.random.Generator, others: int, *, compat: bool = False) -> Draw:
    """Draw all that is random in one showing of a track.

    Drawn are, in this order: whether its sound is mixed, with which other track's, how loud; then
    its look. The sound's three numbers are drawn whether they are used or not, so that the faces
    are shown alike with and without mixing.

    Args:
        rng: seeded for this showing, as by `numpy.random.default_rng((seed, epoch, place))`; the
            result then depends on neither the number of workers nor their order.
        others: how many tracks there are whose sound may be mixed in; for none it is not mixed.
        compat: as in `draw_look`.
    """
    mixed = rng.random() < MIXED
    noise = int(rng.random() * others)  # `integers` draws nothing where there is one choice
    snr_db = float(rng.uniform(*SNR_DB))
    look = draw_look(rng, compat=compat)
    return Draw(noise=noise if mixed and others else None, snr_db=snr_db, look=look)


# ------------------------------------------------------------------------------ sound


def mix(clean: Sound, noise: Sound, snr_db: float, *, compat: bool = False) -> Sound:
    """Add another track's sound, so loud that the first one's power is `snr_db` above it.

    The other sound is repeated or cut to the first one's length before its power is measured. The
    sum is cut off at the ends of int16, and its fractions towards zero.

    Args:
        clean: [samples] int16, the track's own sound.
        noise: [any length] int16, the other; where it is empty, the track's own sound comes back.
        snr_db: in decibels.
        compat: as the original computes it: the samples are squared in int16, so that powers of
            loud sounds are wrong and the gain with them, and the sum wraps around. (Where a sum is
            beyond int32, which takes a sound whose wrong power is zero, the original's result is
            left to the compiler, and this one differs.)

    Returns:
        [samples] int16, a new array.
    """
    if not len(clean) or not len(noise):
        return clean.copy()
    noise = np.resize(noise, len(clean))
    level = _wrapped_decibels if compat else _decibels
    gain = math.sqrt(10 ** ((level(clean) - level(noise) - snr_db) / 10))
    total = clean + gain * noise
    if compat:
        return total.astype(np.int64).astype(np.int16)  # keeps the lower 16 bits on any machine
    limits = np.iinfo(np.int16)
    return np.clip(total, limits.min, limits.max).astype(np.int16)


def _decibels(sound: Sound) -> float:
    exact = sound.astype(np.float64)
    return _to_decibels(float(exact @ exact) / len(sound))


def _wrapped_decibels(sound: Sound) -> float:
    """What the original takes for a sound's level: the squares keep only their lower 16 bits."""
    return _to_decibels(float(np.abs(sound * sound).mean()))


def _to_decibels(power: float) -> float:
    return 10 * math.log10(power + _FLOOR)


# ------------------------------------------------------------------------------ faces


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the faces of a track are shown, all of them alike.

    Attributes:
        kind: what is done to them.
        left: of a crop: its first column.
        top: of a crop: its first row.
        extent: of a crop: its side in pixels.
        degrees: of a rotation: how far, against the clock.
    """

    kind: Kind = "as-is"
    left: int = 0
    top: int = 0
    extent: int = 0
    degrees: float = 0.0

    def apply(self, faces: Faces) -> Faces:
        """Show faces so.

        A crop is brought back to the faces' size bilinearly. Faces are turned about the corner of
        four pixels, (56, 56) of 112, bilinearly, and black comes in from outside. OpenCV 5 rounds
        otherwise than OpenCV 4 when it turns: up to four of 256 levels differ.

        Args:
            faces: [faces, side, side] uint8.

        Returns:
            The same shape; the array itself where nothing is done to it, else a new one.

        Raises:
            MissingExtraError: OpenCV is not installed.
        """
        if self.kind == "as-is":
            return faces
        if self.kind == "flip":
            return np.ascontiguousarray(faces[:, :, ::-1])
        cv2, side = load("cv2", "models"), faces.shape[1]
        result = np.empty(faces.shape, np.uint8)
        if self.kind == "crop":
            bottom, right = self.top + self.extent, self.left + self.extent
            for face, shown in zip(faces, result, strict=True):
                cv2.resize(face[self.top : bottom, self.left : right], (side, side), dst=shown)
        else:
            turn = cv2.getRotationMatrix2D((side / 2, side / 2), self.degrees, 1)
            for face, shown in zip(faces, result, strict=True):
                cv2.warpAffine(face, turn, (side, side), dst=shown)
        return result


def draw_look(rng: np.random.Generator, *, compat: bool = False) -> Look:
    """Draw how the faces of a track are shown.

    Drawn are, in this order: the kind; of a crop its side, its left and its top edge; of a rotation
    its degrees.

    Args:
        rng: the source of randomness.
        compat: as in the original, no crop touches the right or the lower edge.
    """
    kind = KINDS[rng.integers(len(KINDS))]
    if kind == "crop":
        extent = int(GRAY_SIZE * rng.uniform(*CROPPED))
        places = max(GRAY_SIZE - extent, 1) if compat else GRAY_SIZE - extent + 1
        left, top = (int(place) for place in rng.integers(places, size=2))
        return Look(kind=kind, left=left, top=top, extent=extent)
    if kind == "rotation":
        return Look(kind=kind, degrees=float(rng.uniform(-TURNED, TURNED)))
    return Look(kind=kind)

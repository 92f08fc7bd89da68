"""A face crop's bytes -> pixels: in full colour, or gray as the models' loaders make it.

The loaders of TalkNet, LoCoNet and ASC read a crop with `cv2.imread`, make it gray with
`cv2.cvtColor`, and bring it to a size with `cv2.resize`. So gray is made of the decoded colours
here, by the same two functions. What a decoder itself gives as gray, without colours between, is
up to 26 levels off, as it leaves away the rounding of each colour to 0..255.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unitalk.errors import DataError
from unitalk.media import jpegs
from unitalk.media.libraries import load

if TYPE_CHECKING:
    import numpy.typing as npt

    from unitalk.media.tracks.media_files import Crops

    Image = npt.NDArray[np.uint8]


def check_ends(crops: Crops) -> None:
    """Look at the first and last bytes of jpgs, which tells of each that is cut off.

    Raises:
        DataError: one is cut off, or is no jpg.
    """
    for place, content in enumerate(crops.data):
        fault = jpegs.end_fault(len(content), content[: jpegs.MAGIC_BYTES], content[-2:])
        if fault is not None:
            kind, detail = fault
            raise _damaged(crops, place, detail or f"the file is {kind}")


def colours(crops: Crops) -> list[Image]:
    """Decode jpgs; each is [height, width, 3], red, green, blue.

    Raises:
        DataError: one is damaged.
    """
    check_ends(crops)
    return [_decoded(crops, place) for place in range(len(crops.data))]


def grays(crops: Crops, size: int) -> Image:
    """Decode jpgs into gray squares, [files, size, size].

    Raises:
        DataError: one is damaged.
        MissingExtraError: the extra is not installed.
    """
    check_ends(crops)
    cv2 = load("cv2", "tracks")
    result = np.empty((len(crops.data), size, size), np.uint8)
    for place in range(len(crops.data)):
        gray = cv2.cvtColor(_decoded(crops, place), cv2.COLOR_RGB2GRAY)
        cv2.resize(gray, (size, size), dst=result[place])
    return result


def _decoded(crops: Crops, place: int) -> Image:
    try:
        return jpegs.decode(crops.data[place])
    except jpegs.DamagedError as error:
        raise _damaged(crops, place, str(error)) from error


def _damaged(crops: Crops, place: int, reason: str) -> DataError:
    message = f"{crops.where(place)}: not a whole face crop: {reason}"
    return DataError(message, hint=crops.hint)

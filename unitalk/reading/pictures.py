"""A face crop's bytes -> pixels: in full colour, or gray as the models' loaders make it.

The loaders of TalkNet, LoCoNet and ASC read a crop with `cv2.imread`, make it gray with
`cv2.cvtColor`, and bring it to a size with `cv2.resize`. So gray is made of the decoded colours
here, by the same two functions. What a decoder itself gives as gray, without colours between, is
up to 26 levels off, as it leaves away the rounding of each colour to 0..255.

The extra's decoder refuses whatever its library warns of. Pillow, which opens crops where the extra
is not installed, gives the same pixels; it refuses what is cut off, and may take a crop in whose
middle bytes were changed. A picture's orientation in its EXIF is not looked at: crops have none.
"""

from __future__ import annotations

import io
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk.errors import DataError, MissingExtraError
from unitalk.reading.media import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    Image = npt.NDArray[np.uint8]

_START, _END = b"\xff\xd8", b"\xff\xd9"


def check_ends(data: Sequence[bytes], where: Callable[[int], str]) -> None:
    """Look at the first and last bytes of jpgs, which tells of each that is cut off.

    Args:
        data: the files' bytes.
        where: says where the n-th one is.

    Raises:
        DataError: one is cut off, or is no jpg.
    """
    for place, content in enumerate(data):
        if content[:2] != _START or content[-2:] != _END:
            raise _damaged(where(place), _fault(content))


def colours(data: Sequence[bytes], where: Callable[[int], str]) -> list[Image]:
    """Decode jpgs; each is [height, width, 3], red, green, blue.

    Raises:
        DataError: one is damaged.
    """
    check_ends(data, where)
    decode = _decoder()
    return [_decoded(decode, content, where, place) for place, content in enumerate(data)]


def grays(data: Sequence[bytes], where: Callable[[int], str], size: int) -> Image:
    """Decode jpgs into gray squares, [files, size, size].

    Raises:
        DataError: one is damaged.
        MissingExtraError: the extra is not installed.
    """
    check_ends(data, where)
    cv2 = _opencv()
    decode = _decoder()
    result = np.empty((len(data), size, size), np.uint8)
    for place, content in enumerate(data):
        gray = cv2.cvtColor(_decoded(decode, content, where, place), cv2.COLOR_RGB2GRAY)
        cv2.resize(gray, (size, size), dst=result[place])
    return result


def _decoded(
    decode: Callable[[bytes], Image], data: bytes, where: Callable[[int], str], place: int
) -> Image:
    try:
        return decode(data)
    except (OSError, SyntaxError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else "cannot be decoded"
        raise _damaged(where(place), reason) from error


def _fault(data: bytes) -> str:
    if not data:
        return "the file is empty"
    if data[:2] != _START:
        return "does not begin as a JPEG"
    return f"{len(data):,} bytes, and no end: it is cut off"


def _damaged(where: str, reason: str) -> DataError:
    return DataError(f"{where}: not a whole face crop: {reason}", hint=MISSING)


@cache
def _decoder() -> Callable[[bytes], Image]:
    """What makes colours of a jpg; raises OSError, SyntaxError or ValueError where it cannot."""
    try:
        decode: Any = import_module("simplejpeg").decode_jpeg  # it has no types
    except ImportError:
        return _by_pillow
    return partial(decode, colorspace="RGB")


def _by_pillow(data: bytes) -> Image:
    from PIL import Image as Pillow

    try:
        with Pillow.open(io.BytesIO(data), formats=["JPEG"]) as picture:
            return np.array(picture.convert("RGB"))
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
        raise ValueError(str(error)) from error


@cache
def _opencv() -> Any:  # noqa: ANN401 - a module of an extra
    try:
        import cv2
    except ImportError as error:
        raise MissingExtraError(
            "gray crops of a size are made as the models' loaders make them, by OpenCV",
            hint='pip install "unitalk[tracks]"',
        ) from error
    return cv2

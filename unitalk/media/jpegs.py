"""A face crop: the bytes of a JPEG -> the pixels that `cv2.imread` gives, or what is wrong with it.

The extra's decoder refuses whatever its library warns of. Pillow, which opens crops where the extra
is not installed, gives the same pixels; it refuses what is cut off, and may take a crop in whose
middle bytes were changed.
"""

from __future__ import annotations

import io
import struct
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Image = npt.NDArray[np.uint8]

START, END = b"\xff\xd8", b"\xff\xd9"
MAGIC_BYTES = 16
"""So many of a file's first bytes say what it is."""

_KINDS = {
    b"\x89PNG": "a PNG, not a JPEG", b"GIF8": "a GIF, not a JPEG", b"BM": "a BMP, not a JPEG",
    b"II*\0": "a TIFF, not a JPEG", b"MM\0*": "a TIFF, not a JPEG",
    b"<!DOCTYPE": "a web page", b"<html": "a web page",
    b"version https": "a pointer of Git LFS, without the picture",
}  # fmt: skip
_LARGEST = 1 << 26  # pixels of a picture that may be a face crop
_EXIF = b"Exif\0\0"
_APP1, _SCAN, _STOP = 0xE1, 0xDA, 0xD9
_ORIENTATION = 0x0112
_TURNED = 5  # from this orientation on width and height change places


class DamagedError(ValueError):
    """A picture cannot be decoded; one line says why."""


def end_fault(size: int, start: bytes, end: bytes) -> tuple[str, str | None] | None:
    """What a jpg's size, its first bytes and its last two say: ("truncated", "..."), or None.

    Args:
        size: of the file in bytes.
        start: the first `MAGIC_BYTES`.
        end: the last two.
    """
    if not size:
        return "empty", None
    if start[:2] != START:
        kind = next((kind for magic, kind in _KINDS.items() if start.startswith(magic)), None)
        if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
            kind = "a WebP, not a JPEG"
        return "unreadable", f"it is {kind}" if kind else "it does not begin as a JPEG"
    if end != END:
        return "truncated", f"{size:,} bytes, and no end: it is cut off"
    return None


def decode(data: bytes) -> Image:
    """Decode a jpg: [height, width, 3], red, green, blue, upright as its EXIF says.

    Raises:
        DamagedError: it is damaged.
    """
    image = _checked(decoder().colours, data)
    return upright(image, orientation(data)) if _EXIF in data else image


def glance(data: bytes) -> tuple[tuple[int, int], Image]:
    """Decode all of a jpg, and keep little of it: width and height upright; a small gray picture.

    Raises:
        DamagedError: it is damaged.
    """
    (width, height), gray = _checked(decoder().small, data)
    if _EXIF in data and orientation(data) >= _TURNED:
        width, height = height, width
    return (width, height), gray


def upright(image: Image, turned: int) -> Image:
    """Turn a picture as an orientation of EXIF, 1 to 8, wants it."""
    if turned >= _TURNED:
        image = image.swapaxes(0, 1)
    down, right = turned in {3, 4, 7, 8}, turned in {2, 3, 6, 7}
    image = image[:: -1 if down else 1, :: -1 if right else 1]
    return np.ascontiguousarray(image)


def orientation(data: bytes) -> int:
    """The orientation in a jpg's EXIF, 1 to 8; 1 where none is said."""
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:  # noqa: PLR2004 - a marker
        marker = data[place + 1]
        if marker in {_SCAN, _STOP}:
            break
        if marker == 0xFF:  # noqa: PLR2004 - a fill byte
            place += 1
            continue
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        body = data[place + 4 : place + 2 + length]
        if marker == _APP1 and body.startswith(_EXIF):
            found = _orientation_of(body[len(_EXIF) :])
            if found:
                return found
        place += 2 + length
    return 1


def _orientation_of(tiff: bytes) -> int:
    """The orientation in the first folder of tags; 0 where there is none, or it is broken."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 0
    try:
        (first,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, first)
        for number in range(count):
            tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, first + 2 + 12 * number)
            if tag == _ORIENTATION:
                return int(value) if 1 <= value <= 8 else 0  # noqa: PLR2004
    except struct.error:
        pass
    return 0


# ------------------------------------------------------------------------------ decoders


class _Decoder(NamedTuple):
    """Decodes jpgs without a look at their EXIF; OSError, SyntaxError, ValueError where it cannot.

    Attributes:
        colours: [height, width, 3].
        small: the width and height, and a picture in gray, up to eight times smaller.
    """

    colours: Callable[[bytes], Image]
    small: Callable[[bytes], tuple[tuple[int, int], Image]]


def _checked(read: Callable[[bytes], Any], data: bytes) -> Any:  # noqa: ANN401
    try:
        return read(data)
    except (OSError, SyntaxError, ValueError) as error:
        lines = str(error).splitlines()
        raise DamagedError(lines[0] if lines else "it cannot be decoded") from error


@cache
def decoder() -> _Decoder:
    """Choose what decodes: simplejpeg where it is installed, else Pillow."""
    try:
        library: Any = import_module("simplejpeg")  # it has no types
    except ImportError:
        return pillow()
    return _of_simplejpeg(library)


def _of_simplejpeg(library: Any) -> _Decoder:  # noqa: ANN401
    def colours(data: bytes) -> Image:
        try:
            image: Image = library.decode_jpeg(data, colorspace="RGB")
        except ValueError as error:
            if not _is_odd(library, data):
                raise error from None
            return _pillow_colours(data)
        return image

    def small(data: bytes) -> tuple[tuple[int, int], Image]:
        if _is_odd(library, data):
            return _pillow_small(data)
        height, width, _, _ = library.decode_jpeg_header(data)
        if height * width > _LARGEST:
            raise ValueError(f"{width:,} x {height:,} pixels are too many for a face crop")
        made = library.decode_jpeg(data, "GRAY", min_height=1, min_width=1, min_factor=1)
        return (width, height), made[..., 0]

    return _Decoder(colours, small)


def _is_odd(library: Any, data: bytes) -> bool:  # noqa: ANN401
    """Whether a whole jpg is of a form that the library does not know: inks, odd subsampling."""
    try:
        return library.decode_jpeg_header(data)[2] in {"CMYK", "YCCK"}
    except ValueError as error:
        return "subsampling" in str(error)


def pillow() -> _Decoder:
    """Decode with Pillow alone."""
    return _Decoder(_pillow_colours, _pillow_small)


def _pillow_colours(data: bytes) -> Image:
    return _by_pillow(data, small=False)[1]


def _pillow_small(data: bytes) -> tuple[tuple[int, int], Image]:
    return _by_pillow(data, small=True)


def _by_pillow(data: bytes, *, small: bool) -> tuple[tuple[int, int], Image]:
    from PIL import Image as Pillow

    data = data.replace(_EXIF, b"none\0\0")  # it would read it, and warn of what is broken in it
    try:
        with Pillow.open(io.BytesIO(data), formats=["JPEG"]) as picture:
            size = picture.size
            if picture.mode == "CMYK":
                image = _of_inks(255 - np.asarray(picture))  # Pillow turns inks over
                return size, image.max(axis=2) if small else image
            if small:  # faster to unpack, and says as well whether all of it is there
                picture.draft("L", (1, 1))
            return size, np.array(picture.convert("L" if small else "RGB"))
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
        raise ValueError(str(error)) from error


def _of_inks(inks: Image) -> Image:
    """What OpenCV makes of cyan, magenta, yellow and black as they are in the file."""
    wide = inks.astype(np.int32)
    black = wide[..., 3:]
    return (black - ((255 - wide[..., :3]) * black >> 8)).astype(np.uint8)

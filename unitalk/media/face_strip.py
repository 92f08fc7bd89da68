"""Open face crops, and paste them into one small picture."""

from __future__ import annotations

import io
from statistics import median
from typing import TYPE_CHECKING, TypeVar

from unitalk.files import unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PIL import Image

T = TypeVar("T")

_TOO_LARGE = 1 << 26  # pixels that no face crop has
_QUALITY = 70
_GREY = (128, 128, 128)
_ASPECT = (0.5, 1.5)  # width by height of a face, within reason


def strip(paths: Sequence[Path | None], *, height: int) -> bytes:
    """Paste face crops side by side into one small JPEG, tiles of one size.

    Args:
        paths: the crops, from left to right; None, a missing or a damaged one leaves a grey tile.
        height: of the strip, in pixels.

    Returns:
        The JPEG: `len(paths)` tiles, as wide as the crops are in the median.
    """
    from PIL import Image

    pictures = [open_crop(path, lambda picture: _pixels(picture, height)) for path in paths]
    aspects = [picture.width / picture.height for picture in pictures if picture is not None]
    aspect = min(max(median(aspects or [1.0]), _ASPECT[0]), _ASPECT[1])
    width = max(1, round(height * aspect))
    canvas = Image.new("RGB", (width * len(paths), height), _GREY)
    for place, picture in enumerate(pictures):
        if picture is not None:
            # Not ImageOps.pad, which makes nothing of a crop that is a line, before Pillow 11.
            scale = min(width / picture.width, height / picture.height)
            size = [max(1, round(side * scale)) for side in picture.size]
            left, top = (width - size[0]) // 2, (height - size[1]) // 2
            canvas.paste(picture.resize((size[0], size[1])), (place * width + left, top))
    data = io.BytesIO()
    canvas.save(data, "JPEG", quality=_QUALITY, optimize=True)
    return data.getvalue()


def _pixels(picture: Image.Image, height: int) -> Image.Image | None:
    """The picture in colour, not much larger than needed; None when it is far too large."""
    if picture.width * picture.height > _TOO_LARGE:
        return None
    picture.draft("RGB", (height, height))  # the decoder can leave out detail
    return picture.convert("RGB")


def open_crop(path: Path | None, look: Callable[[Image.Image], T]) -> T | None:
    """What a look at a crop gives; None when it is not there or cannot be read."""
    from PIL import Image, ImageOps

    if path is None:
        return None
    try:
        with Image.open(path, formats=["JPEG"]) as picture:
            return look(ImageOps.exif_transpose(picture) if "exif" in picture.info else picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None
    except OSError as error:
        if refused := unreadable(error, path):
            raise refused from error
        return None

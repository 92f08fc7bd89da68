"""The libraries that decode, encode and resize, imported when they are needed."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from unitalk.errors import MissingExtraError

_PURPOSES = {
    "video": "crops are cut out of videos by PyAV and OpenCV",
    "tracks": "gray crops of a size are made as the models' loaders make them, by OpenCV",
    "models": "faces are cropped and turned as TalkNet's loader does it, by OpenCV",
}


@cache
def load(name: str, extra: str = "video") -> Any:  # noqa: ANN401 - a module of an extra
    """Import `av` or `cv2`.

    Args:
        name: which.
        extra: the extra that brings it for the caller's purpose.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtraError(_PURPOSES[extra], hint=f'pip install "unitalk[{extra}]"') from error

"""The libraries that decode and encode, imported when they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from unitalk.errors import MissingExtraError


def load(name: str) -> Any:  # noqa: ANN401 - a module of an extra
    """Import `av` or `cv2`.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtraError(
            "crops are cut out of videos by PyAV and OpenCV", hint='pip install "unitalk[video]"'
        ) from error

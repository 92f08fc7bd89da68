"""PyTorch, or an error that says which extra brings it."""

from unitalk.errors import MissingExtraError

try:
    import torch
except ImportError as error:
    raise MissingExtraError(
        "networks need PyTorch", hint='pip install "unitalk[models]"'
    ) from error

__all__ = ["torch"]

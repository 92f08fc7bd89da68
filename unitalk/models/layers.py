"""What several networks share: how faces are prepared and encoded, the heads, their loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional

from unitalk.models._torch import torch

if TYPE_CHECKING:
    from collections.abc import Callable

_MEAN, _DEVIATION = 0.4161, 0.1688
# Of grey levels in 0..1, as the published weights were trained with.


def normalise(faces: Tensor) -> Tensor:
    """Bring grey levels of 0 to 255 to what the networks were trained with, in float32."""
    return (faces.float() / 255 - _MEAN) / _DEVIATION


def in_pieces(
    encode: Callable[[Tensor, int, int], Tensor], faces: Tensor, *, whole: bool, limit: int
) -> Tensor:
    """Encode faces [tracks, faces, ...] some at a time, so that a long track needs no more memory.

    Args:
        encode: gives the features [tracks, last - first, ...] of the faces `first` to `last`.
        faces: those of all tracks.
        whole: all at once: gradients and the statistics of a batch want everything.
        limit: how many faces at a time, of all tracks together.
    """
    count = faces.shape[1]
    if whole or faces.shape[0] * count <= limit:
        return encode(faces, 0, count)
    step = max(1, limit // faces.shape[0])
    pieces = [encode(faces, at, min(at + step, count)) for at in range(0, count, step)]
    return torch.cat(pieces, dim=1)


class Head(nn.Module):
    """Two logits from features; its one layer is called `FC`, as the checkpoints have it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.FC = nn.Linear(width, 2)

    def forward(self, features: Tensor) -> Tensor:
        """Judge features [..., width]: [..., 2], in float32 whatever the precision around it is.

        In bfloat16 logits would have 8 bits, and many faces of a dataset one and the same score.
        """
        with torch.autocast(features.device.type, enabled=False):
            logits: Tensor = self.FC(features.float())
        return logits


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean over all faces, in float32; logits [tracks, faces, 2], labels [tracks, faces]."""
    return functional.cross_entropy(logits.float().flatten(0, 1), labels.flatten())

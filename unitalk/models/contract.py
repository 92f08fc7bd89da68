"""What training and prediction may expect of every network, and what networks share."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from torch import Tensor, nn

from unitalk.errors import UsageError
from unitalk.models._torch import torch
from unitalk.schema.frame_rate import USUAL

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE = 112
"""The side of a face in pixels."""
MFCC = 13
"""How many coefficients a row of audio has."""
ROWS = 4
"""How many rows of audio there are for each face."""

_MEAN, _DEVIATION = 0.4161, 0.1688
# Of grey levels in 0..1, as the published weights were trained with.


class Logits(NamedTuple):
    """What a network says of each face: [tracks, faces, 2] float32, class 1 is "speaks".

    Attributes:
        av: from sound and pictures together; the one that is scored.
        audio: from the sound, to train with; None where a network has no such head.
        visual: from the pictures, to train with; None where a network has no such head.
    """

    av: Tensor
    audio: Tensor | None
    visual: Tensor | None


class Network(nn.Module):
    """A network that says of each face of a track whether it speaks.

    Attributes:
        name: what people call it by; one of `choices.MODELS`.
        default_lr: the learning rate that it was published with.
        frame_rate: how many frames a second the videos have that it was trained on: 25, as those
            of all published weights, unless their file says another.
    """

    name: ClassVar[str]
    default_lr: ClassVar[float]
    frame_rate: float = USUAL

    def forward(self, audio: Tensor, faces: Tensor) -> Logits:
        """Judge every face of every track.

        Args:
            audio: [tracks, 4 * faces, 13] float32, MFCC.
            faces: [tracks, faces, 112, 112] uint8, or floats of 0 to 255.

        Raises:
            UsageError: these shapes do not fit each other.
        """
        raise NotImplementedError

    def loss(self, logits: Logits, labels: Tensor, *, epoch: int) -> Tensor:
        """Measure how wrong the logits are: one number, a mean over all faces.

        Args:
            logits: what `forward` gave.
            labels: [tracks, faces] int64, 0 or 1.
            epoch: the epoch under way; the first is 1.
        """
        raise NotImplementedError


def speaking_probability(logits_av: Tensor) -> Tensor:
    """Turn logits [..., 2] into the probability [...] of speaking, in float32."""
    return logits_av.float().softmax(dim=-1)[..., 1]


def check_input(audio: Tensor, faces: Tensor) -> None:
    """Refuse audio and faces that no network takes.

    Raises:
        UsageError: their shapes are not [tracks, 4 * faces, 13] and [tracks, faces, 112, 112].
    """
    tracks, count = faces.shape[:2]
    if tuple(faces.shape[2:]) != (SIDE, SIDE) or count == 0:
        raise UsageError(
            f"faces of the shape {list(faces.shape)}; a network takes [tracks, faces, 112, 112]"
        )
    if tuple(audio.shape) != (tracks, ROWS * count, MFCC):
        raise UsageError(
            f"audio of the shape {list(audio.shape)}; with {tracks} x {count} faces a network "
            f"takes {[tracks, ROWS * count, MFCC]}"
        )


def normalise(faces: Tensor) -> Tensor:
    """Bring grey levels of 0 to 255 to what the networks were trained with, in float32."""
    return (faces.float() / 255 - _MEAN) / _DEVIATION


def judge(head: nn.Module, features: Tensor) -> Tensor:
    """Apply a head in float32, whatever the precision is around it.

    In bfloat16 logits would have 8 bits, and many faces of a dataset one and the same score.
    """
    with torch.autocast(features.device.type, enabled=False):
        logits: Tensor = head(features.float())
    return logits


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
        """Judge features [..., width]: [..., 2]."""
        return judge(self.FC, features)

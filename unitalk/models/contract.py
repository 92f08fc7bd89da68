"""The contract between the data, the networks, training and prediction.

`data` reads tracks into a `Batch`. A `Network` judges every face of it and gives `Logits`. Training
asks the network for the loss of these, prediction turns them into probabilities of speaking.
Neither knows which network it is; `registry` lists them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from torch import Tensor, nn

from unitalk.errors import UsageError
from unitalk.media.tracks.track import GRAY_SIZE
from unitalk.models.features import COEFFICIENTS, PER_FRAME
from unitalk.schema.frame_rate import USUAL

if TYPE_CHECKING:
    from unitalk.models._torch import torch


class Batch(NamedTuple):
    """Tracks as a network takes them, all with the same number of faces.

    Attributes:
        audio: [tracks, 4 * faces, 13] float32, see `features.audio_features`.
        faces: [tracks, faces, 112, 112] uint8, gray.
        labels: [tracks, faces] int64; to train on, 1 for a face that speaks audibly and 0 for
            others.
    """

    audio: Tensor
    faces: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> Batch:
        """The batch on a device; faces travel as bytes, and become floats there."""
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in self))


class Logits(NamedTuple):
    """A network's judgement of each face: [tracks, faces, 2] float32, class 1 is "speaks".

    Attributes:
        av: from sound and pictures together; the one that is scored.
        audio: from the sound, to train with; None where a network has no such head.
        visual: from the pictures, to train with; None where a network has no such head.
    """

    av: Tensor
    audio: Tensor | None
    visual: Tensor | None


class Network(nn.Module):
    """A network that judges whether each face of a track speaks.

    Attributes:
        name: what people call it; one of `choices.MODELS`.
        default_lr: the learning rate that it was published with.
        frame_rate: frames per second of the videos that it was trained on: 25 for all published
            weights; a checkpoint of our training has its own.

    Args:
        clip_leak: let the tracks of a batch touch each other in time where the original does; only
            to compare with it.
    """

    name: ClassVar[str]
    default_lr: ClassVar[float]
    frame_rate: float = USUAL

    def __init__(self, *, clip_leak: bool = False) -> None:
        super().__init__()
        self.clip_leak = clip_leak

    def forward(self, audio: Tensor, faces: Tensor) -> Logits:
        """Judge every face of every track.

        Args:
            audio: as in `Batch`.
            faces: as in `Batch`, or floats of 0 to 255.

        Raises:
            UsageError: these shapes do not fit each other.
        """
        raise NotImplementedError

    def loss(self, logits: Logits, labels: Tensor, *, epoch: int) -> Tensor:
        """Measure how wrong the logits are: one number, a mean over all faces.

        Args:
            logits: the output of `forward`.
            labels: as in `Batch`.
            epoch: the current epoch; the first is 1.
        """
        raise NotImplementedError


def speaking_probability(logits_av: Tensor) -> Tensor:
    """Turn logits [..., 2] into the probability [...] of speaking, in float32."""
    return logits_av.float().softmax(dim=-1)[..., 1]


def check_input(audio: Tensor, faces: Tensor) -> None:
    """Refuse audio and faces that no network takes.

    Raises:
        UsageError: their shapes are not those of a `Batch`.
    """
    tracks, count = faces.shape[:2]
    if tuple(faces.shape[2:]) != (GRAY_SIZE, GRAY_SIZE) or count == 0:
        raise UsageError(
            f"faces of the shape {list(faces.shape)}; a network takes [tracks, faces, 112, 112]"
        )
    if tuple(audio.shape) != (tracks, PER_FRAME * count, COEFFICIENTS):
        raise UsageError(
            f"audio of the shape {list(audio.shape)}; with {tracks} x {count} faces a network "
            f"takes {[tracks, PER_FRAME * count, COEFFICIENTS]}"
        )

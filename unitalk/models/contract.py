"""The contract between the data, the networks, training and prediction.

`data` reads tracks into a `Batch`. A `Network` judges every face of it and gives `Logits`. Training
asks the network for the loss of these, prediction turns them into probabilities of speaking.
Neither knows which network it is; `registry` lists them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, get_args

from torch import Tensor, nn

from unitalk.errors import UnitalkError, UsageError
from unitalk.media.tracks.track import GRAY_SIZE
from unitalk.models.features import COEFFICIENTS, PER_FRAME
from unitalk.models.layers import cross_entropy
from unitalk.schema.frame_rate import USUAL

if TYPE_CHECKING:
    from unitalk.models._torch import torch

AudioFeatures = Literal["mfcc"]
AUDIO_FEATURES: tuple[AudioFeatures, ...] = get_args(AudioFeatures)
"""The forms of sound that networks can be given; `mfcc` is `features.audio_features`."""


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
    audio: Tensor | None = None
    visual: Tensor | None = None


class Network(nn.Module):
    """A network that judges whether each face of a track speaks.

    A subclass defines `forward`; all else has a default. It is made without arguments.

    Attributes:
        faces_at_a_time: how many faces of one moment the network sees: the one that it judges,
            and beyond 1 others of the same video as context. Only 1 is read today.
        audio_features: the form of its sound, one of `AUDIO_FEATURES`.
        default_lr: the learning rate of the first epoch where none is given.
        takes_clip_leak: whether it can be made with `clip_leak=True`.
        name: what `model` calls it; `registry.new_network` sets it.
        frame_rate: frames per second of the videos that it was trained on: 25 for all published
            weights; a checkpoint of our training has its own.

    Args:
        clip_leak: let the tracks of a batch touch each other in time where the original does; only
            to compare with it.
    """

    faces_at_a_time: ClassVar[int] = 1
    audio_features: ClassVar[AudioFeatures] = "mfcc"
    default_lr: ClassVar[float] = 1e-4
    takes_clip_leak: ClassVar[bool] = False
    name: str
    frame_rate: float = USUAL

    def __init__(self, *, clip_leak: bool = False) -> None:
        super().__init__()
        self.clip_leak = clip_leak
        self.name = type(self).__name__

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

        By default this is the cross entropy of `logits.av`.

        Args:
            logits: the output of `forward`.
            labels: as in `Batch`.
            epoch: the current epoch; the first is 1.
        """
        del epoch
        return cross_entropy(logits.av, labels)


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


def check_logits(network: Network, found: object, faces: Tensor) -> None:
    """Refuse what a network gave if it does not judge each face.

    Args:
        network: which.
        found: what its `forward` returned.
        faces: what it was given, as in `Batch`.

    Raises:
        UnitalkError: it is not `Logits`, or has another shape.
    """
    wanted = [*faces.shape[:2], 2]
    if not isinstance(found, Logits):
        got = f"a {type(found).__name__}"
    elif list(found.av.shape) != wanted:
        got = f"logits of the shape {list(found.av.shape)}"
    else:
        return
    raise UnitalkError(
        f"the network {network.name} returned {got} for faces of the shape {list(faces.shape)}",
        hint=f"return `unitalk.Logits(av)` from its forward method, with av of the shape {wanted}",
    )

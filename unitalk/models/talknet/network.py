"""TalkNet: does a face speak, judged from its pictures and the sound over the whole track.

Tao, Pan, Das, Qian, Shou, Li: "Is Someone Speaking? Exploring Long-term Temporal Features for
Audio-visual Active Speaker Detection", ACM Multimedia 2021. Parameters have the names of the
published checkpoints.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from unitalk.errors import UsageError
from unitalk.models.contract import Logits, Network, check_input
from unitalk.models.layers import Head, cross_entropy
from unitalk.models.talknet.attention import AttentionLayer
from unitalk.models.talknet.audio import AudioEncoder
from unitalk.models.talknet.visual import VisualFrontend, VisualNarrowing, VisualTemporal

AUXILIARY = 0.4
"""What the losses of sound alone and of pictures alone count for."""


class Features(NamedTuple):
    """What the heads judge: features of each face, [tracks, faces, width].

    Attributes:
        av: 256, of sound and pictures.
        audio: 128, of the sound where the pictures point.
        visual: 128, of the pictures where the sound points.
    """

    av: Tensor
    audio: Tensor
    visual: Tensor


class TalkNetModel(nn.Module):
    """All of TalkNet but its heads.

    Args:
        clip_leak: see `VisualFrontend`.
    """

    def __init__(self, *, clip_leak: bool = False) -> None:
        super().__init__()
        self.visualFrontend = VisualFrontend(clip_leak=clip_leak)
        self.visualTCN = VisualTemporal()
        self.visualConv1D = VisualNarrowing()
        self.audioEncoder = AudioEncoder()
        self.crossA2V = AttentionLayer(128)
        self.crossV2A = AttentionLayer(128)
        self.selfAV = AttentionLayer(256)

    def encode_faces(self, faces: Tensor) -> Tensor:
        """Encode faces [tracks, faces, 112, 112] of 0 to 255: [tracks, faces, 128]."""
        x = self.visualFrontend(faces).transpose(1, 2)
        features: Tensor = self.visualConv1D(self.visualTCN(x))
        return features.transpose(1, 2)

    def forward(self, audio: Tensor, faces: Tensor) -> Features:
        """Compute what the heads judge; the shapes are `Network.forward`'s."""
        heard, seen = self.audioEncoder(audio), self.encode_faces(faces)
        by_sound = self.crossA2V(heard, query=seen)
        by_sight = self.crossV2A(seen, query=heard)
        both = torch.cat([by_sound, by_sight], dim=2)
        return Features(self.selfAV(both, query=both), by_sound, by_sight)


class TalkNet(Network):
    """TalkNet, 15.7 million parameters."""

    default_lr: ClassVar[float] = 1e-4
    takes_clip_leak: ClassVar[bool] = True

    def __init__(self, *, clip_leak: bool = False) -> None:
        super().__init__(clip_leak=clip_leak)
        self.model = TalkNetModel(clip_leak=clip_leak)
        self.lossAV = Head(256)
        self.lossA = Head(128)
        self.lossV = Head(128)

    def forward(self, audio: Tensor, faces: Tensor) -> Logits:
        """Judge every face of every track; see `Network.forward`."""
        check_input(audio, faces)
        if self.training and faces.shape[0] * faces.shape[1] == 1:
            raise UsageError(
                "a training batch of a single face: its features cannot be normalised by "
                "themselves",
                hint="leave tracks of one face out, or put them into a batch with others",
            )
        features = self.model(audio, faces)
        return Logits(
            self.lossAV(features.av), self.lossA(features.audio), self.lossV(features.visual)
        )

    def loss(self, logits: Logits, labels: Tensor, *, epoch: int) -> Tensor:
        """Add 0.4 of both auxiliary cross entropies to the main one; see `Network.loss`."""
        del epoch
        total = cross_entropy(logits.av, labels)
        for extra in (logits.audio, logits.visual):
            if extra is not None:
                total = total + AUXILIARY * cross_entropy(extra, labels)
        return total

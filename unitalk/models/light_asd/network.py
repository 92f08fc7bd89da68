"""Light-ASD: the same question answered with a million parameters.

Liao, Duan, Feng, Zhao, Yang, Chen: "A Light Weight Model for Active Speaker Detection", CVPR 2023.
Its kernels of three dimensions are split into one over a face's pixels and one over time. Here both
are convolutions of pictures, channels-last: for the one over time a "picture" has times as rows and
all pixels of a face as columns, which is the same memory seen in another way. Parameters have the
names and shapes of the published weights.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from unitalk.models.contract import Logits, Network, check_input
from unitalk.models.layers import Head, cross_entropy, in_pieces, normalise

WIDTH = 128
"""How many features a face has."""
AUXILIARY = 0.5
"""What the loss of pictures alone counts for."""
FACES_AT_ONCE = 64
"""How many faces are encoded at a time where no gradient is wanted; more is not faster."""

_HALO = 6
# What a face sees on each side: two times in each of three blocks.
_COOLEST = 0.1


class _PixelConv(nn.Conv3d):
    """A convolution over pixels whose weight is [outputs, inputs, 1, size, size]."""

    def __init__(self, inputs: int, outputs: int, size: int, *, stride: int = 1) -> None:
        super().__init__(
            inputs,
            outputs,
            (1, size, size),
            stride=(1, stride, stride),
            padding=(0, size // 2, size // 2),
            bias=False,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Filter pictures [n, inputs, h, w]."""
        weight = self.weight.squeeze(2).contiguous(memory_format=torch.channels_last)
        return functional.conv2d(x, weight, stride=self.stride[1:], padding=self.padding[1:])


class _TimeConv(nn.Conv3d):
    """A convolution over time whose weight is [channels, channels, size, 1, 1]."""

    def __init__(self, channels: int, size: int) -> None:
        super().__init__(channels, channels, (size, 1, 1), padding=(size // 2, 0, 0), bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Filter [tracks, channels, times, pixels]."""
        weight = self.weight.squeeze(4).contiguous(memory_format=torch.channels_last)
        return functional.conv2d(x, weight, padding=self.padding[:2])


def _in_time(x: Tensor, times: int) -> Tensor:
    """See pictures [tracks * times, channels, h, w] as [tracks, channels, times, pixels]."""
    rows = x.permute(0, 2, 3, 1).reshape(-1, times, x.shape[2] * x.shape[3], x.shape[1])
    return rows.permute(0, 3, 1, 2)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def _relu(x: Tensor) -> Tensor:
    return functional.relu(x, inplace=True)


class VisualBlock(nn.Module):
    """Two paths, of kernels of 3 and of 5, over pixels and then over time; their sum is mixed.

    Args:
        inputs: channels that go in.
        outputs: channels that come out.
        stride: 2 halves the picture's sides.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__()
        self.s_3 = _PixelConv(inputs, outputs, 3, stride=stride)
        self.bn_s_3 = _norm(outputs)
        self.t_3 = _TimeConv(outputs, 3)
        self.bn_t_3 = _norm(outputs)
        self.s_5 = _PixelConv(inputs, outputs, 5, stride=stride)
        self.bn_s_5 = _norm(outputs)
        self.t_5 = _TimeConv(outputs, 5)
        self.bn_t_5 = _norm(outputs)
        self.last = _PixelConv(outputs, outputs, 1)
        self.bn_last = _norm(outputs)

    def forward(self, x: Tensor, times: int) -> Tensor:
        """Filter the pictures [tracks * times, inputs, h, w] of tracks one after the other."""
        small = _relu(self.bn_s_3(self.s_3(x)))
        large = _relu(self.bn_s_5(self.s_5(x)))
        height, width = small.shape[2:]
        small = _relu(self.bn_t_3(self.t_3(_in_time(small, times))))
        large = _relu(self.bn_t_5(self.t_5(_in_time(large, times))))
        mixed: Tensor = _relu(self.bn_last(self.last(small + large)))
        pictures = mixed.permute(0, 2, 3, 1).reshape(-1, height, width, mixed.shape[1])
        return pictures.permute(0, 3, 1, 2)


class VisualEncoder(nn.Module):
    """Faces, and their six neighbours in time on each side, to 128 features each."""

    def __init__(self) -> None:
        super().__init__()
        self.block1 = VisualBlock(1, 32, stride=2)
        self.block2 = VisualBlock(32, 64)
        self.block3 = VisualBlock(64, WIDTH)
        _initialise(self)

    def forward(self, faces: Tensor) -> Tensor:
        """Encode faces [tracks, faces, 112, 112] of 0 to 255: [tracks, faces, 128]."""
        whole = self.training or torch.is_grad_enabled()
        return in_pieces(self._encode, faces, whole=whole, limit=FACES_AT_ONCE)

    def _encode(self, faces: Tensor, first: int, last: int) -> Tensor:
        before = max(first - _HALO, 0)
        seen = normalise(faces[:, before : last + _HALO])
        times = seen.shape[1]
        x: Tensor = self.block1(seen.flatten(0, 1).unsqueeze(1), times)
        x = self.block2(_halve(x), times)
        x = self.block3(_halve(x), times)
        features = x.amax(dim=(2, 3)).reshape(-1, times, WIDTH)
        return features[:, first - before : last - before]


def _halve(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, 3, stride=2, padding=1)


class AudioBlock(nn.Module):
    """Two paths, of kernels of 3 and of 5, over coefficients and then over time.

    Args:
        inputs: channels that go in.
        outputs: channels that come out.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.m_3 = nn.Conv2d(inputs, outputs, (3, 1), padding=(1, 0), bias=False)
        self.bn_m_3 = _norm(outputs)
        self.t_3 = nn.Conv2d(outputs, outputs, (1, 3), padding=(0, 1), bias=False)
        self.bn_t_3 = _norm(outputs)
        self.m_5 = nn.Conv2d(inputs, outputs, (5, 1), padding=(2, 0), bias=False)
        self.bn_m_5 = _norm(outputs)
        self.t_5 = nn.Conv2d(outputs, outputs, (1, 5), padding=(0, 2), bias=False)
        self.bn_t_5 = _norm(outputs)
        self.last = nn.Conv2d(outputs, outputs, 1, bias=False)
        self.bn_last = _norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Filter [tracks, inputs, coefficients, rows]."""
        small = _relu(self.bn_m_3(self.m_3(x)))
        small = _relu(self.bn_t_3(self.t_3(small)))
        large = _relu(self.bn_m_5(self.m_5(x)))
        large = _relu(self.bn_t_5(self.t_5(large)))
        return _relu(self.bn_last(self.last(small + large)))


class AudioEncoder(nn.Module):
    """Four rows of MFCC a face to 128 features."""

    def __init__(self) -> None:
        super().__init__()
        self.block1 = AudioBlock(1, 32)
        self.block2 = AudioBlock(32, 64)
        self.block3 = AudioBlock(64, WIDTH)
        _initialise(self)

    def forward(self, audio: Tensor) -> Tensor:
        """Encode audio [tracks, 4 * faces, 13]: [tracks, faces, 128]."""
        x: Tensor = self.block1(audio.transpose(1, 2).unsqueeze(1))
        x = self.block2(_halve_time(x))
        x = self.block3(_halve_time(x))
        return x.mean(dim=2).transpose(1, 2)


def _halve_time(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, (1, 3), stride=(1, 2), padding=(0, 1))


def _initialise(encoder: nn.Module) -> None:
    for module in encoder.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d):
            nn.init.kaiming_normal_(module.weight)


class Recurrence(nn.Module):
    """A recurrence forwards and then, over what it gave, one backwards."""

    def __init__(self) -> None:
        super().__init__()
        self.gru_forward = nn.GRU(WIDTH, WIDTH, batch_first=True)
        self.gru_backward = nn.GRU(WIDTH, WIDTH, batch_first=True)
        for gru in (self.gru_forward, self.gru_backward):
            for name, value in gru.named_parameters():
                fill = nn.init.zeros_ if name.startswith("bias") else nn.init.kaiming_normal_
                fill(value)

    def forward(self, x: Tensor) -> Tensor:
        """Run over [tracks, times, 128]."""
        x = functional.gelu(self.gru_forward(x)[0]).flip(1)
        return functional.gelu(self.gru_backward(x)[0].flip(1))


class LightASDModel(nn.Module):
    """All of Light-ASD but its heads."""

    def __init__(self) -> None:
        super().__init__()
        self.visualEncoder = VisualEncoder()
        self.audioEncoder = AudioEncoder()
        self.GRU = Recurrence()

    def forward(self, audio: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Compute what the two heads judge, [tracks, faces, 128] each."""
        seen = self.visualEncoder(faces)
        return self.GRU(self.audioEncoder(audio) + seen), seen


class LightASD(Network):
    """Light-ASD, one million parameters."""

    default_lr: ClassVar[float] = 1e-3

    def __init__(self) -> None:
        super().__init__()
        self.model = LightASDModel()
        self.lossAV = Head(WIDTH)
        self.lossV = Head(WIDTH)

    def forward(self, audio: Tensor, faces: Tensor) -> Logits:
        """Judge every face of every track; see `Network.forward`."""
        check_input(audio, faces)
        both, seen = self.model(audio, faces)
        return Logits(self.lossAV(both), None, self.lossV(seen))

    def loss(self, logits: Logits, labels: Tensor, *, epoch: int) -> Tensor:
        """Add half of the visual cross entropy to the main one, both at the epoch's temperature."""
        # The original asks for the binary cross entropy of the softmax, which is the same number.
        heat = temperature(epoch)
        total = cross_entropy(logits.av / heat, labels)
        if logits.visual is not None:
            total = total + AUXILIARY * cross_entropy(logits.visual / heat, labels)
        return total


def temperature(epoch: int) -> float:
    """What logits are divided by before their loss: 1.3 in epoch 1, 0.02 less each epoch.

    It ends at 0.1, with epoch 61: the original, made for 30 epochs, would divide by zero in its
    66th.
    """
    return max(1.3 - 0.02 * (epoch - 1), _COOLEST)

"""TalkNet's visual encoder: from faces to 128 features a face.

Every layer works on pictures or on rows of features, in two dimensions and one. The original's
only layer in three, a window of five faces, is a convolution of pictures whose five channels are
these faces; so the whole of it can run channels-last. (Tao et al., "Is Someone Speaking?", 2021,
section 3.1; the original's `model/visualEncoder.py`.)
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

from unitalk.models.layers import in_pieces, normalise

WINDOW = 5
"""How many faces the first layer sees at a time."""
WIDTH = 512
"""How many features a face has before the temporal layers."""
FACES_AT_ONCE = 64
"""How many faces are encoded at a time where no gradient is wanted; more is not faster."""

_HALO = WINDOW // 2


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def _relu(x: Tensor) -> Tensor:
    # In place: a normalisation and a convolution keep what went in for the gradient, not what
    # came out.
    return functional.relu(x, inplace=True)


class WindowConv(nn.Conv3d):
    """A convolution over five faces and 7 x 7 pixels, computed in two dimensions.

    Its weight has the shape of the original's, [64, 1, 5, 7, 7].
    """

    def __init__(self, channels: int) -> None:
        super().__init__(1, channels, (WINDOW, 7, 7), stride=(1, 2, 2), bias=False)

    def forward(self, faces: Tensor) -> Tensor:
        """Filter faces [tracks, count + 4, 112, 112]: [tracks * count, channels, 56, 56]."""
        windows = faces.unfold(1, WINDOW, 1).movedim(-1, 2).flatten(0, 1)
        weight = self.weight.squeeze(1)
        if faces.is_cuda or not self.training:
            # The weight's form decides the form of what comes out, and of all that follows. Not
            # in training on a CPU: there PyTorch adds up a batch's statistics one by one if they
            # are channels-last, and the error of that grows with the batch.
            weight = weight.contiguous(memory_format=torch.channels_last)
        return functional.conv2d(windows, weight, stride=2, padding=3)


class Shortcut(nn.Conv2d):
    """A convolution of single pixels that takes every second of them.

    Args:
        inputs: channels that go in.
        outputs: channels that come out.
        stride: 1 takes every pixel.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int) -> None:
        super().__init__(inputs, outputs, 1, stride=stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Filter pictures [n, inputs, h, w]."""
        # By this way its gradient gets the strides of the weight. Channels-last it would have its
        # own, and data-parallel training would warn of that, and copy.
        weight = self.weight.flatten(1)[:, :, None, None]
        return functional.conv2d(x, weight, stride=self.stride)


class ResNetLayer(nn.Module):
    """Two residual units; the second one's shortcut starts before the activation.

    Args:
        inputs: channels that go in.
        outputs: channels that come out.
        stride: 2 halves the picture's sides.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int) -> None:
        super().__init__()
        self.conv1a = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1a = _norm(outputs)
        self.conv2a = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.downsample = Shortcut(inputs, outputs, stride=stride)
        self.outbna = _norm(outputs)
        self.conv1b = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn1b = _norm(outputs)
        self.conv2b = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.outbnb = _norm(outputs)
        self.resizes = stride != 1
        # The checkpoints have this weight, and nothing uses it. Were it to wait for a gradient,
        # data-parallel training would wait with it.
        self.downsample.weight.requires_grad_(self.resizes)

    def forward(self, x: Tensor) -> Tensor:
        """Filter pictures [n, inputs, h, w]."""
        shortcut = self.downsample(x) if self.resizes else x
        between = self.conv2a(_relu(self.bn1a(self.conv1a(x)))) + shortcut
        x = _relu(self.outbna(between))
        x = self.conv2b(_relu(self.bn1b(self.conv1b(x)))) + between
        return _relu(self.outbnb(x))


class VisualFrontend(nn.Module):
    """Faces, and their four neighbours in time, to 512 features each.

    Args:
        clip_leak: let a track's ends see the ends of its neighbours in the batch, as the
            original does, which joins all tracks of a batch in time.
    """

    def __init__(self, *, clip_leak: bool = False) -> None:
        super().__init__()
        self.clip_leak = clip_leak
        self.frontend3D = nn.Sequential(
            WindowConv(64), _norm(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, stride=2, padding=1)
        )
        self.resnet = nn.Sequential(
            OrderedDict(
                layer1=ResNetLayer(64, 64, stride=1),
                layer2=ResNetLayer(64, 128, stride=2),
                layer3=ResNetLayer(128, 256, stride=2),
                layer4=ResNetLayer(256, WIDTH, stride=2),
            )
        )

    def forward(self, faces: Tensor) -> Tensor:
        """Encode faces [tracks, faces, 112, 112] of 0 to 255: [tracks, faces, 512]."""
        shape = faces.shape[:2]
        if self.clip_leak:
            faces = faces.flatten(0, 1).unsqueeze(0)
        whole = self.training or torch.is_grad_enabled()
        features = in_pieces(self._encode, faces, whole=whole, limit=FACES_AT_ONCE)
        return features.reshape(*shape, WIDTH)

    def _encode(self, faces: Tensor, first: int, last: int) -> Tensor:
        before, after = max(first - _HALO, 0), min(last + _HALO, faces.shape[1])
        levels = normalise(faces[:, before:after])
        # A track's ends see zeros, which are no grey level of 0 to 255.
        ends = (_HALO - (first - before), _HALO - (after - last))
        levels = functional.pad(levels, (0, 0, 0, 0, *ends))
        pictures: Tensor = self.resnet(self.frontend3D(levels))
        return pictures.mean(dim=(2, 3)).reshape(len(faces), last - first, WIDTH)


class GlobalNorm(nn.Module):
    """Normalises each track over all its channels and times ("gLN").

    Args:
        channels: how many channels there are.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(1, channels, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise [tracks, channels, times], in float32."""
        # One group of all channels: the same thing in one pass.
        gamma, beta = self.gamma.flatten(), self.beta.flatten()
        return functional.group_norm(x.float(), 1, gamma, beta, eps=1e-8)


class TemporalBlock(nn.Module):
    """A residual unit over time: three neighbours a channel, then all channels of one time."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.ReLU(),
            nn.BatchNorm1d(WIDTH),
            nn.Conv1d(WIDTH, WIDTH, 3, padding=1, groups=WIDTH, bias=False),
            nn.PReLU(),
            GlobalNorm(WIDTH),
            nn.Conv1d(WIDTH, WIDTH, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Filter [tracks, 512, times]."""
        out: Tensor = x + self.net(x)
        return out


class VisualTemporal(nn.Module):
    """Five residual units over time ("V-TCN")."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(*(TemporalBlock() for _ in range(5)))

    def forward(self, x: Tensor) -> Tensor:
        """Filter [tracks, 512, times]."""
        out: Tensor = self.net(x)
        return out


class VisualNarrowing(nn.Module):
    """From 512 features to 128, over five neighbours in time."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(WIDTH, 256, 5, padding=2),
            nn.BatchNorm1d(256),
            nn.ReLU(inplace=True),
            nn.Conv1d(256, 128, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Filter [tracks, 512, times]: [tracks, 128, times]."""
        out: Tensor = self.net(x)
        return out

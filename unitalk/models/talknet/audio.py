"""TalkNet's audio encoder: from four rows of MFCC a face to 128 features.

A thin residual network of 34 layers with squeeze and excitation over the plane of coefficients and
times. (Tao et al., "Is Someone Speaking?", 2021, section 3.1; the original's
`model/audioEncoder.py`.)
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

_BLOCKS = ((3, 16, 1), (4, 32, 2), (6, 64, 2), (3, 128, 1))
# Of each layer: blocks, channels, stride of its first block.


class Excitation(nn.Module):
    """Weighs each channel by what the means of all channels say.

    Args:
        channels: how many channels there are.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // 8),
            nn.ReLU(inplace=True),
            nn.Linear(channels // 8, channels),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Weigh the channels of [n, channels, h, w]."""
        weights: Tensor = self.fc(x.mean(dim=(2, 3)))
        return x * weights[:, :, None, None]


class AudioBlock(nn.Module):
    """A residual unit; its first half is activated before it is normalised.

    Args:
        inputs: channels that go in.
        outputs: channels that come out.
        stride: 2 halves both sides.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.se = Excitation(outputs)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Filter [n, inputs, h, w]."""
        out = self.bn1(functional.relu(self.conv1(x), inplace=True))
        out = self.se(self.bn2(self.conv2(out)))
        return functional.relu(out + self.downsample(x))


class AudioEncoder(nn.Module):
    """Four rows of MFCC a face to 128 features."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 7, stride=(2, 1), padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        inputs = 16
        for number, (count, channels, stride) in enumerate(_BLOCKS, start=1):
            first = AudioBlock(inputs, channels, stride=stride)
            rest = (AudioBlock(channels, channels) for _ in range(count - 1))
            self.add_module(f"layer{number}", nn.Sequential(first, *rest))
            inputs = channels
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, audio: Tensor) -> Tensor:
        """Encode audio [tracks, 4 * faces, 13]: [tracks, faces, 128]."""
        x = audio.transpose(1, 2).unsqueeze(1)
        x = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        for number in range(1, len(_BLOCKS) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return x.mean(dim=2).transpose(1, 2)

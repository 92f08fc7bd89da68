"""TalkNet: frames a second in training and in inference, beside a plain eager rendering.

    python benchmarks/talknet.py [--device cpu|cuda] [--threads 2] [--faces 100] [--repeats 3]
        [--record]

The peer is the original's mathematics and loop as one would write them down: pictures become
floats on the host, one convolution of three dimensions runs over all tracks of a batch joined in
time, tensors are contiguous, attention is `nn.MultiheadAttention`, tracks are scored one by one.
Both have the same weights, and the table's last line says how far apart their logits are (ours
with the same leak between tracks). They take turns; the best of the repeats counts.

Inference scores one track of --faces faces; a training step is one of 4 tracks of half as many:
forwards, the three losses, backwards, Adam. Further lines are ours with `--precision bf16`.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np
import torch
from _results import add_option, compared, write
from torch import Tensor, nn
from torch.nn import functional

from unitalk.models.registry import new_network

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# ------------------------------------------------------------------------------ the peer


def norm(make: type[nn.Module], channels: int) -> nn.Module:
    """A normalisation as the visual front end has it."""
    return make(channels, eps=1e-3, momentum=0.01)


def conv(inputs: int, outputs: int, size: int = 3, stride: int | tuple[int, int] = 1) -> nn.Conv2d:
    """A convolution without bias that keeps the sides, but for its stride."""
    return nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False)


class Residual(nn.Module):
    """A layer of the visual network."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1a, self.bn1a = conv(inputs, outputs, 3, stride), norm(nn.BatchNorm2d, outputs)
        self.conv2a, self.outbna = conv(outputs, outputs), norm(nn.BatchNorm2d, outputs)
        self.downsample = conv(inputs, outputs, 1, stride)
        self.conv1b, self.bn1b = conv(outputs, outputs), norm(nn.BatchNorm2d, outputs)
        self.conv2b, self.outbnb = conv(outputs, outputs), norm(nn.BatchNorm2d, outputs)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Filter pictures."""
        y = self.conv2a(functional.relu(self.bn1a(self.conv1a(x))))
        y = y + (x if self.stride == 1 else self.downsample(x))
        z = functional.relu(self.outbna(y))
        z = self.conv2b(functional.relu(self.bn1b(self.conv1b(z))))
        return functional.relu(self.outbnb(z + y))


class Frontend(nn.Module):
    """The visual network, over all tracks joined in time."""

    def __init__(self) -> None:
        super().__init__()
        self.frontend3D = nn.Sequential(
            nn.Conv3d(1, 64, (5, 7, 7), stride=(1, 2, 2), padding=(2, 3, 3), bias=False),
            norm(nn.BatchNorm3d, 64),
            nn.ReLU(),
            nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)),
        )
        self.resnet = nn.Module()
        for number, (inputs, outputs) in enumerate(((64, 64), (64, 128), (128, 256), (256, 512))):
            layer = Residual(inputs, outputs, 1 if number == 0 else 2)
            self.resnet.add_module(f"layer{number + 1}", layer)

    def forward(self, x: Tensor) -> Tensor:
        """Encode [tracks, times, 112, 112]."""
        tracks, times = x.shape[:2]
        x = (x / 255 - 0.4161) / 0.1688
        x = self.frontend3D(x.reshape(1, 1, tracks * times, 112, 112))
        x = x.transpose(1, 2).reshape(tracks * times, 64, 28, 28)
        for layer in self.resnet.children():
            x = layer(x)
        return functional.avg_pool2d(x, 4, stride=1).reshape(tracks, times, 512)


class GlobalNorm(nn.Module):
    """Over channels and times."""

    def __init__(self) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(1, 512, 1))
        self.beta = nn.Parameter(torch.zeros(1, 512, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise."""
        mean = x.mean(dim=(1, 2), keepdim=True)
        square = ((x - mean) ** 2).mean(dim=(1, 2), keepdim=True)
        return self.gamma * (x - mean) / (square + 1e-8) ** 0.5 + self.beta


class Temporal(nn.Module):
    """A block over time."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.ReLU(),
            nn.BatchNorm1d(512),
            nn.Conv1d(512, 512, 3, padding=1, groups=512, bias=False),
            nn.PReLU(),
            GlobalNorm(),
            nn.Conv1d(512, 512, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Filter."""
        return x + self.net(x)


class Excitation(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(width, width // 8), nn.ReLU(), nn.Linear(width // 8, width), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Weigh the channels."""
        return x * self.fc(functional.adaptive_avg_pool2d(x, 1).flatten(1))[:, :, None, None]


class Heard(nn.Module):
    """A block of the audio network."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = conv(outputs, outputs), nn.BatchNorm2d(outputs)
        self.se = Excitation(outputs)
        if inputs != outputs:
            self.downsample = nn.Sequential(
                conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Filter."""
        y = self.bn1(functional.relu(self.conv1(x)))
        y = self.se(self.bn2(self.conv2(y)))
        return functional.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


class Audio(nn.Module):
    """The audio network."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(1, 16, 7, (2, 1)), nn.BatchNorm2d(16)
        width = 16
        plan = ((16, 3, 1), (32, 4, 2), (64, 6, 2), (128, 3, 1))
        for number, (outputs, count, stride) in enumerate(plan, start=1):
            blocks = [Heard(width, outputs, stride)]
            blocks += [Heard(outputs, outputs, 1) for _ in range(count - 1)]
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
            width = outputs

    def forward(self, x: Tensor) -> Tensor:
        """Encode [tracks, 4 times, 13]."""
        x = functional.relu(self.bn1(self.conv1(x.unsqueeze(1).transpose(2, 3))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return x.mean(dim=2).transpose(1, 2)


class Attention(nn.Module):
    """An attention layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(width, 8, dropout=0.1)
        self.linear1, self.linear2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(0.1)

    def forward(self, source: Tensor, query: Tensor) -> Tensor:
        """Enrich the source."""
        source, query = source.transpose(0, 1), query.transpose(0, 1)
        x = self.norm1(source + self.dropout(self.self_attn(query, source, source)[0]))
        y = self.linear2(self.dropout(functional.relu(self.linear1(x))))
        return self.norm2(x + self.dropout(y)).transpose(0, 1)


class Plain(nn.Module):
    """TalkNet, with the names of its checkpoints."""

    def __init__(self) -> None:
        super().__init__()
        model = self.model = nn.Module()
        model.visualFrontend = Frontend()
        model.visualTCN, model.visualConv1D = nn.Module(), nn.Module()
        model.visualTCN.net = nn.Sequential(*(Temporal() for _ in range(5)))
        model.visualConv1D.net = nn.Sequential(
            nn.Conv1d(512, 256, 5, padding=2),
            nn.BatchNorm1d(256),
            nn.ReLU(),
            nn.Conv1d(256, 128, 1),
        )
        model.audioEncoder = Audio()
        model.crossA2V, model.crossV2A = Attention(128), Attention(128)
        model.selfAV = Attention(256)
        for name, width in (("lossAV", 256), ("lossA", 128), ("lossV", 128)):
            self.add_module(name, nn.Module())
            self.get_submodule(name).FC = nn.Linear(width, 2)

    def forward(self, audio: Tensor, faces: Tensor) -> list[Tensor]:
        """Judge [tracks, times]: the logits of all, of sound, of pictures."""
        model = self.model
        heard = model.audioEncoder(audio)
        seen = model.visualFrontend(faces).transpose(1, 2)
        seen = model.visualConv1D.net(model.visualTCN.net(seen)).transpose(1, 2)
        by_sound, by_sight = model.crossA2V(heard, seen), model.crossV2A(seen, heard)
        both = torch.cat([by_sound, by_sight], dim=2)
        features = model.selfAV(both, both), by_sound, by_sight
        heads = self.lossAV, self.lossA, self.lossV
        return [head.FC(x.reshape(-1, x.shape[2])) for head, x in zip(heads, features, strict=True)]


# ------------------------------------------------------------------------------ what is measured

Track = tuple[np.ndarray, np.ndarray, np.ndarray]


def draw(tracks: int, faces: int) -> Track:
    """Audio, faces and labels of a batch, as a loader has them before they are tensors."""
    rng = np.random.default_rng(faces)
    audio = rng.normal(size=(tracks, 4 * faces, 13)).astype(np.float32)
    pictures = rng.integers(0, 256, (tracks, faces, 112, 112), dtype=np.uint8)
    return audio, pictures, rng.integers(0, 2, (tracks, faces))


def as_floats(batch: Track, device: str) -> list[Tensor]:
    """The peer's way to the device."""
    audio, pictures, labels = batch
    tensors = torch.FloatTensor(audio), torch.FloatTensor(pictures.astype(np.float32))
    return [tensor.to(device) for tensor in (*tensors, torch.LongTensor(labels))]


def as_bytes(batch: Track, device: str) -> list[Tensor]:
    """Our way to the device."""
    tensors = [torch.from_numpy(array) for array in batch]
    if device == "cuda":
        tensors = [tensor.pin_memory() for tensor in tensors]
    return [tensor.to(device, non_blocking=True) for tensor in tensors]


def step_plain(network: Plain, optimiser: torch.optim.Optimizer, batch: list[Tensor]) -> float:
    """One step as the original takes it."""
    optimiser.zero_grad()
    audio, faces, labels = batch
    all_of, sound, sight = network(audio, faces)
    labels = labels.reshape(-1)
    loss = functional.cross_entropy(all_of, labels) + 0.4 * functional.cross_entropy(sound, labels)
    loss = loss + 0.4 * functional.cross_entropy(sight, labels)
    loss.backward()
    optimiser.step()
    return loss.item()


def step_ours(network: nn.Module, optimiser: torch.optim.Optimizer, batch: list[Tensor]) -> float:
    """One step of ours."""
    optimiser.zero_grad()
    audio, faces, labels = batch
    loss = network.loss(network(audio, faces), labels, epoch=1)
    loss.backward()
    optimiser.step()
    return loss.item()


def ways(device: str, faces: int) -> Mapping[tuple[str, str], Callable[[], object]]:
    """Everything that is timed, by (what, whose)."""
    torch.manual_seed(0)
    ours = new_network("talknet").to(device)
    plain = Plain().to(device)
    plain.load_state_dict(ours.state_dict())
    learning = {
        network: torch.optim.Adam(network.parameters(), lr=1e-4) for network in (ours, plain)
    }
    track, tracks = draw(1, faces), draw(4, faces // 2)

    def score(network: nn.Module, give: Callable[[Track, str], list[Tensor]]) -> object:
        with torch.no_grad():
            found = network.eval()(*give(track, device)[:2])[0]
        return found.float().reshape(-1, 2).softmax(dim=1)[:, 1].cpu()

    def learn(network: nn.Module, give: Callable[[Track, str], list[Tensor]]) -> object:
        step = step_plain if network is plain else step_ours
        return step(network.train(), learning[network], give(tracks, device))

    def in_bfloat16(job: Callable[..., object]) -> object:
        with torch.autocast(device, dtype=torch.bfloat16):
            return job(ours, as_bytes)

    timed: dict[tuple[str, str], Callable[[], object]] = {}
    for what, job in (("inference", score), ("training", learn)):
        timed[what, "plain"] = lambda job=job: job(plain, as_floats)
        timed[what, "unitalk"] = lambda job=job: job(ours, as_bytes)
        timed[what, "unitalk, bf16"] = lambda job=job: in_bfloat16(job)
    return timed


def measure(
    timed: Mapping[tuple[str, str], Callable[[], object]], repeats: int, device: str
) -> dict[tuple[str, str], float]:
    """The least seconds of each; they take turns, after one turn that does not count."""
    best = dict.fromkeys(timed, float("inf"))
    for turn in range(repeats + 1):
        for name, job in timed.items():
            if device == "cuda":
                torch.cuda.synchronize()
            start = time.perf_counter()
            job()
            if device == "cuda":
                torch.cuda.synchronize()
            if turn:
                best[name] = min(best[name], time.perf_counter() - start)
    return best


@torch.no_grad()
def difference(device: str) -> float:
    """How far apart the logits of both are, on two tracks with the original's leak."""
    ours = new_network("talknet", clip_leak=True).to(device).eval()
    plain = Plain().to(device).eval()
    plain.load_state_dict(ours.state_dict())
    batch = draw(2, 10)
    theirs = plain(*as_floats(batch, device)[:2])[0]
    own = ours(*as_bytes(batch, device)[:2]).av.reshape(-1, 2)
    return float((theirs - own).abs().max())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--faces", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    add_option(parser)
    arguments = parser.parse_args()
    device, faces = arguments.device, arguments.faces
    torch.set_num_threads(arguments.threads)
    best = measure(ways(device, faces), arguments.repeats, device)
    where = torch.cuda.get_device_name() if device == "cuda" else f"{arguments.threads} threads"
    print(f"torch {torch.__version__}, {device}: {where}; frames a second")
    print(f"{'':10}  {'':18}  {'frames/s':>9}  {'ratio':>6}")
    rates: dict[str, dict[str, float]] = {"inference": {}, "training": {}}
    for (what, whose), seconds in best.items():
        count = faces if what == "inference" else 4 * (faces // 2)
        ratio = best[what, "plain"] / seconds
        print(f"{what:10}  {whose:18}  {count / seconds:9.1f}  {ratio:5.2f}x")
        rates[what]["plain PyTorch" if whose == "plain" else whose] = count / seconds
    print(f"largest difference of a logit: {difference(device):.1e}")
    if arguments.record:
        found = []
        for what, values in rates.items():
            found += compared(
                values, "frames/s", peers=["plain PyTorch"], on=f"{what} of TalkNet on {device}",
                more_is_better=True, note=f"torch {torch.__version__}, {where}",
            )  # fmt: skip
        write(__file__, found)


if __name__ == "__main__":
    main()

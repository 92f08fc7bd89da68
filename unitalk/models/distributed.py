"""Training in several processes at once, as `torchrun` starts them.

Each process takes an equal share of every batch, and statistics of batch normalisation are taken
over all shares, so that N processes with a budget of B frames each do what one does with N * B.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch.distributed as dist
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from unitalk.errors import UnitalkError
from unitalk.models._torch import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The processes that train together, and which of them this is.

    Attributes:
        rank: this one's number; 0 writes the files.
        size: how many there are.
        local_rank: its number on this machine, which is that of its GPU.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def leads(self) -> bool:
        """Whether this process writes what all have made."""
        return self.rank == 0


ALONE = World()


@contextmanager
def joined(world: World, device: torch.device) -> Iterator[None]:
    """Meet the other processes, at the address that `torchrun` gives in the environment.

    Raises:
        UnitalkError: they do not come together.
    """
    if world.size == 1:
        yield
        return
    backend = "gloo"
    if device.type == "cuda":
        backend = "nccl"
        torch.cuda.set_device(device)  # where what is gathered travels
    try:
        dist.init_process_group(backend, rank=world.rank, world_size=world.size)
    except (RuntimeError, ValueError) as error:
        raise UnitalkError(
            f"process {world.rank} of {world.size} does not reach the others: {error}",
            hint="start all of them together, with torchrun --nproc-per-node N",
        ) from error
    try:
        yield
    finally:
        # What a network left in cycles holds the group too: without it, no thread of the group's is
        # left when the process ends, which would end it with SIGABRT.
        gc.collect()
        dist.destroy_process_group()


def spread(network: nn.Module, world: World, device: torch.device) -> nn.Module:
    """A network that trains with the other processes; alone it is the network itself."""
    if world.size == 1:
        return network
    if device.type == "cuda":
        convert: Any = nn.SyncBatchNorm.convert_sync_batchnorm  # which has no types
        network = convert(network)
        return DistributedDataParallel(network, device_ids=[device.index])
    share_statistics(network)
    return DistributedDataParallel(network)


def agree(value: int, world: World, device: torch.device) -> int:
    """The greatest of what each process says; all must ask."""
    if world.size == 1:
        return value
    said = torch.tensor(value, device=device)
    dist.all_reduce(said, op=dist.ReduceOp.MAX)
    return int(said.item())


def mean(value: torch.Tensor, world: World) -> torch.Tensor:
    """The mean of what each process has; all must ask."""
    if world.size > 1:
        value = value.clone()
        dist.all_reduce(value)
        value /= world.size
    return value


def gathered(value: Any, world: World) -> list[Any]:  # noqa: ANN401 - whatever can be pickled
    """What each process has, in the order of their ranks; all must ask."""
    if world.size == 1:
        return [value]
    values: list[Any] = [None] * world.size
    dist.all_gather_object(values, value)
    return values


def share(weights: Sequence[int], world: World) -> list[int]:
    """Which items are this process's, so that all have about as much to do.

    From the heaviest on, each item goes to who has least.

    Args:
        weights: of each item, such as its frames.
        world: the processes.

    Returns:
        Numbers of items, ascending.
    """
    loads = [0] * world.size
    own = []
    for item in sorted(range(len(weights)), key=lambda n: (-weights[n], n)):
        rank = loads.index(min(loads))
        loads[rank] += weights[item]
        if rank == world.rank:
            own.append(item)
    return sorted(own)


# ------------------------------------------------------------------------------ on CPUs


def share_statistics(network: nn.Module) -> None:
    """Let every batch normalisation of a network look at all processes' shares, in place.

    PyTorch's own SyncBatchNorm does that on GPUs, and refuses to anywhere else.
    """
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.__class__ = _shared_class(type(module))


def _shared_class(kind: type[_BatchNorm]) -> type[_BatchNorm]:
    return cast("type[_BatchNorm]", type(f"Shared{kind.__name__}", (_SharedBatchNorm, kind), {}))


class _Summed(torch.autograd.Function):
    """The sum of what all processes have; a gradient is that of all sums that it went into."""

    @staticmethod
    def forward(ctx: Any, value: torch.Tensor) -> torch.Tensor:  # noqa: ANN401 - PyTorch's own
        del ctx
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
        del ctx
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total


class _SharedBatchNorm(_BatchNorm):
    """Batch normalisation over the shares of all processes (Ioffe and Szegedy 2015, section 3)."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - PyTorch's name for it
        if not self.training or self.momentum is None or self.running_mean is None:
            return super().forward(input)
        others = [axis for axis in range(input.dim()) if axis != 1]
        form = [1, -1] + [1] * (input.dim() - 2)
        count = input.numel() // input.shape[1] * dist.get_world_size()
        add_up: Any = _Summed.apply  # which has no types
        # Sums of bfloat16 would be of no use.
        values = input.to(torch.promote_types(input.dtype, torch.float32))
        centre = add_up(values.sum(others)) / count
        centred = values - centre.view(form)
        variance = add_up((centred * centred).sum(others)) / count
        with torch.no_grad():
            self.running_mean.lerp_(centre, self.momentum)
            unbiased = variance * count / max(count - 1, 1)
            cast("torch.Tensor", self.running_var).lerp_(unbiased, self.momentum)
            cast("torch.Tensor", self.num_batches_tracked).add_(1)
        scale = torch.rsqrt(variance + self.eps) * self.weight
        normalised: torch.Tensor = centred * scale.view(form) + self.bias.view(form)
        return normalised.to(input.dtype)

"""Score tracks with a network, and write the scores as a file of predictions."""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from unitalk import schema
from unitalk.errors import UnitalkError, UsageError
from unitalk.layout import Layout
from unitalk.models._torch import torch
from unitalk.models.contract import check_logits, speaking_probability

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    import numpy.typing as npt

    from unitalk.choices import Precision
    from unitalk.layout import Split
    from unitalk.models.contract import Batch, Network

    Scores = npt.NDArray[np.float32]


def choose_device(name: str, *, local_rank: int = 0) -> torch.device:
    """The device of a name: `auto` (a GPU where there is one), `cpu`, `cuda` or `cuda:N`.

    Args:
        name: as given.
        local_rank: which GPU `auto` and `cuda` mean.

    Raises:
        UsageError: there is no such device.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        name = "cuda" if count else "cpu"
    if name == "cpu":
        return torch.device("cpu")
    found = re.fullmatch(r"cuda(?::(\d+))?", name)
    if found is None:
        raise UsageError(f"{name!r} is not a device", hint="give auto, cpu, cuda or cuda:N")
    number = local_rank if found[1] is None else int(found[1])
    if number >= count:
        there = f"{count} GPUs: cuda:0 to cuda:{count - 1}" if count else "no GPU"
        raise UsageError(
            f"{name}: PyTorch finds {there}",
            hint="give `device='cpu'`, or install a build of PyTorch for your GPU",
        )
    return torch.device("cuda", number)


def casting(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """What a network computes in: float32, or bfloat16 where that is as good."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def scores(
    network: Network,
    batches: Iterable[Batch],
    *,
    device: torch.device,
    precision: Precision = "fp32",
    logits: bool = False,
) -> Iterator[Scores]:
    """Score tracks that come one by one, each as a whole, as the original validates.

    Args:
        network: on the device.
        batches: of one track each.
        device: where it computes.
        precision: in which it computes.
        logits: give the logit of speaking, as the original's demo does, and not its probability.

    Yields:
        [faces] for each track.
    """
    network.eval()
    for batch in batches:
        audio, faces, _ = batch.to(device)
        with torch.inference_mode(), casting(device, precision):
            judged = network(audio, faces)
            check_logits(network, judged, faces)
            found = judged.av.float()
            found = found[..., 1] if logits else speaking_probability(found)
        yield found[0].cpu().numpy().astype(np.float32)


# ------------------------------------------------------------------------------ the csv


def write_predictions(
    data: Path, split: Split, path: Path, found: Scores, places: npt.NDArray[np.int64]
) -> None:
    """Write scores beside the rows of a split's csv, in its order and with its text.

    The columns are those of AVA's submissions: the rows' own video, time, box and track, every
    label SPEAKING_AUDIBLE, and the score.

    Args:
        data: the dataset.
        split: the split.
        path: the file to write.
        found: [faces].
        places: [faces] the row of each, from 0; other rows are left out.

    Raises:
        UnitalkError: a score is not a number.
    """
    wrong = np.flatnonzero(~np.isfinite(found))
    if len(wrong):
        raise UnitalkError(
            f"the network's score of {len(wrong):,} of {len(found):,} faces is not a number",
            hint="training diverged, or the weights are damaged: use others, or fp32",
        )
    order = np.argsort(places)
    ordered, rows = found[order], places[order]
    _, batches = schema.read_text(Layout(data).csv(split), kind="faces")
    schema.write_text(path, schema.PREDICTION_COLUMNS, _scored(batches, ordered, rows))


def _scored(
    batches: Iterator[pa.RecordBatch], found: Scores, rows: npt.NDArray[np.int64]
) -> Iterator[pa.RecordBatch]:
    start = 0
    for batch in batches:
        low, high = np.searchsorted(rows, (start, start + batch.num_rows))
        own = batch.take(rows[low:high] - start)
        start += batch.num_rows
        columns = {name: own[name] for name in own.schema.names}
        columns[schema.LABEL] = pa.repeat(pa.scalar(schema.SPEAKING), len(own))
        columns[schema.SCORE] = pa.array(found[low:high]).cast(pa.string())
        yield pa.RecordBatch.from_pydict({n: columns[n] for n in schema.PREDICTION_COLUMNS})

"""Score every face of a split with a network, video by video, resuming an earlier run.

Until all videos are scored, the scores of each are a file with a receipt, in a hidden folder beside
the predictions. A video whose receipt does not fit is scored again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unitalk._version import __version__
from unitalk.errors import DataError, DiskError, UnitalkError, examples
from unitalk.executor import Executor, Here
from unitalk.files import Receipts, atomic_write, disk_boundary, locked, sha256
from unitalk.layout import Layout, Split
from unitalk.media.tracks import Tracks, tracks
from unitalk.models._torch import torch
from unitalk.models.data import ScoringTracks
from unitalk.models.registry import code_hash, load_network
from unitalk.models.track_scores import choose_device, scores, write_predictions
from unitalk.models.weight_files import weights_file
from unitalk.progress import Progress, SilentProgress
from unitalk.report import Count, Report

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from unitalk.choices import Precision
    from unitalk.models.contract import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictOptions:
    """How a network scores.

    Attributes:
        model: the network that the weights must belong to; default: any of this package or of
            installed packages. A network from outside is `package.module:NAME`.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        precision: `fp32` or `bf16`.
        logits: write the logit of speaking, as the original's demo does, and not its probability.
        compat: the original's features, faults included; see `features.audio_features`.
        threads: of each process, on a CPU; default: PyTorch's own choice.
    """

    model: str | None = None
    device: str = "auto"
    precision: Precision = "fp32"
    logits: bool = False
    compat: bool = False
    threads: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictReport(Report):
    """What was scored.

    Attributes:
        predictions: the file.
        split: of the dataset.
        model: the network's name.
        videos: how many.
        tracks: how many.
        faces: how many, one per row.
        kept: how many of the videos an earlier run had scored.
    """

    schema_version = 1

    predictions: Path
    split: Split
    model: str
    videos: Count
    tracks: Count
    faces: Count
    kept: Count


@disk_boundary("output")
def predict(
    data: str | Path,
    weights: str | Path,
    output: str | Path,
    *,
    split: Split = "val",
    videos: Sequence[str] = (),
    options: PredictOptions | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> PredictReport:
    """Score a split's faces, one row per face in the order of its csv.

    Args:
        data: the dataset.
        weights: a file of weights, or a run's folder; see `load_network`.
        output: the csv to write; until it is complete, a hidden folder beside it keeps scores.
        split: the split to score; it may be without labels.
        videos: only these; default: all.
        options: how.
        executor: scores the videos, one per task; default: this process.
        progress: where to report to.

    Raises:
        DataError: the weights are of another network, or files of tracks are missing or damaged;
            what was scored is kept, and the same call resumes.
        LayoutError: the dataset lacks the split.
        UsageError: an option means nothing here.
    """
    options = options or PredictOptions()
    root, output = Path(data).absolute(), Path(output).absolute()
    found = _by_video(tracks(root, split=split, videos=tuple(videos) or None))
    choose_device(options.device)
    weights = weights_file(weights).absolute()
    network = load_network(weights, expected=options.model)
    request = {
        "unitalk": __version__,
        "data": str(root),
        "csv": sha256(Layout(root).csv(split)),
        "weights": sha256(weights),
        "logits": options.logits,
        "compat": options.compat,
        "precision": options.precision,
        "code": code_hash(network),
    }
    parts = output.with_name(f".{output.name}.parts")
    with locked(parts):
        missing = [name for name, own in found.items() if not _is_scored(parts, name, own, request)]
        jobs = (
            _Job(str(root), split, name, str(weights), options, str(parts), request)
            for name in missing
        )
        faces = {name: own.faces for name, own in found.items()}
        _score(executor or Here(), jobs, missing, faces, progress or SilentProgress())
        scored = np.concatenate([np.load(_part(parts, name)) for name in found])
        places = np.concatenate([own.places for own in found.values()])
        write_predictions(root, split, output, scored, places)
        shutil.rmtree(parts)
    return PredictReport(
        predictions=output,
        split=split,
        model=network.name,
        videos=len(found),
        tracks=sum(map(len, found.values())),
        faces=sum(faces.values()),
        kept=len(found) - len(missing),
    )


def _by_video(found: Tracks) -> dict[str, Tracks]:
    """Each video's tracks."""
    numbers: dict[str, list[int]] = {}
    for number, video in enumerate(found.videos):
        numbers.setdefault(video, []).append(number)
    return {video: found.pick(own) for video, own in numbers.items()}


def _part(parts: Path, video_id: str) -> Path:
    """A video's scores; its receipt says what they were made from."""
    return parts / f"{video_id}.npy"


def _is_scored(parts: Path, video_id: str, own: Tracks, request: dict[str, Any]) -> bool:
    """Whether a video's scores exist and were made from the crops and sounds that it has now."""
    if not _part(parts, video_id).is_file():
        return False
    return Receipts(parts).fitting(video_id, _made_of(request, own)) is not None


def _made_of(request: dict[str, Any], own: Tracks) -> dict[str, Any]:
    """Everything that decides the scores of some tracks: the request and their files' state."""
    known = [track.known_by() for track in own]
    return {**request, "files": hashlib.sha256(repr(known).encode()).hexdigest()}


def _score(
    executor: Executor,
    jobs: Iterator[_Job],
    names: Sequence[str],
    faces: Mapping[str, int],
    progress: Progress,
) -> None:
    """Run the jobs."""
    wrong: list[str] = []
    hint: str | None = None
    total, todo = sum(faces.values()), sum(faces[name] for name in names)
    with progress.task("scoring", total=total, unit="faces", done=total - todo) as task:
        for name, error in zip(names, executor.run(_do, jobs), strict=True):
            if error is not None:
                wrong.append(f"{name}: {error.message}")
                hint = hint or error.hint
            task.advance(faces[name])
    if wrong:
        raise DataError(
            f"{len(wrong):,} of {len(faces):,} videos cannot be scored, all others are: "
            f"{examples(wrong)}",
            hint=f"{hint}; then run the same command again" if hint else None,
        )


# ------------------------------------------------------------------------------ one video


class _Job(NamedTuple):
    root: str
    split: Split
    video_id: str
    weights: str
    options: PredictOptions
    parts: str
    request: dict[str, Any]


def _do(job: _Job) -> UnitalkError | None:
    """Score one video; an error about its files is returned as a value."""
    if job.options.threads is not None:
        torch.set_num_threads(job.options.threads)
    device = choose_device(job.options.device, local_rank=_gpu())
    network = _network(job.weights, job.request["weights"], job.options.model, str(device))
    own = _tracks(job.root, job.split, job.request["csv"])[job.video_id]
    reader = ScoringTracks(own, job.options.compat)
    try:
        made_of = _made_of(job.request, own)
        scored = scores(
            network,
            (reader[number] for number in range(len(own))),
            device=device,
            precision=job.options.precision,
            logits=job.options.logits,
        )
        pieces = np.concatenate(list(scored))
    except (DataError, DiskError) as error:
        return error
    parts = Path(job.parts)
    receipts = Receipts(parts)
    receipts.remove(job.video_id)
    with atomic_write(_part(parts, job.video_id), "wb") as file:
        np.save(file, pieces)
    receipts.write(job.video_id, {"made_of": made_of})
    return None


def _gpu() -> int:
    """This process's GPU: processes started one after the other have consecutive numbers."""
    return os.getpid() % max(torch.cuda.device_count(), 1)


# A process, such as a cluster's worker, may outlive a csv or weights: the keys have their hashes.
@lru_cache(maxsize=1)
def _network(weights: str, _: str, model: str | None, device: str) -> Network:
    network = load_network(Path(weights), expected=model)
    return network.to(device)


@lru_cache(maxsize=1)
def _tracks(root: str, split: Split, _: str) -> dict[str, Tracks]:
    return _by_video(tracks(root, split=split))


def threads_for(jobs: int | None) -> int | None:
    """How many threads each of some processes may compute with; None is PyTorch's choice."""
    return None if jobs in {None, 1} else max(1, (os.cpu_count() or 1) // (jobs or 1))

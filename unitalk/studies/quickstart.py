"""The whole job on the sample: make it, serve it, download, trim, convert, score.

Every step is the function that the verb of the same name calls, and the hub is a real HTTP server
on loopback, so what runs here is what runs on the real dataset.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from unitalk.dataset import download
from unitalk.dataset.convert import convert_asc
from unitalk.dataset.sample import PREDICTIONS, make_sample, publish
from unitalk.dataset.trim import trim_dataset
from unitalk.files import staged_folder
from unitalk.layout import Layout
from unitalk.net import Hub
from unitalk.net.loopback import LoopbackHub
from unitalk.progress import Progress, SilentProgress
from unitalk.progress import size as human_size
from unitalk.report import Report
from unitalk.score import Evaluation, evaluate
from unitalk.text_table import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Report):
    """One step: the call of this package that does it, and what came of it."""

    call: str = field(metadata={"json": "command"})
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickstartReport(Report):
    """What the quickstart did.

    Attributes:
        destination: the folder with everything that was made.
        steps: the verbs, in order.
        score: the result, by category.
    """

    schema_version = 1

    destination: str
    steps: tuple[Step, ...]
    score: Evaluation


def quickstart(
    destination: Path, *, overwrite: bool = False, progress: Progress | None = None
) -> QuickstartReport:
    """Run the whole job on the sample.

    Args:
        destination: a folder that does not exist, is empty, or (with `overwrite`) was made by
            quickstart.
        overwrite: replace what an earlier quickstart made there.
        progress: where to report to.

    Raises:
        DestinationError: the destination is not free.
    """
    progress = progress or SilentProgress()
    destination = Path(destination)
    with staged_folder(destination, made_by="quickstart", overwrite=overwrite, about={}) as folder:
        steps = [_sample(folder, progress)]
        steps += [_download(folder, progress), _trim(folder, progress), _convert(folder, progress)]
        score = evaluate(
            Layout(folder / "dataset").csv("val"),
            folder / "sample" / PREDICTIONS,
            by="category",
            ci=True,
        )
    steps.append(
        Step(
            call="evaluate('dataset/csv/val_orig.csv', 'sample/predictions.csv', by='category', "
            "ci=True)",
            outcome=f"average precision: {100 * (score.average_precision or 0):.2f}%",
        )
    )
    return QuickstartReport(destination=str(destination), steps=tuple(steps), score=score)


def _sample(folder: Path, progress: Progress) -> Step:
    report = make_sample(folder / "sample", progress=progress)
    videos = sum(count["videos"] for count in report.counts.values())
    faces = sum(count["faces"] for count in report.counts.values())
    return Step(
        call="make_sample('sample')",
        outcome=f"{videos} videos, {counted(faces, 'face')}, {human_size(report.size)}",
    )


def _download(folder: Path, progress: Progress) -> Step:
    chosen = download.Selection(splits=("val",))
    with tempfile.TemporaryDirectory(dir=folder) as published:
        publish(folder / "sample", Path(published) / "hub")
        with (
            LoopbackHub(Path(published) / "hub") as server,
            Hub(server.endpoint, server.repository) as hub,
        ):
            plan = download.plan_download(hub, folder / "dataset", selection=chosen)
            report = download.run_download(plan, hub, progress=progress)
            endpoint = server.endpoint
    return Step(
        call="plan_download(HUB, 'dataset', selection=Selection(splits=('val',)))",
        outcome=f"{len(report.fetched)} files, {human_size(report.bytes_fetched)} from a hub at "
        f"{endpoint}, all hashes match",
    )


def _trim(folder: Path, progress: Progress) -> Step:
    report = trim_dataset(folder / "dataset", folder / "noise", videos="noise", progress=progress)
    return Step(
        call="trim_dataset('dataset', 'noise', videos='noise')",
        outcome=f"{len(report.videos)} videos, {counted(report.rows, 'face')}",
    )


def _convert(folder: Path, progress: Progress) -> Step:
    report = convert_asc(folder / "dataset", folder / "asc", progress=progress)
    return Step(
        call="convert_asc('dataset', 'asc')",
        outcome=f"{report.tracks} tracks, {counted(report.rows, 'face')} looked up, "
        + (f"{len(report.findings)} findings" if report.findings else "none missing"),
    )

"""`unitalk export`."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from unitalk.cli._shared.common_options import (
    FOLDER,
    common_options,
    destination_option,
    overwrite_option,
    splits_option,
    verb,
    videos_option,
)
from unitalk.cli._shared.option_group import option_group
from unitalk.cli._shared.spelling import SpellingGroup
from unitalk.cli._shared.workers import Workers, workers_options
from unitalk.errors import DataError
from unitalk.progress import size
from unitalk.text_table import counted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unitalk.choices import FormName
    from unitalk.cli._shared.console import Console
    from unitalk.dataset.export import ExportReport
    from unitalk.layout import Split

Function = TypeVar("Function", bound="Callable[..., Any]")

_UNITS = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4}
_LEAST = 1_000_000  # bytes, for a number without a unit: somebody who types 256 means megabytes


def _read_size(_: click.Context, __: click.Parameter, value: str) -> int:
    """A number of bytes, as `256MB` or `1.5 GB` in powers of 1000, `64MiB` in powers of 1024."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(?:([KMGT]?)(I?)(B?))", value.strip().upper())
    if not found or (found[3] and not found[2]):
        raise click.BadParameter(f"{value!r} is not a size. Give one such as 256MB or 1GB.")
    unit = _UNITS[found[2]]
    if found[3]:
        unit = 1024 ** list(_UNITS).index(found[2])
    amount = int(float(found[1]) * unit)
    if not amount:
        raise click.BadParameter(f"{value!r} is less than a byte. Give a size such as 256MB.")
    if amount < _LEAST and not (found[2] or found[4]):
        raise click.BadParameter(
            f"{value!r} without a unit is {amount:,} bytes. Give {found[1]}MB, or {found[1]}B for "
            "bytes."
        )
    return amount


@common_options
@click.group("export", cls=SpellingGroup)
def command() -> None:
    """Export tracks as WebDataset, Parquet or a Hugging Face dataset.

    Writes a few large files (shards) for streaming, instead of millions of small ones. Face crops
    are not re-encoded. To resume, run the same command again. If a track cannot be read, it is
    listed, its shard is skipped, and the exit code is 3.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an export was asked for, whatever its form."""

    destination: Path
    splits: tuple[Split, ...]
    videos: tuple[str, ...]
    shard_size: int
    overwrite: bool


def _export_options(function: Function) -> Function:
    """Add the dataset, which the verb takes as `dataset`, `request` and `workers`."""
    request = option_group(
        "request",
        f"{__name__}:Request",
        destination_option("Folder to make."),
        splits_option,
        videos_option,
        click.option(
            "--shard-size", default="256MB", show_default=True, metavar="SIZE", callback=_read_size,
            help="Approximate size of a shard, such as 256MB or 1GB.",
        ),
        overwrite_option,
    )  # fmt: skip
    return click.argument("dataset", type=FOLDER)(request(workers_options(function)))


@verb("webdataset", of=command)
@_export_options
def webdataset(console: Console, *, dataset: Path, request: Request, workers: Workers) -> None:
    """Write tar files for WebDataset.

    Each track becomes KEY.json (ids, times, labels, boxes), KEY.wav, and its crops KEY.00000.jpg,
    KEY.00001.jpg ... in the order of their times.
    """
    _run(console, "webdataset", dataset, request, workers)


@verb("parquet", of=command)
@_export_options
def parquet(console: Console, *, dataset: Path, request: Request, workers: Workers) -> None:
    """Write Parquet files, one row per track.

    Crops and audio are stored as the bytes of the original files. Each row group has a few tracks.
    """
    _run(console, "parquet", dataset, request, workers)


@verb("hf", of=command)
@_export_options
def hf(console: Console, *, dataset: Path, request: Request, workers: Workers) -> None:
    """Write a folder that Hugging Face's load_dataset opens.

    It needs no script and no network: load_dataset("DESTINATION", split="val", streaming=True). The
    fields have the names of UniTalk's own loading script; audio is an array of samples.
    """
    _run(console, "hf", dataset, request, workers)


def _run(
    console: Console, form: FormName, dataset: Path, request: Request, workers: Workers
) -> None:
    from unitalk.dataset.export import export_tracks

    console.protect(dataset)
    with workers.executor() as executor:
        report = export_tracks(
            dataset, request.destination, form=form, splits=request.splits, videos=request.videos,
            shard_size=request.shard_size, overwrite=request.overwrite, executor=executor,
            progress=console.progress,
        )  # fmt: skip
    console.emit(report, render(report))
    if not report.sound:
        sys.exit(DataError.exit_code)


def render(report: ExportReport) -> str:
    """The report for people."""
    lines = [f"{report.destination}: {report.form}, {size(report.bytes)}"]
    lines += [
        f"{split}: {counted(count['videos'], 'video')}, {counted(count['tracks'], 'track')}, "
        f"{counted(count['faces'], 'face')}, {counted(count['shards'], 'shard')}"
        for split, count in report.splits.items()
    ]
    lines.append(f"shards: {report.written:,} written, {report.kept:,} kept from an earlier run")
    lines += [f"wrong: {finding}" for finding in report.findings]
    if report.damaged:
        lines.append(
            f"not written: the shards of {counted(report.damaged, 'unreadable track')}; repair the "
            "files, then run the same command again"
        )
    return "\n".join(lines)

"""What `convert-asc`, `convert-talknet` and `convert-loconet` share: options, run and report."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

import click

from unitalk.cli._shared.common_options import (
    FOLDER,
    jobs_options,
    place_options,
    splits_option,
)
from unitalk.cli._shared.console import placed
from unitalk.cli._shared.hints import paragraph
from unitalk.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unitalk.cli._shared.console import Console
    from unitalk.dataset.convert import ConvertReport
    from unitalk.files import Link
    from unitalk.layout import Split

Function = TypeVar("Function", bound="Callable[..., Any]")


class Options(TypedDict, total=False):
    """The options of a conversion."""

    source: Path
    destination: Path | None
    splits: tuple[Split, ...]
    link: Link
    overwrite: bool
    jobs: int | None
    scheduler: str | None


_NAMES = {"asc": "ASC", "talknet": "TalkNet", "loconet": "LoCoNet"}


def conversion_options(*, in_place: bool) -> Callable[[Function], Function]:
    """Add the options of a conversion; `in_place`: whether the destination may be left out."""
    text = "The folder to make." + "  [default: tables in the dataset]" * in_place

    def decorate(function: Function) -> Function:
        for option in (
            # Placing files is the disk's work: one process, unless more are wanted.
            partial(jobs_options, default="1"),
            place_options,
            splits_option,
            click.option("--destination", type=FOLDER, required=not in_place, help=text),
            click.option("--source", type=FOLDER, required=True, help="The dataset to convert."),
        ):
            function = option(function)
        return function

    return decorate


def run(
    console: Console, convert: Callable[..., ConvertReport], **options: Unpack[Options]
) -> None:
    """Convert, show the report, and set the exit code."""
    from unitalk.executor import open_executor

    console.protect(options["source"])
    jobs, scheduler = options.pop("jobs"), options.pop("scheduler")
    if jobs is None and scheduler is None:
        jobs = 1
    with open_executor(jobs=jobs, scheduler=scheduler) as executor:
        report = convert(**options, executor=executor, progress=console.progress)
    console.emit(report, render(report))
    console.warn(report.warnings)
    if not report.sound:
        sys.exit(DataError.exit_code)


def render(report: ConvertReport) -> str:
    """The report for people."""
    lines = [
        f"{report.destination}: {' and '.join(report.splits)}, {report.videos:,} videos, "
        f"{report.tracks:,} tracks, {report.rows:,} faces",
    ]
    in_place = report.source == report.destination
    if not in_place:
        lines.append(f"files: {placed(report.files)}")
    if report.target != "asc":
        written = f"written: {', '.join(report.written) or 'nothing, all is there already'}"
        lines.append(paragraph(written))
        lines += [
            f"{split}: the rows of the csv were brought into the order of the loader"
            + in_place * f"; as it was, it is {split}_orig.before-convert.csv"
            for split in report.reordered
        ]
    if report.sound:
        lines.append(_SOUND[report.target == "asc"].format(_NAMES[report.target]))
    return "\n".join(lines + [f"wrong: {finding}" for finding in report.findings])


_SOUND = {
    True: "every face has its crop and every track its sound, as {}'s loader reads it",
    False: "every crop, sound and score has its row, as {}'s loader reads it",
}

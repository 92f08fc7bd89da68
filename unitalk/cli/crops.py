"""`unitalk crops`, and what `unitalk ava prepare` shares with it."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

from unitalk.cli._shared.common_options import (
    FOLDER,
    SOURCE,
    jobs_options,
    splits_option,
    verb,
    videos_option,
)
from unitalk.errors import DataError, examples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from unitalk.cli._shared.console import Console
    from unitalk.dataset.crop import CropReport, Finding

Function = TypeVar("Function", bound="Callable[..., Any]")

_SHOWN = 20  # findings in the text


def cut_options(function: Function) -> Function:
    """Add what every verb that cuts takes, but for its rows."""
    for option in (
        jobs_options,
        click.option(
            "--overwrite", is_flag=True,
            help="Replace what this verb made there for other rows or options.",
        ),
        click.option(
            "--drop-missing", is_flag=True,
            help="Leave out faces without a crop or a sound; they go to dropped.csv.",
        ),
        click.option(
            "--compat", is_flag=True,
            help="End sounds as TalkNet's scripts do, before the last frame.",
        ),
        click.option(
            "--video-stream", type=click.IntRange(min=1), metavar="N",
            help="The stream of pictures to take, counted from 1.  [default: FFmpeg's choice]",
        ),
        click.option(
            "--audio-stream", type=click.IntRange(min=1), metavar="N",
            help="The stream of sound to take, counted from 1.  [default: FFmpeg's choice]",
        ),
        click.option(
            "--margin", type=click.FloatRange(min=0), default=0.0, show_default=True,
            metavar="SHARE", help="Widen each box by this share of its size on each side.",
        ),
        videos_option,
        splits_option,
        click.option("--destination", type=FOLDER, required=True, help="The dataset to make."),
        click.option(
            "--videos", "videos_folder", type=FOLDER, required=True,
            help="The folder with the videos, <video_id>.mp4 or any other ending.",
        ),
    ):  # fmt: skip
        function = option(function)
    return function


@verb("crops")
@click.option(
    "--csv", type=SOURCE, required=True,
    help="A csv of faces such as val_orig.csv, a folder of such, or a dataset's folder.",
)  # fmt: skip
@cut_options
def command(
    console: Console, /, *, csv: Path, videos_folder: Path, splits: Any, **options: Any
) -> None:
    """Cut face crops and sounds out of full videos.

    Each video is decoded once. Run the same command again to continue. What is wrong with a video
    is listed, the others are cut, and it is exit code 3.
    """
    from unitalk.dataset.crop import cut_crops, find_csvs

    console.protect(csv, videos_folder)
    cut = partial(cut_crops, videos=videos_folder, source=csv)
    run(console, cut, find_csvs(csv, splits), **options)


def run(
    console: Console,
    cut: Callable[..., CropReport],
    *sources: object,
    destination: Path,
    jobs: int | None,
    scheduler: str | None,
    overwrite: bool,
    videos: tuple[str, ...],
    **options: Any,
) -> None:
    """Cut, show the report, and exit as it says."""
    from unitalk.dataset.crop import CropOptions
    from unitalk.executor import open_executor

    how = CropOptions(**{one.name: options.pop(one.name) for one in fields(CropOptions)})
    with open_executor(jobs=jobs, scheduler=scheduler) as executor:
        report = cut(
            *sources, destination, only=videos, options=how, overwrite=overwrite,
            executor=executor, progress=console.progress, **options,
        )  # fmt: skip
    console.emit(report, render(report))
    console.warn(report.warnings)
    if not report.whole:
        sys.exit(DataError.exit_code)


def render(report: CropReport) -> str:
    """The report for people."""
    lines = [f"{report.destination}: {report.crops:,} face crops, {report.sounds:,} sounds"]
    lines += [
        f"{split}: {count['videos']:,} videos, {count['tracks']:,} tracks, {count['faces']:,} faces"
        for split, count in report.splits.items()
    ]
    lines.append(f"videos: {report.written:,} cut, {report.kept:,} kept from an earlier run")
    if report.dropped:
        lines.append(
            f"dropped: {report.dropped:,} faces have no crop or no sound; they are in dropped.csv"
        )
    lines += _told("note", report.notes)
    if any(one.kind.startswith("several-") for one in report.notes):
        lines.append(
            "to take another stream, run the same command with --audio-stream N or "
            "--video-stream N, and --overwrite"
        )
    missing = [one for one in report.findings if one.kind == "video-missing"]
    lines += _told("wrong", [one for one in report.findings if one not in missing])
    missing.sort(key=lambda one: not one.where)
    if missing:
        lines.append(
            f"wrong: video-missing: {len(missing):,} videos have no file in "
            f"{report.videos_folder}: {examples(map(_missing, missing))}"
        )
    if report.findings:
        lines.append(
            f"something is wrong with {report.videos_with_findings:,} videos: repair what can be, "
            "then run the same command again"
        )
    return "\n".join(lines)


def _missing(one: Finding) -> str:
    return f"{one.video} ({one.where})" if one.where else one.video


def _told(word: str, findings: Iterable[Finding]) -> list[str]:
    """A line each of the first, and how many more there are of which kind."""
    own = list(findings)
    lines = [
        f"{word}: {one.kind}: {one.split}/{one.video}: {one.what}"
        + (f": {one.where}" if one.where else "")
        for one in own[:_SHOWN]
    ]
    more = Counter(one.kind for one in own[_SHOWN:])
    lines += [f"{word}: {kind}: {count:,} more videos" for kind, count in more.items()]
    return lines

"""`unitalk crop`, and what `unitalk ava prepare` shares with it."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from unitalk.cli._shared.common_options import (
    FOLDER,
    SOURCE,
    destination_option,
    splits_option,
    verb,
    videos_option,
)
from unitalk.cli._shared.option_group import option_group
from unitalk.cli._shared.workers import Workers, workers_options
from unitalk.errors import DataError, examples
from unitalk.text_table import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from unitalk.cli._shared.console import Console
    from unitalk.dataset.crop import CropOptions, CropReport, Finding
    from unitalk.layout import Split

Function = TypeVar("Function", bound="Callable[..., Any]")

_SHOWN = 20  # findings in the text


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What is cut, and where it goes."""

    video_dir: Path
    destination: Path
    splits: tuple[Split, ...]
    videos: tuple[str, ...]
    overwrite: bool


def cut_options(function: Function) -> Function:
    """Add what every verb that cuts takes besides its rows: `cut`, `options` and `workers`."""
    cut = option_group(
        "cut",
        f"{__name__}:Cut",
        click.option(
            "--video-dir", type=FOLDER, required=True,
            help="Folder with the videos, named by their ids, such as ID.mp4.",
        ),
        destination_option("Dataset to make."),
        splits_option,
        videos_option,
        click.option(
            "--overwrite", is_flag=True,
            help="Replace an earlier result made from other rows or options.",
        ),
    )  # fmt: skip
    options = option_group(
        "options",
        "unitalk.dataset.crop:CropOptions",
        click.option(
            "--margin", type=click.FloatRange(min=0), default=0.0, show_default=True,
            metavar="SHARE", help="Enlarge each box by this fraction of its size on each side.",
        ),
        click.option(
            "--audio-stream", type=click.IntRange(min=1), metavar="N",
            help="Number of the audio stream, from 1.  [default: FFmpeg's choice]",
        ),
        click.option(
            "--video-stream", type=click.IntRange(min=1), metavar="N",
            help="Number of the video stream, from 1.  [default: FFmpeg's choice]",
        ),
        click.option(
            "--compat", is_flag=True,
            help="Match TalkNet's scripts: end the audio of a track before its last frame.",
        ),
        click.option(
            "--drop-missing", is_flag=True,
            help="Drop faces that have no crop or audio, and list them in dropped.csv.",
        ),
    )  # fmt: skip
    return cut(options(workers_options(function)))


@verb("crop")
@click.argument("source", type=SOURCE, metavar="DATASET|CSV")
@cut_options
def command(
    console: Console, *, source: Path, cut: Cut, options: CropOptions, workers: Workers
) -> None:
    """Extract face crops and audio from full videos.

    The first argument has the face boxes: a dataset, a csv such as val_orig.csv, or a folder of csv
    files. To resume, run the same command again. Videos with problems are skipped and listed, and
    the exit code is then 3.
    """
    from unitalk.dataset.crop import cut_crops, find_csvs

    console.protect(source, cut.video_dir)
    with workers.executor() as executor:
        report = cut_crops(
            find_csvs(source, cut.splits), cut.destination, source=source,
            video_dir=cut.video_dir, videos=cut.videos, options=options, overwrite=cut.overwrite,
            executor=executor, progress=console.progress,
        )  # fmt: skip
    finish(console, report)


def finish(console: Console, report: CropReport) -> None:
    """Show the report, and exit as it says."""
    console.emit(report, render(report))
    console.warn(report.warnings)
    if not report.whole:
        sys.exit(DataError.exit_code)


def render(report: CropReport) -> str:
    """The report for people."""
    lines = [
        f"{report.destination}: {counted(report.crops, 'face crop')}, "
        f"{counted(report.sounds, 'sound')}"
    ]
    lines += [
        f"{split}: {counted(count['videos'], 'video')}, {counted(count['tracks'], 'track')}, "
        f"{counted(count['faces'], 'face')}"
        for split, count in report.splits.items()
    ]
    lines.append(f"videos: {report.written:,} cut, {report.kept:,} kept from an earlier run")
    if report.dropped:
        lines.append(
            f"dropped: {counted(report.dropped, 'face')} without a crop or sound; see dropped.csv"
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
            f"wrong: video-missing: {counted(len(missing), 'video')} without a file in "
            f"{report.video_dir}: {examples(map(_missing, missing))}"
        )
    if report.findings:
        lines.append(
            f"problems with {counted(report.videos_with_findings, 'video')}: repair what you can, "
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

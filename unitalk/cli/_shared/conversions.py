"""What `convert-asc`, `convert-talknet` and `convert-loconet` share: options and the report."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

from unitalk.cli._shared.common_options import place_options, splits_option
from unitalk.cli._shared.console import placed
from unitalk.cli._shared.hints import paragraph
from unitalk.cli._shared.workers import one_worker_options
from unitalk.errors import DataError
from unitalk.text_table import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from unitalk.cli._shared.console import Console
    from unitalk.dataset.convert import ConvertReport

Function = TypeVar("Function", bound="Callable[..., Any]")

_NAMES = {"asc": "ASC", "talknet": "TalkNet", "loconet": "LoCoNet"}
_SOUND = {
    True: "every face has its crop and every track its sound, as {}'s loader reads it",
    False: "every crop, sound and score matches its row, as {}'s loader reads it",
}


def conversion_options(function: Function) -> Function:
    """Add --split, --link, --overwrite, --jobs and --scheduler."""
    # Placing files is the disk's work: one process, unless more are wanted.
    return splits_option(place_options(one_worker_options(function)))


def finish(console: Console, report: ConvertReport) -> None:
    """Show the report, and set the exit code."""
    console.emit(report, render(report))
    console.warn(report.warnings)
    if not report.sound:
        sys.exit(DataError.exit_code)


def render(report: ConvertReport) -> str:
    """The report for people."""
    lines = [
        f"{report.destination}: {' and '.join(report.splits)}, {counted(report.videos, 'video')}, "
        f"{counted(report.tracks, 'track')}, {counted(report.rows, 'face')}",
    ]
    in_place = report.source == report.destination
    if not in_place:
        lines.append(f"files: {placed(report.files)}")
    if report.target != "asc":
        written = f"written: {', '.join(report.written) or 'nothing; all files exist already'}"
        lines.append(paragraph(written))
        lines += [
            f"{split}: the rows of the csv were sorted into the order of the loader"
            + in_place * f"; the original is {split}_orig.before-convert.csv"
            for split in report.reordered
        ]
    if report.sound:
        lines.append(_SOUND[report.target == "asc"].format(_NAMES[report.target]))
    return "\n".join(lines + [f"wrong: {finding}" for finding in report.findings])

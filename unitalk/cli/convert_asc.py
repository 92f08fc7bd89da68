"""`unitalk convert-asc`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from unitalk.cli.options import (
    FOLDER,
    common_options,
    place_options,
    report_options,
    splits_option,
)
from unitalk.cli.output import placed, refuse_to_overwrite
from unitalk.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.cli.output import Console
    from unitalk.convert.asc import ConvertReport
    from unitalk.fsops import Link
    from unitalk.layout import Split


@click.command("convert-asc")
@click.option("--source", type=FOLDER, required=True, help="The dataset to convert.")
@click.option("--destination", type=FOLDER, required=True, help="The folder to make.")
@splits_option
@place_options
@report_options
@common_options
@click.pass_obj
def command(
    console: Console,
    *,
    source: Path,
    destination: Path,
    splits: tuple[Split, ...],
    link: Link,
    overwrite: bool,
    form: str,
    output: Path | None,
) -> None:
    """Convert a dataset to the flat layout of ASC and ASDNet.

    These read the csv's text of a time as a file name, and take a file that is not there for a
    black image or silence. So the text is written as the file's name, and every row is looked up
    afterwards as their loader would; what is missing is listed and is exit code 3.
    """
    from unitalk.convert.asc import convert_asc

    refuse_to_overwrite(output, source)
    report = convert_asc(
        source, destination, splits=splits, link=link, overwrite=overwrite,
        progress=console.progress,
    )  # fmt: skip
    console.emit(report.to_dict(), render(report), form, output)
    if not report.sound:
        sys.exit(DataError.exit_code)


def render(report: ConvertReport) -> str:
    """The report for people."""
    lines = [
        f"{report.destination}: {' and '.join(report.splits)}, {report.videos:,} videos, "
        f"{report.tracks:,} tracks, {report.rows:,} faces",
        f"files: {placed(report.files)}",
    ]
    if report.sound:
        lines.append("every face has its crop and every track its sound, as ASC's loader reads it")
    return "\n".join(lines + [f"wrong: {finding}" for finding in report.findings])

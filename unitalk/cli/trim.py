"""`unitalk trim`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unitalk.cli._shared.common_options import FOLDER, Placing, place_options, verb
from unitalk.cli._shared.console import placed
from unitalk.text_table import counted

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.cli._shared.console import Console
    from unitalk.layout import Split


@verb("trim")
@click.option("--path", "source", type=FOLDER, required=True, help="Dataset to take videos from.")
@click.option("--new-path", type=FOLDER, required=True, help="Dataset to make.")
@click.option(
    "--list", "videos", required=True, metavar="FILE_OR_NAME",
    help="A category (language, mixed, noise, visual), or a file with one id or link per line.",
)  # fmt: skip
@click.option(
    "--split", type=click.Choice(["train", "val"]), default="val", show_default=True,
    help="Split to take the videos from.",
)  # fmt: skip
@click.option("--partial", is_flag=True, help="Skip listed videos that the dataset does not have.")
@place_options
def command(
    console: Console,
    *,
    source: Path,
    new_path: Path,
    videos: str,
    split: Split,
    partial: bool,
    placing: Placing,
) -> None:
    """Copy selected videos of a dataset into a new one.

    Rows of the csv are copied unchanged. Files are hard links by default: they take no disk space,
    and remain when the source is gone.
    """
    from unitalk.dataset.trim import trim_dataset

    console.protect(videos, source)
    report = trim_dataset(
        source, new_path, videos=videos, split=split, partial=partial, link=placing.link,
        overwrite=placing.overwrite, progress=console.progress,
    )  # fmt: skip
    text = (
        f"{report.destination}: {counted(len(report.videos), 'video')}, "
        f"{counted(report.rows, 'face')}\n"
        f"files: {placed(report.files)}"
    )
    console.emit(report, text)
    console.warn(report.warnings)

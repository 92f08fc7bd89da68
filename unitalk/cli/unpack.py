"""`unitalk unpack`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from unitalk.cli._shared.common_options import (
    FOLDER,
    destination_option,
    published_splits_option,
    threads_option,
    verb,
    videos_option,
)
from unitalk.cli.download import render
from unitalk.errors import IncompleteError

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.cli._shared.console import Console
    from unitalk.layout import Part


@verb("unpack")
@click.argument("dataset", type=FOLDER)
@destination_option("Folder to unpack into.  [default: DATASET]", required=False)
@published_splits_option
@videos_option
@click.option(
    "--only", "parts", type=click.Choice(["audio", "video"]), multiple=True,
    help="Only this part of each video; repeatable.  [default: both]",
)  # fmt: skip
@threads_option("Number of archives to unpack in parallel.")
@click.option("--refetch", is_flag=True, help="Unpack everything again, even existing files.")
@click.option(
    "--remove-archives", is_flag=True, help="Remove each archive once its files are in place."
)
def command(
    console: Console,
    *,
    dataset: Path,
    destination: Path | None,
    splits: tuple[str, ...],
    videos: tuple[str, ...],
    parts: tuple[Part, ...],
    jobs: int,
    refetch: bool,
    remove_archives: bool,
) -> None:
    """Unpack archives that a download saved.

    DATASET is the folder of `unitalk download --keep-archives` or --no-unpack. No network is
    needed. The hash of each archive is checked first. To resume, run the same command again.
    """
    from unitalk.dataset.download import Selection
    from unitalk.dataset.unpack import unpack_archives
    from unitalk.layout import PARTS

    wanted: tuple[Part, ...] = ("csv", *parts) if parts else PARTS
    selection = Selection(splits=splits, videos=videos, parts=wanted, refetch=refetch)
    report = unpack_archives(
        dataset, destination, selection=selection, jobs=jobs, remove=remove_archives,
        progress=console.progress,
    )  # fmt: skip
    console.emit(report, render(report))
    console.warn(report.warnings)
    if not report.complete:
        sys.exit(IncompleteError.exit_code)

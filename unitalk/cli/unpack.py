"""`unitalk unpack`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from unitalk.cli._shared.common_options import (
    FOLDER,
    common_options,
    published_splits_option,
    report_options,
    videos_option,
)
from unitalk.cli.download import render
from unitalk.errors import IncompleteError

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.cli._shared.console import Console
    from unitalk.layout import Part


@click.command("unpack")
@click.argument("dataset", type=FOLDER)
@click.option("--save-path", type=FOLDER, help="Make a dataset of its own here.  [default: there]")
@published_splits_option
@videos_option
@click.option(
    "--only", "parts", type=click.Choice(["audio", "video"]), multiple=True,
    help="Only this part of each video; repeatable.  [default: both]",
)  # fmt: skip
@click.option(
    "--jobs", type=click.IntRange(min=1), default=8, show_default=True,
    help="How many archives are read at a time.",
)  # fmt: skip
@click.option("--refetch", is_flag=True, help="Make again what is there already.")
@click.option(
    "--remove-archives", is_flag=True, help="Delete each archive when what is in it is in place."
)
@report_options
@common_options
@click.pass_obj
def command(
    console: Console,
    *,
    dataset: Path,
    save_path: Path | None,
    splits: tuple[str, ...],
    videos: tuple[str, ...],
    parts: tuple[Part, ...],
    jobs: int,
    refetch: bool,
    remove_archives: bool,
    form: str,
    output: Path | None,
) -> None:
    """Unpack the archives that a download kept.

    No network is needed. Each archive is compared with its hash before; whatever stops it, the
    same command continues.
    """
    from unitalk.dataset.download import Selection
    from unitalk.dataset.unpack import unpack_archives
    from unitalk.layout import PARTS

    wanted: tuple[Part, ...] = ("csv", *parts) if parts else PARTS
    selection = Selection(splits=splits, videos=videos, parts=wanted, refetch=refetch)
    report = unpack_archives(
        dataset, save_path, selection=selection, jobs=jobs, remove=remove_archives,
        progress=console.progress,
    )  # fmt: skip
    console.emit(report.to_dict(), render(report), form, output)
    console.warn(report.warnings)
    if not report.complete:
        sys.exit(IncompleteError.exit_code)

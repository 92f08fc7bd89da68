"""`unitalk trim`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from unitalk.cli._shared.common_options import FOLDER, place_options, verb
from unitalk.cli._shared.console import placed

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.cli._shared.console import Console


@verb("trim")
@click.option("--path", "source", type=FOLDER, required=True, help="The dataset to cut.")
@click.option("--new-path", type=FOLDER, required=True, help="The dataset to make.")
@click.option(
    "--list", "videos", required=True, metavar="FILE_OR_NAME",
    help="A category's name (language, mixed, noise, visual), or a file with an id or a link a "
    "line.",
)  # fmt: skip
@click.option(
    "--split", type=click.Choice(["train", "val"]), default="val", show_default=True,
    help="The split that the videos are in.",
)  # fmt: skip
@click.option("--partial", is_flag=True, help="Go on without what the dataset lacks.")
@place_options
def command(console: Console, *, source: Path, new_path: Path, videos: str, **options: Any) -> None:
    """Make a dataset of some videos of another one.

    Rows keep their text. Files are hard links by default: they need no space, and the source may
    be deleted afterwards.
    """
    from unitalk.dataset.trim import trim_dataset

    console.protect(videos, source)
    report = trim_dataset(source, new_path, videos=videos, progress=console.progress, **options)
    text = (
        f"{report.destination}: {len(report.videos):,} videos, {report.rows:,} faces\n"
        f"files: {placed(report.files)}"
    )
    console.emit(report, text)
    console.warn(report.warnings)

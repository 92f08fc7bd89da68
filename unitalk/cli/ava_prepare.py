"""`unitalk ava prepare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from unitalk.cli._shared.common_options import SOURCE, verb
from unitalk.cli.crops import cut_options, run

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.cli._shared.console import Console


@verb("prepare")
@click.option(
    "--csv", type=SOURCE, required=True,
    help="The folder with AVA's csv files or a bundle of them; or an archive.",
)  # fmt: skip
@cut_options
def command(console: Console, /, *, csv: Path, videos_folder: Path, **options: Any) -> None:
    """Make a dataset of AVA's annotations and videos.

    Each video is decoded once, from its first face to its last. Run the same command again to
    continue. What is wrong with a video is listed, the others are cut, and it is exit code 3.
    """
    from unitalk.dataset.ava.prepare import prepare_ava

    console.protect(csv, videos_folder)
    run(console, prepare_ava, csv, videos_folder, **options)

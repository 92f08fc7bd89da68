"""`unitalk ava prepare`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unitalk.cli._shared.common_options import SOURCE, verb
from unitalk.cli.crop import Cut, cut_options, finish

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.cli._shared.console import Console
    from unitalk.cli._shared.workers import Workers
    from unitalk.dataset.crop import CropOptions


@verb("prepare")
@click.argument("csv", type=SOURCE)
@cut_options
def command(
    console: Console, *, csv: Path, cut: Cut, options: CropOptions, workers: Workers
) -> None:
    """Make a dataset from AVA's annotations and videos.

    This is `unitalk crop` for AVA's own annotation files. CSV is a folder with them, TalkNet's csv
    bundle, or an archive of either. To resume, run the same command again. Videos with problems are
    skipped and listed, and the exit code is then 3.
    """
    from unitalk.dataset.ava.prepare import prepare_ava

    console.protect(csv, cut.video_dir)
    with workers.executor() as executor:
        report = prepare_ava(
            csv, cut.video_dir, cut.destination, splits=cut.splits, videos=cut.videos,
            options=options, overwrite=cut.overwrite, executor=executor,
            progress=console.progress,
        )  # fmt: skip
    finish(console, report)

"""`unitalk convert-asc`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unitalk.cli._shared.common_options import FOLDER, Placing, destination_option, verb
from unitalk.cli._shared.conversions import conversion_options, finish

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.cli._shared.console import Console
    from unitalk.cli._shared.workers import Workers
    from unitalk.layout import Split


@verb("convert-asc")
@click.option("--source", type=FOLDER, required=True, help="Dataset to convert.")
@destination_option("Folder to make.")
@conversion_options
def command(
    console: Console,
    *,
    source: Path,
    destination: Path,
    splits: tuple[Split, ...],
    placing: Placing,
    workers: Workers,
) -> None:
    """Convert a dataset for ASC and ASDNet.

    Their loaders use the time in the csv as a file name, and silently use a black image or silence
    for a missing file. This command writes each time exactly as in the file name, then checks that
    the loaders would find every file. If any are missing, they are listed and the exit code is 3.
    """
    from unitalk.dataset.convert import convert_asc

    console.protect(source)
    with workers.executor() as executor:
        report = convert_asc(
            source, destination, splits=splits, link=placing.link, overwrite=placing.overwrite,
            executor=executor, progress=console.progress,
        )  # fmt: skip
    finish(console, report)

"""`unitalk convert-loconet`."""

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


@verb("convert-loconet")
@click.argument("dataset", type=FOLDER)
@destination_option("Folder to make.  [default: write into DATASET]", required=False)
@conversion_options
def command(
    console: Console,
    *,
    dataset: Path,
    destination: Path | None,
    splits: tuple[Split, ...],
    placing: Placing,
    workers: Workers,
) -> None:
    """Convert a dataset for LoCoNet, TalkNCE and LASER.

    This is convert-talknet plus the JSON files that list who is visible when. If the dataset lacks
    a split, empty files are written for it: LoCoNet does not start without them.
    """
    from unitalk.dataset.convert import convert_loconet

    console.protect(dataset)
    with workers.executor() as executor:
        report = convert_loconet(
            dataset, destination, splits=splits, link=placing.link, overwrite=placing.overwrite,
            executor=executor, progress=console.progress,
        )  # fmt: skip
    finish(console, report)

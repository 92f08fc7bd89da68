"""`unitalk convert-talknet`."""

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


@verb("convert-talknet")
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
    """Convert a dataset for TalkNet, Light-ASD and LR-ASD.

    Their code assigns scores to the rows of csv/SPLIT_orig.csv by position. This command writes
    csv/SPLIT_loader.csv in exactly that order, then reads it back as their loaders do.

    Without --destination it only writes csv files into DATASET, and only if every crop and audio
    file is where the loader looks. With --destination it also places the files there; if faces have
    no crop, they are left out and listed, and the exit code is 3.
    """
    from unitalk.dataset.convert import convert_talknet

    console.protect(dataset)
    with workers.executor() as executor:
        report = convert_talknet(
            dataset, destination, splits=splits, link=placing.link, overwrite=placing.overwrite,
            executor=executor, progress=console.progress,
        )  # fmt: skip
    finish(console, report)

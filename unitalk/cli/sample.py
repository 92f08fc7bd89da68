"""`unitalk sample`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unitalk.cli._shared.common_options import FOLDER, verb
from unitalk.text_table import align

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.cli._shared.console import Console


@verb("sample")
@click.argument("destination", metavar="DEST", type=FOLDER)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N",
    help="Random seed.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace an earlier sample.")
def command(console: Console, *, destination: Path, seed: int, overwrite: bool) -> None:
    """Make a small synthetic dataset.

    It looks like UniTalk: it has the ids of all val videos and of four train videos. Its content is
    drawn: faces whose mouths move when they speak, matching audio, and the predictions of two
    imperfect models. The same seed always gives identical files.
    """
    from unitalk.dataset.sample import make_sample
    from unitalk.progress import size

    report = make_sample(destination, seed=seed, overwrite=overwrite, progress=console.progress)
    names = ("videos", "tracks", "faces", "positives")
    rows = [
        [split, *(f"{counts[name]:,}" for name in names)] for split, counts in report.counts.items()
    ]
    text = (
        align([["split", *names], *rows], right=range(1, 5))
        + f"\n{report.destination}: {size(report.size)}; predictions: {report.predictions.name}, "
        + report.baseline.name
    )
    console.emit(report, text)

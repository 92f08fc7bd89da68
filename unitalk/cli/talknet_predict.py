"""`unitalk talknet predict`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from unitalk.cli._shared.common_options import NEW_FILE, verb
from unitalk.cli._shared.console import refuse_to_overwrite
from unitalk.cli._shared.model_options import file_of_weights, predict_options, run_predict

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.cli._shared.console import Console


@verb("predict", output=False)
@predict_options
@click.option("-o", "--output", type=NEW_FILE, required=True, help="The predictions' csv.")
def command(console: Console, /, *, data: Path, weights: str, output: Path, **options: Any) -> None:
    """Score every face of a split.

    The result has one row a face, in the order of the split's csv and with its text, for
    `unitalk eval`. Run again to continue: videos that were scored are kept.
    """
    refuse_to_overwrite(output, data, file_of_weights(weights))
    report = run_predict(console, data=data, weights=weights, output=output, **options)
    text = (
        f"{report.predictions}: {report.faces:,} faces of {report.tracks:,} tracks in "
        f"{report.videos:,} videos ({report.split}), by {report.model}"
    )
    if report.kept:
        text += f"\n{report.kept:,} videos were kept from an earlier run"
    console.emit(report, text)

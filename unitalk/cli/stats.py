"""`unitalk stats`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unitalk.cli._shared.common_options import NEW_FILE, splits_option, verb
from unitalk.cli._shared.console import Console, refuse_to_overwrite
from unitalk.cli._shared.hints import paragraph
from unitalk.text_table import csv_text

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.dataset.stats import Statistics

_NOTES = (
    "face hours: faces / 25 / 3600. speaking: % of faces. faces/frame: mean over frames with a "
    "face; frames without one are never counted. lower, upper: quartiles."
)


@verb("stats", forms=("text", "json", "csv"))
@click.argument("dataset", metavar="DATASET|CSV")
@click.option(
    "--csv-only",
    is_flag=True,
    help="Read only the csv files: faster, but no sizes in pixels and no file counts.",
)
@splits_option
@click.option("--by", type=click.Choice(["video"]), help="Also print one row per video.")
@click.option("--plot", type=NEW_FILE, help="Draw the statistics (png, svg or pdf).")
def command(
    console: Console,
    /,
    *,
    dataset: str,
    csv_only: bool,
    splits: tuple[str, ...],
    by: str | None,
    plot: Path | None,
) -> None:
    """Show what a dataset contains: hours, tracks, faces, speech.

    Reads a dataset, a csv of ground truth, a folder of such files, or - for stdin. Also reports
    faces per frame, face sizes and track lengths, per split, per category and in total.
    """
    from unitalk.dataset.stats import statistics

    console.protect(dataset)
    refuse_to_overwrite(plot, dataset)
    if plot is not None:
        from unitalk.plot_style import check

        check(plot, console.output)
    found = statistics(dataset, splits=splits, csv_only=csv_only, progress=console.progress)
    console.emit(found, render(found, console.form, videos=by == "video"))
    if console.form == "csv":  # which has no place for them
        console.warn(found.warnings)
    if plot is not None:
        from unitalk.dataset.stats.stats_plot import plot as draw

        draw(found, plot, videos=by == "video")


def render(found: Statistics, form: str, *, videos: bool) -> str:
    """Return the result in one of the formats but JSON."""
    from unitalk.dataset.stats.stats_tables import records, tables, videos_table

    if form == "json":
        return ""
    if form == "csv":
        return csv_text(records(found, videos=videos))
    made = [*tables(found), *([videos_table(found)] if videos else [])]
    names = ", ".join(str(group.split) for group in found.splits)
    parts = [f"{found.dataset} ({names})", *(one.text() for one in made), paragraph(_NOTES)]
    return "\n\n".join(parts + [paragraph(f"warning: {text}") for text in found.warnings])

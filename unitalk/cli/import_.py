"""`unitalk import`: one verb per dataset."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

import click

from unitalk.cli._shared.common_options import (
    FILE,
    FOLDER,
    SOURCE,
    common_options,
    jobs_options,
    splits_option,
    verb,
)
from unitalk.text_table import align

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unitalk.cli._shared.console import Console
    from unitalk.dataset.import_ import ImportReport
    from unitalk.layout import Split

Function = TypeVar("Function", bound="Callable[..., Any]")


class _Options(TypedDict, total=False):
    """The options that most imports have."""

    destination: Path
    splits: tuple[Split, ...]
    partial: bool
    overwrite: bool
    jobs: int | None
    scheduler: str | None


@common_options
@click.group("import")
def command() -> None:
    """Make a dataset of another dataset's annotations.

    The result has the csv of each split, in the columns that all verbs know. Face crops and sounds
    are cut from the videos, which nobody may hand on; they are not made here.
    """


def _import_options(function: Function) -> Function:
    """Add the options of every import."""
    for option in (
        jobs_options,
        click.option("--overwrite", is_flag=True, help="Replace what this verb made there before."),
        click.option("--destination", type=FOLDER, required=True, help="The dataset to make."),
    ):
        function = option(function)
    return function


@verb("asw", of=command)
@click.option("--json", "json_dir", type=FOLDER, required=True, help="ASW's folder json/.")
@click.option("--lists", "lists_dir", type=FOLDER, required=True, help="ASW's folder split/.")
@click.option(
    "--rate", type=click.Choice(["5", "25"]), default="5", show_default=True,
    help="Rows a second: as labelled, or one a frame, each label for five frames.",
)  # fmt: skip
@splits_option
@click.option("--partial", is_flag=True, help="Go on without listed files that are not there.")
@_import_options
def asw(
    console: Console,
    /,
    json_dir: Path,
    lists_dir: Path,
    rate: str,
    **options: Unpack[_Options],
) -> None:
    """Import ASW ("Look Who's Talking").

    The development set becomes train. The rows have an eleventh column, eval; where it is 0, a
    face leaves the score of `unitalk eval`.
    """
    from unitalk.dataset.import_ import import_asw

    _run(
        console, partial(import_asw, json_dir, lists_dir, rate=25 if rate == "25" else 5), **options
    )


@verb("ava", of=command)
@click.option(
    "--csv", type=SOURCE, required=True,
    help="The folder with the csv files of each split, or with a folder of one csv per video for "
    "each split; one of those; or the archive.",
)  # fmt: skip
@splits_option
@_import_options
def ava(console: Console, /, csv: Path, **options: Unpack[_Options]) -> None:
    """Import AVA-ActiveSpeaker.

    v1.0, which is one csv per video, or the bundle that TalkNet or ASC downloads; as an archive
    too.
    """
    from unitalk.dataset.import_ import import_ava

    _run(console, partial(import_ava, csv), **options)


@verb("wasd", of=command)
@click.option(
    "--csv", type=SOURCE, required=True, help="The folder with val_orig.csv, or its archive."
)
@click.option("--division", type=FILE, required=True, help="WASD's file eval/dataset_division.txt.")
@splits_option
@_import_options
def wasd(console: Console, /, csv: Path, division: Path, **options: Unpack[_Options]) -> None:
    """Import WASD and its five categories.

    These are written as a file for `unitalk eval --by category --categories`.
    """
    from unitalk.dataset.import_ import import_wasd

    _run(console, partial(import_wasd, csv, division), **options)


@verb("columbia", of=command)
@click.option(
    "--labels", type=FOLDER, required=True, help="The folder col_labels/fusion, one txt a name."
)
@click.option(
    "--frame-size", default="1280x720", show_default=True, metavar="WxH",
    help="Of the video; labels are in pixels at half of it.",
)  # fmt: skip
@_import_options
def columbia(
    console: Console, /, labels: Path, frame_size: str, **options: Unpack[_Options]
) -> None:
    """Import Columbia as a test split.

    abbas, whom nobody scores, gets an eval of 0.
    """
    from unitalk.dataset.import_ import import_columbia
    from unitalk.score.eval_options import parse_frame_size

    size = parse_frame_size(frame_size)
    _run(console, partial(import_columbia, labels, frame_size=size), **options)


def _run(console: Console, make: partial[ImportReport], **options: Unpack[_Options]) -> None:
    """Call an importer, whose positional arguments are its sources."""
    from unitalk.executor import open_executor

    console.protect(*make.args)
    jobs, scheduler = options.pop("jobs"), options.pop("scheduler")
    with open_executor(jobs=jobs, scheduler=scheduler) as executor:
        report = make(executor=executor, progress=console.progress, **options)
    console.emit(report, _render(report))
    console.warn(report.warnings)


def _render(report: ImportReport) -> str:
    rows: list[list[object]] = [["", "videos", "tracks", "faces", "positives", "with eval 1"]]
    rows += [
        [one.split, f"{len(one.videos):,}", *(
            "none" if count is None else f"{count:,}"
            for count in (one.tracks, one.faces, one.positives, one.counted)
        )]
        for one in report.splits
    ]  # fmt: skip
    if all(one.counted is None for one in report.splits):
        rows = [row[:-1] for row in rows]
    text = f"{report.destination}:\n{align(rows, right=range(1, len(rows[0])))}"
    return f"{text}\ncategories: {report.categories}" if report.categories else text

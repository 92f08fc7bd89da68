"""`unitalk import`: one verb per dataset."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from unitalk.cli._shared.common_options import (
    FILE,
    FOLDER,
    SOURCE,
    common_options,
    destination_option,
    overwrite_option,
    splits_option,
    verb,
)
from unitalk.cli._shared.option_group import option_group
from unitalk.cli._shared.spelling import SpellingGroup
from unitalk.cli._shared.workers import Workers, workers_options
from unitalk.text_table import align

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unitalk.cli._shared.console import Console
    from unitalk.dataset.import_ import ImportReport
    from unitalk.layout import Split

Function = TypeVar("Function", bound="Callable[..., Any]")


@common_options
@click.group("import", cls=SpellingGroup)
def command() -> None:
    """Import another dataset's annotations.

    The result has one csv per split, in UniTalk's format. It has no face crops and no audio:
    `unitalk crop` extracts them from the videos, which are not included (for AVA, see `unitalk ava
    download`).
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where an import goes."""

    destination: Path
    overwrite: bool


def _import_options(function: Function) -> Function:
    """Add the options of every import, which takes `target` and `workers`."""
    target = option_group(
        "target", f"{__name__}:Target", destination_option("Dataset to make."), overwrite_option
    )
    return target(workers_options(function))


@verb("asw", of=command)
@click.argument("json_dir", type=FOLDER)
@click.argument("list_dir", type=FOLDER)
@click.option(
    "--rate", type=click.Choice(["5", "25"]), default="5", show_default=True,
    help="Rows per second: 5 (as labelled), or 25 (each label repeated five times).",
)  # fmt: skip
@splits_option
@click.option("--partial", is_flag=True, help="Skip listed files that are missing.")
@_import_options
def asw(
    console: Console,
    *,
    json_dir: Path,
    list_dir: Path,
    rate: str,
    splits: tuple[Split, ...],
    partial: bool,
    target: Target,
    workers: Workers,
) -> None:
    """Import ASW ("Look Who's Talking").

    JSON_DIR is ASW's json/ folder and LIST_DIR its split/ folder. Its development set is imported
    as train. An extra column, eval, marks faces to leave out: `unitalk eval` ignores rows where it
    is 0.
    """
    from unitalk.dataset.import_ import import_asw

    make = functools.partial(
        import_asw, json_dir, list_dir, rate=25 if rate == "25" else 5, splits=splits,
        partial=partial,
    )  # fmt: skip
    _run(console, make, target, workers)


@verb("ava", of=command)
@click.argument("csv", type=SOURCE)
@splits_option
@_import_options
def ava(
    console: Console, *, csv: Path, splits: tuple[Split, ...], target: Target, workers: Workers
) -> None:
    """Import AVA-ActiveSpeaker.

    CSV may be AVA v1.0 (a folder per split, with one csv per video), a folder with one csv per
    split, the csv bundle that TalkNet or ASC downloads, or an archive of any of these.
    """
    from unitalk.dataset.import_ import import_ava

    _run(console, functools.partial(import_ava, csv, splits=splits), target, workers)


@verb("wasd", of=command)
@click.argument("csv", type=SOURCE)
@click.option(
    "--division",
    type=FILE,
    required=True,
    help="WASD's eval/dataset_division.txt, the categories of its videos.",
)
@splits_option
@_import_options
def wasd(
    console: Console,
    *,
    csv: Path,
    division: Path,
    splits: tuple[Split, ...],
    target: Target,
    workers: Workers,
) -> None:
    """Import WASD and its five categories.

    CSV is the folder with WASD's val_orig.csv, or an archive of it. The report names a file with
    the categories: pass it to `unitalk eval --by category --categories FILE`.
    """
    from unitalk.dataset.import_ import import_wasd

    _run(console, functools.partial(import_wasd, csv, division, splits=splits), target, workers)


@verb("columbia", of=command)
@click.argument("labels", type=FOLDER)
@click.option(
    "--frame-size", default="1280x720", show_default=True, metavar="WxH",
    help="Size of the video's frames; Columbia's labels are in pixels at half this size.",
)  # fmt: skip
@_import_options
def columbia(
    console: Console, *, labels: Path, frame_size: str, target: Target, workers: Workers
) -> None:
    """Import Columbia as a test split.

    LABELS is the folder col_labels/fusion, with one txt file per person (to get it: `unitalk
    weights download columbia-labels`). abbas, whom papers leave out, is marked eval = 0, so
    `unitalk eval` ignores him.
    """
    from unitalk.dataset.import_ import import_columbia
    from unitalk.score.eval_options import parse_frame_size

    make = functools.partial(import_columbia, labels, frame_size=parse_frame_size(frame_size))
    _run(console, make, target, workers)


def _run(
    console: Console,
    make: functools.partial[ImportReport],
    target: Target,
    workers: Workers,
) -> None:
    """Call an importer; its positional arguments are its sources."""
    console.protect(*make.args)
    with workers.executor() as executor:
        report = make(
            destination=target.destination, overwrite=target.overwrite, executor=executor,
            progress=console.progress,
        )  # fmt: skip
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

"""Convert a dataset to the form that another model's loader reads, and check it as that reads it.

The forms are those of `formats.asc`, `formats.talknet` and `formats.loconet`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unitalk.files import check_apart, check_destination, disk_boundary, staged_folder
from unitalk.layout import Layout

if TYPE_CHECKING:
    from unitalk.dataset.convert.conversion import Conversion
    from unitalk.dataset.convert.convert_report import ConvertReport
    from unitalk.executor import Executor
    from unitalk.files import Link
    from unitalk.layout import Split
    from unitalk.progress import Progress


@disk_boundary("destination")
def convert_asc(
    source: Path,
    destination: Path,
    *,
    splits: tuple[Split, ...] = (),
    link: Link = "auto",
    overwrite: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ConvertReport:
    """Convert a dataset to the flat layout of ASC and ASDNet, and check it as they would read it.

    Args:
        source: a dataset, made by this program or by the original scripts.
        destination: a folder that does not exist, is empty, or (with `overwrite`) was made by
            convert-asc.
        splits: the splits to convert; default: all that are present.
        link: how files are placed, see `files.Placer`.
        overwrite: replace what an earlier conversion made there.
        executor: where files are placed and listed, one task per video; default: in this process.
        progress: where to report to.

    Returns:
        The report; its `findings` are for the caller to act upon.

    Raises:
        DestinationError: the destination is not free, or one folder contains the other.
        LayoutError: the source is not a dataset or lacks a split, or two videos of a split have
            tracks of one id, which the flat layout cannot tell apart.
        SchemaError: the source's csv breaks the schema.
    """
    from unitalk.dataset.convert.flat_conversion import FlatConversion

    run = FlatConversion("asc", Layout(Path(source)), link, executor, progress)
    return _convert(run, destination, splits, overwrite=overwrite)


@disk_boundary("destination")
def convert_talknet(
    source: Path,
    destination: Path | None = None,
    *,
    splits: tuple[Split, ...] = (),
    link: Link = "auto",
    overwrite: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ConvertReport:
    """Write the csv of TalkNet's loader, in the order in which it gives scores back.

    The tracks are in the loader's csv in the order of the split's csv, which is kept as it is when
    the rows of each track are together and in time order. Else its rows are brought into that
    order, and `reordered` says so; in place the csv stays beside it as
    `<split>_orig.before-convert.csv`. The frames a second are those of the video's times.

    Args:
        source: a dataset, made by this program or by the original scripts.
        destination: a folder that does not exist, is empty, or (with `overwrite`) was made by
            convert-talknet: crops and sounds are placed where the loader looks, faces without a
            crop are left out of both csv files, and crops without a face are not placed. Default:
            in place, where only csv files are written, and only when every crop and every sound
            is where the loader looks.
        splits: the splits to convert; default: all that are present.
        link: how files are placed, see `files.Placer`.
        overwrite: replace what an earlier conversion made there; in place, a loader's csv with
            other content.
        executor: where files are placed and listed, one task per video; default: in this process.
        progress: where to report to.

    Returns:
        The report; its `findings` are for the caller to act upon.

    Raises:
        DestinationError: the destination is not free, one folder contains the other, or in place a
            file is in the way.
        LayoutError: the source is not a dataset or lacks a split, two videos of a split have tracks
            of one id, or in place crops or sounds are not what the loader needs.
        SchemaError: the source's csv breaks the schema.
    """
    from unitalk.dataset.convert.positional_conversion import PositionalConversion

    run = PositionalConversion("talknet", Layout(Path(source)), link, executor, progress)
    return _convert(run, destination, splits, overwrite=overwrite)


@disk_boundary("destination")
def convert_loconet(
    source: Path,
    destination: Path | None = None,
    *,
    splits: tuple[Split, ...] = (),
    link: Link = "auto",
    overwrite: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ConvertReport:
    """Write the csv and the JSON files of LoCoNet's loader, in the order that it needs.

    Everything that `convert_talknet` says is true here, of its arguments and errors too. In place,
    the crops' names must have the times with two decimals. For splits that do not exist, empty JSON
    files are written, without which LoCoNet does not start.
    """
    from unitalk.dataset.convert.positional_conversion import PositionalConversion

    run = PositionalConversion("loconet", Layout(Path(source)), link, executor, progress)
    return _convert(run, destination, splits, overwrite=overwrite)


def _convert(
    run: Conversion, destination: Path | None, splits: tuple[Split, ...], *, overwrite: bool
) -> ConvertReport:
    source, made_by = run.old.root, f"convert-{run.target}"
    if destination is not None:
        check_apart(source, destination)
        check_destination(destination, made_by=made_by, overwrite=overwrite)
    splits = run.old.require_splits(splits)
    if destination is None:
        run.in_place(splits, overwrite=overwrite)
        return run.report(source, splits)
    about = {"source": str(source.resolve()), "splits": list(splits)}
    with staged_folder(destination, made_by=made_by, overwrite=overwrite, about=about) as staging:
        run.into(staging, splits)
    return run.report(destination, splits)

"""Make a dataset of another dataset's annotations: one function per dataset, on one pattern.

`unitalk.formats` has a module per dataset that finds its files and reads them into rows of text;
`csv_writer` checks, sorts and completes the rows, and writes the csv of each split.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unitalk.dataset.import_.csv_writer import write_splits
from unitalk.dataset.import_.import_report import ImportReport, warnings_of
from unitalk.errors import DataError, UsageError, examples
from unitalk.files import check_apart, disk_boundary, staged_folder
from unitalk.formats import asw, ava, columbia, wasd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unitalk.executor import Executor
    from unitalk.layout import Split
    from unitalk.progress import Progress


@contextlib.contextmanager
def _staged(
    dataset: str, destination: Path, *sources: Path, overwrite: bool
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A folder to fill, and the lines of its marker; outside of all sources."""
    for source in sources:
        check_apart(source, destination)
    about: dict[str, Any] = {"source": str(sources[0].resolve())}
    made_by = f"import {dataset}"
    with staged_folder(destination, made_by=made_by, overwrite=overwrite, about=about) as staging:
        yield staging, about


@disk_boundary("destination")
def import_asw(
    json_dir: Path,
    list_dir: Path,
    destination: Path,
    *,
    rate: asw.Rate = 5,
    splits: tuple[Split, ...] = (),
    partial: bool = False,
    overwrite: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Make a dataset of ASW's annotations: ten columns and `eval`; see `formats.asw`.

    Args:
        json_dir: the folder of the json files, one per video.
        list_dir: the folder of the lists; a split whose list is missing is not made.
        destination: a folder that does not exist, is empty, or (with `overwrite`) was made by this.
        rate: rows a second; 5 keeps the rows as they are, at 25 a label covers five frames.
        splits: the splits to make; default: all that are found.
        partial: leave out files that are listed and missing.
        overwrite: replace what an earlier import made there.
        executor: where files are read, one task each; default: in this process.
        progress: where to report to.

    Raises:
        DestinationError: the destination is not free, or contains a source or lies in one.
        UsageError: there is no list, or no such rate.
        DataError: listed files are missing; a list is empty, or two have one video.
        SchemaError: files are damaged; all problems are counted, the first ten are shown.
    """
    if rate not in asw.RATES:
        raise UsageError(f"rate is {rate!r}", hint="give 5 or 25")
    json_dir, list_dir = Path(json_dir), Path(list_dir)
    with _staged("asw", destination, json_dir, list_dir, overwrite=overwrite) as (staging, about):
        files, absent, empty = asw.find_files(json_dir, list_dir, splits, rate)
        if absent and not (partial and files):
            raise DataError(
                f"{json_dir} lacks {len(absent):,} of the "
                f"{len(absent) + len(files):,} listed files: {examples(absent)}",
                hint="take them from the dataset's repository, or leave them out with "
                "`partial=True`",
            )
        about |= {"rate": rate, "absent": absent}
        made = write_splits(staging, files, source=json_dir, executor=executor, progress=progress)
    warnings = [*warnings_of(made)]
    if absent:
        warnings.append(f"listed and not there, left out: {examples(absent)}")
    warnings += [f"{split}: not one of its files is there; it was not made" for split in empty]
    return ImportReport(
        dataset="asw", source=str(json_dir), destination=str(destination), splits=made,
        absent=tuple(absent), warnings=tuple(warnings),
    )  # fmt: skip


@disk_boundary("destination")
def import_ava(
    csv: Path,
    destination: Path,
    *,
    splits: tuple[Split, ...] = (),
    overwrite: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Make a dataset of AVA-ActiveSpeaker's annotations; see `formats.ava`.

    Cells keep their text, but for labels in AVA's other spelling. `label_id` is 1 for a face that
    speaks audibly, 2 for one that speaks inaudibly (not a positive), 0 for one that does not. It
    and `instance_id` are derived where the files lack them. Without labels both the label and its
    number stay empty: such a split can be predicted, and `evaluate` refuses to score it.

    `csv` is the folder with the csv files, one file, or an archive, see `formats.ava.find_files`;
    the other arguments, and the errors, are those of `import_asw`.

    Raises:
        ArchiveError: an archive cannot be read, or has no csv files.
        DataError: a track is in two files, or only some files of a split have labels.
    """
    csv = Path(csv)
    with (
        _staged("ava", destination, csv, overwrite=overwrite) as (staging, _),
        ava.unpacked(csv, staging) as folder,
    ):
        files = ava.find_files(folder, splits)
        made = write_splits(staging, files, source=csv, executor=executor, progress=progress)
    return ImportReport(
        dataset="ava", source=str(csv), destination=str(destination), splits=made,
        warnings=warnings_of(made),
    )  # fmt: skip


@disk_boundary("destination")
def import_wasd(
    csv: Path,
    division: Path,
    destination: Path,
    *,
    splits: tuple[Split, ...] = (),
    overwrite: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Make a dataset of WASD's annotations, with a file of its videos' categories.

    `csv` is the folder with train_orig.csv and val_orig.csv, the one above it, or an archive;
    `division` is dataset_division.txt, see `formats.wasd`; the other arguments, and the errors, are
    those of `import_asw`.

    Raises:
        DataError: the division is malformed, or has none of the videos.
    """
    csv, division = Path(csv), Path(division)
    with (
        _staged("wasd", destination, csv, division, overwrite=overwrite) as (staging, _),
        ava.unpacked(csv, staging) as folder,
    ):
        categories, doubts = wasd.read_division(division)
        files = ava.find_files(folder, splits)
        made = write_splits(staging, files, source=csv, executor=executor, progress=progress)
        videos = [video for split in made for video in split.videos]
        doubts += wasd.write_categories(
            staging / wasd.CATEGORIES_FILE, division, videos, categories
        )
    return ImportReport(
        dataset="wasd", source=str(csv), destination=str(destination), splits=made,
        categories=wasd.CATEGORIES_FILE, warnings=warnings_of(made) + doubts,
    )  # fmt: skip


@disk_boundary("destination")
def import_columbia(
    labels: Path,
    destination: Path,
    *,
    frame_size: tuple[float, float] = columbia.FRAME_SIZE,
    video_id: str = columbia.VIDEO,
    overwrite: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Make a dataset with a test split of Columbia's labels: one video, and one track per name.

    Columbia's measure, the mean of five F1, is not `evaluate`'s. `labels` is the folder
    `col_labels/fusion`, `frame_size` is (width, height) of the video in pixels, which boxes are
    divided by, and `video_id` is the name of the video; tracks are `<video_id>:<name>`, see
    `formats.columbia`. The other arguments, and the errors, are those of `import_asw`.

    Raises:
        UsageError: there are no files, or a name cannot be part of an id.
    """
    labels = Path(labels)
    with _staged("columbia", destination, labels, overwrite=overwrite) as (staging, about):
        files = columbia.find_files(labels, video_id=video_id, frame_size=frame_size)
        about["frame_size"] = list(frame_size)
        made = write_splits(staging, files, source=labels, executor=executor, progress=progress)
    return ImportReport(
        dataset="columbia", source=str(labels), destination=str(destination), splits=made,
        warnings=warnings_of(made),
    )  # fmt: skip

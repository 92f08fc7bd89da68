"""AVA-ActiveSpeaker (Roth et al., ICASSP 2020): the annotation of v1.0, or TalkNet's bundle of it.

v1.0 has one csv a video without a header, eight columns, in one folder a split. The bundle that
TalkNet's scripts download has `csv/<split>_orig.csv` with a header and ten, and ASC's has
`ava_activespeaker_<split>_augmented.csv`. The archives are taken as they are. The frame rate
differs from video to video. The test split has no labels: the column is empty, or not there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unitalk.dataset.import_.csv_datasets import files_of, unpacked
from unitalk.dataset.import_.csv_writer import write_splits
from unitalk.dataset.import_.import_report import ImportReport, remarks
from unitalk.files import check_apart, check_destination, disk_boundary, staged_folder

if TYPE_CHECKING:
    from unitalk.executor import Executor
    from unitalk.layout import Split
    from unitalk.progress import Progress


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
    """Make a dataset of AVA-ActiveSpeaker's annotations.

    Cells keep their text, but for labels in AVA's other spelling. `label_id` is 1 for a face that
    speaks audibly, 2 for one that speaks inaudibly (no positive), 0 for one that does not. It and
    `instance_id` are derived where the files have none. Without labels both the label and its
    number stay empty: such a split can be predicted, and `unitalk eval` refuses to score it.

    Args:
        csv: the folder with the csv files, one file, or an archive; see `csvs.files_of`.
        destination: a folder that does not exist, is empty, or (with `overwrite`) was made by this.
        splits: which to make; default: all that are found.
        overwrite: replace what an earlier import made there.
        executor: where files are read, a task each; default: in this process.
        progress: where to report to.

    Raises:
        DestinationError: the destination is not free, or contains the source or lies in it.
        UsageError: there are no files, or it cannot be seen of which split they are.
        ArchiveError: an archive cannot be read, or has no csv files.
        SchemaError: files break the schema; all that is wrong is counted, the first ten are told.
        DataError: a track is in two files, or only some files of a split have labels.
    """
    csv = Path(csv)
    check_apart(csv, destination)
    check_destination(destination, made_by="import ava", overwrite=overwrite)
    about = {"source": str(csv.resolve())}
    with (
        staged_folder(
            destination, made_by="import ava", overwrite=overwrite, about=about
        ) as staging,
        unpacked(csv, staging) as folder,
    ):
        files = files_of(folder, splits)
        made = write_splits(staging, files, source=csv, executor=executor, progress=progress)
    return ImportReport(
        dataset="ava",
        source=str(csv),
        destination=str(destination),
        splits=made,
        warnings=remarks(made),
    )

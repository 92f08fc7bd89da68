"""AVA-ActiveSpeaker as a dataset: its annotations imported, crops and sounds cut of its videos."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from unitalk.dataset.crop import CropOptions, CropReport, cut_crops
from unitalk.dataset.import_.csv_writer import write_splits
from unitalk.dataset.import_.import_report import warnings_of
from unitalk.files import check_apart, disk_boundary
from unitalk.formats.ava import find_files, unpacked
from unitalk.layout import Layout

if TYPE_CHECKING:
    from unitalk.executor import Executor
    from unitalk.layout import Split
    from unitalk.progress import Progress


@disk_boundary("destination")
def prepare_ava(
    csv: Path,
    video_dir: Path,
    destination: Path,
    *,
    splits: tuple[Split, ...] = (),
    videos: tuple[str, ...] = (),
    options: CropOptions | None = None,
    overwrite: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> CropReport:
    """Make a dataset of AVA's annotations and videos; the same call again continues.

    Args:
        csv: the folder with v1.0's csv files or with TalkNet's bundle, as `import_ava` takes it.
        video_dir: the folder with the videos, see `crop.video_files.find_videos`.
        destination: a folder that does not exist, is empty, or was made by this for the same.
        splits: the splits to make; default: all that are found.
        videos: the videos to keep the rows of; default: all.
        options: how crops and sounds are cut.
        overwrite: replace files that an earlier run for something else made there; equal ones
            stay.
        executor: where videos are cut, one task each; default: this process, one after the other.
        progress: where to report to.

    Returns:
        The report; its `warnings` include those of the import.

    Raises:
        DestinationError: the destination is not free, holds something else, or one folder contains
            the other.
        UsageError: there are no csv files, or their split is unclear.
        SchemaError: the csv files break the schema.
        DataError: a video has two files; there are no rows of a video; a track is in two files.
        MissingExtraError: the extra is not installed.
        DiskError: the disk refused.
    """
    csv = Path(csv)
    check_apart(csv, destination)
    # Read here and not on a cluster: it takes seconds, and other machines do not see this folder.
    with TemporaryDirectory(prefix="unitalk-") as scratch, unpacked(csv, Path(scratch)) as folder:
        files = find_files(folder, splits)
        made = write_splits(Path(scratch), files, source=csv, progress=progress)
        report = cut_crops(
            {one.split: Layout(Path(scratch)).csv(one.split) for one in made},
            destination,
            video_dir=video_dir,
            source=csv,
            verb="ava prepare",
            videos=videos,
            options=options,
            overwrite=overwrite,
            executor=executor,
            progress=progress,
        )
    return replace(report, warnings=(*warnings_of(made), *report.warnings))

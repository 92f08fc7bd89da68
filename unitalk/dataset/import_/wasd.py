"""WASD, the Wilder Active Speaker Detection dataset (Roxo et al.; github.com/Tiago-Roxo/WASD).

Its `csv/{train,val}_orig.csv` have the ten columns already. A video's id is that of the YouTube
video with the seconds cut out of it, `<youtube_id>_<start>-<end>`; times begin at 0 in each.
`eval/dataset_division.txt` has the five categories, as YouTube ids below a line `# Name` each.
"""

from __future__ import annotations

import csv as csv_module
import re
from pathlib import Path
from typing import TYPE_CHECKING

from unitalk.dataset.import_.csv_datasets import files_of, unpacked
from unitalk.dataset.import_.csv_writer import write_splits
from unitalk.dataset.import_.import_report import ImportReport, remarks
from unitalk.errors import DataError, UsageError, examples
from unitalk.files import atomic_write, check_apart, check_destination, disk_boundary, staged_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from unitalk.executor import Executor
    from unitalk.layout import Split
    from unitalk.progress import Progress

CATEGORIES_FILE = "categories.csv"
"""What `unitalk eval --by category --categories` takes: a video and its category a line."""

PAPER = {"Interview": "OC", "Debate": "SI", "Podcast": "FO", "React": "HVN", "Police": "SS"}
"""What the papers call the division's categories, in the order of their tables.

Optimal conditions, speech impairment, face occlusion, human voice noise, surveillance settings; as
the numbers 0 to 4 of the same videos in wasd_metadata.csv say.
"""

_CUT = re.compile(r"(.+)_\d+-\d+")
_HINT = "take eval/dataset_division.txt from github.com/Tiago-Roxo/WASD"


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

    A YouTube id that the division has in two categories is in the later of them here, and a
    warning says so. The published file has one such, B068jfKfC8A, whose 30 videos the dataset's
    own evaluation counts in both.

    Args:
        csv: the folder with train_orig.csv and val_orig.csv, the one above it, or an archive.
        division: dataset_division.txt.
        destination: a folder that does not exist, is empty, or (with `overwrite`) was made by this.
        splits: which to make; default: all that are found.
        overwrite: replace what an earlier import made there.
        executor: where files are read, a task each; default: in this process.
        progress: where to report to.

    Raises:
        DestinationError: the destination is not free, or contains a source or lies in one.
        UsageError: there are no files.
        SchemaError: files break the schema; all that is wrong is counted, the first ten are told.
        DataError: the division is none, or has none of the videos.
    """
    csv, division = Path(csv), Path(division)
    for source in (csv, division):
        check_apart(source, destination)
    check_destination(destination, made_by="import wasd", overwrite=overwrite)
    categories, doubts = read_division(division)
    about = {"source": str(csv.resolve())}
    with (
        staged_folder(
            destination, made_by="import wasd", overwrite=overwrite, about=about
        ) as staging,
        unpacked(csv, staging) as folder,
    ):
        files = files_of(folder, splits)
        made = write_splits(staging, files, source=csv, executor=executor, progress=progress)
        videos = [video for split in made for video in split.videos]
        strays = _write_categories(staging / CATEGORIES_FILE, videos, categories)
        if len(strays) == len(videos):
            raise DataError(
                f"{division} has none of the {len(videos):,} videos, the first is {videos[0]}",
                hint=_HINT,
            )
    if strays:
        doubts += (f"{division} has no category for {len(strays):,} videos: {examples(strays)}",)
    return ImportReport(
        dataset="wasd",
        source=str(csv),
        destination=str(destination),
        splits=made,
        categories=CATEGORIES_FILE,
        warnings=remarks(made) + doubts,
    )


def read_division(path: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """Read which category each YouTube id is in, as papers call it, and what is doubtful there.

    Raises:
        UsageError: there is no such file.
        DataError: it has no categories, or an id stands above the first.
    """
    if not path.is_file():
        raise UsageError(f"{path} is no file", hint=_HINT)
    found: dict[str, str] = {}
    doubts: list[str] = []
    category = ""
    for number, line in enumerate(path.read_text("utf-8-sig", "replace").splitlines(), 1):
        text = line.strip()
        if text.startswith("#"):
            name = text.lstrip("#").strip()
            category = PAPER.get(name, name)
        elif text and (not category or re.search(r"\s", text)):
            raise DataError(
                f"{path}:{number}: {text[:60]!r} is no id below a line `# Category`", hint=_HINT
            )
        elif text:
            if found.get(text, category) != category:
                doubts.append(
                    f"{text} is in {found[text]} and in {category}: it counts to the last"
                )
            found[text] = category
    if not found:
        raise DataError(f"{path}: there are no categories", hint=_HINT)
    return found, tuple(doubts)


def youtube_id(video_id: str) -> str:
    """The YouTube id in `<youtube_id>_<start>-<end>`, or all of an id that is not cut."""
    cut = _CUT.fullmatch(video_id)
    return cut[1] if cut else video_id


def _write_categories(
    path: Path, videos: Iterable[str], categories: Mapping[str, str]
) -> list[str]:
    """Write the videos' categories, in the papers' order; returns those that have none."""
    of_video = {video: categories.get(youtube_id(video)) for video in videos}
    order = [*PAPER.values(), *categories.values()]
    rows = [(video, category) for video, category in of_video.items() if category is not None]
    rows.sort(key=lambda row: order.index(row[1]))
    with atomic_write(path) as file:
        writer = csv_module.writer(file, lineterminator="\n")
        writer.writerows([("id", "category"), *rows])
    return [video for video, category in of_video.items() if category is None]

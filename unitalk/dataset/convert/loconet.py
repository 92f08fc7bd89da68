"""The form that LoCoNet, TalkNCE and LASER read: TalkNet's, and who is seen at the same time.

Beside what `talknet` (in this folder) writes, their loader reads `csv/<split>_entity.json` and
`csv/<split>_ts.json` (see `loader_tables`). It opens a face as `"%.2f.jpg" % time` and
stops where there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitalk.dataset.convert import positional
from unitalk.files import disk_boundary

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.dataset.convert.convert_report import ConvertReport
    from unitalk.executor import Executor
    from unitalk.files import Link
    from unitalk.layout import Split
    from unitalk.progress import Progress


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

    All that `convert_talknet` says holds here. In place, the crops' names must say their times
    with two decimals. For splits that are not there, empty JSON files are written, without which
    LoCoNet does not start.

    Args:
        source: a dataset, made by this program or by the original scripts.
        destination: a folder that does not exist, is empty, or (with `overwrite`) was made by
            convert-loconet; default: in place.
        splits: which to convert; default: all that are present.
        link: how files are placed, see `files.Placer`.
        overwrite: replace what an earlier conversion made there; in place, tables of a loader that
            say something else.
        executor: where files are placed and listed, a task a video; default: in this process.
        progress: where to report to.

    Returns:
        The report; its `findings` are for the caller to act upon.

    Raises:
        DestinationError: the destination is not free, one folder contains the other, or in place a
            file is in the way.
        LayoutError: the source is no dataset or lacks a split, two videos of a split have tracks
            of one id, or in place crops or sounds are not what the loader needs.
        SchemaError: the source's csv breaks the schema.
    """
    return positional.convert(
        "loconet", source, destination, splits=splits, link=link, overwrite=overwrite,
        executor=executor, progress=progress,
    )  # fmt: skip

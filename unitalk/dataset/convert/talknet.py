"""The form that TalkNet, Light-ASD and LR-ASD read.

Their loader opens `clips_videos/<split>/<11 characters>/<entity_id>/*.jpg`, sorted by the numbers
of the names, and `clips_audios/<split>/<11 characters>/<entity_id>.wav`, where the 11 characters
are the first of the track's id. Which tracks there are it reads from `csv/<split>_loader.csv`; the
scores are set beside the rows of `csv/<split>_orig.csv` by position. A track in another place, or
with another number of frames, moves all later scores onto other faces, without a message.
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
    """Write the csv of TalkNet's loader, and hold the order in which it gives scores back.

    The tracks stand in the loader's csv in the order of the split's csv, which is carried as it is
    when the rows of each track stand together and in time order. Else its rows are brought into
    that order, and `reordered` says so; in place the csv stays beside it as
    `<split>_orig.before-convert.csv`. Label 2, speaking but not audible, is 0 to the loader, and
    its frames a second are those of the video's times.

    Args:
        source: a dataset, made by this program or by the original scripts.
        destination: a folder that does not exist, is empty, or (with `overwrite`) was made by
            convert-talknet: crops and sounds are placed where the loader looks, faces without a
            crop are left out of both csv files, and crops without a face are not placed. Default:
            in place, where only csv files are written, and only when every crop and every sound
            is where the loader looks.
        splits: which to convert; default: all that are present.
        link: how files are placed, see `files.Placer`.
        overwrite: replace what an earlier conversion made there; in place, a loader's csv that
            says something else.
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
        "talknet", source, destination, splits=splits, link=link, overwrite=overwrite,
        executor=executor, progress=progress,
    )  # fmt: skip

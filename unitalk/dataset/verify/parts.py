"""Check one part of one video by its csv and by the ends of its files, for the download.

Nothing is decoded, so that checking a dataset takes no longer than opening its files.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from unitalk.dataset.verify.folders import Walk
from unitalk.dataset.verify.media_check import end_fault
from unitalk.dataset.verify.verify_report import relative
from unitalk.media import jpegs, wavs
from unitalk.schema.face_names import FaceNames
from unitalk.schema.split_rows import SplitRows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Literal

    from unitalk import schema
    from unitalk.dataset.verify.folders import Found
    from unitalk.layout import Layout

_HARMLESS = "macos-litter"  # no reason to fetch gigabytes again


def faults_of_part(
    places: Layout,
    part: Literal["audio", "video"],
    split: str,
    video_id: str,
    faces: schema.Faces,
) -> list[str]:
    """List what is wrong with one part of one video on the disk, judged by its rows.

    Files may be missing, without a row, empty or cut off: both ends of each jpg and the header of
    each wav are read. What macOS leaves is not a fault.

    Args:
        places: the dataset.
        part: the sounds or the crops.
        split: the split.
        video_id: the video.
        faces: the video's rows, with at least video, track and time.

    Returns:
        One line per fault; nothing when the part is whole.
    """
    rows = SplitRows(split=split, path="", faces=faces)
    walk = Walk(root=places.root, rows=rows, layout="unitalk", names=FaceNames(rows))
    faults: list[str] = []
    for group in walk.groups():
        if group.video != video_id:
            faults.append(f"the csv has rows of the video {group.video}")
            continue
        for found in walk.group(group, [part]):
            faults += _cut_files(places.root, found)
    findings = [finding for finding in walk.findings if finding.kind != _HARMLESS]
    return [f"{finding.kind}: {finding.describe()}" for finding in findings] + faults


def _cut_files(root: Path, found: Found) -> Iterator[str]:
    """The files of one track that are empty or cut off."""
    crops = [found.folder / name for name in found.names if name is not None]
    faults = [(path, _jpg_fault(path)) for path in crops]
    if found.wav is not None:
        faults.append((found.wav, _wav_fault(found.wav)))
    for path, fault in faults:
        if fault:
            yield f"{fault}: {relative(root, path)}"


def _jpg_fault(path: Path) -> str | None:
    try:
        with open(path, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            start = file.read(jpegs.MAGIC_BYTES)
            file.seek(max(size - 2, 0))
            fault = end_fault(size, start, file.read(2))
    except OSError as error:
        return f"jpg-unreadable, {error.strerror}"
    return None if fault is None else fault[0]


def _wav_fault(path: Path) -> str | None:
    try:
        with open(path, "rb") as file:
            fault = wavs.read_header(file).fault
    except wavs.NotAWavError as error:
        return f"wav-unreadable, {error}"
    except OSError as error:
        return f"wav-unreadable, {error.strerror}"
    return None if fault is None else f"wav-truncated, {fault}"

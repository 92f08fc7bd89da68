"""One part of one video, judged by its csv and by the ends of its files: for the download.

Nothing is decoded, so that a dataset that another program fetched is looked through at the speed of
opening its files.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from unitalk.dataset.verify.crop_check import end_fault
from unitalk.dataset.verify.tree import Walk
from unitalk.media import jpegs, wavs
from unitalk.schema.face_names import FaceNames
from unitalk.schema.split_rows import SplitRows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Literal

    from unitalk import schema
    from unitalk.dataset.verify.tree import Found
    from unitalk.layout import Layout

_HARMLESS = "macos-litter"  # no reason to fetch gigabytes again


def faults_of_part(
    places: Layout,
    part: Literal["audio", "video"],
    split: str,
    video_id: str,
    faces: schema.Faces,
) -> list[str]:
    """What is wrong with one part of one video on the disk, judged by its rows.

    Files that are missing, that no row has, that are empty or cut off: of a jpg the first and last
    two bytes are read, of a wav the header, and nothing is decoded. What macOS leaves is no fault.

    Args:
        places: the dataset.
        part: the sounds or the crops.
        split: the split.
        video_id: the video.
        faces: the video's rows, with at least video, track and time.

    Returns:
        One line a fault, by files; nothing when the part is whole.
    """
    rows = SplitRows(split=split, path="", faces=faces)
    walk = Walk(root=places.root, split=split, layout="unitalk", names=FaceNames(rows))
    faults: list[str] = []
    for group in walk.groups(rows.tracks):
        if group.video != video_id:
            faults.append(f"the csv has rows of the video {group.video}")
            continue
        for found in walk.group(group, [part]):
            faults += _cut_files(places.root, found)
    findings = [finding for finding in walk.findings if finding.kind != _HARMLESS]
    return [f"{finding.kind}: {finding.describe()}" for finding in findings] + faults


def _cut_files(root: Path, found: Found) -> Iterator[str]:
    """The files of one track that are empty or cut off."""
    if found.faces is not None and found.folder is not None:
        for name in found.faces.names:
            fault = None if name is None else _jpg_fault(found.folder / name)
            if name is not None and fault:
                yield f"{fault}: {(found.folder / name).relative_to(root).as_posix()}"
    if found.wav is not None:
        fault = _wav_fault(found.wav)
        if fault:
            yield f"{fault}: {found.wav.relative_to(root).as_posix()}"


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

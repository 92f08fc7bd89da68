"""Cut one video: its crops and sounds are made in a staging folder, and renamed when whole.

Its receipt, written last, says what they were made from and what was found.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from unitalk.dataset.crop.crop_report import Finding
from unitalk.dataset.crop.dropped_rows import Dropped, uncut, without
from unitalk.dataset.crop.video_cutter import Outcome, cut
from unitalk.files import Receipts, disk_errors
from unitalk.layout import Layout, check_id

if TYPE_CHECKING:
    from unitalk.dataset.crop.crop_options import CropOptions
    from unitalk.dataset.crop.wanted_faces import Wanted
    from unitalk.layout import Split

VERSION = 2
"""Changes when the same rows and the same video give other files."""


class Job(NamedTuple):
    """One video to cut; any worker may cut it, even two at a time.

    Attributes:
        destination: the dataset.
        path: the video's file.
        wanted: its faces.
        options: how to cut.
        threads: of its decoder; 0: as many as there are processors.
    """

    destination: str
    path: str
    wanted: Wanted
    options: CropOptions
    threads: int


def cut_video(job: Job) -> Outcome:
    """Cut one video, and put its files and its receipt in their places.

    Raises:
        DiskError: the disk refused.
    """
    target = Path(job.destination)
    own_request = made_of(job.wanted, job.options, Path(job.path))
    folder = staging(target)
    with disk_errors(target):
        folder.mkdir(parents=True, exist_ok=True)
        own = Path(tempfile.mkdtemp(dir=folder))
        try:
            outcome = cut(job, own)
            if job.options.drop_missing:
                dropped = uncut(own / "faces", own / "sounds", job.wanted)
                outcome = _cut_without(job, own, dropped, outcome) if dropped else outcome
            _place(Layout(target), own, job.wanted)
            receipts(target).write(
                receipt_name(job.wanted.split, job.wanted.video),
                {"made_of": own_request, **outcome.to_dict()},
            )
        finally:
            shutil.rmtree(own, ignore_errors=True)
    return outcome


def _cut_without(job: Job, own: Path, dropped: Dropped, outcome: Outcome) -> Outcome:
    """Cut a video again without the rows that could not be cut.

    A track's sound begins and ends with its faces: of other faces it is another sound.
    """
    for name in ("faces", "sounds"):
        shutil.rmtree(own / name, ignore_errors=True)
    wanted, again = without(job.wanted, dropped), Outcome(0, 0, (), outcome.notes)
    if wanted is not None:
        again = cut(job._replace(wanted=wanted), own)
    left = {one.kind for one in again.findings}
    settled = tuple(one for one in outcome.findings if one.kind not in left)
    return again._replace(notes=again.notes + settled, dropped=dropped)


def staging(destination: Path) -> Path:
    """The folder of half-made videos."""
    return Layout(destination).memory / "staging"


def remove(destination: Path, split: Split, video: str) -> None:
    """Remove what an earlier run made of a video, the receipt first."""
    layout = Layout(destination)
    receipts(destination).remove(receipt_name(split, video))
    shutil.rmtree(layout.part("video", split, video), ignore_errors=True)
    shutil.rmtree(layout.part("audio", split, video), ignore_errors=True)


def _place(layout: Layout, own: Path, wanted: Wanted) -> None:
    """Move the made folders to their places, replacing those of an earlier run."""
    receipts(layout.root).remove(receipt_name(wanted.split, wanted.video))
    for name, final in (
        ("faces", layout.part("video", wanted.split, wanted.video)),
        ("sounds", layout.part("audio", wanted.split, wanted.video)),
    ):
        final.parent.mkdir(parents=True, exist_ok=True)
        _swap(own / name, final, own / f"old-{name}")


def _swap(made: Path, final: Path, aside: Path) -> None:
    """Replace a folder by another one, or remove it if no other one was made."""
    with suppress(FileNotFoundError):
        final.rename(aside)
    if made.exists():
        made.rename(final)


# ------------------------------------------------------------------------------ receipts


def receipts(destination: Path) -> Receipts:
    """The receipts of the videos that are cut, see `receipt_name`."""
    return Receipts(Layout(destination).memory / "cut")


def receipt_name(split: Split, video: str) -> str:
    """The name of a video's receipt."""
    return f"{split}/{check_id(video)}"


def made_of(wanted: Wanted, options: CropOptions, path: Path | None) -> dict[str, Any]:
    """Everything that decides a video's crops and sounds; without a path, all but the file."""
    values = {"version": VERSION, "rows": wanted.digest(), **asdict(options)}
    if path is not None:
        about = path.stat()
        values |= {"bytes": about.st_size, "modified": about.st_mtime_ns}
    return values


def kept(
    destination: Path, wanted: Wanted, options: CropOptions, path: Path | None
) -> Outcome | None:
    """The outcome of a video that an earlier run cut in just this way, if its files are there.

    A video's file may be gone by now; `path` is then None.
    """
    name = receipt_name(wanted.split, wanted.video)
    found = receipts(destination).fitting(name, made_of(wanted, options, path))
    if found is None:
        return None
    try:
        outcome = Outcome(
            crops=found["crops"],
            sounds=found["sounds"],
            findings=tuple(Finding(**one) for one in found["findings"]),
            notes=tuple(Finding(**one) for one in found["notes"]),
            dropped=tuple((reason, tuple(rows)) for reason, rows in found["dropped"]),
        )
    except (KeyError, TypeError, ValueError):  # damaged from outside
        return None
    return outcome if _files_of(destination, wanted) == (outcome.crops, outcome.sounds) else None


def _files_of(destination: Path, wanted: Wanted) -> tuple[int, int]:
    """How many crops and sounds of a video are there, by their folders' listings."""
    layout = Layout(destination)
    crops = sounds = 0
    with suppress(FileNotFoundError):
        for track in os.scandir(layout.part("video", wanted.split, wanted.video)):
            crops += len(os.listdir(track.path))
    with suppress(FileNotFoundError):
        sounds = len(os.listdir(layout.part("audio", wanted.split, wanted.video)))
    return crops, sounds

"""Plans which of AVA's videos to fetch: what was asked for, what is here, how large it is."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from unitalk.dataset.ava import ava_lists, fetched_files
from unitalk.dataset.ava.ava_lists import AVA_SPLITS, AvaSplit
from unitalk.errors import HubError, NotFoundError
from unitalk.files import disk_boundary
from unitalk.net.part_file import size_of
from unitalk.net.transfer import JOBS, each
from unitalk.report import Report

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.dataset.ava.fetched_files import Receipt
    from unitalk.net.site import Site

State = Literal["present", "unproven", "absent", "missing"]
"""Of a video: in place, as it was fetched; something under its name that no download put there;
not there; not on the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedVideo(Report):
    """One video file, and what this machine has of it.

    Attributes:
        video_id: its id.
        split: the folder that it comes in.
        file: its name there.
        state: see `State`.
        size: its bytes, as the server says; None when it has not said.
        have: how many of them an earlier run has left.
    """

    video_id: str
    split: AvaSplit
    file: str
    state: State
    size: int | None
    have: int

    @property
    def path(self) -> str:
        """Where it is below the server's address, and below the folder here."""
        return f"{self.split}/{self.file}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AvaPlan(Report):
    """What would be fetched.

    Attributes:
        root: the folder for the videos.
        base_urls: where from, in order of preference.
        videos: all that were asked for, in the order of the lists.
        unknown: ids that were asked for and are in no list.
    """

    schema_version: ClassVar = 1
    computed: ClassVar = ("missing", "bytes_to_fetch", "unknown_sizes")

    root: Path
    base_urls: tuple[str, ...]
    videos: tuple[PlannedVideo, ...]
    unknown: tuple[str, ...]

    @property
    def to_do(self) -> tuple[PlannedVideo, ...]:
        """The videos that are not in place, as far as the server has them."""
        return tuple(v for v in self.videos if v.state in {"absent", "unproven"})

    @property
    def missing(self) -> tuple[str, ...]:
        """The paths that are in a list and not on the server."""
        return tuple(video.path for video in self.videos if video.state == "missing")

    @property
    def bytes_to_fetch(self) -> int:
        """How many bytes are lacking, of the files whose size is known."""
        return sum((v.size or v.have) - v.have for v in self.to_do if v.state == "absent")

    @property
    def unknown_sizes(self) -> int:
        """How many files to fetch have a size that the server has not said."""
        return sum(video.size is None for video in self.to_do)


@disk_boundary("root")
def plan_ava(
    site: Site,
    root: Path,
    *,
    splits: tuple[AvaSplit, ...] = (),
    list_files: tuple[Path, ...] = (),
    videos: tuple[str, ...] = (),
    limit: int | None = None,
    jobs: int = JOBS,
) -> AvaPlan:
    """Decide what is to be fetched; the server is asked for the size of what is not in place.

    Args:
        site: where the videos are.
        root: the folder for them.
        splits: which; default: both, or those of the lists.
        list_files: lists of file names on this machine; a split that has one is not asked for at
            the server.
        videos: only these ids; default: all.
        limit: at most so many videos of each split.
        jobs: how many questions at a time.

    Raises:
        UsageError: it cannot be known of which split a list is.
        DataError: a list has no file names.
        NotFoundError: the server has no list.
        HubError: it cannot be reached.
    """
    given: dict[AvaSplit, tuple[str, ...]] = {}
    for path in list_files:
        split = ava_lists.split_of(path, splits)
        given[split] = tuple(dict.fromkeys((*given.get(split, ()), *ava_lists.read_list(path))))
    wanted = splits or tuple(split for split in AVA_SPLITS if not given or split in given)
    listed = {
        split: given[split] if split in given else ava_lists.fetch_list(site, split)
        for split in wanted
    }
    known = fetched_files.receipts(root)
    planned: list[PlannedVideo] = []
    for split, files in listed.items():
        chosen = [file for file in files if not videos or ava_lists.video_id(file) in videos]
        planned += [_as_it_is(root, known, split, file) for file in chosen[:limit]]
    return AvaPlan(
        root=root,
        base_urls=site.endpoints,
        videos=_sized(site, planned, jobs),
        unknown=ava_lists.unknown(videos, (file for files in listed.values() for file in files)),
    )


def _as_it_is(root: Path, known: dict[str, Receipt], split: AvaSplit, file: str) -> PlannedVideo:
    """A video, as far as the disk tells."""
    path = f"{split}/{file}"
    final, entry = root / path, known.get(path)
    state: State = "absent"
    if os.path.lexists(final) and entry is None:
        state = "unproven"
    elif entry is not None and final.is_file() and final.stat().st_size == entry.size:
        state = "present"
    return PlannedVideo(
        video_id=ava_lists.video_id(file),
        split=split,
        file=file,
        state=state,
        size=entry.size if state == "present" and entry is not None else None,
        have=size_of(fetched_files.part(root, path)),
    )


def _sized(site: Site, videos: list[PlannedVideo], jobs: int) -> tuple[PlannedVideo, ...]:
    """The videos with what the server says of those that are not in place."""
    answers: dict[str, PlannedVideo] = {}

    def ask(video: PlannedVideo) -> None:
        try:
            answers[video.path] = replace(video, size=site.look(video.path).size)
        except NotFoundError:
            answers[video.path] = replace(video, state="missing")
        except HubError:
            site.check_stop()
            if not site.answered:
                raise  # no endpoint has ever answered, so none will
            # else the fetch will say what it is

    def fail(_: PlannedVideo, error: Exception) -> None:
        raise error

    to_ask = [video for video in videos if video.state != "present"]
    # One first: without a network, hundreds need not find out for themselves.
    for some in (to_ask[:1], to_ask[1:]):
        each(some, ask, jobs=jobs, abort=site.abort, failed=fail)
    return tuple(answers.get(video.path, video) for video in videos)

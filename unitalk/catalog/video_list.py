"""What is published: the video lists and the categories of the benchmark.

The lists stand in the checkout as `video_list/` and `sub_categories/`, in the form in which the
dataset's authors publish them, and travel inside the wheel.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from unitalk.errors import DataError, UsageError, examples
from unitalk.files.file_types import FIRST_BYTES, identify
from unitalk.layout import PUBLISHED_SPLITS, Split
from unitalk.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable

REPOSITORY = "plnguyen2908/UniTalk-ASD"
"""The dataset's repository on the hub."""

CATEGORIES = ("language", "mixed", "noise", "visual")
"""The categories of the val split; every val video is in exactly one."""

_LINES = "give one id, link or video file per line"
_LINK = "https://www.youtube.com/watch?v="
_ID_IN_LINK = re.compile(
    r"(?:[?&]v=|youtu\.be/|youtube(?:-nocookie)?\.com/(?:shorts|embed|live|v)/)([A-Za-z0-9_-]+)"
)
_SEPARATORS = re.compile(r"[\s,;/\\]")

VIDEO_ENDINGS = frozenset(
    {
        *("mp4", "mkv", "webm", "avi", "mov", "m4v", "mpg", "mpeg", "ts", "mts", "m2ts", "flv"),
        *("wmv", "asf", "3gp", "3g2", "ogv", "vob", "mxf", "divx", "f4v", "rm", "rmvb"),
    }
)
"""Endings that only the files of videos have, in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Video(Report):
    """One published video."""

    computed = ("link",)

    video_id: str
    split: Split
    category: str | None

    @property
    def link(self) -> str:
        """Where the video was published."""
        return _LINK + self.video_id


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoList(Report):
    """Some of the published videos."""

    schema_version = 1

    videos: tuple[Video, ...]


@cache
def videos() -> tuple[Video, ...]:
    """All published videos: train then val, each in the order of its list."""
    category = {
        video_id: name
        for name in CATEGORIES
        for video_id in read_list(_lists() / "sub_categories" / f"test_{name}.csv")
    }
    return tuple(
        Video(video_id=video_id, split=split, category=category.get(video_id))
        for split in PUBLISHED_SPLITS
        for video_id in read_list(_lists() / "video_list" / f"{split}.csv")
    )


def select(
    *,
    splits: tuple[str, ...] = (),
    categories: tuple[str, ...] = (),
    limit: int | None = None,
) -> tuple[Video, ...]:
    """Choose among the published videos.

    Args:
        splits: keep these; empty keeps all.
        categories: keep these; empty keeps all. Only val videos have one.
        limit: keep at most this many of each split, the first of its list.

    Raises:
        UsageError: a category is unknown, or no video is left.
    """
    for name in categories:
        if name not in CATEGORIES:
            raise UsageError(
                f"unknown category {name!r}", hint=f"the categories are {', '.join(CATEGORIES)}"
            )
    chosen = [
        video
        for video in videos()
        if (not splits or video.split in splits)
        and (not categories or video.category in categories)
    ]
    if limit is not None:
        chosen = [
            v for split in PUBLISHED_SPLITS for v in [c for c in chosen if c.split == split][:limit]
        ]
    if not chosen:
        raise UsageError(
            "no published video is in "
            + " and ".join([f"split {s}" for s in splits] + [f"category {c}" for c in categories]),
            hint="categories divide the val split only; see `videos()`",
        )
    return tuple(chosen)


def resolve_list(videos: str | Path | Iterable[str]) -> tuple[str, ...]:
    """The video ids of a list, given as a category's name, as a file, or as the ids themselves.

    `noise` is always the category; a file of that name is given as `./noise`. A file that is not
    there and has the name of a published list is that list, see `published_category`.

    Raises:
        UsageError: the text is neither a category nor a file, or the list is empty.
        DataError: the file lists nothing, or a line is not an id.
    """
    if not isinstance(videos, (str, Path)):
        ids = tuple(dict.fromkeys(videos))
        if not ids:
            raise UsageError("the list of videos is empty", hint="give ids, a file or a category")
        return ids
    text = str(videos)
    if text in CATEGORIES:
        return tuple(video.video_id for video in select(categories=(text,)))
    path = Path(text)
    if category := published_category(path):
        return tuple(video.video_id for video in select(categories=(category,)))
    if not path.exists() or path.is_dir():
        raise UsageError(
            f"{text!r} is neither a category nor a file",
            hint=f"the categories are {', '.join(CATEGORIES)}; `videos()` lists ids",
        )
    return read_list(path)


def published_category(name_or_file: str | Path) -> str | None:
    """The category of a published list, `test_<category>.csv`, that is not where it was looked for.

    The dataset's authors write `sub_categories/test_noise.csv`, which is there in a checkout only.
    """
    path = Path(name_or_file)
    named = re.fullmatch(r"test_(\w+)\.csv", path.name)
    if not named or named[1] not in CATEGORIES or os.path.lexists(path):
        return None
    return named[1]


def read_list(path: Path) -> tuple[str, ...]:
    """Read a list of videos, one `video_id` per line, with or without the header `Link`.

    Empty lines, lines that begin with `#` and repeated ids are passed over; the order is kept.

    Raises:
        DataError: the file lists nothing, or a line is not an id.
    """
    ids: dict[str, None] = {}
    wrong: list[str] = []
    content = path.read_bytes()
    if foreign := identify(content[:FIRST_BYTES]):
        raise DataError(f"{path}: the file is {foreign.what}", hint=_LINES)
    lines = content.decode("utf-8-sig", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        text = line.strip().strip('"')
        is_header = number == 1 and text.lower() in {"link", "video_id", "id"}
        if not text or text.startswith("#") or is_header:
            continue
        found = video_id(text)
        if found is None:
            wrong.append(f"{path}:{number}: {text!r}")
        else:
            ids[found] = None
    if wrong:
        raise DataError(f"not a list of videos: {examples(wrong)}", hint=_LINES)
    if not ids:
        raise DataError(f"{path}: the list is empty", hint=_LINES)
    return tuple(ids)


def video_id(text: str) -> str | None:
    """The id of a video as people name it: the id, a link of YouTube, or the video's file.

    Every list of videos is read by this function. None for a text that names no video.
    """
    text = text.strip()
    link = _ID_IN_LINK.search(text)
    if link:
        return link.group(1)
    stem, dot, ending = text.rpartition(".")
    if dot and ending.lower() in VIDEO_ENDINGS:
        text = re.split(r"[/\\]", stem)[-1]
    return None if not text or _SEPARATORS.search(text) else text


def _lists() -> Path:
    """The folder of the published lists: in the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "lists"
    return inside if inside.is_dir() else package.parent

"""Which videos, and what of each: what the caller asks for, looked up in lists and on the hub."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitalk import layout
from unitalk.catalog import video_list
from unitalk.errors import UsageError
from unitalk.layout import PARTS, PUBLISHED_SPLITS, Part, Split

if TYPE_CHECKING:
    from collections.abc import Iterable

    from unitalk.net import RemoteFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What to download; the default is all that is published.

    Attributes:
        splits: keep these; empty keeps all.
        categories: keep these; empty keeps all. Only val videos have one.
        videos: these ids instead of the published lists; `splits` and `limit` still apply.
        limit: at most this many videos of each split, in the order of the list.
        parts: what to fetch of each video.
        archives_only: keep the archives below `archives/`, and unpack none.
        refetch: make again what is there already; kept archives are used where they are whole.
    """

    splits: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    limit: int | None = None
    parts: tuple[Part, ...] = PARTS
    archives_only: bool = False
    refetch: bool = False

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        narrowed = self.splits or self.categories or self.videos or self.limit
        return not narrowed and set(self.parts) == set(PARTS)


def check(selection: Selection) -> None:
    """Say whether a selection makes sense, before the hub is asked.

    Raises:
        UsageError: it contradicts itself, or leaves nothing.
    """
    for split in selection.splits:
        if split not in PUBLISHED_SPLITS:
            raise UsageError(
                f"unknown split {split!r}", hint=f"splits: {', '.join(PUBLISHED_SPLITS)}"
            )
    for part in selection.parts:
        if part not in PARTS:
            raise UsageError(f"unknown part {part!r}", hint=f"parts: {', '.join(PARTS)}")
    if not selection.parts:
        raise UsageError("no part of a video is asked for", hint=f"parts: {', '.join(PARTS)}")
    if selection.limit is not None and selection.limit < 1:
        raise UsageError(f"the limit {selection.limit} leaves no video", hint="give 1 or more")
    if selection.videos and selection.categories:
        raise UsageError(
            "videos by id and a category are asked for together",
            hint="give ids, or categories; two runs into one folder give both",
        )
    if not selection.videos:
        video_list.select(splits=selection.splits, categories=selection.categories)


def videos_on_hub(tree: Iterable[RemoteFile]) -> tuple[tuple[str, Split], ...]:
    """The videos of which the hub has any part, by split and id."""
    parsed = (layout.parse_hub_path(file.path) for file in tree)
    found = {
        (video_id, split) for _, split, video_id in filter(None, parsed) if video_id.strip(".")
    }
    return tuple(sorted(found, key=lambda video: (PUBLISHED_SPLITS.index(video[1]), video[0])))


def videos(
    selection: Selection, known: Iterable[tuple[str, Split]]
) -> list[tuple[str, Split | None]]:
    """The ids that are asked for; without a split when neither lists nor hub know one.

    Args:
        selection: what is asked for.
        known: the videos of the hub.
    """
    if not selection.videos:
        chosen = video_list.select(
            splits=selection.splits, categories=selection.categories, limit=selection.limit
        )
        return [(video.video_id, video.split) for video in chosen]
    homes: dict[str, list[Split]] = {}
    for video in video_list.videos():
        homes[video.video_id] = [video.split]
    for video_id, split in known:
        if split not in homes.setdefault(video_id, []):
            homes[video_id].append(split)
    asked: list[tuple[str, Split | None]] = []
    taken: Counter[Split] = Counter()
    for video_id in dict.fromkeys(selection.videos):
        if video_id not in homes:
            asked.append((video_id, None))
        for split in homes.get(video_id, []):
            wanted = not selection.splits or split in selection.splits
            if wanted and (selection.limit is None or taken[split] < selection.limit):
                taken[split] += 1
                asked.append((video_id, split))
    return asked

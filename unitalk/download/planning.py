"""What to fetch: which commit, which videos, which of their files the disk lacks."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unitalk import catalog, fsops, layout
from unitalk.errors import UnitalkError, UsageError
from unitalk.hub import RemoteFile
from unitalk.layout import PARTS, SPLITS, Layout, Part, Split

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from unitalk.hub import Hub

MADE_BY = "download"
"""What the marker of the folder says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What to download; the default is all that is published.

    Attributes:
        splits: keep these; empty keeps all.
        categories: keep these; empty keeps all. Only val videos have one.
        videos: these ids instead of the published lists; `splits` and `limit` still apply.
        limit: at most this many videos of each split, in the order of the list.
        parts: what to fetch of each video.
    """

    splits: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    limit: int | None = None
    parts: tuple[Part, ...] = PARTS


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """One part of one video, as the hub has it; `present` when the disk has it too."""

    remote: RemoteFile
    part: Part
    split: Split
    video_id: str
    present: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, JSON-ready."""
        return {
            "path": self.remote.path,
            "part": self.part,
            "split": self.split,
            "video_id": self.video_id,
            "size": self.remote.size,
            "hash": self.remote.hash,
            "present": self.present,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingVideo:
    """A video that was asked for and of which the hub lacks parts; no split when it has none."""

    video_id: str
    split: Split | None
    parts: tuple[Part, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, JSON-ready."""
        return {"video_id": self.video_id, "split": self.split, "parts": list(self.parts)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What `run` will do.

    Attributes:
        root: the dataset's folder.
        repository: where from.
        commit: the one that is downloaded.
        files: what was asked for and is on the hub, in the order of the lists.
        missing: what was asked for and is not on the hub.
        extra: hub paths of videos that no published list has; not downloaded unless asked for.
        notes: what the reader should know before.
        tree: the whole commit, as listed.
    """

    root: Path
    repository: str
    commit: str
    files: tuple[PlannedFile, ...]
    missing: tuple[MissingVideo, ...]
    extra: tuple[str, ...]
    notes: tuple[str, ...]
    tree: tuple[RemoteFile, ...] = field(repr=False)

    @property
    def to_fetch(self) -> tuple[PlannedFile, ...]:
        """The files that the disk lacks."""
        return tuple(file for file in self.files if not file.present)

    def bytes_by_split(self) -> dict[str, dict[str, int]]:
        """The listed bytes of each split, and how many of them the disk lacks."""
        counts: dict[str, dict[str, int]] = {}
        for file in self.files:
            count = counts.setdefault(file.split, {"listed": 0, "to_fetch": 0})
            count["listed"] += file.remote.size
            count["to_fetch"] += 0 if file.present else file.remote.size
        return counts

    def to_dict(self) -> dict[str, Any]:
        """Return all but the tree, JSON-ready."""
        return {
            "schema_version": 1,
            "root": str(self.root),
            "repository": self.repository,
            "commit": self.commit,
            "bytes": self.bytes_by_split(),
            "files": [file.to_dict() for file in self.files],
            "missing": [video.to_dict() for video in self.missing],
            "extra": list(self.extra),
            "warnings": list(self.notes),
        }


def plan(
    hub: Hub, root: Path, *, revision: str | None = None, selection: Selection | None = None
) -> Plan:
    """Decide what to fetch; nothing is written.

    Args:
        hub: where from.
        root: the dataset's folder: new, empty, or made by an earlier download.
        revision: a branch, tag or commit; default: the commit that the folder already belongs to,
            for a new one the newest.
        selection: which videos, and what of each; default: all that is published.

    Raises:
        DestinationError: the folder is not ours.
        UsageError: the folder belongs to another repository or commit, or the selection
            contradicts itself.
        HubError: the hub refused, or could not be reached.
    """
    root = Path(root).resolve()
    wanted = Selection() if selection is None else selection
    _check_selection(wanted)
    pinned = pinned_commit(root, hub.repository)
    commit, notes = _choose_commit(hub, root, pinned, revision)
    tree = remembered_tree(root, commit)
    if tree is None:
        tree = hub.tree(commit)
    known = videos_on_hub(tree)
    files, missing = _match(root, wanted.parts, _choose_videos(wanted, known), tree)
    published = {(video.video_id, video.split) for video in catalog.videos()}
    return Plan(
        root=root,
        repository=hub.repository,
        commit=commit,
        files=files,
        missing=missing,
        extra=tuple(f"{split}/{name}" for name, split in known if (name, split) not in published),
        notes=notes,
        tree=tree,
    )


def _match(
    root: Path,
    parts: Sequence[Part],
    videos: Iterable[tuple[str, Split | None]],
    tree: Iterable[RemoteFile],
) -> tuple[tuple[PlannedFile, ...], tuple[MissingVideo, ...]]:
    """Look each part of each video up on the hub and on the disk."""
    on_hub = {file.path: file for file in tree}
    files: list[PlannedFile] = []
    missing: list[MissingVideo] = []
    for video_id, split in videos:
        lacking: list[Part] = []
        for part in dict.fromkeys(parts):
            remote = on_hub.get(layout.hub_path(part, split, video_id)) if split else None
            if split is None or remote is None:
                lacking.append(part)
                continue
            there = is_present(root, remote, part, split, video_id)
            files.append(
                PlannedFile(remote=remote, part=part, split=split, video_id=video_id, present=there)
            )
        if lacking:
            missing.append(MissingVideo(video_id=video_id, split=split, parts=tuple(lacking)))
    return tuple(files), tuple(missing)


def _check_selection(selection: Selection) -> None:
    for split in selection.splits:
        if split not in SPLITS:
            raise UsageError(f"unknown split {split!r}", hint=f"splits: {', '.join(SPLITS)}")
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
    if not selection.videos:  # a category that is none, a split without it: before the hub is asked
        catalog.select(splits=selection.splits, categories=selection.categories)


def pinned_commit(root: Path, repository: str) -> str | None:
    """The commit that a folder belongs to; None for one that is new.

    Raises:
        DestinationError: the folder is not ours.
        UsageError: it belongs to another repository.
    """
    marker_file = Layout(root).marker
    # A run that died before it wrote its marker left nothing but our own folder.
    if root.is_dir() and not marker_file.exists() and set(os.listdir(root)) <= {".unitalk"}:
        return None
    fsops.check_destination(root, made_by=MADE_BY, overwrite=True, in_place=True)
    marker = fsops.read_json(marker_file)
    if marker is None:
        return None
    if marker.get("repository") != repository:
        raise UsageError(
            f"{root} holds {marker.get('repository')}, and {repository} is asked for",
            hint="give another folder",
        )
    return str(marker.get("commit"))


def _choose_commit(
    hub: Hub, root: Path, pinned: str | None, revision: str | None
) -> tuple[str, tuple[str, ...]]:
    commit = hub.commit("main" if revision is None else revision)
    if pinned is None or pinned == commit:
        return commit, ()
    if revision is not None:
        raise UsageError(
            f"{root} belongs to commit {pinned}, and {revision} is commit {commit}",
            hint="leave the revision out to continue with that commit, or give another folder",
        )
    note = f"the hub has moved on to {commit}; this folder stays at {pinned}"
    return pinned, (note,)


def tree_file(root: Path, commit: str) -> Path:
    """Where a commit's listing is remembered."""
    return Layout(root).memory / f"tree-{commit}.json"


def remembered_tree(root: Path, commit: str) -> tuple[RemoteFile, ...] | None:
    """A commit never changes, so its listing is asked for once."""
    try:
        entries = fsops.read_json(tree_file(root, commit))
        return None if entries is None else tuple(RemoteFile(**entry) for entry in entries)
    except (UnitalkError, TypeError):  # damaged from outside: ask again
        return None


def videos_on_hub(tree: Iterable[RemoteFile]) -> tuple[tuple[str, Split], ...]:
    """The videos of which the hub has any part, by split and id."""
    parsed = (layout.parse_hub_path(file.path) for file in tree)
    found = {
        (video_id, split) for _, split, video_id in filter(None, parsed) if video_id.strip(".")
    }
    return tuple(sorted(found, key=lambda video: (SPLITS.index(video[1]), video[0])))


def _choose_videos(
    selection: Selection, known: Iterable[tuple[str, Split]]
) -> list[tuple[str, Split | None]]:
    """The ids that are asked for; without a split when neither lists nor hub know one."""
    if not selection.videos:
        chosen = catalog.select(
            splits=selection.splits, categories=selection.categories, limit=selection.limit
        )
        return [(video.video_id, video.split) for video in chosen]
    homes: dict[str, list[Split]] = {}
    for video in catalog.videos():
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


def receipt_path(root: Path, hub_path: str) -> Path:
    """Where it is written down whose content a final name has."""
    return Layout(root).memory / "receipts" / f"{hub_path}.json"


def is_present(root: Path, remote: RemoteFile, part: Part, split: str, video_id: str) -> bool:
    """Whether the disk has a part whole: its final name, and a receipt with the listed hash."""
    final = Layout(root).part(part, split, video_id)
    return final.exists() and receipted_hash(root, remote.path) == remote.hash


def receipted_hash(root: Path, hub_path: str) -> str | None:
    """The hash in a receipt; None where there is no receipt, empty where it is damaged."""
    try:
        receipt = fsops.read_json(receipt_path(root, hub_path))
    except UnitalkError:  # damaged from outside: as good as none
        return ""
    return None if receipt is None else str(receipt.get("hash"))

"""Plans a download: which commit, which videos, which of their files the disk lacks."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from unitalk import layout
from unitalk.catalog import video_list
from unitalk.dataset.download import receipts, video_selection
from unitalk.dataset.download.video_selection import Selection
from unitalk.errors import DestinationError, UsageError
from unitalk.files import check_destination, disk_boundary, read_json
from unitalk.layout import Layout, Part, Split
from unitalk.report import INTERNAL, Report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from unitalk.dataset.download.receipts import State
    from unitalk.net import Hub, RemoteFile

MADE_BY = "download"
"""The verb in the folder's marker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile(Report):
    """One part of one video, as the hub has it, and what the disk has of it."""

    computed: ClassVar = ("path", "size", "hash")

    remote: RemoteFile = field(metadata=INTERNAL)
    part: Part
    split: Split
    video_id: str
    state: State

    @classmethod
    def found(
        cls,
        root: Path,
        remote: RemoteFile,
        where: tuple[Part, Split, str],
        *,
        archives_only: bool = False,
        refetch: bool = False,
    ) -> PlannedFile:
        """A file of the hub and its state on the disk; the selection may ask to fetch it again."""
        part, split, video_id = where
        state = receipts.state_of(root, remote, *where, archives_only=archives_only)
        if refetch and state == "present":
            kept = part != "csv" and not archives_only and receipts.has_archive(root, remote)
            state = "archived" if kept else "absent"
        return cls(remote=remote, part=part, split=split, video_id=video_id, state=state)

    @property
    def where(self) -> tuple[Part, Split, str]:
        """Of which video it is which part."""
        return self.part, self.split, self.video_id

    @property
    def present(self) -> bool:
        """Whether there is nothing to do."""
        return self.state == "present"

    @property
    def path(self) -> str:
        """Where the hub has it."""
        return self.remote.path

    @property
    def size(self) -> int:
        """Its bytes on the hub."""
        return self.remote.size

    @property
    def hash(self) -> str:
        """The hash that proves them."""
        return self.remote.hash


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingVideo(Report):
    """A video that was asked for and of which the hub lacks parts; no split when it has none."""

    video_id: str
    split: Split | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Report):
    """What `run_download` will do.

    Attributes:
        root: the dataset's folder.
        repository: where from.
        commit: the one that is downloaded.
        previous: the commit that the folder leaves, when it is updated.
        adopting: whether other means began the folder; its files are checked and kept.
        archives_only: whether archives are kept and not unpacked.
        refetch: whether what is there is made again.
        files: what was asked for and is on the hub, in the order of the lists; then what the
            folder holds of another content than this commit's.
        missing: what was asked for and is not on the hub.
        withdrawn: hub paths of what the folder has and the commit has not.
        extra: hub paths of videos that no published list has; not downloaded unless asked for.
        notes: what the reader should know before.
        tree: the whole commit, as listed.
    """

    schema_version: ClassVar = 1
    computed: ClassVar = ("bytes",)

    root: Path
    repository: str
    commit: str
    previous: str | None = None
    adopting: bool = False
    archives_only: bool = False
    refetch: bool = False
    files: tuple[PlannedFile, ...]
    missing: tuple[MissingVideo, ...] = ()
    withdrawn: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=(), metadata={"json": "warnings"})
    tree: tuple[RemoteFile, ...] = field(repr=False, metadata=INTERNAL)

    @property
    def to_do(self) -> tuple[PlannedFile, ...]:
        """The files that are not in place."""
        return tuple(file for file in self.files if not file.present)

    @property
    def to_fetch(self) -> tuple[PlannedFile, ...]:
        """The files whose bytes the disk lacks, as far as can be seen without looking into it."""
        return tuple(file for file in self.to_do if file.state != "archived")

    @property
    def bytes(self) -> dict[str, dict[str, int]]:
        """The listed bytes of each split, and how many of them the disk lacks."""
        counts: dict[str, dict[str, int]] = {}
        for file in self.files:
            count = counts.setdefault(file.split, {"listed": 0, "to_fetch": 0})
            count["listed"] += file.size
            count["to_fetch"] += file.size if file.state in {"absent", "unproven"} else 0
        return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """What a dataset's marker says."""

    commit: str | None
    adopted: bool


@disk_boundary("root")
def plan_download(
    hub: Hub,
    root: Path,
    *,
    revision: str | None = None,
    selection: Selection | None = None,
    update: bool = False,
    adopt: bool = False,
) -> Plan:
    """Decide what to fetch; nothing is written.

    Args:
        hub: where from.
        root: the dataset's folder: new, empty, made by an earlier download, or (with `adopt`) a
            dataset that other means began.
        revision: a branch, tag or commit; default: the commit that the folder already belongs to,
            for a new one, and with `update`, the newest.
        selection: which videos, and what of each; default: all that is published, with `update`
            all that the folder has.
        update: move the folder to the revision; all that it has is brought there.
        adopt: take over a dataset that no download of ours made.

    Raises:
        DestinationError: the folder is not ours.
        UsageError: the folder belongs to another repository or commit, or the selection
            contradicts itself.
        HubError: the hub refused, or could not be reached.
    """
    root = Path(root).resolve()
    wanted = Selection() if selection is None else selection
    video_selection.check(wanted)
    folder = look_at(root, hub.repository, adopt=adopt)
    if folder.adopted and "csv" not in wanted.parts:  # by which the rest is judged
        wanted = replace(wanted, parts=("csv", *wanted.parts))
    if update and folder.commit is None:
        raise UsageError(
            f"{root}: there is no download to update", hint="leave out `update` to start one"
        )
    commit, notes = _choose_commit(hub, root, folder.commit, revision, update=update)
    tree = receipts.remembered_tree(root, commit)
    if tree is None:
        tree = hub.tree(commit)
    known = video_selection.videos_on_hub(tree)
    only_held = update and wanted.is_everything
    videos = [] if only_held else video_selection.videos(wanted, known)
    files, missing = _match(root, wanted, videos, tree)
    held = receipts.held(root)
    files += _held(root, held, tree, but={file.remote.path for file in files}, outdated=update)
    listed = {file.path for file in tree}
    published = {(video.video_id, video.split) for video in video_list.videos()}
    return Plan(
        root=root,
        repository=hub.repository,
        commit=commit,
        previous=folder.commit if folder.commit != commit else None,
        adopting=folder.adopted,
        archives_only=wanted.archives_only,
        refetch=wanted.refetch,
        files=files,
        missing=missing,
        withdrawn=tuple(name for name in held if name not in listed),
        extra=tuple(f"{split}/{name}" for name, split in known if (name, split) not in published),
        notes=notes,
        tree=tree,
    )


def _match(
    root: Path,
    wanted: Selection,
    videos: Iterable[tuple[str, Split | None]],
    tree: Iterable[RemoteFile],
) -> tuple[tuple[PlannedFile, ...], tuple[MissingVideo, ...]]:
    """Look up each part of each video on the hub and on the disk."""
    on_hub = {file.path: file for file in tree}
    files: list[PlannedFile] = []
    missing: list[MissingVideo] = []
    for video_id, split in videos:
        lacking: list[Part] = []
        for part in dict.fromkeys(wanted.parts):
            remote = on_hub.get(layout.hub_path(part, split, video_id)) if split else None
            if split is None or remote is None:
                lacking.append(part)
            else:
                where = (part, split, video_id)
                file = PlannedFile.found(root, remote, where, archives_only=wanted.archives_only,
                                         refetch=wanted.refetch)  # fmt: skip
                files.append(file)
        if lacking:
            missing.append(MissingVideo(video_id=video_id, split=split, parts=tuple(lacking)))
    return tuple(files), tuple(missing)


def _held(
    root: Path,
    held: dict[str, str],
    tree: Iterable[RemoteFile],
    *,
    but: set[str],
    outdated: bool,
) -> tuple[PlannedFile, ...]:
    """What the folder has beside what is asked for: all of it, or what is not of this commit.

    A folder is of one commit, so any next run repairs an interrupted update and damaged parts.
    """
    on_hub = {file.path: file for file in tree}
    files = []
    for name, has in held.items():
        remote, where = on_hub.get(name), layout.parse_hub_path(name)
        if remote is None or where is None or name in but:
            continue
        # With a receipt and bytes, it was about to be replaced when a run died.
        if outdated or has != remote.hash or receipts.partial(root, remote, *where).exists():
            files.append(PlannedFile.found(root, remote, where))
    return tuple(files)


def look_at(root: Path, repository: str, *, adopt: bool = False) -> Folder:
    """The commit that a folder belongs to, and whether it was adopted.

    Raises:
        DestinationError: the folder is not ours, and not to be adopted.
        UsageError: it belongs to another repository.
    """
    marker_file = Layout(root).marker
    if root.is_dir() and not marker_file.exists():
        # A run that died before it wrote its marker left nothing but our own folder.
        if set(os.listdir(root)) <= {".unitalk"}:
            return Folder(commit=None, adopted=False)
        if Layout(root).looks_like_one():
            if adopt:
                return Folder(commit=None, adopted=True)
            raise DestinationError(
                f"{root} holds a dataset that no download of this program made",
                hint="`adopt=True` takes it over: what is whole is kept, the rest is fetched",
            )
    check_destination(root, made_by=MADE_BY, overwrite=True, in_place=True)
    marker = read_json(marker_file)
    if marker is None:
        return Folder(commit=None, adopted=False)
    if marker.get("repository") != repository:
        raise UsageError(
            f"{root} holds {marker.get('repository')}, and {repository} is asked for",
            hint="give another folder",
        )
    return Folder(commit=str(marker.get("commit")), adopted=bool(marker.get("adopted")))


def _choose_commit(
    hub: Hub, root: Path, pinned: str | None, revision: str | None, *, update: bool
) -> tuple[str, tuple[str, ...]]:
    commit = hub.commit("main" if revision is None else revision)
    if pinned is None or pinned == commit:
        return commit, ()
    if update:
        return commit, (f"the folder moves from commit {pinned} to {commit}",)
    if revision is not None:
        raise UsageError(
            f"{root} belongs to commit {pinned}, and {revision} is commit {commit}",
            hint="`update=True` moves the folder there; without a revision it stays at its commit",
        )
    note = f"the hub has moved on to {commit}; this folder stays at {pinned} without `update`"
    return pinned, (note,)

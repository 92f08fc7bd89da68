"""Unpacks the archives that a download kept, here or into another folder; no network."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from unitalk import layout
from unitalk.dataset.download import download, planning, receipts, video_selection
from unitalk.dataset.download.planning import Plan, PlannedFile
from unitalk.dataset.download.video_selection import Selection
from unitalk.errors import DestinationError, LayoutError
from unitalk.files import check_apart, disk_boundary, read_json
from unitalk.layout import ARCHIVES, Layout
from unitalk.net.transfer import JOBS

if TYPE_CHECKING:
    from unitalk.dataset.download.download import DownloadReport
    from unitalk.net import RemoteFile
    from unitalk.progress import Progress


@disk_boundary("source")
def unpack_archives(
    source: Path,
    destination: Path | None = None,
    *,
    selection: Selection | None = None,
    jobs: int = JOBS,
    remove: bool = False,
    progress: Progress | None = None,
) -> DownloadReport:
    """Unpack the kept archives of a download; each is compared with its listed hash before.

    Args:
        source: a dataset that was downloaded with its archives kept.
        destination: another folder, new, empty or made by an earlier call, which becomes a dataset
            of its own; default: the source itself.
        selection: which videos, and what of each; default: all that is kept.
        jobs: how many archives are read at a time.
        remove: delete each archive of the source once what was in it is in place; only without a
            destination.
        progress: where to report to.

    Raises:
        LayoutError: the source is no download of ours, or no archive is kept that was asked for.
        DestinationError: the destination is not free.
        UnitalkError: the disk is full.
    """
    source = Path(source).resolve()
    root = source if destination is None else Path(destination).resolve()
    wanted = Selection() if selection is None else selection
    video_selection.check(wanted)
    repository, commit, tree = _listing(source)
    if root != source:
        check_apart(source, root)
        folder = planning.look_at(root, repository)
        if folder.commit not in {None, commit}:
            raise DestinationError(
                f"{root} belongs to commit {folder.commit}, and {source} to {commit}",
                hint="give another destination",
            )
    files = _kept(source, root, wanted, tree)
    plan = Plan(root=root, repository=repository, commit=commit, files=files, tree=tree)
    from_here = (source / ARCHIVES, source)
    report = download.run_download(plan, None, jobs=jobs, keep_archives=True, sources=from_here,
                         progress=progress)  # fmt: skip
    if remove and root == source:
        for path in (*report.unpacked, *report.present):
            _drop(source, path)
    return report


def _listing(source: Path) -> tuple[str, str, tuple[RemoteFile, ...]]:
    """The repository and the commit of a folder, and what the hub listed of it."""
    marker = read_json(Layout(source).marker)
    about = marker if isinstance(marker, dict) else {}
    tree = receipts.remembered_tree(source, str(about.get("commit")))
    if tree is None:
        raise LayoutError(
            f"{source} is no download of this program: it does not know what the archives are",
            hint="`run_download(PLAN, HUB, sources=(FOLDER,))` takes whole files from any folder",
        )
    return str(about.get("repository")), str(about.get("commit")), tree


def _kept(
    source: Path, root: Path, wanted: Selection, tree: tuple[RemoteFile, ...]
) -> tuple[PlannedFile, ...]:
    """The parts whose archives are kept, and the csv files of their videos."""
    listed = {file.path: file for file in tree}
    found: list[PlannedFile] = []
    everything = video_selection.videos_on_hub(tree)
    chosen = everything if wanted.is_everything else video_selection.videos(wanted, everything)
    for video_id, split in chosen:
        for part in wanted.parts if split else ():
            remote = listed.get(layout.hub_path(part, str(split), video_id))
            if remote is None or split is None:
                continue
            place = receipts.archive(source, remote.path)
            if part == "csv":
                place = Layout(source).video_csv(split, video_id)
            if place.is_file():
                where = (part, split, video_id)
                found.append(PlannedFile.found(root, remote, where, refetch=wanted.refetch))
    if not any(file.part != "csv" for file in found):
        raise LayoutError(
            f"{source}: no archive is kept that was asked for",
            hint="`run_download(PLAN, HUB, keep_archives=True)` keeps them below archives/",
        )
    return tuple(found)


def _drop(source: Path, path: str) -> None:
    """Delete a kept archive whose content is in place."""
    if layout.parse_hub_path(path) is None or path.startswith("csv/"):
        return
    receipts.archive(source, path).unlink(missing_ok=True)
    receipts.store(source).remove(receipts.archive_receipt(path))
    with contextlib.suppress(OSError):  # others are in it
        receipts.archive(source, path).parent.rmdir()

"""`unitalk download`."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from unitalk.cli._shared.common_options import (
    FOLDER,
    category_option,
    limit_option,
    published_splits_option,
    threads_option,
    verb,
    videos_option,
)
from unitalk.cli._shared.option_group import option_group
from unitalk.errors import IncompleteError
from unitalk.progress import size
from unitalk.text_table import align, counted

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.cli._shared.console import Console
    from unitalk.dataset.download import DownloadReport, MissingVideo, Plan, Selection
    from unitalk.layout import Part


def _parts(_: click.Context, __: click.Parameter, chosen: tuple[Part, ...]) -> object:
    """None where no part is chosen: the default."""
    return chosen or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where files come from."""

    revision: str | None = None
    endpoints: tuple[str, ...]
    sources: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """What is done with files, besides the download."""

    dry_run: bool
    update: bool
    adopt: bool
    keep_archives: bool


@verb("download")
@click.option("--save-path", type=FOLDER, required=True, help="Folder for the dataset.")
@option_group(
    "selection",
    "unitalk.dataset.download:Selection",
    published_splits_option,
    category_option,
    videos_option,
    limit_option,
    click.option(
        "--only",
        "parts",
        type=click.Choice(["csv", "audio", "video"]),
        multiple=True,
        callback=_parts,
        help="Only annotations (csv), audio, or face crops (video); repeatable.  [default: all]",
    ),
    click.option("--refetch", is_flag=True, help="Download everything again, even complete files."),
    click.option(
        "--no-unpack",
        "archives_only",
        is_flag=True,
        help="Save the archives to archives/ without unpacking them.",
    ),
)
@option_group(
    "mode",
    f"{__name__}:Mode",
    click.option(
        "--keep-archives", is_flag=True, help="After unpacking, keep the archives in archives/."
    ),
    click.option("--dry-run", is_flag=True, help="Show what would be downloaded, then stop."),
    click.option(
        "--update",
        is_flag=True,
        help="Bring an existing download up to the newest commit, or to --revision.",
    ),
    click.option(
        "--adopt", is_flag=True, help="Continue in a folder that UniTalk's original script filled."
    ),
)
@option_group(
    "source",
    f"{__name__}:Source",
    click.option(
        "--revision", metavar="REV", help="Branch, tag or commit to download.  [default: newest]"
    ),
    click.option(
        "--endpoint",
        "endpoints",
        metavar="URL",
        multiple=True,
        help="URL of the hub; repeat to add mirrors, tried in order.  [env: HF_ENDPOINT]",
    ),
    click.option(
        "--archives",
        "sources",
        type=FOLDER,
        multiple=True,
        help="Look for archives in this folder before downloading them; repeatable.",
    ),
)
@threads_option("Number of parallel downloads.")
def command(
    console: Console,
    *,
    save_path: Path,
    selection: Selection,
    mode: Mode,
    source: Source,
    jobs: int,
) -> None:
    """Download the UniTalk dataset, or a part of it.

    Downloads one revision of the dataset, several files at a time, checks them against the sizes
    and hashes on the Hugging Face Hub, and unpacks them. To resume, run the same command again:
    complete files are not downloaded again.
    """
    from unitalk.catalog.video_list import REPOSITORY
    from unitalk.dataset.download import plan_download, run_download
    from unitalk.net import Hub, credentials, patience

    found_endpoint, token = credentials(os.environ)
    with Hub(
        source.endpoints or found_endpoint, REPOSITORY, token=token,
        patience=patience(os.environ), say=console.say,
    ) as hub:  # fmt: skip
        planned = plan_download(
            hub, save_path, revision=source.revision, selection=selection, update=mode.update,
            adopt=mode.adopt,
        )  # fmt: skip
        if mode.dry_run:
            console.emit(planned, render_plan(planned))
            console.warn(planned.notes)
            complete = not planned.missing
        else:
            report = run_download(
                planned, hub, jobs=jobs, keep_archives=mode.keep_archives,
                sources=source.sources, progress=console.progress,
            )  # fmt: skip
            console.emit(report, render(report))
            console.warn(report.warnings)
            complete = report.complete
    if planned.extra:
        console.say(
            f"on the hub, but not in UniTalk's lists: {counted(len(planned.extra), 'video')}; "
            "download them with --video"
        )
    if not complete:
        sys.exit(IncompleteError.exit_code)


def render_plan(plan: Plan) -> str:
    """What would be fetched, by split."""
    rows = []
    for split, count in plan.bytes.items():
        files = [file for file in plan.files if file.split == split]
        rows.append(
            [
                split,
                f"{len({file.video_id for file in files}):,}",
                f"{len(files):,}",
                size(count["listed"]),
                f"{sum(file.state in {'absent', 'unproven'} for file in files):,}",
                size(count["to_fetch"]),
            ]
        )
    head = ["split", "videos", "files", "size", "to fetch", "size"]
    lines = [f"{plan.repository} at commit {plan.commit}", align([head, *rows], right=range(1, 6))]
    archived = sum(file.state == "archived" for file in plan.files)
    unproven = sum(file.state == "unproven" for file in plan.files)
    if archived:
        lines.append(f"to unpack: {counted(archived, 'kept archive')}")
    if unproven and plan.adopting:
        lines.append(f"to check: {counted(unproven, 'existing file')}; complete files are kept")
    lines += [f"no longer in the commit: {path}" for path in plan.withdrawn]
    return "\n".join(lines + _missing(plan.missing))


def render(report: DownloadReport) -> str:
    """What was fetched or unpacked, and what was not."""
    lines = [
        f"{report.root}: {report.repository} at commit {report.commit}",
        f"downloaded {counted(len(report.fetched), 'file')}, {size(report.bytes_fetched)}; "
        f"{len(report.present):,} existed already",
    ]
    if report.unpacked:
        lines.append(f"{len(report.unpacked):,} unpacked from files on the disk")
    if report.adopted:
        lines.append(f"{len(report.adopted):,} adopted unchanged")
    lines += [f"{path}: {counted(count, 'video')}" for path, count in report.csv.items()]
    lines += [f"failed: {file.path}: {file.cause}" for file in report.failed]
    lines += [f"no longer in the commit, moved to withdrawn/: {path}" for path in report.withdrawn]
    lines += _missing(report.missing)
    if report.failed:
        lines.append("incomplete: run the same command again to continue")
    if report.failed_list is not None:
        lines.append(f"or only what is left, with --video @{report.failed_list}")
    return "\n".join(lines)


def _missing(videos: tuple[MissingVideo, ...]) -> list[str]:
    return [
        f"not on the hub: {video.video_id}"
        + (f" ({', '.join(video.parts)})" if video.split else "")
        for video in videos
    ]

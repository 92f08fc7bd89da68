"""`unitalk ava download`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from unitalk.cli._shared.common_options import (
    FILE,
    destination_option,
    limit_option,
    threads_option,
    verb,
    videos_option,
)
from unitalk.errors import IncompleteError
from unitalk.progress import size
from unitalk.text_table import align, counted

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.cli._shared.console import Console
    from unitalk.dataset.ava.ava_download import AvaPlan, AvaReport
    from unitalk.dataset.ava.ava_lists import AvaSplit


@verb("download")
@destination_option("Folder for the videos.")
@click.option(
    "--split", "splits", type=click.Choice(["trainval", "test"]), multiple=True,
    help="Only this part of AVA, which publishes train and val together; repeatable.  "
    "[default: both]",
)  # fmt: skip
@click.option(
    "--list", "lists", type=FILE, multiple=True,
    help="File with the names to download, such as trainval_file_list.txt; repeatable.  "
    "[default: the lists on the server]",
)  # fmt: skip
@click.option(
    "--base-url", "base_urls", metavar="URL", multiple=True,
    help="URL of the server; repeat to add mirrors, tried in order.  [default: AVA's server]",
)  # fmt: skip
@videos_option
@limit_option
@threads_option("Number of parallel downloads.")
@click.option("--dry-run", is_flag=True, help="Show what would be downloaded, then stop.")
def command(
    console: Console,
    *,
    destination: Path,
    splits: tuple[AvaSplit, ...],
    lists: tuple[Path, ...],
    base_urls: tuple[str, ...],
    videos: tuple[str, ...],
    limit: int | None,
    jobs: int,
    dry_run: bool,
) -> None:
    """Download AVA's videos.

    Files are downloaded in parallel and checked against the size and MD5 that the server reports.
    To resume, run the same command again: partial downloads are continued, and complete files
    skipped.
    """
    from unitalk.dataset.ava.ava_download import BASE_URL, download_ava, plan_ava
    from unitalk.net import patience
    from unitalk.net.site import Site

    console.protect(*lists)
    with Site(
        base_urls or BASE_URL, patience=patience(os.environ), say=console.say
    ) as site:  # fmt: skip
        planned = plan_ava(
            site,
            destination,
            splits=splits,
            list_files=lists,
            videos=videos,
            limit=limit,
            jobs=jobs,
        )
        if dry_run:
            console.emit(planned, _render_plan(planned))
            complete = not planned.unknown and not planned.missing
        else:
            report = download_ava(planned, site, jobs=jobs, progress=console.progress)
            console.emit(report, _render(report))
            console.warn(report.warnings)
            complete = report.complete
    if not complete:
        sys.exit(IncompleteError.exit_code)


def _render_plan(plan: AvaPlan) -> str:
    """What would be fetched, by split."""
    rows: list[list[object]] = [["split", "videos", "in place", "to fetch", "size"]]
    for split in dict.fromkeys(video.split for video in plan.videos):
        of_it = [video for video in plan.videos if video.split == split]
        to_do = [video for video in plan.to_do if video.split == split]
        open_ = sum(video.size is None for video in to_do)
        amount = size(sum((v.size or v.have) - v.have for v in to_do if v.state == "absent"))
        rows.append(
            [
                split, f"{len(of_it):,}", f"{sum(v.state == 'present' for v in of_it):,}",
                f"{sum(v.state == 'absent' for v in to_do):,}",
                amount + (f" and {open_:,} of unknown size" if open_ else ""),
            ]
        )  # fmt: skip
    lines = [f"{' or '.join(plan.base_urls)}", align(rows, right=range(1, 4))]
    unproven = [video.path for video in plan.to_do if video.state == "unproven"]
    if unproven:
        lines.append(f"{len(unproven):,} existing files will be compared with the server's size")
    return "\n".join(lines + _not_there(plan.missing, plan.unknown))


def _render(report: AvaReport) -> str:
    """What was fetched, and what was not."""
    lines = [
        f"{report.root}: downloaded {counted(len(report.fetched), 'file')}, "
        f"{size(report.bytes_fetched)}; {len(report.present):,} existed already"
    ]
    if report.adopted:
        lines.append(f"{len(report.adopted):,} existing files kept unchanged")
    lines += [f"failed: {file.path}: {file.cause}" for file in report.failed]
    lines += _not_there(report.missing, report.unknown)
    if report.failed:
        lines.append("incomplete: run the same command again to continue")
    if report.failed_list is not None:
        lines.append(f"or only what is left, with --video @{report.failed_list}")
    return "\n".join(lines)


def _not_there(missing: tuple[str, ...], unknown: tuple[str, ...]) -> list[str]:
    return [
        *(f"not on the server: {path}" for path in missing),
        *(f"in no list: {video}" for video in unknown),
    ]

"""`unitalk download`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from unitalk.cli.options import FOLDER, common_options, report_options, splits_option
from unitalk.cli.output import Console, table
from unitalk.errors import IncompleteError
from unitalk.progress import size

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.download import DownloadReport, MissingVideo, Plan
    from unitalk.layout import Part


@click.command("download")
@click.option("--save-path", type=FOLDER, required=True, help="The dataset's folder.")
@splits_option
@click.option(
    "--category", "categories", multiple=True, metavar="NAME",
    help="Only this category of the val split; repeatable.",
)  # fmt: skip
@click.option("--video", "videos", multiple=True, metavar="ID", help="Only this one; repeatable.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many videos of each split.")
@click.option(
    "--only", "parts", type=click.Choice(["csv", "audio", "video"]), multiple=True,
    help="Only this part of each video; repeatable.  [default: all]",
)  # fmt: skip
@click.option(
    "--jobs", type=click.IntRange(min=1), default=8, show_default=True,
    help="How many files at a time.",
)  # fmt: skip
@click.option("--revision", metavar="REV", help="A branch, a tag or a commit.  [default: newest]")
@click.option("--endpoint", metavar="URL", help="The hub, or a mirror of it.  [env: HF_ENDPOINT]")
@click.option("--dry-run", is_flag=True, help="Show what would be fetched, and fetch nothing.")
@click.option("--keep-archives", is_flag=True, help="Keep the archives below archives/.")
@report_options
@common_options
@click.pass_obj
def command(
    console: Console,
    *,
    save_path: Path,
    splits: tuple[str, ...],
    categories: tuple[str, ...],
    videos: tuple[str, ...],
    limit: int | None,
    parts: tuple[Part, ...],
    jobs: int,
    revision: str | None,
    endpoint: str | None,
    dry_run: bool,
    keep_archives: bool,
    form: str,
    output: Path | None,
) -> None:
    """Download the dataset, or a part of it; run again to continue.

    The files of one commit are listed with sizes and hashes, fetched in parallel, compared, and
    unpacked. Whatever stops it, the same command continues; what is whole is not fetched again.
    """
    from unitalk.catalog import REPOSITORY
    from unitalk.download import Selection, plan, run
    from unitalk.hub import Hub, credentials
    from unitalk.layout import PARTS

    found_endpoint, token = credentials(os.environ)
    selection = Selection(
        splits=splits, categories=categories, videos=videos, limit=limit, parts=parts or PARTS
    )
    with Hub(endpoint or found_endpoint, REPOSITORY, token=token, say=console.say) as hub:
        planned = plan(hub, save_path, revision=revision, selection=selection)
        if dry_run:
            console.emit(planned.to_dict(), render_plan(planned), form, output)
            console.warn(planned.notes)
            complete = not planned.missing
        else:
            report = run(
                planned, hub, jobs=jobs, keep_archives=keep_archives, progress=console.progress
            )
            console.emit(report.to_dict(), render(report), form, output)
            console.warn(report.warnings)
            complete = report.complete
    if planned.extra:
        console.say(
            f"the hub also has {len(planned.extra):,} videos that no published list has; "
            "ask for them with --video"
        )
    if not complete:
        sys.exit(IncompleteError.exit_code)


def render_plan(plan: Plan) -> str:
    """What would be fetched, by split."""
    rows = []
    for split, count in plan.bytes_by_split().items():
        files = [file for file in plan.files if file.split == split]
        rows.append(
            [
                split,
                f"{len({file.video_id for file in files}):,}",
                f"{len(files):,}",
                size(count["listed"]),
                f"{sum(not file.present for file in files):,}",
                size(count["to_fetch"]),
            ]
        )
    head = ["split", "videos", "files", "size", "to fetch", "size"]
    lines = [f"{plan.repository} at commit {plan.commit}", table([head, *rows], right=range(1, 6))]
    return "\n".join(lines + _missing(plan.missing))


def render(report: DownloadReport) -> str:
    """What was fetched, and what was not."""
    lines = [
        f"{report.root}: {report.repository} at commit {report.commit}",
        f"fetched {len(report.fetched):,} files, {size(report.bytes_fetched)}; "
        f"{len(report.present):,} were there",
        *(f"{path}: {count:,} videos" for path, count in report.csv.items()),
        *(f"failed: {file.path}: {file.cause}" for file in report.failed),
        *_missing(report.missing),
    ]
    if report.failed:
        lines.append("incomplete: run the same command again to continue")
    return "\n".join(lines)


def _missing(videos: tuple[MissingVideo, ...]) -> list[str]:
    return [
        f"not on the hub: {video.video_id}"
        + (f" ({', '.join(video.parts)})" if video.split else "")
        for video in videos
    ]

"""`unitalk ava prepare`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unitalk.cli._shared.common_options import SOURCE
from unitalk.cli._shared.console import refuse_to_overwrite
from unitalk.cli.crops import cut_options, finish

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.cli._shared.console import Console
    from unitalk.layout import Split


@click.command("prepare")
@click.option(
    "--csv", type=SOURCE, required=True,
    help="The folder with AVA's csv files or a bundle of them; or an archive.",
)  # fmt: skip
@cut_options
@click.pass_obj
def command(
    console: Console,
    *,
    csv: Path,
    videos_folder: Path,
    destination: Path,
    splits: tuple[Split, ...],
    videos: tuple[str, ...],
    margin: float,
    audio_stream: int | None,
    video_stream: int | None,
    compat: bool,
    drop_missing: bool,
    overwrite: bool,
    jobs: int | None,
    scheduler: str | None,
    form: str,
    output: Path | None,
) -> None:
    """Make a dataset of AVA's annotations and videos.

    Each video is decoded once, from its first face to its last. Run the same command again to
    continue. What is wrong with a video is listed, the others are cut, and it is exit code 3.
    """
    from unitalk.dataset.ava.prepare import prepare_ava
    from unitalk.dataset.crop import CropOptions
    from unitalk.executor import open_executor

    refuse_to_overwrite(output, csv, videos_folder)
    options = CropOptions(
        margin=margin, compat=compat, audio_stream=audio_stream, video_stream=video_stream,
        drop_missing=drop_missing,
    )  # fmt: skip
    with open_executor(jobs=jobs, scheduler=scheduler) as executor:
        report = prepare_ava(
            csv, videos_folder, destination, splits=splits, only=videos,
            options=options, overwrite=overwrite, executor=executor, progress=console.progress,
        )  # fmt: skip
    finish(console, report, form, output)

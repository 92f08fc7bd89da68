"""`unitalk export`."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import click

from unitalk.cli._shared.common_options import (
    FOLDER,
    common_options,
    jobs_options,
    splits_option,
    verb,
    videos_option,
)
from unitalk.errors import DataError
from unitalk.progress import size

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.choices import FormName
    from unitalk.cli._shared.console import Console
    from unitalk.dataset.export import ExportReport

FORMS: dict[FormName, str] = {
    "webdataset": """Write tar files as WebDataset streams them.

    Of a track KEY these are KEY.json (ids, times, labels, boxes), KEY.wav, and KEY.00000.jpg,
    KEY.00001.jpg ... in the order of the times.
    """,
    "parquet": """Write Parquet files, one row a track.

    Face crops and sound are as they are in their files; a row group is a few tracks.
    """,
    "hf": """Write a dataset that load_dataset opens from its folder.

    No script and no network: load_dataset("DESTINATION", split="val", streaming=True). The keys
    are those of the dataset's original loading script; the sound is an array of samples.
    """,
}
"""Each form of a shard and its help."""

_UNITS = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4}
_LEAST = 1_000_000  # bytes, of a number without a unit: whoever types 256 means megabytes


def _read_size(_: click.Context, __: click.Parameter, value: str) -> int:
    """A number of bytes, as `256MB` or `1.5 GB` in powers of 1000, `64MiB` in powers of 1024."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(?:([KMGT]?)(I?)(B?))", value.strip().upper())
    if not found or (found[3] and not found[2]):
        raise click.BadParameter(f"{value!r} is not a size. Give one such as 256MB or 1GB.")
    unit = _UNITS[found[2]]
    if found[3]:
        unit = 1024 ** list(_UNITS).index(found[2])
    amount = int(float(found[1]) * unit)
    if not amount:
        raise click.BadParameter(f"{value!r} is less than a byte. Give a size such as 256MB.")
    if amount < _LEAST and not (found[2] or found[4]):
        raise click.BadParameter(
            f"{value!r} without a unit is {amount:,} bytes. Give {found[1]}MB, or {found[1]}B for "
            "bytes."
        )
    return amount


@common_options
@click.group("export")
def command() -> None:
    """Export tracks as shards, for streaming and for Hugging Face.

    A few large files instead of four million small ones. Face crops keep their bytes. Every shard
    is written by one process, and has its name when it is whole: run the same command again to
    continue. A track that cannot be read is listed, its shard is left out, and it is exit code 3.
    """


def _add_form(name: FormName, text: str) -> None:
    @verb(name, of=command, about=text)
    @click.option("--source", type=FOLDER, required=True, help="The dataset to export.")
    @click.option("--destination", type=FOLDER, required=True, help="The folder to make.")
    @splits_option
    @videos_option
    @click.option(
        "--shard-size", default="256MB", show_default=True, metavar="SIZE", callback=_read_size,
        help="About how large a shard is.",
    )  # fmt: skip
    @click.option("--overwrite", is_flag=True, help="Begin anew in a folder that this verb made.")
    @jobs_options
    def export_form(
        console: Console,
        *,
        source: Path,
        destination: Path,
        jobs: int | None,
        scheduler: str | None,
        **options: Any,
    ) -> None:
        from unitalk.dataset.export import export_tracks
        from unitalk.executor import open_executor

        console.protect(source)
        with open_executor(jobs=jobs, scheduler=scheduler) as executor:
            report = export_tracks(
                source, destination, form=name, executor=executor, progress=console.progress,
                **options,
            )  # fmt: skip
        console.emit(report, render(report))
        if not report.sound:
            sys.exit(DataError.exit_code)


for _name, _text in FORMS.items():
    _add_form(_name, _text)


def render(report: ExportReport) -> str:
    """The report for people."""
    lines = [f"{report.destination}: {report.form}, {size(report.bytes)}"]
    lines += [
        f"{split}: {count['videos']:,} videos, {count['tracks']:,} tracks, "
        f"{count['faces']:,} faces, {count['shards']:,} shards"
        for split, count in report.splits.items()
    ]
    lines.append(f"shards: {report.written:,} written, {report.kept:,} kept from an earlier run")
    lines += [f"wrong: {finding}" for finding in report.findings]
    if report.damaged:
        lines.append(
            f"{report.damaged:,} tracks cannot be read, and their shards were not written: "
            "repair them, then run the same command again"
        )
    return "\n".join(lines)

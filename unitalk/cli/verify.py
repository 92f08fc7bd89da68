"""`unitalk verify`."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import click

from unitalk.choices import LAYOUTS
from unitalk.cli._shared.common_options import FOLDER, NEW_FILE, splits_option, verb
from unitalk.cli._shared.console import refuse_to_overwrite
from unitalk.cli._shared.hints import paragraph, typed
from unitalk.errors import DataError
from unitalk.text_table import WIDTH, counted, shortened, wrapped

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.choices import LayoutName
    from unitalk.cli._shared.console import Console
    from unitalk.dataset.verify import VerifyReport
    from unitalk.layout import Split

_EXAMPLES = 3
_INDENT = "    "
_NAMED = 5  # so many videos are named in a command; more are read from a file
_IDS = "wrong.txt"


@verb("verify")
@click.argument("dataset", type=FOLDER)
@click.option(
    "--deep", is_flag=True, help="Also open every crop and audio file, to find damaged ones."
)
@splits_option
@click.option(
    "--layout", type=click.Choice(LAYOUTS), default="unitalk",
    show_default=True, help="Folder layout to expect.",
)  # fmt: skip
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N",
    help="Number of processes for --deep.  [default: one per processor]",
)  # fmt: skip
@click.option(
    "--ids", type=NEW_FILE, metavar="FILE",
    help="Write to FILE the ids of videos with wrong crops or audio, for --video @FILE.",
)  # fmt: skip
def command(
    console: Console,
    *,
    dataset: Path,
    deep: bool,
    splits: tuple[Split, ...],
    layout: LayoutName,
    jobs: int | None,
    ids: Path | None,
) -> None:
    """Check a dataset for missing, damaged or wrong files.

    Checks that the csv files have the right columns and values, and that every crop and audio file
    is where they say. Problems are grouped by kind, with examples and a remedy; --format json lists
    all of them. If there are any, the exit code is 3.
    """
    from unitalk.dataset.verify import verify_dataset
    from unitalk.files import atomic_write

    console.protect(dataset)
    refuse_to_overwrite(ids, dataset)
    report = verify_dataset(
        dataset, splits=splits, deep=deep, layout=layout, jobs=jobs, progress=console.progress
    )
    if ids is not None:
        with atomic_write(ids) as file:
            file.writelines(f"{video}\n" for video in report.ids)
    commands = _commands(report)
    result = report.to_dict() | {"repairs": commands}
    console.emit(result, render(report, commands))
    if not report.ok:
        sys.exit(DataError.exit_code)


def _commands(report: VerifyReport) -> list[str]:
    """What repairs it, as it is typed."""
    found = []
    for one in report.repairs:
        line = typed(one) or one
        named = re.findall(r" --video[= ](\S+)", line) if line.startswith("unitalk ") else ()
        if len(named) > _NAMED and set(named) <= set(report.ids):
            deep = ", deep=True" * report.deep
            found.append(typed(f"verify_dataset({report.root!r}, ids={_IDS!r}{deep})") or "")
            line = re.sub(r"(?: --video[= ]\S+)+", f" --video @{_IDS}", line)
        found.append(line)
    return list(dict.fromkeys(found))


def render(report: VerifyReport, commands: list[str]) -> str:
    """One line when nothing is wrong; else a table of kinds with examples, and what to do."""
    from unitalk.dataset.verify import KINDS

    seen = (
        f"{counted(report.videos, 'video')}, {counted(report.tracks, 'track')}, "
        f"{counted(report.faces, 'face')}, {counted(report.files, 'file')}"
        + " opened"
        * report.deep
    )
    name = f"{report.root} ({' and '.join(report.splits)})"
    notes = [paragraph(f"note: {note}") for note in report.notes]
    if report.ok:
        return "\n".join([f"{name}: no problems found: {seen}", *notes])
    width = len(f"{max(report.counts.values()):,}")
    lines = [f"{name}: {counted(len(report.findings), 'finding')}: {seen}"]
    for kind, count in report.counts.items():
        about = KINDS[kind]
        lines += [
            "",
            wrapped(f"{count:>{width},}  {kind}: {about.title}", indent=" " * (width + 2)),
        ]
        found = [finding for finding in report.findings if finding.kind == kind]
        lines += [_INDENT + shortened(f.describe(), WIDTH - 4) for f in found[:_EXAMPLES]]
        if count > _EXAMPLES:
            lines.append(f"{_INDENT}and {count - _EXAMPLES:,} more")
        effect = f"{about.effect}; {about.remedy}"
        lines.append(paragraph(effect, head=f"{_INDENT}-> ", indent=f"{_INDENT}   "))
    if commands:
        lines += ["", "to repair it:", *(f"  {command}" for command in commands)]
    return "\n".join([*lines, *([""] if notes else []), *notes])

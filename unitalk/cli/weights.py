"""`unitalk weights`: the published checkpoints."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from unitalk.cli._shared.common_options import FILE, common_options, verb
from unitalk.cli._shared.hints import paragraph, spoken
from unitalk.cli._shared.offline import network_forbidden_by, offline_option
from unitalk.cli._shared.spelling import SpellingGroup
from unitalk.cli._shared.user_folders import weights_folder
from unitalk.errors import DataError, IncompleteError
from unitalk.progress import size
from unitalk.text_table import align, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from unitalk.cli._shared.console import Console
    from unitalk.models.weights import (
        Checkpoint,
        HeldReport,
        SeveralWeightsReport,
        WeightsReport,
    )


@common_options
@click.group("weights", cls=SpellingGroup)
def command() -> None:
    """List, describe and download published weights.

    --weights takes a file or the name of a published checkpoint, which is downloaded if needed.
    Files are kept in $UNITALK_WEIGHTS, by default ~/.cache/unitalk/weights.
    """


@verb("list", of=command)
def list_(console: Console) -> None:
    """List published checkpoints.

    The table has the network that loads each one, and whether its file is on this machine.
    """
    from unitalk.models.weights import HeldList, held

    folder = weights_folder()
    every = held(folder)
    head = ["name", "model", "trained on", "network", "here"]
    rows = [
        [
            one.name, one.model, one.trained_on, one.loads_into or "-",
            "yes" if one.state == "present" else None,
        ]
        for one in every
    ]  # fmt: skip
    console.emit(HeldList(folder=folder, checkpoints=every), align([head, *rows]))
    console.say(f"files are kept in {folder}; `unitalk weights show NAME` describes one")


@verb("show", of=command)
@click.argument("name")
@click.option("--check", is_flag=True, help="Compute the hash even if the file looks unchanged.")
def show(console: Console, *, name: str, check: bool) -> None:
    """Show everything known about a checkpoint.

    This includes how faces are cropped for it, its published score, licence and terms, and the
    file on this machine. If that is not the file that was registered, the exit code is 3.
    """
    from unitalk.catalog.checkpoints import named
    from unitalk.models.weights.local import look

    one = look(named(name), weights_folder(), check=check)
    console.emit(one, _render_one(one))
    if one.state == "altered":
        sys.exit(DataError.exit_code)


@verb("download", of=command)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "all_", is_flag=True, help="Download every published checkpoint.")
@click.option(
    "--from-file", "file", type=FILE, help="Register FILE, which you saved yourself, as NAME."
)
@click.option("--replace", is_flag=True, help="Accept a file that differs from the registered one.")
@offline_option
def download(
    console: Console,
    *,
    names: tuple[str, ...],
    all_: bool,
    file: Path | None,
    replace: bool,
    offline: bool,
) -> None:
    """Download checkpoints, or register a saved file.

    The sha256 is compared with the published one or, if none is published, with that of the file
    first registered under this name. If some downloads fail, the others continue, and the exit
    code is 4: run the same command again for the rest. For checkpoints on Google Drive, first run
    pip install "unitalk[weights]"
    """
    from unitalk.models import weights

    if bool(names) == all_:
        raise click.UsageError("Give NAME, one or several, or --all.")
    if all_:
        names = tuple(one.name for one in weights.checkpoints())
    if file is not None and len(names) != 1:
        raise click.UsageError("--from-file is for one NAME.")
    folder = weights_folder()
    forbidden_by = network_forbidden_by(offline)
    if len(names) > 1:
        several = weights.download_several_weights(
            names, folder, replace=replace, forbidden_by=forbidden_by, progress=console.progress
        )
        console.emit(several, _render_several(several))
        if several.failed:
            sys.exit(IncompleteError.exit_code)
        return
    if file is None:
        report = weights.download_weights(
            names[0], folder, replace=replace, forbidden_by=forbidden_by, progress=console.progress
        )
    else:
        console.protect(file)
        report = weights.register_weights(
            names[0], folder, file, replace=replace, progress=console.progress
        )
    console.emit(report, _render(report))
    console.warn(report.warnings)


_HOW = {"downloaded": "fetched", "registered": "registered", "present": "was there"}
_COMPARED = {
    "table": "the published one",
    "registry": "the registered one",
    None: "remembered from now on",
}


def _render(report: WeightsReport) -> str:
    use = report.checkpoint.loads_into
    lines = [
        f"{report.path}: {_HOW[report.how]}, {size(report.size)}",
        f"sha256 {report.sha256}, {_COMPARED[report.compared_with]}",
    ]
    if use is not None:
        name = report.checkpoint.name
        lines.append(f"next: unitalk predict DATASET --weights {name} -o FILE")
    elif report.checkpoint.elsewhere is not None:
        lines.append(f"read by: {spoken(report.checkpoint.elsewhere)}")
    return "\n".join(lines)


def _render_several(report: SeveralWeightsReport) -> str:
    """One line per checkpoint, then what failed; of equal failures one text."""
    rows = [[one.name, _HOW[one.how], size(one.size)] for one in report.checkpoints]
    lines = [f"{report.folder}: {len(rows)} of {len(rows) + len(report.failed)} checkpoints"]
    if rows:
        lines.append(align(rows, right=[2]))
    alike: dict[tuple[str, str | None], list[str]] = {}
    for one in report.failed:
        alike.setdefault((one.cause, one.hint), []).append(one.path)
    for (cause, hint), names in alike.items():
        what = cause if cause.startswith(names[0]) else f"{', '.join(names)}: {cause}"
        lines.append(paragraph(f"failed: {what}"))
        if hint is not None:
            lines.append(f"  -> {spoken(hint)}")
    if report.failed:
        lines.append("incomplete: run the same command again to continue")
    return "\n".join(lines)


_STATES = {
    "absent": "no",
    "present": "yes",
    "altered": "yes, but it is not the file that was registered",
    "lost": "no: it was registered, and the file is gone",
}
_UNKNOWN = "not known"


def _render_one(one: HeldReport) -> str:
    from unitalk.net.drive import file_id

    rows = [
        ("name", one.name),
        ("model", one.model),
        ("trained on", one.trained_on),
        ("loads into", one.loads_into or "no model here"),
        ("read by", one.elsewhere and spoken(one.elsewhere)),
        *(_use(one) if one.kind == "network" else ()),
        ("licence", one.licence or _UNKNOWN),
        ("terms", one.terms),
        ("url", one.url),
        ("extra", "unitalk[weights], for Google Drive" if file_id(one.url) else None),
        ("source", one.source),
        ("size", _UNKNOWN if one.size is None else f"{one.size:,} bytes"),
        ("sha256", one.sha256 or "not known before the first download"),
        ("here", _STATES[one.state]),
        ("path", None if one.path is None else str(one.path)),
        ("found", one.found_sha256 if one.state == "altered" else None),
        ("origin", one.origin),
        ("registered", one.registered),
    ]  # fmt: skip
    indent = " " * 12
    return "\n".join(
        wrapped(text, head=f"{label:<12}", indent=indent) for label, text in rows if text
    )


def _use(one: Checkpoint) -> Iterator[tuple[str, str]]:
    """How a network is used, and how good it is."""
    yield "crop", one.crop or _UNKNOWN
    margin = _UNKNOWN
    if one.margin is not None:
        margin = f"{one.margin:.0%} of the box on each side" if one.margin else "none"
    yield "margin", margin
    if one.frame_rate is None:
        yield "frame rate", _UNKNOWN
    else:
        rates = " to ".join(f"{rate:g}" for rate in dict.fromkeys(one.frame_rate))
        yield "frame rate", f"{rates} frames per second"
    threshold = _UNKNOWN
    if one.threshold is not None:
        threshold = f"{one.threshold:g}, on the logit of speaking"
    yield "threshold", threshold
    number = one.published
    if number is None:
        yield "published", _UNKNOWN
    else:
        yield "published", f"{number.benchmark}: {number.metric} {number.value} ({number.source})"

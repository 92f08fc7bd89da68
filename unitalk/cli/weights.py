"""`unitalk weights`: the published checkpoints."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from unitalk.cli._shared.common_options import FILE, common_options, verb
from unitalk.cli._shared.hints import spoken
from unitalk.cli._shared.user_folders import weights_folder
from unitalk.errors import DataError
from unitalk.progress import size
from unitalk.text_table import align

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.cli._shared.console import Console
    from unitalk.models.weights import HeldReport, WeightsReport


@common_options
@click.group("weights")
def command() -> None:
    """List and get the weights that are published.

    Files are kept in $UNITALK_WEIGHTS, else in unitalk/weights in the user's cache. Where a verb
    takes --weights, the name of a checkpoint that is there is as good as a file.
    """


@verb("list", of=command)
def list_(console: Console) -> None:
    """List the published checkpoints, what each loads into, and which are here."""
    from unitalk.models.weights import HeldList, held

    folder = weights_folder()
    every = held(folder)
    head = ["name", "model", "trained on", "loads into", "here"]
    rows = [
        [
            one.name, one.model, one.trained_on, one.loads_into or "not here",
            "yes" if one.state == "present" else None,
        ]
        for one in every
    ]  # fmt: skip
    console.emit(HeldList(folder=folder, checkpoints=every), align([head, *rows]))
    console.say(f"kept in {folder}; `unitalk weights show NAME` says what reads the others")


@verb("show", of=command)
@click.argument("name")
@click.option(
    "--check", is_flag=True, help="Compare the hash, even if nothing seems to be changed."
)
def show(console: Console, *, name: str, check: bool) -> None:
    """Say all that is known of one checkpoint.

    The hash is compared when size or time of the file have changed since it was registered. Exit
    code 3 says that it is another file.
    """
    from unitalk.catalog.checkpoints import named
    from unitalk.models.weights.local import look

    one = look(named(name), weights_folder(), check=check)
    console.emit(one, _render_one(one))
    if one.state == "altered":
        sys.exit(DataError.exit_code)


@verb("download", of=command)
@click.argument("name")
@click.option("--from-file", "file", type=FILE, help="Register a file that was fetched by hand.")
@click.option("--replace", is_flag=True, help="Let another file than before have the name.")
def download(console: Console, *, name: str, file: Path | None, replace: bool) -> None:
    """Fetch a checkpoint, or register a file that was fetched by hand.

    Its sha256 is compared with the published one where there is one, and remembered; every later
    file of that name is held to it.
    """
    from unitalk.models import weights

    folder = weights_folder()
    if file is None:
        report = weights.download_weights(name, folder, replace=replace, progress=console.progress)
    else:
        console.protect(file)
        report = weights.register_weights(name, folder, file, replace=replace)
    console.emit(report, _render(report))
    console.warn(report.warnings)


_HOW = {"downloaded": "fetched", "registered": "registered", "present": "was there"}
_COMPARED = {
    "table": "the published one",
    "registry": "the one registered before",
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
        lines.append(f"a {use}, for: unitalk talknet predict --weights {name}")
    elif report.checkpoint.elsewhere is not None:
        lines.append(f"read by: {spoken(report.checkpoint.elsewhere)}")
    return "\n".join(lines)


_STATES = {
    "absent": "no",
    "present": "yes",
    "altered": "yes, but it is not the file that was registered",
    "lost": "no more: it was registered, and the file is gone",
}


def _render_one(one: HeldReport) -> str:
    rows: list[tuple[str, str | None]] = [
        ("name", one.name),
        ("model", one.model),
        ("trained on", one.trained_on),
        ("loads into", f"unitalk talknet --model {one.loads_into}"
                       if one.loads_into else "no model here"),
        ("read by", one.elsewhere and spoken(one.elsewhere)),
        ("url", one.url),
        ("source", one.source),
        ("licence", one.licence or "not known here: see the source"),
        ("size", "not known" if one.size is None else f"{one.size:,} bytes"),
        ("sha256", one.sha256 or "not known before the first download"),
        ("here", _STATES[one.state]),
        ("path", None if one.path is None else str(one.path)),
        ("found", one.found_sha256 if one.state == "altered" else None),
        ("origin", one.origin),
        ("registered", one.registered),
    ]  # fmt: skip
    return "\n".join(f"{label:<10}  {text}" for label, text in rows if text is not None)

"""The command `unitalk`: its verbs, found by name and imported when they are called."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from unitalk import stopping
from unitalk.cli._shared.common_options import common_options
from unitalk.cli._shared.console import Console
from unitalk.cli._shared.lazy_group import LazyGroup
from unitalk.cli._shared.leaving import INTERRUPTED, leave_at_once
from unitalk.errors import UnitalkError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

SECTIONS = {
    "Start here": {
        "quickstart": "Run a full demo on a small synthetic dataset, without a network.",
        "sample": "Make a small synthetic dataset.",
    },
    "Get data": {
        "download": "Download the UniTalk dataset, or a part of it.",
        "unpack": "Unpack archives that a download saved.",
        "ava": "Download AVA's videos, and extract face crops and audio.",
        "import": "Import another dataset's annotations.",
        "videos": "List the videos of UniTalk.",
    },
    "Inspect data": {
        "verify": "Check a dataset for missing, damaged or wrong files.",
        "stats": "Show what a dataset contains: hours, tracks, faces, speech.",
    },
    "Subset and crop": {
        "trim": "Copy selected videos of a dataset into a new one.",
        "crop": "Extract face crops and audio from full videos.",
    },
    "Convert and export": {
        "convert-asc": "Convert a dataset for ASC and ASDNet.",
        "convert-talknet": "Convert a dataset for TalkNet, Light-ASD and LR-ASD.",
        "convert-loconet": "Convert a dataset for LoCoNet, TalkNCE and LASER.",
        "export": "Export tracks as WebDataset, Parquet or a Hugging Face dataset.",
    },
    "Models": {
        "train": "Train a network, and score it on val after each epoch.",
        "predict": "Run a network on a split: one speaking score per face.",
        "weights": "List, describe and download published weights.",
    },
    "Score": {
        "eval": "Evaluate predictions against ground truth.",
        "diagnose": "Find out what is wrong with a predictions file.",
    },
}
"""The headings of the help, each with its verbs and the first line of their help; see `LazyGroup`
for where a verb is."""

VERBS = {verb: text for verbs in SECTIONS.values() for verb, text in verbs.items()}
"""Every verb and the first line of its help."""


@common_options
@click.group(
    cls=LazyGroup,
    sections=SECTIONS,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": lambda token: token.replace("_", "-"),
        "max_content_width": 80,
    },
    epilog="Exit codes: 0 success, 2 usage error, 3 problem in the data, 4 incomplete (run the "
    "same command again), 130 interrupted, 1 any other error.",
)
def cli() -> None:
    """Active speaker detection: get data, run models, evaluate predictions.

    A face is one box in one frame. A track is one person's faces over time.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code.

    Args:
        arguments: what follows the program's name; default: what the process was given.
    """
    console = Console()
    with stopping.listening(leave_at_once):
        try:
            _run(arguments, console)
        except Exception:
            # A stop may come out of somebody else's code as whatever that code makes of it.
            if not stopping.asked():
                raise
            console.interrupted()
            sys.exit(INTERRUPTED)
    sys.exit(0)


def _run(arguments: Sequence[str] | None, console: Console) -> None:
    try:
        cli.main(args=arguments, prog_name="unitalk", standalone_mode=False, obj=console)
    except (UnitalkError, OSError) as error:
        refused = _in_words(error)
        console.fail(refused)
        sys.exit(refused.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        console.interrupted()
        sys.exit(INTERRUPTED)


def _in_words(error: UnitalkError | OSError) -> UnitalkError:
    """What to say of an error; one that is not the disk's refusal is a fault of our own."""
    if isinstance(error, UnitalkError):
        return error
    from unitalk.files import disk_error

    refused = disk_error(error)
    if refused is None:
        raise error
    return refused

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
        "quickstart": "Download, trim, convert and score a sample, in one go.",
        "sample": "Make a small synthetic dataset.",
    },
    "Get data": {
        "download": "Download the UniTalk dataset, or a part of it.",
        "unpack": "Unpack the archives that a download kept.",
        "ava": "Download AVA's videos, and cut faces and sound out of them.",
        "import": "Import another dataset's annotations.",
        "videos": "List the videos of UniTalk.",
    },
    "Inspect": {
        "verify": "Check a dataset for missing, damaged or wrong files.",
        "stats": "Describe a dataset: hours, tracks, faces, who speaks.",
    },
    "Change": {
        "trim": "Make a dataset from some videos of another one.",
        "crop": "Cut faces and sound out of full videos.",
    },
    "Hand over": {
        "convert-asc": "Convert a dataset to the flat layout of ASC and ASDNet.",
        "convert-talknet": "Write what TalkNet, Light-ASD and LR-ASD read.",
        "convert-loconet": "Write what LoCoNet, TalkNCE and LASER read.",
        "export": "Export tracks to WebDataset, Parquet or Hugging Face.",
    },
    "Models": {
        "train": "Train a network, and score it on val after each epoch.",
        "predict": "Score every face of a split with a network.",
        "weights": "List, describe and download published weights.",
    },
    "Score": {
        "eval": "Score predictions against ground truth.",
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
    epilog="Exit codes: 0 success, 1 other error, 2 wrong usage, 3 wrong data, 4 incomplete (run "
    "the same command again to continue), 130 interrupted.",
)
def cli() -> None:
    """Active speaker detection: data, models and scores."""


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

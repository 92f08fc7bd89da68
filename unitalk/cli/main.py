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

VERBS = {
    "download": "Download the dataset, or a part of it; run again to continue.",
    "unpack": "Unpack the archives that a download kept.",
    "verify": "Look for what is missing, damaged or wrong in a dataset.",
    "stats": "Say what a dataset contains.",
    "trim": "Make a dataset of some videos of another one.",
    "convert-asc": "Convert a dataset to the flat layout of ASC and ASDNet.",
    "convert-talknet": "Write what the loaders of TalkNet, Light-ASD and LR-ASD read.",
    "convert-loconet": "Write what the loaders of LoCoNet, TalkNCE and LASER read.",
    "export": "Export tracks as shards, for streaming and for Hugging Face.",
    "import": "Make a dataset of another dataset's annotations.",
    "eval": "Score predictions against ground truth.",
    "diagnose": "Say what is wrong with a file of predictions.",
    "talknet": "Train TalkNet or Light-ASD, and score faces with them.",
    "weights": "List and get the weights that are published.",
    "ava": "Get AVA's videos, and cut face crops and sounds out of them.",
    "crops": "Cut face crops and sounds out of full videos.",
    "videos": "List the published videos.",
    "sample": "Make a small synthetic dataset in the dataset's exact form.",
    "quickstart": "Run the whole job on the sample: download, trim, convert, score.",
}
"""Each verb and the first line of its help; see `LazyGroup` for where it is."""


@common_options
@click.group(
    cls=LazyGroup,
    verbs=VERBS,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": lambda token: token.replace("_", "-"),
        "max_content_width": 80,
    },
    epilog="Exit codes: 0 done, 1 other, 2 wrong usage, 3 the data is wrong, 4 incomplete (run "
    "again to continue), 130 interrupted.",
)
def cli() -> None:
    """Active speaker detection: get UniTalk, cut it, convert it, score predictions."""


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

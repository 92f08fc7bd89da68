"""The command `unitalk`: its verbs, found by name and imported when they are called."""

from __future__ import annotations

import importlib
import sys
from keyword import iskeyword
from typing import TYPE_CHECKING

import click

from unitalk.cli.options import common_options
from unitalk.cli.output import Console
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
    "videos": "List the published videos.",
    "sample": "Make a small synthetic dataset in the dataset's exact form.",
    "quickstart": "Run the whole job on the sample: download, trim, convert, score.",
}
"""Each verb and the first line of its help.

The file `cli/<verb>.py` has the verb as `command` (`import_.py`: the word is Python's own).
"""


class LazyGroup(click.Group):
    """A group that imports a verb's file only when the verb is used.

    `unitalk --help` must answer at once, and no verb may wait for what another one needs.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the verbs in the order in which people need them."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb; the original scripts' `_` is taken for `-`."""
        del ctx
        name = cmd_name.replace("_", "-")
        if name not in VERBS:
            return None
        stem = f"{name}_" if iskeyword(name) else name.replace("-", "_")
        module = importlib.import_module(f"unitalk.cli.{stem}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        del ctx
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": lambda token: token.replace("_", "-"),
        "max_content_width": 80,
    },
    epilog="Exit codes: 0 done, 1 other, 2 wrong usage, 3 the data is wrong, 4 incomplete (run "
    "again to continue), 130 interrupted.",
)
@common_options
def cli() -> None:
    """Active speaker detection: get UniTalk, cut it, convert it, score predictions."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code.

    Args:
        arguments: what follows the program's name; default: what the process was given.
    """
    console = Console()
    try:
        cli.main(args=arguments, prog_name="unitalk", standalone_mode=False, obj=console)
    except UnitalkError as error:
        console.fail(error)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        console.interrupted()
        sys.exit(130)
    sys.exit(0)

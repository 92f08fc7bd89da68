"""`unitalk talknet`: a file a verb, imported when it is used."""

from __future__ import annotations

import importlib

import click

from unitalk.cli.options import common_options

VERBS = {
    "train": "Train TalkNet or Light-ASD; --resume to go on.",
    "predict": "Score every face of a split.",
    "evaluate": "Predict, then score the predictions as eval does.",
}
"""Each verb and the first line of its help; `cli/talknet_<verb>.py` has it as `command`."""


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"unitalk.cli.talknet_{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group("talknet", cls=_Verbs)
@common_options
def command() -> None:
    """Train TalkNet, the field's baseline, and score faces with it.

    The same verbs train and run Light-ASD, and load the weights that are published of both. They
    need PyTorch: pip install "unitalk[talknet]"
    """

"""`unitalk ava`: a file a verb, imported when it is used."""

from __future__ import annotations

import importlib

import click

from unitalk.cli.options import common_options

VERBS = {
    "download": "Get AVA's videos; run again to continue.",
    "prepare": "Cut face crops and sounds out of AVA's videos.",
}
"""Each verb and the first line of its help; `cli/ava_<verb>.py` has it as `<verb>`."""


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in VERBS:
            return None
        command: click.Command = getattr(
            importlib.import_module(f"unitalk.cli.ava_{cmd_name}"), cmd_name
        )
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group("ava", cls=_Verbs)
@common_options
def command() -> None:
    """Get AVA-ActiveSpeaker ready: its videos, face crops and sounds.

    Its annotations come from its authors, or with TalkNet's bundle; `unitalk import ava` reads
    them alone.
    """

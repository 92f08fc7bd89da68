"""Groups of verbs that import a verb's file only when the verb is used."""

from __future__ import annotations

import importlib
from keyword import iskeyword
from typing import Any

import click


class LazyGroup(click.Group):
    """A group that imports a verb's file only when the verb is used.

    `unitalk --help` must answer at once, and no verb may wait for what another one needs.

    Args:
        verbs: each verb and the first line of its help. The file `cli/<prefix><verb>.py` has the
            verb as `command` (`import_.py`: the word is Python's own).
        prefix: of the files' names.
        attrs: what click gives to a group.
    """

    def __init__(self, *, verbs: dict[str, str], prefix: str = "", **attrs: Any) -> None:
        super().__init__(**attrs)
        self.verbs = verbs
        self._prefix = prefix

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the verbs in the order in which people need them."""
        del ctx
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb; the original scripts' `_` is taken for `-`."""
        del ctx
        name = cmd_name.replace("_", "-")
        if name not in self.verbs:
            return None
        stem = f"{name}_" if iskeyword(name) else name.replace("-", "_")
        module = importlib.import_module(f"unitalk.cli.{self._prefix}{stem}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        del ctx
        with formatter.section("Verbs"):
            formatter.write_dl(list(self.verbs.items()))

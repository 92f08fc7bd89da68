"""Groups of verbs that import a verb's file only when the verb is used."""

from __future__ import annotations

import importlib
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from unitalk.cli._shared.spelling import SpellingGroup

if TYPE_CHECKING:
    import click


class LazyGroup(SpellingGroup):
    """A group that imports a verb's file only when the verb is used.

    `unitalk --help` must answer at once, and no verb may wait for what another one needs.

    Args:
        sections: the headings of the help, each with its verbs and the first line of their help.
            The file `cli/<prefix><verb>.py` has the verb as `command` (`import_.py`: the word is
            Python's own).
        prefix: of the files' names.
        attrs: what click gives to a group.
    """

    def __init__(
        self, *, sections: dict[str, dict[str, str]], prefix: str = "", **attrs: Any
    ) -> None:
        super().__init__(**attrs)
        self.sections = sections
        self._prefix = prefix

    @property
    def verbs(self) -> dict[str, str]:
        """Every verb and the first line of its help."""
        return {name: text for verbs in self.sections.values() for name, text in verbs.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the verbs in the order in which people need them."""
        del ctx
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb; the original scripts' `_` is taken for `-`."""
        name = cmd_name.replace("_", "-")
        del ctx
        if name not in self.verbs:
            return None
        stem = f"{name}_" if iskeyword(name) else name.replace("-", "_")
        module = importlib.import_module(f"unitalk.cli.{self._prefix}{stem}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        del ctx
        for heading, verbs in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl(list(verbs.items()), col_max=18)

"""Earlier spellings of the command line, and the words of other tools."""

from __future__ import annotations

import click

from generate.markdown import code, table
from unitalk.cli._shared import other_words
from unitalk.cli._shared.spelling import command_line
from unitalk.cli.main import cli


def removed() -> str:
    """A row for each earlier verb and option."""
    verbs = [
        (code(f"unitalk {earlier}"), code(f"unitalk {now}"))
        for earlier, now in other_words.REMOVED_VERBS.items()
    ]
    verbs += [(code(f"unitalk {earlier}"), code(now)) for earlier, now in _answers()]
    return table(("earlier", "now"), verbs + _options())


def _answers() -> list[tuple[str, str]]:
    return [(word, text.replace(" && ", "; ")) for word, text in other_words.ANSWERS.items()]


def _options() -> list[tuple[str, str]]:
    rows = []
    root = click.Context(cli, info_name="unitalk")
    for earlier in other_words.REMOVED_OPTIONS:
        path, _, option = earlier.rpartition(" ")
        command: click.Command | None = cli
        for word in path.split():
            assert isinstance(command, click.Group)
            command = command.get_command(root, word)
        assert command is not None
        context = click.Context(command, info_name=path, parent=root)
        now = command_line(context, command, path, [option, "X"])
        rows.append((code(f"unitalk {path} {option} X"), code(now)))
    return rows


def others() -> str:
    """A row for each verb of another tool."""
    rows = [(code(word), code(f"unitalk {now}")) for word, now in other_words.OTHER_VERBS.items()]
    return table(("word", "here"), rows)

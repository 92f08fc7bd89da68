"""The command line: every verb's usage, help and options, from the parser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from generate.markdown import code, fenced, plain, table
from unitalk.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERYWHERE = frozenset({"--help", "--version", "--quiet", "--verbose", "--format", "--output"})
"""Options that nearly every command has; the page describes them once."""

ROOT = click.Context(cli, info_name="unitalk", **cli.context_settings)


def commands(context: click.Context = ROOT) -> Iterator[click.Context]:
    """Every command below one, groups included, in the order of the help."""
    group = context.command
    if isinstance(group, click.Group):
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            inner = click.Context(
                command, info_name=name, parent=context, **command.context_settings
            )
            yield inner
            yield from commands(inner)


def anchor(path: str) -> str:
    """The anchor of a command's section, such as unitalk-export-hf."""
    return path.replace(" ", "-")


def overview(page: str = "") -> str:
    """The verbs in one table, a row for each, linked to their sections of a page."""
    rows = [
        (f"**{heading}**" if n == 0 else "", f"[`{name}`]({page}#unitalk-{name})", plain(text))
        for heading, names in cli.sections.items()
        for n, (name, text) in enumerate(names.items())
    ]
    return table(("", "`unitalk ...`", ""), rows)


def sections() -> str:
    """A section for each command: usage, help, options."""
    return "\n\n".join(section(context) for context in commands())


def section(context: click.Context) -> str:
    """The section of one command."""
    command = context.command
    level = "##" if context.parent is ROOT else "###"
    parts = [f"{level} {context.command_path}", *paragraphs(command.help or "")]
    if isinstance(command, click.Group):
        inner = [one for one in commands(context) if one.parent is context]
        rows = [
            (f"[{code(one.command_path)}](#{anchor(one.command_path)})", summary(one.command))
            for one in inner
        ]
        return "\n\n".join([*parts, table(("command", "what it does"), rows)])
    parts.insert(1, fenced(usage(context)))
    rows = list(options(context))
    return "\n\n".join([*parts, table(("option", "meaning"), rows)] if rows else parts)


def usage(context: click.Context) -> str:
    """How a command is called, its arguments by name."""
    pieces = context.command.collect_usage_pieces(context)
    return " ".join([context.command_path, *pieces])


def summary(command: click.Command) -> str:
    """The first sentence of a command's help."""
    return plain(command.get_short_help_str(limit=200))


def paragraphs(text: str) -> Iterator[str]:
    """The paragraphs of a help text; one that must keep its lines is a block."""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        if paragraph.startswith("\b"):
            yield fenced(paragraph.lstrip("\b\n"))
        else:
            yield plain(paragraph)


def options(context: click.Context) -> Iterator[tuple[str, str]]:
    """The own options of a command, each with its help."""
    shared = set(_records(ROOT.command.get_command(ROOT, "verify"), EVERYWHERE))
    for record in _records(context.command):
        if record not in shared:
            yield record


def common() -> str:
    """The options that nearly every command has."""
    return table(
        ("option", "meaning"), _records(ROOT.command.get_command(ROOT, "verify"), EVERYWHERE)
    )


def _records(
    command: click.Command, only: frozenset[str] | None = None
) -> Iterator[tuple[str, str]]:
    """Each option of a command as its help spells it, with its help."""
    context = click.Context(command, parent=ROOT, **command.context_settings)
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if (
            record
            and isinstance(parameter, click.Option)
            and (only is None or only & {*parameter.opts})
        ):
            yield code(record[0]), _meaning(record[1])


def _meaning(text: str) -> str:
    """The help of an option; what click adds in brackets would be a link in Markdown."""
    text = re.sub(r"\[([^\[\]]*)\]", r"(\1)", text)
    text = text.replace(") (", "; ")
    return plain(re.sub(r"\bx>=(\d+)", r"at least \1", text))

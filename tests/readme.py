"""The generated parts of the README, made from the program itself.

The README calls these from its cog blocks; `cog -r README.md` renews them, `cog --check` in
`.ci/run` fails when one is stale.
"""

from __future__ import annotations

import re

import click

from unitalk import errors, schema
from unitalk.cli._shared.hints import typed
from unitalk.cli.main import VERBS, cli
from unitalk.dataset.verify import KINDS
from unitalk.models import weights
from unitalk.score import breakdown
from unitalk.score.metrics import DESCRIPTIONS

COMMON = {"--help", "--version", "--quiet", "--verbose", "--format", "--output"}


def row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def verbs() -> str:
    lines = [row("verb", "what it does"), "|---|---|"]
    return "\n".join(lines + [row(f"[`{v}`](#unitalk-{v})", what) for v, what in VERBS.items()])


def options(verb: str) -> str:
    """A table of the own options of a verb, such as `trim` or `import asw`."""
    command = cli
    for name in verb.split():
        command = command.get_command(None, name)
    context = click.Context(command, info_name=verb, help_option_names=["-h", "--help"])
    lines = [row("option", "meaning"), "|---|---|"]
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context) if parameter.name != "destination" else None
        if isinstance(parameter, click.Option) and record and not COMMON & set(parameter.opts):
            lines.append(row(f"`{record[0]}`", re.sub(r"\s+", " ", record[1])))
        elif isinstance(parameter, click.Argument):
            what = {
                "DATASET": "the dataset's folder",
                "[DEST]": "the folder to make",
                "NAME": "a checkpoint's name",
            }
            name = parameter.make_metavar(context)
            lines.append(row(f"`{name}`", what.get(name, "the folder to make")))
        elif parameter.name == "destination":
            record = parameter.get_help_record(context)
            lines.append(row(f"`{record[0]}`", record[1]))
    return "\n".join(lines)


def on_command_line(text: str) -> str:
    """What a text of the library has in backticks, as `unitalk eval` says it."""
    command = cli.get_command(click.Context(cli), "eval")
    root = click.Context(cli, **cli.context_settings)
    with click.Context(command, parent=root, info_name="eval").scope():
        return re.sub(r"`([^`]+)`", lambda found: f"`{typed(found[1]) or found[1]}`", text)


def checkpoints() -> str:
    """Which published checkpoint loads into what."""
    lines = [row("name", "model", "trained on", "loads into", "licence"), "|---|---|---|---|---|"]
    for one in weights.checkpoints():
        here = f"`{one.loads_into}`" if one.loads_into else on_command_line(one.elsewhere or "")
        cells = (one.model, one.trained_on or "", here, one.licence or "")
        lines.append(row(f"[`{one.name}`]({one.url})", *cells))
    return "\n".join(lines)


def columns() -> str:
    lines = [
        row("column", "unit", "meaning", "UniTalk", "AVA", "predictions"),
        "|---|---|---|---|---|---|",
    ]
    for name, (unit, meaning) in schema.DESCRIPTION.items():
        own = [
            "yes" if name in known else ""
            for known in (schema.COLUMNS, schema.AVA_COLUMNS, schema.PREDICTION_COLUMNS)
        ]
        if name in {schema.LABEL, schema.VIDEO, *schema.BOX}:
            own[2] = "may be absent"
        lines.append(row(f"`{name}`", unit, meaning, *own))
    return "\n".join(lines)


def breakdowns() -> str:
    assert set(breakdown.DESCRIPTION) == set(breakdown.DIVISIONS)
    lines = [row("--by", "groups", "what they are"), "|---|---|---|"]
    for name, (values, meaning) in breakdown.DESCRIPTION.items():
        lines.append(row(f"`{name}`", values, on_command_line(meaning)))
    return "\n".join(lines)


def metrics() -> str:
    lines = [row("measure", "meaning"), "|---|---|"]
    return "\n".join(lines + [row(f"`{n}`", what) for n, what in DESCRIPTIONS.items()])


def kinds() -> str:
    lines = [row("finding", "what it is", "what it does"), "|---|---|---|"]
    return "\n".join(
        lines + [row(f"`{name}`", kind.title, kind.effect) for name, kind in KINDS.items()]
    )


def exit_codes() -> str:
    meaning = {
        0: "done",
        1: "something else went wrong (the hub could not be reached, the disk is full)",
        2: "wrong usage: " + errors.UsageError.__doc__.splitlines()[0].lower(),
        3: "the data is wrong: a csv, the coverage, a file that is missing or damaged",
        4: "incomplete: what arrived is kept; run the same command again to continue",
        130: "interrupted; run the same command again to continue",
    }
    assert {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type)} <= set(
        meaning
    )
    return "\n".join(
        [row("code", "meaning"), "|---|---|", *(row(str(c), m) for c, m in meaning.items())]
    )


def error_tree() -> str:
    tree = re.search(r"::\n\n((?:    .*\n)+)", errors.__doc__).group(1)
    return "```text\n" + "\n".join(line[4:] for line in tree.rstrip().splitlines()) + "\n```"

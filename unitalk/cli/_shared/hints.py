"""The library's texts in the words of the command line.

The library names Python functions and parameters in backticks, as a caller would type them:
`verify_dataset`, `overwrite=True`, `verify_dataset('data', deep=True)`. Here a function becomes
the verb that calls it, and a parameter the option of the command that is running.
"""

from __future__ import annotations

import ast
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from unitalk.text_table import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Verb:
    """The command that calls a function.

    Attributes:
        command: what follows `unitalk`.
        arguments: click's names of the positional arguments, or how an option is spelled; None
            where it has no such parameter.
        renamed: click's names of keyword arguments, where they differ.
    """

    command: str
    arguments: tuple[str | None, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)


VERBS = {
    "check_training_rows": Verb("train"),
    "compare": Verb("eval", ("-g", "-p")),
    "convert_asc": Verb("convert-asc", ("source", "destination")),
    "convert_loconet": Verb("convert-loconet", ("dataset", "destination")),
    "convert_talknet": Verb("convert-talknet", ("dataset", "destination")),
    "cut_crops": Verb("crop", ("source", "destination")),
    "diagnose": Verb("diagnose", ("-g", "-p")),
    "download_ava": Verb("ava download"),
    "download_weights": Verb("weights download", ("names", None)),
    "evaluate": Verb("eval", ("-g", "-p")),
    "export_tracks": Verb("export", ("dataset", "destination")),
    "import_asw": Verb("import asw", ("json_dir", "list_dir", "destination")),
    "import_ava": Verb("import ava", ("csv", "destination")),
    "import_columbia": Verb("import columbia", ("labels", "destination")),
    "import_wasd": Verb("import wasd", ("csv", "--division", "destination")),
    "make_sample": Verb("sample", ("destination",)),
    "plan_ava": Verb("ava download", (None, "destination"), {"list_files": "lists"}),
    "plan_download": Verb("download", (None, "save_path")),
    "predict": Verb("predict", ("dataset", "weights", "output")),
    "prepare_ava": Verb("ava prepare", ("csv", "video_dir", "destination")),
    "register_weights": Verb("weights download", ("names", None, "file")),
    "run_download": Verb("download"),
    "statistics": Verb("stats", ("dataset",)),
    "train_network": Verb("train", ("dataset", "destination")),
    "trim_dataset": Verb("trim", ("source", "new_path"), {"destination": "new_path"}),
    "unpack_archives": Verb("unpack", ("dataset", "destination"), {"remove": "remove_archives"}),
    "verify_dataset": Verb("verify", ("dataset",)),
    "videos": Verb("videos"),
}
"""Each public function that a verb calls."""

_QUOTED = re.compile(r"`([^`]+)`")


def paragraph(text: str, *, head: str = "", indent: str = "  ") -> str:
    """Say a text of the library in lines of a terminal's width; see `wrapped`."""
    return wrapped(spoken(text), head=head, indent=indent)


def spoken(text: str) -> str:
    """Replace what a text has in backticks by what the running command calls it.

    What is not Python, or has no place on the command line, is left as it is. A command loses its
    backticks where it ends the text after a colon, or is all of it, so that it can be copied.
    """

    def replaced(found: re.Match[str]) -> str:
        said = typed(found[1])
        if said is None:
            return found[0]
        before, at_end = text[: found.start()], found.end() == len(text)
        bare = not said.startswith("unitalk ") or (at_end and (not before or before[-2:] == ": "))
        return said if bare else f"`{said}`"

    return _QUOTED.sub(replaced, text)


def spoken_json(value: Any) -> Any:
    """Replace them in every text of a JSON document."""
    if isinstance(value, str):
        return spoken(value) if "`" in value else value
    if isinstance(value, dict):
        return {key: spoken_json(one) for key, one in value.items()}
    return [spoken_json(one) for one in value] if isinstance(value, list) else value


def typed(python: str) -> str | None:
    """Options, or a command that begins with `unitalk`; None for what is neither."""
    context = click.get_current_context(silent=True)
    if context is None:
        return None
    running, renamed = context.command, _renamed(context)
    said = None
    match _parsed(python):
        case ast.Call(args=[ast.Name(name)], keywords=[]):
            said = option_of(running, renamed.get(name, name))
            if said is None and name in VERBS:
                said = f"unitalk {VERBS[name].command}"
        case ast.Call(args=[ast.Call(func=ast.Name(name)) as call], keywords=[]) if name in VERBS:
            said = _command(call, VERBS[name], context)
        case ast.Call(args=[], keywords=keywords):
            options = [_typed(running, renamed.get(n, n), v) for n, v in _flat(keywords)]
            said = None if None in options else " ".join(filter(None, options))
    return said


def _parsed(python: str) -> ast.expr | None:
    """Parse what may be a name, keyword arguments or a call, as the arguments of a call."""
    try:
        return ast.parse(f"_({python})", mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _renamed(context: click.Context) -> dict[str, str]:
    """What the running command calls parameters of the functions that it calls."""
    path = context.command_path.partition(" ")[2]
    return {
        name: own
        for verb in VERBS.values()
        if verb.command == path
        for name, own in verb.renamed.items()
    }


def _command(call: ast.Call, verb: Verb, context: click.Context) -> str | None:
    root = context.find_root()
    command: click.Command | None = root.command
    for word in verb.command.split():
        command = command.get_command(root, word) if isinstance(command, click.Group) else None
    if command is None:
        return None
    given = list(zip(verb.arguments, call.args, strict=False))
    given += [(verb.renamed.get(name, name), value) for name, value in _flat(call.keywords)]
    words = [_typed(command, name, value) for name, value in given if name is not None]
    return None if None in words else " ".join(["unitalk", verb.command, *filter(None, words)])


def _flat(keywords: list[ast.keyword]) -> Iterator[tuple[str, ast.expr]]:
    """Keyword arguments, and those of an options object among them."""
    for keyword in keywords:
        if isinstance(keyword.value, ast.Call):
            yield from _flat(keyword.value.keywords)
        elif keyword.arg is not None:
            yield keyword.arg, keyword.value


def option_of(command: click.Command, name: str) -> str | None:
    """The longest spelling of a command's option, or None if it has no such parameter."""
    for one in command.params:
        if name in one.opts:
            return name
        if name == one.name:
            return max(one.opts, key=len)
    return None


def _typed(command: click.Command, name: str, value: ast.expr) -> str | None:
    """An argument as it is typed; a capitalised name is for the reader to replace."""
    spelling = option_of(command, name)
    if spelling is None or (isinstance(value, ast.Constant) and value.value is True):
        return spelling
    values = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
    words = [
        shlex.quote(str(one.value)) if isinstance(one, ast.Constant) else ast.unparse(one)
        for one in values
    ]
    if not spelling.startswith("-"):
        return " ".join(words)
    # `--video -abc` would be taken for an option.
    return " ".join(f"{spelling}{'=' if word[0] == '-' else ' '}{word}" for word in words)

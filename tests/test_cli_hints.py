"""What the library says in Python is said on the command line in its own words."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from typing import TYPE_CHECKING

import click
import pytest
from hints import FLAG, PACKAGE, VERB, typed

import unitalk
from unitalk.cli._shared.hints import VERBS, option_of, spoken
from unitalk.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

OPTIONS = {
    "cut_crops": ["CropOptions"],
    "evaluate": ["EvaluateOptions"],
    "plan_download": ["Selection"],
    "predict": ["PredictOptions"],
    "prepare_ava": ["CropOptions"],
    "train_network": ["TrainOptions"],
    "unpack_archives": ["Selection"],
}
"""The objects that a function takes a part of its arguments in."""


TEXTS = [text for text, places in typed().items()
         if "# Face tracks" not in text  # a card for a hub
         and not all(place.startswith("unitalk/cli/") for place in places)]  # fmt: skip
LIBRARY = [path for path in PACKAGE.rglob("*.py") if "cli" not in path.relative_to(PACKAGE).parts]


def command_of(words: str) -> click.Command:
    command = cli
    for word in words.split():
        command = command.get_command(None, word)
    if isinstance(command, click.Group):
        command = command.get_command(None, command.list_commands(None)[0])
    return command


def parameters_of(function: str) -> set[str]:
    found = set(inspect.signature(getattr(unitalk, function)).parameters)
    for name in OPTIONS.get(function, ()):
        found |= {field.name for field in dataclasses.fields(getattr(unitalk, name))}
    return found


def test_the_table_of_verbs_names_what_there_is():
    for function, verb in VERBS.items():
        command = command_of(verb.command)
        positional = list(inspect.signature(getattr(unitalk, function)).parameters)
        assert len(verb.arguments) <= len(positional)
        for name in filter(None, [*verb.arguments, *verb.renamed.values()]):
            assert option_of(command, name), (function, name)
        assert verb.renamed.keys() <= parameters_of(function), function


def test_every_name_in_a_librarys_text_has_its_word_on_the_command_line():
    """Each parameter is one of a public function, and an option of the verb that calls it."""
    known = set(VERBS) | {"open_executor"}
    for text in TEXTS:
        for python in re.findall(r"`([^`]+)`", text.replace("{}", "'X'")):
            if (names := names_in(python)) is None:
                continue
            function, parameters = names
            owners = [function] if function else known
            assert set(owners) <= known, text
            for name in parameters:
                assert any(has_option(owner, name) for owner in owners), (text, name)


def names_in(python: str) -> tuple[str | None, list[str]] | None:
    """The function that is called, and the parameters; None for what is no Python of ours."""
    try:
        call = ast.parse(f"_({python})", mode="eval").body
    except SyntaxError:
        return None
    match call.args:
        case []:
            return None, [keyword.arg for keyword in call.keywords]
        case [ast.Name(name)] if name in VERBS:
            return name, []
        case [ast.Name(name)]:
            return None, [name]
        case [ast.Call(func=ast.Name(name)) as inner] if name != "groupby":
            return name, [one.arg for one in ast.walk(inner) if isinstance(one, ast.keyword)]
    return None


def has_option(function: str, name: str) -> bool:
    if name not in parameters_of(function):
        return False
    if name in {"selection", "options"}:
        return True
    if function == "open_executor":
        return option_of(command_of("convert-asc"), name) is not None
    verb = VERBS[function]
    return option_of(command_of(verb.command), verb.renamed.get(name, name)) is not None


def test_no_text_of_the_library_speaks_command_line():
    """Docstrings as well; other programs have flags of their own."""
    options = {spelling for _, command in commands() for one in command.params
               for spelling in one.opts if spelling.startswith("--")}  # fmt: skip
    for path in LIBRARY:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not options & set(FLAG.findall(node.value)), (path, node.value)
                assert not set(VERB.findall(node.value)) & cli.verbs.keys(), (path, node.value)


def commands() -> Iterator[tuple[str, click.Command]]:
    for verb in cli.verbs:
        command = cli.get_command(None, verb)
        if isinstance(command, click.Group):
            own = command.list_commands(None)
            yield from ((f"{verb} {name}", command.get_command(None, name)) for name in own)
        else:
            yield verb, command


@pytest.mark.parametrize(
    ("running", "text", "said"),
    [
        ("trim", "give `overwrite=True`; or `link='copy'`", "give --overwrite; or --link copy"),
        ("ava download", "give `list_files`", "give --list"),
        ("stats", "see `verify_dataset`", "see `unitalk verify`"),
        ("trim", "`videos()` prints ids for `videos`", "`unitalk videos` prints ids for --list"),
        ("stats", "`verify_dataset('a b', deep=True)`", "unitalk verify 'a b' --deep"),
        ("stats", "run `plan_download(HUB, 'd', selection=Selection(videos=('-a', 'b'), "
         "archives_only=True))`, then look", "run `unitalk download --save-path d --video=-a "
         "--video b --no-unpack`, then look"),
        ("eval", "if so: `register_weights('n', 'folder', FILE)`",
         "if so: unitalk weights download n --from-file FILE"),
        ("eval", "`id,category`, `score`, `overwrite=True`, `1 +`",
         "`id,category`, `score`, `overwrite=True`, `1 +`"),
    ],
)  # fmt: skip
def test_python_is_said_as_it_is_typed(running, text, said):
    path = ["unitalk", *running.split()]
    context, command = None, cli
    for word in path:
        command = cli if context is None else command.get_command(context, word)
        settings = cli.context_settings if context is None else {}
        context = click.Context(command, parent=context, info_name=word, **settings)
    with context.scope():
        assert spoken(text) == said


def test_without_a_command_a_text_is_as_the_library_has_it():
    assert spoken("give `overwrite=True`") == "give `overwrite=True`"

"""What the library says in Python is said on the command line in its own words."""

from __future__ import annotations

import dataclasses
import inspect

import click
import pytest

import unitalk
from unitalk.cli._shared.hints import VERBS, option_of, spoken
from unitalk.cli.main import cli

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

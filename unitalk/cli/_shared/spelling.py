"""Commands and groups that answer a word they do not know with the command to type."""

from __future__ import annotations

import difflib
import shlex
from collections import deque
from typing import TYPE_CHECKING, Any

import click

from unitalk.cli._shared import other_words
from unitalk.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


class SpellingCommand(click.Command):
    """A verb that knows what its options are called elsewhere."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words after the verb.

        Raises:
            UsageError: an option has another name here; the hint is the command to type.
        """
        words, path = list(args), _path(ctx)
        try:
            if path == "predict" and _is_raw_video(words):
                raise _raw_video(f"{path} {shlex.join(words)}")
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if renamed(self, path, error.option_name) is None:
                raise
            raise UsageError(
                f"`unitalk {path}` has no option {error.option_name}",
                hint=command_line(ctx, self, path, words),
            ) from error


class SpellingGroup(click.Group):
    """A group that knows what its verbs are called elsewhere."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that the first word names.

        Raises:
            UsageError: it has another name here, or there is no such verb; the hint is the command
                to type.
        """
        word = args[0].replace("_", "-").lower()
        known = self.list_commands(ctx)
        if ctx.resilient_parsing or word in known or word.startswith("-"):
            return super().resolve_command(ctx, [word, *args[1:]] if word in known else args)
        raise _answer(ctx, _path(ctx, word), args[1:], known)


def _answer(ctx: click.Context, path: str, words: list[str], known: list[str]) -> UsageError:
    """The error of a word that is not a verb."""
    longer = f"{path} {words[0]}" if words else path
    said = longer if longer in {**other_words.REMOVED_VERBS, **other_words.ANSWERS} else path
    rest = words[len(said.split()) - len(path.split()) :]
    message = f"there is no command `unitalk {said}`"
    if said in other_words.RAW_VIDEO or (said in {"infer", "inference"} and _is_raw_video(rest)):
        return _raw_video(said)
    if said in other_words.ANSWERS:
        return UsageError(message, hint=other_words.ANSWERS[said])
    verb = {**other_words.REMOVED_VERBS, **other_words.OTHER_VERBS}.get(said)
    near = difflib.get_close_matches(path.rsplit(maxsplit=1)[-1], known, n=1)
    if verb is None and near:
        verb = " ".join([*path.split()[:-1], near[0]])
    command = verb and _command_of(ctx.find_root(), verb)
    if not verb or not command:
        group = " ".join(["unitalk", *path.split()[:-1]])
        return UsageError(message, hint=f"`{group} --help` lists the commands")
    return UsageError(message, hint=command_line(ctx, command, verb, rest))


def _raw_video(said: str) -> UsageError:
    return UsageError(
        f"`unitalk {said}`: unitalk does not find faces in raw video yet",
        hint=other_words.RAW_VIDEO_ANSWER,
    )


def _is_raw_video(words: Sequence[str]) -> bool:
    return any(
        word.lower().endswith(other_words.VIDEO_ENDINGS) and not word.startswith("-")
        for word in words[:1]
    )


def _path(ctx: click.Context, *more: str) -> str:
    return " ".join([*ctx.command_path.split()[1:], *more])


def _command_of(root: click.Context, path: str) -> click.Command | None:
    command: click.Command | None = root.command
    for word in path.split():
        command = command.get_command(root, word) if isinstance(command, click.Group) else None
    return command


def renamed(command: click.Command, path: str, option: str) -> click.Parameter | None:
    """The parameter of a command that an option of another name means, if one is known."""
    spelling = option.replace("_", "-").lower()
    names: tuple[str, ...] = other_words.REMOVED_OPTIONS.get(
        f"{path} {spelling}", other_words.OTHER_OPTIONS.get(spelling, ())
    )
    own = {one.name: one for one in command.params}
    return next((own[name] for name in names if name in own), None)


def command_line(
    ctx: click.Context, command: click.Command, path: str, words: Sequence[str]
) -> str:
    """The command to type in place of other words; what is missing is named in capitals."""
    if isinstance(command, click.Group):
        return shlex.join(["unitalk", *path.split(), "--help"])
    arguments, options = _sorted(command, path, words)
    missing: list[str] = []
    typed: list[str] = []
    for one in command.params:
        if isinstance(one, click.Argument):
            given = arguments.get(one.name or "", [])
            typed += map(shlex.quote, given)
            if not given and (one.required or (one.nargs < 0 and "groundtruth" not in options)):
                typed.append(_placeholder(ctx, one))
        elif one.required and one.name not in options:
            missing.append(f"{_longest(one)} {_placeholder(ctx, one)}")
    flat = [word for said in options.values() for word in said]
    return " ".join(["unitalk", path, *typed, *missing, *flat])


def _sorted(
    command: click.Command, path: str, words: Sequence[str]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The words of each argument; and those of each option, quoted, under its new name."""
    arguments: dict[str, list[str]] = {}
    options: dict[str, list[str]] = {}
    bare: list[str] = []
    todo = deque(words)
    while todo:
        word = todo.popleft()
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if not word.startswith("-") or word == "-":
            bare.append(word)
            continue
        own = next((one for one in command.params if _dashed(name) in one.opts), None)
        found = own or renamed(command, path, name)
        if found is None:
            options.setdefault(name, []).append(shlex.quote(word))
        elif isinstance(found, click.Argument):
            arguments.setdefault(found.name or "", []).append(value if equals else _next(todo))
        else:
            said = [_longest(found) if own is None else _dashed(name)]
            if equals or not _is_flag(found, todo):
                said.append(shlex.quote(value if equals else _next(todo)))
            options.setdefault(found.name or "", []).extend(said)
    for one in command.params:
        if isinstance(one, click.Argument) and one.name not in arguments and bare:
            count = len(bare) if one.nargs < 0 else one.nargs
            arguments[one.name or ""], bare = bare[:count], bare[count:]
    return arguments, options


def _placeholder(ctx: click.Context, parameter: click.Parameter) -> str:
    """A word in capitals for what a person fills in: the first of several."""
    return parameter.make_metavar(ctx).strip("[]").replace("...", "").partition("|")[0]


def _dashed(option: str) -> str:
    return option.replace("_", "-") if option.startswith("--") else option


def _next(todo: deque[str]) -> str:
    return todo.popleft() if todo else "..."


def _is_flag(parameter: click.Parameter, todo: deque[str]) -> bool:
    """Whether no value follows; the value of some options may be left out."""
    settings: Any = parameter
    if settings.is_flag:
        return True
    return settings.flag_value is not None and (not todo or todo[0].startswith("-"))


def _longest(parameter: click.Parameter) -> str:
    return max(parameter.opts, key=len)

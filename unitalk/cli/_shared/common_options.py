"""Options that several verbs share, as decorators, and `verb`, which makes a command."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from unitalk._version import __version__
from unitalk.choices import LINKS
from unitalk.cli._shared.console import Console
from unitalk.cli._shared.option_group import option_group
from unitalk.cli._shared.spelling import SpellingCommand

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from unitalk.choices import Link

Function = TypeVar("Function", bound="Callable[..., Any]")
Command = TypeVar("Command", bound=click.Command)


class _Path(click.Path):
    """A path whose `~` is expanded: a shell leaves it alone behind `=` and within quotes.

    Args:
        written: the file will be written: a place that refuses it is named before hours of work.
        given: see `click.Path`.
    """

    def __init__(self, *, written: bool = False, **given: bool) -> None:
        super().__init__(path_type=Path, **given)
        self._written = written

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        """Expand the path, and refuse a folder's name for a file, be it there or not."""
        text = os.path.expanduser(value)
        if not self.dir_okay and os.path.basename(os.fspath(value)) in {"", ".", ".."}:
            self.fail(f"{value!r} is the name of a folder. Give the name of a file.", param, ctx)
        path = super().convert(text, param, ctx)
        if self._written and os.fspath(path) != "-" and not (ctx and ctx.resilient_parsing):
            from unitalk.files import check_writable

            check_writable(Path(os.fsdecode(path)))
        return path


FOLDER = _Path(file_okay=False)
FILE = _Path(dir_okay=False)
NEW_FILE = _Path(dir_okay=False, written=True)
SOURCE = _Path(exists=True)


def _console(context: click.Context) -> Console:
    console = context.find_object(Console)
    if console is None:
        console = context.find_root().obj = Console()
    return console


def _set(context: click.Context, option: click.Parameter, value: Any) -> None:
    """Tell the console; of commands within each other the innermost is the last to come here."""
    console = _console(context)
    console.context = context
    if value is not False:  # -q and -v count before the verb as well
        setattr(console, str(option.name), value)


def common_options(command: Command) -> Command:
    """Add -q, -v and --version, which work before and after the verb."""
    click.option(
        "-q", "--quiet", is_flag=True, is_eager=True, expose_value=False, callback=_set,
        help="Hide progress and notes.",
    )(command)  # fmt: skip
    click.option(
        "-v", "--verbose", is_flag=True, is_eager=True, expose_value=False, callback=_set,
        help="Print more details to stderr.",
    )(command)  # fmt: skip
    return click.version_option(__version__, "--version", prog_name="unitalk")(command)


def verb(
    name: str,
    *,
    of: click.Group | None = None,
    forms: Sequence[str] = ("text", "json"),
    output: bool = True,
    about: str | None = None,
) -> Callable[[Function], click.Command]:
    """Make a command with --format, -o and the common options; it takes the console first.

    Args:
        name: what is typed.
        of: the group that it belongs to.
        forms: the choices of --format.
        output: whether it has -o for the result.
        about: its help; default: the function's docstring.
    """

    def decorate(function: Function) -> click.Command:
        make = click.command if of is None else of.command
        command = make(name, cls=SpellingCommand, help=about)(click.pass_obj(function))
        click.option(
            "--format", "form", type=click.Choice(forms), default="text", show_default=True,
            expose_value=False, callback=_set, help="Format of the result.",
        )(command)  # fmt: skip
        if output:
            click.option(
                "-o", "--output", type=NEW_FILE, expose_value=False, callback=_set,
                help="Write the result to a file instead of stdout.",
            )(command)  # fmt: skip
        return common_options(command)

    return decorate


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """How files get to their destination: what --link and --overwrite say."""

    link: Link
    overwrite: bool


def place_options(function: Function) -> Function:
    """Add --link and --overwrite; the verb takes `placing`."""
    return option_group(
        "placing",
        f"{__name__}:Placing",
        click.option(
            "--link", type=click.Choice(LINKS), default="auto", show_default=True,
            help="Place files by hard link, symbolic link or copy. auto: hard link, else copy.",
        ),
        overwrite_option,
    )(function)  # fmt: skip


def overwrite_option(function: Function) -> Function:
    """Add --overwrite."""
    return click.option(
        "--overwrite", is_flag=True, help="Replace the output of an earlier run of this command."
    )(function)


def destination_option(what: str, *, required: bool = True) -> Callable[[Function], Function]:
    """Add --destination; `what` is its help."""
    return click.option("--destination", type=FOLDER, required=required, help=what)


def videos_option(function: Function) -> Function:
    """Add a repeatable --video, which names a video or @FILE; the verb takes `videos`, ids only."""
    return click.option(
        "--video", "videos", multiple=True, metavar="ID|@FILE", callback=_read_videos,
        help="Only this video: an id, a link, a file name, or @FILE with one per line; repeatable.",
    )(function)  # fmt: skip


def _read_videos(
    context: click.Context, _: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    if context.resilient_parsing or not values:
        return values
    from unitalk.catalog.video_list import published_category, resolve_list, video_id

    ids: list[str] = []
    for value in values:
        if value.startswith("@"):  # no id begins so
            path = os.path.join(".", os.path.expanduser(value[1:]))
            if category := published_category(path):
                taken = f"took the published category {category}"
                _console(context).say(f"note: {value[1:]} does not exist: {taken}")
            ids += resolve_list(path)
        elif (found := video_id(value)) is not None:
            ids.append(found)
        else:
            raise click.BadParameter(
                f"{value!r} names no video. Give an id, a link of YouTube, or a video's file name."
            )
    return tuple(ids)


def splits_option(
    function: Function, *, splits: Sequence[str] = ("train", "val", "test")
) -> Function:
    """Add a repeatable --split; the verb takes `splits`."""
    return click.option(
        "--split", "splits", type=click.Choice(splits), multiple=True,
        help="Only this split; repeatable.  [default: all]",
    )(function)  # fmt: skip


def published_splits_option(function: Function) -> Function:
    """Add a repeatable --split of those that are published; the verb takes `splits`."""
    return splits_option(function, splits=("train", "val"))


def category_option(function: Function) -> Function:
    """Add a repeatable --category; the verb takes `categories`."""
    return click.option(
        "--category", "categories", multiple=True, metavar="NAME",
        help="Only this category (language, mixed, noise, visual) of val; repeatable.",
    )(function)  # fmt: skip


def limit_option(function: Function) -> Function:
    """Add --limit."""
    return click.option(
        "--limit",
        type=click.IntRange(min=1),
        metavar="N",
        help="Only the first N videos of each split.",
    )(function)


def threads_option(what: str) -> Callable[[Function], Function]:
    """Add --jobs, of threads; `what` is its help."""
    return click.option(
        "--jobs", type=click.IntRange(min=1), default=8, show_default=True, metavar="N", help=what
    )

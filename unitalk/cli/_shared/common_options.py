"""Options that several verbs share, as decorators."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from unitalk._version import __version__
from unitalk.choices import LINKS
from unitalk.cli._shared.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., Any]")


class _Path(click.Path):
    """A path whose `~` is expanded: a shell leaves it alone behind `=` and within quotes."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        """Expand, then do what click does."""
        return super().convert(os.path.expanduser(value), param, ctx)


class _File(_Path):
    """The path of a file: what ends with a slash can only be a folder."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        """Refuse the name of a folder, be it there or not."""
        text = os.fspath(value)
        if os.path.basename(text) in {"", ".", ".."}:
            self.fail(f"{text!r} is the name of a folder. Give the name of a file.", param, ctx)
        return super().convert(value, param, ctx)


class _NewFile(_File):
    """The path of a file to write, in a place that takes it: said before hours of work."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        """Try the place; `-` is stdout."""
        path = super().convert(value, param, ctx)
        if os.fspath(path) != "-" and not (ctx and ctx.resilient_parsing):
            from unitalk.files import check_writable

            check_writable(Path(os.fsdecode(path)))
        return path


FOLDER = _Path(path_type=Path, file_okay=False)
FILE = _File(path_type=Path, dir_okay=False)
NEW_FILE = _NewFile(path_type=Path, dir_okay=False)
SOURCE = _Path(path_type=Path, exists=True)


def _console(context: click.Context) -> Console:
    console = context.find_object(Console)
    if console is None:
        console = context.find_root().obj = Console()
    return console


def _set(context: click.Context, option: click.Parameter, value: bool) -> None:
    """Set what is said; the innermost command is the last to come here."""
    console = _console(context)
    console.context = context
    if value:
        setattr(console, option.name or "", True)


def common_options(function: Function) -> Function:
    """Add -q, -v and --version, which work before and after the verb."""
    for option in (
        click.version_option(__version__, "--version", prog_name="unitalk"),
        click.option(
            "-v", "--verbose", is_flag=True, expose_value=False, is_eager=True,
            callback=_set,
            help="Say more, on stderr.",
        ),
        click.option(
            "-q", "--quiet", is_flag=True, expose_value=False, is_eager=True, callback=_set,
            help="Show no progress and no notes.",
        ),
    ):  # fmt: skip
        function = option(function)
    return function


def report_options(function: Function) -> Function:
    """Add --format and -o; the verb takes `form` and `output`."""
    function = click.option(
        "-o", "--output", type=NEW_FILE, help="Write the result to a file instead of stdout."
    )(function)
    return click.option(
        "--format", "form", type=click.Choice(["text", "json"]), default="text",
        show_default=True, help="For people, or for programs.",
    )(function)  # fmt: skip


def place_options(function: Function) -> Function:
    """Add --link and --overwrite."""
    function = click.option(
        "--overwrite", is_flag=True, help="Replace what this verb made there earlier."
    )(function)
    return click.option(
        "--link", type=click.Choice(LINKS), default="auto", show_default=True,
        help="How files are placed. auto: hard links, copies where there are none.",
    )(function)  # fmt: skip


def videos_option(function: Function) -> Function:
    """Add a repeatable --video, which names a video or @FILE; the verb takes `videos`, ids only."""
    return click.option(
        "--video", "videos", multiple=True, metavar="ID|@FILE", callback=_read_videos,
        help="Only this one (an id, a link, or its file's name), or those of a list; repeatable.",
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


def splits_option(function: Function) -> Function:
    """Add a repeatable --split; the verb takes `splits`."""
    return _splits_option("train", "val", "test")(function)


def published_splits_option(function: Function) -> Function:
    """Add a repeatable --split of those that are published; the verb takes `splits`."""
    return _splits_option("train", "val")(function)


def _splits_option(*splits: str) -> Callable[[Function], Function]:
    return click.option(
        "--split", "splits", type=click.Choice(splits), multiple=True,
        help="Only this split; repeatable.  [default: all]",
    )  # fmt: skip


def jobs_options(function: Function, *, default: str = "one a processor") -> Function:
    """Add --jobs and --scheduler; the verb takes `jobs` and `scheduler`."""
    function = click.option(
        "--scheduler", metavar="ADDRESS",
        help="Do it on the workers of this Dask cluster, such as tcp://host:8786.",
    )(function)  # fmt: skip
    return click.option("--jobs", type=click.IntRange(1), help=f"Processes.  [default: {default}]")(
        function
    )

"""What is refused of `unitalk eval` before it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unitalk.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


def check_effect(by: Collection[str], *, pictured: bool) -> None:
    """Refuse an option that has nothing to act on, of the command that is running.

    Args:
        by: the breakdowns.
        pictured: whether a page or a plot is written.

    Raises:
        UsageError: there is one.
    """
    context = click.get_current_context()
    given = {
        one.opts[-1]
        for one in context.command.params
        if context.get_parameter_source(one.name or "") is click.core.ParameterSource.COMMANDLINE
    }
    by_category, sized = {"category", "all"} & set(by), {"face-size", "all"} & set(by)
    for option, needed, has in (
        ("--categories", "--by category", by_category),
        ("--frame-size", "--by face-size", sized),
        ("--face-size", "--by face-size", sized),
        ("--dataset", "--by face-size or --report", sized or pictured),
        ("--ci-unit", "--ci", "--ci" in given),
        ("--threshold", "--metrics", "--metrics" in given),
    ):
        if option in given and not has:
            raise UsageError(f"{option} has no effect without {needed}", hint=f"add {needed}")
    dataset = context.params.get("dataset")
    if dataset is not None and not dataset.is_dir():
        raise UsageError(f"{dataset} is not a folder", hint="give the dataset's folder")


def check_written(
    output: Path | None, plot: Path | None, report: Path | None, systems: Collection[str]
) -> None:
    """Stop before the work what would fail after it.

    Raises:
        UsageError: two results would go to one file, a picture to stdout, or the plot's name says
            no format.
        MissingExtraError: what draws the plot is not installed.
    """
    files = [path.resolve() for path in (output, plot, report) if path and str(path) != "-"]
    if len(set(files)) < len(files):
        raise UsageError(
            "two results would be written to one file", hint="give each of them its own name"
        )
    if "-" in {str(plot), str(report)}:
        raise UsageError("a picture and a page need a file", hint="give a name, such as out.html")
    if plot is not None:
        from unitalk.plot_style import check
        from unitalk.score.plot import MOST

        check(plot)
        if len(systems) > MOST:
            raise UsageError(
                f"a plot of {len(systems)} systems", hint=f"give at most {MOST} of them"
            )


def check_form(form: str, leaderboard: str | None, *, metrics: bool) -> None:
    """Refuse what a format has no place for, and a benchmark that nobody knows.

    Raises:
        UsageError: either.
    """
    for name, given in (("--leaderboard", leaderboard), ("--metrics", metrics)):
        if given and form in {"csv", "latex"}:
            raise UsageError(
                f"{name} has no place in {form}", hint="give --format text, json or markdown"
            )
    if leaderboard:
        from unitalk.catalog.results import published

        published(leaderboard)

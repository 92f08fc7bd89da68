"""`unitalk eval`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from unitalk.choices import BREAKDOWNS, FACE_SIZES, UNITS
from unitalk.cli._shared.common_options import FOLDER, NEW_FILE, verb
from unitalk.cli._shared.console import Console, refuse_to_overwrite
from unitalk.cli._shared.hints import spoken
from unitalk.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from unitalk.score import Comparison, Evaluation
    from unitalk.score.standing import Standing


FORMATS = ("text", "json", "csv", "markdown", "latex")


def _size(_: click.Context, __: click.Parameter, value: str | None) -> tuple[float, float] | None:
    if value is None:
        return None
    from unitalk.score.eval_options import parse_frame_size

    return parse_frame_size(value)


@verb("eval", forms=FORMATS)
@click.option(
    "-g", "--groundtruth", required=True, metavar="CSV",
    help="Ground truth: a csv, a folder of them, or - for stdin.",
)  # fmt: skip
@click.option(
    "-p", "--predictions", "given", required=True, multiple=True, metavar="[NAME=]CSV",
    help="Predictions: a csv, a folder of them, or - for stdin. Repeatable: each further one is "
    "compared with the first.",
)  # fmt: skip
@click.option(
    "--by", multiple=True, type=click.Choice([*BREAKDOWNS, "all"]),
    help="Break the number down. Repeatable: two give the cross table. all: each on its own.",
)  # fmt: skip
@click.option(
    "--categories", metavar="FILE",
    help="Categories of --by category, a line `id,category` each.  [default: UniTalk's]",
)  # fmt: skip
@click.option(
    "--frame-size", metavar="WxH", callback=_size, help="Size of the videos' frames, for face-size."
)
@click.option("--data", type=FOLDER, help="The dataset: frame sizes, and faces for the report.")
@click.option(
    "--face-size", type=click.Choice(FACE_SIZES),
    help="What a face's size is: its width against 64 and 128 pixels, or its area against theirs.  "
    "[default: width]",
)  # fmt: skip
@click.option(
    "--ci", type=click.IntRange(min=2), is_flag=False, flag_value=1000, metavar="[N]",
    help="Intervals, from at most N resamples.  [N: 1000]",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True,
    help="Of the lots that videos are dealt into when there are more than N.",
)  # fmt: skip
@click.option(
    "--ci-unit", type=click.Choice(UNITS),
    help="What a resample leaves out as a whole.  [default: video]",
)  # fmt: skip
@click.option("--metrics", is_flag=True, help="More than AP: ROC AUC, F1, equal error rate, ...")
@click.option(
    "--threshold", type=float,
    help="From which score on a face speaks, for --metrics.  [default: 0.5; 0 for logits]",
)  # fmt: skip
@click.option(
    "--leaderboard", is_flag=False, flag_value="UniTalk val", metavar="[BENCHMARK]",
    help="Published numbers around your own.  [BENCHMARK: UniTalk val]",
)  # fmt: skip
@click.option("--plot", type=NEW_FILE, help="Precision-recall curves: a png, svg or pdf.")
@click.option("--report", type=NEW_FILE, help="A page with everything in it: an html file.")
@click.option("--partial", is_flag=True, help="Score what matches when not every face does.")
def command(
    console: Console,
    /,
    *,
    groundtruth: str,
    given: tuple[str, ...],
    by: tuple[str, ...],
    ci: int | None,
    seed: int,
    partial: bool,
    leaderboard: str | None,
    plot: Path | None,
    report: Path | None,
    **options: Any,
) -> None:
    """Score predictions against ground truth.

    The number is AVA's average precision, joined by entity_id and frame_timestamp: equal in whole
    milliseconds, or else the only face of the track within 1 ms. Every face must be scored exactly
    once; rows may come in any order, and rows that share a score count as one step.
    """
    from unitalk.cli._shared.eval_checks import check_effect, check_form, check_written
    from unitalk.cli._shared.score_text import render
    from unitalk.score import EvaluateOptions, Evaluation, compare, evaluate

    systems = _named(given)
    check_effect(by, ci, plot or report, options)
    for written in (console.output, plot, report):
        refuse_to_overwrite(written, groundtruth, *systems.values(), options["categories"] or "")
    check_written(console.output, plot, report, systems)
    check_form(console.form, leaderboard, metrics=options["metrics"])
    how: dict[str, Any] = {"by": by, "ci": ci, "seed": seed, "partial": partial}
    how["options"] = EvaluateOptions(**{k: v for k, v in options.items() if v is not None})
    result: Evaluation | Comparison
    if len(systems) == 1:
        ((name, only),) = systems.items()
        result = evaluate(groundtruth, only, name=name, **how)
    else:
        result = compare(groundtruth, systems, **how)
    every = [result] if isinstance(result, Evaluation) else result.systems
    for system in every:
        console.detail(f"{groundtruth}: {system.inputs['groundtruth']}")
        console.detail(f"{systems[system.name]}: {system.inputs['predictions']}")
    place = _placed(leaderboard, every, own_categories=options["categories"] is not None)
    found = result.to_dict() | ({"leaderboard": place.to_dict()} if place else {})
    console.emit(found, render(result, console.form, place, by=bool(by)))
    if console.form in {"csv", "markdown", "latex"}:  # which have no place for them
        for system in every:
            console.warn(f"{system.name}: {text}" for text in system.warnings)
    _draw(console, result, every=every, plot=plot, report=report, data=options["data"])
    if any(system.average_precision is None for system in every):
        sys.exit(DataError.exit_code)


def _named(given: Sequence[str]) -> dict[str, str]:
    """Each system's name and file.

    Raises:
        UsageError: two have one name.
    """
    from unitalk.score.scoring import name_of

    systems: dict[str, str] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not equals or not name or os.path.exists(text) or "/" in name:
            name, path = name_of(text), text
        if name in systems:
            raise UsageError(
                f"two predictions are called {name!r}: {systems[name]} and {path}",
                hint="name them: -p one=FILE -p other=FILE",
            )
        systems[name] = os.path.expanduser(path)
    return systems


def _placed(
    leaderboard: str | None, every: Sequence[Evaluation], *, own_categories: bool
) -> Standing | None:
    if leaderboard is None:
        return None
    from unitalk.score.standing import standing

    return standing(leaderboard, every, own_categories=own_categories)


def _draw(
    console: Console,
    result: Evaluation | Comparison,
    *,
    every: Sequence[Evaluation],
    plot: Path | None,
    report: Path | None,
    data: Path | None,
) -> None:
    """Write the pictures that were asked for."""
    if plot is not None:
        from unitalk.score.curve import curve
        from unitalk.score.plot import plot as draw

        curves = {
            one.name: (drawn, one.average_precision)
            for one in every
            if (drawn := curve(one.matched.labels, one.matched.scores)) is not None
        }
        if curves:
            draw(curves, every[0].prior, plot)
        else:
            console.warn([f"{plot} was not drawn: there is no curve without a positive"])
    if report is not None:
        from unitalk.files import atomic_write
        from unitalk.score.report import to_html

        text = to_html(result, data=data)
        with atomic_write(report) as file:
            file.write(spoken(text))

"""`unitalk eval`."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import click

from unitalk.choices import BREAKDOWNS, FACE_SIZES, UNITS
from unitalk.cli._shared.common_options import FOLDER, NEW_FILE, verb
from unitalk.cli._shared.console import Console, refuse_to_overwrite
from unitalk.cli._shared.hints import spoken
from unitalk.cli._shared.option_group import option_group
from unitalk.cli._shared.score_inputs import ScoreInputs, score_inputs
from unitalk.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from unitalk.score import Comparison, EvaluateOptions, Evaluation
    from unitalk.score.standing import Standing


FORMATS = ("text", "json", "csv", "markdown", "latex")


def _size(_: click.Context, __: click.Parameter, value: str | None) -> tuple[float, float] | None:
    if value is None:
        return None
    from unitalk.score.eval_options import parse_frame_size

    return parse_frame_size(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What `evaluate` and `compare` are asked besides `EvaluateOptions`."""

    by: tuple[str, ...]
    ci: int | None = None
    seed: int
    partial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What is made of a score besides the printed result."""

    leaderboard: str | None = None
    plot: Path | None = None
    report: Path | None = None


@verb("eval", forms=FORMATS)
@partial(score_inputs, several=True)
@option_group(
    "question",
    f"{__name__}:Question",
    click.option(
        "--by",
        multiple=True,
        type=click.Choice([*BREAKDOWNS, "all"]),
        help="Break the score down by category, number of faces in the frame (faces), face size, "
        "track length, whether another face speaks (crowded), or video. Repeat to cross two; all "
        "prints one table for each.",
    ),
    click.option(
        "--ci",
        type=click.IntRange(min=2),
        is_flag=False,
        flag_value=1000,
        metavar="[N]",
        help="Add 95% confidence intervals (jackknife, at most N resamples).  [N: 1000]",
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        metavar="N",
        help="Random seed for --ci, used only if there are more videos than N.",
    ),
    click.option(
        "--partial", is_flag=True, help="If some faces do not match, evaluate only those that do."
    ),
)
@option_group(
    "options",
    "unitalk.score:EvaluateOptions",
    click.option(
        "--categories",
        metavar="FILE",
        help="Categories for --by category: one `id,category` per line.  [default: UniTalk's]",
    ),
    click.option(
        "--frame-size",
        metavar="WxH",
        callback=_size,
        help="Frame size of the videos, for --by face-size.",
    ),
    click.option(
        "--dataset",
        type=FOLDER,
        help="Dataset to take frame sizes (from its crops) and faces for --report from.",
    ),
    click.option(
        "--face-size",
        type=click.Choice(FACE_SIZES),
        help="For --by face-size: by width (below 64, 64-128, above 128 pixels) or by area.  "
        "[default: width]",
    ),
    click.option(
        "--ci-unit", type=click.Choice(UNITS), help="Unit to resample for --ci.  [default: video]"
    ),
    click.option(
        "--metrics",
        is_flag=True,
        help="Also print ROC AUC, F1, equal error rate and other measures.",
    ),
    click.option(
        "--threshold",
        type=float,
        help="For --metrics: the lowest score that counts as speaking.  [default: 0.5, or 0 for "
        "logits]",
    ),
)
@option_group(
    "extras",
    f"{__name__}:Extras",
    click.option(
        "--leaderboard",
        is_flag=False,
        flag_value="UniTalk val",
        metavar="[BENCHMARK]",
        help="Show published results next to yours.  [BENCHMARK: UniTalk val]",
    ),
    click.option("--plot", type=NEW_FILE, help="Draw precision-recall curves (png, svg or pdf)."),
    click.option("--report", type=NEW_FILE, help="Write all tables and plots to one HTML page."),
)
def command(
    console: Console,
    *,
    inputs: ScoreInputs,
    question: Question,
    options: EvaluateOptions,
    extras: Extras,
) -> None:
    """Evaluate predictions against ground truth.

    GT is a dataset, a csv, or a folder of csv files; PRED is a csv or a folder of them. Give them
    as arguments, or with -g and -p. The score is average precision (AP), computed as in AVA's
    official evaluation; papers call it mAP.

    Rows are matched by entity_id and frame_timestamp: equal to the millisecond, or else the track's
    only face within 1 ms. Every face must have exactly one score. Rows may come in any order. Tied
    scores count as one point of the precision-recall curve.
    """
    from dataclasses import replace

    from unitalk.cli._shared.eval_checks import check_effect, check_form, check_written
    from unitalk.cli._shared.score_text import render
    from unitalk.score import Evaluation

    systems = _named(inputs.predictions)
    check_effect(question.by, pictured=extras.plot is not None or extras.report is not None)
    for written in (console.output, extras.plot, extras.report):
        refuse_to_overwrite(
            written, inputs.groundtruth, *systems.values(), str(options.categories or "")
        )
    check_written(console.output, extras.plot, extras.report, systems)
    check_form(console.form, extras.leaderboard, metrics=options.metrics)
    inputs.say_split(console)
    result = _score(inputs, systems, question, replace(options, split=inputs.split))
    every = [result] if isinstance(result, Evaluation) else list(result.systems)
    for system in every:
        console.detail(f"{inputs.groundtruth}: {system.inputs['groundtruth']}")
        console.detail(f"{systems[system.name]}: {system.inputs['predictions']}")
    place = _placed(extras.leaderboard, every, own_categories=options.categories is not None)
    found = result.to_dict() | ({"leaderboard": place.to_dict()} if place else {})
    console.emit(found, render(result, console.form, place, by=bool(question.by)))
    if console.form in {"csv", "markdown", "latex"}:  # which have no place for them
        for system in every:
            console.warn(f"{system.name}: {text}" for text in system.warnings)
    _draw(console, result, every=every, extras=extras, dataset=options.dataset)
    if any(system.average_precision is None for system in every):
        sys.exit(DataError.exit_code)


def _score(
    inputs: ScoreInputs, systems: dict[str, str], question: Question, options: EvaluateOptions
) -> Evaluation | Comparison:
    from unitalk.score import compare, evaluate

    if len(systems) == 1:
        ((name, only),) = systems.items()
        return evaluate(
            inputs.groundtruth, only, name=name, by=question.by, ci=question.ci,
            seed=question.seed, partial=question.partial, options=options,
        )  # fmt: skip
    return compare(
        inputs.groundtruth, systems, by=question.by, ci=question.ci, seed=question.seed,
        partial=question.partial, options=options,
    )  # fmt: skip


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
    extras: Extras,
    dataset: str | Path | None,
) -> None:
    """Write the pictures that were asked for."""
    if extras.plot is not None:
        from unitalk.score.curve import curve
        from unitalk.score.plot import plot as draw

        curves = {
            one.name: (drawn, one.average_precision)
            for one in every
            if (drawn := curve(one.matched.labels, one.matched.scores)) is not None
        }
        if curves:
            draw(curves, every[0].prior, extras.plot)
        else:
            console.warn([f"{extras.plot} was not drawn: there is no curve without a positive"])
    if extras.report is not None:
        from unitalk.files import atomic_write
        from unitalk.score.report import to_html

        text = to_html(result, dataset=dataset)
        with atomic_write(extras.report) as file:
            file.write(spoken(text))

"""`unitalk talknet evaluate`: predict, then eval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from unitalk.cli import eval as scoring
from unitalk.cli._shared.common_options import NEW_FILE, verb
from unitalk.cli._shared.console import refuse_to_overwrite
from unitalk.cli._shared.model_options import file_of_weights, predict_options, run_predict

if TYPE_CHECKING:
    from pathlib import Path

    from unitalk.cli._shared.console import Console

_GIVEN = {"groundtruth", "given", "data"}  # what eval is told, and its reader is not asked for
_EVAL = [one for one in scoring.command.params if one.name not in _GIVEN and one.expose_value]


@verb("evaluate", forms=scoring.FORMATS)
@predict_options
@click.option(
    "--predictions", type=NEW_FILE, required=True, help="The predictions' csv; it is kept."
)
def command(console: Console, /, *, data: Path, predictions: Path, **options: Any) -> None:
    """Predict, then score the predictions as `unitalk eval` does.

    What follows --predictions is eval's own; `unitalk eval --help` says more about it.
    """
    from unitalk.cli._shared.eval_checks import check_effect, check_form, check_written
    from unitalk.layout import Layout

    asked = {one.name: options.pop(one.name) for one in _EVAL if one.name}
    asked["partial"] |= bool(options["videos"])  # the others are not asked for
    pictured = asked["plot"] or asked["report"]
    sized = asked["report"] is not None or {"face-size", "all"} & set(asked["by"])
    asked["data"] = data if sized else None
    # What eval would refuse is refused before the hours that scoring may take.
    check_effect(asked["by"], asked["ci"], pictured, asked)
    check_written(console.output, asked["plot"], asked["report"], (str(predictions),))
    check_form(console.form, asked["leaderboard"], metrics=asked["metrics"])
    refuse_to_overwrite(predictions, data, file_of_weights(options["weights"]))
    report = run_predict(console, data=data, output=predictions, **options)
    click.get_current_context().invoke(
        scoring.command,
        groundtruth=str(Layout(data).csv(report.split)),
        given=(str(predictions),),
        **asked,
    )


_own = next(n for n, one in enumerate(command.params) if one.name == "form")
command.params[_own:_own] = _EVAL

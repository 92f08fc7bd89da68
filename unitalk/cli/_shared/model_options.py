"""Options that verbs share which run a network."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from unitalk.choices import MODELS, PRECISIONS
from unitalk.cli._shared.offline import network_forbidden_by
from unitalk.cli._shared.user_folders import weights_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unitalk.cli._shared.console import Console

NETWORK_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--device", default="auto", show_default=True, metavar="auto|cpu|cuda",
        help="Device to compute on; cuda:N chooses one of several GPUs.",
    ),
    click.option(
        "--precision", type=click.Choice(PRECISIONS), default="fp32", show_default=True,
        help="Floating-point precision.",
    ),
    click.option(
        "--compat", is_flag=True,
        help="Match the original code exactly, including bugs that affect results.",
    ),
)  # fmt: skip
"""--device, --precision and --compat, for `option_group`."""

NETWORK_NAMES = (
    f"{', '.join(MODELS)}, one from an installed package, or package.module:NAME for your own."
)
"""What --model takes, for its help."""


def find_weights(console: Console, name_or_file: str, model: str | None, *, offline: bool) -> Path:
    """Return the file that --weights means; a checkpoint that is not here is fetched.

    Raises:
        UsageError: there is no such file or checkpoint, --model (or any model) cannot load it, or
            it is not here and must not be fetched.
    """
    from unitalk.models.weights import get_weights

    return get_weights(
        name_or_file,
        weights_folder(),
        models=MODELS if model is None else (model,),
        forbidden_by=network_forbidden_by(offline),
        progress=console.progress,
    )


def check_network(name: str | None) -> None:
    """Check what --model names; a module in the current folder is found too.

    Raises:
        UsageError: no network has this name, or more than one.
    """
    from unitalk.models import plugins

    if name is None:
        return
    if plugins.where(name):
        sys.path.append(os.getcwd())  # behind what is installed; processes are given it too


def file_of_weights(given: str) -> str:
    """Return the file that is read where --weights names one, or the folder of a run."""
    return os.path.join(given, "best.pt") if os.path.isdir(given) else given

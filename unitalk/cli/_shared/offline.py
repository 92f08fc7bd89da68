"""Whether weights may be fetched: --offline, and the environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., Any]")


def offline_option(function: Function) -> Function:
    """Add --offline."""
    return click.option(
        "--offline", is_flag=True, help="Use no network: only files that are already here."
    )(function)


def network_forbidden_by(offline: bool) -> str | None:
    """Return what forbids the network, HF_HUB_OFFLINE or --offline; None if nothing does."""
    from unitalk.net.config import is_true

    if is_true(os.environ.get("HF_HUB_OFFLINE")):
        return "HF_HUB_OFFLINE"
    return "--offline" if offline else None

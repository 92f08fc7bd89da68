"""`unitalk ava`: a file a verb, imported when it is used."""

from __future__ import annotations

import click

from unitalk.cli._shared.common_options import common_options
from unitalk.cli._shared.lazy_group import LazyGroup

VERBS = {
    "download": "Get AVA's videos; run again to continue.",
    "prepare": "Cut face crops and sounds out of AVA's videos.",
}
"""Each verb and the first line of its help."""


@common_options
@click.group("ava", cls=LazyGroup, verbs=VERBS, prefix="ava_")
def command() -> None:
    """Get AVA's videos, and cut face crops and sounds out of them.

    Its annotations come from its authors, or with TalkNet's bundle; `unitalk import ava` reads
    them alone.
    """

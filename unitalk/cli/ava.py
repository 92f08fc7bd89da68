"""`unitalk ava`: a file a verb, imported when it is used."""

from __future__ import annotations

import click

from unitalk.cli._shared.common_options import common_options
from unitalk.cli._shared.lazy_group import LazyGroup

VERBS = {
    "download": "Download AVA's videos.",
    "prepare": "Make a dataset from AVA's annotations and videos.",
}
"""Each verb and the first line of its help."""


@common_options
@click.group("ava", cls=LazyGroup, sections={"Commands": VERBS}, prefix="ava_")
def command() -> None:
    """Download AVA's videos, and cut faces and sound out of them.

    AVA's authors publish the annotations, and TalkNet's csv bundle contains them. To read only
    the annotations, use `unitalk import ava`.
    """

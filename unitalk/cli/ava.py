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
    """Download AVA's videos, and extract face crops and audio.

    `unitalk ava prepare` also needs AVA's annotations: from AVA's authors, or from TalkNet's csv
    bundle (`unitalk weights download ava-csv`). To import the annotations alone, use `unitalk
    import ava`.
    """

"""`unitalk talknet`: a file a verb, imported when it is used."""

from __future__ import annotations

import click

from unitalk.cli._shared.common_options import common_options
from unitalk.cli._shared.lazy_group import LazyGroup

VERBS = {
    "train": "Train TalkNet or Light-ASD; --resume to go on.",
    "predict": "Score every face of a split.",
    "evaluate": "Predict, then score the predictions as eval does.",
}
"""Each verb and the first line of its help."""


@common_options
@click.group("talknet", cls=LazyGroup, verbs=VERBS, prefix="talknet_")
def command() -> None:
    """Train TalkNet or Light-ASD, and score faces with them.

    TalkNet is the field's baseline, Light-ASD a network of a million parameters. Published weights
    of both are loaded as they are. They need PyTorch: pip install "unitalk[models]"
    """

"""`unitalk convert-loconet`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from unitalk.cli._shared.common_options import verb
from unitalk.cli._shared.conversions import Options, conversion_options, run

if TYPE_CHECKING:
    from unitalk.cli._shared.console import Console


@verb("convert-loconet")
@conversion_options(in_place=True)
def command(console: Console, /, **options: Unpack[Options]) -> None:
    """Write what the loaders of LoCoNet, TalkNCE and LASER read.

    This is what convert-talknet writes, and the JSON files that say who is seen at what time. For
    splits that are not there they are empty: without them LoCoNet does not start.
    """
    from unitalk.dataset.convert import convert_loconet

    run(console, convert_loconet, **options)

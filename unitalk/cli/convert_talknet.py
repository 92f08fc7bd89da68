"""`unitalk convert-talknet`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from unitalk.cli._shared.common_options import verb
from unitalk.cli._shared.conversions import Options, conversion_options, run

if TYPE_CHECKING:
    from unitalk.cli._shared.console import Console


@verb("convert-talknet")
@conversion_options(in_place=True)
def command(console: Console, /, **options: Unpack[Options]) -> None:
    """Write what the loaders of TalkNet, Light-ASD and LR-ASD read.

    They set scores beside the rows of csv/SPLIT_orig.csv by position, so csv/SPLIT_loader.csv is
    written in exactly its order, and read back as they would. Without --destination nothing but
    csv files is written, and only if every crop and every sound is where the loader looks. With
    it, files are placed there; faces without a crop are left out, listed, and exit code 3.
    """
    from unitalk.dataset.convert import convert_talknet

    run(console, convert_talknet, **options)

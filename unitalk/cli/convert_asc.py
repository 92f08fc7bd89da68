"""`unitalk convert-asc`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from unitalk.cli._shared.common_options import verb
from unitalk.cli._shared.conversions import Options, conversion_options, run

if TYPE_CHECKING:
    from unitalk.cli._shared.console import Console


@verb("convert-asc")
@conversion_options(in_place=False)
def command(console: Console, /, **options: Unpack[Options]) -> None:
    """Convert a dataset to the flat layout of ASC and ASDNet.

    These read the csv's text of a time as a file name, and take a file that is not there for a
    black image or silence. So the text is written as the file's name, and every row is looked up
    afterwards as their loader would; what is missing is listed and is exit code 3.
    """
    from unitalk.dataset.convert import convert_asc

    run(console, convert_asc, **options)

"""Which csv file is the ground truth where a dataset's folder is given."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from unitalk.errors import UsageError
from unitalk.layout import Layout

if TYPE_CHECKING:
    import pandas as pd

    from unitalk.layout import Split

Given = TypeVar("Given", bound="str | Path | pd.DataFrame")

DEFAULT_SPLIT: Split = "val"
"""The split that is scored where none is named; UniTalk's test videos are called val."""


def is_dataset(given: str | Path | pd.DataFrame) -> bool:
    """Whether a dataset's folder is given: one with `csv/<split>_orig.csv`."""
    if not isinstance(given, (str, Path)) or str(given) == "-" or not os.path.isdir(given):
        return False
    return bool(Layout(Path(given)).splits())


def groundtruth_rows(given: Given, split: Split | None = None) -> Given | Path:
    """Return what ground truth is read from: of a dataset, the csv file of one split.

    Args:
        given: a dataset's folder, or anything else that `evaluate` takes, which is returned as it
            is.
        split: of a dataset; default: val.

    Raises:
        UsageError: the dataset lacks the split, or a split is named for something else.
    """
    if not is_dataset(given):
        if split is not None:
            raise UsageError(
                f"{given if isinstance(given, (str, Path)) else 'a frame'} is not a dataset, so "
                f"it has no split {split}",
                hint="leave out `split`, or give the folder that contains csv/",
            )
        return given
    layout = Layout(Path(given))  # type: ignore[arg-type] # a frame is no dataset
    wanted = split or DEFAULT_SPLIT
    if wanted not in layout.splits():
        raise UsageError(
            f"{given} has no csv/{wanted}_orig.csv",
            hint=f"give `split={layout.splits()[0]!r}`, or the csv file itself",
        )
    return layout.csv(wanted)

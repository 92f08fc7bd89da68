"""Find the csv files of a dataset, or of a file or a folder given in its place."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from unitalk.errors import UsageError
from unitalk.layout import SPLITS, Layout


class Origin(NamedTuple):
    """One split and the csv files that it is read from.

    Attributes:
        split: its name; outside of a dataset, the name of the file or the folder.
        rows: a csv file or a folder of them.
        whole: False where only the files of single videos are there, as before a download ends.
    """

    split: str
    rows: str | Path
    whole: bool = True


def origins(
    dataset: str | Path, splits: tuple[str, ...] = ()
) -> tuple[Layout | None, list[Origin]]:
    """Find the rows of a dataset's splits, or of anything that `schema.load` reads.

    Returns:
        The layout, None outside of a dataset; one origin per split.

    Raises:
        UsageError: splits were given for something else than a dataset.
        LayoutError: the dataset lacks one of the splits.
    """
    layout = Layout(Path(dataset))
    if str(dataset) == "-" or not (layout.root.is_dir() and layout.looks_like_one()):
        if splits:
            raise UsageError(
                f"{dataset} is not a dataset, so it has no split {splits[0]}",
                hint="give the folder that holds csv/, or leave out `splits`",
            )
        return None, [Origin(_name_of(dataset), dataset)]
    folders = {split: layout.csv(split).parent / split for split in SPLITS}
    single = [split for split, folder in folders.items() if any(folder.glob("*.csv"))]
    if layout.splits() or not set(splits) <= set(single) or not single:
        known = layout.require_splits(splits)  # type: ignore[arg-type]
        return layout, [Origin(split, layout.csv(split)) for split in SPLITS if split in known]
    wanted = splits or single
    return layout, [
        Origin(split, folders[split], whole=False) for split in single if split in wanted
    ]


def _name_of(dataset: str | Path) -> str:
    """Name the split of a file or a folder."""
    if str(dataset) == "-":
        return "stdin"
    name = Path(dataset).resolve().name
    for ending in (".gz", ".csv"):
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
    return name or str(dataset)

"""Find the csv files behind what a person names: a dataset, a file, a folder of files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unitalk.errors import UsageError
from unitalk.layout import SPLITS, Layout

_ENDINGS = (".gz", ".csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One split and what its rows are read from.

    Attributes:
        split: its name; that of the file or the folder, where what was named is no dataset.
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

    Args:
        dataset: the folder of a dataset, a csv file, a folder of csv files, or `-` for stdin.
        splits: of a dataset, only these.

    Returns:
        The layout, None when it is no dataset; a split each.

    Raises:
        UsageError: splits are wanted of what is no dataset.
        LayoutError: a split is wanted that the dataset has not.
    """
    path = Path(dataset)
    layout = Layout(path)
    if str(dataset) != "-" and path.is_dir() and layout.looks_like_one():
        if not layout.splits() and any(_single_videos(layout, split) for split in SPLITS):
            return layout, _of_single_videos(layout, splits)
        known = layout.require_splits(splits)  # type: ignore[arg-type]
        ordered = [split for split in SPLITS if split in known]
        return layout, [Origin(split=split, rows=layout.csv(split)) for split in ordered]
    if splits:
        raise UsageError(
            f"{dataset} is no dataset, so it has no split {splits[0]}",
            hint="give the folder that holds csv/, or leave --split away",
        )
    return None, [Origin(split=_name_of(dataset), rows=dataset)]


def _of_single_videos(layout: Layout, splits: tuple[str, ...]) -> list[Origin]:
    there = [split for split in SPLITS if _single_videos(layout, split)]
    missing = [split for split in splits if split not in there]
    if missing:
        layout.require_splits(splits)  # type: ignore[arg-type]
    return [
        Origin(split=split, rows=layout.csv(split).parent / split, whole=False)
        for split in there
        if not splits or split in splits
    ]


def _single_videos(layout: Layout, split: str) -> bool:
    folder = layout.csv(split).parent / split
    return folder.is_dir() and any(folder.glob("*.csv"))


def _name_of(dataset: str | Path) -> str:
    """What a split is called that has no name but its file's."""
    if str(dataset) == "-":
        return "stdin"
    name = Path(dataset).resolve().name
    for ending in _ENDINGS:
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
    return name or str(dataset)

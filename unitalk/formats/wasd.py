"""Read the categories of WASD, Wilder Active Speaker Detection (github.com/Tiago-Roxo/WASD).

Its `csv/{train,val}_orig.csv` already have the ten columns; `formats.ava` reads them. A video's id
is that of the YouTube video with the seconds cut out of it, `<youtube_id>_<start>-<end>`; times
begin at 0 in each. `eval/dataset_division.txt` has the five categories, as YouTube ids below a line
`# Name` each. It lists one id twice, B068jfKfC8A, whose 30 videos the dataset's own evaluation
counts in both categories; here the later one counts, and a warning says so.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from unitalk.errors import DataError, UsageError, examples
from unitalk.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

CATEGORIES_FILE = "categories.csv"
"""The videos' categories, as the `categories` of an evaluation by category."""

PAPER = {"Interview": "OC", "Debate": "SI", "Podcast": "FO", "React": "HVN", "Police": "SS"}
"""What the papers call the division's categories, in the order of their tables.

Optimal conditions, speech impairment, face occlusion, human voice noise, surveillance settings; as
the numbers 0 to 4 of the same videos in wasd_metadata.csv say.
"""

_CUT = re.compile(r"(.+)_\d+-\d+")
_HINT = "take eval/dataset_division.txt from github.com/Tiago-Roxo/WASD"


def read_division(path: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """Read the category of each YouTube id, as papers call it; and warnings of contradictions.

    Raises:
        UsageError: there is no such file.
        DataError: it has no categories, or an id comes before the first.
    """
    if not path.is_file():
        raise UsageError(f"{path} is no file", hint=_HINT)
    found: dict[str, str] = {}
    doubts: list[str] = []
    category = ""
    for number, line in enumerate(path.read_text("utf-8-sig", "replace").splitlines(), 1):
        text = line.strip()
        if text.startswith("#"):
            name = text.lstrip("#").strip()
            category = PAPER.get(name, name)
        elif text and (not category or re.search(r"\s", text)):
            raise DataError(
                f"{path}:{number}: {text[:60]!r} is no id below a line `# Category`", hint=_HINT
            )
        elif text:
            if found.get(text, category) != category:
                doubts.append(
                    f"{text} is in {found[text]} and in {category}: it counts to the last"
                )
            found[text] = category
    if not found:
        raise DataError(f"{path}: there are no categories", hint=_HINT)
    return found, tuple(doubts)


def youtube_id(video_id: str) -> str:
    """The YouTube id in `<youtube_id>_<start>-<end>`, or all of an id that is not cut."""
    cut = _CUT.fullmatch(video_id)
    return cut[1] if cut else video_id


def write_categories(
    path: Path, division: Path, videos: Sequence[str], categories: Mapping[str, str]
) -> tuple[str, ...]:
    """Write the videos' categories, in the papers' order; returns a warning for those without one.

    Raises:
        DataError: not a single video has a category.
    """
    of_video = {video: categories.get(youtube_id(video)) for video in videos}
    order = [*PAPER.values(), *categories.values()]
    rows = [(video, category) for video, category in of_video.items() if category is not None]
    rows.sort(key=lambda row: order.index(row[1]))
    if not rows:
        raise DataError(
            f"{division} has none of the {len(videos):,} videos, the first is {videos[0]}",
            hint=_HINT,
        )
    with atomic_write(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("id", "category"), *rows])
    strays = [video for video, category in of_video.items() if category is None]
    if not strays:
        return ()
    return (f"{division} has no category for {len(strays):,} videos: {examples(strays)}",)

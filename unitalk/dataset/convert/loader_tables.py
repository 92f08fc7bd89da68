"""What TalkNet's and LoCoNet's loaders read beside crops, sounds and the split's csv.

::

    csv/<split>_loader.csv    no header; track, frames, frames a second, labels, index; by tabs
    csv/<split>_entity.json   {video: {track: {"<time>": label}}}       LoCoNet, in time order
    csv/<split>_ts.json       {video: {"<time>": [tracks]}}             LoCoNet, in time order
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from unitalk.dataset.convert.loader_files import VIDEO_LETTERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from unitalk.dataset.convert.loader_rows import SplitRows
    from unitalk.dataset.verify.row_groups import Track


def loader_csv(csv: Path) -> Path:
    """Where the loader's csv of a split lies, beside the split's own."""
    return _beside(csv, "_loader.csv")


def entity_json(csv: Path) -> Path:
    """Where LoCoNet looks for the tracks of a split."""
    return _beside(csv, "_entity.json")


def time_json(csv: Path) -> Path:
    """Where LoCoNet looks for the times of a split."""
    return _beside(csv, "_ts.json")


def before_csv(csv: Path) -> Path:
    """Where a split's csv is kept whose rows were brought into another order."""
    return _beside(csv, "_orig.before-convert.csv")


def _beside(csv: Path, ending: str) -> Path:
    return csv.with_name(csv.name.removesuffix("_orig.csv") + ending)


class Line(NamedTuple):
    """One line of the loader's csv."""

    entity: str
    frames: int
    rate: float
    labels: list[int]


def loader_text(rows: SplitRows, kept: npt.NDArray[np.bool_]) -> str:
    """The loader's csv: the tracks in the order of the split's csv, those left out left out."""
    lines: list[str] = []
    for track in _tracks(rows, kept):
        _, labels = rows.of_track(track, kept)
        rate = rows.rates[track.video]
        lines.append(f"{track.entity}\t{len(labels)}\t{rate}\t{labels}\t{len(lines)}\n")
    return "".join(lines)


def read_loader(path: Path) -> Iterator[Line]:
    """Read the loader's csv as TalkNet does: the index is only to sort by."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            entity, frames, rate, labels, _ = line.rstrip("\n").split("\t")
            yield Line(entity, int(frames), float(rate), json.loads(labels))


def _tracks(rows: SplitRows, kept: npt.NDArray[np.bool_]) -> Iterator[Track]:
    return (track for track in rows.tracks if kept[track.start : track.stop].any())


# ------------------------------------------------------------------------------ LoCoNet


def loconet_texts(rows: SplitRows, kept: npt.NDArray[np.bool_]) -> tuple[str, str]:
    """The two JSON files of a split: tracks, and times.

    LoCoNet takes the first 11 characters of a track's id for its video, and the tracks that have a
    time in that video for people who are seen together. Two videos that share these characters
    would so be mixed. It compares times as texts and only then makes numbers of them, so the second
    such video says 0.40 where the first says 0.4, the third 0.400: the same crops, other people.
    """
    videos: dict[str, list[Track]] = defaultdict(list)
    for track in _tracks(rows, kept):
        videos[track.entity[:VIDEO_LETTERS]].append(track)
    entities, times = [], []
    for video, tracks in videos.items():
        by_entity, by_time = _of_video(rows, kept, tracks)
        entities.append(f"{json.dumps(video)}: {json.dumps(by_entity)}")
        times.append(f"{json.dumps(video)}: {json.dumps(by_time)}")
    return _object(entities), _object(times)


def _of_video(
    rows: SplitRows, kept: npt.NDArray[np.bool_], tracks: Iterable[Track]
) -> tuple[dict[str, dict[str, int]], dict[str, list[str]]]:
    by_entity: dict[str, dict[str, int]] = {}
    by_time: dict[tuple[float, str], list[str]] = defaultdict(list)
    zeros: dict[str, str] = {}
    for track in tracks:
        more = zeros.setdefault(track.video, "0" * len(zeros))
        times, labels = rows.of_track(track, kept)
        texts = [str(time) + more for time in times]
        by_entity[track.entity] = dict(zip(texts, labels, strict=True))
        for key in zip(times, texts, strict=True):
            by_time[key].append(track.entity)
    return by_entity, {text: by_time[time, text] for time, text in sorted(by_time)}


def _object(members: list[str]) -> str:
    """A JSON object, one member a line."""
    return "{" + ",".join(f"\n{member}" for member in members) + "\n}\n"


def read_object(path: Path) -> Any:  # noqa: ANN401 - what JSON holds
    """Read one of the JSON files as LoCoNet does."""
    return json.loads(path.read_text(encoding="utf-8"))

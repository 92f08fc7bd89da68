"""The tables that the loaders of LoCoNet, TalkNCE and LASER read beside TalkNet's.

::

    csv/<split>_entity.json   {video: {track: {"<time>": label}}}       in time order
    csv/<split>_ts.json       {video: {"<time>": [tracks]}}             in time order

The loader takes the first 11 characters of a track's id for its video, and the tracks that have a
time in that video for people who are seen together. It opens a face as `"%.2f.jpg" % time` and
stops where there is none. It makes its JSON files for train, val and test when one is missing, and
fails at that: it opens them for reading. So splits that do not exist get empty ones.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from unitalk.formats.positional import beside, video_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from unitalk.formats.positional_rows import Bools, PositionalRows
    from unitalk.formats.talknet import Line
    from unitalk.schema.split_rows import Track

EMPTY = "{\n}\n"
"""A JSON file of a split that does not exist."""


def json_files(csv: Path) -> tuple[Path, Path]:
    """The JSON files of a split, beside its csv: by track, and by time."""
    return beside(csv, "_entity.json"), beside(csv, "_ts.json")


def json_texts(rows: PositionalRows, kept: Bools) -> tuple[str, str]:
    """Write the two JSON files of a split: by track, and by time.

    Two videos that share their first 11 characters would be mixed. The loader compares times as
    texts and only then makes numbers of them, so the second such video has 0.40 where the first has
    0.4, and the third 0.400: the same crops, other people.
    """
    videos: dict[str, list[Track]] = defaultdict(list)
    for track in rows.kept_tracks(kept):
        videos[video_folder(track.entity)].append(track)
    entities, times = [], []
    for video, tracks in videos.items():
        by_entity, by_time = _of_video(rows, kept, tracks)
        entities.append(f"{json.dumps(video)}: {json.dumps(by_entity)}")
        times.append(f"{json.dumps(video)}: {json.dumps(by_time)}")
    return _object(entities), _object(times)


def _of_video(
    rows: PositionalRows, kept: Bools, tracks: Iterable[Track]
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
    """A JSON object, one member per line."""
    return "{" + ",".join(f"\n{member}" for member in members) + "\n}\n"


class JsonCheck:
    """Looks faces up in the JSON files of a split as the loader does (`dataLoader_multiperson`)."""

    def __init__(self, csv: Path) -> None:
        self._entities, self._times = (
            json.loads(path.read_text(encoding="utf-8")) for path in json_files(csv)
        )

    def wrong_faces(self, line: Line, crops: Sequence[str]) -> int:
        """How many of a track's faces the loader would not find, or find with another label.

        Args:
            line: the track's line in the loader's csv.
            crops: the names of its crops.
        """
        video = video_folder(line.entity)
        labels = self._entities.get(video, {}).get(line.entity, {})
        opened = [f"{float(time):.2f}.jpg" for time in labels]
        if opened != list(crops) or list(labels.values()) != line.labels:
            return line.frames
        together = self._times.get(video, {})
        return sum(line.entity not in together.get(time, ()) for time in labels)

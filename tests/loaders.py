"""What other people's loaders open, in which order, and what they silently do; in our own words.

From the described and the read behaviour of `dataLoader.py` and `talkNet.py` of TalkNet-ASD (and
Light-ASD, LR-ASD), `dataLoader_multiperson.py` and `train.py` of LoCoNet (and TalkNCE, LASER), and
`core/dataset.py` of Active Speakers in Context (and ASDNet). Nothing is decoded: a crop is its
bytes.
"""

from __future__ import annotations

import csv
import glob
import json
import os
import random
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Seen:
    """One track as a loader gives it to its model."""

    entity: str
    jpgs: list[bytes]
    frames: int
    rate: float
    labels: list[int]
    seconds: float
    others: dict[str, dict[str, bytes]] = field(default_factory=dict)  # who is seen beside, when

    @property
    def complete(self) -> bool:
        """Whether there are as many crops, labels and frames as the csv says."""
        return len(self.jpgs) == len(self.labels) == self.frames > 0


def read_wav(path: Path) -> float:
    with wave.open(str(path), "rb") as sound:
        return sound.getnframes() / sound.getframerate()


# ------------------------------------------------------------------------------ TalkNet

LOADER_CSV = """\
-maoolmiKi0:0	3	25.0	[0, 1, 1]	0
-maoolmiKi0:1	2	25.0	[0, 0]	1
EEey6Pt0rqI:0	3	25.0	[1, 1, 0]	2
9Zja_cIAwY8:0	2	25.0	[0, 1]	3
9Zja_cIAwY8:1	1	25.0	[1]	4
"""
"""The loader's csv of the fixture `dataset`, written by hand."""


def talknet(root: Path, split: str = "val") -> Iterator[Seen]:
    """Line by line of the loader's csv: the first n crops by the numbers of their names.

    A wav that is missing and a name that is no number stop it; crops that are missing do not.
    """
    for line in (root / f"csv/{split}_loader.csv").read_text().splitlines():
        entity, frames, rate, labels, index = line.split("\t")
        int(index)
        folder = root / "clips_videos" / split / entity[:11] / entity
        found = glob.glob(f"{folder}/*.jpg")
        found.sort(key=lambda path: float(os.path.basename(path)[:-4]))
        yield Seen(
            entity,
            [Path(path).read_bytes() for path in found[: int(frames)]],
            int(frames),
            float(rate),
            [int(label) for label in labels.strip("[]").split(",")][: int(frames)],
            read_wav(root / "clips_audios" / split / entity[:11] / f"{entity}.wav"),
        )


def scored_by_position(
    root: Path,
    score: Callable[[bytes], float],
    to: Path,
    split: str = "val",
    loader: Callable[[Path, str], Iterator[Seen]] = talknet,
) -> Path:
    """TalkNet's evaluation: all scores in the loader's order, set beside the csv's rows."""
    scores = [score(jpg) for seen in loader(root, split) for jpg in seen.jpgs]
    with (root / f"csv/{split}_orig.csv").open(newline="") as file:
        head, *rows = csv.reader(file)
    with to.open("w", newline="") as file:
        writer = csv.writer(file)
        keep = [place for place, name in enumerate(head) if name not in {"label_id", "instance_id"}]
        writer.writerow([*(head[place] for place in keep), "score"])
        for row, one in zip(rows, scores, strict=True):
            cells = dict(zip(head, row, strict=True), label="SPEAKING_AUDIBLE")
            writer.writerow([*(cells[head[place]] for place in keep), repr(one)])
    return to


# ------------------------------------------------------------------------------ LoCoNet


def start_loconet(root: Path) -> None:
    """What LoCoNet does before anything else: it makes JSON files that it cannot make."""
    for phase in ("train", "val", "test"):
        for kind in ("entity", "ts"):
            with (root / f"csv/{phase}_{kind}.json").open() as file:
                assert isinstance(json.load(file), dict)


def loconet(root: Path, split: str = "val") -> Iterator[Seen]:
    """Times from the JSON file, a crop as "%.2f.jpg"; beside it all who are there in the middle."""
    start_loconet(root)
    with (root / f"csv/{split}_entity.json").open() as file:
        people = json.load(file)
    with (root / f"csv/{split}_ts.json").open() as file:
        moments = json.load(file)

    def crops(video: str, entity: str, times: list[str]) -> dict[str, bytes]:
        folder = root / "clips_videos" / split / video / entity
        return {time: (folder / f"{float(time):.2f}.jpg").read_bytes() for time in times}

    for line in (root / f"csv/{split}_loader.csv").read_text().splitlines():
        entity, frames, rate, _, _ = line.split("\t")
        video = entity[:11]
        times = list(people[video][entity])
        assert int(frames) == len(times)
        beside = list(moments[video][times[len(times) // 2]])
        beside.remove(entity)
        random.shuffle(beside)
        yield Seen(
            entity,
            list(crops(video, entity, times).values()),
            int(frames),
            float(rate),
            [people[video][entity][time] for time in times],
            read_wav(root / "clips_audios" / split / video / f"{entity}.wav"),
            {
                other: crops(video, other, [t for t in times if t in people[video][other]])
                for other in sorted(beside)
            },
        )


# ------------------------------------------------------------------------------ ASC, ASDNet


def asc(root: Path, split: str = "val") -> tuple[list[tuple], dict[str, float | str]]:
    """The csv's text as a file name, cells from the end.

    Returns what it would make of every row, where the original gives a black image or silence.
    """
    seen, heard = [], {}
    with (root / "csv" / f"{split}_orig.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    for row in rows:
        video, text, entity, label = row[0], row[1], row[-3], int(row[-2])
        jpg = root / "clips_videos" / split / entity / f"{text}.jpg"
        wav = root / "clips_audios" / split / f"{entity}.wav"
        seen.append((video, entity, label, jpg.read_bytes() if jpg.is_file() else "black"))
        heard[entity] = read_wav(wav) if wav.is_file() else "silent"
    return seen, heard

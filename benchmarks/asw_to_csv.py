"""Turn ASW's annotations into the schema and draw predictions of a synthetic model.

    python benchmarks/asw_to_csv.py ASW.tar.xz DEST

ASW ("Look Who's Talking", Kim et al., Interspeech 2021) publishes one json a video:
`{"track_000000": [{"time", "bbox", "label", "eval"}, ...]}`. Written are DEST/groundtruth.csv, in
UniTalk's ten columns and the archive's order, DEST/predictions.csv, with its rows shuffled, and
DEST/splits.csv, the part of the dataset (dev, val) that each video is in.
"""

from __future__ import annotations

import csv
import json
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema

if TYPE_CHECKING:
    from collections.abc import Iterator


def rows(archive: Path) -> Iterator[list[object]]:
    """The annotated faces as rows of the schema; numbers as ASW has them."""
    with tarfile.open(archive) as opened:
        for member in opened:
            if not member.name.endswith(".json"):
                continue
            video = Path(member.name).stem
            file = opened.extractfile(member)
            for track, faces in json.load(file).items() if file else ():
                entity = f"{video}:{track}"
                instance, before = -1, None
                for face in faces:
                    instance += face["label"] != before
                    before = face["label"]
                    label = schema.SPEAKING if face["label"] else schema.NOT_SPEAKING
                    yield [
                        video, face["time"], *face["bbox"], label, entity, face["label"],
                        f"{entity}:{instance}",
                    ]  # fmt: skip


def splits(archive: Path) -> list[tuple[str, str]]:
    """Each video's part of the dataset."""
    with tarfile.open(archive) as opened:
        return [
            (Path(line.decode().strip()).stem, Path(member.name).stem.removesuffix("set"))
            for member in opened
            if member.name.endswith(".list")
            for line in opened.extractfile(member) or ()
            if line.strip()
        ]


def scores(labels: np.ndarray, *, seed: int) -> np.ndarray:
    """A model's logits: they lean towards the truth and drift as a model's do; no two are equal."""
    rng = np.random.default_rng(seed)
    drift = np.convolve(rng.standard_normal(len(labels) + 4), np.ones(5) / 5, "valid")
    return 2.0 * labels - 1 + 1.5 * drift + 0.5 * rng.standard_normal(len(labels))


def main(archive: str, destination: str) -> None:
    """Write both files and say how many rows they have."""
    folder = Path(destination)
    folder.mkdir(parents=True, exist_ok=True)
    faces = list(rows(Path(archive)))
    logits = scores(np.array([face[8] for face in faces]), seed=0)
    with (folder / "groundtruth.csv").open("w", newline="") as file:
        csv.writer(file).writerows([schema.COLUMNS, *faces])
    order = np.random.default_rng(1).permutation(len(faces))
    with (folder / "predictions.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(schema.PREDICTION_COLUMNS)
        for index in order:
            face = faces[index]
            writer.writerow([*face[:6], schema.SPEAKING, face[7], repr(float(logits[index]))])
    with (folder / "splits.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "category"), *splits(Path(archive))])
    print(f"{len(faces):,} faces of {len({face[7] for face in faces}):,} tracks")


if __name__ == "__main__":
    main(*sys.argv[1:])

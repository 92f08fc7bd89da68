"""Part of the sample, copied so that a test may harm it, and what verification finds there."""

from __future__ import annotations

import csv
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from build import HEADER, write_csv

from unitalk.dataset.verify import verify_dataset
from unitalk.files import mark

A, B, T = "EEey6Pt0rqI", "9Zja_cIAwY8", "h7yBkFhjVtE"
COLUMNS = HEADER.split(",")
VIDEO, TIME, X1, Y1, X2, Y2, LABEL, ENTITY, LABEL_ID, INSTANCE = range(10)


@dataclass(frozen=True)
class Data:
    """Three videos of the sample, copied so that a test may harm them::

    split  lines     track           faces  first    labels
    val      2-62    EEey6Pt0rqI:0      61   12.00   47 silent, 14 speaking
            63-101   EEey6Pt0rqI:1      39   12.08    3 silent, 36 speaking
           102-151   9Zja_cIAwY8:0      50  900.20    4 silent, 26 speaking, 2, 18
           152-191   9Zja_cIAwY8:1      40  900.64   40 silent
    train    2-44    h7yBkFhjVtE:0      43  900.20
            45-112   h7yBkFhjVtE:1      68  900.52
    """

    root: Path

    def rows(self, split="val") -> list[list[str]]:
        with (self.root / f"csv/{split}_orig.csv").open(newline="") as file:
            return list(csv.reader(file))[1:]

    def write(self, rows, split="val", header=HEADER) -> None:
        write_csv(self.root / f"csv/{split}_orig.csv", rows, header)

    def track(self, entity, split="val") -> Path:
        return self.root / "clips_videos" / split / entity[:11] / entity

    def wav(self, entity, split="val") -> Path:
        return self.root / "clips_audios" / split / entity[:11] / f"{entity}.wav"

    def put(self, path: Path, content: bytes) -> None:
        """Write a file anew: those of the sample are linked to, and must stay what they are."""
        path.unlink(missing_ok=True)
        path.write_bytes(content)

    def verify(self, **options):
        return verify_dataset(self.root, **options)


def copy_of(sample: Path, root: Path) -> Data:
    data = Data(root)
    for split, videos in (("val", (A, B)), ("train", (T,))):
        data.write([row for row in Data(sample).rows(split) if row[VIDEO] in videos], split)
        for part in ("clips_videos", "clips_audios"):
            for video in videos:
                # Links, which are faster; `put` takes them apart.
                shutil.copytree(
                    sample / part / split / video, root / part / split / video,
                    copy_function=os.link,
                )  # fmt: skip
    mark(root, made_by="download", about={})
    return data


def found(report) -> list[dict]:
    return [finding.to_dict() for finding in report.findings]


def only(report, kind, **place) -> dict:
    """The one finding there is: of this kind and in this place."""
    assert [finding.kind for finding in report.findings] == [kind], found(report)
    assert not report.ok
    assert report.counts == {kind: 1}
    finding = report.findings[0].to_dict()
    assert {name: finding.get(name) for name in place} == place
    return finding

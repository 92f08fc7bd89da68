"""Compare csv files that must agree: those of two splits, or of a split and one video."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk import schema
from unitalk.catalog import video_list
from unitalk.dataset.verify.verify_report import Finding, relative
from unitalk.errors import SchemaError, UsageError
from unitalk.schema.face_table import pack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import numpy.typing as npt

    from unitalk.schema.split_rows import SplitRows

    Ints = npt.NDArray[np.int64]
    Numbers = npt.NDArray[Any]


def videos_in_splits(videos: Mapping[str, Mapping[str, int]]) -> list[Finding]:
    """Find videos in both splits, and published videos in the wrong one.

    Args:
        videos: for each split, its videos and their faces.
    """
    published = {video.video_id: video.split for video in video_list.videos()}
    findings: list[Finding] = []
    seen: dict[str, str] = {}
    for split, counts in videos.items():
        for video, count in counts.items():
            own = published.get(video)
            if seen.setdefault(video, split) != split:
                kind, detail = "video-in-both-splits", f"is in {seen[video]} too"
            elif own is not None and own != split and video not in videos.get(own, {}):
                kind, detail = "wrong-split", f"is published in {own}"
            else:
                continue
            findings.append(
                Finding(kind=kind, split=split, video_id=video, faces=count, detail=detail)
            )
    return findings


def entities_in_splits(entities: Mapping[str, Mapping[str, str]]) -> list[Finding]:
    """Find track ids that a video of each split has.

    Args:
        entities: for each split, its track ids and the video of each.
    """
    findings: list[Finding] = []
    seen: dict[str, str] = {}
    for split, own in entities.items():
        for entity, video in own.items():
            other = seen.setdefault(entity, video)
            if other != video:
                findings.append(
                    Finding(kind="entity-in-two-videos", split=split, video_id=video,
                            entity_id=entity, detail=f"is in {other} too")
                )  # fmt: skip
    return findings


def video_csvs(root: Path, folder: Path, rows: SplitRows) -> list[Finding]:
    """Compare the csv files of single videos, where there are any, with the split's."""
    try:
        with os.scandir(folder) as listing:
            names = sorted(e.name for e in listing if e.name.endswith(".csv") and e.is_file())
    except (FileNotFoundError, NotADirectoryError):
        return []
    named = [(name.removesuffix(".csv"), folder / name) for name in names if name[0] != "."]
    return compare_files(root, named, rows, "video-csv")


def compare_files(
    root: Path, files: Iterable[tuple[str, Path]], rows: SplitRows, kind: str
) -> list[Finding]:
    """Compare files of single videos with the rows that the split has of them.

    Args:
        root: the dataset's folder.
        files: video_id and csv file of each.
        rows: the split's.
        kind: of the findings.
    """
    findings: list[Finding] = []
    codes, videos = rows.video
    by_video = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(videos)))
    own = dict(zip(videos, np.split(by_video, ends[:-1]), strict=True))
    merged = _Merged(rows)
    for video, path in files:
        try:
            other = schema.load(path, "groundtruth")
            mine = own.get(video, np.empty(0, np.int64))
            detail = merged.differs(mine, other) if len(mine) else "the split has no row of it"
        except (SchemaError, UsageError) as error:
            detail = error.message.splitlines()[0].removeprefix(f"{path}: ")
        if detail:
            findings.append(
                Finding(kind=kind, split=rows.split, video_id=video, path=relative(root, path),
                        detail=detail)
            )  # fmt: skip
    return findings


class _Merged:
    """The columns of a split, to compare its rows with those of other files."""

    def __init__(self, rows: SplitRows) -> None:
        self._rows = rows
        self._numbers = lru_cache(None)(self._read_numbers)
        self._codes = lru_cache(None)(self._read_codes)

    def differs(self, mine: Ints, other: schema.Faces) -> str:
        """Say how rows of the split and of a file differ; "" when they do not."""
        there = set(other.table.column_names) & set(self._rows.faces.table.column_names)
        pairs = {name: self._pair(name, mine, other) for name in schema.COLUMNS if name in there}
        if len(mine) == len(other) and all(np.array_equal(a, b) for a, b in pairs.values()):
            return ""
        one, two = (pack(pairs[schema.ENTITY][side], pairs[schema.TIME][side]) for side in (0, 1))
        lacking, extra = len(np.setdiff1d(one, two)), len(np.setdiff1d(two, one))
        if lacking or extra or len(one) != len(two):
            return (
                f"{len(two):,} faces where the split has {len(one):,}; {lacking:,} of the split "
                f"are not in it, {extra:,} of it are not in the split"
            )
        first, second = np.argsort(one, kind="stable"), np.argsort(two, kind="stable")
        wrong = {
            name: int(np.count_nonzero(a[first] != b[second])) for name, (a, b) in pairs.items()
        }
        return ", ".join(
            f"{count:,} times another {name}" for name, count in wrong.items() if count
        )

    def _pair(self, name: str, mine: Ints, other: schema.Faces) -> tuple[Numbers, Numbers]:
        """One column on both sides, as numbers that are equal where the cells are."""
        if name == schema.TIME:
            return self._rows.milliseconds[mine], other.milliseconds()
        if name in schema.BOX:
            return self._numbers(name)[mine], other.numbers(name)
        codes, places = self._codes(name)
        theirs, their_texts = other.codes(name)
        moved = np.array([places.get(text, -1) for text in their_texts], np.int64)
        return codes[mine], moved[theirs]

    def _read_numbers(self, name: str) -> Numbers:
        return self._rows.faces.numbers(name)

    def _read_codes(self, name: str) -> tuple[Numbers, dict[str, int]]:
        codes, texts = self._rows.faces.codes(name)
        return codes, {text: place for place, text in enumerate(texts)}

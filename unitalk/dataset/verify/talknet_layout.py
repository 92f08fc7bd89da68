"""What TalkNet's and Light-ASD's loaders read beside the crops and the sounds: the loader's csv.

One line a track: its id, how many frames, frames a second, the labels as a python list, an index,
apart by tabs. Scores are written back to the split's csv by position, in the order of these lines:
so they must be its tracks, in its order, each with as many frames and the same labels.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unitalk import schema
from unitalk.dataset.verify.verify_report import Finding, relative
from unitalk.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from unitalk.dataset.verify.row_groups import Rows, Track

_CELLS = 5
_SHOWN = 60


class _Line(NamedTuple):
    number: int
    entity: str
    frames: int
    labels: list[int]


def talknet_findings(root: Path, rows: Rows) -> list[Finding]:
    """Hold the loader's csv against the split's."""
    # The folder of the split's csv, whose name `layout` spells.
    path = Layout(root).csv(rows.split).with_name(f"{rows.split}_loader.csv")
    check = _Loader(rows, relative(root, path))
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return [check.finding("loader-missing")]
    except (OSError, UnicodeDecodeError) as error:
        return [check.finding("loader-row", detail=str(error))]
    return check.compare(text)


class _Loader:
    """The loader's csv of one split."""

    def __init__(self, rows: Rows, path: str) -> None:
        self._rows = rows
        self._path = path

    def finding(self, kind: str, *, line: int | None = None, detail: str | None = None) -> Finding:
        return Finding(kind=kind, split=self._rows.split, path=self._path, line=line, detail=detail)

    def track_finding(
        self, kind: str, track: Track, line: int | None = None, detail: str | None = None
    ) -> Finding:
        return Finding(
            kind=kind, split=self._rows.split, video_id=track.video, entity_id=track.entity,
            path=self._path, line=line, detail=detail,
        )  # fmt: skip

    def compare(self, text: str) -> list[Finding]:
        """All that is wrong with the lines."""
        findings: list[Finding] = []
        lines: list[_Line] = []
        for line in self._lines(text):
            if isinstance(line, _Line):
                lines.append(line)
            else:
                findings.append(line)
        if not self._rows.whole:  # of what was left out, nothing can be said
            return findings
        found = {line.entity: line for line in lines}
        known = {track.entity for track in self._rows.tracks}
        bad = len(findings)
        for line in lines:
            if line.entity not in known:
                detail = f"{line.entity[:_SHOWN]} is not in the split's csv"
                findings.append(self.finding("loader-tracks", line=line.number, detail=detail))
        if not bad:
            findings += [
                self.track_finding("loader-tracks", track, detail="is not in the loader's csv")
                for track in self._rows.tracks
                if track.entity not in found
            ]
        return findings + self._order(lines) + self._contents(found)

    def _lines(self, text: str) -> Iterator[_Line | Finding]:
        for number, line in enumerate(text.splitlines(), 1):
            cells = line.split("\t")
            if len(cells) != _CELLS:
                detail = f"{len(cells)} cells apart by tabs where {_CELLS} are expected"
                yield self.finding("loader-row", line=number, detail=detail)
                continue
            entity, frames, fps, labels, _ = cells
            numbers = _labels(labels)
            if not frames.isdecimal() or not _is_rate(fps) or numbers is None:
                what = "frames" if not frames.isdecimal() else "fps" if numbers else "labels"
                said = {"frames": frames, "fps": fps, "labels": labels}[what][:_SHOWN]
                yield self.finding("loader-row", line=number, detail=f"{what}: {said!r}")
                continue
            yield _Line(number, entity, int(frames), numbers)

    def _order(self, lines: list[_Line]) -> list[Finding]:
        """The first track that is not where it should be, and how many are not."""
        there = {line.entity for line in lines}
        wanted = [track for track in self._rows.tracks if track.entity in there]
        known = {track.entity for track in wanted}
        given = [line for line in lines if line.entity in known]
        wrong = [
            (line, track)
            for line, track in zip(given, wanted, strict=False)
            if line.entity != track.entity
        ]
        if not wrong:
            if len(given) > len(wanted):
                twice = given[len(wanted)]
                return [self.finding("loader-tracks", line=twice.number, detail="is there twice")]
            return []
        line, track = wrong[0]
        detail = f"{line.entity} stands there; {len(wrong):,} tracks are not in their places"
        return [self.track_finding("loader-order", track, line.number, detail)]

    def _contents(self, found: dict[str, _Line]) -> list[Finding]:
        """Numbers of frames, and labels in time order."""
        rows = self._rows
        findings = []
        labels = _label_ids(rows)
        for track in rows.tracks:
            line = found.get(track.entity)
            if line is None:
                continue
            own = rows.table.rows(slice(track.start, track.stop))
            count = len(own)
            if line.frames != count or len(line.labels) != count:
                detail = (
                    f"{line.frames:,} frames and {len(line.labels):,} labels for {count:,} faces"
                )
                findings.append(self.track_finding("loader-count", track, line.number, detail))
            elif labels is not None and (wrong := _wrong_labels(line.labels, labels[own])):
                detail = f"{wrong:,} of {count:,} labels"
                findings.append(self.track_finding("loader-labels", track, line.number, detail))
        return findings


def _labels(text: str) -> list[int] | None:
    """A list of numbers as python writes it, which is as JSON does."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, list) and all(type(label) is int for label in found):
        return found
    return None


def _wrong_labels(given: list[int], own: np.ndarray[tuple[int], np.dtype[np.int64]]) -> int:
    """How many labels are not the csv's; the loader has two classes, so 2 may be 0 to it."""
    unheard = schema.LABEL_IDS[schema.NOT_AUDIBLE]
    silent = schema.LABEL_IDS[schema.NOT_SPEAKING]
    said = np.array(given)
    return int(np.count_nonzero((said != own) & ~((own == unheard) & (said == silent))))


def _is_rate(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and float(text) > 0
    except ValueError:
        return False


def _label_ids(rows: Rows) -> np.ndarray[tuple[int], np.dtype[np.int64]] | None:
    """Each row's label_id."""
    if schema.LABEL_ID not in rows.faces.table.column_names or rows.unlabelled:
        return None
    codes, texts = rows.faces.codes(schema.LABEL_ID)
    numbers: np.ndarray[tuple[int], np.dtype[np.int64]] = np.array([int(t) for t in texts])[codes]
    return numbers

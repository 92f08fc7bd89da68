"""The rows of one split: read as far as they can be, and sorted by track and time."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unitalk import schema
from unitalk.dataset.verify.verify_report import Finding, relative
from unitalk.errors import SchemaError, UsageError
from unitalk.schema.columns import shown, wrong_with
from unitalk.schema.csv_source import UNREADABLE
from unitalk.schema.face_table import FaceTable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]


class Track(NamedTuple):
    """One track of a video; `start` and `stop` are places in `Rows.table`."""

    video: str
    entity: str
    start: int
    stop: int

    def folder(self, layout: str) -> str:
        """The folder of its video: TalkNet's loader takes the id's first 11 characters for it."""
        return self.entity[:11] if layout == "talknet" else self.video


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The rows of a split.

    Attributes:
        split: which.
        path: the csv, relative to the dataset's folder.
        faces: the rows that could be read, by column.
        whole: whether no row was refused; else what follows from a row's absence says nothing.
        lines: [rows] the line of each, where rows were left out.
    """

    split: str
    path: str
    faces: schema.Faces
    whole: bool = True
    lines: Ints | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.faces)

    @cached_property
    def unlabelled(self) -> bool:
        """Whether not one face has a label, as in AVA's test split."""
        return self.faces.codes(schema.LABEL)[1] == [schema.UNLABELLED]

    @cached_property
    def video(self) -> tuple[npt.NDArray[np.int32], list[str]]:
        """Each row's video, as a number, and the videos."""
        return self.faces.codes(schema.VIDEO)

    @cached_property
    def entity(self) -> tuple[npt.NDArray[np.int32], list[str]]:
        """Each row's track id, as a number, and the ids."""
        return self.faces.codes(schema.ENTITY)

    @cached_property
    def milliseconds(self) -> Ints:
        """Each row's time."""
        return self.faces.milliseconds()

    @cached_property
    def table(self) -> FaceTable:
        """The rows by track and time; a track id in two videos is two tracks."""
        return FaceTable.of(self.milliseconds, self.entity[0], self.video[0])

    @cached_property
    def tracks(self) -> list[Track]:
        """The tracks, numbered as they come."""
        (video, videos), (entity, entities) = self.video, self.entity
        starts = self.table.starts.tolist()
        return [
            Track(videos[video[row]], entities[entity[row]], start, stop)
            for row, start, stop in zip(
                self.table.heads.tolist(), starts[:-1], starts[1:], strict=True
            )
        ]

    def line_of(self, rows: Sequence[int]) -> dict[int, int]:
        """The lines of the csv on which rows end, as far as they can be found."""
        if self.lines is not None:
            return {row: int(self.lines[row]) for row in rows}
        where = zip(rows, self.faces.where(list(rows)) if rows else (), strict=True)
        found = {row: place.rpartition(":")[2] for row, place in where}
        return {row: int(line) for row, line in found.items() if line.isdigit()}


def read_rows(root: Path, path: Path, split: str) -> tuple[Rows | None, list[Finding]]:
    """Read a split's csv; what the schema refuses becomes findings, and the rest is read.

    Returns:
        The rows, or None where none can be read; and what was refused.
    """
    name = relative(root, path)
    try:
        faces = schema.load_split(path)
    except UsageError as error:
        return None, [_unreadable(split, name, error.message)]
    except SchemaError as error:
        return _read_what_can_be(path, split, name, error)
    return Rows(split=split, path=name, faces=faces), []


def _unreadable(split: str, name: str, detail: str, line: int | None = None) -> Finding:
    return Finding(kind="csv-unreadable", split=split, path=name, line=line, detail=detail)


def _read_what_can_be(
    path: Path, split: str, name: str, refused: SchemaError
) -> tuple[Rows | None, list[Finding]]:
    """Walk a csv that was refused: a finding for each thing that is wrong, and the sound rows."""
    source = schema.Source(path)
    try:
        head = schema.read_head(source, "groundtruth")
    except SchemaError as error:
        said = error.message.removeprefix(str(path)).lstrip(":0123456789 ")
        return None, [_unreadable(split, name, said)]
    findings: list[Finding] = []
    lines: list[int] = []
    text = io.StringIO(newline="")
    kept = csv.writer(text, lineterminator="\n")
    kept.writerow(head.columns)
    try:
        for line, cells in source.rows():
            if line <= head.header_line:
                continue
            wrong = _wrong_with_row(Finding(kind="csv-row", split=split, path=name, line=line),
                                    head.columns, cells)  # fmt: skip
            findings += wrong
            if not wrong:
                kept.writerow(cells)
                lines.append(line)
    except UNREADABLE as error:
        findings.append(_unreadable(split, name, f"cannot be read to its end: {error}"))
    if not findings:  # there is a header and no row, or what is wrong is in no cell
        findings = [_unreadable(split, name, refused.message.removeprefix(f"{path}: "))]
    if not lines:
        return None, findings
    healed = schema.Source("-", stdin=io.BytesIO(text.getvalue().encode()))
    faces = schema.load(healed, "groundtruth")
    return Rows(split=split, path=name, faces=faces, whole=False, lines=np.array(lines)), findings


def _wrong_with_row(at: Finding, columns: tuple[str, ...], cells: list[str]) -> list[Finding]:
    """What the schema refuses in one row, which is at the place of a finding."""
    if len(cells) != len(columns):
        detail = f"{len(cells)} cells where {len(columns)} are expected"
        return [replace(at, detail=detail)]
    if tuple(cell.strip() for cell in cells) == columns:
        return [replace(at, detail="the header again: were several files joined?")]
    row = dict(zip(columns, cells, strict=True))
    return [
        replace(
            at,
            kind="csv-cell",
            video_id=_printable(row[schema.VIDEO]),
            entity_id=_printable(row[schema.ENTITY]),
            detail=f"{column} {shown(row[column][:60])} {said}",
        )
        for column in columns
        if column in schema.EVAL_COLUMNS
        and (said := wrong_with(column, row[column], "groundtruth"))
    ]


def _printable(text: str) -> str:
    """A text that any file can hold: bytes that are no UTF-8 come as lone surrogates."""
    return text.encode("utf-8", "backslashreplace").decode()

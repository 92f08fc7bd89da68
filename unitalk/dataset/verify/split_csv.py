"""Read the rows of a split as far as they can be, and say what is wrong with the others."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.dataset.verify.verify_report import Finding, relative
from unitalk.errors import SchemaError, UsageError
from unitalk.schema.csv_source import UNREADABLE
from unitalk.schema.problems import walk
from unitalk.schema.split_rows import SplitRows

if TYPE_CHECKING:
    from pathlib import Path


def read_rows(root: Path, path: Path, split: str) -> tuple[SplitRows | None, list[Finding]]:
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
    return SplitRows(split=split, path=name, faces=faces), []


def _unreadable(split: str, name: str, detail: str, line: int | None = None) -> Finding:
    return Finding(kind="csv-unreadable", split=split, path=name, line=line, detail=detail)


def _read_what_can_be(
    path: Path, split: str, name: str, refused: SchemaError
) -> tuple[SplitRows | None, list[Finding]]:
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
    checked = [name for name in head.columns if name in schema.EVAL_COLUMNS]
    try:
        for line, cells, wrong in walk(source, "groundtruth", head, checked):
            at = Finding(kind="csv-row", split=split, path=name, line=line)
            row = dict(zip(head.columns, cells, strict=False))
            findings += [_finding(at, row, column, clause) for column, clause in wrong]
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
    return SplitRows(
        split=split, path=name, faces=faces, whole=False, lines=np.array(lines)
    ), findings


def _finding(at: Finding, row: dict[str, str], column: str | None, clause: str) -> Finding:
    """What is wrong with a row, or with one cell of it."""
    if column is None:
        return replace(at, detail=clause)
    return replace(
        at,
        kind="csv-cell",
        video_id=_printable(row[schema.VIDEO]),
        entity_id=_printable(row[schema.ENTITY]),
        detail=f"{column} {clause}",
    )


def _printable(text: str) -> str:
    """A text that any file can hold: bytes that are no UTF-8 come as lone surrogates."""
    return text.encode("utf-8", "backslashreplace").decode()

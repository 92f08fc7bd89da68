"""Read what can be read of two files, and say for each column that cannot be read why."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from unitalk import schema
from unitalk.errors import SchemaError
from unitalk.score.diagnose.findings import Finding, counted, note, ok, problem

if TYPE_CHECKING:
    import pandas as pd

    from unitalk.schema import Faces, Kind

    Given = str | Path | schema.Source | pd.DataFrame

_GROUPS = {
    "times": (schema.TIME,),
    "ids": (schema.ENTITY,),
    "scores": (schema.SCORE,),
    "videos": (schema.VIDEO,),
    "boxes": schema.BOX,
    "labels": (schema.LABEL,),
}
"""The columns that each check is about; when a file is refused, they are tried one by one."""
_OPTIONAL = {"videos", "boxes", "labels"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What could be read of one file or frame.

    Attributes:
        faces: the columns that could be read; None when there is not one.
        refused: why columns could not be read, by the check that they are for.
    """

    faces: Faces | None
    refused: dict[str, SchemaError] = field(default_factory=dict)


def read(given: Given, kind: Kind) -> Read:
    """Read a file or take a frame; a column that breaks the schema does not stop the others.

    Raises:
        UsageError: there is no such file, or it may not be read.
    """
    if isinstance(given, (str, Path)) and not Path(given).is_dir():
        given = schema.Source(given)  # read as often as needed, also when it is a pipe
    try:
        columns = [name for group in _GROUPS.values() for name in group]
        return Read(faces=_load(given, kind, [*columns, schema.EVAL]))
    except SchemaError as error:
        # Ground truth is not taken apart: nothing can be said against it but that it is refused.
        whole = Read(faces=None, refused={"file": error})
        return whole if kind == "groundtruth" else _read_apart(given, kind) or whole


def _load(given: Given, kind: Kind, columns: list[str]) -> Faces:
    if isinstance(given, (str, Path, schema.Source)):
        return schema.load(given, kind, columns=columns)
    return schema.from_frame(given, kind, columns=columns)


def _read_apart(given: Given, kind: Kind) -> Read | None:
    """Read group by group; None when no column can be read, so that it is the file's fault."""
    refused: dict[str, SchemaError] = {}
    columns: dict[str, Any] = {}
    known: Faces | None = None
    for check, group in _GROUPS.items():
        if check in _OPTIONAL and not (known and _there(given, known, group[0])):
            continue
        try:
            part = _load(given, kind, list(group))
        except SchemaError as error:
            refused[check] = error
        else:
            columns |= {name: part.table[name] for name in part.table.column_names}
            known = part
    # Of several columns the same is said when rows are wrong, and not columns.
    alike = len({tuple(error.problems) or id(error) for error in refused.values()})
    if known is None or alike < len(refused):
        return None
    for check in {"ids", "videos"} & set(refused):  # what the schema refuses can be compared
        columns[_GROUPS[check][0]] = _texts(given, _GROUPS[check][0], known).dictionary_encode()
    return Read(faces=schema.Faces(known.name, pa.table(columns), known.files), refused=refused)


def _there(given: Given, known: Faces, column: str) -> bool:
    """Whether a file, or all of a folder's, or the frame has a column."""
    if isinstance(given, (str, Path, schema.Source)):
        return all(column in file.head.columns for file in known.files)
    return column in given.columns


def _texts(given: Given, column: str, known: Faces) -> pa.Array[Any]:
    """A column as it stands, unchecked; what is not UTF-8 is shown as a mark."""
    if not isinstance(given, (str, Path, schema.Source)):
        return pa.array([str(text) for text in given[column]])
    texts = [
        cells[file.head.columns.index(column)].encode("utf-8", "replace").decode()
        for file in known.files
        for line, cells in file.source.rows()
        if line > file.head.header_line
    ]
    return pa.array(texts)


def check_files(truth: Read, guess: Read) -> Finding:
    """Say what the two files are, or why one of them cannot be read at all."""
    errors = [error for read in (truth, guess) if (error := read.refused.get("file"))]
    if errors:
        return problem(
            "file",
            "; ".join(_first_line(error) for error in errors),
            examples=[text for error in errors for text in error.problems],
            advice="; ".join(error.hint for error in errors if error.hint),
        )
    said = [
        f"{name}: {counted(len(faces), 'face')} ({faces.describe()})"
        for name, faces in (("ground truth", truth.faces), ("predictions", guess.faces))
        if faces is not None
    ]
    if (error := guess.refused.get("videos")) is not None:  # which `evaluate` does not read
        return note("file", "; ".join([*said, _first_line(error)]))
    return ok("file", "; ".join(said))


def _first_line(error: SchemaError) -> str:
    first = f", the first: {error.problems[0]}" if error.problems else ""
    return error.message.partition("\n")[0] + first


def refusal(check: str, error: SchemaError) -> Finding:
    """A column that breaks the schema, as the finding of the check that it is for."""
    return problem(
        check,
        error.message.partition("\n")[0],
        examples=error.problems,
        advice=error.hint or "correct the column",
    )

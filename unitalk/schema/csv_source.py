"""Open a csv file, be it a path, a `.gz`, a pipe or stdin, and find its header or its form."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import itertools
import os
import stat
import sys
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast

import pyarrow as pa

from unitalk.errors import SchemaError, UsageError
from unitalk.files import disk_error, disk_errors
from unitalk.files.file_types import FIRST_BYTES, identify, is_binary
from unitalk.schema.columns import (
    AVA_COLUMNS,
    COLUMNS,
    ENTITY,
    EVAL,
    FORWARD_FORMS,
    HEADERLESS,
    KIND_NAME,
    LABEL,
    LABEL_SPELLINGS,
    LOGITS,
    REQUIRED,
    SCORE,
    TIME,
    Kind,
    is_forward_form,
    is_text,
    lacking,
    shown,
    wrong_with,
)
from unitalk.schema.foreign_columns import missing_columns, names_columns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNREADABLE = (csv.Error, EOFError, zlib.error, OSError, UnicodeError)
"""What reading a file raises that is damaged or not a csv file."""

_GZIP = b"\x1f\x8b"


class Source:
    """A csv file: a path, or `-` for stdin.

    A path is read as often as needed. Stdin and other sources that give their bytes only once, such
    as the pipe of `<(zcat file)`, are kept in memory.

    Raises:
        UsageError: there is no such file.
        DiskError: the disk refused it.
    """

    def __init__(self, name: str | Path, *, stdin: IO[bytes] | None = None) -> None:
        self.name = str(name)
        self._bytes: bytes | None = None
        try:
            if self.name == "-":
                self.name = "<stdin>"
                self._bytes = (stdin or _stdin()).read()
            else:
                with open(name, "rb") as file:
                    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                        self._bytes = file.read()
        except (FileNotFoundError, IsADirectoryError) as error:
            what = "does not exist" if isinstance(error, FileNotFoundError) else "is a folder"
            raise UsageError(
                f"{self.name} {what}", hint="give a csv file, or - for stdin"
            ) from error
        except OSError as error:
            raise disk_error(error, self.name) or UsageError(
                f"{self.name} cannot be read: {error.strerror}", hint="give another csv file"
            ) from error

    def open(self) -> IO[bytes]:
        """Open it from the start, unpacked."""
        if self._bytes is not None:
            raw: IO[bytes] = io.BytesIO(self._bytes)
            packed = self._bytes.startswith(_GZIP)
            return cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw
        with disk_errors(self.name):
            with open(self.name, "rb") as file:
                packed = file.read(2) == _GZIP
            return cast("IO[bytes]", gzip.open(self.name)) if packed else open(self.name, "rb")

    def open_arrow(self) -> IO[bytes]:
        """Open it for Arrow: a plain file goes there by its name, without Python in between."""
        opened = self.open()
        if not isinstance(opened, io.BufferedReader):
            return opened
        try:
            plain = pa.OSFile(self.name, "rb")
        except UnicodeEncodeError:  # a name that is not UTF-8, which Arrow cannot say
            return opened
        opened.close()
        return cast("IO[bytes]", plain)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Walk the rows that are not empty, each with the number of its last line.

        Bytes that are not UTF-8 become lone surrogates.
        """
        with disk_errors(self.name), self.open() as raw:
            text = io.TextIOWrapper(raw, "utf-8-sig", errors="surrogateescape", newline="")
            reader = csv.reader(text)
            for cells in reader:
                if cells:
                    yield reader.line_num, cells


def sources_in(folder: str | Path) -> list[Source]:
    """Open the csv files in a folder, by name, without hidden ones and those in folders below.

    Raises:
        UsageError: it has none.
        DiskError: the disk refused it, or one of them.
    """
    with disk_errors(folder), os.scandir(folder) as listing:
        names = sorted(entry.name for entry in listing if _is_csv(entry))
    if not names:
        raise UsageError(
            f"{folder} is a folder without csv files",
            hint="give a csv file, or the folder in which the csv files of its videos lie",
        )
    return [Source(os.path.join(folder, name)) for name in names]


def _is_csv(entry: os.DirEntry[str]) -> bool:
    # A link that leads nowhere counts: a video must not vanish without a word.
    return (
        entry.name.lower().endswith((".csv", ".csv.gz"))
        and not entry.name.startswith(".")
        and not entry.is_dir()
    )


def _stdin() -> IO[bytes]:
    if sys.stdin is None:
        raise UsageError("stdin is closed", hint="give a csv file")
    return sys.stdin.buffer


@dataclass(frozen=True, slots=True)
class Head:
    """The names of a csv file's columns, from its header or its form.

    Attributes:
        columns: the name of each cell of a row.
        header_line: the line that names them, or 0 when no line does.
    """

    columns: tuple[str, ...]
    header_line: int

    def describe(self) -> str:
        """One clause for the reader."""
        what = f"header in line {self.header_line}" if self.header_line else "no header"
        logits = ", two of them logits" if self.has_logits else ""
        return f"{what}, {len(self.columns)} columns{logits}"

    @property
    def has_logits(self) -> bool:
        """Whether the file has two logits instead of a score."""
        return set(LOGITS) <= set(self.columns)


def read_head(source: Source, kind: Kind) -> Head:
    """Find out whether a file has a header, and which column is which.

    The first row is a header when one of its cells is the name of a column. Without one, the
    number of cells says which of the known forms it is.

    Raises:
        SchemaError: it is empty, or in no known form.
    """
    first, line, cells = _top(source)
    if not cells:
        raise SchemaError(
            f"{source.name}: the file is empty", hint=f"a file of {KIND_NAME[kind]} is wanted"
        )
    names = tuple(cell.strip() for cell in cells)
    if {*COLUMNS, SCORE} & set(names):
        return _check_header(source, kind, Head(names, line))
    lower = [name.lower() for name in names]
    if {*COLUMNS, SCORE} & set(lower) and not lacking(lower, kind):
        raise SchemaError(
            f"{source.name}:{line}: the header is in another case: {', '.join(names)[:60]}",
            hint="write the columns' names in lower case",
        )
    form = HEADERLESS[kind].get(len(names))
    if kind == "predictions" and is_forward_form(cells):
        form = FORWARD_FORMS[len(names)]
    has_no_time = form is None or wrong_with(TIME, cells[form.index(TIME)], kind)
    if {*COLUMNS, SCORE} & set(lower) or (
        has_no_time and names_columns(names, lacking(names, kind))
    ):
        return _check_header(source, kind, Head(names, line))
    if form is None:
        raise _unknown_form(source, kind, line, cells, first)
    if kind == "predictions" and len(names) in HEADERLESS["groundtruth"]:
        # Ground truth given as predictions has a label where the entity should be.
        label = names[AVA_COLUMNS.index(LABEL)] if form[-2] == ENTITY else ""
        if label in LABEL_SPELLINGS:
            raise SchemaError(
                f"{source.name}:{line}: no column {SCORE!r}: this looks like ground truth",
                hint="are -g and -p the wrong way round?",
            )
    return Head(form, 0)


def _top(source: Source) -> tuple[bytes, int, list[str]]:
    """A file's first bytes; its first row that is not empty, and the line that this ends on.

    Raises:
        SchemaError: the file is known to be something else than csv, or is damaged.
    """
    try:
        with disk_errors(source.name), source.open() as raw:
            first = raw.read(FIRST_BYTES)
        foreign = identify(first)
        line, cells = (0, list[str]()) if foreign else next(source.rows(), (0, []))
    except UNREADABLE as error:
        raise SchemaError(
            f"{source.name}: cannot be read as csv: {error}",
            hint="give a csv file as text, or packed with gzip",
        ) from error
    if foreign:
        raise SchemaError(f"{source.name}: the file is {foreign.what}", hint=foreign.hint)
    return first, line, cells


def _check_header(source: Source, kind: Kind, head: Head) -> Head:
    where = f"{source.name}:{head.header_line}"
    if not all(map(is_text, head.columns)):
        wrong = next(name for name in head.columns if not is_text(name))
        raise SchemaError(
            f"{where}: the header has {shown(wrong[:40])}, which is not UTF-8 text",
            hint="save it as UTF-8 and try again",
        )
    missing = lacking(head.columns, kind)
    if missing:
        said, hint = missing_columns(missing, _first_row(source, head), kind)
        raise SchemaError(f"{where}: the header {said}", hint=hint)
    # What other columns a file has twice is its own affair.
    known = {*COLUMNS, EVAL, SCORE} & set(head.columns)
    twice = sorted(name for name in known if head.columns.count(name) > 1)
    if twice:
        raise SchemaError(
            f"{where}: the header has {', '.join(map(repr, twice))} twice",
            hint="give every column a name of its own",
        )
    return head


def _first_row(source: Source, head: Head) -> dict[str, str]:
    """Each column with its cell in the first row below the header, or with nothing."""
    cells: list[str] = []
    with contextlib.suppress(*UNREADABLE):
        cells = next((row for line, row in source.rows() if line > head.header_line), [])
    return dict(itertools.zip_longest(head.columns, cells[: len(head.columns)], fillvalue=""))


def _unknown_form(
    source: Source, kind: Kind, line: int, cells: list[str], first: bytes
) -> SchemaError:
    if is_binary(first):
        return SchemaError(
            f"{source.name}: the file is not UTF-8 text, and in no format that is known here",
            hint="save it as csv text in UTF-8",
        )
    forms = " or ".join(str(count) for count in HEADERLESS[kind])
    if "\t" in cells[0]:
        hint = "its cells are separated by tabs (a TalkNet loader file?); commas are wanted"
    elif ";" in cells[0]:
        hint = "its cells are separated by semicolons; commas are wanted"
    else:
        hint = f"without a header, {KIND_NAME[kind]} have {forms} columns"
        if kind == "predictions":
            hint += f"; or name them in a first line, such as {','.join(REQUIRED[kind])}"
    return SchemaError(
        f"{source.name}:{line}: neither a header nor a row of {KIND_NAME[kind]}: "
        f"{len(cells)} cells, the first {cells[0][:40]!r}",
        hint=hint,
    )

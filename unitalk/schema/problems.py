"""Explain, line by line, why the fast reader refused a csv file or some of a folder's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitalk.errors import EXAMPLES, SchemaError
from unitalk.schema.columns import KIND_NAME, Kind, shown, wrong_with
from unitalk.schema.csv_source import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from unitalk.schema.csv_source import Head, Source


def explain(source: Source, kind: Kind, head: Head, wanted: Sequence[str]) -> SchemaError | None:
    """Collect everything that is wrong with some columns of a file; None if nothing is."""
    told: list[str] = []
    count = 0
    try:
        for problem in _problems(source, kind, head, wanted):
            count += 1
            if count <= EXAMPLES:
                told.append(problem)
    except UNREADABLE as error:  # first, as all that follows may come of it
        count += 1
        told.insert(0, f"{source.name}: cannot be read to its end: {error}")
    if not count:
        return None
    noun = "problem" if count == 1 else "problems"
    named = "" if head.header_line else f": {', '.join(head.columns)}"
    return _error(
        f"{source.name}: {count:,} {noun} in the {KIND_NAME[kind]}", told, count,
        hint=f"correct this and run the command again; the file has {head.describe()}{named}",
    )  # fmt: skip


def together(name: str, files: int, errors: Sequence[SchemaError]) -> SchemaError:
    """Join the errors of some of a folder's files into one."""
    if len(errors) == 1:
        return errors[0]
    problems = [problem for error in errors for problem in error.problems or [error.message]]
    count = sum(max(error.count, 1) for error in errors)
    what = f"{name}: {count:,} problems in {len(errors):,} of {files:,} files"
    return _error(what, problems[:EXAMPLES], count, hint=errors[0].hint)


def _error(what: str, told: list[str], count: int, *, hint: str | None) -> SchemaError:
    rest = [f"and {count - len(told):,} more"] if count > len(told) else []
    return SchemaError("\n  ".join([what, *told, *rest]), hint=hint, problems=told, count=count)


def walk(
    source: Source, kind: Kind, head: Head, wanted: Sequence[str]
) -> Iterator[tuple[int, list[str], list[tuple[str | None, str]]]]:
    """Walk a file row by row, past its header.

    Args:
        source: the file.
        kind: what it is read as.
        head: its head.
        wanted: the columns to check.

    Yields:
        The line that a row ends on, its cells, and what is wrong with it: a column, or None for
        the row as a whole, and one clause.

    Raises:
        UNREADABLE: the file is damaged.
    """
    places = [(head.columns.index(name), name) for name in wanted]
    width = len(head.columns)
    for line, cells in source.rows():
        if line <= head.header_line:
            continue
        wrong: list[tuple[str | None, str]] = []
        if tuple(cell.strip() for cell in cells) == head.columns:
            wrong.append((None, "the header again: were several files joined?"))
        elif len(cells) != width:
            wrong.append((None, f"{len(cells)} cells where {width} are expected"))
        else:
            wrong += [
                (name, f"{shown(cells[place][:60])} {clause}")
                for place, name in places
                if (clause := wrong_with(name, cells[place], kind))
            ]
        yield line, cells, wrong


def _problems(source: Source, kind: Kind, head: Head, wanted: Sequence[str]) -> Iterator[str]:
    rows = 0
    for line, _, wrong in walk(source, kind, head, wanted):
        rows += 1
        for column, clause in wrong:
            yield f"{source.name}:{line}: {f'column {column}: ' if column else ''}{clause}"
    if not rows:
        yield f"{source.name}: there is a header and not one row"

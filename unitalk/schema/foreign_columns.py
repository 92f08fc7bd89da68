"""Recognize columns under other names, for messages about a header that lacks some."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from unitalk.errors import examples
from unitalk.schema.columns import (
    BOX,
    ENTITY,
    EVAL_COLUMNS,
    LABEL,
    SCORE,
    TIME,
    VIDEO,
    Kind,
    columns_wanted,
    wrong_with,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OTHER_NAMES = {
    VIDEO: r"(video|clip|movie|youtube|yt)(id|name|key)?|vid",
    TIME: r"(frame)?(time|timestamp)s?(s|sec|seconds)?|sec(ond)?s?|ts?",
    BOX[0]: r"(entity|face|b|bound\w*)?(box)?(x1|xmin|left)",
    BOX[1]: r"(entity|face|b|bound\w*)?(box)?(y1|ymin|top)",
    BOX[2]: r"(entity|face|b|bound\w*)?(box)?(x2|xmax|right)",
    BOX[3]: r"(entity|face|b|bound\w*)?(box)?(y2|ymax|bottom)",
    LABEL: r"labels?|labelname|class(name)?|target|gt|groundtruth|annotation",
    ENTITY: r"(entity|track|tracklet|person|face|identity|speaker)(id|name|key)?",
    SCORE: r".*(score|pred|prob|conf|logit|likelihood|posterior|output).*",
}
"""How others name a column: its letters and digits, in lower case."""

_TYPO = 0.8  # how much of a misspelled name must be right


def missing_columns(
    missing: Sequence[str], first_row: Mapping[str, str], kind: Kind
) -> tuple[str, str]:
    """Say which columns a table lacks, and which of its columns may be these under other names.

    Args:
        missing: the columns that it lacks; at least one.
        first_row: each of its columns with its first cell.
        kind: the kind of file that it should be.

    Returns:
        The words after `the header` in a message, and the hint.
    """
    lacks = f"lacks {', '.join(map(repr, missing))}"
    spare = {
        name: cell
        for name, cell in first_row.items()
        if name and name not in {*EVAL_COLUMNS, SCORE}
    }
    found = _others(missing, spare, kind)
    if not found:
        numbers = [name for name in spare if wrong_with(SCORE, spare[name], kind) is None]
        if list(missing) == [SCORE] and LABEL in first_row and not numbers:
            return f"{lacks}: this looks like ground truth", columns_wanted(kind)
        if list(missing) == [SCORE] and numbers:
            unknown = examples(map(repr, numbers))
            return f"{lacks}, and has {unknown}", f"rename the column of the scores to {SCORE!r}"
        unknown = f", and has {examples(map(repr, spare))}" if spare else ""
        return lacks + unknown, columns_wanted(kind)
    has = ", ".join(repr(name) for names in found.values() for name in names)
    renames = [f"{' or '.join(map(repr, names))} to {wanted!r}" for wanted, names in found.items()]
    rest = "" if len(found) == len(missing) else f"; {columns_wanted(kind)}"
    return f"{lacks}, but has {has}", f"rename {', '.join(renames)}{rest}"


def names_columns(cells: Sequence[str], missing: Sequence[str]) -> bool:
    """Whether a row without a known name is a header with other names."""
    if any(wrong_with(SCORE, cell, "predictions") is None for cell in cells):
        return False  # a number is no name
    named = [name for name in missing if any(_is_name_for(name, cell) for cell in cells)]
    return len(named) > 1


def _others(missing: Sequence[str], spare: Mapping[str, str], kind: Kind) -> dict[str, list[str]]:
    """For each missing column, the ones that may be it, by name and by their first cell."""
    found: dict[str, list[str]] = {}
    taken: set[str] = set()
    for wanted in missing:
        fitting = [
            name
            for name, cell in spare.items()
            if name not in taken and wrong_with(wanted, cell, kind) is None
        ]
        alike = [name for name in fitting if _is_name_for(wanted, name)]
        if alike:
            found[wanted] = alike
            taken.update(alike)
    return found


def _is_name_for(wanted: str, name: str) -> bool:
    letters, own = _letters(name), _letters(wanted)
    return (
        letters == own
        or re.fullmatch(_OTHER_NAMES[wanted], letters) is not None
        or difflib.SequenceMatcher(None, letters, own).ratio() >= _TYPO
    )


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())

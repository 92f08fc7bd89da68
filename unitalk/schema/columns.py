"""Define columns, labels and kinds of files, and check one cell."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

VIDEO = "video_id"
TIME = "frame_timestamp"
BOX = ("entity_box_x1", "entity_box_y1", "entity_box_x2", "entity_box_y2")
LABEL = "label"
ENTITY = "entity_id"
LABEL_ID = "label_id"
INSTANCE = "instance_id"
SCORE = "score"
EVAL = "eval"

AVA_COLUMNS = (VIDEO, TIME, *BOX, LABEL, ENTITY)
"""The eight columns of AVA-ActiveSpeaker's annotation."""
COLUMNS = (*AVA_COLUMNS, LABEL_ID, INSTANCE)
"""The ten columns of UniTalk."""
EVAL_COLUMNS = (*COLUMNS, EVAL)
"""The same with ASW's mark of the faces that count: 1, or 0 for one that leaves the score.

Only a header names it: eleven cells without one are predictions.
"""
PREDICTION_COLUMNS = (*AVA_COLUMNS, SCORE)
"""The nine columns of a file of predictions."""
LOGITS = ("logit of not speaking", "logit of speaking")
"""What a file has instead of a score when it keeps both outputs of a two-class network.

No file names them; they are known by their places in the forms of ASC and ASDNet. The score is the
second less the first, which orders faces as the softmax of the two does.
"""

SPEAKING = "SPEAKING_AUDIBLE"
NOT_AUDIBLE = "SPEAKING_NOT_AUDIBLE"
NOT_SPEAKING = "NOT_SPEAKING"
LABEL_IDS = {NOT_SPEAKING: 0, SPEAKING: 1, NOT_AUDIBLE: 2}
"""Each label's `label_id`; only 1 is a positive."""
LABEL_SPELLINGS = {
    **{label: label for label in LABEL_IDS},
    # AVA's documentation writes these for what AVA's files call the above.
    "SPEAKING_AND_AUDIBLE": SPEAKING,
    "SPEAKING_BUT_NOT_AUDIBLE": NOT_AUDIBLE,
}
UNLABELLED = ""
"""No label: of a prediction, whose score is that of speaking anyhow; of a face of AVA's test."""

DESCRIPTION = {
    VIDEO: ("text", "the video's id"),
    TIME: ("seconds", "when the face is seen; compared in whole milliseconds, or within 1 ms"),
    BOX[0]: ("0..1", "left edge of the face's box, relative to the frame's width"),
    BOX[1]: ("0..1", "top edge, relative to the frame's height"),
    BOX[2]: ("0..1", "right edge"),
    BOX[3]: ("0..1", "bottom edge"),
    LABEL: ("text", f"{SPEAKING}, {NOT_SPEAKING}, or AVA's {NOT_AUDIBLE} (not a positive)"),
    ENTITY: ("text", "the track's id; the faces of one person in one stretch of the video"),
    LABEL_ID: ("0, 1, 2", "1 for a positive, 0 not speaking, 2 speaking but not audible"),
    INSTANCE: ("text", "the track's id and a number that grows at each change of label"),
    EVAL: ("0, 1", "0 for a face that leaves the score, as in ASW; may be absent, which is 1"),
    SCORE: ("number", f"how much the model takes the face for {SPEAKING}; any finite number"),
}
"""Each column's unit and meaning; the documentation's table is made from it."""

Kind = Literal["groundtruth", "faces", "predictions"]
"""The kind of a file; `faces` are ground truth whose labels may be empty or absent."""
KIND_NAME: dict[Kind, str] = {
    "groundtruth": "ground truth",
    "faces": "faces",
    "predictions": "predictions",
}
_OR_NONE = {**LABEL_SPELLINGS, UNLABELLED: UNLABELLED}
SPELLINGS: dict[Kind, dict[str, str]] = {
    "groundtruth": LABEL_SPELLINGS,
    "faces": _OR_NONE,
    "predictions": _OR_NONE,
}
_UNLABELLED_COLUMNS = tuple(name for name in AVA_COLUMNS if name != LABEL)
_GROUNDTRUTH_FORMS = {len(AVA_COLUMNS): AVA_COLUMNS, len(COLUMNS): COLUMNS}
HEADERLESS: dict[Kind, dict[int, tuple[str, ...]]] = {
    "groundtruth": _GROUNDTRUTH_FORMS,
    "faces": {len(_UNLABELLED_COLUMNS): _UNLABELLED_COLUMNS, **_GROUNDTRUTH_FORMS},
    "predictions": {
        len(AVA_COLUMNS): (VIDEO, TIME, *BOX, ENTITY, SCORE),
        len(PREDICTION_COLUMNS): PREDICTION_COLUMNS,
        len(COLUMNS) + 1: (*COLUMNS, SCORE),
    },
}
"""A file without a header is known by how many cells a row has."""
FORWARD_FORMS: dict[int, tuple[str, ...]] = {
    4: (ENTITY, TIME, *LOGITS),
    7: (VIDEO, TIME, ENTITY, "number of the label", *LOGITS, "features"),
}
"""What ASC's and ASDNet's networks write, one file a video, by how many cells a row has.

The first is of the whole model (ASC_forward.py; main.py --stage tm_isrm --forward), the second of
its encoder (STE_forward.py; --stage av_enc --forward), whose last cell is a list of hundreds of
numbers. Both are predictions only.
"""
REQUIRED: dict[Kind, tuple[str, ...]] = {
    "groundtruth": AVA_COLUMNS,
    "faces": _UNLABELLED_COLUMNS,
    "predictions": (TIME, ENTITY, SCORE),
}
MARKS: dict[str, tuple[str, ...]] = {LABEL_ID: ("0", "1", "2"), EVAL: ("0", "1")}
"""Columns of a few numbers that are read as text, and their values."""
NUMBERS = frozenset({TIME, *BOX, SCORE, *LOGITS})
IDS = frozenset({VIDEO, ENTITY, INSTANCE})

MAX_SECONDS = 4_000_000.0
"""Times are below this (46 days), so that a time in milliseconds fits into 32 bits of a key."""

# What Python calls blank, the marks that nobody sees, and nothing that a pattern means by itself:
# Arrow's engine and Python's must find the same.
_BLANK = (
    " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_NAMES_OF_MARKS = {
    ",": "a comma",
    '"': "a quotation mark",
    "/": "a slash",
    "\\": "a backslash",
    "\r": "a line break",
    "\n": "a line break",
    "\t": "a tab",
    "\0": "a NUL character",
}
NO_ID = rf"""^$|^[{_BLANK}]|[{_BLANK}]$|[,"/\\\r\n\t\x00]"""
"""What is no id, as a pattern for both engines.

An id is a name of files and a cell without quotes: not empty, no blank at its ends, no separator.
"""

# The numbers that Arrow reads; Python would also read 1_000, and digits of every script.
_NUMBER = re.compile(r"[ \t]*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[ \t]*", re.ASCII)
_UNBOUNDED = re.compile(r"[ \t]*[+-]?(nan|inf)", re.IGNORECASE)


def lacking(columns: Collection[str], kind: Kind) -> list[str]:
    """The columns that a file lacks, in the schema's order.

    Predictions need no boxes, but a box has all four edges.
    """
    box = BOX if any(name in columns for name in BOX) else ()
    needed = {*REQUIRED[kind], *box}
    return [name for name in (*COLUMNS, SCORE) if name in needed and name not in columns]


def known_columns(kind: Kind) -> tuple[str, ...]:
    """The columns that a file of a kind may have, in the order in which they are given."""
    return (*COLUMNS, SCORE) if kind == "predictions" else (*EVAL_COLUMNS, SCORE)


def marks_of(name: str, kind: Kind) -> tuple[str, ...]:
    """The values of a column of marks; where a label may be missing, its number may be too."""
    unlabelled = name == LABEL_ID and kind == "faces"
    return (*MARKS[name], UNLABELLED) if unlabelled else MARKS[name]


def columns_wanted(kind: Kind) -> str:
    """One clause about the columns that a file must have and those that it may have."""
    said = f"{KIND_NAME[kind]} have the columns {', '.join(REQUIRED[kind])}"
    if kind != "predictions":
        return said
    return f"{said}; {VIDEO}, all four of {BOX[0][:-2]}* and {LABEL} may be there"


def is_forward_form(cells: Sequence[str]) -> bool:
    """Whether a row is in the form that its number of cells has in `FORWARD_FORMS`."""
    form = FORWARD_FORMS.get(len(cells), ())
    if not form or any(
        name in NUMBERS and not (_NUMBER.fullmatch(cell) or _UNBOUNDED.match(cell))
        for name, cell in zip(form, cells, strict=True)
    ):
        return False
    return form[-1] in NUMBERS or cells[-1].startswith("[")


def shown(text: str) -> str:
    r"""A text of `Source.rows` for a message, in quotes; bytes that are not UTF-8 as `\xfc`."""
    return re.sub(r"\\udc([89a-f][0-9a-f])", r"\\x\1", repr(text))


def is_text(text: str) -> bool:
    """Whether a text of `Source.rows` was UTF-8; other bytes come as lone surrogates."""
    return not any("\ud800" <= c <= "\udfff" for c in text)


def wrong_with(name: str, text: str, kind: Kind) -> str | None:
    """What is wrong with one cell, or None."""
    if not is_text(text):
        return "is not UTF-8 text"
    if name in NUMBERS:
        return _wrong_with_number(name, text)
    if name == LABEL and text not in SPELLINGS[kind]:
        return f"is none of {', '.join(LABEL_IDS)}"
    if name in MARKS and text not in marks_of(name, kind):
        return f"is none of {', '.join(MARKS[name])}"
    if name in IDS and re.search(NO_ID, text):
        return f"is not an id: {_wrong_with_id(text)}"
    return None


def _wrong_with_id(text: str) -> str:
    """Which rule of `NO_ID` a text breaks."""
    if not text:
        return "it is empty"
    if text[0] in _BLANK or text[-1] in _BLANK:
        return f"it {'begins' if text[0] in _BLANK else 'ends'} with a blank"
    mark = next(mark for mark in text if mark in _NAMES_OF_MARKS)
    return f"it contains {_NAMES_OF_MARKS[mark]}"


def _wrong_with_number(name: str, text: str) -> str | None:
    if not _NUMBER.fullmatch(text):
        unbounded = _UNBOUNDED.match(text)
        return "is not a finite number" if unbounded else "is not a number"
    number = float(text)
    if not math.isfinite(number):
        return "is not a finite number"
    if name == TIME and number < 0:
        return "is a negative time"
    if name == TIME and number >= MAX_SECONDS:
        return "is a time of more than 46 days; seconds are wanted"
    return None

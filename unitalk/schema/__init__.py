"""The csv schema: columns, labels, keys; the one reader of ground truth and of predictions.

No other module spells a column's name or a label. A row is a *face*; its key is
(`entity_id`, `frame_timestamp` in whole milliseconds), never its position and never a float's text;
`evaluation.seconds` says which face a prediction is for whose time is off by a fraction of one.

`columns` has the words and says what is wrong with a cell, `source` opens a file and finds its
header, `faces` reads it into columns, `problems` explains what is wrong with it, `text` carries
rows unharmed, `completing` derives the columns that AVA's files lack.
"""

from unitalk.schema.columns import (
    AVA_COLUMNS,
    BOX,
    COLUMNS,
    DESCRIPTION,
    ENTITY,
    EVAL,
    EVAL_COLUMNS,
    INSTANCE,
    KIND_NAME,
    LABEL,
    LABEL_ID,
    LABEL_IDS,
    LABEL_SPELLINGS,
    NOT_AUDIBLE,
    NOT_SPEAKING,
    PREDICTION_COLUMNS,
    SCORE,
    SPEAKING,
    TIME,
    UNLABELLED,
    VIDEO,
    Kind,
)
from unitalk.schema.completing import SPELLED, complete, text_codes
from unitalk.schema.faces import (
    Faces,
    File,
    as_numpy,
    from_frame,
    load,
    load_split,
    read_groundtruth,
    read_predictions,
)
from unitalk.schema.source import Head, Source, read_head
from unitalk.schema.text import append_text, read_text, seconds_of, text_column, write_text

__all__ = [
    "AVA_COLUMNS",
    "BOX",
    "COLUMNS",
    "DESCRIPTION",
    "ENTITY",
    "EVAL",
    "EVAL_COLUMNS",
    "INSTANCE",
    "KIND_NAME",
    "LABEL",
    "LABEL_ID",
    "LABEL_IDS",
    "LABEL_SPELLINGS",
    "NOT_AUDIBLE",
    "NOT_SPEAKING",
    "PREDICTION_COLUMNS",
    "SCORE",
    "SPEAKING",
    "SPELLED",
    "TIME",
    "UNLABELLED",
    "VIDEO",
    "Faces",
    "File",
    "Head",
    "Kind",
    "Source",
    "append_text",
    "as_numpy",
    "complete",
    "from_frame",
    "load",
    "load_split",
    "read_groundtruth",
    "read_head",
    "read_predictions",
    "read_text",
    "seconds_of",
    "text_codes",
    "text_column",
    "write_text",
]

"""The csv schema: columns, labels, keys; the one reader of ground truth and of predictions.

No other module spells a column's name or a label. A row is a *face*; its key is
(`entity_id`, `frame_timestamp` in whole milliseconds), never its position and never a float's text;
`score.near_times` says which face a prediction is for whose time is off by a fraction of one.

`columns` has the words and says what is wrong with a cell, `csv_source` opens a file and finds its
header, `faces` reads it into columns, `problems` explains what is wrong with it, `csv_text` copies
rows unchanged, `ava_columns` derives the columns that AVA's files lack.
"""

from unitalk.schema.ava_columns import SPELLED, complete, text_codes
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
from unitalk.schema.csv_source import Head, Source, read_head
from unitalk.schema.csv_text import append_text, read_text, seconds_of, text_column, write_text
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

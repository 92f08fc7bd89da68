"""Complete AVA's eight columns to ten: derive `label_id` and `instance_id`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from unitalk.schema.columns import (
    COLUMNS,
    ENTITY,
    INSTANCE,
    LABEL,
    LABEL_ID,
    LABEL_IDS,
    SPELLINGS,
    UNLABELLED,
    VIDEO,
)
from unitalk.schema.csv_text import seconds_of, text_column
from unitalk.schema.face_table import FaceTable
from unitalk.schema.faces import as_numpy

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Codes = npt.NDArray[np.int32]

SPELLED = SPELLINGS["faces"]
"""Every spelling of a label, or of no label, with the usual one."""

_IDS = {**{label: str(number) for label, number in LABEL_IDS.items()}, UNLABELLED: UNLABELLED}


def complete(columns: Mapping[str, pa.StringArray]) -> dict[str, pa.StringArray]:
    """Add the missing ones of the ten columns; the rows keep their order and their text.

    Args:
        columns: by name; those that a file of faces must have, of a whole split or of one file.

    Returns:
        The ten columns, then others that were given.
    """
    made = dict(columns)
    rows = len(made[ENTITY])
    if LABEL not in made:
        made[LABEL] = text_column([UNLABELLED], np.zeros(rows, np.int32))
    labels, texts = text_codes(made[LABEL])
    if LABEL_ID not in made:
        made[LABEL_ID] = text_column([_IDS[SPELLED[text]] for text in texts], labels)
    if INSTANCE not in made:
        usual = [SPELLED[text] for text in texts]
        alike = np.array([usual.index(text) for text in usual], np.int32)  # two may mean one
        made[INSTANCE] = _instances(made, alike[labels])
    given = [name for name in columns if name not in COLUMNS]
    return {name: made[name] for name in (*COLUMNS, *given)}


def text_codes(column: pa.StringArray) -> tuple[Codes, list[str]]:
    """A column as (the index of each row's text, the texts in the order of their first rows)."""
    encoded = column.dictionary_encode()
    return as_numpy(encoded.indices), [str(text) for text in encoded.dictionary.to_pylist()]


def _instances(columns: Mapping[str, pa.StringArray], labels: Codes) -> pa.StringArray:
    """`<entity_id>:<k>`, where k starts at 0 and grows with each change of label in a track."""
    entities, names = text_codes(columns[ENTITY])
    videos, _ = text_codes(columns[VIDEO])
    seconds = seconds_of(pa.RecordBatch.from_pydict(dict(columns)))
    table = FaceTable.of(seconds, entities, videos)
    own = table.ordered(labels)
    begins = np.append(True, ~table.inside | (own[1:] != own[:-1]))
    first = np.searchsorted(np.flatnonzero(begins), table.starts)
    texts = [
        f"{names[entity]}:{k}"
        for entity, count in zip(
            entities[table.heads].tolist(), np.diff(first).tolist(), strict=True
        )
        for k in range(count)
    ]
    number = np.empty(len(labels), np.int32)
    number[table.rows()] = np.cumsum(begins) - 1
    return text_column(texts, number)

"""What ASC's and ASDNet's loaders read beside the crops and the sounds.

They take a row's cells from its end and a time's text for a file's name, and their post-processing
scores each video against a file of its own; see `unitalk.dataset.convert.asc`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unitalk import schema
from unitalk.dataset.verify.cross_split import compare_files
from unitalk.dataset.verify.verify_report import Finding, relative
from unitalk.errors import SchemaError
from unitalk.layout import FlatLayout

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from unitalk.dataset.verify.row_groups import Rows


def asc_findings(root: Path, rows: Rows) -> list[Finding]:
    """The csv's columns, and the files of single videos."""
    places = FlatLayout(root)
    path = places.csv(rows.split)
    columns = schema.read_head(schema.Source(path), "groundtruth").columns
    findings = []
    if columns != schema.COLUMNS:
        detail = f"the columns are {', '.join(columns)}"
        findings.append(
            Finding(kind="asc-columns", split=rows.split, path=relative(root, path), detail=detail)
        )
    files = [
        (video, file)
        for video in rows.video[1]
        for file in (places.activespeaker(rows.split, video), places.groundtruth(video))
    ]
    return findings + compare_files(root, files, rows, "asc-groundtruth")


def time_texts(root: Path, rows: Rows) -> tuple[npt.NDArray[np.int32], list[str]] | None:
    """What the csv says for each time, as (the index of each row's text, the texts).

    None where rows were left out, so that nothing is known of a row by its position.
    """
    if not rows.whole:
        return None
    numbers: dict[str, int] = {}
    codes: list[npt.NDArray[Any]] = []
    try:
        _, batches = schema.read_text(FlatLayout(root).csv(rows.split))
        for batch in batches:
            encoded: Any = batch[schema.TIME].dictionary_encode()
            own = [
                numbers.setdefault(text, len(numbers)) for text in encoded.dictionary.to_pylist()
            ]
            codes.append(np.array(own, np.int32)[schema.as_numpy(encoded.indices)])
    except SchemaError:
        return None
    return np.concatenate(codes), list(numbers)

"""Check what other people's loaders read beside crops and sounds, by the contracts in `formats`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitalk.dataset.verify.cross_split import compare_files
from unitalk.dataset.verify.verify_report import Finding, relative
from unitalk.errors import SchemaError
from unitalk.formats import asc, talknet
from unitalk.layout import FlatLayout, Layout

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from unitalk.schema.split_rows import SplitRows


def asc_findings(root: Path, rows: SplitRows) -> list[Finding]:
    """The csv's columns, and the files of single videos."""
    places = FlatLayout(root)
    csv = places.csv(rows.split)
    detail = asc.wrong_columns(csv)
    columns = Finding(kind="asc-columns", split=rows.split, path=relative(root, csv), detail=detail)
    files = asc.video_files(places, rows.split, rows.video[1])
    return [columns] * (detail is not None) + compare_files(root, files, rows, "asc-groundtruth")


def asc_time_texts(root: Path, rows: SplitRows) -> tuple[npt.NDArray[np.int32], list[str]] | None:
    """The texts that ASC's loader opens; None where rows were left out, so places mislead."""
    if not rows.whole:
        return None
    try:
        keys = asc.Keys(FlatLayout(root).csv(rows.split))
    except SchemaError:
        return None
    return keys.codes, keys.texts


def talknet_findings(root: Path, rows: SplitRows) -> list[Finding]:
    """The loader's csv against the split's."""
    csv = Layout(root).csv(rows.split)
    path = relative(root, talknet.loader_csv(csv))
    return [
        Finding(
            kind=fault.kind, split=rows.split, path=path, line=fault.line, detail=fault.detail,
            video_id=fault.track and fault.track.video,
            entity_id=fault.track and fault.track.entity,
        )
        for fault in talknet.faults(csv, rows)
    ]  # fmt: skip

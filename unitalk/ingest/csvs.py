"""Datasets whose annotations are csv files already: AVA and WASD."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa

from unitalk import fsops, schema
from unitalk.errors import UsageError
from unitalk.ingest.writing import File, Rows
from unitalk.layout import SPLITS, Layout

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from unitalk.layout import Split

_ENDINGS = (".csv", ".csv.gz")


def files_of(source: Path, splits: Sequence[Split]) -> list[File]:
    """Find the csv files of each split, as people have them on the disk.

    Args:
        source: a folder with `<split>_orig.csv`, in it or in its `csv/`; or with a folder of one
            file a video for each split, whose name has the split's as a word, such as
            `ava_activespeaker_train_v1.0`; or such a folder itself, or one file.
        splits: which are wanted; default: all that are found.

    Raises:
        UsageError: there are none; a wanted split is not found; or it cannot be seen which split
            files are of.
    """
    found: dict[Split, list[Path]] = {}
    for split in SPLITS:
        if paths := _named(source, split):
            found[split] = paths
    if not found:
        found = _unnamed(source, splits)
    missing = [split for split in splits if split not in found]
    if missing:
        raise UsageError(
            f"{source} has no csv files of the split {missing[0]}; found: {', '.join(found)}",
            hint="give the folder in which they are, or leave --split away",
        )
    return [
        File(split=split, path=path, read=functools.partial(read_csv, kind=_kind(split)))
        for split, paths in found.items()
        for path in paths
        if not splits or split in splits
    ]


def _kind(split: Split) -> schema.Kind:
    """How the files of a split are read: only a test split may lack its labels."""
    return "faces" if split == "test" else "groundtruth"


def _named(source: Path, split: Split) -> list[Path]:
    """The files of a split that its name is found on."""
    if source.is_file():
        return [source] if _is_of(source.name, split) else []
    for bundle in (source / Layout(source).csv(split).name, Layout(source).csv(split)):
        if bundle.is_file():
            return [bundle]
    folders = [f for f in fsops.entries(source) if f.is_dir() and _is_of(f.name, split)]
    return [path for folder in folders for path in _csvs(folder)]


def _unnamed(source: Path, splits: Sequence[Split]) -> dict[Split, list[Path]]:
    """The files of one split, whose name is on the folder, or was given."""
    paths = [source] if source.is_file() else _csvs(source)
    own = tuple(splits) or tuple(s for s in SPLITS if _is_of(source.resolve().name, s))
    if not paths:
        raise UsageError(
            f"{source} has no csv files, nor folders of them that are named after a split",
            hint="give the folder with train_orig.csv, or that of one csv a video",
        )
    if len(own) != 1:
        raise UsageError(
            f"which split are the {len(paths):,} csv files of {source}?", hint="give one --split"
        )
    return {own[0]: paths}


def _is_of(name: str, split: str) -> bool:
    return split in re.split(r"[^a-z]+", name.lower())


def _csvs(folder: Path) -> list[Path]:
    return [
        path
        for path in fsops.entries(folder)
        if path.name.lower().endswith(_ENDINGS) and not path.name.startswith(".")
    ]


def read_csv(path: Path, *, kind: schema.Kind) -> Rows:
    """Read AVA's eight columns or the ten, with a header or without; a cell's text is kept.

    Raises:
        SchemaError: the file breaks the schema.
    """
    # Once to look at each value, and once for the text.
    faces = schema.load(path, kind, columns=schema.COLUMNS)
    head, batches = schema.read_text(path, kind=kind)
    table = pa.Table.from_batches(list(batches)).combine_chunks()
    columns = {
        name: cast("pa.StringArray", table[name].chunk(0))
        for name in schema.COLUMNS
        if name in head.columns
    }
    if schema.LABEL not in columns:
        none = np.zeros(len(faces), np.int32)
        columns[schema.LABEL] = schema.text_column([schema.UNLABELLED], none)
    return Rows(columns=columns, where=faces.where)

"""Find and read annotations that are csv files: AVA-ActiveSpeaker (Roth et al., ICASSP 2020), WASD.

AVA's v1.0 has one csv per video without a header, eight columns, in one folder per split. The
bundle that TalkNet's scripts download has `csv/<split>_orig.csv` with a header and ten, and ASC's
has `ava_activespeaker_<split>_augmented.csv`. Archives are read as they are. The frame rate differs
from video to video. The test split has no labels: the column is empty or missing.
"""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa

from unitalk import schema
from unitalk.errors import ArchiveError, SchemaError, UnitalkError, UsageError, examples
from unitalk.files import entries
from unitalk.files.archive_members import archive_stem, unpack_members
from unitalk.formats.annotations import File, Rows
from unitalk.layout import SPLITS, Layout, splits_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from unitalk.layout import Split

_ENDINGS = (".csv", ".csv.gz")


@contextlib.contextmanager
def unpacked(source: Path, scratch: Path) -> Iterator[Path]:
    """Yield a source as `find_files` takes it; archives are unpacked until the block ends.

    Args:
        source: a folder, a csv file or an archive; of a folder without csv files, every archive.
        scratch: a folder on the destination's disk.

    Raises:
        ArchiveError: an archive cannot be read, or has no csv file.
    """
    archives = [source] if archive_stem(source) is not None else []
    if source.is_dir() and not any(_is_csv(path.name) for path in source.rglob("*")):
        archives = [path for path in sorted(source.iterdir()) if archive_stem(path) is not None]
    if not archives:
        yield source
        return
    with TemporaryDirectory(dir=scratch, prefix=".csv-") as name:
        folders = [_unpack(path, Path(name, str(n))) for n, path in enumerate(archives)]
        named = len(folders) > 1 or splits_named(folders[0].name)
        try:
            yield Path(name) if named else folders[0]
        except UnitalkError as error:
            raise _renamed(error, name, str(source)) from error


def _unpack(archive: Path, scratch: Path) -> Path:
    """Unpack an archive's csv files into a folder of its name beside `scratch`.

    Folders that only wrap others are left out, unless they alone have the split's name.
    """
    unpack_members(archive, scratch, wanted=_is_csv)
    if not entries(scratch):
        raise ArchiveError(f"{archive} has no csv files", hint="give the archive of csv files")
    stem = archive_stem(archive) or archive.name
    top = scratch
    while len(inside := list(top.iterdir())) == 1 and inside[0].is_dir():
        if splits_named(inside[0].name) and not splits_named(stem):
            break
        top = inside[0]
    return top.rename(scratch.parent / stem)


def _renamed(error: UnitalkError, scratch: str, source: str) -> UnitalkError:
    """An error that names the archive and not the folder that it was unpacked to."""

    def in_archive(text: str) -> str:
        return text.replace(scratch, source)

    if isinstance(error, SchemaError):
        problems = [in_archive(text) for text in error.problems]
        return SchemaError(
            in_archive(error.message), hint=error.hint, problems=problems, count=error.count
        )
    return type(error)(in_archive(error.message), hint=error.hint)


def find_files(source: Path, splits: Sequence[Split]) -> list[File]:
    """Find the csv files of each split, as people have them on the disk.

    A split's name is a word of a file's or folder's name, as in `ava_activespeaker_train_v1.0` or
    `ava_activespeaker_val_augmented.csv`.

    Args:
        source: a folder with `<split>_orig.csv`, in it or in its `csv/`; or with a folder of one
            file per video for each split; or with one file for each split; or such a folder or
            file itself.
        splits: the splits to read; default: all that are found.

    Raises:
        UsageError: there are no files; a wanted split is not found; a name contradicts the wanted
            split; or the split of files is unclear.
    """
    found = _bundle(source) or _folders(source) or _by_name(source, splits)
    missing = [split for split in splits if split not in found]
    if missing:
        raise UsageError(
            f"{source} has no csv files of the split {missing[0]}; found: {', '.join(found)}",
            hint="give the folder in which they are, or leave out `splits`",
        )
    return [
        File(split=split, path=path, read=functools.partial(read_csv, kind=_kind(split)))
        for split, paths in found.items()
        for path in paths
        if not splits or split in splits
    ]


def _kind(split: Split) -> schema.Kind:
    """The kind of file to read: only a test split may lack its labels."""
    return "faces" if split == "test" else "groundtruth"


def _bundle(source: Path) -> dict[Split, list[Path]]:
    """The files `<split>_orig.csv` of a folder or of its csv/."""
    found: dict[Split, list[Path]] = {}
    for split in SPLITS:
        for path in (source / Layout(source).csv(split).name, Layout(source).csv(split)):
            if path.is_file():
                found.setdefault(split, [path])
    return found


def _folders(source: Path) -> dict[Split, list[Path]]:
    """The files in folders that are named after one split."""
    found: dict[Split, list[Path]] = {}
    folders = [] if source.is_file() else [f for f in entries(source) if f.is_dir()]
    for split in SPLITS:
        own = [path for f in folders if splits_named(f.name) == (split,) for path in _csvs(f)]
        if own:
            found[split] = own
    return found


def _by_name(source: Path, splits: Sequence[Split]) -> dict[Split, list[Path]]:
    """The files of a folder, by the split in the folder's name, in theirs, or in the call."""
    paths = [source] if source.is_file() else _csvs(source)
    if not paths:
        raise UsageError(
            f"{source} has no csv files, nor folders of them that are named after a split",
            hint="give the folder with train_orig.csv, or that of one csv a video",
        )
    whole = () if source.is_file() else splits_named(source.resolve().name)
    found: dict[Split, list[Path]] = {}
    unnamed: list[Path] = []
    for path in paths:
        own = whole if len(whole) == 1 else splits_named(path.name)
        if len(own) == 1:
            found.setdefault(own[0], []).append(path)
        else:
            unnamed.append(path)
    if unnamed and not found and len(splits) == 1:
        return {splits[0]: unnamed}
    if unnamed and not found:
        raise UsageError(
            f"which split are the {len(paths):,} csv files of {source}?",
            hint="name one with `splits`",
        )
    if unnamed:
        raise UsageError(
            f"{source}: the names of some csv files say their split, and those of others do not: "
            f"{examples(path.name for path in unnamed)}",
            hint="put the files of each split into a folder that is named after it",
        )
    return {split: found[split] for split in SPLITS if split in found}


def _csvs(folder: Path) -> list[Path]:
    return [path for path in entries(folder) if _is_csv(path.name)]


def _is_csv(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.lower().endswith(_ENDINGS) and not name.startswith(".")


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

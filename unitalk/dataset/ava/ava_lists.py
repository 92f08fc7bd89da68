"""Reads the lists of AVA's video files: one name per line, such as `-5KQ66BBWC4.mkv`."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal, get_args

from unitalk.errors import DataError, NotFoundError, UsageError, examples

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from unitalk.net.site import Site

AvaSplit = Literal["trainval", "test"]
AVA_SPLITS: tuple[AvaSplit, ...] = get_args(AvaSplit)
"""The folders that AVA's videos come in."""

# The bucket has the first; the second is how the bundle that TalkNet's scripts download calls it.
_NAMES = ("annotations/ava_file_names_{}_v2.1.txt", "{}_file_list.txt")
_LONGEST = 1 << 22
_UNSAFE = re.compile(r"[/\\\x00-\x1f\x7f]")


def fetch_list(site: Site, split: AvaSplit) -> tuple[str, ...]:
    """The names of a split's video files, as the server lists them.

    Raises:
        NotFoundError: it has no list of a known name.
        HubError: it cannot be reached.
        DataError: what it has is no list of files.
    """
    names = [name.format(split) for name in _NAMES]
    for name in names:
        try:
            body = site.read(name, _LONGEST)
        except NotFoundError:
            continue
        return parse(body.decode("utf-8-sig", errors="replace"), f"{site.endpoint}/{name}")
    raise NotFoundError(
        f"{site.endpoint}: has no list of the files of {split}; asked for {' and '.join(names)}",
        hint="give one with `list_files`, one name per line",
    )


def read_list(path: Path) -> tuple[str, ...]:
    """The names in a list on this machine.

    Raises:
        UsageError: there is no such file.
        DataError: it is no list of files.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path}", hint="give a list with one file name a line")
    return parse(path.read_text(encoding="utf-8-sig", errors="replace"), str(path))


def parse(text: str, where: str) -> tuple[str, ...]:
    """The names of a list; empty lines, lines that begin with `#`, repeated ones are passed over.

    Args:
        text: the list.
        where: it was found; for people.

    Raises:
        DataError: it is empty, or a line is no file name.
    """
    names: dict[str, None] = {}
    wrong: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        name = line.strip()
        if not name or name.startswith("#"):
            continue
        if _UNSAFE.search(name) or name.startswith(".") or not PurePath(name).suffix:
            wrong.append(f"{where}:{number}: {name[:80]!r}")
        else:
            names[name] = None
    if wrong:
        raise DataError(
            f"not a list of video files: {examples(wrong)}",
            hint="give a list with one file name a line, such as -5KQ66BBWC4.mkv",
        )
    if not names:
        raise DataError(f"{where}: the list is empty", hint="give one file name a line")
    return tuple(names)


def split_of(path: Path, splits: tuple[AvaSplit, ...]) -> AvaSplit:
    """The split whose files a list names: the one that is asked for, else by the list's name.

    Raises:
        UsageError: it cannot be known.
    """
    if len(splits) == 1:
        return splits[0]
    found = [split for split in AVA_SPLITS if split in path.name]
    if len(found) == 1:
        return found[0]
    raise UsageError(
        f"{path}: of which split are these files?",
        hint="give " + " or ".join(f"`splits=({split!r},)`" for split in AVA_SPLITS),
    )


def video_id(file: str) -> str:
    """The id of the video in a file."""
    return PurePath(file).stem


def unknown(wanted: Iterable[str], files: Iterable[str]) -> tuple[str, ...]:
    """The wanted ids that no list has."""
    there = {video_id(file) for file in files}
    return tuple(name for name in dict.fromkeys(wanted) if name not in there)

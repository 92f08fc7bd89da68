"""Where each file of a dataset lives, and how a time becomes a file name.

This is the only module that spells a folder or builds a face's name. It knows no tables::

    root/csv/<split>_orig.csv                                   the faces of a split, with header
    root/csv/<split>/<video_id>.csv                             one video's faces as published, no header
    root/clips_audios/<split>/<video_id>/<entity_id>.wav        16 kHz mono PCM
    root/clips_videos/<split>/<video_id>/<entity_id>/<time>.jpg one face crop, seconds as "%.2f"
    root/.unitalk/                                              what this program remembers

Writing is exact; reading is tolerant: a face is found by its time, whatever text its file carries,
and a track also where the `:` of its id became a `_`.
"""  # noqa: E501 - the drawing of the folders reads better unbroken

from __future__ import annotations

import math
import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from unitalk.errors import DataError, LayoutError

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
PUBLISHED_SPLITS: tuple[Split, ...] = ("train", "val")
"""The splits that UniTalk has: its test videos are called val. Other datasets have all three."""

Part = Literal["csv", "audio", "video"]
PARTS: tuple[Part, ...] = get_args(Part)
"""What a video consists of: its rows, its tracks' sound, its tracks' face crops."""

# What no component of a path may hold.
_UNSAFE = re.compile(r"[/\\\x00-\x1f]")

# Nothing but names as `face_name` writes them, joined by what no name can hold: one match tells of
# a whole folder what would else be asked of each of four million names.
_ALL_AS_WRITTEN = re.compile(r"((0|[1-9][0-9]{0,6})\.[0-9]{2}\.jpg(/|$))*")

ARCHIVES = "archives"
"""Where kept archives lie, in the dataset's folder, each by its path on the hub."""

_FOLDER: dict[Part, str] = {"csv": "csv", "audio": "clips_audios", "video": "clips_videos"}


def splits_named(name: str) -> tuple[Split, ...]:
    """The splits whose names are words of a file's or folder's name, as in `ava_train_v1.0.csv`."""
    words = re.split(r"[^a-z]+", name.lower())
    return tuple(split for split in SPLITS if split in words)


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one dataset; nothing is looked up on the disk unless the method says so."""

    root: Path

    @property
    def marker(self) -> Path:
        """The file by which we know a folder that we made."""
        return self.root / ".unitalk" / "dataset.json"

    @property
    def memory(self) -> Path:
        """The folder of what this program remembers of the dataset."""
        return self.root / ".unitalk"

    def csv(self, split: str) -> Path:
        """The csv file with every face of a split."""
        return self.root / "csv" / f"{split}_orig.csv"

    def video_csv(self, split: str, video_id: str) -> Path:
        """The csv file of one video as it is published: ten columns, no header."""
        return self.root / "csv" / split / f"{check_id(video_id)}.csv"

    def part(self, part: Part, split: str, video_id: str) -> Path:
        """What stands on the disk for one part of one video: a csv file or a folder."""
        if part == "csv":
            return self.video_csv(split, video_id)
        return self.root / _FOLDER[part] / split / check_id(video_id)

    def audio(self, split: str, video_id: str, entity_id: str) -> Path:
        """The sound of one track."""
        return self.part("audio", split, video_id) / f"{check_id(entity_id)}.wav"

    def track(self, split: str, video_id: str, entity_id: str) -> Path:
        """The folder of one track's face crops."""
        return self.part("video", split, video_id) / check_id(entity_id)

    def has_crops(self, split: str) -> bool:
        """Whether there is a folder for the face crops of a split."""
        return self.part("video", split, "any").parent.is_dir()

    def looks_like_one(self) -> bool:
        """Whether any of the folders of a dataset is there."""
        return any((self.root / folder).is_dir() for folder in _FOLDER.values())

    def splits(self) -> tuple[Split, ...]:
        """The splits whose csv file is on the disk."""
        return tuple(split for split in SPLITS if self.csv(split).is_file())

    def require_splits(self, wanted: tuple[Split, ...] = ()) -> tuple[Split, ...]:
        """Return the wanted splits, or all that are present.

        Raises:
            LayoutError: the folder is not a dataset, or lacks a wanted split.
        """
        present = self.splits()
        missing = [split for split in wanted if split not in present]
        if missing or not present:
            if not self.root.is_dir():
                raise LayoutError(f"{self.root} is not a folder", hint="give a dataset's folder")
            expected = self.csv(missing[0] if missing else "val")
            found = f"; it has {' and '.join(present)}" if present else ""
            raise LayoutError(
                f"{self.root} lacks {expected.relative_to(self.root)}{found}",
                hint="give the folder that contains csv/, clips_audios/ and clips_videos/",
            )
        return tuple(dict.fromkeys(wanted)) or present


@dataclass(frozen=True, slots=True)
class FlatLayout:
    """The paths of a dataset in the form of ASC and ASDNet: one folder a track, no video between.

    The files `<video_id>-activespeaker.csv` have a folder to themselves, because ASC's scripts take
    every file there for a video and cut these 18 characters off its name (core/util.py).
    """

    root: Path

    def csv(self, split: str) -> Path:
        """The csv file with every face of a split."""
        return Layout(self.root).csv(split)

    def activespeaker_folder(self, split: str) -> Path:
        """The folder of one file a video, AVA's eight columns without a header."""
        return self.root / "csv" / split

    def activespeaker(self, split: str, video_id: str) -> Path:
        """One video's faces under the name that ASC's and ASDNet's scripts make up."""
        return self.activespeaker_folder(split) / f"{check_id(video_id)}-activespeaker.csv"

    def groundtruth(self, video_id: str) -> Path:
        """The same file under the video's plain name."""
        return self.root / "gt" / f"{check_id(video_id)}.csv"

    def audio(self, split: str, entity_id: str) -> Path:
        """The sound of one track."""
        return self.root / _FOLDER["audio"] / split / f"{check_id(entity_id)}.wav"

    def track(self, split: str, entity_id: str) -> Path:
        """The folder of one track's face crops."""
        return self.root / _FOLDER["video"] / split / check_id(entity_id)


def hub_path(part: Part, split: str, video_id: str) -> str:
    """Where the dataset's repository keeps one part of one video."""
    return f"{_FOLDER[part]}/{split}/{video_id}.{'csv' if part == 'csv' else 'zip'}"


def parse_hub_path(path: str) -> tuple[Part, Split, str] | None:
    """Read `hub_path` backwards; None for a file that is no part of a video."""
    folders = {folder: part for part, folder in _FOLDER.items()}
    pieces = path.split("/")
    if len(pieces) != 3:  # noqa: PLR2004 - folder, split, file
        return None
    part = folders.get(pieces[0])
    stem, dot, suffix = pieces[2].rpartition(".")
    if part is None or not dot or suffix != ("csv" if part == "csv" else "zip"):
        return None
    return next(((part, split, stem) for split in PUBLISHED_SPLITS if split == pieces[1]), None)


def check_id(text: str) -> str:
    """Return an id unchanged when it can safely be one component of a path.

    Raises:
        DataError: it is empty, climbs out, or holds a separator or a control character.
    """
    mark = _UNSAFE.search(text)
    if text in {"", ".", ".."} or mark:
        why = (
            f"it contains {mark[0]!r}" if mark
            else f"{text!r} means a folder" if text
            else "it is empty"
        )  # fmt: skip
        raise DataError(
            f"{text!r} cannot name a file: {why}",
            hint="look for a damaged or hostile row in the csv",
        )
    return text


def face_name(seconds: float) -> str:
    """The file name of the face at a time: `face_name(0.4) == "0.40.jpg"`."""
    return f"{seconds:.2f}.jpg"


def face_seconds(name: str) -> float | None:
    """The time in a face's file name: 0.4 for `0.4.jpg` and `0.4000.jpg`; None for other files."""
    stem, dot, suffix = name.rpartition(".")
    if not dot or suffix.lower() not in {"jpg", "jpeg"} or "_" in stem:
        return None
    try:
        seconds = float(stem)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def faces(folder: str | Path) -> dict[str, str]:
    """List a track's face crops as the name that we would have written -> the file's own name.

    So a face is found as `faces(folder).get(face_name(seconds))`, whatever text its file carries.
    Names carry two decimals, and no two faces of a track are nearer than that; where two files
    have one name all the same (`0.40.jpg` and `0.404.jpg`), the one that is written so wins. One
    directory listing, no stat a file. In time order. A folder that is not there has no faces.
    """
    try:
        with os.scandir(folder) as listing:
            entries = list(listing)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    names = [entry.name for entry in entries]
    if not _ALL_AS_WRITTEN.fullmatch("/".join(names)):
        return _faces_of_any_spelling(entries)
    if not all(map(os.DirEntry.is_file, entries)):
        names = [entry.name for entry in entries if entry.is_file()]
    names.sort()
    names.sort(key=len)  # of numbers with as many decimals, the longer is the greater
    return dict(zip(names, names, strict=True))


def _faces_of_any_spelling(entries: Iterable[os.DirEntry[str]]) -> dict[str, str]:
    found: dict[str, tuple[float, str]] = {}
    for entry in entries:
        seconds = face_seconds(entry.name)
        if seconds is None or not entry.is_file():
            continue
        name = face_name(seconds)
        if name not in found or entry.name == name:
            found[name] = (seconds, entry.name)
    return {name: own for name, (_, own) in sorted(found.items(), key=lambda item: item[1])}


def spellings(entity_id: str) -> tuple[str, ...]:
    """The names under which a track may be on a disk, its id first.

    File systems that do not know `:` have `_` for it; macOS and its archives have letters with
    accents in two pieces (Unicode's NFD), and others in one (NFC).
    """
    forms = [entity_id]
    if not entity_id.isascii():
        forms += [unicodedata.normalize("NFC", entity_id), unicodedata.normalize("NFD", entity_id)]
    return tuple(dict.fromkeys([*forms, *(form.replace(":", "_") for form in forms)]))


def find_entity(
    folder: str | Path, entity_id: str, suffix: str = "", *, others: Container[str] = ()
) -> Path | None:
    """Where a track's folder or (with a suffix) sound is, or None; one or two stats.

    Looks for the `spellings` of the id, unless one is the id of one of the other tracks.
    """
    for spelling in spellings(entity_id):
        path = Path(folder, check_id(spelling) + suffix)
        if spelling != entity_id and spelling in others:
            continue
        if path.is_file() if suffix else path.is_dir():
            return path
    return None


def find_entities(
    folder: str | Path,
    entity_ids: Collection[str],
    suffix: str = "",
    *,
    others: Container[str] = (),
) -> dict[str, str]:
    """Find many tracks of one folder as `find_entity` does: entity_id -> the name it has there.

    One directory listing; a stat only of what the listing does not show under the id's own name.
    """
    try:
        with os.scandir(folder) as listing:
            present = {entry.name: entry for entry in listing}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    found = {}
    for entity in entity_ids:
        name = check_id(entity) + suffix
        entry = present.get(name)
        if entry is not None and (
            entry.is_file(follow_symlinks=False) if suffix else entry.is_dir(follow_symlinks=False)
        ):
            found[entity] = name
        elif path := find_entity(folder, entity, suffix, others=others):
            found[entity] = path.name
    return found

"""What can be wrong with a dataset: one table, from which texts and the README are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unitalk.layout import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One way in which a dataset can be wrong.

    Attributes:
        title: what it is, in the singular.
        effect: what it does to a model or to a score.
        remedy: what to do.
        part: the part of a video that is to be fetched again, if that helps.
    """

    title: str
    effect: str
    remedy: str
    part: Part | None = None


_FETCH = "restore the video's {}"
_APART = "move it out of the dataset"
_ROWS = "move it out of the dataset, or restore its rows in the csv"


def _csv(title: str, effect: str) -> Kind:
    return Kind(title=title, effect=effect, remedy=_FETCH.format("csv"), part="csv")


def _crops(title: str, effect: str) -> Kind:
    return Kind(title=title, effect=effect, remedy=_FETCH.format("crops"), part="video")


def _sound(title: str, effect: str) -> Kind:
    return Kind(title=title, effect=effect, remedy=_FETCH.format("sounds"), part="audio")


def _other(title: str, effect: str, remedy: str) -> Kind:
    return Kind(title=title, effect=effect, remedy=remedy)


_CSV = {
    "csv-unreadable": _other(
        "csv that cannot be read",
        "no loader gets a row of it",
        "restore the split's csv",
    ),
    "csv-row": _csv("row that is no row", "a loader stops there, or shifts its cells"),
    "csv-cell": _csv(
        "cell that breaks the schema", "a loader stops there, or takes it for another value"
    ),
    "missing-header": _csv(
        "csv whose first line names no columns", "a loader takes its first row for names"
    ),
    "missing-column": _csv("csv without a column", "TalkNet and others read the label from it"),
    "box-turned": _csv("box without an area", "its crop is empty, and its face has no size"),
    "box-range": _csv(
        "box far outside the frame", "it is no relative box: sizes and breakdowns are wrong"
    ),
    "duplicate-face": _csv("face that is there twice", "it counts twice, with two labels perhaps"),
    "times-too-near": _other(
        "two times with one file name",
        "both rows show the same crop",
        "give times that are 0.01 s apart or more, such as every second frame",
    ),
    "label-id": _csv("label_id that contradicts the label", "trained on one, scored by the other"),
    "instance-name": _csv("instance_id that is not of its track", "what groups by it mixes tracks"),
    "instance-step": _csv(
        "instance_id that does not follow the label", "what groups by it mixes labels"
    ),
    "rows-apart": _csv(
        "track whose rows lie apart",
        "TalkNet writes scores back by position: all that follow are on wrong faces",
    ),
    "rows-unordered": _csv(
        "track whose rows are not in time order",
        "TalkNet takes crops by time and labels by row: they do not fit",
    ),
    "gap": _csv(
        "gap of more than 0.2 s within a track", "crops, labels and sound drift apart by it"
    ),
    "entity-in-two-videos": _csv(
        "track id that two videos have", "scores of one are joined to the other"
    ),
    "entity-name": _csv(
        "track id that does not begin with its video's", "TalkNet looks in another folder"
    ),
    "video-in-both-splits": _other(
        "video in both splits",
        "a model is tested on what it was trained on",
        "take it out of one split",
    ),
    "wrong-split": _other(
        "published video in the other split",
        "scores cannot be compared with published ones",
        "move its rows and its files into its own split",
    ),
    "video-csv": _csv(
        "video's csv that disagrees with the merged one", "one of the two is out of date"
    ),
}

_MEDIA = {
    "missing-split": _other(
        "split without its crops or its sounds",
        "there is nothing to look at or to listen to",
        "put that part of the split into its place",
    ),
    "missing-video": Kind(
        title="video without its folder",
        effect="all its faces are missing",
        remedy="restore that part of the video",
    ),
    "misplaced": _other(
        "crops or sounds in another folder than rows say",
        "no loader finds them",
        "move them, or read them in the layout that they have",
    ),
    "missing-track": _crops("track without crops", "black images in ASC, a crash in TalkNet"),
    "missing-jpg": _crops(
        "face without a crop",
        "a black image in ASC; in TalkNet all later crops of the track belong to wrong labels",
    ),
    "missing-wav": _sound("track without sound", "silence in ASC, a crash in TalkNet"),
    "double-jpg": _other(
        "second crop for one time",
        "TalkNet counts it: all later crops of the track belong to wrong labels",
        "move one of the two out of the dataset",
    ),
    "extra-jpg": _other(
        "crop without a row",
        "TalkNet counts it: all later crops of the track belong to wrong labels",
        _ROWS,
    ),
    "extra-wav": _other("sound without a row", "no loader opens it", _ROWS),
    "extra-track": _other("folder of crops without a row", "no loader opens it", _ROWS),
    "extra-video": _other(
        "folder of a video without a row",
        "no loader opens it; or its rows were lost",
        _ROWS,
    ),
    "stray-file": _other("file that is no part of a dataset", "some loaders stop at it", _APART),
    "macos-litter": _other("file that macOS left", "some loaders stop at it", _APART),
    "folder-unreadable": _other(
        "folder that cannot be listed", "no loader gets at its files", "change its permissions"
    ),
}

_DEEP = {
    "file-unreadable": _other(
        "file that the disk refuses to read",
        "no loader gets its bytes",
        "change its permissions, or see what the disk reports",
    ),
    "jpg-empty": _crops("crop that is an empty file", "a loader stops there"),
    "jpg-truncated": _crops("crop that is cut off", "a loader stops there, or sees half a face"),
    "jpg-unreadable": _crops("crop that does not open", "a loader stops there"),
    "jpg-black": _crops("black crop", "the model sees nothing and is trained on it"),
    "jpg-constant": _crops("crop of one colour", "the model sees nothing and is trained on it"),
    "crop-size": _crops(
        "crop whose size contradicts its box", "it shows another face, or another frame"
    ),
    "wav-unreadable": _sound("sound that does not open", "a loader stops there"),
    "wav-format": _sound(
        "sound that is not 16 kHz mono in 16 bits", "features are computed of the wrong frequencies"
    ),
    "wav-truncated": _sound("sound that is cut off", "a loader stops there, or hears less"),
    "wav-silent": _sound("silent sound", "the model hears nothing and is trained on it"),
    "wav-length": _sound("sound shorter or longer than its faces", "sound and lips drift apart"),
}

_CONVERT = "convert the dataset again (unitalk convert-asc)"
_LOADER_AGAIN = "make the loader's csv again (unitalk convert-talknet)"
_ASC = {
    "asc-columns": _other(
        "csv with other columns than the ten",
        "read from the end, a row gives another cell as its track",
        _CONVERT,
    ),
    "asc-time-text": _other(
        "track with times that are not the names of its crops",
        "ASC opens the csv's text: a black image, without a message",
        _CONVERT,
    ),
    "asc-groundtruth": _other(
        "video whose own ground truth is missing or differs",
        "the post-processing scores it against nothing, or wrongly",
        _CONVERT,
    ),
}
_TALKNET = {
    "loader-missing": _other("split without a loader csv", "TalkNet does not start", _LOADER_AGAIN),
    "loader-row": _other("line that TalkNet cannot read", "it stops there", _LOADER_AGAIN),
    "loader-order": _other(
        "track that is not where the split's csv has it",
        "scores are written back by position: they land on other faces, about 20 % mAP",
        _LOADER_AGAIN,
    ),
    "loader-tracks": _other(
        "track that one of the two csv files lacks",
        "scores are written back by position: all later ones are on wrong faces",
        _LOADER_AGAIN,
    ),
    "loader-count": _other(
        "track with another number of frames",
        "scores are written back by position: all later ones are on wrong faces",
        _LOADER_AGAIN,
    ),
    "loader-labels": _other(
        "track with other labels",
        "it is trained on labels that are not the dataset's",
        _LOADER_AGAIN,
    ),
}

KINDS: dict[str, Kind] = {**_CSV, **_MEDIA, **_DEEP, **_ASC, **_TALKNET}
"""Every kind of finding by its name: first the csv's, then the files', what only `deep` finds, and
what only the layouts of ASC and of TalkNet have."""

"""What can be wrong with a dataset: one table, from which texts and the documentation are made."""

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
        part: the part of a video to fetch again, if that helps.
    """

    title: str
    effect: str
    remedy: str
    part: Part | None = None


_CSV = "restore the video's csv"
_CROPS = "restore the video's crops"
_SOUND = "restore the video's sounds"
_PARTS: dict[str, Part] = {_CSV: "csv", _CROPS: "video", _SOUND: "audio"}
_APART = "move it out of the dataset"
_ROWS = "move it out of the dataset, or restore its rows in the csv"
_CONVERT_ASC = "convert the dataset again (`convert_asc`)"
_CONVERT_TALKNET = "make the loader's csv again (`convert_talknet`)"

# Title, effect and remedy: first of the csv, then of files, of what is in files, and of the
# layouts of ASC and TalkNet.
# fmt: off
_TABLE = {
    "csv-unreadable": ("csv that cannot be read", "no loader gets a row of it",
        "restore the split's csv"),
    "csv-row": ("row that is no row", "a loader stops there, or shifts its cells", _CSV),
    "csv-cell": ("cell that breaks the schema",
        "a loader stops there, or takes it for another value", _CSV),
    "missing-header": ("csv whose first line names no columns",
        "a loader takes its first row for names", _CSV),
    "missing-column": ("csv without a column", "TalkNet and others read the label from it", _CSV),
    "box-turned": ("box without an area", "its crop is empty, and its face has no size", _CSV),
    "box-range": ("box far outside the frame",
        "it is no relative box: sizes and breakdowns are wrong", _CSV),
    "duplicate-face": ("face that is there twice", "it counts twice, with two labels perhaps",
        _CSV),
    "times-too-near": ("two times with one file name", "both rows show the same crop",
        "give times that are 0.01 s apart or more, such as every second frame"),
    "label-id": ("label_id that contradicts the label", "trained on one, scored by the other",
        _CSV),
    "instance-name": ("instance_id that is not of its track", "what groups by it mixes tracks",
        _CSV),
    "instance-step": ("instance_id that does not follow the label",
        "what groups by it mixes labels", _CSV),
    "rows-apart": ("track whose rows lie apart",
        "TalkNet writes scores back by position: all that follow are on wrong faces", _CSV),
    "rows-unordered": ("track whose rows are not in time order",
        "TalkNet takes crops by time and labels by row: they do not fit", _CSV),
    "gap": ("gap of more than 0.2 s within a track", "crops, labels and sound drift apart by it",
        _CSV),
    "entity-in-two-videos": ("track id that two videos have",
        "scores of one are joined to the other", _CSV),
    "entity-name": ("track id that does not begin with its video's",
        "TalkNet looks in another folder", _CSV),
    "video-in-both-splits": ("video in both splits",
        "a model is tested on what it was trained on", "take it out of one split"),
    "wrong-split": ("published video in the other split",
        "scores cannot be compared with published ones",
        "move its rows and its files into its own split"),
    "video-csv": ("video's csv that disagrees with the merged one",
        "one of the two is out of date", _CSV),
    "missing-split": ("split without its crops or its sounds",
        "there is nothing to look at or to listen to",
        "put that part of the split into its place"),
    "missing-video": ("video without its folder", "all its faces are missing",
        "restore that part of the video"),
    "misplaced": ("crops or sounds in another folder than rows say", "no loader finds them",
        "move them, or read them in the layout that they have"),
    "missing-track": ("track without crops", "black images in ASC, a crash in TalkNet", _CROPS),
    "missing-jpg": ("face without a crop",
        "a black image in ASC; in TalkNet all later crops of the track belong to wrong labels",
        _CROPS),
    "missing-wav": ("track without sound", "silence in ASC, a crash in TalkNet", _SOUND),
    "double-jpg": ("second crop for one time",
        "TalkNet counts it: all later crops of the track belong to wrong labels",
        "move one of the two out of the dataset"),
    "extra-jpg": ("crop without a row",
        "TalkNet counts it: all later crops of the track belong to wrong labels", _ROWS),
    "extra-wav": ("sound without a row", "no loader opens it", _ROWS),
    "extra-track": ("folder of crops without a row", "no loader opens it", _ROWS),
    "extra-video": ("folder of a video without a row",
        "no loader opens it; or its rows were lost", _ROWS),
    "stray-file": ("file that is no part of a dataset", "some loaders stop at it", _APART),
    "macos-litter": ("file that macOS left", "some loaders stop at it", _APART),
    "folder-unreadable": ("folder that cannot be listed", "no loader gets at its files",
        "change its permissions"),
    "file-unreadable": ("file that the disk refuses to read", "no loader gets its bytes",
        "change its permissions, or see what the disk reports"),
    "jpg-empty": ("crop that is an empty file", "a loader stops there", _CROPS),
    "jpg-truncated": ("crop that is cut off", "a loader stops there, or sees half a face",
        _CROPS),
    "jpg-unreadable": ("crop that does not open", "a loader stops there", _CROPS),
    "jpg-black": ("black crop", "the model sees nothing and is trained on it", _CROPS),
    "jpg-constant": ("crop of one colour", "the model sees nothing and is trained on it", _CROPS),
    "crop-size": ("crop whose size contradicts its box",
        "it shows another face, or another frame", _CROPS),
    "wav-unreadable": ("sound that does not open", "a loader stops there", _SOUND),
    "wav-format": ("sound that is not 16 kHz mono in 16 bits",
        "features are computed of the wrong frequencies", _SOUND),
    "wav-truncated": ("sound that is cut off", "a loader stops there, or hears less", _SOUND),
    "wav-silent": ("silent sound", "the model hears nothing and is trained on it", _SOUND),
    "wav-length": ("sound shorter or longer than its faces", "sound and lips drift apart",
        _SOUND),
    "asc-columns": ("csv with other columns than the ten",
        "read from the end, a row gives another cell as its track", _CONVERT_ASC),
    "asc-time-text": ("track with times that are not the names of its crops",
        "ASC opens the csv's text: a black image, without a message", _CONVERT_ASC),
    "asc-groundtruth": ("video whose own ground truth is missing or differs",
        "the post-processing scores it against nothing, or wrongly", _CONVERT_ASC),
    "loader-missing": ("split without a loader csv", "TalkNet does not start", _CONVERT_TALKNET),
    "loader-row": ("line that TalkNet cannot read", "it stops there", _CONVERT_TALKNET),
    "loader-order": ("track that is not where the split's csv has it",
        "scores are written back by position: they land on other faces, about 20 % mAP",
        _CONVERT_TALKNET),
    "loader-tracks": ("track that one of the two csv files lacks",
        "scores are written back by position: all later ones are on wrong faces",
        _CONVERT_TALKNET),
    "loader-count": ("track with another number of frames",
        "scores are written back by position: all later ones are on wrong faces",
        _CONVERT_TALKNET),
    "loader-labels": ("track with other labels",
        "it is trained on labels that are not the dataset's", _CONVERT_TALKNET),
}
# fmt: on

KINDS: dict[str, Kind] = {
    name: Kind(title=title, effect=effect, remedy=remedy, part=_PARTS.get(remedy))
    for name, (title, effect, remedy) in _TABLE.items()
}
"""Every kind of finding by its name, in the order of reports."""

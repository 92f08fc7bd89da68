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
_CONVERT_TALKNET = "write the loader's csv again (`convert_talknet`)"

# Title, effect and remedy: first of the csv, then of files, of what is in files, and of the
# layouts of ASC and TalkNet.
# fmt: off
_TABLE = {
    "csv-unreadable": ("csv that cannot be read", "loaders get none of its rows",
        "restore the split's csv"),
    "csv-row": ("row with too few or too many cells",
        "loaders stop there, or shift its cells", _CSV),
    "csv-cell": ("cell that breaks the schema",
        "loaders stop there, or read another value", _CSV),
    "missing-header": ("csv without a header",
        "loaders take its first row for the header", _CSV),
    "missing-column": ("csv without a column", "TalkNet and others read the label from it", _CSV),
    "box-turned": ("box without an area", "its crop is empty, and its face has no size", _CSV),
    "box-range": ("box far outside the frame",
        "it is not relative to the frame: sizes and breakdowns are wrong", _CSV),
    "duplicate-face": ("face with two rows", "it counts twice, perhaps with two labels",
        _CSV),
    "times-too-near": ("two times with one file name", "both rows show the same crop",
        "give times that are 0.01 s apart or more, such as every second frame"),
    "label-id": ("label_id that contradicts the label",
        "a model is trained on one and scored by the other",
        _CSV),
    "instance-name": ("instance_id of another track", "code that groups by it mixes tracks",
        _CSV),
    "instance-step": ("instance_id that does not follow the label",
        "code that groups by it mixes labels", _CSV),
    "rows-apart": ("track whose rows are not together",
        "TalkNet writes scores back by position: all later ones are on wrong faces", _CSV),
    "rows-unordered": ("track whose rows are not in time order",
        "TalkNet sorts crops by time and labels by row: they do not match", _CSV),
    "gap": ("gap of more than 0.2 s within a track", "crops, labels and sound drift apart",
        _CSV),
    "entity-in-two-videos": ("track id in two videos",
        "scores of one are joined to the other", _CSV),
    "entity-name": ("track id that does not begin with its video's id",
        "TalkNet looks in another folder", _CSV),
    "video-in-both-splits": ("video in both splits",
        "a model is tested on what it was trained on", "take it out of one split"),
    "wrong-split": ("published video in the other split",
        "scores cannot be compared with published ones",
        "move its rows and its files into its own split"),
    "video-csv": ("video's csv that disagrees with the merged one",
        "one of the two is out of date", _CSV),
    "missing-split": ("split without its crops or its sounds",
        "there is nothing to see or hear", "put that part of the split in place"),
    "missing-video": ("video without its folder", "all its faces are missing",
        "restore that part of the video"),
    "misplaced": ("crops or sounds in another folder than the csv says", "loaders do not find them",
        "move them, or choose the layout that they have"),
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
    "extra-wav": ("sound without a row", "loaders ignore it", _ROWS),
    "extra-track": ("folder of crops without a row", "loaders ignore it", _ROWS),
    "extra-video": ("folder of a video without a row",
        "loaders ignore it, unless its rows were lost", _ROWS),
    "stray-file": ("file that does not belong to a dataset", "some loaders stop at it", _APART),
    "macos-litter": ("file left by macOS", "some loaders stop at it", _APART),
    "folder-unreadable": ("folder that cannot be listed", "loaders cannot reach its files",
        "change its permissions"),
    "file-unreadable": ("file that the disk refuses to read", "loaders cannot read it",
        "change its permissions, or see what the disk reports"),
    "jpg-empty": ("crop that is an empty file", "loaders stop there", _CROPS),
    "jpg-truncated": ("crop that is cut off", "loaders stop there, or see half a face",
        _CROPS),
    "jpg-unreadable": ("crop that does not open", "loaders stop there", _CROPS),
    "jpg-black": ("black crop", "the model sees nothing and is trained on it", _CROPS),
    "jpg-constant": ("crop of one colour", "the model sees nothing and is trained on it", _CROPS),
    "crop-size": ("crop whose size contradicts its box",
        "it shows another face, or another frame", _CROPS),
    "wav-unreadable": ("sound that does not open", "loaders stop there", _SOUND),
    "wav-format": ("sound that is not 16 kHz mono in 16 bits",
        "features are computed from the wrong frequencies", _SOUND),
    "wav-truncated": ("sound that is cut off", "loaders stop there, or hear less", _SOUND),
    "wav-silent": ("silent sound", "the model hears nothing and is trained on it", _SOUND),
    "wav-length": ("sound shorter or longer than its faces", "sound and lips drift apart",
        _SOUND),
    "asc-columns": ("csv without exactly the ten columns",
        "ASC counts cells from the end, and takes another one for the track", _CONVERT_ASC),
    "asc-time-text": ("track with times that differ from the names of its crops",
        "ASC looks for the csv's text as a file name, and takes a black image", _CONVERT_ASC),
    "asc-groundtruth": ("video whose own ground truth is missing or differs",
        "ASC's post-processing scores it wrongly or not at all", _CONVERT_ASC),
    "loader-missing": ("split without a loader csv", "TalkNet does not start", _CONVERT_TALKNET),
    "loader-row": ("line that TalkNet cannot read", "it stops there", _CONVERT_TALKNET),
    "loader-order": ("track in another position than in the split's csv",
        "scores are written back by position: they land on other faces, about 20 % mAP",
        _CONVERT_TALKNET),
    "loader-tracks": ("track missing from one of the two csv files",
        "scores are written back by position: all later ones are on wrong faces",
        _CONVERT_TALKNET),
    "loader-count": ("track with another number of frames",
        "scores are written back by position: all later ones are on wrong faces",
        _CONVERT_TALKNET),
    "loader-labels": ("track with other labels",
        "a model is trained on labels that differ from the dataset's", _CONVERT_TALKNET),
}
# fmt: on

KINDS: dict[str, Kind] = {
    name: Kind(title=title, effect=effect, remedy=remedy, part=_PARTS.get(remedy))
    for name, (title, effect, remedy) in _TABLE.items()
}
"""Every kind of finding by its name, in the order of reports."""

"""Recognises files that are not csv text by their first bytes."""

from __future__ import annotations

import re
from typing import NamedTuple

FIRST_BYTES = 4096
"""How much of a file `identify` looks at."""

_UNPACK = "unpack it, and give the csv file that it contains"
_EXPORT = "write its rows as a csv file in UTF-8, and give that"
_SAVE_SHEET = "save the sheet as a csv file in UTF-8, and give that"
_DOWNLOAD = "download the csv file itself, and give that"
_GIVE_CSV = "give a csv file"
_ENCODE = "save it as UTF-8 and try again"

# A zip file's first member tells what the file is: its name stands behind 30 bytes.
_ZIP = rb"PK\x03\x04.{26}"
_BINARY = tuple(
    (re.compile(pattern, re.DOTALL), what, hint)
    for pattern, what, hint in (
        (_ZIP + rb"(\[Content_Types\]|_rels/|xl/)", "an Excel workbook (.xlsx)", _SAVE_SHEET),
        (_ZIP + rb"mimetype", "an OpenDocument spreadsheet", _SAVE_SHEET),
        (_ZIP + rb"[^\x00]{1,99}\.npy", "a NumPy archive (.npz)", _EXPORT),
        (_ZIP + rb"[^/\x00]+/(data\.pkl|\.format_version|version)", "a PyTorch file", _EXPORT),
        (_ZIP, "a zip archive", _UNPACK),
        (rb"\xfd7zXZ\x00", "an xz archive", _UNPACK),
        (rb"BZh[1-9]", "a bzip2 archive", _UNPACK),
        (rb"\x28\xb5\x2f\xfd", "a Zstandard archive", _UNPACK),
        (rb"\x04\x22M\x18", "an LZ4 archive", _UNPACK),
        (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
        (rb"Rar!\x1a\x07", "a RAR archive", _UNPACK),
        (rb"\x1f\x8b", "gzip data", _UNPACK),
        (rb".{257}ustar", "a tar archive", _UNPACK),
        (rb"\x93NUMPY", "a NumPy array (.npy)", _EXPORT),
        (rb"PAR1", "a Parquet file", _EXPORT),
        (rb"ARROW1", "an Arrow (Feather) file", _EXPORT),
        (rb"\x89HDF", "an HDF5 file", _EXPORT),
        (rb"MATLAB 5\.0", "a MATLAB file", _EXPORT),
        (rb"SQLite format 3\x00", "an SQLite database", _EXPORT),
        (rb".{6}\x00\x00\{\s*\x22", "a safetensors file", _EXPORT),
        # What torch.save wrote before it wrote zip files begins with a pickled number.
        (rb"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19", "a PyTorch file", _EXPORT),
        (rb"\x80[\x02-\x05]", "a Python pickle", _EXPORT),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook (.xls)", _SAVE_SHEET),
        (rb"%PDF-", "a PDF document", _GIVE_CSV),
        (rb"\x89PNG", "a PNG picture", _GIVE_CSV),
        (rb"\xff\xd8\xff", "a JPEG picture", _GIVE_CSV),
        (rb"RIFF", "a WAV or AVI file", _GIVE_CSV),
        (rb"\x1aE\xdf\xa3", "a Matroska or WebM video", _GIVE_CSV),
        (rb".{4}ftyp", "an MP4 video", _GIVE_CSV),
        (rb"\xff\xfe\x00\x00|\x00\x00\xfe\xff", "UTF-32 text", _ENCODE),
        (rb"\xff\xfe|\xfe\xff|([^\x00]\x00){4}|(\x00[^\x00]){4}", "UTF-16 text", _ENCODE),
    )
)
_WEB_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|head|body)\b", re.IGNORECASE)
_JSON = re.compile(rb'(\xef\xbb\xbf)?\s*[\[{]\s*["\[{]')
_LFS = b"version https://git-lfs.github.com/spec/"


class Contents(NamedTuple):
    """What a file is.

    Attributes:
        what: a noun with its article.
        hint: how a csv file is made of it, as a sentence.
    """

    what: str
    hint: str


def identify(first: bytes) -> Contents | None:
    """Name what cannot be csv text; None for what may be.

    A text that happens to begin like a known format, such as an id `PAR1`, is left alone.

    Args:
        first: the file's first bytes, `FIRST_BYTES` or fewer.
    """
    if first.startswith(_LFS):
        return Contents("a Git LFS pointer, not the file that it stands for", _DOWNLOAD)
    if _WEB_PAGE.match(first):
        return Contents("a web page", _DOWNLOAD)
    if _JSON.match(first):
        return Contents("JSON", _EXPORT)
    if not is_binary(first):
        return None
    return next(
        (Contents(what, hint) for pattern, what, hint in _BINARY if pattern.match(first)), None
    )


def is_binary(first: bytes) -> bool:
    """Whether bytes are not UTF-8 text."""
    try:
        text = first.decode("utf-8")
    except UnicodeDecodeError as error:
        # The last letter may be cut.
        return not (error.reason == "unexpected end of data" and len(first) == FIRST_BYTES)
    return "\0" in text

"""Every hazard of the disk: atomic files, staged folders, placing a file or a tree, safe unzip.

Nothing has its final name until it is whole, and nothing is deleted that this program did not make.
"""

from unitalk.fsops.files import (
    atomic_write,
    check_writable,
    disk_boundary,
    disk_error,
    disk_errors,
    entries,
    free_bytes,
    read_json,
    sha256,
    sync,
    unreadable,
    write_json,
)
from unitalk.fsops.folders import (
    check_apart,
    check_destination,
    locked,
    made_by,
    mark,
    staged_folder,
)
from unitalk.fsops.placing import LINKS, Link, Placer
from unitalk.fsops.unpacking import MAX_UNPACK_RATIO, unzip

__all__ = [
    "LINKS",
    "MAX_UNPACK_RATIO",
    "Link",
    "Placer",
    "atomic_write",
    "check_apart",
    "check_destination",
    "check_writable",
    "disk_boundary",
    "disk_error",
    "disk_errors",
    "entries",
    "free_bytes",
    "locked",
    "made_by",
    "mark",
    "read_json",
    "sha256",
    "staged_folder",
    "sync",
    "unreadable",
    "unzip",
    "write_json",
]

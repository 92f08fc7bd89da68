"""Every hazard of the disk: atomic files, staged folders, placing a file or a tree, safe unzip.

Nothing has its final name until it is whole, and nothing is deleted that this program did not make.
"""

from unitalk.fsops.files import (
    atomic_write,
    disk_errors,
    free_bytes,
    read_json,
    sha256,
    sync,
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
    "disk_errors",
    "free_bytes",
    "locked",
    "made_by",
    "mark",
    "read_json",
    "sha256",
    "staged_folder",
    "sync",
    "unzip",
    "write_json",
]

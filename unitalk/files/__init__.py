"""Every hazard of the disk.

`atomic` writes files, `staging` builds folders and locks them, `resume` lets the same command
continue an earlier run, `linking` links or copies a tree. `unpack_zip` and `zip_members` (both with
`zip_directory` and `zip_content`) and `archive_members` read archives without trusting them.
`file_types` recognises a file by its first bytes.

Nothing has its final name until it is whole, and nothing is deleted that this program did not make.
"""

from unitalk.choices import LINKS, Link
from unitalk.files.atomic import (
    atomic_write,
    check_writable,
    disk_boundary,
    disk_error,
    disk_errors,
    entries,
    free_bytes,
    read_json,
    remove_halves,
    sha256,
    sync,
    unreadable,
    write_json,
)
from unitalk.files.linking import Placer
from unitalk.files.resume import ReceiptBook, Receipts, Request
from unitalk.files.staging import (
    check_apart,
    check_destination,
    locked,
    made_by,
    mark,
    staged_folder,
)
from unitalk.files.unpack_zip import unzip

__all__ = [
    "LINKS",
    "Link",
    "Placer",
    "ReceiptBook",
    "Receipts",
    "Request",
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
    "remove_halves",
    "sha256",
    "staged_folder",
    "sync",
    "unreadable",
    "unzip",
    "write_json",
]

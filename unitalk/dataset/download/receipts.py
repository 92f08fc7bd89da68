"""The folder's memory: which content each final name has, and the hub's listing.

A receipt is written before the name that it speaks of is given, so whatever is ours has one. It
holds the listed size and hash, the commit, and `unhashed` where a part was adopted by its look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from unitalk.errors import DataError
from unitalk.files import read_json
from unitalk.files.resume import Receipts
from unitalk.layout import ARCHIVES, Layout, Part
from unitalk.net import RemoteFile

if TYPE_CHECKING:
    from pathlib import Path

State = Literal["present", "archived", "unproven", "absent"]
"""Of one part of one video: in place and of the listed hash; its archive kept and to be unpacked;
something under its name that no download put there; none of these."""


def store(root: Path) -> Receipts:
    """The receipts, by path on the hub: whose content each final name has."""
    return Receipts(Layout(root).memory / "receipts")


def partial(root: Path, remote: RemoteFile, part: Part, split: str, video_id: str) -> Path:
    """Where the bytes of one part are collected."""
    # The hash, so that no two contents are ever mixed; the rest, as two files may have one.
    return Layout(root).memory / "parts" / f"{remote.hash}.{part}.{split}.{video_id}.part"


def archive(root: Path, hub_path: str) -> Path:
    """Where an archive is kept."""
    return root / ARCHIVES / hub_path


def archive_receipt(hub_path: str) -> str:
    """Under which path an archive's own receipt stands."""
    return f"{ARCHIVES}/{hub_path}"


def write(
    root: Path, hub_path: str, remote: RemoteFile, commit: str, *, unhashed: bool = False
) -> None:
    """Write down that a name has, or is about to have, the content that the hub lists."""
    receipt = {"size": remote.size, "hash": remote.hash, "commit": commit}
    store(root).write(hub_path, {**receipt, **({"unhashed": True} if unhashed else {})})


def void(root: Path, hub_path: str) -> None:
    """Let a part be ours and count as damaged, so that the next run makes it again."""
    if store(root).read(hub_path) is not None:
        store(root).write(hub_path, {"size": 0, "hash": ""})


def hash_of(root: Path, hub_path: str) -> str | None:
    """The hash in a receipt; None where there is no receipt, empty where it says none."""
    receipt = store(root).read(hub_path)
    return None if receipt is None else str(receipt.get("hash", ""))


def state_of(
    root: Path, remote: RemoteFile, part: Part, split: str, video_id: str, *, archives_only: bool
) -> State:
    """What the disk has of one part of one video."""
    final = Layout(root).part(part, split, video_id)
    receipt = hash_of(root, remote.path)
    there = final.exists()
    if there and receipt == remote.hash:
        return "present"
    if part != "csv" and has_archive(root, remote):
        return "present" if archives_only else "archived"
    return "unproven" if there and receipt is None else "absent"


def has_archive(root: Path, remote: RemoteFile) -> bool:
    """Whether the archive is kept; its hash was compared before it got its name."""
    kept = archive(root, remote.path)
    return (
        kept.is_file()
        and kept.stat().st_size == remote.size
        and hash_of(root, archive_receipt(remote.path)) == remote.hash
    )


def held(root: Path) -> dict[str, str]:
    """Every hub path with a receipt of an unpacked part, and the hash in it; sorted."""
    return {
        name: hash_of(root, name) or ""
        for name in store(root).names()
        if not name.startswith((f"{ARCHIVES}/", ".")) and "/." not in name
    }


def tree_file(root: Path, commit: str) -> Path:
    """Where a commit's listing is remembered."""
    return Layout(root).memory / f"tree-{commit}.json"


def remembered_tree(root: Path, commit: str) -> tuple[RemoteFile, ...] | None:
    """A commit never changes, so its listing is asked for once."""
    try:
        entries = read_json(tree_file(root, commit))
        return None if entries is None else tuple(RemoteFile(**entry) for entry in entries)
    except (DataError, TypeError):  # damaged from outside: ask again
        return None

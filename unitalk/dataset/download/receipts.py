"""What the folder remembers: whose content each final name has, and what the hub listed.

A receipt is written before the name that it speaks of is given, so whatever is ours has one. It
holds the listed size and hash, the commit, and `unhashed` where a part was adopted by its look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from unitalk.errors import DataError
from unitalk.files import read_json, write_json
from unitalk.layout import ARCHIVES, Layout, Part
from unitalk.net import RemoteFile

if TYPE_CHECKING:
    from pathlib import Path

State = Literal["present", "archived", "unproven", "absent"]
"""Of one part of one video: in place and of the listed hash; its archive kept and to be unpacked;
something under its name that no download put there; none of these."""


def path(root: Path, hub_path: str) -> Path:
    """Where it is written down whose content a final name has."""
    return Layout(root).memory / "receipts" / f"{hub_path}.json"


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
    write_json(path(root, hub_path), {**receipt, **({"unhashed": True} if unhashed else {})})


def void(root: Path, hub_path: str) -> None:
    """Let a part be ours and count as damaged, so that the next run makes it again."""
    if read(root, hub_path) is not None:
        write_json(path(root, hub_path), {"size": 0, "hash": ""})


def read(root: Path, hub_path: str) -> dict[str, object] | None:
    """A receipt; None where there is none, empty where it is damaged."""
    try:
        receipt = read_json(path(root, hub_path))
    except DataError:  # damaged from outside: ours, and as good as void
        return {}
    return receipt if receipt is None or isinstance(receipt, dict) else {}


def hash_of(root: Path, hub_path: str) -> str | None:
    """The hash in a receipt; None where there is no receipt, empty where it says none."""
    receipt = read(root, hub_path)
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
    top = path(root, "x").parent
    found = (p.relative_to(top).as_posix().removesuffix(".json") for p in top.rglob("*.json"))
    return {
        name: hash_of(root, name) or ""
        for name in sorted(found)
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

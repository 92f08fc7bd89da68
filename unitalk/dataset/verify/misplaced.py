"""Crops and sounds that are in another folder than the one where rows look for them.

What is extra under a name that rows miss is what they miss: it is to be moved.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from unitalk.dataset.verify.tree import video_folder
from unitalk.dataset.verify.verify_report import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from unitalk.choices import LayoutName
    from unitalk.schema.split_rows import Track

_EXTRA = frozenset({"extra-video", "extra-track", "extra-wav", "stray-file"})
_SOUNDS = "clips_audios"
_SPLIT = 2  # names in the path of a split's crops or sounds


@dataclass(frozen=True, slots=True)
class _Move:
    """Something that is in one folder and belongs into another one.

    Attributes:
        split: of the rows that miss it.
        name: of the file or folder.
        there: the folder where it is.
        wanted: the folder where it belongs.
    """

    split: str
    name: str
    there: PurePosixPath
    wanted: PurePosixPath


@dataclass(slots=True)
class _Missed:
    """A finding that something is missing, and what would have to be found to make up for it.

    Attributes:
        split: its rows'.
        ways: each is a set of paths that together are all of it.
    """

    split: str
    ways: list[set[PurePosixPath]] = field(default_factory=list)


def replaced(
    findings: Sequence[Finding], tracks: Mapping[str, Sequence[Track]], layout: LayoutName
) -> list[Finding]:
    """Say of what is misplaced that it is, in place of what is extra and of what is missing.

    Args:
        findings: all that was found.
        tracks: of each split.
        layout: as whose loader it was looked for.
    """
    missed = dict(_missed(findings, tracks, layout))
    wanted = {
        (path.parts[0], path.name): (one.split, path.parent)
        for one in missed.values()
        for way in one.ways
        for path in way
    }
    moves: dict[int, _Move] = {}
    for number, one in enumerate(findings):
        if one.kind in _EXTRA and one.path is not None:
            path = PurePosixPath(one.path)
            split, folder = wanted.get((path.parts[0], path.name), ("", path.parent))
            if folder != path.parent:
                moves[number] = _Move(split, path.name, path.parent, folder)
    found = {move.wanted / move.name for move in moves.values()}
    solved = {n for n, one in missed.items() if any(way and way <= found for way in one.ways)}
    kept = [one for n, one in enumerate(findings) if n not in moves and n not in solved]
    return kept + _said(list(moves.values()), layout)


def _missed(
    findings: Sequence[Finding], tracks: Mapping[str, Sequence[Track]], layout: LayoutName
) -> Iterator[tuple[int, _Missed]]:
    """Each finding that something is missing, by its place."""
    for number, one in enumerate(findings):
        split = one.split
        if split is None or one.path is None or not one.kind.startswith("missing-"):
            continue
        path = PurePosixPath(one.path)
        suffix = ".wav" if path.parts[0] == _SOUNDS else ""
        found = _Missed(split)
        if one.kind in {"missing-track", "missing-wav"}:
            found.ways = [{path}]
        elif one.kind == "missing-video":
            own = [t for t in tracks[split] if video_folder(t, layout) == path.name]
            found.ways = [{path}, {path / (track.entity + suffix) for track in own}]
        elif one.kind == "missing-split" and layout != "asc":
            found.ways = [{path / video_folder(track, layout) for track in tracks[split]}]
        yield number, found


def _said(moves: Sequence[_Move], layout: LayoutName) -> list[Finding]:
    """One finding for all that is to be moved from one folder into another one."""
    flat = [move for move in moves if layout == "unitalk" and _is_flat(move)]
    groups: dict[tuple[str, PurePosixPath, PurePosixPath], list[str]] = defaultdict(list)
    for move in moves:
        wanted = move.there if move in flat else move.wanted
        groups[move.split, move.there, wanted].append(move.name)
    return [
        _flat(split, there, names) if there == wanted else _moved(split, there, wanted, names)
        for (split, there, wanted), names in groups.items()
    ]


def _is_flat(move: _Move) -> bool:
    """Whether it is a track in the folder of the videos."""
    return move.wanted.parent == move.there and len(move.there.parts) == _SPLIT


def _flat(split: str, there: PurePosixPath, names: list[str]) -> Finding:
    what = "sounds" if there.parts[0] == _SOUNDS else "crops"
    count = f"{len(names):,} track{'s' * (len(names) != 1)}"
    detail = f"the {what} of {count} without a folder for each video: this looks like ASC's layout"
    return Finding(kind="misplaced", split=split, path=str(there), detail=detail)


def _moved(split: str, there: PurePosixPath, wanted: PurePosixPath, names: list[str]) -> Finding:
    what = "sounds" if there.parts[0] == _SOUNDS else "crops"
    of = "video" if len(wanted.parts) == _SPLIT else "track"
    count = f"{len(names):,} {of}s" if len(names) > 1 else f"{of} {names[0].removesuffix('.wav')}"
    higher = len(wanted.parts) - len(there.parts)
    level = {1: ", one level too high", -1: ", one level too deep"}.get(higher, "")
    detail = f"the {what} of {count}{level}: move them to {wanted}"
    return Finding(
        kind="misplaced", split=split, path=str(there), detail=detail, names=tuple(names),
        to=str(wanted),
    )  # fmt: skip

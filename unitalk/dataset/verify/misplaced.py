"""Find crops and sounds that are in another folder than the one where rows look for them.

A file or folder that is extra under one name, while a row misses that name elsewhere, is to be
moved.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from unitalk.dataset.verify.folders import video_folder
from unitalk.dataset.verify.verify_report import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from unitalk.choices import LayoutName
    from unitalk.schema.split_rows import Track

_EXTRA = frozenset({"extra-video", "extra-track", "extra-wav", "stray-file"})
_SOUNDS = "clips_audios"
_SPLIT = 2  # names in the path of a split's crops or sounds


class _Move(NamedTuple):
    """From which folder into which one something belongs, and the split whose rows miss it."""

    split: str
    source: PurePosixPath
    to: PurePosixPath


def replaced(
    findings: Sequence[Finding], tracks: Mapping[str, Sequence[Track]], layout: LayoutName
) -> list[Finding]:
    """Replace what is extra and what is missing by what is misplaced.

    Args:
        findings: all that was found.
        tracks: of each split.
        layout: the loader whose layout was checked.
    """
    missed = {
        number: _ways(one.kind, PurePosixPath(one.path), tracks[one.split], layout)
        for number, one in enumerate(findings)
        if one.split is not None and one.path is not None and one.kind.startswith("missing-")
    }
    wanted = {
        (path.parts[0], path.name): (findings[number].split, path.parent)
        for number, ways in missed.items()
        for way in ways
        for path in way
    }
    moves: dict[_Move, list[str]] = defaultdict(list)
    moved: set[int] = set()
    for number, one in enumerate(findings):
        if one.kind in _EXTRA and one.path is not None:
            path = PurePosixPath(one.path)
            split, folder = wanted.get((path.parts[0], path.name), (None, path.parent))
            if split is not None and folder != path.parent:
                moves[_Move(split, path.parent, folder)].append(path.name)
                moved.add(number)
    found = {move.to / name for move, names in moves.items() for name in names}
    solved = {n for n, ways in missed.items() if any(way and way <= found for way in ways)}
    kept = [one for n, one in enumerate(findings) if n not in moved | solved]
    return kept + _misplaced(moves, layout)


def _ways(
    kind: str, path: PurePosixPath, tracks: Sequence[Track], layout: LayoutName
) -> list[set[PurePosixPath]]:
    """What would have to be found to make up for a missing path: sets that each are all of it."""
    if kind in {"missing-track", "missing-wav"}:
        return [{path}]
    if kind == "missing-video":
        suffix = ".wav" if path.parts[0] == _SOUNDS else ""
        own = [track for track in tracks if video_folder(track, layout) == path.name]
        return [{path}, {path / (track.entity + suffix) for track in own}]
    if kind == "missing-split" and layout != "asc":
        return [{path / video_folder(track, layout) for track in tracks}]
    return []


def _misplaced(moves: Mapping[_Move, list[str]], layout: LayoutName) -> list[Finding]:
    """One finding for all that belongs from one folder into another one."""
    flat: dict[tuple[str, PurePosixPath], int] = defaultdict(int)
    found = []
    for move, names in moves.items():
        # Tracks in the folder of the videos may belong into many folders.
        if layout == "unitalk" and move.to.parent == move.source and _is_split(move.source):
            flat[move.split, move.source] += len(names)
        else:
            found.append(_move(move, names))
    return found + [_flat(split, source, count) for (split, source), count in flat.items()]


def _is_split(folder: PurePosixPath) -> bool:
    return len(folder.parts) == _SPLIT


def _what(path: PurePosixPath) -> str:
    return "sounds" if path.parts[0] == _SOUNDS else "crops"


def _flat(split: str, source: PurePosixPath, count: int) -> Finding:
    detail = (
        f"the {_what(source)} of {count:,} track{'s' * (count != 1)} without a folder for each "
        "video: this looks like ASC's layout"
    )
    return Finding(kind="misplaced", split=split, path=str(source), detail=detail)


def _move(move: _Move, names: list[str]) -> Finding:
    of = "video" if _is_split(move.to) else "track"
    count = f"{len(names):,} {of}s" if len(names) > 1 else f"{of} {names[0].removesuffix('.wav')}"
    higher = len(move.to.parts) - len(move.source.parts)
    level = {1: ", one level too high", -1: ", one level too deep"}.get(higher, "")
    detail = f"the {_what(move.source)} of {count}{level}: move them to {move.to}"
    return Finding(
        kind="misplaced", split=move.split, path=str(move.source), detail=detail,
        names=tuple(names), to=str(move.to),
    )  # fmt: skip

"""Entity ids: those that the ground truth does not have, and the spelling that it would have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING
from urllib.parse import unquote

import numpy as np

from unitalk import schema
from unitalk.schema import id_spelling
from unitalk.score.diagnose.findings import (
    SHOWN,
    Finding,
    counted,
    line_for,
    note,
    ok,
    places,
    problem,
)
from unitalk.score.diagnose.predictions_file import Read, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from unitalk.schema import Faces

    _Pair = tuple[str, str]  # an id and its video

_LOOKED_AT = 200  # unknown ids that the candidates are tried on
_DEEP = 3  # at most so many changes together
_ENOUGH = 0.5  # of the unknown ids that a change must restore


@dataclass(frozen=True, slots=True)
class _Change:
    """One way back from a spelling: a replacement, or (without a pattern) the video's id put first.

    Attributes:
        what: what the predictions did to the ids.
        pattern: a regular expression.
        by: what stands in the ground truth instead.
    """

    what: str
    pattern: str = ""
    by: str = ""

    def undo(self, name: str, video: str) -> str:
        return re.sub(self.pattern, self.by, name) if self.pattern else f"{video}:{name}"

    def code(self, ids: str) -> str:
        """The same in pandas, of ids that are code themselves."""
        if not self.pattern:
            return f'predictions["{schema.VIDEO}"].astype(str) + ":" + {ids}'
        return f'{ids}.str.replace(r"{self.pattern}", r"{self.by}", regex=True)'


def _separator(mark: str, name: str) -> _Change:
    # Only the last one, and only behind the last colon: videos' ids have `_` and `-` in them.
    escaped = re.escape(mark)
    return _Change(f"have {name} for `:`", rf"{escaped}([^{escaped}:]*)$", r":\1")


_CHANGES = (
    _Change("have blanks at their ends", r"^\s+|\s+$"),
    _Change("have a path before them", r"^.*[/\\]"),
    _Change(
        "have a file's extension", r"\.(?:wav|mp3|mp4|avi|jpg|png|csv|txt|json|npy|npz|pkl|pt)$"
    ),
    _Change("have `%3A` for `:`", r"%3[Aa]", ":"),
    _Change("are instance_ids, which go on counting behind the entity_id", r":\d+$"),
    *(_separator(mark, f"`{mark}`") for mark in "_-.;|=~+#@/"),
    _separator(" ", "a blank"),
    _separator("\uff1a", "the wide colon of some file names"),
    _Change("lack the video's id"),
)


@dataclass(frozen=True, slots=True)
class _Respelling:
    """How the unknown ids become known ones.

    Attributes:
        what: what the predictions did to them.
        names: (id, video) -> the ground truth's spelling, of those that can be restored.
        changes: what does it; empty when no line of code would.
    """

    what: str
    names: dict[_Pair, str]
    changes: tuple[_Change, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ids:
    """The predictions' ids; one that two videos share is two of them.

    Attributes:
        pairs: (id, video) of each; the video is empty when the predictions do not say it.
        of: [rows] index into `pairs`.
    """

    pairs: list[_Pair]
    of: npt.NDArray[np.int64]

    @classmethod
    def of_faces(cls, faces: Faces) -> _Ids:
        codes, names = faces.codes(schema.ENTITY)
        videos, titles = np.zeros_like(codes), [""]
        if schema.VIDEO in faces.table.column_names:
            videos, titles = faces.codes(schema.VIDEO)
        both = codes.astype(np.int64) * len(titles) + videos
        found = np.unique(both)
        pairs = [(names[key // len(titles)], titles[key % len(titles)]) for key in found.tolist()]
        return cls(pairs, np.searchsorted(found, both))


def check_ids(
    truth: Faces, guess: Read, faces: Faces
) -> tuple[Finding, npt.NDArray[np.int64], list[str]]:
    """Look for ids that the ground truth does not have, and for the spelling that restores them.

    Args:
        truth: the ground truth.
        guess: what could be read of the predictions, which have ids.
        faces: the same.

    Returns:
        The finding; [rows] each prediction's track as an index into the names that follow;
        the ground truth's ids, and behind them those that remain unknown.
    """
    names = truth.codes(schema.ENTITY)[1]
    ids = _Ids.of_faces(faces)
    there = {name for name, _ in ids.pairs}
    known = {text: names[code] for text, code in id_spelling.places(names, there).items()}
    unknown = [pair for pair in ids.pairs if pair[0] not in known]
    found = None
    if unknown:
        used = set(known.values())
        found = _respell([name for name in names if name not in used], unknown)
    mended = found.names if found else {}
    own = [mended.get(pair, known.get(pair[0], pair[0])) for pair in ids.pairs]
    place = {name: index for index, name in enumerate(names)}
    left = [name for name in dict.fromkeys(own) if name not in place]
    place |= {name: index for index, name in enumerate(left, len(names))}
    if found:
        finding = _respelt(faces, ids, found, set(names))
    elif 2 * len(lacking := _by_tail(names, unknown)) > len(unknown):
        finding = _ambiguous(lacking)
    elif "ids" in guess.refused:
        finding = refusal("ids", guess.refused["ids"])
    elif not unknown and (other := [text for text, name in known.items() if text != name]):
        finding = _composed(len(other), len(there))
    else:
        finding = _unchanged(len(there), len({name for name, _ in unknown}))
    return finding, np.array([place[name] for name in own], np.int64)[ids.of], [*names, *left]


def _respelt(faces: Faces, ids: _Ids, found: _Respelling, known: set[str]) -> Finding:
    wrong = np.array([pair in found.names for pair in ids.pairs])[ids.of]
    _, first = np.unique(ids.of[wrong], return_index=True)
    rows = np.flatnonzero(wrong)[np.sort(first)][:SHOWN]
    few = [ids.pairs[ids.of[row]] for row in rows]
    return problem(
        "ids",
        f"{len(found.names):,} of {counted(len(ids.pairs), 'id')} in the predictions {found.what} "
        f"({counted(int(wrong.sum()), 'face')})",
        examples=places(faces, rows, [_told_apart(pair[0], found.names[pair]) for pair in few]),
        advice=f"write {schema.ENTITY} as the ground truth has it",
        code=_line(ids.pairs, found, known),
    )


def _told_apart(name: str, meant: str) -> str:
    return " is ".join(id_spelling.told_apart(name, meant))


def _line(pairs: list[_Pair], found: _Respelling, known: set[str]) -> str | None:
    """The line that restores these ids and touches no other, tried before it is given."""
    if not found.changes:
        return None
    column = code = f'predictions["{schema.ENTITY}"]'
    code += ".astype(str)"
    for change in found.changes:
        code = change.code(code)
    of = {video for _, video in found.names}
    for videos in (None, sorted(of)):
        touched = [pair for pair in pairs if videos is None or pair[1] in of]
        undone = {pair: _undo(found.changes, pair) for pair in touched}
        if all(
            back == found.names.get(pair, pair[0])
            for pair, back in undone.items()
            if back in known or pair[0] in known
        ):
            return line_for(column, code, videos) if len(of) <= SHOWN or not videos else None
    return None


def _ambiguous(lacking: dict[_Pair, list[str]]) -> Finding:
    return problem(
        "ids",
        f"the video's id is not part of {counted(len(lacking), 'id')} in the predictions, and no "
        f"column {schema.VIDEO} says which video is meant",
        examples=[
            f"{name!r} may be {' or '.join(map(repr, of[:SHOWN]))}"
            + (f" or {len(of) - SHOWN:,} more" if len(of) > SHOWN else "")
            for (name, _), of in lacking.items()
        ],
        advice=f"write {schema.ENTITY} as the ground truth has it",
    )


def _by_tail(names: list[str], unknown: list[_Pair]) -> dict[_Pair, list[str]]:
    """The ids that end, behind their last colon, as an unknown one is spelled."""
    tails: dict[str, list[str]] = {}
    for name in names:
        tails.setdefault(name.rpartition(":")[2], []).append(name)
    return {pair: tails[pair[0]] for pair in unknown if pair[0] in tails}


def _unchanged(there: int, unknown: int) -> Finding:
    if not unknown:
        return ok("ids", f"the ground truth has every id of the predictions ({there:,})")
    return note(
        "ids",
        f"{unknown:,} of {counted(there, 'id')} in the predictions are not in the ground truth, "
        "and no known change of spelling restores them: see coverage",
    )


def _composed(other: int, there: int) -> Finding:
    return note(
        "ids",
        f"{other:,} of {counted(there, 'id')} in the predictions differ from the ground truth's in "
        "how accented letters are composed (Unicode NFC and NFD), and are matched all the same",
    )


def _respell(free: list[str], unknown: list[_Pair]) -> _Respelling | None:
    """Find the smallest set of changes that restores the most; None when too little comes back.

    Args:
        free: the ground truth's ids that the predictions lack; only these can be meant.
        unknown: the predictions' ids that the ground truth lacks.
    """
    wanted = set(free)
    few = unknown[:: -(-len(unknown) // _LOOKED_AT)]

    def restored(changes: Sequence[_Change], pairs: Iterable[_Pair]) -> dict[_Pair, str]:
        undone = ((pair, _undo(changes, pair)) for pair in pairs)
        return {pair: back for pair, back in undone if back in wanted}

    best: tuple[_Change, ...] = ()
    hits = 0
    for depth in range(1, _DEEP + 1):
        for changes in combinations(_CHANGES, depth):
            count = len(restored(changes, few))
            if count > hits:
                best, hits = changes, count
        if hits == len(few):
            break
    found = restored(best, unknown) if best else {}
    respelt = id_spelling.respelt({name for name, _ in unknown}, free)
    names = {text: known for one in respelt for text, known in one.names.items()}
    written = {pair: names[pair[0]] for pair in unknown if pair[0] in names}
    if len(found) < len(written) >= _ENOUGH * len(unknown):
        return _Respelling(" and ".join(one.what for one in respelt), written)
    alike = _by_letters(free, unknown)
    if max(len(found), len(alike)) < _ENOUGH * len(unknown):
        return None
    if len(alike) > len(found):
        return _Respelling("differ in capitals or punctuation", alike)
    return _Respelling(" and ".join(change.what for change in best), found, best)


def _undo(changes: Sequence[_Change], pair: _Pair) -> str:
    name, video = pair
    for change in changes:
        name = change.undo(name, video)
    return name


def _by_letters(free: list[str], unknown: list[_Pair]) -> dict[_Pair, str]:
    """Pair ids that have the same letters and digits; ids that are not alone in that stay out."""
    ours: dict[str, list[str]] = {}
    theirs: dict[str, list[_Pair]] = {}
    for name in free:
        ours.setdefault(_letters(name), []).append(name)
    for pair in unknown:
        theirs.setdefault(_letters(pair[0]), []).append(pair)
    return {
        pairs[0]: ours[key][0]
        for key, pairs in theirs.items()
        if len(pairs) == 1 and len(ours.get(key, ())) == 1
    }


def _letters(name: str) -> str:
    plain = re.sub(r"[\W_]+", "_", unquote(name).casefold()).strip("_")
    return re.sub(r"(?<![^_])0+(?=\d)", "", plain)  # and 007 is 7

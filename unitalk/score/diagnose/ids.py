"""Entity ids that the ground truth does not have, and the spelling that it would have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.schema import id_spelling
from unitalk.score.diagnose.findings import SHOWN, Finding, counted, note, ok, places, problem
from unitalk.score.diagnose.predictions_file import Read, refusal

if TYPE_CHECKING:
    import numpy.typing as npt

    from unitalk.schema import Faces

    Integers = npt.NDArray[np.int64]
    _Pair = tuple[str, str]  # an id and its video

_ENOUGH = 0.5  # the share of unknown ids that one change must restore
_ADVICE = f"write {schema.ENTITY} as the ground truth has it"


@dataclass(frozen=True, slots=True)
class _Change:
    """A replacement that undoes one change of spelling, or the missing video id without a pattern.

    Attributes:
        what: what the predictions did to the ids.
        pattern: a regular expression.
        by: the ground truth's text instead of it.
    """

    what: str
    pattern: str = ""
    by: str = ""

    def undo(self, pair: _Pair) -> str:
        name, video = pair
        return re.sub(self.pattern, self.by, name) if self.pattern else f"{video}:{name}"

    def code(self) -> str:
        """The same in pandas."""
        column = f'predictions["{schema.ENTITY}"]'
        if not self.pattern:
            video = f'predictions["{schema.VIDEO}"].astype(str)'
            return f'{column} = {video} + ":" + {column}.astype(str)'
        replace = f'.str.replace(r"{self.pattern}", r"{self.by}", regex=True)'
        return f"{column} = {column}.astype(str){replace}"


# Ids of videos contain `_` and `-`, so only the last one can stand for the colon.
_CHANGES = (
    *(_Change(f"have `{mark}` for `:`", rf"[{mark}]([^{mark}:]*)$", r":\1") for mark in "_-."),
    _Change("lack the video's id"),
    _Change("have a path before them", r"^.*[/\\]"),
    _Change("have a file's extension", r"\.(?:wav|mp4|avi|jpg|png|csv|txt|npy|npz|pkl|pt)$"),
)


def check_ids(truth: Faces, guess: Read, faces: Faces) -> tuple[Finding, Integers, list[str]]:
    """Look for ids that the ground truth does not have, and for the spelling that restores them.

    Returns:
        The finding; [rows] each prediction's track as an index into the names that follow;
        the ground truth's ids, followed by those that remain unknown.
    """
    names = truth.codes(schema.ENTITY)[1]
    pairs, of = _ids(faces)
    there = {name for name, _ in pairs}
    known = {text: names[code] for text, code in id_spelling.places(names, there).items()}
    unknown = [pair for pair in pairs if pair[0] not in known]
    used = set(known.values())
    what, mended, change = _respell([name for name in names if name not in used], unknown)
    own = [mended.get(pair, known.get(pair[0], pair[0])) for pair in pairs]
    place = {name: index for index, name in enumerate(names)}
    left = [name for name in dict.fromkeys(own) if name not in place]
    place |= {name: index for index, name in enumerate(left, len(names))}
    tails = {name.rpartition(":")[2] for name in names}
    without = [name for name, _ in unknown if name in tails]
    if mended:
        code = _line(change, pairs, mended, set(names)) if change else None
        finding = _respelt(faces, pairs, of, (what, mended), code)
    elif 2 * len(without) > len(unknown):
        finding = problem(
            "ids",
            f"the video's id is not part of {counted(len(without), 'id')} in the predictions "
            f"(such as {without[0]!r}), and no column {schema.VIDEO} says which video is meant",
            advice=_ADVICE,
        )
    elif "ids" in guess.refused:
        finding = refusal("ids", guess.refused["ids"])
    else:
        finding = _unchanged(there, known, len({name for name, _ in unknown}))
    return finding, np.array([place[name] for name in own], np.int64)[of], [*names, *left]


def _ids(faces: Faces) -> tuple[list[_Pair], Integers]:
    """The predictions' ids, of which one in two videos counts as two; [rows] the index of each.

    The video is empty where the predictions do not name it.
    """
    codes, names = faces.codes(schema.ENTITY)
    videos, titles = np.zeros_like(codes), [""]
    if schema.VIDEO in faces.table.column_names:
        videos, titles = faces.codes(schema.VIDEO)
    found, of = np.unique(codes.astype(np.int64) * len(titles) + videos, return_inverse=True)
    return [(names[key // len(titles)], titles[key % len(titles)]) for key in found.tolist()], of


def _respell(free: list[str], unknown: list[_Pair]) -> tuple[str, dict[_Pair, str], _Change | None]:
    """Find the one change that restores most ids, if that is enough of them.

    Only `free`, the ids that the predictions lack, can be meant. Returns what was done to the
    unknown ids, the ground truth's spelling of each, and the change if a line of code undoes it.
    """
    wanted = set(free)
    best: tuple[str, dict[_Pair, str], _Change | None] = ("", {}, None)
    for change in _CHANGES:
        undone = {pair: change.undo(pair) for pair in unknown}
        restored = {pair: name for pair, name in undone.items() if name in wanted}
        if len(restored) > len(best[1]):
            best = change.what, restored, change
    others = id_spelling.respelt({name for name, _ in unknown}, free)
    names = {text: name for one in others for text, name in one.names.items()}
    written = {pair: names[pair[0]] for pair in unknown if pair[0] in names}
    if len(written) > len(best[1]):
        best = " and ".join(one.what for one in others), written, None
    return best if len(best[1]) >= _ENOUGH * len(unknown) else ("", {}, None)


def _line(
    change: _Change, pairs: list[_Pair], mended: dict[_Pair, str], known: set[str]
) -> str | None:
    """The line that restores these ids, if it leaves all others alone."""
    for pair in pairs:
        undone = change.undo(pair)
        if (undone in known or pair[0] in known) and undone != mended.get(pair, pair[0]):
            return None
    return change.code()


def _respelt(
    faces: Faces, pairs: list[_Pair], of: Integers, found: tuple[str, dict[_Pair, str]],
    code: str | None,
) -> Finding:  # fmt: skip
    what, mended = found
    wrong = np.flatnonzero(np.array([pair in mended for pair in pairs])[of])
    _, first = np.unique(of[wrong], return_index=True)
    rows = wrong[np.sort(first)][:SHOWN]
    few = [pairs[index] for index in of[rows]]
    said = [" is ".join(id_spelling.told_apart(pair[0], mended[pair])) for pair in few]
    return problem(
        "ids",
        f"{len(mended):,} of {counted(len(pairs), 'id')} in the predictions {what} "
        f"({counted(len(wrong), 'face')})",
        examples=places(faces, rows, said),
        advice=_ADVICE,
        code=code,
    )


def _unchanged(there: set[str], known: dict[str, str], unknown: int) -> Finding:
    other = sum(text != name for text, name in known.items())
    if unknown:
        return note(
            "ids",
            f"{unknown:,} of {counted(len(there), 'id')} in the predictions are not in the ground "
            "truth, and no known change of spelling restores them: see coverage",
        )
    if other:
        return note(
            "ids",
            f"{other:,} of {counted(len(there), 'id')} in the predictions differ in how accented "
            "letters are composed (Unicode NFC and NFD), and are matched all the same",
        )
    return ok("ids", f"the ground truth has every id of the predictions ({len(there):,})")

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
    what, mended, code = _respell(set(names), set(names) - set(known.values()), pairs, unknown)
    own = [mended.get(pair, known.get(pair[0], pair[0])) for pair in pairs]
    place = {name: index for index, name in enumerate(dict.fromkeys([*names, *own]))}
    tails = {name.rpartition(":")[2] for name in names}
    without = [name for name, _ in unknown if name in tails]
    if mended:
        wrong = np.flatnonzero(np.array([pair in mended for pair in pairs])[of])
        rows = wrong[np.sort(np.unique(of[wrong], return_index=True)[1])][:SHOWN]
        few = [pairs[index] for index in of[rows]]
        told = [" is ".join(id_spelling.told_apart(pair[0], mended[pair])) for pair in few]
        finding = problem(
            "ids",
            f"{len(mended):,} of {counted(len(pairs), 'id')} in the predictions {what} "
            f"({counted(len(wrong), 'face')})",
            examples=places(faces, rows, told),
            advice=_ADVICE,
            code=code,
        )
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
    return finding, np.array([place[name] for name in own], np.int64)[of], list(place)


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


def _respell(
    names: set[str], free: set[str], pairs: list[_Pair], unknown: list[_Pair]
) -> tuple[str, dict[_Pair, str], str | None]:
    """Find the one change that restores most ids, if that is enough of them.

    Args:
        names: the ground truth's ids.
        free: those that the predictions lack; only these can be meant.
        pairs: the predictions' ids.
        unknown: those that are not the ground truth's.

    Returns:
        What was done to the ids, the ground truth's spelling of each, and the line of code that
        undoes it, where one does so and leaves all other ids alone.
    """
    others = id_spelling.respelt({name for name, _ in unknown}, free)
    meant = {text: name for one in others for text, name in one.names.items()}
    respelt = {pair: meant[pair[0]] for pair in unknown if pair[0] in meant}
    found: list[tuple[_Change | None, dict[_Pair, str]]] = [
        (change, {pair: name for pair in unknown if (name := change.undo(pair)) in free})
        for change in _CHANGES
    ]
    change, mended = max([*found, (None, respelt)], key=lambda one: len(one[1]))
    if len(mended) < _ENOUGH * len(unknown):
        return "", {}, None
    if change is None:
        return " and ".join(one.what for one in others), mended, None
    undone = {pair: change.undo(pair) for pair in pairs}
    harms = any(
        undone[pair] != mended.get(pair, pair[0]) and not names.isdisjoint((undone[pair], pair[0]))
        for pair in pairs
    )
    return change.what, mended, None if harms else change.code()


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

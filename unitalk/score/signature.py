"""The signature: what a number is, in one line that a program can read back."""

from __future__ import annotations

import re
from dataclasses import dataclass

from unitalk._version import __version__
from unitalk.errors import UsageError

_SHORT = {
    "ap": "ap",
    "ties": "t",
    "videos": "v",
    "tracks": "n",
    "faces": "f",
    "positives": "p",
    "gt": "g",
    "eval": "e",
    "partial": "-",
    "ci": "ci",
    "unit": "u",
    "resamples": "r",
    "seed": "s",
    "unitalk": "unitalk",
}
"""Each field's name in the short form; the order is that of both forms."""
_LONG = {short: name for name, short in _SHORT.items()}
_NUMBERS = frozenset({"videos", "tracks", "faces", "positives", "resamples", "seed"})
_GT = r"[0-9a-f]{16}|[a-z0-9]+(-[a-z0-9]+)+"  # a digest, or the name of what is published
_PATTERNS = {"gt": _GT, "eval": r"-\d+", "unit": "video|track"} | dict.fromkeys(_NUMBERS, r"\d+")
_NEEDED = frozenset({"ap", "ties", "videos", "tracks", "faces", "positives", "gt", "unitalk"})
_RESAMPLED = frozenset({"ci", "unit", "resamples", "seed"})  # all of these or none


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What has to be the same for two numbers to be compared, and what drew the interval.

    Attributes:
        ap: the definition of average precision: `ava`, with VOC's envelope.
        ties: what is done with rows that share a score: `grouped` into one step.
        videos: how many were scored.
        tracks: how many were scored.
        faces: how many were scored.
        positives: how many of them are labelled as speaking.
        gt: the name of a published ground truth, such as `unitalk-val`; for any other, a digest of
            its keys and labels, which is the same for any order of its rows.
        eval: `-<faces of the ground truth whose column eval says that they do not count>`.
        partial: `-<faces without prediction>+<predictions without face>` where that was let pass.
        ci: the method of the interval, or None.
        unit: what was resampled: `video` or `track`; None without an interval.
        resamples: how many were drawn; None without an interval.
        seed: of the generator; None without an interval.
        unitalk: the version of this program.
    """

    videos: int
    tracks: int
    faces: int
    positives: int
    gt: str
    ap: str = "ava"
    ties: str = "grouped"
    eval: str | None = None
    partial: str | None = None
    ci: str | None = None
    unit: str | None = None
    resamples: int | None = None
    seed: int | None = None
    unitalk: str = __version__

    def long(self) -> str:
        """Return `name:value` for every field that is set, joined by `|`."""
        return "|".join(f"{name}:{value}" for name, value in self._set())

    def short(self) -> str:
        """Return the same with names of one letter, for a table's footnote."""
        return "|".join(f"{_SHORT[name]}:{value}" for name, value in self._set())

    def _set(self) -> list[tuple[str, object]]:
        values = [(name, getattr(self, name)) for name in _SHORT]
        return [(name, value) for name, value in values if value is not None]


def parse_signature(text: str) -> Signature:
    """Read a signature back, long or short.

    Raises:
        UsageError: it is not a signature.
    """
    found: dict[str, str | int] = {}
    for part in text.strip().split("|"):
        name, _, value = part.partition(":")
        name = _LONG.get(name, name)
        is_read = re.fullmatch(_PATTERNS.get(name, ".+"), value, re.ASCII)
        if not is_read or name not in _SHORT or name in found:
            raise _no_signature(text, part)
        found[name] = int(value) if name in _NUMBERS else value
    needed = _NEEDED | (_RESAMPLED if found.keys() & _RESAMPLED else frozenset())
    if lacking := needed - found.keys():
        raise _no_signature(text, f"without {', '.join(sorted(lacking))}")
    if int(found["positives"]) > int(found["faces"]):
        raise _no_signature(text, "more positives than faces")
    return Signature(**found)  # type: ignore[arg-type] # each by its field's name


def _no_signature(text: str, part: str) -> UsageError:
    return UsageError(
        f"{text[:100]!r} is not a signature: {part!r}",
        hint="give a signature of `evaluate`, whole",
    )

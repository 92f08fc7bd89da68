"""Match ids that mean the same and are spelled differently, and name what changed them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable

# Letters that many fonts draw alike: of Cyrillic, Greek and Armenian, each above or below its Latin
# twin, and dashes and dots. From Unicode's confusables, those of whole words.
_DRAWN_ALIKE = str.maketrans(
    "АВЕКМНОРСТУХЅІЈԚԜаеорсухѕіјԁԛԝһӏΑΒΕΖΗΙΚΜΝΟΡΤΥΧαοριγνυօս"
    "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2236\u0589\u05c3\u2024",
    "ABEKMHOPCTYXSIJQWaeopcyxsijdqwhlABEZHIKMNOPTYXaopiyvuou-------:::.",
)
_NUMBER = re.compile(r"([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?", re.ASCII)
_SCIENTIFIC = re.compile(r"\d(?:\.(\d+))?[eE]\+?\d{1,3}", re.ASCII)
_FLOAT_DIGITS = 15  # a float keeps so many of any number


@dataclass(frozen=True, slots=True, kw_only=True)
class Respelt:
    """Ids that one change explains.

    Attributes:
        what: what happened to them, as the predicate of a sentence.
        names: each id with the one that it means.
    """

    what: str
    names: dict[str, str]


def composed(text: str) -> str:
    """An id in the form in which ids are looked up: letters in one piece (Unicode's NFC)."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def drawn(text: str) -> str:
    """An id by its looks: equal for ids that are drawn alike."""
    if text.isascii():
        return text
    wide = unicodedata.normalize("NFKC", text)
    seen = "".join(" " if c.isspace() else c for c in wide if unicodedata.category(c) != "Cf")
    return seen.translate(_DRAWN_ALIKE)


def find_composed(unknown: Iterable[str], free: Collection[str]) -> dict[str, str]:
    """Pair ids that are equal in NFC; ids that could be paired in two ways are left out.

    Args:
        unknown: the ids that are not known in this spelling.
        free: the known ids that may be meant.
    """
    letters = [text for text in unknown if not text.isascii()]
    return _pairs(letters, free, composed) if letters else {}


def respelt(unknown: Collection[str], free: Collection[str]) -> list[Respelt]:
    """Find what changed ids, and the known ids that they mean.

    Args:
        unknown: the ids that are not known.
        free: the known ids that may be meant, because nothing else uses them.
    """
    one = find_composed(unknown, free)
    left, meant = set(unknown) - set(one), set(free) - set(one.values())
    looks = _pairs(left, meant, drawn)
    numbers = _numbers(left - set(looks), meant - set(looks.values()))
    zeros = {text for text, known in numbers.items() if text.startswith("0") and _is_plain(known)}
    return [
        Respelt(what=what, names=names)
        for what, names in (
            ("differ in how accented letters are composed (Unicode NFC and NFD)", one),
            ("have letters that only look the same", looks),
            ("became numbers", {t: known for t, known in numbers.items() if t not in zeros}),
            ("became numbers in the ground truth", {text: numbers[text] for text in zeros}),
        )
        if names
    ]


def places(names: Iterable[str], own: Iterable[str]) -> dict[str, int]:
    """Find the index of ids in a list, in the same spelling or else in NFC.

    Args:
        names: the list.
        own: the ids to find.
    """
    place = {name: index for index, name in enumerate(names)}
    texts = set(own)
    found = {text: place[text] for text in texts if text in place}
    if unknown := texts - found.keys():
        pairs = find_composed(unknown, place.keys() - found.keys())
        found |= {text: place[known] for text, known in pairs.items()}
    return found


def told_apart(text: str, other: str) -> tuple[str, str]:
    """Two ids for a message, in quotes; with escapes where they look the same."""
    write = ascii if drawn(text) == drawn(other) else repr
    return write(text), write(other)


def escaped_where_alike(texts: Iterable[str], others: Iterable[str]) -> dict[str, str]:
    """Ids for a message, with escapes where one of the others looks the same."""
    own = list(texts)
    if all(map(str.isascii, own)):
        return {text: text for text in own}
    looks = {drawn(text) for text in others}
    return {text: ascii(text)[1:-1] if drawn(text) in looks else text for text in own}


def _pairs(
    unknown: Iterable[str], free: Iterable[str], key: Callable[[str], Hashable]
) -> dict[str, str]:
    """Pair ids with equal keys, where there is one on each side."""
    ours: dict[Hashable, list[str]] = {}
    theirs: dict[Hashable, list[str]] = {}
    for texts, by_key in ((free, ours), (unknown, theirs)):
        for text in texts:
            if (of := key(text)) is not None:
                by_key.setdefault(of, []).append(text)
    return {
        texts[0]: ours[of][0]
        for of, texts in theirs.items()
        if len(texts) == 1 and len(ours.get(of, ())) == 1
    }


def _numbers(unknown: Iterable[str], free: Collection[str]) -> dict[str, str]:
    """Pair ids that are the same number; in scientific notation, to the digits that are there."""
    found = _pairs(unknown, free, _value)
    rounded: dict[int, dict[str, list[str]]] = {}  # by how many decimals, those of one number
    for text in unknown:
        number = _SCIENTIFIC.fullmatch(text)
        if text in found or not number:
            continue
        decimals = min(len(number[1] or ""), _FLOAT_DIGITS)
        if decimals not in rounded:
            alike = rounded.setdefault(decimals, {})
            for known in filter(re.compile(r"\d{1,300}", re.ASCII).fullmatch, free):
                alike.setdefault(f"{int(known):.{decimals}e}", []).append(known)
        meant = rounded[decimals].get(f"{float(text):.{decimals}e}", [])
        if len(meant) == 1:
            found[text] = meant[0]
    return found


def _is_plain(text: str) -> bool:
    """Whether a text is a whole number as programs write it."""
    return re.fullmatch(r"0|-?[1-9]\d*", text, re.ASCII) is not None


def _value(text: str) -> tuple[int, int] | None:
    """A number as (its digits without zeros at the end, a power of ten); None for other texts."""
    number = _NUMBER.fullmatch(text)
    if not number:
        return None
    sign, whole, decimals, exponent = number.groups(default="")
    digits = int(f"{sign}{whole}{decimals}")
    power = int(exponent or 0) - len(decimals)
    if not digits:
        return 0, 0
    while digits % 10 == 0:
        digits //= 10
        power += 1
    return digits, power

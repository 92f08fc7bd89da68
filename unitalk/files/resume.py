"""Resume a run: the same command continues where an earlier one ended, and another is refused.

A verb that fills a folder piece by piece writes its *request* into the folder's marker: a JSON
dictionary of everything that decides the pieces' content. Each finished piece has a *receipt*: what
it was made from, and what came of it. A piece whose receipt fits is not made again.

`Receipts` keeps one file per piece, for many processes; `ReceiptBook` keeps all of them in one
file, for the threads of the one process that holds the folder.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unitalk.errors import DataError, DestinationError, examples
from unitalk.files.atomic import read_json, remove_halves, write_json
from unitalk.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Receipt = dict[str, Any]

_HASH = re.compile(r"[0-9a-f]{32,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The request of a run.

    Attributes:
        values: everything that must be the same for a later run to continue it, ready for JSON.
        way_out: what to do about a folder that was made for something else.
        key: where the marker keeps the values.
        free: names of values that a later run may change.
    """

    values: Mapping[str, Any]
    way_out: str
    key: str = "fingerprint"
    free: frozenset[str] = frozenset()

    @property
    def about(self) -> dict[str, Any]:
        """Its part of a marker, see `files.mark`."""
        return {self.key: self.values}

    def differences(self, folder: Path) -> list[str] | None:
        """What an earlier run in a folder was asked for otherwise; None where there was none.

        Each difference is a clause such as `margin was 0.0 and is 0.4`.

        Raises:
            DataError: the marker is damaged.
        """
        marker = read_json(Layout(folder).marker)
        if marker is None:
            return None
        earlier = marker.get(self.key) if isinstance(marker, dict) else None
        before = dict(_flat(earlier if isinstance(earlier, dict) else {}))
        now = dict(_flat(json.loads(json.dumps(self.values))))
        return [
            f"{name.replace('_', ' ')} was {_shown(old)} and is {_shown(new)}"
            for name, new in ({**dict.fromkeys(before), **now}).items()
            if (old := before.get(name)) != new and name not in self.free
        ]

    def check(self, folder: Path) -> None:
        """Refuse a folder in which an earlier run was asked for something else.

        Raises:
            DestinationError: it was; the message names each difference.
            DataError: the marker is damaged.
        """
        differences = self.differences(folder)
        if differences:
            raise DestinationError(
                f"{folder} was made for another request: {'; '.join(differences)}",
                hint=self.way_out,
            )


def _flat(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The values, those of an inner dictionary as `csv of val`."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from ((f"{name} of {inner}", own) for inner, own in value.items())
        else:
            yield name, value


def _shown(value: object) -> str:
    if value is None or value == []:
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return examples(map(_shown, value))
    text = str(value)
    return f"{text[:12]}..." if _HASH.fullmatch(text) else text


class Receipts:
    """One JSON file per finished piece; any process may write them.

    Args:
        folder: where they are kept, within the memory of what they are about.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """The receipt's file of a piece; its name may contain slashes."""
        return self.folder / f"{name}.json"

    def read(self, name: str) -> Receipt | None:
        """A piece's receipt; None where there is none, empty where it is damaged."""
        try:
            receipt = read_json(self.path(name))
        except DataError:
            return {}
        return receipt if receipt is None or isinstance(receipt, dict) else {}

    def fitting(self, name: str, made_of: Mapping[str, Any]) -> Receipt | None:
        """A piece's receipt if it was made of just this; None otherwise."""
        receipt = self.read(name) or {}
        earlier = receipt.get("made_of")
        if not isinstance(earlier, dict):
            return None
        fits = all(key in earlier and earlier[key] == value for key, value in made_of.items())
        return receipt if fits else None

    def write(self, name: str, receipt: Mapping[str, Any]) -> None:
        """Write a piece's receipt, in place of an older one."""
        write_json(self.path(name), receipt)

    def remove(self, name: str) -> None:
        """Remove a piece's receipt, so that the piece counts as not made."""
        self.path(name).unlink(missing_ok=True)

    def names(self) -> list[str]:
        """Every piece that has a receipt, in order."""
        return sorted(
            path.relative_to(self.folder).as_posix().removesuffix(".json")
            for path in self.folder.rglob("*.json")
            if not path.name.startswith(".")
        )

    def remove_halves(self) -> None:
        """Remove half-written receipts, which a killed process leaves; the folder must be held."""
        remove_halves(self.folder, "*.json", deep=True)


class ReceiptBook:
    """The receipts of all pieces in one JSON file; the caller holds its folder.

    Args:
        path: the file.
        key: where the file keeps them.
        way_out: what to do about a damaged file.
    """

    def __init__(self, path: Path, *, key: str, way_out: str) -> None:
        self._path = path
        self._key = key
        self._way_out = way_out
        self._lock = threading.Lock()

    def read(self) -> dict[str, Receipt]:
        """All receipts by the name of their piece.

        Raises:
            DataError: the file is damaged.
        """
        content = read_json(self._path)
        if content is None:
            return {}
        receipts = content.get(self._key) if isinstance(content, dict) else None
        if not isinstance(receipts, dict) or not all(
            isinstance(r, dict) for r in receipts.values()
        ):
            raise DataError(f"{self._path}: not as this program writes it", hint=self._way_out)
        return receipts

    def write(self, name: str, receipt: Mapping[str, Any]) -> None:
        """Write a piece's receipt, in place of an older one."""
        with self._lock:
            receipts = {**self.read(), name: dict(receipt)}
            ordered = {known: receipts[known] for known in sorted(receipts)}
            write_json(self._path, {"schema_version": 1, self._key: ordered})

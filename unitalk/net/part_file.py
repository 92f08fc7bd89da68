"""Completes one partial file on the disk: resumes it, restarts it, checks its hash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unitalk.errors import IntegrityError
from unitalk.net.responses import PassingError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from unitalk.net.mirrors import Mirror, Turns


@dataclass(slots=True, kw_only=True)
class PartFile:
    """The bytes of one file that have arrived; a subclass knows where the others come from.

    Attributes:
        turns: chooses the endpoint for each try.
        part: where the bytes go; no other thread or process may write there.
        on_bytes: called with how many more bytes are at `part`, first those found there; negative
            when some were dropped.
    """

    turns: Turns
    part: Path
    on_bytes: Callable[[int], object]

    # -------------------------------------------------------------------------- for each server

    def size(self) -> int | None:
        """How many bytes there are in all; None as long as that is unknown."""
        raise NotImplementedError

    def append(self, mirror: Mirror) -> None:
        """Try once to get the missing bytes."""
        raise NotImplementedError

    def wrong(self) -> IntegrityError | None:
        """The error of a complete file with wrong bytes; None when its hash is right."""
        raise NotImplementedError

    # -------------------------------------------------------------------------- for all

    @property
    def have(self) -> int:
        """How many bytes there are."""
        return size_of(self.part)

    def drop(self) -> None:
        """Drop all bytes."""
        self.on_bytes(-drop(self.part))

    def bring(self) -> None:
        """Complete the file until it is proven.

        Raises:
            IntegrityError: the bytes have a wrong hash, again and again.
            HubError: no endpoint gives them.
        """
        self.part.parent.mkdir(parents=True, exist_ok=True)
        found_there = self.have
        self.on_bytes(found_there)
        giver = None
        while True:
            giver = self._complete() or giver
            error = self.wrong()
            if error is None:
                return
            self.drop()
            # What an earlier run left may be at fault, once.
            if giver is not None and not found_there:
                self.turns.altered(giver, error)
            found_there = 0

    def _complete(self) -> Mirror | None:
        """Bring the file to its size; return who gave the last bytes, if any were missing."""
        refusals = 0
        best = self.have
        mirror = None
        while True:
            have, whole = self.have, self.size()
            if whole is not None and have > whole:
                self.drop()
                continue
            if have == whole and self.part.exists():
                return mirror
            mirror = self.turns.next()
            try:
                self.append(mirror)
            except PassingError as trouble:
                now = self.have
                # A server that refuses the rest twice may still send the whole file.
                refusals = refusals + 1 if trouble.range_refused else 0
                if refusals > 1:
                    self.drop()
                if now > best:
                    best = now
                    self.turns.advanced()
                self.turns.failed(mirror, trouble)
            except RefusedError as refused:
                self.turns.refused(mirror, refused)

    def write(self, blocks: Iterable[bytes], start: int, size: int) -> None:
        """Write a reply's body from `start` on, in place of what is there.

        Raises:
            PassingError: there are more or fewer bytes than `size`.
        """
        have = self.have
        with open(self.part, "r+b" if self.part.exists() else "xb") as out:
            out.truncate(start)
            out.seek(start)
            self.on_bytes(start - have)
            for block in blocks:
                if out.tell() + len(block) > size:
                    self.on_bytes(-out.tell())
                    out.truncate(0)
                    raise PassingError(f"more bytes come than the {size:,} expected")
                out.write(block)
                # Out of our own memory at once: a killed run keeps what has come.
                out.flush()
                self.on_bytes(len(block))
            if out.tell() < size:
                raise PassingError(f"the line ended at byte {out.tell():,} of {size:,}")


def size_of(path: Path) -> int:
    """A file's size; 0 if it does not exist."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def drop(path: Path) -> int:
    """Remove a partial file; return its size."""
    size = size_of(path)
    path.unlink(missing_ok=True)
    return size


def wrong_bytes(path: str, found: str, expected: str | None) -> IntegrityError:
    """The error of bytes with a wrong hash."""
    return IntegrityError(
        f"{path}: the bytes that arrive have the hash {found}, expected is {expected}",
        hint="a proxy or mirror may alter them; try again later or by another line",
    )

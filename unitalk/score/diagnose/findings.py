"""What a diagnosis consists of: one finding per check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from unitalk.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from unitalk.schema import Faces

SHOWN = 3
"""How many examples a finding has at most."""

CHECKS = (
    "file", "ids", "times", "coverage", "duplicates", "boxes", "labels", "scores", "order",
    "result",
)  # fmt: skip
"""The names of the checks, in the order of the findings."""

Status = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(Report):
    """What one check found.

    Attributes:
        check: the check's name.
        status: "ok"; "note" for what is worth knowing or could not be checked; "problem".
        what: one sentence with numbers.
        examples: a few places, with file and line where a file has them.
        advice: what to do about it; None when there is nothing to do.
        code: the same as a line of pandas on the frame `predictions`, where one line does it.
    """

    check: str
    status: Status
    what: str
    examples: tuple[str, ...] = ()
    advice: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis(Report):
    """What is wrong with a file of predictions, and what is not.

    Attributes:
        findings: one per check, in the order in which they are worth reading.
    """

    schema_version: ClassVar = 1
    computed: ClassVar = {"problems": "failed_checks", "warnings": "warnings"}

    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The findings that are problems."""
        return tuple(finding for finding in self.findings if finding.status == "problem")

    @property
    def failed_checks(self) -> tuple[str, ...]:
        """The names of the checks that found a problem."""
        return tuple(finding.check for finding in self.problems)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The notes, each with the name of its check."""
        return tuple(f"{f.check}: {f.what}" for f in self.findings if f.status == "note")


def ok(check: str, what: str) -> Finding:
    """A check that found nothing wrong."""
    return Finding(check=check, status="ok", what=what)


def note(check: str, what: str, *, advice: str | None = None) -> Finding:
    """Something worth knowing that is not a problem, or a check that could not run."""
    return Finding(check=check, status="note", what=_visible(what), advice=advice)


def problem(
    check: str, what: str, *, examples: Iterable[str] = (), advice: str, code: str | None = None
) -> Finding:
    """Something that is wrong, and what to do about it."""
    return Finding(
        check=check,
        status="problem",
        what=_visible(what),
        examples=tuple(_visible(text) for text in list(examples)[:SHOWN]),
        advice=advice,
        code=code,
    )


def _visible(text: str) -> str:
    """Escape the characters that could disturb a terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def places(faces: Faces, rows: Iterable[int], texts: Iterable[str]) -> list[str]:
    """Put `file:line` before a few texts, one per row.

    Args:
        faces: the file that the rows are of.
        rows: row numbers; only the first few are looked up, as that walks the file.
        texts: what to say of each row.
    """
    few = [int(row) for row in list(rows)[:SHOWN]]
    return [f"{line}: {text}" for line, text in zip(faces.where(few), texts, strict=False)]


def percent(share: float) -> str:
    """A share as text for people."""
    return f"{100 * share:.2f} %"


def counted(count: int, noun: str, verb: str = "") -> str:
    """A number and its noun, in the plural unless it is one; and whether it "is" or "has"."""
    plural = {"": "", "is": " are", "has": " have"}[verb]
    return f"{count:,} {noun} {verb}".rstrip() if count == 1 else f"{count:,} {noun}s{plural}"

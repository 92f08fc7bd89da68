"""The errors and exit codes, from the error tree."""

from __future__ import annotations

import re

from generate.markdown import code, fenced, table
from unitalk import errors

_MEANING = {
    0: "success",
    1: "another error: the hub cannot be reached, the disk is full, an extra is not installed",
    2: "wrong usage: an unknown option, arguments that contradict each other, a destination that "
    "is not free",
    3: "wrong data: a csv, the coverage, a missing or damaged file; also what `verify` and "
    "`diagnose` find",
    4: "incomplete: the finished part is kept; run the same command again to continue",
    130: "interrupted by Ctrl-C; run the same command again to continue",
    143: "stopped by SIGTERM; run the same command again to continue",
}


def exit_codes() -> str:
    """What each exit code means."""
    known = {kind.exit_code for kind in vars(errors).values() if hasattr(kind, "exit_code")}
    assert known <= set(_MEANING)
    return table(("code", "meaning"), [(code(str(c)), what) for c, what in _MEANING.items()])


def tree() -> str:
    """The drawing of the error tree in its module's docstring."""
    found = re.search(r"::\n\n((?:    .*\n)+)", errors.__doc__ or "")
    assert found is not None
    return fenced("\n".join(line[4:] for line in found[1].rstrip().splitlines()))

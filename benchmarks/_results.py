"""Write what a benchmark measured into `results.json`, which the documentation shows.

Every script takes `--record`. A record replaces the earlier one of the same script, `what` and
`against`, and says when, on what machine and at which commit it was measured.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection, Iterable, Mapping

HERE = Path(__file__).resolve().parent
FILE = HERE / "results.json"
LOAD_BEFORE = os.getloadavg()[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One number.

    Attributes:
        what: what was measured, and on what input.
        value: the number.
        unit: its unit.
        against: the peer that was measured in the same run, or None.
        ratio: how many times better than the peer, so above 1 where ours is; None without one.
        note: how it was measured, where `what` does not say it.
    """

    what: str
    value: float
    unit: str
    against: str | None = None
    ratio: float | None = None
    note: str | None = None


def add_option(parser: argparse.ArgumentParser) -> None:
    """Let a script take `--record`."""
    parser.add_argument("--record", action="store_true", help="write into benchmarks/results.json")


def compared(
    values: Mapping[str, float],
    unit: str,
    *,
    peers: Collection[str] = (),
    on: str = "",
    more_is_better: bool = False,
    note: str | None = None,
) -> list[Result]:
    """Return a result for each program, and for each of ours one per peer.

    Args:
        values: each program's number; the peers may be among them.
        unit: of all numbers.
        peers: the programs that ours are compared with.
        on: the input, for `what`.
        more_is_better: whether a higher number is the better one, as for frames per second.
        note: for all results.
    """
    found = []
    for name, value in values.items():
        what = f"{name}, {on}" if on else name
        own = () if name in peers else peers
        if not own:
            found.append(Result(what=what, value=value, unit=unit, note=note))
        for peer in own:
            ratio = value / values[peer] if more_is_better else values[peer] / value
            found.append(
                Result(what=what, value=value, unit=unit, against=peer, ratio=ratio, note=note)
            )
    return found


def write(script: str, results: Iterable[Result]) -> None:
    """Put a script's results into the file, with the date, the machine and the commit.

    Args:
        script: the script's `__file__`.
        results: what it measured.
    """
    name = f"benchmarks/{Path(script).name}"
    where = {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "machine": machine(),
        "commit": commit(),
    }
    records = {_key(record): record for record in json.loads(FILE.read_text(encoding="utf-8"))}
    for result in results:
        made = {"script": name, **asdict(result)}
        note = "; ".join(filter(None, [made.pop("note"), other_work()])) or None
        made |= {key: made[key] and float(f"{made[key]:.4g}") for key in ("value", "ratio")}
        records[_key(made)] = {**made, **where, "note": note}
    ordered = sorted(records.values(), key=lambda record: record["script"])  # else in their order
    FILE.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")


def _key(record: Mapping[str, object]) -> tuple[object, ...]:
    return record["script"], record["what"], record["unit"], record["against"]


def machine() -> str:
    """Say what this machine is, in words that name its kind and not itself."""
    model = "processor"
    info = Path("/proc/cpuinfo")
    if info.is_file() and (found := re.search(r"^model name\s*: (.+)", info.read_text(), re.M)):
        model = re.sub(r"\((R|TM)\)|\bProcessor\b|\bCPU\b|@", "", found[1])
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores of {' '.join(model.split())}, {size:.0f} GiB"


def other_work() -> str | None:
    """Say that other work slowed the benchmark down, judged by the load; None where it did not."""
    cores, before, after = os.cpu_count() or 1, LOAD_BEFORE, os.getloadavg()[0]
    if before < 0.75 * cores and after < 1.5 * cores:
        return None
    return f"beside other work: load {LOAD_BEFORE:.1f} before, {after:.1f} after"


def commit() -> str | None:
    """Return the commit that was measured, with `-dirty` where files differ; None without git."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(HERE.parent), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", "unitalk", "benchmarks/*.py")
        return git("rev-parse", "--short=7", "HEAD") + ("-dirty" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None

"""What is published, and what was measured: checkpoints, results, benchmarks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from generate.data import in_words_of
from generate.markdown import code, plain, sentence, table
from unitalk.catalog import checkpoints, results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unitalk.catalog.checkpoints import Checkpoint

_CHECKOUT = Path(__file__).resolve().parents[2]


def loads_into(one: Checkpoint) -> str:
    """What reads a checkpoint."""
    if one.loads_into:
        return code(f"--model {one.loads_into}")
    return in_words_of("weights", one.elsewhere or "")


def checkpoint_table() -> str:
    """Which published file loads into what."""
    rows = [
        (f"[{code(one.name)}](#{one.name})", one.model, one.trained_on or "", loads_into(one))
        for one in checkpoints.checkpoints()
    ]
    return table(("name", "model", "trained on", "read by"), rows)


def checkpoint_sections() -> str:
    """What is known of each published file."""
    return "\n\n".join(
        f"### {one.name}\n\n" + table(("", ""), facts(one)) for one in checkpoints.checkpoints()
    )


def facts(one: Checkpoint) -> Iterator[tuple[str, str]]:
    """What is known of one file; what is unknown is left out."""
    rates = sorted({f"{rate:g}" for rate in one.frame_rate or ()}, key=float)
    number = one.published
    known = {
        "model": one.model,
        "trained on": one.trained_on,
        "read by": loads_into(one),
        "crops": one.crop and plain(one.crop),
        "frame rate": rates and f"{' to '.join(rates)} per second",
        "threshold": None if one.threshold is None else f"logit {one.threshold:g}",
        "published number": number
        and f"{number.value:g} % {number.metric} on {number.benchmark} ({plain(number.source)})",
        "licence": one.licence or "not stated",
        "terms": one.terms and plain(one.terms),
        "size": one.size and f"{one.size:,} bytes",
        "sha256": one.sha256 and code(one.sha256),
        "address": f"<{one.url}> (from {plain(one.source)})",
    }
    return ((name, value) for name, value in known.items() if value)


def published_results() -> str:
    """A table for each benchmark: one row per model, one column per part of the benchmark."""
    return "\n\n".join(map(_benchmark, results.benchmarks()))


def _benchmark(benchmark: str) -> str:
    parts = results.parts(benchmark)
    notes: dict[str, int] = {}
    rows = []
    for model in results.ranked(benchmark, {}):
        said = map(plain, (*model.sources, *model.caveats))
        marks = [str(notes.setdefault(note, len(notes) + 1)) for note in said]
        values = ["" if (ap := model.values[part]) is None else str(ap) for part in parts]
        rows.append((model.name, model.trained_on or "", *values, ", ".join(marks)))
    listed = "\n".join(f"{number}. {note}" for note, number in notes.items())
    head = ("model", "trained on", *parts, "notes")
    return f"## {benchmark}\n\n{table(head, rows)}\n\n{listed}"


def benchmarks() -> str:
    """The measured numbers, a section for each script."""
    path = _CHECKOUT / "benchmarks" / "results.json"
    records = json.loads(path.read_text(encoding="utf-8"))
    scripts = dict.fromkeys(record["script"] for record in records)
    return "\n\n".join(
        _script(script, [one for one in records if one["script"] == script]) for script in scripts
    )


def _script(script: str, records: list[dict]) -> str:
    """A table for each day, machine and commit of a script's records."""
    docstring = (_CHECKOUT / script).read_text(encoding="utf-8").split('"""')[1]
    parts = [f"## {Path(script).stem}", f"{sentence(docstring)} ({code(script)})."]
    for measured in dict.fromkeys(map(_measured, records)):
        own = [one for one in records if _measured(one) == measured]
        parts += [f"Measured {measured}:", _records(own)]
    return "\n\n".join(parts)


def _measured(record: dict) -> str:
    date, machine, commit = (record[name] for name in ("date", "machine", "commit"))
    said = [f"on {date}" if date else "", f"on {machine}" if machine else ""]
    return ", ".join(
        filter(None, (" ".join(filter(None, said)), commit and f"commit {code(commit)}"))
    )


def _records(records: list[dict]) -> str:
    rows = [
        (
            plain(one["what"]),
            f"{one['value']:,}".removesuffix(".0") + f" {one['unit'] or ''}".rstrip(),
            "" if one["ratio"] is None else f"{one['ratio']:.3g}",
            plain(one["against"] or ""),
            plain(one["note"] or ""),
        )
        for one in records
    ]
    head = ["what", "value", "ratio", "to", "note"]
    kept = [place for place in range(len(head)) if any(row[place] for row in rows)]
    return table([head[p] for p in kept], [[row[p] for p in kept] for row in rows])

"""Published ground truths by their digest, so that a score can name what it was measured on.

The rows are beside this file in `groundtruths.csv`. To add one, score any predictions against the
published file: the signature has its `gt`, which is the digest, and its `faces`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundTruth:
    """One published ground truth.

    Attributes:
        name: `<dataset>-<split>`; it has a hyphen, so that it cannot be taken for a digest.
        benchmark: the benchmark of `catalog.results` whose numbers were measured on it, or None.
        digest: `Signature.gt` of the whole file, 16 hexadecimal digits.
        faces: how many it scores.
        source: where the file is published.
    """

    name: str
    benchmark: str | None
    digest: str
    faces: int
    source: str


@cache
def groundtruths() -> tuple[GroundTruth, ...]:
    """Every published ground truth whose digest is known."""
    path = Path(__file__).resolve().with_name("groundtruths.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            GroundTruth(**row | {"faces": int(row["faces"]), "benchmark": row["benchmark"] or None})
            for row in csv.DictReader(file)
        )


def name_of(digest: str, faces: int) -> str | None:
    """Return the name of the published ground truth with this digest; None for any other."""
    found = (one for one in groundtruths() if (one.digest, one.faces) == (digest, faces))
    return next((one.name for one in found), None)


def of_benchmark(benchmark: str) -> GroundTruth | None:
    """Return the ground truth of a benchmark; None where its digest is not known."""
    return next((one for one in groundtruths() if one.benchmark == benchmark), None)

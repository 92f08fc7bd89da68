"""Run all checks, one after the other; what one of them puts right, the next may rest on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.errors import UsageError
from unitalk.files import disk_boundary
from unitalk.score.diagnose.boxes import check_boxes
from unitalk.score.diagnose.coverage import check_coverage
from unitalk.score.diagnose.duplicate_causes import check_duplicates
from unitalk.score.diagnose.findings import CHECKS, Diagnosis, Finding, note, ok
from unitalk.score.diagnose.ids import check_ids
from unitalk.score.diagnose.order import check_order
from unitalk.score.diagnose.predictions_file import Read, check_files, read, refusal
from unitalk.score.diagnose.score_values import (
    Scored,
    check_labels,
    check_result,
    check_scores,
    check_truth_labels,
)
from unitalk.score.diagnose.times import check_times
from unitalk.score.groundtruth_source import groundtruth_rows
from unitalk.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from unitalk.layout import Split
    from unitalk.schema import Faces
    from unitalk.score.diagnose.pairing import Pairing


@disk_boundary("predictions")
def diagnose(
    groundtruth: str | Path | pd.DataFrame,
    predictions: str | Path | pd.DataFrame,
    *,
    split: Split | None = None,
) -> Diagnosis:
    """Say what is wrong with predictions: every check runs that can run.

    Ids and times that a known change explains are put right for the checks that follow, so that
    one cause is one problem.

    Args:
        groundtruth: what `evaluate` takes.
        predictions: what `evaluate` takes, and what it refuses.
        split: of a ground truth that is a dataset; default: val.

    Raises:
        UsageError: there is no such file or split, or both are stdin.
    """
    if all(isinstance(given, str) and given == "-" for given in (groundtruth, predictions)):
        raise UsageError(
            "ground truth and predictions cannot both come from stdin",
            hint="give one of them as a file",
        )
    rows = groundtruth_rows(groundtruth, split)
    with Threads(2, only_read=True) as pool:
        jobs = (pool.submit(read, rows, "groundtruth"),
                pool.submit(read, predictions, "predictions"))  # fmt: skip
        truth, guess = (job.result() for job in jobs)
    findings = {finding.check: finding for finding in _run(truth, guess)}
    why = (
        "the ground truth cannot be read" if truth.faces is None
        else "the predictions cannot be read" if guess.faces is None
        else "it rests on a column that cannot be read, or on faces that match"
    )  # fmt: skip
    return Diagnosis(
        findings=tuple(
            findings.get(check) or note(check, f"not checked: {why}") for check in CHECKS
        )
    )


def _run(truth: Read, guess: Read) -> Iterator[Finding]:
    """The findings of the checks that can run, in any order."""
    yield check_files(truth, guess)
    for check, error in guess.refused.items():
        if check in CHECKS[1:]:
            yield refusal(check, error)
    if guess.faces is None:
        return
    pairing = None
    if truth.faces is not None:
        ids, tracks, names = check_ids(truth.faces, guess, guess.faces)
        yield ids
        if schema.TIME in guess.faces.table.column_names:
            times, pairing = check_times(truth.faces, guess.faces, tracks, names)
            yield times
            if ids.status != "problem" or len(pairing.found):
                yield from _of_faces(truth.faces, guess, guess.faces, pairing)
    yield from _of_scores(truth.faces, guess, guess.faces, pairing)


def _of_faces(truth: Faces, guess: Read, faces: Faces, pairing: Pairing) -> Iterator[Finding]:
    yield check_coverage(truth, faces, pairing)
    yield check_duplicates(truth, faces, pairing)
    if "boxes" not in guess.refused and len(pairing.found):
        there = set(schema.BOX) <= set(faces.table.column_names)
        none = ok("boxes", "the predictions have none, and need none")
        yield check_boxes(truth, faces, pairing) if there else none


def _of_scores(
    truth: Faces | None, guess: Read, faces: Faces, pairing: Pairing | None
) -> Iterator[Finding]:
    """Labels, scores, their order, and the number; as far as these can be had."""
    used = np.ones(len(faces), np.bool_) if pairing is None else ~pairing.unused
    scored = Scored.of(truth, faces, pairing) if truth and pairing else None
    labels = check_truth_labels(truth) if truth else None
    if labels is None and "labels" not in guess.refused:
        labels = check_labels(faces, used)
    scores = None
    if schema.SCORE in faces.table.column_names:
        scores = check_scores(scored, faces.numbers(schema.SCORE)[used])
        if scored and scores.code is not None:  # they are inverted
            scored = replace(scored, scores=-scored.scores)
    order = check_order(scored) if scored else None
    found = [finding for finding in (labels, scores, order) if finding]
    yield from found
    if scored:
        yield check_result(scored, explained=any(f.status == "problem" for f in found))

"""All checks, one after the other; what one of them puts right, the next may rest on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.errors import UsageError
from unitalk.evaluation.diagnosis.boxes import check_boxes
from unitalk.evaluation.diagnosis.coverage import check_coverage, check_duplicates
from unitalk.evaluation.diagnosis.findings import Diagnosis, Finding, note, ok
from unitalk.evaluation.diagnosis.ids import check_ids
from unitalk.evaluation.diagnosis.order import Scored, check_order
from unitalk.evaluation.diagnosis.pairing import NOBODY, Pairing, check_times
from unitalk.evaluation.diagnosis.reading import Read, check_files, read, refusal
from unitalk.evaluation.diagnosis.scores import (
    check_labels,
    check_scores,
    check_truth_labels,
    measure,
    positives_of,
    result,
)

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd

    from unitalk.schema import Faces

CHECKS = (
    "file", "ids", "times", "coverage", "duplicates", "boxes", "labels", "scores", "order",
    "result",
)  # fmt: skip
"""The names of the checks, in the order of the findings."""


def diagnose(
    groundtruth: str | Path | pd.DataFrame, predictions: str | Path | pd.DataFrame
) -> Diagnosis:
    """Say what is wrong with predictions: every check runs that can run.

    Ids and times that a known change explains are put right for the checks that follow, so that
    one cause is one problem.

    Args:
        groundtruth: what `evaluate` takes.
        predictions: what `evaluate` takes, and what it refuses.

    Raises:
        UsageError: there is no such file, or both are stdin.
    """
    if (
        isinstance(groundtruth, str)
        and isinstance(predictions, str)
        and (groundtruth == predictions == "-")
    ):
        raise UsageError(
            "ground truth and predictions cannot both come from stdin",
            hint="give one of them as a file",
        )
    with ThreadPoolExecutor(2) as pool:
        jobs = (pool.submit(read, groundtruth, "groundtruth"),
                pool.submit(read, predictions, "predictions"))  # fmt: skip
        truth, guess = (job.result() for job in jobs)
    findings = {finding.check: finding for finding in _run(truth, guess)}
    said = [findings.get(check) or _skipped(check, truth, guess) for check in CHECKS]
    return Diagnosis(findings=tuple(said))


def _skipped(check: str, truth: Read, guess: Read) -> Finding:
    why = (
        "the ground truth cannot be read" if truth.faces is None
        else "the predictions cannot be read" if guess.faces is None
        else "it rests on a column that cannot be read, or on faces that match"
    )  # fmt: skip
    return note(check, f"not checked: {why}")


def _run(truth: Read, guess: Read) -> list[Finding]:
    """The findings of the checks that can run, in any order."""
    findings = [check_files(truth, guess)]
    findings += [
        refusal(check, error) for check, error in guess.refused.items() if check in CHECKS[1:]
    ]
    if guess.faces is None:
        return findings
    columns = guess.faces.table.column_names
    pairing = None
    if truth.faces is not None:
        finding, tracks, names = check_ids(truth.faces, guess, guess.faces)
        findings.append(finding)
        if schema.TIME in columns:
            finding, pairing = check_times(truth.faces, guess.faces, tracks, names)
            findings.append(finding)
    if truth.faces is not None and pairing is not None:
        findings += _of_faces(truth.faces, guess, guess.faces, pairing)
    return findings + _of_scores(truth.faces, guess, guess.faces, pairing)


def _of_faces(truth: Faces, guess: Read, faces: Faces, pairing: Pairing) -> list[Finding]:
    columns = faces.table.column_names
    found = [
        check_coverage(truth, faces, pairing),
        check_duplicates(truth, faces, pairing, scored=schema.SCORE in columns),
    ]
    if "boxes" in guess.refused or not (pairing.partners != NOBODY).any():
        return found
    if all(name in columns for name in schema.BOX):
        found.append(check_boxes(truth, faces, pairing))
    else:
        found.append(ok("boxes", "the predictions have none, and need none"))
    return found


def _of_scores(
    truth: Faces | None, guess: Read, faces: Faces, pairing: Pairing | None
) -> list[Finding]:
    """Labels, scores, their order, and the number; as far as these can be had."""
    columns = faces.table.column_names
    everything = faces.numbers(schema.SCORE) if schema.SCORE in columns else None
    rows = np.flatnonzero(pairing.partners != NOBODY) if pairing else np.array([], np.int64)
    worth, scored = None, None
    labels = np.array([], np.bool_)
    if truth is not None and pairing is not None and len(rows):
        labels = positives_of(truth)[pairing.partners[rows]]
        if everything is not None:
            scored = _scored(truth, pairing, rows, labels, everything[rows])
            worth = measure(labels, scored.scores, scored.by_track())
    found = [check_truth_labels(truth) if truth is not None else None]
    if found == [None] and "labels" not in guess.refused:
        found = [check_labels(faces, rows, labels, worth)]
    if everything is not None:
        found.append(check_scores(everything[rows], labels, everything, worth))
    if worth is not None and scored is not None:
        found.append(check_order(scored, worth))
        explained = any(f is not None and f.status == "problem" for f in found)
        found.append(result(worth, explained=explained))
    return [finding for finding in found if finding is not None]


def _scored(
    truth: Faces,
    pairing: Pairing,
    rows: npt.NDArray[np.int64],
    labels: npt.NDArray[np.bool_],
    scores: npt.NDArray[np.float64],
) -> Scored:
    tracks, names = truth.codes(schema.ENTITY)
    videos, titles = truth.codes(schema.VIDEO)
    places = pairing.partners[rows]
    return Scored(
        tracks=tracks[places], names=names, videos=videos[places], titles=titles,
        moments=truth.milliseconds()[places], places=places, labels=labels, scores=scores,
    )  # fmt: skip

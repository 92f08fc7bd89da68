"""Run all checks, one after the other; what one of them puts right, the next may rest on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from unitalk import schema
from unitalk.errors import UsageError
from unitalk.files import disk_boundary
from unitalk.schema.face_table import NOBODY
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
from unitalk.threads import Threads

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from unitalk.schema import Faces
    from unitalk.score.diagnose.pairing import Pairing


@disk_boundary("predictions")
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
    if all(isinstance(given, str) and given == "-" for given in (groundtruth, predictions)):
        raise UsageError(
            "ground truth and predictions cannot both come from stdin",
            hint="give one of them as a file",
        )
    with Threads(2, only_read=True) as pool:
        jobs = (pool.submit(read, groundtruth, "groundtruth"),
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


def _run(truth: Read, guess: Read) -> list[Finding]:
    """The findings of the checks that can run, in any order."""
    findings = [check_files(truth, guess)]
    findings += [
        refusal(check, error) for check, error in guess.refused.items() if check in CHECKS[1:]
    ]
    if guess.faces is None:
        return findings
    pairing, sortable = None, frozenset[str]()
    if truth.faces is not None:
        ids, tracks, names = check_ids(truth.faces, guess, guess.faces)
        findings.append(ids)
        if schema.TIME in guess.faces.table.column_names:
            times, pairing = check_times(truth.faces, guess.faces, tracks, names)
            findings.append(times)
            if ids.status != "problem" or len(pairing.found):
                if ids.status == times.status == "ok":
                    sortable = _sortable(truth.faces, guess.faces, pairing)
                findings += _of_faces(truth.faces, guess, guess.faces, pairing)
    return findings + _of_scores(truth.faces, guess, guess.faces, pairing, sortable)


def _of_faces(truth: Faces, guess: Read, faces: Faces, pairing: Pairing) -> list[Finding]:
    found = [check_coverage(truth, faces, pairing), check_duplicates(truth, faces, pairing)]
    if "boxes" in guess.refused or not len(pairing.found):
        return found
    if set(schema.BOX) <= set(faces.table.column_names):
        return [*found, check_boxes(truth, faces, pairing)]
    return [*found, ok("boxes", "the predictions have none, and need none")]


def _of_scores(
    truth: Faces | None,
    guess: Read,
    faces: Faces,
    pairing: Pairing | None,
    sortable: frozenset[str],
) -> list[Finding]:
    """Labels, scores, their order, and the number; as far as these can be had."""
    columns = faces.table.column_names
    everything = faces.numbers(schema.SCORE) if schema.SCORE in columns else None
    used = np.ones(len(faces), np.bool_) if pairing is None else ~pairing.unused
    found, scored, worth = [], None, None
    if truth is not None and pairing is not None and len(pairing.found):
        scored = Scored.of(truth, faces, pairing, sortable)
        worth = scored.worth() if scored is not None else None
    if truth is not None and (one_class := check_truth_labels(truth)) is not None:
        found.append(one_class)
    elif "labels" not in guess.refused:
        found.append(check_labels(faces, used))
    if everything is not None:
        scores = check_scores(scored, everything[used], worth)
        found.append(scores)
        if scored is not None and scores.code is not None:  # they are inverted
            scored = replace(scored, scores=-scored.scores)
            worth = scored.worth()
    if worth is not None and scored is not None:
        found.append(check_order(scored, worth))
        explained = any(finding.status == "problem" for finding in found)
        found.append(check_result(worth, explained=explained))
    return found


def _sortable(truth: Faces, faces: Faces, pairing: Pairing) -> frozenset[str]:
    """The columns that sort the predictions as the ground truth's would, where ids and times do."""
    if (pairing.partners == NOBODY).any():
        return frozenset()  # rows would be sorted that are for no face
    if schema.VIDEO not in faces.table.column_names:
        return frozenset((schema.ENTITY, schema.TIME))
    said, theirs = faces.codes(schema.VIDEO)
    true, ours = truth.codes(schema.VIDEO)
    same = np.array_equal(np.array(theirs)[said], np.array(ours)[true[pairing.partners]])
    return frozenset((schema.ENTITY, schema.TIME, *([schema.VIDEO] if same else [])))

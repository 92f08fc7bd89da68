"""All checks, one after the other; what one of them puts right, the next may rest on."""

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
from unitalk.score.diagnose.findings import Diagnosis, Finding, note, ok
from unitalk.score.diagnose.ids import check_ids
from unitalk.score.diagnose.order import check_order
from unitalk.score.diagnose.predictions_file import Read, check_files, read, refusal
from unitalk.score.diagnose.score_values import (
    Scored,
    check_labels,
    check_scores,
    check_truth_labels,
    measure,
    positives_of,
    result,
)
from unitalk.score.diagnose.times import check_times
from unitalk.score.match import counting
from unitalk.score.near_times import NOBODY
from unitalk.threads import Threads

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd

    from unitalk.schema import Faces
    from unitalk.score.diagnose.pairing import Pairing

CHECKS = (
    "file", "ids", "times", "coverage", "duplicates", "boxes", "labels", "scores", "order",
    "result",
)  # fmt: skip
"""The names of the checks, in the order of the findings."""


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
    if (
        isinstance(groundtruth, str)
        and isinstance(predictions, str)
        and (groundtruth == predictions == "-")
    ):
        raise UsageError(
            "ground truth and predictions cannot both come from stdin",
            hint="give one of them as a file",
        )
    with Threads(2, only_read=True) as pool:
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
        ids, tracks, names = check_ids(truth.faces, guess, guess.faces)
        findings.append(ids)
        if schema.TIME in columns:
            times, pairing = check_times(truth.faces, guess, guess.faces, tracks, names)
            findings.append(times)
        if pairing is not None and (ids.status != "problem" or (pairing.partners != NOBODY).any()):
            findings += _of_faces(truth.faces, guess, guess.faces, pairing)
    return findings + _of_scores(truth.faces, guess, guess.faces, pairing, findings)


def _of_faces(truth: Faces, guess: Read, faces: Faces, pairing: Pairing) -> list[Finding]:
    columns = faces.table.column_names
    found = [
        check_coverage(truth, faces, pairing),
        check_duplicates(truth, faces, pairing),
    ]
    if "boxes" in guess.refused or not (pairing.partners != NOBODY).any():
        return found
    if all(name in columns for name in schema.BOX):
        found.append(check_boxes(truth, faces, pairing))
    else:
        found.append(ok("boxes", "the predictions have none, and need none"))
    return found


def _of_scores(
    truth: Faces | None, guess: Read, faces: Faces, pairing: Pairing | None, before: list[Finding]
) -> list[Finding]:
    """Labels, scores, their order, and the number; as far as these can be had."""
    columns = faces.table.column_names
    everything = faces.numbers(schema.SCORE) if schema.SCORE in columns else None
    scored, worth = None, None
    rows, labels = np.array([], np.int64), np.array([], np.bool_)
    unused = np.zeros(len(faces), np.bool_) if pairing is None else pairing.unused
    if truth is not None and pairing is not None:
        rows = np.flatnonzero(pairing.partners != NOBODY)
        if (counts := counting(truth)) is not None:
            rows = rows[counts[pairing.partners[rows]]]
        labels = positives_of(truth)[pairing.partners[rows]]
        if len(rows) and everything is not None:
            sortable = _sortable(truth, faces, pairing, before)
            scored = _scored(truth, pairing, rows, everything[rows], sortable)
            worth = measure(labels, scored.scores, scored.by_track())
    found = []
    one_class = check_truth_labels(truth) if truth is not None else None
    if one_class is not None:
        found.append(one_class)
    elif "labels" not in guess.refused:
        said, spoken = check_labels(faces, rows, labels, worth, ~unused)
        found.append(said)
        if scored is not None and spoken is not None:
            everything, scored = spoken, replace(scored, scores=spoken[rows])
            worth = measure(labels, scored.scores, scored.by_track())
    if everything is not None:
        said = check_scores(scored, everything[~unused], worth)
        found.append(said)
        if scored is not None and said.code is not None:  # they are upside down
            scored = replace(scored, scores=-scored.scores)
            worth = measure(labels, scored.scores, scored.by_track())
    if worth is not None and scored is not None:
        found.append(check_order(scored, worth))
        explained = any(finding.status == "problem" for finding in found)
        found.append(result(worth, explained=explained))
    return found


def _sortable(
    truth: Faces, faces: Faces, pairing: Pairing, before: list[Finding]
) -> frozenset[str]:
    """The columns that are the ground truth's, once the lines that were given are executed."""
    if (pairing.partners == NOBODY).any():
        return frozenset()  # rows would be sorted that are for no face
    mended = {f.check for f in before if f.status != "problem" or f.code}
    if any(f.check == "ids" and f.status == "note" for f in before):
        mended.discard("ids")  # they sort otherwise than the ground truth's
    names = {c for check, c in (("ids", schema.ENTITY), ("times", schema.TIME)) if check in mended}
    if schema.VIDEO in faces.table.column_names:
        said, theirs = faces.codes(schema.VIDEO)
        true, ours = truth.codes(schema.VIDEO)
        place = {name: code for code, name in enumerate(ours)}
        same = np.array([place.get(name, NOBODY) for name in theirs])
        if np.array_equal(same[said], true[pairing.partners]):
            names.add(schema.VIDEO)
    return frozenset(names)


def _scored(
    truth: Faces,
    pairing: Pairing,
    rows: npt.NDArray[np.int64],
    scores: npt.NDArray[np.float64],
    sortable: frozenset[str],
) -> Scored:
    tracks, names = truth.codes(schema.ENTITY)
    videos, titles = truth.codes(schema.VIDEO)
    places = pairing.partners[rows]
    return Scored(
        tracks=tracks[places], names=names, videos=videos[places], titles=titles,
        moments=truth.milliseconds()[places], places=places,
        labels=positives_of(truth)[places], scores=scores, sortable=sortable,
    )  # fmt: skip

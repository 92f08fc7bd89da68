"""Predictions to diagnose: good ones, and what tests ask of a diagnosis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from reference import area_fast, ranked

if TYPE_CHECKING:
    from unitalk import Diagnosis, Finding

BOX = ["entity_box_x1", "entity_box_y1", "entity_box_x2", "entity_box_y2"]
KEY = ["entity_id", "frame_timestamp"]
SPEAKING = "SPEAKING_AUDIBLE"
VIDEOS = ["xY_3-aQ9zZk", "-Bc_d0w1Kkq", "mmO4-b_7Pe2", "A1a_Zzz-9rT", "QQ-_11abcDE"]
"""In no sorted order, with the characters of published ids; so are their tracks, 0 to 11."""


def misordered(guess: pd.DataFrame) -> pd.DataFrame:
    """Scores made for tracks sorted as text."""
    order = guess.sort_values(KEY, kind="stable").index
    return guess.assign(score=guess["score"].to_numpy()[order])


CAUSES = {
    "file": lambda g: g.drop(columns="score"),
    "ids": lambda g: g.assign(entity_id=g["entity_id"].str.replace(":", "_")),
    "times": lambda g: g.assign(frame_timestamp=g["frame_timestamp"] * 1000),
    "coverage": lambda g: g[g["entity_id"] != g["entity_id"].iloc[-1]],
    "duplicates": lambda g: pd.concat([g, g[:1]], ignore_index=True),
    "boxes": lambda g: g.assign(
        **{c: np.floor(g[c] * size) for c, size in zip(BOX, (1280, 720) * 2, strict=True)}
    ),
    "labels": lambda g: g.assign(label=np.where(np.arange(len(g)) % 2, SPEAKING, "NOT_SPEAKING")),
    "scores": lambda g: g.assign(score=g["score"].round(1)),
    "order": misordered,
}
"""By check, a change of good predictions that is its problem alone."""


@dataclass(frozen=True)
class Data:
    """Ground truth, good predictions in its order, and what these score (independently)."""

    truth: pd.DataFrame
    guess: pd.DataFrame
    area: float


def draw(seed: int = 7) -> Data:
    """Five videos of twelve tracks at 25 fps, which overlap in time; a model that is often right.

    Tracks are 20 to 60 faces long. Speaking comes in runs; the scores lean towards it, and no two
    are equal.
    """
    random = np.random.default_rng(seed)
    rows = []
    for video in VIDEOS:
        for number in random.permutation(12):
            start, length = int(random.integers(3, 200)), int(random.integers(20, 61))
            x, y = random.uniform(0.05, 0.6, 2)
            speaks = bool(random.integers(2))
            for index in range(length):
                speaks ^= random.random() < 0.06
                box = np.array([x, y, x + 0.15, y + 0.25])
                box = np.round(box + random.normal(0, 0.004, 4), 6)
                label = SPEAKING if speaks else "NOT_SPEAKING"
                time = round((start + index) * 0.04, 2)
                rows.append([video, time, *box, label, f"{video}:{number}"])
    truth = pd.DataFrame(rows, columns=["video_id", "frame_timestamp", *BOX, "label", "entity_id"])
    logits = 2.0 * (truth["label"] == SPEAKING) - 1 + random.normal(0, 0.9, len(truth))
    guess = truth.assign(label=SPEAKING, score=1 / (1 + np.exp(-logits)))
    return Data(truth, guess, area_of(truth, guess["score"]))


def area_of(truth: pd.DataFrame, scores) -> float:
    """Average precision by the slow implementation."""
    return area_fast(ranked((truth["label"] == SPEAKING).tolist(), list(scores)))


def checks(diagnosis: Diagnosis) -> list[str]:
    """The checks that found a problem."""
    return [finding.check for finding in diagnosis.problems]


def found(diagnosis: Diagnosis, check: str) -> Finding:
    """What one check found."""
    (finding,) = [finding for finding in diagnosis.findings if finding.check == check]
    return finding


def only_problem(diagnosis: Diagnosis, check: str) -> Finding:
    """The one problem of a diagnosis, which is that of this check and says what to do."""
    assert checks(diagnosis) == [check]
    assert diagnosis.problems[0].advice
    return diagnosis.problems[0]


def after(finding: Finding, predictions: pd.DataFrame) -> pd.DataFrame:
    """What the lines of pandas that a finding gives make of the predictions."""
    assert finding.code
    space = {"predictions": predictions.copy()}
    exec(finding.code, space)
    return space["predictions"]


def percent(share: float) -> str:
    """A share as the diagnosis prints it."""
    return f"{100 * share:.2f} %"

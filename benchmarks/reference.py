"""The reference's algorithm in plain pandas, to measure and to compare with.

    python benchmarks/reference.py -g groundtruth.csv -p predictions.csv [--vectorised]

It follows ActivityNet's get_ava_active_speaker_performance.py step by step, in the variant that
UniTalk ships (csv files with a header): compare the numbers of rows, join on the text of time and
entity, sort, count, and make precision monotone in a Python loop. `--vectorised` has that loop in
numpy, which the reference has not.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

COLUMNS = [
    "video_id", "frame_timestamp", "entity_box_x1", "entity_box_y1", "entity_box_x2",
    "entity_box_y2", "label", "entity_id",
]  # fmt: skip


def area(groundtruth: str, predictions: str, *, vectorised: bool) -> float:
    """The number that the reference prints, 0 to 1."""
    truth = pd.read_csv(groundtruth, usecols=COLUMNS)
    guess = pd.read_csv(predictions, usecols=[*COLUMNS, "score"])
    for frame in (truth, guess):
        frame["uid"] = frame["frame_timestamp"].map(str) + ":" + frame["entity_id"]
    if truth["uid"].count() != guess["uid"].count():
        raise SystemExit("not the same number of rows")
    both = truth.merge(guess, on="uid", suffixes=("_g", "_p"), validate="1:1")
    both = both.sort_values(by=["score"], ascending=False).reset_index()
    for edge in COLUMNS[2:6]:
        if ((both[f"{edge}_g"] - both[f"{edge}_p"]).abs() > 1e-9).any():
            raise SystemExit("boxes differ")
    positive = both["label_g"] == "SPEAKING_AUDIBLE"
    both["tp"] = np.where(positive & (both["label_p"] == "SPEAKING_AUDIBLE"), 1, 0).cumsum()
    precision = np.concatenate([[0], both["tp"] / (both.index + 1), [0]])
    recall = np.concatenate([[0], both["tp"] / positive.sum(), [1]])
    if vectorised:
        precision = np.maximum.accumulate(precision[::-1])[::-1]
    else:
        if not all(recall[i] <= recall[i + 1] for i in range(len(recall) - 1)):
            raise SystemExit("recall must be a non-decreasing array")
        for i in range(len(precision) - 2, -1, -1):
            precision[i] = np.maximum(precision[i], precision[i + 1])
    steps = np.where(recall[1:] != recall[:-1])[0] + 1
    return float(np.sum((recall[steps] - recall[steps - 1]) * precision[steps]))


def main() -> None:
    """Print the reference's line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-g", "--groundtruth", required=True)
    parser.add_argument("-p", "--predictions", required=True)
    parser.add_argument("--vectorised", action="store_true")
    arguments = parser.parse_args()
    number = area(arguments.groundtruth, arguments.predictions, vectorised=arguments.vectorised)
    print(f"average precision: {100 * number:2.2f}%")


if __name__ == "__main__":
    main()

"""Write files of predictions that are wrong in a way of the field, for the documentation.

    python benchmarks/traps.py SAMPLE

Into the folder of a sample go `wrong_ids.csv` (its predictions, with `_` for `:` in the ids of
the tracks that the model got most wrong), `sorted.csv` (its ground truth, speaking faces first),
`constant.csv` (0.5 for every face), and `misordered.csv` (the scores in the order of a loader csv
that was made with groupby(), which sorts the tracks, pasted onto rows in the file's order).
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd


def main(folder: str) -> None:
    """Write the four files."""
    sample = Path(folder)
    truth = pd.read_csv(sample / "csv/val_orig.csv", dtype=str)
    guess = pd.read_csv(sample / "predictions.csv", dtype=str)
    error = (guess["score"].astype(float) - truth["label_id"].astype(float)).abs()
    worst = error.groupby(truth["entity_id"]).mean().nlargest(12).index
    wrong = guess["entity_id"].isin(worst)
    renamed = guess["entity_id"].where(~wrong, guess["entity_id"].str.replace(":", "_"))
    guess.assign(entity_id=renamed).to_csv(sample / "wrong_ids.csv", index=False)
    truth.sort_values("label_id", ascending=False, kind="stable").to_csv(
        sample / "sorted.csv", index=False
    )
    guess.assign(score="0.5").to_csv(sample / "constant.csv", index=False)
    loader = [track["score"] for _, track in guess.groupby("entity_id")]
    guess.assign(score=pd.concat(loader).to_numpy()).to_csv(sample / "misordered.csv", index=False)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Does training work? TalkNet from nothing, on drawn faces, tried on videos that it has not seen.

    python benchmarks/train_sample.py [--model light-asd] [--epochs 3] [--precision fp32]

The sample's val split has more faces than its train split, so here it is the one that is trained
on: 58 tracks of 22 videos; what it comes to is looked at on the other four videos. On two cores it
takes two to five minutes. Small batches and a rate that is higher than for real data make the
most of so few faces.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import torch

import unitalk


def prior(path: Path) -> float:
    """The share of faces that speak, which a constant scores."""
    labels = unitalk.read_groundtruth(path)["label_id"].astype(str)
    return float((labels == "1").mean())


def main() -> None:
    """Train on the sample and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="talknet")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--lr", type=float)
    parser.add_argument("--batch-frames", type=int, default=50)
    parser.add_argument("--precision", default="bf16")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder, "sample")
        unitalk.make_sample(sample)
        print(f"prior of the held-out videos: {prior(sample / 'csv/train_orig.csv'):.2%}")
        began = time.perf_counter()
        report = unitalk.train_network(
            sample,
            Path(folder, "run"),
            score=lambda truth, found: unitalk.evaluate(truth, found).average_precision,
            options=unitalk.TrainOptions(
                model=asked.model, epochs=asked.epochs, seed=asked.seed,
                lr=asked.lr or {"talknet": 5e-4}.get(asked.model),
                batch_frames=asked.batch_frames, precision=asked.precision, train_split="val",
                val_split="train",
            ),
        )  # fmt: skip
        seconds = time.perf_counter() - began
        for one in report.results:
            print(f"epoch {one.epoch}: loss {one.loss:.3f}, AP {one.average_precision or 0:.2%}")
        print(f"{asked.model}: {seconds:.0f} s on {torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()

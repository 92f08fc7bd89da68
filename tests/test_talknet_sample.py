"""Training works: from the prior to a network that knows who speaks, on videos it has not seen.

`benchmarks/train_sample.py` does the same on all of the sample.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from build import HEADER
from conftest import exhaustive

from unitalk import evaluate
from unitalk.catalog import video_list

torch = pytest.importorskip("torch", reason='pip install "unitalk[models]"')
pytest.importorskip("cv2", reason="gray needs the extra [tracks]")

from unitalk.models.train import TrainOptions, train_network  # noqa: E402


@pytest.fixture(scope="module")
def divided(sample, tmp_path_factory) -> Path:
    """Some videos of the sample's val split to train on, others to try it on; no file is copied."""
    root = tmp_path_factory.mktemp("divided")
    (root / "csv").mkdir()
    rows = (sample / "csv/val_orig.csv").read_text().splitlines()[1:]
    learned = {v.video_id for v in video_list.select(categories=("language",))}
    tried = {v.video_id for v in video_list.select(categories=("noise",))}
    for split, videos in {"train": learned, "val": tried}.items():
        own = [row for row in rows if row.split(",")[0] in videos]
        (root / f"csv/{split}_orig.csv").write_text("\n".join([HEADER, *own]) + "\n")
        for part in ("clips_videos", "clips_audios"):
            (root / part).mkdir(exist_ok=True)
            (root / part / split).symlink_to(sample / part / "val")
    return root


@exhaustive
def test_a_network_learns_who_speaks(divided, tmp_path):
    """The prior of the three noisy videos is 51.90 %, which is what a constant gets."""
    report = train_network(
        divided,
        tmp_path / "run",
        score=lambda truth, found: evaluate(truth, found).average_precision,
        options=TrainOptions(model="light-asd", epochs=1, batch_frames=50, workers=0, device="cpu"),
    )
    assert report.results[0].average_precision > 0.62

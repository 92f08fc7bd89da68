"""Tracks as a PyTorch data set: tensors equal to the arrays, whoever reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from build import make_small, pack
from conftest import one_in

from unitalk.errors import DataError, LayoutError
from unitalk.media.tracks import tracks

torch = pytest.importorskip("torch", reason="the data set needs the extra [models]")
pytest.importorskip("cv2", reason="gray needs the extra [tracks]")

KEYS = ["entity_id", "images", "audio", "frame_timestamp", "label_id"]


def dataset(root: Path, **options):
    return tracks(root, split="val").to_torch(**options)


def same(item, track, size: int = 112) -> None:
    assert list(item) == KEYS == list(track)
    assert item["entity_id"] == track.entity_id
    for key, want in {
        "images": track.gray(size),
        "audio": track.audio["array"],
        "frame_timestamp": track.frame_timestamp,
        "label_id": track.label_id,
    }.items():
        assert isinstance(item[key], torch.Tensor)
        assert item[key].numpy().dtype == want.dtype
        np.testing.assert_array_equal(item[key].numpy(), want)


def test_an_item_is_a_track_in_whole_numbers(small):
    found = dataset(small)
    assert isinstance(found, torch.utils.data.Dataset)
    assert len(found) == len(found.tracks)
    for item, track in zip(found, found.tracks, strict=True):
        same(item, track)
    assert found[0]["images"].dtype == torch.uint8
    assert found[0]["audio"].dtype == torch.int16
    same(dataset(small, size=64)[3], found.tracks[3], 64)
    same(found[-1], found.tracks[-1])


def test_writing_into_an_item_changes_no_track(small):
    found = dataset(small)
    item = found[1]
    for key in KEYS[1:]:
        item[key].fill_(1)
    same(found[1], tracks(small, split="val")[1])


@pytest.mark.parametrize(("context", "workers"), one_in(2, [("fork", 2), ("spawn", 1)]))
def test_the_workers_of_a_loader_give_the_same_in_order(small, tmp_path, context, workers):
    """Of archives too, which each worker looks at for itself."""
    root = pack(small, tmp_path / "kept") if context == "fork" else small
    loader = torch.utils.data.DataLoader(
        dataset(root), batch_size=None, num_workers=workers, multiprocessing_context=context
    )
    for item, track in zip(loader, tracks(small, split="val"), strict=True):
        same(item, track)


def test_what_is_wrong_is_raised_in_a_worker_too(tmp_path):
    root = make_small(tmp_path / "d")
    found = dataset(root)
    track = found.tracks[2]
    path = root / "clips_videos/val" / track.video_id / track.entity_id
    next(path.iterdir()).unlink()
    with pytest.raises(LayoutError, match=track.entity_id):
        found[2]
    loader = torch.utils.data.DataLoader(found, batch_size=None, num_workers=1)
    with pytest.raises(LayoutError, match=track.entity_id):
        list(loader)


def test_a_sound_of_another_rate_is_not_passed_off_as_the_usual(small):
    with pytest.raises(DataError, match="has 16,000 samples a second, and 44,100 are wanted"):
        dataset(small, rate=44_100)[0]

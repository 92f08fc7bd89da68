"""Which tracks a shard has, and how large it is thought to be."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from build import Track, make_dataset
from export_data import make_pictured, on_disk
from hypothesis import given
from hypothesis import strategies as st

from unitalk.dataset.export.shard_plan import Shard, estimated, plan_shards
from unitalk.media.tracks import tracks

SPLITS = ("train", "val", "test")


def shard(split, number, first, count, faces, size):
    return Shard(split=split, number=number, first=first, tracks=count, faces=faces, size=size)


def test_tracks_are_cut_where_a_shard_would_be_too_large():
    """By hand: 40 + 60 fill 100; 1 more would not fit; 250 is larger than any and alone."""
    given_ = [("train", 4, 40), ("train", 6, 60), ("train", 1, 1), ("train", 25, 250),
              ("train", 2, 20), ("val", 3, 30)]  # fmt: skip
    assert plan_shards(given_, 100) == (
        shard("train", 0, 0, 2, 10, 100),
        shard("train", 1, 2, 1, 1, 1),
        shard("train", 2, 3, 1, 25, 250),
        shard("train", 3, 4, 1, 2, 20),
        shard("val", 0, 0, 1, 3, 30),
    )
    assert plan_shards([], 100) == ()


TRACKS = st.lists(
    st.tuples(st.sampled_from(SPLITS), st.integers(1, 50), st.integers(1, 200)), max_size=60
).map(lambda given: sorted(given, key=lambda one: SPLITS.index(one[0])))


@given(given_=TRACKS, limit=st.integers(1, 300))
def test_every_track_is_in_one_shard_in_order(given_, limit):
    shards = plan_shards(given_, limit)
    start = 0
    for one in shards:
        piece = given_[start : start + one.tracks]
        assert one.tracks == len(piece) >= 1
        assert {split for split, _, _ in piece} == {one.split}
        assert (one.faces, one.size) == (sum(p[1] for p in piece), sum(p[2] for p in piece))
        assert one.size <= limit or one.tracks == 1
        start += one.tracks
    assert start == len(given_)
    for split in SPLITS:
        own = [one for one in shards if one.split == split]
        assert [one.number for one in own] == list(range(len(own)))
        assert [one.first for one in own] == [
            sum(one.tracks for one in own[:place]) for place in range(len(own))
        ]
    for one, after in itertools.pairwise(shards):
        if one.split == after.split:  # no shard is smaller than it must be
            next_ = given_[sum(s.tracks for s in shards[: shards.index(after)])]
            assert one.size + next_[2] > limit


# ------------------------------------------------------------------------------ sizes


def crops_of(root: Path, video: str, size: int) -> None:
    for path in (root / "clips_videos/val" / video).rglob("*.jpg"):
        path.write_bytes(b"\xff\xd8" + bytes(size - 4) + b"\xff\xd9")


def test_a_crop_is_estimated_by_others_of_its_video(tmp_path):
    """By hand: 26 crops over 1 s of 1,000 bytes and 800 beside each, and 32,000 bytes of sound."""
    times = [f"{frame / 25:.2f}" for frame in range(26)]
    root = make_dataset(
        tmp_path / "d",
        {
            "a": [Track(f"a:{n}", times, [0] * 26) for n in range(4)],
            "b": [Track("b:0", ["3.0"], [1])],
            "c": [Track("c:0", ["3.0", "3.04"], [1, 1])],
        },
    )
    crops_of(root, "a", 1000)
    crops_of(root, "b", 5000)
    crops_of(root, "c", 7000)
    for path in (root / "clips_videos/val/c").rglob("*.jpg"):
        path.unlink()  # nothing of it can be read: it is taken for the mean of the others
    sizes = estimated(tracks(root, split="val"))
    assert sizes == [26 * 1800 + 32000] * 4 + [5800, 2 * 3800 + 1280]


def test_where_no_crop_can_be_read_a_usual_size_is_taken(tmp_path):
    root = make_dataset(tmp_path / "d", {"a": [Track("a:0", ["3.0"], [1])]})
    assert estimated(tracks(root, split="val")) == [30_800]  # its crop is no jpg


def test_the_estimate_is_near_the_truth(tmp_path):
    """Of the tracks' files, and what a tar adds to each: 512 bytes, and up to 512 as a rest."""
    root = make_pictured(tmp_path / "d")
    guess = estimated(tracks(root, split="val"))
    truth = [
        len(track["wav"]) + sum(len(jpg) + 768 for jpg in track["jpgs"])
        for track in on_disk(root, "val")
    ]
    assert sum(guess) == pytest.approx(sum(truth), rel=0.1)

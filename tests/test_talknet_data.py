"""Batches: which tracks, which piece of them, and the same ones whoever reads them."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from build import make_dataset, make_real, track
from conftest import exhaustive, one_in
from hypothesis import given
from hypothesis import strategies as st

from unitalk.errors import DataError, LayoutError
from unitalk.media.tracks import tracks

torch = pytest.importorskip("torch", reason='pip install "unitalk[models]"')
pytest.importorskip("cv2", reason="gray needs the extra [tracks]")

from unitalk.models.augment import draw  # noqa: E402
from unitalk.models.data import ScoringTracks, TrainingBatches, Wanted, plan_epoch  # noqa: E402
from unitalk.models.features import audio_features  # noqa: E402
from unitalk.models.read_ahead import Reader  # noqa: E402


def plan(lengths, budget, *, seed=0, epoch=1, processes=1):
    return plan_epoch(np.array(lengths), budget=budget, seed=seed, epoch=epoch, processes=processes)


# ------------------------------------------------------------------------------ which batches


def test_batches_are_cut_by_the_budget_as_the_original_cuts_them():
    """65 tracks of 100 frames into 2,500: 25, 25 and what is left (measured on the original)."""
    steps = plan([100] * 65, 2500)
    assert sorted(len(step[0].tracks) for step in steps) == [15, 25, 25]


def test_a_batch_is_as_long_as_its_shortest_track():
    """100 and 90 go twice into 200, so {100, 90} and {50, 40, 30, 20}: 200 // 50 is four."""
    steps = plan([50, 100, 20, 40, 90, 30], 200)
    found = {step[0].tracks: step[0].length for step in steps}
    assert found == {(1, 4): 90, (0, 3, 5, 2): 20}
    assert sorted(step[0].frames for step in steps) == [4 * 20, 2 * 90]


@given(
    lengths=st.lists(st.integers(2, 60), min_size=1, max_size=40),
    budget=st.integers(1, 200),
    seed=st.integers(0, 5),
    processes=st.integers(1, 3),
)
def test_every_track_is_trained_on_once_and_all_processes_do_the_same_amount(
    lengths, budget, seed, processes
):
    steps = plan(lengths, budget, seed=seed, processes=processes)
    seen = Counter()
    for step in steps:
        assert len(step) == processes
        assert len({one.frames for one in step}) == 1
        together = [number for one in step for number in one.tracks]
        numbers = set(together)
        assert {one.length for one in step} == {min(lengths[n] for n in numbers)}
        assert all(set(one.others) == numbers for one in step)
        longest = max(lengths[n] for n in numbers)
        assert len(step[0].tracks) <= max(budget // longest, 1)
        seen.update(numbers)
        assert len(together) - len(numbers) < processes  # who goes twice, to make it even
    assert seen == dict.fromkeys(range(len(lengths)), 1)


# ------------------------------------------------------------------------------ what is read


def one(dataset, number, frames, *, epoch=1, others=None):
    everyone = tuple(range(len(dataset.tracks))) if others is None else others
    return dataset[Wanted(epoch, (number,), frames, everyone)]


def calm(length, frames, number, others, *, compat=False):
    """An epoch in which the track is neither mixed nor turned, and where its piece then begins."""
    for epoch in range(1, 200):
        rng = np.random.default_rng([0, epoch, number])
        start = 0 if compat else int(rng.integers(length - frames + 1))
        drawn = draw(rng, others, compat=compat)
        if drawn.noise is None and drawn.look.kind == "as-is" and (start or compat):
            return epoch, start
    raise AssertionError("an eighth of the epochs should do")


@pytest.mark.parametrize("compat", [False, True])
def test_a_piece_has_its_own_faces_sound_and_labels(tiny, compat):
    found = tracks(tiny, split="train")
    dataset = TrainingBatches(found, 0, compat)
    epoch, start = calm(9, 5, 0, len(found) - 1, compat=compat)
    batch = one(dataset, 0, 5, epoch=epoch)
    first = found[0]
    heard = audio_features(first.audio["array"], 9, fps=25.0, compat=compat)
    assert batch.faces.shape == (1, 5, 112, 112)
    assert batch.faces.dtype == torch.uint8
    np.testing.assert_array_equal(batch.faces[0].numpy(), first.gray(112)[start : start + 5])
    np.testing.assert_array_equal(batch.audio[0].numpy(), heard[4 * start : 4 * (start + 5)])
    assert batch.labels.tolist() == [first.label_id[start : start + 5].tolist()]
    assert (start > 0) is not compat  # the original never takes anything but the beginning


def test_half_of_the_sounds_are_mixed_with_a_track_of_the_batch(tiny):
    """Of 60 showings 30 +- 4 standard deviations, each 3.9."""
    dataset = TrainingBatches(tracks(tiny, split="train"), 0)
    plain = audio_features(dataset.tracks[3].audio["array"], 6, fps=25.0)
    mixed = sum(
        not np.array_equal(one(dataset, 3, 6, epoch=epoch).audio[0].numpy(), plain)
        for epoch in range(1, 61)
    )
    assert 15 <= mixed <= 45


def test_fault_3_a_batch_of_one_track_gets_its_noise_from_elsewhere(tiny):
    """The original draws from an empty set there and stops; on Python 3.11 it stops everywhere."""
    dataset = TrainingBatches(tracks(tiny, split="train"), 0)
    plain = audio_features(dataset.tracks[0].audio["array"], 9, fps=25.0)
    heard = [
        one(dataset, 0, 9, epoch=epoch, others=(0,)).audio[0].numpy() for epoch in range(1, 20)
    ]
    assert any(np.array_equal(each, plain) for each in heard)
    assert any(not np.array_equal(each, plain) for each in heard)


def test_sound_is_heard_at_the_rate_of_the_video(tmp_path):
    root = make_dataset(tmp_path / "d", {"v": [track("v:0", 30, rate=30.0)]})
    found = tracks(make_real(root), split="val")
    heard = ScoringTracks(found)[0].audio[0].numpy()
    sound = found[0].audio["array"]
    assert found.frame_rates.tolist() == [30.0]
    np.testing.assert_array_equal(heard, audio_features(sound, 30, fps=30.0))
    assert not np.array_equal(heard, audio_features(sound, 30, fps=25.0))


def test_speaking_inaudibly_is_no_positive(tmp_path):
    root = make_dataset(tmp_path / "d", {"v": [track("v:0", 4, every=2)]}, split="train")
    path = make_real(root) / "csv/train_orig.csv"
    text = path.read_text().replace("SPEAKING_AUDIBLE,v:0,1", "SPEAKING_NOT_AUDIBLE,v:0,2", 1)
    path.write_text(text)
    found = tracks(root, split="train")
    assert found[0].label_id.tolist() == [0, 0, 2, 1]
    assert one(TrainingBatches(found, 0), 0, 4).labels.tolist() == [[0, 0, 0, 1]]


# ------------------------------------------------------------------------------ what is wrong


@pytest.fixture
def broken(tiny, tmp_path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "broken"))


@pytest.mark.parametrize("workers", one_in(2, [1, 0]))
def test_fault_8_a_missing_crop_stops_the_run_with_its_name(broken, workers):
    """The original takes the next crops for it, or stops far away."""
    gone = broken / "clips_videos/train/aaaaaaaaaaa/aaaaaaaaaaa:1/1.64.jpg"
    gone.unlink()
    dataset = TrainingBatches(tracks(broken, split="train"), 0)
    with pytest.raises(LayoutError, match=r"aaaaaaaaaaa:1/1\.64\.jpg") as caught:
        list(Reader(dataset, workers=workers).read([Wanted(1, (1,), 4, (1,))]))
    assert "`verify_dataset(" in caught.value.hint


def test_nothing_is_learned_from_faces_without_labels(broken):
    path = broken / "csv/train_orig.csv"
    header, *rows = path.read_text().splitlines()
    kept = [",".join([*row.split(",")[:6], "", row.split(",")[7]]) for row in rows]
    path.write_text("\n".join([",".join(header.split(",")[:8]), *kept]) + "\n")
    found = tracks(broken, split="train")
    with pytest.raises(DataError, match="aaaaaaaaaaa:0: its faces have no label"):
        one(TrainingBatches(found, 0), 0, 9)
    assert ScoringTracks(found)[0].faces.shape == (1, 9, 112, 112)  # but it can be scored


# ------------------------------------------------------------------------------ many processes


@exhaustive
def test_any_number_of_processes_reads_the_same_batches(tiny):
    found = tracks(tiny, split="train")
    alone = Reader(TrainingBatches(found, 3), workers=0)
    two = Reader(TrainingBatches(found, 3), workers=2)
    for epoch in (1, 2):  # the processes stay from one to the next
        wanted = [step[0] for step in plan(found.lengths, 12, seed=3, epoch=epoch)]
        batches = list(alone.read(wanted))
        assert [tuple(batch.labels.shape) for batch in batches] == [
            (len(one.tracks), one.length) for one in wanted
        ]
        for mine, theirs in zip(batches, two.read(wanted), strict=True):
            for a, b in zip(mine, theirs, strict=True):
                assert torch.equal(a, b)


def test_a_reader_may_be_left_in_the_middle_and_used_again(tiny):
    found = tracks(tiny, split="val")
    reader = Reader(ScoringTracks(found), workers=1)
    first = next(iter(reader.read([0, 1, 2, 3])))
    again = list(reader.read([2, 0]))
    assert torch.equal(first.faces, again[1].faces)
    assert torch.equal(again[0].faces, ScoringTracks(found)[2].faces)

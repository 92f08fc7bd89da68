"""What is looked at before the first batch of a training: the rows of both splits."""

from __future__ import annotations

import json

import pytest
from build import make_dataset, make_tiny, track
from hypothesis import given, settings
from hypothesis import strategies as st

from unitalk import check_training_rows, tracks
from unitalk.errors import DataError
from unitalk.schema import COLUMNS, LABEL, LABEL_ID

SHORT = (
    "--model", "light-asd", "--batch-frames", "12", "--workers", "0", "--device", "cpu",
    "--epochs", "1",
)  # fmt: skip


def opened(root, *, train, val):
    """The tracks of two splits that are drawn as {video: tracks}; no crop is ever read."""
    for split, videos in {"train": train, "val": val}.items():
        make_dataset(root, videos, split=split)
    return tuple(tracks(root, split=split) for split in ("train", "val"))


def relabelled(root, split, label, label_id):
    """Give all rows of a split one label."""
    path = root / "csv" / f"{split}_orig.csv"
    head, *rows = [line.split(",") for line in path.read_text().splitlines()]
    for row in rows:
        row[COLUMNS.index(LABEL)], row[COLUMNS.index(LABEL_ID)] = label, label_id
    path.write_text("".join(",".join(row) + "\n" for row in (head, *rows)))
    return tracks(root, split=split)


@pytest.fixture
def fine(tmp_path):
    return opened(
        tmp_path / "d", train={"a": [track("a:0", 12)]}, val={"b": [track("b:0", 12)]}
    )  # fmt: skip


def test_sound_rows_are_trained_on_without_a_word(fine):
    assert check_training_rows(*fine) == ()
    assert check_training_rows(*fine, 25.0) == ()


@settings(max_examples=8)
@given(
    st.sets(st.sampled_from("abcdef"), min_size=1), st.sets(st.sampled_from("abcdef"), min_size=1)
)
def test_videos_in_both_splits_are_named_and_allowed_on_demand(tmp_path_factory, ours, theirs):
    root = tmp_path_factory.mktemp("leak")
    # Other tracks of one video: what counts is that room, voice and face are known.
    both = opened(
        root / "d",
        train={video: [track(f"{video}:0", 8)] for video in sorted(ours)},
        val={video: [track(f"{video}:1", 8)] for video in sorted(theirs)},
    )
    shared = sorted(ours & theirs)
    if not shared:
        assert check_training_rows(*both) == ()
        return
    with pytest.raises(DataError) as caught:
        check_training_rows(*both)
    said = f"{len(shared)} of {len(theirs)} val videos are in train too: {', '.join(shared)}; "
    assert caught.value.message.startswith(said)
    assert check_training_rows(*both, allow_leak=True) == (caught.value.message,)


LABELS = {
    "SPEAKING_AUDIBLE": ("1", 12), "NOT_SPEAKING": ("0", 0), "SPEAKING_NOT_AUDIBLE": ("2", 0)
}  # fmt: skip


@pytest.mark.parametrize("label", LABELS)
def test_one_class_is_an_error_in_train_and_a_warning_in_val(tmp_path, fine, label):
    train, val = fine
    label_id, speaking = LABELS[label]
    said = f"has one class: {speaking} of its 12 faces speak audibly"
    (warning,) = check_training_rows(train, relabelled(tmp_path / "d", "val", label, label_id))
    assert warning.startswith(f"val {said}")
    with pytest.raises(DataError, match=f"train {said}"):
        check_training_rows(relabelled(tmp_path / "d", "train", label, label_id), val)


@pytest.mark.parametrize("split", ["train", "val"])
def test_faces_without_a_label_are_an_error(tmp_path, fine, split):
    own = dict(zip(("train", "val"), fine, strict=True))
    own[split] = relabelled(tmp_path / "d", split, "", "")
    with pytest.raises(DataError, match=f"{split}: 12 of 12 faces have no label"):
        check_training_rows(own["train"], own["val"])


def test_faces_that_leave_the_score_are_no_positives_of_val(tmp_path, fine):
    path = tmp_path / "d/csv/val_orig.csv"
    head, *rows = path.read_text().splitlines()
    marked = [f"{row},{int(',NOT_SPEAKING,' in row)}" for row in rows]
    path.write_text("\n".join([f"{head},eval", *marked]))
    (warning,) = check_training_rows(fine[0], tracks(tmp_path / "d", split="val"))
    assert "val has one class: 0 of its 6 faces" in warning


@pytest.mark.parametrize(
    ("train", "val", "weights", "said"),
    [(25, 25, 25.0, []), (30, 29.97, None, []),
     (24, 25, None, ["1 of 1 val videos have other frame rates than train (24 a second): 25"]),
     (30, 30, 25.0, ["1 of 1 train videos have other frame rates than the weights (25 a", "val"]),
     (25, 50, 25.0, ["1 of 1 val videos have other frame rates than the weights (25 a"])],
)  # fmt: skip
def test_frame_rates_that_the_weights_were_not_trained_at(tmp_path, train, val, weights, said):
    own = opened(
        tmp_path / "d",
        train={"a": [track("a:0", 40, rate=train)]},
        val={"b": [track("b:0", 40, rate=val)]},
    )
    warnings = check_training_rows(*own, weights)
    assert len(warnings) == len(said)
    assert all(part in warning for part, warning in zip(said, warnings, strict=True))


# ------------------------------------------------------------------------------ train asks


@pytest.fixture(scope="module")
def leaking(tmp_path_factory):
    """Two splits to train on; a video of val is in train too, and nobody speaks in val."""
    pytest.importorskip("torch", reason='pip install "unitalk[models]"')
    pytest.importorskip("cv2", reason="gray needs the extra [tracks]")
    root = make_tiny(tmp_path_factory.mktemp("leaking") / "dataset")
    train, val = (root / f"csv/{split}_orig.csv" for split in ("train", "val"))
    _, *rows = train.read_text().splitlines()
    more = [row.replace("-bbbbbbbbbb:0", "-bbbbbbbbbb:7") for row in rows if "-bbbbbbbbbb:0" in row]
    silent = val.read_text().replace("SPEAKING_AUDIBLE", "NOT_SPEAKING").splitlines()
    changed = [line.replace(",1,", ",0,") for line in (*silent, *more) if "SPEAK" in line]
    val.write_text("\n".join([silent[0], *changed]).replace("SPEAKING_AUDIBLE", "NOT_SPEAKING"))
    for part, name in (("clips_videos", ""), ("clips_audios", ".wav")):
        old = root / part / "train/-bbbbbbbbbb" / f"-bbbbbbbbbb:0{name}"
        new = root / part / "val/-bbbbbbbbbb" / f"-bbbbbbbbbb:7{name}"
        new.parent.mkdir()
        new.symlink_to(old)
    return root


def test_train_refuses_before_it_writes_and_warns_before_it_trains(run, leaking, tmp_path):
    out = tmp_path / "run"
    words = ("-q", "train", leaking, "--destination", out, *SHORT)
    ran = run(*words)
    assert (ran.code, ran.stdout) == (3, "")
    assert "1 of 3 val videos are in train too: -bbbbbbbbbb; " in ran.stderr
    assert not out.exists()
    ran = run(*words, "--allow-leak", "--format", "json", "--resume")
    assert ran.code == 0
    leak, silent, new = json.loads(ran.stdout)["warnings"]
    assert "-bbbbbbbbbb" in leak
    assert "val has one class: 0 of its 28 faces" in silent
    assert new == f"{out} has nothing to resume: the run starts at the first epoch"
    assert ran.stderr == f"warning: {leak}\nwarning: {silent}\n"
    again = run(*words[1:], "--allow-leak", "--format", "json", "--resume")
    assert json.loads(again.stdout)["warnings"] == [leak, silent]

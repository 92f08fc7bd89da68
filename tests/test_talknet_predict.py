"""Predictions: every face once, in the ground truth's order, resumable, whoever computes them."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from build import read_rows
from conftest import exhaustive, one_in

from unitalk.errors import DataError, UnitalkError
from unitalk.executor import Processes, open_executor
from unitalk.media.tracks import tracks

torch = pytest.importorskip("torch", reason='pip install "unitalk[models]"')
pytest.importorskip("cv2", reason="gray needs the extra [tracks]")

from unitalk.models.features import audio_features  # noqa: E402
from unitalk.models.predict import PredictOptions, predict, threads_for  # noqa: E402
from unitalk.models.registry import load_network, new_network  # noqa: E402
from unitalk.models.track_scores import write_predictions  # noqa: E402

CPU = PredictOptions(device="cpu")


def by_hand(data: Path, weights: Path, split: str = "val", *, compat=False, logits=False):
    """Each face's score by its track and time: the network on whole tracks, one after the other."""
    network = load_network(weights)
    found = {}
    for track in tracks(data, split=split):
        heard = audio_features(track.audio["array"], len(track.frame_timestamp), compat=compat)
        faces = torch.from_numpy(track.gray(112)[None])
        with torch.no_grad():
            says = network(torch.from_numpy(heard[None]), faces).av[0]
        score = says[:, 1] if logits else torch.softmax(says, dim=1)[:, 1]
        for time, value in zip(track.frame_timestamp.tolist(), score.tolist(), strict=True):
            found[track.entity_id, time] = value
    return found


def check(path: Path, expected: dict[tuple[str, float], float]) -> None:
    rows = read_rows(path)
    assert len(rows) == len(expected)
    for row in rows:
        key = row["entity_id"], float(row["frame_timestamp"])
        assert float(row["score"]) == pytest.approx(expected[key], abs=2e-6)


# ------------------------------------------------------------------------------ what is written


def test_one_row_a_face_in_the_order_and_with_the_text_of_the_ground_truth(tiny, weights, tmp_path):
    report = predict(tiny, weights, tmp_path / "out.csv", options=CPU)
    rows = read_rows(tmp_path / "out.csv")
    truth = read_rows(tiny / "csv/val_orig.csv")
    shared = [name for name in truth[0] if name not in {"label", "label_id", "instance_id"}]
    assert [[row[n] for n in shared] for row in rows] == [[row[n] for n in shared] for row in truth]
    assert {row["label"] for row in rows} == {"SPEAKING_AUDIBLE"}
    assert list(rows[0]) == [*shared[:6], "label", "entity_id", "score"]  # AVA's submission
    assert (report.videos, report.tracks, report.faces, report.kept) == (2, 4, 22, 0)
    assert report.model == "light-asd"
    check(tmp_path / "out.csv", by_hand(tiny, weights))


def test_fault_11_rows_in_any_order_get_the_scores_of_their_faces(tiny, weights, tmp_path):
    """The original sets the n-th score beside the n-th row, whichever face that is."""
    data = Path(shutil.copytree(tiny, tmp_path / "data"))
    path = data / "csv/val_orig.csv"
    header, *rows = path.read_text().splitlines()
    order = np.random.default_rng(1).permutation(len(rows))
    path.write_text("\n".join([header, *(rows[n] for n in order)]) + "\n")
    predict(data, weights, tmp_path / "out.csv", options=CPU)
    check(tmp_path / "out.csv", by_hand(tiny, weights))
    assert [row["frame_timestamp"] for row in read_rows(tmp_path / "out.csv")] == [
        rows[n].split(",")[1] for n in order
    ]


def test_the_originals_features_and_the_raw_logit(tiny, weights, tmp_path):
    options = PredictOptions(device="cpu", compat=True, logits=True)
    predict(tiny, weights, tmp_path / "out.csv", options=options)
    found = by_hand(tiny, weights, compat=True, logits=True)
    check(tmp_path / "out.csv", found)
    usual = by_hand(tiny, weights, logits=True)
    assert any(abs(usual[key] - found[key]) > 1e-4 for key in usual)


def test_a_split_without_labels_can_be_scored(tiny, weights, tmp_path):
    data = Path(shutil.copytree(tiny, tmp_path / "data"))
    path = data / "csv/val_orig.csv"
    lines = path.read_text().splitlines()
    cut = [line.split(",") for line in lines]
    path.write_text(
        "".join(",".join([*c[:6], c[6] if n == 0 else "", c[7]]) + "\n" for n, c in enumerate(cut))
    )
    predict(data, weights, tmp_path / "out.csv", options=CPU)
    check(tmp_path / "out.csv", by_hand(tiny, weights))


# ------------------------------------------------------------------------------ going on


def half_scored(tiny: Path, weights: Path, tmp_path: Path) -> Path:
    """A dataset that is whole, and was scored when a sound of its second video was missing."""
    data = Path(shutil.copytree(tiny, tmp_path / "data"))
    gone = data / "clips_audios/val/ddddddddddd/ddddddddddd:1.wav"
    aside = gone.rename(tmp_path / "aside.wav")
    with pytest.raises(DataError, match=r"1 of 2 videos cannot be scored.*ddddddddddd:1") as caught:
        predict(data, weights, tmp_path / "out.csv", options=CPU)
    assert "run the same command again" in caught.value.hint
    assert not (tmp_path / "out.csv").exists()
    aside.rename(gone)
    return data


def test_videos_that_were_scored_are_kept(tiny, weights, tmp_path):
    data = half_scored(tiny, weights, tmp_path)
    report = predict(data, weights, tmp_path / "out.csv", options=CPU)
    assert report.kept == 1
    check(tmp_path / "out.csv", by_hand(tiny, weights))
    assert {path.name for path in tmp_path.iterdir()} == {"out.csv", "data"}


def test_scores_of_other_weights_are_not_kept(tiny, weights, tmp_path):
    data = half_scored(tiny, weights, tmp_path)
    torch.manual_seed(6)
    other = tmp_path / "other.model"
    torch.save(new_network("light-asd").state_dict(), other)
    assert predict(data, other, tmp_path / "out.csv", options=CPU).kept == 0
    check(tmp_path / "out.csv", by_hand(tiny, other))


@pytest.mark.parametrize(
    ("changed", "by"),
    one_in(2, [("videos/val/ccccccccccc/ccccccccccc:1/1.60.jpg", "1.72.jpg"),
               ("audios/val/ccccccccccc/ccccccccccc:1.wav", "ccccccccccc:0.wav")]),
)  # fmt: skip
def test_scores_of_files_that_changed_since_are_not_kept(tiny, weights, tmp_path, changed, by):
    data = half_scored(tiny, weights, tmp_path)
    path = data / f"clips_{changed}"
    path.write_bytes(path.with_name(by).read_bytes())
    assert predict(data, weights, tmp_path / "out.csv", options=CPU).kept == 0
    check(tmp_path / "out.csv", by_hand(data, weights))
    before, after = by_hand(tiny, weights), by_hand(data, weights)
    assert {key[0] for key in before if before[key] != after[key]} == {"ccccccccccc:1"}


def test_a_crop_that_is_a_link_to_nothing_is_named(tiny, weights, tmp_path):
    data = Path(shutil.copytree(tiny, tmp_path / "data"))
    crop = data / "clips_videos/val/ccccccccccc/ccccccccccc:1/1.60.jpg"
    crop.unlink()
    crop.symlink_to("nothing.jpg")
    with pytest.raises(DataError, match=r"1 of 2 videos cannot.*ccccccccccc:1/1\.60\.jpg"):
        predict(data, weights, tmp_path / "out.csv", options=CPU)
    crop.unlink()
    shutil.copy2(tiny / crop.relative_to(data), crop)
    assert predict(data, weights, tmp_path / "out.csv", options=CPU).kept == 1


@exhaustive
def test_processes_give_the_same_bytes(tiny, weights, tmp_path):
    one = PredictOptions(device="cpu", threads=1)
    predict(tiny, weights, tmp_path / "alone.csv", options=one)
    predict(tiny, weights, tmp_path / "two.csv", options=one, executor=Processes(2))
    assert (tmp_path / "alone.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_threads_are_shared_among_processes(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert [threads_for(jobs) for jobs in (None, 1, 2, 3, 100)] == [None, None, 4, 2, 1]


# ------------------------------------------------------------------------------ what is refused


def test_a_score_that_is_no_number_is_refused(tiny, tmp_path):
    found = np.full(22, 0.5, np.float32)
    found[3] = np.nan
    with pytest.raises(UnitalkError, match="1 of 22 faces is not a number"):
        write_predictions(tiny, "val", tmp_path / "out.csv", found, np.arange(22))
    assert not (tmp_path / "out.csv").exists()


@exhaustive
def test_a_clusters_worker_gives_the_same_bytes(tiny, weights, tmp_path, unmeasured):
    pytest.importorskip("distributed", reason='pip install "unitalk[cluster]"')
    from cluster import running

    one = PredictOptions(device="cpu", threads=1)
    predict(tiny, weights, tmp_path / "alone.csv", options=one)
    with running(tmp_path / "cluster") as cluster:
        cluster.worker(tmp_path)
        cluster.wait_for(1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Dask's own
            with open_executor(scheduler=cluster.address) as executor:
                predict(tiny, weights, tmp_path / "far.csv", options=one, executor=executor)
    assert (tmp_path / "alone.csv").read_bytes() == (tmp_path / "far.csv").read_bytes()

"""The sample is UniTalk's exact form, is the same bytes for the same seed, and is learnable."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import wave
import zipfile
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
import pytest
from build import read_rows
from conftest import exhaustive, tree
from PIL import Image

from unitalk import schema
from unitalk.catalog import video_list
from unitalk.dataset.sample import make_sample, publish
from unitalk.errors import DestinationError, LayoutError
from unitalk.files import unzip

SPLITS = ("train", "val")
COLUMNS = [
    "video_id", "frame_timestamp", "entity_box_x1", "entity_box_y1", "entity_box_x2",
    "entity_box_y2", "label", "entity_id", "label_id", "instance_id",
]  # fmt: skip
PREDICTION_COLUMNS = [*COLUMNS[:8], "score"]
ROOT = Path(__file__).resolve().parent.parent
MAKE = "import sys, pathlib; from unitalk.dataset.sample import make_sample; "
MAKE += "make_sample(pathlib.Path(sys.argv[1]))"


@pytest.fixture(scope="module")
def published(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub") / "repository"
    publish(sample, folder)
    return folder


def rows_of(root: Path, split: str) -> list[dict[str, str]]:
    return read_rows(root / f"csv/{split}_orig.csv")


def tracks_of(root: Path, split: str) -> dict[str, list[dict[str, str]]]:
    tracks: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows_of(root, split):
        tracks[row["entity_id"]].append(row)
    return tracks


def frame_of(row: dict[str, str]) -> int:
    return round(float(row["frame_timestamp"]) * 25)


def jpeg_of(root: Path, split: str, row: dict[str, str]) -> Path:
    name = f"{float(row['frame_timestamp']):.2f}.jpg"
    return root / "clips_videos" / split / row["video_id"] / row["entity_id"] / name


def wav_of(root: Path, split: str, entity: str) -> np.ndarray:
    path = root / "clips_audios" / split / entity.rpartition(":")[0] / f"{entity}.wav"
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(float)


def average_precision(labels: list[int], scores: list[float]) -> float:
    """VOC's AP for scores without ties: the mean of the best precision from each hit on."""
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    hits, precisions = 0, []
    for rank, i in enumerate(order, 1):
        if labels[i]:
            hits += 1
            precisions.append(hits / rank)
    best, total = 0.0, 0.0
    for precision in reversed(precisions):
        best = max(best, precision)
        total += best / hits
    return total


# ------------------------------------------------------------------------------ the same bytes


@exhaustive
def test_another_process_makes_the_same_bytes_after_one_was_killed(
    sample: Path, tmp_path: Path
) -> None:
    final = tmp_path / "sample"
    command = [sys.executable, "-W", "error", "-c", MAKE, str(final)]
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        limit = time.monotonic() + 60
        while not next(tmp_path.glob(".*/clips_videos/val/*/*/*.jpg"), None):
            assert process.poll() is None
            assert time.monotonic() < limit
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not final.exists()
    subprocess.run(command, check=True, cwd=ROOT, env=environment)
    assert os.listdir(tmp_path) == ["sample"]
    assert tree(final) == tree(sample)


@exhaustive
def test_another_seed_is_another_sample(sample: Path, tmp_path: Path) -> None:
    marker = tmp_path / ".unitalk/dataset.json"
    marker.parent.mkdir()
    marker.write_text(json.dumps({"made_by": "sample"}))
    with pytest.raises(DestinationError):
        make_sample(tmp_path, seed=1)
    report = make_sample(tmp_path, seed=1, overwrite=True)
    assert report.seed == json.loads(marker.read_text())["seed"] == 1
    mine, theirs = tree(sample), tree(tmp_path)
    media = [name for name in mine if name.endswith((".jpg", ".wav")) and name in theirs]
    assert media
    assert not [name for name in media if mine[name] == theirs[name]]
    for split in SPLITS:
        rows = rows_of(tmp_path, split)
        assert report.to_dict()["splits"][split] == {
            "videos": len({row["video_id"] for row in rows}),
            "tracks": len({row["entity_id"] for row in rows}),
            "faces": len(rows),
            "positives": sum(row["label_id"] == "1" for row in rows),
        }
    assert report.to_dict()["bytes"] == sum(map(len, theirs.values()))
    assert 8_000_000 < report.size < 12_000_000


# ------------------------------------------------------------------------------ the csv


def test_videos_are_the_published_ones(sample: Path) -> None:
    published = {
        split: [v.video_id for v in video_list.select(splits=(split,))] for split in SPLITS
    }
    train, val = (
        list(dict.fromkeys(row["video_id"] for row in rows_of(sample, s))) for s in SPLITS
    )
    assert val == published["val"]
    assert len(train) == 4
    assert train == [video for video in published["train"] if video in train]
    assert "-maoolmiKi0" in train
    for part in ("clips_videos", "clips_audios"):
        for split, expected in (("train", train), ("val", val)):
            assert sorted(os.listdir(sample / part / split)) == sorted(expected)


@pytest.mark.parametrize("split", SPLITS)
def test_csv_form(sample: Path, split: str) -> None:
    path = sample / "csv" / f"{split}_orig.csv"
    assert path.read_text().splitlines()[0].split(",") == COLUMNS
    rows = rows_of(sample, split)
    assert {row["label"]: row["label_id"] for row in rows} == {
        "SPEAKING_AUDIBLE": "1",
        "NOT_SPEAKING": "0",
    }
    # Tracks are contiguous, in time order, at 25 frames a second without a gap.
    changes = [a["entity_id"] != b["entity_id"] for a, b in pairwise(rows)]
    tracks = tracks_of(sample, split)
    assert sum(changes) + 1 == len(tracks)
    for entity, own in tracks.items():
        assert {row["video_id"] for row in own} == {entity.rpartition(":")[0]}
        first = frame_of(own[0])
        assert [frame_of(row) for row in own] == list(range(first, first + len(own)))
        assert 1.5 <= len(own) / 25 <= 4
        k = 0
        for before, row in zip([own[0], *own], own, strict=False):
            k += before["label"] != row["label"]
            assert row["instance_id"] == f"{entity}:{k}"
    numbers = defaultdict(list)
    for entity in tracks:
        numbers[entity.rpartition(":")[0]].append(int(entity.rpartition(":")[2]))
    assert all(own == list(range(len(own))) and 2 <= len(own) <= 4 for own in numbers.values())
    assert len(schema.read_groundtruth(path)) == len(rows)


@pytest.mark.parametrize("split", SPLITS)
def test_times_are_short_text_and_files_have_two_decimals(sample: Path, split: str) -> None:
    rows = rows_of(sample, split)
    for row in rows:
        assert row["frame_timestamp"] == repr(frame_of(row) * 4 / 100)
        assert jpeg_of(sample, split, row).is_file()
    on_disk = list((sample / "clips_videos" / split).rglob("*.jpg"))
    assert len(on_disk) == len(rows) == len({(r["entity_id"], r["frame_timestamp"]) for r in rows})
    # The trap is there: every fifth time's text is not its file's name.
    short = sum(len(row["frame_timestamp"].partition(".")[2]) == 1 for row in rows)
    assert 0.1 < short / len(rows) < 0.3


def test_faces_share_time_and_hear_the_same(sample: Path) -> None:
    for split in SPLITS:
        videos: dict[str, list[tuple[int, np.ndarray, int]]] = defaultdict(list)
        for entity, own in tracks_of(sample, split).items():
            sound = wav_of(sample, split, entity)
            assert len(sound) == len(own) * 640
            videos[own[0]["video_id"]].append((frame_of(own[0]), sound, len(own)))
        for tracks in videos.values():
            pairs = 0
            for i, (start, sound, frames) in enumerate(tracks):
                for other_start, other, other_frames in tracks[i + 1 :]:
                    first = max(start, other_start)
                    last = min(start + frames, other_start + other_frames)
                    if first < last:
                        pairs += 1
                        mine = sound[(first - start) * 640 : (last - start) * 640]
                        theirs = other[(first - other_start) * 640 : (last - other_start) * 640]
                        assert (mine == theirs).all()
            assert pairs


# ------------------------------------------------------------------------------ faces and sound


def test_crops_are_jpegs_of_the_box_size(sample: Path) -> None:
    sizes = set()
    for split in SPLITS:
        for row in rows_of(sample, split):
            left, top, right, bottom = (float(row[name]) for name in COLUMNS[2:6])
            assert 0 <= left < right <= 1
            assert 0 <= top < bottom <= 1
            with Image.open(jpeg_of(sample, split, row)) as image:
                assert image.format == "JPEG"
                assert image.mode == "RGB"
                size = (round((right - left) * 1280), round((bottom - top) * 720))
                assert image.size == size
                sizes.add(size)
    # Small, medium and large, by the width and by the area of the crop.
    assert {(w >= 64) + (w > 128) for w, _ in sizes} == {0, 1, 2}
    assert {(w * h >= 64 * 64) + (w * h >= 128 * 128) for w, h in sizes} == {0, 1, 2}


def test_the_mouth_moves_when_the_face_speaks(sample: Path) -> None:
    energies: dict[str, list[float]] = {"0": [], "1": []}
    larger = []
    for own in tracks_of(sample, "val").values():
        crops = []
        for row in own:
            with Image.open(jpeg_of(sample, "val", row)) as image:
                crops.append(np.asarray(image.convert("L").resize((112, 112)), dtype=float))
        mouth = np.array(crops)[:, 74:104, 28:84]
        motion = np.abs(np.diff(mouth, axis=0)).mean(axis=(1, 2))
        spoken: dict[str, list[float]] = {"0": [], "1": []}
        for row, before, energy in zip(own[1:], own, motion, strict=False):
            if row["label_id"] == before["label_id"]:
                spoken[row["label_id"]].append(energy)
        for label, found in spoken.items():
            energies[label] += found
        if min(map(len, spoken.values())) >= 10:
            larger.append(np.mean(spoken["1"]) > np.mean(spoken["0"]))
    assert np.mean(energies["1"]) > 2 * np.mean(energies["0"])
    assert len(larger) > 20
    assert np.mean(larger) > 0.95


def test_a_speaking_face_is_heard(sample: Path) -> None:
    loud, category = [], {video.video_id: video.category for video in video_list.videos()}
    floor = defaultdict(list)
    for entity, own in tracks_of(sample, "val").items():
        sound = wav_of(sample, "val", entity).reshape(-1, 640)
        power = (sound**2).mean(axis=1)
        floor[category[own[0]["video_id"]]].append(np.sqrt(np.percentile(power, 2)))
        assert np.abs(sound).max() < 32_767
        runs = defaultdict(list)
        for row, value in zip(own, power, strict=True):
            if row["label_id"] == "1":
                runs[row["instance_id"]].append(value)
        loud += [np.sqrt(np.mean(run)) for run in runs.values() if len(run) >= 8]
    assert min(loud) > 700
    assert all(np.mean(found) < 150 for name, found in floor.items() if name != "noise")
    assert np.mean(floor["noise"]) > 2 * np.mean(floor["language"])


# ------------------------------------------------------------------------------ predictions


def test_the_baseline_is_a_weaker_model_on_the_same_faces(sample: Path) -> None:
    labels = [int(row["label_id"]) for row in rows_of(sample, "val")]
    good, weak = (read_rows(sample / name) for name in ("predictions.csv", "baseline.csv"))
    assert [row | {"score": ""} for row in good] == [row | {"score": ""} for row in weak]
    prior = sum(labels) / len(labels)
    ap = [average_precision(labels, [float(row["score"]) for row in own]) for own in (weak, good)]
    assert prior + 0.2 < ap[0] < ap[1] - 0.02


def test_predictions(sample: Path) -> None:
    truth, made = (
        rows_of(sample, "val"),
        read_rows(sample / "predictions.csv"),
    )
    assert list(made[0]) == PREDICTION_COLUMNS
    keys = [name for name in PREDICTION_COLUMNS if name not in {"label", "score"}]
    assert [[row[k] for k in keys] for row in made] == [[row[k] for k in keys] for row in truth]
    assert {row["label"] for row in made} == {"SPEAKING_AUDIBLE"}
    scores = [float(row["score"]) for row in made]
    assert len(set(scores)) == len(scores)
    assert 0 < min(scores) < max(scores) < 1
    assert [repr(score) for score in scores] == [row["score"] for row in made]
    labels = [int(row["label_id"]) for row in truth]
    assert 0.75 < average_precision(labels, scores) < 0.95
    category = {video.video_id: video.category for video in video_list.videos()}
    of: dict[str | None, list[tuple[int, float]]] = defaultdict(list)
    for row, label, score in zip(truth, labels, scores, strict=True):
        of[category[row["video_id"]]].append((label, score))
    ap = {
        name: average_precision(*map(list, zip(*found, strict=True))) for name, found in of.items()
    }
    assert ap["noise"] < ap["language"]
    # Errors are smooth: a score is much nearer to the next frame's than to any other.
    steps = [
        abs(a - b)
        for a, b, one, two in zip(scores, scores[1:], made, made[1:], strict=False)
        if one["entity_id"] == two["entity_id"]
    ]
    assert np.mean(steps) < 0.5 * np.std(scores)


# ------------------------------------------------------------------------------ as the hub keeps it


def test_published_files_are_the_parts_of_the_videos(sample: Path, published: Path) -> None:
    expected = {
        f"{folder}/{split}/{row['video_id']}.{suffix}"
        for folder, suffix in (("csv", "csv"), ("clips_audios", "zip"), ("clips_videos", "zip"))
        for split in SPLITS
        for row in rows_of(sample, split)
    }
    assert set(tree(published)) == expected
    assert not list(published.parent.glob(".*"))


def test_published_archives_unpack_to_the_same_bytes(
    sample: Path, published: Path, tmp_path: Path
) -> None:
    litter = []
    for path in sorted(published.rglob("*.zip")):
        part, split, video = path.parts[-3], path.parts[-2], path.stem
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
            assert names == sorted(names)
            litter += [name for name in names if "__MACOSX" in name or ".DS_Store" in name]
            assert all(name.startswith((f"{video}/", "__MACOSX/._")) for name in names)
        target = tmp_path / part / split / video
        unzip(path, target, top=video)
        assert tree(target) == tree(sample / part / split / video)
    # Of one archive a split.
    assert sum(name.startswith("__MACOSX/._") for name in litter) == 2
    assert sum(name.endswith("/.DS_Store") for name in litter) == 2


@exhaustive
def test_publish_is_deterministic(sample: Path, published: Path, tmp_path: Path) -> None:
    publish(sample, tmp_path / "again")
    assert tree(tmp_path / "again") == tree(published)


def test_publish_refuses(sample: Path, tmp_path: Path) -> None:
    with pytest.raises(LayoutError):
        publish(tmp_path / "nothing", tmp_path / "hub")
    with pytest.raises(DestinationError):
        publish(sample, sample / "hub")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("kept")
    with pytest.raises(DestinationError):
        publish(sample, tmp_path / "mine")
    assert tree(tmp_path).keys() == {"mine/thesis.txt"}


# ------------------------------------------------------------------------------ faults


def test_a_failing_job_leaves_nothing(tmp_path: Path) -> None:
    class Failing:
        def task(self, description: str, *, total: int | None = None, unit: str = "") -> Failing:
            assert total == 26
            return self

        def note(self, text: str) -> None: ...

        def advance(self, amount: int = 1) -> None:
            raise KeyError("the progress bar broke")

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

    with pytest.raises(KeyError):
        make_sample(tmp_path / "sample", progress=Failing())
    assert not list(tmp_path.iterdir())

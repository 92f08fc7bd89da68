"""`unitalk.dataset.stats.statistics` on files: what is found, what is read, what is warned of."""

from __future__ import annotations

import csv
import importlib.util
import json
from collections import Counter
from pathlib import Path

import pytest
from build import Track, face, make_dataset, write_csv, write_wav
from conftest import exhaustive
from PIL import Image
from real_data import ASW, CHECKOUT, needs

import unitalk
from unitalk import EvaluateOptions, schema
from unitalk.dataset.stats import NO_CATEGORY, statistics
from unitalk.dataset.stats.stats_result import DESCRIPTION
from unitalk.dataset.stats.stored_media import count_media
from unitalk.errors import LayoutError
from unitalk.layout import Layout
from unitalk.progress import SilentProgress

LANGUAGE, MIXED, NOISE, VISUAL = "ho_oK12hY6M", "qv3-HaaxGUc", "EEey6Pt0rqI", "wh3-1DUTb3Q"
TRAIN = "-maoolmiKi0"


def boxed(video: str, time: float, track: str, speaking: int, box: tuple[float, ...]) -> list[str]:
    row = face(video, f"{time:g}", f"{video}:{track}", speaking)
    row[2:6] = [f"{edge:.6f}" for edge in box]
    return row


def write_crop(root: Path, split: str, video: str, track: str, time: float, size) -> None:
    path = root / f"clips_videos/{split}/{video}/{video}:{track}/{time:.2f}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (90, 60, 40)).save(path)


# ------------------------------------------------------------------------------ by hand


def test_the_dataset_of_the_fixture(dataset):
    """Three videos; at 25 faces a second a track lasts 40 ms a face, and one face no time:

    track           labels       frames of -maoolmiKi0: .36 with one face, .40 and .44 with two;
    -maoolmiKi0:0   0 1 1        one speaks at .40 and .44.
    -maoolmiKi0:1   0 0
    EEey6Pt0rqI:0   1 1 0        The other six frames have one face; it speaks in four.
    9Zja_cIAwY8:0   0 1
    9Zja_cIAwY8:1   1
    """
    found = statistics(dataset, csv_only=True)
    total = found.total
    assert (total.videos, total.tracks, total.faces, total.speaking) == (3, 5, 11, 6)
    assert total.labels.counts == {
        schema.SPEAKING: 6, schema.NOT_SPEAKING: 5, schema.NOT_AUDIBLE: 0
    }  # fmt: skip
    assert total.track_hours == pytest.approx(0.4 / 3600)
    assert total.frames_by_faces.counts == {"1": 7, "2": 2, "3": 0, "4+": 0}
    assert total.frames_by_speakers.counts == {"0": 3, "1": 6, "2+": 0}
    assert (total.stretches, total.label_changes) == (4, 3)
    assert (total.step_seconds, total.faces_a_second) == (0.04, 25)
    # Every box is from (0.1, 0.2) to (0.3, 0.45).
    for spread, value in ((total.width, 0.2), (total.height, 0.25), (total.area, 0.05)):
        assert spread.to_dict() == pytest.approx(dict.fromkeys(spread.to_dict(), value))
    assert (found.warnings, found.media) == ((), ())


def test_videos_categories_and_splits_of_the_fixture(dataset):
    """EEey6Pt0rqI and 9Zja_cIAwY8 are in the list of noise; a train id in val is in none."""
    found = statistics(dataset, csv_only=True)
    assert [(g.split, g.category, g.video, g.faces) for g in found.videos] == [
        ("val", None, "-maoolmiKi0", 5),
        ("val", "noise", "EEey6Pt0rqI", 3),
        ("val", "noise", "9Zja_cIAwY8", 3),
    ]
    assert [(g.level, g.category, g.videos, g.faces, g.speaking) for g in found.categories] == [
        ("category", "noise", 2, 6, 4),
        ("category", NO_CATEGORY, 1, 5, 2),
    ]
    assert [(g.level, g.split, g.faces) for g in found.splits] == [("split", "val", 11)]
    assert (found.total.level, found.total.split, found.total.video) == ("total", None, None)
    assert found.source == "val: header in line 1, 10 columns"
    assert found.dataset == str(dataset)


def test_media_of_the_fixture(dataset):
    """One wav a track: 44 bytes and 32,000 a second. Its crops are no pictures."""
    found = statistics(dataset)
    (media,) = found.media
    assert (media.split, media.crops, media.sounds) == ("val", 11, 5)
    lengths = (0.12, 0.08, 0.12, 0.08, 0.04)
    assert media.sound_bytes == sum(44 + 32_000 * length for length in lengths)
    assert found.total.pixel_width is None
    (warning,) = found.warnings
    assert "the face crops of 3 of 3 videos do not tell the frame's size" in warning


def test_two_splits(tmp_path):
    """Train: 2 faces, one speaks. Val: 3 faces, none speaks. All: 5 faces of 3 videos."""
    root = make_dataset(tmp_path, {TRAIN: [Track(f"{TRAIN}:0", ["0", "0.04"], [0, 1])]},
                        split="train")  # fmt: skip
    make_dataset(
        root,
        {
            LANGUAGE: [Track(f"{LANGUAGE}:0", ["0", "0.04"], [0, 0])],
            VISUAL: [Track(f"{VISUAL}:0", ["0"], [0])],
        },
    )
    found = statistics(root, csv_only=True)
    assert [(g.split, g.videos, g.faces, g.speaking_share) for g in found.splits] == [
        ("train", 1, 2, 0.5),
        ("val", 2, 3, 0),
    ]
    assert [(g.split, g.category, g.faces) for g in found.categories] == [
        ("val", "language", 2),
        ("val", "visual", 1),
    ]
    assert [g.video for g in found.videos] == [TRAIN, LANGUAGE, VISUAL]
    total = found.total
    assert (total.videos, total.tracks, total.faces, total.frames) == (3, 3, 5, 5)
    assert total.speaking_share == 0.2
    # None of val speaks: what is undefined is None, and counts are 0.
    assert found.splits[1].stretch_seconds is None
    assert found.splits[1].stretches == 0
    # One split alone, and in the dataset's order when both are asked for backwards.
    assert statistics(root, splits=("val",), csv_only=True).total.faces == 3
    both = statistics(root, splits=("val", "train"), csv_only=True)
    assert [g.split for g in both.splits] == ["train", "val"]


# ------------------------------------------------------------------------------ pixels


def test_sizes_in_pixels_come_from_the_crops(tmp_path):
    """A box of 0.2 x 0.25 of the frame, in three videos; the frames' sizes are told by two crops
    a video, one of them of half of the frame:

    frame        face       width    area
    400 x 400     80 x 100  64-128    8,000  64^2-128^2
    1000 x 600   200 x 150  >128     30,000  >=128^2
    250 x 200     50 x  50  <64       2,500  <64^2
    """
    frames = {LANGUAGE: (400, 400), MIXED: (1000, 600), NOISE: (250, 200)}
    rows = []
    for video, (width, height) in frames.items():
        for time, box in ((0, (0, 0, 0.5, 0.5)), (0.04, (0.2, 0.25, 0.4, 0.5))):
            rows.append(boxed(video, time, "0", 0, box))
            size = (round(width * (box[2] - box[0])), round(height * (box[3] - box[1])))
            write_crop(tmp_path, "val", video, "0", time, size)
    write_csv(tmp_path / "csv/val_orig.csv", rows)
    found = statistics(tmp_path)
    assert found.warnings == ()
    per_video = {g.video: g for g in found.videos}
    for video, (width, height) in frames.items():
        # Two sizes that a crop of half of the frame allows differ by less than 4 pixels.
        assert per_video[video].pixel_width.most == pytest.approx(width / 2, abs=2)
        assert per_video[video].pixel_width.least == pytest.approx(width / 5, abs=1)
        assert per_video[video].pixel_height.least == pytest.approx(height / 4, abs=1)
    # The small faces as in the table; the large ones are 200, 500 and 125 wide.
    assert found.total.faces_by_pixel_width.counts == {"<64": 1, "64-128": 2, ">128": 3}
    assert found.total.faces_by_pixel_area.counts == {
        "<64^2": 1, "64^2-128^2": 2, ">=128^2": 3
    }  # fmt: skip
    assert statistics(tmp_path, csv_only=True).total.pixel_width is None


def test_boxes_in_pixels_are_told_and_have_no_size(tmp_path):
    path = write_csv(tmp_path / "g.csv", [boxed("V", 0, "0", 1, (10, 20, 110, 90))])
    found = statistics(path)
    assert found.total.width is found.total.area is None
    assert found.total.faces == 1
    (warning,) = found.warnings
    assert warning.startswith("boxes reach 110 where 1 is the frame's edge")


# ------------------------------------------------------------------------------ what is warned of


def test_twice_the_same_face(tmp_path):
    """0.1204 s is 120 ms as 0.12 is."""
    rows = [face("V", time, "V:0", 0) for time in ("0.08", "0.12", "0.1204")]
    found = statistics(write_csv(tmp_path / "g.csv", rows))
    assert found.total.faces == 3
    assert found.total.frames == 2
    assert any(text.startswith("1 rows repeat a face") for text in found.warnings)


def test_a_video_in_both_splits(tmp_path):
    for split in ("train", "val"):
        make_dataset(tmp_path, {NOISE: [Track(f"{NOISE}:0", ["0"], [1])]}, split=split)
    found = statistics(tmp_path, csv_only=True)
    assert (found.total.videos, found.total.tracks, found.total.frames) == (2, 2, 2)
    (warning,) = found.warnings
    assert warning == f"in more than one split, and counted in each: {NOISE} (1 of 1 videos)"


@pytest.mark.parametrize(("step", "warned"), [(40, False), (200, True), (33.36667, True)])
def test_other_than_25_faces_a_second(tmp_path, step, warned):
    """100 faces are 100 / 90,000 hours by the paper's rule, and 100 steps by their times."""
    rows = [face("V", f"{number * step / 1000:.5f}", "V:0", 1) for number in range(100)]
    found = statistics(write_csv(tmp_path / "g.csv", rows))
    assert found.total.face_hours == 100 / 90_000
    assert found.total.track_hours == pytest.approx(100 * step / 3_600_000, rel=1e-3)
    assert found.total.faces_a_second == pytest.approx(1000 / step, rel=1e-3)
    assert bool(found.warnings) is warned
    if warned:
        assert "face_hours, which takes 25 for all datasets" in found.warnings[0]


# ------------------------------------------------------------------------------ what is read


def rows_of_two() -> list[list[str]]:
    return [face("V", "0", "V:0", 1), face("V", "0.04", "V:0", 0), face("W", "0", "W:0", 1)]


def test_a_csv_file_is_one_split_with_its_name(tmp_path):
    found = statistics(write_csv(tmp_path / "my truth.csv", rows_of_two()))
    assert [group.split for group in found.splits] == ["my truth"]
    assert [group.split for group in found.videos] == ["my truth"] * 2
    assert (found.total.videos, found.total.faces) == (2, 3)
    assert found.categories == ()


def test_a_folder_of_csv_files_is_one_split_with_its_name(tmp_path):
    """AVA's form: a file a video, eight columns, no header, three labels."""
    folder = tmp_path / "ava" / "val"
    rows = {"V": [], "W": []}
    for row in rows_of_two():
        rows[row[0]].append(row[:8])
    rows["V"][1][6] = "SPEAKING_NOT_AUDIBLE"
    for video, own in rows.items():
        write_csv(folder / f"{video}-activespeaker.csv", own, None)
    found = statistics(folder)
    assert found.splits[0].split == "val"
    assert found.total.labels.counts == {
        schema.SPEAKING: 2, schema.NOT_SPEAKING: 0, schema.NOT_AUDIBLE: 1
    }  # fmt: skip
    assert found.total.speaking_share == 2 / 3
    assert found.total.label_changes == 1
    assert found.source == "val: 2 files: no header, 8 columns"


def test_the_files_of_single_videos_stand_for_a_split_without_its_own(tmp_path):
    """As they lie there before a download ends; hidden files and other folders are passed over."""
    for video in (NOISE, MIXED):
        write_csv(tmp_path / f"csv/val/{video}.csv", [face(video, "0", f"{video}:0", 1)], None)
    found = statistics(tmp_path)
    assert [group.split for group in found.splits] == ["val"]
    assert found.total.videos == 2
    (warning,) = found.warnings
    assert warning.startswith("val: read from the files of 2 single videos")
    with pytest.raises(LayoutError, match="train"):
        statistics(tmp_path, splits=("train",))
    # The split's own file counts as soon as it is there.
    write_csv(tmp_path / "csv/val_orig.csv", [face(NOISE, "0", f"{NOISE}:0", 1)])
    found = statistics(tmp_path)
    assert found.total.videos == 1
    assert found.warnings == ()


# ------------------------------------------------------------------------------ media


def test_files_are_counted_wherever_a_loader_would_find_them(tmp_path):
    """UniTalk's folders (video, track) and ASC's (track alone); hidden and other files are not.

    The bytes of crops are those of one crop a folder times their number: 3 * 10 + 2 * 30.
    """
    crops, sounds = tmp_path / "clips_videos/val", tmp_path / "clips_audios/val"
    sizes = {
        "V/V:0/0.00.jpg": 10, "V/V:0/0.04.JPEG": 10, "V/V:0/0.08.jpg": 10, "V:1/0.00.jpg": 30,
        "V:1/0.04.jpg": 30, "V/V:0/.0.08.jpg": 5, "V/V:0/notes.txt": 5, ".part/V:0/0.00.jpg": 5,
        "V/.x/0.00.jpg": 5,
    }  # fmt: skip
    for path, size in sizes.items():
        (crops / path).parent.mkdir(parents=True, exist_ok=True)
        (crops / path).write_bytes(b"x" * size)
    (crops / "V/V:0/again").symlink_to(crops, target_is_directory=True)  # and it ends
    write_wav(sounds / "V/V:0.wav", 1.0)
    media = count_media(Layout(tmp_path), "val", SilentProgress())
    assert (media.crops, media.crop_bytes_about) == (5, 90)
    assert (media.sounds, media.sound_bytes) == (1, 44 + 32_000)
    assert count_media(Layout(tmp_path), "train", SilentProgress()) is None


# ------------------------------------------------------------------------------ the result


def test_what_is_divided_is_divided_without_a_rest(sample):
    found = json.loads(json.dumps(statistics(sample).to_dict(), allow_nan=False))
    assert found["definitions"] == DESCRIPTION
    assert [len(found[key]) for key in ("splits", "categories", "videos", "media")] == [2, 4, 26, 2]
    for group in (found["total"], *found["splits"], *found["categories"], *found["videos"]):
        assert set(DESCRIPTION) < set(group)
        for name, of in (("labels", "faces"), ("faces_by_company", "faces"),
                         ("frames_by_faces", "frames"), ("frames_by_speakers", "frames"),
                         ("tracks_by_length", "tracks")):  # fmt: skip
            assert group[name]["of"] == of
            assert sum(group[name]["counts"].values()) == group[of]
            assert sum(group[name]["shares"].values()) == pytest.approx(1)
    train, val = found["splits"]
    # What the sample's maker prints.
    assert [(g["videos"], g["tracks"], g["faces"], g["speaking"]) for g in (train, val)] == [
        (4, 11, 620, 261),
        (22, 58, 3077, 1352),
    ]
    assert [(m["crops"], m["sounds"]) for m in found["media"]] == [(620, 11), (3077, 58)]
    assert (found["total"]["faces_a_second"], found["warnings"]) == (25, [])
    for key in ("tracks", "faces", "speaking", "frames", "stretches", "label_changes"):
        total = found["total"][key]
        assert sum(group[key] for group in found["splits"]) == total, key
        assert sum(group[key] for group in found["videos"]) == total, key
        assert sum(group[key] for group in found["categories"]) == val[key], key


# ------------------------------------------------------------------------------ beside eval


def test_the_evaluation_divides_the_sample_into_the_same_parts(sample):
    """Names and numbers of faces are those of `evaluate(by=...)`, for val of the sample."""

    def parts(by, of="faces", **options) -> dict[str, int]:
        asked = EvaluateOptions(frame_size=(1280, 720), **options)
        files = sample / "csv/val_orig.csv", sample / "predictions.csv"
        *groups, _total = unitalk.evaluate(*files, by=by, options=asked).groups
        return {group.by[by]: getattr(group, of) for group in groups}

    def some(counts: dict[str, int]) -> dict[str, int]:
        return {name: count for name, count in counts.items() if count}

    val = statistics(sample, splits=("val",))
    assert parts("face-size") == some(val.total.faces_by_pixel_width.counts)
    assert parts("face-size", face_size="area") == some(val.total.faces_by_pixel_area.counts)
    assert parts("faces") == some(val.total.faces_by_company.counts)
    assert parts("track-length", of="tracks") == some(val.total.tracks_by_length.counts)
    assert parts("category") == {group.category: group.faces for group in val.categories}
    # A face is crowded when another one speaks in its frame: where two or more do, all are.
    assert parts("crowded")["yes"] >= 2 * val.total.frames_by_speakers.counts["2+"] > 0


# ------------------------------------------------------------------------------ real annotations


@exhaustive
@needs(ASW)
def test_asw(tmp_path):
    """The numbers of the dataset itself (see test_asw.py); it has five faces a second."""
    spec = importlib.util.spec_from_file_location("asw", CHECKOUT / "benchmarks/asw_to_csv.py")
    asw = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(asw)
    moments, changes, before = Counter(), 0, {}
    with (tmp_path / "groundtruth.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(schema.COLUMNS)
        for row in asw.rows(ASW):
            writer.writerow(row)
            moments[row[0], round(1000 * float(row[1]))] += 1
            # Within a track the archive's rows are in time order.
            changes += before.get(row[7], row[6]) != row[6]
            before[row[7]] = row[6]
    found = statistics(tmp_path / "groundtruth.csv")
    total = found.total
    assert (total.faces, total.tracks, total.videos) == (461_486, 8_159, 159)
    assert total.speaking == 195_471
    assert total.faces_a_second == 5
    assert total.track_hours == pytest.approx(461_486 / 5 / 3600, rel=1e-3)
    assert len(found.warnings) == 1
    assert total.frames == len(moments)
    assert total.label_changes == changes
    assert total.frames_by_faces.counts == {
        **{str(n): sum(count == n for count in moments.values()) for n in (1, 2, 3)},
        "4+": sum(count >= 4 for count in moments.values()),
    }

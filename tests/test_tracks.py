"""The track reader: which tracks there are, in which order, and what each gives, from folders."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import struct
import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest
from build import HEADER, face, jpg, make_dataset, make_real, read_rows, write_csv
from build import Track as Drawn
from conftest import slow

from unitalk.errors import DataError, LayoutError, UsageError
from unitalk.media.tracks import Track, tracks


@pytest.fixture
def drawn(dataset: Path) -> Path:
    return make_real(dataset)


# ------------------------------------------------------------------------------ which tracks


def test_the_tracks_are_those_of_the_csv_in_its_order(drawn):
    found = tracks(drawn)
    assert [(track.split, track.video_id, track.entity_id) for track in found] == [
        ("val", "-maoolmiKi0", "-maoolmiKi0:0"),
        ("val", "-maoolmiKi0", "-maoolmiKi0:1"),
        ("val", "EEey6Pt0rqI", "EEey6Pt0rqI:0"),
        ("val", "9Zja_cIAwY8", "9Zja_cIAwY8:0"),
        ("val", "9Zja_cIAwY8", "9Zja_cIAwY8:1"),
    ]
    assert found.lengths.tolist() == [3, 2, 3, 2, 1]
    assert (len(found), found.faces) == (5, 11)
    assert repr(found) == f"<5 tracks with 11 faces of {drawn}>"


def test_every_row_of_the_csv_is_in_its_track(small):
    """Against `csv`, which knows nothing of arrays."""
    for split in ("train", "val"):
        want: dict[str, list[tuple[float, int, list[float]]]] = {}
        for row in read_rows(small / f"csv/{split}_orig.csv"):
            box = [float(row[name]) for name in row if name.startswith("entity_box")]
            own = (float(row["frame_timestamp"]), int(row["label_id"]), box)
            want.setdefault(row["entity_id"], []).append(own)
        found = tracks(small, split=split)
        assert [track.entity_id for track in found] == list(want)
        for track in found:
            columns = (track.frame_timestamp, track.label_id, track.boxes)
            got = list(zip(*(column.tolist() for column in columns), strict=True))
            assert got == want[track.entity_id]


def test_rows_in_any_order_come_by_track_and_time(drawn):
    """Tracks keep the order in which they first stand in the csv; faces are in that of time."""
    path = drawn / "csv/val_orig.csv"
    before = {track.entity_id: track for track in tracks(drawn)}
    rows = [list(row.values()) for row in read_rows(path)]
    shuffled = [rows[place] for place in (10, 2, 7, 4, 0, 9, 5, 1, 6, 3, 8)]
    write_csv(path, shuffled)
    found = tracks(drawn)
    assert [track.entity_id for track in found] == list(dict.fromkeys(row[7] for row in shuffled))
    for track in found:
        other = before[track.entity_id]
        assert track.frame_timestamp.tolist() == other.frame_timestamp.tolist()
        assert track.label_id.tolist() == other.label_id.tolist()
        assert track.jpgs() == other.jpgs()


def test_a_track_knows_its_video_its_rows_and_its_rate(tmp_path):
    """Rows of 30 and of 25 frames a second, mixed; a short track has its video's rate."""
    thirty = [f"{n / 30:.2f}" for n in range(40)]
    usual = [f"{n / 25:.2f}" for n in range(12)]
    root = make_dataset(
        tmp_path / "d",
        {
            "a": [Drawn("a:0", thirty, [0] * 40), Drawn("a:1", thirty[:2], [0, 1])],
            "b": [Drawn("b:0", usual, [1] * 12)],
        },
    )
    path = root / "csv/val_orig.csv"
    header, *rows = path.read_text().splitlines()
    order = np.random.default_rng(3).permutation(len(rows))
    path.write_text("\n".join([header, *(rows[n] for n in order)]) + "\n")
    found = tracks(root)
    rates = {"a": 30.0, "b": 25.0}
    assert found.videos == [track.video_id for track in found]
    assert found.frame_rates.tolist() == [rates[video] for video in found.videos]
    written = read_rows(path)
    for some in (found, found[1:], found.pick([2, 0]), found.pick([])):
        faces = [
            (track.entity_id, time) for track in some for time in track.frame_timestamp.tolist()
        ]
        at = [written[place] for place in some.places.tolist()]
        assert [(row["entity_id"], float(row["frame_timestamp"])) for row in at] == faces
    assert found.pick([2, 0]).videos == [found.videos[2], found.videos[0]]


def test_videos_are_chosen_by_id_file_and_category(small, tmp_path):
    some = tracks(small, videos=["-maoolmiKi0", "EEey6Pt0rqI"])
    assert {track.video_id for track in some} == {"-maoolmiKi0", "EEey6Pt0rqI"}
    listed = tmp_path / "list.csv"
    listed.write_text("Link\nhttps://www.youtube.com/watch?v=-maoolmiKi0\n")
    assert {track.video_id for track in tracks(small, videos=listed)} == {"-maoolmiKi0"}
    noise = tracks(small, split="val", videos="noise")
    assert len({track.video_id for track in noise}) == 3
    whole = [track for track in tracks(small) if track.video_id == "-maoolmiKi0"]
    assert [t.entity_id for t in some if t.video_id == "-maoolmiKi0"] == [
        t.entity_id for t in whole
    ]
    assert some.find(whole[0].entity_id).label_id.tolist() == whole[0].label_id.tolist()


def test_what_is_not_there_is_said(small, tmp_path):
    with pytest.raises(DataError, match="no rows of 1 of the videos in val: nowhere") as raised:
        tracks(small, split="val", videos=["nowhere", "EEey6Pt0rqI"])
    assert raised.value.hint == "look at the ids, or give the split of these videos"
    with pytest.raises(UsageError, match="unknown split 'dev'"):
        tracks(small, split="dev")
    with pytest.raises(UsageError, match="unknown source 'tar'"):
        tracks(small, source="tar")
    with pytest.raises(UsageError, match="the list of videos is empty"):
        tracks(small, videos=[])
    with pytest.raises(LayoutError, match="lacks csv/test_orig.csv"):
        tracks(small, split="test")
    with pytest.raises(LayoutError, match="lacks csv/val_orig.csv"):
        tracks(tmp_path)


def test_two_rows_of_one_face_are_refused(drawn):
    path = drawn / "csv/val_orig.csv"
    rows = [list(row.values()) for row in read_rows(path)]
    write_csv(path, [*rows, ["-maoolmiKi0", "0.4004", *rows[1][2:]]])
    with pytest.raises(
        DataError, match=r"1 faces of a track .*: -maoolmiKi0:0 at 0\.4 and 0\.4004 s"
    ):
        tracks(drawn)


def test_ava_s_eight_columns_do(drawn):
    """Labels become numbers; speaking that is not heard is 2."""
    path = drawn / "csv/val_orig.csv"
    rows = [list(row.values())[:8] for row in read_rows(path)]
    rows[2][6] = "SPEAKING_NOT_AUDIBLE"
    write_csv(path, rows, HEADER.removesuffix(",label_id,instance_id"))
    assert tracks(drawn)[0].label_id.tolist() == [0, 1, 2]


def test_faces_that_nobody_labelled_are_read_all_the_same(drawn):
    """AVA's test split as `unitalk import ava` writes it: the two columns are there and empty."""
    path = drawn / "csv/val_orig.csv"
    rows = [list(row.values()) for row in read_rows(path)]
    write_csv(path, [[*row[:6], "", row[7], "", row[9]] for row in rows])
    assert tracks(drawn)[0].label_id.tolist() == [-1, -1, -1]
    write_csv(
        path,
        [[*row[:6], row[7]] for row in rows],
        HEADER.replace(",label,", ",").removesuffix(",label_id,instance_id"),
    )
    assert tracks(drawn)[0].label_id.tolist() == [-1, -1, -1]


def test_what_leaves_the_score_is_known(drawn):
    """ASW's eleventh column; without it all faces count."""
    assert tracks(drawn)[0].scored.tolist() == [True] * 3
    path = drawn / "csv/val_orig.csv"
    rows = [[*row.values(), "01"[place % 3 > 0]] for place, row in enumerate(read_rows(path))]
    write_csv(path, rows[::-1], HEADER + ",eval")
    assert tracks(drawn).find("-maoolmiKi0:0").scored.tolist() == [False, True, True]
    assert tracks(drawn).find("9Zja_cIAwY8:0").scored.dtype == np.bool_


# ------------------------------------------------------------------------------ a sequence


def test_the_laws_of_a_sequence(small):
    found = tracks(small, split="val")
    everything = list(found)
    assert len(found) == len(everything) > 10
    assert [track.entity_id for track in found[3:9:2]] == [
        track.entity_id for track in everything[3:9:2]
    ]
    assert list(found[::-1]) == list(reversed(found)) == everything[::-1]
    assert found[-1] == everything[-1] == found[len(found) - 1]
    assert found[5:8][1] == everything[6]
    assert found[np.int64(4)] == everything[4]
    assert everything[7] in found
    assert everything[7] not in found[:7]
    assert found.index(everything[7]) == 7
    assert found.count(everything[7]) == 1
    assert list(found.pick([4, 2, 2])) == [everything[4], everything[2], everything[2]]
    assert len(found[:0]) == found[:0].faces == 0
    for outside in (len(found), -len(found) - 1):
        with pytest.raises(IndexError):
            found[outside]
    with pytest.raises(IndexError):
        found[2:4][2]


def test_a_track_is_found_by_its_id(small):
    found = tracks(small)
    for track in found:
        assert found.find(track.entity_id) == track
    with pytest.raises(DataError, match="no track 'x:0' among these") as raised:
        found.find("x:0")
    assert raised.value.hint.endswith(found[0].entity_id)
    with pytest.raises(DataError, match="no track"):
        found[1:].find(found[0].entity_id)


def test_an_id_in_two_videos_or_splits_is_not_guessed(tmp_path):
    times = Drawn("a:0", ["0.4"], [1])
    root = make_dataset(tmp_path / "d", {"v1": [times], "v2": [times]})
    make_dataset(root, {"v1": [times]}, split="train")
    found = tracks(root)
    assert [(t.split, t.video_id) for t in found] == [("train", "v1"), ("val", "v1"), ("val", "v2")]
    with pytest.raises(DataError, match="3 tracks have the id 'a:0': in train v1, val v1, val v2"):
        found.find("a:0")
    assert found[2:].find("a:0").video_id == "v2"
    assert len({*found, *found}) == 3


# ------------------------------------------------------------------------------ what a track gives


def test_bytes_are_those_of_the_files(small):
    for track in tracks(small, split="val")[::5]:
        folder = small / "clips_videos/val" / track.video_id / track.entity_id
        names = [f"{seconds:.2f}.jpg" for seconds in track.frame_timestamp]
        assert track.jpgs() == [(folder / name).read_bytes() for name in names]
        assert sorted(names) == sorted(os.listdir(folder))
        wav = small / "clips_audios/val" / track.video_id / f"{track.entity_id}.wav"
        assert track.wav() == wav.read_bytes()


def test_the_record_is_that_of_the_hugging_face_loader(small):
    track = tracks(small)[2]
    assert list(track) == ["entity_id", "images", "audio", "frame_timestamp", "label_id"]
    record = dict(track)
    assert record["entity_id"] == track.entity_id
    assert record["label_id"].tolist() == track.label_id.tolist()
    assert record["frame_timestamp"].tolist() == track.frame_timestamp.tolist()
    assert len(record["images"]) == len(record["label_id"])
    assert "images" in track
    assert "boxes" not in track
    assert len(track) == 5
    with pytest.raises(KeyError):
        track["boxes"]
    path = small / "clips_audios" / track.split / track.video_id / f"{track.entity_id}.wav"
    with wave.open(str(path)) as sound:
        want = struct.unpack(f"<{sound.getnframes()}h", sound.readframes(sound.getnframes()))
    assert record["audio"]["sampling_rate"] == 16_000
    assert record["audio"]["array"].dtype == np.int16
    assert tuple(record["audio"]["array"].tolist()) == want


def test_times_are_found_however_files_and_csv_spell_them(tmp_path):
    names = ["0.4.jpg", "0.440.jpg", "12.jpeg", "12.04.jpg"]
    track = Drawn("v:0", ["0.40", ".44", "12", "12.040000000000001"], [0, 0, 1, 1], names=names)
    root = make_real(make_dataset(tmp_path / "d", {"v": [track]}))
    for number, name in enumerate(names):
        (root / "clips_videos/val/v/v:0" / name).write_bytes(jpg(number))
    found = tracks(root)[0]
    assert found.frame_timestamp.tolist() == [0.4, 0.44, 12.0, 12.040000000000001]
    assert found.jpgs() == [jpg(number) for number in range(4)]


def test_an_id_is_found_with_an_underscore_unless_that_is_another_track(tmp_path):
    root = tmp_path / "d"
    make_dataset(root, {"v": [Drawn("v:0", ["0.4"], [1]), Drawn("w:0", ["0.4"], [1])]})
    make_real(root)
    (root / "clips_videos/val/v/v:0").rename(root / "clips_videos/val/v/v_0")
    (root / "clips_audios/val/v/v:0.wav").rename(root / "clips_audios/val/v/v_0.wav")
    one = tracks(root)[0]
    assert (len(one.jpgs()), one.wav()[:4]) == (1, b"RIFF")
    write_csv(root / "csv/val_orig.csv", [face("v", "0.4", "v:0", 1), face("v", "0.4", "v_0", 1)])
    first, second = tracks(root)
    assert len(second.jpgs()) == 1
    with pytest.raises(LayoutError, match=r"v:0: the folder of this track's face crops is missing"):
        first.jpgs()
    with pytest.raises(LayoutError, match=r"v:0\.wav: the sound of this track is missing"):
        first.wav()


# ------------------------------------------------------------------------------ damage


def every_way(track: Track):
    return (track.jpgs, lambda: track.images, track.gray, lambda: track["images"])


def test_a_missing_crop_is_named_and_not_black(drawn):
    pytest.importorskip("cv2", reason="gray needs the extra [tracks]")
    folder = drawn / "clips_videos/val/-maoolmiKi0/-maoolmiKi0:0"
    (folder / "0.40.jpg").unlink()
    track = tracks(drawn)[0]
    for read in every_way(track):
        with pytest.raises(LayoutError) as raised:
            read()
        assert raised.value.message == f"a face crop is missing: {folder / '0.40.jpg'}"
        assert "`verify_dataset(" in raised.value.hint
    (folder / "0.36.jpg").unlink()
    with pytest.raises(LayoutError, match=r"2 face crops are missing: .*0\.36\.jpg, .*0\.40\.jpg$"):
        track.jpgs()
    shutil.rmtree(folder)
    with pytest.raises(LayoutError, match="the folder of this track's face crops is missing"):
        track.jpgs()
    assert tracks(drawn)[1].jpgs()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: b"", "the file is empty"),
        (lambda data: data[: len(data) // 2], "and no end: it is cut off"),
        (lambda data: data[:-1], "and no end: it is cut off"),
        (lambda data: b"GIF89a" + data[6:], "it is a GIF, not a JPEG"),
        (lambda data: bytes(len(data)), "does not begin as a JPEG"),
    ],
    ids=["empty", "half", "one byte", "another kind", "zeros"],
)
def test_a_damaged_crop_is_named_and_not_grey(drawn, change, reason):
    pytest.importorskip("cv2", reason="gray needs the extra [tracks]")
    path = drawn / "clips_videos/val/-maoolmiKi0/-maoolmiKi0:0/0.40.jpg"
    path.write_bytes(change(path.read_bytes()))
    track = tracks(drawn)[0]
    for read in every_way(track):
        with pytest.raises(DataError) as raised:
            read()
        assert raised.value.message.startswith(f"{path}: not a whole face crop: ")
        assert reason in raised.value.message


def wav_bytes(channels: int = 1, width: int = 2, rate: int = 16_000, frames: int = 800) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(width)
        sound.setframerate(rate)
        sound.writeframes(bytes(range(256)) * (channels * width * frames // 256))
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a whole wav: the file is empty"),
        (wav_bytes()[:30], "not a whole wav: it ends within its header"),
        (wav_bytes()[:-101], "not a whole wav: 1,435 of 1,536 bytes of samples are there"),
        (wav_bytes(channels=2), "2 channels of 16 bits; a track's sound is 16,000 Hz, 1 channel"),
    ],
    ids=["empty", "header", "cut", "stereo"],
)
def test_a_damaged_sound_is_named_and_not_silence(drawn, data, reason):
    path = drawn / "clips_audios/val/-maoolmiKi0/-maoolmiKi0:0.wav"
    path.write_bytes(data)
    track = tracks(drawn)[0]
    for read in (track.wav, lambda: track.audio, lambda: track["audio"]):
        with pytest.raises(DataError) as raised:
            read()
        assert raised.value.message.startswith(f"{path}: ")
        assert reason in raised.value.message


# ------------------------------------------------------------------------------ elsewhere


def test_tracks_travel_by_their_recipe_and_a_track_with_its_rows(small):
    found = tracks(small, split="val")[2:30:3]
    packed = pickle.dumps(found)
    assert len(packed) < 2_000
    there = pickle.loads(packed)
    assert list(there) == list(found)
    assert there.lengths.tolist() == found.lengths.tolist()
    one = pickle.loads(pickle.dumps(found[1]))
    assert one == found[1]
    assert len(pickle.dumps(found[1])) < 100 * len(found[1].label_id) + 1_000
    assert one.boxes.tolist() == found[1].boxes.tolist()
    assert (one.jpgs(), one.wav()) == (found[1].jpgs(), found[1].wav())


def test_tracks_do_not_travel_to_another_csv(drawn):
    packed = pickle.dumps(tracks(drawn))
    path = drawn / "csv/val_orig.csv"
    path.write_text(path.read_text() + ",".join(face("9Zja_cIAwY8", "9.2", "9Zja_cIAwY8:2", 1)))
    with pytest.raises(DataError, match="were changed after the tracks were opened"):
        pickle.loads(packed)


def sizes(track: Track) -> tuple[str, int]:
    return track.entity_id, sum(map(len, track.jpgs()))


def missing(track: Track) -> None:
    raise LayoutError(track.entity_id)


@slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_stream_is_in_order_whoever_reads(small, jobs):
    some = tracks(small, split="val")[:12]
    assert list(some.stream(sizes, jobs=jobs)) == [sizes(track) for track in some]
    with pytest.raises(LayoutError, match=f"^{some[0].entity_id}$"):
        list(some[:1].stream(missing, jobs=jobs))


def test_the_rows_of_all_tracks_cannot_be_changed_by_one(small):
    track = tracks(small)[0]
    for shared in (track.frame_timestamp, track.boxes, track.scored):
        with pytest.raises(ValueError, match="read-only"):
            shared[0] = 1
    track.label_id[:] = 7
    assert 7 not in tracks(small)[0].label_id
    with pytest.raises(AttributeError):
        track.split = "train"


def test_many_rows_are_arrays_and_not_objects(tmp_path):
    """8 bytes for a time and each of four edges, 1 for a label, 1 for `eval`; little a track."""
    count, each = 100_000, 50
    path = tmp_path / "csv/val_orig.csv"
    path.parent.mkdir()
    with path.open("w") as file:
        file.write(HEADER + "\n")
        for n in range(count):
            entity = f"v{n // 10_000}:{n // each}"
            file.write(
                f"v{n // 10_000},{n % each / 25},0.1,0.2,0.3,0.4,NOT_SPEAKING,{entity},0,i\n"
            )
    tracks(tmp_path)  # what is imported on the way is not counted
    tracemalloc.start()
    found = tracks(tmp_path)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(found), found.faces) == (2_000, count)
    assert kept < 42 * count + 500 * len(found)

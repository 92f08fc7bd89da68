"""`verify_dataset` on csv files and folders: one planted defect a test, and nothing else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from build import HEADER, Track, face, make_dataset, write_csv
from conftest import bound_by_permissions, slow
from hypothesis import given, settings
from hypothesis import strategies as st
from verify_data import (
    COLUMNS,
    ENTITY,
    INSTANCE,
    LABEL,
    LABEL_ID,
    TIME,
    VIDEO,
    X1,
    X2,
    A,
    B,
    Data,
    T,
    copy_of,
    found,
    only,
)

from unitalk.dataset.verify import KINDS, verify_dataset
from unitalk.errors import LayoutError, UsageError
from unitalk.files import mark


@pytest.fixture
def data(sample, tmp_path) -> Data:
    return copy_of(sample, tmp_path / "dataset")


# ------------------------------------------------------------------------------ nothing wrong


@pytest.mark.parametrize("deep", [False, True])
def test_the_sample_is_sound(sample, deep):
    """4 and 22 videos, 11 and 58 tracks, 620 and 3,077 faces, and a wav a track."""
    report = verify_dataset(sample, deep=deep, jobs=1)
    assert (report.ok, report.findings, report.notes, report.repairs) == (True, (), (), ())
    assert (report.videos, report.tracks, report.faces) == (26, 69, 3697)
    assert report.files == 3697 + 69
    assert (report.splits, report.deep, report.layout) == (("train", "val"), deep, "unitalk")


def test_one_split_alone(data):
    (data.root / "csv/train_orig.csv").write_text("no csv at all")
    report = data.verify(splits=("val",))
    assert (report.ok, report.splits) == (True, ("val",))
    assert (report.videos, report.faces) == (2, 190)


def test_a_dataset_that_the_original_scripts_left_is_sound(dataset):
    """But for the video that conftest puts into val, which is published in train."""
    report = verify_dataset(dataset)
    only(report, "wrong-split", video_id="-maoolmiKi0", faces=5, detail="is published in train")
    assert (report.tracks, report.files) == (5, 11 + 5)


def test_boxes_a_little_outside_and_a_grid_of_a_fifth_of_a_second_are_asws(tmp_path):
    """ASW's boxes go from -0.081 to 1.137, and its labels stand 0.2 s apart."""
    times = [f"{n / 5:.1f}" for n in range(30)]
    root = make_dataset(tmp_path / "d", {"asw": [Track("asw:000000", times, [0] * 15 + [1] * 15)]})
    data = Data(root)
    rows = data.rows()
    rows[3][X1:LABEL] = ["-0.081", "-0.05", "0.3", "1.137"]
    data.write(rows)
    assert data.verify().ok


def test_no_dataset_is_refused_as_everywhere(tmp_path, data):
    with pytest.raises(LayoutError, match="lacks csv/val_orig.csv"):
        verify_dataset(tmp_path)
    (data.root / "csv/train_orig.csv").unlink()
    with pytest.raises(LayoutError, match="it has val"):
        data.verify(splits=("train",))
    with pytest.raises(UsageError, match="unknown layout"):
        data.verify(layout="asw")
    with pytest.raises(UsageError, match="0 jobs"):
        data.verify(jobs=0)


def test_every_kind_says_what_it_is_does_and_wants():
    for name, kind in KINDS.items():
        assert name == name.lower().replace(" ", "-")
        assert all((kind.title, kind.effect, kind.remedy))
        assert not kind.title.endswith(".")


# ------------------------------------------------------------------------------ the csv: refused


@pytest.mark.parametrize(
    ("column", "text", "says"),
    [
        (LABEL, "SPEAKS", "label 'SPEAKS' is none of"),
        (TIME, "12,5", "frame_timestamp '12,5' is not a number"),
        (TIME, "-1", "is a negative time"),
        (X2, "inf", "entity_box_x2 'inf' is not a finite number"),
        (LABEL_ID, "3", "label_id '3' is none of 0, 1, 2"),
        (INSTANCE, "", "instance_id '' is not an id"),
        (INSTANCE, "a/b", "instance_id 'a/b' is not an id"),
    ],
)
def test_a_cell_that_the_schema_refuses(data, column, text, says):
    """The fifth row of val is in line 6."""
    rows = data.rows()
    rows[4][column] = text
    data.write(rows)
    report = data.verify()
    finding = only(report, "csv-cell", split="val", path="csv/val_orig.csv", line=6)
    assert says in finding["detail"]
    assert (finding["video_id"], finding["entity_id"]) == (A, f"{A}:0")
    assert report.faces == 190 - 1 + 111
    assert "were not looked for" in report.notes[0]


def test_a_row_that_is_no_row(data):
    """Too few cells in line 102, the header again in line 150."""
    rows = data.rows()
    rows[100] = rows[100][:-1]
    data.write([*rows[:148], COLUMNS, *rows[148:]])
    said = [(f.kind, f.line, f.detail) for f in data.verify().findings]
    assert said == [
        ("csv-row", 102, "9 cells where 10 are expected"),
        ("csv-row", 150, "the header again: were several files joined?"),
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file is empty"),
        (HEADER.encode() + b"\n", "a header and not one row"),
        ("ÿþ".encode("latin-1") + "video".encode("utf-16-le"), "UTF-16"),
        (b"a;b;c\n1;2;3\n", "neither a header nor a row"),
        (b"\x1f\x8b\x08\x00garbage", "cannot be read"),
    ],
)
def test_a_csv_that_cannot_be_read_is_a_finding_and_the_other_split_is_checked(data, content, says):
    (data.root / "csv/train_orig.csv").write_bytes(content)
    report = data.verify()
    finding = only(report, "csv-unreadable", split="train", path="csv/train_orig.csv")
    assert says in finding["detail"]
    assert report.faces == 190
    assert report.notes == ("nothing of train was looked at, because its csv cannot be read",)


@pytest.mark.parametrize("column", [LABEL_ID, INSTANCE])
def test_a_column_that_the_loaders_need(data, column):
    header = [name for place, name in enumerate(COLUMNS) if place != column]
    rows = [[c for place, c in enumerate(row) if place != column] for row in data.rows()]
    data.write(rows, header=",".join(header))
    only(data.verify(), "missing-column", split="val", detail=f"lacks {COLUMNS[column]}")


# ------------------------------------------------------------------------------ the csv: a row


def test_a_box_that_is_turned(data):
    """Line 70 is row 68, the eighth of EEey6Pt0rqI:1: 12.08 + 7 / 25 = 12.36."""
    rows = data.rows()
    rows[68][X1], rows[68][X2] = rows[68][X2], rows[68][X1]
    data.write(rows)
    only(data.verify(), "box-turned", video_id=A, entity_id=f"{A}:1", seconds=12.36, line=70)


@pytest.mark.parametrize(
    "box",
    [
        ("320", "180", "400", "260"),  # pixels
        ("1.0", "0.2", "1.2", "0.4"),  # wholly outside
        ("-0.3", "0.2", "0", "0.4"),
        ("0.2", "0.2", "0.4", "1.6"),
    ],
)
def test_a_box_that_is_no_box_of_the_frame(data, box):
    rows = data.rows()
    rows[0][X1:LABEL] = box
    data.write(rows)
    only(data.verify(), "box-range", entity_id=f"{A}:0", seconds=12.0, line=2)


def test_neighbours_with_one_fault_are_one_finding_with_their_number(data):
    """A whole track in pixels, and a single row of another."""
    rows = data.rows()
    for row in [*rows[100:150], rows[160]]:
        row[X1:LABEL] = ["320", "180", "400", "260"]
    data.write(rows)
    report = data.verify()
    assert report.counts == {"box-range": 2}
    assert [(f.entity_id, f.line, f.faces) for f in report.findings] == [
        (f"{B}:0", 102, 50), (f"{B}:1", 162, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("time", "kind", "seconds"),
    [("13.2", "duplicate-face", 13.2), ("13.204", "times-too-near", 13.204)],
)
def test_two_rows_of_one_file(data, time, kind, seconds):
    """13.20 and 13.204 are both 13.20.jpg."""
    rows = data.rows()
    again = [*rows[30]]
    again[TIME] = time
    data.write([*rows[:31], again, *rows[31:]])
    only(data.verify(), kind, entity_id=f"{A}:0", seconds=seconds, line=33)


def test_a_label_id_that_contradicts_its_label(data):
    rows = data.rows()
    rows[155][LABEL_ID] = "1"
    data.write(rows)
    finding = only(data.verify(), "label-id", entity_id=f"{B}:1", seconds=900.84, line=157)
    assert finding["detail"] == "NOT_SPEAKING and 1"


@pytest.mark.parametrize("label_id", ["0", "2"])
def test_speaking_that_is_not_audible_counts_as_silence_and_is_written_both_ways(data, label_id):
    rows = data.rows()
    for row in rows[150:190]:
        row[LABEL], row[LABEL_ID] = "SPEAKING_NOT_AUDIBLE", label_id
    data.write(rows)
    assert data.verify().ok


@pytest.mark.parametrize("text", ["elsewhere:0", f"{B}:1", f"{B}:1:x", f"{A}:0:0"])
def test_an_instance_id_of_another_track(data, text):
    rows = data.rows()
    rows[170][INSTANCE] = text
    data.write(rows)
    only(data.verify(), "instance-name", entity_id=f"{B}:1", line=172)


@pytest.mark.parametrize(
    ("rows_of", "instance", "line", "says"),
    [
        # EEey6Pt0rqI:0 begins to speak in its 48th face, line 49: k should go from 0 to 1.
        (slice(47, 61), f"{A}:0:0", 49, f"{A}:0:0 then {A}:0:0, with another label"),
        (slice(180, 190), f"{B}:1:1", 182, f"{B}:1:0 then {B}:1:1, with the same label"),
    ],
)
def test_an_instance_id_that_does_not_follow_the_label(data, rows_of, instance, line, says):
    rows = data.rows()
    for row in rows[rows_of]:
        row[INSTANCE] = instance
    data.write(rows)
    only(data.verify(), "instance-step", entity_id=instance[:-2], line=line, detail=says)


# ------------------------------------------------------------------------------ the csv: a track


def test_a_track_whose_rows_lie_apart(data):
    """The second half of EEey6Pt0rqI:0 goes to the end of the file: 190 - 30 rows before it."""
    rows = data.rows()
    data.write([*rows[:31], *rows[61:], *rows[31:61]])
    only(data.verify(), "rows-apart", entity_id=f"{A}:0", line=162, seconds=13.24)


def test_a_track_whose_rows_are_not_in_time_order(data):
    """Lines 22 and 23 change places, so that line 23 is earlier than 22: the face of 12.80."""
    rows = data.rows()
    rows[20], rows[21] = rows[21], rows[20]
    data.write(rows)
    only(data.verify(), "rows-unordered", entity_id=f"{A}:0", line=23, seconds=12.8)


@pytest.mark.parametrize("lacking", [4, 5])
def test_a_gap_is_more_than_a_fifth_of_a_second(data, lacking):
    """Without 4 faces the next is 0.20 s later, without 5 it is 0.24 s; 10 faces come before."""
    rows = data.rows()
    for row in rows[160 : 160 + lacking]:
        (data.track(f"{B}:1") / f"{float(row[TIME]):.2f}.jpg").unlink()
    data.write(rows[:160] + rows[160 + lacking :])
    report = data.verify()
    if lacking == 4:
        assert report.ok
    else:
        finding = only(report, "gap", entity_id=f"{B}:1", line=162, seconds=901.24)
        assert finding["detail"] == "0.24 s after the face before"


def rename_track(data, old, new, split="val"):
    """Give a track another id, in its rows and on the disk."""
    rows = data.rows(split)
    for row in rows:
        if row[ENTITY] == old:
            row[ENTITY], row[INSTANCE] = new, row[INSTANCE].replace(old, new)
    data.write(rows, split)
    folder, wav = data.track(old, split), data.wav(old, split)
    folder.rename(folder.with_name(new))
    wav.rename(wav.with_name(f"{new}.wav"))


def test_a_track_id_that_does_not_begin_with_its_videos(data):
    rename_track(data, f"{B}:1", "another:1")
    only(data.verify(), "entity-name", video_id=B, entity_id="another:1", line=152)


def test_a_track_id_that_two_videos_have(data):
    rename_track(data, f"{B}:1", f"{A}:1")
    finding = only(data.verify(), "entity-in-two-videos", video_id=B, entity_id=f"{A}:1", line=152)
    assert finding["detail"] == f"is in {A} too"


def test_a_track_id_that_a_video_of_each_split_has(data):
    rename_track(data, f"{T}:1", f"{T}{B}", "train")
    rename_track(data, f"{B}:1", f"{T}{B}")
    kinds = Counter(finding.kind for finding in data.verify().findings)
    assert kinds == {"entity-in-two-videos": 1, "entity-name": 1}


# ------------------------------------------------------------------------------ two csv files


def move_video(data, video, old, new, *, keep):
    rows = data.rows(old)
    own = [row for row in rows if row[VIDEO] == video]
    data.write(data.rows(new) + own, new)
    for part in ("clips_videos", "clips_audios"):
        there = data.root / part / old / video
        shutil.copytree(there, data.root / part / new / video)
        if not keep:
            shutil.rmtree(there)
    if not keep:
        data.write([row for row in rows if row[VIDEO] != video], old)


def test_a_video_in_both_splits(data):
    """The video is published in val; 90 of its faces are in each."""
    move_video(data, B, "val", "train", keep=True)
    only(data.verify(), "video-in-both-splits", video_id=B, faces=90, split="val")


def test_a_published_video_in_the_wrong_split(data):
    move_video(data, B, "val", "train", keep=False)
    only(data.verify(), "wrong-split", video_id=B, faces=90, split="train",
         detail="is published in val")  # fmt: skip


def per_video(data, video, change=lambda rows: rows, split="val"):
    rows = change([row for row in data.rows(split) if row[VIDEO] == video])
    return write_csv(data.root / f"csv/{split}/{video}.csv", rows, header=None)


def test_csv_files_of_single_videos_that_say_the_same_are_sound(data):
    """Without a header, as the hub has them; in another order, and times in another text."""
    per_video(data, A)
    per_video(data, T, split="train")
    per_video(
        data, B, lambda rows: [[*r[:1], f"{float(r[1]):.3f}", *r[2:]] for r in reversed(rows)]
    )
    assert data.verify().ok


def without(rows):
    return rows[:-7]


def relabelled(rows):
    for row in rows[:4]:
        row[LABEL], row[LABEL_ID] = "SPEAKING_AUDIBLE", "1"
    return rows


def moved(rows):
    rows[5][TIME] = "77.0"
    return rows


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without, "83 faces where the split has 90; 7 of the split are not in it, 0 of it"),
        (moved, "90 faces where the split has 90; 1 of the split are not in it, 1 of it"),
        (relabelled, "4 times another label, 4 times another label_id"),
        (lambda rows: [["v", "x"]], "neither a header nor a row"),
    ],
)
def test_a_videos_csv_that_disagrees(data, change, says):
    """The first 4 faces of 9Zja_cIAwY8:0 are silent."""
    per_video(data, A)
    per_video(data, B, change)
    finding = only(data.verify(), "video-csv", video_id=B, path=f"csv/val/{B}.csv")
    assert says in finding["detail"]


def test_a_videos_csv_of_which_the_split_has_nothing(data):
    rows = [face("jKqR-ahl8po", "1.0", "jKqR-ahl8po:0", 1)]
    write_csv(data.root / "csv/val/jKqR-ahl8po.csv", rows, header=None)
    only(data.verify(), "video-csv", video_id="jKqR-ahl8po", detail="the split has no row of it")


# ------------------------------------------------------------------------------ the folders


def test_a_missing_jpg(data):
    (data.track(f"{B}:1") / "900.80.jpg").unlink()
    path = f"clips_videos/val/{B}/{B}:1/900.80.jpg"
    report = data.verify()
    only(report, "missing-jpg", video_id=B, entity_id=f"{B}:1", seconds=900.8, path=path)
    assert report.files == 190 + 111 + 6 - 1
    assert report.ids == (B,)
    selection = f"Selection(videos=({B!r},), parts=('video',), refetch=True)"
    assert report.repairs == (f"plan_download(HUB, {str(data.root)!r}, selection={selection})",)


@pytest.mark.parametrize("emptied", [False, True])
def test_a_missing_track_is_one_finding(data, emptied):
    folder = data.track(f"{B}:1")
    shutil.rmtree(folder)
    if emptied:
        folder.mkdir()
    path = f"clips_videos/val/{B}/{B}:1"
    only(data.verify(), "missing-track", entity_id=f"{B}:1", faces=40, path=path)


@pytest.mark.parametrize(("part", "name"), [("video", "clips_videos"), ("audio", "clips_audios")])
def test_a_missing_folder_is_one_finding_for_each_part(data, part, name):
    shutil.rmtree(data.root / name / "val" / A)
    report = data.verify()
    only(report, "missing-video", video_id=A, faces=100, path=f"{name}/val/{A}", part=part)
    assert f"(videos=({A!r},), parts=({part!r},), refetch=True)" in report.repairs[0]
    shutil.rmtree(data.root / name / "val")
    report = data.verify()
    only(report, "missing-split", split="val", faces=190, path=f"{name}/val", part=part)
    selection = f"Selection(splits=('val',), parts=({part!r},))"
    assert report.repairs == (f"plan_download(HUB, {str(data.root)!r}, selection={selection})",)


def test_a_missing_wav(data):
    data.wav(f"{A}:1").unlink()
    report = data.verify()
    only(report, "missing-wav", video_id=A, entity_id=f"{A}:1", faces=39,
         path=f"clips_audios/val/{A}/{A}:1.wav")  # fmt: skip
    assert "parts=('audio',), refetch=True" in report.repairs[0]


def test_a_link_that_leads_nowhere_is_missing(data):
    path = data.track(f"{A}:0") / "12.40.jpg"
    path.unlink()
    path.symlink_to("nowhere")
    finding = only(data.verify(), "missing-jpg", seconds=12.4)
    assert finding["detail"] == "is a link that leads nowhere"
    data.wav(f"{A}:0").unlink()
    data.wav(f"{A}:0").symlink_to("nowhere")
    assert data.verify().counts == {"missing-jpg": 1, "missing-wav": 1}


def test_links_to_files_and_to_folders_are_what_they_lead_to(data, tmp_path):
    for path in (data.track(f"{A}:0"), data.wav(f"{A}:0"), data.track(f"{A}:1") / "12.40.jpg"):
        target = tmp_path / path.name
        path.rename(target)
        path.symlink_to(target)
    assert data.verify(deep=True, jobs=1).ok


def test_a_folder_where_a_jpg_should_be(data):
    path = data.track(f"{A}:0") / "12.40.jpg"
    path.unlink()
    path.mkdir()
    only(data.verify(), "missing-jpg", seconds=12.4, detail="is a folder")


EXTRA = {
    "extra-jpg": (
        f"clips_videos/val/{A}/{A}:0/99.00.jpg",
        {"entity_id": f"{A}:0", "seconds": 99.0},
    ),
    "extra-wav": (f"clips_audios/val/{A}/{A}:7.wav", {"video_id": A}),
    "extra-track": (f"clips_videos/val/{A}/{A}:7", {"video_id": A}),
    "extra-video": ("clips_videos/val/other", {"split": "val"}),
    "double-jpg": (f"clips_videos/val/{A}/{A}:0/12.4.jpg", {"detail": "12.40.jpg is there too"}),
}


@pytest.mark.parametrize("kind", EXTRA)
def test_what_no_row_wants(data, kind):
    path, place = EXTRA[kind]
    where = data.root / path
    where.touch() if where.suffix in {".jpg", ".wav"} else where.mkdir()
    only(data.verify(), kind, path=path, **place)


@pytest.mark.parametrize(
    "path",
    [
        "clips_videos/notes.txt",
        "clips_videos/dev",
        f"clips_videos/val/{A}.zip",
        f"clips_videos/val/{A}/list.txt",
        f"clips_videos/val/{A}/{A}:0/thumbs.db",
        f"clips_videos/val/{A}/{A}:0/sub",
        f"clips_audios/val/{A}/{A}:0.mp3",
        f"clips_audios/val/{A}/sub",
    ],
)
def test_what_is_no_part_of_a_dataset(data, path):
    where = data.root / path
    where.touch() if where.suffix else where.mkdir()
    only(data.verify(), "stray-file", path=path)


@pytest.mark.parametrize(
    "path",
    [
        "csv/.DS_Store",
        "clips_videos/.DS_Store",
        "clips_videos/val/__MACOSX",
        f"clips_videos/val/._{A}",
        f"clips_videos/val/{A}/.DS_Store",
        f"clips_videos/val/{A}/{A}:0/._12.40.jpg",
        f"clips_audios/val/{A}/._{A}:0.wav",
    ],
)
def test_what_macos_leaves(data, path):
    where = data.root / path
    where.mkdir() if path.endswith("__MACOSX") else where.touch()
    only(data.verify(), "macos-litter", path=path)


def test_what_lies_beside_the_folders_of_a_dataset_is_not_looked_at(data):
    (data.root / "predictions.csv").touch()
    (data.root / "csv/val_loader.csv").touch()
    (data.root / "csv/val_entity.json").touch()
    (data.root / "my_model").mkdir()
    assert data.verify().ok


def test_a_folder_that_may_not_be_listed(data):
    data.track(f"{A}:0").chmod(0)
    with bound_by_permissions():
        only(data.verify(), "folder-unreadable", entity_id=f"{A}:0", detail="Permission denied")
    data.track(f"{A}:0").chmod(0o755)


def test_names_that_our_reader_finds_are_no_finding_but_a_note(data):
    """`:` became `_` on another file system; times are written otherwise."""
    data.track(f"{A}:0").rename(data.track(f"{A}:0").with_name(f"{A}_0"))
    data.wav(f"{A}:1").rename(data.wav(f"{A}:1").with_name(f"{A}_1.wav"))
    folder = data.track(f"{B}:0")
    (folder / "900.20.jpg").rename(folder / "900.2.jpg")
    (folder / "900.24.jpg").rename(folder / "900.2400.jpg")
    report = data.verify(deep=True, jobs=1)
    assert (report.ok, report.findings) == (True, ())
    assert report.files == 190 + 111 + 6
    (note,) = report.notes
    assert note.startswith("2 crops of val have names")


def test_rows_that_were_refused_do_not_make_their_files_extra(data):
    """A whole track's ids are broken; its folder and its wav are not said to be too much."""
    rows = data.rows()
    for row in rows[150:190]:
        row[ENTITY] = ""
    data.write(rows)
    assert data.verify().counts == {"csv-cell": 40}


# ------------------------------------------------------------------------------ many at once


@slow
@settings(max_examples=15)
@given(st.data())
def test_any_files_that_are_missing_or_too_many_are_found(tmp_path_factory, draw):
    """Beside an independent count: what is planted is drawn as sets of times."""
    root = tmp_path_factory.mktemp("d") / "d"
    times = [f"{n / 25:.2f}" for n in range(0, 60, 2)]
    videos = {"v": [Track("v:0", times, [0] * 30), Track("v:1", times[:9], [1] * 9)]}
    make_dataset(root, videos)
    numbers = st.sets(st.integers(0, 59))
    removed = {e: draw.draw(numbers) for e in ("v:0", "v:1")}
    added = {e: draw.draw(numbers) for e in ("v:0", "v:1")}
    expected = set()
    for track in videos["v"]:
        own = {f"{time}.jpg" for time in track.times}
        there = own - {f"{n / 25:.2f}.jpg" for n in removed[track.entity]}
        there |= {f"{n / 25:.2f}.jpg" for n in added[track.entity]}
        folder = root / "clips_videos/val/v" / track.entity
        shutil.rmtree(folder)
        folder.mkdir()
        for name in there:
            (folder / name).touch()
        expected |= {("extra-jpg", track.entity, name) for name in there - own}
        if there & own:
            expected |= {("missing-jpg", track.entity, name) for name in own - there}
        else:
            expected.add(("missing-track", "v", track.entity))
    report = verify_dataset(root)
    paths = [(f.kind, Path(f.path)) for f in report.findings]
    assert {(kind, path.parent.name, path.name) for kind, path in paths} == expected
    assert len(paths) == len(expected)


@slow
@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.lists(st.integers(0, 1), min_size=1, max_size=12)),
        min_size=1, max_size=6,
    )
)  # fmt: skip
def test_rows_made_by_the_rules_are_never_found(tmp_path_factory, tracks):
    """Tracks of three videos, of any labels, begun at any time: no check of the csv complains."""
    root = tmp_path_factory.mktemp("d") / "d"
    videos: dict[str, list[Track]] = {}
    for number, (video, labels) in enumerate(tracks):
        times = [repr(round((number * 37 + place) / 25, 2)) for place in range(len(labels))]
        name = f"video{video}"
        videos.setdefault(name, []).append(Track(f"{name}:{number}", times, labels))
    make_dataset(root, videos)
    assert found(verify_dataset(root)) == []


@settings(max_examples=15)
@given(st.permutations(range(12)))
def test_order_beside_a_slow_reading(tmp_path_factory, permutation):
    """Two tracks of six faces in any order of rows: which is apart, which falls in time."""
    root = tmp_path_factory.mktemp("d") / "d"
    times = [f"{n / 25:.2f}" for n in range(6)]
    make_dataset(root, {"v": [Track("v:0", times, [0] * 6), Track("v:1", times, [1] * 6)]})
    data = Data(root)
    rows = data.rows()
    rows = [rows[place] for place in permutation]
    data.write(rows)
    expected = set()
    for entity in ("v:0", "v:1"):
        places = [place for place, row in enumerate(rows) if row[ENTITY] == entity]
        own = [float(rows[place][TIME]) for place in places]
        if places[-1] - places[0] != 5:
            expected.add(("rows-apart", entity))
        if own != sorted(own):
            expected.add(("rows-unordered", entity))
    assert {(f.kind, f.entity_id) for f in data.verify().findings} == expected


# ------------------------------------------------------------------------------ the report


def test_json_has_every_finding_and_what_was_checked(data):
    for number in range(300, 320):
        (data.track(f"{A}:0") / f"{number / 25:.2f}.jpg").unlink()
    data.wav(f"{T}:0", "train").unlink()
    report = data.verify().to_dict()
    assert report["schema_version"] == 1
    assert (report["ok"], report["deep"], report["layout"]) == (False, False, "unitalk")
    assert report["splits"] == ["train", "val"]
    assert (report["videos"], report["tracks"], report["faces"]) == (3, 6, 301)
    assert report["counts"] == {"missing-jpg": 20, "missing-wav": 1}
    assert len(report["findings"]) == 21
    assert report["findings"][0] == {
        "kind": "missing-jpg", "split": "val", "video_id": A, "entity_id": f"{A}:0",
        "seconds": 12.0, "path": f"clips_videos/val/{A}/{A}:0/12.00.jpg",
    }  # fmt: skip
    assert report["repairs"] == [
        f"plan_download(HUB, {str(data.root)!r}, "
        f"selection=Selection(videos=({video!r},), parts=({part!r},), refetch=True))"
        for video, part in ((T, "audio"), (A, "video"))
    ]


def test_nothing_can_be_fetched_of_what_is_not_published(tmp_path):
    make_dataset(tmp_path / "d", {"mine": [Track("mine:0", ["0.0", "0.04"], [0, 1])]})
    (tmp_path / "d/clips_videos/val/mine/mine:0/0.04.jpg").unlink()
    report = verify_dataset(tmp_path / "d")
    assert (report.counts, report.ids, report.repairs) == ({"missing-jpg": 1}, ("mine",), ())
    shutil.rmtree(tmp_path / "d/clips_videos")
    report = verify_dataset(tmp_path / "d")
    assert (report.counts, report.repairs) == ({"missing-split": 1}, ())


# ------------------------------------------------------------------------------ misplaced


def drawn(root: Path) -> Path:
    """Three videos of two tracks, ids that a shell would take apart, made by nobody we know."""
    videos = {
        f"{name}-clip": [Track(f"{name}-clip:{n}", ["0.0", "0.04"], [0, 1]) for n in range(2)]
        for name in ("a b", "c$d", "e'f")
    }
    return make_dataset(root, videos)


def all_too_high(part: Path) -> None:
    for video in list((part / "val").iterdir()):
        video.rename(part / video.name)
    (part / "val").rmdir()


def one_too_high(part: Path) -> None:
    (part / "val/c$d-clip").rename(part / "c$d-clip")


def in_another_video(part: Path) -> None:
    [first, *_] = sorted((part / "val/a b-clip").iterdir())
    first.rename(part / "val/c$d-clip" / first.name)


@slow
@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (all_too_high, "of 3 videos, one level too high: move them to {}/val"),
        (one_too_high, "of video c$d-clip, one level too high: move them to {}/val"),
        (in_another_video, "of track a b-clip:0: move them to {}/val/a b-clip"),
    ],
)
@pytest.mark.parametrize(("part", "what"), [("clips_videos", "crops"), ("clips_audios", "sounds")])
def test_what_is_extra_under_a_name_that_rows_miss_is_misplaced(tmp_path, harm, says, part, what):
    """The commands put it where it belongs; nothing is given up."""
    root = drawn(tmp_path / "my data")
    harm(root / part)
    report = verify_dataset(root)
    assert report.counts == {"misplaced": 1}
    assert report.findings[0].detail == f"the {what} {says.format(part)}"
    for command in report.repairs:
        subprocess.run(["sh", "-c", command], check=True)
    assert verify_dataset(root).ok


@slow
def test_both_splits_in_one_folder_go_where_their_rows_are(tmp_path):
    root = drawn(tmp_path / "d")
    make_dataset(root, {"t": [Track("t:0", ["0.0"], [1])]}, split="train")
    (root / "clips_videos/train/t").rename(root / "clips_videos/val/t")
    report = verify_dataset(root)
    assert report.counts == {"misplaced": 1}
    for command in report.repairs:
        subprocess.run(["sh", "-c", command], check=True)
    assert verify_dataset(root).ok


def test_the_flat_layout_is_recognized(tmp_path):
    """ASC's and ASDNet's: a folder of a split with a folder or a wav for each track."""
    root = drawn(tmp_path / "d")
    for part in ("clips_videos", "clips_audios"):
        for video in list((root / part / "val").iterdir()):
            for track in list(video.iterdir()):
                track.rename(root / part / "val" / track.name)
            video.rmdir()
    report = verify_dataset(root)
    assert report.counts == {"misplaced": 2}
    assert all("of 6 tracks" in one.detail for one in report.findings)
    assert all("looks like ASC's layout" in one.detail for one in report.findings)
    assert report.repairs == (f"verify_dataset({str(root)!r}, layout='asc')",)
    flat = verify_dataset(root, layout="asc").counts
    assert not {"missing-track", "missing-wav", "extra-track"} & set(flat)


def test_no_remedy_gives_up_data_or_presumes_a_download():
    for kind in KINDS.values():
        assert not re.search(r"\b(remove|delete|erase|rm|download)\b", kind.remedy)


def test_an_id_that_begins_with_a_dash_is_no_option(dataset):
    """And the csv of a val that holds a train video is told as such."""
    (dataset / "clips_videos/val/-maoolmiKi0/-maoolmiKi0:0/0.40.jpg").unlink()
    report = verify_dataset(dataset)
    assert report.counts["missing-jpg"] == 1
    assert report.repairs == ()  # who made it is not known: nothing is fetched into it
    mark(dataset, made_by="download", about={})
    (line,) = verify_dataset(dataset).repairs
    assert "Selection(videos=('-maoolmiKi0',), parts=('video',), refetch=True)" in line
    mark(dataset, made_by="trim", about={})
    (line,) = verify_dataset(dataset).repairs
    assert line.startswith("trim_dataset(SOURCE, ")


@slow
def test_many_videos_are_read_from_a_file_of_ids(run, tmp_path, sample):
    root = tmp_path / "a name"
    shutil.copytree(sample, root)
    shutil.rmtree(root / "clips_audios/val")
    (root / "clips_audios/val").mkdir()
    mark(root, made_by="download", about={})
    report = verify_dataset(root)
    assert report.counts == {"missing-video": 22}
    assert len(report.ids) == 22
    assert json.loads(run("verify", root, "--format", "json").stdout)["repairs"] == [
        f"unitalk verify '{root}' --ids wrong.txt",
        f"unitalk download --save-path '{root}' --video @wrong.txt --only audio --refetch",
    ]

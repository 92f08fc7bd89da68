"""Columbia's labels as a dataset."""

from __future__ import annotations

import json

import pytest
from build import HEADER
from conftest import slow

from unitalk import SchemaError, UsageError, schema
from unitalk.dataset.import_ import import_columbia

# frame, x, y, size, flag
BELL = "0\t100\t50\t60\t0\n1\t101\t50\t60\t1\n2\t102\t50\t60\t1\n\n2997\t-10\t50\t60\t0\n"
ABBAS = "1\t400\t90\t32\t1\n"


@pytest.fixture
def labels(tmp_path):
    folder = tmp_path / "col_labels/fusion"
    folder.mkdir(parents=True)
    (folder / "bell.txt").write_text(BELL)
    (folder / "abbas.txt").write_text(ABBAS)
    return folder


def test_a_track_a_name_in_seconds_and_relative_boxes(labels, tmp_path):
    report = import_columbia(labels, tmp_path / "made")
    # Frame 1 at 29.97 a second is 0.0334 s, frame 2 is 0.0667 s, frame 2997 is 100 s. Pixels are of
    # half of 1280x720: 100 is 200 / 1280 = 0.15625, 160 is 320 / 1280; 50 is 100 / 720, and so on.
    y1, y2 = repr(100 / 720), repr(220 / 720)
    assert (tmp_path / "made/csv/test_orig.csv").read_text() == f"{HEADER},eval\n" + (
        f"columbia,0.033,0.625,0.25,0.675,{244 / 720!r},SPEAKING_AUDIBLE,columbia:abbas,1,"
        "columbia:abbas:0,0\n"
        f"columbia,0.0,0.15625,{y1},0.25,{y2},NOT_SPEAKING,columbia:bell,0,columbia:bell:0,1\n"
        f"columbia,0.033,0.1578125,{y1},0.2515625,{y2},SPEAKING_AUDIBLE,columbia:bell,1,"
        "columbia:bell:1,1\n"
        f"columbia,0.067,0.159375,{y1},0.253125,{y2},SPEAKING_AUDIBLE,columbia:bell,1,"
        "columbia:bell:1,1\n"
        f"columbia,100.0,-0.015625,{y1},0.078125,{y2},NOT_SPEAKING,columbia:bell,0,"
        "columbia:bell:2,1\n"
    )
    (test,) = report.splits
    assert (test.split, test.videos, test.tracks) == ("test", ("columbia",), 2)
    assert (test.faces, test.positives, test.counted, test.gaps) == (5, 3, 4, 1)
    assert len(report.warnings) == 1


@slow
def test_every_frame_of_ten_minutes_has_a_time_and_a_file_name_of_its_own(tmp_path):
    folder = tmp_path / "fusion"
    folder.mkdir()
    frames = range(29_970)  # 1,000 s
    (folder / "long.txt").write_text("".join(f"{n}\t1\t1\t9\t{n % 2}\n" for n in frames))
    report = import_columbia(folder, tmp_path / "made")
    assert (report.splits[0].faces, report.splits[0].gaps) == (len(frames), 0)
    faces = schema.load(tmp_path / "made/csv/test_orig.csv", "groundtruth")
    times = faces.numbers("frame_timestamp")
    assert [round(time * 29.97) for time in times.tolist()] == list(frames)  # nothing is lost
    assert len({f"{time:.2f}" for time in times.tolist()}) == len(frames)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "bell.txt: there is no line"),
        ("1 2 3 4 0\n", "bell.txt:1: '1 2 3 4 0'"),
        ("0\t1\t1\t9\t0\n1\t1\t1\t9\n", "bell.txt:2: "),
        ("0\t1\t1\t9\t2\n", "bell.txt:1: "),
        ("0\t1.5\t1\t9\t0\n", "bell.txt:1: "),
        ("-1\t1\t1\t9\t0\n", "bell.txt:1: "),
        ("0\tnan\t1\t9\t0\n", "bell.txt:1: "),
        ("0\t1\t1\t0\t0\n", "the box is empty, or outside of a frame of 1280x720"),
        ("0\t640\t1\t9\t0\n", "outside of a frame"),
        ("0\t1\t-9\t9\t0\n", "outside of a frame"),
        ("999999999999\t1\t1\t9\t0\n", "more than 46 days away"),
        ("7\t1\t1\t9\t0\n8\t1\t1\t9\t0\n7\t2\t2\t9\t1\n", "bell.txt:3: columbia:bell at 0.23 s is"),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(labels, tmp_path, text, said):
    (labels / "bell.txt").write_text(text)
    with pytest.raises(SchemaError) as error:
        import_columbia(labels, tmp_path / "made")
    assert said in error.value.message
    assert not (tmp_path / "made").exists()


def test_folders_without_labels_and_names_that_are_none(labels, tmp_path):
    with pytest.raises(UsageError, match="has no txt files"):
        import_columbia(labels.parent, tmp_path / "made")
    with pytest.raises(UsageError, match="'a/b:abbas' is not an id"):
        import_columbia(labels, tmp_path / "made", video_id="a/b")


def test_abbas_is_there_and_leaves_the_score(run, labels, tmp_path):
    made = tmp_path / "made"
    ran = run("import", "columbia", labels, "--destination", made, "--jobs", "1")
    assert ran.code == 0
    assert ran.stdout == (
        f"{made}:\n"
        "      videos  tracks  faces  positives  with eval 1\n"
        "test       1       2      5          3            4\n"
    )
    assert ran.stderr == (
        "warning: test: 1 gaps of more than 0.2 s within tracks; `unitalk verify` lists them\n"
    )
    frame = schema.read_groundtruth(made / "csv/test_orig.csv")
    wrong_on_abbas = frame[["entity_id", "frame_timestamp"]].assign(score=[0, 1, 3, 2, 0.5])
    wrong_on_abbas.to_csv(tmp_path / "p.csv", index=False)
    ran = run("eval", "-g", made / "csv/test_orig.csv", "-p", tmp_path / "p.csv", "--format",
              "json")  # fmt: skip
    found = json.loads(ran.stdout)
    assert (found["average_precision"], found["faces"], found["left_out"]) == (1.0, 4, 1)
    assert run("import", "columbia", labels, "--destination", made, "--overwrite",
               "--frame-size", "big").code == 2  # fmt: skip

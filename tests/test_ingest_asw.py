"""ASW's annotations as a dataset: by hand, and all that there are of the real ones."""

from __future__ import annotations

import csv
import json
import tarfile
from pathlib import Path

import pytest
from conftest import exhaustive, one_in
from real_data import ASW, needs

from unitalk import DataError, SchemaError, UsageError, evaluate, schema
from unitalk.dataset.import_ import import_asw
from unitalk.executor import Processes

HEADER = (
    "video_id,frame_timestamp,entity_box_x1,entity_box_y1,entity_box_x2,entity_box_y2,label,"
    "entity_id,label_id,instance_id,eval\n"
)
A, B = "-maoolmiKi0", "_x1aBcDeFgH"


def face(time, label=0, eval_=1, box=(0.1, 0.2, 0.30000000000000004, 0.4)):
    return {"time": time, "bbox": list(box), "label": label, "eval": eval_}


VIDEO = {
    "track_000002": [face(0.0, 0, 0), face(0.2, 1), face(0.4, 1), face(0.6, 0, 0)],
    "track_000000": [face(4.6, 1, 0, (-0.081, 0, 1.137, 1))],
}
"""Written by hand; 4.6 * 25 is 114.99999999999999, which cut off is one frame early."""


def write(root: Path, videos: dict[str, object], lists: dict[str, list[str]]) -> Path:
    (root / "json").mkdir(parents=True, exist_ok=True)
    (root / "split").mkdir(exist_ok=True)
    for video, found in videos.items():
        text = found if isinstance(found, str) else json.dumps(found)
        (root / f"json/{video}.json").write_text(text)
    for name, names in lists.items():
        (root / f"split/{name}.list").write_text("\n".join(names))
    return root


@pytest.fixture
def given(tmp_path):
    videos = {A: VIDEO, B: {"track_000000": [face(10.0, 1), face(10.2, 1)]}}
    return write(tmp_path / "asw", videos, {"devset": [f"{A}.json"], "valset": [f"{B}.json"]})


def imported(given: Path, destination: Path | None = None, **options):
    destination = destination or given.parent / "made"
    return import_asw(given / "json", given / "split", destination, **options)


# ------------------------------------------------------------------------------ by hand


def test_a_row_an_annotated_face_with_the_jsons_numbers(given):
    report = imported(given)
    made = given.parent / "made"
    # The instance's number grows where the label changes: 0, then 1 twice, then 0 again.
    box = "0.1,0.2,0.30000000000000004,0.4"
    t = f"{A}:track_000002"
    assert (made / "csv/train_orig.csv").read_text() == HEADER + (
        f"{A},0.0,{box},NOT_SPEAKING,{t},0,{t}:0,0\n"
        f"{A},0.2,{box},SPEAKING_AUDIBLE,{t},1,{t}:1,1\n"
        f"{A},0.4,{box},SPEAKING_AUDIBLE,{t},1,{t}:1,1\n"
        f"{A},0.6,{box},NOT_SPEAKING,{t},0,{t}:2,0\n"
        f"{A},4.6,-0.081,0,1.137,1,SPEAKING_AUDIBLE,{A}:track_000000,1,{A}:track_000000:0,0\n"
    )
    train, val = report.splits
    assert (train.split, train.videos, train.tracks, train.faces) == ("train", (A,), 2, 5)
    assert (train.positives, train.counted, train.reordered, train.gaps) == (3, 2, 0, 0)
    assert (val.split, val.videos, val.tracks, val.faces, val.positives) == ("val", (B,), 1, 2, 2)
    assert report.warnings == (
        "val: every face is labelled SPEAKING_AUDIBLE, as in bundles that fill in the labels that "
        "AVA's test split has not; a score on it means nothing",
    )
    found = report.to_dict()
    assert (found["schema_version"], found["dataset"]) == (1, "asw")
    assert json.loads(json.dumps(found)) == found
    assert sorted(path.name for path in made.iterdir()) == [".unitalk", "csv"]


def test_at_25_a_second_a_label_covers_two_frames_before_and_two_after(given):
    report = imported(given, rate=25)
    with (given.parent / "made/csv/train_orig.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    # 0.0 s is frame 0, before which there is none: frames 0 to 2; then 3 to 7, 8 to 12, 13 to 17.
    first = [row for row in rows if row["entity_id"].endswith("2")]
    assert [row["frame_timestamp"] for row in first] == [
        "0.0", "0.04", "0.08", "0.12", "0.16", "0.2", "0.24", "0.28", "0.32", "0.36", "0.4",
        "0.44", "0.48", "0.52", "0.56", "0.6", "0.64", "0.68",
    ]  # fmt: skip
    assert [row["label_id"] for row in first] == ["0"] * 3 + ["1"] * 10 + ["0"] * 5
    assert [row["eval"] for row in first] == ["0"] * 3 + ["1"] * 10 + ["0"] * 5
    assert [row["instance_id"][-1] for row in first] == ["0"] * 3 + ["1"] * 10 + ["2"] * 5
    # 4.6 s is frame 115, not 114; the box is held.
    last = rows[18:]
    assert [row["frame_timestamp"] for row in last] == ["4.52", "4.56", "4.6", "4.64", "4.68"]
    assert {row["entity_box_x2"] for row in last} == {"1.137"}
    assert report.splits[0].faces == 23
    assert report.splits[0].reordered == 0


# ------------------------------------------------------------------------------ what is wrong


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "asw/json/%s.json:1: not the json of a video"),
        ('{"t": [], "t": []}', "'t' is there twice"),
        ("[" * 100_000, "not the json of a video"),
        ("[]", "a list, not tracks by name"),
        ("{}", "there is no track"),
        ({"t": []}, "t: [] is no list of faces"),
        ({"t": [[]]}, "t[0]: '[]' has not just bbox, eval, label, time"),
        ({"t": [face(0.0) | {"score": 1}]}, "has not just bbox, eval, label, time"),
        ({"t": [face(float("nan"))]}, "t[0]: time is nan"),
        ({"t": [face("0.2")]}, "t[0]: time is 0.2"),
        ({"t": [face(-0.2)]}, "t[0]: time is -0.2"),
        ({"t": [face(1e9)]}, "t[0]: time is 1000000000.0"),
        ({"t": [face(True)]}, "t[0]: time is True"),
        ({"t": [face(0.0, box=(0, 0, 1))]}, "t[0]: bbox is [0, 0, 1]"),
        ({"t": [face(0.0, box=(0, 0, 1, float("inf")))]}, "t[0]: bbox is [0, 0, 1, inf]"),
        ({"t": [face(0.0), face(0.2, 2)]}, "t[1]: label is 2, neither 0 nor 1"),
        ({"t": [face(0.0, 1.0)]}, "t[0]: label is 1.0"),
        ({"t": [face(0.0, eval_=None)]}, "t[0]: eval is None"),
        ({"t": [face(0.0), face(0.2), face(0.0)]}, "t[2]: %s:t at 0.00 s is there twice"),
        ({"t": [face(0.2), face(0.202)]}, "t[1]: %s:t at 0.202 s shares its file name"),
        ({"a/b": [face(0.0)]}, "'a/b' is not an id"),
    ],
)
def test_a_damaged_file_is_refused_with_its_place(tmp_path, content, said):
    given = write(tmp_path / "asw", {A: content, B: VIDEO}, {"devset": [A, B]})
    with pytest.raises(SchemaError) as error:
        imported(given)
    assert said.replace("%s", A) in error.value.message
    assert f"{A}.json" in error.value.message
    assert error.value.problems
    assert sorted(path.name for path in tmp_path.iterdir()) == ["asw"]  # nothing was left


@pytest.mark.parametrize("executor", one_in(2, [None, Processes(2)]))
def test_what_is_wrong_with_all_files_is_told_at_once(tmp_path, executor):
    videos = {A: {"t": [face("x")] * 12}, B: "{", "c": VIDEO}
    given = write(tmp_path / "asw", videos, {"devset": [A, B, "c"]})
    with pytest.raises(SchemaError) as error:
        imported(given, executor=executor)
    assert "13 problems in 2 of 3 files" in error.value.message
    assert error.value.count == 13
    assert len(error.value.problems) == 10


@pytest.mark.parametrize(
    ("times", "said"),
    [([0.0, 0.21], "t[1]: 0.21 s is no frame"), ([0.0, 0.16], "t[1]: is less than 0.2 s after")],
)
def test_what_is_on_no_grid_is_not_expanded(tmp_path, times, said):
    given = write(tmp_path / "asw", {A: {"t": [face(t) for t in times]}}, {"devset": [A]})
    with pytest.raises(SchemaError) as error:
        imported(given, rate=25)
    assert said in error.value.message
    assert "`rate=5`" in error.value.hint
    assert imported(given).splits[0].faces == 2


def test_listed_files_that_are_not_there_are_named_unless_partial(given):
    (given / "split/devset.list").write_text(f"{A}.json\ngone.json\n\nlost.json\n")
    (given / "split/testset.list").write_text("never.json\n")
    with pytest.raises(DataError) as error:
        imported(given)
    assert "lacks 3 of the 5 listed files: gone.json, lost.json, never.json" in error.value.message
    report = imported(given, partial=True)
    assert report.absent == ("gone.json", "lost.json", "never.json")
    assert [split.split for split in report.splits] == ["train", "val"]
    assert report.warnings[1:] == (
        "listed and not there, left out: gone.json, lost.json, never.json",
        "test: not one of its files is there; it was not made",
    )


def test_lists_that_are_none_or_share_a_video(given, tmp_path):
    with pytest.raises(UsageError, match=r"has no testset\.list"):
        imported(given, splits=("test",))
    with pytest.raises(UsageError, match=r"has no devset\.list"):
        import_asw(given / "json", given / "json", tmp_path / "made")
    with pytest.raises(UsageError, match="rate is 10"):
        imported(given, rate=10)
    (given / "split/valset.list").write_text(f"{A}.json")
    with pytest.raises(DataError, match="1 videos are in two lists"):
        imported(given)
    (given / "split/valset.list").write_text("\n")
    with pytest.raises(DataError, match="the list is empty"):
        imported(given)
    assert [s.split for s in imported(given, splits=("train",)).splits] == ["train"]


# ------------------------------------------------------------------------------ the command line


def test_the_command_says_what_each_split_has(run, given):
    made = given.parent / "made"
    ran = run("import", "asw", given / "json", given / "split",
              "--destination", made, "--jobs", "1", "--rate", "5")  # fmt: skip
    assert ran.code == 0
    assert ran.stdout == (
        f"{made}:\n"
        "       videos  tracks  faces  positives  with eval 1\n"
        "train       1       2      5          3            2\n"
        "val         1       1      2          2            2\n"
    )
    assert ran.stderr.startswith("warning: val: every face is labelled SPEAKING_AUDIBLE")
    again = run("import", "asw", given / "json", given / "split",
                "--destination", made, "--jobs", "1", "--format", "json", "--overwrite", "-q",
                "--split", "train")  # fmt: skip
    assert again.code == 0
    assert json.loads(again.stdout)["splits"][0]["counted"] == 2
    assert again.stderr == ""


# ------------------------------------------------------------------------------ the real ones

REAL = needs(ASW)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    folder = tmp_path_factory.mktemp("asw")
    with tarfile.open(ASW) as archive:
        for member in archive:
            if member.isfile():  # extractall's filter is not in every Python 3.11
                path = folder / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.extractfile(member).read())
    return folder


def back_to_json(path: Path) -> dict[str, dict]:
    """The way back, by what is said of the columns: each video's json, with numbers as text."""
    videos: dict[str, dict] = {}
    with path.open(newline="") as file:
        rows = csv.reader(file)
        assert ",".join(next(rows)) + "\n" == HEADER
        for video, time, x1, y1, x2, y2, label, entity, label_id, _, mark in rows:
            assert entity.startswith(f"{video}:")
            assert label_id == {"NOT_SPEAKING": "0", "SPEAKING_AUDIBLE": "1"}[label]
            track = videos.setdefault(video, {}).setdefault(entity[len(video) + 1 :], [])
            box = [x1, y1, x2, y2]
            track.append({"time": time, "bbox": box, "label": label_id, "eval": mark})
    return videos


@exhaustive
@REAL
def test_the_real_annotations_have_the_published_counts_and_the_way_back(real):
    """As counted in the json files by the dataset's own lists, without this package.

    On the way back nothing is lost: tracks, their order, and every time, box, label and mark, to
    the last digit of its text.
    """
    report = imported(real, real / "made", executor=Processes(2))
    counts = {
        one.split: (len(one.videos), one.tracks, one.faces, one.positives, one.counted)
        for one in report.splits
    }
    assert counts == {
        "train": (106, 4_676, 276_477, 122_506, 240_536),
        "val": (53, 3_483, 185_009, 72_965, 171_269),
    }
    assert report.warnings == ()
    assert report.absent == ()
    for split, name in (("train", "devset"), ("val", "valset")):
        found = back_to_json(real / f"made/csv/{split}_orig.csv")
        listed = (real / f"split/{name}.list").read_text().split()
        assert [f"{video}.json" for video in found] == listed
        for video, tracks in found.items():
            text = (real / f"json/{video}.json").read_text()
            wanted = json.loads(text, parse_float=str, parse_int=str)
            assert list(wanted) == list(tracks)
            assert wanted == tracks
    # At 25 a second: five rows a label, but for the two that one at 0.0 s has before frame 0.
    (val,) = imported(real, real / "at25", rate=25, splits=("val",)).splits
    at_zero = sum(
        t[0]["time"] in {"0.0", "0"} for tracks in found.values() for t in tracks.values()
    )
    assert at_zero > 0
    assert val.faces == 5 * 185_009 - 2 * at_zero
    assert val.gaps == 0


@exhaustive
@REAL
def test_the_real_val_split_is_scored_without_what_does_not_count(real):
    """Scores that are the label give 1.0; only where eval is 1, so that those of 0 may be wrong."""
    imported(real, real / "scored", splits=("val",))
    frame = schema.read_groundtruth(real / "scored/csv/val_orig.csv")
    speaks = (frame["label"] == "SPEAKING_AUDIBLE").astype(float)
    score = speaks.where(frame["eval"] == "1", 1 - speaks) + 1e-9 * frame.index
    predictions = frame[["entity_id", "frame_timestamp"]].assign(score=score)
    found = evaluate(frame, predictions)
    assert found.average_precision == 1.0
    assert (found.faces, found.left_out) == (171_269, 185_009 - 171_269)
    assert found.positives == 67_526  # as the dataset counts the positives with eval 1
    assert f"|eval:-{185_009 - 171_269}|" in found.signature
    # Without the column, every face counts, and the wrong ones with them.
    all_of_them = evaluate(frame.drop(columns="eval"), predictions)
    assert all_of_them.average_precision < 0.99
    assert (all_of_them.faces, all_of_them.left_out) == (185_009, 0)

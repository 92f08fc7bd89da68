"""`verify_dataset` as ASC's and as TalkNet's loaders read: one planted defect a test."""

from __future__ import annotations

import pytest
from build import HEADER
from verify_data import ENTITY, INSTANCE, LABEL_ID, TIME, VIDEO, A, B, Data, copy_of, found, only

from unitalk import convert_asc

# ------------------------------------------------------------------------------ ASC


@pytest.fixture
def asc(sample, tmp_path) -> Data:
    convert_asc(copy_of(sample, tmp_path / "dataset").root, tmp_path / "asc")
    return Data(tmp_path / "asc")


def as_asc(data, **options):
    return data.verify(layout="asc", **options)


@pytest.mark.parametrize("deep", [False, True])
def test_what_convert_asc_writes_is_sound(asc, deep):
    report = as_asc(asc, deep=deep, jobs=1)
    assert (report.ok, found(report), report.repairs) == (True, [], ())
    assert (report.videos, report.tracks, report.faces, report.files) == (3, 6, 301, 307)


def test_a_text_of_a_time_that_is_no_file_is_the_trap(asc):
    """After pandas wrote the csv, 12.40 is 12.4 and 13.00 is 13.0: every fifth face at 25 fps.

    Of 61 faces from 12.00 on, those with a number of frames that 5 divides have a last digit of 0
    or are whole: 0, 5, .. 60 are 13.
    """
    rows = asc.rows()
    for row in rows:
        if row[ENTITY] == f"{A}:0":
            row[TIME] = repr(float(row[TIME]))
    asc.write(rows)
    report = as_asc(asc)
    # The csv and the files of single videos mean the same times, and differ in text alone.
    finding = only(report, "asc-time-text", video_id=A, entity_id=f"{A}:0", faces=13)
    assert finding["detail"] == "the csv says 12.0, the file is 12.00.jpg"
    assert "convert_asc(DATASET, " in report.repairs[0]


def test_a_folder_that_is_spelled_otherwise_is_not_found_by_the_loader(asc):
    folder = asc.root / f"clips_videos/val/{A}:0"
    folder.rename(folder.with_name(f"{A}_0"))
    assert as_asc(asc).counts == {"missing-track": 1, "extra-track": 1}


def test_an_eleventh_column_pushes_the_last_three_away(asc):
    """Read from the end, row[-3] would be the label_id."""
    asc.write([[*row, "x"] for row in asc.rows()], header=f"{HEADER},remark")
    finding = only(as_asc(asc), "asc-columns", split="val", path="csv/val_orig.csv")
    assert finding["detail"].endswith("instance_id, remark")


@pytest.mark.parametrize("path", [f"gt/{B}.csv", f"csv/val/{B}-activespeaker.csv"])
def test_a_videos_own_ground_truth_is_missing_or_differs(asc, path):
    where = asc.root / path
    content = where.read_text()
    where.unlink()
    finding = only(as_asc(asc), "asc-groundtruth", video_id=B, path=path)
    assert "does not exist" in finding["detail"]
    where.write_text(content.replace("NOT_SPEAKING", "SPEAKING_AUDIBLE", 3))
    finding = only(as_asc(asc), "asc-groundtruth", video_id=B, path=path)
    assert finding["detail"] == "3 times another label"
    where.write_text("".join(content.splitlines(keepends=True)[:-2]))
    finding = only(as_asc(asc), "asc-groundtruth", video_id=B, path=path)
    assert finding["detail"].startswith("88 faces where the split has 90")


def test_a_usual_dataset_is_no_flat_one(sample, tmp_path):
    report = as_asc(copy_of(sample, tmp_path / "d"))
    # A folder a video stands where one a track is wanted; no file a video.
    assert report.counts == {
        "missing-track": 6, "missing-wav": 6, "extra-track": 3, "stray-file": 3,
        "asc-groundtruth": 6,
    }  # fmt: skip


# ------------------------------------------------------------------------------ TalkNet


def loader_lines(data, split="val") -> list[list[str]]:
    """The recipe of the dataset's authors: rows grouped by track, in the order of the csv."""
    tracks: dict[str, list[str]] = {}
    for row in data.rows(split):
        tracks.setdefault(row[ENTITY], []).append(row[LABEL_ID])
    return [
        [entity, str(len(labels)), "25.0", f"[{', '.join(labels)}]", str(number)]
        for number, (entity, labels) in enumerate(tracks.items())
    ]


def write_loader(data, lines, split="val") -> None:
    text = "".join("\t".join(line) + "\n" for line in lines)
    (data.root / f"csv/{split}_loader.csv").write_text(text)


@pytest.fixture
def talknet(sample, tmp_path) -> Data:
    data = copy_of(sample, tmp_path / "dataset")
    for split in ("train", "val"):
        write_loader(data, loader_lines(data, split), split)
    return data


def as_talknet(data, **options):
    return data.verify(layout="talknet", **options)


@pytest.mark.parametrize("deep", [False, True])
def test_what_the_authors_recipe_writes_is_sound(talknet, deep):
    report = as_talknet(talknet, deep=deep, jobs=1)
    assert (report.ok, found(report)) == (True, [])
    assert report.files == 307


def test_the_loaders_csv_is_missing(talknet):
    (talknet.root / "csv/val_loader.csv").unlink()
    only(as_talknet(talknet), "loader-missing", split="val", path="csv/val_loader.csv")


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["a,b"], "1 cells apart by tabs where 5"),
        (["{entity}", "sixty", "25.0", "{labels}", "0"], "frames: 'sixty'"),
        (["{entity}", "61", "fast", "{labels}", "0"], "fps: 'fast'"),
        (["{entity}", "61", "0", "{labels}", "0"], "fps: '0'"),
        (["{entity}", "61", "25.0", "0 0 1", "0"], "labels: '0 0 1'"),
        (["{entity}", "61", "25.0", "[0.5]", "0"], "labels: '[0.5]'"),
        (["{entity}", "61", "25.0", "[[[", "0"], "labels: '[[['"),
    ],
)
def test_a_line_that_talknet_cannot_read(talknet, cells, says):
    lines = loader_lines(talknet)
    names = {"entity": lines[0][0], "labels": lines[0][3]}
    lines[0] = [cell.format(**names) for cell in cells]
    write_loader(talknet, lines)
    finding = only(as_talknet(talknet), "loader-row", path="csv/val_loader.csv", line=1)
    assert says in finding["detail"]


def test_tracks_in_another_order_are_the_fields_most_repeated_trap(talknet):
    """Sorted by id as text, 9Zja... comes before EEey...: none of the four is in its place."""
    write_loader(talknet, sorted(loader_lines(talknet)))
    finding = only(as_talknet(talknet), "loader-order", entity_id=f"{A}:0", line=1)
    assert finding["detail"] == f"{B}:0 stands there; 4 tracks are not in their places"


@pytest.mark.parametrize(
    ("change", "place", "says"),
    [
        (lambda own: own[:1] + own[2:], {"entity_id": f"{A}:1"}, "is not in the loader's csv"),
        (
            lambda own: [*own[:1], ["other:0", *own[0][1:]], *own[1:]],
            {"line": 2}, "other:0 is not in the split's csv",
        ),
        (lambda own: [*own, own[-1]], {"line": 5}, "is there twice"),
    ],
)  # fmt: skip
def test_a_track_that_only_one_csv_has(talknet, change, place, says):
    write_loader(talknet, change(loader_lines(talknet)))
    only(as_talknet(talknet), "loader-tracks", **place, detail=says)


@pytest.mark.parametrize("cell", ["frames", "labels"])
def test_a_number_of_frames_that_is_not_that_of_the_faces(talknet, cell):
    lines = loader_lines(talknet)
    if cell == "frames":
        lines[1][1] = "38"
    else:
        lines[1][3] = lines[1][3].replace("[0, ", "[")
    write_loader(talknet, lines)
    finding = only(as_talknet(talknet), "loader-count", entity_id=f"{A}:1", line=2)
    said = {"frames": "38 frames and 39 labels", "labels": "39 frames and 38 labels"}[cell]
    assert finding["detail"] == f"{said} for 39 faces"


def test_labels_that_are_not_those_of_the_csv(talknet):
    """EEey6Pt0rqI:1 begins 0, 0, 0, 1; the loader says 0, 1, 1, 1."""
    lines = loader_lines(talknet)
    assert lines[1][3].startswith("[0, 0, 0, 1")
    lines[1][3] = "[0, 1, 1" + lines[1][3][8:]
    write_loader(talknet, lines)
    finding = only(as_talknet(talknet), "loader-labels", entity_id=f"{A}:1", line=2)
    assert finding["detail"] == "2 of 39 labels"


def test_labels_are_compared_in_time_order(talknet):
    """Rows out of order are one finding; the loader, made in time order, is not to blame."""
    lines = loader_lines(talknet)
    rows = talknet.rows()
    rows[60], rows[40] = rows[40], rows[60]  # a speaking face and a silent one
    talknet.write(rows)
    write_loader(talknet, lines)
    only(as_talknet(talknet), "rows-unordered", entity_id=f"{A}:0")


def test_a_video_that_is_not_the_first_eleven_characters(sample, tmp_path):
    """TalkNet looks for the files of EEey6Pt0rqIx:0 in EEey6Pt0rqI/."""
    data = copy_of(sample, tmp_path / "d")
    long = f"{A}x"
    rows = data.rows()
    for row in rows:
        for place in (VIDEO, ENTITY, INSTANCE):
            row[place] = row[place].replace(A, long)
    data.write(rows)
    for part in ("clips_videos", "clips_audios"):
        folder = (data.root / part / "val" / A).rename(data.root / part / "val" / long)
        for path in list(folder.iterdir()):
            path.rename(path.with_name(path.name.replace(A, long)))
    for split in ("train", "val"):
        write_loader(data, loader_lines(data, split), split)
    report = as_talknet(data)
    assert report.counts == {"missing-video": 2, "extra-video": 2}


def test_other_spellings_that_our_reader_finds_talknet_does_not(talknet):
    talknet.wav(f"{A}:1").rename(talknet.wav(f"{A}:1").with_name(f"{A}_1.wav"))
    assert talknet.verify().ok
    assert as_talknet(talknet).counts == {"missing-wav": 1, "extra-wav": 1}


def test_refused_rows_say_nothing_of_the_loaders_csv(talknet):
    rows = talknet.rows()
    rows[0][TIME] = "x"
    talknet.write(rows)
    only(as_talknet(talknet), "csv-cell", line=2)

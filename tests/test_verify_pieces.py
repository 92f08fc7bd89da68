"""The pieces of `unitalk verify`, each beside a slow and simple implementation of the same."""

from __future__ import annotations

import gzip
import itertools
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from build import HEADER, face, write_csv
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
    Y1,
    Y2,
    A,
    B,
    Data,
    copy_of,
    only,
)

from unitalk.dataset.verify import KINDS, Finding, VerifyReport
from unitalk.dataset.verify.cross_split import compare_files
from unitalk.dataset.verify.csv_check import csv_findings
from unitalk.dataset.verify.folder_listing import listing
from unitalk.dataset.verify.folders import Walk
from unitalk.dataset.verify.loader_findings import talknet_findings
from unitalk.dataset.verify.split_csv import read_rows
from unitalk.dataset.verify.verify_report import by_kind
from unitalk.errors import DataError
from unitalk.layout import face_name, face_seconds
from unitalk.schema.face_names import FaceNames


@pytest.fixture
def data(sample, tmp_path) -> Data:
    return copy_of(sample, tmp_path / "dataset")


def read(folder: Path, rows, header=HEADER):
    """The rows of a csv as `verify` reads them; none may be refused."""
    path = write_csv(folder / "csv/val_orig.csv", rows, header)
    found, refused = read_rows(folder, path, "val")
    assert refused == []
    return found


# ------------------------------------------------------------------------------ rows

# Two videos that may have tracks of one name, few times, so that much falls together.
ROWS = st.lists(
    st.builds(
        lambda video, track, time, speaking: face(video, f"{time / 25:.2f}", track, speaking),
        st.sampled_from(["v", "w"]), st.sampled_from(["v:0", "v:1", "w:0"]),
        st.integers(0, 12), st.integers(0, 1),
    ),
    min_size=1, max_size=14,
)  # fmt: skip


def slow_tracks(rows) -> dict[tuple[str, str], list[int]]:
    """Each track's rows in the order of the file; tracks as they come."""
    tracks: dict[tuple[str, str], list[int]] = {}
    for place, row in enumerate(rows):
        tracks.setdefault((row[VIDEO], row[ENTITY]), []).append(place)
    return tracks


def test_lines_are_those_of_the_file_whatever_stands_between(tmp_path):
    """Empty lines are no rows; a cell in quotes may hold a line end, which is counted."""
    rows = [face("v", f"{n / 25:.2f}", "v:0", 0) for n in range(3)]
    path = write_csv(tmp_path / "csv/val_orig.csv", rows, header=HEADER + ",remark")
    head, *lines = path.read_text().splitlines()
    path.write_text(f'{head}\n\n{lines[0]},"a\nb"\n\n\n{lines[1]},c\n{lines[2]},d\n')
    own, _ = read_rows(tmp_path, path, "val")
    assert own.line_of([0, 1, 2]) == {0: 4, 1: 7, 2: 8}


def test_lines_of_the_rows_that_are_left_are_those_of_the_file(tmp_path):
    """Of lines 2 to 7, 3 and 4 are refused."""
    rows = [face("v", f"{n / 25:.2f}", "v:0", 0) for n in range(6)]
    rows[1][TIME], rows[2][LABEL] = "never", "?"
    path = write_csv(tmp_path / "csv/val_orig.csv", rows)
    own, refused = read_rows(tmp_path, path, "val")
    assert [finding.line for finding in refused] == [3, 4]
    assert (own.whole, len(own)) == (False, 4)
    assert own.line_of([0, 1, 3]) == {0: 2, 1: 5, 3: 7}


def test_bytes_that_are_no_text_are_told_in_what_json_can_hold(tmp_path):
    path = write_csv(tmp_path / "csv/val_orig.csv", [face("v", "0.00", "v:0", 0)] * 2)
    path.write_bytes(path.read_bytes().replace(b"v,0.00", b"\xff,0.00", 1))
    own, (finding,) = read_rows(tmp_path, path, "val")
    assert (finding.kind, finding.line, len(own)) == ("csv-cell", 2, 1)
    assert "is not UTF-8 text" in finding.detail
    str(finding.to_dict()).encode()


def test_a_packed_csv_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path):
    """Packed with gzip, as the reader takes it; the second half is lost."""
    rows = [face("v", f"{n / 25:.2f}", "v:0", 0) for n in range(5000)]
    path = write_csv(tmp_path / "csv/val_orig.csv", rows)
    whole = gzip.compress(path.read_bytes(), mtime=0)
    path.write_bytes(whole)
    assert read_rows(tmp_path, path, "val")[1] == []
    path.write_bytes(whole[: len(whole) // 2])
    own, refused = read_rows(tmp_path, path, "val")
    assert "csv-unreadable" in {finding.kind for finding in refused}
    assert "cannot be read to its end" in refused[-1].detail
    assert own is None or 0 < len(own) < 5000


def test_a_csv_without_a_header(data):
    """The schema knows ten columns by their places; who reads with pandas loses the first row."""
    data.write(data.rows(), header=None)
    only(data.verify(), "missing-header", split="val", path="csv/val_orig.csv", line=1)


def test_an_id_that_climbs_out_is_refused_before_any_folder_is_looked_at(data):
    rows = data.rows()
    for row in rows:
        row[VIDEO] = ".."
    data.write(rows)
    with pytest.raises(DataError, match=r"'\.\.' cannot name a file"):
        data.verify()


def test_a_time_of_weeks_takes_no_more_memory_than_one_of_seconds(data):
    """3,900,000 s: a table with a name for each hundredth would have 390 million."""
    rows = data.rows()
    rows[60][TIME] = "3900000.0"
    data.write(rows)
    (data.track(f"{A}:0") / "14.40.jpg").rename(data.track(f"{A}:0") / "3900000.00.jpg")
    assert data.verify().counts == {"gap": 1}


# ------------------------------------------------------------------------------ the checks of rows


def slow_kinds(rows) -> set[tuple[str, int]]:
    """What is wrong with rows, as (kind, row), one row after the other."""
    found: set[tuple[str, int]] = set()
    seen: dict[str, str] = {}
    for places in slow_tracks(rows).values():
        first = rows[places[0]]
        if seen.setdefault(first[ENTITY], first[VIDEO]) != first[VIDEO]:
            found.add(("entity-in-two-videos", places[0]))
        elif not first[ENTITY].startswith(first[VIDEO]):
            found.add(("entity-name", places[0]))
        if places[-1] - places[0] != len(places) - 1:
            found.add(
                (
                    "rows-apart",
                    next(b for a, b in itertools.pairwise(places) if b > a + 1),
                )
            )
        falls = [
            b for a, b in itertools.pairwise(places) if float(rows[b][TIME]) < float(rows[a][TIME])
        ]
        found |= {("rows-unordered", place) for place in falls[:1]}
        in_time = sorted(places, key=lambda place: round(float(rows[place][TIME]) * 1000))
        for one, two in itertools.pairwise(in_time):
            found |= slow_pair(rows, one, two)
    for place, row in enumerate(rows):
        found |= {(kind, place) for kind in slow_row(row)}
    return found


def slow_row(row) -> set[str]:
    left, top, right, bottom = (float(row[i]) for i in (X1, Y1, X2, Y2))
    kinds = set()
    if left >= right or top >= bottom:
        kinds.add("box-turned")
    elif (
        min(left, top) < -0.5
        or max(right, bottom) > 1.5
        or right <= 0
        or bottom <= 0
        or left >= 1
        or top >= 1
    ):
        kinds.add("box-range")
    if {"SPEAKING_AUDIBLE": "1", "NOT_SPEAKING": "0"}[row[LABEL]] != row[LABEL_ID]:
        kinds.add("label-id")
    if number(row) is None:
        kinds.add("instance-name")
    return kinds


def number(row) -> int | None:
    """What stands after the track's id in the instance's."""
    rest = row[INSTANCE].removeprefix(f"{row[ENTITY]}:")
    return int(rest) if rest != row[INSTANCE] and rest.isdecimal() else None


def slow_pair(rows, one, two) -> set[tuple[str, int]]:
    """What is wrong with a face and the one after it."""
    step = round(float(rows[two][TIME]) * 1000) - round(float(rows[one][TIME]) * 1000)
    if step == 0:
        return {("duplicate-face", two)}
    found = {("gap", two)} if step > 200 else set()
    k, n = number(rows[one]), number(rows[two])
    if k is not None and n is not None:
        same = rows[one][LABEL] == rows[two][LABEL]
        if (same and n != k) or (not same and n <= k):
            found.add(("instance-step", two))
    return found


@settings(max_examples=100)
@given(ROWS, st.data())
def test_all_checks_of_rows_at_once_beside_a_slow_reading(tmp_path_factory, rows, draw):
    """Rows in any order, with any labels; some boxes, numbers and instance ids are spoiled."""
    rows = [[*row] for row in rows]
    edges = st.sampled_from(["-0.6", "-0.08", "0.1", "0.5", "0.9", "1.0", "1.13", "1.7", "300"])
    for row in rows:
        spoil = draw.draw(st.integers(0, 9))
        if spoil == 0:
            row[X1:LABEL] = [draw.draw(edges) for _ in range(4)]
        elif spoil == 1:
            row[LABEL_ID] = draw.draw(st.sampled_from("01"))
        elif spoil == 2:
            row[INSTANCE] = draw.draw(st.sampled_from(["v:0:1", "v:1:0", "x", f"{row[ENTITY]}:-1"]))
        elif spoil < 6:
            row[INSTANCE] = f"{row[ENTITY]}:{draw.draw(st.integers(0, 2))}"
    own = read(tmp_path_factory.mktemp("d"), rows)
    found = Counter()
    for finding in csv_findings(own):
        assert finding.line is not None
        for more in range(finding.faces or 1):  # neighbours of one track are one finding
            found[finding.kind, finding.line - 2 + more] += 1
    assert set(found) == slow_kinds(rows)
    assert set(found.values()) <= {1}


# ------------------------------------------------------------------------------ two csv files


@settings(max_examples=50)
@given(st.data())
def test_a_file_of_one_video_beside_sets_of_rows(tmp_path_factory, draw):
    """Two videos of 8 faces; of one the file lacks some, has more, or changes some."""
    folder = tmp_path_factory.mktemp("d")
    rows = [
        face(v, f"{n / 25:.2f}", f"{v}:{n % 2}", int(n % 3 == 0)) for v in "vw" for n in range(8)
    ]
    own = read(folder, rows)
    theirs = [[*row] for row in rows if row[VIDEO] == "v"]
    dropped = draw.draw(st.sets(st.integers(0, 7), max_size=3))
    changed = draw.draw(st.sets(st.integers(0, 7), max_size=3))
    added = draw.draw(st.integers(0, 2))
    for place in changed:
        column, text = draw.draw(
            st.sampled_from([(X1, "0.11"), (Y2, "0.46"), (LABEL, "SPEAKING_NOT_AUDIBLE"),
                             (LABEL_ID, "2"), (INSTANCE, "v:9:9")])
        )  # fmt: skip
        theirs[place][column] = text
    theirs = [row for place, row in enumerate(theirs) if place not in dropped]
    theirs += [face("v", f"{20 + n}.0", "v:0", 1) for n in range(added)]
    theirs = draw.draw(st.permutations(theirs))
    path = write_csv(folder / "v.csv", theirs, header=None)
    found = compare_files(folder, [("v", path)], own, "video-csv")
    if dropped or added:
        (finding,) = found
        assert f"{len(dropped)} of the split are not in it, {added} of it" in finding.detail
        assert finding.detail.startswith(f"{8 - len(dropped) + added} faces where the split has 8")
    elif changed:
        (finding,) = found
        told = {part.split(" times another ")[1]: int(part.split()[0])
                for part in finding.detail.split(", ")}  # fmt: skip
        wanted = Counter(
            COLUMNS[place]
            for row in theirs
            for place, cell in enumerate(row)
            if cell
            not in {r[place] for r in rows if r[ENTITY] == row[ENTITY] and r[TIME] == row[TIME]}
        )
        assert told == wanted
    else:
        assert found == []


# ------------------------------------------------------------------------------ folders

NAMES = st.sampled_from(
    ["0.00.jpg", "0.0.jpg", "0.jpg", "0.04.jpg", "0.040.jpg", "0.4.jpg", "0.40.jpg", "0.400.jpg",
     "0.44.JPG", "0.44.jpg", "1.jpg", "1.00.jpeg", "thumbs.db", "a.jpg", "0.04.png", "._0.04.jpg",
     ".DS_Store", "-1.00.jpg", "nan.jpg"]
)  # fmt: skip
TIMES = ["0.00", "0.04", "0.40", "0.44", "1.00"]


@settings(max_examples=100)
@given(st.sets(NAMES), st.sets(st.sampled_from(TIMES), min_size=1))
def test_a_tracks_folder_beside_a_slow_reading(tmp_path_factory, names, times):
    """Each face is found by its time; what is left over is a second one, or one too many."""
    root = tmp_path_factory.mktemp("d")
    folder = root / "clips_videos/val/v/v:0"
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()
    ours = [f"{time}.jpg" for time in sorted(times)]
    by_time: dict[str, list[str]] = {}
    expected = Counter()
    for name in names:
        seconds = face_seconds(name)
        if seconds is None:
            litter = name.startswith("._") or name == ".DS_Store"
            expected["macos-litter" if litter else "stray-file"] += 1
        else:
            by_time.setdefault(face_name(seconds), []).append(name)
    there = [name for name in ours if name in by_time]
    if there:
        expected["missing-jpg"] += len(ours) - len(there)
    else:
        expected["missing-track"] += 1
    for name, own in by_time.items():
        if name in ours:
            expected["double-jpg"] += len(own) - 1
        else:
            expected["extra-jpg"] += len(own)
    rows = read(root, [face("v", time, "v:0", 0) for time in sorted(times)])
    walk = Walk(root=root, rows=rows, layout="unitalk", names=FaceNames(rows))
    (track,) = walk.group(*walk.groups(), ["video"])
    assert Counter(finding.kind for finding in walk.findings) == +expected
    for want, name in zip(ours, track.names, strict=True):
        own = by_time.get(want, [])
        assert name in own if own else name is None
        if want in own:  # our own spelling is the one that counts
            assert name == want


def test_a_listing_says_what_is_what(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "door").symlink_to("folder")
    (tmp_path / "nowhere").symlink_to("gone")
    os.mkfifo(tmp_path / "pipe")
    found = listing(tmp_path)
    assert found.files == {"file", "link"}
    assert found.folders == {"folder", "door"}
    assert found.others == {"nowhere", "pipe"}
    assert listing(tmp_path / "gone") is None
    assert listing(tmp_path / "file") is None


def test_no_file_is_looked_at_by_itself(data, monkeypatch):
    """The point of it: folders are listed, once each, and `stat` is never called on what they hold.

    2 parts of 3 videos and of 2 splits, 6 tracks, the 3 folders above, and csv/val, csv/train.
    """
    listed, looked = Counter(), []
    real_scandir, real_stat = os.scandir, os.stat

    def scandir(path="."):
        listed[os.fspath(path)] += 1
        return real_scandir(path)

    def stat(path, *args, **kwargs):
        looked.append(os.fspath(path))
        return real_stat(path, *args, **kwargs)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(os, "stat", stat)
    assert data.verify().ok
    monkeypatch.undo()
    assert set(listed.values()) == {1}
    assert len(listed) == 2 * 3 + 2 * 2 + 6 + 3 + 2
    assert not [path for path in map(str, looked) if "clips_" in path]


@pytest.mark.parametrize(
    ("folder", "kinds"),
    [
        ("clips_videos/val", {"folder-unreadable": 1}),
        (f"clips_videos/val/{A}/{A}:1", {"folder-unreadable": 1}),
        (f"clips_audios/val/{B}", {"folder-unreadable": 1}),
    ],
)
def test_folders_that_cannot_be_listed_are_one_finding_each(data, monkeypatch, folder, kinds):
    real = os.scandir

    def scandir(path):
        if Path(path) == data.root / folder:
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    report = data.verify()
    only(report, *kinds, path=folder, detail="Permission denied")


def test_a_file_where_a_folder_should_be(data):
    shutil.rmtree(data.track(f"{A}:0"))
    data.track(f"{A}:0").touch()
    only(data.verify(), "missing-track", entity_id=f"{A}:0", faces=61)
    data.track(f"{A}:0").unlink()
    shutil.rmtree(data.root / "clips_videos/val" / A)
    (data.root / "clips_videos/val" / A).touch()
    assert data.verify().counts["missing-video"] == 1


# ------------------------------------------------------------------------------ TalkNet's csv


@settings(max_examples=60)
@given(st.data())
def test_a_loaders_csv_beside_what_talknet_would_write_back(tmp_path_factory, draw):
    """Five tracks; lines are moved, dropped or cut. Scores are written back by position: what the
    loader calls face i must be row i of the split. It is, if and only if nothing is found."""
    folder = tmp_path_factory.mktemp("d")
    rows = [
        face("elevenchars", f"{n / 25:.2f}", f"elevenchars:{track}", int(n > 1))
        for track, length in enumerate([2, 3, 3, 4, 5])
        for n in range(length)
    ]
    own = read(folder, rows)
    tracks: dict[str, list[int]] = {}
    for row in rows:
        tracks.setdefault(row[ENTITY], []).append(int(row[LABEL_ID]))
    lines = list(tracks.items())
    for _ in range(draw.draw(st.integers(0, 2))):
        act = draw.draw(st.sampled_from(["swap", "drop", "cut", "twice", "label"]))
        at = draw.draw(st.integers(0, len(lines) - 1))
        if act == "swap":
            other = draw.draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        elif act == "drop" and len(lines) > 1:
            del lines[at]
        elif act == "twice":
            lines.insert(at, lines[at])
        elif act == "cut":
            lines[at] = (lines[at][0], lines[at][1][:-1] or [0, 0, 0])
        else:
            lines[at] = (lines[at][0], [1 - lines[at][1][0], *lines[at][1][1:]])
    text = "".join(
        f"{entity}\t{len(labels)}\t25.0\t{labels}\t{number}\n"
        for number, (entity, labels) in enumerate(lines)
    )
    (folder / "csv/val_loader.csv").write_text(text)
    # Each line begins with its track's first crop.
    written = [(entity, k, label) for entity, labels in lines for k, label in enumerate(labels)]
    seen = Counter()
    wanted = []
    for row in rows:
        wanted.append((row[ENTITY], seen[row[ENTITY]], int(row[LABEL_ID])))
        seen[row[ENTITY]] += 1
    assert (talknet_findings(folder, own) == []) == (written == wanted)


# ------------------------------------------------------------------------------ the report


def report(*findings, root="data", **options) -> VerifyReport:
    settings_ = {"layout": "unitalk", "splits": ("val",), "deep": False, **options}
    return VerifyReport(root=root, findings=by_kind(findings), **settings_)


def test_what_is_fetched_again_is_the_part_that_is_wrong():
    """The csv for rows, the crops for jpgs, the sounds for wavs; nothing for what is too much."""
    for name, kind in KINDS.items():
        if name.startswith("wav-") or name == "missing-wav":
            assert kind.part == "audio", name
        elif name.startswith(("jpg-", "crop-")) or name in {"missing-jpg", "missing-track"}:
            assert kind.part == "video", name
        elif name.startswith(("extra-", "double-", "stray-", "macos-", "asc-", "loader-")):
            assert kind.part is None, name


def test_videos_are_named_once_and_in_each_part_that_needs_it():
    findings = [
        Finding(kind="missing-wav", video_id=B, path="a"),
        Finding(kind="wav-silent", video_id=B, path="b"),
        Finding(kind="jpg-empty", video_id=A, path="c"),
        Finding(kind="jpg-black", video_id=B, path="d"),
        Finding(kind="gap", video_id=A, path="e"),
    ]
    assert list(report(*findings).repairs) == [
        f"plan_download(HUB, 'data', "
        f"selection=Selection(videos={videos!r}, parts=({part!r},), refetch=True))"
        for videos, part in (((A,), "csv"), ((B,), "audio"), ((A, B), "video"))
    ]
    assert set(report(*findings).ids) == {A, B}

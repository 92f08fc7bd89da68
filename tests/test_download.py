"""Plans and runs, against a real hub on the loopback interface that misbehaves when told to."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from contextlib import ExitStack

import jsonschema
import pytest
from conftest import one_in
from hub_server import (
    DASH,
    EXTRA,
    HEADER,
    TRAIN,
    VAL,
    Fault,
    FaultyHub,
    killed_download,
    publish,
    quick,
    rows,
    snapshot,
    unpacked,
    zip_of,
)

from unitalk import schemas
from unitalk.catalog import video_list
from unitalk.dataset.download import Selection, plan_download, run_download
from unitalk.errors import (
    AccessError,
    DestinationError,
    UnitalkError,
    UsageError,
)
from unitalk.files import locked
from unitalk.progress import SilentProgress

FAILED_LIST = b"# videos that could not be completed; unitalk download --video @failed.txt\n"
ASKED = Selection(videos=(TRAIN, *VAL))
VIDEOS = [word for video in (TRAIN, *VAL) for word in ("--video", video)]
BYTES = r"^(cdn|hub /api/resolve-cache)"


@pytest.fixture
def served(tmp_path):
    folder = tmp_path / "served"
    publish(folder, "train", TRAIN)
    publish(folder, "val", VAL[0], top=False)
    publish(folder, "val", VAL[1], litter=True)
    return folder


@pytest.fixture
def root(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def start(served):
    """Start a hub with faults and a client for it; both are closed at the end."""
    with ExitStack() as stack:

        def begin(*faults, **options):
            server = stack.enter_context(FaultyHub(served, faults=faults))
            hub = stack.enter_context(quick(server.endpoint, **options))
            return server, hub

        yield begin


def download(hub, root, selection=ASKED, **options):
    return run_download(plan_download(hub, root, selection=selection), hub, **options)


def expected():
    """The whole tree of `ASKED`, by hand from what was published."""
    return {
        **unpacked(TRAIN, "train"),
        **unpacked(VAL[0], "val"),
        **unpacked(VAL[1], "val"),
        "csv/train_orig.csv": HEADER + rows(TRAIN),
        "csv/val_orig.csv": HEADER + rows(VAL[0]) + rows(VAL[1]),
    }


def body_calls(server):
    return [call for call in server.log if call.role == "cdn" or "resolve-cache" in call.path]


# ------------------------------------------------------------------------------ the whole way


def test_download(start, root):
    server, hub = start()
    report = download(hub, root)
    assert snapshot(root) == expected()
    assert report.complete
    assert len(report.fetched) == 9
    assert report.present == report.failed == report.missing == ()
    assert report.csv == {"csv/train_orig.csv": 1, "csv/val_orig.csv": 2}
    assert report.bytes_fetched == sum(e.size for e in server.entries.values())
    # Nothing is left of the work but what we remember.
    left = {p.split("/")[1] for p in snapshot(root, without=()) if p.startswith(".unitalk/")}
    assert left == {
        "dataset.json",
        "merged-train.json",
        "merged-val.json",
        "receipts",
        f"tree-{server.commit}.json",
    }
    marker = json.loads((root / ".unitalk/dataset.json").read_text())
    assert marker["made_by"] == "download"
    assert marker["repository"] == server.repository
    assert marker["commit"] == server.commit


def test_rerun_makes_one_request_and_writes_nothing(start, root):
    server, hub = start()
    download(hub, root)
    before = {p: p.stat().st_mtime_ns for p in root.rglob("*")}
    asked = len(server.log)
    began = time.monotonic()
    report = download(hub, root)
    assert time.monotonic() - began < 2
    news = server.log[asked:]
    assert [call.path for call in news] == [f"/api/datasets/{server.repository}/revision/main"]
    assert report.complete
    assert report.fetched == ()
    assert len(report.present) == 9
    assert {p: p.stat().st_mtime_ns for p in root.rglob("*")} == before


def test_plan_writes_nothing_and_counts_bytes(start, root, served):
    _, hub = start()
    planned = plan_download(hub, root, selection=ASKED)
    assert not root.exists()
    sizes = {
        split: sum(p.stat().st_size for p in served.rglob(f"*/{split}/*"))
        for split in ("train", "val")
    }
    assert planned.bytes == {
        split: {"listed": size, "to_fetch": size} for split, size in sizes.items()
    }
    assert [(f.split, f.video_id, f.part) for f in planned.files][:4] == [
        ("train", TRAIN, "csv"),
        ("train", TRAIN, "audio"),
        ("train", TRAIN, "video"),
        ("val", VAL[0], "csv"),
    ]


def test_plan_and_report_are_json(start, root):
    _, hub = start()
    planned = plan_download(hub, root, selection=Selection(videos=(TRAIN, "unknown")))
    text = json.loads(json.dumps(planned.to_dict(), allow_nan=False))
    assert text["schema_version"] == 1
    assert text["warnings"] == []
    assert text["missing"] == [
        {"video_id": "unknown", "split": None, "parts": ["csv", "audio", "video"]}
    ]
    assert text["files"][0]["path"] == f"csv/train/{TRAIN}.csv"
    assert text["files"][0]["state"] == "absent"
    report = json.loads(json.dumps(run_download(planned, hub).to_dict(), allow_nan=False))
    assert report["schema_version"] == 1
    assert report["complete"] is False
    assert report["fetched"][0] == f"csv/train/{TRAIN}.csv"
    for found in (text, report):
        jsonschema.validate(found, schemas.read("download"))


class Meter(SilentProgress):
    """Counts what a job reports."""

    def __init__(self):
        self.done = 0
        self.total = None
        self.notes = []
        self._lock = threading.Lock()

    def task(self, description, *, total=None, unit="", done=0):
        assert (description, unit) == ("downloading", "B")
        self.total, self.began, self.done = total, done, self.done + done
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def advance(self, amount=1):
        with self._lock:
            self.done += amount

    def note(self, text):
        self.notes.append(text)


def test_progress_ends_at_its_total_whatever_breaks(start, root, served):
    faults = (
        Fault("^cdn", cut=100),
        Fault("^cdn", damage=3),
        Fault("^cdn", cut=50, ignore_range=True),
        Fault(BYTES, status=500),
    )
    _, hub = start(*faults)
    meter = Meter()
    assert download(hub, root, progress=meter).complete
    assert meter.done == meter.total == sum(p.stat().st_size for p in served.rglob("*.*"))
    assert snapshot(root) == expected()


# ------------------------------------------------------------------------------ selection


def chosen(planned):
    return sorted({(file.split, file.video_id) for file in planned.files})


def missing(planned):
    return {(video.split, video.video_id) for video in planned.missing}


def test_default_is_all_that_is_published(start, root):
    _, hub = start()
    of_val = plan_download(hub, root, selection=Selection(splits=("val",)))
    assert {split for split, _ in chosen(of_val)} == {"val"}
    assert len(of_val.missing) == 20
    planned = plan_download(hub, root)
    assert chosen(planned) == sorted([("train", TRAIN), ("val", VAL[0]), ("val", VAL[1])])
    assert len(planned.missing) == 117 - 3  # 95 train and 22 val videos are published
    assert missing(planned) | set(chosen(planned)) == {
        (video.split, video.video_id) for video in video_list.videos()
    }


def test_videos_and_a_split(start, root):
    _, hub = start()
    selection = Selection(videos=(VAL[1], TRAIN, VAL[0], VAL[1]), splits=("val",))
    planned = plan_download(hub, root, selection=selection)
    assert chosen(planned) == sorted([("val", VAL[0]), ("val", VAL[1])])
    assert planned.files[0].video_id == VAL[1]  # in the order of the asking
    assert planned.missing == ()


def test_video_outside_the_lists(start, root, served):
    publish(served, "val", EXTRA)
    _, hub = start()
    assert plan_download(hub, root, selection=ASKED).extra == (f"val/{EXTRA}",)
    report = download(hub, root, Selection(videos=(EXTRA, VAL[1])))
    assert report.complete
    # The published come first in the merged csv, whatever the order of the asking.
    merged = (root / "csv/val_orig.csv").read_bytes()
    assert merged == HEADER + rows(VAL[1]) + rows(EXTRA)


def test_what_the_hub_lacks_is_missing_and_no_error(start, root, served):
    (served / f"clips_audios/train/{TRAIN}.zip").unlink()
    _, hub = start()
    report = download(hub, root, Selection(videos=(TRAIN, "../../etc")))
    assert [(v.video_id, v.split, v.parts) for v in report.missing] == [
        (TRAIN, "train", ("audio",)),
        ("../../etc", None, ("csv", "audio", "video")),
    ]
    assert not report.complete
    assert len(report.fetched) == 2


def test_parts(start, root):
    _, hub = start()
    report = download(hub, root, Selection(videos=(TRAIN,), parts=("csv",)))
    assert report.complete
    assert set(snapshot(root)) == {f"csv/train/{TRAIN}.csv", "csv/train_orig.csv"}
    report = download(hub, root, Selection(videos=(TRAIN,), parts=("audio",)))
    assert report.fetched == (f"clips_audios/train/{TRAIN}.zip",)
    assert report.csv == {"csv/train_orig.csv": 1}


@pytest.mark.parametrize(
    "selection",
    [
        Selection(splits=("test",)),
        Selection(categories=("weather",)),
        Selection(limit=0),
        Selection(parts=()),
        Selection(parts=("faces",)),
        Selection(videos=(TRAIN,), categories=("noise",)),
        Selection(splits=("train",), categories=("noise",)),
    ],
)
def test_selection_without_sense(start, root, selection):
    _, hub = start()
    with pytest.raises(UsageError):
        plan_download(hub, root, selection=selection)
    assert not root.exists()


def test_two_selections_into_one_folder(start, root):
    _, hub = start()
    download(hub, root, Selection(videos=(VAL[1],)))
    assert (root / "csv/val_orig.csv").read_bytes() == HEADER + rows(VAL[1])
    download(hub, root, Selection(videos=(VAL[0], TRAIN)))
    assert snapshot(root) == expected()


# ------------------------------------------------------------------------------ the folder


def test_folder_that_is_not_ours(start, root):
    _, hub = start()
    root.mkdir()
    (root / "thesis.tex").write_text("years of work")
    with pytest.raises(DestinationError) as caught:
        plan_download(hub, root)
    assert "new or empty folder" in caught.value.hint
    assert snapshot(root) == {"thesis.tex": b"years of work"}


def test_another_repository(start, root):
    server, hub = start()
    download(hub, root)
    with quick(server.endpoint, "who/else") as other, pytest.raises(UsageError, match="who/else"):
        plan_download(other, root)


@pytest.fixture
def moved_on(start, root, served):
    """A folder at one commit, and a hub at the next."""
    server, hub = start()
    download(hub, root)
    first = server.commit
    publish(served, "train", EXTRA)
    server, hub = start()
    return server, hub, first


def test_explicit_revision_that_the_folder_is_not_at(moved_on, root):
    _, hub, first = moved_on
    with pytest.raises(UsageError, match=first):
        plan_download(hub, root, revision="main", selection=ASKED)


def test_one_writer(start, root):
    _, hub = start()
    planned = plan_download(hub, root, selection=ASKED)
    with locked(root), pytest.raises(DestinationError, match="another process"):
        run_download(planned, hub)
    assert run_download(planned, hub).complete


def test_damaged_memory_is_asked_for_again(start, root):
    server, hub = start()
    download(hub, root)
    (root / f".unitalk/tree-{server.commit}.json").write_text('[{"path": 1}]')
    (root / f".unitalk/receipts/csv/train/{TRAIN}.csv.json").write_text("{")
    (root / ".unitalk/merged-val.json").write_text("no json")
    report = download(hub, root)
    assert report.fetched == (f"csv/train/{TRAIN}.csv",)
    assert snapshot(root) == expected()
    assert download(hub, root).fetched == ()


def test_part_that_somebody_removed_comes_back(start, root):
    import shutil

    _, hub = start()
    download(hub, root)
    shutil.rmtree(root / f"clips_videos/val/{VAL[0]}")
    (root / "csv/val_orig.csv").unlink()
    report = download(hub, root)
    assert report.fetched == (f"clips_videos/val/{VAL[0]}.zip",)
    assert snapshot(root) == expected()


def test_what_no_download_made_is_not_replaced(start, root):
    _, hub = start()
    download(hub, root, Selection(videos=(TRAIN,)))
    mine = root / f"clips_videos/val/{VAL[0]}"
    mine.mkdir(parents=True)
    (mine / "notes.txt").write_text("mine")
    report = download(hub, root)
    (failed,) = report.failed
    assert failed.path == f"clips_videos/val/{VAL[0]}.zip"
    assert "no download put it there" in failed.cause
    assert "move it elsewhere" in failed.hint
    assert snapshot(mine) == {"notes.txt": b"mine"}
    mine.rename(root.parent / "mine")
    assert download(hub, root).complete
    assert snapshot(root) == expected()


# ------------------------------------------------------------------------------ archives


# ------------------------------------------------------------------------------ csv files


def row(video, time, end=b"\n"):
    return rows(video, (time,)).rstrip(b"\n") + end


@pytest.mark.parametrize(
    "content",
    [
        row(TRAIN, "0.4") + row(TRAIN, "0.40") + row(TRAIN, "900.200"),
        b"\xef\xbb\xbf" + HEADER + row(TRAIN, "0.4") + row(TRAIN, "0.40") + row(TRAIN, "900.200"),
        HEADER.replace(b"\n", b"\r\n")
        + row(TRAIN, "0.4", b"\r\n")
        + row(TRAIN, "0.40", b"\r\n")
        + row(TRAIN, "900.200", b""),
        b"\n\n" + row(TRAIN, "0.4") + b"\r\n" + row(TRAIN, "0.40") + row(TRAIN, "900.200") + b"\n ",
    ],
    ids=["plain", "mark and header", "all", "blank lines"],
)
def test_merged_rows_are_the_published_bytes(start, root, served, content):
    (served / f"csv/train/{TRAIN}.csv").write_bytes(content)
    publish(served, "train", DASH)
    _, hub = start()
    assert download(hub, root, Selection(videos=(TRAIN, DASH), parts=("csv",))).complete
    tail = b",0.1,0.20,0.300,0.4,NOT_SPEAKING,%s:0,0,%s:0:0\n" % ((TRAIN.encode(),) * 2)
    # DASH stands after TRAIN in the published list.
    assert (root / "csv/train_orig.csv").read_bytes() == (
        HEADER
        + b"".join(TRAIN.encode() + b"," + t + tail for t in (b"0.4", b"0.40", b"900.200"))
        + rows(DASH)
    )
    assert (root / f"csv/train/{TRAIN}.csv").read_bytes() == content


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "no row"),
        (HEADER, "no row"),
        (b"a,b,c\n", "row 1 has 3 cells, not 10"),
        (rows(TRAIN) + b"1,2,3,4,5,6,7,8,9,10,11\n", "row 4 has 11 cells, not 10"),
    ],
)
def test_csv_that_cannot_be_merged(start, root, served, content, cause):
    (served / f"csv/train/{TRAIN}.csv").write_bytes(content)
    _, hub = start()
    report = download(hub, root)
    (failed,) = report.failed
    assert failed.path == f"csv/train/{TRAIN}.csv"
    assert cause in failed.cause
    assert not (root / f"csv/train/{TRAIN}.csv").exists()
    assert report.csv == {"csv/val_orig.csv": 2}


# ------------------------------------------------------------------------------ failures


def test_failed_file_is_tried_once_more_at_the_end(start, root):
    # As many failures as one file is allowed, so only the second round can have it.
    place = f"resolve/.*/clips_videos/train/{TRAIN}"
    _, hub = start(Fault(place, status=503, times=5))
    meter = Meter()
    report = download(hub, root, progress=meter)
    assert report.complete
    assert meter.notes == ["trying 1 failed files once more"]
    assert meter.done == meter.total
    assert snapshot(root) == expected()


def test_failed_file_is_reported_and_the_rest_is_there(start, root):
    place = f"resolve/.*/clips_videos/train/{TRAIN}"
    server, hub = start(Fault(place, status=503, times=-1, said="busy"))
    report = download(hub, root)
    (failed,) = report.failed
    assert failed.path == f"clips_videos/train/{TRAIN}.zip"
    assert "busy" in failed.cause
    assert not report.complete
    assert len(report.fetched) == 8
    server.faults.clear()
    again = download(hub, root)
    assert again.fetched == (failed.path,)
    assert snapshot(root) == expected()


def test_gated_repository_stops_everything(start, root, served):
    for number in range(20):
        publish(served, "train", f"video{number:06d}")
    server, hub = start()
    server.gated = True
    names = tuple(f"video{number:06d}" for number in range(20))
    with pytest.raises(AccessError, match="GatedRepo"):
        download(hub, root, Selection(videos=names), jobs=2)
    assert len([call for call in server.log if "/resolve/" in call.path]) < 10


def test_too_little_space_is_said_before(start, root):
    server, hub = start()
    server.sizes[f"clips_videos/train/{TRAIN}.zip"] = 10**18
    with pytest.raises(UnitalkError, match=r"needed and .* are free") as caught:
        download(hub, root)
    # 1.1 times the archive unpacked, and the archive itself: 2.1e18 bytes and a little
    assert "2100000.0 TB" in caught.value.message
    assert snapshot(root, without=()) == {}
    assert not body_calls(server)


def test_no_jobs(start, root):
    _, hub = start()
    with pytest.raises(UsageError):
        run_download(plan_download(hub, root, selection=ASKED), hub, jobs=0)


def test_two_files_with_one_content(start, root, served):
    """Equal hashes must not make two threads write one partial file."""
    same = zip_of({"a.jpg": os.urandom(50_000)})
    names = (TRAIN, *VAL)
    for path in served.rglob("*.zip"):
        path.write_bytes(same)
    _, hub = start(Fault("^cdn", cut=20_000, times=6))
    assert download(hub, root, Selection(videos=names)).complete
    assert len(list(root.rglob("a.jpg"))) == 6


# ------------------------------------------------------------------------------ interrupts


def test_interrupt_ends_soon_and_keeps_what_has_come(start, root):
    server, hub = start(Fault("^cdn", stall=700, times=-1), patience={"read": 15.0})
    main = threading.main_thread().ident

    def press():
        while len([call for call in server.log if call.role == "cdn"]) < 3:
            time.sleep(0.01)
        time.sleep(0.2)
        signal.pthread_kill(main, signal.SIGINT)

    threading.Thread(target=press).start()
    began = time.monotonic()
    meter = Meter()
    with pytest.raises(KeyboardInterrupt):
        download(hub, root, progress=meter)
    assert time.monotonic() - began < 3
    partial = [p.stat().st_size for p in (root / ".unitalk/parts").iterdir()]
    assert max(partial) == 700
    assert meter.done >= sum(partial), "what is kept stays counted"
    server.faults.clear()
    server.awake.set()
    with quick(server.endpoint) as fresh:
        later = Meter()
        assert download(fresh, root, progress=later).complete
    assert later.began == sum(partial), "what came earlier counts for the share, not for the speed"
    assert snapshot(root) == expected()


FINAL = {
    f"{folder}/{split}/{video}"
    for folder in ("clips_videos", "clips_audios")
    for split, video in (("train", TRAIN), ("val", VAL[0]), ("val", VAL[1]))
}


def check_nothing_half_made(root):
    """Each file under a final name is one of the whole tree's; a folder has all of its files."""
    seen, whole = snapshot(root), expected()
    for name, content in seen.items():
        if not name.endswith(("/", ".part")):
            assert whole[name] == content
    for folder in FINAL:
        if (root / folder).exists():
            inside = {n for n in whole if n.startswith(folder + "/")}
            assert {n for n in seen if n.startswith(folder + "/")} == inside


@pytest.mark.parametrize(
    "moment",
    one_in(6, [
        r"os.mkdir .unitalk",
        r"os.rename .unitalk/.dataset",
        r"os.rename .unitalk/.tree",
        r"open .unitalk/parts/.*csv.train",
        r"os.mkdir csv/train",
        r"os.rename .unitalk/receipts/csv/train",
        r"os.rename .unitalk/parts/.*csv.train",
        r"open .unitalk/parts/.*audio.train",
        r"os.mkdir .unitalk/staging/audio.train",
        rf"open within {TRAIN}:0.wav",
        r"os.rename .unitalk/receipts/clips_audios/train",
        r"os.rename .unitalk/staging/audio.train",
        r"os.remove .unitalk/parts/.*audio.train",
        r"open within 0.04.jpg",
        r"os.rename .unitalk/staging/video.train",
        r"os.remove .unitalk/parts/.*video.train",
        r"os.rename .unitalk/staging/video.val",
        r"os.remove .unitalk/parts/.*video.val." + VAL[1],
        r"open csv/.train_orig",
        r"os.rename csv/.train_orig",
        r"open .unitalk/.merged-train",
        r"os.rename .unitalk/.merged-train",
        r"os.rename csv/.val_orig",
        r"os.rename .unitalk/.merged-val",
    ]),
)  # fmt: skip
def test_killed_at_any_step_then_run_again(start, root, moment):
    server, hub = start()
    killed_download(server, root, moment, *VIDEOS)
    check_nothing_half_made(root)
    sizes = {hash_of(entry): entry.size for entry in server.entries.values()}
    whole_parts = {
        path.name.split(".")[0]
        for path in root.glob(".unitalk/parts/*")
        if path.stat().st_size == sizes[path.name.split(".")[0]]
    }
    placed = {str(p.relative_to(root / ".unitalk/receipts"))[:-5] for p in root.glob(RECEIPTS)}
    asked = len(server.log)
    assert download(hub, root).complete
    assert snapshot(root) == expected()
    assert {n for n in snapshot(root, without=()) if n.endswith(".part")} == set()
    # No byte that was whole is fetched again.
    again = {
        entry.path
        for call in server.log[asked:]
        for entry in server.entries.values()
        if call.path.endswith("/" + entry.path)
    }
    assert not {p for p in again if hash_of(server.entries[p]) in whole_parts}
    assert not again & placed


@pytest.mark.parametrize(
    "moment",
    one_in(3, [
        r"os.rename clips_videos/train",
        r"os.rename .unitalk/receipts/clips_videos/train",
        r"os.rename .unitalk/staging/video.train",
        r"shutil.rmtree .unitalk/old/video.train",
        r"os.rmdir .unitalk/old/video.train",
    ]),
)  # fmt: skip
def test_killed_while_replacing_then_run_again(start, root, moment):
    """An older content of ours stands under the final name, and gives way in one step."""
    server, hub = start()
    download(hub, root)
    receipt = root / f".unitalk/receipts/clips_videos/train/{TRAIN}.zip.json"
    receipt.write_text('{"size": 1, "hash": "of something older"}')
    killed_download(server, root, moment, *VIDEOS)
    check_nothing_half_made(root)
    assert download(hub, root).complete
    assert snapshot(root) == expected()
    assert not (root / ".unitalk/old").exists()


RECEIPTS = ".unitalk/receipts/*/*/*.json"


def hash_of(entry):
    return entry.sha256 or entry.git_sha1

"""The other ways to a dataset: updated, adopted, unpacked later, made of what is on the disk."""

from __future__ import annotations

import json
import os
import shutil
import threading
from contextlib import ExitStack

import pytest
from conftest import one_in
from hub_server import (
    EXTRA,
    HEADER,
    TRAIN,
    VAL,
    Fault,
    FaultyHub,
    faces,
    killed_download,
    publish,
    quick,
    rows,
    snapshot,
    unpacked,
)

from unitalk.dataset.download import (
    Selection,
    plan_download,
    run_download,
    video_steps,
)
from unitalk.dataset.unpack import unpack_archives
from unitalk.errors import DestinationError, LayoutError, UsageError
from unitalk.files import unzip

VIDEOS = (("train", TRAIN), ("val", VAL[0]), ("val", VAL[1]))
ASKED = Selection(videos=(TRAIN, *VAL))


def whole():
    """The dataset of `ASKED`, by hand."""
    files = {name: b for split, video in VIDEOS for name, b in unpacked(video, split).items()}
    return files | {
        "csv/train_orig.csv": HEADER + rows(TRAIN),
        "csv/val_orig.csv": HEADER + rows(VAL[0]) + rows(VAL[1]),
    }


def archives(served):
    return {f"archives/{n}": b for n, b in snapshot(served).items() if n.endswith(".zip")}


@pytest.fixture
def served(tmp_path):
    for split, video in VIDEOS:
        publish(tmp_path / "served", split, video)
    return tmp_path / "served"


@pytest.fixture
def root(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def start(served):
    with ExitStack() as stack:

        def begin(*faults):
            server = stack.enter_context(FaultyHub(served, faults=faults))
            return server, stack.enter_context(quick(server.endpoint))

        yield begin


def download(hub, root, selection=ASKED, *, update=False, adopt=False, **options):
    planned = plan_download(hub, root, selection=selection, update=update, adopt=adopt)
    return run_download(planned, hub, **options)


def bodies(server, since=0):
    """The hub paths whose content was asked for."""
    return sorted(
        call.path.split("/resolve/")[1].partition("/")[2]
        for call in server.log[since:]
        if "/resolve/" in call.path
    )


# ------------------------------------------------------------------------------ --update


@pytest.fixture
def changed(start, served, root):
    """A folder at one commit; the next has one archive changed, one video gone, one more."""
    server, hub = start()
    download(hub, root)
    old = server.commit
    publish(served, "val", VAL[0], version=1)
    for name in (f"csv/val/{VAL[1]}.csv", f"clips_audios/val/{VAL[1]}.zip",
                 f"clips_videos/val/{VAL[1]}.zip"):  # fmt: skip
        (served / name).unlink()
    publish(served, "train", EXTRA)
    server, hub = start()
    return server, hub, old


def updated():
    """What the folder is then: the one archive renewed, the video that is gone taken out."""
    files = unpacked(TRAIN, "train") | unpacked(VAL[0], "val", version=1)
    files |= {f"withdrawn/{name}": b for name, b in unpacked(VAL[1], "val").items()}
    return files | {
        "csv/train_orig.csv": HEADER + rows(TRAIN),
        "csv/val_orig.csv": HEADER + rows(VAL[0]),
    }


def files_of(root):
    return {name: b for name, b in snapshot(root).items() if not name.endswith("/")}


def test_update_fetches_only_what_changed(changed, root):
    server, hub, old = changed
    planned = plan_download(hub, root, update=True)
    assert (planned.previous, planned.commit) == (old, server.commit)
    assert planned.withdrawn == (
        f"clips_audios/val/{VAL[1]}.zip",
        f"clips_videos/val/{VAL[1]}.zip",
        f"csv/val/{VAL[1]}.csv",
    )
    report = run_download(planned, hub)
    assert report.complete
    assert report.fetched == (f"clips_videos/val/{VAL[0]}.zip",)
    assert len(report.present) == 5
    assert report.withdrawn == planned.withdrawn
    assert bodies(server) == [f"clips_videos/val/{VAL[0]}.zip"]
    assert files_of(root) == updated()
    assert json.loads((root / ".unitalk/dataset.json").read_text())["commit"] == server.commit
    assert [p.name for p in root.glob(".unitalk/tree-*")] == [f"tree-{server.commit}.json"]


def test_update_of_nothing(start, root):
    _, hub = start()
    with pytest.raises(UsageError, match="no download to update"):
        plan_download(hub, root, update=True)
    assert not root.exists()


def test_without_update_the_folder_stays(changed, root):
    server, hub, old = changed
    planned = plan_download(hub, root, selection=ASKED)
    assert planned.commit == old
    assert planned.previous is None
    (note,) = planned.notes
    assert server.commit in note
    assert old in note
    assert run_download(planned, hub).complete
    assert files_of(root) == whole()


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("how", ["update", "plain"])
@pytest.mark.parametrize(
    "moment",
    one_in(4, [
        r"os.rename .unitalk/.dataset",
        r"os.rename csv/val/" + VAL[1],
        r"os.remove .unitalk/receipts/csv/val",
        r"os.rename clips_videos/val/" + VAL[1],
        r"os.rename clips_videos/val/" + VAL[0],
        r"os.rename .unitalk/receipts/clips_videos/val",
        r"os.rename .unitalk/staging/video.val",
        r"os.rename csv/.val_orig",
    ]),
)  # fmt: skip
def test_killed_update_is_completed_by_any_next_run(changed, root, moment, how):
    server, hub, _ = changed
    killed_download(server, root, moment, "--update")
    began = json.loads((root / ".unitalk/dataset.json").read_text())["commit"] == server.commit
    if how == "update" or not began:
        report = download(hub, root, None, update=True)
    else:  # whatever is asked for: a folder is of one commit
        report = download(hub, root, Selection(videos=(TRAIN,), parts=("csv",)))
    assert report.complete
    assert files_of(root) == updated()
    assert bodies(server).count(f"clips_videos/val/{VAL[0]}.zip") <= 2


def test_withdrawing_twice_loses_neither(changed, root):
    server, hub, _ = changed
    before = root / f"withdrawn/clips_videos/val/{VAL[1]}"
    before.mkdir(parents=True)
    (before / "mine.txt").write_text("mine")
    download(hub, root, None, update=True)
    kept = files_of(root / "withdrawn/clips_videos/val")
    assert kept == {f"{VAL[1]}/mine.txt": b"mine"} | {
        f"{VAL[1]}.2/{name}": b for name, b in faces(VAL[1], top=False).items()
    }


def test_merged_csv_of_a_split_that_is_gone(start, served, root):
    _, hub = start()
    download(hub, root)
    for path in served.rglob(f"val/{VAL[0]}.*"):
        path.unlink()
    for path in served.rglob(f"val/{VAL[1]}.*"):
        path.unlink()
    _, hub = start()
    report = download(hub, root, None, update=True)
    assert report.csv == {"csv/train_orig.csv": 1}
    assert not (root / "csv/val_orig.csv").exists()


# ------------------------------------------------------------------------------ failed.txt


def test_failed_videos_are_listed_until_they_are_whole(start, root):
    place = f"resolve/.*/clips_videos/(train/{TRAIN}|val/{VAL[1]})"
    server, hub = start(Fault(place, status=503, times=-1))
    report = download(hub, root)
    assert report.failed_list == root / "failed.txt"
    lines = (root / "failed.txt").read_text().splitlines()
    assert lines[0].startswith("#")
    assert lines[1:] == [TRAIN, VAL[1]]
    server.faults.clear()
    report = download(hub, root, Selection(videos=(TRAIN,)))
    assert report.complete
    assert (root / "failed.txt").read_text().splitlines()[1:] == [VAL[1]]
    assert report.failed_list == root / "failed.txt"
    assert download(hub, root, Selection(videos=(VAL[1],))).failed_list is None
    assert not (root / "failed.txt").exists()
    assert files_of(root) == whole()


def test_the_command_line_reads_the_list(run, start, root):
    place = f"resolve/.*/clips_videos/train/{TRAIN}"
    server, _ = start(Fault(place, status=404, code="EntryNotFound", times=-1))
    videos = [word for _, video in VIDEOS for word in ("--video", video)]
    line = ("download", "--save-path", root, "--endpoint", server.endpoint, "-q")
    ran = run(*line, *videos)
    assert ran.code == 4
    assert f"failed: clips_videos/train/{TRAIN}.zip: " in ran.stdout
    assert f"or only what is left, with --video @{root}/failed.txt" in ran.stdout
    server.faults.clear()
    asked = len(server.log)
    ran = run(*line, "--video", f"@{root}/failed.txt")
    assert (ran.code, ran.stderr) == (0, "")
    assert "downloaded 1 file" in ran.stdout
    assert bodies(server, asked) == [f"clips_videos/train/{TRAIN}.zip"]
    assert files_of(root) == whole()
    gone = run(*line, "--video", f"@{root}/failed.txt")
    assert gone.code == 2
    assert "neither a category nor a file" in gone.stderr


# ------------------------------------------------------------------------------ kept archives


def test_archives_alone_then_unpacked_without_a_network(start, served, root):
    server, hub = start()
    report = download(hub, root, Selection(videos=ASKED.videos, archives_only=True))
    assert report.complete
    assert len(report.fetched) == 9
    rows_only = {n: b for n, b in whole().items() if n.startswith("csv/")}
    assert files_of(root) == rows_only | archives(served)
    asked = len(server.log)
    again = download(hub, root, Selection(videos=ASKED.videos, archives_only=True))
    assert (again.fetched, len(again.present)) == ((), 9)
    assert len(server.log) == asked + 1
    server.__exit__()
    report = unpack_archives(root)
    assert report.complete
    assert len(report.unpacked) == 6
    assert report.fetched == ()
    assert files_of(root) == whole() | archives(served)
    assert len(unpack_archives(root).present) == 9


def test_a_plain_download_unpacks_what_is_kept(start, served, root):
    server, hub = start()
    download(hub, root, Selection(videos=ASKED.videos, archives_only=True))
    asked = len(server.log)
    planned = plan_download(hub, root, selection=ASKED)
    assert {c["to_fetch"] for c in planned.bytes.values()} == {0}
    assert sum(file.state == "archived" for file in planned.files) == 6
    report = run_download(planned, hub)
    assert len(report.unpacked) == 6
    assert bodies(server, asked) == []
    assert files_of(root) == whole() | archives(served)


def test_unpack_into_a_folder_of_its_own(start, served, root, tmp_path):
    _, hub = start()
    download(hub, root, Selection(videos=ASKED.videos, archives_only=True))
    before = snapshot(root, without=())
    report = unpack_archives(root, tmp_path / "scratch")
    assert report.complete
    assert files_of(tmp_path / "scratch") == whole()
    assert snapshot(root, without=()) == before
    again = unpack_archives(root, tmp_path / "scratch")
    assert (again.unpacked, len(again.present)) == ((), 9)
    # It is a dataset like any other.
    assert download(hub, tmp_path / "scratch").fetched == ()


def test_unpack_and_remove(start, root):
    _, hub = start()
    download(hub, root, keep_archives=True)
    assert (root / f"archives/clips_videos/train/{TRAIN}.zip").is_file()
    report = unpack_archives(root, remove=True)
    assert report.complete
    assert files_of(root) == whole()
    assert not list(root.rglob(".unitalk/receipts/archives/*/*/*.json"))


def test_unpack_finds_damage_and_a_download_mends_it(start, served, root):
    server, hub = start()
    download(hub, root, Selection(videos=ASKED.videos, archives_only=True))
    name = f"clips_videos/val/{VAL[0]}.zip"
    content = bytearray((root / "archives" / name).read_bytes())
    content[80] ^= 1
    (root / "archives" / name).write_bytes(content)
    report = unpack_archives(root, remove=True)
    (failed,) = report.failed
    assert failed.path == name
    assert "no whole archive of it is kept" in failed.cause
    assert "download it" in failed.hint
    assert (root / "archives" / name).read_bytes() == content, "nothing is deleted that failed"
    asked = len(server.log)
    assert download(hub, root).complete
    assert bodies(server, asked) == [name]
    assert {n: b for n, b in files_of(root).items() if not n.startswith("archives")} == whole()


def test_unpack_of_what_is_no_download(start, root, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(LayoutError, match="no download of this program"):
        unpack_archives(tmp_path / "empty")
    _, hub = start()
    download(hub, root)
    with pytest.raises(LayoutError, match="no archive is kept") as caught:
        unpack_archives(root)
    assert "keep_archives=True" in caught.value.hint


def test_unpack_to_a_folder_of_another_commit_or_in_the_source(changed, root, tmp_path):
    _, hub, _ = changed
    download(hub, root, Selection(videos=(TRAIN,), archives_only=True, refetch=True))
    download(hub, tmp_path / "newer", Selection(videos=(TRAIN,)))
    with pytest.raises(DestinationError, match="belongs to commit"):
        unpack_archives(root, tmp_path / "newer")
    with pytest.raises(DestinationError, match="inside"):
        unpack_archives(root, root / "scratch")


def test_files_of_another_folder_are_taken_where_they_are_whole(start, served, root, tmp_path):
    shutil.copytree(served, tmp_path / "snapshot")
    wrong = tmp_path / f"snapshot/clips_videos/train/{TRAIN}.zip"
    wrong.write_bytes(wrong.read_bytes()[:-1] + b"x")
    before = snapshot(tmp_path / "snapshot")
    server, hub = start()
    report = download(hub, root, sources=[tmp_path / "snapshot"])
    assert report.fetched == (f"clips_videos/train/{TRAIN}.zip",)
    assert len(report.unpacked) == 8
    assert bodies(server) == [f"clips_videos/train/{TRAIN}.zip"]
    assert files_of(root) == whole()
    assert snapshot(tmp_path / "snapshot") == before


# ------------------------------------------------------------------------------ --refetch


def test_refetch_makes_a_damaged_part_good(start, root):
    server, hub = start()
    download(hub, root)
    crop = root / f"clips_videos/val/{VAL[0]}/{VAL[0]}:0/0.04.jpg"
    crop.write_bytes(b"")
    asked = len(server.log)
    assert download(hub, root).fetched == (), "a plain run looks at names, not into files"
    chosen = Selection(videos=(VAL[0],), parts=("video",), refetch=True)
    report = download(hub, root, chosen)
    assert report.fetched == (f"clips_videos/val/{VAL[0]}.zip",)
    assert bodies(server, asked) == [f"clips_videos/val/{VAL[0]}.zip"]
    assert files_of(root) == whole()
    assert download(hub, root).fetched == ()


def test_refetch_takes_a_kept_archive(start, served, root):
    server, hub = start()
    download(hub, root, keep_archives=True)
    (root / f"clips_videos/val/{VAL[0]}/{VAL[0]}:0/0.04.jpg").unlink()
    asked = len(server.log)
    report = download(hub, root, Selection(videos=(VAL[0],), refetch=True))
    assert report.unpacked == (
        f"clips_audios/val/{VAL[0]}.zip",
        f"clips_videos/val/{VAL[0]}.zip",
    )
    assert bodies(server, asked) == [f"csv/val/{VAL[0]}.csv"]
    assert files_of(root) == whole() | archives(served)


# ------------------------------------------------------------------------------ --adopt


@pytest.fixture
def original(root):
    """What the original script leaves: merged csv files and media, nothing of ours."""
    for name, content in whole().items():
        if not name.startswith(("csv/train/", "csv/val/")):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
    return root


def test_a_whole_dataset_is_adopted_and_only_its_rows_are_fetched(start, original):
    server, hub = start()
    planned = plan_download(hub, original, selection=ASKED, adopt=True)
    assert sum(file.state == "unproven" for file in planned.files) == 6
    assert not (original / ".unitalk").exists()
    report = run_download(planned, hub)
    assert report.complete
    assert sorted(report.fetched) == sorted(f"csv/{s}/{v}.csv" for s, v in VIDEOS)
    assert len(report.adopted) == 6
    assert any("no hash proves them" in note for note in report.warnings)
    assert [path for path in bodies(server) if path.endswith(".zip")] == []
    before = {f"before-adoption/csv/{s}_orig.csv": whole()[f"csv/{s}_orig.csv"]
              for s in ("train", "val")}  # fmt: skip
    assert files_of(original) == whole() | before
    receipt = original / f".unitalk/receipts/clips_videos/val/{VAL[0]}.zip.json"
    assert json.loads(receipt.read_text())["unhashed"] is True
    asked = len(server.log)
    again = download(hub, original)
    assert len(server.log) == asked + 1
    assert (again.complete, again.fetched, again.adopted) == (True, (), ())
    assert files_of(original) == whole() | before


@pytest.mark.parametrize(
    ("part", "harm"),
    [
        ("clips_videos", lambda folder: (folder / f"{VAL[0]}:0/0.04.jpg").unlink()),
        ("clips_videos", lambda folder: (folder / f"{VAL[0]}:0/0.04.jpg").write_bytes(b"\xff\xd8")),
        ("clips_audios", lambda folder: os.truncate(folder / f"{VAL[0]}:0.wav", 100)),
    ],
)
def test_what_is_not_whole_is_fetched_and_nothing_is_lost(start, original, part, harm):
    server, hub = start()
    harm(original / part / "val" / VAL[0])
    harmed = snapshot(original / part / "val" / VAL[0])
    report = download(hub, original, adopt=True)
    assert report.complete
    assert [p for p in report.fetched if p.endswith(".zip")] == [f"{part}/val/{VAL[0]}.zip"]
    assert len(report.adopted) == 5
    assert snapshot(original / "before-adoption" / part / "val" / VAL[0]) == harmed
    kept = {n: b for n, b in files_of(original).items() if not n.startswith("before-adoption")}
    assert kept == whole()


def test_adoption_has_to_be_asked_for(start, original):
    _, hub = start()
    before = snapshot(original, without=())
    with pytest.raises(DestinationError) as caught:
        plan_download(hub, original, selection=ASKED)
    assert "`adopt=True` takes it over" in caught.value.hint
    assert snapshot(original, without=()) == before


def test_an_interrupted_adoption_goes_on(start, original):
    server, hub = start(Fault(rf"resolve/.*/csv/val/{VAL[0]}", status=503, times=-1))
    (original / f"clips_videos/val/{VAL[0]}/{VAL[0]}:0/0.04.jpg").unlink()
    report = download(hub, original, adopt=True)
    assert f"csv/val/{VAL[0]}.csv" in {file.path for file in report.failed}
    server.faults.clear()
    report = download(hub, original)  # it need not be said again
    assert report.complete
    kept = {n: b for n, b in files_of(original).items() if not n.startswith("before-adoption")}
    assert kept == whole()


# ------------------------------------------------------------------------------ many at a time


def test_others_are_fetched_while_one_is_unpacked(start, root, monkeypatch):
    """With one connection, all else arrives while the first archive waits to be unpacked."""
    server, hub = start()
    first = threading.Event()

    def patient(archive, staging, **options):
        if not first.is_set():
            first.set()
            for _ in range(500):
                if len(bodies(server)) >= 4:
                    break
                threading.Event().wait(0.01)
            else:
                pytest.fail("nothing is fetched while an archive is unpacked")
        return unzip(archive, staging, **options)

    monkeypatch.setattr(video_steps, "unzip", patient)
    assert download(hub, root, jobs=2).complete
    assert files_of(root) == whole()


def test_archives_do_not_pile_up(start, root, served, monkeypatch):
    """At most twice as many files as jobs are between their first byte and their final name."""
    for number in range(12):
        publish(served, "val", f"video{number:06d}")
    names = tuple(f"video{number:06d}" for number in range(12))
    _, hub = start()
    most = []

    def slow(archive, staging, **options):
        threading.Event().wait(0.03)
        most.append(len(list(archive.parent.iterdir())))
        return unzip(archive, staging, **options)

    monkeypatch.setattr(video_steps, "unzip", slow)
    assert download(hub, root, Selection(videos=names), jobs=2).complete
    assert 2 <= max(most) <= 4


def test_what_is_adopted_is_judged_by_its_rows_whatever_is_asked_for(start, original):
    server, hub = start()
    report = download(hub, original, Selection(videos=(VAL[0],), parts=("video",)), adopt=True)
    assert report.fetched == (f"csv/val/{VAL[0]}.csv",)
    assert report.adopted == (f"clips_videos/val/{VAL[0]}.zip",)
    assert bodies(server) == [f"csv/val/{VAL[0]}.csv"]


def test_mirrors_on_the_command_line(run, start, root, monkeypatch):
    """The first is down; the second has all of it, and is not told the token."""
    server, _ = start()
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    videos = [word for _, video in VIDEOS for word in ("--video", video)]
    ran = run("download", "--save-path", root, "--endpoint", "http://127.0.0.1:9",
              "--endpoint", server.endpoint, *videos)  # fmt: skip
    assert ran.code == 0
    assert files_of(root) == whole()
    assert not any(call.had_authorization for call in server.log)

"""A disk that is really full: a file system of a few megabytes, filled while a download runs."""

from __future__ import annotations

import errno
import os
import subprocess
import threading
import time

import pytest
from hub_server import FaultyHub, quick, snapshot, zip_of

from unitalk.dataset.download import Selection, plan_download, run_download
from unitalk.errors import DiskError, UnitalkError

VIDEO = "SFa5_upNcHM"
MIB = 1 << 20
ROW = f"{VIDEO},0.00,0.1,0.20,0.300,0.4,NOT_SPEAKING,{VIDEO}:0,0,{VIDEO}:0:0\n".encode()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 16 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(place)]
    try:
        ran = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount")
    if ran.returncode:
        pytest.skip(f"a file system cannot be mounted here: {ran.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def served(tmp_path):
    crops = {f"{VIDEO}/{VIDEO}:0/{n / 25:.2f}.jpg": os.urandom(100_000) for n in range(40)}
    files = {
        f"csv/train/{VIDEO}.csv": ROW,
        f"clips_videos/train/{VIDEO}.zip": zip_of(crops),
    }
    for name, content in files.items():
        (tmp_path / "served" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "served" / name).write_bytes(content)
    return tmp_path / "served", crops


CHOSEN = Selection(videos=(VIDEO,), parts=("csv", "video"))


def fill(disk, leave):
    """Take the space of a disk, but for some bytes; a download may take the last of it first."""
    with (disk / "filler").open("wb", buffering=0) as file:
        while (free := os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize) > leave:
            try:
                file.write(bytes(min(free - leave, MIB)))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                return


def crops_of(root):
    return {
        name.removeprefix("clips_videos/train/"): content
        for name, content in snapshot(root).items()
        if name.startswith("clips_videos/")
    }


def test_a_disk_that_fills_up_while_bytes_arrive(small_disk, served):
    folder, crops = served
    root = small_disk / "data"
    with FaultyHub(folder, bytes_per_second=4_000_000) as server:
        with quick(server.endpoint, patience={"read": 5.0}) as hub:
            planned = plan_download(hub, root, selection=CHOSEN)

            def meanwhile():
                while not any(
                    p.stat().st_size > MIB for p in root.glob(".unitalk/parts/*.video.*")
                ):
                    time.sleep(0.005)
                fill(small_disk, 0)

            somebody = threading.Thread(target=meanwhile)
            somebody.start()
            with pytest.raises(DiskError, match="No space left") as caught:
                run_download(planned, hub)
            somebody.join()
        assert "what has arrived is kept; make room" in caught.value.hint
        assert crops_of(root) == {}
        (part,) = root.glob(".unitalk/parts/*.video.*")
        have = part.stat().st_size
        assert have > MIB
        (small_disk / "filler").unlink()
        server.bytes_per_second = None
        asked = len(server.log)
        with quick(server.endpoint) as hub:
            assert run_download(plan_download(hub, root, selection=CHOSEN), hub).complete
        assert [c.range for c in server.log[asked:] if c.role == "cdn"] == [f"bytes={have}-"]
    assert crops_of(root) == crops


def test_a_disk_that_fills_up_while_an_archive_is_unpacked(small_disk, served):
    """The archive unpacks to far more than archives of crops do, so it is seen only then."""
    folder, _ = served
    crops = {f"{VIDEO}/{VIDEO}:0/{n / 25:.2f}.jpg": bytes(MIB) for n in range(20)}
    archive = folder / f"clips_videos/train/{VIDEO}.zip"
    archive.write_bytes(zip_of(crops, stored=False))
    root = small_disk / "data"
    with FaultyHub(folder) as server:
        with quick(server.endpoint) as hub, pytest.raises(DiskError):
            run_download(plan_download(hub, root, selection=CHOSEN), hub)
        assert crops_of(root) == {}
        assert [p.stat().st_size for p in root.glob(".unitalk/parts/*.video.*")] == [
            archive.stat().st_size
        ]
        subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
        asked = len(server.log)
        with quick(server.endpoint) as hub:
            assert run_download(plan_download(hub, root, selection=CHOSEN), hub).complete
        assert not [call for call in server.log[asked:] if call.role == "cdn"]
    assert crops_of(root) == crops


def test_a_whole_dataset_is_adopted_on_a_full_disk(small_disk, served):
    """What stands there takes no room; what has to be fetched does, and is told before."""
    folder, crops = served
    jpgs = {name: b"\xff\xd8" + content + b"\xff\xd9" for name, content in crops.items()}
    one = f"{VIDEO}/{VIDEO}:0/0.00.jpg"
    (folder / f"clips_videos/train/{VIDEO}.zip").write_bytes(
        zip_of({one: jpgs[one], f"{VIDEO}/more.bin": os.urandom(4_000_000)})
    )
    root = small_disk / "data"
    place = root / "clips_videos/train" / one
    place.parent.mkdir(parents=True)
    place.write_bytes(jpgs[one])
    fill(small_disk, MIB)
    with FaultyHub(folder) as server:
        with quick(server.endpoint) as hub:
            planned = plan_download(hub, root, selection=CHOSEN, adopt=True)
            report = run_download(planned, hub)
        assert report.adopted == (f"clips_videos/train/{VIDEO}.zip",)
        assert crops_of(root) == {one: jpgs[one]}
        again = Selection(videos=(VIDEO,), parts=("csv", "video"), refetch=True)
        with quick(server.endpoint) as hub, pytest.raises(UnitalkError, match="are needed and"):
            run_download(plan_download(hub, root, selection=again), hub)
        assert not [call for call in server.log if call.role == "cdn"]
    assert crops_of(root) == {one: jpgs[one]}

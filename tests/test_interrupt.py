"""Ctrl-C in a real process, whatever it is waiting for: an answer within a second, nothing lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from conftest import one_in
from hub_server import Fault, FaultyHub, snapshot, zip_of

VIDEO = "SFa5_upNcHM"
ROW = f"{VIDEO},0.00,0.1,0.20,0.300,0.4,NOT_SPEAKING,{VIDEO}:0,0,{VIDEO}:0:0\n".encode()
ANY_BODY = "^cdn"

pytestmark = pytest.mark.usefixtures("unmeasured")


def publish(folder, crops):
    files = {
        f"csv/train/{VIDEO}.csv": ROW,
        f"clips_videos/train/{VIDEO}.zip": zip_of(crops, stored=len(crops) > 2),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return len(crops)


def until(happens, process, seconds=20):
    deadline = time.monotonic() + seconds
    while not happens():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "what is waited for does not come"
        time.sleep(0.005)


def small():
    return {f"{VIDEO}/{VIDEO}:0/{n / 25:.2f}.jpg": bytes([n]) * 2000 for n in range(100)}


def many():
    return {f"{VIDEO}/{VIDEO}:{n}/0.00.jpg": b"x" for n in range(9000)}


def large():
    """A member of 600 MB of nothing, and enough beside it not to be taken for a bomb."""
    return {
        f"{VIDEO}/{VIDEO}:0/0.00.jpg": bytes(600_000_000),
        f"{VIDEO}/{VIDEO}:0/0.04.jpg": random.Random(1).randbytes(4_000_000),
    }


WAITS = {
    "for the commit": (small, Fault("hub .*/revision/", hold=True), None),
    "for the listing": (small, Fault("hub .*/tree/", hold=True), None),
    "for an address": (small, Fault("hub .*/resolve/.*zip", hold=True), None),
    "for the first byte": (small, Fault(ANY_BODY, hold=True), None),
    "for the next byte": (small, Fault(ANY_BODY, stall=70_000), None),
    "for patience's end": (small, Fault(ANY_BODY, status=429, headers={"Retry-After": "99"}), None),
    "for one large member": (large, None, ".unitalk/staging/*/*/*.jpg"),
    "for many members": (many, None, f".unitalk/staging/*/{VIDEO}:300"),
}


@pytest.mark.parametrize("wait", one_in(2, reversed(WAITS)))
def test_an_interrupt_is_answered_within_a_second(tmp_path, wait):
    crops, fault, trace = WAITS[wait]
    count = publish(tmp_path / "served", crops())
    root = tmp_path / "data"
    with FaultyHub(tmp_path / "served", faults=(fault,) if fault else ()) as server:
        command = [
            sys.executable, "-m", "unitalk", "download", "--save-path", root,
            "--endpoint", server.endpoint, "--video", VIDEO, "--only", "csv", "--only", "video",
        ]  # fmt: skip
        environment = {**os.environ, "HF_TOKEN_PATH": "/nonexistent", "NO_PROXY": "127.0.0.1"}
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            if fault is not None:
                until(lambda: fault.times == 0, process)
                time.sleep(0.3)  # until it waits
            else:
                until(lambda: any(root.glob(trace)), process)
            have = {p.name: p.stat().st_size for p in root.glob(".unitalk/parts/*")}
            process.send_signal(signal.SIGINT)
            began = time.monotonic()
            stdout, stderr = process.communicate(timeout=20)
            took = time.monotonic() - began
        assert process.returncode == 130, stderr
        # What a busy machine adds is no fault of the program; alone it takes a tenth of a second.
        assert took < 1.5, f"{took:.2f} s"
        assert stdout == ""
        assert "interrupted" in stderr
        assert "run the same command again to continue" in stderr
        assert "Traceback" not in stderr
        # What has come is kept, and nothing has its final name that is not whole.
        for name, size in have.items():
            assert (root / ".unitalk/parts" / name).stat().st_size >= size
        assert not (root / "clips_videos").exists() or snapshot(root / "clips_videos") == {
            "train/": b""
        }
        server.faults.clear()
        server.awake.set()
        asked = len(server.log)
        again = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert again.returncode == 0, again.stderr
        zips = [c.range for c in server.log[asked:] if c.role == "cdn"]
        whole = (tmp_path / f"served/clips_videos/train/{VIDEO}.zip").stat().st_size
        arrived = next((size for name, size in have.items() if ".video." in name), 0)
        assert zips == ([] if arrived == whole else [f"bytes={arrived}-" if arrived else None])
    assert len(list(root.glob(f"clips_videos/train/{VIDEO}/*/*"))) == count

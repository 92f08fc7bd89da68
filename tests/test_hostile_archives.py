"""Hostile and broken archives in a download: each is refused by name, and nothing else suffers.

A hub publishes each as the crops of one video, hashes and all, so its bytes are proven and its
content must not be believed. `test_unpacking` has every way in which an archive can lie.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest
from hub_server import (
    HEADER,
    TRAIN,
    VAL,
    FaultyHub,
    bodies,
    memory_folder,
    publish,
    quick,
    snapshot,
    unpacked,
)
from zip_builder import DEFLATED, Lie, craft, deflate

from unitalk.dataset.download import Selection, plan_download, run_download

PATH = f"clips_videos/train/{TRAIN}.zip"
FINAL = f"clips_videos/train/{TRAIN}"
ASKED = Selection(videos=(TRAIN, VAL[0]))
GOOD = Lie(f"{TRAIN}/good.jpg")
ZEROS = bytes(3_000_000)
PACKED = deflate(ZEROS)

HOSTILE = {
    "climbs": (craft(GOOD, Lie("../../../outside.jpg")), "outside"),
    "is absolute": (craft(GOOD, Lie("/unitalk-outside.jpg")), "/unitalk-outside"),
    "is a link": (
        craft(GOOD, Lie("bad.jpg", b"/etc/passwd", there={"mode": (stat.S_IFLNK | 0o777) << 16})),
        "bad[.]jpg",
    ),
    "speaks to the terminal": (craft(GOOD, Lie("bad\x1b[2J.jpg")), "bad"),
    "writes over itself": (craft(GOOD, Lie("a.jpg"), Lie("A.jpg")), "A[.]jpg"),
    "lies about a checksum": (craft(GOOD, Lie("bad.jpg", there={"crc": 1})), "bad[.]jpg"),
    "is cut": (craft(GOOD)[:-1], ""),
    "is a bomb": (craft(*(Lie(f"{n}.jpg", ZEROS, DEFLATED, PACKED) for n in range(100))), "unpack"),
}


@pytest.fixture
def place():
    """A folder in memory, with things beside the dataset's folder that nothing may touch."""
    with memory_folder() as folder:
        (folder / "beside").mkdir()
        (folder / "beside/thesis.tex").write_text("years of work")
        (folder / "outside.jpg").write_text("mine")
        yield folder


def serve(folder: Path, archive: bytes, path: str = PATH) -> Path:
    publish(folder / "served", "train", TRAIN)
    publish(folder / "served", "val", VAL[0])
    (folder / "served" / path).write_bytes(archive)
    return folder / "served"


def others() -> dict[str, bytes]:
    """What is complete whatever is wrong with the one archive."""
    train = {n: c for n, c in unpacked(TRAIN, "train").items() if not n.startswith("clips_videos")}
    val = unpacked(VAL[0], "val")
    return {
        **train, **val,
        "csv/train_orig.csv": HEADER + train[f"csv/train/{TRAIN}.csv"],
        "csv/val_orig.csv": HEADER + val[f"csv/val/{VAL[0]}.csv"],
    }  # fmt: skip


def surroundings(place: Path) -> dict[str, bytes]:
    """All that is around the dataset's folder, and where absolute names point to."""
    found = snapshot(place, without=("data",))
    found["/"] = "\n".join(sorted(os.listdir("/"))).encode()
    return found


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_by_name(place, name):
    """Twice: the other videos are complete, and the proven bytes are not fetched again."""
    archive, words = HOSTILE[name]
    root = place / "data"
    with FaultyHub(serve(place, archive)) as server:
        before = surroundings(place)
        for turn in ("first", "second"):
            since = len(server.log)
            with quick(server.endpoint) as hub:
                report = run_download(plan_download(hub, root, selection=ASKED), hub)
            (failed,) = report.failed
            assert (failed.path, report.complete) == (PATH, False)
            assert re.search(words, failed.cause.partition("not unpacked")[2]), failed.cause
            assert (failed.cause + failed.hint).isprintable()
            assert surroundings(place) == before
            seen = snapshot(root)
            seen.pop("failed.txt", None)
            assert {n: c for n, c in seen.items() if not n.endswith("/")} == others()
            assert not os.path.lexists(root / FINAL)
            staging = root / ".unitalk/staging"
            assert not staging.exists() or not list(staging.iterdir())
            assert len(bodies(server, since).get(PATH, [])) == (turn == "first")


def test_sounds_are_checked_as_crops_are(place):
    path = f"clips_audios/train/{TRAIN}.zip"
    with FaultyHub(serve(place, HOSTILE["climbs"][0], path)) as server:
        before = surroundings(place)
        with quick(server.endpoint) as hub:
            report = run_download(plan_download(hub, place / "data", selection=ASKED), hub)
        assert [file.path for file in report.failed] == [path]
        assert surroundings(place) == before
        assert not (place / "data" / path.removesuffix(".zip")).exists()


def test_the_command_names_the_file_and_takes_a_right_one_by_update(place, run_cli):
    with FaultyHub(serve(place, craft(GOOD, Lie("../../evil\x1b[2J.jpg")))) as server:
        ran = run_cli(server, place / "data")
        assert ran.code == 4
        assert PATH in ran.stdout
        assert "\x1b" not in ran.stdout + ran.stderr
    (place / "served" / PATH).write_bytes(craft(GOOD))
    with FaultyHub(place / "served") as server:
        ran = run_cli(server, place / "data", "--update")
        assert ran.code == 0, ran.stdout + ran.stderr
        assert snapshot(place / "data") == {**others(), f"{FINAL}/good.jpg": b"face"}


@pytest.fixture
def run_cli(run, monkeypatch, tmp_path):
    for name in set(os.environ):
        if name.startswith(("HF_", "HUGGING_FACE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HOME", str(tmp_path))

    def run_it(server, root, *more):
        return run(
            "download", "-q", "--save-path", root, "--endpoint", server.endpoint,
            "--video", TRAIN, "--video", VAL[0], *more,
        )  # fmt: skip

    return run_it

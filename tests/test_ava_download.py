"""AVA's videos from a bucket that misbehaves: what is in place, what is not, and why."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
from bucket import Bucket, GetFault, HeadFault, quick_site
from conftest import tree, without_coverage
from hub_server import Fault

from unitalk import schemas
from unitalk.dataset.ava import ava_lists, fetched_files
from unitalk.dataset.ava.ava_download import download_ava, plan_ava
from unitalk.errors import DataError, HubError, NotFoundError, UnitalkError, UsageError

FILES = {
    "trainval": ("-5KQ66BBWC4.mkv", "053oq2xB3oU.mkv", "1j20qq1JyX4.mp4"),
    "test": ("zlVkeKC6Ha8.webm",),
}
CONTENT = {
    f"{split}/{name}": random.Random(name).randbytes(30_000 + 1000 * len(split) + ord(name[1]))
    for split, names in FILES.items()
    for name in names
}
"""What the bucket has: a stand-in for each video, all of different bytes."""


@pytest.fixture
def folder(tmp_path):
    served = tmp_path / "served"
    for path, content in CONTENT.items():
        (served / path).parent.mkdir(parents=True, exist_ok=True)
        (served / path).write_bytes(content)
    (served / "annotations").mkdir()
    for split, names in FILES.items():
        text = "".join(f"{name}\n" for name in names)
        (served / f"annotations/ava_file_names_{split}_v2.1.txt").write_text(text)
    return served


@pytest.fixture
def start(folder):
    with contextlib.ExitStack() as stack:

        def begin(*faults, **options):
            server = stack.enter_context(Bucket(folder, faults=faults))
            return server, stack.enter_context(quick_site(server.endpoint, **options))

        yield begin


def download(site, root, *, jobs=3, **options):
    return download_ava(plan_ava(site, root, **options), site, jobs=jobs)


def videos_in(root):
    """The files that stand there under their final names."""
    return {name: b for name, b in tree(root).items() if not name.startswith(".unitalk")}


# ------------------------------------------------------------------------------ the lists


def test_a_list_is_names_in_order_each_once():
    text = "\ufeffb.mp4\r\n\r\n# more\n  a.mkv \nb.mp4\n"
    assert ava_lists.parse(text.removeprefix("\ufeff"), "here") == ("b.mp4", "a.mkv")


@pytest.mark.parametrize("line", ["../a.mp4", "a\\b.mp4", ".hidden.mp4", "id-only"])
def test_what_is_no_file_name_is_refused_by_line(line):
    with pytest.raises(DataError, match=r"not a list of video files: here:2: ") as caught:
        ava_lists.parse(f"a.mp4\n{line}\n", "here")
    assert "one file name a line" in caught.value.hint


def test_a_bundle_has_its_lists_under_another_name(start, folder):
    server, site = start()
    for split in FILES:
        there = folder / f"annotations/ava_file_names_{split}_v2.1.txt"
        there.rename(folder / f"{split}_file_list.txt")
    assert ava_lists.fetch_list(site, "trainval") == FILES["trainval"]


def test_no_list_at_all_is_said(start, tmp_path, folder):
    server, site = start(Fault("txt", status=404, times=-1))
    with pytest.raises(NotFoundError, match="has no list of the files of trainval") as caught:
        plan_ava(site, tmp_path / "videos")
    assert "`list_files`" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "splits", "split"),
    [("trainval_file_list.txt", (), "trainval"), ("test_file_list.txt", (), "test"),
     ("mine.txt", ("test",), "test"), ("test_file_list.txt", ("trainval",), "trainval")],
)  # fmt: skip
def test_the_split_of_a_list(name, splits, split):
    assert ava_lists.split_of(Path(name), splits) == split


@pytest.mark.parametrize("name", ["mine.txt", "trainval_and_test.txt"])
def test_the_split_of_a_list_that_nobody_can_know(name):
    with pytest.raises(UsageError, match="of which split are these files") as caught:
        ava_lists.split_of(Path(name), ())
    assert caught.value.hint == "give `splits=('trainval',)` or `splits=('test',)`"


# ------------------------------------------------------------------------------ the plan


def test_a_plan_knows_sizes_and_fetches_nothing(start, tmp_path):
    server, site = start()
    planned = plan_ava(site, tmp_path / "videos")
    assert {v.path: v.size for v in planned.videos} == {p: len(c) for p, c in CONTENT.items()}
    assert planned.bytes_to_fetch == sum(map(len, CONTENT.values()))
    assert {v.state for v in planned.videos} == {"absent"}
    assert [a for a in server.asked() if a.startswith("GET") and not a.endswith(".txt")] == []
    assert not (tmp_path / "videos").exists()


def test_a_plan_of_some(start, tmp_path):
    server, site = start()
    root = tmp_path / "videos"
    some = plan_ava(site, root, splits=("trainval",), limit=2)
    assert [v.file for v in some.videos] == list(FILES["trainval"][:2])
    ids = ("1j20qq1JyX4", "zlVkeKC6Ha8", "notAvaAtAll")
    some = plan_ava(site, root, videos=ids)
    assert [v.path for v in some.videos] == ["trainval/1j20qq1JyX4.mp4", "test/zlVkeKC6Ha8.webm"]
    assert some.unknown == ("notAvaAtAll",)


def test_a_list_of_ones_own_is_the_only_split_and_the_server_is_not_asked_for_one(start, tmp_path):
    server, site = start()
    own = tmp_path / "test_file_list.txt"
    own.write_text("zlVkeKC6Ha8.webm\n")
    planned = plan_ava(site, tmp_path / "videos", list_files=(own,))
    assert [v.path for v in planned.videos] == ["test/zlVkeKC6Ha8.webm"]
    assert server.asked() == ["HEAD /test/zlVkeKC6Ha8.webm"]


def test_a_size_that_is_not_told_is_unknown(start, tmp_path):
    server, site = start(HeadFault("053oq", status=418, times=-1))
    planned = plan_ava(site, tmp_path / "videos")
    assert [v.file for v in planned.videos if v.size is None] == ["053oq2xB3oU.mkv"]
    assert planned.to_dict()["unknown_sizes"] == 1
    report = download_ava(planned, site)  # and it is fetched all the same
    assert report.complete


def test_without_a_network_one_question_is_enough(tmp_path):
    own = tmp_path / "test_file_list.txt"
    own.write_text("".join(f"{n:011}.mp4\n" for n in range(100)))
    with quick_site("http://127.0.0.1:9") as site:
        began = time.monotonic()
        with pytest.raises(HubError, match=r"3 failures in a row.*127\.0\.0\.1"):
            plan_ava(site, tmp_path / "videos", list_files=(own,))
    assert time.monotonic() - began < 5  # a hundred of them, eight at a time, would take longer


# ------------------------------------------------------------------------------ the run


def test_everything_is_in_place_and_a_rerun_asks_for_the_lists_only(start, tmp_path):
    server, site = start()
    root = tmp_path / "videos"
    report = download(site, root)
    assert report.complete
    assert videos_in(root) == CONTENT
    assert report.bytes_fetched == sum(map(len, CONTENT.values()))
    assert not (root / ".unitalk/parts").exists()
    before = len(server.log)
    again = download(site, root)
    assert (again.fetched, again.present) == ((), tuple(CONTENT))
    assert [a for a in server.asked()[before:] if not a.endswith("_v2.1.txt")] == []


@pytest.mark.parametrize("text", ["{", '{"videos": {"a": {}}}', "[]", '{"videos": 3}'])
def test_a_damaged_memory_is_named(start, tmp_path, text):
    server, site = start()
    (tmp_path / ".unitalk").mkdir()
    (tmp_path / ".unitalk/ava_videos.json").write_text(text)
    with pytest.raises(UnitalkError, match=r"ava_videos\.json") as caught:
        download(site, tmp_path)
    assert caught.value.hint.startswith("move it elsewhere")


def test_a_missing_file_is_named_and_the_rest_is_done(start, tmp_path, folder):
    (folder / "trainval/053oq2xB3oU.mkv").unlink()
    server, site = start()
    report = download(site, tmp_path / "videos")
    assert report.missing == ("trainval/053oq2xB3oU.mkv",)
    assert (report.complete, report.failed, len(report.fetched)) == (False, (), 3)
    assert report.failed_list is None  # to ask again for what is not there helps nobody


def test_what_fails_twice_is_reported_and_listed(start, tmp_path):
    server, site = start(GetFault("053oq", status=500, times=-1))
    root = tmp_path / "videos"
    report = download(site, root)
    assert [f.path for f in report.failed] == ["trainval/053oq2xB3oU.mkv"]
    assert "5 failures in a row" in report.failed[0].cause
    assert report.failed_list == root / "failed.txt"
    text = report.failed_list.read_text()
    assert text.splitlines()[1:] == ["053oq2xB3oU"]
    server.renew()
    assert download(site, root, videos=("053oq2xB3oU",)).complete
    assert not report.failed_list.exists()
    assert videos_in(root) == CONTENT


def test_what_stood_there_before_is_kept_if_it_is_the_servers(start, tmp_path):
    server, site = start()
    root = tmp_path / "videos"
    path = "trainval/1j20qq1JyX4.mp4"
    (root / "trainval").mkdir(parents=True)
    (root / path).write_bytes(CONTENT[path])
    report = download(site, root)
    assert report.adopted == (path,)
    assert report.warnings == ()  # the MD5 proves it
    assert server.bodies(path) == []
    assert download(site, root).present == tuple(CONTENT)


def test_what_stood_there_and_cannot_be_proven_is_kept_with_a_warning(start, tmp_path):
    server, site = start()
    server.tags = "opaque"
    (tmp_path / "test").mkdir()
    (tmp_path / "test/zlVkeKC6Ha8.webm").write_bytes(CONTENT["test/zlVkeKC6Ha8.webm"])
    report = download(site, tmp_path, splits=("test",))
    assert report.adopted == ("test/zlVkeKC6Ha8.webm",)
    assert "no hash proves them" in report.warnings[0]


@pytest.mark.parametrize("tags", ["md5", "opaque"])
@pytest.mark.parametrize("same_size", [True, False])
def test_what_stood_there_and_is_another_file_is_not_touched(start, tmp_path, tags, same_size):
    server, site = start()
    server.tags = tags
    path = "test/zlVkeKC6Ha8.webm"
    other = b"x" * (len(CONTENT[path]) - (not same_size))
    (tmp_path / "test").mkdir()
    (tmp_path / path).write_bytes(other)
    report = download(site, tmp_path, splits=("test",))
    if same_size and tags == "opaque":
        assert report.adopted == (path,)  # the size is all that can be compared
        return
    assert "is there already, and is not the file that the server has" in report.failed[0].cause
    assert report.failed[0].hint.startswith("move it elsewhere")
    assert (tmp_path / path).read_bytes() == other
    assert server.bodies(path) == []


def test_a_disk_that_is_too_small_is_said_before(start, tmp_path):
    server, site = start(HeadFault("test", headers={"Content-Length": str(10**15)}, times=-1))
    with pytest.raises(UnitalkError, match=r"about 1000\.0 TB are needed and .* are free"):
        download(site, tmp_path)
    assert [a for a in server.asked() if a.startswith("GET") and not a.endswith(".txt")] == []


# ------------------------------------------------------------------------------ SIGKILL, Ctrl-C


def command(server, root, *more):
    return [sys.executable, "-m", "unitalk", "ava", "download", "-q", "--destination", str(root),
            "--base-url", server.endpoint, *more]  # fmt: skip


def parts(root):
    """How many bytes of each file a folder has, under the final or the partial name."""
    have = {}
    for path, content in CONTENT.items():
        part = fetched_files.part(root, path)
        there = part.stat().st_size if part.exists() else 0
        have[path] = len(content) if (root / path).exists() else there
    return have


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(("number", "wanted"), [(signal.SIGKILL, 30_000), (signal.SIGINT, 90_000)])
def test_a_killed_run_is_continued_and_no_whole_byte_is_fetched_twice(
    folder, tmp_path, number, wanted
):
    """Each line brings 60 kB a second, so that the end comes in the middle of several files."""
    root = tmp_path / "videos"
    with Bucket(folder, bytes_per_second=60_000) as server:
        with subprocess.Popen(
            command(server, root, "--jobs", "3"), env=without_coverage(), stdout=subprocess.DEVNULL
        ) as process:
            end = time.monotonic() + 60
            while sum(parts(root).values()) < wanted:
                assert time.monotonic() < end
                assert process.poll() is None
                time.sleep(0.005)
            os.kill(process.pid, number)
            assert process.wait(30) == (-9 if number == signal.SIGKILL else 130)
        have, before = parts(root), len(server.log)
        assert 0 < sum(have.values()) < sum(map(len, CONTENT.values()))
        # What stands under a final name is whole.
        assert videos_in(root).items() <= CONTENT.items()
        server.bytes_per_second = None
        again = subprocess.run(command(server, root), env=without_coverage(), check=False,
                               capture_output=True)  # fmt: skip
        assert again.returncode == 0
        asked = {}
        for call in server.log[before:]:
            if call.method == "GET" and not call.path.endswith(".txt"):
                asked.setdefault(call.path.lstrip("/"), []).append(call.range)
    for path, content in CONTENT.items():
        lacks = have[path] < len(content)
        wanted_range = f"bytes={have[path]}-" if have[path] else None
        assert asked.get(path) == ([wanted_range] if lacks else None)
    assert videos_in(root) == CONTENT
    assert not (root / ".unitalk/parts").exists()


# ------------------------------------------------------------------------------ the command line


def test_dry_run_says_how_many_and_how_much(run, folder, tmp_path):
    with Bucket(folder) as server:
        options = ("ava", "download", "--destination", tmp_path / "v",
                   "--base-url", server.endpoint)  # fmt: skip
        ran = run(*options, "--dry-run")
        assert ran.code == 0
        # 30,000 + 1000 * 8 + the codes of "5", "5", "j"; and 30,000 + 1000 * 4 + that of "l"
        assert len(CONTENT["test/zlVkeKC6Ha8.webm"]) == 34_108
        assert ran.stdout.splitlines() == [
            server.endpoint,
            "split     videos  in place  to fetch  size",
            "trainval       3         0         3  114.2 kB",
            "test           1         0         1  34.1 kB",
        ]
        assert not (tmp_path / "v").exists()
        result = json.loads(run(*options, "--dry-run", "--format", "json").stdout)
        assert result["bytes_to_fetch"] == sum(map(len, CONTENT.values()))
        jsonschema.validate(result, schemas.read("ava-download"))


def test_the_verb_fetches_and_its_code_says_whether_all_is_there(run, folder, tmp_path):
    (folder / "trainval/053oq2xB3oU.mkv").unlink()
    root = tmp_path / "v"
    with Bucket(folder) as server:
        options = ("ava", "download", "--destination", root, "--base-url", server.endpoint)
        ran = run(*options, "--video=-5KQ66BBWC4", "--split", "trainval")
        assert ran.code == 0
        assert ran.stdout.startswith(f"{root}: downloaded 1 file, 38.1 kB; 0 existed already\n")
        ran = run(*options, "--video", "nobodyHasIt", "--format", "json")
        assert ran.code == 4
        result = json.loads(ran.stdout)
        assert result["unknown"] == ["nobodyHasIt"]
        jsonschema.validate(result, schemas.read("ava-download"))
        ran = run(*options)
        assert ran.code == 4
        assert "not on the server: trainval/053oq2xB3oU.mkv" in ran.stdout.splitlines()
        assert "2 files" in ran.stdout

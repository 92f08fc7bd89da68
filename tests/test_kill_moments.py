"""SIGKILL at random moments: the next run makes it whole, and fetches nothing twice.

A moment is uniform over the time that an undisturbed run takes; the process is the real one, and
dies with all of its threads. `test_kill.py` kills at each change of the disk; here it may happen
between any two instructions, while other threads are anywhere.

The five jobs::

    download   fresh, from a hub that sends so many bytes a second
    unpack     archives that are there, by `unitalk unpack`
    merge      a download of which only the joined csv files are missing
    trim       }
    convert    }  of a dataset on the disk

After each death: nothing half-made has a final name; what was whole is asked for no more, and what
was half there only from where it ended (the server's log says so); and the tree in the end is that
of a run that nobody disturbed.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Self

import pytest
from build import Track, make_dataset
from conftest import exhaustive, tree, without_coverage
from hub_server import (
    TRAIN,
    VAL,
    FaultyHub,
    fetched_twice,
    held,
    memory_folder,
    publish,
    rows,
    snapshot,
    zip_of,
)

KILLER = Path(__file__).with_name("killer.py")
MOMENTS = {"download": 40, "unpack": 12, "merge": 20, "trim": 20, "convert": 20}
ROWS = 20_000  # of a video, where rows are joined
CROPS = 40  # of a video
VIDEOS = (("train", TRAIN), ("val", VAL[0]), ("val", VAL[1]))


some_or_all = pytest.mark.parametrize("share", [5, pytest.param(1, marks=exhaustive)])
"""One moment in five is always tried; where moments fell is asked of all of them only."""


class Forks:
    """The process that starts, times and kills the command line; see `killer.py`."""

    def __init__(self, folder: Path) -> None:
        self.said = folder / "said.txt"
        self.process = subprocess.Popen(
            [sys.executable, str(KILLER), "forks"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**without_coverage(), "OPENBLAS_NUM_THREADS": "1", "HF_TOKEN": "hf_good"},
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()

    def run(self, *arguments: object, after: float | None = None) -> tuple[int, float]:
        """The exit code (-9 when it was killed) and the seconds of one run."""
        order = {"arguments": [*map(str, arguments)], "after": after, "said": str(self.said)}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer["code"], answer["seconds"]

    def to_its_end(self, *arguments: object) -> float:
        """Run undisturbed; return the seconds."""
        code, seconds = self.run(*arguments)
        assert code == 0, self.said.read_text()
        return seconds

    def moments(self, count: int, seed: int, prepare, *arguments: object):
        """Kill as many runs, each at its own moment; yield its number after each death.

        A run that ends before its moment is no death, and another one takes its place; the moments
        are spread over what an undisturbed run takes, the first of three, which learn and warm.
        """
        span = []
        for _ in range(3):
            prepare()
            span.append(self.to_its_end(*arguments))
        draw = random.Random(seed)
        deaths = tries = 0
        while deaths < count:
            tries += 1
            assert tries < 4 * count, f"of {tries} runs only {deaths} lived as long as thought"
            prepare()
            code, _ = self.run(*arguments, after=draw.uniform(0, min(span[1:])))
            if code == -9:
                deaths += 1
                yield deaths
            else:
                assert code == 0, self.said.read_text()


@pytest.fixture(scope="module")
def forks(tmp_path_factory):
    with Forks(tmp_path_factory.mktemp("forks")) as forks:
        yield forks


@pytest.fixture
def tmp_path():
    """In memory, as what is looked for is what a killed process left, and not the disk's speed."""
    with memory_folder() as folder:
        yield folder


@pytest.fixture
def served(tmp_path):
    """Three videos: many small members to unpack, many rows to join."""
    folder = tmp_path / "served"
    for split, video in VIDEOS:
        publish(folder, split, video)
        times = tuple(f"{n / 25:.2f}" for n in range(100))
        (folder / f"csv/{split}/{video}.csv").write_bytes(rows(video, times))
        crops = {f"{video}:{n % 3}/{n / 25:.2f}.jpg": random.Random(n).randbytes(800)
                 for n in range(CROPS)}  # fmt: skip
        (folder / f"clips_videos/{split}/{video}.zip").write_bytes(zip_of(crops))
    return folder


@pytest.fixture
def server(served):
    with FaultyHub(served) as server:
        yield server


def download(server, root, *more):
    videos = [word for _, video in VIDEOS for word in ("--video", video)]
    return ("download", "-q", "--save-path", root, "--endpoint", server.endpoint, *videos, *more)


def fresh(root):
    def prepare():
        shutil.rmtree(root, ignore_errors=True)

    return prepare


def check_nothing_half_made(root, whole):
    """Each file under a final name is one of the whole tree's; a folder has all of its files."""
    seen = {name: content for name, content in snapshot(root).items() if not name.endswith("/")}
    for name, content in seen.items():
        # The csv of a split is written beside its name; such a file is hidden, and not looked at.
        if not Path(name).name.startswith("."):
            assert whole.get(name) == content, name
    for kind in ("clips_audios", "clips_videos"):
        for folder in {f"{kind}/{split}/{video}" for split, video in VIDEOS}:
            if (root / folder).exists():
                inside = {name for name in whole if name.startswith(folder + "/")}
                assert {name for name in seen if name.startswith(folder + "/")} == inside


# ------------------------------------------------------------------------------ download


@some_or_all
@pytest.mark.parametrize("jobs", [8, pytest.param(1, marks=exhaustive)])
def test_a_download_killed_at_any_moment(forks, server, tmp_path, jobs, share):
    """Half of the moments with as many connections as people have, half with one."""
    root = tmp_path / "data"
    server.bytes_per_second = slowly = 1_000_000 // min(jobs, 4)
    command = download(server, root, "--jobs", jobs)
    forks.to_its_end(*command)
    whole = snapshot(root)
    assert len(whole) == 3 * (CROPS + 1 + 1) + 2, "crops, a sound, a csv each; two joined"
    count = MOMENTS["download"] // 2 // share
    half_here = 0
    for _ in forks.moments(count, jobs, fresh(root), *command):
        server.bytes_per_second = None
        check_nothing_half_made(root, whole)
        before, since = held(root, server), len(server.log)
        half_here += any(0 < before[path] < entry.size for path, entry in server.entries.items())
        forks.to_its_end(*command)
        assert snapshot(root) == whole
        assert not fetched_twice(server, since, before)
        assert not server.tokens_at_the_storage()
        left = {path.name for path in (root / ".unitalk").iterdir()}
        assert not left & {"staging", "parts", "old"}, "nothing is left of the dead one's work"
        server.bytes_per_second = slowly
    assert share > 1 or half_here, "so many moments miss the bytes by no chance"


# ------------------------------------------------------------------------------ unpack


@some_or_all
def test_unpack_killed_at_any_moment(forks, server, tmp_path, share):
    """`unitalk unpack`, later and without a network."""
    root, kept = tmp_path / "data", tmp_path / "kept"
    forks.to_its_end(*download(server, kept, "--no-unpack"))
    asked = len(server.log)
    command = ("unpack", "-q", kept, "--destination", root)
    forks.to_its_end(*command)
    whole = snapshot(root)
    assert len([name for name in whole if name.endswith(".jpg")]) == 3 * CROPS
    archives = snapshot(kept)
    for _ in forks.moments(MOMENTS["unpack"] // share, 3, fresh(root), *command):
        check_nothing_half_made(root, whole)
        forks.to_its_end(*command)
        assert snapshot(root) == whole
        assert snapshot(kept) == archives, "what is unpacked from is only read"
    assert len(server.log) == asked, "no network"


# ------------------------------------------------------------------------------ merge


@some_or_all
def test_a_merge_killed_at_any_moment(forks, served, tmp_path, share):
    """Everything is in place but the joined csv files, of some megabytes."""
    for split, video in VIDEOS:
        times = tuple(f"{n / 25:.2f}" for n in range(ROWS))
        (served / f"csv/{split}/{video}.csv").write_bytes(rows(video, times))
    with FaultyHub(served) as server:
        root = tmp_path / "data"
        command = download(server, root, "--only", "csv")
        forks.to_its_end(*command)
        whole = snapshot(root)
        assert whole["csv/val_orig.csv"].count(b"\n") == 2 * ROWS + 1
        for _ in forks.moments(MOMENTS["merge"] // share, 4, lambda: unmerge(root), *command):
            check_nothing_half_made(root, whole)
            since = len(server.log)
            forks.to_its_end(*command)
            assert tree(root / "csv") == {n.removeprefix("csv/"): c for n, c in whole.items()}
            asked = [call.path for call in server.log[since:] if "/resolve" in call.path]
            assert asked == [], "only the question which commit it is"


def unmerge(root):
    for merged in root.glob("csv/*_orig.csv"):
        merged.unlink()


# ------------------------------------------------------------------------------ trim, convert


@pytest.fixture
def source(tmp_path):
    """Eight videos of two tracks each, ten faces a track."""
    from unitalk.catalog import video_list

    videos = [video.video_id for video in video_list.select(splits=("val",))][:8]
    times = [f"{n / 25:.2f}" for n in range(10)]
    tracks = {
        video: [Track(f"{video}:{n}", times, [n % 2] * len(times)) for n in range(2)]
        for video in videos
    }
    return make_dataset(tmp_path / "source", tracks)


VERBS = {
    "trim": lambda source, to: (
        "trim", "-q", "--path", source, "--new-path", to, "--list", source / "wanted.txt",
    ),
    "convert": lambda source, to: ("convert-asc", "-q", "--source", source, "--destination", to),
}  # fmt: skip


@some_or_all
@pytest.mark.parametrize("verb", VERBS)
def test_trim_and_convert_killed_at_any_moment(forks, source, tmp_path, verb, share):
    videos = sorted(path.name for path in (source / "clips_audios/val").iterdir())
    (source / "wanted.txt").write_text("\n".join(videos[:6]))
    destination = tmp_path / "result"
    command = VERBS[verb](source, destination)
    forks.to_its_end(*command)
    whole, untouched = tree(destination), tree(source)
    assert (
        len([name for name in whole if name.endswith(".jpg")]) == (6 if verb == "trim" else 8) * 20
    )
    for _ in forks.moments(MOMENTS[verb] // share, 5, fresh(destination), *command):
        assert not destination.exists() or tree(destination) == whole
        forks.to_its_end(*command, "--overwrite")
        assert tree(destination) == whole
        assert {path.name for path in tmp_path.iterdir()} <= {"source", "result"}
    assert tree(source) == untouched

"""Every verb that runs on a cluster, on a real one of which a worker dies: the same bytes."""

from __future__ import annotations

import json
import signal

import pytest
from conftest import one_in, tree

pytest.importorskip("distributed", reason='Dask is not installed: pip install "unitalk[cluster]"')

from cluster import running

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("unmeasured")]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A scheduler with one worker that lives; each test adds one that does not."""
    folder = tmp_path_factory.mktemp("cluster")
    with running(folder / "cluster") as cluster:
        cluster.worker(folder)
        yield cluster


@pytest.fixture(scope="module")
def asw(tmp_path_factory):
    """Annotations of twenty videos in ASW's form, each with two tracks of thirty boxes."""
    folder = tmp_path_factory.mktemp("asw")
    (folder / "json").mkdir()
    (folder / "split").mkdir()
    names = [f"video{number:06}" for number in range(20)]
    for number, name in enumerate(names):
        tracks = {
            f"track_{track:06}": [
                {"time": round(row / 5, 1), "bbox": [0.1, 0.2, 0.3, 0.25 + number / 100],
                 "label": (row // 7 + number) % 2, "eval": int(row % 7 > 0)}
                for row in range(30)
            ]
            for track in range(2)
        }  # fmt: skip
        (folder / f"json/{name}.json").write_text(json.dumps(tracks))
    for split, own in (("devset", names[:12]), ("valset", names[12:])):
        (folder / f"split/{split}.list").write_text("".join(f"{name}.json\n" for name in own))
    return folder


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Eight videos and the rows of eight faces in each."""
    video_files = pytest.importorskip("video_files", reason='pip install "unitalk[video]"')
    folder = tmp_path_factory.mktemp("films")
    rows = []
    for name in (f"video{number:06}" for number in range(8)):
        form = video_files.Form(frames=10, size=(64, 48), sound="pcm_s16le")
        video_files.make_video(folder / f"videos/{name}.mkv", form)
        rows += [(name, round(n / 25, 2), (0.1, 0.1, 0.9, 0.9), f"{name}:0") for n in range(8)]
    video_files.write_rows(folder / "val_orig.csv", rows)
    return folder


def lines(sample, asw, films):
    return {
        "import asw": ("import", "asw", asw / "json", asw / "split",
                       "--rate", "25"),
        "crops": ("crop", films / "val_orig.csv", "--video-dir", films / "videos"),
        "convert-asc": ("convert-asc", "--source", sample, "--link", "copy"),
        "convert-talknet": ("convert-talknet", sample, "--link", "copy"),
        "convert-loconet": ("convert-loconet", sample, "--link", "copy"),
        "export webdataset": ("export", "webdataset", sample, "--shard-size", "300KB"),
        "export hf": ("export", "hf", sample, "--shard-size", "300KB"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("verb", "dies_at"),
    one_in(3, [("crops", 20), ("convert-asc", 200), ("convert-talknet", 200),
               ("export webdataset", 8), ("import asw", 4), ("convert-loconet", 250),
               ("export hf", 5)]),
)  # fmt: skip
def test_a_worker_that_is_killed_half_way_changes_no_byte(
    tmp_path, run, sample, asw, films, cluster, verb, dies_at
):
    line = lines(sample, asw, films)[verb]
    alone = run("-q", *line, "--destination", tmp_path / "alone", "--jobs", "1")
    assert (alone.code, alone.stderr) == (0, "")
    mortal = cluster.worker(tmp_path, dies_at=dies_at)
    cluster.wait_for(2)
    ran = run("-q", *line, "--destination", tmp_path / "there", "--scheduler", cluster.address)
    assert mortal.wait(10) == -signal.SIGKILL
    assert ran.code == 0, ran.stderr
    assert ran.stdout == alone.stdout.replace("alone", "there")
    assert tree(tmp_path / "there") == tree(tmp_path / "alone")
    assert {path.name for path in tmp_path.iterdir()} == {"alone", "there"}  # no staging is left
    assert not (tmp_path / "there/.unitalk/staging").exists()

"""Crops on a real cluster of which a worker dies half-way: the same bytes."""

from __future__ import annotations

import signal

import pytest
from conftest import tree

pytest.importorskip("av", reason='pip install "unitalk[video]"')
pytest.importorskip("distributed", reason='Dask is not installed: pip install "unitalk[cluster]"')

from cluster import running
from video_files import Form, make_video, write_rows

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("unmeasured")]


def test_a_worker_that_is_killed_half_way_changes_no_byte(tmp_path, run):
    names = [f"video{number:06}" for number in range(8)]
    for name in names:
        form = Form(frames=10, size=(64, 48), sound="pcm_s16le")
        make_video(tmp_path / f"videos/{name}.mkv", form)
    rows = [
        (name, round(n / 25, 2), (0.1, 0.1, 0.9, 0.9), f"{name}:0")
        for name in names
        for n in range(8)
    ]
    csv = write_rows(tmp_path / "val_orig.csv", rows)
    line = ("-q", "crops", "--csv", csv, "--videos", tmp_path / "videos", "--destination")
    alone = run(*line, tmp_path / "alone", "--jobs", 1)
    assert (alone.code, alone.stderr) == (0, "")
    with running(tmp_path / "cluster") as cluster:
        cluster.worker(tmp_path)
        mortal = cluster.worker(tmp_path / "there", dies_at=20)
        cluster.wait_for(2)
        ran = run(*line, tmp_path / "there", "--scheduler", cluster.address)
        assert mortal.wait(10) == -signal.SIGKILL
    assert ran.code == 0, ran.stderr
    assert ran.stdout == alone.stdout.replace("alone", "there")
    assert tree(tmp_path / "there") == tree(tmp_path / "alone")
    assert not (tmp_path / "there/.unitalk/staging").exists()

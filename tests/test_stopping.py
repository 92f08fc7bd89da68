"""A stop, whenever it comes and to whomever: 130, a line, nobody left behind, nothing torn."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import pytest
from build import HEADER, make_dataset, write_wav
from conftest import exhaustive, without_coverage

from unitalk import stopping
from unitalk.net import Hub, Patience
from unitalk.net.loopback import LoopbackHub
from unitalk.threads import Threads


def press(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


# ------------------------------------------------------------------------------ where it may raise


def test_a_stop_is_noted_where_it_must_not_raise_and_raised_by_who_waits():
    before = signal.getsignal(signal.SIGINT)
    reached = []
    with pytest.raises(KeyboardInterrupt):
        with stopping.noted(), stopping.noted():
            press()
            reached.append("behind the signal")
            stopping.check()
            reached.append("behind the check")
    assert reached == ["behind the signal"]
    with pytest.raises(KeyboardInterrupt):
        with stopping.noted():
            press()
            raise RuntimeError("which may come of the same signal")
    with pytest.raises(KeyboardInterrupt), stopping.noted():
        press()
        press()  # in a hurry
        pytest.fail("the second is held back")
    with stopping.noted():
        pass
    stopping.check()
    assert signal.getsignal(signal.SIGINT) is before


def test_the_handler_of_a_caller_is_left_alone(monkeypatch):
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append("theirs"))
    try:
        with stopping.noted(), stopping.unheard():
            press()
        stopping.check()
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == ["theirs"]


def test_what_python_drops_is_raised_all_the_same():
    class Last:
        def __del__(self):
            press()

    with pytest.raises(KeyboardInterrupt), stopping.listening(lambda: None):
        Last()  # whose exception nobody can catch
        time.sleep(5)
        pytest.fail("the stop is lost")


@contextlib.contextmanager
def pressed_inside_a_lock():
    """Ctrl-C at the worst moment: a condition has released its lock, and has not noted so."""
    times = []

    def look(frame, event, _):
        if event == "c_return" and frame.f_code.co_name == "_release_save" and not times:
            times.append(time.monotonic())
            press()

    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(None)
        assert times, "nobody waited"


def wait_for_a_hub(over):
    with Hub("http://hub.invalid", "a/b") as hub:
        hub.commit("main")


def wait_for_a_thread(over):
    with Threads(1, only_read=True) as pool:
        pool.submit(over.wait, 60).result()


def wait_for_a_server(over):
    with tempfile.TemporaryDirectory() as folder, LoopbackHub(Path(folder)):
        pass


def wait_for_patience(over):
    mirrors = Hub("http://127.0.0.1:9", "a/b", patience=Patience(backoff=60.0))
    with mirrors as hub:
        hub.commit("main")


WAITS = (wait_for_a_hub, wait_for_a_thread, wait_for_a_server, wait_for_patience)


@pytest.mark.parametrize("wait", WAITS, ids=lambda w: w.__name__)
def test_no_stop_is_torn_out_of_a_lock(monkeypatch, wait):
    over = threading.Event()

    def look_up(host, *rest, **options):
        if host == "hub.invalid":
            over.wait(60)
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return resolve(host, *rest, **options)

    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt), pressed_inside_a_lock():
            wait(over)
    finally:
        over.set()
    assert time.monotonic() - began < 2


# ------------------------------------------------------------------------------ a process


def group_of(leader: int) -> set[int]:
    """Who of a group is still alive."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(fields[2]) == leader and fields[0] != "Z":
            found.add(int(stat.parent.name))
    return found


def children_of(process: subprocess.Popen) -> bool:
    try:
        return bool(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())
    except OSError:
        return False


def started(*words: object, **options) -> subprocess.Popen:
    line = [sys.executable, *map(str, words)]
    return subprocess.Popen(
        line, stdout=-1, stderr=-1, text=True, start_new_session=True, env=without_coverage(),
        **options,
    )  # fmt: skip


def until(happens, process, seconds=60):
    end = time.monotonic() + seconds
    while not happens() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)


def stopped(process: subprocess.Popen, number: int) -> tuple[int, str, str]:
    """What a process says after a signal to its whole group, which must be gone then."""
    os.killpg(process.pid, number)
    out, err = process.communicate(timeout=60)
    end = time.monotonic() + 10
    while group_of(process.pid) and time.monotonic() < end:
        time.sleep(0.02)
    assert not group_of(process.pid)
    assert "Traceback" not in err
    assert "Process" not in err
    assert "leaked" not in err
    return process.returncode, out, err


# ------------------------------------------------------------------------------ while pools start


def many_crops(root: Path) -> list[object]:
    """2,000 videos to cut, which are one."""
    from video_files import FACE, Form, make_video, write_rows

    make_video(root / "first.mkv", Form(frames=10, size=(64, 48), sound="pcm_s16le"))
    (root / "videos").mkdir()
    names = [f"v{number:010}" for number in range(2_000)]
    for name in names:
        os.link(root / "first.mkv", root / f"videos/{name}.mkv")
    write_rows(root / "val_orig.csv", [(name, 0.04, FACE, f"{name}:0") for name in names])
    return ["crop", root / "val_orig.csv", "--video-dir", root / "videos", "--destination",
            root / "made", "--jobs", 2]  # fmt: skip


def many_shards(root: Path) -> list[object]:
    """36,000 names of one picture, in shards of a track: more than two seconds of work."""
    from PIL import Image

    (root / "d/csv").mkdir(parents=True)
    Image.new("RGB", (64, 48), "gray").save(root / "first", "jpeg")
    with (root / "d/csv/val_orig.csv").open("w") as rows:
        rows.write(HEADER + "\n")
        for track in range(1_800):
            folder = root / f"d/clips_videos/val/v/v:{track}"
            folder.mkdir(parents=True)
            write_wav(root / f"d/clips_audios/val/v/v:{track}.wav", 0.8)
            for number in range(20):
                os.link(root / "first", folder / f"{number / 25:.2f}.jpg")
                rows.write(
                    f"v,{number / 25},0.1,0.1,0.2,0.2,NOT_SPEAKING,v:{track},0,v:{track}:0\n"
                )
    return ["export", "webdataset", root / "d", "--destination", root / "made",
            "--jobs", 2, "--shard-size", "20kB"]  # fmt: skip


def weighed(root: Path) -> list[object]:
    """Scores by a network, whose processes are slow to start: each imports PyTorch."""
    torch = pytest.importorskip("torch", reason='pip install "unitalk[models]"')
    from build import make_tiny

    from unitalk.models.registry import new_network

    torch.save(new_network("light-asd").state_dict(), root / "random.model")
    return ["predict", make_tiny(root / "d"), "--weights",
            root / "random.model", "-o", root / "p.csv", "--jobs", 2]  # fmt: skip


POOLS = {"crops": many_crops, "export": many_shards, "predict": weighed}
POINTS = [6 * n / 19 for n in range(20)]
SIGNALS = [signal.SIGINT, signal.SIGTERM]
# By default one early point of each, when their processes are just born.
GRID = [
    pytest.param(pool, at, SIGNALS[(place + row) % 2],
                 marks=() if place == always else pytest.mark.exhaustive)
    for row, (pool, always) in enumerate({"crops": 1, "export": 0, "predict": None}.items())
    for place, at in enumerate(POINTS)
]  # fmt: skip


@pytest.mark.parametrize(("pool", "at", "number"), GRID)
def test_a_group_is_stopped_while_a_pool_starts(tmp_path, pool, at, number):
    process = started("-m", "unitalk", *POOLS[pool](tmp_path))
    until(lambda: children_of(process), process)
    time.sleep(at)
    done = process.poll() is not None
    code, out, err = (0, "", "") if done else stopped(process, number)
    if done:
        process.communicate()
        assert at > 2, "it is done before it was stopped"
        return
    assert code == 130 or (code == 0 and at > 2), err
    assert ("unitalk: interrupted" in err) == (code == 130)
    assert not list(tmp_path.glob("**/staging/*")) + list(tmp_path.glob("**/*.part"))


PHASES = {"train": ("2", None), "val": ("2", "last.pt"), "many": ("8", None)}
TRAINED = [
    pytest.param(phase, at, SIGNALS[(place + row) % 2],
                 marks=() if place == always else pytest.mark.exhaustive)
    for row, (phase, always) in enumerate({"train": 2, "val": None, "many": None}.items())
    for place, at in enumerate(POINTS)
]  # fmt: skip


@pytest.mark.parametrize(("phase", "at", "number"), TRAINED)
def test_a_group_is_stopped_while_a_training_starts_what_reads(tmp_path, phase, at, number):
    torch = pytest.importorskip("torch", reason='pip install "unitalk[models]"')
    from build import make_tiny

    workers, sign = PHASES[phase]
    out = tmp_path / "run"
    process = started(
        "-W", "ignore", "-m", "unitalk", "-q", "train",
        make_tiny(tmp_path / "d"), "--destination", out, "--epochs", 5000, "--model", "light-asd",
        "--batch-frames", 12, "--device", "cpu", "--workers", workers,
    )  # fmt: skip
    until(lambda: children_of(process), process)
    if sign is not None:
        until((out / sign).exists, process)
    time.sleep(at)
    code, stdout, err = stopped(process, number)
    assert (code, err) == (130, ""), err
    assert stdout
    saved = torch.load(out / "last.pt", weights_only=True)["state"]
    assert (saved["step"] == 3) == (phase == "val" and not saved["results"]) or at > 2


@exhaustive
def test_a_reader_whose_process_is_killed_says_so(tmp_path):
    pytest.importorskip("torch", reason='pip install "unitalk[models]"')
    import multiprocessing

    from build import make_tiny

    from unitalk import tracks
    from unitalk.children import LostError
    from unitalk.models.data import ScoringTracks
    from unitalk.models.read_ahead import Reader

    found = tracks(make_tiny(tmp_path / "d"), split="val")
    batches = Reader(ScoringTracks(found), workers=1).read([0, 1] * 20)
    next(batches)
    time.sleep(1)  # until it waits: what is killed while it writes may leave PyTorch waiting
    for child in multiprocessing.active_children():
        child.kill()
    with pytest.raises(LostError, match="ended from outside"):
        list(batches)


# ------------------------------------------------------------------------------ any verb


@pytest.mark.parametrize("number", SIGNALS)
def test_a_file_that_does_not_come_keeps_nobody(tmp_path, number):
    """A thread waits for stdin, from which nothing comes: the process ends without it."""
    dataset = make_dataset(tmp_path / "d", {})
    process = started("-m", "unitalk", "eval", "-g", "-", "-p", dataset / "csv/val_orig.csv",
                      stdin=subprocess.PIPE)  # fmt: skip
    reads = Path(f"/proc/{process.pid}/task")
    until(lambda: any((t / "wchan").read_text().find("pipe") >= 0 for t in reads.iterdir()),
          process, 5)  # fmt: skip
    time.sleep(0.2)
    began = time.monotonic()
    os.killpg(process.pid, number)
    assert process.wait(20) == 130
    assert time.monotonic() - began < 1.5
    out, err = process.communicate()
    assert out == ""
    assert err.strip().startswith("unitalk: interrupted")
    assert "Traceback" not in err


def test_an_import_is_stopped_like_anything_else():
    code = textwrap.dedent("""
        import os, runpy, signal, sys

        class Finder:
            def find_spec(self, name, *_):
                if name == "click":
                    os.kill(os.getpid(), signal.SIGINT)

        sys.meta_path.insert(0, Finder())
        sys.argv = ["unitalk", "videos"]
        runpy.run_module("unitalk", run_name="__main__")
    """)
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=without_coverage(),
        check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (130, "")
    assert ran.stderr == "unitalk: interrupted; nothing was begun\n"


@pytest.mark.parametrize("number", SIGNALS)
def test_a_stop_after_the_end_changes_nothing(number):
    """Python has its own things to tidy up, and the result is out."""
    code = textwrap.dedent(f"""
        import atexit, os, runpy, sys
        atexit.register(lambda: os.kill(os.getpid(), {number:d}))
        sys.argv = ["unitalk", "videos", "--list", "no-such-list"]
        sys.argv = sys.argv[:2] if sys.stdin.readline() == "good\\n" else sys.argv
        runpy.run_module("unitalk", run_name="__main__")
    """)
    for word, wanted in {"good\n": 0, "bad\n": 2}.items():
        ran = subprocess.run(
            [sys.executable, "-c", code], input=word, capture_output=True, text=True,
            env=without_coverage(), check=False,
        )  # fmt: skip
        assert ran.returncode == wanted
        assert "Traceback" not in ran.stderr


def test_the_second_ctrl_c_leaves_at_once_and_takes_the_children_along(tmp_path):
    """The first is only noted here, and nobody looks."""
    (tmp_path / "stuck.py").write_text(
        textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from unitalk import stopping
        from unitalk.cli._shared.leaving import leave_at_once
        from unitalk.executor import Processes

        if __name__ == "__main__":
            with stopping.listening(leave_at_once), stopping.noted(Path(sys.argv[1]).touch):
                list(Processes(2).run(time.sleep, [60] * 4))
    """)
    )
    noted = tmp_path / "noted"
    process = started(tmp_path / "stuck.py", noted)
    until(lambda: len(group_of(process.pid)) >= 4, process)  # two, and Python's own tracker
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    until(noted.exists, process)  # two signals that nobody has seen yet would be one
    time.sleep(0.3)
    assert process.poll() is None
    began = time.monotonic()
    code, out, err = stopped(process, signal.SIGINT)
    assert (code, out) == (130, "")
    assert time.monotonic() - began < 1.5
    assert err == "unitalk: stopped at once\n  -> run the same command again to continue\n"

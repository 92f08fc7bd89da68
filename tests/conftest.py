"""What many tests need: the tiers, a small dataset drawn by hand, and the command line.

Tests are in three tiers:

    python -m pytest -m quick   the modules of `QUICK`, without processes and sockets: half a minute
    python -m pytest -n 2       all but `exhaustive`: minutes
    python -m pytest -n 2 -m '' everything

A test of a quick module that starts a process, opens a socket or takes a second is marked `slow`;
what comes in many is `exhaustive`, all but a few of it. A quick test that starts a process or opens
a socket fails, whatever tier is run.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import shutil
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import urllib3  # noqa: F401 - opens a socket when it is imported, before any test does
from build import Track, make_dataset, make_small, make_tiny
from hypothesis import HealthCheck, settings

from unitalk.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# Two processes test at a time: one that computes with all cores would get in the other's way.
# Before numpy and PyTorch are imported, which look once; what tests start does so too.
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

# A busy machine is no failure.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

exhaustive = pytest.mark.exhaustive
slow = pytest.mark.slow

QUICK = {
    "test_ap",
    "test_architecture",
    "test_breakdown",
    "test_catalog",
    "test_cli",
    "test_cli_weights",
    "test_contents",
    "test_convert_asc",
    "test_convert_loconet",
    "test_crop_names",
    "test_curve",
    "test_eval_column",
    "test_evaluation",
    "test_export_plan",
    "test_face_table",
    "test_facecrops",
    "test_files",
    "test_ingest_columbia",
    "test_jackknife",
    "test_layout",
    "test_leaderboard",
    "test_predictions_people",
    "test_progress",
    "test_schema",
    "test_signature",
    "test_spelling",
    "test_standing",
    "test_stats",
    "test_tables",
    "test_talknet_augment",
    "test_talknet_features",
    "test_tracks",
    "test_trim",
    "test_verify_layouts",
    "test_verify_parts",
    "test_video_parts",
    "test_video_places",
}
"""Modules of quick tests, so that every room's arithmetic and contracts are among them."""

OUTSIDE = {
    "os.exec": "starts a process",
    "os.fork": "starts a process",
    "os.forkpty": "starts a process",
    "os.posix_spawn": "starts a process",
    "os.system": "starts a process",
    "socket.__new__": "opens a socket",
    "subprocess.Popen": "starts a process",
}
"""Python's audit events that no quick test may raise."""

running_quick = False


def refuse_outside(event: str, _: object) -> None:
    """Fail the quick test that runs; as a BaseException, which hardly any code catches."""
    if running_quick and event in OUTSIDE:
        pytest.fail(f"a quick test {OUTSIDE[event]}: mark it slow")


def pytest_configure() -> None:
    sys.addaudithook(refuse_outside)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no other module for `-m quick`: that alone would take as long as the tests."""
    name = collection_path.stem
    others = name.startswith("test_") and name not in QUICK
    return True if others and config.option.markexpr == "quick" else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        rare = {mark.name for mark in item.iter_markers()} & {"slow", "exhaustive"}
        if item.path.stem in QUICK and not rare:
            item.add_marker("quick")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Refuse processes and sockets from the first fixture of a quick test to its last."""
    global running_quick  # noqa: PLW0603
    running_quick = item.get_closest_marker("quick") is not None
    try:
        return (yield)
    finally:
        running_quick = False


def one_in(every: int, cases: Iterable[object]) -> list[object]:
    """Cases of which one in so many is always tested, and the others by `-m ''`."""
    return [
        pytest.param(
            *(case if isinstance(case, tuple) else (case,)),
            marks=exhaustive if place % every else (),
        )
        for place, case in enumerate(cases)
    ]


@dataclass(frozen=True)
class Ran:
    """What a run of the command line left: three separate things."""

    code: int
    stdout: str
    stderr: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    """Run the command line in this process."""

    def run_it(*arguments: object) -> Ran:
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(int(exit_.value.code or 0), captured.out, captured.err)

    return run_it


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Three val videos; the times 0.4, 1.0 and 12, an id that begins with `-`, one-frame tracks."""
    return make_dataset(
        tmp_path / "dataset",
        {
            "-maoolmiKi0": [
                Track("-maoolmiKi0:0", ["0.36", "0.4", "0.44"], [0, 1, 1]),
                Track("-maoolmiKi0:1", ["0.4", "0.44"], [0, 0]),
            ],
            "EEey6Pt0rqI": [Track("EEey6Pt0rqI:0", ["0.96", "1.0", "1.04"], [1, 1, 0])],
            "9Zja_cIAwY8": [
                Track("9Zja_cIAwY8:0", ["12", "12.04"], [0, 1]),
                Track("9Zja_cIAwY8:1", ["900.2"], [1]),
            ],
        },
    )


def without_coverage() -> dict[str, str]:
    """The environment for a process that is not to be measured: measuring it takes most of its
    time, and one that is killed leaves measurements that cannot be read."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("COV_", "COVERAGE_"))}


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no process that a test starts be measured."""
    for name in set(os.environ) - set(without_coverage()):
        monkeypatch.delenv(name)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder for the tests of all processes, which only read it."""
    here = factory.getbasetemp()
    # Beside the folders of pytest-xdist's processes, one of which makes it while the others wait.
    shared = here.parent if "PYTEST_XDIST_WORKER" in os.environ else here
    made = shared / "made-once" / name
    made.parent.mkdir(exist_ok=True)
    with (made.parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.is_dir():
            half = made.with_suffix(".half")
            shutil.rmtree(half, ignore_errors=True)
            make(half)
            half.rename(made)
    return made


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, made once."""
    from unitalk.dataset.sample import make_sample

    return made_once(tmp_path_factory, "sample", make_sample)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`make_small`'s dataset, made once and only read."""
    return made_once(tmp_path_factory, "small", make_small)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`make_tiny`'s dataset, made once and only read."""
    return made_once(tmp_path_factory, "tiny", make_tiny)


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of a Light-ASD that has learned nothing."""
    import torch

    from unitalk.models.registry import new_network

    torch.manual_seed(5)
    path = tmp_path_factory.mktemp("weights") / "random.model"
    torch.save(new_network("light-asd").state_dict(), path)
    return path


def on_another_file_system(folder: Path) -> Path:
    """A writable folder from which no hard link leads to this one; without one the test skips."""
    for other in map(Path, ("/dev/shm", "/tmp", "/var/tmp")):
        if os.access(other, os.W_OK) and other.stat().st_dev != folder.stat().st_dev:
            return other
    pytest.skip("needs a second writable file system, such as /dev/shm")


@contextlib.contextmanager
def bound_by_permissions() -> Iterator[None]:
    """Let permissions bind this thread, which they do not where it is root's."""
    if os.geteuid():
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    head = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable: the low 32, then the rest
    if libc.capget(head, sets):
        pytest.skip("runs as root, who cannot be bound by permissions here")
    before = sets[0]
    sets[0] &= ~0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    if libc.capset(head, sets):
        pytest.skip("runs as root, who cannot be bound by permissions here")
    try:
        yield
    finally:
        sets[0] = before
        libc.capset(head, sets)


def tree(root: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path: what two folders must agree in."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


class StopAfter(threading.Event):
    """Is set once it was looked at so many times: once per batch, and once per track of val."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0

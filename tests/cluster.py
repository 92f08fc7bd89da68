"""A real Dask cluster on loopback: a scheduler and workers, each a process of its own.

    python cluster.py N ADDRESS

is a worker that is killed with SIGKILL just before its nth change of the disk below the folder that
the environment's CLUSTER_FOLDER names.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from killer import CHANGES, WRITING

PATIENCE = 60.0
_DASK = str(Path(sys.executable).with_name("dask"))  # what the README tells to start
_WORKER = ("--no-nanny", "--nthreads", "1", "--no-dashboard")


class Cluster:
    """A scheduler, and the workers that it was given.

    Attributes:
        scheduler: its process.
        address: the scheduler's.
        workers: the processes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "scheduler.json"
        self._log = (folder / "cluster.log").open("wb")
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start(
            _DASK, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
            "--scheduler-file", str(self._file),
        )  # fmt: skip
        self._processes = [self.scheduler]
        self.address = self._found()

    def worker(self, watched: Path, *, dies_at: int = 0) -> subprocess.Popen[bytes]:
        """Start a worker that lives, or one that dies before its nth change below a folder."""
        if dies_at:
            here = str(Path(__file__).resolve())
            process = self._start(here, str(dies_at), self.address, CLUSTER_FOLDER=str(watched))
        else:
            process = self._start(_DASK, "worker", self.address, *_WORKER)
        self.workers.append(process)
        self._processes.append(process)
        return process

    def _start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        settings = {
            **{k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")},
            "DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "false",
            "PYTHONWARNINGS": "default",
            "PYTHONPATH": str(Path(__file__).parent),  # tasks of tests are in modules of tests
        }
        return subprocess.Popen(
            [sys.executable, *arguments], env=settings | environment, cwd=self._folder,
            stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def _found(self) -> str:
        import json

        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with contextlib.suppress(OSError, ValueError):
                return str(json.loads(self._file.read_text())["address"])
            time.sleep(0.05)
        raise TimeoutError(self.log())

    def wait_for(self, count: int) -> None:
        """Wait until so many workers are there."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=PATIENCE)

    def log(self) -> str:
        """What scheduler and workers said."""
        return (self._folder / "cluster.log").read_text()

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.kill()
        for process in self._processes:
            process.wait()
        self._log.close()


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    folder.mkdir()
    cluster = Cluster(folder)
    try:
        yield cluster
    finally:
        cluster.stop()


def die_at(fatal: int, below: str) -> None:
    """Count what this process changes in a folder, and end it just before the nth change."""
    count = 0

    def hook(event: str, arguments: tuple) -> None:
        nonlocal count
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
        if (event in CHANGES or writes) and any(below in str(one) for one in arguments):
            count += 1
            if count == fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


if __name__ == "__main__":
    die_at(int(sys.argv[1]), os.environ["CLUSTER_FOLDER"])
    from distributed.cli.dask_worker import main

    main([sys.argv[2], *_WORKER])

"""One seam for work at scale: the same results, wherever and however often a task is done."""

from __future__ import annotations

import gc
import importlib.util
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
from cluster import running
from conftest import exhaustive

from unitalk import executor as executors
from unitalk.errors import DataError, UnitalkError, UsageError
from unitalk.executor import Here, Processes, open_executor
from unitalk.files import atomic_write

# ------------------------------------------------------------------------------ tasks


def square(number: int) -> int:
    return number * number


def where(_: object) -> int:
    return os.getpid()


def slow_first(number: int) -> int:
    time.sleep(0.5 if number == 0 else 0)
    return number


def refuse_three(number: int) -> int:
    if number == 3:
        raise DataError(f"{number} is not wanted", hint="give another")
    return number


def fail(number: int) -> int:
    return number // 0


class AwkwardError(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} {two}")


def fail_awkwardly(number: int) -> int:
    raise AwkwardError(number, "cannot travel")


def die(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def write(task: tuple[str, int]) -> int:
    """A task that leaves a file, whole or not at all, and takes a moment."""
    folder, number = task
    time.sleep(0.02)
    with atomic_write(Path(folder, f"{number:03}.txt")) as file:
        file.write(f"{number}\n")
    return number


# ------------------------------------------------------------------------------ here, in processes


@pytest.mark.parametrize("executor", [Here(), Processes(3)], ids=["0", "3"])
def test_results_come_in_the_order_of_the_tasks(executor):
    assert list(executor.run(square, range(50))) == [n * n for n in range(50)]
    assert list(executor.run(slow_first, range(12))) == list(range(12))
    assert list(executor.run(square, [])) == []
    found = set(executor.run(where, range(40)))
    assert len(found) <= 3
    assert (os.getpid() in found) == isinstance(executor, Here)
    assert not multiprocessing.active_children()


def test_here_is_this_process_and_draws_no_task_too_early():
    drawn = []
    run = Here().run(where, (drawn.append(n) for n in range(3)))
    assert drawn == []
    assert next(run) == os.getpid()
    assert drawn == [0]


def test_tasks_are_drawn_only_as_fast_as_they_are_done():
    drawn = []

    def counted():
        for number in range(100):
            drawn.append(number)
            yield number

    run = Processes(2).run(square, counted())
    assert next(run) == 0
    assert len(drawn) <= 2 * 4
    run.close()
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("executor", [Here(), Processes(2)], ids=["here", "processes"])
def test_what_a_task_raises_is_raised_as_it_is(executor):
    found = []
    with pytest.raises(DataError, match="3 is not wanted") as raised:
        found.extend(executor.run(refuse_three, range(100)))
    assert found == [0, 1, 2][: len(found)]
    assert raised.value.hint == "give another"
    assert not multiprocessing.active_children()


def test_another_error_says_where_it_was_raised():
    with pytest.raises(ZeroDivisionError) as raised:
        list(Processes(1).run(fail, [1]))
    assert "in fail\n    return number // 0" in "".join(raised.value.__notes__)
    with pytest.raises(RuntimeError, match="AwkwardError: 1 cannot travel"):
        list(Processes(1).run(fail_awkwardly, [1]))


def test_a_process_that_is_killed_is_said():
    with pytest.raises(UnitalkError, match="ended from outside") as raised:
        list(Processes(2).run(die, range(8)))
    assert "`jobs=1`" in raised.value.hint
    assert not multiprocessing.active_children()


def test_which_executor_is_opened():
    with open_executor(jobs=1) as executor:
        assert isinstance(executor, Here)
    with open_executor(jobs=2) as executor:
        assert isinstance(executor, Processes)
    with open_executor() as executor:
        assert isinstance(executor, Processes if (os.cpu_count() or 1) > 1 else Here)
    for jobs in (0, -1):
        with pytest.raises(UsageError, match="do nothing"), open_executor(jobs=jobs):
            pass
    with (
        pytest.raises(UsageError, match="decides by itself"),
        open_executor(jobs=2, scheduler="tcp://127.0.0.1:1"),
    ):
        pass


# ------------------------------------------------------------------------------ a cluster

needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None,
    reason='Dask is not installed: pip install "unitalk[cluster]"',
)


@needs_dask
@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_is_killed_half_way_is_done_without(tmp_path):
    """Two workers, of which one dies at its tenth change: four files are three changes each."""
    (tmp_path / "made").mkdir()
    with running(tmp_path / "cluster") as cluster:
        cluster.worker(tmp_path / "made")
        mortal = cluster.worker(tmp_path / "made", dies_at=10)
        cluster.wait_for(2)
        tasks = [(str(tmp_path / "made"), number) for number in range(40)]
        with open_executor(scheduler=cluster.address) as executor:
            assert list(executor.run(write, tasks)) == list(range(40))
        assert mortal.wait(10) == -signal.SIGKILL
    whole = sorted(p for p in (tmp_path / "made").iterdir() if p.suffix == ".txt")
    assert [p.read_text() for p in whole] == [f"{n}\n" for n in range(40)]


@needs_dask
@pytest.mark.filterwarnings("ignore")
def test_what_a_task_raises_on_a_cluster(tmp_path, monkeypatch):
    with running(tmp_path / "cluster") as cluster:
        cluster.worker(tmp_path)
        with open_executor(scheduler=cluster.address) as executor:
            with pytest.raises(DataError, match="3 is not wanted") as raised:
                list(executor.run(refuse_three, range(10)))
            assert raised.value.hint == "give another"
            with pytest.raises(ZeroDivisionError):
                list(executor.run(fail, [1]))
            run = executor.run(square, range(10**9))
            assert [next(run) for _ in range(5)] == [0, 1, 4, 9, 16]
            run.close()
        monkeypatch.setattr(executors, "__version__", "9.9.9")
        with (
            pytest.raises(UnitalkError, match=r"has unitalk .*, and this is 9\.9\.9") as raised,
            open_executor(scheduler=cluster.address),
        ):
            pass
        assert raised.value.hint == 'install it there: pip install "unitalk[cluster]==9.9.9"'


@needs_dask
@pytest.mark.parametrize("address", ["nonsense://x", "tcp://127.0.0.1:1"])
def test_a_client_that_cannot_connect_is_closed_at_once(monkeypatch, address):
    """Collected later, in the thread that the next client starts, it would keep that from starting:
    both want one lock."""
    from distributed import Client

    monkeypatch.setattr(executors, "PATIENCE", 0.2)
    gc.collect()
    gc.disable()
    try:
        with pytest.raises(UnitalkError) as raised, open_executor(scheduler=address):
            pass
        assert f"no Dask scheduler answers at {address}" in raised.value.message
        assert "dask scheduler" in raised.value.hint
        left = [one.status for one in gc.get_objects() if type(one) is Client]
    finally:
        gc.enable()
    assert left
    assert set(left) == {"closed"}


@needs_dask
@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_without_a_worker(tmp_path, monkeypatch):
    monkeypatch.setattr(executors, "PATIENCE", 1.0)
    with running(tmp_path / "cluster") as cluster:
        with (
            pytest.raises(UnitalkError, match="has no worker") as no,
            open_executor(scheduler=cluster.address),
        ):
            pass
        assert no.value.hint == f"start some with `dask worker {cluster.address}`"


@exhaustive
@needs_dask
@pytest.mark.filterwarnings("ignore")
def test_a_task_that_kills_every_worker_is_given_up(tmp_path):
    """Dask lets four workers die of one task; then it is the task."""
    with running(tmp_path / "cluster") as cluster:
        for _ in range(5):
            cluster.worker(tmp_path)
        cluster.wait_for(5)
        with (
            pytest.raises(UnitalkError, match="was lost with each worker"),
            open_executor(scheduler=cluster.address) as executor,
        ):
            list(executor.run(die, [2]))


def dawdle(number: int) -> int:
    time.sleep(0.2)
    return number


@exhaustive
@needs_dask
@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_is_lost_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(executors, "PATIENCE", 3.0)
    with running(tmp_path / "cluster") as cluster:
        cluster.worker(tmp_path)
        began = time.monotonic()
        with (
            pytest.raises(UnitalkError, match="the scheduler was lost") as raised,
            open_executor(scheduler=cluster.address) as executor,
        ):
            for done in executor.run(dawdle, range(1000)):
                if done == 3:
                    cluster.scheduler.kill()
        assert "start it again" in raised.value.hint
        assert time.monotonic() - began < 30

"""SIGKILL at any change of the disk leaves nothing half-made, and the next run makes it whole."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import exhaustive, one_in, tree

pytestmark = pytest.mark.usefixtures("unmeasured")

KILLER = Path(__file__).with_name("killer.py")


def started(fatal: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(KILLER), str(fatal), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def moments(count: int) -> list[int]:
    """The first change, some on the way, and each of the last ones, where names are given."""
    return sorted({1, count // 4, count // 2, 3 * count // 4, *range(count - 5, count + 1)})


VERBS = {
    "trim": lambda source, to: (
        "trim", "-q", "--path", source, "--new-path", to, "--list", "noise", "--partial",
    ),
    "convert-asc": lambda source, to: (
        "convert-asc", "-q", "--source", source, "--destination", to,
    ),
}  # fmt: skip


@pytest.mark.parametrize("verb", one_in(2, VERBS))
def test_a_killed_run_leaves_no_half_made_dataset(run, tmp_path, dataset, verb):
    command = VERBS[verb]
    undisturbed = started(0, *command(dataset, tmp_path / "whole"))
    assert undisturbed.returncode == 0
    count = int(re.search(r"changes=(\d+)", undisturbed.stderr).group(1))
    assert count > 20
    whole = tree(tmp_path / "whole")
    for number, fatal in enumerate(moments(count)):
        destination = tmp_path / f"killed{number}"
        killed = started(fatal, *command(dataset, destination))
        assert killed.returncode == -9
        # A change in the last moment may be the one after which the name was given.
        assert not destination.exists() or tree(destination) == whole
        assert run(*command(dataset, destination), "--overwrite").code == 0
        assert tree(destination) == whole
    assert {name for name in os.listdir(tmp_path) if name.startswith(".")} == set()


@exhaustive
@pytest.mark.parametrize("verb", one_in(2, reversed(VERBS)))
def test_a_run_killed_while_it_replaces_an_older_result_loses_neither(run, tmp_path, dataset, verb):
    command = VERBS[verb]
    destination = tmp_path / "result"
    assert run(*command(dataset, destination)).code == 0
    whole = tree(destination)
    replaced = started(0, *command(dataset, destination), "--overwrite")
    count = int(re.search(r"changes=(\d+)", replaced.stderr).group(1))
    for fatal in moments(count):
        killed = started(fatal, *command(dataset, destination), "--overwrite")
        assert killed.returncode == -9
        aside = tmp_path / ".result.unitalk-old"
        assert tree(destination if destination.exists() else aside) == whole
        assert run(*command(dataset, destination), "--overwrite").code == 0
        assert tree(destination) == whole
        assert sorted(os.listdir(tmp_path)) == ["dataset", "result"]

"""docs/how-to/add-a-model.md: its network is trained, predicts and is scored as the page says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from conftest import made_once, without_coverage
from documentation import DOCS, blocks

pytest.importorskip("torch", reason='pip install "unitalk[models]"')
pytest.importorskip("cv2", reason="gray needs the extra [tracks]")

PAGE = blocks(DOCS / "how-to/add-a-model.md")
CODE = next(block.text for block in PAGE if block.language == "py")
OFFER = next(block.text for block in PAGE if block.language == "toml")
TYPED = {  # by verb
    line.split()[3]: line.removeprefix("$ ")
    for line in next(b.text for b in PAGE if b.language == "console").splitlines()
    if line.startswith("$ ")
}
REFUSED = [block.text for block in PAGE if block.language == "console"][1]


def typed(command: str, folder: Path, **environment: str) -> str:
    """Run a command as a person there does; what it prints."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=without_coverage() | environment | {"PATH": path},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return ran.stdout


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory):
    """A folder with the page's network, a small dataset as `demo`, a run, and its predictions."""

    def make(folder: Path) -> None:
        folder.mkdir()
        (folder / "small_network.py").write_text(CODE, encoding="utf-8")
        shutil.copytree(tiny, folder / "demo")
        said = typed(TYPED["train"], folder)
        assert re.search(r"^best: epoch \d, run/best\.pt\n\Z", said, re.MULTILINE), said
        said = typed(f"{TYPED['predict']} --jobs 2", folder)  # other processes find the module, too
        assert said.endswith("(val), by small_network:SmallNetwork\n"), said

    return made_once(tmp_path_factory, "author", make)


def test_the_pages_network_is_scored(trained):
    epochs = [json.loads(line) for line in (trained / "run/log.jsonl").read_text().splitlines()]
    assert len(epochs) == 3
    best = max(epoch["average_precision"] for epoch in epochs)
    assert typed(TYPED["eval"], trained) == f"average precision: {100 * best:.2f}%\n"


def test_a_run_says_which_network_it_needs(trained):
    command, _, expected = REFUSED.partition("\n")
    said = typed(command.removeprefix("$ "), trained)
    assert re.fullmatch(re.escape(expected).replace(r"\.\.\.", ".*"), said), said


def test_an_installed_package_offers_it_by_name(trained, tmp_path):
    """The package is on Python's path, with what an installer would write of its entry points."""
    about = tmp_path / "site/small_net-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: small-net\nVersion: 1.0\n")
    groups = tomllib.loads(OFFER)["project"]["entry-points"]
    (about / "entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{name} = {path}\n" for name, path in own.items())
            for group, own in groups.items()
        )
    )
    shutil.copy(trained / "small_network.py", tmp_path / "site")
    given = {"PYTHONPATH": str(tmp_path / "site")}
    there = f"unitalk -q predict {trained / 'demo'} --weights {trained / 'run'} -o again.csv"
    assert typed(there, tmp_path, **given).endswith(", by small\n")
    assert (tmp_path / "again.csv").read_bytes() == (trained / "small.csv").read_bytes()


def test_help_imports_no_network(tmp_path):
    about = tmp_path / "loud-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: loud\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[unitalk.models]\nloud = loud:Net\n")
    (tmp_path / "loud.py").write_text("raise SystemExit(9)\n")
    said = typed("unitalk train --help && echo done", tmp_path, PYTHONPATH=str(tmp_path))
    assert said.endswith("\ndone\n")

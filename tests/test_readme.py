"""The README does what it shows.

Every ```console block is run, in order, in one folder, against a hub that serves the sample; what
it prints must be what the README prints, where `...` stands for anything on that line. Every
```python block is run as a doctest in the same folder.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import exhaustive, without_coverage
from real_data import ASW, LIGHT_ASD, needs

from unitalk.cli.main import VERBS
from unitalk.dataset.export import export_tracks
from unitalk.dataset.sample import publish
from unitalk.media.tracks import tracks
from unitalk.net.loopback import LoopbackHub

CHECKOUT = Path(__file__).resolve().parents[1]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(console|python)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path):
    """A folder like the checkout, and the environment of somebody who works there."""
    folder = tmp_path / "readme"
    folder.mkdir()
    for name in ("benchmarks", "tool"):
        (folder / name).symlink_to(CHECKOUT / name)
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory, sample):
    served = tmp_path_factory.mktemp("hub")
    publish(sample, served / "hub")
    with LoopbackHub(served / "hub") as hub:
        yield {
            **{k: v for k, v in without_coverage().items() if not k.startswith("HF_")},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HF_ENDPOINT": hub.endpoint,
            "HF_TOKEN_PATH": "/nonexistent",
            "NO_PROXY": "127.0.0.1",
            "ASW": str(ASW),
            "LIGHT_ASD": str(LIGHT_ASD),
            "UNITALK_WEIGHTS": str(tmp_path_factory.mktemp("weights")),
        }


def commands(block: str) -> list[tuple[str, str]]:
    """Each command of a console block with what it is said to print."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def assert_prints(said: str, expected: str, command: str = "") -> None:
    # On a busy machine a job lasts long enough for a line of progress.
    said = re.sub(r"^[a-z ]+: .* so far\n", "", said, flags=re.MULTILINE)
    if "reference.py" in command and "constant.csv" in command:
        # How equal scores come to stand is numpy's secret: 100.00 with numpy 2, 96.24 with 1.26.
        assert float(said.split()[2].rstrip("%")) > 90
        return
    pattern = "".join(
        # Alone on its line it stands for any number of lines, else for a part of its line.
        "(?:.*\n)+" if piece.strip() == "..." and "\n" in piece
        else ".*" if piece == "..." else re.escape(piece)
        for piece in re.split(r"(^ *\.\.\.\n|\.\.\.)", expected, flags=re.MULTILINE)
    )  # fmt: skip
    if not re.fullmatch(pattern, said):
        assert said == expected  # so that the difference is shown


def play(folder, environment, blocks) -> int:
    """Type the commands of some blocks, and compare what they print; returns how many they were."""
    seen = 0
    for block in blocks:
        if block.startswith("$ unitalk -q quickstart"):
            # What it prints shows commands, too: the whole rest of the block is its output.
            first, _, rest = block.partition("\n")
            pairs = [(first.removeprefix("$ "), rest)]
        else:
            pairs = commands(block)
        for command, expected in pairs:
            ran = subprocess.run(
                ["bash", "-c", command], cwd=folder, env=environment, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, check=False,
            )  # fmt: skip
            assert_prints(ran.stdout, expected, command)
            seen += 1
    return seen


def test_every_block_does_what_it_shows(folder, environment, monkeypatch):
    monkeypatch.chdir(folder)
    seen = 0
    for kind, given, block in BLOCK.findall(README):
        if kind == "python":
            parser = doctest.DocTestParser().get_doctest(block, {}, "README.md", None, None)
            assert doctest.DocTestRunner(verbose=False).run(parser).failed == 0
        elif "needs=" not in given:
            seen += play(folder, environment, [block])
    assert seen > 15


@exhaustive
@pytest.mark.parametrize(
    "what",
    [pytest.param("asw", marks=needs(ASW)), pytest.param("weights", marks=needs(LIGHT_ASD))],
)
def test_every_block_that_needs_real_data_does_what_it_shows(folder, environment, sample, what):
    if what == "weights":
        pytest.importorskip("torch", reason='pip install "unitalk[models]"')
    shutil.copytree(sample, folder / "demo", dirs_exist_ok=True)
    blocks = [block for _, given, block in BLOCK.findall(README) if f"needs={what}" in given]
    assert play(folder, environment, blocks) > 1


def test_what_reads_exports_reads_them(sample, tmp_path):
    """The code of `unitalk export`'s section, on what its commands write."""
    pytest.importorskip("datasets", reason='exports are read with: pip install "unitalk[hf]"')
    pytest.importorskip("webdataset", reason='and with: pip install "unitalk[webdataset]"')
    (code,) = re.findall(r"^```py\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    export_tracks(
        sample, tmp_path / "shards", form="webdataset", splits=("val",), shard_size=4_000_000
    )
    export_tracks(sample, tmp_path / "hf", form="hf")
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=tmp_path, capture_output=True, text=True,
        check=False, env=without_coverage() | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    # First the 58 tracks of val as the tar files have them, then as the library gives them.
    ids = [track.entity_id for track in tracks(sample, split="val")]
    assert [line.split()[0] for line in lines if line[0] not in " \t"] == ids * 2


def test_every_verb_has_a_section():
    for verb in VERBS:
        assert f"\n### unitalk {verb}\n" in README


def test_pictures_and_files_that_are_named_are_there():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (CHECKOUT / target).is_file(), target
    for target in re.findall(r"`((?:benchmarks|tool|docs)/[\w/]+\.\w+)`", README):
        assert (CHECKOUT / target).is_file(), target


def test_links_within_the_page_lead_somewhere():
    headings = re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
    for target in re.findall(r"\]\(#([^)]+)\)", README):
        assert target in anchors

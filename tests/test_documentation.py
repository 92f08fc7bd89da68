"""The documentation does what it shows: README.md and every page below docs/.

Each page has a folder of its own and a hub that serves the sample. Its ```console blocks are run
in order, and what they print must be what the page prints, where `...` stands for anything on that
line. Its ```python blocks are doctests and its ```py blocks scripts in the same folder. A comment
on the line above a block says what else is to be known of it: `<!-- not run: REASON -->`,
`<!-- needs: asw -->`, `<!-- needs: weights -->`.
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
import yaml
from conftest import exhaustive, without_coverage
from documentation import CHECKOUT, DOCS, PAGES, Block, anchors, blocks, links, name
from real_data import ASW, LIGHT_ASD, needs

from unitalk.dataset.sample import publish
from unitalk.net.loopback import LoopbackHub

README = CHECKOUT / "README.md"
RUN = {"console", "python", "py"}
BY_THE_GATE = {"first command", "second command"}
REAL = {"asw": ASW, "weights": LIGHT_ASD}

every_page = pytest.mark.parametrize("page", PAGES, ids=name)


@pytest.fixture
def folder(tmp_path):
    """A folder like the checkout."""
    folder = tmp_path / "page"
    folder.mkdir()
    for part in ("benchmarks", "tool"):
        (folder / part).symlink_to(CHECKOUT / part)
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory, sample):
    """The environment of somebody who works there."""
    served = tmp_path_factory.mktemp("hub")
    publish(sample, served / "hub")
    with LoopbackHub(served / "hub") as hub:
        yield {
            **{k: v for k, v in without_coverage().items() if not k.startswith("HF_")},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HF_ENDPOINT": hub.endpoint,
            "HF_HOME": str(served / "huggingface"),
            "HF_TOKEN_PATH": "/nonexistent",
            "NO_PROXY": "127.0.0.1",
            "ASW": str(ASW),
            "LIGHT_ASD": str(LIGHT_ASD),
            "UNITALK_WEIGHTS": str(served / "weights"),
        }


def commands(block: str) -> list[tuple[str, str]]:
    """Each command of a console block with what it is said to print."""
    if block.startswith("$ unitalk -q quickstart"):
        # What it prints shows commands, too: the whole rest of the block is its output.
        first, _, rest = block.partition("\n")
        return [(first.removeprefix("$ "), rest)]
    parts = re.split(r"^\$ (.*(?:\\\n.*)*)\n", block, flags=re.MULTILINE)
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
        assert said == expected, command  # so that the difference is shown


def type_in(command: str, expected: str, folder: Path, environment: dict[str, str], sample: Path):
    """Run a command and compare what it prints."""
    if command == "unitalk -q sample demo":
        # Drawn once for all pages; `tests/test_sample.py` tests what it prints.
        shutil.copytree(sample, folder / "demo")
        return
    ran = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert_prints(ran.stdout, expected, command)


def play(page, chosen, folder, environment, sample, monkeypatch) -> None:
    """Run some blocks of a page in order; Python's names last for all of it."""
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}
    for block in chosen:
        if block.language == "console":
            for command, expected in commands(block.text):
                type_in(command, expected, folder, environment, sample)
        elif block.language == "python":
            test = doctest.DocTestParser().get_doctest(
                block.text, names, name(page), name(page), block.line
            )
            assert test.examples, f"{name(page)}:{block.line}: a python block without >>>"
            assert doctest.DocTestRunner(verbose=False).run(test, clear_globs=False).failed == 0
            names = test.globs
        else:
            ran = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", block.text], capture_output=True, text=True,
                check=False, cwd=folder, env=environment | {"HF_HUB_OFFLINE": "1"},
            )  # fmt: skip
            assert ran.returncode == 0, ran.stderr


def runnable(page: Path) -> list[Block]:
    """The blocks that run anywhere."""
    return [
        block
        for block in blocks(page)
        if block.language in RUN and block.reason is None and block.needs is None
    ]


@pytest.mark.parametrize("page", [page for page in PAGES if runnable(page)], ids=name)
def test_every_block_does_what_it_shows(page, folder, environment, sample, monkeypatch):
    play(page, runnable(page), folder, environment, sample, monkeypatch)


@exhaustive
@pytest.mark.parametrize(
    ("page", "what"),
    [
        pytest.param(page, what, id=f"{name(page)}-{what}", marks=needs(REAL[what]))
        for page in PAGES
        for what in sorted({block.needs for block in blocks(page)} - {None})
    ],
)
def test_every_block_that_needs_real_data(page, what, folder, environment, sample, monkeypatch):
    if what == "weights":
        pytest.importorskip("torch", reason='pip install "unitalk[models]"')
    shutil.copytree(sample, folder / "demo")
    chosen = [block for block in blocks(page) if block.needs == what]
    play(page, chosen, folder, environment, sample, monkeypatch)


@every_page
def test_a_block_that_is_not_run_says_why(page):
    for block in blocks(page):
        where = f"{name(page)}:{block.line}"
        if block.reason is not None:
            assert len(block.reason.split()) > 2, f"{where}: no reason"
        elif block.needs is not None:
            assert block.needs in REAL, where
        elif block.language not in RUN and block.mark not in BY_THE_GATE:
            assert not block.uses_unitalk, f"{where}: mark it, or make it a console block"


def listed(entry: object) -> list[str]:
    """The pages of a part of the site's navigation."""
    if isinstance(entry, str):
        return [entry]
    inner = entry.values() if isinstance(entry, dict) else entry
    return [page for one in inner for page in listed(one)]


NAV = listed(yaml.safe_load((CHECKOUT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])


@every_page
def test_every_link_leads_somewhere(page):
    for target in links(page):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        where = f"{name(page)}: {target}"
        assert there.exists(), where
        # The site has what is below docs/ and nothing else.
        assert page == README or DOCS in there.parents, where
        if anchor:
            assert anchor in anchors(there), where


@every_page
def test_every_file_of_the_checkout_that_is_named_is_there(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"`((?:benchmarks|tool|docs|unitalk|tests)/[\w/]+\.\w+)`", text):
        assert (CHECKOUT / target).is_file(), f"{name(page)}: {target}"


def test_the_site_lists_every_page():
    assert sorted(DOCS / page for page in NAV) == sorted(set(PAGES) - {README})


def test_the_readme_stays_short():
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 250


_SCORE = "explanation/what-the-score-means.md"
QUESTIONS = {
    "Where do I put my predictions?": "how-to/score-predictions.md#where-do-i-put-my-predictions",
    "Why does my model score 20%?": f"{_SCORE}#why-does-my-model-score-20",
    "What does the score mean?": _SCORE,
    "How do I add my dataset?": "how-to/add-a-dataset.md",
    "How do I train the baseline?": "tutorial/train-a-baseline.md",
}
"""What strangers ask first, and where below docs/ the answer is."""


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_strangers_question_is_one_click_from_the_front_page(question):
    front = (DOCS / "index.md").read_text(encoding="utf-8")
    assert f"[{question}]({QUESTIONS[question]})" in front
    path, _, anchor = QUESTIONS[question].partition("#")
    assert not anchor or anchor in anchors(DOCS / path)

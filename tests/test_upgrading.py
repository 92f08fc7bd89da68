"""The page for users of the original repositories: every row of its tables is true.

Ours is a command, a Python expression, a path, an option, or a mark (`not yet`, `not, because`).
Commands run in the order of the page, in one folder per repository.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from documentation import CHECKOUT

import unitalk
from unitalk import schema
from unitalk.cli.main import cli
from unitalk.dataset.sample import publish
from unitalk.net.loopback import LoopbackHub

PAGE = CHECKOUT / "docs/upgrading/from-the-original-repositories.md"
NOT_RUN = {
    "unitalk ava download": "it downloads AVA's videos",
    "unitalk ava prepare": "it needs AVA's videos; tests/test_ava_prepare.py runs it",
    "unitalk weights download": "it downloads from Google Drive",
}
SHORT = ("--epochs", "1", "--batch-frames", "12", "--workers", "0", "--device", "cpu")
LABELS = "1\t101\t50\t60\t1\n2\t102\t50\t60\t0\n"


@dataclass(frozen=True)
class Row:
    """A row of a table; `base` is the command that its options are those of."""

    theirs: str
    ours: str
    note: str
    base: str | None

    @property
    def is_marked(self) -> bool:
        return self.ours == "not yet" or self.ours.startswith("not, because ")


def sections() -> dict[str, list[Row]]:
    """The rows of each repository's tables."""
    found: dict[str, list[Row]] = {}
    for part in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        rows = found[part.partition("\n")[0]] = []
        base = None
        for line in part.splitlines():
            if line.startswith("#"):
                base = None
            elif mark := re.fullmatch(r"<!-- options of: (.*) -->", line):
                base = mark[1]
            elif line.startswith("|") and not line.startswith(("|---", "| theirs |")):
                rows.append(Row(*(cell.strip() for cell in line.strip("|").split("|")), base))
    return found


def spans(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def command_of(line: str) -> tuple[click.Command, list[str]]:
    """The verb of a command line, and the words after it."""
    _, *words = shlex.split(line)
    command: click.Command = cli
    while isinstance(command, click.Group):
        name = words.pop(0)
        inner = command.get_command(click.Context(command), name)
        assert inner is not None, f"{line}: no verb {name}"
        command = inner
    return command, words


def parse(line: str) -> None:
    """Let click read a command line without running it.

    Raises:
        click.UsageError: the verb does not take these words.
    """
    command, words = command_of(line)
    command.make_context(line, words)


def show(span: str, row: Row, folder: Path, run, done: set[str]) -> None:
    """Show that what the page gives as ours is there."""
    if span in done:
        return
    done.add(span)
    if span.startswith("unitalk "):
        parse(span)
        if not span.startswith(tuple(NOT_RUN)):
            more = SHORT if span.startswith("unitalk train ") else ()
            ran = run(*shlex.split(span)[1:], *more)
            # The test's hub has only the sample's videos, so a download of all is incomplete.
            assert ran.code == (4 if span.startswith("unitalk download ") else 0), (span, ran)
    elif span.startswith("python "):
        command = [sys.executable, *shlex.split(span)[1:]]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
        assert ran.stdout.startswith("average precision: ")
    elif span.startswith("unitalk."):
        assert len(eval(span, {"unitalk": unitalk})) > 0
    elif span.startswith("pip install "):
        extras = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
        assert re.search(r"\[(\w+)\]", span)[1] in extras["optional-dependencies"]
    elif span.startswith("--"):
        assert row.base, f"{span}: of which command?"
        parse(f"{row.base} {span}")
    else:
        assert "/" in span, f"{span} is neither a command nor a path"
        assert any(folder.glob(re.sub(r"<\w+>", "*", span))), f"{span} is not there"


def show_all(rows: list[Row], folder: Path, run) -> None:
    done: set[str] = set()
    for row in rows:
        if not row.is_marked:
            assert spans(row.ours), row
            for span in spans(row.ours):
                show(span, row, folder, run, done)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "tool").symlink_to(CHECKOUT / "tool")
    monkeypatch.setenv("UNITALK_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_row_of_unitalk_asd(folder, run, sample, monkeypatch):
    publish(sample, folder / "hub")
    shutil.copy(sample / "predictions.csv", folder)
    for part in ("clips_audios", "clips_videos", "csv"):
        shutil.copytree(sample / part, folder / "old" / part)
    with LoopbackHub(folder / "hub") as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        show_all(sections()["UniTalk-ASD"], folder, run)


def test_every_row_of_talknet_asd(folder, run, tiny, weights_of_talknet):
    shutil.copytree(tiny, folder / "ava")
    for part in ("clips_audios", "clips_videos"):
        shutil.copytree(tiny / part / "val", folder / "ava" / part / "test")
    shutil.copy(tiny / "csv/val_orig.csv", folder / "ava/csv/test_orig.csv")
    (folder / "csv").mkdir()
    labels = folder / "col_labels/fusion/bell.txt"
    labels.parent.mkdir(parents=True)
    labels.write_text(LABELS)
    ran = run("weights", "download", "talknet-ava", "--from-file", weights_of_talknet)
    assert ran.code == 0, ran.stderr
    show_all(sections()["TalkNet-ASD"], folder, run)


@pytest.fixture
def weights_of_talknet(tmp_path):
    """The weights of a TalkNet that has learned nothing."""
    torch = pytest.importorskip("torch", reason='pip install "unitalk[models]"')
    pytest.importorskip("cv2", reason="gray needs the extra [tracks]")
    from unitalk.models.registry import new_network

    torch.manual_seed(5)
    torch.save(new_network("talknet").state_dict(), tmp_path / "random.model")
    return tmp_path / "random.model"


def test_every_command_and_option_in_a_note_is_ours():
    def options(line: str) -> set[str]:
        return {name for option in command_of(line)[0].params for name in option.opts}

    for row in [row for rows in sections().values() for row in rows]:
        ours = [span for span in spans(row.ours) if span.startswith("unitalk ")]
        known = set().union(*map(options, ours))
        for span in spans(row.note):
            if span.startswith("unitalk "):
                words = command_of(span)[1]
                assert options(span) >= {word for word in words if word.startswith("-")}
            elif span.startswith("--") and ours:
                assert span.split()[0].replace("_", "-") in known, (row.ours, span)


def test_the_columns_are_those_of_the_schema():
    (row,) = [row for rows in sections().values() for row in rows if "`entity_box_x1`" in row.note]
    assert tuple(spans(row.note)) == schema.COLUMNS


def test_marks_say_what_they_have_to_say():
    for rows in sections().values():
        for row in rows:
            assert row.theirs
            assert not (row.is_marked and row.ours.endswith("because ")), row

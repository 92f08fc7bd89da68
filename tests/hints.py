"""What tests of hints are made of: the texts in the sources, and a person who obeys them."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import shlex
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement

from unitalk.errors import UnitalkError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PACKAGE = Path(__file__).resolve().parents[1] / "unitalk"

VERB = re.compile(r"unitalk ([a-z][a-z-]*)")
EXTRA = re.compile(r"unitalk\[([a-z]+)\]")
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
PYTHON = re.compile(r"`[a-z_]+(?:=[^`]*)?`")
COMMAND = re.compile(
    r"`|(?<![\w-])--[a-z]|pip install|apt-get|\bunitalk [a-z]|\bffmpeg |\btorchrun |\bdask |\bmv -"
)
"""What makes a text one that can be typed: a command, a flag, or anything in backticks.

The lines of pandas that `diagnose` gives are run where its causes are tested.
"""


_DECLARES = {
    f"click.{name}"
    for name in ("option", "argument", "command", "group", "version_option", "Choice", "IntRange")
}
"""What is given to these is read by --help."""


@cache
def typed() -> dict[str, list[str]]:
    """Each such text, with `{}` for what is put in, and where it is."""
    found: dict[str, list[str]] = {}
    # What is said of words that are not ours is typed in test_cli_spelling.py.
    elsewhere = {
        PACKAGE / f"cli/_shared/{name}.py" for name in ("hints", "other_words", "spelling")
    }
    for path in sorted(set(PACKAGE.rglob("*.py")) - elsewhere):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for line, text in _texts(tree):
            if COMMAND.search(text):
                found.setdefault(text, []).append(f"{path.relative_to(PACKAGE.parent)}:{line}")
    return found


def _texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every text of a module but its docstrings and what click is given for --help."""
    left_out = set(_docstrings(tree)) | set(_help(tree))
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.JoinedStr):
            left_out |= {id(part) for part in node.values}
            yield (
                node.lineno,
                "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "{}"
                    for part in node.values
                ),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def _docstrings(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):  # a text that is a statement of its own
            yield id(node.value)


def _help(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _DECLARES:
            yield from (id(inner) for inner in ast.walk(node))


# ------------------------------------------------------------------------------ a person


@dataclass(kw_only=True)
class Person:
    """A person at the command line: what was printed, and what was typed after that."""

    run: Callable[..., Any]
    small: Path
    sample: Path
    tmp: Path
    patch: pytest.MonkeyPatch
    heard: list[str] = field(default_factory=list)
    typed: list[list[str]] = field(default_factory=list)
    names: dict[str, object] = field(default_factory=dict)
    calls: bool = False  # the library itself, whose words are Python

    def plays(self, script: str) -> str:
        """Type the lines of a script, and return what the last one prints.

        `2! trim ...` fails with exit code 2, `3 verify ...` succeeds with it, `$ cp ...` is for the
        shell. A line may be continued after `\\`; what is in braces is one of `names`.
        """
        said = ""
        for one in script.replace("\\\n", " ").strip().splitlines():
            line = one.strip().format_map(self.names)
            code, fails, words = re.fullmatch(r"(?:(\d)(!?) )?(.*)", line).groups()
            if words.startswith("$ "):
                subprocess.run(words[2:], shell=True, check=True, capture_output=True)
                self.typed.append(shlex.split(words[2:]))
            elif fails:
                said = self.says(*shlex.split(words), code=int(code))
            else:
                said = self.does(*shlex.split(words), code=int(code or 0))
        return said

    def says(self, *words: object, code: int) -> str:
        """Type a command that does not succeed; what it prints."""
        ran = self.run(*words)
        assert ran.code == code, (words, ran.code, ran.stdout, ran.stderr)
        return self.hears(ran.stdout + ran.stderr)

    def does(self, *words: object, code: int = 0) -> str:
        """Type a command that succeeds; what it prints."""
        ran = self.run(*words)
        assert ran.code == code, (words, ran.code, ran.stdout, ran.stderr)
        self.typed.append([str(word) for word in words])
        return self.hears(ran.stdout + ran.stderr)

    def raises(self, call: Callable[[], object]) -> str:
        """Call the library; what its error says."""
        self.calls = True
        with pytest.raises(UnitalkError) as caught:
            call()
        return self.hears(f"{caught.value.message}\n{caught.value.hint}")

    def hears(self, text: str) -> str:
        self.heard.append(re.sub(r"\s+", " ", text))
        return text

    def installs(self, extra: str) -> None:
        """See that an extra exists and brings packages; skip the test if one is not installed."""
        needed = [
            wanted
            for text in importlib.metadata.requires("unitalk") or ()
            if (wanted := Requirement(text)).marker is not None
            and wanted.marker.evaluate({"extra": extra})
        ]
        assert needed, extra
        try:
            for wanted in needed:
                importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            pytest.skip(f'pip install "unitalk[{extra}]"')
        self.typed.append([f"unitalk[{extra}]"])


@dataclass(frozen=True)
class Scenario:
    """What provokes and obeys some texts.

    Attributes:
        name: what happens.
        texts: as the sources have them, with `{}` for what is put in.
        play: makes the program print them, and does what they say.
        unless: flags and verbs in them that other tests type.
    """

    name: str
    texts: tuple[str, ...]
    play: Callable[[Person], None]
    unless: frozenset[str]

    def judge(self, person: Person) -> None:
        """See that every text was printed, and that all that it names was typed."""
        everything = " ".join(person.heard)
        words = {word.partition("=")[0] for line in person.typed for word in line}
        for text in self.texts:
            found = _printed(text).search(everything)
            assert found, f"never printed: {text}\n{everything}"
            python = None if person.calls else PYTHON.search(found[0])
            assert not python, f"not in the command line's words: {found[0]}"
            wanted = {
                *FLAG.findall(found[0]),
                *VERB.findall(found[0]),
                *(f"unitalk[{extra}]" for extra in EXTRA.findall(found[0])),
            } - self.unless
            assert wanted <= words, f"not obeyed: {wanted - words} of {text}"


def _printed(text: str) -> re.Pattern[str]:
    """What a text looks like when it is printed, its lines perhaps broken elsewhere.

    What it has in backticks is printed in the words of the command line.
    """
    words = re.sub(r"`[^`]+`", "{}", re.sub(r"\s+", " ", text).strip())
    return re.compile(".*?".join(map(re.escape, words.split("{}"))), re.DOTALL)

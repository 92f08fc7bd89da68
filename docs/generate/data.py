"""What data looks like and how it is judged: columns, labels, findings, measures, breakdowns."""

from __future__ import annotations

import re

import click

from generate.commands import ROOT
from generate.markdown import code, plain, table
from unitalk import layout, schema
from unitalk.cli._shared.hints import typed
from unitalk.dataset.verify import KINDS
from unitalk.schema.columns import LABEL_IDS, LABEL_SPELLINGS, SPEAKING
from unitalk.score import breakdown
from unitalk.score.diagnose.findings import CHECKS
from unitalk.score.metrics import DESCRIPTIONS

_CHECKS = {
    "file": "what the two files are, and whether they can be read at all",
    "ids": "ids that the ground truth does not have: `_` for `:`, another prefix, read as numbers",
    "times": "times that the track does not have: rounded, shifted, in milliseconds, as frame "
    "numbers, of another frame rate",
    "coverage": "faces without a prediction, and predictions without a face; whole tracks by name",
    "duplicates": "faces that occur twice, and in what their rows differ",
    "boxes": "boxes that differ from the ground truth's: in pixels, or with width and height",
    "labels": "predictions whose score is that of not speaking; ground truth of one class only",
    "scores": "scores that are constant, inverted, saturated or rounded",
    "order": "scores that fit clearly better in another order of rows, such as the order of "
    "`groupby` or of a folder's listing",
    "result": "the score itself, and what the same scores get on faces drawn at random",
}


def in_words_of(verb: str, text: str) -> str:
    """A text of the library with its backticks as a verb says them."""
    command = ROOT.command.get_command(ROOT, verb)
    with click.Context(command, parent=ROOT, info_name=verb).scope():
        return re.sub(r"`([^`]+)`", lambda found: code(typed(found[1]) or found[1]), text)


def columns() -> str:
    """The columns of ground truth and predictions, and which file has which."""
    rows = []
    for name, (unit, meaning) in schema.DESCRIPTION.items():
        kinds = [
            "yes" if name in known else ""
            for known in (schema.COLUMNS, schema.AVA_COLUMNS, schema.PREDICTION_COLUMNS)
        ]
        if name in {schema.LABEL, schema.VIDEO, *schema.BOX}:
            kinds[2] = "optional"
        if name == "eval":
            kinds[:2] = ["optional", "optional"]
        rows.append((code(name), unit, plain(meaning), *kinds))
    return table(("column", "unit", "meaning", "UniTalk", "AVA", "predictions"), rows)


def labels() -> str:
    """The labels, their `label_id`s and other spellings."""
    rows = []
    for label, number in LABEL_IDS.items():
        others = [code(o) for o, is_ in LABEL_SPELLINGS.items() if is_ == label and o != label]
        positive = "yes" if label == SPEAKING else "no"
        rows.append((code(label), str(number), positive, ", ".join(others)))
    return table(("label", "`label_id`", "positive", "also read"), rows)


def folders() -> str:
    """The drawing of a dataset's folders, from the docstring of the module that knows them."""
    drawing = re.search(r"::\n\n((?:    .*\n)+)", layout.__doc__ or "")
    assert drawing is not None
    lines = [line.strip() for line in drawing[1].splitlines()]
    rows = [
        (code(path), plain(what))
        for path, what in (re.split(r"  +| (?=one )", line, maxsplit=1) for line in lines)
    ]
    return table(("path", "what it is"), rows)


def findings() -> str:
    """What verify finds."""
    rows = [
        (code(name), kind.title, kind.effect, in_words_of("verify", kind.remedy))
        for name, kind in KINDS.items()
    ]
    return table(("finding", "what it is", "what it does to a model or score", "remedy"), rows)


def checks() -> str:
    """What diagnose looks for, in its order."""
    assert tuple(_CHECKS) == CHECKS
    return table(("check", "what it looks for"), [(code(n), what) for n, what in _CHECKS.items()])


def breakdowns() -> str:
    """The breakdowns of `--by`."""
    assert set(breakdown.DESCRIPTION) == set(breakdown.DIVISIONS)
    rows = [
        (code(name), plain(values), in_words_of("eval", meaning))
        for name, (values, meaning) in breakdown.DESCRIPTION.items()
    ]
    return table(("`--by`", "groups", "what they are"), rows)


def measures() -> str:
    """The measures of `--metrics`."""
    return table(
        ("measure", "meaning"), [(code(name), plain(what)) for name, what in DESCRIPTIONS.items()]
    )

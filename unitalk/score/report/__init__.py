"""The report as one page that needs nothing else: no network, no script to be read."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import TYPE_CHECKING

from unitalk._version import __version__
from unitalk.files import disk_boundary
from unitalk.score.report import sections
from unitalk.score.report.markup import Markup, percent, tag
from unitalk.score.result import systems_of
from unitalk.score.score_tables import latex

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from unitalk.score.result import Comparison, Difference, Evaluation

__all__ = ["page", "to_html"]

_NAVIGATION = (
    ("breakdown", "Breakdown"),
    ("curves", "Precision and recall"),
    ("scores", "Scores"),
    ("measures", "Measures"),
    ("by-video", "Videos"),
    ("tracks", "Worst tracks"),
    ("signature", "To cite"),
)


@disk_boundary("data")
def to_html(result: Evaluation | Comparison, *, data: str | Path | None = None) -> str:
    """Return the report of a result, a page that needs no other file and no network.

    Args:
        result: one system, or several on the same faces.
        data: the dataset, for strips of the faces of the worst tracks.
    """
    return page(*systems_of(result), data=data)


def page(
    systems: Sequence[Evaluation],
    differences: Sequence[Difference],
    *,
    data: str | Path | None = None,
) -> str:
    """Make the page; the same input gives the same bytes.

    Args:
        systems: scored on the same faces, the baseline first.
        differences: of every other system from the baseline, for each group.
        data: the dataset, for strips of the faces of the worst tracks.
    """
    parts = [
        sections.breakdown(systems, differences),
        sections.curves(systems),
        sections.histograms(systems),
        sections.metrics(systems),
        sections.videos(systems),
        sections.tracks(systems, data),
        sections.signature(systems, latex(systems, differences)),
    ]
    there = [
        tag("li", tag("a", title, href=f"#{identity}"))
        for (identity, title), part in zip(_NAVIGATION, parts, strict=True)
        if part is not None
    ]
    return _document(
        _title(systems),
        "wide" if len(systems) > 1 else None,
        tag("a", "Skip to the results", href="#results", class_="skip"),
        sections.head(systems, differences),
        tag("nav", tag("ul", *there), aria_label="Sections"),
        tag("main", *parts, id="results", tabindex=-1),
        tag("footer", tag("p", f"Made by unitalk {__version__}.")),
    )


def _title(systems: Sequence[Evaluation]) -> str:
    return ", ".join(f"{s.name}: AP {percent(s.average_precision)}" for s in systems)


def _document(title: str, class_: str | None, *content: Markup) -> str:
    """Put style, content and script together under a policy that allows nothing else."""
    style, script = (
        Markup(resources.files(__name__).joinpath(name).read_text(encoding="utf-8"))
        for name in ("page.css", "page.js")
    )
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("link", rel="icon", href="data:,"),
        tag("title", title),
        tag("style", style),
    )
    body = tag("body", *content, tag("script", script), class_=class_)
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _digest(text: str) -> str:
    """Write the hash by which a policy knows a style or a script."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"

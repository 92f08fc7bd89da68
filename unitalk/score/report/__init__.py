"""The report as one page that needs nothing else: no network, no script to be read.

`templates/` has the page and its figures for jinja2, its style and its script. `report_tables`
makes the rows of its tables, `details` scores videos and tracks, `figures` and `timelines` work out
what is drawn where.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from unitalk._version import __version__
from unitalk.files import disk_boundary
from unitalk.score.curve import curve, histogram
from unitalk.score.report import details, figures, number_text, report_tables, timelines
from unitalk.score.result import systems_of
from unitalk.score.score_tables import latex
from unitalk.text_table import p_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from unitalk.score.result import Comparison, Difference, Evaluation

__all__ = ["page", "to_html"]

_NAVIGATION = {
    "breakdown": "Breakdown",
    "curves": "Precision and recall",
    "scores": "Scores",
    "measures": "Measures",
    "by-video": "Videos",
    "tracks": "Worst tracks",
    "signature": "To cite",
}
_LENGTHY = 32  # letters of a name; a longer one takes several lines


@disk_boundary("dataset")
def to_html(result: Evaluation | Comparison, *, dataset: str | Path | None = None) -> str:
    """Return the report of a result, a page that needs no other file and no network.

    Args:
        result: one system, or several on the same faces.
        dataset: a dataset, for strips of the faces of the worst tracks.
    """
    return page(*systems_of(result), dataset=dataset)


def page(
    systems: Sequence[Evaluation],
    differences: Sequence[Difference],
    *,
    dataset: str | Path | None = None,
) -> str:
    """Make the page; the same input gives the same bytes.

    Args:
        systems: scored on the same faces, the baseline first.
        differences: of every other system from the baseline, for each group.
        dataset: a dataset, for strips of the faces of the worst tracks.
    """
    first, drawn = systems[0], systems[0].resamples
    context: dict[str, Any] = {
        "systems": systems,
        "first": first,
        "several": len(systems) > 1,
        "drawn": drawn,
        "share": f"{100 * drawn.confidence:g} %" if drawn else None,
        "totals": {d.system: d for d in differences if not d.by},
        "warnings": _warnings(systems),
        "counted": report_tables.COUNTED,
        "breakdowns": report_tables.breakdowns(systems, differences),
        "curves": _curves(systems),
        "measured": [system for system in systems if system.metrics is not None],
        "measures": report_tables.measures(systems),
        "videos": report_tables.videos(systems),
        "latex": latex(systems, differences).strip("\n"),
        **_histograms(systems),
        **_tracks(first, dataset),
    }
    absent = {name for name in ("curves", "measures", "tracks") if not context[name]}
    navigation = [(name, title) for name, title in _NAVIGATION.items() if name not in absent]
    template = _environment().get_template("page.html")
    return template.render(_document(), navigation=navigation, **context)


# ------------------------------------------------------------------------------ the templates


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader(__name__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "fitting": _fitting,
        "interval": number_text.interval,
        "p_text": p_text,
        "percent": number_text.percent,
        "place": number_text.place,
        "plural": number_text.plural,
        "points": number_text.points,
        "points_interval": number_text.points_interval,
        "thousands": number_text.count,
    }
    return made


def _fitting(text: str, class_: str | None = None) -> str | None:
    """Add the class of names that are broken into lines, however they are spelled."""
    if len(text) <= _LENGTHY:
        return class_
    return f"{class_} lengthy" if class_ else "lengthy"


def _document() -> dict[str, Any]:
    """Return style and script, and the policy that allows nothing else."""
    folder = resources.files(__name__) / "templates"
    style, script = ((folder / name).read_text("utf-8") for name in ("page.css", "page.js"))
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )
    return {"policy": policy, "style": style, "script": script, "version": __version__}


def _digest(text: str) -> str:
    """Return the hash by which a policy knows a style or a script."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


# ------------------------------------------------------------------------------ the sections


def _warnings(systems: Sequence[Evaluation]) -> dict[str, list[str]]:
    """Return every warning once, with the systems that it is about."""
    about: dict[str, list[str]] = {}
    for system in systems:
        for warning in system.warnings:
            about.setdefault(warning, []).append(system.name)
    return about


def _curves(systems: Sequence[Evaluation]) -> dict[str, Any] | None:
    """Return the precision-recall curves; None without a positive or without a number."""
    made = [curve(system.matched.labels, system.matched.scores) for system in systems]
    drawn = [one for one in made if one is not None]
    if not drawn or systems[0].average_precision is None:
        return None  # all systems have the same faces, so there is a curve for all or for none
    return figures.precision_recall([system.name for system in systems], drawn)


def _histograms(systems: Sequence[Evaluation]) -> dict[str, Any]:
    """Return each system's scores by label, and whether some are beyond the columns."""
    drawn, beyond = [], False
    for system in systems:
        scores = system.matched.scores
        bins = histogram(system.matched.labels, scores)
        beyond |= bool(scores.min() < bins.edges[0] or scores.max() > bins.edges[-1])
        drawn.append((system.name, figures.score_histogram(bins)))
    return {"histograms": drawn, "beyond": beyond}


def _tracks(system: Evaluation, dataset: str | Path | None) -> dict[str, Any]:
    """Return the tracks that a system got most wrong."""
    found = details.worst(system.matched)
    strips = [None if dataset is None else timelines.face_strip(track, dataset) for track in found]
    return {
        "tracks": list(zip(found, map(timelines.timeline, found), strips, strict=True)),
        "tiles": timelines.TILES,
        "level": 1 - np.count_nonzero(system.matched.labels) / len(system.matched.labels),
        "lacking": dataset is not None and not any(strips),
        "enough_faces": details.ENOUGH_FACES,
    }

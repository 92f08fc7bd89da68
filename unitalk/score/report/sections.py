"""The page's sections, in its order; each gives HTML, or None where there is nothing to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unitalk.score.report import details, figures, report_tables, timelines
from unitalk.score.report.markup import (
    UNDEFINED,
    Markup,
    count,
    interval,
    p_value,
    percent,
    plural,
    points,
    points_interval,
    tag,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from unitalk.score.report.details import Track
    from unitalk.score.result import Difference, Evaluation, Resamples


_NAMED = 3  # systems in the title


def section(identity: str, title: str, *children: str | None) -> Markup:
    """Make a section with its heading."""
    heading = tag("h2", title, id=f"{identity}-title")
    return tag("section", heading, *children, id=identity, aria_labelledby=f"{identity}-title")


def note(text: str) -> Markup:
    """Make a paragraph that explains a figure or a table."""
    return tag("p", text, class_="note")


# ------------------------------------------------------------------------------ the head


def head(systems: Sequence[Evaluation], differences: Sequence[Difference]) -> Markup:
    """Say each system's number, what it rests on, and every warning."""
    first = systems[0]
    totals = {d.system: d for d in differences if not d.by}
    cards = [
        _card(system, index, totals.get(system.name) if index else None, len(systems) > 1)
        for index, system in enumerate(systems)
    ]
    facts = [
        ("videos", count(first.videos)),
        ("tracks", count(first.tracks)),
        ("faces", count(first.faces)),
        ("positives", count(first.positives)),
        ("prior", f"{percent(first.prior)} %"),
    ]
    listed = [tag("div", tag("dt", name), tag("dd", value)) for name, value in facts]
    return tag(
        "header",
        tag("p", "Active speaker detection", class_="kind"),
        tag("h1", *_title(systems)),
        tag("div", *cards, class_="cards"),
        _drawn(first),
        tag("dl", *listed, class_="facts"),
        _warnings(systems),
    )


def _title(systems: Sequence[Evaluation]) -> list[str]:
    names = [system.name for system in systems]
    if len(names) == 1:
        return names
    others = ", ".join(names[1:]) if len(names) <= _NAMED else f"{len(names) - 1} systems"
    return [f"{others} against {names[0]}"]


def _card(
    system: Evaluation, index: int, difference: Difference | None, is_several: bool
) -> Markup:
    value = system.average_precision
    if value is None:
        lines = [tag("p", UNDEFINED, class_="big none")]
    else:
        lines = [tag("p", percent(value), tag("span", " %", class_="unit"), class_="big")]
    if system.interval is not None:
        lines.append(tag("p", interval(system.interval), class_="range"))
    if system.undefined:
        lines.append(tag("p", system.undefined, class_="said"))
    if not is_several:
        return tag("div", *lines, class_="card alone")
    name = tag("p", figures.swatch(index), " ", system.name, class_="name")
    lines.append(tag("p", _against(index, difference), class_="said"))
    return tag("div", name, *lines, class_="card")


def _against(index: int, difference: Difference | None) -> str:
    if index == 0:
        return "the baseline"
    if difference is None or difference.difference is None:
        return f"difference {UNDEFINED}"
    pair = points_interval(difference.interval)
    said = f"{points(difference.difference)} points" + (f" {pair}" if pair else "")
    return said if difference.p_value is None else f"{said}, p {_p_text(difference.p_value)}"


def _p_text(value: float) -> str:
    text = p_value(value)
    return text if text.startswith("<") else f"= {text}"


def _drawn(system: Evaluation) -> Markup:
    said = "Average precision as AVA-ActiveSpeaker defines it"
    drawn = system.resamples
    if drawn is not None:
        taken = plural(drawn.count, "resample", "resamples")
        said += f", and its {_share(drawn)} interval ({drawn.method}, {taken} by {drawn.unit})"
    return note(f"{said}.")


def _share(drawn: Resamples) -> str:
    return f"{100 * drawn.confidence:g} %"


def _warnings(systems: Sequence[Evaluation]) -> Markup | None:
    """List every warning once, with the systems that it is about where there are several."""
    about: dict[str, list[str]] = {}
    for system in systems:
        for warning in system.warnings:
            about.setdefault(warning, []).append(system.name)
    if not about:
        return None
    items = []
    for warning, names in about.items():
        is_all = len(names) == len(systems)
        whose = None if is_all else tag("b", f"{', '.join(names)}: ")
        items.append(tag("li", whose, warning))
    title = tag("h2", plural(len(items), "warning", "warnings"), id="warnings-title")
    return tag(
        "aside", title, tag("ul", *items), class_="warnings", aria_labelledby="warnings-title"
    )


# ------------------------------------------------------------------------------ the breakdown


def breakdown(systems: Sequence[Evaluation], differences: Sequence[Difference]) -> Markup:
    """Show the groups."""
    names = [system.name for system in systems]
    key = None
    if len(systems) > 1:
        key = report_tables.system_key(
            names, [figures.swatch(index) for index in range(len(names))]
        )
    said = "The bar is the average precision, the dotted tick the prior, which constant scores get."
    drawn = systems[0].resamples
    if drawn is not None:
        how = f"{_share(drawn)} interval ({drawn.method} by {drawn.unit})"
        said += f" The whisker and the brackets are the {how}."
    made = report_tables.groups_tables(systems, differences)
    return section("breakdown", "Breakdown", key, *made, note(said))


def metrics(systems: Sequence[Evaluation]) -> Markup | None:
    """Show the measures beside average precision, where they were asked for."""
    if all(system.metrics is None for system in systems):
        return None
    from unitalk.score.metrics import DESCRIPTIONS

    return section("measures", "Other measures", report_tables.metrics_table(systems, DESCRIPTIONS))


# ------------------------------------------------------------------------------ figures


def curves(systems: Sequence[Evaluation]) -> Markup | None:
    """Draw the precision-recall curves, with what the script needs to read values off them."""
    if systems[0].average_precision is None:  # and so all others, as they have the same faces
        return None
    from unitalk.score.curve import curve

    made = [curve(s.matched.labels, s.matched.scores) for s in systems]
    drawn = [one for one in made if one is not None]
    names = [s.name for s in systems]
    signs = [figures.swatch(index) for index in range(len(systems))]
    labelled = [f"{s.name}: {percent(s.average_precision)} %" for s in systems]
    slider = tag("input", type="range", id="recall", min=1, max=100, value=80)
    probe = tag(
        "div",
        tag("label", "At recall ", tag("b", "80 %", id="recall-said"), for_="recall"),
        slider,
        tag("div", id="values"),
        class_="probe",
        hidden=True,
    )
    panel = tag(
        "div",
        report_tables.system_key(labelled, signs),
        probe,
        note(
            "Thick: the envelope, the best precision at this recall or a higher one; the area "
            "below it is the average precision. Thin: the precision itself. Dashed: the prior."
        ),
    )
    drawing = figures.precision_recall(names, drawn, systems[0].prior)
    return section(
        "curves",
        "Precision and recall",
        tag(
            "div",
            drawing,
            panel,
            class_="figure pair",
            data_readings=figures.readings(names, drawn),
        ),
    )


def histograms(systems: Sequence[Evaluation]) -> Markup:
    """Draw each system's scores by label."""
    from unitalk.score.curve import histogram

    drawn = []
    beyond = False
    for system in systems:
        matched = system.matched
        bins = histogram(matched.labels, matched.scores)
        lowest, highest = matched.scores.min(), matched.scores.max()
        beyond |= bool(lowest < bins.edges[0] or highest > bins.edges[-1])
        name = tag("h3", system.name) if len(systems) > 1 else None
        drawn.append(tag("div", name, figures.score_histogram(system.name, bins), class_="figure"))
    said = (
        "Each half is in shares of its own label's faces: the less the two halves overlap, the "
        "better the scores tell the labels apart."
    )
    if beyond:
        said += " The outermost columns also hold what lies beyond them."
    if len(systems) == 1:
        return section("scores", "Scores by label", tag("div", *drawn, note(said), class_="pair"))
    return section("scores", "Scores by label", tag("div", *drawn, class_="several"), note(said))


# ------------------------------------------------------------------------------ videos and tracks


def videos(systems: Sequence[Evaluation]) -> Markup:
    """Show every video."""
    found = details.by_video([system.matched for system in systems])
    return section(
        "by-video", "Videos", report_tables.videos_table([s.name for s in systems], found)
    )


def tracks(systems: Sequence[Evaluation], data: str | Path | None) -> Markup | None:
    """Show the tracks that the first system got most wrong."""
    first = systems[0]
    found = details.worst(first.matched)
    if not found:
        return None
    share = np.count_nonzero(first.matched.labels) / len(first.matched.labels)
    strips = [None if data is None else timelines.face_strip(track, data) for track in found]
    items = [_track(track, 1 - share, strip) for track, strip in zip(found, strips, strict=True)]
    lacking = data is not None and not any(strips)
    whose = f" of {first.name}" if len(systems) > 1 else ""
    return section(
        "tracks",
        f"The {plural(len(found), 'worst track', 'worst tracks')}{whose}",
        note(
            "Worst is the track whose faces lose the largest share of their pairs on average: a "
            "speaking face loses to every other face of the data with a higher score that does not "
            "speak, a face that does not speak to every speaking one with a lower score; ties are "
            f"half lost, and tracks of fewer than {details.ENOUGH_FACES} faces come last."
        ),
        note(
            "The band is the label: high and filled while speaking, low and open while not. The "
            "line is the score as its rank among all scores, 0 the lowest and 1 the highest; above "
            "the dashed level lie as many scores as there are speaking faces."
        ),
        note("The dataset that was given has no faces of these tracks.") if lacking else None,
        tag("ol", *items, class_="tracks"),
    )


def _track(track: Track, level: float, strip: Markup | None) -> Markup:
    start, end = (f"{track.seconds[at]:,.2f}" for at in (0, -1))
    spoken = int(np.count_nonzero(track.labels))
    return tag(
        "li",
        tag("h3", track.name),
        tag(
            "p",
            f"video {track.video}, {start} to {end} s, "
            f"{plural(len(track.labels), 'face', 'faces')}, {count(spoken)} speaking; loses ",
            tag("b", f"{percent(track.error)} %"),
            " of its pairs",
            class_="said",
        ),
        tag(
            "div", tag("div", strip, timelines.timeline(track, level), class_="lane"),
            class_="scroll", role="region", tabindex=0, aria_label=f"Timeline of {track.name}",
        ),
    )  # fmt: skip


# ------------------------------------------------------------------------------ the signature


def signature(systems: Sequence[Evaluation], latex: str) -> Markup:
    """Give what belongs beside the number in a paper, to be copied."""
    blocks = []
    for index, system in enumerate(systems):
        whose = f"Signature of {system.name}" if len(systems) > 1 else "Signature"
        blocks.append(_copied(f"signature-{index}", whose, system.signature))
    blocks.append(_copied("latex", "LaTeX rows", latex.strip("\n")))
    return section("signature", "To cite this", *blocks)


def _copied(identity: str, title: str, text: str) -> Markup:
    """Make a block of text with a button that the script shows and serves."""
    name = f"Copy: {title}"
    button = tag("button", name, type="button", data_copies=identity, hidden=True)
    return tag(
        "div",
        tag("h3", title),
        tag("pre", tag("code", text, id=identity), tabindex=0),
        button,
        tag("span", class_="copied", role="status"),
        class_="copyable",
    )

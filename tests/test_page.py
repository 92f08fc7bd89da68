"""The page: its numbers against hand calculation, its form, and what it does with hostile names."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from conftest import one_in
from hypothesis import given
from hypothesis import strategies as st
from pages import (
    DRAWN,
    GROUPS,
    HOSTILE,
    LANGUAGE,
    NOISE,
    OWN,
    SIX,
    evaluation_of,
    group_of,
    many_rows,
    matched_of,
    rows_of,
    write_face,
)
from PIL import Image

import unitalk
from unitalk import EvaluateOptions
from unitalk.layout import Layout
from unitalk.score.metrics import DESCRIPTIONS
from unitalk.score.report import details, number_text, page
from unitalk.score.result import Difference, Evaluation

MINUS = "\N{MINUS SIGN}"

# ------------------------------------------------------------------------------ reading a page


@dataclass
class Element:
    """An element of a parsed page."""

    name: str
    attributes: dict[str, str | None]
    children: list[Element | str] = field(default_factory=list)

    def __getitem__(self, attribute: str) -> str | None:
        return self.attributes.get(attribute)

    def walk(self) -> Iterator[Element]:
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def all(self, name: str, **attributes: str) -> list[Element]:
        return [
            e
            for e in self.walk()
            if e.name == name and all(e[k.rstrip("_")] == v for k, v in attributes.items())
        ]

    def one(self, name: str, **attributes: str) -> Element:
        (found,) = self.all(name, **attributes)
        return found

    def by_id(self, identity: str) -> Element:
        (found,) = [e for e in self.walk() if e["id"] == identity]
        return found

    def of_class(self, name: str) -> list[Element]:
        return [e for e in self.walk() if name in (e["class"] or "").split()]

    @property
    def raw(self) -> str:
        return "".join(c if isinstance(c, str) else c.raw for c in self.children)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", self.raw).strip()


class Reader(HTMLParser):
    """Builds the tree; every element must be closed but those that HTML closes by itself."""

    VOID = frozenset({"meta", "link", "img", "input", "br"})
    CLOSED_BY: ClassVar = {"tr": {"tr", "td", "th"}, "td": {"td", "th"}, "th": {"td", "th"}}

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("document", {})
        self.open = [self.root]

    def handle_starttag(self, name, attributes):
        while self.open[-1].name in self.CLOSED_BY.get(name, ()):
            self.open.pop()
        element = Element(name, dict(attributes))
        self.open[-1].children.append(element)
        if name not in self.VOID:
            self.open.append(element)

    def handle_startendtag(self, name, attributes):
        self.open[-1].children.append(Element(name, dict(attributes)))

    def handle_endtag(self, name):
        while name == "tbody" and self.open[-1].name in {"td", "th", "tr"}:
            self.open.pop()
        assert self.open[-1].name == name, f"</{name}> closes <{self.open[-1].name}>"
        self.open.pop()

    def handle_data(self, data):
        if data.strip() or "\n" not in data:  # blank lines between elements are not content
            self.open[-1].children.append(data)


def read(text: str) -> Element:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


def cells(table: Element) -> list[list[str]]:
    """A table's rows as text, its heads among them."""
    return [
        [cell.text for cell in row.children if isinstance(cell, Element)] for row in table.all("tr")
    ]


def made(*systems: Evaluation, differences: Sequence[Difference] = (), dataset=None) -> Element:
    return read(page(systems, differences, dataset=dataset))


# ------------------------------------------------------------------------------ numbers


def test_numbers_are_printed_so():
    assert number_text.plural(1, "face", "faces") == "1 face"
    assert number_text.plural(2000, "face", "faces") == "2,000 faces"
    assert (number_text.percent(13 / 18), number_text.percent(None)) == ("72.22", "undefined")
    assert number_text.interval((0.1, 1.0)) == "[10.00, 100.00]"
    assert [number_text.points(x) for x in (0.00406, -0.1, -0.00001)] == [
        "+0.41", f"{MINUS}10.00", "0.00",
    ]  # fmt: skip
    assert number_text.points_interval((-0.01, 0.02)) == f"[{MINUS}1.00, +2.00]"
    assert [number_text.number(x) for x in (-0.123456, -0.0)] == [f"{MINUS}0.1235", "0"]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=30))
def test_losses_are_those_of_counting_pair_by_pair(rows):
    labels, scores = np.array([r[0] for r in rows]), np.array([float(r[1]) for r in rows])
    lost = details.losses(labels, scores)
    if labels.all() or not labels.any():
        assert lost is None
        return

    def of_pair(positive: float, negative: float) -> float:
        return 1.0 if negative > positive else 0.5 if negative == positive else 0.0

    for index, (label, score) in enumerate(zip(labels, scores, strict=True)):
        others = scores[labels != label]
        pairs = [of_pair(score, o) if label else of_pair(o, score) for o in others]
        assert lost[index] == 2 * sum(pairs)


def test_short_tracks_come_after_long_ones_however_wrong_they_are():
    """Ten faces lose little, nine lose all that they can, and one track loses nothing.

    track  faces  speaking  score
    long      10        no     .5   loses to the one positive below: 1/2
    short      9        no     .9   loses to both positives: 1
    good       1       yes     .7
    bad        1       yes     .1   loses to all negatives: 1
    best      20        no      0   loses nothing
    """
    rows = [
        *rows_of("v", "long", "-" * 10, [0.5] * 10),
        *rows_of("v", "short", "-" * 9, [0.9] * 9),
        *rows_of("v", "good", "x", [0.7]),
        *rows_of("v", "bad", "x", [0.1]),
        *rows_of("v", "best", "-" * 20, [0.0] * 20),
    ]
    found = details.worst(matched_of(rows))
    # bad loses to 19 of the 39 negatives, good to the 9 of the short track.
    assert [(track.name, track.error) for track in found] == [
        ("long", pytest.approx(1 / 2)),
        ("short", pytest.approx(1)),
        ("bad", pytest.approx(19 / 39)),
        ("good", pytest.approx(9 / 39)),
    ]


# ------------------------------------------------------------------------------ the head


def test_the_head_has_the_number_its_interval_and_what_it_rests_on():
    document = made(
        evaluation_of(
            SIX, average_precision=13 / 18, interval=(0.6, 0.805), resamples=DRAWN, name="TalkNet"
        )
    )
    head = document.one("header")
    assert document.one("title").text == "TalkNet: AP 72.22"
    assert head.one("h1").text == "TalkNet"
    assert head.of_class("big")[0].text == "72.22 %"
    assert head.of_class("range")[0].text == "[60.00, 80.50]"
    for said in ("95 % interval", DRAWN.method, "1,234", DRAWN.unit):
        assert said in head.of_class("note")[0].text
    assert [fact.text for fact in head.one("dl").all("dd")] == ["2", "3", "6", "3", "50.00 %"]
    assert not head.of_class("warnings")


def test_what_is_undefined_says_so_and_why():
    silent = [replace(row, speaks=False) for row in SIX]
    document = made(evaluation_of(silent, average_precision=None, undefined="the reason"))
    head = document.one("header")
    assert head.of_class("big")[0].text == "undefined"
    assert "the reason" in head.text
    assert "interval" not in head.text
    # There is no curve, and no pair to lose.
    links = [a["href"] for a in document.one("nav").all("a")]
    assert links == ["#breakdown", "#scores", "#by-video", "#signature"]
    assert [f"#{e['id']}" for e in document.one("main").all("section")] == links
    assert cells(document.by_id("videos"))[1][1] == "undefined"


def test_several_systems_have_a_card_each_with_the_difference():
    both, own = "the scores are constant", "12 faces were left out"
    systems = [
        evaluation_of(SIX, name="base", average_precision=0.7, warnings=(both,)),
        evaluation_of(SIX, name="ours", average_precision=0.72, warnings=(both, own)),
        evaluation_of(SIX, name="none", average_precision=None, warnings=(both,)),
    ]
    total = Difference(
        system="ours", baseline="base", by={}, difference=0.02, interval=(-0.01, 0.05),
        p_value=0.18, flags=(),
    )  # fmt: skip
    in_a_group = replace(total, by=NOISE, difference=0.5)
    head = made(*systems, differences=[total, in_a_group]).one("header")
    assert head.one("h1").text == "ours, none against base"
    cards = head.of_class("card")
    assert [card.of_class("big")[0].text for card in cards] == ["70.00 %", "72.00 %", "undefined"]
    _, ours, none = (card.of_class("said")[-1].text for card in cards)
    assert ours == f"+2.00 points [{MINUS}1.00, +5.00], p = 0.180"
    assert "undefined" in none
    (aside,) = head.of_class("warnings")
    assert [item.text for item in aside.all("li")] == [both, f"ours: {own}"]


# ------------------------------------------------------------------------------ the breakdown


def test_the_breakdown_has_a_row_a_group_with_its_bar_and_the_total_last():
    """A bar has the length of the number, a whisker, and a tick at the prior."""
    table = made(evaluation_of(SIX, groups=GROUPS, resamples=DRAWN)).by_id("groups-0")
    _, *rows = cells(table)
    assert rows == [
        ["language", "", "90.00", "[85.00, 95.00]", "", "60.00", "2", "3", "5", "3"],
        ["noise", "", "undefined", "", "no positives", "0.00", "2", "3", "1,200", "0"],
        ["TOTAL", "", "72.22", "[60.00, 80.00]", "few videos", "0.25", "2", "3", "1,205", "3"],
    ]
    of_groups, total = table.all("tbody")
    assert len(of_groups.all("tr")) == 2
    assert total["class"] == "total"
    _, language, noise, _ = table.of_class("chart")
    assert language.one("rect")["width"] == "90%"
    whisker, low, high, prior = language.all("line")
    assert (whisker["x1"], whisker["x2"]) == ("85%", "95%")
    assert (low["x1"], low["x2"], high["x1"], high["x2"]) == ("85%", "85%", "95%", "95%")
    assert (prior["class"], prior["x1"], prior["x2"]) == ("prior", "60%", "60%")
    said = "predictions 90.00 %, interval 85.00 to 95.00; prior 60.00 %"
    assert language.one("svg")["aria-label"] == said
    assert not noise.children  # no number, no bar


def test_several_systems_stand_beside_each_other_with_their_differences():
    second = (replace(GROUPS[0], average_precision=0.92, interval=(0.86, 0.96)), *GROUPS[1:])

    def difference(by, value, interval, p_value, flags=()):
        return Difference(system="ours", baseline="base", by=by, difference=value,
                          interval=interval, p_value=p_value, flags=flags)  # fmt: skip

    table = made(
        evaluation_of(SIX, name="base", groups=GROUPS, resamples=DRAWN),
        evaluation_of(SIX, name="ours", groups=second, resamples=DRAWN),
        differences=[
            difference(LANGUAGE, 0.02, (0.01, 0.04), 0.0001),
            difference(NOISE, None, None, None, ("no positives",)),
        ],
    ).by_id("groups-0")
    _, below, language, noise, _ = cells(table)
    assert below == ["base", "ours", "ours", "p"]
    assert language[2:7] == [
        "90.00 [85.00, 95.00]", "92.00 [86.00, 96.00]", "+2.00 [+1.00, +4.00]", "<0.001", "",
    ]  # fmt: skip
    assert noise[2:7] == ["undefined", "undefined", "undefined", "", "no positives"]
    assert [rect["width"] for rect in table.of_class("bars")[0].all("rect")] == ["90%", "92%"]


def test_a_cross_table_has_a_column_for_each_breakdown_and_each_breakdown_a_table():
    cross = {"category": "noise", "face-size": "<64"}
    groups = (group_of(cross), group_of({"faces": "2"}), group_of(area=0.4))
    document = made(evaluation_of(SIX, groups=groups))
    _, row, total = cells(document.by_id("groups-0"))
    assert row[:2] == ["noise", "<64"]
    assert (total[0], total[2]) == ("TOTAL", "40.00")
    assert [row[0] for row in cells(document.by_id("groups-1"))[1:]] == ["2", "TOTAL"]


def test_every_row_of_a_table_is_as_wide_as_its_head():
    def width(row: Element) -> int:
        kept = [cell for cell in row.children if isinstance(cell, Element)]
        return sum(int(cell["colspan"] or 1) for cell in kept)

    systems = [evaluation_of(SIX, name=n, groups=GROUPS, resamples=DRAWN) for n in "abc"]
    for chosen in (systems, systems[:1], [replace(s, resamples=None) for s in systems]):
        for table in made(*chosen).all("table"):
            head, *rest = table.all("tr")
            second = head.all("th", scope="colgroup")
            assert {width(row) for row in rest[bool(second) :]} == {width(head)}


# ------------------------------------------------------------------------------ curves and scores


def steps_of(path: str) -> list[tuple[float, float, float]]:
    """The level parts of a path of H and V moves in the square of 1000: from, to, height."""
    x, y, parts = 0.0, 0.0, []
    for letter, numbers in re.findall(r"([MHV])([\d ]+)", path):
        values = [float(number) for number in numbers.split()]
        if letter == "M":
            x, y = values
        elif letter == "V":
            (y,) = values
        else:
            parts.append((x, values[0], 1000 - y))
            (x,) = values
    return parts


def test_the_area_below_the_envelope_is_the_average_precision():
    """13/18, worked out at `SIX`: 1, 2/3 and 1/2 high for a third of the way each."""
    (envelope,) = made(evaluation_of(SIX)).by_id("curves").of_class("envelope")[:1]
    steps = steps_of(envelope["d"])
    area = sum((end - start) * height for start, end, height in steps) / 1000**2
    assert area == pytest.approx(13 / 18, abs=0.001)
    wide = [part for part in steps if part[0] < part[1]]
    assert wide == [(0, 333, 1000), (333, 667, 667), (667, 1000, 500)]


def test_each_system_has_its_colour_and_its_sign():
    systems = [evaluation_of(SIX, name=f"s{index}") for index in range(9)]
    plot = made(*systems).by_id("curves").of_class("pr")[0]
    colours = [e["class"] for e in plot.of_class("envelope")]
    signs = [group.of_class("mark")[0].one("path")["d"] for group in plot.all("g")[1:]]
    # The ninth has the first one's colour and another sign.
    assert len(set(colours)) == 8
    assert len(set(zip(colours, signs, strict=True))) == 9


def test_the_script_is_given_the_values_at_each_percent_of_recall():
    """At `SIX`: up to recall 1/3 the score .9 does, up to 2/3 it takes .7, then .4."""
    document = made(evaluation_of(SIX))
    (figure,) = [e for e in document.walk() if "data-readings" in e.attributes]
    (system,) = json.loads(figure["data-readings"])
    assert (len(system["precision"]), len(system["threshold"])) == (100, 100)
    at = {1: ("100.00", "0.9"), 33: ("100.00", "0.9"), 34: ("66.67", "0.7"),
          66: ("66.67", "0.7"), 67: ("50.00", "0.4"), 100: ("50.00", "0.4")}  # fmt: skip
    for recall, wanted in at.items():
        assert (system["precision"][recall - 1], system["threshold"][recall - 1]) == wanted


def test_columns_are_shares_of_their_label_speaking_upwards():
    """Forty bins over 0 to 1. Speaking: 1 of 4 at 0, 3 at 1. Not: 2 of 8 at 0, 2 at .5, 4 at 1.

    The tallest is 3/4 and fills its half; so 1/4 is a third of a half, and 1/2 two thirds.
    """
    rows = [
        *rows_of("v", "v:0", "xxxx", (0, 1, 1, 1)),
        *rows_of("v", "v:1", "-" * 8, (0, 0, 0.5, 0.5, 1, 1, 1, 1)),
    ]
    drawing = made(evaluation_of(rows)).by_id("scores").of_class("hist")[0]

    def boxes(half: str) -> list[tuple[str | None, ...]]:
        names = ("x", "y", "width", "height")
        rects = drawing.one("g", class_=half).all("rect")
        return [tuple(rect[name] for name in names) for rect in rects]

    assert boxes("up") == [("0%", "33.33%", "2.5%", "16.67%"), ("97.5%", "0%", "2.5%", "50%")]
    assert boxes("down") == [
        ("0%", "50%", "2.5%", "16.67%"), ("50%", "50%", "2.5%", "16.67%"),
        ("97.5%", "50%", "2.5%", "33.33%"),
    ]  # fmt: skip
    texts = [text.text for text in drawing.all("text")]
    assert texts.count("75 %") == 2
    assert {"0", "0.5", "1", "speaking", "not speaking", "Score"} <= set(texts)


# ------------------------------------------------------------------------------ videos and tracks


def test_the_videos_stand_with_the_lowest_number_on_top_and_the_undefined_at_the_end():
    """Upside down, a is - - x from the top, so 1/3, and b is x - x as before."""
    rows = [*SIX, *rows_of("c", "c:1", "--", (0.1, 0.2))]
    upside_down = [replace(row, score=-row.score) for row in rows]
    table = made(evaluation_of(rows), evaluation_of(upside_down, name="ours")).by_id("videos")
    assert cells(table)[1:] == [
        ["b", "83.33", "83.33", "0.00", "66.67", "1", "3", "2"],
        ["a", "100.00", "33.33", f"{MINUS}66.67", "33.33", "2", "3", "1"],
        ["c", "undefined", "undefined", "undefined", "0.00", "1", "2", "0"],
    ]
    assert [th["aria-sort"] for th in table.one("thead").all("th")][:2] == [None, "ascending"]


def test_the_worst_tracks_say_what_they_are_and_how_wrong():
    """Equals come by their ids."""
    section = made(evaluation_of(SIX)).by_id("tracks")
    assert [h.text for h in section.all("h3")] == ["b:1", "a:1", "a:2"]
    said = [item.of_class("said")[0].text for item in section.all("li")]
    numbers = [re.findall(r"[\d.]+", text) for text in said]
    assert numbers == [  # from, to, faces, speaking, per cent lost
        ["0.00", "0.08", "3", "2", "55.56"],
        ["0.00", "0.04", "2", "1", "33.33"],
        ["0.00", "0.00", "1", "0", "33.33"],
    ]
    assert not section.all("img")
    # Above the dashed level are as many scores as faces speak: three of six.
    assert {line["y1"] for line in section.all("line", class_="prior")} == {"50%"}


def track_of(
    speaks: str, seconds: Sequence[float], scores: Sequence[float], dataset=None
) -> Element:
    """The only track of a page."""
    rows = [
        replace(row, seconds=moment)
        for row, moment in zip(rows_of("v", "v:1", speaks, scores), seconds, strict=True)
    ]
    return made(evaluation_of(rows), dataset=dataset).by_id("tracks").one("li")


def test_a_timeline_is_open_where_faces_lack():
    """Faces at 0, .04, .08 and .20 s; the usual step is .04, so that the track takes -.02 to .22.

    seconds   0    .04   .08  (gap)  .20
    speaking  x     -     -           x
    from    -.02   .02               .18     as shares of .24:   0     1/6          5/6
    to       .02         .10         .22                        1/6         1/2           1
    moment    0    .04   .08         .20                        1/12  3/12  5/12  11/12
    score    .1    .5    .9          .7
    rank     1/8   3/8   7/8         5/8     half of its own score's share counts
    """
    drawing = track_of("x--x", (0, 0.04, 0.08, 0.2), (0.1, 0.5, 0.9, 0.7))
    rects = drawing.of_class("band")[0].all("rect")
    assert [(r["class"], r["x"], r["width"]) for r in rects] == [
        ("speaking", "0%", "16.67%"), ("silent", "16.67%", "33.33%"),
        ("speaking", "83.33%", "16.67%"),
    ]  # fmt: skip
    assert int(rects[0]["height"]) > 2 * int(rects[1]["height"])  # not by colour alone
    (score,) = drawing.of_class("score")
    assert score["d"] == "M83.3 87.5L250.0 62.5 416.7 12.5 M916.7 37.5h0"


def test_a_long_track_keeps_its_ends_and_extremes():
    scores = 0.5 + 0.1 * np.sin(np.arange(20_000))
    scores[12_345], scores[5] = 1.0, 0.0
    speaks = "x" * 10_000 + "-" * 10_000
    (score,) = track_of(speaks, 0.04 * np.arange(20_000), scores).of_class("score")
    across, heights = np.array(re.findall(r"([\d.]+) ([\d.]+)", score["d"]), float).T
    assert len(across) <= 802
    assert (across[0], across[-1], heights.min(), heights.max()) == (0, 1000, 0, 100)
    assert across.tolist() == sorted(across)


def test_faces_stand_above_their_moments(tmp_path):
    """48 faces, red in the first half and blue in the second; the first quarter has no file.

    So of 24 tiles six are grey, six are red, and twelve are blue.
    """
    moments = [round(0.04 * index, 2) for index in range(48)]
    for index, moment in enumerate(moments[12:], 12):
        picture = Image.new("RGB", (60, 60), "red" if index < 24 else "blue")
        write_face(Layout(tmp_path), "v", "v:1", moment, picture)
    (img,) = track_of("x-" * 24, moments, [0.5] * 48, dataset=tmp_path).all("img")
    strip = Image.open(io.BytesIO(base64.b64decode(img["src"].partition("base64,")[2])))
    middles = [
        strip.convert("RGB").getpixel((round(strip.width * (tile + 0.5) / 24), strip.height // 2))
        for tile in range(24)
    ]
    kinds = ["blue" if b > r + 80 else "red" if r > b + 80 else "grey" for r, _, b in middles]
    assert kinds == ["grey"] * 6 + ["red"] * 6 + ["blue"] * 12


def test_a_track_without_files_has_no_strip(tmp_path):
    for moment in (0, 0.04, 0.08):
        write_face(Layout(tmp_path), "b", "b:1", moment, Image.new("RGB", (50, 50), "red"))
    hostile = rows_of("</script>", "../../etc", "x-", (0.1, 0.9))
    items = made(evaluation_of([*SIX, *hostile]), dataset=tmp_path).by_id("tracks").all("li")
    assert {item.one("h3").text: len(item.all("img")) for item in items} == {
        "b:1": 1, "a:1": 0, "a:2": 0, "../../etc": 0,
    }  # fmt: skip


# ------------------------------------------------------------------------------ the rest


def test_measures_are_shown_where_they_were_asked_for():
    document = made(
        evaluation_of(SIX, name="a", metrics=OWN),
        evaluation_of(SIX, name="b", metrics=replace(OWN, roc_auc=None)),
    )
    head, *rows = cells(document.by_id("metrics"))
    assert head == ["Measure", "a", "b", "Meaning"]
    named = {row[0]: row[1:] for row in rows}
    assert named["roc_auc"] == ["0.5556", "undefined", DESCRIPTIONS["roc_auc"]]
    assert named["false_alarms_at_90_recall"][:2] == ["1,003", "1,003"]
    assert list(named) == list(OWN.to_dict())
    assert not [e for e in made(evaluation_of(SIX)).walk() if e["id"] == "metrics"]


def test_nothing_that_a_user_names_becomes_part_of_the_page():
    rows = [
        *rows_of("<img src=x onerror=alert(1)>", "</script><b>:1", "x-", (0.1, 0.9)),
        *rows_of('"><svg onload=alert(1)>', "&amp;", "x-", (0.2, 0.8)),
    ]
    groups = (group_of({HOSTILE: "</table>"}, flags=("<u>",)), group_of())
    systems = [
        evaluation_of(
            rows, name=name, groups=groups, warnings=(f"</style>{HOSTILE}",), signature="</pre><i>"
        )
        for name in (HOSTILE, "'; alert(2); '")
    ]
    document = made(*systems)
    assert len(document.all("script")) == len(document.all("style")) == 1
    assert not document.all("img") + document.all("u") + document.all("i")
    assert not [e for e in document.walk() if any(k.startswith("on") for k in e.attributes)]
    assert document.one("h1").text == f"'; alert(2); ' against {HOSTILE}"
    assert document.one("title").text == f"{HOSTILE}: AP 50.00, '; alert(2); ': AP 50.00"
    assert f"</style>{HOSTILE}" in document.of_class("warnings")[0].text
    assert document.by_id("signature-0").text == "</pre><i>"
    videos = {row[0] for row in cells(document.by_id("videos"))[1:]}
    assert videos == {"<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>'}
    tracks = {h.text for h in document.by_id("tracks").all("h3")}
    assert tracks == {"</script><b>:1", "&amp;"}
    assert cells(document.by_id("groups-0"))[2][0] == "</table>"
    assert HOSTILE in document.of_class("bars")[0]["aria-label"]
    figure = next(e for e in document.walk() if "data-readings" in e.attributes)
    assert json.loads(figure["data-readings"])[0]["name"] == HOSTILE


def full_page() -> str:
    systems = [
        evaluation_of(
            SIX, name=name, groups=GROUPS, resamples=DRAWN, warnings=("w",), metrics=OWN
        )
        for name in ("base", "ours")
    ]  # fmt: skip
    return page(systems, ())


def test_the_policy_allows_the_pages_own_style_and_script_alone():
    text = full_page()
    assert not re.search(
        r"https?:|//[a-z]|@import|url\(", re.sub(r"^\s*//.*$", "", text, flags=re.M)
    )
    document = read(text)
    assert [link["href"] for link in document.all("link")] == ["data:,"]
    assert not [e for e in document.walk() if "style" in e.attributes]  # the policy forbids it
    (policy,) = [m["content"] for m in document.all("meta") if m["http-equiv"]]
    assert policy.startswith("default-src 'none'; ")
    for name in ("style", "script"):
        (own,) = re.findall(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_the_page_has_the_form_that_readers_and_machines_find_their_way_in():
    document = read(full_page())
    assert document.one("html")["lang"] == "en"
    levels = [int(e.name[1]) for e in document.walk() if re.fullmatch(r"h\d", e.name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    identities = [e["id"] for e in document.walk() if e["id"]]
    assert len(identities) == len(set(identities))
    for e in document.walk():
        for name in ("aria-labelledby", "for", "data-copies"):
            assert e[name] is None or e[name] in identities
        assert not (e["href"] or "").startswith("#") or e["href"][1:] in identities
    for table in document.all("table"):
        assert table.one("caption").text
        assert all(th["scope"] for th in table.all("th"))
    skip = document.one("body").children[0]
    assert (skip.name, skip["href"]) == ("a", "#results")
    assert [e["id"] for e in document.one("main").children] == [
        "breakdown", "curves", "scores", "measures", "by-video", "tracks", "signature",
    ]  # fmt: skip
    for box in document.of_class("scroll"):  # each can be reached with the keyboard
        assert (box["tabindex"], box["role"]) == ("0", "region")
        assert box["aria-label"] or box["aria-labelledby"]


def test_every_figure_has_a_name_or_is_hidden_from_who_cannot_see_it():
    def check(element: Element, inside: bool) -> int:
        if element.name == "svg" and not inside:
            assert (element["role"] == "img" and element["aria-label"]) or element["aria-hidden"]
        own = element.name == "svg"
        return own + sum(
            check(child, inside or own) for child in element.children if isinstance(child, Element)
        )

    assert check(read(full_page()), False) > 10


# ------------------------------------------------------------------------------ size and order


def test_five_systems_on_a_thousand_videos_are_below_700_kilobytes():
    systems = [evaluation_of(many_rows(1000, 1, 12, k), name=f"system {k}") for k in range(5)]
    text = page(systems, ())
    assert len(text.encode()) < 700_000
    assert len(re.findall(r"<tr><th scope=\"row\">\d{11}<td", text)) == 1000


def frames_of(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ground truth and predictions that are right more often than not, with few digits."""
    rng = np.random.default_rng(seed)
    rows = []
    for track in range(6):
        count = int(rng.integers(1, 30))
        speaks = rng.random(count) < rng.uniform(0.2, 0.8)
        letters = "".join("x" if one else "-" for one in speaks)
        scores = np.round(rng.normal(1.5 * speaks, 1), 1 + seed % 2).tolist()
        rows += rows_of(f"v{track % 3}", f"v{track % 3}:{track}", letters, scores)
    base = {
        "video_id": [row.video for row in rows],
        "frame_timestamp": [row.seconds for row in rows],
        "entity_id": [row.track for row in rows],
    }
    edges = {f"entity_box_{edge}": 0.1 + (edge[1] == "2") / 4 for edge in ("x1", "y1", "x2", "y2")}
    label = np.where([row.speaks for row in rows], "SPEAKING_AUDIBLE", "NOT_SPEAKING")
    truth = pd.DataFrame({**base, **edges, "label": label})
    return truth, pd.DataFrame({**base, "score": [row.score for row in rows]})


@pytest.mark.parametrize("seeds", one_in(8, [range(k, k + 4) for k in range(0, 64, 4)]))
def test_the_page_of_shuffled_rows_is_the_same_bytes(seeds):
    """Sums of a track's losses printed 22.97 or 22.98 % by the order of the rows once."""

    def made(truth: pd.DataFrame, base: pd.DataFrame) -> str:
        other = base.assign(score=np.round(base["score"] * np.cos(base["score"]), 2))
        options = EvaluateOptions(metrics=True)
        systems = {"base": base, "other": other}
        return unitalk.to_html(unitalk.compare(truth, systems, by="all", ci=True, options=options))

    for seed in seeds:
        truth, guesses = frames_of(seed)
        shuffled = [one.sample(frac=1, random_state=seed + k) for k, one in
                    enumerate((truth, guesses))]  # fmt: skip
        assert made(truth, guesses) == made(*shuffled), seed


def test_a_page_says_what_the_evaluation_says():
    truth, guesses = frames_of(0)
    result = unitalk.evaluate(truth, guesses, by=["video"], ci=1000, name=HOSTILE)
    document = read(unitalk.to_html(result))
    assert document.one("h1").text == HOSTILE
    total = cells(document.by_id("groups-0"))[-1]
    low, high = result.interval
    assert total[2:4] == [
        f"{100 * result.average_precision:.2f}", f"[{100 * low:.2f}, {100 * high:.2f}]",
    ]  # fmt: skip
    assert document.by_id("signature-0").text == result.signature

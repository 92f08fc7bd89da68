"""The page: its numbers against hand calculation, its form, and what it does with hostile names.

Results are put together by hand here, so that a number on the page can only come from there or
from the page's own arithmetic.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from html.parser import HTMLParser
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from conftest import one_in
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import unitalk
from unitalk import EvaluateOptions
from unitalk.layout import Layout, face_name
from unitalk.score.curve import Curve, Histogram
from unitalk.score.match import Matched
from unitalk.score.metrics import DESCRIPTIONS, Metrics
from unitalk.score.report import details, figures, markup, page, timelines
from unitalk.score.result import Difference, Evaluation, Group, Resamples
from unitalk.score.score_tables import latex

MEGABYTES = 1_000_000
HOSTILE = '<script>alert(1)</script>&"'

# ------------------------------------------------------------------------------ results by hand


@dataclass(frozen=True)
class Row:
    """One face: where it is, whether it speaks, its score."""

    video: str
    track: str
    seconds: float
    speaks: bool
    score: float


def rows_of(video: str, track: str, speaks: str, scores: Sequence[float], start=0.0, step=0.04):
    """A track's faces, `x` for one that speaks and `-` for one that does not."""
    return [
        Row(video, track, round(start + step * index, 3), letter == "x", score)
        for index, (letter, score) in enumerate(zip(speaks, scores, strict=True))
    ]


def matched_of(rows: Sequence[Row]) -> Matched:
    tracks = list(dict.fromkeys(row.track for row in rows))
    videos = list(dict.fromkeys(row.video for row in rows))
    codes = np.array([tracks.index(row.track) for row in rows], np.int32)
    milliseconds = np.array([round(1000 * row.seconds) for row in rows], np.int64)
    return Matched(
        rows=None,
        labels=np.array([row.speaks for row in rows], np.bool_),
        scores=np.array([row.score for row in rows], np.float64),
        keys=(codes.astype(np.int64) << 32) + milliseconds,
        tracks=codes,
        track_names=tracks,
        video_codes=np.array([videos.index(row.video) for row in rows], np.int32),
        video_names=videos,
        missing=0,
        extra=0,
        other_labels=0,
    )


def group_of(by=None, *, positives=3, faces=6, area: float | None = 0.5, interval=None, flags=()):
    return Group(
        by=by or {},
        videos=2,
        tracks=3,
        faces=faces,
        positives=positives,
        prior=positives / faces,
        average_precision=area,
        interval=interval,
        flags=flags,
    )


def evaluation_of(rows: Sequence[Row] | Matched, *, name="predictions", **changed) -> Evaluation:
    """A result that says of the faces what the caller says, whatever their scores."""
    matched = rows if isinstance(rows, Matched) else matched_of(rows)
    positives = int(matched.labels.sum())
    made = Evaluation(
        name=name,
        average_precision=0.5,
        undefined=None,
        interval=None,
        faces=len(matched.labels),
        tracks=len(matched.track_names),
        videos=len(matched.video_names),
        positives=positives,
        prior=positives / len(matched.labels),
        ties=0,
        reference_interval=None,
        chance_interval=None,
        missing=0,
        extra=0,
        groups=(group_of(),),
        resamples=None,
        metrics=None,
        inputs={"groundtruth": "a frame", "predictions": "a frame"},
        warnings=(),
        signature="ap:ava|ties:grouped|unitalk:0.1.0",
        matched=matched,
    )
    return replace(made, **changed)


SIX = [
    *rows_of("a", "a:1", "x-", (0.9, 0.8)),
    *rows_of("a", "a:2", "-", (0.6,)),
    *rows_of("b", "b:1", "x-x", (0.7, 0.5, 0.4)),
]
"""Six faces that can be checked by eye.

    score      .9   .8   .7   .6   .5   .4
    speaking    x    -    x    -    -    x
    track      a:1  a:1  b:1  a:2  b:1  b:1
    precision 1/1  1/2  2/3  2/4  2/5  3/6
    envelope    1  2/3  2/3  1/2  1/2  1/2
    recall    1/3  1/3  2/3  2/3  2/3    1      area = (1 + 2/3 + 1/2) / 3 = 13/18 = 72.22 %

Pairs lost. A positive: of the three negatives (.8 .6 .5) those above it. A negative: of the three
positives (.9 .7 .4) those below it.

    lost       0/3  2/3  1/3  1/3  1/3  3/3
    a:1  (0 + 2/3) / 2        = 1/3
    a:2  1/3                  = 1/3
    b:1  (1/3 + 1/3 + 1) / 3  = 5/9

Videos: a is .9 x, .8 -, .6 -: area 1. b is .7 x, .5 -, .4 x: area (1 + 2/3) / 2 = 5/6.
"""

DRAWN = Resamples(
    method="jackknife-t", unit="video", limit=5000, count=1234, seed=7, confidence=0.95
)

OWN = Metrics(
    roc_auc=5 / 9, sklearn_average_precision=0.7, best_f1=0.6, best_f1_threshold=0.5,
    threshold=0.5, f1=0.5, accuracy=0.5, precision=0.5, recall=0.5, equal_error_rate=0.5,
    false_alarms_at_90_recall=1003, false_alarm_rate_at_90_recall=0.5,
    expected_calibration_error=0.1,
)  # fmt: skip

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


def made(*systems: Evaluation, differences: Sequence[Difference] = (), data=None) -> Element:
    return read(page(systems, differences, data=data))


# ------------------------------------------------------------------------------ markup


def test_what_is_not_markup_is_escaped_wherever_it_enters():
    made = markup.tag("p", '<b>"', markup.tag("i", "&"), class_='a"b', aria_label="<>")
    assert made == '<p class="a&quot;b" aria-label="&lt;&gt;">&lt;b&gt;&quot;<i>&amp;</i></p>'
    assert markup.join(["<", None, markup.Markup("<br>")]) == "&lt;<br>"


def test_attributes_that_are_not_there_are_not_written():
    assert markup.tag("p", hidden=True, id=None, title=False, width=0) == '<p hidden width="0"></p>'
    assert markup.tag("path", d="M0 0") == '<path d="M0 0"/>'
    assert markup.tag("meta", name="a") == '<meta name="a"/>'


@pytest.mark.parametrize(
    ("printed", "wanted"),
    [
        (markup.count(1234567), "1,234,567"),
        (markup.plural(1, "face", "faces"), "1 face"),
        (markup.plural(2000, "face", "faces"), "2,000 faces"),
        (markup.percent(13 / 18), "72.22"),
        (markup.percent(None), "undefined"),
        (markup.interval((0.1, 1.0)), "[10.00, 100.00]"),
        (markup.interval(None), ""),
        (markup.points(0.00406), "+0.41"),
        (markup.points(-0.1), "\N{MINUS SIGN}10.00"),
        (markup.points(-0.00001), "0.00"),
        (markup.points(None), "undefined"),
        (markup.points_interval((-0.01, 0.02)), "[\N{MINUS SIGN}1.00, +2.00]"),
        (markup.p_value(0.0004), "<0.001"),
        (markup.p_value(0.0006), "0.001"),
        (markup.p_value(1.0), "1.000"),
        (markup.p_value(None), ""),
        (markup.number(-0.123456), "\N{MINUS SIGN}0.1235"),
    ],
)
def test_numbers_are_printed_so(printed, wanted):
    assert printed == wanted


# ------------------------------------------------------------------------------ arithmetic


def test_the_share_of_pairs_that_each_face_loses():
    """The table of `SIX`: by the faces' order there, .9 .8 .6 .7 .5 .4; each is in three pairs."""
    matched = matched_of(SIX)
    lost = details.losses(matched.labels, matched.scores)
    assert (lost / 2).tolist() == [0, 2, 1, 1, 1, 3]


def test_a_tie_is_half_a_loss():
    """One positive and two negatives, one of them with its score: half of a pair for both."""
    lost = details.losses(np.array([True, False, False]), np.array([0.5, 0.5, 0.1]))
    assert lost.tolist() == [1, 1, 0]


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
    # What positives lose in all, negatives lose: both are one minus the area under the ROC.
    assert lost[labels].sum() == lost[~labels].sum()


def test_the_worst_tracks_come_first_and_equals_by_their_ids():
    found = details.worst(matched_of(SIX))
    assert [track.name for track in found] == ["b:1", "a:1", "a:2"]
    assert [track.error for track in found] == pytest.approx([5 / 9, 1 / 3, 1 / 3])
    assert [track.video for track in found] == ["b", "a", "a"]
    # b:1 has .7 .5 .4, which are the fourth, the second and the lowest of six.
    assert found[0].ranks == pytest.approx([3.5 / 6, 1.5 / 6, 0.5 / 6])
    assert found[0].labels.tolist() == [True, False, True]
    assert found[0].seconds == pytest.approx([0, 0.04, 0.08])


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
    assert [track.name for track in details.worst(matched_of(rows), limit=2)] == ["long", "short"]


def test_a_track_is_in_the_order_of_time_whatever_the_order_of_the_rows():
    (track,) = [t for t in details.worst(matched_of(SIX[::-1])) if t.name == "b:1"]
    assert track.seconds == pytest.approx([0, 0.04, 0.08])
    assert track.labels.tolist() == [True, False, True]


def test_every_video_is_scored_on_its_own_for_every_system():
    first = matched_of(SIX)
    # Upside down: a is then .6 -, .8 -, .9 x from the top: 1/3. b is .4 x, .5 -, .7 x: 5/6 again.
    second = replace(first, scores=-first.scores)
    a, b = details.by_video([first, second])
    assert (a.name, a.tracks, a.faces, a.positives, a.prior) == ("a", 2, 3, 1, 1 / 3)
    assert (b.name, b.tracks, b.faces, b.positives, b.prior) == ("b", 1, 3, 2, 2 / 3)
    assert a.average_precisions == pytest.approx((1, 1 / 3))
    assert b.average_precisions == pytest.approx((5 / 6, 5 / 6))


def test_a_video_of_one_label_has_no_number():
    rows = [*SIX, *rows_of("none", "n:1", "--", (0.1, 0.2)), *rows_of("all", "m:1", "x", (0.3,))]
    precisions = {v.name: v.average_precisions for v in details.by_video([matched_of(rows)])}
    assert precisions["none"] == precisions["all"] == (None,)
    assert precisions["a"] == (1,)


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
    assert "its 95 % interval (jackknife-t, 1,234 resamples by video)" in head.text
    facts = [(d.one("dt").text, d.one("dd").text) for d in head.one("dl").all("div")]
    assert facts == [
        ("videos", "2"), ("tracks", "3"), ("faces", "6"), ("positives", "3"), ("prior", "50.00 %"),
    ]  # fmt: skip
    assert not head.of_class("warnings")


def test_without_an_interval_none_is_spoken_of():
    head = made(evaluation_of(SIX)).one("header")
    assert not head.of_class("range")
    assert "interval" not in head.text


def test_what_is_undefined_says_so_and_why():
    silent = [replace_row(row, speaks=False) for row in SIX]
    document = made(
        evaluation_of(
            silent, average_precision=None, undefined="no face is labelled SPEAKING_AUDIBLE"
        )
    )
    head = document.one("header")
    assert head.of_class("big")[0].text == "undefined"
    assert "no face is labelled SPEAKING_AUDIBLE" in head.text
    identities = {e["id"] for e in document.walk()}
    assert {"curves", "tracks"}.isdisjoint(identities)  # there is no curve, and no pair to lose
    links = [a["href"] for a in document.one("nav").all("a")]
    assert links == ["#breakdown", "#scores", "#by-video", "#signature"]
    assert cells(document.by_id("videos"))[1][1] == "undefined"


def replace_row(row: Row, **changed) -> Row:
    return replace(row, **changed)


def test_warnings_stand_in_the_head_and_name_their_systems():
    both, own = "the scores are constant", "12 faces were left out"
    systems = [
        evaluation_of(SIX, name="base", warnings=(both,)),
        evaluation_of(SIX, name="ours", warnings=(both, own)),
    ]
    (aside,) = made(*systems).one("header").of_class("warnings")
    assert aside.one("h2").text == "2 warnings"
    assert [item.text for item in aside.all("li")] == [both, f"ours: {own}"]


def test_several_systems_have_a_card_each_with_the_difference():
    systems = [
        evaluation_of(SIX, name="base", average_precision=0.7, interval=(0.6, 0.8)),
        evaluation_of(SIX, name="ours", average_precision=0.72, interval=(0.62, 0.83)),
        evaluation_of(SIX, name="none", average_precision=None),
    ]
    total = Difference(
        system="ours", baseline="base", by={}, difference=0.02, interval=(-0.01, 0.05),
        p_value=0.18, flags=(),
    )  # fmt: skip
    in_a_group = replace(total, by={"category": "noise"}, difference=0.5)
    head = made(*systems, differences=[total, in_a_group]).one("header")
    assert head.one("h1").text == "ours, none against base"
    assert [card.text for card in head.of_class("card")] == [
        "base70.00 %[60.00, 80.00]the baseline",
        "ours72.00 %[62.00, 83.00]+2.00 points [\N{MINUS SIGN}1.00, +5.00], p = 0.180",
        "noneundefineddifference undefined",
    ]  # fmt: skip


def test_the_title_counts_systems_where_they_are_many():
    systems = [evaluation_of(SIX, name=f"s{index}") for index in range(5)]
    assert made(*systems).one("h1").text == "4 systems against s0"


# ------------------------------------------------------------------------------ the breakdown

NOISE, LANGUAGE = {"category": "noise"}, {"category": "language"}
GROUPS = (
    group_of(LANGUAGE, area=0.9, interval=(0.85, 0.95), positives=3, faces=5),
    group_of(NOISE, area=None, positives=0, faces=1200, flags=("no positives",)),
    group_of(area=13 / 18, interval=(0.6, 0.8), positives=3, faces=1205, flags=("few videos",)),
)


def test_the_breakdown_has_a_row_a_group_and_the_total_last():
    document = made(evaluation_of(SIX, groups=GROUPS, resamples=DRAWN))
    table = document.by_id("groups-0")
    head, *rows = cells(table)
    assert head == [
        "Category", "AP, %050100", "AP, %", "Interval", "Remarks", "Prior, %", "Videos", "Tracks",
        "Faces", "Positives",
    ]  # fmt: skip
    assert rows == [
        ["language", "", "90.00", "[85.00, 95.00]", "", "60.00", "2", "3", "5", "3"],
        ["noise", "", "undefined", "", "no positives", "0.00", "2", "3", "1,200", "0"],
        ["TOTAL", "", "72.22", "[60.00, 80.00]", "few videos", "0.25", "2", "3", "1,205", "3"],
    ]
    cells_of_groups, total = table.all("tbody")
    assert len(cells_of_groups.all("tr")) == 2
    assert total["class"] == "total"
    assert table.one("caption").text == "By category"
    said = document.by_id("breakdown").of_class("note")[0].text
    assert "the 95 % interval (jackknife-t by video)" in said


def test_a_bar_has_the_length_of_the_number_a_whisker_and_a_tick_at_the_prior():
    language, noise, _ = made(evaluation_of(SIX, groups=GROUPS, resamples=DRAWN)).by_id(
        "groups-0"
    ).of_class("chart")[1:]  # fmt: skip
    assert language.one("rect")["width"] == "90%"
    whisker, low, high, prior = language.all("line")
    assert (whisker["x1"], whisker["x2"]) == ("85%", "95%")
    assert (low["x1"], low["x2"], high["x1"], high["x2"]) == ("85%", "85%", "95%", "95%")
    assert (prior["class"], prior["x1"], prior["x2"]) == ("prior", "60%", "60%")
    assert language.one("svg")["aria-label"] == (
        "predictions 90.00 %, interval 85.00 to 95.00; prior 60.00 %"
    )
    assert not noise.children  # no number, no bar


def test_each_breakdown_has_a_table_with_the_total():
    groups = (
        group_of(LANGUAGE), group_of(NOISE), group_of({"faces": "1"}), group_of({"faces": "2"}),
        group_of(area=0.4),
    )  # fmt: skip
    document = made(evaluation_of(SIX, groups=groups))
    first, second = cells(document.by_id("groups-0")), cells(document.by_id("groups-1"))
    assert [row[0] for row in first] == ["Category", "language", "noise", "TOTAL"]
    assert [row[0] for row in second] == ["On screen", "1", "2", "TOTAL"]
    assert first[-1][2] == second[-1][2] == "40.00"
    assert "Interval" not in first[0]  # as none was asked for


def test_a_cross_table_has_a_column_for_each_breakdown():
    groups = (group_of({"category": "noise", "face-size": "<64"}), group_of())
    table = made(evaluation_of(SIX, groups=groups)).by_id("groups-0")
    head, row, total = cells(table)
    assert head[:2] == ["Category", "Size, px"]
    assert row[:2] == ["noise", "<64"]
    assert total[0] == "TOTAL"
    assert table.all("th", scope="row")[2]["colspan"] == "2"
    assert table.one("caption").text == "By category and face-size"


def test_without_a_breakdown_there_is_the_total_alone():
    (_, total) = cells(made(evaluation_of(SIX)).by_id("groups-0"))
    assert total[:3] == ["TOTAL", "", "50.00"]


def test_several_systems_stand_beside_each_other_with_their_differences():
    second = (replace(GROUPS[0], average_precision=0.92, interval=(0.86, 0.96)), *GROUPS[1:])
    differences = [
        Difference(
            system="ours", baseline="base", by=LANGUAGE, difference=0.02, interval=(0.01, 0.04),
            p_value=0.0001, flags=(),
        ),
        Difference(
            system="ours", baseline="base", by=NOISE, difference=None, interval=None,
            p_value=None, flags=("no positives",),
        ),
    ]  # fmt: skip
    table = made(
        evaluation_of(SIX, name="base", groups=GROUPS, resamples=DRAWN),
        evaluation_of(SIX, name="ours", groups=second, resamples=DRAWN),
        differences=differences,
    ).by_id("groups-0")
    above, below, language, noise, _ = cells(table)
    assert above[:4] == [
        "Category", "AP, %050100", "Average precision, %", "Difference from base, points; p",
    ]  # fmt: skip
    assert below == ["base", "ours", "ours", "p"]
    assert language[2:7] == [
        "90.00 [85.00, 95.00]", "92.00 [86.00, 96.00]", "+2.00 [+1.00, +4.00]", "<0.001", "",
    ]  # fmt: skip
    assert noise[2:7] == ["undefined", "undefined", "undefined", "", "no positives"]
    first_bars = table.of_class("bars")[0]
    assert [rect["width"] for rect in first_bars.all("rect")] == ["90%", "92%"]
    spans = [int(th["colspan"]) for th in table.all("th", scope="colgroup")]
    assert spans == [2, 2]


def test_every_row_of_a_table_is_as_wide_as_its_head():
    def width(row: Element) -> int:
        kept = [cell for cell in row.children if isinstance(cell, Element)]
        return sum(int(cell["colspan"] or 1) for cell in kept)

    systems = [
        evaluation_of(SIX, name=f"s{index}", groups=GROUPS, resamples=drawn)
        for index, drawn in enumerate([DRAWN] * 3)
    ]
    for chosen in (systems, systems[:1], [replace(s, resamples=None) for s in systems]):
        for table in made(*chosen).all("table"):
            head, *rest = table.all("tr")
            second = head.all("th", scope="colgroup")
            assert {width(row) for row in rest[bool(second) :]} == {width(head)}


# ------------------------------------------------------------------------------ curves


def plot_of(*systems: Evaluation) -> Element:
    return made(*systems).by_id("curves").of_class("pr")[0]


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


def area_of(path: str) -> float:
    return sum((end - start) * height for start, end, height in steps_of(path)) / 1000**2


def points_of(path: str) -> list[tuple[int, int]]:
    """The points of a path that begins with M and goes on with relative lines."""
    (start, moves) = re.fullmatch(r"M([^lh]+)(?:l(.*)|h0)", path).groups()
    points = [tuple(int(number) for number in start.split())]
    numbers = [int(number) for number in re.findall(r"-?\d+", moves or "")]
    for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
        points.append((points[-1][0] + dx, points[-1][1] + dy))
    return points


def test_the_area_below_the_envelope_is_the_average_precision():
    """13/18, worked out at `SIX`: 1, 2/3 and 1/2 high for a third of the way each."""
    (envelope,) = plot_of(evaluation_of(SIX)).of_class("envelope")
    assert area_of(envelope["d"]) == pytest.approx(13 / 18, abs=0.001)
    wide = [part for part in steps_of(envelope["d"]) if part[0] < part[1]]
    assert wide == [(0, 333, 1000), (333, 667, 667), (667, 1000, 500)]


def test_the_raw_curve_goes_through_every_point_and_is_a_line_of_its_own():
    """Down from the top: precision 1, 1/2, 2/3, 1/2, 2/5, 1/2 at recall 1/3 1/3 2/3 2/3 2/3 1."""
    (raw,) = plot_of(evaluation_of(SIX)).of_class("raw")
    drawn = points_of(raw["d"])
    assert {(333, 0), (333, 500), (667, 333), (667, 600), (1000, 500)} <= set(drawn)


def test_a_constant_score_is_one_step_at_the_prior():
    constant = [replace_row(row, score=0.5) for row in SIX]
    plot = plot_of(evaluation_of(constant))
    assert area_of(plot.of_class("envelope")[0]["d"]) == pytest.approx(1 / 2)
    assert points_of(plot.of_class("raw")[0]["d"]) == [(1000, 500)]
    (prior,) = plot.all("line", class_="prior")
    assert (prior["x1"], prior["x2"], prior["y1"], prior["y2"]) == ("0%", "100%", "50%", "50%")


def test_each_system_has_its_colour_and_its_sign():
    systems = [evaluation_of(SIX, name=f"s{index}", average_precision=0.7) for index in range(9)]
    section = made(*systems).by_id("curves")
    plot = section.of_class("pr")[0]
    assert [e["class"] for e in plot.of_class("envelope")] == [
        f"envelope c{index % 8}" for index in range(9)
    ]
    signs = [group.of_class("mark")[0].one("path")["d"] for group in plot.all("g")[1:]]
    looks = {(index % 8, sign) for index, sign in enumerate(signs)}
    assert len(looks) == 9  # the ninth has the first one's colour and another sign
    key = [item.text for item in section.of_class("key")[0].all("li")]
    assert key == [f"s{index}: 70.00 %" for index in range(9)]


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


def test_ticks_are_round_numbers_within_the_range():
    assert figures.nice_ticks(0, 1, 4) == [0, 0.5, 1]
    assert figures.nice_ticks(900.18, 901.7) == [900.5, 901, 901.5]
    assert figures.nice_ticks(-3.2, 5.1, 4) == [0, 5]
    assert figures.nice_ticks(2, 2) == [2]


# ------------------------------------------------------------------------------ histograms


def test_columns_are_shares_of_their_label_speaking_upwards():
    """Three bins over 0 to 3. Speaking: 1, 0, 3 of 4. Not speaking: 2, 2, 4 of 8.

    The tallest is 3/4 and fills its half; so 1/4 is a third of a half, and 1/2 two thirds.
    """
    histogram = Histogram(
        edges=np.array([0.0, 1.0, 2.0, 3.0]), positives=np.array([1, 0, 3]),
        negatives=np.array([2, 2, 4]),
    )  # fmt: skip
    drawing = read(figures.score_histogram("ours", histogram))
    up, down = drawing.all("g", class_="up")[0], drawing.all("g", class_="down")[0]

    def boxes(half: Element) -> list[tuple[str | None, ...]]:
        names = ("x", "y", "width", "height")
        return [tuple(rect[name] for name in names) for rect in half.all("rect")]

    third = "33.33%"
    assert boxes(up) == [("0%", third, third, "16.67%"), ("66.67%", "0%", third, "50%")]
    assert boxes(down) == [
        ("0%", "50%", third, "16.67%"), (third, "50%", third, "16.67%"),
        ("66.67%", "50%", third, "33.33%"),
    ]  # fmt: skip
    texts = [text.text for text in drawing.all("text")]
    assert texts.count("75 %") == 2
    assert {"0", "1", "2", "3", "speaking", "not speaking", "Score"} <= set(texts)


def test_there_is_a_histogram_a_system_and_outliers_are_spoken_of():
    many = rows_of("v", "t", "x-" * 2000, [*np.linspace(-3, 3, 3998), -500.0, 900.0])
    section = made(evaluation_of(SIX, name="a"), evaluation_of(many, name="b")).by_id("scores")
    assert [h.text for h in section.all("h3")] == ["a", "b"]
    assert len(section.of_class("hist")) == 2
    assert "lies beyond them" in section.text
    assert "lies beyond them" not in made(evaluation_of(SIX)).by_id("scores").text


def test_a_histogram_of_one_label_has_one_half():
    only = [replace_row(row, speaks=True) for row in SIX]
    drawing = made(evaluation_of(only, average_precision=None)).by_id("scores")
    assert drawing.all("g", class_="up")[0].all("rect")
    assert not drawing.all("g", class_="down")[0].all("rect")


# ------------------------------------------------------------------------------ videos


def test_the_videos_stand_with_the_lowest_number_on_top_and_the_undefined_at_the_end():
    rows = [*SIX, *rows_of("c", "c:1", "--", (0.1, 0.2))]
    table = made(evaluation_of(rows)).by_id("videos")
    assert cells(table) == [
        ["Video", "AP, %", "Prior, %", "Tracks", "Faces", "Positives"],
        ["b", "83.33", "66.67", "1", "3", "2"],
        ["a", "100.00", "33.33", "2", "3", "1"],
        ["c", "undefined", "0.00", "1", "2", "0"],
    ]
    sorted_by = [th["aria-sort"] for th in table.one("thead").all("th")]
    assert sorted_by == [None, "ascending", None, None, None, None]
    assert table["class"] == "sortable"


def test_the_videos_of_several_systems_have_their_differences():
    upside_down = [replace_row(row, score=-row.score) for row in SIX]
    table = made(evaluation_of(SIX, name="base"), evaluation_of(upside_down, name="ours")).by_id(
        "videos"
    )
    head, b, a = cells(table)
    assert head[:4] == ["Video", "AP, %: base", "AP, %: ours", "Difference: ours"]
    assert b[:4] == ["b", "83.33", "83.33", "0.00"]
    assert a[:4] == ["a", "100.00", "33.33", "\N{MINUS SIGN}66.67"]


def test_a_long_table_of_videos_scrolls_in_a_box():
    rows = [row for index in range(41) for row in rows_of(f"v{index}", f"t{index}", "x-", (1, 2))]
    table = made(evaluation_of(rows)).by_id("videos")
    assert table["class"] == "sortable long"
    assert len(table.one("tbody").all("tr")) == 41


# ------------------------------------------------------------------------------ tracks


def track_of(speaks: str, seconds: Sequence[float], ranks: Sequence[float], **changed):
    made = details.Track(
        name="v:1", video="v", seconds=np.array(seconds, float),
        labels=np.array([letter == "x" for letter in speaks]), ranks=np.array(ranks, float),
        error=0.5,
    )  # fmt: skip
    return replace(made, **changed)


def test_the_worst_tracks_say_what_they_are_and_how_wrong():
    section = made(evaluation_of(SIX)).by_id("tracks")
    assert section.one("h2").text == "The 3 worst tracks"
    assert [h.text for h in section.all("h3")] == ["b:1", "a:1", "a:2"]
    said = [item.of_class("said")[0].text for item in section.all("li")]
    assert said == [
        "video b, 0.00 to 0.08 s, 3 faces, 2 speaking; loses 55.56 % of its pairs",
        "video a, 0.00 to 0.04 s, 2 faces, 1 speaking; loses 33.33 % of its pairs",
        "video a, 0.00 to 0.00 s, 1 face, 0 speaking; loses 33.33 % of its pairs",
    ]
    assert "tracks of fewer than 10 faces come last" in section.text
    assert not section.all("img")


def test_ten_tracks_are_shown_and_those_are_the_first_systems():
    rows = [row for k in range(12) for row in rows_of("v", f"t{k:02}", "x-", (k / 100, 1 - k / 50))]
    perfect = [replace_row(row, score=float(row.speaks)) for row in rows]
    section = made(evaluation_of(rows, name="bad"), evaluation_of(perfect, name="good"))
    heading = section.by_id("tracks").one("h2").text
    assert heading == "The 10 worst tracks of bad"
    assert len(section.by_id("tracks").all("li")) == 10


def test_a_system_that_loses_nothing_has_no_worst_tracks():
    document = made(evaluation_of([replace_row(row, score=float(row.speaks)) for row in SIX]))
    assert not [e for e in document.walk() if e["id"] == "tracks"]
    assert "#tracks" not in [a["href"] for a in document.all("a")]


def test_the_label_is_a_band_that_is_high_while_speaking_and_open_where_faces_lack():
    """Faces at 0, .04, .08 and .20 s; the usual step is .04, so that the track takes -.02 to .22.

    seconds   0    .04   .08  (gap)  .20
    speaking  x     -     -           x
    from    -.02   .02               .18     as shares of .24:   0     1/6          5/6
    to       .02         .10         .22                        1/6         1/2           1
    """
    track = track_of("x--x", (0, 0.04, 0.08, 0.2), (0.9, 0.5, 0.1, 0.3))
    drawing = read(timelines.timeline(track, 0.6))
    bands = [(r["class"], r["x"], r["width"]) for r in drawing.of_class("band")[0].all("rect")]
    assert bands == [
        ("speaking", "0%", "16.67%"), ("silent", "16.67%", "33.33%"),
        ("speaking", "83.33%", "16.67%"),
    ]  # fmt: skip
    heights = {r["class"]: int(r["height"]) for r in drawing.of_class("band")[0].all("rect")}
    assert heights["speaking"] > 2 * heights["silent"]  # not by colour alone


def test_the_score_is_a_line_that_breaks_where_faces_lack():
    """The same track: its moments are 1/12, 3/12, 5/12 and 11/12 of the time."""
    track = track_of("x--x", (0, 0.04, 0.08, 0.2), (0.9, 0.5, 0.1, 0.3))
    drawing = read(timelines.timeline(track, 0.6))
    (score,) = drawing.of_class("score")
    assert score["d"] == "M83.3 10.0L250.0 50.0 416.7 90.0 M916.7 70.0h0"
    (level,) = drawing.all("line", class_="prior")
    assert (level["y1"], level["y2"]) == ("40%", "40%")


def test_the_dashed_level_has_as_many_scores_above_it_as_faces_speak():
    """In three of six faces, so at half of the ranks."""
    lines = made(evaluation_of(SIX)).by_id("tracks").all("line", class_="prior")
    assert {line["y1"] for line in lines} == {"50%"}
    fewer = [*SIX, *rows_of("c", "c:1", "------", (0.1,) * 6)]  # three of twelve: 3/4 lie below
    lines = made(evaluation_of(fewer)).by_id("tracks").all("line", class_="prior")
    assert {line["y1"] for line in lines} == {"25%"}


def test_a_track_of_one_face_is_drawn_as_well():
    drawing = read(timelines.timeline(track_of("x", (12.0,), (0.25,)), 0.5))
    (rect,) = drawing.of_class("band")[0].all("rect")
    assert (rect["x"], rect["width"]) == ("0%", "100%")
    assert drawing.of_class("score")[0]["d"] == "M500.0 75.0h0"


def test_time_has_ticks_in_seconds():
    seconds = 900.2 + 0.04 * np.arange(38)
    drawing = read(timelines.timeline(track_of("x" * 38, seconds, [0.5] * 38), 0.5))
    texts = [text.text for text in drawing.one("svg", role="img").all("text")]
    assert [text for text in texts if text[0] == "9"] == ["900.5", "901", "901.5 s"]


def test_a_long_track_keeps_its_ends_and_extremes():
    ranks = 0.5 + 0.1 * np.sin(np.arange(20_000))
    ranks[12_345], ranks[5], ranks[0], ranks[-1] = 1.0, 0.0, 0.25, 0.75
    track = track_of("x" * 20_000, 0.04 * np.arange(20_000), ranks)
    (score,) = read(timelines.timeline(track, 0.5)).of_class("score")
    points = re.findall(r"([\d.]+) ([\d.]+)", score["d"])
    heights = [float(y) for _, y in points]
    assert len(points) <= 802
    assert (heights[0], heights[-1], min(heights), max(heights)) == (75, 25, 0, 100)
    across = [float(x) for x, _ in points]
    assert across == sorted(across)


# ------------------------------------------------------------------------------ faces


def write_face(layout: Layout, video: str, track: str, seconds: float, picture) -> None:
    folder = layout.track("val", video, track)
    folder.mkdir(parents=True, exist_ok=True)
    picture.save(folder / face_name(seconds), "JPEG", quality=95)


def strip_of(element: Element) -> Image.Image:
    (img,) = element.all("img")
    prefix = "data:image/jpeg;base64,"
    assert img["src"].startswith(prefix)
    return Image.open(io.BytesIO(base64.b64decode(img["src"][len(prefix) :])))


def test_faces_stand_above_their_moments(tmp_path):
    """48 faces, red in the first half and blue in the second; the first quarter has no file.

    So of 24 tiles six are grey, six are red, and twelve are blue.
    """
    layout = Layout(tmp_path)
    moments = [round(0.04 * index, 2) for index in range(48)]
    for index, moment in enumerate(moments):
        if index >= 12:
            colour = "red" if index < 24 else "blue"
            write_face(layout, "v", "v:1", moment, Image.new("RGB", (60, 60), colour))
    track = track_of("x" * 48, moments, [0.5] * 48)
    strip = strip_of(read(timelines.face_strip(track, tmp_path)))
    width = strip.width // timelines.TILES
    assert strip.width == timelines.TILES * width
    middles = [
        strip.convert("RGB").getpixel((width * tile + width // 2, strip.height // 2))
        for tile in range(timelines.TILES)
    ]
    kinds = ["blue" if b > r + 80 else "red" if r > b + 80 else "grey" for r, _, b in middles]
    assert kinds == ["grey"] * 6 + ["red"] * 6 + ["blue"] * 12


def test_a_time_without_faces_has_empty_tiles(tmp_path):
    """Faces in the first and the last tenth of ten seconds: what is between belongs to nobody."""
    layout = Layout(tmp_path)
    moments = [round(0.1 * index, 2) for index in [*range(10), *range(90, 100)]]
    for moment in moments:
        write_face(layout, "v", "v:1", moment, Image.new("RGB", (40, 40), "red"))
    strip = strip_of(read(timelines.face_strip(track_of("x" * 20, moments, [0.5] * 20), tmp_path)))
    width = strip.width // timelines.TILES
    reds = [
        strip.convert("RGB").getpixel((width * tile + width // 2, strip.height // 2))[0] > 200
        for tile in range(timelines.TILES)
    ]
    assert reds == [True] * 3 + [False] * 18 + [True] * 3


def test_without_files_there_is_no_strip(tmp_path):
    assert timelines.face_strip(track_of("x", (0,), (0.5,)), tmp_path) is None
    hostile = track_of("x", (0,), (0.5,), name="../../etc", video="</script>")
    assert timelines.face_strip(hostile, tmp_path) is None
    document = made(evaluation_of(SIX), data=tmp_path)
    assert not document.all("img")
    assert "has no faces of these tracks" in document.by_id("tracks").text
    assert "has no faces of these tracks" not in made(evaluation_of(SIX)).by_id("tracks").text


def test_the_page_has_a_strip_for_each_track_that_has_faces(tmp_path):
    for moment in (0, 0.04, 0.08):
        write_face(Layout(tmp_path), "b", "b:1", moment, Image.new("RGB", (50, 50), "red"))
    items = made(evaluation_of(SIX), data=tmp_path).by_id("tracks").all("li")
    assert [len(item.all("img")) for item in items] == [1, 0, 0]
    assert items[0].one("img")["alt"] == "24 faces of track b:1 at even moments"


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


def test_what_is_to_be_cited_stands_as_text():
    systems = [
        evaluation_of(SIX, name="a", signature="ap:ava|a"),
        evaluation_of(SIX, name="b", signature="ap:ava|b"),
    ]
    document = made(*systems)
    assert document.by_id("signature-0").text == "ap:ava|a"
    assert document.by_id("signature-1").text == "ap:ava|b"
    (code,) = document.by_id("latex").children
    assert code == latex(systems, ()).strip("\n")
    buttons = document.by_id("signature").all("button")
    assert [b["data-copies"] for b in buttons] == ["signature-0", "signature-1", "latex"]
    assert all("hidden" in b.attributes for b in buttons)  # until the script can serve them


def hostile_page() -> str:
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
    return page(systems, ())


def test_nothing_that_a_user_names_becomes_part_of_the_page():
    text = hostile_page()
    document = read(text)
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


def test_the_page_is_the_same_bytes_twice():
    assert full_page() == full_page()
    assert hostile_page() == hostile_page()


def test_the_page_reaches_for_nothing():
    text = full_page()
    assert not re.search(
        r"https?:|//[a-z]|@import|url\(", re.sub(r"^\s*//.*$", "", text, flags=re.M)
    )
    document = read(text)
    assert [link["href"] for link in document.all("link")] == ["data:,"]
    assert not [e for e in document.all("script") + document.all("img") if e["src"]]
    assert not [e for e in document.walk() if "style" in e.attributes]  # the policy forbids it


def test_the_policy_allows_the_pages_own_style_and_script_alone():
    text = full_page()
    (policy,) = [m["content"] for m in read(text).all("meta") if m["http-equiv"]]
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
    main = document.one("main")
    assert [e["id"] for e in main.children] == [
        "breakdown", "curves", "scores", "measures", "by-video", "tracks", "signature",
    ]  # fmt: skip


def test_every_figure_has_a_name_or_is_hidden_from_who_cannot_see_it():
    def check(element: Element, inside: bool) -> int:
        if element.name == "svg" and not inside:
            assert (element["role"] == "img" and element["aria-label"]) or element["aria-hidden"]
        own = element.name == "svg"
        return own + sum(
            check(child, inside or own) for child in element.children if isinstance(child, Element)
        )

    assert check(read(full_page()), False) > 10


def test_boxes_that_scroll_can_be_reached_with_the_keyboard():
    boxes = read(full_page()).of_class("scroll")
    assert len(boxes) >= 6
    for box in boxes:
        assert (box["tabindex"], box["role"]) == ("0", "region")
        assert box["aria-label"] or box["aria-labelledby"]


# ------------------------------------------------------------------------------ size


def many_rows(videos: int, tracks: int, faces: int, seed: int) -> Matched:
    """Faces of so many tracks a video; logits that follow the labels somewhat."""
    random = np.random.default_rng(seed)
    total = videos * tracks * faces
    codes = np.repeat(np.arange(videos * tracks, dtype=np.int32), faces)
    labels = np.random.default_rng(0).random(total) < 0.4
    milliseconds = np.tile(40 * np.arange(faces, dtype=np.int64), videos * tracks)
    return Matched(
        rows=None,
        labels=labels,
        scores=2 * labels + random.normal(0, 1.5, total),
        keys=(codes.astype(np.int64) << 32) + milliseconds,
        tracks=codes,
        track_names=[f"{code // tracks:011}:{code % tracks}" for code in range(videos * tracks)],
        video_codes=codes // np.int32(tracks),
        video_names=[f"{code:011}" for code in range(videos)],
        missing=0,
        extra=0,
        other_labels=0,
    )


def test_five_systems_on_three_thousand_videos_are_below_two_megabytes():
    systems = [evaluation_of(many_rows(3000, 1, 12, k), name=f"system {k}") for k in range(5)]
    text = page(systems, ())
    assert len(text.encode()) < 2 * MEGABYTES
    assert len(re.findall(r"<tr><th scope=\"row\">\d{11}<td", text)) == 3000


def test_long_tracks_with_faces_that_compress_badly_are_below_two_megabytes(tmp_path):
    """Ten tracks of 2,000 faces, 24 of which are pictures of noise."""
    matched = many_rows(2, 5, 2000, 1)
    noise = np.random.default_rng(2).integers(0, 256, (128, 128, 3), np.uint8)
    picture = io.BytesIO()
    Image.fromarray(noise).save(picture, "JPEG", quality=95)
    for code, track in enumerate(matched.track_names):
        video = matched.video_names[code // 5]
        folder = Layout(tmp_path).track("val", video, track)
        folder.mkdir(parents=True)
        wanted = details.worst(matched)[0].seconds  # all tracks have the same times
        span = timelines.Span.of(track_of("x" * 2000, wanted, [0.5] * 2000))
        for tile in range(timelines.TILES):
            moment = span.start + (tile + 0.5) * (span.end - span.start) / timelines.TILES
            nearest = float(wanted[np.abs(wanted - moment).argmin()])
            (folder / face_name(nearest)).write_bytes(picture.getvalue())
    systems = [evaluation_of(matched, name=f"system {k}") for k in range(5)]
    text = page(systems, (), data=tmp_path)
    assert text.count("data:image/jpeg") == 10
    assert len(text.encode()) < 2 * MEGABYTES


def test_curves_draw_the_same_whatever_their_number_of_points():
    """A straight fall from precision 1 to 0 has half the square below it, to a thousandth."""
    recall = np.linspace(0, 1, 5001)[1:]
    curve = Curve(recall=recall, precision=1 - recall, envelope=1 - recall, threshold=1 - recall)
    drawing = read(figures.precision_recall(["s"], [curve], 0.5))
    assert area_of(drawing.of_class("envelope")[0]["d"]) == pytest.approx(0.5, abs=0.001)
    assert points_of(drawing.of_class("raw")[0]["d"])[-1] == (1000, 1000)


# ------------------------------------------------------------------------------ the order of rows


def pages_of_shuffled(rows: Sequence[Row], seed: int, names: Sequence[str] = ("a", "b")) -> set:
    """The page of two systems as it is, and with ground truth and predictions each shuffled."""
    base = {
        "video_id": [row.video for row in rows],
        "frame_timestamp": [row.seconds for row in rows],
        "entity_id": [row.track for row in rows],
    }
    edges = {f"entity_box_{edge}": 0.1 + (edge[1] == "2") / 4 for edge in ("x1", "y1", "x2", "y2")}
    spoken = np.where([row.speaks for row in rows], "SPEAKING_AUDIBLE", "NOT_SPEAKING")
    truth = pd.DataFrame({**base, **edges, "label": spoken})
    scores = np.array([row.score for row in rows])
    guesses = {
        names[0]: pd.DataFrame({**base, "score": scores}),
        names[1]: pd.DataFrame({**base, "score": np.round(scores * np.cos(scores), 2)}),
    }
    options = EvaluateOptions(metrics=True)

    def made() -> str:
        found = unitalk.compare(truth, guesses, by="all", ci=True, options=options)
        return unitalk.to_html(found)

    pages = {made()}
    truth = truth.sample(frac=1, random_state=seed)
    guesses = {
        name: one.sample(frac=1, random_state=seed + at)
        for at, (name, one) in enumerate(guesses.items(), 1)
    }
    pages.add(made())
    return pages


def drawn_rows(seed: int, *, videos: int, tracks: int, faces: int, digits: int) -> list[Row]:
    """Faces of a model that is right more often than not; few digits make many ties."""
    rng = np.random.default_rng(seed)
    rows = []
    for video in range(videos):
        for track in range(tracks):
            count = int(rng.integers(1, faces + 1))
            speaks = rng.random(count) < rng.uniform(0.2, 0.8)
            scores = np.round(rng.normal(1.5 * speaks, 1), digits)
            if seed % 2:
                scores = np.round(1 / (1 + np.exp(-scores)), digits)  # in [0, 1]: bins as well
            letters = "".join("x" if one else "-" for one in speaks)
            start = int(rng.integers(0, 50)) / 25
            rows += rows_of(f"v{video}", f"v{video}:{track}", letters, scores.tolist(), start)
    return rows


@pytest.mark.parametrize(
    "seeds", one_in(4, (range(start, start + 25) for start in range(0, 100, 25)))
)
def test_the_page_of_shuffled_rows_is_the_same_bytes(seeds):
    """Sums of a track's losses printed 22.97 or 22.98 % by the order of the rows once."""
    for seed in seeds:
        size = {"videos": 2 + seed % 4, "tracks": 1 + seed % 3, "faces": 12 + seed % 30}
        rows = drawn_rows(seed, **size, digits=1 + seed % 3)
        assert len(pages_of_shuffled(rows, seed)) == 1, seed


def test_the_page_of_fifty_thousand_shuffled_rows_is_the_same_bytes():
    rows = drawn_rows(1, videos=42, tracks=10, faces=250, digits=4)
    assert len(rows) >= 50_000
    assert len(pages_of_shuffled(rows, 7)) == 1


def test_what_a_track_loses_is_the_same_to_the_last_bit_whatever_the_order_of_the_rows():
    """A score of j + .5 is above the positives 1 to j of seven, and loses j/7 of its pairs.

    Added up as floats, such shares round by their order.
    """
    rows = [
        *rows_of("v", "v:0", "-" * 31, [k % 7 + 0.5 for k in range(31)]),
        *rows_of("v", "v:1", "x" * 7, [float(k) for k in range(1, 8)]),
    ]
    lost = sum(Fraction(k % 7, 7) for k in range(31)) / 31
    rng = np.random.default_rng(0)
    errors = set()
    for _ in range(50):
        mixed = [rows[at] for at in rng.permutation(len(rows))]
        (error,) = [t.error for t in details.worst(matched_of(mixed)) if t.name == "v:0"]
        errors.add(error)
    assert len(errors) == 1
    assert errors.pop() == pytest.approx(float(lost), abs=1e-15)


def test_a_score_of_minus_zero_is_zero_on_the_page():
    """Equal scores may be written 0 and -0: which one stands first is the order of the rows."""
    rows = rows_of("v", "v:0", "x-x-x-", (0.0, -0.0, -0.0, 0.0, -0.0, -3.0))
    pages = {page([evaluation_of(some)], ()) for some in (rows, rows[::-1], rows[2:] + rows[:2])}
    assert len(pages) == 1
    assert markup.number(-0.0) == "0"


# ------------------------------------------------------------------------------ from files


def write_files(folder, names: Sequence[str]) -> dict[str, object]:
    """Ground truth and one file of predictions for each name; every second name is upside down."""
    boxes = ",".join(f"entity_box_{edge}" for edge in ("x1", "y1", "x2", "y2"))
    header = f"video_id,frame_timestamp,{boxes},label,entity_id"
    truth, faces = [header], []
    for row in SIX:
        label = "SPEAKING_AUDIBLE" if row.speaks else "NOT_SPEAKING"
        truth.append(f"{row.video},{row.seconds},.1,.2,.3,.4,{label},{row.track}")
        faces.append((f"{row.video},{row.seconds},.1,.2,.3,.4,SPEAKING_AUDIBLE,{row.track}", row))
    (folder / "truth.csv").write_text("\n".join(truth) + "\n", encoding="utf-8")
    paths = {}
    for index, name in enumerate(names):
        sign = -1 if index % 2 else 1
        lines = [f"{header},score", *(f"{text},{sign * r.score}" for text, r in faces)]
        paths[name] = folder / f"{index}.csv"
        paths[name].write_text("\n".join(lines) + "\n", encoding="utf-8")
    return paths


def test_a_page_of_files_says_what_their_evaluation_says(tmp_path):
    (path,) = write_files(tmp_path, ["only"]).values()
    result = unitalk.evaluate(tmp_path / "truth.csv", path, by=["video"], ci=1000, name="only")
    document = read(unitalk.to_html(result))
    assert document.one("header").of_class("big")[0].text == "72.22 %"  # 13/18, at `SIX`
    _, a, b, total = cells(document.by_id("groups-0"))
    # One video alone has no interval.
    assert [row[:4] for row in (a, b)] == [["a", "", "100.00", ""], ["b", "", "83.33", ""]]
    assert total[:3] == ["TOTAL", "", "72.22"]
    low, high = result.interval
    assert total[3] == f"[{100 * low:.2f}, {100 * high:.2f}]"
    assert document.by_id("signature-0").text == result.signature
    assert page([result], ()) == unitalk.to_html(result)


def test_a_page_of_several_files_has_their_differences(tmp_path):
    """Upside down, the six are x - - x - x from the top: (1 + 1/2 + 1/2) / 3 = 2/3.

    That is 5.56 points below 13/18.
    """
    paths = write_files(tmp_path, ["base", HOSTILE])
    result = unitalk.compare(tmp_path / "truth.csv", paths, ci=1000)
    document = read(unitalk.to_html(result))
    cards = document.one("header").of_class("card")
    assert [card.of_class("big")[0].text for card in cards] == ["72.22 %", "66.67 %"]
    assert cards[1].of_class("said")[0].text.startswith("\N{MINUS SIGN}5.56 points [")
    (total,) = cells(document.by_id("groups-0"))[2:]
    assert total[4].startswith("\N{MINUS SIGN}5.56 [")

"""Tables of results that are made by hand: what stands where, in every form."""

from __future__ import annotations

import csv
import io

import pytest
from pages import SIX, evaluation_of

import unitalk
from unitalk.score import Comparison, Difference, Evaluation, Group, Resamples, score_tables
from unitalk.text_table import csv_text

FEW = ("few videos",)


def group(by, counts, area, interval=None, flags=()) -> Group:
    videos, tracks, faces, positives = counts
    return Group(
        by=by, videos=videos, tracks=tracks, faces=faces, positives=positives,
        prior=positives / faces, average_precision=area, interval=interval, flags=flags,
    )  # fmt: skip


def evaluation(name, groups, *, resamples=None) -> Evaluation:
    return evaluation_of(
        SIX, name=name, groups=tuple(groups), resamples=resamples, signature=f"signed:{name}"
    )


DRAWN = Resamples(method="m", unit="video", limit=1000, count=4, seed=0, confidence=0.95)
LOUD, QUIET = {"category": "loud"}, {"category": "quiet"}


@pytest.fixture
def one() -> Evaluation:
    return evaluation(
        "base_1",
        [
            group(LOUD, (3, 40, 2000, 500), 0.5, (0.25, 0.625), FEW),
            group(QUIET, (1, 2, 8, 0), None, None, ("no positives",)),
            group({}, (4, 42, 2008, 500), 0.75, (0.5, 0.875), FEW),
        ],
        resamples=DRAWN,
    )


@pytest.fixture
def two(one) -> Comparison:
    other = evaluation(
        "mine & yours",
        [
            group(LOUD, (3, 40, 2000, 500), 0.625, (0.5, 0.75), FEW),
            group(QUIET, (1, 2, 8, 0), None, None, ("no positives",)),
            group({}, (4, 42, 2008, 500), 0.74, (0.5, 0.875), FEW),
        ],
        resamples=DRAWN,
    )

    def difference(by, value, interval, p, flags):
        return Difference(
            system="mine & yours", baseline="base_1", by=by, difference=value, interval=interval,
            p_value=p, flags=flags,
        )  # fmt: skip

    return Comparison(
        systems=(one, other),
        differences=(
            difference(LOUD, 0.125, (0.0625, 0.25), 0.0004, FEW),
            difference(QUIET, None, None, None, ("no positives",)),
            difference({}, -0.01, (-0.125, 0.0625), 0.25, FEW),
        ),
    )


def test_one_system(one):
    (table,) = score_tables.of_one(one)
    assert table.header == [
        "category", "videos", "tracks", "faces", "positives", "prior", "AP", "95 % interval",
    ]  # fmt: skip
    assert table.rows == [
        ["loud", "3", "40", "2,000", "500", "25.00", "50.00", "25.00 to 62.50*"],
        ["quiet", "1", "2", "8", "0", "0.00", "", "no positives"],
        ["TOTAL", "4", "42", "2,008", "500", "24.90", "75.00", "50.00 to 87.50*"],
    ]
    assert table.texts == 1


def test_without_intervals_the_reason_stands_for_the_number(one):
    plain = evaluation("x", [group(g.by, (1, 1, 8, g.positives and 4), g.average_precision, None,
                                   tuple(f for f in g.flags if f not in FEW))
                             for g in one.groups])  # fmt: skip
    (table,) = score_tables.of_one(plain)
    assert table.header[-1] == "AP"
    assert [row[-1] for row in table.rows] == ["50.00", "no positives", "75.00"]


def test_each_breakdown_is_a_table_with_the_total_last(one):
    more = evaluation(
        "x", [*one.groups[:-1], group({"faces": "4+"}, (2, 2, 4, 2), 1.0), one.groups[-1]]
    )
    first, second = score_tables.of_one(more)
    assert [row[0] for row in first.rows] == ["loud", "quiet", "TOTAL"]
    # `faces` is also a count's name, so the breakdown's column is called otherwise
    assert second.header[:2] == ["on screen", "videos"]
    assert [row[0] for row in second.rows] == ["4+", "TOTAL"]


def test_several_systems(two):
    (table,) = score_tables.of_several(two.systems)
    assert table.header[-2:] == ["base_1", "mine & yours"]
    assert [row[-2:] for row in table.rows] == [
        ["50.00", "62.50"], ["no positives", "no positives"], ["75.00", "74.00"],
    ]  # fmt: skip
    (table,) = score_tables.of_differences(two.systems, two.differences)
    assert table.header == ["category", "mine & yours - base_1", "95 % interval", "p"]
    assert table.rows == [
        ["loud", "+12.50", "+6.25 to +25.00*", "<0.001"],
        ["quiet", "no positives", "no positives", ""],
        ["TOTAL", "-1.00", "-12.50 to +6.25*", "0.250"],
    ]


def test_without_a_breakdown_differences_are_a_line_each(two):
    base, other = (evaluation(s.name, [s.groups[-1]], resamples=DRAWN) for s in two.systems)
    (table,) = score_tables.of_differences([base, other], two.differences[-1:])
    assert table.header == ["", "difference", "95 % interval", "p"]
    assert table.rows == [["mine & yours - base_1", "-1.00", "-12.50 to +6.25*", "0.250"]]


# ------------------------------------------------------------------------------ frame and csv


def test_the_frame_of_several_names_each_column_s_system(two):
    frame = unitalk.to_frame(two)
    assert frame["average_precision:base_1"].tolist()[::2] == [0.5, 0.75]
    assert frame["average_precision:mine & yours"].tolist()[::2] == [0.625, 0.74]
    assert frame["difference:mine & yours"].tolist()[::2] == [0.125, -0.01]
    assert frame["p_value:mine & yours"].tolist()[::2] == [0.0004, 0.25]
    assert frame["difference_lower:mine & yours"][2] == -0.125
    assert "difference:base_1" not in frame


def test_csv_is_the_frame_in_full_precision(one, two):
    for systems, differences, frame in (
        ([one], (), unitalk.to_frame(one)),
        (two.systems, two.differences, unitalk.to_frame(two)),
    ):
        rows = list(
            csv.DictReader(io.StringIO(csv_text(score_tables.records(systems, differences))))
        )
        assert list(rows[0]) == list(frame)
        for row, (_, wanted) in zip(rows, frame.iterrows(), strict=True):
            for column, text in row.items():
                if text == "":
                    assert wanted[column] is None or wanted[column] != wanted[column]
                elif isinstance(wanted[column], str):
                    assert text == wanted[column]
                else:
                    assert float(text) == float(wanted[column])


# ------------------------------------------------------------------------------ for papers


def test_markdown(one):
    assert score_tables.of_one(one)[0].markdown().splitlines()[:3] == [
        "| category | videos | tracks | faces | positives | prior | AP | 95 % interval |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| loud | 3 | 40 | 2,000 | 500 | 25.00 | 50.00 | 25.00 to 62.50* |",
    ]
    named = evaluation("a|b", [group({"category": "x|y"}, (1, 1, 4, 2), 0.5), one.groups[-1]])
    assert r"| x\|y | 1 |" in score_tables.of_one(named)[0].markdown()


def test_latex(two):
    assert score_tables.latex(two.systems, two.differences).splitlines() == [
        r"\begin{tabular}{lrrr}",
        r"\toprule",
        r" & loud & quiet & overall \\",
        r"\midrule",
        r"base\_1 & 50.00 & -- & 75.00 \\",
        r" & {\scriptsize 25.0--62.5} &  & {\scriptsize 50.0--87.5} \\",
        r"mine \& yours & 62.50* & -- & 74.00 \\",
        r" & {\scriptsize 50.0--75.0} &  & {\scriptsize 50.0--87.5} \\",
        r"\bottomrule",
        r"\end{tabular}",
        "",
        "% *: differs from base_1 at the 5 % level",
        "% base_1: signed:base_1",
        "% mine & yours: signed:mine & yours",
    ]


def test_latex_has_no_character_that_means_something_there(one):
    cells = [group({"category": r"a_b%c&d#e$f{g}h~i^j\k<l>m"}, (1, 1, 4, 2), 0.5), one.groups[-1]]
    line = score_tables.latex([evaluation("x", cells)], ()).splitlines()[2]
    assert line == (
        r" & a\_b\%c\&d\#e\$f\{g\}h\textasciitilde{}i\textasciicircum{}j\textbackslash{}k"
        r"\textless{}l\textgreater{}m & overall \\"
    )

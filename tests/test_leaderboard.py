"""Published results: what the sources say, what speaks against them, and own rows among them."""

from __future__ import annotations

import pytest

import unitalk
from unitalk.catalog.results import benchmarks, parts, published, ranked

PAGE = {
    "LoCoNet + TalkNCE": [83.2, 86.7, 84.9, 84.1, 77.9],
    "LoCoNet": [82.2, 85.8, 84.6, 80.0, 76.2],
    "TalkNet": [75.7, 80.1, 77.6, 67.1, 70.3],
    "ASC": [61.4, 74.7, 62.9, 53.4, 57.3],
    "ASDNet": [20.6, 30.8, 17.5, 14.8, 20.3],
}
"""The leaderboard of UniTalk's project page: overall, language, noise, crowded (visual), mixed."""

CROSS = {
    ("AVA", "AVA val"): 95.5, ("AVA", "Talkies"): 88.3, ("AVA", "ASW"): 88.5,
    ("AVA", "UniTalk val"): 77.5, ("Talkies", "AVA val"): 55.7, ("Talkies", "Talkies"): 95.6,
    ("Talkies", "ASW"): 84.5, ("Talkies", "UniTalk val"): 59.9, ("ASW", "AVA val"): 29.2,
    ("ASW", "Talkies"): 58.8, ("ASW", "ASW"): 96.1, ("ASW", "UniTalk val"): 33.8,
    ("UniTalk", "AVA val"): 88.0, ("UniTalk", "Talkies"): 91.4, ("UniTalk", "ASW"): 90.4,
    ("UniTalk", "UniTalk val"): 83.2,
}  # fmt: skip
"""Its table of LoCoNet + TalkNCE trained on one dataset, scored on another."""


# ------------------------------------------------------------------------------ the rows


def test_unitalks_rows_are_those_of_its_project_page():
    rows = ranked("UniTalk val", {}, trained_on="UniTalk")
    found = {row.name: list(row.values.values()) for row in rows if row.name != "GateFusion"}
    assert found == PAGE
    assert list(found) == list(PAGE)  # the page has them from the best down


def test_the_cross_table_is_that_of_the_project_page():
    found = {
        (row.trained_on, row.benchmark): row.value
        for row in published()
        if row.model == "LoCoNet + TalkNCE" and "cross-dataset" in row.source
    }
    assert found == CROSS


def test_every_row_is_whole():
    for row in published():
        assert row.metric == "mAP"
        assert 0 < row.value < 100
        for text in (row.benchmark, row.model, row.trained_on, row.part, row.source):
            assert text
            assert text == text.strip()
        assert row.caveat is None or row.caveat == row.caveat.strip() != ""


# ------------------------------------------------------------------------------ the caveats


def test_asdnets_row_is_at_the_prior():
    rows = [row for row in published("UniTalk val") if row.model == "ASDNet"]
    assert len(rows) == 5
    for row in rows:
        assert "black frames" in row.caveat
    elsewhere = [row for row in published() if row.model == "ASDNet" and row not in rows]
    assert elsewhere
    assert not any("black" in row.caveat for row in elsewhere)


def test_a_model_trained_on_another_dataset_says_so():
    """A benchmark's first word is its dataset: `AVA val` is of AVA."""
    others = 0
    for row in published():
        home = row.benchmark.split()[0]
        said = f"trained on {row.trained_on}, not on {home}"
        assert (said in (row.caveat or "")) == (row.trained_on != home), row
        others += row.trained_on != home
    assert others == 12 + 4 * 6  # the cross table off its diagonal; four models of AVA on WASD


@pytest.mark.parametrize(
    ("benchmark", "model", "trained_on"),
    [
        ("AVA val", "ASC", "AVA"),
        ("AVA val", "SPELL", "AVA"),
        ("AVA val", "TalkNet (3D-Speaker)", "AVA"),
        ("AVA val", "LoCoNet + TalkNCE", "UniTalk"),
        ("WASD val", "ASC", "AVA"),
        ("UniTalk val", "GateFusion", "UniTalk"),
        ("AVA test", "TalkNet", "AVA"),
    ],
)
def test_a_number_at_second_hand_has_a_caveat(benchmark, model, trained_on):
    rows = [row for row in published(benchmark, trained_on=trained_on) if row.model == model]
    assert rows
    assert all(row.caveat for row in rows)


def test_a_number_of_the_models_own_authors_has_no_caveat():
    own = {
        row.model: row.caveat
        for row in published("AVA val", trained_on="AVA")
        if row.source in {f"{row.model} README", f"{row.model} paper", "TalkNet-ASD README"}
    }
    assert own == dict.fromkeys(["TalkNet", "Light-ASD", "LR-ASD", "LoCoNet", "ASDnB"])


# ------------------------------------------------------------------------------ asking


def test_the_benchmarks():
    assert benchmarks() == ("UniTalk val", "AVA val", "Talkies", "ASW", "AVA test", "WASD val")
    assert {row.benchmark for row in published()} == set(benchmarks())


def test_unknown_names_are_answered_with_the_known_ones():
    for asks in (published, parts, lambda name: ranked(name, {})):
        with pytest.raises(unitalk.UsageError, match="'UniTalk test'") as caught:
            asks("UniTalk test")
        assert all(name in caught.value.hint for name in benchmarks())
    with pytest.raises(unitalk.UsageError, match="'WASD'") as caught:
        published("UniTalk val", trained_on="WASD")
    assert "Talkies" in caught.value.hint


def test_the_parts_of_a_benchmark():
    assert parts("UniTalk val") == ("overall", "language", "noise", "visual", "mixed")
    assert parts("AVA val") == ("overall",)
    assert parts("WASD val") == (
        "overall",
        "optimal conditions",
        "speech impairment",
        "face occlusion",
        "human voice noise",
        "surveillance",
    )


# ------------------------------------------------------------------------------ own rows


def names(rows) -> list[str]:
    return [f"* {row.name}" if row.is_own else row.name for row in rows]


def test_own_systems_stand_where_their_overall_number_puts_them():
    own = {
        "low": {"overall": 10.0},
        "high": {"overall": 99.5, "noise": 91.0, "language": None},
        "between": {"overall": 82.7},
    }
    rows = ranked("UniTalk val", own, trained_on="UniTalk")
    assert names(rows) == [
        "* high",
        "GateFusion",
        "LoCoNet + TalkNCE",
        "* between",
        "LoCoNet",
        "TalkNet",
        "ASC",
        "ASDNet",
        "* low",
    ]
    high = rows[0]
    assert high.values == {
        "overall": 99.5,
        "language": None,
        "noise": 91.0,
        "visual": None,
        "mixed": None,
    }
    assert (high.trained_on, high.sources, high.caveats) == (None, (), ())


def test_of_equal_numbers_the_published_one_stands_above():
    rows = ranked("UniTalk val", {"b": {"overall": 83.2}, "a": {"overall": 83.2}})
    place = names(rows).index("LoCoNet + TalkNCE")
    assert names(rows)[place : place + 3] == ["LoCoNet + TalkNCE", "* b", "* a"]


def test_without_an_overall_number_a_system_stands_last():
    own = {"unknown": {"noise": 99.0}, "undefined": {"overall": None}, "zero": {"overall": 0.0}}
    assert names(ranked("UniTalk val", own))[-3:] == ["* zero", "* unknown", "* undefined"]


def test_a_model_that_two_sources_report_is_one_row():
    rows = [row for row in ranked("AVA val", {}) if row.name == "LoCoNet + TalkNCE"]
    at_home = next(row for row in rows if row.trained_on == "AVA")
    assert at_home.values == {"overall": 95.5}
    assert len(at_home.sources) == 2
    assert at_home.sources[1] == "TalkNCE README"
    assert at_home.caveats == ()
    assert len(rows) == 4  # one for each dataset that it was trained on

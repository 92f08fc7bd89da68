"""Whose row is ranked on the leaderboard, and which ground truths are known by their digest."""

from __future__ import annotations

import re
import tarfile
from dataclasses import replace

import pandas as pd
import pytest
from real_data import ASW, needs

import unitalk
from unitalk import parse_signature
from unitalk.catalog import video_list
from unitalk.catalog.groundtruths import GroundTruth, groundtruths
from unitalk.catalog.results import benchmarks, ranked
from unitalk.cli._shared.score_text import of_standing, standing_table
from unitalk.score.standing import Standing, standing


def scored(videos):
    """Score rising numbers on made-up faces of these videos, every second face speaking.

    Four faces get (1/1 + 2/3) / 2 = 83.3 %.
    """
    rows = [
        {
            "video_id": video, "frame_timestamp": 0.04 * index, "entity_id": f"{video}:1",
            "entity_box_x1": 0.1, "entity_box_y1": 0.1, "entity_box_x2": 0.5, "entity_box_y2": 0.5,
            "label": ("NOT_SPEAKING", "SPEAKING_AUDIBLE")[index % 2], "score": index / 4,
        }
        for video in videos
        for index in range(4)
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    return unitalk.evaluate(frame.drop(columns="score"), frame.drop(columns="label"), name="mine")


def published_truth(monkeypatch, *rows: GroundTruth) -> None:
    monkeypatch.setattr("unitalk.catalog.groundtruths.groundtruths", lambda: rows)


def test_a_system_is_ranked_where_its_ground_truth_is_the_published_one(monkeypatch):
    digest = parse_signature(scored(["a"]).signature).gt
    assert re.fullmatch("[0-9a-f]{16}", digest)
    known = GroundTruth(
        name="unitalk-val", benchmark="UniTalk val", digest=digest, faces=4, source="here"
    )
    published_truth(monkeypatch, known)
    system = scored(["a"])
    assert "|gt:unitalk-val|" in system.signature
    place = standing("UniTalk val", [system])
    assert (place.outside, place.doubts) == ((), ())
    assert [row.name for row in place.rows if row.is_own] == ["mine"]
    # Between GateFusion's 86.1 and 83.2 of LoCoNet + TalkNCE.
    (own,) = [row for row in standing_table(place).rows if row[0].startswith(">")]
    assert own[:4] == [">2", "mine", "(yours)", "83.3"]
    elsewhere = standing("AVA val", [system])  # the digest is UniTalk's
    assert [row.name for row in elsewhere.outside] == ["mine"]


def test_a_system_on_other_faces_stands_below_the_ranking_and_the_warning_above(monkeypatch):
    known = GroundTruth(
        name="unitalk-val", benchmark="UniTalk val", digest="0" * 16, faces=4, source="here"
    )
    published_truth(monkeypatch, known)
    val = [video.video_id for video in video_list.videos() if video.split == "val"]
    system = replace(scored(val), faces=950_000)  # the faces' number fits, their labels do not
    place = standing("UniTalk val", [system])
    assert [row.name for row in place.outside] == ["mine"]
    assert not any(row.is_own for row in place.rows)
    text = of_standing(place)
    assert text.startswith("warning: your ground truth is not that of UniTalk val (its digest is\n")
    table = text.split("\n[1]")[0].splitlines()
    assert table[-2:] == ["", table[-1]]
    assert table[-1].split()[:3] == ["-", "mine", "(yours)"]


def test_without_the_published_digest_videos_and_faces_decide(monkeypatch):
    published_truth(monkeypatch)
    val = [video.video_id for video in video_list.videos() if video.split == "val"]
    place = standing("UniTalk val", [replace(scored(val), faces=950_000)])
    assert [row.name for row in place.rows if row.is_own] == ["mine"]
    assert "cannot be checked here" in place.doubts[0]
    for other, said in ((val[1:], "has 21 of the 22 videos"), ([*val, "a"], "and 1 others")):
        place = standing("UniTalk val", [scored(other)])
        assert [row.name for row in place.outside] == ["mine"]
        assert said in place.doubts[0]
    place = standing("UniTalk val", [scored(val)])
    assert [row.name for row in place.outside] == ["mine"]
    assert "has 88 faces where UniTalk val has about 1,000,000" in place.doubts[0]


def test_equal_numbers_share_a_rank():
    rows = ranked("UniTalk val", {"a": {"overall": 83.2}, "b": {"overall": None}})
    place = Standing(benchmark="UniTalk val", rows=rows, outside=(), doubts=())
    ranks = {row[1]: row[0] for row in standing_table(place).rows}
    assert (ranks["GateFusion[1]"], ranks["LoCoNet + TalkNCE"], ranks["a"]) == ("1", "2", ">2")
    assert (ranks["LoCoNet"], ranks["b"]) == ("4", "-")


def test_every_ground_truth_of_the_table_is_well_formed():
    rows = groundtruths()
    assert len({row.name for row in rows}) == len({row.digest for row in rows}) == len(rows)
    for row in rows:
        assert re.fullmatch("[0-9a-f]{16}", row.digest)
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", row.name)
        assert row.benchmark is None or row.benchmark in benchmarks()
        assert row.faces > 0
        assert row.source


def test_the_sample_is_known_by_its_digest_whatever_the_order_of_its_rows(sample):
    truth = unitalk.read_groundtruth(sample / "csv/val_orig.csv").sample(frac=1, random_state=3)
    guess = sample / "predictions.csv"
    assert "|gt:sample-val|" in unitalk.evaluate(truth, guess).signature
    truth.loc[truth.index[0], "label"] = {
        "NOT_SPEAKING": "SPEAKING_AUDIBLE", "SPEAKING_AUDIBLE": "NOT_SPEAKING"
    }[truth["label"].iloc[0]]  # fmt: skip
    assert "sample-val" not in unitalk.evaluate(truth, guess).signature


@pytest.mark.slow
@needs(ASW)
def test_asws_validation_list_is_known_by_its_digest(tmp_path):
    with tarfile.open(ASW) as archive:
        archive.extractall(tmp_path / "raw", filter="data")
    unitalk.import_asw(
        tmp_path / "raw/json", tmp_path / "raw/split", tmp_path / "asw", splits=("val",)
    )
    truth = unitalk.read_groundtruth(tmp_path / "asw/csv/val_orig.csv")
    guess = truth.drop(columns=["label", "label_id", "instance_id", "eval"])
    signature = unitalk.evaluate(truth, guess.assign(score=range(len(truth)))).signature
    assert "|faces:171269|" in signature
    assert "|gt:asw-val|" in signature

"""The recorded numbers of the benchmarks: their form, and that a script renews its own."""

from __future__ import annotations

import datetime as dt
import json
import re
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"
FIELDS = {
    "script": str, "what": str, "value": float, "unit": str, "against": str | None,
    "ratio": float | None, "date": str | None, "machine": str | None, "commit": str | None,
    "note": str | None,
}  # fmt: skip
RECORDS = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))


@pytest.fixture
def results(monkeypatch, tmp_path):
    """The module that the scripts write by, on a file of its own."""
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.delitem(sys.modules, "_results", raising=False)
    import _results

    monkeypatch.setattr(_results, "FILE", tmp_path / "results.json")
    monkeypatch.setattr(_results, "commit", lambda: "abc1234")
    monkeypatch.setattr(_results.os, "getloadavg", lambda: (0.5, 0.5, 0.5))
    monkeypatch.setattr(_results, "LOAD_BEFORE", 0.5)
    _results.FILE.write_text("[]")
    return _results


def test_every_record_is_whole_and_its_script_is_there():
    assert RECORDS
    for record in RECORDS:
        assert list(record) == list(FIELDS)
        for name, kind in FIELDS.items():
            assert isinstance(record[name], kind), (name, record)
        assert re.fullmatch(r"benchmarks/\w+\.py", record["script"])
        text = (FOLDER.parent / record["script"]).read_text(encoding="utf-8")
        assert "add_option(parser)" in text, f"{record['script']} has no --record"
        assert (record["against"] is None) == (record["ratio"] is None)
        assert record["commit"] is None or re.fullmatch("[0-9a-f]{7}", record["commit"])
        assert record["date"] is None or dt.date.fromisoformat(record["date"])
        assert record["machine"] is None or re.match(r"\d+ cores", record["machine"])
        assert "/" not in (record["machine"] or "")


def test_no_two_records_say_what_the_same_thing_measured():
    keys = [tuple(record[name] for name in ("script", "what", "unit", "against"))
            for record in RECORDS]  # fmt: skip
    assert len(set(keys)) == len(keys)


def test_a_ratio_is_the_peers_value_over_ours_or_ours_over_the_peers_where_more_is_better(results):
    """4 s beside 10 s is 2.5 times as fast; 30 frames a second beside 20, 1.5 times."""
    slower = results.compared({"ours": 4.0, "theirs": 10.0}, "s", peers=["theirs"], on="it")
    assert [(one.what, one.value, one.against, one.ratio) for one in slower] == [
        ("ours, it", 4.0, "theirs", 2.5),
        ("theirs, it", 10.0, None, None),
    ]
    rates = {"ours": 30.0, "theirs": 20.0}
    faster = results.compared(rates, "frames/s", peers=["theirs"], more_is_better=True)
    assert [(one.what, one.ratio) for one in faster] == [("ours", 1.5), ("theirs", None)]


def test_a_script_renews_its_own_records_and_keeps_the_others(results):
    kept = {"script": "benchmarks/a.py", "what": "w", "unit": "s", "against": None, "value": 9.0}
    results.FILE.write_text(json.dumps([kept]))
    for value in (1.0, 2.000049):
        made = results.compared({"w": value, "p": 6.0}, "s", peers=["p"], note="so")
        results.write("/somewhere/b.py", made)
    first, ours, peer = json.loads(results.FILE.read_text())
    assert first == kept
    assert list(ours) == list(FIELDS)
    assert (ours["script"], ours["value"], ours["ratio"]) == ("benchmarks/b.py", 2.0, 3.0)
    assert (ours["commit"], ours["note"]) == ("abc1234", "so")
    assert (peer["what"], peer["value"], peer["against"]) == ("p", 6.0, None)
    age = dt.datetime.now(tz=dt.UTC).date() - dt.date.fromisoformat(ours["date"])
    assert age.days <= 1


def test_a_record_says_when_other_work_ran_beside_it(results, monkeypatch):
    assert results.other_work() is None
    monkeypatch.setattr(results.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(results.os, "getloadavg", lambda: (5.8, 3.0, 2.0))
    results.write("b.py", results.compared({"w": 1.0}, "s", note="so"))
    (record,) = json.loads(results.FILE.read_text())
    assert record["note"] == "so; beside other work: load 0.5 before, 5.8 after"

"""Ids that mean the same and are written otherwise, wherever they are looked up."""

from __future__ import annotations

import unicodedata

import pandas as pd
import pytest
from build import HEADER, face

import unitalk
from unitalk import layout
from unitalk.schema import id_spelling
from unitalk.score.diagnose import diagnose


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


NAMES = ["Müller_1:0", "Ångström:1", "Ștefan:2", "Tōkyō:3", "한국:4", "Việt:5"]


def truth(ids: list[str]) -> pd.DataFrame:
    rows = [
        face("v", f"{n / 25}", entity, (place + n) % 2)
        for place, entity in enumerate(ids)
        for n in range(4)
    ]
    return pd.DataFrame(rows, columns=HEADER.split(","))


def guess(ids: list[str], own: list[str]) -> pd.DataFrame:
    faces = truth(ids)[["entity_id", "frame_timestamp"]]
    return faces.assign(
        entity_id=faces["entity_id"].map(dict(zip(ids, own, strict=True))),
        score=[n * 7 % 11 for n in range(len(faces))],
    )


def finding_of(ids, own):
    found = diagnose(truth(ids), guess(ids, own)).findings
    return next(finding for finding in found if finding.check == "ids")


@pytest.mark.parametrize(
    ("ids", "own", "what"),
    [
        (["00007", "00012"], ["7", "12"], "became numbers"),
        (["00007", "00012"], ["7.0", "12.0"], "became numbers"),
        (["1e5", "2E3"], ["100000.0", "2000.0"], "became numbers"),
        (["0.10", "0.20"], ["0.1", "0.2"], "became numbers"),
        # What a spreadsheet shows of 12 digits, and what a float keeps of 18.
        (["314159265358", "271828182845"], ["3.14159E+11", "2.71828E+11"], "became numbers"),
        (["123456789012345678", "9"], ["1.2345678901234568e+17", "9"], "became numbers"),
        (["7", "12"], ["007", "012"], "became numbers in the ground truth"),
        # Cyrillic es, Greek omicron, a dash, a space that joins, a letter that nobody sees.
        (["clip:1", "ok"], ["\u0441lip:1", "ok"], "have letters that only look the same"),
        (["top:1", "a-b"], ["t\u03bfp:1", "a\u2013b"], "have letters that only look the same"),
        (["a b", "c:1"], ["a\xa0b", "c\u200b:1"], "have letters that only look the same"),
    ],
)
def test_what_became_of_ids_is_said(ids, own, what):
    changed = [(mine, theirs) for mine, theirs in zip(own, ids, strict=True) if mine != theirs]
    with pytest.raises(unitalk.CoverageError) as caught:
        unitalk.evaluate(truth(ids), guess(ids, own))
    said = caught.value.message.splitlines()[1]
    assert said.startswith(f"  {len(changed)} ids of the predictions {what}: ")
    for mine, theirs in changed:
        assert f"{mine!a} is {theirs!r} in the ground truth" in said
    assert caught.value.hint.startswith("write entity_id as the ground truth has it")
    assert caught.value.message.isascii()  # a letter that looks like another is an escape
    finding = finding_of(ids, own)
    assert finding.status == "problem"
    assert finding.what.startswith(f"{len(changed)} of {len(ids)} ids in the predictions {what}")
    assert f"{changed[0][0]!a} is {changed[0][1]!r}" in finding.examples[0]


@pytest.mark.parametrize(
    ("ids", "own"),
    [
        (["007", "07"], ["7", "7.0"]),  # each may be either
        (["123456789011", "123456789012"], ["1.23457E+11", "1.23457E+11x"]),
        (["1e5", "a"], ["1e6", "b"]),
        (["\u0441lip", "clip"], ["cl\u0456p", "x"]),
    ],
)
def test_what_may_be_two_ids_is_neither(ids, own):
    assert id_spelling.respelt(own, ids) == []


@pytest.mark.parametrize("form", ["NFC", "NFD", "both"])
def test_ids_are_looked_up_whatever_their_letters_are_made_of(form):
    ids = [unicodedata.normalize("NFC" if form == "both" else form, name) for name in NAMES]
    own = [
        unicodedata.normalize("NFC" if form == "NFD" or (form == "both" and n % 2) else "NFD", name)
        for n, name in enumerate(NAMES)
    ]
    there, elsewhere = unitalk.evaluate(truth(ids), guess(ids, ids)), guess(ids, own)
    result = unitalk.evaluate(truth(ids), elsewhere)
    assert result.average_precision == there.average_precision
    assert result.signature == there.signature
    finding = finding_of(ids, own)
    assert finding.status == "note"
    assert "matched all the same" in finding.what


def test_two_forms_that_are_two_ids_stay_two():
    """The ground truth has both: each is its own, and a third form is nobody's."""
    ids = ["Müller", nfd("Müller"), "b"]
    assert unitalk.evaluate(truth(ids), guess(ids, ids)).faces == 12
    with pytest.raises(unitalk.CoverageError) as caught:
        unitalk.evaluate(truth(ids[:1]), guess(ids[:2], ids[:2]))
    assert "of 1 tracks: Mu\\u0308ller" in caught.value.message
    assert id_spelling.places(["ệ"], ["e\u0302\u0323", "e\u0323\u0302"]) == {}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("colon", [":", "_"])
def test_a_track_is_found_on_the_disk_in_either_form(tmp_path, name, colon):
    for own, here in ((name, nfd(name)), (nfd(name), name)):
        folder = tmp_path / here / here.replace(":", colon)
        folder.mkdir(parents=True)
        assert layout.find_entity(folder.parent, own) == folder
        assert layout.find_entities(folder.parent, [own]) == {own: folder.name}
        assert layout.find_entity(folder.parent, own, others={folder.name}) is None

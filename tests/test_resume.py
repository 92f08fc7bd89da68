"""Requests and receipts: the same command continues, another is refused."""

from __future__ import annotations

import pytest

from unitalk.errors import DataError, DestinationError
from unitalk.files import ReceiptBook, Receipts, Request, mark


def request(**values: object) -> Request:
    return Request(values=values, way_out="leave", free=frozenset({"epochs"}))


def test_a_folder_without_a_marker_fits_every_request(tmp_path):
    assert request(margin=0.4).differences(tmp_path) is None
    request(margin=0.4).check(tmp_path)


def test_the_same_request_fits_and_another_is_refused_by_name_old_and_new_value(tmp_path):
    csv = {"val": "a" * 64, "train": "b" * 64}
    earlier = request(margin=0.0, csv=csv, videos=[], sizes=(1, 2), epochs=3, compat=False, old=1)
    mark(tmp_path, made_by="crop", about=earlier.about)
    assert earlier.differences(tmp_path) == []
    now = request(
        margin=0.4, csv={"val": "c" * 64}, videos=["a", "b"], sizes=(1, 2), epochs=4, compat=True
    )
    assert sorted(now.differences(tmp_path) or ()) == [
        "compat was off and is on",
        "csv of train was bbbbbbbbbbbb... and is not set",
        "csv of val was aaaaaaaaaaaa... and is cccccccccccc...",
        "margin was 0.0 and is 0.4",
        "old was 1 and is not set",
        "videos was not set and is a, b",
    ]
    with pytest.raises(DestinationError, match=r"margin was 0\.0 and is 0\.4") as raised:
        now.check(tmp_path)
    assert raised.value.hint == "leave"


@pytest.mark.parametrize("marker", ["[]", "{}", '{"fingerprint": null}', '{"fingerprint": 7}'])
def test_a_marker_without_a_request_fits_nothing(tmp_path, marker):
    (tmp_path / ".unitalk").mkdir()
    (tmp_path / ".unitalk/dataset.json").write_text(marker)
    with pytest.raises(DestinationError, match="margin was not set and is 1"):
        request(margin=1).check(tmp_path)


def test_a_receipt_is_kept_by_name_until_it_is_removed(tmp_path):
    receipts = Receipts(tmp_path / "r")
    assert (receipts.read("a/b"), receipts.names()) == (None, [])
    receipts.write("a/b", {"made_of": {"rows": 1}, "crops": 5})
    assert receipts.names() == ["a/b"]
    assert receipts.fitting("a/b", {"rows": 1}) == {"made_of": {"rows": 1}, "crops": 5}
    assert receipts.fitting("a/b", {"rows": 2}) is None
    assert receipts.fitting("a/b", {"margin": None}) is None  # it does not say
    receipts.path("a/b").write_text("{half")
    assert receipts.read("a/b") == {}
    assert receipts.fitting("a/b", {}) is None
    receipts.remove("a/b")
    assert receipts.read("a/b") is None


def test_half_written_receipts_are_removed_and_nothing_else(tmp_path):
    receipts = Receipts(tmp_path)
    receipts.write("a/b", {})
    (tmp_path / "a/.b.json.k3jx.part").write_text("{")
    (tmp_path / "a/notes.part").write_text("mine")
    receipts.remove_halves()
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["b.json", "notes.part"]


def test_a_book_keeps_all_receipts_in_one_file(tmp_path):
    book = ReceiptBook(tmp_path / "book.json", key="videos", way_out="move it")
    assert book.read() == {}
    book.write("b", {"size": 2})
    book.write("a", {"size": 1})
    book.write("b", {"size": 3})
    assert list(book.read().items()) == [("a", {"size": 1}), ("b", {"size": 3})]
    for damaged in ("[]", "{}", '{"videos": [1]}', '{"videos": {"a": 1}}', "{"):
        (tmp_path / "book.json").write_text(damaged)
        with pytest.raises(DataError):
            book.read()

"""Plain files from a server that misbehaves: real HTTP on the loopback interface."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from bucket import Bucket, GetFault, HeadFault, quick_site
from hub_client import Counter
from hub_server import Fault

from unitalk.errors import AccessError, HubError, IntegrityError, NotFoundError

NAME = "trainval/a video.mp4"
BIG = random.Random(3).randbytes(400_000)
OTHER = random.Random(4).randbytes(400_000)  # of the same size


@pytest.fixture
def folder(tmp_path):
    served = tmp_path / "served"
    (served / "trainval").mkdir(parents=True)
    (served / NAME).write_bytes(BIG)
    (served / "list.txt").write_text("a video.mp4\n")
    return served


@pytest.fixture
def start(folder):
    """Start a server with faults and a client for it; both are closed at the end."""
    with contextlib.ExitStack() as stack:

        def begin(*faults, where=folder, options=None, **how):
            server = stack.enter_context(Bucket(where, faults=faults))
            for name, value in how.items():
                setattr(server, name, value)
            site = stack.enter_context(quick_site(server.endpoint, **(options or {})))
            return server, site

        yield begin


@pytest.fixture
def part(tmp_path):
    return tmp_path / "parts" / "one.part"


def fetch(site, part):
    counter = Counter()
    told = site.fetch(NAME, part, counter)
    assert counter.total == part.stat().st_size
    return told


def replace_file(folder, content=OTHER):
    """Another file of the same name, and of another time."""
    (folder / NAME).write_bytes(content)
    os.utime(folder / NAME, (1_000_000_000, 1_000_000_000))


# ------------------------------------------------------------------------------ questions


def test_look_asks_for_no_bytes(start):
    server, site = start()
    told = site.look(NAME)
    digest = hashlib.md5(BIG).hexdigest()
    assert (told.size, told.validator, told.md5) == (400_000, f'"{digest}"', digest)
    assert told.endpoint == server.endpoint
    assert server.asked() == [f"HEAD /{NAME}"]


@pytest.mark.parametrize(
    ("how", "headers", "known"),
    [
        ({}, {}, True),
        ({"s3": False}, {}, False),  # 32 digits that mean something else
        ({"s3": False}, {"Server": "AmazonS3"}, True),
        ({}, {"x-amz-server-side-encryption": "AES256"}, True),
        ({}, {"x-amz-server-side-encryption": "aws:kms"}, False),
        ({}, {"x-amz-server-side-encryption-customer-algorithm": "AES256"}, False),
        ({"tags": "opaque"}, {}, False),  # as of an upload in pieces: "<32 digits>-<pieces>"
        ({"tags": "weak"}, {}, False),
        ({"tags": "none"}, {}, False),
    ],
)
def test_an_etag_is_an_md5_only_where_s3_says_so(start, how, headers, known):
    server, site = start(Fault(".", times=-1, headers=headers), **how)
    assert (site.look(NAME).md5 is not None) == known


def test_a_weak_etag_or_none_at_all_is_no_proof_that_nothing_changed(start):
    server, site = start(tags="weak")
    assert site.look(NAME).validator is None
    server.tags = "none"
    assert site.look(NAME).validator.endswith(" GMT")
    server.dates = False
    assert site.look(NAME).validator is None


def test_read_gives_the_whole_of_a_short_file(start):
    server, site = start(Fault("list", cut=3), Fault("list", status=503))
    assert site.read("list.txt", 100) == b"a video.mp4\n"
    assert [status for _, status, _ in server.bodies("list.txt")] == [200, 503, 200]


@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [
        (404, NotFoundError, "it is not there"),
        (410, NotFoundError, "was removed"),
        (403, AccessError, "no permission, or no such file"),
        (401, AccessError, "wants a password"),
        (418, HubError, "check the endpoint"),
    ],
)
def test_refusals_are_not_tried_again(start, part, status, kind, hint):
    # Requests are counted: none may be repeated only because a busy machine answers late.
    patient = {"patience": {"read": 10.0}}
    server, site = start(Fault("trainval", times=-1, status=status), options=patient)
    for ask in (lambda: site.look(NAME), lambda: fetch(site, part)):
        with pytest.raises(HubError, match=f"answered {status}") as caught:
            ask()
        assert type(caught.value) is kind
        assert hint in caught.value.hint
    assert len(server.log) == 2
    # and it is so of that file only
    assert site.read("list.txt", 100)


# ------------------------------------------------------------------------------ the bytes


def test_a_file_comes_whole_and_is_proven(start, part):
    server, site = start()
    told = fetch(site, part)
    assert part.read_bytes() == BIG
    assert told.md5 == hashlib.md5(BIG).hexdigest()
    assert server.bodies(NAME) == [(None, 200, 400_000)]
    fetch(site, part)  # a whole one makes no request
    assert len(server.log) == 1


@pytest.mark.parametrize(("tags", "at"), [("md5", 131_072), ("opaque", 0), ("none", 399_999)])
def test_a_cut_line_is_continued_where_it_was_cut(start, part, at, tags):
    server, site = start(GetFault("trainval", cut=at), tags=tags)
    told = fetch(site, part)
    assert part.read_bytes() == BIG
    first, second = server.bodies(NAME)
    assert first == (None, 200, at)
    assert second == ((f"bytes={at}-", 206, 400_000 - at) if at else (None, 200, 400_000))
    asked = server.heard[-1].headers.get("If-Range")
    assert asked == (told.validator if at else None)


def test_without_a_validator_a_cut_file_is_begun_anew(start, part):
    server, site = start(GetFault("trainval", cut=1000), tags="weak", dates=False)
    fetch(site, part)
    assert part.read_bytes() == BIG
    assert server.bodies(NAME) == [(None, 200, 1000), (None, 200, 400_000)]


@pytest.mark.parametrize("damage", ["{", '{"size": 1}'])
def test_a_damaged_memory_is_as_good_as_none(start, part, damage):
    server, site = start(GetFault("trainval", cut=1000), options={"patience": {"tries": 1}})
    with pytest.raises(HubError):
        fetch(site, part)
    part.with_name("one.part.json").write_text(damage)
    fetch(site, part)
    assert part.read_bytes() == BIG


# ------------------------------------------------------------------------------ another file


@pytest.mark.parametrize(("tags", "if_range"), [("md5", True), ("opaque", False)])
def test_a_changed_file_is_never_glued_to_the_old_one(start, part, folder, tags, if_range):
    """By If-Range the server gives the whole; one that does not know it names another file."""
    server, site = start(
        GetFault("trainval", cut=70_000), tags=tags, if_range=if_range,
        options={"patience": {"tries": 1}},
    )  # fmt: skip
    with pytest.raises(HubError):
        fetch(site, part)
    replace_file(folder)
    with quick_site(server.endpoint) as later:
        fetch(later, part)
    assert part.read_bytes() == OTHER
    statuses = [status for _, status, _ in server.bodies(NAME)[1:]]
    assert statuses == ([200] if if_range else [206, 206, 200])


@pytest.mark.parametrize("bend", [{"shift_range": 7}, {"gzip": True}, {"ignore_range": True}])
def test_another_piece_than_the_one_asked_for_is_not_taken(start, part, bend):
    server, site = start(GetFault("trainval", cut=70_000), GetFault("trainval", **bend))
    fetch(site, part)
    assert part.read_bytes() == BIG


# ------------------------------------------------------------------------------ what is announced


def test_damage_that_stays_is_an_error(start, part):
    server, site = start(GetFault("trainval", damage=200_000, times=-1))
    with pytest.raises(IntegrityError, match="have the hash") as caught:
        fetch(site, part)
    assert hashlib.md5(BIG).hexdigest() in caught.value.message
    assert len(server.bodies(NAME)) == 3  # once, and two refetches
    assert not part.exists()


def test_damage_of_an_earlier_run_is_not_blamed_on_the_server(start, part):
    server, site = start(GetFault("trainval", cut=70_000), options={"patience": {"tries": 1}})
    with pytest.raises(HubError):
        fetch(site, part)
    part.write_bytes(b"\0" * 70_000)
    with quick_site(server.endpoint, patience={"refetches": 0}) as later:
        fetch(later, part)
    assert part.read_bytes() == BIG
    assert server.bodies(NAME)[1:] == [("bytes=70000-", 206, 330_000), (None, 200, 400_000)]


def test_a_length_that_is_too_large_ends_in_an_error(start, part):
    server, site = start(GetFault("trainval", headers={"Content-Length": "400001"}, times=-1))
    with pytest.raises(HubError, match="given up after 5 failures in a row"):
        fetch(site, part)


def test_without_a_length_nobody_knows_when_it_is_whole(start, part):
    headers = {"Content-Length": "", "Connection": "close"}
    server, site = start(GetFault("trainval", headers=headers, times=-1))
    with pytest.raises(HubError, match="does not say how many bytes there are"):
        fetch(site, part)
    assert len(server.log) == 1


def test_a_web_page_is_no_video(start, part):
    server, site = start(GetFault("trainval", html="padded", times=-1))
    with pytest.raises(HubError, match="answered a web page, not the file"):
        fetch(site, part)
    assert not part.exists()


# ------------------------------------------------------------------------------ patience


def test_all_threads_wait_by_one_clock(start, tmp_path):
    """One file is told to wait 0.6 s; the other, which nobody has refused, waits as well."""
    server, site = start(
        GetFault("trainval", status=503, headers={"Retry-After": "1"}),
        options={"patience": {"longest": 0.6}},
    )
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(site.fetch, NAME, tmp_path / "one.part", lambda _: None)
        while not server.log:
            time.sleep(0.001)
        time.sleep(0.05)
        began = time.monotonic()
        site.read("list.txt", 100)
        assert time.monotonic() - began > 0.4
        job.result(10)


def test_nobody_there_is_said_soon_and_names_the_host(part):
    with quick_site("http://127.0.0.1:9") as site:
        assert not site.answered
        with pytest.raises(HubError, match=r"3 failures in a row.*127\.0\.0\.1"):
            site.look(NAME)
        assert not site.answered


# ------------------------------------------------------------------------------ mirrors


@pytest.fixture
def two(folder, tmp_path):
    """Two servers, of which the second has the same files or others, and a client for both."""
    with contextlib.ExitStack() as stack:

        def begin(first, second, *, content=BIG, tags="md5", **options):
            copy = tmp_path / "copy"
            (copy / "trainval").mkdir(parents=True)
            (copy / NAME).write_bytes(content)
            a = stack.enter_context(Bucket(folder, faults=first))
            b = stack.enter_context(Bucket(copy, faults=second))
            a.tags = b.tags = tags
            site = stack.enter_context(quick_site((a.endpoint, b.endpoint), **options))
            return a, b, site

        yield begin


def test_a_mirror_continues_the_same_file(two, part):
    a, b, site = two((GetFault(".", cut=70_000), GetFault(".", status=503, times=-1)), ())
    fetch(site, part)
    assert part.read_bytes() == BIG
    assert b.bodies(NAME) == [("bytes=70000-", 206, 330_000)]


@pytest.mark.parametrize("tags", ["md5", "opaque"])
def test_a_mirror_with_another_file_is_never_glued_to_what_has_come(two, part, tags):
    """The first cuts the line and is gone; the second has another file of that name."""
    gone = (GetFault(".", cut=70_000), GetFault(".", status=404, times=-1))
    a, b, site = two(gone, (), content=OTHER, tags=tags)
    fetch(site, part)
    assert part.read_bytes() == OTHER


def test_a_head_that_tells_no_size_is_not_believed_to_be_empty(start):
    server, site = start(HeadFault(".", headers={"Content-Length": ""}))
    assert site.look(NAME).size is None

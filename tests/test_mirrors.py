"""A list of endpoints: who is asked, who is passed over, who sees the token. Real HTTP, as ever.

The rule, from which each test's numbers follow:

::

    what an endpoint does                   what happens                  remembered
    fails in a way that may pass            the next, at once             no
    gives no answer at all                  the next, at once             asked last, until it does
    all have failed once                    one wait, then a round again
    429, Retry-After, RateLimit             the next; its own clock       until then
    RevisionNotFound for a known commit     the next                      for the run
    401, 403, no such repository            the next                      for the run
    EntryNotFound, another 404              the next                      no
    no answer that makes sense              the next                      no
    a wrong hash                            the next                      no
    nobody is left                          an error with what each said
"""

from __future__ import annotations

import contextlib
import random
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import exhaustive
from hub_client import (
    BIG,
    CSV,
    FILE,
    REPO,
    ZIP,
    Clock,
    Counter,
    bodies,
    listed,
    patient,
    serve_big,
)
from hub_server import TRAIN, Fault, FaultyHub, publish, quick

from unitalk.errors import AccessError, HubError, IntegrityError, NotFoundError
from unitalk.net import Hub, Patience

HALF = 200_000


@pytest.fixture
def served(tmp_path):
    return serve_big(tmp_path / "served")


@pytest.fixture
def lagging(tmp_path):
    """The same repository, before the large file came: another commit."""
    folder = tmp_path / "lagging"
    publish(folder, "train", TRAIN)
    return folder


@pytest.fixture
def start(served):
    """Start hubs, each with its faults, and a client of them all; the first is home."""
    with contextlib.ExitStack() as stack:

        def begin(*faults, folders=(), page_sizes=(), **options):
            servers = [
                stack.enter_context(
                    FaultyHub(
                        folders[n] if folders else served,
                        faults=tuple(each),
                        page_size=page_sizes[n] if page_sizes else 1000,
                    )
                )
                for n, each in enumerate(faults)
            ]
            endpoints = [server.endpoint for server in servers]
            return [*servers, stack.enter_context(quick(endpoints, **options))]

        yield begin


def nobody():
    """An endpoint at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def fetch(server, hub, tmp_path, path=ZIP, name="one.part"):
    """Fetch one file, which `server` lists; return its bytes and what was counted."""
    counter, part = Counter(), tmp_path / "parts" / name
    hub.fetch(listed(server, path), server.commit, part, counter)
    assert counter.total == part.stat().st_size
    return part.read_bytes()


def asked(server):
    """What came to an endpoint itself: (status, what of)."""
    return [
        (call.status, next(w for w in ("revision", "tree", "resolve") if f"/{w}" in call.path))
        for call in server.log
        if call.role == "hub" and "resolve-cache" not in call.path
    ]


# ------------------------------------------------------------------------------ the list


def test_endpoints_keep_their_order_and_are_there_once():
    with Hub(["http://b/", "http://a", "http://b", "http://c/x/"], REPO) as hub:
        assert hub.endpoints == ("http://b", "http://a", "http://c/x")
        assert hub.endpoint == "http://b"


# ------------------------------------------------------------------------------ questions


def test_wait_only_after_a_whole_round(start):
    """Three endpoints, each failing twice: 3 at once, a wait of 1 s, 3 at once, one of 2 s."""
    clock = Clock()
    fault = {"status": 503, "times": 2}
    *servers, hub = start(*([Fault("/revision/", **fault)] for _ in "abc"), patience=patient(clock))
    hub.commit("main")
    assert [len(asked(server)) for server in servers] == [3, 2, 2]
    assert len(clock.slept) == 2
    assert 1 + 2 <= sum(clock.slept) <= 1 + 2 + 2 * 0.25  # each wait is spread by a quarter


@pytest.mark.parametrize(
    "fault",
    [
        Fault("/revision/", body=b"<html>log in", headers={"Content-Type": "text/html"}),
        Fault("/revision/", status=429),
        Fault("/revision/", status=503),
        Fault("/revision/", status=404, code="RevisionNotFound"),
        Fault("/revision/", status=403, code="GatedRepo"),
        Fault("/revision/", loop=True, times=-1),
        Fault("/revision/", cut=10),
        Fault("/revision/", hold=True),
    ],
    ids=lambda fault: str(fault.code or fault.status or fault.body or "line"),
)
def test_any_failure_at_home_is_made_good_by_a_mirror_at_once(start, fault):
    clock, said = Clock(), []
    home, mirror, hub = start([fault], [], patience=patient(clock), say=said.append)
    assert hub.commit("main") == mirror.commit
    assert asked(mirror) == [(200, "revision")]
    assert clock.slept == []
    assert len(said) == 1


def test_branch_that_only_a_mirror_could_name_is_said_to_be_perhaps_old(start, served, lagging):
    home, mirror, hub = start(
        [Fault("/revision/", status=503, times=-1)], [], folders=(served, lagging)
    )
    commit = hub.commit("main")
    assert commit == mirror.commit != home.commit
    (text,) = hub.warnings.values()
    assert text == (
        f"{mirror.endpoint} says that 'main' is {commit}; it may lag behind {home.endpoint}, "
        "which could not be asked"
    )


def test_listing_goes_on_where_each_endpoint_was(start):
    """4 files: home lists 1 a page, the mirror 3; each fails once between its pages.

    ::

        home    page 0 ok, page 1 fails
        mirror  page 0 ok (3 files), page 3 fails
        home    pages 1, 2, 3 ok: 4 files, and page 0 not again
    """
    home, mirror, hub = start(
        [Fault("/tree/", status=503, after=1)],
        [Fault("/tree/", status=503, after=1)],
        page_sizes=(1, 3),
    )
    assert [file.path for file in hub.tree(home.commit)] == sorted(home.entries)
    assert [status for status, _ in asked(home)] == [200, 503, 200, 200, 200]
    assert [status for status, _ in asked(mirror)] == [200, 503]


def test_mirror_that_lags_is_passed_over_for_that_commit(start, served, lagging):
    home, old, new, hub = start(
        [Fault("/tree/", status=503, times=-1)], [], [], folders=(served, lagging, served)
    )
    for _ in range(3):
        assert len(hub.tree(home.commit)) == 4
    assert asked(old) == [(404, "tree")]
    assert [status for status, _ in asked(new)] == [200] * 3
    assert list(hub.warnings) == [old.endpoint]
    assert "RevisionNotFound" in hub.warnings[old.endpoint]


def test_error_names_every_endpoint_and_what_it_said(start):
    home, mirror, hub = start(
        [Fault("/revision/", status=503, said="busy", times=-1)],
        [Fault("/revision/", status=500, said="broken", times=-1)],
    )
    with pytest.raises(HubError) as caught:
        hub.commit("main")
    message = caught.value.message
    assert message.startswith("the commit of 'main': no endpoint gives it: ")
    one, two = message.split("; ")
    assert home.endpoint in one
    assert "given up after 5 failures in a row" in one
    assert "answered 503, busy" in one
    assert mirror.endpoint in two
    assert "answered 500, broken" in two
    assert caught.value.hint == "check the network, then run the same command again to continue"
    assert len(asked(home)) == len(asked(mirror)) == 5


@pytest.mark.parametrize(
    ("home_says", "mirror_says", "kind", "hint"),
    [
        ((403, "GatedRepo"), (404, "RevisionNotFound"), AccessError, "accept the terms"),
        ((401, ""), (503, ""), NotFoundError, "set HF_TOKEN"),
        ((503, ""), (404, "RevisionNotFound"), HubError, "run the same command again"),
    ],
)
def test_home_decides_what_it_means_that_nobody_gives_it(start, home_says, mirror_says, kind, hint):
    faults = [
        [Fault("/revision/", status=status, code=code, times=-1)]
        for status, code in (home_says, mirror_says)
    ]
    home, mirror, hub = start(*faults)
    with pytest.raises(kind) as caught:
        hub.commit("main")
    assert type(caught.value) is kind
    assert hint in caught.value.hint
    for server, (status, _) in ((home, home_says), (mirror, mirror_says)):
        assert f"{server.endpoint}/api" in caught.value.message
        assert f"answered {status}" in caught.value.message


# ------------------------------------------------------------------------------ files


@pytest.mark.parametrize(("how", "at"), [("cut", HALF), ("rst", 399_999), ("stall", 1)])
def test_mirror_goes_on_where_home_broke_off(start, tmp_path, how, at):
    home, mirror, hub = start([Fault(FILE, **{how: at})], [])
    assert fetch(home, hub, tmp_path) == BIG
    assert len(bodies(home)) == 1
    ((range_, status, sent),) = bodies(mirror)
    resumed = 0 if range_ is None else int(range_.removeprefix("bytes=").removesuffix("-"))
    assert resumed <= at
    assert sent == 400_000 - resumed
    if how == "cut":
        assert (resumed, status) == (at, 206)


def test_two_bad_lines_bring_one_file(start, tmp_path):
    """Each try brings 40,000 bytes: 10 tries, by turns, since whoever failed last comes last.

    ::

        home    0        80,000        160,000 ... 320,000
        mirror    40,000       120,000         ...         360,000 to the end
    """
    home, mirror, hub = start(
        [Fault(FILE, cut=40_000) for _ in range(5)], [Fault(FILE, cut=40_000) for _ in range(4)]
    )
    assert fetch(home, hub, tmp_path) == BIG
    for server, first in ((home, 0), (mirror, 40_000)):
        starts = [int((range_ or "bytes=0-")[6:-1]) for range_, _, _ in bodies(server)]
        assert starts == [first + 80_000 * n for n in range(5)]


@pytest.mark.parametrize(
    ("status", "code", "again"),
    [
        (404, "RevisionNotFound", 1),
        (403, "GatedRepo", 1),
        (401, "", 1),
        (404, "EntryNotFound", 3),
    ],
)
def test_who_refuses_for_good_is_asked_once_and_named_once(start, tmp_path, status, code, again):
    fault = Fault("/resolve/", status=status, code=code, times=-1)
    home, mirror, hub = start([fault], [])
    for n in range(3):
        assert fetch(home, hub, tmp_path, name=str(n)) == BIG
    assert len(asked(home)) == again
    assert list(hub.warnings) == [home.endpoint]
    assert f"answered {status}" in hub.warnings[home.endpoint]
    assert hub.warnings[home.endpoint].endswith("; others are asked instead")


def test_wrong_hash_everywhere_names_all(start, tmp_path):
    """Each is asked 1 + 2 times, by turns, as one alone is."""
    home, mirror, hub = start(*([Fault(FILE, damage=5, times=-1)] for _ in "ab"))
    with pytest.raises(IntegrityError) as caught:
        fetch(home, hub, tmp_path)
    assert (len(bodies(home)), len(bodies(mirror))) == (3, 3)
    assert home.endpoint in caught.value.message
    assert mirror.endpoint in caught.value.message
    assert caught.value.message.count(listed(home).hash) == 2
    assert not (tmp_path / "parts/one.part").exists()


def test_many_files_while_home_dies(start, served, tmp_path):
    """Eight threads, 24 files; home gives 10 answers, which is 5 files at most, and then resets."""
    home, mirror, hub = start([Fault("", rst=0, pause=0, after=10, times=-1)], [])
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(fetch, home, hub, tmp_path, ZIP, str(n)) for n in range(24)]
        assert [job.result(60) for job in jobs] == [BIG] * 24
    whole = [call for call in home.log if call.role == "cdn" and call.sent == 400_000]
    assert 24 - 5 <= len(bodies(mirror)) <= 24
    assert len(whole) <= 5


@pytest.mark.parametrize(
    "sound", [0, pytest.param(1, marks=exhaustive), pytest.param(2, marks=exhaustive)]
)
def test_one_sound_endpoint_makes_up_for_two_that_are_not(start, tmp_path, sound):
    kinds = (
        {"status": 503},
        {"status": 404, "code": "EntryNotFound"},
        {"status": 404, "code": "RevisionNotFound"},
        {"status": 403, "code": "GatedRepo"},
        {"status": 429, "headers": {"Retry-After": "0"}},
        {"cut": 7},
        {"cut": 150_000},
        {"damage": 3},
        {"ignore_range": True},
        {"shift_range": 1},
        {"gzip": True},
        {"too_much": True},
        {"html": "padded"},
        {"loop": True},
    )
    drawn = random.Random(sound)
    *servers, hub = start([], [], [])
    for case in range(20):
        chosen = [drawn.sample(kinds, 2) for _ in servers]
        for place, server in enumerate(servers):
            server.renew(
                *(
                    Fault("resolve|cdn", times=drawn.choice((1, 2, -1)), **kind)
                    for kind in chosen[place]
                    if place != sound
                )
            )
        with quick([server.endpoint for server in servers]) as client:
            assert fetch(servers[sound], client, tmp_path, name=str(case)) == BIG, chosen


def test_who_is_silent_is_asked_last_until_it_answers(start, tmp_path):
    """Home takes a connection and says nothing; the second file does not wait for it, the third
    finds that the mirror lacks the file, and the fourth starts at home again."""
    home, mirror, hub = start([Fault("/resolve/", hold=True)], [])
    fetch(home, hub, tmp_path, name="1")
    fetch(home, hub, tmp_path, name="2")
    assert (len(home.heard), len(asked(mirror))) == (1, 2)
    assert list(hub.warnings) == [home.endpoint]
    mirror.faults.append(Fault("/resolve/", status=404, code="EntryNotFound"))
    fetch(home, hub, tmp_path, name="3")
    fetch(home, hub, tmp_path, name="4")
    assert (len(asked(home)), len(asked(mirror))) == (2, 3)


# ------------------------------------------------------------------------------ patience


def test_who_asks_for_patience_is_left_for_who_does_not(start, tmp_path):
    clock = Clock()
    home, mirror, hub = start(
        [Fault("/resolve/", status=429, headers={"Retry-After": "100"})],
        [],
        patience=patient(clock),
    )
    for n in range(3):
        fetch(home, hub, tmp_path, name=str(n))
    assert clock.slept == []
    assert (len(asked(home)), len(asked(mirror))) == (1, 3)
    clock.now += 99
    fetch(home, hub, tmp_path, name="4")
    assert len(asked(home)) == 1
    clock.now += 2
    fetch(home, hub, tmp_path, name="5")
    assert len(asked(home)) == 2


def test_where_nobody_ever_answered_patience_is_short():
    """3 tries, with waits of 1 s and 2 s between them, instead of 8 in two minutes."""
    clock, said = Clock(), []
    patience = Patience(clock=clock, sleep=clock.sleep)
    with Hub(nobody(), REPO, patience=patience, say=said.append) as hub:
        with pytest.raises(HubError, match="given up after 3 failures in a row") as caught:
            hub.commit("main")
    assert len(clock.slept) == 2
    assert 1 + 2 <= sum(clock.slept) <= 1 + 2 + 2 * 0.25
    assert len(said) == 2
    assert "cannot reach 127.0.0.1: Connection refused" in said[0]
    assert caught.value.hint == "check the network, then run the same command again to continue"


# ------------------------------------------------------------------------------ the token


def test_token_goes_home_only(start, tmp_path):
    """Home answers the questions and breaks every file, so that all endpoints and all storage
    hosts are met; the logs of the servers say who has seen the token."""
    home, one, two, hub = start(
        [Fault("^cdn", cut=9, times=-1), Fault("resolve-cache", cut=9, times=-1)],
        [Fault("^cdn", damage=9, times=-1), Fault("/tree/", status=503)],
        [],
        token="hf_good",
    )
    home.private = True  # whoever does not bring it, gets nothing
    hub.tree(hub.commit("main"))
    for n, path in enumerate((ZIP, CSV, ZIP)):
        fetch(home, hub, tmp_path, path, str(n))
    for server in (home, one, two):
        seen = {call.had_authorization for call in server.log if call.role == "hub"}
        assert seen == {server is home}
        assert {c.had_authorization for c in server.log if c.role == "cdn"} <= {False}
        assert server.tokens_at_the_storage() == []
    assert {c.role for c in home.log} == {"hub", "cdn"}
    assert {c.role for c in one.log} == {"hub", "cdn"}


def test_mirror_that_sends_back_home_does_not_get_the_token(start, tmp_path):
    """An absolute 308 to the hub, as mirrors answer; what home is asked for then is signed."""
    home, mirror, _ = start([], [])
    place = f"{home.endpoint}/datasets/{REPO}/resolve/{home.commit}/{ZIP}"
    home.faults = [Fault("/resolve/", status=503)]
    mirror.faults = [Fault("/resolve/", status=308, headers={"Location": place})]
    with quick([home.endpoint, mirror.endpoint], token="hf_x") as hub:
        assert fetch(home, hub, tmp_path) == BIG
    assert [call.had_authorization for call in mirror.log] == [False]
    assert [c.had_authorization for c in home.log if c.role == "hub"] == [True, True]
    assert home.tokens_at_the_storage() == []

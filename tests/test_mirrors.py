"""A list of endpoints: who is asked, who is passed over, who sees the token. Real HTTP, as ever.

The rule, from which each test's numbers follow:

::

    what an endpoint does                   what happens                        remembered
    fails in a way that may pass            the next, at once                   asked later, a while
    all have failed once                    one wait, then a round again
    429, Retry-After, RateLimit             the next; its own clock             until then
    RevisionNotFound for a known commit     the next                            for that commit
    401, 403, no such repository            the next                            for the run
    EntryNotFound, another 404              the next                            no
    no answer that makes sense              the next                            no
    a wrong hash                            the others first, for that file     asked later, a while
    nobody is left                          an error that has what each said
"""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hub_server import TRAIN, Fault, FaultyHub, publish, quick
from test_hub import BIG, CSV, FILE, REPO, ZIP, Clock, Counter, bodies, listed, patient

from unitalk.errors import AccessError, HubError, IntegrityError, NotFoundError, UsageError
from unitalk.net import Hub, Patience
from unitalk.net.mirrors import Mirror

HALF = 200_000


@pytest.fixture
def served(tmp_path):
    folder = tmp_path / "served"
    publish(folder, "train", TRAIN)
    (folder / ZIP).write_bytes(BIG)
    return folder


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


def test_one_endpoint_is_a_list_of_one(start):
    home, hub = start([])
    assert hub.endpoints == (home.endpoint,)
    assert hub.endpoint == home.endpoint


def test_endpoints_keep_their_order_and_are_there_once():
    with Hub(["http://b/", "http://a", "http://b", "http://c/x/"], REPO) as hub:
        assert hub.endpoints == ("http://b", "http://a", "http://c/x")
        assert hub.endpoint == "http://b"


@pytest.mark.parametrize(
    ("endpoints", "text"),
    [([], "no endpoint"), (["http://a", "b"], "'b' is no endpoint"), ([""], "'' is no endpoint")],
)
def test_list_that_cannot_be_one(endpoints, text):
    with pytest.raises(UsageError, match=text):
        Hub(endpoints, REPO)


@pytest.mark.parametrize(
    ("endpoint", "url", "expected"),
    [
        ("http://m", "https://hub/api/x?cursor=1", "http://m/api/x?cursor=1"),
        ("http://m:81", "http://m/api/x", "http://m:81/api/x"),
        # A mirror below a path, that hands the hub's links on and that rewrites them.
        ("http://m/hf", "https://hub/api/x?cursor=1", "http://m/hf/api/x?cursor=1"),
        ("http://m/hf", "http://m/hf/api/x?cursor=1", "http://m/hf/api/x?cursor=1"),
        ("http://m/hf", "http://m/hfx/api", "http://m/hf/hfx/api"),
    ],
)
def test_links_lead_to_where_the_first_page_came_from(endpoint, url, expected):
    assert Mirror(endpoint=endpoint, place=0, repository=REPO).here(url) == expected


# ------------------------------------------------------------------------------ questions


def test_home_answers_and_nobody_else_is_asked(start):
    home, mirror, hub = start([], [])
    assert hub.commit("main") == home.commit
    assert len(hub.tree(home.commit)) == 4
    assert mirror.heard == []
    assert hub.warnings == {}


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_failure_goes_on_to_the_next_at_once(start, status):
    clock, said = Clock(), []
    home, mirror, hub = start(
        [Fault("/revision/", status=status)], [], patience=patient(clock), say=said.append
    )
    assert hub.commit("main") == mirror.commit
    assert clock.slept == []
    assert (asked(home), asked(mirror)) == ([(status, "revision")], [(200, "revision")])
    assert len(said) == 1
    assert f"answered {status}" in said[0]


def test_unreachable_home(start):
    clock = Clock()
    mirror, _ = start([])
    endpoints = [nobody(), mirror.endpoint]
    with quick(endpoints, patience=patient(clock)) as hub:
        assert hub.commit("main") == mirror.commit
        assert len(hub.tree(mirror.commit)) == 4
    assert clock.slept == []


def test_wait_only_after_a_whole_round(start):
    """Three endpoints, each failing twice: 3 at once, a wait of 1/2 to 1 s, 3, one of 1 to 2 s."""
    clock = Clock()
    fault = {"status": 503, "times": 2}
    *servers, hub = start(*([Fault("/revision/", **fault)] for _ in "abc"), patience=patient(clock))
    hub.commit("main")
    assert [len(asked(server)) for server in servers].count(2) >= 2
    assert sum(len(asked(server)) for server in servers) == 7
    # Three backoffs are drawn for a round and each is waited for from the same moment, so there
    # are at most three sleeps a round, which together are no longer than the longest of them.
    first, second = 1.0, 2.0
    assert first / 2 <= sum(clock.slept) <= first + second
    assert len(clock.slept) <= 6


@pytest.mark.parametrize(
    "fault",
    [
        Fault("/revision/", body=b"<html>log in", headers={"Content-Type": "text/html"}),
        Fault("/revision/", body=b'{"sha": "main"}'),
        Fault("/revision/", status=404, code="RevisionNotFound"),
        Fault("/revision/", status=401),
        Fault("/revision/", status=403, code="GatedRepo"),
        Fault("/revision/", status=302, headers={"Location": "ftp://127.0.0.1/"}),
        Fault("/revision/", loop=True, times=-1),
        Fault("/revision/", cut=10),
        Fault("/revision/", rst=10),
        Fault("/revision/", stall=10),
        Fault("/revision/", hold=True),
    ],
    ids=lambda fault: str(fault.code or fault.status or fault.body or "line"),
)
def test_any_failure_at_home_is_made_good_by_a_mirror(start, fault):
    home, mirror, hub = start([fault], [])
    assert hub.commit("main") == mirror.commit
    assert asked(mirror) == [(200, "revision")]


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


def test_commit_itself_cannot_be_old(start):
    home, mirror, hub = start([Fault("/revision/", status=503)], [])
    assert hub.commit(mirror.commit) == mirror.commit
    assert hub.warnings == {}


def test_hostile_listing_at_home_is_not_used(start):
    body = b'[{"type": "file", "path": "../a", "size": 1, "oid": "%s"}]' % (b"0" * 40)
    home, mirror, hub = start([Fault("/tree/", body=body)], [])
    assert [file.path for file in hub.tree(mirror.commit)] == sorted(mirror.entries)


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
    # It is asked for what it has.
    assert hub.commit(old.commit) == old.commit


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
    assert caught.value.hint == "run the command again to continue where it stopped"
    assert len(asked(home)) == len(asked(mirror)) == 5


@pytest.mark.parametrize(
    ("home_says", "mirror_says", "kind", "hint"),
    [
        ((403, "GatedRepo"), (404, "RevisionNotFound"), AccessError, "accept the terms"),
        ((404, "RevisionNotFound"), (403, ""), NotFoundError, "branch, tag or commit"),
        ((401, ""), (503, ""), NotFoundError, "set HF_TOKEN"),
        ((503, ""), (404, "RevisionNotFound"), HubError, "run the command again"),
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


def test_what_nobody_had_is_asked_for_again(start):
    """A refusal is remembered to pass an endpoint over, not to refuse for it."""
    gated = {"status": 403, "code": "GatedRepo"}
    home, mirror, hub = start([Fault("/revision/", **gated)], [Fault("/revision/", **gated)])
    with pytest.raises(AccessError):
        hub.commit("main")
    assert hub.commit("main") == home.commit


# ------------------------------------------------------------------------------ files


def test_files_come_from_home_while_it_gives_them(start, tmp_path):
    home, mirror, hub = start([], [])
    for n in range(3):
        assert fetch(home, hub, tmp_path, name=str(n)) == BIG
    assert mirror.heard == []


@pytest.mark.parametrize("how", ["cut", "rst", "stall"])
@pytest.mark.parametrize("at", [1, HALF, 399_999])
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


def test_file_that_home_lacks_is_nothing_against_it(start, tmp_path):
    lacks = Fault(f"/resolve/.*{ZIP}", status=404, code="EntryNotFound", times=-1)
    home, mirror, hub = start([lacks], [])
    assert fetch(home, hub, tmp_path) == BIG
    assert len(fetch(home, hub, tmp_path, CSV, "two")) > 0
    assert asked(home) == [(404, "resolve"), (307, "resolve")]
    assert asked(mirror) == [(302, "resolve")]


@pytest.mark.parametrize(
    ("status", "code", "again"),
    [
        (404, "RevisionNotFound", 1),
        (403, "GatedRepo", 1),
        (403, "", 1),
        (401, "", 1),
        (404, "RepoNotFound", 1),
        (404, "EntryNotFound", 3),
        (404, "", 3),
        (410, "", 3),
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


def test_one_endpoint_alone_is_never_named_as_passed_over(start, tmp_path):
    home, hub = start([Fault("/resolve/", status=403), Fault(FILE, damage=1)])
    with pytest.raises(AccessError):
        fetch(home, hub, tmp_path)
    assert fetch(home, hub, tmp_path) == BIG
    assert hub.warnings == {}


def test_wrong_hash_goes_to_the_next(start, tmp_path):
    home, mirror, hub = start([Fault(FILE, damage=5, times=-1)], [])
    assert fetch(home, hub, tmp_path) == BIG
    assert bodies(home) == [(None, 200, 400_000)]
    assert bodies(mirror) == [(None, 200, 400_000)]
    assert "have the hash" in hub.warnings[home.endpoint]


def test_wrong_hash_is_held_against_an_endpoint_for_a_while(start, tmp_path):
    """One failure in a row: others are preferred for 1 s; then home is asked first again."""
    clock = Clock()
    home, mirror, hub = start([Fault(FILE, damage=5)], [], patience=patient(clock))
    fetch(home, hub, tmp_path, name="1")
    clock.now += 0.9
    fetch(home, hub, tmp_path, name="2")
    assert (len(bodies(home)), len(bodies(mirror))) == (1, 2)
    clock.now += 0.2
    fetch(home, hub, tmp_path, name="3")
    assert (len(bodies(home)), len(bodies(mirror))) == (2, 2)


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


def test_wrong_hash_once_at_each_ends_well(start, tmp_path):
    *_, hub = servers = start(*([Fault(FILE, damage=n)] for n in range(3)))
    assert fetch(servers[0], hub, tmp_path) == BIG
    assert [len(bodies(server)) for server in servers[:3]] == [2, 1, 1]


def test_wrong_bytes_of_an_earlier_run_are_nobodys_fault(start, tmp_path):
    home, mirror, hub = start([], [])
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/one.part").write_bytes(b"x" * 1000)
    assert fetch(home, hub, tmp_path) == BIG
    assert [range_ for range_, _, _ in bodies(home)] == ["bytes=1000-", None]
    assert mirror.heard == []
    assert hub.warnings == {}


def test_range_that_home_refuses_is_asked_of_the_mirror(start, tmp_path):
    """416 and 206 from elsewhere are the endpoint's fault first: the bytes are kept."""
    home, mirror, hub = start([Fault(FILE, cut=HALF), Fault(FILE, shift_range=7, times=-1)], [])
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/one.part").write_bytes(BIG[:1000])
    home.faults.pop(0)
    assert fetch(home, hub, tmp_path) == BIG
    assert bodies(mirror) == [("bytes=1000-", 206, 399_000)]


def test_who_is_in_doubt_is_asked_last(start, tmp_path):
    """Home says nothing; after one read timeout the second file does not wait for it."""
    silent = Fault("/resolve/", hold=True, times=-1)
    home, mirror, hub = start([silent], [], patience={"backoff": 300.0, "longest": 300.0})
    fetch(home, hub, tmp_path, name="1")
    fetch(home, hub, tmp_path, name="2")
    assert len(home.heard) == 1
    assert len(asked(mirror)) == 2


def test_doubt_grows_and_ends_with_a_proof(start, tmp_path):
    """Doubted for 1 s after the first failure, for 2 s after the second in a row, then trusted."""
    clock = Clock()
    home, mirror, hub = start(
        [Fault("/resolve/", status=500, times=2)], [], patience=patient(clock)
    )
    counts = []
    for n, wait in enumerate([0, 1.1, 1.1, 1.1, 0, 0]):
        clock.now += wait
        fetch(home, hub, tmp_path, name=str(n))
        counts.append(len(asked(home)))
    #        fails; 1 s over, fails; 2 s not over; over, good; good; good
    assert counts == [1, 2, 2, 3, 4, 5]
    # What has been proven counts from the start: 1 s again, where it would be 4.
    home.faults.append(Fault("/resolve/", status=500))
    fetch(home, hub, tmp_path, name="6")
    clock.now += 1.1
    fetch(home, hub, tmp_path, name="7")
    assert len(asked(home)) == 7


def test_endpoint_that_fails_on_and_on_is_named(start, tmp_path):
    clock = Clock()
    home, mirror, hub = start(
        [Fault("/resolve/", status=500, times=-1)], [], patience=patient(clock, tries=4)
    )
    for n in range(4):
        assert list(hub.warnings) == []
        fetch(home, hub, tmp_path, name=str(n))
        clock.now += 400  # longer than any doubt
    assert list(hub.warnings) == [home.endpoint]


def test_nobody_left_for_a_file(start, tmp_path):
    home, mirror, hub = start(
        [Fault("/resolve/", status=404, code="EntryNotFound", times=-1)],
        [Fault(FILE, cut=0, times=-1)],
    )
    with pytest.raises(NotFoundError, match=ZIP) as caught:
        fetch(home, hub, tmp_path)
    assert "EntryNotFound" in caught.value.message
    assert f"{mirror.endpoint}: given up after 5 failures" in caught.value.message
    assert (len(asked(home)), len(bodies(mirror))) == (1, 5)


def test_many_files_while_home_dies(start, served, tmp_path):
    """Eight threads, 24 files; home gives 10 answers, which is 5 files at most, and then resets."""
    home, mirror, hub = start([Fault("", rst=0, pause=0, after=10, times=-1)], [])
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(fetch, home, hub, tmp_path, ZIP, str(n)) for n in range(24)]
        assert [job.result(60) for job in jobs] == [BIG] * 24
    whole = [call for call in home.log if call.role == "cdn" and call.sent == 400_000]
    assert 24 - 5 <= len(bodies(mirror)) <= 24
    assert len(whole) <= 5


@pytest.mark.parametrize("sound", [0, 1, 2])
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


@pytest.mark.parametrize(("home_asks", "mirror_asks", "first"), [(100, 40, 1), (40, 100, 0)])
def test_when_all_ask_for_patience_the_shortest_is_waited_for(start, home_asks, mirror_asks, first):
    clock = Clock()
    *servers, hub = start(
        *(
            [Fault("/revision/", status=429, headers={"Retry-After": str(seconds)})]
            for seconds in (home_asks, mirror_asks)
        ),
        patience=patient(clock),
    )
    hub.commit("main")
    assert 40 <= sum(clock.slept) <= 40.25
    assert asked(servers[first]) == [(429, "revision"), (200, "revision")]
    assert asked(servers[1 - first]) == [(429, "revision")]


def test_quota_of_one_is_not_that_of_another(start):
    clock = Clock()
    limit = {"RateLimit": '"api";r=0;t=55'}
    home, mirror, hub = start([Fault("", headers=limit)], [], patience=patient(clock))
    assert hub.commit("main") == home.commit
    assert hub.commit("main") == home.commit
    assert clock.slept == []
    assert (len(asked(home)), len(asked(mirror))) == (1, 1)


def test_who_will_answer_later_is_waited_for_when_the_other_never_does(start):
    """The mirror's 5 failures last 1 + 2 + 4 + 8 s at most; home's 300 s are waited for all the
    same, since it is the only one left."""
    clock = Clock()
    home, mirror, hub = start(
        [Fault("/revision/", status=429, headers={"Retry-After": "300"})],
        [Fault("/revision/", status=500, times=-1)],
        patience=patient(clock),
    )
    assert hub.commit("main") == home.commit
    assert 300 <= sum(clock.slept) <= 300.25
    assert (len(asked(home)), len(asked(mirror))) == (2, 5)


def test_threads_share_the_clock_of_each_endpoint(start, tmp_path):
    home, mirror, hub = start(
        [Fault("/resolve/", status=429, headers={"Retry-After": "60"})],
        [],
        patience={"longest": 60.0},
    )
    fetch(home, hub, tmp_path, name="first")
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(fetch, home, hub, tmp_path, ZIP, str(n)) for n in range(8)]
        assert {job.result(30) for job in jobs} == {BIG}
    assert len(asked(home)) == 1


def test_where_nobody_ever_answered_patience_is_short():
    """3 tries, with waits of 1/2 to 1 s and 1 to 2 s between them, instead of 8 in two minutes."""
    clock, said = Clock(), []
    patience = Patience(clock=clock, sleep=clock.sleep)
    with Hub(nobody(), REPO, patience=patience, say=said.append) as hub:
        with pytest.raises(HubError, match="given up after 3 failures in a row") as caught:
            hub.commit("main")
    assert len(clock.slept) == 2
    assert 1.5 <= sum(clock.slept) <= 3
    assert len(said) == 2
    assert "ConnectionError with 127.0.0.1" in said[0]
    assert caught.value.hint == "run the command again to continue where it stopped"


def test_name_that_does_not_resolve_is_told_soon(monkeypatch):
    def look_up(*args, **options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    clock = Clock()
    with (
        Hub("http://hub.invalid", REPO, patience=Patience(clock=clock, sleep=clock.sleep)) as hub,
        pytest.raises(HubError, match=r"given up after 3 .* with hub\.invalid.*not known"),
    ):
        hub.commit("main")


def test_where_somebody_has_answered_patience_is_long(start, tmp_path):
    clock = Clock()
    closing = Fault("/revision/", headers={"Connection": "close", "Content-Length": ""})
    home, hub = start([closing], patience=patient(clock, tries=6))
    assert hub.commit("main") == home.commit
    home.__exit__()
    with pytest.raises(HubError, match="given up after 6 failures"):
        hub.commit("main")
    assert len(clock.slept) == 5


def test_unreachable_mirrors_are_all_named():
    first, second = nobody(), nobody()
    with quick([first, second]) as hub, pytest.raises(HubError) as caught:
        hub.commit("main")
    assert f"{first}: given up after 3 failures" in caught.value.message
    assert f"{second}: given up after 3 failures" in caught.value.message


def test_stop_while_the_next_endpoint_is_asked(start):
    home, mirror, hub = start(
        [Fault("/revision/", status=503, times=-1)], [Fault("/revision/", hold=True)]
    )
    threading.Timer(0.2, hub.abort).start()
    with pytest.raises(HubError, match="stopped"):
        hub.commit("main")


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


def test_home_that_sends_to_a_mirror_keeps_the_token(start):
    home, mirror, hub = start([], [], token="hf_x")
    place = f"{mirror.endpoint}/api/datasets/{REPO}/revision/main"
    home.faults = [Fault("/revision/", status=308, headers={"Location": place})]
    assert hub.commit("main") == mirror.commit
    assert [call.had_authorization for call in home.log] == [True]
    assert [call.had_authorization for call in mirror.log] == [False]


def test_mirror_that_wants_a_token_is_passed_over(start, tmp_path):
    home, mirror, other, hub = start(
        [Fault("/resolve/", status=503, times=-1)], [], [], token="hf_good"
    )
    mirror.private = True
    fetch(home, hub, tmp_path, name="1")
    fetch(home, hub, tmp_path, name="2")
    assert [call.status for call in mirror.log] == [401]
    assert len(bodies(other)) == 2

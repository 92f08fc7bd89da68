"""The client against a hub that misbehaves: real HTTP on the loopback interface."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import ssl
import time

import pytest
import requests
from hub_client import (
    BIG,
    CSV,
    FILE,
    REPO,
    ZIP,
    Clock,
    Counter,
    Raw,
    bodies,
    certificate,
    listed,
    patient,
    serve_big,
    trusting,
)
from hub_server import Fault, FaultyHub, quick

from unitalk.errors import AccessError, HubError, IntegrityError, NotFoundError, UsageError
from unitalk.net import (
    ENDPOINT,
    Hub,
    Patience,
    RemoteFile,
    credentials,
    patience,
)


@pytest.fixture
def served(tmp_path):
    return serve_big(tmp_path / "served")


@pytest.fixture
def start(served):
    """Start a hub with faults and a client for it; both are closed at the end."""
    with contextlib.ExitStack() as stack:

        def begin(*faults, page_size=1000, **options):
            server = stack.enter_context(FaultyHub(served, faults=faults, page_size=page_size))
            hub = stack.enter_context(quick(server.endpoint, **options))
            return server, hub

        yield begin


def fetch(server, hub, tmp_path, path=ZIP):
    """Fetch one file; return where it is and what was counted."""
    counter = Counter()
    part = tmp_path / "parts" / "one.part"
    hub.fetch(listed(server, path), server.commit, part, counter)
    return part, counter


# ------------------------------------------------------------------------------ questions


def test_commit_and_tree(start, served):
    server, hub = start()
    assert hub.commit("main") == server.commit
    files = hub.tree(server.commit)
    assert [f.path for f in files] == sorted(
        p.relative_to(served).as_posix() for p in served.rglob("*") if p.is_file()
    )
    by_path = {f.path: f for f in files}
    assert by_path[ZIP].sha256 == by_path[ZIP].hash == hashlib.sha256(BIG).hexdigest()
    assert by_path[ZIP].size == 400_000
    content = (served / CSV).read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    assert by_path[CSV].sha256 is None
    assert by_path[CSV].hash == blob


def test_link_to_another_host_is_followed_on_ours(start, monkeypatch):
    server, hub = start(page_size=2)
    place = f"/api/datasets/{REPO}/tree/{server.commit}?recursive=true&cursor=2"
    server.next_link = f'<https://elsewhere.invalid{place}>; rel="next"'
    assert len(hub.tree(server.commit)) == 4


def test_link_in_circles_ends(start):
    server, hub = start(page_size=2)
    place = f"{server.endpoint}/api/datasets/{REPO}/tree/{server.commit}?recursive=true"
    server.next_link = f'<{place}&expand=false>; rel="next"'
    assert len(hub.tree(server.commit)) == 2
    assert len(server.log) == 1


@pytest.mark.parametrize(
    "path",
    [
        "../a.zip",
        "a/../../b.zip",
        "/etc/passwd",
        "a\\b.zip",
        "C:/a.zip",
        ".",
        "a\x00b",
        7,
    ],
)
def test_hostile_paths_in_the_listing_are_refused(start, path):
    body = listing({"type": "file", "path": path, "size": 1, "oid": "0" * 40})
    server, hub = start(body)
    with pytest.raises(HubError, match="leads out of its folder"):
        hub.tree(server.commit)


def listing(*entries):
    import json

    return Fault(r"/tree/", times=-1, body=json.dumps(list(entries)).encode())


@pytest.mark.parametrize(
    "change",
    [
        {"type": "submodule"},
        {"size": -1},
        {"size": True},
        {"oid": "xyz"},
        {"lfs": {"oid": "0" * 40}},
    ],
)
def test_listing_without_sense_is_refused(start, change):
    good = {"type": "file", "path": "a", "size": 1, "oid": "0" * 40}
    server, hub = start(listing({**good, **change}))
    with pytest.raises(HubError, match="lists what is no file"):
        hub.tree(server.commit)


def test_questions_have_a_timeout(start):
    server, hub = start(Fault("/revision/", stall=3))
    began = time.monotonic()
    assert hub.commit("main") == server.commit
    assert time.monotonic() - began < 3


def test_tries_have_an_end(start):
    server, hub = start(Fault("/revision/", status=503, times=-1, said="busy"))
    with pytest.raises(HubError, match=r"5 failures in a row.*503.*busy") as caught:
        hub.commit("main")
    assert caught.value.hint == "check the network, then run the same command again to continue"
    assert len(server.log) == 5


@pytest.mark.parametrize(
    ("place", "fault", "words"),
    [
        ("/revision/", {"html": "page"}, "not JSON"),
        ("/revision/", {"body": b'{"sha": "main"}'}, "names no commit"),
        ("/revision/", {"body": b"[]"}, "names no commit"),
        ("/tree/", {"body": b"{}"}, "no list of files"),
    ],
)
def test_an_answer_without_sense_is_not_asked_for_again(start, place, fault, words):
    server, hub = start(Fault(place, times=-1, **fault))
    with pytest.raises(HubError, match=words):
        hub.tree(hub.commit("main"))
    assert len([call for call in server.log if place in call.path]) == 1


class Broken(requests.Session):
    """A line that never brings an answer, as the library tells of it."""

    def __init__(self, error):
        super().__init__()
        self.error = error
        self.count = 0

    def get(self, url, **options):
        self.count += 1
        raise self.error


def test_other_tls_faults_are_tried_again():
    session = Broken(requests.exceptions.SSLError("EOF occurred in violation of protocol"))
    with (
        quick("https://hub.invalid", session=session) as hub,
        pytest.raises(HubError, match=r"SSLError with hub\.invalid: EOF occurred"),
    ):
        hub.commit("main")
    assert session.count == 5


def test_signed_addresses_are_not_shown():
    text = "Max retries exceeded with url: /x?X-Amz-Signature=secret&a=b (Caused by it)"
    session = Broken(requests.ConnectionError(text))
    with quick("https://hub.invalid", session=session) as hub, pytest.raises(HubError) as caught:
        hub.commit("main")
    assert "secret" not in caught.value.message
    assert "/x?... (Caused by it)" in caught.value.message


def test_whoever_waits_for_an_answer_is_told_why(start):
    said = []
    _, hub = start(Fault("/revision/", status=503, times=2, said="busy"), say=said.append)
    hub.commit("main")
    assert len(said) == 2
    assert all("answered 503, busy" in text and text.endswith("; trying again") for text in said)


@pytest.mark.parametrize("name", ["http_proxy", "ALL_PROXY"])
def test_proxy_of_the_environment_is_not_asked_for_this_machine(start, monkeypatch, name):
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    server, hub = start()
    assert hub.commit("main") == server.commit


def test_proxy_of_the_environment_is_asked_for_others(served, monkeypatch):
    with FaultyHub(served) as proxy:
        monkeypatch.setenv("http_proxy", proxy.endpoint)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        with quick("http://hub.invalid") as hub:
            assert hub.commit("main") == proxy.commit


def test_certificates_of_the_environment_are_trusted(served, tmp_path, monkeypatch):
    """Behind a proxy that inspects TLS, REQUESTS_CA_BUNDLE says whom to trust; else nobody is."""
    answer = b'{"sha": "%s"}' % (b"a" * 40)

    def serve(line, server):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(tmp_path))
        with contextlib.suppress(OSError), context.wrap_socket(line, server_side=True) as inner:
            inner.recv(1 << 16)
            head = (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            )
            inner.sendall(head % len(answer) + answer)

    with Raw(serve) as server, quick(f"https://127.0.0.1:{server.port}") as hub:
        with pytest.raises(HubError, match="certificate is not trusted"):
            hub.commit("main")
        assert server.taken == 1  # it would fail again
        trusting(monkeypatch, tmp_path)
        assert hub.commit("main") == "a" * 40


def test_certificates_that_are_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with quick("https://hub.invalid") as hub, pytest.raises(HubError) as caught:
        hub.commit("main")
    assert "hub.invalid cannot be asked" in caught.value.message
    assert "none.pem" in caught.value.message
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint


@pytest.mark.parametrize("proxy", ["ftp://proxy.invalid", "http://a:b:c"])
def test_proxy_that_cannot_be_one_is_told_at_once(monkeypatch, proxy):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", proxy)
    clock = Clock()
    with (
        quick("http://hub.invalid", patience=patient(clock)) as hub,
        pytest.raises(HubError) as caught,
    ):
        hub.commit("main")
    assert "proxy" in caught.value.message + caught.value.hint
    assert sum(clock.slept) <= 3


def test_no_proxy_is_honoured(start, monkeypatch):
    """The proxy would answer; the name, which NO_PROXY keeps from it, leads nowhere."""
    server, _ = start()
    monkeypatch.setenv("http_proxy", server.endpoint)
    monkeypatch.setenv("no_proxy", "hub.invalid")
    monkeypatch.setenv("NO_PROXY", "hub.invalid")
    with quick("http://hub.invalid") as hub, pytest.raises(HubError, match=r"hub\.invalid"):
        hub.commit("main")
    assert server.heard == []


class Ports(FaultyHub):
    """Remembers from which port of the client each request came."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.ports = {"hub": [], "cdn": []}

    def send(self, call, reply, handler):
        self.ports[call.role].append(handler.client_address[1])
        return super().send(call, reply, handler)


def test_connections_are_used_again(served, tmp_path):
    """Also behind redirects and refusals: a handshake a host, not a handshake a request."""
    busy = Fault("/revision/", status=503, said="busy")
    with Ports(served, faults=(busy,)) as server, quick(server.endpoint) as hub:
        hub.tree(hub.commit("main"))
        for n in range(3):
            for path in (ZIP, CSV):
                part = tmp_path / f"{n}.part"
                hub.fetch(listed(server, path), server.commit, part, lambda _: None)
                part.unlink()
        # 2 times revision, tree; 3 times resolve, and for the csv resolve and resolve-cache
        assert len(server.ports["hub"]) == 3 + 3 + 6
        assert len(server.ports["cdn"]) == 3
        assert len(set(server.ports["hub"])) == len(set(server.ports["cdn"])) == 1


def test_long_text_of_a_redirect_is_not_waited_for(start):
    """100 MB of nothing behind a redirect, and ten redirects: the connections are dropped."""
    sent = []

    def serve(line, server):
        with contextlib.suppress(OSError):
            line.recv(1 << 16)
            line.sendall(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 100000000\r\n\r\n")
            for _ in range(100):
                line.sendall(bytes(1_000_000))
                sent.append(1_000_000)

    with Raw(serve) as server, quick(f"http://127.0.0.1:{server.port}") as hub:
        with pytest.raises(HubError, match="redirected in circles"):
            hub.commit("main")
        assert server.taken == 10
    # What the kernel has taken by then is all that is sent.
    assert sum(sent) < 10 * 20_000_000


def test_what_a_stranger_says_cannot_command_a_terminal(start):
    said = "\x1b[2Jno \x07entry"
    server, hub = start(
        Fault("/revision/", headers={"X-HF-Warning": "old; \x1b[31mupgrade"}),
        Fault("/revision/", status=404, said=said, headers={"X-Request-Id": "\x1b]0;x"}),
    )
    hub.commit("main")
    with pytest.raises(NotFoundError, match=r"no entry \(X-Request-Id \]0;x\)") as caught:
        hub.commit("main")
    assert caught.value.message.isprintable()
    assert hub.warnings == {"old": "[31mupgrade"}


# ------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("answer", "token", "kind", "hint"),
    [
        ((404, "RevisionNotFound", "Invalid rev id"), None, NotFoundError, "branch"),
        ((404, "RepoNotFound", ""), "hf_x", NotFoundError, "check the name"),
        ((401, "RepoNotFound", ""), None, NotFoundError, "set HF_TOKEN"),
        ((401, "", ""), None, NotFoundError, "set HF_TOKEN"),
        ((401, "", "Invalid credentials in Authorization header"), "hf_x", AccessError, "wrong"),
        ((401, "GatedRepo", ""), None, AccessError, "accept the terms"),
        ((403, "GatedRepo", ""), "hf_x", AccessError, "accept the terms"),
        ((403, "", "Access to this resource is disabled."), "hf_x", AccessError, "closed"),
        ((403, "", ""), "hf_x", AccessError, "does not allow"),
        ((404, "", ""), None, NotFoundError, "endpoint"),
        ((400, "", ""), None, HubError, "proxy"),
    ],
)
def test_refusals_are_told_apart_and_not_repeated(start, answer, token, kind, hint):
    status, code, said = answer
    server, hub = start(
        Fault("/revision/", status=status, code=code, said=said, times=-1), token=token
    )
    with pytest.raises(kind) as caught:
        hub.commit("main")
    assert type(caught.value) is kind
    assert hint in caught.value.hint
    assert str(status) in caught.value.message
    assert len(server.log) == 1


def test_redirect_to_what_is_not_http(start):
    place = {"Location": "file:///etc/passwd"}
    server, hub = start(Fault("/revision/", status=302, headers=place))
    with pytest.raises(HubError, match="not HTTP"):
        hub.commit("main")
    assert len(server.log) == 1


# ------------------------------------------------------------------------------ bytes


@pytest.mark.parametrize("path", [ZIP, CSV])
def test_fetch(start, served, tmp_path, path):
    server, hub = start()
    part, counter = fetch(server, hub, tmp_path, path)
    content = (served / path).read_bytes()
    assert part.read_bytes() == content
    assert counter.total == len(content)
    assert len(server.log) == 2  # resolve, and the place it names


@pytest.mark.parametrize("content", [b"odd", b""])
def test_odd_names_are_quoted_and_files_may_be_empty(start, served, tmp_path, content):
    name = "csv/train/a b#c%d+é.csv"
    (served / name).write_bytes(content)
    server, hub = start()
    assert name in [file.path for file in hub.tree(server.commit)]
    part, _ = fetch(server, hub, tmp_path, name)
    assert part.read_bytes() == content


def test_line_that_breaks_again_and_again_but_advances(start, tmp_path):
    # More cuts than tries: every one brings bytes, so none of them counts for long.
    server, hub = start(*[Fault(FILE, cut=30_000) for _ in range(10)])
    part, _ = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG
    ranges = [asked for asked, _, _ in bodies(server)]
    assert ranges == [None] + [f"bytes={30_000 * n}-" for n in range(1, 11)]


def test_identity_is_asked_for_on_every_request(start, tmp_path):
    # Like a real storage network: whoever does not ask for identity gets gzip, and no range.
    picky = Fault("", unless_identity=True, gzip=True, ignore_range=True, times=-1)
    server, hub = start(picky, Fault(FILE, cut=50_000))
    hub.tree(hub.commit("main"))
    part, _ = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG
    assert bodies(server)[1] == ("bytes=50000-", 206, 350_000)
    assert get_without_identity(server).headers["Content-Encoding"] == "gzip"


def get_without_identity(server):
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"{server.endpoint}/api/datasets/{REPO}/revision/main", timeout=5)


@pytest.mark.parametrize("path", [ZIP, CSV])
def test_same_size_damage_always_names_both_hashes(start, tmp_path, path):
    server, hub = start(Fault(FILE, damage=5, times=-1))
    with pytest.raises(IntegrityError) as caught:
        fetch(server, hub, tmp_path, path)
    content = bytearray(server.entries[path].file.read_bytes())
    content[5] ^= 1
    blob = b"blob %d\0" % len(content) + content
    wrong = hashlib.sha256(content) if path == ZIP else hashlib.sha1(blob)
    assert wrong.hexdigest() in caught.value.message
    assert listed(server, path).hash in caught.value.message
    assert not (tmp_path / "parts/one.part").exists()
    assert len(bodies(server)) == 3  # one, and two more


def test_other_length_than_listed_is_not_saved(start, tmp_path):
    server, hub = start(Fault(FILE, body=b"<html>sorry</html>", times=-1))
    with pytest.raises(HubError, match="18 bytes are offered, listed are 400,000"):
        fetch(server, hub, tmp_path)
    assert not (tmp_path / "parts/one.part").exists()


def test_storage_that_refuses_gets_a_new_address(start, tmp_path):
    server, hub = start(Fault("^cdn", cut=50_000), Fault("^cdn", status=403))
    assert fetch(server, hub, tmp_path)[0].read_bytes() == BIG
    assert [(c.role, c.range) for c in server.log] == [
        ("hub", None),
        ("cdn", None),
        ("hub", "bytes=50000-"),
        ("cdn", "bytes=50000-"),
        ("hub", "bytes=50000-"),
        ("cdn", "bytes=50000-"),
    ]


def test_file_that_is_not_there(start, tmp_path):
    server, hub = start()
    gone = RemoteFile(path="csv/train/gone.csv", size=3, sha256=None, git_sha1="0" * 40)
    with pytest.raises(NotFoundError, match="EntryNotFound"):
        hub.fetch(gone, server.commit, tmp_path / "x", lambda _: None)


def test_full_disk_is_not_tried_again_and_keeps_what_has_come(start, tmp_path):
    # The report of bytes stands right behind the write, so it is where a test can fill the disk.
    server, hub = start()
    part = tmp_path / "one.part"

    def full(amount):
        if amount:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        hub.fetch(listed(server), server.commit, part, full)
    assert len(bodies(server)) == 1
    assert BIG.startswith(part.read_bytes())
    assert part.stat().st_size > 0


@pytest.mark.parametrize(
    ("left", "asked"),
    [
        (BIG[:123_456], ["bytes=123456-"]),
        (BIG + b"!", [None]),  # longer than the file
        (b"x" * 1000, ["bytes=1000-", None]),  # damaged, as the hash tells
    ],
)
def test_an_earlier_partial_is_continued_if_it_can_be(start, tmp_path, left, asked):
    server, hub = start()
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/one.part").write_bytes(left)
    part, counter = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG
    assert [range_ for range_, _, _ in bodies(server)] == asked
    assert counter.calls[0] in {len(left), 0}
    assert counter.total == 400_000


REST = "bytes=50000-"
WRONG_PIECE = {"shift_range": 7}


@pytest.mark.parametrize(
    ("faults", "asked"),
    [
        ([{"cut": 50_000}], [None, REST]),
        ([{"stall": 50_000}], [None, REST]),
        # nothing but the listed size can tell that this body is not whole
        ([{"cut": 50_000, "headers": {"Content-Length": ""}}], [None, REST]),
        ([{"cut": 50_000}, {"ignore_range": True}], [None, None]),  # as the server heard it
        ([{"cut": 50_000}, WRONG_PIECE], [None, REST, REST]),
        # twice refused, the whole is asked for
        ([{"cut": 50_000}, WRONG_PIECE, WRONG_PIECE], [None, REST, REST, None]),
        ([{"cut": 50_000}, {"status": 416}, {"status": 416}], [None, REST, REST, None]),
        ([{"cut": 50_000}, {"wrong_total": 1}], [None, REST, REST]),
        ([{"cut": 50_000}, {"headers": {"Content-Range": "bytes */400000"}}], [None, REST, REST]),
        ([{"cut": 50_000}, {"headers": {"Content-Range": "bytes 50000-399999/*"}}], [None, REST]),
        ([{"cut": 50_000}, {"gzip": True}], [None, REST, REST]),
        ([{"gzip": True}], [None]),
        ([{"too_much": True, "headers": {"Content-Length": ""}}], [None, None]),
        ([{"html": "padded"}], [None, None]),  # status 200 and the right size: only the hash tells
    ],
    ids=str,
)
def test_a_broken_line_or_a_wrong_piece_costs_no_more_than_it_must(start, tmp_path, faults, asked):
    server, hub = start(*(Fault(FILE, **fault) for fault in faults))
    part, counter = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG
    assert counter.total == 400_000
    assert [range_ for range_, _, _ in bodies(server)] == asked


@pytest.mark.parametrize("fault", [{"cut": 0}, {"cut": 1000, "ignore_range": True}])
def test_line_that_brings_nothing_new_is_given_up(start, tmp_path, fault):
    """The second brings the same 1,000 bytes each time: not one more than before."""
    server, hub = start(Fault(FILE, times=-1, **fault))
    with pytest.raises(HubError, match="given up after 5 failures"):
        fetch(server, hub, tmp_path)
    assert len(bodies(server)) == 5


# ------------------------------------------------------------------------------ the token


def test_token_never_reaches_the_storage(start, tmp_path):
    server, hub = start(Fault(FILE, cut=9), Fault("^cdn", status=403), token="hf_secret")
    hub.tree(hub.commit("main"))
    fetch(server, hub, tmp_path)
    assert {c.had_authorization for c in server.log if c.role == "hub"} == {True}
    assert {c.had_authorization for c in server.log if c.role == "cdn"} == {False}


def test_netrc_is_never_used(start, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server, hub = start()
    # The trap is set: plain requests would send it.
    with requests.Session() as session:
        assert session.get(server.endpoint + "/x", timeout=5).status_code == 404
    assert server.log[-1].had_authorization
    before = len(server.log)
    fetch(server, hub, tmp_path)
    assert {call.had_authorization for call in server.log[before:]} == {False}


@pytest.mark.parametrize("token", ["a b", "a\nb", "é"])
def test_token_that_cannot_be_one(token):
    with pytest.raises(UsageError) as caught:
        Hub(ENDPOINT, REPO, token=token)
    assert token not in str(caught.value)


@pytest.mark.parametrize("repository", ["name", "a/b/c", "a--b/c", "../b", "a/b.git", "a/ b"])
def test_repository_that_cannot_be_one(repository):
    with pytest.raises(UsageError, match="is no repository"):
        Hub(ENDPOINT, repository)


@pytest.mark.parametrize("endpoint", ["hub", "ftp://hub", "http://a:b", "http://["])
def test_endpoint_that_cannot_be_one(endpoint):
    with pytest.raises(UsageError, match="is not an endpoint"):
        Hub(endpoint, REPO)


# ------------------------------------------------------------------------------ waiting


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17),
        (  # by the server's clock
            {
                "Date": "Mon, 06 Jul 2026 08:00:00 GMT",
                "Retry-After": "Mon, 06 Jul 2026 08:00:40 GMT",
            },
            40,
        ),
        ({"Retry-After": "999999999"}, 330),  # the longest that we wait
    ],
)
def test_retry_after_is_obeyed(start, headers, seconds):
    clock = Clock()
    _, hub = start(Fault("/revision/", status=429, headers=headers), patience=patient(clock))
    hub.commit("main")
    assert seconds <= sum(clock.slept) <= seconds + 0.25


@pytest.mark.parametrize(("left", "waits"), [(0, 55), (1, 0)])
def test_quota_counts_only_when_nothing_is_left(start, left, waits):
    clock = Clock()
    limit = {"RateLimit": f'"resolvers";r={left};t=55'}
    _, hub = start(Fault("/revision/", headers=limit), patience=patient(clock))
    hub.commit("main")
    assert clock.slept == []
    hub.commit("main")
    assert waits <= sum(clock.slept) <= waits + 0.25


def test_waits_double(start):
    clock = Clock()
    _, hub = start(Fault("/revision/", status=500, times=4), patience=patient(clock))
    hub.commit("main")
    assert len(clock.slept) == 4
    for wait, full in zip(clock.slept, (1, 2, 4, 8), strict=True):
        assert full <= wait <= full + 0.25


# ------------------------------------------------------------------------------ the environment


@pytest.mark.parametrize(
    ("env", "token"),
    [
        ({"HF_TOKEN": " hf_a\n", "HUGGING_FACE_HUB_TOKEN": "hf_b"}, "hf_a"),
        ({"HF_TOKEN": " ", "HUGGING_FACE_HUB_TOKEN": "hf_b"}, "hf_b"),
        ({"HF_TOKEN": "hf_a", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "true"}, None),
        ({"HF_TOKEN": "hf_a", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "0"}, "hf_a"),
        ({"HF_TOKEN_PATH": "~/mine"}, "hf_mine"),
        ({"HF_TOKEN_PATH": "$WHERE/mine", "WHERE": "{home}"}, "hf_mine"),
        ({"HF_HOME": "{home}/hf"}, "hf_home"),
        ({"HF_HOME": "~/hf"}, "hf_home"),
        ({"XDG_CACHE_HOME": "{home}/xdg"}, "hf_xdg"),
        ({}, "hf_default"),
    ],
)
def test_token_of_the_environment(tmp_path, env, token):
    files = {
        "mine": "hf_mine\n",
        "hf/token": "hf_home",
        "xdg/huggingface/token": "hf_xdg",
        ".cache/huggingface/token": "hf_default",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    env = {name: value.format(home=tmp_path) for name, value in env.items()}
    assert credentials({"HOME": str(tmp_path), **env}) == (ENDPOINT, token)


def test_endpoint_of_the_environment(tmp_path):
    env = {"HOME": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:8000/"}
    assert credentials(env) == ("http://127.0.0.1:8000", None)


@pytest.mark.parametrize("value", ["1", "Yes"])
def test_offline_environment(value):
    with pytest.raises(HubError, match="HF_HUB_OFFLINE"):
        credentials({"HF_HUB_OFFLINE": value})


def test_token_that_cannot_be_read(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        credentials({"HF_TOKEN_PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("env", "read", "slow"),
    [
        ({}, 15.0, 60.0),
        ({"HF_HUB_DOWNLOAD_TIMEOUT": "30"}, 30.0, 60.0),
        ({"HF_HUB_ETAG_TIMEOUT": " 5 "}, 5.0, 60.0),
        ({"HF_HUB_DOWNLOAD_TIMEOUT": "30", "HF_HUB_ETAG_TIMEOUT": "500"}, 500.0, 500.0),
    ],
)
def test_patience_of_the_environment(env, read, slow):
    found = patience(env)
    assert (found.read, found.slow) == (read, slow)
    assert (found.connect, found.tries) == (Patience().connect, Patience().tries)


@pytest.mark.parametrize("value", ["0", "1.5", "86401", "٣"])
def test_patience_that_cannot_be_one(value):
    with pytest.raises(UsageError, match="HF_HUB_DOWNLOAD_TIMEOUT is") as caught:
        patience({"HF_HUB_DOWNLOAD_TIMEOUT": value})
    assert caught.value.hint == "set it to seconds, from 1 to 86,400"

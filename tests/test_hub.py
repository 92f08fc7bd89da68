"""The client against a hub that misbehaves: real HTTP on the loopback interface."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import ssl
import threading
import time

import pytest
import requests
import urllib3
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
    CHUNK,
    ENDPOINT,
    Hub,
    Patience,
    RemoteFile,
    StoppedError,
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


def test_folders_of_the_listing_are_passed_over(start):
    server, hub = start(listing({"type": "directory", "path": "a", "size": 0, "oid": "0" * 40}))
    assert hub.tree(server.commit) == ()


@pytest.mark.parametrize("status", [408, 429, 503])
def test_questions_are_asked_again(start, status):
    server, hub = start(Fault("/revision/", status=status, times=2))
    assert hub.commit("main") == server.commit
    assert [call.status for call in server.log] == [status, status, 200]


def test_questions_have_a_timeout(start):
    server, hub = start(Fault("/revision/", stall=3))
    began = time.monotonic()
    assert hub.commit("main") == server.commit
    assert time.monotonic() - began < 3


def test_tries_have_an_end(start):
    server, hub = start(Fault("/revision/", status=503, times=-1, said="busy"))
    with pytest.raises(HubError, match=r"5 failures in a row.*503.*busy") as caught:
        hub.commit("main")
    assert caught.value.hint == "run the command again to continue where it stopped"
    assert len(server.log) == 5


def test_page_instead_of_json_is_no_answer(start):
    page = Fault("/revision/", body=b"<html>log in", headers={"Content-Type": "text/html"})
    server, hub = start(page)
    with pytest.raises(HubError, match="answered text/html, not JSON"):
        hub.commit("main")
    assert len(server.log) == 1


@pytest.mark.parametrize("body", [b'{"sha": "main"}', b"[]"])
def test_answer_without_a_commit(start, body):
    _, hub = start(Fault("/revision/", body=body))
    with pytest.raises(HubError, match="names no commit"):
        hub.commit("main")


@pytest.mark.parametrize("body", [b"{}", b"null"])
def test_listing_that_is_no_list(start, body):
    server, hub = start(Fault("/tree/", body=body))
    with pytest.raises(HubError, match="no list of files"):
        hub.tree(server.commit)


class Broken(requests.Session):
    """A line that never brings an answer, as the library tells of it."""

    def __init__(self, error):
        super().__init__()
        self.error = error
        self.count = 0

    def get(self, url, **options):
        self.count += 1
        raise self.error


def test_untrusted_certificate_is_not_tried_again():
    session = Broken(requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"))
    with (
        quick("https://hub.invalid", session=session) as hub,
        pytest.raises(HubError, match="certificate is not trusted") as caught,
    ):
        hub.commit("main")
    assert session.count == 1
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint


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


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE"])
def test_certificates_that_are_not_there(tmp_path, monkeypatch, name):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv(name, str(tmp_path / "none.pem"))
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


def test_dead_proxy_is_named_as_such(monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with (
        quick("http://hub.invalid") as hub,
        pytest.raises(HubError, match=r"given up after 3 .*ProxyError with hub\.invalid"),
    ):
        hub.commit("main")


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


@pytest.mark.parametrize(("path", "html"), [(ZIP, "padded"), (CSV, "page")])
def test_login_page_in_place_of_a_file(start, served, tmp_path, path, html):
    """Status 200, and even the right size: only the hash can tell."""
    server, hub = start(Fault(FILE, html=html))
    part, counter = fetch(server, hub, tmp_path, path)
    assert part.read_bytes() == (served / path).read_bytes()
    assert counter.total == part.stat().st_size


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


def test_signed_address_in_what_the_hub_says_is_not_shown(start):
    said = "cannot read https://storage.invalid/x?X-Amz-Signature=secret now"
    server, hub = start(Fault("/revision/", status=403, said=said))
    with pytest.raises(AccessError, match=r"https://storage\.invalid/x\?\.\.\. now") as caught:
        hub.commit("main")
    assert "secret" not in str(caught.value)


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


def test_gated_file_is_refused_at_once(start, tmp_path):
    server, hub = start()
    server.gated = True
    with pytest.raises(AccessError, match="GatedRepo") as caught:
        fetch(server, hub, tmp_path)
    assert f"{server.endpoint}/datasets/{REPO}" in caught.value.hint
    assert len(server.log) == 1


def test_private_repository_with_the_wrong_and_the_right_token(start):
    server, hub = start(token="hf_bad")
    server.private = True
    with pytest.raises(AccessError, match="Invalid credentials"):
        hub.commit("main")
    with quick(server.endpoint, token="hf_good") as other:
        assert other.commit("main") == server.commit
    with quick(server.endpoint) as nobody, pytest.raises(NotFoundError):
        nobody.commit("main")


def test_renamed_repository(start, tmp_path):
    server, _ = start()
    server.moved_from = "old/Name"
    with quick(server.endpoint, "old/Name", token="hf_x") as hub:
        assert hub.commit("main") == server.commit
        assert len(hub.tree(server.commit)) == 4
        part, _ = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG


@pytest.mark.parametrize("place", ["file:///etc/passwd"])
def test_redirect_to_what_is_not_http(start, place):
    server, hub = start(Fault("/revision/", status=302, headers={"Location": place}))
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


def test_empty_file(start, served, tmp_path):
    (served / "csv/train/empty.csv").write_bytes(b"")
    server, hub = start()
    part, counter = fetch(server, hub, tmp_path, "csv/train/empty.csv")
    assert part.read_bytes() == b""
    assert counter.total == 0


def test_odd_names_are_quoted(start, served, tmp_path):
    name = "csv/train/a b#c%d+é.csv"
    (served / name).write_bytes(b"odd")
    server, hub = start()
    assert name in [file.path for file in hub.tree(server.commit)]
    part, _ = fetch(server, hub, tmp_path, name)
    assert part.read_bytes() == b"odd"


@pytest.mark.parametrize(("how", "at"), [("cut", 150_000), ("rst", 399_999), ("stall", 1)])
def test_broken_line_is_continued(start, tmp_path, how, at):
    server, hub = start(Fault(FILE, **{how: at}))
    part, counter = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG
    assert counter.total == 400_000
    first, second = bodies(server)
    assert first[0] is None
    resumed_at = int(second[0].removeprefix("bytes=").removesuffix("-")) if second[0] else 0
    # A reset may overtake bytes that were sent before it; a cut and a stall lose nothing (a stall
    # at most what is read at a time, where urllib3 cannot give what is there).
    can_lose = {"cut": 0, "stall": 0 if hasattr(urllib3.HTTPResponse, "read1") else CHUNK}
    assert at - can_lose.get(how, at) <= resumed_at <= at
    assert second[2] == 400_000 - resumed_at


def test_line_that_breaks_again_and_again_but_advances(start, tmp_path):
    # More cuts than tries: every one brings bytes, so none of them counts for long.
    server, hub = start(*[Fault(FILE, cut=30_000) for _ in range(10)])
    part, _ = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG
    ranges = [asked for asked, _, _ in bodies(server)]
    assert ranges == [None] + [f"bytes={30_000 * n}-" for n in range(1, 11)]


def test_line_that_brings_nothing_is_given_up(start, tmp_path):
    server, hub = start(Fault(FILE, cut=0, times=-1))
    with pytest.raises(HubError, match="given up after 5 failures"):
        fetch(server, hub, tmp_path)
    assert len(bodies(server)) == 5


def test_ignored_range_cut_at_the_same_place_is_given_up(start, tmp_path):
    # Every try brings the same 1,000 bytes: not one more than before, so this must end.
    server, hub = start(Fault(FILE, cut=1000, ignore_range=True, times=-1))
    with pytest.raises(HubError, match="given up"):
        fetch(server, hub, tmp_path)
    assert len(bodies(server)) == 5


def test_earlier_partial_is_continued(start, tmp_path):
    server, hub = start()
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/one.part").write_bytes(BIG[:123_456])
    part, counter = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG
    assert bodies(server) == [("bytes=123456-", 206, 400_000 - 123_456)]
    assert counter.calls[0] == 123_456
    assert counter.total == 400_000


def test_partial_longer_than_the_file_is_dropped(start, tmp_path):
    server, hub = start()
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/one.part").write_bytes(BIG + b"!")
    part, counter = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG
    assert bodies(server) == [(None, 200, 400_000)]
    assert counter.total == 400_000


def test_damaged_partial_is_found_by_its_hash(start, tmp_path):
    server, hub = start()
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/one.part").write_bytes(b"x" * 1000)
    part, counter = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG
    assert [asked for asked, _, _ in bodies(server)] == ["bytes=1000-", None]
    assert counter.total == 400_000


def test_ignored_range_begins_anew(start, tmp_path):
    server, hub = start(Fault(FILE, cut=50_000), Fault(FILE, ignore_range=True))
    part, counter = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG
    assert counter.total == 400_000
    assert [status for _, status, _ in bodies(server)] == [200, 200]


def test_wrong_range_once_is_asked_again(start, tmp_path):
    server, hub = start(Fault(FILE, cut=50_000), Fault(FILE, shift_range=7))
    part, _ = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG
    assert bodies(server)[-1] == ("bytes=50000-", 206, 350_000)


def test_wrong_range_always_begins_anew(start, tmp_path):
    server, hub = start(Fault(FILE, cut=50_000), Fault(FILE, shift_range=7, times=-1))
    part, counter = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG
    assert counter.total == 400_000
    assert bodies(server)[-1][1] == 200


@pytest.mark.parametrize("given", ["bytes 50000-399999/400001", "bytes */400000"])
def test_content_range_that_does_not_fit(start, tmp_path, given):
    wrong = Fault(FILE, headers={"Content-Range": given})
    server, hub = start(Fault(FILE, cut=50_000), wrong)
    part, _ = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG


def test_content_range_without_a_total_is_enough(start, tmp_path):
    given = Fault(FILE, headers={"Content-Range": "bytes 50000-399999/*"})
    server, hub = start(Fault(FILE, cut=50_000), given)
    part, _ = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG
    assert len(bodies(server)) == 2


def test_refused_range_begins_anew(start, tmp_path):
    refused = Fault(FILE, status=416, headers={"Content-Range": "bytes */9"}, times=3)
    server, hub = start(Fault(FILE, cut=50_000), refused)
    part, _ = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG


@pytest.mark.parametrize("path", [CSV])
def test_compressed_although_not_asked(start, served, tmp_path, path):
    server, hub = start(Fault(FILE, gzip=True, times=-1))
    part, counter = fetch(server, hub, tmp_path, path)
    assert part.read_bytes() == (served / path).read_bytes()
    assert counter.total == part.stat().st_size


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


def test_compressed_range_is_not_appended(start, tmp_path):
    server, hub = start(Fault(FILE, cut=50_000), Fault(FILE, gzip=True))
    part, _ = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG


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


def test_more_bytes_than_listed_without_a_length(start, tmp_path):
    server, hub = start(Fault(FILE, too_much=True, headers={"Content-Length": ""}))
    part, counter = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG
    assert counter.total == 400_000


def test_fewer_bytes_than_listed_without_a_length(start, tmp_path):
    # Nothing but the listed size can tell that this body is not whole.
    server, hub = start(Fault(FILE, cut=250_000, headers={"Content-Length": ""}))
    part, _ = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG
    assert bodies(server)[1] == ("bytes=250000-", 206, 150_000)


def test_no_header_but_the_bytes(start, tmp_path):
    bare = dict.fromkeys(("ETag", "Accept-Ranges", "X-Repo-Commit", "X-Linked-Size"), "")
    server, hub = start(Fault("", headers={**bare, "X-Linked-ETag": ""}, times=-1))
    part, _ = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG


@pytest.mark.parametrize("status", [403, 503])
def test_storage_that_refuses_gets_a_new_address(start, tmp_path, status):
    server, hub = start(Fault("^cdn", cut=50_000), Fault("^cdn", status=status))
    server_log = fetch(server, hub, tmp_path)[0], server.log
    assert server_log[0].read_bytes() == BIG
    assert [(c.role, c.range) for c in server_log[1]] == [
        ("hub", None),
        ("cdn", None),
        ("hub", "bytes=50000-"),
        ("cdn", "bytes=50000-"),
        ("hub", "bytes=50000-"),
        ("cdn", "bytes=50000-"),
    ]


def test_signed_address_is_used_once(start, tmp_path):
    """An address that has expired is never tried again: each try begins at the endpoint."""
    server, hub = start(*[Fault("^cdn", cut=90_000) for _ in range(3)])
    server.signed_once = True
    part, _ = fetch(server, hub, tmp_path)
    assert part.read_bytes() == BIG
    assert [(call.role, call.status) for call in server.log] == [
        ("hub", 302),
        ("cdn", 200),
        ("hub", 302),
        ("cdn", 206),
        ("hub", 302),
        ("cdn", 206),
        ("hub", 302),
        ("cdn", 206),
    ]


def test_storage_that_always_refuses_fails_that_file(start, tmp_path):
    server, hub = start(Fault("^cdn", status=403, times=-1))
    with pytest.raises(HubError, match=r"127\.0\.0\.1 answered 403") as caught:
        fetch(server, hub, tmp_path)
    assert not isinstance(caught.value, AccessError)
    assert "Expires" not in str(caught.value), "a signed address is for nobody's eyes"


def test_file_that_is_not_there(start, tmp_path):
    server, hub = start()
    gone = RemoteFile(path="csv/train/gone.csv", size=3, sha256=None, git_sha1="0" * 40)
    with pytest.raises(NotFoundError, match="EntryNotFound"):
        hub.fetch(gone, server.commit, tmp_path / "x", lambda _: None)


def test_slow_line_is_begun_anew(served, tmp_path):
    (served / CSV).write_bytes(BIG[:60_000])
    with (
        FaultyHub(served, bytes_per_second=100_000) as server,
        quick(server.endpoint, patience={"slow": 0.2}) as hub,
    ):
        part, _ = fetch(server, hub, tmp_path, CSV)
        # 60 kB at 100 kB/s take 0.6 s, and what brings so little is left after 0.2 s.
        assert 3 <= len(bodies(server)) <= 4
    assert part.read_bytes() == BIG[:60_000]


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
    with pytest.raises(UsageError, match="is no endpoint"):
        Hub(endpoint, REPO)


# ------------------------------------------------------------------------------ waiting


def test_retry_after_is_obeyed(start):
    clock = Clock()
    _server, hub = start(
        Fault("/revision/", status=429, headers={"Retry-After": "17"}), patience=patient(clock)
    )
    hub.commit("main")
    assert len(clock.slept) == 1
    assert 17 <= clock.slept[0] <= 17.25


def test_retry_after_as_a_date_is_counted_by_the_servers_clock(start):
    clock = Clock()
    headers = {
        "Date": "Mon, 06 Jul 2026 08:00:00 GMT",
        "Retry-After": "Mon, 06 Jul 2026 08:00:40 GMT",
    }
    _, hub = start(Fault("/revision/", status=503, headers=headers), patience=patient(clock))
    hub.commit("main")
    assert 40 <= sum(clock.slept) <= 41


def test_retry_after_has_an_end(start):
    clock = Clock()
    fault = Fault("/revision/", status=429, headers={"Retry-After": "999999999"})
    _, hub = start(fault, patience=patient(clock))
    hub.commit("main")
    assert 330 <= sum(clock.slept) <= 331


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


def test_one_clock_for_all_threads(start, tmp_path):
    """After one thread was told to wait, no other sends a request before that time is over."""
    server, hub = start(
        Fault("/revision/", status=429, headers={"Retry-After": "1"}), patience={"longest": 0.6}
    )
    told = threading.Event()
    seen = []

    def first():
        told.set()
        hub.commit("main")

    def second():
        told.wait(5)
        while len(server.log) < 1:
            time.sleep(0.005)
        time.sleep(0.1)
        began = time.monotonic()
        hub.tree(server.commit)
        seen.append(time.monotonic() - began)

    threads = [threading.Thread(target=target) for target in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert 0.3 < seen[0] < 3  # 0.6 s since it was told, 0.1 s and a little of them gone


def when(condition, act):
    """Act in another thread as soon as a condition holds."""

    def wait():
        while not condition():
            time.sleep(0.005)
        act()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def test_stop_ends_a_wait(start):
    server, hub = start(
        Fault("/revision/", status=503, times=-1), patience={"backoff": 60.0, "longest": 60.0}
    )
    when(lambda: server.log, hub.stop.set)
    began = time.monotonic()
    with pytest.raises(StoppedError):
        hub.commit("main")
    assert time.monotonic() - began < 20  # half of the backoff, at least, is 30 s
    assert len(server.log) == 1


def test_hubs_warnings_are_kept_once(start):
    said = {"X-HF-Warning": "old; Please upgrade"}
    _, hub = start(Fault("/revision/", headers=said, times=-1))
    hub.commit("main")
    hub.commit("main")
    assert hub.warnings == {"old": "Please upgrade"}


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

"""`Hub.abort` is answered within a second, whatever a thread waits for.

Every limit of patience is 20 s here, so whoever waits for one of them fails the test:

::

    phase                       what waits              what the test does
    name look-up                getaddrinfo             the resolver does not return
    connect                     connect()               a listener whose queue is full
    handshake                   do_handshake()          a server that accepts and says nothing
    headers                     recv()                  a hub that takes the request, says nothing
    body                        recv()                  a body that stops half-way, plain and TLS
    hash                        the disk                a file of 16 GiB of zeros
    backoff, Retry-After        Event.wait()            503 and 429
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor

import pytest
from hub_client import BIG, CSV, REPO, ZIP, Raw, certificate, listed, serve_big, trusting
from hub_server import Fault, FaultyHub, quick

from unitalk.net import Hub, Patience, RemoteFile, StoppedError

SECOND = 1.0
LONG = {"connect": 20.0, "read": 20.0, "slow": 20.0, "longest": 20.0}
THREADS = "unitalk-request"


@pytest.fixture
def served(tmp_path):
    return serve_big(tmp_path / "served")


@pytest.fixture
def start(served):
    with contextlib.ExitStack() as stack:

        def begin(*faults, **options):
            server = stack.enter_context(FaultyHub(served, faults=faults))
            hub = stack.enter_context(patient(server.endpoint, **options))
            return server, hub

        yield begin


def patient(endpoint, **options):
    patience = {**LONG, **options.pop("patience", {})}
    return quick(endpoint, REPO, patience=patience, **options)


def until(condition, seconds=15.0):
    """Wait for what another thread or the kernel brings about."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.005)


class Lag:
    """How long this machine kept a thread waiting that had nothing to wait for, in seconds.

    A second on a busy machine is a second and what the machine took of it.
    """

    def __enter__(self):
        self.seconds = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join(10)

    def _watch(self):
        last = time.monotonic()
        while not self._over.wait(0.01):
            now = time.monotonic()
            self.seconds += max(0.0, now - last - 0.02)
            last = now


def aborted(hub, *works, when):
    """Abort when `when()` holds, and assert that every work stops within a second."""
    with ThreadPoolExecutor(len(works)) as pool:
        jobs = [pool.submit(work) for work in works]
        until(when)
        time.sleep(0.05)  # from before the wait into it
        assert not any(job.done() for job in jobs)
        with Lag() as lag:
            began = time.monotonic()
            hub.abort()
            futures.wait(jobs, 30)
            took = time.monotonic() - began
        for job in jobs:
            with pytest.raises(StoppedError, match="stopped") as caught:
                job.result(30)
            assert "run the command again" in caught.value.hint
    assert took - lag.seconds < SECOND


def fetching(hub, server, part, path=ZIP):
    return lambda: hub.fetch(listed(server, path), server.commit, part, lambda _: None)


def at_work():
    """The threads that wait for an answer."""
    return [thread for thread in threading.enumerate() if thread.name == THREADS]


# ------------------------------------------------------------------------------ before a connection


def test_while_a_name_is_looked_up(monkeypatch):
    asked, answer = threading.Event(), threading.Event()

    def look_up(*args, **options):
        asked.set()
        answer.wait(20)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with patient("http://hub.invalid") as hub:
        aborted(hub, lambda: hub.commit("main"), when=asked.is_set)
        answer.set()
        until(lambda: not at_work())


@contextlib.contextmanager
def full_queue():
    """A listener that never accepts and whose queue is full: whoever connects now waits."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_while_a_connection_is_made():
    with full_queue() as port, patient(f"https://127.0.0.1:{port}") as hub:
        # The trap is set: nobody gets in.
        with pytest.raises(TimeoutError):
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        aborted(hub, lambda: hub.commit("main"), when=at_work)
    # Nobody is left waiting at that door once it is gone.
    until(lambda: not at_work(), 25.0)


def test_during_the_handshake():
    with Raw(silent) as server, patient(f"https://127.0.0.1:{server.port}") as hub:
        aborted(hub, lambda: hub.commit("main"), when=lambda: server.taken)


def silent(line, server):
    server.over.wait(20)


# ------------------------------------------------------------------------------ before the headers


def test_what_is_left_behind_ends_and_closes_its_connection(served):
    """An answer that comes after the abort finds nobody, and its connection is not kept."""
    go, closed = threading.Event(), threading.Event()

    def late(line, server):
        line.recv(1 << 16)
        go.wait(20)
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nx")
        line.settimeout(10)
        with contextlib.suppress(ConnectionError):
            while line.recv(1 << 16):
                pass
        closed.set()

    with Raw(late) as server, patient(f"http://127.0.0.1:{server.port}") as hub:
        aborted(hub, lambda: hub.commit("main"), when=lambda: server.taken)
        assert len(at_work()) == 1
        go.set()
        assert closed.wait(10)
        until(lambda: not at_work())


def test_eight_threads_in_different_phases(start, tmp_path):
    server, hub = start(
        Fault("/tree/", hold=True),
        Fault(f"resolve/.*{CSV}", hold=True, times=3),
        Fault("^cdn", stall=1000, times=3),
        Fault("/revision/", status=503, times=-1),
        patience={"backoff": 20.0},
    )
    works = [
        lambda: hub.commit("main"),
        lambda: hub.tree(server.commit),
        *(fetching(hub, server, tmp_path / f"{n}.csv", CSV) for n in range(3)),
        *(fetching(hub, server, tmp_path / f"{n}.zip") for n in range(3)),
    ]
    parts = [tmp_path / f"{n}.zip" for n in range(3)]

    def all_wait():
        # 1 question, 1 listing, 3 csv at the hub, 3 archives at the hub and then at the storage
        return len(server.heard) == 1 + 1 + 3 + 3 + 3 and all(
            part.exists() and part.stat().st_size == 1000 for part in parts
        )

    aborted(hub, *works, when=all_wait)
    for part in parts:
        assert part.read_bytes() == BIG[:1000]


# ------------------------------------------------------------------------------ the body


@pytest.mark.parametrize("length", [True, False])
def test_while_a_body_stands_still(start, tmp_path, length):
    # Without a length the connection is to be closed behind the body; it is found all the same.
    headers = {} if length else {"Content-Length": "", "Connection": "close"}
    server, hub = start(Fault("^cdn", stall=1000, headers=headers))
    part = tmp_path / "one.part"
    work = fetching(hub, server, part)
    aborted(hub, work, when=lambda: part.exists() and part.stat().st_size == 1000)
    assert part.read_bytes() == BIG[:1000]


def test_while_the_text_of_a_redirect_stands_still(start):
    place = {"Location": "/elsewhere"}
    server, hub = start(Fault("/revision/", status=302, said="why", headers=place, stall=3))
    aborted(hub, lambda: hub.commit("main"), when=lambda: server.log)


def test_during_a_body_under_tls(tmp_path, monkeypatch):
    """What came before the abort is kept, deciphered; what is cut is not taken for an end."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    trusting(monkeypatch, tmp_path)
    part = tmp_path / "one.part"

    def stall(line, server):
        with contextlib.suppress(OSError), context.wrap_socket(line, server_side=True) as inner:
            inner.recv(1 << 16)
            inner.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n" + BIG[:50_000])
            server.over.wait(20)

    file = RemoteFile(path="a.bin", size=400_000, sha256="0" * 64, git_sha1="0" * 40)
    with Raw(stall) as server, patient(f"https://127.0.0.1:{server.port}") as hub:
        aborted(
            hub,
            lambda: hub.fetch(file, "0" * 40, part, lambda _: None),
            when=lambda: part.exists() and part.stat().st_size == 50_000,
        )
    assert BIG.startswith(part.read_bytes())


# ------------------------------------------------------------------------------ between requests


def test_while_a_file_is_hashed(tmp_path):
    """16 GiB take more than a second at any speed of hashing that there is."""
    part = tmp_path / "large.part"
    with part.open("wb") as out:
        out.truncate(16 << 30)
    file = RemoteFile(path="a.zip", size=16 << 30, sha256="0" * 64, git_sha1="0" * 40)
    found = threading.Event()
    with patient("http://hub.invalid") as hub:
        aborted(
            hub,
            lambda: hub.fetch(file, "0" * 40, part, lambda _: found.set()),
            when=found.is_set,
        )
    assert part.stat().st_size == 16 << 30  # what an interrupt finds whole, it leaves


def test_stop_of_the_caller_is_seen_while_nothing_is_said(start):
    stop = threading.Event()
    server, hub = start(Fault("/revision/", hold=True), stop=stop)
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(hub.commit, "main")
        until(lambda: server.heard)
        with Lag() as lag:
            began = time.monotonic()
            stop.set()
            with pytest.raises(StoppedError):
                job.result(30)
            took = time.monotonic() - began
    assert took - lag.seconds < SECOND


# ------------------------------------------------------------------------------ the watchdogs


def test_headers_that_trickle_are_left(served):
    """A byte of a header now and then renews the read timeout, but not the time for an answer."""

    def trickle(line, server):
        line.recv(1 << 16)
        with contextlib.suppress(OSError):
            line.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not server.over.wait(0.02):
                line.sendall(b"x")

    patience = {"connect": 0.5, "slow": 0.1, "read": 5.0, "tries": 2}
    with Raw(trickle) as server, quick(f"http://127.0.0.1:{server.port}", patience=patience) as hub:
        began = time.monotonic()
        with pytest.raises(Exception, match=r"127\.0\.0\.1 has not answered in \d+ s"):
            hub.commit("main")
        took = time.monotonic() - began
    # two tries of 0.5 s + 0.1 s each; without the watchdog there is no end to it
    assert 1.2 <= took < 20
    assert server.taken == 2


def test_body_that_trickles_is_begun_anew(tmp_path):
    """20 bytes a second renew the read timeout for hours; 128 KiB in 0.3 s they are not."""

    def trickle(line, server):
        line.recv(1 << 16)
        with contextlib.suppress(OSError):
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n")
            while not server.over.wait(0.05):
                line.sendall(b"x")

    file = RemoteFile(path="a.bin", size=400_000, sha256="0" * 64, git_sha1="0" * 40)
    patience = Patience(read=5.0, slow=0.3, tries=1, backoff=0.001)
    with (
        Raw(trickle) as server,
        Hub(f"http://127.0.0.1:{server.port}", REPO, patience=patience) as hub,
    ):
        began = time.monotonic()
        with pytest.raises(Exception, match="given up after 1 failures in a row"):
            hub.fetch(file, "0" * 40, tmp_path / "part", lambda _: None)
        assert 0.3 <= time.monotonic() - began < 20

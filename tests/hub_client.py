"""What the tests of the clients share: a large file, counters, a clock, a scripted server."""

from __future__ import annotations

import contextlib
import random
import shutil
import socket
import subprocess
import threading

import pytest
from hub_server import TRAIN, publish

from unitalk.net import RemoteFile

REPO = "plnguyen2908/UniTalk-ASD"
ZIP = "clips_videos/train/big.zip"
CSV = f"csv/train/{TRAIN}.csv"
BIG = random.Random(7).randbytes(400_000)
FILE = r"^(cdn|hub /api/resolve-cache)"
"""The requests that bring a file's bytes, from either host."""


def serve_big(folder):
    """Make a folder to serve: one video, and a large file."""
    publish(folder, "train", TRAIN)
    (folder / ZIP).write_bytes(BIG)
    return folder


def listed(server, path=ZIP):
    entry = server.entries[path]
    return RemoteFile(path=path, size=entry.size, sha256=entry.sha256, git_sha1=entry.git_sha1)


def bodies(server):
    """The requests that asked for a file's bytes: (range, status, sent)."""
    return [
        (call.range, call.status, call.sent)
        for call in server.log
        if call.role == "cdn" or "resolve-cache" in call.path
    ]


class Counter:
    """Counts bytes as `on_bytes` is told, and remembers what it was told."""

    def __init__(self):
        self.calls = []

    def __call__(self, amount):
        self.calls.append(amount)

    @property
    def total(self):
        return sum(self.calls)


class Clock:
    """Time that passes only in `sleep`."""

    def __init__(self):
        self.now = 100.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def patient(clock, **more):
    return {"clock": clock, "sleep": clock.sleep, "longest": 330.0, "backoff": 1.0, **more}


class Raw:
    """A server on this machine that runs a script with each connection, whatever it may be.

    Attributes:
        port: where it listens.
        taken: how many connections it has accepted.
        over: set when the block ends; a script that waits, waits for this.
    """

    def __init__(self, script):
        self.script = script
        self.taken = 0
        self.over = threading.Event()
        self._threads = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        self._serve(self._accept)
        return self

    def __exit__(self, *_):
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _serve(self, work, *args):
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                self.taken += 1
                self._serve(self._run, line)

    def _run(self, line):
        with line:
            self.script(line, self)


def certificate(folder, *names):
    """Make a certificate for 127.0.0.1 or some hosts, self-signed, and its key, in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    path = folder / "certificate.pem"
    if not path.exists():
        subprocess.run(
            [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
             "-nodes", "-days", "2", "-subj", "/CN=a test",
             "-addext", f"subjectAltName={','.join(names) or 'IP:127.0.0.1'}",
             "-keyout", str(path), "-out", str(folder / "half.pem")],
            check=True, capture_output=True,
        )  # fmt: skip
        with path.open("ab") as both:
            both.write((folder / "half.pem").read_bytes())
    return path


def trusting(monkeypatch, folder):
    """Let requests trust the certificate, as one does behind a proxy that inspects TLS."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate(folder)))
